/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "reports/commands/heap_answer.h"
#include "reports/commands/postmortem_model.h"
#include "reports/render/escape.h"
#include "reports/render/terminal.h"

static void add_cell(struct table *table, const struct index_rows *rows, int column)
{
    switch (index_rows_kind(rows, column)) {
    case INDEX_NULL: table_null(table); break;
    case INDEX_INTEGER: table_integer(table, index_rows_integer(rows, column)); break;
    case INDEX_REAL: table_real(table, index_rows_real(rows, column)); break;
    case INDEX_BLOB:
    case INDEX_TEXT: table_string(table, index_rows_text(rows, column)); break;
    }
}

enum status table_query(struct table *table, struct index *index, const char *sql,
                        const struct index_value *parameters, size_t count, struct error *err)
{
    struct index_rows *rows;
    enum status status = index_query(index, sql, parameters, count, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (!table->failed && index_rows_next(rows))
        for (int column = 0; column < (int)table->column_count; column++)
            add_cell(table, rows, column);
    status = index_rows_finish(rows, err);
    return status == STATUS_OK && table->failed ? error_set(err, STATUS_NO_MEMORY, "out of memory")
                                                : status;
}

enum status integer_query(struct index *index, const char *sql,
                          const struct index_value *parameters, size_t count, int64_t *ret_value,
                          struct error *err)
{
    struct index_rows *rows;
    enum status status = index_query(index, sql, parameters, count, &rows, err);
    if (status != STATUS_OK)
        return status;
    *ret_value = index_rows_next(rows) ? index_rows_integer(rows, 0) : 0;
    return index_rows_finish(rows, err);
}

enum status name_input(const struct command_run *run, enum status status, struct error *err)
{
    const char *const *inputs = run->options->operands;
    size_t count = run->command->operands_max == SIZE_MAX ? run->options->operand_count : 1;
    if (status == STATUS_OK || !err)
        return status;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(inputs[i]);
        if (!strncmp(err->message, inputs[i], size) && err->message[size] == ':')
            return status;
    }
    return error_prefix(err, "%s", inputs[0]);
}

enum status answer_needs_heap(struct index *index, struct error *err)
{
    struct heap_reader *reader;
    enum status status = heap_reader_open(index, &reader, err);
    if (status == STATUS_OK)
        heap_reader_close(reader);
    return status;
}

int64_t limit_or(const struct options *options, int64_t otherwise)
{
    if (!options_has_limit(options))
        return otherwise;
    return options->limit && options->limit < INT64_MAX ? (int64_t)options->limit : -1;
}

size_t answer_width(const struct command_run *run)
{
    return !run->options->output && isatty(STDOUT_FILENO) ? terminal_width() : 0;
}

void answer_heading(const struct command_run *run, const char *words)
{
    struct text *text = output_text(run->answer);
    if (run->format == FORMAT_MARKDOWN)
        text_printf(text, "\n**%s**\n\n", words);
    else {
        text_append_char(text, '\n');
        style_printf(text, run->color, STYLE_HEADING, "%s\n", words);
    }
}

void answer_table(const struct command_run *run, const struct table *table)
{
    if (run->format == FORMAT_MARKDOWN)
        table_render_markdown(table, output_text(run->answer));
    else
        table_render_text(table, answer_width(run), output_text(run->answer));
}

void answer_note(const struct command_run *run, const char *words)
{
    struct text *text = output_text(run->answer);
    if (run->format == FORMAT_MARKDOWN)
        text_printf(text, "\n%s\n", words);
    else
        style_printf(text, run->color, STYLE_FAINT, "[%s]\n", words);
}

/* Options are written as they are; any other word that begins with a dash is a file's. */
static bool is_option(const char *word)
{
    static const char *const options[] = {"-o", "--by", "--callers"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (!strcmp(word, options[i]))
            return true;
    return false;
}

void answer_command(const struct command_run *run, const char *reason, const char *const *words)
{
    struct text *text = output_text(run->answer), line;
    struct arena arena;
    arena_init(&arena);
    text_init(&line);
    text_append(&line, "inquest");
    for (; *words; words++) {
        const char *word = is_option(*words) ? *words : shell_word(&arena, *words);
        text_append_char(&line, ' ');
        text_append(&line, word ? word : "…");
    }
    if (run->format == FORMAT_MARKDOWN) {
        text_printf(text, "- %s: ", reason);
        escape_markdown_code(text, text_string(&line), false);
    } else {
        text_append(text, "  ");
        escape_terminal(text, text_string(&line), ESCAPE_ONE_LINE);
        text_append(text, "  ");
        style_printf(text, run->color, STYLE_FAINT, "# %s", reason);
    }
    text_append_char(text, '\n');
    text->failed |= line.failed;
    text_deinit(&line);
    arena_deinit(&arena);
}
