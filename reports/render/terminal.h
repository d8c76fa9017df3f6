/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_TERMINAL_H
#define INQUEST_REPORTS_RENDER_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "inquest/base/text.h"

/* What a piece of an answer is to the reader; the colours are chosen in one place. */
enum style {
    STYLE_HEADING, /* a thread's line */
    STYLE_ALARM,   /* the crash, an exception's type */
    STYLE_NAME,    /* of a local */
    STYLE_FAINT,   /* notes, what was left out */
};

/* Both append nothing where `color` is false. */
void style_begin(struct text *text, bool color, enum style style);
void style_end(struct text *text, bool color);
/* Appends what printf would, unescaped, in the style. */
void style_printf(struct text *text, bool color, enum style style, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* The columns that a line of an answer on standard output may have: COLUMNS, then
 * the terminal's own width, then 100. */
size_t terminal_width(void);

#endif
