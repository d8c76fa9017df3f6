/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inquest/analyzer/heap_index.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/show_answer.h"
#include "reports/render/escape.h"
#include "reports/render/terminal.h"

static bool is_markdown(const struct show_answer *answer)
{
    return answer->run->format == FORMAT_MARKDOWN;
}

/* Text of the dump, for the form that is written. */
static void append_dump(const struct show_answer *answer, const char *string)
{
    struct text *text = output_text(answer->run->answer);
    if (is_markdown(answer))
        escape_markdown_code(text, string, false);
    else
        escape_terminal(text, string, ESCAPE_ONE_LINE);
}

static void begin_fact(const struct show_answer *answer, const char *title)
{
    struct text *text = output_text(answer->run->answer);
    if (is_markdown(answer))
        text_printf(text, "- %s: ", title);
    else {
        text_append(text, "  ");
        style_printf(text, answer->run->color, STYLE_NAME, "%-10s", title);
    }
}

static void end_fact(const struct show_answer *answer)
{
    text_append_char(output_text(answer->run->answer), '\n');
}

static void append_place(const struct show_answer *answer, const struct show_object *object)
{
    struct text *text = output_text(answer->run->answer);
    append_dump(answer, text_string(&object->type));
    text_printf(text, " at 0x%" PRIx64, object->row.address);
}

static void write_sizes(const struct show_answer *answer)
{
    const struct heap_object_row *row = &answer->object.row;
    struct text *text = output_text(answer->run->answer);
    begin_fact(answer, "size");
    format_bytes(text, row->size < INT64_MAX ? (int64_t)row->size : INT64_MAX);
    end_fact(answer);
    begin_fact(answer, "retained");
    format_bytes(text, row->retained < INT64_MAX ? (int64_t)row->retained : INT64_MAX);
    if (answer->total > 0) {
        text_append(text, ", ");
        format_share(text, (double)row->retained / (double)answer->total);
        text_append(text, " of all objects");
    }
    end_fact(answer);
    begin_fact(answer, "refcount");
    if (row->refcount == UINT32_MAX)
        text_append(text, "immortal");
    else
        format_count(text, (int64_t)row->refcount);
    end_fact(answer);
    begin_fact(answer, "state");
    text_printf(text, "%s, %s by the collector",
                row->flags & HEAP_REACHABLE ? "reachable" : "unreachable",
                row->flags & HEAP_TRACKED ? "tracked" : "not tracked");
    end_fact(answer);
}

static void write_way(const struct show_answer *answer)
{
    const struct show_object *object = &answer->object, *dominator = &answer->dominator;
    struct text *text = output_text(answer->run->answer);
    if (object->path.size) {
        begin_fact(answer, "path");
        append_dump(answer, text_string(&object->path));
        end_fact(answer);
    }
    begin_fact(answer, "dominator");
    if (dominator->row.id) {
        append_place(answer, dominator);
        if (dominator->path.size) {
            text_append(text, ", ");
            append_dump(answer, text_string(&dominator->path));
        }
    } else {
        text_append(text, object->row.flags & HEAP_REACHABLE
                              ? "none: more than one root leads to it, or it is one"
                              : "none");
    }
    end_fact(answer);
    for (size_t i = 0; i < table_row_count(&answer->roots) && i < 5; i++) {
        const struct cell *cells = &answer->roots.cells.items[i * 2];
        begin_fact(answer, i ? "" : "root");
        append_dump(answer, cells[0].kind == CELL_TEXT ? cells[0].text : "?");
        text_append(text, ": ");
        append_dump(answer, cells[1].kind == CELL_TEXT ? cells[1].text : "?");
        end_fact(answer);
    }
}

#define LINE_WIDTH 600 /* of the value: a module's variables would fill a page */

static void write_value(const struct show_answer *answer)
{
    const struct text *value = &answer->object.value;
    struct text cut = {0};
    if (limit_or(answer->run->options, LINE_WIDTH) >= 0)
        append_fitted(&cut, text_string(value), LINE_WIDTH, false);
    else
        text_append(&cut, text_string(value));
    begin_fact(answer, "value");
    append_dump(answer, text_string(&cut));
    end_fact(answer);
    output_text(answer->run->answer)->failed |= cut.failed;
    text_deinit(&cut);
}

static void write_object(const struct show_answer *answer)
{
    struct text *text = output_text(answer->run->answer);
    if (is_markdown(answer))
        text_append(text, "### ");
    else
        style_begin(text, answer->run->color, STYLE_HEADING);
    append_place(answer, &answer->object);
    text_printf(text, " (#%u)", answer->object.row.id);
    style_end(text, answer->run->color && !is_markdown(answer));
    text_append(text, is_markdown(answer) ? "\n\n" : "\n");
    if (answer->object.value.size)
        write_value(answer);
    write_sizes(answer);
    write_way(answer);
}

