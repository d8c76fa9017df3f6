/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "reports/cli/command.h"
#include "reports/commands/answer.h"
#include "reports/commands/facts.h"
#include "reports/render/escape.h"
#include "reports/render/json.h"
#include "reports/render/table.h"
#include "reports/render/terminal.h"

/* One answer in the making. */
struct info {
    struct command_run *run;
    struct index *index;
    struct facts facts;
    struct table files;
};

/* ---- Mapped files: in JSON always, elsewhere where they are asked for. */

static const struct column file_columns[] = {
    {"path", "File", COLUMN_PLAIN},      {"start", "From", COLUMN_ADDRESS},
    {"end", "To", COLUMN_ADDRESS},       {"build_id", "Build id", COLUMN_PLAIN},
    {"source", "At hand", COLUMN_PLAIN},
};
#define FILE_COLUMNS (sizeof file_columns / sizeof *file_columns)

static bool shows_files(const struct command_run *run)
{
    return run->format == FORMAT_JSON || run->options->files || run->options->verbose;
}

static enum status load_files(struct info *info, struct error *err)
{
    const struct options *options = info->run->options;
    const struct index_value limit[] = {
        INDEX_INT(options->limit && options->limit < INT64_MAX ? (int64_t)options->limit : -1)};
    struct index_rows *rows;
    enum status status = index_query(info->index,
                                     "SELECT path, start, \"end\", build_id, source "
                                     "FROM mapped_file ORDER BY start, path LIMIT ?",
                                     limit, 1, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (!info->files.failed && index_rows_next(rows)) {
        for (int column = 0; column < (int)FILE_COLUMNS; column++) {
            if (index_rows_kind(rows, column) == INDEX_INTEGER)
                table_integer(&info->files, index_rows_integer(rows, column));
            else
                table_string(&info->files, index_rows_text(rows, column));
        }
    }
    return index_rows_finish(rows, err);
}

/* ---- The forms of the answer. */

typedef void (*warning_form)(struct text *text, const char *area, const char *message);

/* Appends each warning in the given form, under `heading` where there are any. */
static enum status append_warnings(struct info *info, const char *heading, warning_form form,
                                   struct error *err)
{
    struct text *text = output_text(info->run->answer);
    struct index_rows *rows;
    enum status status = index_query(
        info->index, "SELECT area, message FROM warning ORDER BY rowid", NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    for (bool first = true; index_rows_next(rows); first = false) {
        if (first)
            text_append(text, heading);
        form(text, index_rows_text(rows, 0), index_rows_text(rows, 1));
    }
    return index_rows_finish(rows, err);
}

static void warning_as_text(struct text *text, const char *area, const char *message)
{
    text_append(text, "  ");
    escape_terminal(text, area, ESCAPE_ONE_LINE);
    text_append(text, ": ");
    escape_terminal(text, message, ESCAPE_ONE_LINE);
    text_append_char(text, '\n');
}

static void warning_as_markdown(struct text *text, const char *area, const char *message)
{
    text_append(text, "- ");
    escape_markdown(text, area);
    text_append(text, ": ");
    escape_markdown(text, message);
    text_append_char(text, '\n');
}

static size_t longest_title(const struct facts *facts)
{
    size_t longest = 0;
    for (size_t i = 0; i < facts->items.count; i++) {
        size_t size = facts->items.items[i].hidden ? 0 : strlen(facts->items.items[i].title);
        longest = size > longest ? size : longest;
    }
    return longest < 24 ? longest : 24;
}

static enum status write_text(struct info *info, struct error *err)
{
    struct text *text = output_text(info->run->answer), value, title;
    bool terminal = !info->run->options->output && isatty(STDOUT_FILENO);
    size_t width = longest_title(&info->facts);
    text_init(&value);
    text_init(&title);
    for (size_t i = 0; i < info->facts.items.count; i++) {
        const struct fact *fact = &info->facts.items.items[i];
        if (fact->hidden)
            continue;
        text_clear(&value);
        text_clear(&title);
        fact_display(fact, &value);
        escape_terminal(&title, fact->title, ESCAPE_ONE_LINE);
        style_begin(text, info->run->color, STYLE_HEADING);
        append_fitted(text, text_string(&title), width, true);
        style_end(text, info->run->color);
        text_append(text, "  ");
        escape_terminal(text, text_string(&value), ESCAPE_ONE_LINE);
        text_append_char(text, '\n');
    }
    text_deinit(&title);
    text_deinit(&value);
    enum status status = append_warnings(info, "\nMissing or damaged:\n", warning_as_text, err);
    if (status == STATUS_OK && table_row_count(&info->files)) {
        text_append_char(text, '\n');
        table_render_text(&info->files, terminal ? terminal_width() : 0, text);
    }
    return status;
}

static enum status write_markdown(struct info *info, struct error *err)
{
    struct text *text = output_text(info->run->answer), value;
    text_init(&value);
    text_append(text, "| Fact | Value |\n| --- | --- |\n");
    for (size_t i = 0; i < info->facts.items.count; i++) {
        const struct fact *fact = &info->facts.items.items[i];
        if (fact->hidden)
            continue;
        text_clear(&value);
        fact_display(fact, &value);
        text_append(text, "| ");
        escape_markdown(text, fact->title);
        text_append(text, " | ");
        escape_markdown(text, text_string(&value));
        text_append(text, " |\n");
    }
    text_deinit(&value);
    enum status status =
        append_warnings(info, "\n**Missing or damaged**\n\n", warning_as_markdown, err);
    if (status == STATUS_OK && table_row_count(&info->files)) {
        text_append_char(text, '\n');
        table_render_markdown(&info->files, text);
    }
    return status;
}

/* One table fits a CSV: the files where they are asked for, else the facts. */
static enum status write_csv(struct info *info)
{
    struct text *text = output_text(info->run->answer);
    if (shows_files(info->run)) {
        table_render_csv(&info->files, text);
        return STATUS_OK;
    }
    text_append(text, "key,value\r\n");
    for (size_t i = 0; i < info->facts.items.count; i++) {
        escape_csv(text, info->facts.items.items[i].key);
        text_append_char(text, ',');
        escape_csv(text, info->facts.items.items[i].value);
        text_append(text, "\r\n");
    }
    return STATUS_OK;
}

/* The answer's own members win over facts of the same name. */
static bool is_taken(const char *key)
{
    static const char *const taken[] = {"schema", "input", "warnings", "rows"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (!strcmp(key, taken[i]))
            return true;
    }
    return false;
}

static enum status write_json(struct info *info, struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(info->run->answer));
    enum status status =
        answer_begin_json(&json, "info", info->run->options->operands[0], info->index, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < info->facts.items.count; i++) {
        struct fact fact = info->facts.items.items[i];
        if (!strcmp(fact.key, "schema"))
            fact.key = "index_schema";
        if (!is_taken(fact.key))
            fact_member(&fact, &json);
    }
    json_key(&json, "rows");
    table_render_json(&info->files, &json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status write_answer(struct info *info, struct error *err)
{
    switch (info->run->format) {
    case FORMAT_JSON: return write_json(info, err);
    case FORMAT_CSV: return write_csv(info);
    case FORMAT_MARKDOWN: return write_markdown(info, err);
    default: return write_text(info, err);
    }
}

enum status command_info(struct command_run *run, struct error *err)
{
    struct info info = {.run = run};
    enum status status = command_open_index(run, 0, &info.index, err);
    if (status == STATUS_OK)
        status = facts_load(info.index, &info.facts, err);
    if (status != STATUS_OK)
        return status;
    table_init(&info.files, file_columns, FILE_COLUMNS);
    if (shows_files(run))
        status = load_files(&info, err);
    if (status == STATUS_OK)
        status = write_answer(&info, err);
    if (status == STATUS_OK && info.files.failed)
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    table_deinit(&info.files);
    facts_deinit(&info.facts);
    return status;
}
