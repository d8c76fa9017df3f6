/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_MAP_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/formats/memory_image.h"

/* A set of object addresses over the dead process's writable memory, as a bitmap
 * of one bit per 8 bytes. Once frozen, a rank table turns an address into a dense
 * id, in order of address, without hashing: 1/64 of the memory for the bits and
 * half of that for the ranks. */
struct heap_map;

enum status heap_map_create(const struct memory_image *image, struct heap_map **ret_map) MUST_CHECK;
void heap_map_destroy(struct heap_map *map);
/* The members as they are now. */
enum status heap_map_copy(const struct heap_map *map, struct heap_map **ret_copy) MUST_CHECK;

/* Adds an address; false where it was there, or can't be an object's. */
bool heap_map_add(struct heap_map *map, uint64_t addr);
bool heap_map_has(const struct heap_map *map, uint64_t addr);
void heap_map_remove(struct heap_map *map, uint64_t addr);

/* Builds the rank table; adding and removing are over. STATUS_OVER_LIMIT past
 * 2^32 - 2 objects. */
enum status heap_map_freeze(struct heap_map *map, uint32_t *ret_count) MUST_CHECK;
/* The id of an address; false where it is no member's. */
bool heap_map_id(const struct heap_map *map, uint64_t addr, uint32_t *ret_id);

/* Members in ascending order: start with a zeroed cursor. */
struct heap_cursor {
    size_t range, word;
    uint64_t bits;
    bool started;
};
bool heap_map_next(const struct heap_map *map, struct heap_cursor *cursor, uint64_t *ret_addr);

#endif
