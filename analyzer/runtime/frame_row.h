/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_FRAME_ROW_H
#define INQUEST_ANALYZER_RUNTIME_FRAME_ROW_H

#include "analyzer/runtime/frames.h"
#include "inquest/analyzer/index.h"

/* A row of `frame` or of `task_frame`, which have the same columns: `owner_id` is the thread's or
 * the task's, `depth` 0 the innermost. */
enum status frame_row_write(struct index_writer *writer, enum index_table table,
                            struct code_table *codes, const struct frame_fact *frame, int64_t id,
                            int64_t owner_id, int64_t depth) MUST_CHECK;

#endif
