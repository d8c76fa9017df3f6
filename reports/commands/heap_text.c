/* SPDX-License-Identifier: Apache-2.0 */
/* The answer for people: text, and the same as Markdown. */
#include <string.h>

#include "reports/commands/answer.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/sites_text.h"

#define SITES 10 /* lines that allocated most, where tracemalloc was running */

static void copy_cell(struct table *table, const struct cell *cell)
{
    switch (cell->kind) {
    case CELL_INTEGER: table_integer(table, cell->integer); break;
    case CELL_REAL: table_real(table, cell->real); break;
    case CELL_TEXT: table_string(table, cell->text); break;
    case CELL_NULL: table_null(table); break;
    }
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names;
}

/* The table without the columns that only programs want. */
static void write_rows(const struct heap_answer *answer, const struct table *table,
                       const char *const *hidden)
{
    struct column columns[16];
    size_t from[16], count = 0;
    struct table shown;
    for (size_t i = 0; i < table->column_count && count < 16; i++) {
        if (is_among(hidden, table->columns[i].name))
            continue;
        columns[count] = table->columns[i];
        from[count++] = i;
    }
    table_init(&shown, columns, count);
    for (size_t row = 0; row < table_row_count(table); row++)
        for (size_t i = 0; i < count; i++)
            copy_cell(&shown, &table->cells.items[row * table->column_count + from[i]]);
    answer_table(answer->run, &shown);
    output_text(answer->run->answer)->failed |= shown.failed;
    table_deinit(&shown);
}

/* A few of many objects would be lost in a share's last digit. */
static void reachable_words(const struct heap_census *census, struct text *text)
{
    uint64_t unreachable = census->all.count - census->reachable.count;
    if (!unreachable) {
        text_append(text, "all reachable");
    } else if (unreachable < census->all.count / 1000) {
        format_count(text, (int64_t)unreachable);
        text_append(text, " of them unreachable");
    } else {
        format_share(text, (double)census->reachable.count / (double)census->all.count);
        text_append(text, " reachable");
    }
}

static void write_headline(const struct heap_answer *answer)
{
    const struct heap_census *census = &answer->census;
    struct text *text = output_text(answer->run->answer), line;
    text_init(&line);
    format_bytes(&line, census->all.bytes < INT64_MAX ? (int64_t)census->all.bytes : INT64_MAX);
    text_append(&line, " in ");
    format_count(&line, (int64_t)census->all.count);
    text_append(&line, census->all.count == 1 ? " object" : " objects");
    if (census->all.count) {
        text_append(&line, ", ");
        reachable_words(census, &line);
    }
    if (answer->holder.size)
        text_printf(&line, "; largest holder: %s", text_string(&answer->holder));
    answer_line(answer->run, text_string(&line), true);
    text->failed |= line.failed;
    text_deinit(&line);
}

static void write_memory(const struct heap_answer *answer)
{
    struct text words;
    if (!table_row_count(&answer->memory))
        return;
    text_init(&words);
    text_append(&words, "Memory of the process: ");
    format_bytes(&words, answer->mapped);
    text_append(&words, " in all");
    answer_heading(answer->run, text_string(&words));
    write_rows(answer, &answer->memory, (const char *[]){NULL});
    text_deinit(&words);
}

static void write_next(const struct heap_answer *answer)
{
    const struct command_run *run = answer->run;
    const char *input = strcmp(run->options->operands[0], "-") ? run->options->operands[0] : "CORE";
    answer_heading(run, "Next");
    if (answer->holder_path.size)
        answer_command(run, "the largest holder: its fields, who refers to it",
                       (const char *[]){"show", input, text_string(&answer->holder_path), NULL});
    answer_command(run, "all of it as a picture",
                   (const char *[]){"flamegraph", input, "-o", "heap.svg", NULL});
    answer_command(run, "any fact by SQL",
                   (const char *[]){"query", input,
                                    "SELECT * FROM largest ORDER BY retained DESC LIMIT 50", NULL});
}

enum status heap_render(const struct heap_answer *answer, const char *sort_words, struct error *err)
{
    struct text words;
    int64_t hidden = answer->row_count - (int64_t)table_row_count(&answer->rows);
    text_init(&words);
    write_headline(answer);
    text_printf(&words, "%s%s%s", answer->grouping->title, answer->grouping->sql ? ", " : "",
                answer->grouping->sql ? sort_words : "");
    answer_heading(answer->run, text_string(&words));
    /* a type's name begins with its module */
    write_rows(answer, &answer->rows,
               strcmp(answer->grouping->name, "type") == 0
                   ? (const char *[]){"module", "address", NULL}
                   : (const char *[]){NULL});
    if (hidden > 0) {
        text_clear(&words);
        format_count(&words, hidden);
        text_append(&words, " more; --limit 0 shows all");
        answer_note(answer->run, text_string(&words));
    }
    write_memory(answer);
    if (table_row_count(&answer->largest)) {
        answer_heading(answer->run, "Largest holders");
        write_rows(answer, &answer->largest, (const char *[]){"value", "size", "object_id", NULL});
    }
    enum status status = sites_render(answer->run, answer->index, SITES, err);
    write_next(answer);
    text_deinit(&words);
    return status;
}
