/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of stacks: they are sorted as sequences, and then each adds to the tree what
 * it does not share with the one before. */
#include "analyzer/profile/tree.h"

#include <math.h>
#include <stdlib.h>

#include "analyzer/profile/tree_items.h"

#define FETCH_AHEAD 8u /* items */

struct builder {
    struct call_tree *tree;
    struct call_pair_tree *pair; /* that `tree` is of; NULL: of one recording */
    const struct profile *profile;
    const struct call_side *sides; /* one, or two */
    const struct call_tree_options *options;
    struct tree_items items;
    uint32_t *path;       /* the open nodes by depth, the root first */
    uint32_t depth;       /* of the innermost open node; the root's is 0 */
    double least;         /* amount */
    uint32_t *item_nodes; /* the caller's; NULL: nobody asks */
};

/* ---- Nodes. */

static struct call_node node_at(const struct builder *builder, uint32_t id, uint32_t step)
{
    const struct profile *profile = builder->profile;
    const struct tree_items *items = &builder->items;
    const struct tree_item *item = &items->items[id];
    if (items->by_track && step == 0)
        return (struct call_node){.kind = CALL_NODE_TRACK, .function = item->track};
    const uint32_t *numbers = builder->sides[tree_item_side(items, id)].frames;
    uint32_t number = tree_item_frame(items, item, step);
    const struct profile_frame *frame = &profile->frames.items[numbers ? numbers[number] : number];
    return (struct call_node){.kind = CALL_NODE_FUNCTION,
                              .function = frame->function,
                              .line = builder->options->by_line ? frame->line : 0};
}

/* Room for `count` more, in all arrays that go by node. */
static bool reserve_nodes(struct builder *builder, uint32_t count)
{
    struct call_tree *tree = builder->tree;
    return tree->nodes.count <= UINT32_MAX - 1 - count && array_reserve(&tree->nodes, count) &&
           (!(builder->options->least > 0) || array_reserve(&tree->rests, count)) &&
           (!builder->pair || array_reserve(&builder->pair->shares, count));
}

static void push_node(struct builder *builder, struct call_node node)
{
    struct call_tree *tree = builder->tree;
    tree->nodes.items[tree->nodes.count++] = node;
    if (builder->options->least > 0)
        tree->rests.items[tree->rests.count++] = (struct call_rest){0};
    if (builder->pair)
        builder->pair->shares.items[builder->pair->shares.count++] = (struct call_shares){0};
}

/* What is below a node is the end of the arrays, so leaving it out is forgetting it. */
static void drop_nodes(struct builder *builder, uint32_t count)
{
    builder->tree->nodes.count = count;
    builder->tree->rests.count = count;
    if (builder->pair)
        builder->pair->shares.count = count;
}

/* A closed node, whose own branches were all left out before. */
static void leave_out(struct builder *builder, uint32_t id, uint32_t parent)
{
    struct call_tree *tree = builder->tree;
    struct call_rest *rest = &tree->rests.items[parent];
    rest->value += tree->nodes.items[id].total;
    rest->nodes += 1 + tree->rests.items[id].nodes;
    rest->branches++;
    for (size_t side = 0; builder->pair && side < 2; side++) {
        rest->sides[side] +=
            builder->pair->shares.items[id].self[side] + tree->rests.items[id].sides[side];
    }
    tree->left_out++;
    drop_nodes(builder, id);
}

static void count_shared(struct call_pair_tree *pair, uint32_t id)
{
    const double *self = pair->shares.items[id].self;
    for (size_t side = 0; side < 2 && self[0] > 0 && self[1] > 0; side++)
        pair->shared[side] += self[side];
}

/* Ends the open nodes below `depth`. */
static void close_nodes(struct builder *builder, uint32_t depth)
{
    struct call_tree *tree = builder->tree;
    for (; builder->depth > depth; builder->depth--) {
        uint32_t id = builder->path[builder->depth], above = builder->path[builder->depth - 1];
        struct call_node *node = &tree->nodes.items[id], *parent = &tree->nodes.items[above];
        node->end = (uint32_t)tree->nodes.count;
        parent->total += node->total;
        parent->count += node->count;
        if (builder->pair)
            count_shared(builder->pair, id);
        if (node->total < builder->least)
            leave_out(builder, id, above);
    }
}

