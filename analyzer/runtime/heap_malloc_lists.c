/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks that are free although the chunk behind them says that they are in use
 * (malloc/malloc.c of glibc 2.26 to 2.43). Neither structure has a symbol in a stripped
 * library, so each is known by what it holds.
 *
 * A thread's tcache, a chunk of its own:
 *   CHUNK  COUNTS BINS
 *   0x250  1 byte   64  glibc 2.26 to 2.29
 *   0x290  2 bytes  64  2.30 to 2.41
 *   0x300  2 bytes  76  2.42 on
 * the counts of all bins, then a pointer for each to what malloc would return; chunks of
 * bin i < 64 have 32 + 16 * i bytes. malloc_state, by its address of the top chunk:
 *   OFFSET SIZE MEANING
 *   -80    80   fastbins: 10 pointers to chunks of 32 + 16 * i bytes (not in 2.43)
 *   0      8    top
 *   8      8    last remainder
 *   16     2032 127 bins, two pointers each; those of an empty one are to 16 bytes before it
 * The next of either is at 16 bytes of a chunk; from 2.32 on exclusive-ored with the
 * address of that field, shifted by 12. */
#include "analyzer/runtime/heap_malloc.h"

#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"

#define SIZE_MASK        (~UINT64_C(7))
#define SIZED_BINS       64
#define MANGLE_SHIFT     12
#define FASTBINS         10
#define BINS             127
#define BINS_AFTER_TOP   16
#define STATE_BYTES      (BINS_AFTER_TOP + 16 * BINS) /* from `top` on */
#define EMPTY_BINS_LEAST 16 /* so many must be empty for a malloc_state to be believed */
#define STATE_SEARCH     256
#define LIST_MAX         (1u << 24)

static const struct cache_form {
    uint16_t chunk_bytes, entries, bins;
} cache_forms[] = {{0x250, 64, 64}, {0x290, 128, 64}, {0x300, 152, 76}};

static const struct cache_form *cache_form(uint64_t size)
{
    for (size_t i = 0; i < sizeof cache_forms / sizeof *cache_forms; i++) {
        if (cache_forms[i].chunk_bytes == size)
            return &cache_forms[i];
    }
    return NULL;
}

bool malloc_is_cache_size(uint64_t size)
{
    return cache_form(size);
}

struct lists {
    const struct memory_image *image;
    struct malloc_map *map;
};

/* Whether a chunk of `size` bytes (0: any) is at `addr`. */
static bool is_chunk(const struct lists *lists, uint64_t addr, uint64_t size)
{
    uint64_t word;
    return heap_map_has(lists->map->chunks, addr) && malloc_chunk_word(lists->image, addr, &word) &&
           (!size || (word & SIZE_MASK) == size);
}

/* The chunk after `addr` on its list, mangled or not; 0: the list ends. False where
 * neither reading gives a chunk. A link is to a chunk's `target` bytes. */
static bool next_chunk(const struct lists *lists, uint64_t addr, uint64_t size, uint64_t target,
                       uint64_t *ret_next)
{
    uint64_t word, field_addr = addr + CHUNK_HEADER_BYTES;
    if (memory_read_u64(lists->image, field_addr, &word) != STATUS_OK)
        return false;
    const uint64_t readings[] = {word ^ field_addr >> MANGLE_SHIFT, word};
    for (size_t i = 0; i < 2; i++) {
        if (!readings[i] || is_chunk(lists, readings[i] - target, size)) {
            *ret_next = readings[i] ? readings[i] - target : 0;
            return true;
        }
    }
    return false;
}

/* Each chunk is put down once, so a list that loops ends. */
static void follow(struct lists *lists, uint64_t addr, uint64_t size, uint64_t target)
{
    for (unsigned i = 0; addr; i++) {
        if (i == LIST_MAX || !heap_map_add(lists->map->cached, addr) ||
            !next_chunk(lists, addr, size, target, &addr)) {
            lists->map->lists_damaged++;
            return;
        }
    }
}

/* ---- tcache */

static uint64_t bin_size(unsigned bin)
{
    return bin < SIZED_BINS ? 32 + 16 * (uint64_t)bin : 0;
}

static bool is_cache(const struct lists *lists, const uint8_t *entries, unsigned bins)
{
    bool has_entry = false;
    for (unsigned bin = 0; bin < bins; bin++) {
        uint64_t entry = load_u64(entries + 8 * (size_t)bin);
        has_entry |= entry != 0;
        if (entry && !is_chunk(lists, entry - CHUNK_HEADER_BYTES, bin_size(bin)))
            return false;
    }
    return has_entry;
}

