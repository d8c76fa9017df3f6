/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_TREE_ITEMS_H
#define INQUEST_ANALYZER_PROFILE_TREE_ITEMS_H

#include "analyzer/profile/tree.h"

/* A way through the tree: a stack, or a track and a stack. */
struct tree_item {
    const uint32_t *frames; /* its recording's, outermost first; borrowed */
    uint32_t depth, track;
};

/* All that a tree is made of, the stacks of one recording or of two, in order. */
struct tree_items {
    struct tree_item *items;
    double *weights;
    uint64_t *counts; /* samples or blocks; NULL for two recordings */
    uint32_t count;
    uint32_t second;     /* the first item of the second recording */
    bool by_track;       /* a track comes before the frames */
    bool reverse;        /* the innermost frame comes first */
    uint32_t *places[2]; /* by recording, of its frames: equal ones are one node, and siblings
                            stand in their order */
    uint32_t *sorted;    /* the items that weigh something, in order, */
    uint32_t *common;    /* and how many steps each shares with the one before; SEQUENCE_EQUAL:
                            all */
    uint32_t used;       /* how many these are */
};

/* Stacks, or where `by_track` samples. `sides` are one, or two. */
enum status tree_items_gather(struct tree_items *items, const struct call_side *sides,
                              size_t side_count, bool by_track) MUST_CHECK;
/* Fills places, sorted and common. Of two recordings names and lines are those of `names`. */
enum status tree_items_sort(struct tree_items *items, const struct profile *names,
                            const struct call_side *sides, size_t side_count,
                            bool by_line) MUST_CHECK;
void tree_items_deinit(struct tree_items *items);

static inline size_t tree_item_side(const struct tree_items *items, uint32_t id)
{
    return id >= items->second;
}

/* Steps of the way: its frames, and its track where tracks are told apart. */
static inline uint32_t tree_item_size(const struct tree_items *items, uint32_t id)
{
    return items->items[id].depth + items->by_track;
}

/* The frame at a step that is not the track, as its own recording numbers it. */
static inline uint32_t tree_item_frame(const struct tree_items *items, const struct tree_item *item,
                                       uint64_t step)
{
    step -= items->by_track;
    return item->frames[items->reverse ? item->depth - 1 - step : step];
}

#endif
