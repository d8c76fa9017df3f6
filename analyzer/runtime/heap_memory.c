/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes went: the mapped memory piece by piece, each counted where it
 * belongs. The pieces have no gap and no overlap, so what the rows add up to is
 * what is mapped. */
#include "analyzer/runtime/heap_memory.h"

#include <stdlib.h>

#include "analyzer/runtime/heap_memory_parts.h"
#include "analyzer/runtime/heap_memory_rows.h"
#include "inquest/base/checked_math.h"

#define HEADERS_BYTES 32 /* at most, before an object in its block */

/* ---- counting pieces */

static bool is_reachable(const struct memory_count *count, uint32_t object)
{
    return graph_bit(count->reached, object);
}

static void add_amounts(struct memory_amount *amount, uint32_t number, uint64_t bytes)
{
    amount->bytes += number * bytes;
    amount->count += number;
}

static void add_amount(struct memory_amount *amount, uint64_t bytes)
{
    add_amounts(amount, 1, bytes);
}

static void take_object(struct memory_count *count, uint32_t object)
{
    count->next_object = object;
    count->next_addr = object < count->heap->count ? heap_address(count->heap, object) : UINT64_MAX;
}

static inline void skip_objects_before(struct memory_count *count, uint64_t addr)
{
    while (count->next_addr < addr)
        take_object(count, count->next_object + 1);
}

/* The object that a block or chunk was made for; HEAP_NO_OBJECT: none. */
static inline uint32_t object_of(struct memory_count *count, uint64_t addr, uint64_t end)
{
    skip_objects_before(count, addr);
    if (count->next_addr - addr > HEADERS_BYTES || count->next_addr >= end)
        return HEAP_NO_OBJECT;
    return count->next_object;
}

static void keep_big(struct memory_count *count, uint64_t addr, uint64_t size, uint32_t object,
                     uint32_t data)
{
    const struct big_piece big = {addr, size, object, data};
    if (!array_push(&count->big, big))
        count->status = STATUS_NO_MEMORY;
}

/* To be claimed by an object later. */
static void count_data(struct memory_count *count, uint64_t addr, uint64_t size, bool is_block)
{
    uint32_t data = (uint32_t)count->data.sizes.count;
    enum status status = data_add(&count->data, addr, size, is_block);
    if (status == STATUS_NO_MEMORY)
        count->status = status;
    else if (status != STATUS_OK)
        add_amount(&count->c_data[is_block], size);
    else if (size >= BIG_BYTES)
        keep_big(count, addr, size, HEAP_NO_OBJECT, data);
}

/* What is in use: an object's, or data. */
static void count_used(struct memory_count *count, const struct piece *piece)
{
    bool is_block = piece->kind == PIECE_BLOCK;
    uint64_t addr = piece->addr + (is_block ? 0 : CHUNK_HEADER_BYTES);
    uint32_t object = object_of(count, addr, piece->addr + piece->size);
    if (object == HEAP_NO_OBJECT)
        count_data(count, addr, piece->size, is_block);
    else if (piece->size >= BIG_BYTES)
        keep_big(count, addr, piece->size, object, HEAP_NO_OBJECT);
    else
        add_amount(&count->objects[is_reachable(count, object)], piece->size);
}

/* Objects where we know nothing of the allocator are counted by themselves;
 * those among C variables stay part of the data of their program. */
static void count_region(struct memory_count *count, const struct piece *piece)
{
    const struct heap *heap = count->heap;
    struct region_sum *sum = &count->regions[piece->region];
    bool is_program =
        piece->region == CORE_REGION_PROGRAM_DATA || piece->region == CORE_REGION_LIBRARY_DATA;
    uint64_t addr = piece->addr, end = piece->addr + piece->size, left = piece->size;
    skip_objects_before(count, addr);
    for (; count->next_addr < end; take_object(count, count->next_object + 1)) {
        uint32_t object = count->next_object;
        uint64_t start = count->next_addr, limit = end;
        const struct python_type *type = heap_type(heap, object);
        uint64_t header = object_header_bytes(heap->process, type);
        if (object + 1 < heap->count)
            limit = min_u64(limit, heap_address(heap, object + 1));
        uint64_t bytes = min_u64(object_inline_bytes(heap, object), limit - start);
        header = is_program ? 0 : min_u64(header, start - max_u64(addr, piece->addr));
        addr = start + bytes;
        add_amount(is_program ? &count->static_objects[piece->region]
                              : &count->objects[is_reachable(count, object)],
                   header + bytes);
        left -= is_program ? 0 : header + bytes;
    }
    sum->bytes += left;
    sum->missing += min_u64(piece->missing, left);
    sum->mappings++;
}

static void count_piece(void *context, const struct piece *piece)
{
    struct memory_count *count = context;
    switch (piece->kind) {
    case PIECE_REGION: count_region(count, piece); break;
    case PIECE_BLOCK:
    case PIECE_CHUNK:
    case PIECE_CHUNK_MAPPED: count_used(count, piece); break;
    default: add_amount(&count->kinds[piece->kind], piece->size); break;
    }
}

/* ---- counting pools */

static uint32_t count_reached(const uint64_t *reached, uint32_t first, uint32_t end)
{
    uint32_t count = 0;
    for (; first < end && first & 63; first++)
        count += graph_bit(reached, first);
    for (; end - first >= 64; first += 64)
        count += heap_count_bits(reached[first >> 6]);
    return first < end
               ? count + heap_count_bits(reached[first >> 6] & ((UINT64_C(1) << (end - first)) - 1))
               : count;
}

