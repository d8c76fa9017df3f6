/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_THREADS_ROWS_H
#define INQUEST_REPORTS_COMMANDS_THREADS_ROWS_H

#include "inquest/analyzer/index.h"
#include "reports/cli/output.h"
#include "reports/render/json.h"

/* The machine forms of threads: everything, streamed, threads by id and frames
 * innermost first. */
struct rows_options {
    const char *thread; /* as stacks_options.thread */
    uint64_t limit;     /* the so many most important threads; 0: all */
    bool no_locals;
};

/* "rows": [...] as the next member of an object. `output` is drained between frames
 * (NULL: never); `json` writes to its text. */
enum status threads_write_json(struct index *index, const struct rows_options *options,
                               struct json_writer *json, struct output *output,
                               struct error *err) MUST_CHECK;
/* A header and one row a frame; a thread without frames has one row as well. */
enum status threads_write_csv(struct index *index, const struct rows_options *options,
                              struct text *text, struct output *output,
                              struct error *err) MUST_CHECK;

#endif
