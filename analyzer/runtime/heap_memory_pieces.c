/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "analyzer/runtime/heap_memory_parts.h"
#include "inquest/base/checked_math.h"

#define PAGE_BYTES    4096
#define THREAD_STRUCT 2304 /* of pthread, from the thread pointer on */

struct walk {
    const struct python_process *process;
    const struct malloc_map *map;
    piece_visitor visit;
    pool_taker take;
    void *context;
    const struct core_segment *segment;
    uint64_t stack_end;       /* a thread's stack ends here, other mappings may follow */
    ARRAY(uint64_t) pointers; /* of all threads, ascending */
    size_t next_pointer;
};

static void emit(struct walk *walk, uint64_t addr, uint64_t end, enum piece_kind kind)
{
    const struct piece piece = {
        .addr = addr, .size = end - addr, .kind = kind, .region = walk->segment->region};
    if (end > addr)
        walk->visit(walk->context, &piece);
}

/* ---- parts without a structure of ours */

static void emit_region(struct walk *walk, uint64_t addr, uint64_t end, enum core_region region)
{
    uint64_t stored_end = walk->segment->address + walk->segment->stored;
    const struct piece piece = {.addr = addr,
                                .size = end - addr,
                                .kind = PIECE_REGION,
                                .region = region,
                                .missing = end > stored_end ? end - max_u64(addr, stored_end) : 0};
    if (end > addr)
        walk->visit(walk->context, &piece);
}

