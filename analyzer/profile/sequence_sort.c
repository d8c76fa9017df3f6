/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/sequence_sort.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/array.h"

#define FEW 32 /* below, comparing is faster than counting */

static void insertion_sort(struct keyed_item *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct keyed_item moved = items[i];
        size_t place = i;
        for (; place && items[place - 1].key > moved.key; place--)
            items[place] = items[place - 1];
        items[place] = moved;
    }
}

/* One pass for each byte in which the keys differ, the lowest first. */
static void radix_sort(struct keyed_item *items, struct keyed_item *scratch, size_t count)
{
    uint32_t counts[8][256];
    memset(counts, 0, sizeof counts);
    uint64_t differing = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t key = items[i].key;
        differing |= key ^ items[0].key;
        for (int byte = 0; byte < 8; byte++)
            counts[byte][key >> (8 * byte) & 0xFF]++;
    }
    struct keyed_item *from = items, *to = scratch;
    for (int byte = 0; byte < 8; byte++) {
        if (!(differing >> (8 * byte) & 0xFF))
            continue;
        uint32_t start = 0;
        for (int value = 0; value < 256; value++) {
            uint32_t size = counts[byte][value];
            counts[byte][value] = start;
            start += size;
        }
        for (size_t i = 0; i < count; i++)
            to[counts[byte][from[i].key >> (8 * byte) & 0xFF]++] = from[i];
        struct keyed_item *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != items)
        memcpy(items, from, count * sizeof *items);
}

void keyed_sort(struct keyed_item *items, struct keyed_item *scratch, size_t count)
{
    if (count <= FEW)
        insertion_sort(items, count);
    else
        radix_sort(items, scratch, count);
}

/* Items that are equal up to `depth`. */
struct range {
    uint32_t first, count, depth;
};

struct work {
    const struct sequence_order *order;
    struct keyed_item *items, *scratch;
    uint32_t *common;
    ARRAY(struct range) ranges;
};

/* The depth at which the range's items differ, with their keys there; false: they
 * are equal to their end. */
static bool find_difference(const struct work *work, struct range *range)
{
    struct keyed_item *items = work->items + range->first;
    for (;; range->depth++) {
        bool differ = false;
        for (uint32_t i = 0; i < range->count; i++) {
            items[i].key = work->order->key(work->order->context, items[i].item, range->depth);
            differ |= items[i].key != items[0].key;
        }
        if (differ)
            return true;
        if (!(items[0].key & work->order->more))
            return false;
    }
}

/* What is still equal is work for later. */
static bool push_equal(struct work *work, const struct range *range)
{
    const struct keyed_item *items = work->items + range->first;
    uint32_t *common = work->common ? work->common + range->first : NULL;
    for (uint32_t start = 0, end; start < range->count; start = end) {
        for (end = start + 1; end < range->count && items[end].key == items[start].key; end++)
            ;
        struct range equal = {range->first + start, end - start, range->depth + 1};
        if (common && start)
            common[start] =
                range->depth * 2 + (items[start].key >> 32 == items[start - 1].key >> 32);
        if (equal.count > 1 && items[start].key & work->order->more &&
            !array_push(&work->ranges, equal))
            return false;
    }
    return true;
}

static bool sort_ranges(struct work *work)
{
    while (work->ranges.count) {
        struct range range = work->ranges.items[--work->ranges.count];
        if (!find_difference(work, &range))
            continue;
        keyed_sort(work->items + range.first, work->scratch, range.count);
        if (!push_equal(work, &range))
            return false;
    }
    return true;
}

enum status sequence_sort(const struct sequence_order *order, uint32_t *items, size_t count,
                          uint32_t *common)
{
    struct work work = {.order = order, .common = common};
    for (size_t i = 0; common && i < count; i++)
        common[i] = i ? SEQUENCE_EQUAL : 0;
    if (count < 2)
        return STATUS_OK;
    if (count > UINT32_MAX)
        return STATUS_OVER_LIMIT;
    work.items = calloc(count, sizeof *work.items);
    work.scratch = calloc(count, sizeof *work.scratch);
    struct range all = {0, (uint32_t)count, 0};
    bool ok = work.items && work.scratch && array_push(&work.ranges, all);
    for (size_t i = 0; ok && i < count; i++)
        work.items[i].item = items[i];
    ok = ok && sort_ranges(&work);
    for (size_t i = 0; ok && i < count; i++)
        items[i] = work.items[i].item;
    array_deinit(&work.ranges);
    free(work.items);
    free(work.scratch);
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}
