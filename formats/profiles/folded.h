/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_FOLDED_H
#define FORMATS_PROFILES_FOLDED_H

#include "formats/profiles/frame_label.h"

/* A line, in its parts: a stack, blanks, and what it weighs. Borrowed. */
struct folded_line {
    const char *stack, *number;
    size_t stack_size, number_size;
};

/* false: the line has no such parts. Blanks and a '\r' at its end are no part of it. */
bool folded_line_split(const char *line, size_t size, struct folded_line *ret_line);

/* What the first lines tell of all. */
struct folded_kind {
    const char *format, *unit;
    enum label_style style;
    bool is_austin;
    bool is_full;      /* austin: numbers are time,idle,memory */
    bool is_different; /* difffolded.pl: two numbers, before and after */
};

struct folded_kind folded_look(const char *text, size_t size);

/* "# key: value" as austin writes its facts; false for other lines. */
bool folded_fact(const char *line, size_t size, struct folded_line *ret_key_and_value);

#endif
