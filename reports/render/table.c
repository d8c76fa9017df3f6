/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reports/render/escape.h"

#define MIN_CUT_WIDTH 8 /* a text column is not cut below this */

void table_init(struct table *table, const struct column *columns, size_t column_count)
{
    *table = (struct table){.columns = columns, .column_count = column_count};
    arena_init(&table->arena);
}

void table_deinit(struct table *table)
{
    if (!table)
        return;
    array_deinit(&table->cells);
    arena_deinit(&table->arena);
}

static void push(struct table *table, struct cell cell)
{
    if (!table->failed && !array_push(&table->cells, cell))
        table->failed = true;
}

void table_null(struct table *table)
{
    push(table, (struct cell){.kind = CELL_NULL});
}

void table_integer(struct table *table, int64_t value)
{
    push(table, (struct cell){.kind = CELL_INTEGER, .integer = value});
}

void table_real(struct table *table, double value)
{
    push(table, (struct cell){.kind = CELL_REAL, .real = value});
}

static struct cell string_cell(struct table *table, const char *value)
{
    const char *copy = value ? arena_strdup(&table->arena, value) : NULL;
    if (value && !copy)
        table->failed = true;
    return (struct cell){.kind = copy ? CELL_TEXT : CELL_NULL, .text = copy};
}

void table_string(struct table *table, const char *value)
{
    push(table, string_cell(table, value));
}

void table_set_string(struct table *table, size_t row, size_t column, const char *value)
{
    table->cells.items[row * table->column_count + column] = string_cell(table, value);
}

size_t table_row_count(const struct table *table)
{
    return table->column_count ? table->cells.count / table->column_count : 0;
}

static const struct cell *cell_at(const struct table *table, size_t row, size_t column)
{
    return &table->cells.items[row * table->column_count + column];
}

static const char *column_title(const struct column *column)
{
    return column->title ? column->title : column->name;
}

/* A number without decoration, as CSV and JSON want it. */
static void append_plain_number(struct text *text, const struct cell *cell)
{
    if (cell->kind == CELL_INTEGER) {
        text_printf(text, "%" PRId64, cell->integer);
        return;
    }
    struct json_writer json;
    json_init(&json, text);
    json_real(&json, cell->real);
}

void table_append_number(struct text *text, const struct cell *cell, enum column_kind kind)
{
    double real = cell->kind == CELL_REAL ? cell->real : (double)cell->integer;
    if (kind & COLUMN_SIGNED) {
        text_append(text, real > 0 ? "+" : "");
        kind &= ~(unsigned)COLUMN_SIGNED;
    }
    if (kind == COLUMN_SECONDS)
        format_seconds(text, real);
    else if (kind == COLUMN_SHARE)
        format_share(text, real);
    else if (kind == COLUMN_BYTES && cell->kind == CELL_INTEGER)
        format_bytes(text, cell->integer);
    else if (kind == COLUMN_COUNT && cell->kind == CELL_INTEGER)
        format_count(text, cell->integer);
    else if (kind == COLUMN_ADDRESS && cell->kind == CELL_INTEGER)
        text_printf(text, "0x%" PRIx64, (uint64_t)cell->integer);
    else
        append_plain_number(text, cell);
}

/* ---- Text. */

static void append_cell(struct text *text, const struct cell *cell, enum column_kind kind)
{
    if (cell->kind == CELL_TEXT)
        escape_terminal(text, cell->text, ESCAPE_ONE_LINE);
    else if (cell->kind != CELL_NULL)
        table_append_number(text, cell, kind);
}

/* A column stands to the right where it holds numbers and no text. */
static bool is_numeric(const struct table *table, size_t column)
{
    bool numbers = false;
    for (size_t row = 0; row < table_row_count(table); row++) {
        const struct cell *cell = cell_at(table, row, column);
        if (cell->kind == CELL_TEXT)
            return false;
        numbers |= cell->kind != CELL_NULL;
    }
    return numbers;
}

struct shape {
    size_t width;
    bool numeric;
};

/* Takes from the widest text column until the line fits, or all are at the minimum. */
static void cut_to_width(struct shape *shapes, size_t count, size_t width)
{
    for (;;) {
        size_t total = (count - 1) * 2, widest = count, second = MIN_CUT_WIDTH;
        for (size_t i = 0; i < count; i++) {
            total += shapes[i].width;
            if (shapes[i].numeric || shapes[i].width <= MIN_CUT_WIDTH)
                continue;
            if (widest == count || shapes[i].width > shapes[widest].width) {
                if (widest != count)
                    second = shapes[widest].width;
                widest = i;
            } else if (shapes[i].width > second) {
                second = shapes[i].width;
            }
        }
        if (total <= width || widest == count)
            return;
        size_t excess = total - width;
        size_t step = shapes[widest].width - second;
        if (!step)
            step = 1;
        shapes[widest].width -= excess < step ? excess : step;
    }
}

