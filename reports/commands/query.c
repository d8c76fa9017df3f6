/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "inquest/base/arena.h"
#include "reports/cli/command.h"
#include "reports/commands/answer.h"
#include "reports/render/escape.h"
#include "reports/render/json.h"
#include "reports/render/table.h"
#include "reports/render/terminal.h"

/* One answer in the making. */
struct query_answer {
    struct command_run *run;
    struct index_rows *rows;
    int columns;
    uint64_t limit; /* UINT64_MAX: none */
    struct arena arena;
};

/* ---- CSV and JSON are written row by row, so that any number of rows will do. */

/* Numbers as in JSON: SQLite's own text form has 15 digits only. */
static void csv_real(struct text *text, double value)
{
    struct json_writer json;
    json_init(&json, text);
    json_real(&json, value);
}

static void csv_cell(struct text *text, const struct index_rows *rows, int column)
{
    switch (index_rows_kind(rows, column)) {
    case INDEX_NULL: break;
    case INDEX_BLOB:
    case INDEX_TEXT: escape_csv(text, index_rows_text(rows, column)); break;
    case INDEX_INTEGER: text_append(text, index_rows_text(rows, column)); break;
    case INDEX_REAL: csv_real(text, index_rows_real(rows, column)); break;
    }
}

static void write_csv(struct query_answer *answer)
{
    struct output *output = answer->run->answer;
    struct text *text = output_text(output);
    for (int i = 0; i < answer->columns; i++) {
        text_append(text, i ? "," : "");
        escape_csv(text, index_rows_column_name(answer->rows, i));
    }
    text_append(text, "\r\n");
    /* an output that fails ends the rows; its commit tells why */
    enum status status = STATUS_OK;
    for (uint64_t row = 0; status == STATUS_OK && row < answer->limit; row++) {
        if (!index_rows_next(answer->rows))
            break;
        for (int i = 0; i < answer->columns; i++) {
            text_append(text, i ? "," : "");
            csv_cell(text, answer->rows, i);
        }
        text_append(text, "\r\n");
        status = output_drain(output);
    }
}

static void json_cell(struct json_writer *json, const struct index_rows *rows, int column)
{
    switch (index_rows_kind(rows, column)) {
    case INDEX_NULL: json_null(json); break;
    case INDEX_INTEGER: json_integer(json, index_rows_integer(rows, column)); break;
    case INDEX_REAL: json_real(json, index_rows_real(rows, column)); break;
    case INDEX_BLOB:
    case INDEX_TEXT: json_string(json, index_rows_text(rows, column)); break;
    }
}

static bool name_is_taken(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (!strcmp(names[i], name))
            return true;
    }
    return false;
}

/* An object can't hold two members of one name: the second "name" is "name_2". */
static const char **member_names(struct query_answer *answer)
{
    const char **names = arena_alloc(&answer->arena, (size_t)answer->columns * sizeof *names);
    for (int i = 0; names && i < answer->columns; i++) {
        const char *name = index_rows_column_name(answer->rows, i);
        names[i] = arena_strdup(&answer->arena, name);
        for (int again = 2; names[i] && name_is_taken(names, i, names[i]); again++)
            names[i] = arena_printf(&answer->arena, "%s_%d", name, again);
        if (!names[i])
            return NULL;
    }
    return names;
}

static void write_json_rows(struct query_answer *answer, struct json_writer *json,
                            const char *const *names)
{
    json_key(json, "rows");
    json_begin_array(json);
    enum status status = STATUS_OK;
    for (uint64_t row = 0; status == STATUS_OK && row < answer->limit; row++) {
        if (!index_rows_next(answer->rows))
            break;
        json_begin_object(json);
        for (int i = 0; i < answer->columns; i++) {
            json_key(json, names[i]);
            json_cell(json, answer->rows, i);
        }
        json_end_object(json);
        status = output_drain(answer->run->answer);
    }
    json_end_array(json);
    json_end_object(json);
}

static enum status write_json(struct query_answer *answer, struct index *index, struct error *err)
{
    struct json_writer json;
    const char **names = member_names(answer);
    if (!names)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    json_init(&json, output_text(answer->run->answer));
    enum status status =
        answer_begin_json(&json, "query", answer->run->options->operands[0], index, err);
    if (status != STATUS_OK)
        return status;
    write_json_rows(answer, &json, names);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- Text and Markdown line up their columns, so that they need all rows first. */

static void table_cell(struct table *table, const struct index_rows *rows, int column)
{
    switch (index_rows_kind(rows, column)) {
    case INDEX_NULL: table_null(table); break;
    case INDEX_INTEGER: table_integer(table, index_rows_integer(rows, column)); break;
    case INDEX_REAL: table_real(table, index_rows_real(rows, column)); break;
    case INDEX_BLOB:
    case INDEX_TEXT: table_string(table, index_rows_text(rows, column)); break;
    }
}

static struct column *table_columns(struct query_answer *answer)
{
    struct column *columns = arena_alloc(&answer->arena, (size_t)answer->columns * sizeof *columns);
    for (int i = 0; columns && i < answer->columns; i++) {
        columns[i].name = arena_strdup(&answer->arena, index_rows_column_name(answer->rows, i));
        if (!columns[i].name)
            return NULL;
    }
    return columns;
}

/* Lines are cut to the terminal only where one shows them: a file or a pipe gets
 * the values whole. */
static size_t text_width(const struct command_run *run)
{
    return !run->options->output && isatty(STDOUT_FILENO) ? terminal_width() : 0;
}

static enum status write_table(struct query_answer *answer, struct error *err)
{
    struct table table;
    const struct column *columns = table_columns(answer);
    if (!columns)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    table_init(&table, columns, (size_t)answer->columns);
    for (uint64_t row = 0; !table.failed && row < answer->limit; row++) {
        if (!index_rows_next(answer->rows))
            break;
        for (int i = 0; i < answer->columns; i++)
            table_cell(&table, answer->rows, i);
    }
    struct text *text = output_text(answer->run->answer);
    if (answer->run->format == FORMAT_MARKDOWN)
        table_render_markdown(&table, text);
    else
        table_render_text(&table, text_width(answer->run), text);
    enum status status = STATUS_OK;
    if (table.failed)
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    table_deinit(&table);
    return status;
}

static enum status write_answer(struct query_answer *answer, struct index *index, struct error *err)
{
    switch (answer->run->format) {
    case FORMAT_CSV: write_csv(answer); return STATUS_OK;
    case FORMAT_JSON: return write_json(answer, index, err);
    default: return write_table(answer, err);
    }
}

enum status command_query(struct command_run *run, struct error *err)
{
    struct index *index;
    const struct options *options = run->options;
    struct query_answer answer = {.run = run, .limit = options->limit};
    if (!options->limit)
        answer.limit = UINT64_MAX;
    enum status status = command_open_index(run, 0, &index, err);
    if (status != STATUS_OK)
        return status;
    index_unbound(index);
    status = index_query(index, options->operands[1], NULL, 0, &answer.rows, err);
    if (status == STATUS_USAGE)
        error_prefix(err, "SQL");
    if (status != STATUS_OK)
        return status;
    answer.columns = index_rows_column_count(answer.rows);
    arena_init(&answer.arena);
    status = write_answer(&answer, index, err);
    arena_deinit(&answer.arena);
    struct error end = {0};
    enum status ended = index_rows_finish(answer.rows, &end);
    if (status != STATUS_OK || ended == STATUS_OK)
        return status;
    if (err)
        *err = end;
    return ended;
}
