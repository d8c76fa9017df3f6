/* SPDX-License-Identifier: Apache-2.0 */
/* pymalloc's pools (Objects/obmalloc.c to 3.11, Include/internal/pycore_obmalloc.h
 * from 3.12), one size class each, aligned to their own size: 4 KiB up to 3.9,
 * 16 KiB from 3.10 on.
 *   OFFSET SIZE MEANING
 *   0      4    blocks allocated
 *   8      8    first free block, 0 or an address in the pool; each free block
 *               begins with the address of the next
 *   16     16   neighbours in the list of pools of this class
 *   32     4    index of the arena
 *   36     4    size class: blocks have (class + 1) * 16 bytes
 *   40     4    offset of the first block never used
 *   44     4    largest offset at which a block fits: pool size - block size
 *   48     ...  blocks */
#include "analyzer/runtime/heap_pools.h"

#include <string.h>

#include "inquest/base/bytes_reader.h"

#define SIZE_CLASSES 32
#define MAX_BLOCKS   (POOL_LIVE_WORDS * 64) /* more than 16 KiB of 16 bytes each */

struct pool_header {
    uint32_t allocated, size_class, next_offset, max_next_offset;
    uint64_t free_addr;
};

uint64_t pool_size(const struct python_process *process)
{
    return layout_minor(&process->layout) >= 10 ? 16384 : 4096;
}

/* The header contradicts itself in memory that is no pool. */
static bool read_header(const uint8_t *bytes, uint64_t size, struct pool_header *header)
{
    *header = (struct pool_header){.allocated = load_u32(bytes),
                                   .free_addr = load_u64(bytes + 8),
                                   .size_class = load_u32(bytes + 36),
                                   .next_offset = load_u32(bytes + 40),
                                   .max_next_offset = load_u32(bytes + 44)};
    if (header->size_class >= SIZE_CLASSES)
        return false;
    uint32_t block = (header->size_class + 1) * 16;
    return header->max_next_offset == size - block && header->next_offset >= POOL_HEADER_BYTES &&
           header->next_offset <= header->max_next_offset + block &&
           (header->next_offset - POOL_HEADER_BYTES) % block == 0 &&
           header->allocated <= (header->next_offset - POOL_HEADER_BYTES) / block;
}

/* Clears the bits of the blocks on the free list. False where it leaves the pool,
 * meets a block twice or is of another length than the counts say. */
static bool clear_free(const struct pool_header *header, struct pool *pool, uint64_t *live)
{
    uint32_t expected = pool->block_count - header->allocated, found = 0;
    for (uint64_t next = header->free_addr; next; found++) {
        uint64_t offset = next - pool->addr - POOL_HEADER_BYTES;
        uint64_t block = offset / pool->block_size;
        if (found == expected || block >= pool->block_count || offset % pool->block_size ||
            !(live[block / 64] >> (block & 63) & 1))
            return false;
        live[block / 64] &= ~(UINT64_C(1) << (block & 63));
        pool->live_count--;
        next = load_u64(pool->bytes + POOL_HEADER_BYTES + offset);
    }
    return found == expected;
}

static void set_first_bits(uint64_t live[POOL_LIVE_WORDS], uint32_t count)
{
    memset(live, 0, POOL_LIVE_WORDS * sizeof *live);
    memset(live, 0xFF, count / 64 * sizeof *live);
    if (count % 64)
        live[count / 64] = (UINT64_C(1) << (count % 64)) - 1;
}

enum pool_state pool_read(const struct python_process *process, uint64_t addr,
                          uint64_t ret_live[POOL_LIVE_WORDS], struct pool *ret_pool)
{
    uint64_t size = pool_size(process);
    const uint8_t *bytes = memory_view(process->image, addr, size);
    struct pool_header header;
    if (!bytes || !read_header(bytes, size, &header))
        return POOL_NONE;
    if (!header.allocated)
        return POOL_EMPTY;
    struct pool pool = {
        .addr = addr, .block_size = (header.size_class + 1) * 16, .live = ret_live, .bytes = bytes};
    pool.block_count = (header.next_offset - POOL_HEADER_BYTES) / pool.block_size;
    pool.capacity = (uint32_t)(size - POOL_HEADER_BYTES) / pool.block_size;
    pool.live_count = pool.block_count;
    set_first_bits(ret_live, pool.block_count);
    bool is_sound = clear_free(&header, &pool, ret_live);
    *ret_pool = pool;
    return is_sound ? POOL_IN_USE : POOL_DAMAGED;
}

#define HEADERS_BYTES 32 /* at most, before an object in its block */

bool pool_has_nothing_at(const struct python_process *process, uint64_t addr)
{
    uint64_t live[POOL_LIVE_WORDS], pool_addr = addr & ~(pool_size(process) - 1);
    struct pool pool;
    switch (pool_read(process, pool_addr, live, &pool)) {
    case POOL_NONE:
    case POOL_DAMAGED: return false;
    case POOL_EMPTY: return true;
    case POOL_IN_USE: break;
    }
    uint64_t offset = addr - pool_addr - POOL_HEADER_BYTES, block = offset / pool.block_size;
    return addr - pool_addr < POOL_HEADER_BYTES || block >= pool.block_count ||
           offset % pool.block_size > HEADERS_BYTES || !(live[block / 64] >> (block & 63) & 1);
}

bool pool_is_sound_at(const struct python_process *process, uint64_t addr)
{
    uint64_t live[POOL_LIVE_WORDS];
    struct pool pool;
    enum pool_state state = pool_read(process, addr & ~(pool_size(process) - 1), live, &pool);
    return state == POOL_IN_USE || state == POOL_EMPTY;
}

static void count_pool(const struct pool *pool, uint64_t size, struct pool_totals *totals)
{
    totals->pools++;
    totals->pool_bytes += size;
    totals->live_bytes += (uint64_t)pool->live_count * pool->block_size;
    totals->free_bytes += (uint64_t)(pool->capacity - pool->live_count) * pool->block_size;
    totals->header_bytes += size - (uint64_t)pool->capacity * pool->block_size;
}

static enum status visit_segment(const struct python_process *process,
                                 const struct core_segment *segment, pool_visitor visit,
                                 void *context, struct pool_totals *totals)
{
    uint64_t size = pool_size(process), end = segment->address + segment->stored;
    uint64_t live[POOL_LIVE_WORDS];
    enum status status = STATUS_OK;
    for (uint64_t addr = (segment->address + size - 1) & ~(size - 1);
         addr >= segment->address && addr < end && end - addr >= size && status == STATUS_OK;
         addr += size) {
        struct pool pool;
        switch (pool_read(process, addr, live, &pool)) {
        case POOL_NONE: continue;
        case POOL_EMPTY: totals->empty_bytes += size; continue;
        case POOL_DAMAGED: totals->damaged++; break;
        case POOL_IN_USE: break;
        }
        count_pool(&pool, size, totals);
        status = visit(context, &pool);
    }
    return status;
}

enum status pools_visit(const struct python_process *process, pool_visitor visit, void *context,
                        struct pool_totals *ret_totals)
{
    const struct core_dump *core = memory_image_core(process->image);
    enum status status = STATUS_OK;
    *ret_totals = (struct pool_totals){0};
    for (size_t i = 0; i < core->segments.count && status == STATUS_OK; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        if (segment->flags & 2)
            status = visit_segment(process, segment, visit, context, ret_totals);
    }
    return status;
}
