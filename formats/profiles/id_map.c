/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/profiles/id_map.h"

#include <stdlib.h>
#include <sys/random.h>

#define FIRST_SLOTS 64

__extension__ typedef unsigned __int128 uint128;

void id_map_init(struct id_map *map)
{
    *map = (struct id_map){0};
    if (getrandom(&map->seed, sizeof map->seed, GRND_NONBLOCK) < 0)
        map->seed = (uintptr_t)map;
}

void id_map_deinit(struct id_map *map)
{
    if (!map)
        return;
    free(map->slots);
    *map = (struct id_map){0};
}

static inline size_t home(const struct id_map *map, uint64_t key)
{
    uint128 product =
        (uint128)(key ^ map->seed) * (UINT64_C(0x9fb21c651e98df25) ^ (map->seed << 1));
    return (size_t)((uint64_t)product ^ (uint64_t)(product >> 64)) & (map->capacity - 1);
}

uint32_t id_map_find(const struct id_map *map, uint64_t key)
{
    if (!map->capacity)
        return UINT32_MAX;
    for (size_t i = home(map, key);; i = (i + 1) & (map->capacity - 1)) {
        const struct id_map_slot *slot = &map->slots[i];
        if (!slot->id)
            return UINT32_MAX;
        if (slot->key == key)
            return (uint32_t)(slot->id - 1);
    }
}

static void insert(struct id_map *map, struct id_map_slot slot)
{
    size_t i = home(map, slot.key);
    while (map->slots[i].id)
        i = (i + 1) & (map->capacity - 1);
    map->slots[i] = slot;
}

static bool grow(struct id_map *map)
{
    struct id_map larger = {.capacity = map->capacity ? map->capacity * 2 : FIRST_SLOTS,
                            .count = map->count,
                            .seed = map->seed};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].id)
            insert(&larger, map->slots[i]);
    free(map->slots);
    *map = larger;
    return true;
}

bool id_map_put(struct id_map *map, uint64_t key, uint32_t id)
{
    if (map->count + 1 > map->capacity / 3 * 2 && !grow(map))
        return false;
    insert(map, (struct id_map_slot){key, (uint64_t)id + 1});
    map->count++;
    return true;
}
