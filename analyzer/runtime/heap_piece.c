/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "analyzer/graph/memory.h"
#include "analyzer/objects/fields.h"
#include "analyzer/runtime/heap_build.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/progress.h"

#define EDGES_AN_OBJECT                                                                            \
    3 /* expected: what is not written to takes no memory                                          \
       */
#define LEAST_EDGES 1024
#define TELL_EVERY  65536 /* objects */
#define TELL_LOOKS  65536 /* bytes */

static enum status take_references(struct reference_list *list, uint64_t addr);

enum status heap_piece_create(struct heap_builder *builder, uint32_t begin, uint32_t end,
                              struct heap_piece **ret_piece)
{
    struct heap_piece *piece = calloc(1, sizeof *piece);
    if (!piece)
        return STATUS_NO_MEMORY;
    piece->builder = builder;
    piece->begin = begin;
    piece->end = end;
    piece->capacity = (uint64_t)(end - begin) * EDGES_AN_OBJECT + LEAST_EDGES;
    piece->list.take = take_references;
    piece->list.context = piece;
    piece->sizes.low = builder->heap->sizes.low;
    piece->refcounts.low = builder->heap->refcounts.low;
    piece->degrees.low = builder->degrees.low;
    piece->table = label_table_create(builder->heap->process);
    enum status status = piece->table ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status =
            graph_alloc(piece->capacity, sizeof *piece->targets, (void **)&piece->targets, NULL);
    if (status == STATUS_OK)
        status = graph_alloc(piece->capacity, sizeof *piece->labels, (void **)&piece->labels, NULL);
    if (status == STATUS_OK)
        *ret_piece = piece;
    else
        heap_piece_destroy(piece);
    return status;
}

void heap_piece_destroy(struct heap_piece *piece)
{
    if (!piece)
        return;
    reference_list_deinit(&piece->list);
    graph_free(piece->targets);
    graph_free(piece->labels);
    array_deinit(&piece->sizes.wide);
    array_deinit(&piece->refcounts.wide);
    array_deinit(&piece->degrees.wide);
    label_table_destroy(piece->table);
    array_deinit(&piece->types);
    address_map_deinit(&piece->type_indices);
    array_deinit(&piece->late);
    address_map_deinit(&piece->late_numbers);
    array_deinit(&piece->dead);
    array_deinit(&piece->weak);
    free(piece->type_map);
    free(piece->label_map);
    free(piece->late_map);
    free(piece);
}

/* ---- types by dense index, in order of first meeting */

static enum status know_type(struct heap_piece *piece, uint64_t type_addr, struct type_slot *slot)
{
    const struct python_type *type;
    enum status status = type_at(piece->builder->heap->process, type_addr, &type);
    if (status != STATUS_OK)
        return status;
    uintptr_t known = (uintptr_t)address_map_get(&piece->type_indices, type_addr);
    if (!known) {
        known = piece->types.count + 1;
        if (!array_push(&piece->types, type) ||
            !address_map_put(&piece->type_indices, type_addr, (const void *)known))
            return STATUS_NO_MEMORY;
    }
    *slot = (struct type_slot){type_addr, type, (uint32_t)(known - 1), false};
    return STATUS_OK;
}

static enum status find_type(struct heap_piece *piece, uint64_t type_addr,
                             struct type_slot **ret_slot)
{
    struct type_slot *slot = &piece->type_cache[(type_addr >> 4) % TYPE_CACHE];
    *ret_slot = slot;
    return slot->addr == type_addr ? STATUS_OK : know_type(piece, type_addr, slot);
}

/* ---- one object */

static bool meet_late(struct heap_piece *piece, uint64_t addr, bool is_surely_one,
                      uint32_t *ret_number, enum status *status)
{
    const struct heap_builder *builder = piece->builder;
    uintptr_t known = (uintptr_t)address_map_get(&piece->late_numbers, addr);
    if (!known) {
        if (!heap_map_fits(builder->heap->find.objects, addr) ||
            !object_may_be_at(builder->heap->process, addr, is_surely_one))
            return false;
        known = piece->late.count + 1;
        if (piece->late.count >= GRAPH_MAX_NODES - builder->early)
            *status = STATUS_OVER_LIMIT;
        else if (!array_push(&piece->late, addr) ||
                 !address_map_put(&piece->late_numbers, addr, (const void *)known))
            *status = STATUS_NO_MEMORY;
    }
    *ret_number = builder->early + (uint32_t)(known - 1);
    return *status == STATUS_OK;
}

