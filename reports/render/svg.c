/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/svg.h"

#include <stdio.h>
#include <string.h>

#include "reports/render/escape.h"
#include "reports/render/table.h"

void svg_write_attribute(struct text *text, const char *name, double value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.4f", value);
    size_t size = strlen(digits);
    while (digits[size - 1] == '0')
        size--;
    if (digits[size - 1] == '.')
        size--;
    text_printf(text, " %s=\"%.*s\"", name, (int)size, digits);
}

void svg_write_text(struct text *text, const char *string, size_t columns)
{
    struct text escaped, cut;
    text_init(&escaped);
    text_init(&cut);
    escape_terminal(&escaped, string, ESCAPE_ONE_LINE);
    append_fitted(&cut, text_string(&escaped), columns, false);
    escape_markup(text, text_string(&cut), ESCAPE_ONE_LINE);
    text->failed |= escaped.failed || cut.failed;
    text_deinit(&escaped);
    text_deinit(&cut);
}

size_t svg_columns(const char *string, size_t most)
{
    struct text escaped;
    text_init(&escaped);
    escape_terminal(&escaped, string, ESCAPE_ONE_LINE);
    size_t columns = display_width(text_string(&escaped));
    text_deinit(&escaped);
    return columns < most ? columns : most;
}
