/* SPDX-License-Identifier: Apache-2.0 */
/* int objects (Include/cpython/longintrepr.h).
 *
 * OFFSET (layout)   SIZE  MEANING
 * var_size          8     3.11 and earlier: digits, negative for a negative value
 * long_tag          8     3.12 on: digits << 3 | flags; the two lowest bits are the
 *                         sign: 0 positive, 1 zero, 2 negative
 * long_digits       -     the digits, least first: 4 bytes each that hold 30 bits
 *                         (2 bytes and 15 bits in some builds) */
#include "analyzer/objects/int.h"

#include <math.h>
#include <stdlib.h>

static enum status read_sign_and_count(const struct python_process *process, uint64_t addr,
                                       struct int_view *view)
{
    uint64_t word;
    bool has_tag = layout_has(&process->layout, PY_long_tag);
    enum status status = field_u64(process, addr, has_tag ? PY_long_tag : PY_var_size, &word);
    if (status != STATUS_OK)
        return status;
    if (has_tag) {
        view->is_negative = (word & 3) == 2;
        view->count = (word & 3) == 1 ? 0 : word >> 3;
        return (word & 3) == 3 ? STATUS_CORRUPT : STATUS_OK;
    }
    if (word == (uint64_t)INT64_MIN)
        return STATUS_CORRUPT;
    view->is_negative = (int64_t)word < 0;
    view->count = view->is_negative ? -word : word;
    return STATUS_OK;
}

static uint32_t digit_at(const struct int_view *view, uint64_t index)
{
    return view->digit_bits == 15 ? load_u16(view->digits + 2 * index)
                                  : load_u32(view->digits + 4 * index);
}

enum status int_view(const struct python_process *process, uint64_t addr, struct int_view *ret_view)
{
    struct int_view view = {0};
    view.digit_bits = (unsigned)layout_or(&process->layout, PY_long_digit_bits, 30);
    enum status status = read_sign_and_count(process, addr, &view);
    if (status != STATUS_OK)
        return status;
    if (view.count > UINT64_MAX / 64)
        return STATUS_CORRUPT;
    uint64_t digits_addr = addr + layout_get(&process->layout, PY_long_digits);
    view.digits = view_at(process, digits_addr, view.count * (view.digit_bits == 15 ? 2 : 4));
    if (!view.digits)
        return STATUS_NOT_IN_DUMP;
    while (view.count && !digit_at(&view, view.count - 1))
        view.count--;
    *ret_view = view;
    return STATUS_OK;
}

uint64_t int_bit_length(const struct int_view *view)
{
    if (!view->count)
        return 0;
    uint32_t top = digit_at(view, view->count - 1);
    return (view->count - 1) * view->digit_bits + (32 - (unsigned)__builtin_clz(top));
}

uint64_t int_decimal_length(const struct int_view *view)
{
    long double leading = 0;
    uint64_t used = view->count < 4 ? view->count : 4;
    for (uint64_t i = 0; i < used; i++)
        leading = ldexpl(leading, (int)view->digit_bits) +
                  (long double)digit_at(view, view->count - 1 - i);
    if (!used)
        return 1;
    long double rest = (long double)((view->count - used) * view->digit_bits);
    return (uint64_t)floorl(log10l(leading) + rest * log10l(2.0L) + 1e-15L) + 1;
}

/* Horner's scheme in base 10**9: parts = parts << digit_bits | digit. */
static size_t add_digit(uint32_t *parts, size_t used, unsigned digit_bits, uint32_t digit)
{
    uint64_t carry = digit;
    for (size_t i = 0; i < used; i++) {
        uint64_t value = ((uint64_t)parts[i] << digit_bits) + carry;
        parts[i] = (uint32_t)(value % 1000000000);
        carry = value / 1000000000;
    }
    while (carry) {
        parts[used++] = (uint32_t)(carry % 1000000000);
        carry /= 1000000000;
    }
    return used;
}

void int_append_decimal(const struct int_view *view, struct text *text)
{
    uint32_t small[32], *parts = small;
    size_t capacity = (size_t)(int_bit_length(view) / 29 + 3), used = 0;
    if (capacity > sizeof small / sizeof *small && !(parts = malloc(capacity * sizeof *parts))) {
        text->failed = true;
        return;
    }
    for (uint64_t i = view->count; i-- > 0;)
        used = add_digit(parts, used, view->digit_bits, digit_at(view, i));
    text_printf(text, "%s%u", view->is_negative ? "-" : "", used ? parts[used - 1] : 0);
    while (used > 1)
        text_printf(text, "%09u", parts[--used - 1]);
    if (parts != small)
        free(parts);
}

enum status int_read(struct python_process *process, uint64_t addr, int64_t *ret_value)
{
    struct int_view view;
    const struct python_type *type;
    enum status status = object_type(process, addr, &type);
    if (status == STATUS_OK && type->kind != KIND_INT && type->kind != KIND_BOOL)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK)
        status = int_view(process, addr, &view);
    if (status != STATUS_OK)
        return status;
    if (int_bit_length(&view) > 63)
        return STATUS_OVER_LIMIT;
    uint64_t value = 0;
    for (uint64_t i = view.count; i-- > 0;)
        value = value << view.digit_bits | digit_at(&view, i);
    *ret_value = view.is_negative ? -(int64_t)value : (int64_t)value;
    return STATUS_OK;
}
