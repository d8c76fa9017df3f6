/* SPDX-License-Identifier: Apache-2.0 */
/* pymalloc's table of arenas (Objects/obmalloc.c to 3.11, Include/internal/
 * pycore_obmalloc.h from 3.12): an array of
 *   OFFSET SIZE MEANING
 *   0      8    address of the arena, a page's start; 0: unused entry
 *   8      8    first pool that was never used
 *   16     4    pools free
 *   20     4    pools in all: one less than fit where the arena's start is no pool's
 *   24     24   first free pool; neighbours in a list of arenas
 * An arena has 256 KiB up to 3.9, 1 MiB from 3.10 on, or as it was built. A pool's
 * header holds, at 32, its arena's place in the table. The variable with the table's
 * address has no symbol in a stripped program: it is the word, among the runtime's
 * variables, that explains all pools. */
#include "analyzer/runtime/heap_memory_parts.h"

#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"

#define ENTRY_BYTES    48
#define POOL_ARENA     32 /* offset of the index in a pool's header */
#define PAGE_BYTES     4096
#define ARENA_MAX      (UINT64_C(64) << 20)
#define SAMPLES        8
#define RUNTIME_AROUND (UINT64_C(16) << 20) /* the variables lie this near to the runtime */

bool arena_of_pool(const struct python_process *process, uint64_t table_addr, uint64_t pool_addr,
                   uint64_t *ret_start, uint64_t *ret_end)
{
    uint32_t index;
    if (memory_read_u32(process->image, pool_addr + POOL_ARENA, &index) != STATUS_OK)
        return false;
    const uint8_t *entry =
        memory_view(process->image, table_addr + (uint64_t)index * ENTRY_BYTES, ENTRY_BYTES);
    if (!entry)
        return false;
    uint64_t start = load_u64(entry), unused = load_u64(entry + 8);
    uint64_t pools = load_u32(entry + 20), pool_bytes = pool_size(process), bytes = pool_bytes;
    if (!start || start % PAGE_BYTES || !pools || pools > ARENA_MAX / pool_bytes ||
        load_u32(entry + 16) > pools)
        return false;
    while (bytes < pools * pool_bytes)
        bytes *= 2;
    if (pool_addr - start >= bytes || unused - start > bytes + pool_bytes)
        return false;
    *ret_start = start;
    *ret_end = start + bytes;
    return true;
}

static bool explains(const struct python_process *process, uint64_t table_addr,
                     const pool_array *pools)
{
    uint64_t start, end;
    size_t step = pools->count / SAMPLES + 1;
    for (size_t i = 0; i < pools->count; i += step) {
        if (!arena_of_pool(process, table_addr, pools->items[i], &start, &end))
            return false;
    }
    return true;
}

static uint64_t find_among(const struct python_process *process, const pool_array *pools,
                           uint64_t addr, uint64_t end)
{
    uint64_t available = 0;
    const uint8_t *bytes = memory_span(process->image, addr, &available);
    uint64_t size = bytes ? min_u64(end - addr, available) : 0;
    for (uint64_t offset = 0; offset + 8 <= size; offset += 8) {
        uint64_t word = load_u64(bytes + offset);
        if (word % 16 == 0 && word >= PAGE_BYTES && memory_is_writable(process->image, word) &&
            explains(process, word, pools))
            return word;
    }
    return 0;
}

uint64_t arena_table_find(const struct python_process *process, const pool_array *pools)
{
    const struct core_dump *core = memory_image_core(process->image);
    uint64_t runtime = process->runtime_addr, found = 0;
    uint64_t low = runtime - min_u64(runtime, RUNTIME_AROUND), high = runtime + RUNTIME_AROUND;
    for (size_t i = 0; i < core->segments.count && pools->count && !found; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        uint64_t end = segment->address + segment->stored;
        if ((segment->region == CORE_REGION_LIBRARY_DATA ||
             segment->region == CORE_REGION_PROGRAM_DATA) &&
            end > low && segment->address < high)
            found = find_among(process, pools, segment->address, end);
    }
    return found;
}
