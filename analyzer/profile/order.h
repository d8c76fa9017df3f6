/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_ORDER_H
#define INQUEST_ANALYZER_PROFILE_ORDER_H

#include "inquest/formats/profile.h"

/* Places in an order, from 0, so that names are compared once and numbers after
 * that. Equal things have equal places. Each array is malloc'ed, the caller's. */

/* Strings by their bytes, which is how Python orders them too. */
enum status order_strings(const struct profile *profile, uint32_t **ret_places) MUST_CHECK;
/* Functions by name, file and line. */
enum status order_functions(const struct profile *profile, const uint32_t *string_places,
                            uint32_t **ret_places) MUST_CHECK;
/* Functions by file, line and name, as tuples of pstats compare. */
enum status order_functions_by_file(const struct profile *profile, const uint32_t *string_places,
                                    uint32_t **ret_places) MUST_CHECK;
/* Frames by their function's place and line. */
enum status order_frames(const struct profile *profile, const uint32_t *function_places,
                         uint32_t **ret_places) MUST_CHECK;
/* Frames by file and line alone, as tracemalloc compares them. */
enum status order_places_in_files(const struct profile *profile, const uint32_t *string_places,
                                  uint32_t **ret_places) MUST_CHECK;

#endif
