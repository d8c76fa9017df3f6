/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "analyzer/graph/memory.h"
#include "analyzer/runtime/heap_build.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/progress.h"

#define EDGES_AN_OBJECT 3 /* expected: what is not written to takes no memory */
#define LEAST_EDGES     1024

/* What was read of an object beside its references. */
struct record {
    uint64_t size, refcount;
    uint32_t type;
    bool is_dead;
};

/* ---- types by dense index, in order of first meeting */

static enum status know_type(struct heap_builder *builder, uint64_t type_addr,
                             struct type_slot *slot)
{
    const struct python_type *type;
    enum status status = type_at(builder->heap->process, type_addr, &type);
    if (status != STATUS_OK)
        return status;
    uintptr_t known = (uintptr_t)address_map_get(&builder->type_indices, type_addr);
    if (!known) {
        known = builder->heap->types.count + 1;
        if (!array_push(&builder->heap->types, type) ||
            !address_map_put(&builder->type_indices, type_addr, (const void *)known))
            return STATUS_NO_MEMORY;
    }
    *slot = (struct type_slot){type_addr, type, (uint32_t)(known - 1), false};
    return STATUS_OK;
}

static enum status find_type(struct heap_builder *builder, uint64_t type_addr,
                             struct type_slot **ret_slot)
{
    struct type_slot *slot = &builder->type_cache[(type_addr >> 4) % TYPE_CACHE];
    *ret_slot = slot;
    return slot->addr == type_addr ? STATUS_OK : know_type(builder, type_addr, slot);
}

/* ---- one object */

/* The number by which an object is known for now; false where none is. */
static bool meet(struct heap_builder *builder, uint64_t addr, uint32_t *ret_number,
                 enum status *status)
{
    struct heap *heap = builder->heap;
    if (heap_map_id(heap->find.objects, addr, ret_number))
        return true;
    uintptr_t known = (uintptr_t)address_map_get(&builder->late_numbers, addr);
    if (!known) {
        const struct late_object late = {.addr = addr};
        if (!heap_map_fits(heap->find.objects, addr) || !object_met_at(heap->process, addr))
            return false;
        known = builder->late.count + 1;
        if (builder->late.count >= GRAPH_MAX_NODES - builder->early)
            *status = STATUS_OVER_LIMIT;
        else if (!array_push(&builder->late, late) ||
                 !address_map_put(&builder->late_numbers, addr, (const void *)known) ||
                 !array_push(&builder->pending, (uint32_t)(known - 1)))
            *status = STATUS_NO_MEMORY;
    }
    *ret_number = builder->early + (uint32_t)(known - 1);
    return *status == STATUS_OK;
}

static enum status make_room(struct heap_builder *builder, uint64_t extra)
{
    uint64_t capacity = builder->capacity + builder->capacity / 2 + extra;
    enum status status =
        graph_resize((void **)&builder->targets, capacity, sizeof *builder->targets, NULL);
    if (status == STATUS_OK)
        status = graph_resize((void **)&builder->labels, capacity, sizeof *builder->labels, NULL);
    if (status == STATUS_OK)
        builder->capacity = capacity;
    return status;
}

