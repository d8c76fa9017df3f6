/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "analyzer/graph/memory.h"
#include "analyzer/runtime/heap_build.h"

#define THREADS       2
#define PIECE_OBJECTS 4096 /* at least, for what a piece costs to pay */
#define LATE_SHARE    64 /* one in so many: the room for them, what is not written to takes none */

/* Bytes looked at beside the objects, for each that there is: values are, and their names,
 * which many objects share. */
#define LOOKED_A_WORD 4
#define LEAST_LOOKED  (UINT64_C(1) << 20)

/* ---- the early ones */

static enum status allocate(struct heap_builder *builder)
{
    struct heap *heap = builder->heap;
    enum status status = heap_map_freeze(heap->find.objects, &builder->early);
    uint64_t room = builder->early + (uint64_t)builder->early / LATE_SHARE;
    if (status == STATUS_OK)
        status = heap_column_init(&heap->sizes, room);
    if (status == STATUS_OK)
        status = heap_column_init(&heap->refcounts, room);
    if (status == STATUS_OK)
        status = graph_alloc(room, sizeof *heap->type, (void **)&heap->type, NULL);
    return status == STATUS_OK ? heap_column_init(&builder->degrees, builder->early) : status;
}

static enum status create_pieces(struct heap_builder *builder)
{
    uint64_t early = builder->early, wanted = early / PIECE_OBJECTS;
    unsigned count = wanted < 1 ? 1 : wanted > HEAP_PIECES ? HEAP_PIECES : (unsigned)wanted;
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
        status = heap_piece_create(builder, (uint32_t)(early * i / count),
                                   (uint32_t)(early * (i + 1) / count), &builder->pieces[i]);
        builder->piece_count += status == STATUS_OK;
    }
    builder->all = builder->pieces[0];
    return status;
}

static enum status read_piece(void *context, struct error *err)
{
    return heap_piece_read(context, err);
}

static uint64_t all_looked(const struct heap_builder *builder)
{
    uint64_t looked = 0;
    for (unsigned i = 0; i < builder->piece_count; i++)
        looked += builder->pieces[i]->list.looked;
    return looked;
}

/* Objects whose tables overlap: one after the other, until as much was looked at as there is. */
static enum status read_in_turn(struct heap_builder *builder)
{
    struct error err = {0};
    uint64_t looked = 0, most = 8 * builder->heap->process->most_references + LEAST_LOOKED;
    for (; builder->piece_count; builder->piece_count--)
        heap_piece_destroy(builder->pieces[builder->piece_count - 1]);
    builder->most_looked = UINT64_MAX;
    atomic_store(&builder->is_overlapping, false);
    enum status status = create_pieces(builder);
    for (unsigned i = 0; i < builder->piece_count && status == STATUS_OK; i++) {
        struct reference_list *list = &builder->pieces[i]->list;
        list->looked = looked;
        list->most = most;
        status = heap_piece_read(builder->pieces[i], &err);
        looked = list->looked;
        builder->all->list.looked = looked; /* the late ones go on with it */
    }
    return status;
}

static enum status read_early(struct heap_builder *builder)
{
    struct graph_task tasks[HEAP_PIECES];
    struct error err = {0};
    builder->most_looked =
        LOOKED_A_WORD * 8 * builder->heap->process->most_references + LEAST_LOOKED;
    for (unsigned i = 0; i < builder->piece_count; i++)
        tasks[i] = (struct graph_task){read_piece, builder->pieces[i]};
    enum status status = graph_run(tasks, builder->piece_count, THREADS, &err);
    uint64_t looked = all_looked(builder);
    if (status == STATUS_OK && (builder->is_overlapping || looked > builder->most_looked))
        return read_in_turn(builder);
    builder->all->list.looked = looked;
    builder->all->list.most = builder->most_looked;
    return status;
}

