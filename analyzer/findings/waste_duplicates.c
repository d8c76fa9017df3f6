/* SPDX-License-Identifier: Apache-2.0 */
/* Equal values at different addresses, by a table of 8 bytes a slot: a part of the
 * hash, and the first object of that value, or the group once there is a second. The
 * table is larger than any cache: objects wait in small groups for their slots, which
 * come meanwhile, and then for what the slots lead to. */
#include <sys/random.h>

#include "analyzer/findings/waste_pass.h"
#include "analyzer/graph/memory.h"

#define IS_GROUP    (UINT64_C(1) << 63)
#define TAG_MASK    (UINT64_C(0x7FFFFFFF) << 32)
#define MOST_UNLIKE 64   /* values of one hash that one is compared with */
#define FIRST_VOTE  4    /* copies of a value before places are asked for */
#define LAST_VOTE   1000 /* and as many as are asked */

enum status duplicates_init(struct duplicates *duplicates, const struct heap *heap,
                            struct holders *holders, uint64_t candidates)
{
    uint64_t slots = 1024;
    *duplicates = (struct duplicates){.values = {.heap = heap}, .holders = holders};
    if (getrandom(duplicates->values.seed, sizeof duplicates->values.seed, GRND_NONBLOCK) !=
        (ssize_t)sizeof duplicates->values.seed)
        duplicates->values.seed[0] = (uintptr_t)duplicates; /* still not the same each time */
    while (slots < candidates + candidates / 4)
        slots *= 2;
    duplicates->slot_mask = slots - 1;
    return graph_alloc_zeroed(slots, sizeof *duplicates->slots, (void **)&duplicates->slots, NULL);
}

void duplicates_deinit(struct duplicates *duplicates)
{
    array_deinit(&duplicates->groups);
    graph_free(duplicates->slots);
    duplicates->slots = NULL;
}

/* Boyer and Moore's vote: a place that most copies are at wins. Few copies, and those
 * past the first many, are not asked. */
static bool vote(struct duplicates *duplicates, struct duplicate *group, uint32_t object)
{
    uint32_t holder;
    if (group->copies < FIRST_VOTE || group->copies > LAST_VOTE)
        return true;
    if (!holder_of(duplicates->holders, object, &holder))
        return false;
    if (!group->votes)
        group->holder = holder;
    if (group->holder == holder)
        group->votes++;
    else
        group->votes--;
    return true;
}

static bool add_copy(struct duplicates *duplicates, struct duplicate *group, uint32_t object)
{
    uint64_t size = heap_size(duplicates->values.heap, object);
    group->copies++;
    group->bytes += size;
    if (size > group->largest)
        group->largest = size;
    return vote(duplicates, group, object);
}

static bool add_group(struct duplicates *duplicates, uint64_t *slot, uint32_t object)
{
    uint32_t first = (uint32_t)*slot - 1;
    uint64_t size = heap_size(duplicates->values.heap, first);
    struct duplicate group = {
        .first = first, .copies = 1, .bytes = size, .largest = size, .holder = NO_HOLDER};
    if (!add_copy(duplicates, &group, object) || !array_push(&duplicates->groups, group))
        return false;
    *slot = (*slot & TAG_MASK) | IS_GROUP | duplicates->groups.count;
    return true;
}

static uint64_t slot_of(const struct duplicates *duplicates, uint64_t hash)
{
    return (hash ^ hash >> 32) & duplicates->slot_mask;
}

static bool enter(struct duplicates *duplicates, const struct waiting_value *value)
{
    uint64_t tag = value->hash & TAG_MASK, at = slot_of(duplicates, value->hash);
    unsigned unlike = 0;
    for (;; at = (at + 1) & duplicates->slot_mask) {
        uint64_t *slot = &duplicates->slots[at];
        if (!*slot) {
            *slot = tag | (value->object + UINT64_C(1));
            return true;
        }
        if ((*slot & TAG_MASK) != tag)
            continue;
        struct duplicate *group =
            *slot & IS_GROUP ? &duplicates->groups.items[(uint32_t)*slot - 1] : NULL;
        uint32_t first = group ? group->first : (uint32_t)*slot - 1;
        if (values_equal(&duplicates->values, first, value->object))
            return group ? add_copy(duplicates, group, value->object)
                         : add_group(duplicates, slot, value->object);
        if (++unlike == MOST_UNLIKE)
            return true;
    }
}

/* Asks for the value in the slot, where it may be the same one. */
static void prefetch_like(const struct duplicates *duplicates, const struct waiting_value *value)
{
    const struct heap *heap = duplicates->values.heap;
    uint64_t slot = duplicates->slots[slot_of(duplicates, value->hash)], there;
    if (!slot || (slot ^ value->hash) & TAG_MASK)
        return;
    uint32_t number = (uint32_t)slot - 1;
    if (slot & IS_GROUP)
        number = duplicates->groups.items[number].first;
    const uint8_t *bytes = memory_span(heap->process->image, heap_address(heap, number), &there);
    if (bytes)
        __builtin_prefetch(bytes + 32);
}

bool duplicates_finish(struct duplicates *duplicates)
{
    bool ok = true;
    for (unsigned i = 0; i < duplicates->waiting_count; i++)
        prefetch_like(duplicates, &duplicates->waiting[i]);
    for (unsigned i = 0; i < duplicates->waiting_count && ok; i++)
        ok = enter(duplicates, &duplicates->waiting[i]);
    duplicates->waiting_count = 0;
    return ok;
}

bool duplicates_add(struct duplicates *duplicates, uint32_t object)
{
    struct waiting_value value = {.object = object};
    if (!value_hash(&duplicates->values, object, &value.hash))
        return true;
    __builtin_prefetch(&duplicates->slots[slot_of(duplicates, value.hash)], 1);
    duplicates->waiting[duplicates->waiting_count++] = value;
    return duplicates->waiting_count < DUPLICATES_WAITING || duplicates_finish(duplicates);
}
