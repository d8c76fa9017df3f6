/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_map.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/array.h"

#define GRANULE_SHIFT 3 /* an address is a multiple of 8 */

struct range {
    uint64_t start, end;
    uint64_t *words;
    size_t word_count;
    uint32_t *ranks; /* members before each word */
};

/* Which range a page of addresses begins in: an open-addressed hash table,
 * built once, so that finding a range costs one look instead of a binary
 * search. */
#define PAGE_SHIFT 20

struct page {
    uint64_t number_plus_one;
    uint32_t range; /* the first that touches the page */
};

struct heap_map {
    ARRAY(struct range) ranges;
    struct range *largest; /* most of what is asked for; NULL: no range */
    struct page *pages;
    uint64_t page_mask;
};

static struct page *find_page(const struct heap_map *map, uint64_t number)
{
    uint64_t slot = (number * UINT64_C(0x9E3779B97F4A7C15)) >> 20 & map->page_mask;
    while (map->pages[slot].number_plus_one && map->pages[slot].number_plus_one != number + 1)
        slot = (slot + 1) & map->page_mask;
    return &map->pages[slot];
}

static bool build_pages(struct heap_map *map)
{
    uint64_t count = 0, slots = 64;
    for (size_t i = 0; i < map->ranges.count; i++)
        count += ((map->ranges.items[i].end - map->ranges.items[i].start) >> PAGE_SHIFT) + 2;
    while (slots < 2 * count)
        slots *= 2;
    map->pages = calloc(slots, sizeof *map->pages);
    map->page_mask = slots - 1;
    for (size_t i = 0; map->pages && i < map->ranges.count; i++) {
        const struct range *range = &map->ranges.items[i];
        for (uint64_t number = range->start >> PAGE_SHIFT; number <= (range->end - 1) >> PAGE_SHIFT;
             number++) {
            struct page *page = find_page(map, number);
            if (!page->number_plus_one)
                *page = (struct page){number + 1, (uint32_t)i};
        }
    }
    return map->pages != NULL;
}

enum status heap_map_create(const struct memory_image *image, struct heap_map **ret_map)
{
    const struct core_dump *core = memory_image_core(image);
    struct heap_map *map = calloc(1, sizeof *map);
    if (!map)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        if (!(segment->flags & 2) || segment->stored < 16)
            continue;
        struct range range = {.start = segment->address & ~UINT64_C(7),
                              .end = segment->address + segment->stored};
        range.word_count = (size_t)((range.end - range.start) >> GRANULE_SHIFT) / 64 + 1;
        range.words = calloc(range.word_count, sizeof *range.words);
        if (!range.words || !array_push(&map->ranges, range)) {
            free(range.words);
            heap_map_destroy(map);
            return STATUS_NO_MEMORY;
        }
    }
    for (size_t i = 0; i < map->ranges.count; i++)
        if (!map->largest || map->ranges.items[i].word_count > map->largest->word_count)
            map->largest = &map->ranges.items[i];
    if (!build_pages(map)) {
        heap_map_destroy(map);
        return STATUS_NO_MEMORY;
    }
    *ret_map = map;
    return STATUS_OK;
}

void heap_map_destroy(struct heap_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->ranges.count; i++) {
        free(map->ranges.items[i].words);
        free(map->ranges.items[i].ranks);
    }
    array_deinit(&map->ranges);
    free(map->pages);
    free(map);
}

static const struct range *find_other_range(const struct heap_map *map, uint64_t addr)
{
    const struct page *page = find_page(map, addr >> PAGE_SHIFT);
    if (!page->number_plus_one)
        return NULL;
    for (size_t i = page->range; i < map->ranges.count; i++) {
        const struct range *range = &map->ranges.items[i];
        if (addr < range->start)
            return NULL;
        if (addr < range->end)
            return range;
    }
    return NULL;
}

static inline const struct range *find_range(const struct heap_map *map, uint64_t addr)
{
    const struct range *largest = map->largest;
    if (largest && addr >= largest->start && addr < largest->end)
        return largest;
    return find_other_range(map, addr);
}

/* The word and bit of an address; NULL where no object can be. */
static inline uint64_t *find_word(const struct heap_map *map, uint64_t addr, uint64_t *ret_bit)
{
    const struct range *range = addr & 7 ? NULL : find_range(map, addr);
    if (!range || range->end - addr < 16)
        return NULL;
    uint64_t granule = (addr - range->start) >> GRANULE_SHIFT;
    *ret_bit = UINT64_C(1) << (granule & 63);
    return &range->words[granule >> 6];
}

bool heap_map_add(struct heap_map *map, uint64_t addr)
{
    uint64_t bit, *word = find_word(map, addr, &bit);
    if (!word || *word & bit)
        return false;
    *word |= bit;
    return true;
}

bool heap_map_has(const struct heap_map *map, uint64_t addr)
{
    uint64_t bit;
    const uint64_t *word = find_word(map, addr, &bit);
    return word && *word & bit;
}