bool heap_piece_meet(struct heap_piece *piece, uint64_t addr, bool is_surely_one,
                     uint32_t *ret_number, enum status *status)
{
    struct met_slot *met = &piece->met_cache[(addr >> 4 ^ addr >> 14) % MET_CACHE];
    if (met->addr == addr) {
        *ret_number = met->number;
        return true;
    }
    if (!heap_map_id(piece->builder->heap->find.objects, addr, ret_number) &&
        !meet_late(piece, addr, is_surely_one, ret_number, status))
        return false;
    *met = (struct met_slot){addr, *ret_number};
    return true;
}

static enum status make_room(struct heap_piece *piece, uint64_t extra)
{
    uint64_t capacity = piece->capacity + piece->capacity / 2 + extra;
    enum status status =
        graph_resize((void **)&piece->targets, capacity, sizeof *piece->targets, NULL);
    if (status == STATUS_OK)
        status = graph_resize((void **)&piece->labels, capacity, sizeof *piece->labels, NULL);
    if (status == STATUS_OK)
        piece->capacity = capacity;
    return status;
}

static enum status add_weak(struct heap_piece *piece, uint64_t source,
                            const struct reference *reference, bool is_interned)
{
    const struct reference interned = {.kind = REFERENCE_WEAK, .label = LABEL_KEY_ITSELF};
    const struct weak_address weak = {
        source, reference->target_addr,
        label_code(piece->table, is_interned ? &interned : reference)};
    return array_push(&piece->weak, weak) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status add_references(struct heap_piece *piece, uint64_t source)
{
    const struct reference *references = piece->list.references.items;
    size_t count = piece->list.references.count;
    bool is_interned = source == piece->builder->interned_addr;
    enum status status = STATUS_OK;
    if (piece->capacity - piece->edges < count)
        status = make_room(piece, count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct reference *reference = &references[i];
        if (reference->kind == REFERENCE_WEAK || is_interned) {
            status = add_weak(piece, source, reference, is_interned);
            continue;
        }
        uint32_t number, label = label_code(piece->table, reference);
        bool is_sure = reference->kind != REFERENCE_INFERRED;
        if (!heap_piece_meet(piece, reference->target_addr, is_sure, &number, &status))
            continue; /* not alive there: a reference to memory that is no object */
        piece->targets[piece->edges] = number;
        piece->labels[piece->edges++] = label;
    }
    return status;
}

#define SURELY_SMALL 512 /* bytes: what a pool's block can hold */

/* What is beside its block (characters of a subclass's instance, UTF-8) counts in its
 * size, and is no matter here. */
static bool str_has_its_block(const struct python_process *process, uint64_t addr)
{
    struct str_view view;
    if (str_view_raw(process, addr, &view) != STATUS_OK || !view.is_compact)
        return true;
    return memory_view(process->image, view.data_addr, (view.length + 1) * view.kind) != NULL;
}

/* Values that are one block of memory must have that memory: what looks like
 * one and claims more is something else (a table of C pointers, say). */
static bool has_its_memory(const struct python_process *process, const struct python_type *type,
                           uint64_t addr, uint64_t size)
{
    if (size <= SURELY_SMALL)
        return true;
    switch (type->kind) {
    case KIND_STR: return str_has_its_block(process, addr);
    case KIND_INT:
    case KIND_BYTES:
    case KIND_TUPLE: break;
    default: return true;
    }
    uint64_t header = object_header_bytes(process, type);
    return header > size || memory_view(process->image, addr, size - header) != NULL;
}

static enum status meet_type(struct heap_piece *piece, struct type_slot *type)
{
    enum status status = STATUS_OK;
    uint32_t number;
    type->is_met = true;
    heap_piece_meet(piece, type->addr, true, &number, &status);
    return status;
}

/* What the list has, which is not all of an object that has very many. */
static enum status take_references(struct reference_list *list, uint64_t addr)
{
    struct heap_piece *piece = list->context;
    enum status status = piece->type->is_met ? STATUS_OK : meet_type(piece, piece->type);
    if (status == STATUS_OK)
        status = add_references(piece, addr);
    list->references.count = 0;
    return status;
}

enum status heap_piece_visit(struct heap_piece *piece, uint64_t addr,
                             struct heap_record *ret_record)
{
    struct python_process *process = piece->builder->heap->process;
    struct type_slot *type;
    uint64_t type_addr, refcount, size, first_edge = piece->edges;
    enum status status = object_head(process, &piece->list.window, addr, &refcount, &type_addr);
    if (status == STATUS_OK)
        status = find_type(piece, type_addr, &type);
    if (status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_OK) {
        *ret_record = (struct heap_record){.is_dead = true};
        return STATUS_OK;
    }
    piece->type = type;
    status = object_references(process, type->type, addr, &piece->list, &size);
    if (status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_OK)
        piece->damaged++;
    bool is_dead = !has_its_memory(process, type->type, addr, size);
    if (is_dead)
        piece->edges = first_edge;
    /* field by field: a copy of the whole would wait for what was just written in parts */
    ret_record->size = size;
    ret_record->refcount = refcount;
    ret_record->type = type->index;
    ret_record->is_dead = is_dead;
    return is_dead ? STATUS_OK : take_references(&piece->list, addr);
}

/* ---- the early ones */

static enum status visit_one(struct heap_piece *piece, uint32_t number, uint64_t addr)
{
    struct heap_record record;
    uint64_t first_edge = piece->edges;
    enum status status = heap_piece_visit(piece, addr, &record);
    if (status != STATUS_OK)
        return status;
    piece->builder->heap->type[number] = record.type;
    if (record.is_dead && !array_push(&piece->dead, number))
        return STATUS_NO_MEMORY;
    status = heap_column_set(&piece->degrees, number, piece->edges - first_edge);
    if (status == STATUS_OK)
        status = heap_column_set(&piece->sizes, number, record.size);
    return status == STATUS_OK ? heap_column_set(&piece->refcounts, number, record.refcount)
                               : status;
}

/* Where another thread is telling, that will do. */
static void tell(struct heap_builder *builder, uint32_t count)
{
    uint64_t read = atomic_fetch_add(&builder->read, count) + count;
    if (pthread_mutex_trylock(&builder->telling) != 0)
        return;
    progress_update(builder->progress, "reading objects", "objects", read, builder->early);
    pthread_mutex_unlock(&builder->telling);
}

/* Tells how much was looked at, from time to time; whether all pieces together did so at more
 * than there is. */
static bool is_too_much(struct heap_piece *piece)
{
    struct heap_builder *builder = piece->builder;
    uint64_t more = piece->list.looked - piece->looked_told;
    if (more >= TELL_LOOKS) {
        piece->looked_told += more;
        if (atomic_fetch_add(&builder->looked, more) + more > builder->most_looked)
            atomic_store(&builder->is_overlapping, true);
    }
    return atomic_load_explicit(&builder->is_overlapping, memory_order_relaxed);
}

enum status heap_piece_read(struct heap_piece *piece, struct error *err)
{
    const struct heap_map *objects = piece->builder->heap->find.objects;
    struct heap_words words;
    enum status status = STATUS_OK;
    uint32_t number = heap_map_seek(objects, piece->begin, &words), told = piece->begin;
    while (status == STATUS_OK && number < piece->end && heap_map_next_word(objects, &words)) {
        for (uint64_t bits = words.bits; bits && status == STATUS_OK && !is_too_much(piece);
             bits &= bits - 1, number++)
            if (number >= piece->begin && number < piece->end)
                status = visit_one(piece, number, words.addr + 8 * (uint64_t)__builtin_ctzll(bits));
        if (is_too_much(piece))
            break;
        if (number - told >= TELL_EVERY && number > told) {
            tell(piece->builder, number - told);
            told = number;
        }
    }
    piece->early_edges = piece->edges;
    return status == STATUS_OK ? STATUS_OK : error_set(err, status, "%s", status_name(status));
}
