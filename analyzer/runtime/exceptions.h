/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_EXCEPTIONS_H
#define INQUEST_ANALYZER_RUNTIME_EXCEPTIONS_H

#include "analyzer/runtime/frames.h"
#include "inquest/analyzer/index.h"

/* Writes the exceptions of one thread, the one in flight first, then the one
 * being handled, each followed by its causes, contexts and group members, as
 * rows of `exception` and `traceback`. `next_id` counts across threads. */
enum status exceptions_collect(struct code_table *codes, struct python_process *process,
                               uint64_t state_addr, int64_t thread_id, int64_t *next_id,
                               struct index_writer *writer) MUST_CHECK;

#endif