/* Opens nodes for the item's steps from `shared` to `size`, with room for them. */
static void open_nodes(struct builder *builder, uint32_t item, uint32_t shared, uint32_t size)
{
    for (uint32_t i = shared; i < size; i++) {
        struct call_node node = node_at(builder, item, i);
        node.parent = builder->path[builder->depth];
        builder->path[++builder->depth] = (uint32_t)builder->tree->nodes.count;
        push_node(builder, node);
    }
}

/* ---- Amounts. */

static double amount_of(const struct builder *builder, uint32_t item)
{
    return builder->options->by_count ? (double)builder->items.counts[item]
                                      : builder->items.weights[item];
}

/* Lays an item's amount at the node where it ends; returns by how much that grew: of two
 * recordings the one that has more counts. */
static double add_self(struct builder *builder, uint32_t node, uint32_t item)
{
    double amount = amount_of(builder, item), before = 0;
    if (builder->pair) {
        double *self = builder->pair->shares.items[node].self;
        before = fmax(self[0], self[1]);
        self[tree_item_side(&builder->items, item)] += amount;
        amount = fmax(self[0], self[1]) - before;
    }
    builder->tree->nodes.items[node].self += amount;
    return amount;
}

/* The same where the item's last `count` steps are too small a branch to be opened. */
static double add_rest(struct builder *builder, uint32_t node, uint32_t item, uint32_t count)
{
    double amount = amount_of(builder, item);
    struct call_rest *rest = &builder->tree->rests.items[node];
    rest->value += amount;
    rest->nodes += count;
    rest->branches++;
    rest->sides[tree_item_side(&builder->items, item)] += amount;
    builder->tree->left_out += count;
    return amount;
}

/* `shared` steps are open already; those after `kept` are this item's alone. */
static bool add_item(struct builder *builder, uint32_t item, uint32_t shared, uint32_t kept)
{
    struct call_tree *tree = builder->tree;
    uint32_t size = tree_item_size(&builder->items, item);
    close_nodes(builder, shared);
    uint32_t opened = amount_of(builder, item) < builder->least && kept < size ? kept : size;
    if (!reserve_nodes(builder, opened))
        return false;
    open_nodes(builder, item, shared, opened);
    uint32_t last = builder->path[builder->depth];
    tree->nodes.items[last].total += opened == size ? add_self(builder, last, item)
                                                    : add_rest(builder, last, item, size - opened);
    if (builder->items.counts)
        tree->nodes.items[last].count += builder->items.counts[item];
    if (builder->item_nodes)
        builder->item_nodes[item] = last;
    return true;
}

/* Sorted items lie all over memory: what they need is fetched some ahead. */
static inline void fetch(const struct tree_items *items, uint32_t at)
{
    if (at + 2 * FETCH_AHEAD < items->used) {
        uint32_t item = items->sorted[at + 2 * FETCH_AHEAD];
        __builtin_prefetch(&items->items[item]);
        __builtin_prefetch(&items->weights[item]);
    }
    if (at + FETCH_AHEAD < items->used)
        __builtin_prefetch(items->items[items->sorted[at + FETCH_AHEAD]].frames);
}

static bool add_items(struct builder *builder)
{
    const struct tree_items *items = &builder->items;
    for (uint32_t i = 0; i < items->used; i++) {
        fetch(items, i);
        uint32_t item = items->sorted[i], size = tree_item_size(items, item);
        uint32_t shared = items->common[i], kept = i + 1 < items->used ? items->common[i + 1] : 0;
        shared = shared < size ? shared : size;
        kept = kept < shared ? shared : kept < size ? kept : size;
        if (!add_item(builder, item, shared, kept))
            return false;
    }
    close_nodes(builder, 0);
    if (builder->pair)
        count_shared(builder->pair, 0);
    return true;
}

/* ---- The tree. */

static bool begin_tree(struct builder *builder)
{
    const struct tree_items *items = &builder->items;
    uint32_t deepest = 0;
    double all[2] = {0, 0};
    for (uint32_t i = 0; i < items->count; i++) { /* not as sorted: all over memory */
        deepest = tree_item_size(items, i) > deepest ? tree_item_size(items, i) : deepest;
        all[tree_item_side(items, i)] += amount_of(builder, i);
    }
    builder->least = fmax(all[0], all[1]) * builder->options->least;
    builder->path = calloc((size_t)deepest + 1, sizeof *builder->path);
    if (!builder->path || !reserve_nodes(builder, 1))
        return false;
    push_node(builder, (struct call_node){.function = PROFILE_NO_ID, .kind = CALL_NODE_ROOT});
    return true;
}