static void measure(const struct table *table, struct shape *shapes, struct text *scratch)
{
    for (size_t column = 0; column < table->column_count; column++) {
        shapes[column].numeric = is_numeric(table, column);
        text_clear(scratch);
        escape_terminal(scratch, column_title(&table->columns[column]), ESCAPE_ONE_LINE);
        shapes[column].width = display_width(text_string(scratch));
        for (size_t row = 0; row < table_row_count(table); row++) {
            text_clear(scratch);
            append_cell(scratch, cell_at(table, row, column), table->columns[column].kind);
            size_t width = display_width(text_string(scratch));
            if (width > shapes[column].width)
                shapes[column].width = width;
        }
    }
}

/* One cell of a line; the last text column is not padded. */
static void append_aligned(struct text *text, const char *string, const struct shape *shape,
                           bool last)
{
    if (shape->numeric)
        for (size_t used = display_width(string); used < shape->width; used++)
            text_append_char(text, ' ');
    append_fitted(text, string, shape->width, !last && !shape->numeric);
    if (!last)
        text_append(text, "  ");
}

static void trim_line(struct text *text)
{
    while (text->size && text->data[text->size - 1] == ' ')
        text->data[--text->size] = '\0';
    text_append_char(text, '\n');
}

void table_render_text(const struct table *table, size_t width, struct text *text)
{
    struct text scratch;
    struct shape *shapes = calloc(table->column_count ? table->column_count : 1, sizeof *shapes);
    if (!shapes || table->failed) {
        text->failed = true;
        free(shapes);
        return;
    }
    text_init(&scratch);
    measure(table, shapes, &scratch);
    if (width && table->column_count)
        cut_to_width(shapes, table->column_count, width);
    for (size_t line = 0; table->column_count && line <= table_row_count(table); line++) {
        for (size_t column = 0; column < table->column_count; column++) {
            text_clear(&scratch);
            if (line)
                append_cell(&scratch, cell_at(table, line - 1, column),
                            table->columns[column].kind);
            else
                escape_terminal(&scratch, column_title(&table->columns[column]), ESCAPE_ONE_LINE);
            append_aligned(text, text_string(&scratch), &shapes[column],
                           column + 1 == table->column_count);
        }
        trim_line(text);
    }
    text->failed |= scratch.failed;
    text_deinit(&scratch);
    free(shapes);
}

/* ---- CSV, Markdown, JSON. */

void table_render_csv(const struct table *table, struct text *text)
{
    text->failed |= table->failed;
    for (size_t column = 0; column < table->column_count; column++) {
        text_append(text, column ? "," : "");
        escape_csv(text, table->columns[column].name);
    }
    text_append(text, "\r\n");
    for (size_t row = 0; row < table_row_count(table); row++) {
        for (size_t column = 0; column < table->column_count; column++) {
            const struct cell *cell = cell_at(table, row, column);
            text_append(text, column ? "," : "");
            if (cell->kind == CELL_TEXT)
                escape_csv(text, cell->text);
            else if (cell->kind == CELL_INTEGER && table->columns[column].kind == COLUMN_ADDRESS)
                table_append_number(text, cell, COLUMN_ADDRESS);
            else if (cell->kind != CELL_NULL)
                append_plain_number(text, cell);
        }
        text_append(text, "\r\n");
    }
}

void table_render_markdown(const struct table *table, struct text *text)
{
    text->failed |= table->failed;
    for (size_t column = 0; column < table->column_count; column++) {
        text_append(text, "| ");
        escape_markdown(text, column_title(&table->columns[column]));
        text_append(text, " ");
    }
    text_append(text, "|\n");
    for (size_t column = 0; column < table->column_count; column++)
        text_append(text, is_numeric(table, column) ? "| ---: " : "| --- ");
    text_append(text, "|\n");
    for (size_t row = 0; row < table_row_count(table); row++) {
        for (size_t column = 0; column < table->column_count; column++) {
            const struct cell *cell = cell_at(table, row, column);
            text_append(text, "| ");
            if (cell->kind == CELL_TEXT)
                escape_markdown_code(text, cell->text, true);
            else if (cell->kind != CELL_NULL)
                table_append_number(text, cell, table->columns[column].kind);
            text_append(text, " ");
        }
        text_append(text, "|\n");
    }
}

static void json_cell(struct json_writer *json, const struct cell *cell, enum column_kind kind)
{
    if (cell->kind == CELL_TEXT)
        json_string(json, cell->text);
    else if (cell->kind == CELL_REAL)
        json_real(json, cell->real);
    else if (cell->kind == CELL_NULL)
        json_null(json);
    else if (kind == COLUMN_ADDRESS)
        json_address(json, (uint64_t)cell->integer);
    else
        json_integer(json, cell->integer);
}

void table_render_json(const struct table *table, struct json_writer *json)
{
    json->failed |= table->failed;
    json_begin_array(json);
    for (size_t row = 0; row < table_row_count(table); row++) {
        json_begin_object(json);
        for (size_t column = 0; column < table->column_count; column++) {
            json_key(json, table->columns[column].name);
            json_cell(json, cell_at(table, row, column), table->columns[column].kind);
        }
        json_end_object(json);
    }
    json_end_array(json);
}
