/* SPDX-License-Identifier: Apache-2.0 */
/* What several threads read becomes what one would have read: numbers that each
 * piece gave in order of first meeting (types, labels, late objects) get those
 * that they have where the pieces are read one after the other. */
#include <stdlib.h>

#include "analyzer/runtime/heap_build.h"

static enum status map_types(struct heap_piece *piece, struct heap_piece *all)
{
    piece->type_map = malloc((piece->types.count + 1) * sizeof *piece->type_map);
    if (!piece->type_map)
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
        piece->type_map[i] = (uint32_t)(known - 1);
    }
    return STATUS_OK;
}

static enum status map_late(struct heap_piece *piece, struct heap_piece *all)
{
    enum status status = STATUS_OK;
    piece->late_map = malloc((piece->late.count + 1) * sizeof *piece->late_map);
    if (!piece->late_map)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < piece->late.count && status == STATUS_OK; i++) {
        uint32_t number;
        piece->late_map[i] = GRAPH_NONE;
        if (heap_piece_meet(all, piece->late.items[i], true, &number, &status))
            piece->late_map[i] = number - all->builder->early;
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

static enum status append_lists(const struct heap_piece *piece, struct heap_piece *all)
{
    for (size_t i = 0; i < piece->dead.count; i++)
        if (!array_push(&all->dead, piece->dead.items[i]))
            return STATUS_NO_MEMORY;
    for (size_t i = 0; i < piece->weak.count; i++) {
        struct weak_address weak = piece->weak.items[i];
        weak.label = piece->label_map[weak.label];
        if (!array_push(&all->weak, weak))
            return STATUS_NO_MEMORY;
    }
    all->damaged += piece->damaged;
    enum status status = append_wide(&all->sizes, &piece->sizes);
    return status == STATUS_OK ? append_wide(&all->refcounts, &piece->refcounts) : status;
}

static enum status join(struct heap_piece *piece, struct heap_piece *all)
{
    enum status status = map_types(piece, all);
    if (status == STATUS_OK)
        status = label_table_join(all->table, piece->table, &piece->label_map);
    if (status == STATUS_OK)
        status = map_late(piece, all);
    return status == STATUS_OK ? append_lists(piece, all) : status;
}

enum status heap_join(struct heap_piece *const pieces[], unsigned count)
{
    enum status status = STATUS_OK;
    for (unsigned i = 1; i < count && status == STATUS_OK; i++)
        status = join(pieces[i], pieces[0]);
    return status;
}
