/* SPDX-License-Identifier: Apache-2.0 */
/* From the numbers by which objects are known while they are read to ids in
 * order of address. The late ones are mostly few and their places far apart, so
 * everything is moved within its arrays, from the end on: nothing moves down.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/graph/memory.h"
#include "analyzer/runtime/heap_build.h"

/* A late object where it belongs: behind `below` early ones. */
struct place {
    uint64_t addr;
    uint32_t below, index;
};

struct numbering {
    struct heap_builder *builder;
    struct place *places; /* of the late ones that are alive, by address */
    uint32_t place_count;
    uint32_t *renamed;                    /* number -> id, GRAPH_NONE: dead */
    uint32_t *late_targets, *late_labels; /* rows of the late ones, */
    uint64_t late_begin;                  /* which begin with this edge */
};

/* ---- early ones that are dead (rare): those behind close up */

static enum status drop_dead(struct heap_builder *builder)
{
    struct heap *heap = builder->heap;
    uint32_t *renamed, kept = 0, early = builder->early, dead = 0;
    uint64_t edge = 0;
    if (!builder->all->dead.count)
        return STATUS_OK;
    enum status status = graph_alloc(early, sizeof *renamed, (void **)&renamed, NULL);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < early; i++) {
        uint64_t begin = builder->first[i], size = builder->first[i + UINT64_C(1)] - begin;
        if (dead < builder->all->dead.count && builder->all->dead.items[dead] == i) {
            dead++; /* its row is empty */
            renamed[i] = GRAPH_NONE;
            continue;
        }
        builder->first[kept] = edge;
        edge += size;
        heap->type[kept] = heap->type[i];
        heap->sizes.low[kept] = heap->sizes.low[i];
        heap->refcounts.low[kept] = heap->refcounts.low[i];
        renamed[i] = kept++;
    }
    builder->first[kept] = edge;
    for (uint64_t i = 0; i < builder->all->edges; i++) {
        uint32_t *target = &builder->all->targets[i];
        if (*target == GRAPH_NONE)
            continue;
        if (*target >= early)
            *target -= dead;
        else
            *target = renamed[*target];
    }
    heap_column_rename(&heap->sizes, renamed);
    heap_column_rename(&heap->refcounts, renamed);
    graph_free(renamed);
    builder->early = kept;
    return STATUS_OK;
}

/* Their addresses, before the map forgets them. */
static enum status forget_dead(struct heap_builder *builder)
{
    struct heap_map *objects = builder->heap->find.objects;
    struct heap_words words = {0};
    uint32_t number = 0, dead = 0, count;
    while (dead < builder->all->dead.count && heap_map_next_word(objects, &words)) {
        for (uint64_t bits = words.bits; bits; bits &= bits - 1, number++)
            if (dead < builder->all->dead.count && builder->all->dead.items[dead] == number) {
                heap_map_remove(objects, words.addr + 8 * (uint64_t)__builtin_ctzll(bits));
                dead++;
            }
    }
    return dead ? heap_map_freeze(objects, &count) : STATUS_OK;
}

/* ---- the places of the late ones */

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static enum status find_places(struct numbering *numbering)
{
    struct heap_builder *builder = numbering->builder;
    struct heap_map *objects = builder->heap->find.objects;
    numbering->places = malloc((builder->late.count + 1) * sizeof *numbering->places);
    if (!numbering->places)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < builder->late.count; i++) {
        const struct late_object *late = &builder->late.items[i];
        if (!late->is_dead)
            numbering->places[numbering->place_count++] =
                (struct place){late->addr, heap_map_below(objects, late->addr), (uint32_t)i};
    }
    if (numbering->place_count)
        qsort(numbering->places, numbering->place_count, sizeof *numbering->places, compare_places);
    for (uint32_t i = 0; i < numbering->place_count; i++)
        heap_map_add(objects, numbering->places[i].addr);
    return heap_map_freeze(objects, &builder->heap->count);
}

static enum status rename_all(struct numbering *numbering)
{
    const struct heap_builder *builder = numbering->builder;
    uint32_t early = builder->early, passed = 0;
    uint64_t count = early + (uint64_t)builder->late.count;
    enum status status =
        graph_alloc(count, sizeof *numbering->renamed, (void **)&numbering->renamed, NULL);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < early; i++) {
        while (passed < numbering->place_count && numbering->places[passed].below <= i)
            passed++;
        numbering->renamed[i] = i + passed;
    }
    for (size_t i = 0; i < builder->late.count; i++)
        numbering->renamed[early + i] = GRAPH_NONE;
    for (uint32_t i = 0; i < numbering->place_count; i++)
        numbering->renamed[early + numbering->places[i].index] = numbering->places[i].below + i;
    return STATUS_OK;
}

