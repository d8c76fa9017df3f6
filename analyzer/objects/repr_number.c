/* SPDX-License-Identifier: Apache-2.0 */
/* bool, int, float, complex. */
#include <string.h>

#include "analyzer/objects/float.h"
#include "analyzer/objects/redaction.h"
#include "analyzer/objects/repr.h"

/* What Python itself refuses to convert, from 3.11 on. */
#define DIGITS_MAX 4300

bool repr_shows_digits(const struct repr *repr, uint64_t digits)
{
    size_t total = repr->limits.total_size;
    return digits <= DIGITS_MAX && (!total || digits <= total / 2);
}

void repr_bool(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    struct int_view view;
    enum status status = int_view(repr->process, addr, &view);
    if (status == STATUS_OK)
        text_append(repr->text, view.count ? "True" : "False");
    else
        repr_unreadable(repr, type->name, addr, status);
}

/* The sign is part of the value, and as little to be seen as the rest. */
static void redacted_int(struct repr *repr, const struct int_view *view)
{
    struct redaction_piece pieces[] = {
        {&view->is_negative, sizeof view->is_negative},
        {view->digits, view->count * (view->digit_bits == 15 ? 2 : 4)},
    };
    redaction_token_of(repr->process->redaction, "int", int_decimal_length(view), pieces, 2,
                       repr->text);
}

void repr_int(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    struct int_view view;
    enum status status = int_view(repr->process, addr, &view);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (repr_is_redacted(repr)) {
        redacted_int(repr, &view);
    } else if (repr_shows_digits(repr, int_decimal_length(&view))) {
        int_append_decimal(&view, repr->text);
    } else {
        text_printf(repr->text, "<%sint of ", view.is_negative ? "negative " : "");
        text_append_count(repr->text, int_bit_length(&view));
        text_append(repr->text, " bits>");
    }
}

static double load_double(const uint8_t *bytes)
{
    uint64_t word = load_u64(bytes);
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static const uint8_t *doubles_view(struct repr *repr, const struct python_type *type, uint64_t addr,
                                   enum python_field field, size_t count)
{
    const uint8_t *bytes = view_at(repr->process, addr + layout_get(&repr->process->layout, field),
                                   count * sizeof(double));
    if (!bytes)
        repr_unreadable(repr, type->name, addr, STATUS_NOT_IN_DUMP);
    return bytes;
}

void repr_float(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const uint8_t *bytes = doubles_view(repr, type, addr, PY_float_value, 1);
    if (bytes && repr_is_redacted(repr))
        repr_token(repr, "float", REDACTION_NO_LENGTH, bytes, 8);
    else if (bytes)
        double_append(repr->text, load_double(bytes), true, false);
}

void repr_complex(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const uint8_t *bytes = doubles_view(repr, type, addr, PY_complex_value, 2);
    if (!bytes)
        return;
    if (repr_is_redacted(repr)) {
        repr_token(repr, "complex", REDACTION_NO_LENGTH, bytes, 16);
        return;
    }
    /* only a real part of plain zero is left out: -0.0 is shown */
    bool is_imaginary = load_u64(bytes) == 0;
    if (!is_imaginary) {
        text_append_char(repr->text, '(');
        double_append(repr->text, load_double(bytes), false, false);
    }
    double_append(repr->text, load_double(bytes + 8), false, !is_imaginary);
    text_append(repr->text, is_imaginary ? "j" : "j)");
}
