/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "reports/commands/answer.h"
#include "reports/commands/postmortem_parts.h"
#include "reports/commands/postmortem_render.h"

/* The index's own table, numbers as numbers. */
static void write_process(const struct postmortem *model, struct json_writer *json)
{
    static const char *const numbers[] = {
        "pid", "ppid", "uid", "thread_count", "signal_number", "signal_code", "source_bytes"};
    json_key(json, "process");
    json_begin_object(json);
    for (size_t i = 0; i < model->meta.count; i++) {
        const char *key = model->meta.items[i].title, *value = model->meta.items[i].value;
        bool is_number = false;
        char *end = NULL;
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers && value && *value; j++)
            is_number |= strcmp(numbers[j], key) == 0;
        long long number = is_number ? strtoll(value, &end, 10) : 0;
        if (is_number && !*end)
            json_member_integer(json, key, number);
        else
            json_member_string(json, key, value);
    }
    json_end_object(json);
}

static void write_exception(const struct postmortem *model, struct json_writer *json)
{
    json_key(json, "exception");
    if (model->exception == SIZE_MAX) {
        json_null(json);
        return;
    }
    const struct stack_exception *exception = &model->stacks.exceptions.items[model->exception];
    json_begin_object(json);
    json_member_integer(json, "thread_id", exception->thread_id);
    json_member_string(json, "state", exception->state);
    json_member_string(json, "type", exception->type);
    json_member_string(json, "message", exception->message);
    json_end_object(json);
}

static void write_deadlocks(const struct postmortem *model, struct json_writer *json)
{
    json_key(json, "deadlocks");
    json_begin_array(json);
    for (size_t i = 0; i < model->deadlocks.sentences.count; i++)
        json_string(json, model->deadlocks.sentences.items[i]);
    json_end_array(json);
}

static void write_memory(const struct postmortem *model, struct json_writer *json)
{
    json_key(json, "memory");
    json_begin_array(json);
    for (size_t i = 0; i < model->memory.count; i++) {
        json_begin_object(json);
        json_member_string(json, "region", model->memory.items[i].region);
        json_member_integer(json, "bytes", model->memory.items[i].bytes);
        json_key(json, "share");
        if (model->memory.items[i].is_reserved)
            json_null(json);
        else
            json_real(json, model->memory.items[i].share);
        json_member_string(json, "detail", model->memory.items[i].detail);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_files(const struct postmortem *model, struct json_writer *json)
{
    json_key(json, "mapped_files");
    json_begin_array(json);
    for (size_t i = 0; i < model->files.count; i++) {
        const struct mapped_file *file = &model->files.items[i];
        json_begin_object(json);
        json_member_string(json, "path", file->path);
        json_member_address(json, "start", file->start);
        json_member_address(json, "end", file->end);
        json_member_string(json, "build_id", file->build_id);
        json_member_string(json, "source", file->source);
        json_end_object(json);
    }
    json_end_array(json);
}

enum status postmortem_render_json(const struct postmortem *model, struct index *index,
                                   const struct rows_options *options, struct text *text,
                                   struct output *output, struct error *err)
{
    static const char *const kinds[] = {[VERDICT_CRASHED] = "crashed",
                                        [VERDICT_ABORTED] = "aborted",
                                        [VERDICT_KILLED] = "killed",
                                        [VERDICT_ALIVE] = "alive"};
    struct json_writer json;
    json_init(&json, text);
    enum status status = answer_begin_json(&json, "postmortem", model->input, index, err);
    if (status)
        return status;
    json_member_string(&json, "verdict", model->verdict);
    json_member_string(&json, "verdict_kind", kinds[model->kind]);
    json_member_string(&json, "where", model->where);
    write_process(model, &json);
    write_exception(model, &json);
    write_deadlocks(model, &json);
    write_memory(model, &json);
    write_files(model, &json);
    if (model->parts)
        parts_json(model->parts, &json);
    status = threads_write_json(index, options, &json, output, err);
    if (status)
        return status;
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