static void read_cache(struct lists *lists, uint64_t addr)
{
    uint64_t word;
    if (!malloc_chunk_word(lists->image, addr, &word))
        return;
    const struct cache_form *form = cache_form(word & SIZE_MASK);
    const uint8_t *entries =
        form ? memory_view(lists->image, addr + CHUNK_HEADER_BYTES + form->entries, 8u * form->bins)
             : NULL;
    if (!entries || !is_cache(lists, entries, form->bins))
        return;
    lists->map->lists_read++;
    for (unsigned bin = 0; bin < form->bins; bin++) {
        uint64_t entry = load_u64(entries + 8 * (size_t)bin);
        if (entry)
            follow(lists, entry - CHUNK_HEADER_BYTES, bin_size(bin), CHUNK_HEADER_BYTES);
    }
}

/* ---- malloc_state */

static bool is_state(const uint8_t *top_field, uint64_t top_field_addr)
{
    unsigned empty = 0;
    for (unsigned bin = 0; bin < BINS; bin++) {
        uint64_t offset = BINS_AFTER_TOP + 16 * (uint64_t)bin;
        uint64_t first = load_u64(top_field + offset), last = load_u64(top_field + offset + 8);
        bool is_empty = first == top_field_addr + offset - 16;
        if (is_empty != (last == top_field_addr + offset - 16))
            return false;
        empty += is_empty;
    }
    return empty >= EMPTY_BINS_LEAST;
}

/* Looks in [addr, end) for the field of a malloc_state that holds `top`; 0: not there. */
static uint64_t find_top_field(const struct lists *lists, uint64_t addr, uint64_t end, uint64_t top)
{
    uint64_t available = 0;
    const uint8_t *bytes = memory_span(lists->image, addr, &available);
    if (!bytes || addr % 8)
        return 0;
    end = min_u64(end - addr, available);
    for (uint64_t offset = 0; offset + STATE_BYTES <= end; offset += 8) {
        if (load_u64(bytes + offset) == top && is_state(bytes + offset, addr + offset))
            return addr + offset;
    }
    return 0;
}

/* brk's malloc_state is a variable of libc, or of a static program. */
static uint64_t find_main_state(const struct lists *lists, uint64_t top)
{
    const struct core_dump *core = memory_image_core(lists->image);
    uint64_t found = 0;
    for (size_t i = 0; i < core->segments.count && !found; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        if (segment->region == CORE_REGION_LIBRARY_DATA ||
            segment->region == CORE_REGION_PROGRAM_DATA)
            found =
                find_top_field(lists, segment->address, segment->address + segment->stored, top);
    }
    return found;
}

/* All fastbins or none: where a version has none, other fields stand there. */
static void read_fastbins(struct lists *lists, uint64_t top_field_addr)
{
    const uint8_t *fastbins =
        memory_view(lists->image, top_field_addr - 8 * FASTBINS, 8 * FASTBINS);
    if (!fastbins)
        return;
    for (unsigned bin = 0; bin < FASTBINS; bin++) {
        uint64_t addr = load_u64(fastbins + 8 * (size_t)bin);
        if (addr && !is_chunk(lists, addr, bin_size(bin)))
            return;
    }
    lists->map->lists_read++;
    for (unsigned bin = 0; bin < FASTBINS; bin++)
        follow(lists, load_u64(fastbins + 8 * (size_t)bin), bin_size(bin), 0);
}

static void read_heap(struct lists *lists, const struct malloc_heap *heap)
{
    uint64_t field_addr = 0, top = heap->top;
    if (!top)
        return;
    if (heap->state)
        field_addr =
            find_top_field(lists, heap->state, heap->state + STATE_SEARCH + STATE_BYTES, top);
    else
        field_addr = find_main_state(lists, top);
    if (field_addr)
        read_fastbins(lists, field_addr);
}

void malloc_lists_read(const struct memory_image *image, const chunk_array *caches,
                       struct malloc_map *map)
{
    struct lists lists = {image, map};
    for (size_t i = 0; i < caches->count; i++)
        read_cache(&lists, caches->items[i]);
    for (size_t i = 0; i < map->heaps.count; i++)
        read_heap(&lists, &map->heaps.items[i]);
}
