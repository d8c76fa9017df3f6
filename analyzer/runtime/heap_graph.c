/* SPDX-License-Identifier: Apache-2.0 */
/* Two passes. The first reads every object's references once, in order of
 * address, and meets those objects that neither list nor pool shows (static ones,
 * large ones); the second, when the addresses are all known, turns them into ids. */
#include "analyzer/runtime/heap_roots.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/progress.h"

struct record {
    uint64_t size;
    uint32_t type, edge_count;
};

/* What was read, in the order in which objects were visited. */
struct stream {
    ARRAY(struct record) records;
    ARRAY(uint64_t) targets;
    ARRAY(uint32_t) labels;
};

struct late_object {
    uint64_t addr;
    size_t record, first_edge;
};

struct weak_address {
    uint64_t source, target;
    uint32_t label;
};

#define TYPE_CACHE 1024

struct build {
    struct heap *heap;
    struct progress *progress;
    struct reference_list list;
    struct stream early, late;
    ARRAY(struct late_object) late_objects;
    ARRAY(uint64_t) pending; /* late objects still to be visited */
    ARRAY(struct weak_address) weak;
    struct {
        const struct python_type *type;
        uint32_t index;
    } type_cache[TYPE_CACHE];
    struct address_map type_indices; /* python_type addr -> index + 1 */
    uint64_t interned_addr;          /* the dict whose references don't count */
};

static void stream_deinit(struct stream *stream)
{
    array_deinit(&stream->records);
    array_deinit(&stream->targets);
    array_deinit(&stream->labels);
}

/* ---- types by dense index, in order of first meeting */

static enum status type_index(struct build *build, const struct python_type *type,
                              uint32_t *ret_index)
{
    size_t slot = (size_t)(type->addr >> 4) % TYPE_CACHE;
    if (build->type_cache[slot].type != type) {
        uintptr_t known = (uintptr_t)address_map_get(&build->type_indices, type->addr);
        if (!known) {
            known = build->heap->types.count + 1;
            if (!array_push(&build->heap->types, type) ||
                !address_map_put(&build->type_indices, type->addr, (const void *)known))
                return STATUS_NO_MEMORY;
        }
        build->type_cache[slot].type = type;
        build->type_cache[slot].index = (uint32_t)(known - 1);
    }
    *ret_index = build->type_cache[slot].index;
    return STATUS_OK;
}

/* ---- first pass */

