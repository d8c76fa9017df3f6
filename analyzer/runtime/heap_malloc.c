/* SPDX-License-Identifier: Apache-2.0 */
/* glibc's chunks (malloc/malloc.c, malloc/arena.c of glibc 2.26 to 2.43; 64 bits).
 *   OFFSET SIZE MEANING
 *   0      8    size of the chunk before, while that one is free
 *   8      8    size, a multiple of 16; bit 0: the chunk before is in use, bit 1: has
 *               a mapping of its own, bit 2: of a thread's arena, and in use
 *   16     ...  what malloc returned; goes on into the first word of the next chunk
 * A thread's arena lies in heaps aligned to 64 MiB, each with a heap_info in front:
 *   0      8    its malloc_state, which follows the heap_info of the arena's first heap
 *   8      8    the arena's heap before this one, 0 for the first
 *   16     8    bytes in use, from the heap_info on
 *   24     8    bytes that may be touched
 * A heap that is no longer grown ends with fences: chunks of 16 bytes or none. */
#include "analyzer/runtime/heap_malloc.h"

#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"

#define SIZE_MASK    (~UINT64_C(7))
#define PREV_IN_USE  1u
#define IS_MAPPED    2u
#define NOT_MAIN     4u
#define LEAST_CHUNK  32
#define FENCE_BYTES  16
#define PAGE_BYTES   4096
#define HEAP_BYTES   (UINT64_C(64) << 20)
#define HEAPS_MAX    65536
#define START_CHUNKS 32                  /* that must follow each other from a heap's start */
#define BRK_SEARCH   (UINT64_C(8) << 20) /* how far into a segment brk's heap may begin */
#define ARENA_SEARCH 4096
#define ARENA_LEAST  32 /* sizeof(heap_info) of the oldest */

struct builder {
    const struct memory_image *image;
    struct malloc_map *map;
    chunk_array caches;
};

bool malloc_chunk_word(const struct memory_image *image, uint64_t addr, uint64_t *ret_word)
{
    return memory_read_u64(image, addr + 8, ret_word) == STATUS_OK;
}

/* The size of the chunk at `addr`, with what is left of the heap for a fence that has
 * none; 0 where there is no chunk. */
static uint64_t chunk_size(const struct memory_image *image, const struct malloc_heap *heap,
                           uint64_t addr, uint64_t *ret_word)
{
    uint64_t left = heap->size_end - addr;
    if (left < FENCE_BYTES || !malloc_chunk_word(image, addr, ret_word))
        return 0;
    uint64_t size = *ret_word & SIZE_MASK;
    if (!size && left <= LEAST_CHUNK)
        return left;
    if (size == FENCE_BYTES && *ret_word & PREV_IN_USE)
        return size;
    if (*ret_word & IS_MAPPED || (*ret_word & NOT_MAIN && !heap->state))
        return 0;
    return size > left || size % 16 || size < LEAST_CHUNK ? 0 : size;
}

/* ---- where chunks begin */

static bool is_start(const struct memory_image *image, const struct malloc_heap *heap,
                     uint64_t addr)
{
    uint64_t word;
    for (unsigned i = 0; i < START_CHUNKS && addr < heap->size_end; i++) {
        uint64_t size = chunk_size(image, heap, addr, &word);
        if (!size || (!i && !(word & PREV_IN_USE)))
            return false;
        addr += size;
    }
    return true;
}

/* Searches [from, to) for the first chunk. */
static bool find_start(const struct memory_image *image, struct malloc_heap *heap, uint64_t from,
                       uint64_t to)
{
    for (uint64_t addr = from; addr < to && heap->size_end - addr >= LEAST_CHUNK; addr += 16) {
        if (is_start(image, heap, addr)) {
            heap->first = addr;
            return true;
        }
    }
    return false;
}

/* ---- following them */

static enum status walk_heap(struct builder *builder, struct malloc_heap *heap)
{
    uint64_t addr = heap->first, last = 0, size, word;
    while (addr < heap->size_end) {
        size = chunk_size(builder->image, heap, addr, &word);
        if (!size)
            break;
        heap_map_add(builder->map->chunks, addr);
        if (malloc_is_cache_size(size) && !array_push(&builder->caches, addr))
            return STATUS_NO_MEMORY;
        last = size >= LEAST_CHUNK && word & SIZE_MASK ? addr : 0;
        addr += size;
    }
    heap->end = addr;
    heap->top = addr == heap->size_end ? last : 0;
    if (addr < heap->size_end && !builder->map->damaged_addr)
        builder->map->damaged_addr = addr;
    return array_push(&builder->map->heaps, *heap) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status add_main_in(struct builder *builder, const struct core_segment *segment,
                               bool *ret_found)
{
    uint64_t from = (segment->address + 15) & ~UINT64_C(15);
    uint64_t search = min_u64(segment->stored, BRK_SEARCH);
    uint64_t end = segment->address + segment->size;
    struct malloc_heap heap = {.size_end = end, .area_end = end};
    if (!find_start(builder->image, &heap, from, segment->address + search))
        return STATUS_OK;
    *ret_found = true;
    heap.start = heap.first;
    return walk_heap(builder, &heap);
}

/* Without randomised addresses brk's heap may follow the program's .bss in one segment. */
static enum status add_main(struct builder *builder)
{
    static const enum core_region regions[] = {CORE_REGION_HEAP, CORE_REGION_PROGRAM_DATA};
    const struct core_dump *core = memory_image_core(builder->image);
    bool is_found = false;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < 2 * core->segments.count && !is_found && status == STATUS_OK; i++) {
        const struct core_segment *segment = &core->segments.items[i % core->segments.count];
        if (segment->region == regions[i / core->segments.count] &&
            segment->mapping == CORE_NO_INDEX && segment->stored)
            status = add_main_in(builder, segment, &is_found);
    }
    return status;
}

