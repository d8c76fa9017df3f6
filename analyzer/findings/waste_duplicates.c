/* SPDX-License-Identifier: Apache-2.0 */
/* Equal values at different addresses. First all values are hashed, and by two bits for each
 * hash most are found to be met once, and are done with: these bits stay in the cache. The
 * others are looked for by a table of 8 bytes a slot: a part of the hash, and the first
 * object of that value, or the group once there is a second. */
#include <sys/random.h>

#include "analyzer/findings/waste_pass.h"
#include "analyzer/graph/memory.h"
#include "inquest/base/checked_math.h"

#define COUNTERS    4  /* a value, at least */
#define AHEAD       64 /* values whose counters or slots come meanwhile */
#define IS_GROUP    (UINT64_C(1) << 63)
#define TAG_MASK    (UINT64_C(0x7FFFFFFF) << 32)
#define MOST_UNLIKE 64   /* values of one hash that one is compared with */
#define FIRST_VOTE  4    /* copies of a value before places are asked for */
#define LAST_VOTE   1000 /* and as many as are asked */

enum status duplicates_init(struct duplicates *duplicates, const struct heap *heap,
                            struct holders *holders, uint64_t candidates)
{
    uint64_t counters = 1024;
    *duplicates = (struct duplicates){.values = {.heap = heap}, .holders = holders};
    if (getrandom(duplicates->values.seed, sizeof duplicates->values.seed, GRND_NONBLOCK) !=
        (ssize_t)sizeof duplicates->values.seed)
        duplicates->values.seed[0] = (uintptr_t)duplicates; /* still not the same each time */
    while (counters < candidates * COUNTERS && counters <= UINT32_MAX)
        counters *= 2;
    duplicates->counter_mask = counters - 1;
    enum status status = graph_alloc_zeroed(counters / 32, sizeof *duplicates->counters,
                                            (void **)&duplicates->counters, NULL);
    return status == STATUS_OK
               ? graph_alloc(candidates, sizeof *duplicates->met, (void **)&duplicates->met, NULL)
               : status;
}

void duplicates_deinit(struct duplicates *duplicates)
{
    array_deinit(&duplicates->groups);
    graph_free(duplicates->counters);
    graph_free(duplicates->met);
    graph_free(duplicates->slots);
    *duplicates = (struct duplicates){0};
}

/* ---- all values: is it the only one? */

/* Two bits of a word: once, more often. */
static unsigned counter_shift(uint32_t hash)
{
    return hash % 32 * 2;
}

static uint64_t *counter_word(const struct duplicates *duplicates, uint32_t hash)
{
    return &duplicates->counters[(hash & duplicates->counter_mask) / 32];
}

static void count_value(struct duplicates *duplicates, uint32_t hash)
{
    uint64_t *word = counter_word(duplicates, hash);
    unsigned shift = counter_shift(hash);
    *word |= (1 + (*word >> shift & 1)) << shift;
}

void duplicates_add(struct duplicates *duplicates, uint32_t object)
{
    uint64_t hash;
    if (!value_hash(&duplicates->values, object, &hash))
        return;
    const struct met_value met = {.object = object, .hash = (uint32_t)(hash ^ hash >> 32)};
    __builtin_prefetch(counter_word(duplicates, met.hash), 1);
    duplicates->met[duplicates->met_count++] = met;
    if (duplicates->met_count > AHEAD)
        count_value(duplicates, duplicates->met[duplicates->met_count - 1 - AHEAD].hash);
}

static void count_last(struct duplicates *duplicates)
{
    uint64_t count = duplicates->met_count;
    for (uint64_t i = count - min_u64(count, AHEAD); i < count; i++)
        count_value(duplicates, duplicates->met[i].hash);
}

static void drop_single(struct duplicates *duplicates)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < duplicates->met_count; i++) {
        const struct met_value met = duplicates->met[i];
        duplicates->met[kept] = met;
        kept += *counter_word(duplicates, met.hash) >> counter_shift(met.hash) >> 1 & 1;
    }
    duplicates->met_count = kept;
}

/* ---- the others, in order of address */

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

/* By the upper bits: the values here have equals in the lower ones. */
static uint64_t slot_of(const struct duplicates *duplicates, uint32_t hash)
{
    return hash * duplicates->slot_count >> 32;
}

static uint64_t tag_of(uint32_t hash)
{
    return (uint64_t)hash << 32 & TAG_MASK;
}

static bool enter(struct duplicates *duplicates, const struct met_value *value)
{
    uint64_t tag = tag_of(value->hash), at = slot_of(duplicates, value->hash);
    unsigned unlike = 0;
    for (;; at = at + 1 < duplicates->slot_count ? at + 1 : 0) {
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
static void prefetch_like(const struct duplicates *duplicates, const struct met_value *value)
{
    const struct heap *heap = duplicates->values.heap;
    uint64_t slot = duplicates->slots[slot_of(duplicates, value->hash)], there;
    if (!slot || (slot & TAG_MASK) != tag_of(value->hash))
        return;
    uint32_t number = (uint32_t)slot - 1;
    if (slot & IS_GROUP)
        number = duplicates->groups.items[number].first;
    const uint8_t *bytes = memory_span(heap->process->image, heap_address(heap, number), &there);
    if (bytes)
        __builtin_prefetch(bytes + 32);
}

static bool enter_some(struct duplicates *duplicates, const struct met_value *values,
                       uint64_t count)
{
    bool ok = true;
    for (uint64_t i = 0; i < count; i++)
        __builtin_prefetch(&duplicates->slots[slot_of(duplicates, values[i].hash)], 1);
    for (uint64_t i = 0; i < count; i++)
        prefetch_like(duplicates, &values[i]);
    for (uint64_t i = 0; i < count && ok; i++)
        ok = enter(duplicates, &values[i]);
    return ok;
}

bool duplicates_finish(struct duplicates *duplicates)
{
    count_last(duplicates);
    drop_single(duplicates);
    uint64_t count = duplicates->met_count;
    duplicates->slot_count = count + count / 2 + 1;
    bool ok = graph_alloc_zeroed(duplicates->slot_count, sizeof *duplicates->slots,
                                 (void **)&duplicates->slots, NULL) == STATUS_OK;
    for (uint64_t i = 0; i < count && ok; i += AHEAD)
        ok = enter_some(duplicates, duplicates->met + i, min_u64(AHEAD, count - i));
    return ok;
}