/* Chunks with a mapping of their own begin with a page. */
static void emit_mapped(struct walk *walk, uint64_t addr, uint64_t end, enum core_region region)
{
    uint64_t stored_end = walk->segment->address + walk->segment->stored;
    uint64_t page = (addr + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    while (page >= addr && page < min_u64(end, stored_end)) {
        uint64_t size = malloc_mapped_bytes(walk->process->image, page, min_u64(end, stored_end));
        if (!size) {
            page += PAGE_BYTES;
            continue;
        }
        emit_region(walk, addr, page, region);
        emit(walk, page, page + size, PIECE_CHUNK_MAPPED);
        addr = page += size;
    }
    emit_region(walk, addr, end, region);
}

/* Behind a library's .bss in one segment there may be chunks as well. */
static void emit_rest(struct walk *walk, uint64_t addr, uint64_t end)
{
    enum core_region region = walk->segment->region;
    bool has_chunks = walk->segment->mapping == CORE_NO_INDEX && walk->segment->flags & 2 &&
                      walk->map->heaps.count;
    if (region == CORE_REGION_THREAD_STACK) {
        uint64_t middle = max_u64(addr, min_u64(end, walk->stack_end));
        emit_region(walk, addr, middle, region);
        addr = middle;
        region = CORE_REGION_ANONYMOUS;
    }
    if (has_chunks && region != CORE_REGION_MAIN_STACK)
        emit_mapped(walk, addr, end, region);
    else
        emit_region(walk, addr, end, region);
}

/* The kernel joins neighbours: arenas may follow a stack within one segment. A thread's
 * own struct, which its thread pointer leads to, is at the end of the stack. */
static uint64_t find_stack_end(struct walk *walk)
{
    uint64_t start = walk->segment->address, end = start + walk->segment->size, last = 0;
    for (; walk->next_pointer < walk->pointers.count &&
           walk->pointers.items[walk->next_pointer] < end;
         walk->next_pointer++) {
        if (walk->pointers.items[walk->next_pointer] >= start)
            last = walk->pointers.items[walk->next_pointer];
    }
    if (!last || end - last <= THREAD_STRUCT)
        return end;
    return (last + THREAD_STRUCT + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

/* ---- pymalloc */

static void emit_blocks(struct walk *walk, const struct pool *pool, uint64_t end)
{
    uint64_t addr = pool->addr + POOL_HEADER_BYTES, free_from = addr;
    emit(walk, pool->addr, addr, PIECE_POOL_HEADER);
    for (uint32_t block = 0; block < pool->block_count; block++, addr += pool->block_size) {
        if (!(pool->live[block / 64] >> (block & 63) & 1))
            continue;
        emit(walk, free_from, addr, PIECE_BLOCKS_FREE);
        emit(walk, addr, addr + pool->block_size, PIECE_BLOCK);
        free_from = addr + pool->block_size;
    }
    addr = pool->addr + POOL_HEADER_BYTES + (uint64_t)pool->capacity * pool->block_size;
    emit(walk, free_from, addr, PIECE_BLOCKS_FREE);
    emit(walk, addr, end, PIECE_POOL_HEADER);
}

static void emit_pool(struct walk *walk, uint64_t addr, uint64_t end)
{
    uint64_t live[POOL_LIVE_WORDS];
    struct pool pool;
    switch (pool_read(walk->process, addr, live, &pool)) {
    case POOL_NONE:
    case POOL_EMPTY: emit(walk, addr, end, PIECE_POOL_EMPTY); break;
    case POOL_IN_USE:
    case POOL_DAMAGED:
        if (!walk->take || !walk->take(walk->context, &pool))
            emit_blocks(walk, &pool, end);
        break;
    }
}

static void emit_arena(struct walk *walk, const struct extent *extent)
{
    uint64_t size = pool_size(walk->process), addr = (extent->start + size - 1) & ~(size - 1);
    if (addr > extent->end)
        addr = extent->end;
    emit(walk, extent->start, addr, PIECE_ARENA_SLACK);
    for (; extent->end - addr >= size; addr += size)
        emit_pool(walk, addr, addr + size);
    emit(walk, addr, extent->end, PIECE_ARENA_SLACK);
}

/* ---- malloc */

static enum piece_kind kind_of_chunk(enum chunk_state state)
{
    switch (state) {
    case CHUNK_USED: return PIECE_CHUNK;
    case CHUNK_FREE: return PIECE_CHUNK_FREE;
    case CHUNK_CACHED: return PIECE_CHUNK_CACHED;
    case CHUNK_TOP: return PIECE_CHUNK_TOP;
    case CHUNK_FENCE: break;
    }
    return PIECE_MALLOC_OWN;
}

static void emit_heap(struct walk *walk, const struct extent *extent)
{
    const struct malloc_heap *heap = &walk->map->heaps.items[extent->heap];
    uint64_t addr = min_u64(heap->first, extent->end);
    emit(walk, extent->start, addr, PIECE_MALLOC_OWN);
    while (addr < extent->end) {
        struct malloc_chunk chunk;
        malloc_chunk_at(walk->process->image, walk->map, heap, addr, &chunk);
        uint64_t end = addr + min_u64(chunk.size, extent->end - addr);
        emit(walk, addr, end, kind_of_chunk(chunk.state));
        addr = end;
        if (addr == heap->end)
            break;
    }
    emit(walk, addr, extent->end, PIECE_CHUNK_TOP); /* given up, but still mapped */
}

/* ---- all of them */

static void emit_extent(struct walk *walk, const struct extent *extent)
{
    switch (extent->kind) {
    case EXTENT_MALLOC: emit_heap(walk, extent); break;
    case EXTENT_FRAMES: emit(walk, extent->start, extent->end, PIECE_FRAMES); break;
    case EXTENT_ARENA:
    case EXTENT_POOL: emit_arena(walk, extent); break;
    }
}

static int compare_addresses(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static enum status read_thread_pointers(struct walk *walk, const struct core_dump *core)
{
    if (!array_reserve(&walk->pointers, core->threads.count))
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < core->threads.count; i++)
        walk->pointers.items[i] = core->threads.items[i].registers.thread_pointer;
    walk->pointers.count = core->threads.count;
    if (walk->pointers.count)
        qsort(walk->pointers.items, walk->pointers.count, sizeof(uint64_t), compare_addresses);
    return STATUS_OK;
}

static void visit_segment(struct walk *walk, const struct extent_list *list, size_t *next)
{
    uint64_t addr = walk->segment->address, end = addr + walk->segment->size;
    walk->stack_end = find_stack_end(walk);
    for (; *next < list->extents.count && list->extents.items[*next].start < end; ++*next) {
        emit_rest(walk, addr, list->extents.items[*next].start);
        emit_extent(walk, &list->extents.items[*next]);
        addr = list->extents.items[*next].end;
    }
    emit_rest(walk, addr, end);
}

enum status pieces_visit(const struct python_process *process, const struct malloc_map *map,
                         const struct extent_list *list, piece_visitor visit, pool_taker take,
                         void *context)
{
    const struct core_dump *core = memory_image_core(process->image);
    struct walk walk = {
        .process = process, .map = map, .visit = visit, .take = take, .context = context};
    enum status status = read_thread_pointers(&walk, core);
    size_t next = 0;
    for (size_t i = 0; i < core->segments.count && status == STATUS_OK; i++) {
        walk.segment = &core->segments.items[i];
        visit_segment(&walk, list, &next);
    }
    array_deinit(&walk.pointers);
    return status;
}
