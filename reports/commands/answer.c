/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/answer.h"

#include <stdio.h>

#include "reports/render/escape.h"
#include "reports/render/terminal.h"

static enum status write_warnings(struct json_writer *json, struct index *index, struct error *err)
{
    struct index_rows *rows;
    struct text sentence;
    enum status status =
        index_query(index, "SELECT area, message FROM warning ORDER BY rowid", NULL, 0, &rows, err);
    if (status)
        return status;
    text_init(&sentence);
    while (index_rows_next(rows)) {
        const char *area = index_rows_text(rows, 0), *message = index_rows_text(rows, 1);
        text_clear(&sentence);
        text_printf(&sentence, "%s%s%s", area ? area : "", area && *area ? ": " : "",
                    message ? message : "");
        json_string(json, text_string(&sentence));
    }
    json->failed |= sentence.failed;
    text_deinit(&sentence);
    return index_rows_finish(rows, err);
}

enum status answer_begin_json(struct json_writer *json, const char *command, const char *input,
                              struct index *index, struct error *err)
{
    return answer_begin_json_with(json, command, input, index, NULL, 0, err);
}

enum status answer_begin_json_with(struct json_writer *json, const char *command, const char *input,
                                   struct index *index, const char *const *warnings, size_t count,
                                   struct error *err)
{
    char schema[64];
    snprintf(schema, sizeof schema, "inquest/%s/1", command);
    json_begin_object(json);
    json_member_string(json, "schema", schema);
    json_member_string(json, "input", input);
    json_key(json, "warnings");
    json_begin_array(json);
    enum status status = write_warnings(json, index, err);
    for (size_t i = 0; i < count; i++)
        json_string(json, warnings[i]);
    json_end_array(json);
    return status;
}

void answer_line(const struct command_run *run, const char *words, bool is_heading)
{
    struct text *text = output_text(run->answer);
    if (run->format == FORMAT_MARKDOWN) {
        text_append(text, is_heading ? "**" : "");
        escape_markdown(text, words);
        text_append(text, is_heading ? "**\n" : "\n");
        return;
    }
    if (is_heading)
        style_begin(text, run->color, STYLE_HEADING);
    escape_terminal(text, words, ESCAPE_ONE_LINE);
    if (is_heading)
        style_end(text, run->color);
    text_append_char(text, '\n');
}