/* ---- Neighbours: the columns that hold anything, without the id. */

#define VALUE_WIDTH 80

static bool has_cells(const struct table *table, size_t column)
{
    for (size_t row = 0; row < table_row_count(table); row++)
        if (table->cells.items[row * table->column_count + column].kind != CELL_NULL)
            return true;
    return false;
}

static void copy_cell(const struct cell *cell, size_t column, struct table *shown)
{
    struct text cut = {0};
    if (cell->kind == CELL_INTEGER) {
        table_integer(shown, cell->integer);
    } else if (cell->kind == CELL_TEXT && column == NEIGHBOUR_VALUE) {
        append_fitted(&cut, cell->text, VALUE_WIDTH, false);
        table_string(shown, text_string(&cut));
        shown->failed |= cut.failed;
        text_deinit(&cut);
    } else {
        table_string(shown, cell->kind == CELL_TEXT ? cell->text : NULL);
    }
}

/* `without`: a column that tells nothing here. */
static void write_neighbours(const struct show_answer *answer, const struct table *table,
                             size_t without)
{
    struct column columns[NEIGHBOUR_COLUMNS];
    size_t from[NEIGHBOUR_COLUMNS], count = 0;
    struct table shown;
    for (size_t i = 0; i < NEIGHBOUR_OBJECT_ID; i++) {
        if (i == without || !has_cells(table, i))
            continue;
        columns[count] = table->columns[i];
        from[count++] = i;
    }
    table_init(&shown, columns, count);
    for (size_t row = 0; row < table_row_count(table); row++) {
        for (size_t i = 0; i < count; i++)
            copy_cell(&table->cells.items[row * table->column_count + from[i]], from[i], &shown);
    }
    answer_table(answer->run, &shown);
    output_text(answer->run->answer)->failed |= shown.failed;
    table_deinit(&shown);
}

static void write_heading(const struct show_answer *answer, const char *title, uint64_t count,
                          size_t shown, const char *which)
{
    struct text words;
    text_init(&words);
    text_printf(&words, "%s: ", title);
    format_count(&words, (int64_t)count);
    if (shown < count)
        text_printf(&words, ", %s %zu", which, shown);
    answer_heading(answer->run, text_string(&words));
    text_deinit(&words);
}

static void write_fields(const struct show_answer *answer)
{
    size_t shown = table_row_count(&answer->fields);
    if (!answer->field_count)
        return;
    write_heading(answer, "Refers to", answer->field_count, shown, "the largest");
    write_neighbours(answer, &answer->fields, NEIGHBOUR_PATH);
    if (shown < answer->field_count)
        answer_note(answer->run, "--limit 0 shows all");
}

static void write_referrers(const struct show_answer *answer)
{
    size_t shown = table_row_count(&answer->referrers);
    write_heading(answer, "Referred to by", answer->referrer_count, shown, "the first");
    if (!answer->referrer_count)
        return;
    write_neighbours(answer, &answer->referrers, NEIGHBOUR_VALUE);
    if (shown < answer->referrer_count)
        answer_note(answer->run, "--limit 0 shows all");
    if (table_row_count(&answer->referrer_types)) {
        answer_heading(answer->run, "All of these, by type");
        answer_table(answer->run, &answer->referrer_types);
    }
}

static void write_next(const struct show_answer *answer)
{
    const struct command_run *run = answer->run;
    const char *input = strcmp(run->options->operands[0], "-") ? run->options->operands[0] : "CORE";
    char address[32], sql[160];
    bool has_dominator = answer->dominator.row.id,
         keeps_more = answer->object.row.retained > answer->object.row.size;
    if (!has_dominator && !keeps_more)
        return;
    snprintf(address, sizeof address, "0x%" PRIx64, answer->dominator.row.address);
    snprintf(sql, sizeof sql,
             "SELECT * FROM object WHERE dominator_id = %u ORDER BY retained DESC LIMIT 20",
             answer->object.row.id);
    answer_heading(run, "Next");
    if (has_dominator)
        answer_command(run, "what it would go with",
                       (const char *[]){"show", input, address, NULL});
    if (keeps_more)
        answer_command(run, "what would go with it", (const char *[]){"query", input, sql, NULL});
}

void show_render(const struct show_answer *answer)
{
    write_object(answer);
    write_fields(answer);
    write_referrers(answer);
    write_next(answer);
}
