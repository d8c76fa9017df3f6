/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_CONTEXTS_H
#define INQUEST_ANALYZER_RUNTIME_CONTEXTS_H

#include "analyzer/objects/object.h"
#include "analyzer/runtime/value_memo.h"
#include "inquest/analyzer/index.h"

/* Calls `visit` for each variable that is set in the contextvars.Context at
 * `context_addr`, in the tree's order. CORRUPT or NOT_IN_DUMP where a part of the
 * tree could not be read; what could be was visited. */
typedef enum status (*context_visitor)(void *context, uint64_t variable_addr, uint64_t value_addr);
enum status context_variables(struct python_process *process, uint64_t context_addr,
                              context_visitor visit, void *context) MUST_CHECK;

/* The trace and span id of an OpenTelemetry span that the value holds, as
 * "trace_id=… span_id=… " in hexadecimal; nothing where it holds none. */
void context_span_ids(struct python_process *process, uint64_t value_addr, struct text *text);

/* Writes rows of context_variable for one thread or task, whose id is not 0. */
struct context_rows {
    struct python_process *process;
    struct index_writer *writer;
    struct value_memo *values;
    uint64_t count;   /* rows so far, of all contexts */
    uint64_t damaged; /* contexts that could be read in part only */
};
enum status context_rows_write(struct context_rows *rows, uint64_t context_addr, int64_t thread_id,
                               int64_t task_id) MUST_CHECK;
/* Says what was left out. */
enum status context_rows_finish(struct context_rows *rows) MUST_CHECK;

#endif
