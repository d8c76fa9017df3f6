/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_TABLE_H
#define INQUEST_REPORTS_RENDER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/text.h"
#include "reports/render/json.h"

/* Rows and columns, apart from how they are printed. A column's kind says how its
 * numbers are shown to people; CSV and JSON always get the plain number. Numbers
 * stand to the right, text to the left. */
enum column_kind {
    COLUMN_PLAIN,       /* any value as it is: 1234567 */
    COLUMN_COUNT,       /* 1,234,567 */
    COLUMN_BYTES,       /* 1.2 MiB */
    COLUMN_SECONDS,     /* 1.23 s */
    COLUMN_ADDRESS,     /* 0x7f…; a string in JSON and CSV too */
    COLUMN_SHARE,       /* 0.123 is 12.3 % */
    COLUMN_CODE,        /* text of the program: a path, a name, a value */
    COLUMN_SIGNED = 16, /* with one of the above: a change, +1.2 MiB */
};

struct column {
    const char *name;  /* the key in JSON and CSV */
    const char *title; /* over the column; NULL: the name */
    enum column_kind kind;
};

enum cell_kind { CELL_NULL, CELL_INTEGER, CELL_REAL, CELL_TEXT };
struct cell {
    enum cell_kind kind;
    union {
        int64_t integer;
        double real;
        const char *text; /* in the table's arena */
    };
};

struct table {
    const struct column *columns; /* borrowed */
    size_t column_count;
    ARRAY(struct cell) cells; /* row by row */
    struct arena arena;
    bool failed; /* memory ran out: sticky */
};

void table_init(struct table *table, const struct column *columns, size_t column_count);
void table_deinit(struct table *table);

/* The next cell, left to right, then on to the next row. Strings are copied. */
void table_null(struct table *table);
void table_integer(struct table *table, int64_t value);
void table_real(struct table *table, double value);
void table_string(struct table *table, const char *value); /* NULL: null */
/* Puts another string, copied, into a cell that is there; NULL: null. */
void table_set_string(struct table *table, size_t row, size_t column, const char *value);
/* Whole rows only; a started one is not counted. */
size_t table_row_count(const struct table *table);

/* Each appends the whole table. `width` bounds the lines of the text form by
 * cutting the widest text columns with "…"; 0: no bound. */
void table_render_text(const struct table *table, size_t width, struct text *text);
void table_render_csv(const struct table *table, struct text *text);
void table_render_markdown(const struct table *table, struct text *text);
/* An array of objects, as the next value of `json`. */
void table_render_json(const struct table *table, struct json_writer *json);

/* <table class="grid sortable">, in a box that scrolls, for a page: rows while they fit
 * into `limit` bytes. Returns how many. */
size_t table_render_html(const struct table *table, size_t limit, struct text *text);

/* A number as people read it; nothing for text. */
void table_append_number(struct text *text, const struct cell *cell, enum column_kind kind);

/* ---- Numbers and widths, for people. */
void format_count(struct text *text, int64_t value);    /* 1,234,567 */
void format_bytes(struct text *text, int64_t bytes);    /* 0 B, 1,023 B, 1.5 KiB, 1,234.5 TiB */
void format_seconds(struct text *text, double seconds); /* 12 µs, 1.23 s, 2 min 03 s, 3 h 04 min */
void format_share(struct text *text, double part_of_one); /* 12.3 %, <0.1 % */

/* Any of the above, of either sign: "−1.5 KiB", "12.3 %", "1,234 samples". `unit` is what
 * stands behind a plain number; NULL: nothing. */
void format_amount(struct text *text, enum column_kind kind, const char *unit, double value);

/* Columns of a terminal that a code point or a UTF-8 string takes: 0 for combining
 * marks, 2 for wide characters. `string` is escaped already. */
unsigned code_point_width(uint32_t code_point);
size_t display_width(const char *string);
/* Appends `string`, cut with "…" where it is wider than `width`, padded with
 * spaces up to it when `pad`. `string` is escaped already. */
void append_fitted(struct text *text, const char *string, size_t width, bool pad);

#endif