static enum status meet(struct build *build, uint64_t addr)
{
    if (heap_map_has(build->heap->find.objects, addr) ||
        !object_alive_at(build->heap->process, addr) ||
        !heap_map_add(build->heap->find.objects, addr))
        return STATUS_OK;
    return array_push(&build->pending, addr) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status record_reference(struct build *build, struct stream *stream, uint64_t source,
                                    const struct reference *reference)
{
    uint32_t label;
    if (source == build->interned_addr) {
        const struct reference interned = {.kind = REFERENCE_WEAK, .label = LABEL_KEY_ITSELF};
        label = label_code(build->heap->labels, &interned);
    } else {
        label = label_code(build->heap->labels, reference);
    }
    if (reference->kind == REFERENCE_WEAK || source == build->interned_addr) {
        struct weak_address weak = {source, reference->target_addr, label};
        return array_push(&build->weak, weak) ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (!array_push(&stream->targets, reference->target_addr) ||
        !array_push(&stream->labels, label))
        return STATUS_NO_MEMORY;
    return meet(build, reference->target_addr);
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

static enum status visit(struct build *build, struct stream *stream, uint64_t addr)
{
    struct heap *heap = build->heap;
    struct record record = {0};
    const struct python_type *type;
    enum status status = object_type(heap->process, addr, &type);
    if (status == STATUS_OK)
        status = type_index(build, type, &record.type);
    if (status != STATUS_OK)
        return status;
    size_t before = stream->targets.count;
    status = object_references(heap->process, type, addr, &build->list, &record.size);
    if (status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_OK)
        heap->damaged++;
    if (!has_its_memory(heap->process, type, addr, record.size)) {
        heap_map_remove(heap->find.objects, addr);
        return STATUS_OK;
    }
    status = meet(build, type->addr);
    for (size_t i = 0; i < build->list.references.count && status == STATUS_OK; i++)
        status = record_reference(build, stream, addr, &build->list.references.items[i]);
    record.edge_count = (uint32_t)(stream->targets.count - before);
    if (status == STATUS_OK && !array_push(&stream->records, record))
        status = STATUS_NO_MEMORY;
    return status;
}

static enum status visit_late(struct build *build)
{
    enum status status = STATUS_OK;
    while (build->pending.count && status == STATUS_OK) {
        struct late_object late = {.addr = build->pending.items[--build->pending.count],
                                   .record = build->late.records.count,
                                   .first_edge = build->late.targets.count};
        status = visit(build, &build->late, late.addr);
        if (status == STATUS_OK && heap_map_has(build->heap->find.objects, late.addr) &&
            !array_push(&build->late_objects, late))
            status = STATUS_NO_MEMORY;
    }
    return status;
}

/* Objects that are met on the way are set aside, so the walk's order is that of
 * the map as it was found: a member counts as early while it is not pending. */
static enum status visit_early(struct build *build, const struct heap_map *early)
{
    struct heap_cursor cursor = {0};
    uint64_t addr, done = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && heap_map_next(early, &cursor, &addr)) {
        status = visit(build, &build->early, addr);
        if (++done % 65536 == 0)
            progress_update(build->progress, "reading objects", "objects", done,
                            build->heap->find.object_blocks);
    }
    return status;
}

static int compare_late(const void *left, const void *right)
{
    const struct late_object *a = left, *b = right;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/* ---- second pass */

static enum status allocate_columns(struct heap *heap)
{
    size_t count = (size_t)heap->count + 1;
    heap->address = malloc(count * sizeof *heap->address);
    heap->size = malloc(count * sizeof *heap->size);
    heap->refcount = malloc(count * sizeof *heap->refcount);
    heap->type = malloc(count * sizeof *heap->type);
    heap->flags = calloc(count, sizeof *heap->flags);
    return heap->address && heap->size && heap->refcount && heap->type && heap->flags
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

static enum status add_edges(struct build *build, struct graph_builder *rows, uint32_t id,
                             const struct stream *stream, size_t first, uint32_t count,
                             uint64_t *edges, struct error *err)
{
    struct heap *heap = build->heap;
    enum status status = STATUS_OK;
    for (size_t i = first; i < first + count && status == STATUS_OK; i++) {
        uint32_t target;
        if (!heap_map_id(heap->find.objects, stream->targets.items[i], &target))
            continue; /* not alive there: a reference to memory that is no object */
        status = graph_builder_edge(rows, id, target, err);
        heap->label[(*edges)++] = stream->labels.items[i];
    }
    return status;
}

static void fill_columns(struct heap *heap, uint32_t id, uint64_t addr, const struct record *record)
{
    heap->address[id] = addr;
    heap->size[id] = record->size;
    heap->type[id] = record->type;
    if (object_refcount(heap->process, addr, &heap->refcount[id]) != STATUS_OK)
        heap->refcount[id] = 0;
    if (heap_map_has(heap->find.tracked, addr))
        heap->flags[id] |= HEAP_TRACKED;
}

static enum status number(struct build *build, struct graph_builder *rows, struct error *err)
{
    struct heap *heap = build->heap;
    struct heap_cursor cursor = {0};
    uint64_t addr, edges = 0;
    size_t early = 0, early_edge = 0, late = 0;
    enum status status = STATUS_OK;
    for (uint32_t id = 0; status == STATUS_OK && heap_map_next(heap->find.objects, &cursor, &addr);
         id++) {
        if (late < build->late_objects.count && build->late_objects.items[late].addr == addr) {
            const struct late_object *object = &build->late_objects.items[late++];
            const struct record *record = &build->late.records.items[object->record];
            fill_columns(heap, id, addr, record);
            status = add_edges(build, rows, id, &build->late, object->first_edge,
                               record->edge_count, &edges, err);
        } else if (early < build->early.records.count) {
            const struct record *record = &build->early.records.items[early++];
            fill_columns(heap, id, addr, record);
            status = add_edges(build, rows, id, &build->early, early_edge, record->edge_count,
                               &edges, err);
            early_edge += record->edge_count;
        } else {
            status = STATUS_CORRUPT;
        }
        if (id % 65536 == 0)
            progress_update(build->progress, "numbering objects", "objects", id, heap->count);
    }
    return status;
}

static int compare_weak(const void *left, const void *right)
{
    const struct weak_reference *a = left, *b = right;
    return a->source != b->source  ? (a->source < b->source ? -1 : 1)
           : a->target < b->target ? -1
                                   : a->target > b->target;
}

static enum status number_weak(struct build *build)
{
    struct heap *heap = build->heap;
    for (size_t i = 0; i < build->weak.count; i++) {
        struct weak_reference weak = {.label = build->weak.items[i].label};
        if (!heap_map_id(heap->find.objects, build->weak.items[i].source, &weak.source) ||
            !heap_map_id(heap->find.objects, build->weak.items[i].target, &weak.target))
            continue;
        if (!array_push(&heap->weak, weak))
            return STATUS_NO_MEMORY;
    }
    if (heap->weak.count)
        qsort(heap->weak.items, heap->weak.count, sizeof *heap->weak.items, compare_weak);
    return STATUS_OK;
}

static enum status second_pass(struct build *build, struct error *err)
{
    struct heap *heap = build->heap;
    struct graph_builder rows;
    enum status status = heap_map_freeze(heap->find.objects, &heap->count);
    if (build->late_objects.count)
        qsort(build->late_objects.items, build->late_objects.count,
              sizeof *build->late_objects.items, compare_late);
    uint64_t edges = build->early.targets.count + build->late.targets.count;
    if (status == STATUS_OK)
        status = allocate_columns(heap);
    heap->label = malloc((edges + 1) * sizeof *heap->label);
    if (status == STATUS_OK && !heap->label)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = graph_builder_init(&rows, heap->count, 0, heap->count, edges, err);
    if (status != STATUS_OK)
        return status;
    status = number(build, &rows, err);
    if (status == STATUS_OK)
        status = graph_build(&rows, 1, &heap->references, err);
    graph_builder_deinit(&rows);
    if (status == STATUS_OK)
        status = number_weak(build);
    return status;
}

static enum status first_pass(struct build *build, const struct outside_references *outside)
{
    struct heap *heap = build->heap;
    struct heap_map *early;
    enum status status = heap_map_copy(heap->find.objects, &early);
    if (status != STATUS_OK)
        return status;
    status = visit_early(build, early);
    heap_map_destroy(early);
    for (size_t i = 0; i < outside->items.count && status == STATUS_OK; i++)
        status = meet(build, outside->items.items[i].addr);
    if (status == STATUS_OK)
        status = visit_late(build);
    return status;
}

enum status heap_build(struct python_process *process, const struct outside_references *outside,
                       struct progress *progress, struct heap *ret_heap, struct error *err)
{
    struct heap heap = {.process = process};
    struct build *build = calloc(1, sizeof *build);
    enum status status =
        build ? heap_find_objects(process, progress, &heap.find) : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        build->heap = &heap;
        build->progress = progress;
        build->interned_addr = outside->interned_addr;
        heap.labels = label_table_create(process);
        status = heap.labels ? first_pass(build, outside) : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        status = second_pass(build, err);
    if (build) {
        stream_deinit(&build->early);
        stream_deinit(&build->late);
        reference_list_deinit(&build->list);
        array_deinit(&build->late_objects);
        array_deinit(&build->pending);
        array_deinit(&build->weak);
        address_map_deinit(&build->type_indices);
        free(build);
    }
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
    free(heap->address);
    free(heap->size);
    free(heap->refcount);
    free(heap->type);
    free(heap->flags);
    free(heap->label);
    array_deinit(&heap->types);
    array_deinit(&heap->weak);
    graph_deinit(&heap->references);
    label_table_destroy(heap->labels);
    *heap = (struct heap){0};
}