/* ---- moving */

/* Puts the rows of the late ones aside, and makes room for their columns. */
static enum status prepare(struct numbering *numbering)
{
    struct heap_builder *builder = numbering->builder;
    struct heap *heap = builder->heap;
    uint64_t begin = builder->first[builder->early], late = builder->all->edges - begin;
    enum status status =
        graph_alloc(late, sizeof(uint32_t), (void **)&numbering->late_targets, NULL);
    if (status == STATUS_OK)
        status = graph_alloc(late, sizeof(uint32_t), (void **)&numbering->late_labels, NULL);
    if (status == STATUS_OK)
        status = heap_column_resize(&heap->sizes, heap->count);
    if (status == STATUS_OK)
        status = heap_column_resize(&heap->refcounts, heap->count);
    if (status == STATUS_OK)
        status = graph_resize((void **)&heap->type, heap->count, sizeof *heap->type, NULL);
    if (status == STATUS_OK)
        status = graph_resize((void **)&builder->first, heap->count + UINT64_C(1),
                              sizeof *builder->first, NULL);
    if (status != STATUS_OK)
        return status;
    memcpy(numbering->late_targets, builder->all->targets + begin, late * sizeof(uint32_t));
    memcpy(numbering->late_labels, builder->all->labels + begin, late * sizeof(uint32_t));
    numbering->late_begin = begin;
    heap_column_rename(&heap->sizes, numbering->renamed);
    heap_column_rename(&heap->refcounts, numbering->renamed);
    return STATUS_OK;
}

/* Puts a row, from its end on, in front of `edge`; where it begins then.
 * References to what is dead are left out. */
static uint64_t place_row(const struct numbering *numbering, const uint32_t *targets,
                          const uint32_t *labels, uint64_t count, uint64_t edge)
{
    struct heap_builder *builder = numbering->builder;
    while (count-- > 0) {
        uint32_t target = targets[count];
        if (target != GRAPH_NONE)
            target = numbering->renamed[target];
        if (target == GRAPH_NONE)
            continue;
        builder->all->targets[--edge] = target;
        builder->all->labels[edge] = labels[count];
    }
    return edge;
}

static enum status place_late(const struct numbering *numbering, uint32_t id,
                              const struct late_object *late, uint64_t *edge)
{
    struct heap *heap = numbering->builder->heap;
    uint64_t skip = late->first_edge - numbering->late_begin;
    *edge = place_row(numbering, numbering->late_targets + skip, numbering->late_labels + skip,
                      late->edge_count, *edge);
    heap->type[id] = late->type;
    enum status status = heap_column_set(&heap->sizes, id, late->size);
    return status == STATUS_OK ? heap_column_set(&heap->refcounts, id, late->refcount) : status;
}

static void place_early(const struct numbering *numbering, uint32_t id, uint32_t number,
                        uint64_t begin, uint64_t end, uint64_t *edge)
{
    struct heap_builder *builder = numbering->builder;
    struct heap *heap = builder->heap;
    *edge = place_row(numbering, builder->all->targets + begin, builder->all->labels + begin,
                      end - begin, *edge);
    heap->type[id] = heap->type[number];
    heap->sizes.low[id] = heap->sizes.low[number];
    heap->refcounts.low[id] = heap->refcounts.low[number];
}

/* Closes the gap that left-out references made at the start. */
static void close_gap(struct heap_builder *builder, uint64_t gap)
{
    uint64_t left = builder->all->edges - gap;
    if (!gap)
        return;
    memmove(builder->all->targets, builder->all->targets + gap,
            left * sizeof *builder->all->targets);
    memmove(builder->all->labels, builder->all->labels + gap, left * sizeof *builder->all->labels);
    for (uint64_t i = 0; i <= builder->heap->count; i++)
        builder->first[i] -= gap;
    builder->all->edges = left;
}

