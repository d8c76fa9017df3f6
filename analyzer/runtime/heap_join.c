/* SPDX-License-Identifier: Apache-2.0 */
/* What several threads read becomes what one would have read: numbers that each
 * piece gave in order of first meeting (types, labels, late objects) are
 * translated to those that they have where the pieces are read one after the
 * other. */
#include <stdlib.h>

#include "analyzer/graph/memory.h"
#include "analyzer/runtime/heap_build.h"

/* One piece's numbers in the first piece, by its own. */
struct translation {
    struct heap_piece *piece, *all;
    uint64_t first_edge; /* of the piece's, among all */
    uint32_t *types, *labels, *late;
};

static enum status translate_types(struct translation *translation)
{
    struct heap_piece *piece = translation->piece, *all = translation->all;
    translation->types = malloc((piece->types.count + 1) * sizeof *translation->types);
    if (!translation->types)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < piece->types.count; i++) {
        const struct python_type *type = piece->types.items[i];
        uintptr_t known = (uintptr_t)address_map_get(&all->type_indices, type->addr);
        if (!known) {
            known = all->types.count + 1;
            if (!array_push(&all->types, type) ||
                !address_map_put(&all->type_indices, type->addr, (const void *)known))
                return STATUS_NO_MEMORY;
        }
        translation->types[i] = (uint32_t)(known - 1);
    }
    return STATUS_OK;
}

static enum status translate_late(struct translation *translation)
{
    struct heap_piece *piece = translation->piece, *all = translation->all;
    enum status status = STATUS_OK;
    translation->late = malloc((piece->late.count + 1) * sizeof *translation->late);
    if (!translation->late)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < piece->late.count && status == STATUS_OK; i++) {
        translation->late[i] = GRAPH_NONE;
        heap_piece_meet(all, piece->late.items[i], true, &translation->late[i], &status);
    }
    return status;
}

static enum status append_wide(struct heap_column *column, const struct heap_column *more)
{
    for (size_t i = 0; i < more->wide.count; i++)
        if (!array_push(&column->wide, more->wide.items[i]))
            return STATUS_NO_MEMORY;
    return STATUS_OK;
}

static enum status append_lists(const struct translation *translation)
{
    const struct heap_piece *piece = translation->piece;
    struct heap_piece *all = translation->all;
    for (size_t i = 0; i < piece->dead.count; i++)
        if (!array_push(&all->dead, piece->dead.items[i]))
            return STATUS_NO_MEMORY;
    for (size_t i = 0; i < piece->weak.count; i++) {
        struct weak_address weak = piece->weak.items[i];
        weak.label = translation->labels[weak.label];
        if (!array_push(&all->weak, weak))
            return STATUS_NO_MEMORY;
    }
    all->damaged += piece->damaged;
    enum status status = append_wide(&all->sizes, &piece->sizes);
    return status == STATUS_OK ? append_wide(&all->refcounts, &piece->refcounts) : status;
}

static enum status translate(struct translation *translation)
{
    enum status status = translate_types(translation);
    if (status == STATUS_OK)
        status = label_table_join(translation->all->table, translation->piece->table,
                                  &translation->labels);
    if (status == STATUS_OK)
        status = translate_late(translation);
    return status == STATUS_OK ? append_lists(translation) : status;
}

/* ---- the columns and rows of a piece */

static enum status append_rows(void *context, struct error *err)
{
    const struct translation *translation = context;
    const struct heap_piece *piece = translation->piece;
    const struct heap_builder *builder = piece->builder;
    uint32_t *types = builder->heap->type, early = builder->early;
    uint32_t *targets = translation->all->targets + translation->first_edge;
    uint32_t *labels = translation->all->labels + translation->first_edge;
    (void)err;
    for (uint32_t i = piece->begin; i < piece->end; i++) {
        types[i] = translation->types[types[i]];
        builder->first[i] += translation->first_edge;
    }
    for (uint64_t i = 0; i < piece->edges; i++) {
        uint32_t target = piece->targets[i], label = piece->labels[i];
        targets[i] = target < early ? target : translation->late[target - early];
        labels[i] = label & HEAP_LABEL_INDEX ? label : translation->labels[label];
    }
    return STATUS_OK;
}

static enum status make_room(struct heap_piece *all, uint64_t edges)
{
    enum status status = graph_resize((void **)&all->targets, edges, sizeof *all->targets, NULL);
    if (status == STATUS_OK)
        status = graph_resize((void **)&all->labels, edges, sizeof *all->labels, NULL);
    if (status == STATUS_OK)
        all->capacity = all->edges = edges;
    return status;
}

enum status heap_join(struct heap_piece *const pieces[], unsigned count, unsigned threads)
{
    struct translation translations[HEAP_PIECES] = {{0}};
    struct graph_task tasks[HEAP_PIECES];
    struct error err = {0};
    uint64_t edges = pieces[0]->edges;
    enum status status = STATUS_OK;
    if (count < 2)
        return STATUS_OK;
    for (unsigned i = 1; i < count && status == STATUS_OK; i++) {
        translations[i] =
            (struct translation){.piece = pieces[i], .all = pieces[0], .first_edge = edges};
        tasks[i] = (struct graph_task){append_rows, &translations[i]};
        edges += pieces[i]->edges;
        status = translate(&translations[i]);
    }
    if (status == STATUS_OK)
        status = make_room(pieces[0], edges);
    if (status == STATUS_OK)
        status = graph_run(tasks + 1, count - 1, threads, &err);
    for (unsigned i = 1; i < count; i++) {
        free(translations[i].types);
        free(translations[i].labels);
        free(translations[i].late);
    }
    return status;
}
