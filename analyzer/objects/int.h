/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_INT_H
#define INQUEST_ANALYZER_OBJECTS_INT_H

#include "analyzer/objects/fields.h"

/* An int's digits, least first, of `digit_bits` bits (2 bytes each for 15 bits,
 * 4 for 30), at hand. */
struct int_view {
    const uint8_t *digits;
    uint64_t count; /* 0 for zero */
    unsigned digit_bits;
    bool is_negative;
};
enum status int_view(const struct python_process *process, uint64_t addr,
                     struct int_view *ret_view) MUST_CHECK;
/* Bits of the absolute value; 0 for zero. */
uint64_t int_bit_length(const struct int_view *view);
/* Decimal digits of the absolute value, from its bits: exact but for a value
 * within 1e-9 of a power of ten, which may count as having one more or less. */
uint64_t int_decimal_length(const struct int_view *view);
/* Appends the decimal form. Only for values of at most a few thousand digits:
 * the time grows with the square. */
void int_append_decimal(const struct int_view *view, struct text *text);

#endif
