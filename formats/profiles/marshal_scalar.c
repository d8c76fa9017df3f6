/* SPDX-License-Identifier: Apache-2.0 */
/* Marshalled objects that have no parts. Little endian throughout.
 *
 *   TYPE     AFTER IT                    MEANING
 *   i I      i32; i64                    int
 *   l        i32 n, |n| x u16            int: 15 bits each, lowest first; n < 0: negative
 *   f g      u8 n, n x char; f64         float
 *   x y      two such floats             complex
 *   s        u32 n, n bytes              bytes
 *   u t      u32 n, n bytes              str in UTF-8, with surrogates as three bytes; t: interned
 *   a A      u32 n, n bytes              str in ASCII; A: interned
 *   z Z      u8 n, n bytes               the same, short
 *   r        u32                         the object of that number among those flagged 0x80
 *   N T F S . -                          None, True, False, StopIteration, Ellipsis: never flagged
 *   0        -                           no object: the end of a dict
 *
 * Source: CPython, Python/marshal.c (3.8 to 3.15). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/profiles/marshal.h"
#include "inquest/base/bytes_reader.h"

static inline enum status take(struct marshal *marshal, uint64_t size, const uint8_t **ret_bytes)
{
    if (size > marshal->size - marshal->position)
        return marshal_fail(marshal, STATUS_CORRUPT,
                            "the object takes %llu bytes and %zu are left: the file is cut short "
                            "or damaged; write the profile again",
                            (unsigned long long)size, marshal->size - marshal->position);
    *ret_bytes = marshal->data + marshal->position;
    marshal->position += (size_t)size;
    return STATUS_OK;
}

enum status marshal_read_i32(struct marshal *marshal, int32_t *ret_number)
{
    const uint8_t *bytes = NULL;
    enum status status = take(marshal, 4, &bytes);
    if (status == STATUS_OK)
        *ret_number = (int32_t)load_u32(bytes);
    return status;
}

static double load_double(const uint8_t *bytes)
{
    uint64_t bits = load_u64(bytes);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The size of a string or of bytes: one byte of it in the short forms. */
static enum status take_counted(struct marshal *marshal, bool is_short, const uint8_t **ret_bytes,
                                uint64_t *ret_size)
{
    const uint8_t *count = NULL;
    enum status status = take(marshal, is_short ? 1 : 4, &count);
    if (status != STATUS_OK)
        return status;
    *ret_size = is_short ? *count : load_u32(count);
    return take(marshal, *ret_size, ret_bytes);
}

static enum status read_string(struct marshal *marshal, bool is_short,
                               struct marshal_value *ret_value)
{
    const uint8_t *bytes = NULL;
    uint64_t size = 0;
    enum status status = take_counted(marshal, is_short, &bytes, &size);
    if (status != STATUS_OK)
        return status;
    uint32_t id = 0;
    status = profile_add_string(marshal->profile, (const char *)bytes, (size_t)size, &id);
    if (status != STATUS_OK)
        return marshal_fail(marshal, status, "%s", status_name(status));
    *ret_value = (struct marshal_value){.kind = MARSHAL_STRING, .id = id};
    return STATUS_OK;
}

static enum status read_decimal(struct marshal *marshal, struct marshal_value *ret_value)
{
    const uint8_t *bytes = NULL;
    uint64_t size = 0;
    enum status status = take_counted(marshal, true, &bytes, &size);
    if (status != STATUS_OK)
        return status;
    char text[256], *end;
    memcpy(text, bytes, (size_t)size);
    text[size] = '\0';
    double number = strtod(text, &end);
    if (!size || *end)
        return marshal_fail(marshal, STATUS_CORRUPT, "a float of no digits: the file is damaged");
    *ret_value = (struct marshal_value){.kind = MARSHAL_FLOAT, .number = number};
    return STATUS_OK;
}