void call_tree_close(struct call_tree *tree)
{
    struct call_node *nodes = tree->nodes.items;
    for (size_t i = 0; i < tree->nodes.count; i++)
        nodes[i].end = (uint32_t)i + 1;
    for (size_t i = tree->nodes.count; i-- > 1;) {
        struct call_node *parent = &nodes[nodes[i].parent];
        if (parent->end < nodes[i].end)
            parent->end = nodes[i].end;
    }
}

static enum status build_stacks(struct builder *builder, size_t side_count, bool by_track)
{
    struct tree_items *items = &builder->items;
    items->reverse = builder->options->reverse;
    enum status status = tree_items_gather(items, builder->sides, side_count, by_track);
    if (status == STATUS_OK)
        status = tree_items_sort(items, builder->profile, builder->sides, side_count,
                                 builder->options->by_line);
    if (status == STATUS_OK && !(begin_tree(builder) && add_items(builder)))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        builder->tree->nodes.items[0].end = (uint32_t)builder->tree->nodes.count;
    tree_items_deinit(items);
    free(builder->path);
    return status;
}

static enum status build_one(struct call_tree *tree, const struct call_tree_options *options,
                             uint32_t *item_nodes)
{
    const struct profile *profile = tree->profile;
    const struct call_side side = {.profile = profile, .factor = 1};
    struct builder builder = {.tree = tree,
                              .profile = profile,
                              .sides = &side,
                              .options = options,
                              .item_nodes = item_nodes};
    return build_stacks(&builder, 1, options->by_track && profile->samples.count);
}

enum status call_tree_of_stacks(const struct profile *profile, bool by_track,
                                struct call_tree *ret_tree, uint32_t *item_nodes)
{
    const struct call_tree_options options = {.by_line = true, .by_track = by_track};
    struct call_tree tree = {.profile = profile, .unit = profile->unit};
    enum status status = build_one(&tree, &options, item_nodes);
    if (status == STATUS_OK)
        *ret_tree = tree;
    else
        call_tree_deinit(&tree);
    return status;
}

enum status call_tree_of_pair(const struct profile *names, const struct call_side sides[2],
                              bool reverse, double least, struct call_pair_tree *ret_tree)
{
    const struct call_tree_options options = {.by_line = true, .reverse = reverse, .least = least};
    struct call_pair_tree pair = {.tree = {.profile = names, .is_reverse = reverse}};
    struct builder builder = {
        .tree = &pair.tree, .pair = &pair, .profile = names, .sides = sides, .options = &options};
    enum status status = build_stacks(&builder, 2, false);
    if (status == STATUS_OK)
        *ret_tree = pair;
    else
        call_pair_tree_deinit(&pair);
    return status;
}

void call_pair_tree_deinit(struct call_pair_tree *pair)
{
    call_tree_deinit(&pair->tree);
    array_deinit(&pair->shares);
}

static const char *unit_of(const struct profile *profile, bool by_count)
{
    if (!by_count || profile->family == PROFILE_PSTATS)
        return profile->unit;
    return profile->family == PROFILE_TRACEMALLOC ? "blocks" : "samples";
}

enum status call_tree_build(const struct profile *profile, const struct call_tree_options *options,
                            struct call_tree *ret_tree, struct error *err)
{
    struct call_tree tree = {.profile = profile,
                             .unit = unit_of(profile, options->by_count),
                             .is_reverse = options->reverse};
    enum status status;
    if (profile->family == PROFILE_PSTATS) {
        status = call_tree_estimate(&tree, err);
    } else {
        status = build_one(&tree, options, NULL);
        if (status != STATUS_OK)
            error_set(err, status, "%s", status_name(status));
    }
    if (status == STATUS_OK)
        *ret_tree = tree;
    else
        call_tree_deinit(&tree);
    return status;
}

void call_tree_deinit(struct call_tree *tree)
{
    if (!tree)
        return;
    array_deinit(&tree->nodes);
    array_deinit(&tree->rests);
}