static enum status move_all(struct numbering *numbering)
{
    struct heap_builder *builder = numbering->builder;
    uint32_t number = builder->early, place = numbering->place_count;
    uint64_t edge = builder->all->edges, end = builder->first[number];
    enum status status = STATUS_OK;
    for (uint32_t id = builder->heap->count; id-- > 0 && status == STATUS_OK;) {
        uint64_t row_end = edge;
        if (place && numbering->places[place - 1].below == number) {
            uint32_t index = numbering->places[--place].index;
            status = place_late(numbering, id, &builder->late.items[index], &edge);
        } else {
            uint64_t begin = builder->first[--number];
            place_early(numbering, id, number, begin, end, &edge);
            end = begin;
        }
        builder->first[id + UINT64_C(1)] = row_end;
    }
    builder->first[0] = edge;
    close_gap(builder, edge);
    heap_column_sort(&builder->heap->sizes);
    heap_column_sort(&builder->heap->refcounts);
    return status;
}

/* ---- what the maps tell */

static enum status fill_columns(struct heap *heap)
{
    struct heap_words words = {0};
    uint32_t id = 0;
    enum status status = heap_addresses_init(&heap->addresses, heap->count);
    if (status == STATUS_OK)
        status = graph_alloc(heap->count, sizeof *heap->flags, (void **)&heap->flags, NULL);
    while (status == STATUS_OK && heap_map_next_word(heap->find.objects, &words)) {
        uint64_t tracked = heap_map_word_at(heap->find.tracked, &words);
        for (uint64_t bits = words.bits; bits && status == STATUS_OK; bits &= bits - 1, id++) {
            unsigned bit = (unsigned)__builtin_ctzll(bits);
            heap->flags[id] = tracked >> bit & 1 ? HEAP_TRACKED : 0;
            status = heap_addresses_set(&heap->addresses, id, words.addr + 8 * (uint64_t)bit);
        }
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

static enum status number_weak(struct heap_builder *builder)
{
    struct heap *heap = builder->heap;
    for (size_t i = 0; i < builder->all->weak.count; i++) {
        struct weak_reference weak = {.label = builder->all->weak.items[i].label};
        if (!heap_map_id(heap->find.objects, builder->all->weak.items[i].source, &weak.source) ||
            !heap_map_id(heap->find.objects, builder->all->weak.items[i].target, &weak.target))
            continue;
        if (!array_push(&heap->weak, weak))
            return STATUS_NO_MEMORY;
    }
    if (heap->weak.count)
        qsort(heap->weak.items, heap->weak.count, sizeof *heap->weak.items, compare_weak);
    return STATUS_OK;
}

/* What was kept free for more references is given back. */
static enum status hand_over(struct heap_builder *builder)
{
    struct heap *heap = builder->heap;
    enum status status = graph_resize((void **)&builder->all->targets, builder->all->edges,
                                      sizeof *builder->all->targets, NULL);
    if (status == STATUS_OK)
        status = graph_resize((void **)&builder->all->labels, builder->all->edges,
                              sizeof *builder->all->labels, NULL);
    if (status != STATUS_OK)
        return status;
    heap->references = (struct graph){.node_count = heap->count,
                                      .edge_count = builder->all->edges,
                                      .first = builder->first,
                                      .targets = builder->all->targets};
    heap->label = builder->all->labels;
    builder->first = NULL;
    builder->all->targets = builder->all->labels = NULL;
    return STATUS_OK;
}

/* What the first piece has by now of the whole heap. */
static void take_over(struct heap_builder *builder)
{
    struct heap *heap = builder->heap;
    struct heap_piece *all = builder->all;
    heap->sizes = all->sizes;
    heap->refcounts = all->refcounts;
    heap->types.items = all->types.items;
    heap->types.count = all->types.count;
    heap->types.capacity = all->types.capacity;
    heap->labels = all->table;
    all->sizes = all->refcounts = (struct heap_column){0};
    all->types.items = NULL;
    all->table = NULL;
    heap->damaged = all->damaged;
}

enum status heap_number(struct heap_builder *builder)
{
    struct numbering numbering = {.builder = builder};
    take_over(builder);
    enum status status = forget_dead(builder);
    if (status == STATUS_OK)
        status = drop_dead(builder);
    if (status == STATUS_OK)
        status = find_places(&numbering);
    if (status == STATUS_OK)
        status = rename_all(&numbering);
    if (status == STATUS_OK)
        status = prepare(&numbering);
    if (status == STATUS_OK)
        status = move_all(&numbering);
    free(numbering.places);
    graph_free(numbering.renamed);
    graph_free(numbering.late_targets);
    graph_free(numbering.late_labels);
    if (status == STATUS_OK)
        status = hand_over(builder);
    if (status == STATUS_OK)
        status = fill_columns(builder->heap);
    heap_map_destroy(builder->heap->find.tracked); /* the flags have it */
    builder->heap->find.tracked = NULL;
    return status == STATUS_OK ? number_weak(builder) : status;
}
