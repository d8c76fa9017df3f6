/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/command.h"
#include "reports/commands/answer.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/tasks_model.h"
#include "reports/render/escape.h"

#define TEXT_TASKS 100

/* ---- JSON */

static void write_edges(struct json_writer *json, const struct tasks_model *model,
                        const struct model_task *task)
{
    json_key(json, "awaits");
    json_begin_array(json);
    for (size_t i = 0; i < task->edge_count; i++) {
        const struct model_task_edge *edge = &model->edges.items[task->first_edge + i];
        const struct model_task *awaited = &model->tasks.items[edge->to];
        json_begin_object(json);
        json_member_integer(json, "id", awaited->id);
        json_member_string(json, "name", awaited->name);
        json_member_string(json, "via", edge->via);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_frames(struct json_writer *json, const struct tasks_model *model,
                         const struct model_task *task)
{
    json_key(json, "frames");
    json_begin_array(json);
    for (size_t i = 0; i < task->frame_count; i++) {
        const struct model_task_frame *frame = &model->frames.items[task->first_frame + i];
        json_begin_object(json);
        json_member_integer(json, "depth", (int64_t)i);
        json_member_string(json, "kind", "python");
        json_member_string(json, "function", frame->function);
        json_member_string(json, "file", frame->file);
        json_member_integer_if(json, "line", frame->line > 0, frame->line);
        json_member_integer_if(json, "column", frame->column >= 0, frame->column);
        json_member_string(json, "owner", frame->owner);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_context(struct json_writer *json, const struct tasks_model *model,
                          const struct model_task *task)
{
    json_key(json, "context");
    json_begin_array(json);
    for (size_t i = 0; i < task->variable_count; i++) {
        const struct model_variable *variable = &model->variables.items[task->first_variable + i];
        json_begin_object(json);
        json_member_string(json, "name", variable->name);
        json_member_string(json, "type", variable->type);
        json_member_string(json, "value", variable->value);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_task(struct json_writer *json, const struct tasks_model *model,
                       const struct model_task *task)
{
    json_begin_object(json);
    json_member_integer(json, "id", task->id);
    json_member_address(json, "address", task->address);
    json_member_string(json, "name", task->name);
    json_member_string(json, "state", task->state);
    json_member_string(json, "coroutine", task->coroutine);
    json_member_integer_if(json, "thread_id", task->thread_id, task->thread_id);
    json_member_string(json, "thread", task->thread);
    json_member_string(json, "waits_for", task->waits_for);
    json_member_bool(json, "is_deadlocked", task->is_deadlocked);
    write_edges(json, model, task);
    write_frames(json, model, task);
    write_context(json, model, task);
    json_end_object(json);
}

static enum status write_json(struct command_run *run, struct index *index,
                              const struct tasks_model *model, struct error *err)
{
    struct json_writer json;
    uint64_t limit = run->options->given & OPTION_BIT(OPTION_LIMIT) ? run->options->limit : 0;
    json_init(&json, output_text(run->answer));
    enum status status = answer_begin_json(&json, "tasks", run->options->operands[0], index, err);
    if (status)
        return status;
    json_key(&json, "rows");
    json_begin_array(&json);
    for (size_t i = 0; i < model->tasks.count && (!limit || i < limit); i++) {
        write_task(&json, model, &model->tasks.items[i]);
        if (output_drain(run->answer) != STATUS_OK)
            break;
    }
    json_end_array(&json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- tables */

static const struct column columns[] = {
    {"id", NULL, COLUMN_PLAIN},
    {"name", NULL, COLUMN_PLAIN},
    {"state", NULL, COLUMN_PLAIN},
    {"coroutine", NULL, COLUMN_PLAIN},
    {"thread", NULL, COLUMN_PLAIN},
    {"waits_for", "waits for", COLUMN_PLAIN},
    {"is_deadlocked", "deadlocked", COLUMN_PLAIN},
    {"awaits", NULL, COLUMN_PLAIN},
    {"address", NULL, COLUMN_ADDRESS},
};

static void fill_row(struct table *table, const struct tasks_model *model,
                     const struct model_task *task)
{
    struct text names = {0};
    for (size_t i = 0; i < task->edge_count; i++) {
        text_append(&names, i ? ", " : "");
        model_task_name(&model->tasks.items[model->edges.items[task->first_edge + i].to], &names);
    }
    table_integer(table, task->id);
    table_string(table, task->name);
    table_string(table, task->state);
    table_string(table, task->coroutine);
    table_string(table, task->thread);
    table_string(table, task->waits_for);
    table_integer(table, task->is_deadlocked);
    table_string(table, names.size ? text_string(&names) : NULL);
    table_integer(table, (int64_t)task->address);
    table->failed |= names.failed;
    text_deinit(&names);
}

static void say_deadlock(void *context, const size_t *tasks, size_t count)
{
    struct command_run *run = ((void **)context)[0];
    struct text words = {0}, *text = output_text(run->answer);
    deadlock_words(((void **)context)[1], tasks, count, &words);
    text_append(text, "**Deadlock:** ");
    escape_markdown(text, text_string(&words));
    text_append(text, "\n\n");
    text_deinit(&words);
}

static void write_table(struct command_run *run, struct tasks_model *model)
{
    struct table table;
    struct text words = {0}, *text = output_text(run->answer);
    uint64_t limit = run->options->given & OPTION_BIT(OPTION_LIMIT) ? run->options->limit : 0;
    table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < model->tasks.count && (!limit || i < limit); i++)
        fill_row(&table, model, &model->tasks.items[i]);
    if (run->format == FORMAT_CSV) {
        table_render_csv(&table, text);
    } else {
        tasks_model_summary(model, &words);
        text_append(text, "**");
        escape_markdown(text, text_string(&words));
        text_append(text, "**\n\n");
        text->failed |= !tasks_model_deadlocks(model, say_deadlock, (void *[]){run, model});
        table_render_markdown(&table, text);
    }
    text->failed |= table.failed || words.failed;
    text_deinit(&words);
    table_deinit(&table);
}

enum status command_tasks(struct command_run *run, struct error *err)
{
    const struct options *options = run->options;
    struct index *index;
    struct tasks_model model;
    enum status status = command_open_index(run, 0, &index, err);
    if (!status)
        status = name_input(run, tasks_model_load(index, &model, err), err);
    if (status)
        return status;
    if (run->format == FORMAT_JSON) {
        status = write_json(run, index, &model, err);
    } else if (run->format == FORMAT_TEXT) {
        struct tasks_format format = {run->color, options->verbose,
                                      options->given & OPTION_BIT(OPTION_LIMIT) ? options->limit
                                                                                : TEXT_TASKS};
        tasks_render_text(&model, &format, output_text(run->answer));
    } else {
        write_table(run, &model);
    }
    tasks_model_deinit(&model);
    return status;
}