static enum status visit_early(struct heap_builder *builder)
{
    enum status status = references_prepare_all(builder->heap->process);
    if (status == STATUS_OK)
        status = create_pieces(builder);
    if (status == STATUS_OK)
        status = read_early(builder);
    return status == STATUS_OK ? heap_join(builder->pieces, builder->piece_count) : status;
}

/* ---- the late ones */

static enum status visit_one_late(struct heap_builder *builder, uint32_t index)
{
    struct heap_piece *all = builder->all;
    struct late_object *late = &builder->late.items[index];
    struct heap_record record;
    late->addr = all->late.items[index];
    late->first_edge = all->edges;
    enum status status = heap_piece_visit(all, late->addr, &record);
    if (status != STATUS_OK)
        return status;
    late->size = record.size;
    late->refcount = record.refcount;
    late->type = record.type;
    late->is_dead = record.is_dead;
    late->edge_count = (uint32_t)(all->edges - late->first_edge);
    return STATUS_OK;
}

/* Each leads to more: those that were met last come first. */
static enum status visit_late(struct heap_builder *builder)
{
    ARRAY(uint32_t) pending = {0};
    enum status status = STATUS_OK;
    size_t met = 0;
    do {
        for (; met < builder->all->late.count && status == STATUS_OK; met++)
            if (!array_push(&pending, (uint32_t)met))
                status = STATUS_NO_MEMORY;
        if (!array_reserve(&builder->late, met - builder->late.count))
            status = STATUS_NO_MEMORY;
        builder->late.count = status == STATUS_OK ? met : builder->late.count;
        if (pending.count && status == STATUS_OK)
            status = visit_one_late(builder, pending.items[--pending.count]);
    } while (status == STATUS_OK && (pending.count || met < builder->all->late.count));
    array_deinit(&pending);
    return status;
}

static enum status read_all(struct heap_builder *builder, const struct outside_references *outside)
{
    uint32_t number;
    enum status status = allocate(builder);
    if (status == STATUS_OK)
        status = visit_early(builder);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < outside->items.count && status == STATUS_OK; i++) {
        const struct outside_reference *reference = &outside->items.items[i];
        heap_piece_meet(builder->all, reference->addr, reference->certainty != OUTSIDE_WORD,
                        &number, &status);
    }
    return status == STATUS_OK ? visit_late(builder) : status;
}

static struct heap_builder *builder_create(struct heap *heap, struct progress *progress,
                                           uint64_t interned_addr)
{
    struct heap_builder *builder = calloc(1, sizeof *builder);
    if (!builder)
        return NULL;
    builder->heap = heap;
    builder->progress = progress;
    builder->interned_addr = interned_addr;
    pthread_mutex_init(&builder->telling, NULL);
    return builder;
}

static void builder_destroy(struct heap_builder *builder)
{
    if (!builder)
        return;
    for (unsigned i = 0; i < builder->piece_count; i++)
        heap_piece_destroy(builder->pieces[i]);
    array_deinit(&builder->late);
    heap_column_deinit(&builder->degrees);
    pthread_mutex_destroy(&builder->telling);
    free(builder);
}

enum status heap_build(struct python_process *process, const struct outside_references *outside,
                       struct progress *progress, struct heap *ret_heap, struct error *err)
{
    struct heap heap = {.process = process};
    struct heap_builder *builder = builder_create(&heap, progress, outside->interned_addr);
    enum status status =
        builder ? heap_find_objects(process, progress, &heap.find) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = read_all(builder, outside);
    if (status == STATUS_OK)
        status = heap_number(builder, THREADS);
    if (status == STATUS_OK)
        status = heap_parts_find(&heap);
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
    array_deinit(&heap->parts);
    graph_free(heap->type);
    graph_free(heap->tracked);
    graph_free(heap->label);
    array_deinit(&heap->types);
    array_deinit(&heap->weak);
    graph_deinit(&heap->references);
    label_table_destroy(heap->labels);
    *heap = (struct heap){0};
}
