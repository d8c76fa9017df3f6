/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_objects.h"

#include <string.h>

enum dominator_token { DOMINATOR_NONE, DOMINATOR_SAME, DOMINATOR_AS_FAR, DOMINATOR_TOKENS };

/* The dominator of the last object of each kind. */
struct dominator_history {
    uint32_t dominator[PACKED_KINDS], distance[PACKED_KINDS];
};

/* ---- Writing. */

static unsigned common_shift(const uint64_t *address, uint32_t count)
{
    uint64_t bits = 0;
    for (uint32_t i = 1; i < count; i++)
        bits |= address[i] - address[i - 1];
    return bits ? (unsigned)__builtin_ctzll(bits) : 0;
}

static uint64_t dominator_token(struct dominator_history *history, uint64_t kind, uint32_t id,
                                uint32_t dominator)
{
    if (!dominator)
        return DOMINATOR_NONE;
    unsigned slot = kind % PACKED_KINDS;
    uint32_t distance = dominator - id, last_distance = history->distance[slot];
    bool same = dominator == history->dominator[slot];
    history->dominator[slot] = dominator;
    history->distance[slot] = distance;
    if (same)
        return DOMINATOR_SAME;
    if (distance == last_distance)
        return DOMINATOR_AS_FAR;
    return DOMINATOR_TOKENS + zigzag((uint64_t)dominator - id);
}

struct heap_objects packed_objects_part(const struct heap_objects *objects, uint32_t index,
                                        struct heap_object_block *block)
{
    uint32_t left = objects->count - index, count = left < PACKED_OBJECTS ? left : PACKED_OBJECTS;
    if (objects->read) {
        objects->read(objects->context, index, count, block);
        return (struct heap_objects){
            .count = count,
            .address = block->address,
            .type = block->type,
            .size = block->size,
            .refcount = block->refcount,
            .retained = block->retained,
            .dominator = block->dominator,
            .flags = block->flags,
        };
    }
    return (struct heap_objects){
        .count = count,
        .address = objects->address + index,
        .type = objects->type + index,
        .size = objects->size + index,
        .refcount = objects->refcount + index,
        .retained = objects->retained + index,
        .dominator = objects->dominator + index,
        .flags = objects->flags + index,
    };
}

/* The ends of all columns, written side by side in one walk over the objects. */
static void encode_columns(const struct heap_objects *part, uint32_t index, unsigned shift,
                           uint8_t *at[PACKED_OBJECT_COLUMNS])
{
    struct dominator_history history = {0};
    for (uint32_t i = 0; i < part->count; i++) {
        uint64_t kind = (uint64_t)part->type[i] << 2 | (part->flags[i] & 3u), size = part->size[i];
        uint32_t dominator = part->dominator[i];
        dominator = dominator == HEAP_NO_OBJECT ? 0 : dominator + 1;
        if (i)
            at[PACKED_ADDRESS] =
                varint_put(at[PACKED_ADDRESS], (part->address[i] - part->address[i - 1]) >> shift);
        at[PACKED_KIND] = varint_put(at[PACKED_KIND], kind);
        at[PACKED_SIZE] = varint_put(at[PACKED_SIZE], size);
        at[PACKED_REFCOUNT] = varint_put(at[PACKED_REFCOUNT], part->refcount[i]);
        at[PACKED_RETAINED] = varint_put(at[PACKED_RETAINED], zigzag(part->retained[i] - size));
        at[PACKED_DOMINATOR] = varint_put(
            at[PACKED_DOMINATOR], dominator_token(&history, kind, index + i + 1, dominator));
    }
}

size_t packed_objects_encode(const struct heap_objects *objects, uint32_t index,
                             struct packed_objects_scratch *scratch)
{
    const struct heap_objects part = packed_objects_part(objects, index, &scratch->block);
    unsigned shift = common_shift(part.address, part.count);
    uint8_t *ends[PACKED_OBJECT_COLUMNS], *at = scratch->plain;
    for (int i = 0; i < PACKED_OBJECT_COLUMNS; i++)
        ends[i] = scratch->columns[i];
    encode_columns(&part, index, shift, ends);
    at = varint_put(at, part.count);
    at = varint_put(at, part.address[0]);
    at = varint_put(at, shift);
    for (int i = 0; i < PACKED_OBJECT_COLUMNS - 1; i++)
        at = varint_put(at, (uint64_t)(ends[i] - scratch->columns[i]));
    for (int i = 0; i < PACKED_OBJECT_COLUMNS; i++) {
        size_t size = (size_t)(ends[i] - scratch->columns[i]);
        memcpy(at, scratch->columns[i], size);
        at += size;
    }
    return (size_t)(at - scratch->plain);
}

bool packed_objects_sound(const struct heap_objects *objects, uint32_t index,
                          const struct packed_objects_scratch *scratch)
{
    const struct heap_object_block *block = &scratch->block;
    const uint64_t *address = objects->read ? block->address : objects->address + index;
    const uint32_t *dominator = objects->read ? block->dominator : objects->dominator + index;
    uint32_t left = objects->count - index, count = left < PACKED_OBJECTS ? left : PACKED_OBJECTS;
    bool sound = objects->read || !index || address[-1] < address[0];
    for (uint32_t i = 0; i < count; i++) {
        sound &= !i || address[i - 1] < address[i];
        sound &= dominator[i] == HEAP_NO_OBJECT ||
                 (dominator[i] < objects->count && dominator[i] != index + i);
    }
    return sound;
}

/* ---- Reading. */

static enum status corrupt(const struct packed_objects *chunk, const char *what, struct error *err)
{
    return error_set(err, STATUS_CORRUPT, "objects from %u on: %s", chunk->first, what);
}