/* ---- arenas of threads */

static enum status add_thread_heap(struct builder *builder, const struct core_segment *segment,
                                   uint64_t addr)
{
    const uint8_t *info = memory_view(builder->image, addr, ARENA_LEAST);
    uint64_t left = segment->address + segment->size - addr;
    if (!info)
        return STATUS_OK;
    uint64_t state = load_u64(info), previous = load_u64(info + 8);
    uint64_t size = load_u64(info + 16), usable = load_u64(info + 24);
    bool is_first = state - addr < ARENA_SEARCH;
    if (!state || state % 8 || !size || size > usable || usable > HEAP_BYTES || size > left ||
        is_first != !previous || previous % HEAP_BYTES)
        return STATUS_OK;
    struct malloc_heap heap = {.start = addr,
                               .size_end = addr + size,
                               .area_end = addr + min_u64(usable, left),
                               .state = state};
    uint64_t from = is_first ? (state + 15) & ~UINT64_C(15) : addr + ARENA_LEAST;
    if (!find_start(builder->image, &heap, from, addr + min_u64(size, ARENA_SEARCH)))
        return STATUS_OK;
    return walk_heap(builder, &heap);
}

static enum status add_thread_heaps(struct builder *builder)
{
    const struct core_dump *core = memory_image_core(builder->image);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < core->segments.count && status == STATUS_OK; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        uint64_t end = segment->address + segment->stored;
        if (segment->mapping != CORE_NO_INDEX || !(segment->flags & 2))
            continue;
        uint64_t addr = (segment->address + HEAP_BYTES - 1) & ~(HEAP_BYTES - 1);
        for (; addr >= segment->address && addr < end && status == STATUS_OK &&
               builder->map->heaps.count < HEAPS_MAX;
             addr += HEAP_BYTES)
            status = add_thread_heap(builder, segment, addr);
    }
    return status;
}

static int compare_heaps(const void *left, const void *right)
{
    const struct malloc_heap *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* Two that claim the same bytes: the first keeps them. */
static void separate_heaps(struct malloc_map *map)
{
    size_t kept = 0;
    if (map->heaps.count)
        qsort(map->heaps.items, map->heaps.count, sizeof *map->heaps.items, compare_heaps);
    for (size_t i = 0; i < map->heaps.count; i++) {
        if (!kept || map->heaps.items[i].start >= map->heaps.items[kept - 1].area_end)
            map->heaps.items[kept++] = map->heaps.items[i];
    }
    map->heaps.count = kept;
}

enum status malloc_map_create(const struct memory_image *image, struct malloc_map *ret_map)
{
    struct malloc_map map = {0};
    struct builder builder = {.image = image, .map = &map};
    enum status status = heap_map_create(image, &map.chunks);
    if (status == STATUS_OK)
        status = heap_map_create(image, &map.cached);
    if (status == STATUS_OK)
        status = add_main(&builder);
    if (status == STATUS_OK)
        status = add_thread_heaps(&builder);
    separate_heaps(&map);
    if (status == STATUS_OK)
        malloc_lists_read(image, &builder.caches, &map);
    array_deinit(&builder.caches);
    if (status == STATUS_OK)
        *ret_map = map;
    else
        malloc_map_deinit(&map);
    return status;
}

void malloc_map_deinit(struct malloc_map *map)
{
    if (!map)
        return;
    heap_map_destroy(map->chunks);
    heap_map_destroy(map->cached);
    array_deinit(&map->heaps);
    *map = (struct malloc_map){0};
}

/* ---- one chunk */

void malloc_chunk_at(const struct memory_image *image, const struct malloc_map *map,
                     const struct malloc_heap *heap, uint64_t addr, struct malloc_chunk *ret_chunk)
{
    uint64_t word = 0, next_word;
    uint64_t size = chunk_size(image, heap, addr, &word);
    struct malloc_chunk chunk = {addr, min_u64(size ? size : UINT64_MAX, heap->end - addr),
                                 CHUNK_USED};
    uint64_t next = addr + chunk.size;
    if (chunk.size < LEAST_CHUNK || !(word & SIZE_MASK))
        chunk.state = CHUNK_FENCE;
    else if (addr == heap->top)
        chunk.state = CHUNK_TOP;
    else if (heap_map_has(map->cached, addr))
        chunk.state = CHUNK_CACHED;
    else if (malloc_chunk_word(image, next, &next_word) && !(next_word & PREV_IN_USE))
        chunk.state = CHUNK_FREE;
    *ret_chunk = chunk;
}

uint64_t malloc_mapped_bytes(const struct memory_image *image, uint64_t addr, uint64_t end)
{
    const uint8_t *header = memory_view(image, addr, CHUNK_HEADER_BYTES);
    if (!header)
        return 0;
    uint64_t before = load_u64(header), word = load_u64(header + 8), size = word & SIZE_MASK;
    bool is_mapped = !before && (word & ~SIZE_MASK) == IS_MAPPED && size >= LEAST_CHUNK;
    if (size % PAGE_BYTES == PAGE_BYTES - CHUNK_HEADER_BYTES) /* glibc 2.43 leaves its head out */
        size += CHUNK_HEADER_BYTES;
    return is_mapped && size % PAGE_BYTES == 0 && size <= end - addr ? size : 0;
}
