/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/answer.h"

#include <stdio.h>

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
    char schema[64];
    snprintf(schema, sizeof schema, "inquest/%s/1", command);
    json_begin_object(json);
    json_member_string(json, "schema", schema);
    json_member_string(json, "input", input);
    json_key(json, "warnings");
    json_begin_array(json);
    enum status status = write_warnings(json, index, err);
    json_end_array(json);
    return status;
}