static enum status open_columns(struct packed_objects *chunk, struct packed_view *view,
                                struct error *err)
{
    uint64_t count = varint_get(view), address = varint_get(view), shift = varint_get(view);
    uint64_t sizes[PACKED_OBJECT_COLUMNS];
    for (int i = 0; i < PACKED_OBJECT_COLUMNS - 1; i++)
        sizes[i] = varint_get(view);
    if (view->failed || !count || count > PACKED_OBJECTS || shift > 63 ||
        chunk->first % PACKED_OBJECTS != 1 || chunk->first - 1 > HEAP_NO_OBJECT - count)
        return corrupt(chunk, "the head makes no sense", err);
    for (int i = 0; i < PACKED_OBJECT_COLUMNS; i++) {
        bool last = i == PACKED_OBJECT_COLUMNS - 1;
        chunk->columns[i] = packed_view_cut(view, last ? packed_view_left(view) : sizes[i]);
    }
    if (view->failed)
        return corrupt(chunk, "a column ends early", err);
    chunk->count = (uint32_t)count;
    chunk->shift = (unsigned)shift;
    chunk->value[PACKED_ADDRESS][0] = address;
    return STATUS_OK;
}

enum status packed_objects_open(int64_t id, uint8_t *plain, size_t size,
                                struct packed_objects *ret_chunk, struct error *err)
{
    struct packed_view view = packed_view_make(plain, size);
    ret_chunk->first = id > 0 && id < HEAP_NO_OBJECT ? (uint32_t)id : 0;
    ret_chunk->ready = 0;
    ret_chunk->plain = plain;
    enum status status = open_columns(ret_chunk, &view, err);
    if (status != STATUS_OK)
        packed_objects_deinit(ret_chunk);
    return status;
}

void packed_objects_deinit(struct packed_objects *chunk)
{
    free(chunk->plain);
    chunk->plain = NULL;
}

static void decode_addresses(struct packed_objects *chunk, struct packed_view *view)
{
    uint64_t *value = chunk->value[PACKED_ADDRESS];
    for (uint32_t i = 1; i < chunk->count; i++) {
        uint64_t step = varint_get(view), next = value[i - 1] + (step << chunk->shift);
        if (next <= value[i - 1] || step << chunk->shift >> chunk->shift != step)
            view->failed = true;
        value[i] = next;
    }
}

static void decode_plain(const struct packed_objects *chunk, struct packed_view *view,
                         uint64_t *value)
{
    for (uint32_t i = 0; i < chunk->count; i++)
        value[i] = varint_get(view);
}

static void decode_kinds(const struct packed_objects *chunk, struct packed_view *view,
                         uint64_t *value)
{
    decode_plain(chunk, view, value);
    for (uint32_t i = 0; i < chunk->count; i++)
        view->failed |= value[i] >> 2 > UINT32_MAX;
}

static void decode_retained(struct packed_objects *chunk, struct packed_view *view)
{
    for (uint32_t i = 0; i < chunk->count; i++)
        chunk->value[PACKED_RETAINED][i] =
            chunk->value[PACKED_SIZE][i] + zigzag_undo(varint_get(view));
}

static uint32_t dominator_of(struct packed_view *view, const struct dominator_history *history,
                             unsigned slot, uint32_t id)
{
    uint64_t token = varint_get(view), dominator;
    switch (token) {
    case DOMINATOR_NONE: return 0;
    case DOMINATOR_SAME: dominator = history->dominator[slot]; break;
    case DOMINATOR_AS_FAR: dominator = (uint32_t)(id + history->distance[slot]); break;
    default: dominator = id + zigzag_undo(token - DOMINATOR_TOKENS); break;
    }
    if (!dominator || dominator > UINT32_MAX)
        view->failed = true;
    return (uint32_t)dominator;
}

static void decode_dominators(struct packed_objects *chunk, struct packed_view *view)
{
    struct dominator_history history = {0};
    for (uint32_t i = 0; i < chunk->count; i++) {
        unsigned slot = chunk->value[PACKED_KIND][i] % PACKED_KINDS;
        uint32_t id = chunk->first + i, dominator = dominator_of(view, &history, slot, id);
        chunk->value[PACKED_DOMINATOR][i] = dominator;
        if (dominator) {
            history.dominator[slot] = dominator;
            history.distance[slot] = dominator - id;
        }
    }
}

static void decode(struct packed_objects *chunk, enum packed_object_column column,
                   struct packed_view *view)
{
    switch (column) {
    case PACKED_ADDRESS: decode_addresses(chunk, view); break;
    case PACKED_KIND: decode_kinds(chunk, view, chunk->value[column]); break;
    case PACKED_RETAINED: decode_retained(chunk, view); break;
    case PACKED_DOMINATOR: decode_dominators(chunk, view); break;
    default: decode_plain(chunk, view, chunk->value[column]); break;
    }
}

enum status packed_objects_need(struct packed_objects *chunk, enum packed_object_column column,
                                struct error *err)
{
    static const char *const names[PACKED_OBJECT_COLUMNS] = {
        "addresses", "types", "sizes", "reference counts", "retained sizes", "dominators"};
    if (chunk->ready & 1u << column)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (column == PACKED_RETAINED)
        status = packed_objects_need(chunk, PACKED_SIZE, err);
    else if (column == PACKED_DOMINATOR)
        status = packed_objects_need(chunk, PACKED_KIND, err);
    if (status != STATUS_OK)
        return status;
    struct packed_view view = chunk->columns[column];
    decode(chunk, column, &view);
    if (!packed_view_done(&view))
        return error_set(err, STATUS_CORRUPT, "objects from %u on: damaged %s", chunk->first,
                         names[column]);
    chunk->ready |= 1u << column;
    return STATUS_OK;
}
