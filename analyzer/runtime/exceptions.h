/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_EXCEPTIONS_H
#define INQUEST_ANALYZER_RUNTIME_EXCEPTIONS_H

#include "analyzer/runtime/frames.h"
#include "inquest/analyzer/index.h"

/* What was written of all threads so far. */
struct exception_totals {
    int64_t exceptions; /* their ids are 1 to this */
    uint64_t entries;   /* of tracebacks */
};

/* Writes the exceptions of one thread, the one in flight first, then the one
 * being handled, each followed by its causes, contexts and group members, as
 * rows of `exception` and `traceback`. */
enum status exceptions_collect(struct code_table *codes, struct python_process *process,
                               uint64_t state_addr, int64_t thread_id,
                               struct exception_totals *totals,
                               struct index_writer *writer) MUST_CHECK;

#endif
