/* SPDX-License-Identifier: Apache-2.0 */
/* The answer for people: text, and the same as Markdown. */
#include <stdio.h>
#include <string.h>

#include "reports/commands/answer.h"
#include "reports/commands/leaks_answer.h"
#include "reports/render/escape.h"
#include "reports/render/terminal.h"

#define TEXT_PARTS  5
#define TEXT_UNHELD 6

static bool is_markdown(const struct leaks_answer *answer)
{
    return answer->run->format == FORMAT_MARKDOWN;
}

static const char *cell_text(const struct table *table, size_t row, size_t column)
{
    const struct cell *cell = leaks_cell(table, row, column);
    return cell->kind == CELL_TEXT && cell->text ? cell->text : "";
}

static int64_t cell_integer(const struct table *table, size_t row, size_t column)
{
    const struct cell *cell = leaks_cell(table, row, column);
    return cell->kind == CELL_INTEGER ? cell->integer : 0;
}

static double cell_real(const struct table *table, size_t row, size_t column)
{
    const struct cell *cell = leaks_cell(table, row, column);
    return cell->kind == CELL_REAL ? cell->real : (double)cell_integer(table, row, column);
}

static int64_t bounded(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

/* ---- The first line. */

static void write_headline(const struct leaks_answer *answer)
{
    struct text *text = output_text(answer->run->answer), line;
    text_init(&line);
    if (answer->suspect_count) {
        format_count(&line, (int64_t)answer->suspect_count);
        text_append(&line, answer->suspect_count == 1 ? " leak suspect" : " leak suspects");
    } else {
        text_append(&line, "No leak suspects: nothing keeps ");
        format_share(&line, answer->least_share);
        text_append(&line, " of the heap");
    }
    text_append(&line, " (");
    format_bytes(&line, bounded(answer->census.reachable.bytes));
    text_append(&line, " in ");
    format_count(&line, bounded(answer->census.reachable.count));
    text_append(&line, " reachable objects)");
    answer_line(answer->run, text_string(&line), true);
    text->failed |= line.failed;
    text_deinit(&line);
}

/* ---- One suspect. */

static void begin_fact(const struct leaks_answer *answer, const char *title)
{
    struct text *text = output_text(answer->run->answer);
    if (is_markdown(answer)) {
        text_printf(text, *title ? "- %s: " : "  - %s", title);
        return;
    }
    text_append(text, "   ");
    style_printf(text, answer->run->color, STYLE_NAME, "%-12s", title);
}

static void append_dump(const struct leaks_answer *answer, const char *string)
{
    struct text *text = output_text(answer->run->answer);
    if (is_markdown(answer))
        escape_markdown_code(text, string, false);
    else
        escape_terminal(text, string, ESCAPE_ONE_LINE);
}

static void end_fact(const struct leaks_answer *answer)
{
    text_append_char(output_text(answer->run->answer), '\n');
}

static void write_fact(const struct leaks_answer *answer, const char *title, const char *value)
{
    if (!*value)
        return;
    begin_fact(answer, title);
    append_dump(answer, value);
    end_fact(answer);
}

/* "1.1 MiB   48 %  24,000 str", one below the other. */
static void write_amounts(const struct leaks_answer *answer, int64_t rank, const char *kind,
                          const char *title)
{
    const struct table *parts = &answer->parts;
    struct text *text = output_text(answer->run->answer), words;
    unsigned said = 0;
    text_init(&words);
    for (size_t row = 0; row < table_row_count(parts) && said < TEXT_PARTS; row++) {
        if (cell_integer(parts, row, PART_RANK) != rank ||
            strcmp(cell_text(parts, row, PART_KIND), kind) != 0 ||
            (said && cell_real(parts, row, PART_SHARE) < 0.01))
            continue;
        begin_fact(answer, said++ && !is_markdown(answer) ? "" : title);
        text_clear(&words);
        format_bytes(&words, cell_integer(parts, row, PART_BYTES));
        text_printf(text, is_markdown(answer) ? "%s, " : "%10s  ", text_string(&words));
        text_clear(&words);
        format_share(&words, cell_real(parts, row, PART_SHARE));
        text_printf(text, is_markdown(answer) ? "%s, " : "%7s  ", text_string(&words));
        text_clear(&words);
        format_count(&words, cell_integer(parts, row, PART_INSTANCES));
        text_printf(text, is_markdown(answer) ? "%s " : "%10s  ", text_string(&words));
        append_dump(answer, cell_text(parts, row, PART_TITLE));
        end_fact(answer);
    }
    text_deinit(&words);
}

static void write_titles(const struct leaks_answer *answer, int64_t rank, const char *kind,
                         const char *title)
{
    const struct table *parts = &answer->parts;
    unsigned said = 0;
    for (size_t row = 0; row < table_row_count(parts) && said < TEXT_PARTS; row++)
        if (cell_integer(parts, row, PART_RANK) == rank &&
            strcmp(cell_text(parts, row, PART_KIND), kind) == 0)
            write_fact(answer, said++ && !is_markdown(answer) ? "" : title,
                       cell_text(parts, row, PART_TITLE));
}

/* What is between backquotes is code. */
static void write_markdown_sentence(struct text *text, const char *why)
{
    struct text piece;
    text_init(&piece);
    for (bool code = false; *why; code = !code) {
        size_t size = strcspn(why, "`");
        text_clear(&piece);
        text_append_n(&piece, why, size);
        if (code && size)
            escape_markdown_code(text, text_string(&piece), false);
        else
            escape_markdown(text, text_string(&piece));
        why += size + (why[size] == '`');
    }
    text_append(text, "\n\n");
    text->failed |= piece.failed;
    text_deinit(&piece);
}

static void write_sentence(const struct leaks_answer *answer, const char *why)
{
    struct text *text = output_text(answer->run->answer);
    if (is_markdown(answer)) {
        write_markdown_sentence(text, why);
        return;
    }
    text_append(text, "   ");
    escape_terminal(text, why, ESCAPE_ONE_LINE);
    text_append_char(text, '\n');
}

static void write_suspect(const struct leaks_answer *answer, size_t row)
{
    const struct table *rows = &answer->rows;
    struct text *text = output_text(answer->run->answer), title;
    int64_t rank = cell_integer(rows, row, LEAKS_RANK);
    const char *path = cell_text(rows, row, LEAKS_PATH),
               *gathers = cell_text(rows, row, LEAKS_ACCUMULATION_PATH);
    text_init(&title);
    text_printf(&title, "%zu. ", row + 1);
    format_bytes(&title, cell_integer(rows, row, LEAKS_RETAINED));
    text_append(&title, ", ");
    format_share(&title, cell_real(rows, row, LEAKS_SHARE));
    text_append(&title, ": ");
    text_append_char(text, '\n');
    if (is_markdown(answer)) {
        text_printf(text, "### %s", text_string(&title));
        append_dump(answer, cell_text(rows, row, LEAKS_TITLE));
        text_append(text, "\n\n");
    } else {
        style_begin(text, answer->run->color, STYLE_HEADING);
        text_append(text, text_string(&title));
        append_dump(answer, cell_text(rows, row, LEAKS_TITLE));
        style_end(text, answer->run->color);
        text_append_char(text, '\n');
    }
    write_sentence(answer, cell_text(rows, row, LEAKS_WHY));
    write_fact(answer, "held as", cell_text(rows, row, LEAKS_HOLDER));
    if (strcmp(path, cell_text(rows, row, LEAKS_TITLE)) != 0)
        write_fact(answer, "path", path);
    if (strcmp(path, gathers) != 0)
        write_fact(answer, "gathers in", gathers);
    write_titles(answer, rank, "holder", "held by");
    write_amounts(answer, rank, "type", "types");
    write_amounts(answer, rank, "field", "fields");
    write_amounts(answer, rank, "allocated at", "allocated");
    write_titles(answer, rank, "sample", "for example");
    write_fact(answer, "fingerprint", cell_text(rows, row, LEAKS_FINGERPRINT));
    text_deinit(&title);
}

/* ---- What no reference leads to. */

static void write_unheld(const struct leaks_answer *answer, const struct table *table,
                         const char *heading)
{
    struct text words;
    struct table shown;
    size_t rows = table_row_count(table);
    int64_t objects = 0, bytes = 0;
    if (!rows)
        return;
    for (size_t row = 0; row < rows; row++) {
        objects += cell_integer(table, row, 1);
        bytes += cell_integer(table, row, 2);
    }
    text_init(&words);
    text_printf(&words, "%s: ", heading);
    format_count(&words, objects);
    text_append(&words, objects == 1 ? " object, " : " objects, ");
    format_bytes(&words, bytes);
    answer_heading(answer->run, text_string(&words));
    table_init(&shown, table->columns, table->column_count);
    for (size_t row = 0; row < rows && row < TEXT_UNHELD; row++) {
        table_string(&shown, cell_text(table, row, 0));
        for (size_t column = 1; column < 4; column++)
            table_integer(&shown, cell_integer(table, row, column));
        table_real(&shown, cell_real(table, row, 4));
    }
    answer_table(answer->run, &shown);
    output_text(answer->run->answer)->failed |= shown.failed;
    table_deinit(&shown);
    if (rows > TEXT_UNHELD)
        answer_note(answer->run, "more types in --format json");
    text_deinit(&words);
}

static void write_next(const struct leaks_answer *answer)
{
    const struct command_run *run = answer->run;
    const char *input = strcmp(run->options->operands[0], "-") ? run->options->operands[0] : "CORE";
    char address[32];
    answer_heading(run, "Next");
    if (table_row_count(&answer->rows) &&
        leaks_cell(&answer->rows, 0, LEAKS_ADDRESS)->kind == CELL_INTEGER) {
        snprintf(address, sizeof address, "0x%llx",
                 (unsigned long long)cell_integer(&answer->rows, 0, LEAKS_ADDRESS));
        answer_command(run, "the first suspect: its fields, who refers to it",
                       (const char *[]){"show", input, address, NULL});
    }
    answer_command(run, "all of it as a picture",
                   (const char *[]){"flamegraph", input, "-o", "heap.svg", NULL});
}

void leaks_render(const struct leaks_answer *answer)
{
    size_t shown = table_row_count(&answer->rows);
    write_headline(answer);
    for (size_t row = 0; row < shown; row++)
        write_suspect(answer, row);
    if (shown < answer->suspect_count)
        answer_note(answer->run, "there are more: --limit 0 shows all");
    if (answer->candidate_count > answer->suspect_count)
        answer_note(answer->run, "--threshold 2 shows smaller ones");
    if (!answer->suspect_count) {
        answer_heading(answer->run, "What the heap is made of, by type");
        answer_table(answer->run, &answer->types);
        answer_heading(answer->run, "By the module that defines the type");
        answer_table(answer->run, &answer->modules);
    }
    write_unheld(answer, &answer->extension, "Held by C code alone");
    write_unheld(answer, &answer->garbage, "Nothing leads to them, not yet collected");
    write_next(answer);
}
