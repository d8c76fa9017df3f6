/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.Decimal as C keeps it (Modules/_decimal/libmpdec/mpdecimal.h).
 *
 * OFFSET (layout)     SIZE  MEANING
 * decimal_flags       1     negative, infinite, not a number (quiet, signalling)
 * decimal_exponent    8     the value is digits * 10**exponent
 * decimal_digits      8     digits of the coefficient
 * decimal_len         8     words of the coefficient
 * decimal_words       8     pointer to them, least first, 19 decimal digits each */
#include <stdlib.h>
#include <string.h>

#include "analyzer/objects/redaction.h"
#include "analyzer/objects/repr.h"

#define WORD_DIGITS 19

struct decimal {
    uint8_t flags;
    int64_t exponent;
    uint64_t digits, len;
    const uint8_t *words;
    char *text; /* the coefficient */
    size_t size;
};

static enum status decimal_read(struct repr *repr, uint64_t addr, struct decimal *decimal)
{
    uint64_t exponent, words_addr;
    enum status status = field_u8(repr->process, addr, PY_decimal_flags, &decimal->flags);
    if (status == STATUS_OK)
        status = field_u64(repr->process, addr, PY_decimal_exponent, &exponent);
    if (status == STATUS_OK)
        status = field_u64(repr->process, addr, PY_decimal_digits, &decimal->digits);
    if (status == STATUS_OK)
        status = field_u64(repr->process, addr, PY_decimal_len, &decimal->len);
    if (status == STATUS_OK)
        status = field_u64(repr->process, addr, PY_decimal_words, &words_addr);
    if (status != STATUS_OK)
        return status;
    decimal->exponent = (int64_t)exponent;
    if (decimal->len > UINT64_MAX / 32 || decimal->digits > decimal->len * WORD_DIGITS ||
        decimal->exponent > INT64_MAX / 2 || decimal->exponent < INT64_MIN / 2)
        return STATUS_CORRUPT;
    decimal->words = view_at(repr->process, words_addr, 8 * decimal->len);
    return decimal->words ? STATUS_OK : STATUS_NOT_IN_DUMP;
}

static bool has_flag(const struct repr *repr, const struct decimal *decimal,
                     enum python_field field)
{
    return decimal->flags & layout_or(&repr->process->layout, field, 0);
}

/* The coefficient in decimal, without leading zeros. False: out of memory. */
static bool write_coefficient(struct decimal *decimal)
{
    size_t capacity = decimal->len * WORD_DIGITS + 2, used = 0;
    char *text = malloc(capacity);
    if (!text)
        return false;
    for (uint64_t i = decimal->len; i-- > 0 && capacity - used > WORD_DIGITS;)
        used += (size_t)snprintf(text + used, capacity - used, "%0*" PRIu64, WORD_DIGITS,
                                 load_u64(decimal->words + 8 * i) % UINT64_C(10000000000000000000));
    size_t zeros = 0;
    while (zeros + 1 < used && text[zeros] == '0')
        zeros++;
    memmove(text, text + zeros, used - zeros);
    decimal->text = text;
    decimal->size = used - zeros;
    return true;
}

static void append_zeros(struct text *text, uint64_t count)
{
    while (count-- > 0 && !text->cut)
        text_append_char(text, '0');
}

/* The specification's to-scientific-string: plain while the exponent is not
 * positive and the point is at most six zeros ahead of the digits. */
static void append_number(struct text *text, const struct decimal *decimal)
{
    int64_t size = (int64_t)decimal->size, left = decimal->exponent + size;
    int64_t point = decimal->exponent <= 0 && left > -6 ? left : 1;
    if (point <= 0) {
        text_append(text, "0.");
        append_zeros(text, (uint64_t)-point);
        text_append_n(text, decimal->text, decimal->size);
    } else if (point >= size) {
        text_append_n(text, decimal->text, decimal->size);
        append_zeros(text, (uint64_t)(point - size));
    } else {
        text_append_n(text, decimal->text, (size_t)point);
        text_append_char(text, '.');
        text_append_n(text, decimal->text + point, (size_t)(size - point));
    }
    if (left != point)
        text_printf(text, "E%+" PRId64, left - point);
}

static void append_decimal(struct repr *repr, const struct decimal *decimal)
{
    if (has_flag(repr, decimal, PY_constant_decimal_negative))
        text_append_char(repr->text, '-');
    if (has_flag(repr, decimal, PY_constant_decimal_infinite)) {
        text_append(repr->text, "Infinity");
        return;
    }
    bool is_signalling = has_flag(repr, decimal, PY_constant_decimal_snan);
    if (!is_signalling && !has_flag(repr, decimal, PY_constant_decimal_nan)) {
        append_number(repr->text, decimal);
        return;
    }
    text_append(repr->text, is_signalling ? "sNaN" : "NaN");
    if (decimal->digits)
        text_append_n(repr->text, decimal->text, decimal->size);
}

static void redacted_decimal(struct repr *repr, const struct python_type *type,
                             const struct decimal *decimal)
{
    uint8_t sign = decimal->flags & 0x0F;
    struct redaction_piece pieces[] = {
        {&sign, sizeof sign},
        {&decimal->exponent, sizeof decimal->exponent},
        {decimal->words, 8 * decimal->len},
    };
    redaction_token_of(repr->process->redaction, type->name, decimal->digits, pieces, 3,
                       repr->text);
}

void repr_decimal(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    struct decimal decimal = {0};
    if (!layout_has(&repr->process->layout, PY_decimal_words)) {
        repr_object(repr, type, addr);
        return;
    }
    enum status status = decimal_read(repr, addr, &decimal);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (repr_is_redacted(repr)) {
        redacted_decimal(repr, type, &decimal);
    } else if (!repr_shows_digits(repr, decimal.len * WORD_DIGITS)) {
        text_printf(repr->text, "<%s of ", type->name);
        text_append_count(repr->text, decimal.digits);
        text_append(repr->text, " digits>");
    } else if (!write_coefficient(&decimal)) {
        repr->text->failed = true;
    } else {
        text_printf(repr->text, "Decimal('");
        append_decimal(repr, &decimal);
        text_append(repr->text, "')");
        free(decimal.text);
    }
}