/* The blocks in which one of so many objects begins, headers granted; the others that are
 * live get their bit in `others`. */
static uint32_t find_others(const struct pool *pool, const struct heap_stretch *objects,
                            uint32_t object_count, uint64_t others[POOL_LIVE_WORDS])
{
    uint32_t found = 0, places = (uint32_t)min_u64(pool->block_size, HEADERS_BYTES + 8) / 8;
    uint64_t mask = (UINT64_C(1) << places) - 1;
    for (uint32_t word = 0; word * 64 < pool->block_count; word++) {
        others[word] = object_count ? 0 : pool->live[word];
        for (uint64_t bits = object_count ? pool->live[word] : 0; bits; bits &= bits - 1) {
            uint32_t block = word * 64 + (uint32_t)__builtin_ctzll(bits);
            uint32_t place = (POOL_HEADER_BYTES + block * pool->block_size) / 8;
            bool has_object = heap_stretch_bits(objects, place) & mask;
            found += has_object;
            others[word] |= has_object ? 0 : bits & -bits;
        }
    }
    return found;
}

/* Of a pool in which no block has two objects, and nothing else has any, their number is
 * all that is asked for: the same as counting its pieces. */
static bool count_pool(void *context, const struct pool *pool)
{
    struct memory_count *count = context;
    uint64_t others[POOL_LIVE_WORDS], size = pool_size(count->heap->process);
    uint64_t blocks_bytes = (uint64_t)pool->capacity * pool->block_size;
    struct heap_stretch objects;
    if (!heap_map_stretch(count->heap->find.objects, pool->addr, size, &objects))
        return false;
    uint32_t first = objects.ranks[0], end = objects.ranks[size / HEAP_WORD_BYTES];
    if (find_others(pool, &objects, end - first, others) != end - first)
        return false;
    enum status status = data_add_blocks(&count->data, pool, others);
    if (status == STATUS_NO_MEMORY)
        count->status = status;
    if (status != STATUS_OK)
        return false;
    uint32_t reached = count_reached(count->reached, first, end);
    add_amounts(&count->objects[true], reached, pool->block_size);
    add_amounts(&count->objects[false], end - first - reached, pool->block_size);
    count->kinds[PIECE_BLOCKS_FREE].bytes +=
        (uint64_t)(pool->capacity - pool->live_count) * pool->block_size;
    count->kinds[PIECE_POOL_HEADER].bytes += size - blocks_bytes;
    take_object(count, end);
    return true;
}

/* ---- whose the data is */

static void share_out_data(struct memory_count *count)
{
    const struct data_list *data = &count->data;
    for (uint32_t id = 0; id < data->sizes.count; id++) {
        uint64_t size = data_size(data, id);
        uint32_t owner = data->owner[id];
        if (owner == HEAP_NO_OBJECT)
            add_amount(&count->c_data[data_is_block(data, id)], size);
        else if (size >= BIG_BYTES)
            continue; /* share_out_big */
        else if (is_reachable(count, owner))
            add_amount(&count->buffers_of[count->heap->type[owner]], size);
        else
            add_amount(&count->garbage_buffers, size);
    }
}

static int compare_big(const void *left, const void *right)
{
    const struct big_piece *a = left, *b = right;
    if (a->size != b->size)
        return a->size < b->size ? 1 : -1;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void share_out_big(struct memory_count *count)
{
    for (size_t i = 0; i < count->big.count; i++) {
        struct big_piece *big = &count->big.items[i];
        if (big->data != HEAP_NO_OBJECT)
            big->object = count->data.owner[big->data];
        if (big->object != HEAP_NO_OBJECT)
            add_amount(&count->big_total, big->size);
    }
    if (count->big.count)
        qsort(count->big.items, count->big.count, sizeof *count->big.items, compare_big);
}

static enum status count_all(struct memory_count *count, const struct heap *heap)
{
    enum status status = malloc_map_create(heap->process->image, &count->map);
    if (status != STATUS_OK)
        return status;
    count->has_map = true;
    status = extents_find(heap->process, &count->map, &count->extents);
    if (status == STATUS_OK)
        status = heap_map_create(heap->process->image, &count->data.map);
    if (status == STATUS_OK)
        status = pieces_visit(heap->process, &count->map, &count->extents, count_piece, count_pool,
                              count);
    if (status == STATUS_OK)
        status = count->status;
    if (status == STATUS_OK)
        status = owners_find(heap, &count->data);
    if (status == STATUS_OK) {
        share_out_data(count);
        share_out_big(count);
    }
    return status;
}

enum status heap_memory_count(const struct core_dump *core, const struct heap *heap,
                              const uint64_t *reached, struct memory_count **ret_count)
{
    struct memory_count *count = calloc(1, sizeof *count);
    if (!count)
        return STATUS_NO_MEMORY;
    count->core = core;
    count->heap = heap;
    count->reached = reached;
    take_object(count, 0);
    count->buffers_of = calloc(heap->types.count + 1, sizeof *count->buffers_of);
    enum status status = count->buffers_of ? count_all(count, heap) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *ret_count = count;
    else
        heap_memory_destroy(count);
    return status;
}

enum status heap_memory_write(const struct memory_count *count, struct index_writer *writer)
{
    return memory_rows_write(count, writer);
}

void heap_memory_destroy(struct memory_count *count)
{
    if (!count)
        return;
    if (count->has_map)
        malloc_map_deinit(&count->map);
    array_deinit(&count->extents.extents);
    array_deinit(&count->big);
    data_list_deinit(&count->data);
    free(count->buffers_of);
    free(count);
}
