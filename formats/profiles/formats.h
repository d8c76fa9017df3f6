/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_FORMATS_H
#define FORMATS_PROFILES_FORMATS_H

#include "inquest/formats/profile.h"

/* The parsers that open.c chooses from. Each fills a profile that was initialised,
 * sets family, format and unit, and leaves what it did in it on failure. Errors
 * name the offset (or the line) and what to do, not the file. */

bool pickle_recognise(const uint8_t *bytes, uint64_t size);
enum status tracemalloc_parse(const struct input_file *input, struct progress *progress,
                              struct profile *profile, struct error *err) MUST_CHECK;

bool pstats_recognise(const uint8_t *bytes, uint64_t size);
enum status pstats_parse(const struct input_file *input, struct progress *progress,
                         struct profile *profile, struct error *err) MUST_CHECK;

#endif