void heap_map_remove(struct heap_map *map, uint64_t addr)
{
    uint64_t bit, *word = find_word(map, addr, &bit);
    if (word)
        *word &= ~bit;
}

bool heap_map_fits(const struct heap_map *map, uint64_t addr)
{
    uint64_t bit;
    return find_word(map, addr, &bit) != NULL;
}

void heap_map_join(struct heap_map *map, const struct heap_map *other)
{
    for (size_t i = 0; i < map->ranges.count; i++) {
        struct range *range = &map->ranges.items[i];
        const uint64_t *words = other->ranges.items[i].words;
        for (size_t word = 0; word < range->word_count; word++)
            if (words[word])
                range->words[word] |= words[word];
    }
}

/* The compiler's own is a call where the processor's instruction can't be taken
 * for granted. */
static inline uint32_t count_bits(uint64_t bits)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    bits -= bits >> 1 & ones * 0x55;
    bits = (bits & ones * 0x33) + (bits >> 2 & ones * 0x33);
    bits = (bits + (bits >> 4)) & ones * 0x0F;
    return (uint32_t)(bits * ones >> 56);
}

enum status heap_map_freeze(struct heap_map *map, uint32_t *ret_count)
{
    uint64_t count = 0;
    for (size_t i = 0; i < map->ranges.count; i++) {
        struct range *range = &map->ranges.items[i];
        if (!range->ranks)
            range->ranks = malloc(range->word_count * sizeof *range->ranks);
        if (!range->ranks)
            return STATUS_NO_MEMORY;
        for (size_t word = 0; word < range->word_count; word++) {
            range->ranks[word] = (uint32_t)count;
            if (range->words[word])
                count += count_bits(range->words[word]);
        }
        if (count > UINT32_MAX - 2)
            return STATUS_OVER_LIMIT;
    }
    *ret_count = (uint32_t)count;
    return STATUS_OK;
}

bool heap_map_id(const struct heap_map *map, uint64_t addr, uint32_t *ret_id)
{
    const struct range *range = addr & 7 ? NULL : find_range(map, addr);
    if (!range)
        return false;
    uint64_t granule = (addr - range->start) >> GRANULE_SHIFT, bit = UINT64_C(1) << (granule & 63);
    size_t word = (size_t)(granule >> 6);
    if (!(range->words[word] & bit))
        return false;
    *ret_id = range->ranks[word] + count_bits(range->words[word] & (bit - 1));
    return true;
}

uint32_t heap_map_below(const struct heap_map *map, uint64_t addr)
{
    uint64_t bit;
    const struct range *range = find_range(map, addr);
    const uint64_t *word = find_word(map, addr, &bit);
    return range->ranks[word - range->words] + count_bits(*word & (bit - 1));
}

bool heap_map_next(const struct heap_map *map, struct heap_cursor *cursor, uint64_t *ret_addr)
{
    if (!cursor->started) {
        cursor->started = true;
        if (map->ranges.count)
            cursor->bits = map->ranges.items[0].words[0];
    }
    while (cursor->range < map->ranges.count) {
        const struct range *range = &map->ranges.items[cursor->range];
        if (cursor->bits) {
            unsigned bit = (unsigned)__builtin_ctzll(cursor->bits);
            cursor->bits &= cursor->bits - 1;
            *ret_addr = range->start + ((uint64_t)cursor->word * 64 + bit) * 8;
            return true;
        }
        if (++cursor->word == range->word_count) {
            cursor->word = 0;
            cursor->range++;
        }
        if (cursor->range < map->ranges.count)
            cursor->bits = map->ranges.items[cursor->range].words[cursor->word];
    }
    return false;
}

bool heap_map_next_word(const struct heap_map *map, struct heap_words *words)
{
    for (; words->range < map->ranges.count; words->range++, words->word = 0) {
        const struct range *range = &map->ranges.items[words->range];
        while (words->word < range->word_count) {
            size_t word = words->word++;
            if (!range->words[word])
                continue;
            words->addr = range->start + ((uint64_t)word << (6 + GRANULE_SHIFT));
            words->bits = range->words[word];
            return true;
        }
    }
    return false;
}

uint32_t heap_map_seek(const struct heap_map *map, uint32_t id, struct heap_words *ret_words)
{
    struct heap_words words = {0};
    if (!map->ranges.count) {
        *ret_words = words;
        return 0;
    }
    while (words.range + 1 < map->ranges.count && map->ranges.items[words.range + 1].ranks[0] <= id)
        words.range++;
    const struct range *range = &map->ranges.items[words.range];
    for (size_t low = 0, high = range->word_count; high - low > 1;) {
        size_t middle = low + (high - low) / 2;
        if (range->ranks[middle] <= id)
            low = middle;
        else
            high = middle;
        words.word = low;
    }
    *ret_words = words;
    return range->ranks[words.word];
}

uint64_t heap_map_word_at(const struct heap_map *map, const struct heap_words *words)
{
    return map->ranges.items[words->range].words[words->word - 1];
}