static enum status add_weak(struct heap_builder *builder, uint64_t source,
                            const struct reference *reference, bool is_interned)
{
    const struct reference interned = {.kind = REFERENCE_WEAK, .label = LABEL_KEY_ITSELF};
    const struct weak_address weak = {
        source, reference->target_addr,
        label_code(builder->heap->labels, is_interned ? &interned : reference)};
    return array_push(&builder->weak, weak) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status add_references(struct heap_builder *builder, uint64_t source)
{
    const struct reference *references = builder->list.references.items;
    size_t count = builder->list.references.count;
    bool is_interned = source == builder->interned_addr;
    enum status status = STATUS_OK;
    if (builder->capacity - builder->edges < count)
        status = make_room(builder, count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct reference *reference = &references[i];
        if (reference->kind == REFERENCE_WEAK || is_interned) {
            status = add_weak(builder, source, reference, is_interned);
            continue;
        }
        uint32_t number, label = label_code(builder->heap->labels, reference);
        if (!meet(builder, reference->target_addr, &number, &status))
            continue; /* not alive there: a reference to memory that is no object */
        builder->targets[builder->edges] = number;
        builder->labels[builder->edges++] = label;
    }
    return status;
}

#define SURELY_SMALL 512 /* bytes: what a pool's block can hold */

/* Values that are one block of memory must have that memory: what looks like one
 * and claims more is something else (a table of C pointers, say). */
static bool has_its_memory(const struct python_process *process, const struct python_type *type,
                           uint64_t addr, uint64_t size)
{
    if (size <= SURELY_SMALL)
        return true;
    switch (type->kind) {
    case KIND_INT:
    case KIND_STR:
    case KIND_BYTES:
    case KIND_TUPLE: break;
    default: return true;
    }
    uint64_t header = object_header_bytes(process, type);
    return header > size || memory_view(process->image, addr, size - header) != NULL;
}

static enum status meet_type(struct heap_builder *builder, struct type_slot *type)
{
    enum status status = STATUS_OK;
    uint32_t number;
    type->is_met = true;
    meet(builder, type->addr, &number, &status);
    return status;
}

/* Reads the object and appends its row. */
static enum status visit(struct heap_builder *builder, uint64_t addr, struct record *ret_record)
{
    struct heap *heap = builder->heap;
    struct type_slot *type;
    uint64_t type_addr;
    struct record record = {0};
    enum status status =
        object_head(heap->process, &builder->list.window, addr, &record.refcount, &type_addr);
    if (status == STATUS_OK)
        status = find_type(builder, type_addr, &type);
    if (status != STATUS_OK)
        return status;
    record.type = type->index;
    status = object_references(heap->process, type->type, addr, &builder->list, &record.size);
    if (status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_OK)
        heap->damaged++;
    record.is_dead = !has_its_memory(heap->process, type->type, addr, record.size);
    status = STATUS_OK;
    if (!record.is_dead && !type->is_met)
        status = meet_type(builder, type);
    if (!record.is_dead && status == STATUS_OK)
        status = add_references(builder, addr);
    *ret_record = record;
    return status;
}

/* ---- all of them */

static enum status visit_one_early(struct heap_builder *builder, uint32_t number, uint64_t addr)
{
    struct heap *heap = builder->heap;
    struct record record;
    builder->first[number] = builder->edges;
    enum status status = visit(builder, addr, &record);
    if (status != STATUS_OK)
        return status;
    heap->type[number] = record.type;
    if (record.is_dead && !array_push(&builder->dead, number))
        return STATUS_NO_MEMORY;
    status = heap_column_set(&heap->sizes, number, record.size);
    return status == STATUS_OK ? heap_column_set(&heap->refcounts, number, record.refcount)
                               : status;
}

static enum status visit_early(struct heap_builder *builder)
{
    struct heap_words words = {0};
    enum status status = STATUS_OK;
    uint32_t number = 0, told = 0;
    while (status == STATUS_OK && heap_map_next_word(builder->heap->find.objects, &words)) {
        for (uint64_t bits = words.bits; bits && status == STATUS_OK; bits &= bits - 1)
            status = visit_one_early(builder, number++,
                                     words.addr + 8 * (uint64_t)__builtin_ctzll(bits));
        if (number - told >= 65536) {
            progress_update(builder->progress, "reading objects", "objects", number,
                            builder->early);
            told = number;
        }
    }
    return status;
}

static enum status visit_late(struct heap_builder *builder)
{
    enum status status = STATUS_OK;
    while (builder->pending.count && status == STATUS_OK) {
        uint32_t index = builder->pending.items[--builder->pending.count];
        uint64_t first = builder->edges;
        struct record record;
        status = visit(builder, builder->late.items[index].addr, &record);
        if (status != STATUS_OK)
            break;
        struct late_object *late = &builder->late.items[index];
        late->size = record.size;
        late->refcount = record.refcount;
        late->type = record.type;
        late->is_dead = record.is_dead;
        late->first_edge = first;
        late->edge_count = (uint32_t)(builder->edges - first);
    }
    return status;
}

static enum status allocate(struct heap_builder *builder)
{
    struct heap *heap = builder->heap;
    enum status status = heap_map_freeze(heap->find.objects, &builder->early);
    if (status != STATUS_OK)
        return status;
    builder->capacity = (uint64_t)builder->early * EDGES_AN_OBJECT + LEAST_EDGES;
    status = heap_column_init(&heap->sizes, builder->early);
    if (status == STATUS_OK)
        status = heap_column_init(&heap->refcounts, builder->early);
    if (status == STATUS_OK)
        status = graph_alloc(builder->early, sizeof *heap->type, (void **)&heap->type, NULL);
    if (status == STATUS_OK)
        status = graph_alloc(builder->early + UINT64_C(1), sizeof *builder->first,
                             (void **)&builder->first, NULL);
    if (status == STATUS_OK)
        status = graph_alloc(builder->capacity, sizeof *builder->targets,
                             (void **)&builder->targets, NULL);
    return status == STATUS_OK ? graph_alloc(builder->capacity, sizeof *builder->labels,
                                             (void **)&builder->labels, NULL)
                               : status;
}

static enum status read_all(struct heap_builder *builder, const struct outside_references *outside)
{
    uint32_t number;
    enum status status = allocate(builder);
    if (status == STATUS_OK)
        status = visit_early(builder);
    if (status != STATUS_OK)
        return status;
    builder->first[builder->early] = builder->edges;
    for (size_t i = 0; i < outside->items.count && status == STATUS_OK; i++)
        meet(builder, outside->items.items[i].addr, &number, &status);
    return status == STATUS_OK ? visit_late(builder) : status;
}

static void builder_destroy(struct heap_builder *builder)
{
    if (!builder)
        return;
    reference_list_deinit(&builder->list);
    array_deinit(&builder->late);
    address_map_deinit(&builder->late_numbers);
    array_deinit(&builder->pending);
    array_deinit(&builder->dead);
    graph_free(builder->first);
    graph_free(builder->targets);
    graph_free(builder->labels);
    array_deinit(&builder->weak);
    address_map_deinit(&builder->type_indices);
    free(builder);
}

enum status heap_build(struct python_process *process, const struct outside_references *outside,
                       struct progress *progress, struct heap *ret_heap, struct error *err)
{
    struct heap heap = {.process = process};
    struct heap_builder *builder = calloc(1, sizeof *builder);
    enum status status =
        builder ? heap_find_objects(process, progress, &heap.find) : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        builder->heap = &heap;
        builder->progress = progress;
        builder->interned_addr = outside->interned_addr;
        heap.labels = label_table_create(process);
        status = heap.labels ? read_all(builder, outside) : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        status = heap_number(builder);
    builder_destroy(builder);
    if (status != STATUS_OK) {
        heap_deinit(&heap);
        return error_set(err, status, "the heap: %s", status_name(status));
    }
    *ret_heap = heap;
    return STATUS_OK;
}

void heap_deinit(struct heap *heap)
{
    if (!heap)
        return;
    heap_find_deinit(&heap->find);
    heap_addresses_deinit(&heap->addresses);
    heap_column_deinit(&heap->sizes);
    heap_column_deinit(&heap->refcounts);
    graph_free(heap->type);
    graph_free(heap->flags);
    graph_free(heap->label);
    array_deinit(&heap->types);
    array_deinit(&heap->weak);
    graph_deinit(&heap->references);
    label_table_destroy(heap->labels);
    *heap = (struct heap){0};
}
