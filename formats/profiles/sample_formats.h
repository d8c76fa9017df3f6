/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_SAMPLE_FORMATS_H
#define FORMATS_PROFILES_SAMPLE_FORMATS_H

#include "inquest/formats/profile.h"

/* The parsers of sampled stacks, as formats.h has the others. */

/* Flame graph pictures: flame_svg.c */
bool flame_svg_recognise(const uint8_t *bytes, uint64_t size);
enum status flame_svg_parse(const struct input_file *input, struct progress *progress,
                            struct profile *profile, struct error *err) MUST_CHECK;

/* JSON, told by its first keys */
bool speedscope_recognise(const uint8_t *bytes, uint64_t size);
enum status speedscope_parse(const struct input_file *input, struct progress *progress,
                             struct profile *profile, struct error *err) MUST_CHECK;
bool chrometrace_recognise(const uint8_t *bytes, uint64_t size);
enum status chrometrace_parse(const struct input_file *input, struct progress *progress,
                              struct profile *profile, struct error *err) MUST_CHECK;
bool pyspy_json_recognise(const uint8_t *bytes, uint64_t size);
enum status pyspy_json_parse(const struct input_file *input, struct progress *progress,
                             struct profile *profile, struct error *err) MUST_CHECK;

/* py-spy dump as text */
bool pyspy_text_recognise(const uint8_t *bytes, uint64_t size);
enum status pyspy_text_parse(const struct input_file *input, struct progress *progress,
                             struct profile *profile, struct error *err) MUST_CHECK;

/* Lines of stacks; the least strict, so the last */
bool folded_recognise(const uint8_t *bytes, uint64_t size);
enum status folded_parse(const struct input_file *input, struct progress *progress,
                         struct profile *profile, struct error *err) MUST_CHECK;

#endif
