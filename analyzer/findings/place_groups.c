/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/place_groups.h"

#include <string.h>

#define FEW_SLOTS  255
#define MOST_SLOTS 4096

static bool same_place(const struct place *a, const struct place *b)
{
    return a->object == b->object && a->type == b->type && a->label_class == b->label_class &&
           a->in_namespace == b->in_namespace;
}

static uint32_t *find_slot(const struct place_groups *groups, const struct place *place)
{
    uint64_t hash = ((uint64_t)place->type << 32 | place->label_class) ^
                    (uint64_t)place->object << 11 ^ place->in_namespace;
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    uint32_t slot = (uint32_t)(hash >> 32) & groups->slot_mask;
    for (; groups->slots[slot]; slot = (slot + 1) & groups->slot_mask)
        if (same_place(&groups->groups.items[groups->slots[slot] - 1].place, place))
            break;
    return &groups->slots[slot];
}

static bool clear_slots(struct place_groups *groups, uint32_t mask)
{
    if (!groups->slots || mask != groups->slot_mask) {
        free(groups->slots);
        groups->slots = malloc(((size_t)mask + 1) * sizeof *groups->slots);
        groups->slot_mask = mask;
    }
    if (!groups->slots)
        return false;
    memset(groups->slots, 0, ((size_t)mask + 1) * sizeof *groups->slots);
    return true;
}

/* One node with many groups must not make all others clear as many slots. */
bool place_groups_clear(struct place_groups *groups)
{
    uint32_t mask = groups->slot_mask;
    groups->groups.count = 0;
    return clear_slots(groups, mask && mask < MOST_SLOTS ? mask : FEW_SLOTS);
}

void place_groups_deinit(struct place_groups *groups)
{
    array_deinit(&groups->groups);
    free(groups->slots);
    groups->slots = NULL;
}

static bool grow(struct place_groups *groups)
{
    if (!clear_slots(groups, groups->slot_mask * 2 + 1))
        return false;
    for (size_t i = 0; i < groups->groups.count; i++)
        *find_slot(groups, &groups->groups.items[i].place) = (uint32_t)i + 1;
    return true;
}

struct place_group *place_groups_add(struct place_groups *groups, const struct place *place)
{
    uint32_t *slot = find_slot(groups, place);
    if (*slot)
        return &groups->groups.items[*slot - 1];
    struct place_group group = {.place = *place, .order = (uint32_t)groups->groups.count};
    if (!array_push(&groups->groups, group))
        return NULL;
    *slot = (uint32_t)groups->groups.count;
    if (groups->groups.count * 2 > groups->slot_mask && !grow(groups))
        return NULL;
    return &groups->groups.items[groups->groups.count - 1];
}

struct place_group *place_groups_find(struct place_groups *groups, const struct place *place)
{
    return &groups->groups.items[*find_slot(groups, place) - 1];
}
