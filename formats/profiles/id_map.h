/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_ID_MAP_H
#define FORMATS_PROFILES_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/status.h"

/* 64-bit keys to ids, by open addressing. The hash is keyed with a random number:
 * keys that a file chooses can't be made to collide. */
struct id_map {
    struct id_map_slot {
        uint64_t key;
        uint64_t id; /* + 1; 0: free */
    } * slots;
    size_t capacity, count; /* capacity is a power of two, or 0 */
    uint64_t seed;
};

void id_map_init(struct id_map *map);
void id_map_deinit(struct id_map *map);
/* PROFILE_NO_ID where the key isn't there. */
uint32_t id_map_find(const struct id_map *map, uint64_t key);
/* The key must not be there yet. false: out of memory. */
bool id_map_put(struct id_map *map, uint64_t key, uint32_t id) MUST_CHECK;

#endif
