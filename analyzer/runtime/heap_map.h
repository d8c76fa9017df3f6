/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_MAP_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/base/array.h"
#include "inquest/formats/memory_image.h"

/* A set of object addresses over the dead process's writable memory, as a
 * bitmap of one bit per 8 bytes. Once frozen, a rank table turns an address
 * into a dense id, in order of address, without hashing: 1/64 of the memory for
 * the bits and half of that for the ranks. */
struct heap_map;

/* ---- what the inline functions below are made of; others ask these */

struct heap_range {
    uint64_t start, end; /* of some segments of the core, and what is between them */
    uint64_t *words;     /* a bit per 8 bytes from `start` on */
    size_t word_count;   /* there is one past the last whole 512 bytes */
    uint32_t *ranks;     /* members before each word; NULL: never frozen */
};

struct heap_map {
    ARRAY(struct heap_range) ranges;
    const struct heap_range *largest; /* most of what is asked for; NULL: no range */
    ARRAY(struct heap_span) spans;    /* heap_map.c: the segments themselves */
    struct heap_page *pages;          /* heap_map.c: which of them are where */
    uint64_t page_mask;
};

const struct heap_range *heap_map_find_other(const struct heap_map *map, uint64_t addr);

static inline const struct heap_range *heap_map_range(const struct heap_map *map, uint64_t addr)
{
    const struct heap_range *largest = map->largest;
    if (largest && addr >= largest->start && addr < largest->end)
        return largest;
    return heap_map_find_other(map, addr);
}

/* The compiler's own is a call where the processor's instruction can't be taken
 * for granted. */
static inline uint32_t heap_count_bits(uint64_t bits)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    bits -= bits >> 1 & ones * 0x55;
    bits = (bits & ones * 0x33) + (bits >> 2 & ones * 0x33);
    bits = (bits + (bits >> 4)) & ones * 0x0F;
    return (uint32_t)(bits * ones >> 56);
}

/* ---- the set */

enum status heap_map_create(const struct memory_image *image, struct heap_map **ret_map) MUST_CHECK;
void heap_map_destroy(struct heap_map *map);

/* Whether a member can be there at all. */
bool heap_map_fits(const struct heap_map *map, uint64_t addr);
/* Adds an address; false where it was there, or can't be an object's. */
bool heap_map_add(struct heap_map *map, uint64_t addr);
bool heap_map_has(const struct heap_map *map, uint64_t addr);
void heap_map_remove(struct heap_map *map, uint64_t addr);
/* Adds all of another one's, which was made from the same image. */
void heap_map_join(struct heap_map *map, const struct heap_map *other);

/* Builds the rank table: it holds until a member is added or removed, and may
 * be built again then. STATUS_OVER_LIMIT past 2^32 - 2 objects. */
enum status heap_map_freeze(struct heap_map *map, uint32_t *ret_count) MUST_CHECK;
/* The id of an address; false where it is no member's. */
static inline bool heap_map_id(const struct heap_map *map, uint64_t addr, uint32_t *ret_id)
{
    const struct heap_range *range = addr & 7 ? NULL : heap_map_range(map, addr);
    if (!range)
        return false;
    uint64_t place = (addr - range->start) >> 3, bit = UINT64_C(1) << (place & 63);
    uint64_t bits = range->words[place >> 6];
    if (!(bits & bit))
        return false;
    *ret_id = range->ranks[place >> 6] + heap_count_bits(bits & (bit - 1));
    return true;
}

/* How many members are below an address; it fits, and the map is frozen. */
uint32_t heap_map_below(const struct heap_map *map, uint64_t addr);

/* Members in ascending order: start with a zeroed cursor. */
struct heap_cursor {
    size_t range, word;
    uint64_t bits;
    bool started;
};
bool heap_map_next(const struct heap_map *map, struct heap_cursor *cursor, uint64_t *ret_addr);

/* The same by the word: 64 places of 8 bytes each from `addr` on, the lowest
 * bit first. Words without a member are passed over. Start with a zeroed one.
 */
struct heap_words {
    size_t range, word; /* where the next one is */
    uint64_t addr, bits;
};
bool heap_map_next_word(const struct heap_map *map, struct heap_words *words);
/* Starts with the word that has the member of that id, in a frozen map; the id
 * of the word's first one. */
uint32_t heap_map_seek(const struct heap_map *map, uint32_t id, struct heap_words *ret_words);
/* The bits of another map of the same image at the same place. */
uint64_t heap_map_word_at(const struct heap_map *map, const struct heap_words *words);

#define HEAP_WORD_BYTES 512 /* of memory: what the bits of one word stand for */

/* The places of `size` bytes from `addr` on, one behind the other. */
struct heap_stretch {
    uint64_t *words;       /* of HEAP_WORD_BYTES each, with one more behind them */
    const uint32_t *ranks; /* with the rank of what comes behind; of a frozen map */
};
/* False where they are not the places of whole words of one range. */
bool heap_map_stretch(const struct heap_map *map, uint64_t addr, uint64_t size,
                      struct heap_stretch *ret_stretch);
static inline void heap_stretch_set(const struct heap_stretch *stretch, uint32_t place)
{
    stretch->words[place >> 6] |= UINT64_C(1) << (place & 63);
}
/* 64 places from the given one on, the lowest bit first. */
static inline uint64_t heap_stretch_bits(const struct heap_stretch *stretch, uint32_t place)
{
    const uint64_t *word = &stretch->words[place >> 6];
    uint32_t skip = place & 63;
    return skip ? word[0] >> skip | word[1] << (64 - skip) : word[0];
}

#endif