/* Exact to 64 bits; past them what a float holds. */
static enum status read_long(struct marshal *marshal, struct marshal_value *ret_value)
{
    int32_t digits = 0;
    const uint8_t *bytes = NULL;
    enum status status = marshal_read_i32(marshal, &digits);
    uint64_t count = digits < 0 ? -(uint64_t)digits : (uint64_t)digits;
    if (status == STATUS_OK)
        status = take(marshal, count * 2, &bytes);
    if (status != STATUS_OK)
        return status;
    uint64_t whole = 0;
    double number = 0;
    bool fits = true;
    for (uint64_t i = count; i-- > 0;) {
        unsigned digit = load_u16(bytes + 2 * i);
        if (digit > 0x7FFF)
            return marshal_fail(marshal, STATUS_CORRUPT,
                                "an int with a digit of more than 15 bits: the file is damaged");
        fits = fits && whole <= (uint64_t)INT64_MAX >> 15;
        whole = whole << 15 | digit;
        number = number * 32768 + digit;
    }
    if (fits)
        *ret_value = (struct marshal_value){.kind = MARSHAL_INT,
                                            .whole = digits < 0 ? -(int64_t)whole : (int64_t)whole};
    else
        *ret_value =
            (struct marshal_value){.kind = MARSHAL_FLOAT, .number = digits < 0 ? -number : number};
    return STATUS_OK;
}

static enum status read_reference(struct marshal *marshal, struct marshal_value *ret_value)
{
    int32_t number = 0;
    enum status status = marshal_read_i32(marshal, &number);
    if (status != STATUS_OK)
        return status;
    if (number < 0 || (uint32_t)number >= marshal->references.count)
        return marshal_fail(marshal, STATUS_CORRUPT,
                            "a reference to object %d of %zu: the file is damaged", number,
                            marshal->references.count);
    struct marshal_value value = marshal_referred(marshal, (uint32_t)number);
    if (value.kind == MARSHAL_NULL)
        return marshal_fail(marshal, STATUS_CORRUPT,
                            "a reference to object %d from within it: the file is damaged", number);
    *ret_value = value;
    return STATUS_OK;
}

static enum status read_number(struct marshal *marshal, uint8_t type,
                               struct marshal_value *ret_value)
{
    const uint8_t *bytes = NULL;
    enum status status = take(marshal, type == 'i' ? 4 : 8, &bytes);
    if (status != STATUS_OK)
        return status;
    if (type == 'g')
        *ret_value = (struct marshal_value){.kind = MARSHAL_FLOAT, .number = load_double(bytes)};
    else if (type == 'I')
        *ret_value = (struct marshal_value){.kind = MARSHAL_INT, .whole = (int64_t)load_u64(bytes)};
    else
        *ret_value = (struct marshal_value){.kind = MARSHAL_INT, .whole = (int32_t)load_u32(bytes)};
    return STATUS_OK;
}

enum status marshal_read_scalar(struct marshal *marshal, uint8_t type,
                                struct marshal_value *ret_value, bool *ret_known)
{
    const uint8_t *bytes = NULL;
    uint64_t size = 0;
    enum status status;
    *ret_known = true;
    *ret_value = (struct marshal_value){.kind = MARSHAL_OTHER};
    switch (type) {
    case 'i':
    case 'I':
    case 'g': return read_number(marshal, type, ret_value);
    case 'r': return read_reference(marshal, ret_value);
    case 'z':
    case 'Z': return read_string(marshal, true, ret_value);
    case 'u':
    case 't':
    case 'a':
    case 'A': return read_string(marshal, false, ret_value);
    case 'l': return read_long(marshal, ret_value);
    case 'f': return read_decimal(marshal, ret_value);
    case 's': return take_counted(marshal, false, &bytes, &size);
    case 'y': return take(marshal, 16, &bytes);
    case 'x':
        status = read_decimal(marshal, ret_value);
        if (status == STATUS_OK)
            status = read_decimal(marshal, ret_value);
        ret_value->kind = MARSHAL_OTHER;
        return status;
    case '0': ret_value->kind = MARSHAL_NULL; return STATUS_OK;
    case 'N':
    case 'T':
    case 'F':
    case 'S':
    case '.': return STATUS_OK;
    default: *ret_known = false; return STATUS_OK;
    }
}
