/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/objects/type_table.h"

#include <stdlib.h>

static size_t slot_of(const struct address_map *map, uint64_t addr)
{
    size_t mask = map->capacity - 1;
    size_t slot = (size_t)((addr >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;
    while (map->slots[slot].addr && map->slots[slot].addr != addr)
        slot = (slot + 1) & mask;
    return slot;
}

const void *address_map_get(const struct address_map *map, uint64_t addr)
{
    if (!map->capacity || !addr)
        return NULL;
    return map->slots[slot_of(map, addr)].value;
}

static bool address_map_grow(struct address_map *map)
{
    struct address_map grown = {.capacity = map->capacity ? map->capacity * 2 : 256};
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].addr)
            grown.slots[slot_of(&grown, map->slots[i].addr)] = map->slots[i];
    grown.count = map->count;
    free(map->slots);
    *map = grown;
    return true;
}

bool address_map_put(struct address_map *map, uint64_t addr, const void *value)
{
    if (!addr || (map->count >= map->capacity / 2 && !address_map_grow(map)))
        return false;
    struct address_slot *slot = &map->slots[slot_of(map, addr)];
    if (!slot->addr) {
        *slot = (struct address_slot){addr, value};
        map->count++;
    }
    return true;
}

void address_map_deinit(struct address_map *map)
{
    free(map->slots);
    *map = (struct address_map){0};
}
