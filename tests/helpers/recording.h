/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_RECORDING_H
#define TESTS_HELPERS_RECORDING_H

#include "inquest/formats/profile.h"

/* A recording from bytes at hand, for tests. recording_parse gives the status;
 * the profile is to be freed where it is STATUS_OK. */
enum status recording_parse(const void *bytes, size_t size, struct profile *ret_profile,
                            struct error *err);
enum status recording_parse_text(const char *text, struct profile *ret_profile, struct error *err);

/* "name file:line/name file:line track=NAME weight=W count=N" of the sample; static. */
const char *recording_sample(const struct profile *profile, size_t sample);
/* Whether a warning holds the words. */
bool recording_warns(const struct profile *profile, const char *words);
double recording_total(const struct profile *profile);

/* A text that is one part repeated, between a head and a tail; malloc'ed. */
char *recording_repeat(const char *head, const char *part, size_t times, const char *tail);

#endif
