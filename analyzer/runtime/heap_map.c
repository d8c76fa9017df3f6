/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_map.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/graph/memory.h"

#define GRANULE_SHIFT 3 /* an address is a multiple of 8 */

/* Where objects can be: a segment of the core, as far as it is stored. */
struct heap_span {
    uint64_t start, end;
    uint32_t range; /* that covers it */
};

/* Which span a page of addresses begins in: an open-addressed hash table, built
 * once, so that finding a span costs one look instead of a binary search. */
#define PAGE_SHIFT 20

struct heap_page {
    uint64_t number_plus_one;
    uint32_t span; /* the first that touches the page */
};

static struct heap_page *find_page(const struct heap_map *map, uint64_t number)
{
    uint64_t slot = (number * UINT64_C(0x9E3779B97F4A7C15)) >> 20 & map->page_mask;
    while (map->pages[slot].number_plus_one && map->pages[slot].number_plus_one != number + 1)
        slot = (slot + 1) & map->page_mask;
    return &map->pages[slot];
}

static bool build_pages(struct heap_map *map)
{
    uint64_t count = 0, slots = 64;
    for (size_t i = 0; i < map->spans.count; i++)
        count += ((map->spans.items[i].end - map->spans.items[i].start) >> PAGE_SHIFT) + 2;
    while (slots < 2 * count)
        slots *= 2;
    map->pages = calloc(slots, sizeof *map->pages);
    map->page_mask = slots - 1;
    for (size_t i = 0; map->pages && i < map->spans.count; i++) {
        const struct heap_span *span = &map->spans.items[i];
        for (uint64_t number = span->start >> PAGE_SHIFT; number <= (span->end - 1) >> PAGE_SHIFT;
             number++) {
            struct heap_page *page = find_page(map, number);
            if (!page->number_plus_one)
                *page = (struct heap_page){number + 1, (uint32_t)i};
        }
    }
    return map->pages != NULL;
}

/* Spans with small gaps between them share a range, so that most of what is asked for is
 * in one. A gap costs no more than what is in front of it. */
#define GAP_MAX (UINT64_C(16) << 20)

static bool add_span(struct heap_map *map, uint64_t start, uint64_t end)
{
    struct heap_range *last = map->ranges.count ? &map->ranges.items[map->ranges.count - 1] : NULL;
    uint64_t gap = last ? start - last->end : 0;
    if (last && start >= last->end && gap <= GAP_MAX && gap <= last->end - last->start) {
        last->end = end;
    } else {
        const struct heap_range range = {.start = start & ~UINT64_C(7), .end = end};
        if (!array_push(&map->ranges, range))
            return false;
    }
    const struct heap_span span = {start & ~UINT64_C(7), end, (uint32_t)map->ranges.count - 1};
    return array_push(&map->spans, span);
}

static bool make_words(struct heap_map *map)
{
    for (size_t i = 0; i < map->ranges.count; i++) {
        struct heap_range *range = &map->ranges.items[i];
        range->word_count = (size_t)((range->end - range->start) >> GRANULE_SHIFT) / 64 + 1;
        if (graph_alloc_zeroed(range->word_count, sizeof *range->words, (void **)&range->words,
                               NULL) != STATUS_OK)
            return false;
        if (!map->largest || range->word_count > map->largest->word_count)
            map->largest = range;
    }
    return true;
}

enum status heap_map_create(const struct memory_image *image, struct heap_map **ret_map)
{
    const struct core_dump *core = memory_image_core(image);
    struct heap_map *map = calloc(1, sizeof *map);
    bool is_made = map != NULL;
    for (size_t i = 0; i < core->segments.count && is_made; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        if (segment->flags & 2 && segment->stored >= 16)
            is_made = add_span(map, segment->address, segment->address + segment->stored);
    }
    if (!is_made || !make_words(map) || !build_pages(map)) {
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
        graph_free(map->ranges.items[i].words);
        graph_free(map->ranges.items[i].ranks);
    }
    array_deinit(&map->ranges);
    array_deinit(&map->spans);
    free(map->pages);
    free(map);
}

