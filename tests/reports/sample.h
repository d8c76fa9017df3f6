/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_TESTS_REPORTS_SAMPLE_H
#define INQUEST_TESTS_REPORTS_SAMPLE_H

#include "inquest/analyzer/index.h"

/* Indexes in memory, row by row, for tests of what is shown. Each call fails the
 * test where the row is refused. Ids count from 1. */
struct sample {
    struct index_writer *writer;
    int64_t frames, exceptions;
};

struct sample_thread {
    int64_t id;
    const char *name, *state, *waits_for;
    bool is_main, is_crashed, holds_gil, is_c;
};

void sample_begin(struct sample *sample);
struct index *sample_end(struct sample *sample);
void sample_meta(struct sample *sample, const char *key, const char *value);
void sample_thread(struct sample *sample, struct sample_thread thread);
/* The next frame, depth as given; returns its id. */
int64_t sample_frame(struct sample *sample, int64_t thread, int64_t depth, const char *function,
                     int64_t line);
void sample_local(struct sample *sample, int64_t frame, const char *name, const char *type,
                  const char *value);
/* parent 0: none. Returns its id. */
int64_t sample_exception(struct sample *sample, int64_t thread, int64_t parent,
                         const char *relation, const char *type, const char *message);
/* Entries of `exception`, innermost first, all in /srv/x.py. */
void sample_entry(struct sample *sample, int64_t exception, int64_t depth, const char *function,
                  int64_t line);

#endif
