/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_NUMBER_H
#define FORMATS_PROFILES_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of text formats. Each takes the whole of the bytes, which need no
 * NUL, or returns false and leaves *ret alone. */

/* Digits alone, up to UINT64_MAX. */
bool number_u64(const char *text, size_t size, uint64_t *ret);
/* As number_u64, up to INT64_MAX, with an optional '-'. */
bool number_i64(const char *text, size_t size, int64_t *ret);
/* A decimal number, correctly rounded; false for what is not finite. */
bool number_double(const char *text, size_t size, double *ret);
/* A number that is an id: decimal, or 0x and hexadecimal digits. */
bool number_id(const char *text, size_t size, int64_t *ret);

#endif
