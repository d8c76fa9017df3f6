/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/profiles/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 400 /* longer decimal numbers are no measurements */

bool number_u64(const char *text, size_t size, uint64_t *ret)
{
    uint64_t value = 0;
    if (!size)
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned char)text[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

bool number_i64(const char *text, size_t size, int64_t *ret)
{
    bool is_negative = size && text[0] == '-';
    uint64_t value;
    if (!number_u64(text + is_negative, size - is_negative, &value) || value > INT64_MAX)
        return false;
    *ret = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* Up to 15 digits divided by a power of ten: both exact, so the result is rounded
 * once. This is what profilers write; the rest goes the long way. */
static bool short_double(const char *text, size_t size, double *ret)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = text[0] == '-', first = i, decimals = 0;
    uint64_t digits = 0;
    bool has_point = false;
    if (size > 17)
        return false;
    for (; i < size; i++) {
        unsigned digit = (unsigned char)text[i] - '0';
        if (digit <= 9) {
            digits = digits * 10 + digit;
            decimals += has_point;
        } else if (text[i] == '.' && !has_point && i > first && i + 1 < size) {
            has_point = true;
        } else {
            return false;
        }
    }
    if (i == first || i - first - has_point > 15)
        return false;
    double value = (double)digits / powers[decimals];
    *ret = first ? -value : value;
    return true;
}

bool number_double(const char *text, size_t size, double *ret)
{
    char copy[NUMBER_BYTES + 1], *end;
    if (!size || size > NUMBER_BYTES)
        return false;
    if (short_double(text, size, ret))
        return true;
    for (size_t i = 0; i < size; i++) /* no "inf", no "nan", no hexadecimal, no blanks */
        if (!text[i] || !strchr("0123456789+-.eE", text[i]))
            return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    double value = strtod(copy, &end);
    if (end != copy + size || !isfinite(value))
        return false;
    *ret = value;
    return true;
}

bool number_id(const char *text, size_t size, int64_t *ret)
{
    if (size < 3 || text[0] != '0' || (text[1] | 0x20) != 'x')
        return number_i64(text, size, ret);
    uint64_t value = 0;
    for (size_t i = 2; i < size; i++) {
        unsigned char c = (unsigned char)text[i], lower = c | 0x20;
        unsigned digit = c >= '0' && c <= '9'           ? c - 48u
                         : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10u
                                                        : 16;
        if (digit > 15 || value >> 59)
            return false;
        value = value << 4 | digit;
    }
    *ret = (int64_t)value;
    return true;
}