static const struct heap_span *find_span(const struct heap_map *map, uint64_t addr)
{
    const struct heap_page *page = find_page(map, addr >> PAGE_SHIFT);
    if (!page->number_plus_one)
        return NULL;
    for (size_t i = page->span; i < map->spans.count; i++) {
        const struct heap_span *span = &map->spans.items[i];
        if (addr < span->start)
            return NULL;
        if (addr < span->end)
            return span;
    }
    return NULL;
}

const struct heap_range *heap_map_find_other(const struct heap_map *map, uint64_t addr)
{
    const struct heap_span *span = find_span(map, addr);
    return span ? &map->ranges.items[span->range] : NULL;
}

/* The word and bit of an address; NULL where none is. */
static uint64_t *find_word(const struct heap_map *map, uint64_t addr, uint64_t *ret_bit)
{
    const struct heap_range *range = addr & 7 ? NULL : heap_map_range(map, addr);
    if (!range)
        return NULL;
    uint64_t place = (addr - range->start) >> GRANULE_SHIFT;
    *ret_bit = UINT64_C(1) << (place & 63);
    return &range->words[place >> 6];
}

bool heap_map_fits(const struct heap_map *map, uint64_t addr)
{
    const struct heap_span *span = addr & 7 ? NULL : find_span(map, addr);
    return span && span->end - addr >= 16;
}

bool heap_map_add(struct heap_map *map, uint64_t addr)
{
    uint64_t bit, *word = heap_map_fits(map, addr) ? find_word(map, addr, &bit) : NULL;
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

void heap_map_join(struct heap_map *map, const struct heap_map *other)
{
    for (size_t i = 0; i < map->ranges.count; i++) {
        struct heap_range *range = &map->ranges.items[i];
        const uint64_t *words = other->ranges.items[i].words;
        for (size_t word = 0; word < range->word_count; word++)
            if (words[word])
                range->words[word] |= words[word];
    }
}

enum status heap_map_freeze(struct heap_map *map, uint32_t *ret_count)
{
    uint64_t count = 0;
    for (size_t i = 0; i < map->ranges.count; i++) {
        struct heap_range *range = &map->ranges.items[i];
        if (!range->ranks && graph_alloc(range->word_count, sizeof *range->ranks,
                                         (void **)&range->ranks, NULL) != STATUS_OK)
            return STATUS_NO_MEMORY;
        for (size_t word = 0; word < range->word_count; word++) {
            range->ranks[word] = (uint32_t)count;
            if (range->words[word])
                count += heap_count_bits(range->words[word]);
        }
        if (count > UINT32_MAX - 2)
            return STATUS_OVER_LIMIT;
    }
    *ret_count = (uint32_t)count;
    return STATUS_OK;
}

uint32_t heap_map_below(const struct heap_map *map, uint64_t addr)
{
    const struct heap_range *range = heap_map_range(map, addr);
    uint64_t place = (addr - range->start) >> GRANULE_SHIFT;
    uint64_t below = (UINT64_C(1) << (place & 63)) - 1;
    return range->ranks[place >> 6] + heap_count_bits(range->words[place >> 6] & below);
}

bool heap_map_next(const struct heap_map *map, struct heap_cursor *cursor, uint64_t *ret_addr)
{
    if (!cursor->started) {
        cursor->started = true;
        if (map->ranges.count)
            cursor->bits = map->ranges.items[0].words[0];
    }
    while (cursor->range < map->ranges.count) {
        const struct heap_range *range = &map->ranges.items[cursor->range];
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
        const struct heap_range *range = &map->ranges.items[words->range];
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
    const struct heap_range *range = &map->ranges.items[words.range];
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

bool heap_map_stretch(const struct heap_map *map, uint64_t addr, uint64_t size,
                      struct heap_stretch *ret_stretch)
{
    const struct heap_span *span = find_span(map, addr);
    const struct heap_range *range = span ? &map->ranges.items[span->range] : NULL;
    if (!range || (addr - range->start) % HEAP_WORD_BYTES || size % HEAP_WORD_BYTES ||
        size > span->end - addr)
        return false;
    size_t word = (size_t)((addr - range->start) / HEAP_WORD_BYTES);
    *ret_stretch =
        (struct heap_stretch){&range->words[word], range->ranks ? &range->ranks[word] : NULL};
    return true;
}
