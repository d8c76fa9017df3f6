/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/tree_items.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/order.h"
#include "analyzer/profile/sequence_sort.h"

void tree_items_deinit(struct tree_items *items)
{
    free(items->items);
    free(items->weights);
    free(items->counts);
    free(items->places[0]);
    free(items->places[1]);
    free(items->sorted);
    free(items->common);
}

/* ---- Stacks and their amounts. */

static void add_samples(struct tree_items *items, const struct profile *profile)
{
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        const struct profile_stack *stack = &profile->stacks.items[sample->stack];
        items->items[i] = (struct tree_item){profile->stack_frames.items + stack->first,
                                             stack->depth, sample->track};
        items->weights[i] = sample->weight;
        items->counts[i] = sample->count;
    }
}

static void add_stacks(struct tree_items *items, uint32_t first, const struct call_side *side)
{
    const struct profile *profile = side->profile;
    double *weights = items->weights + first;
    uint64_t *counts = items->counts;
    for (size_t i = 0; i < profile->stacks.count; i++) {
        const struct profile_stack *stack = &profile->stacks.items[i];
        items->items[first + i] =
            (struct tree_item){profile->stack_frames.items + stack->first, stack->depth, 0};
    }
    for (size_t i = 0; i < profile->traces.count; i++) {
        const struct profile_trace *trace = &profile->traces.items[i];
        weights[trace->stack] += (double)trace->size;
        if (counts)
            counts[trace->stack] += trace->count;
    }
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        weights[sample->stack] += sample->weight;
        if (counts)
            counts[sample->stack] += sample->count;
    }
    for (size_t i = 0; i < profile->stacks.count; i++)
        weights[i] *= side->factor;
}

enum status tree_items_gather(struct tree_items *items, const struct call_side *sides,
                              size_t side_count, bool by_track)
{
    uint64_t count = by_track ? sides[0].profile->samples.count : 0;
    for (size_t side = 0; side < side_count && !by_track; side++)
        count += sides[side].profile->stacks.count;
    if (count >= UINT32_MAX)
        return STATUS_OVER_LIMIT;
    items->count = (uint32_t)count;
    items->second = side_count == 1 ? items->count : (uint32_t)sides[0].profile->stacks.count;
    items->by_track = by_track;
    items->items = malloc((count + 1) * sizeof *items->items);
    items->weights = calloc(count + 1, sizeof *items->weights);
    if (side_count == 1)
        items->counts = calloc(count + 1, sizeof *items->counts);
    if (!items->items || !items->weights || (side_count == 1 && !items->counts))
        return STATUS_NO_MEMORY;
    if (by_track)
        add_samples(items, sides[0].profile);
    for (size_t side = 0; side < side_count && !by_track; side++)
        add_stacks(items, side ? items->second : 0, &sides[side]);
    return STATUS_OK;
}

/* ---- Their order. */

/* 0 past the end of the way, else a place + 1. */
static inline uint64_t place_at(const struct tree_items *items, const struct tree_item *item,
                                const uint32_t *places, uint64_t step)
{
    if (step >= (uint64_t)item->depth + items->by_track)
        return 0;
    if (items->by_track && step == 0)
        return (uint64_t)item->track + 1;
    return (uint64_t)places[tree_item_frame(items, item, step)] + 1;
}

static uint64_t item_key(const void *context, uint32_t id, uint32_t depth)
{
    const struct tree_items *items = context;
    const struct tree_item *item = &items->items[id];
    const uint32_t *places = items->places[tree_item_side(items, id)];
    uint64_t first = place_at(items, item, places, (uint64_t)depth * 2);
    return first << 32 | (first ? place_at(items, item, places, (uint64_t)depth * 2 + 1) : 0);
}

/* Places of the frames of `names`; where lines are merged, of their functions. */
static enum status find_places(const struct profile *names, bool by_line, uint32_t **ret_places)
{
    uint32_t *strings = NULL, *functions = NULL, *places = NULL;
    enum status status = order_strings(names, &strings);
    if (status == STATUS_OK)
        status = order_functions(names, strings, &functions);
    free(strings);
    if (status == STATUS_OK && by_line)
        status = order_frames(names, functions, &places);
    if (status == STATUS_OK && !by_line) {
        places = malloc((names->frames.count + 1) * sizeof *places);
        if (!places)
            status = STATUS_NO_MEMORY;
        for (size_t i = 0; places && i < names->frames.count; i++)
            places[i] = functions[names->frames.items[i].function];
    }
    free(functions);
    if (status == STATUS_OK)
        *ret_places = places;
    return status;
}

/* The places by each recording's own numbers. */
static enum status place_sides(struct tree_items *items, const struct call_side *sides,
                               size_t side_count, const uint32_t *places)
{
    for (size_t side = 0; side < side_count; side++) {
        size_t count = sides[side].profile->frames.count;
        const uint32_t *numbers = sides[side].frames;
        uint32_t *own = malloc((count + 1) * sizeof *own);
        if (!own)
            return STATUS_NO_MEMORY;
        for (size_t i = 0; i < count; i++)
            own[i] = places[numbers ? numbers[i] : i];
        items->places[side] = own;
    }
    return STATUS_OK;
}

enum status tree_items_sort(struct tree_items *items, const struct profile *names,
                            const struct call_side *sides, size_t side_count, bool by_line)
{
    const struct sequence_order order = {.key = item_key, .context = items, .more = UINT32_MAX};
    uint32_t *places = NULL;
    enum status status = find_places(names, by_line, &places);
    if (status == STATUS_OK)
        status = place_sides(items, sides, side_count, places);
    free(places);
    items->sorted = malloc(((size_t)items->count + 1) * sizeof *items->sorted);
    items->common = malloc(((size_t)items->count + 1) * sizeof *items->common);
    if (status == STATUS_OK && !(items->sorted && items->common))
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < items->count; i++)
        if (items->weights[i] > 0 || (items->counts && items->counts[i]))
            items->sorted[items->used++] = i;
    return sequence_sort(&order, items->sorted, items->used, items->common);
}
