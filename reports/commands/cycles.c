/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/cycles.h"

#include "reports/commands/answer.h"

#define DRAWN_SHAPES 5

/* ---- JSON: all that there is. */

static void write_generations(const struct cycles_model *model, struct json_writer *json)
{
    json_begin_array(json);
    for (size_t i = 0; i < model->generations.count; i++) {
        const struct collector_row *row = &model->generations.items[i];
        json_begin_object(json);
        json_member_integer(json, "generation", row->generation);
        json_member_integer(json, "threshold", row->threshold);
        json_member_integer(json, "count", row->count);
        json_member_integer(json, "objects", row->objects);
        json_member_integer(json, "garbage", row->garbage);
        if (row->collections >= 0) {
            json_member_integer(json, "collections", row->collections);
            json_member_integer(json, "collected", row->collected);
            json_member_integer(json, "uncollectable", row->uncollectable);
        }
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_collector(const struct cycles_model *model, struct json_writer *json)
{
    json_key(json, "collector");
    if (!model->has_collector) {
        json_null(json);
        return;
    }
    json_begin_object(json);
    json_member_bool(json, "enabled", model->is_enabled);
    json_member_bool(json, "collecting", model->is_collecting);
    json_member_integer(json, "debug", model->debug);
    json_member_integer(json, "frozen", model->frozen);
    json_member_integer(json, "garbage_list", model->kept);
    json_member_string(json, "why", model->why);
    json_key(json, "generations");
    write_generations(model, json);
    json_end_object(json);
}

static void write_edges(const struct cycle_drawing *drawing, struct json_writer *json)
{
    json_key(json, "edges");
    json_begin_array(json);
    for (size_t i = 0; i < drawing->arrow_count; i++) {
        const struct cycle_arrow *arrow = &drawing->arrows[i];
        json_begin_object(json);
        json_member_integer(json, "source", arrow->source);
        json_member_integer(json, "target", arrow->target);
        json_member_string(json, "label", arrow->label);
        json_end_object(json);
    }
    json_end_array(json);
    json_key(json, "nodes");
    json_begin_array(json);
    for (size_t i = 0; i < drawing->node_count; i++)
        json_string(json, drawing->nodes[i].name);
    json_end_array(json);
}

static void write_row(const struct cycle_row *row, const struct cycle_drawing *drawing,
                      struct json_writer *json)
{
    json_begin_object(json);
    json_member_integer(json, "id", row->id);
    json_member_string(json, "kind", row->kind);
    json_member_string(json, "shape", row->shape);
    json_member_bool(json, "is_garbage", row->is_garbage);
    json_member_integer(json, "copies", row->copies);
    json_member_integer(json, "members", row->members);
    json_member_integer(json, "bytes", row->bytes);
    json_member_integer(json, "retained", row->retained);
    json_member_bool(json, "has_finalizer", row->has_finalizer);
    json_member_bool(json, "has_weakref_callback", row->has_weakref_callback);
    json_member_integer_if(json, "within_id", row->within_id, row->within_id);
    json_member_integer(json, "object_id", row->object_id);
    json_member_address(json, "address", row->address);
    write_edges(drawing, json);
    json_end_object(json);
}

static enum status write_json(struct cycles_answer *answer, struct error *err)
{
    struct json_writer json;
    struct cycles_model *model = &answer->model;
    json_init(&json, output_text(answer->run->answer));
    enum status status =
        answer_begin_json(&json, "cycles", answer->run->options->operands[0], answer->index, err);
    if (status != STATUS_OK)
        return status;
    json_key(&json, "garbage");
    json_begin_object(&json);
    json_member_integer(&json, "cycles", model->garbage_cycles);
    json_member_integer(&json, "objects", model->garbage_objects);
    json_member_integer(&json, "bytes", model->garbage_bytes);
    json_end_object(&json);
    write_collector(model, &json);
    json_member_integer(&json, "row_count", (int64_t)model->rows.count);
    json_key(&json, "rows");
    json_begin_array(&json);
    for (size_t i = 0; i < answer->limit && status == STATUS_OK; i++) {
        struct cycle_drawing drawing = {0};
        status = cycles_model_drawing(model, answer->index, &model->rows.items[i], &drawing, err);
        if (status == STATUS_OK)
            write_row(&model->rows.items[i], &drawing, &json);
    }
    if (status != STATUS_OK)
        return status;
    json_end_array(&json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- CSV, SVG. */

static enum status write_csv(struct cycles_answer *answer, struct error *err)
{
    static const struct column columns[] = {
        {"id", NULL, COLUMN_PLAIN},
        {"kind", NULL, COLUMN_PLAIN},
        {"shape", NULL, COLUMN_PLAIN},
        {"is_garbage", NULL, COLUMN_PLAIN},
        {"copies", NULL, COLUMN_COUNT},
        {"members", NULL, COLUMN_COUNT},
        {"bytes", NULL, COLUMN_BYTES},
        {"retained", NULL, COLUMN_BYTES},
        {"has_finalizer", NULL, COLUMN_PLAIN},
        {"has_weakref_callback", NULL, COLUMN_PLAIN},
        {"address", NULL, COLUMN_ADDRESS},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < answer->limit; i++) {
        const struct cycle_row *row = &answer->model.rows.items[i];
        table_integer(&table, row->id);
        table_string(&table, row->kind);
        table_string(&table, row->shape);
        table_integer(&table, row->is_garbage);
        table_integer(&table, row->copies);
        table_integer(&table, row->members);
        table_integer(&table, row->bytes);
        table_integer(&table, row->retained);
        table_integer(&table, row->has_finalizer);
        table_integer(&table, row->has_weakref_callback);
        table_integer(&table, (int64_t)row->address);
    }
    table_render_csv(&table, output_text(answer->run->answer));
    bool failed = table.failed;
    table_deinit(&table);
    return failed ? error_set(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

/* The program's own cycles are drawn only where there are no others. */
static enum status write_svg(struct cycles_answer *answer, struct error *err)
{
    struct cycles_model *model = &answer->model;
    size_t count = 0;
    enum status status = STATUS_OK;
    while (count < model->rows.count && !model->rows.items[count].is_program)
        count++;
    if (!count)
        count = model->rows.count;
    size_t most = options_has_limit(answer->run->options) ? answer->limit : DRAWN_SHAPES;
    count = count < most ? count : most;
    struct cycle_drawing *drawings = arena_alloc(&model->arena, (count + 1) * sizeof *drawings);
    if (!drawings)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status =
            cycles_model_drawing(model, answer->index, &model->rows.items[i], &drawings[i], err);
    if (status == STATUS_OK)
        cycle_svg_render(drawings, count, true, output_text(answer->run->answer));
    return status;
}

static enum status write_answer(struct cycles_answer *answer, struct error *err)
{
    switch (answer->run->format) {
    case FORMAT_JSON: return write_json(answer, err);
    case FORMAT_CSV: return write_csv(answer, err);
    case FORMAT_SVG: return write_svg(answer, err);
    default: return cycles_render(answer, err);
    }
}

enum status command_cycles(struct command_run *run, struct error *err)
{
    struct cycles_answer answer = {.run = run};
    enum status status = command_open_index(run, 0, &answer.index, err);
    if (status == STATUS_OK)
        status = name_input(run, answer_needs_heap(answer.index, err), err);
    if (status == STATUS_OK)
        status = name_input(run, cycles_model_load(answer.index, &answer.model, err), err);
    if (status != STATUS_OK)
        return status;
    int64_t limit = limit_or(run->options, -1);
    answer.limit = answer.model.rows.count;
    if (limit >= 0 && (size_t)limit < answer.limit)
        answer.limit = (size_t)limit;
    status = name_input(run, write_answer(&answer, err), err);
    cycles_model_deinit(&answer.model);
    return status;
}
