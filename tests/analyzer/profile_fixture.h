/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ANALYZER_PROFILE_FIXTURE_H
#define TESTS_ANALYZER_PROFILE_FIXTURE_H

#include "inquest/formats/profile.h"

/* Recordings made by hand. All assert that memory does not run out. */

struct profile fixture_profile(enum profile_family family, const char *unit);
uint32_t fixture_string(struct profile *profile, const char *text);
/* A frame of the function `name` in `file`. */
uint32_t fixture_frame(struct profile *profile, const char *name, const char *file, int32_t line);
/* A stack from "main:1;work:7;…", outermost first: names with their lines, all in `file`;
 * for tracemalloc (file NULL) "a.py:3;b.py:9" are files. */
uint32_t fixture_stack(struct profile *profile, const char *file, const char *words);
uint32_t fixture_track(struct profile *profile, const char *name, int64_t pid, int64_t tid);
/* `count` samples of a stack, `words` as above. */
void fixture_sample(struct profile *profile, const char *file, const char *words, uint32_t track,
                    double weight, uint64_t count);

/* One row of pstats: the function "name", and the edge from another to it. */
uint32_t fixture_stat(struct profile *profile, const char *file, int32_t line, const char *name,
                      int64_t calls, int64_t primitive, double self, double total);
void fixture_call(struct profile *profile, const char *file, int32_t line, const char *caller,
                  int64_t calls, int64_t primitive, double self, double total);

#endif
