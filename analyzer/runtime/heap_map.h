/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_MAP_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/formats/memory_image.h"

/* A set of object addresses over the dead process's writable memory, as a
 * bitmap of one bit per 8 bytes. Once frozen, a rank table turns an address
 * into a dense id, in order of address, without hashing: 1/64 of the memory for
 * the bits and half of that for the ranks. */
struct heap_map;

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
bool heap_map_id(const struct heap_map *map, uint64_t addr, uint32_t *ret_id);

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

#endif
