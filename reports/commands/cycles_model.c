/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/cycles_model.h"

#include <inttypes.h>
#include <string.h>

#include "reports/render/table.h"

#define NODES_MOST 64

static const char *copied(struct cycles_model *model, const char *string, bool *ok)
{
    const char *copy = string ? arena_strdup(&model->arena, string) : NULL;
    if (string && !copy)
        *ok = false;
    return copy;
}

static enum status load_rows(struct cycles_model *model, struct index *index, struct error *err)
{
    struct index_rows *rows;
    bool ok = true;
    enum status status = index_query(
        index,
        "SELECT c.id, c.copies, c.members, c.bytes, c.retained, c.object_id, c.within_id,"
        " o.address, c.is_garbage, c.kind = 'program', c.has_finalizer, c.has_weakref_callback,"
        " c.kind, c.shape, c.nodes FROM cycle c LEFT JOIN object o ON o.id = c.object_id ORDER BY "
        "c.id",
        NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (ok && index_rows_next(rows)) {
        struct cycle_row row = {
            .id = index_rows_integer(rows, 0),
            .copies = index_rows_integer(rows, 1),
            .members = index_rows_integer(rows, 2),
            .bytes = index_rows_integer(rows, 3),
            .retained = index_rows_integer(rows, 4),
            .object_id = index_rows_integer(rows, 5),
            .within_id = index_rows_integer(rows, 6),
            .address = (uint64_t)index_rows_integer(rows, 7),
            .is_garbage = index_rows_integer(rows, 8) != 0,
            .is_program = index_rows_integer(rows, 9) != 0,
            .has_finalizer = index_rows_integer(rows, 10) != 0,
            .has_weakref_callback = index_rows_integer(rows, 11) != 0,
            .nodes = index_rows_integer(rows, 14),
        };
        row.kind = copied(model, index_rows_text(rows, 12), &ok);
        row.shape = copied(model, index_rows_text(rows, 13), &ok);
        ok = ok && array_push(&model->rows, row);
    }
    status = index_rows_finish(rows, err);
    return status == STATUS_OK && !ok ? error_set(err, STATUS_NO_MEMORY, "out of memory") : status;
}

static int64_t integer_or_none(const struct index_rows *rows, int column)
{
    return index_rows_is_null(rows, column) ? -1 : index_rows_integer(rows, column);
}

static enum status load_generations(struct cycles_model *model, struct index *index,
                                    struct error *err)
{
    struct index_rows *rows;
    bool ok = true;
    enum status status = index_query(index,
                                     "SELECT generation, threshold, count, objects, garbage,"
                                     " collections, collected, uncollectable FROM collector"
                                     " ORDER BY generation",
                                     NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (ok && index_rows_next(rows)) {
        const struct collector_row row = {
            .generation = index_rows_integer(rows, 0),
            .threshold = index_rows_integer(rows, 1),
            .count = index_rows_integer(rows, 2),
            .objects = index_rows_integer(rows, 3),
            .garbage = index_rows_integer(rows, 4),
            .collections = integer_or_none(rows, 5),
            .collected = integer_or_none(rows, 6),
            .uncollectable = integer_or_none(rows, 7),
        };
        ok = array_push(&model->generations, row);
    }
    status = index_rows_finish(rows, err);
    return status == STATUS_OK && !ok ? error_set(err, STATUS_NO_MEMORY, "out of memory") : status;
}

static enum status load_state(struct cycles_model *model, struct index *index, struct error *err)
{
    struct index_rows *rows;
    bool ok = true;
    enum status status =
        index_query(index,
                    "SELECT is_enabled, is_collecting, debug, frozen, kept, garbage_cycles,"
                    " garbage_objects, garbage_bytes, why FROM collector_state",
                    NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    if (index_rows_next(rows)) {
        model->has_collector = true;
        model->is_enabled = index_rows_integer(rows, 0) != 0;
        model->is_collecting = index_rows_integer(rows, 1) != 0;
        model->debug = index_rows_integer(rows, 2);
        model->frozen = index_rows_integer(rows, 3);
        model->kept = index_rows_integer(rows, 4);
        model->garbage_cycles = index_rows_integer(rows, 5);
        model->garbage_objects = index_rows_integer(rows, 6);
        model->garbage_bytes = index_rows_integer(rows, 7);
        model->why = copied(model, index_rows_text(rows, 8), &ok);
    }
    status = index_rows_finish(rows, err);
    return status == STATUS_OK && !ok ? error_set(err, STATUS_NO_MEMORY, "out of memory") : status;
}

/* An index without the collector's state still has the garbage. */
static void count_garbage(struct cycles_model *model)
{
    for (size_t i = 0; i < model->rows.count; i++) {
        const struct cycle_row *row = &model->rows.items[i];
        if (!row->is_garbage)
            continue;
        model->garbage_cycles += row->copies;
        model->garbage_objects += row->members;
        model->garbage_bytes += row->bytes;
    }
}

enum status cycles_model_load(struct index *index, struct cycles_model *ret_model,
                              struct error *err)
{
    struct cycles_model model = {0};
    arena_init(&model.arena);
    enum status status = load_rows(&model, index, err);
    if (status == STATUS_OK)
        status = load_generations(&model, index, err);
    if (status == STATUS_OK)
        status = load_state(&model, index, err);
    if (status != STATUS_OK) {
        cycles_model_deinit(&model);
        return status;
    }
    if (!model.has_collector)
        count_garbage(&model);
    *ret_model = model;
    return STATUS_OK;
}

void cycles_model_deinit(struct cycles_model *model)
{
    array_deinit(&model->rows);
    array_deinit(&model->generations);
    arena_deinit(&model->arena);
}

size_t cycles_model_run(const struct cycles_model *model, size_t first)
{
    size_t end = first;
    while (end < model->rows.count &&
           !strcmp(model->rows.items[end].kind ? model->rows.items[end].kind : "",
                   model->rows.items[first].kind ? model->rows.items[first].kind : ""))
        end++;
    return end - first;
}

/* ---- one copy */

struct builder {
    struct cycles_model *model;
    struct cycle_node nodes[NODES_MOST];
    int64_t ids[NODES_MOST];
    size_t node_count;
    ARRAY(struct cycle_arrow) arrows;
};

/* NODES_MOST where there are more. */
static size_t node_of(struct builder *builder, const struct index_rows *rows, int column, bool *ok)
{
    int64_t id = index_rows_integer(rows, column);
    size_t i = 0;
    while (i < builder->node_count && builder->ids[i] != id)
        i++;
    if (i < builder->node_count || i == NODES_MOST)
        return i;
    const char *type = copied(builder->model, index_rows_text(rows, column + 1), ok);
    builder->ids[i] = id;
    builder->nodes[i] = (struct cycle_node){
        .name = type ? type : "?",
        .detail = arena_printf(&builder->model->arena, "at 0x%" PRIx64,
                               (uint64_t)index_rows_integer(rows, column + 2)),
        .is_instance = type && strchr(type, '.') != NULL,
    };
    builder->node_count++;
    return i;
}

static bool add_arrow(struct builder *builder, const struct index_rows *rows)
{
    bool ok = true;
    struct cycle_arrow arrow = {.label = copied(builder->model, index_rows_text(rows, 0), &ok)};
    size_t source = node_of(builder, rows, 1, &ok), target = node_of(builder, rows, 4, &ok);
    arrow.source = (uint32_t)source;
    arrow.target = (uint32_t)target;
    if (source == NODES_MOST || target == NODES_MOST)
        return ok;
    return ok && array_push(&builder->arrows, arrow);
}

static const char *drawing_subtitle(struct cycles_model *model, const struct cycle_row *row)
{
    struct text text;
    text_init(&text);
    format_count(&text, row->copies);
    text_append(&text, row->copies == 1 ? " cycle of " : " cycles like this of ");
    format_count(&text, row->members);
    text_append(&text, row->members == 1 ? " object, " : " objects in all, ");
    format_bytes(&text, row->bytes);
    text_append(&text, row->is_garbage ? "; garbage" : "; alive");
    text_append(&text, row->has_finalizer ? ", with a finalizer" : "");
    text_append(&text, row->has_weakref_callback ? ", with a weakref callback" : "");
    const char *subtitle = arena_strdup(&model->arena, text_string(&text));
    text_deinit(&text);
    return subtitle;
}

static enum status finish_drawing(struct builder *builder, const struct cycle_row *row,
                                  struct cycle_drawing *ret_drawing)
{
    struct arena *arena = &builder->model->arena;
    size_t nodes = builder->node_count * sizeof *builder->nodes,
           arrows = builder->arrows.count * sizeof *builder->arrows.items;
    struct cycle_node *node_copy = arena_alloc(arena, nodes);
    struct cycle_arrow *arrow_copy = arena_alloc(arena, arrows);
    const char *subtitle = drawing_subtitle(builder->model, row);
    if (!node_copy || !arrow_copy || !subtitle)
        return STATUS_NO_MEMORY;
    memcpy(node_copy, builder->nodes, nodes);
    if (arrows)
        memcpy(arrow_copy, builder->arrows.items, arrows);
    *ret_drawing = (struct cycle_drawing){
        .title = row->shape ? row->shape : "",
        .subtitle = subtitle,
        .nodes = node_copy,
        .node_count = builder->node_count,
        .arrows = arrow_copy,
        .arrow_count = builder->arrows.count,
        .more = row->nodes > (int64_t)builder->node_count
                    ? (uint64_t)row->nodes - builder->node_count
                    : 0,
    };
    return STATUS_OK;
}

enum status cycles_model_drawing(struct cycles_model *model, struct index *index,
                                 const struct cycle_row *row, struct cycle_drawing *ret_drawing,
                                 struct error *err)
{
    struct builder builder = {.model = model};
    struct index_rows *rows;
    const struct index_value id = INDEX_INT(row->id);
    bool ok = true;
    enum status status =
        index_query(index,
                    "SELECT e.label, e.source_id, s.name, a.address, e.target_id, t.name, b.address"
                    " FROM cycle_edge e LEFT JOIN object a ON a.id = e.source_id"
                    " LEFT JOIN type s ON s.id = a.type_id LEFT JOIN object b ON b.id ="
                    " e.target_id LEFT JOIN type t ON t.id = b.type_id WHERE e.cycle_id = ?"
                    " ORDER BY e.position",
                    &id, 1, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (ok && index_rows_next(rows))
        ok = add_arrow(&builder, rows);
    status = index_rows_finish(rows, err);
    if (status == STATUS_OK && (!ok || finish_drawing(&builder, row, ret_drawing) != STATUS_OK))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    array_deinit(&builder.arrows);
    return status;
}
