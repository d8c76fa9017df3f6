/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of stacks: they are sorted as sequences, and then each adds to the tree what
 * it does not share with the one before. */
#include "analyzer/profile/tree.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/amounts.h"
#include "analyzer/profile/order.h"
#include "analyzer/profile/sequence_sort.h"

/* What is sorted: stacks, or a track's stacks, each with its amounts. */
struct items {
    uint32_t count;
    uint32_t *stacks, *tracks; /* of an item; NULL: it is its own stack, of no track */
    double *weights;
    uint64_t *counts;
};

struct builder {
    struct call_tree *tree;
    const struct profile *profile;
    const struct call_tree_options *options;
    struct items items;
    uint32_t *places;     /* of frames, in the order of siblings; equal ones are one node */
    uint32_t *sorted;     /* items */
    uint32_t *common;     /* frames that a sorted item shares with the one before */
    uint32_t *path;       /* the open nodes by depth, the root first */
    uint32_t depth;       /* of the innermost open node; the root's is 0 */
    double least;         /* amount */
    uint32_t *item_nodes; /* the caller's; NULL: nobody asks */
};

static void builder_deinit(struct builder *builder)
{
    free(builder->items.stacks);
    free(builder->items.tracks);
    free(builder->items.weights);
    free(builder->items.counts);
    free(builder->places);
    free(builder->sorted);
    free(builder->common);
    free(builder->path);
}

/* ---- Amounts by stack. */

static bool items_allocate(struct items *items, size_t count)
{
    items->count = (uint32_t)count;
    items->weights = calloc(count + 1, sizeof *items->weights);
    items->counts = calloc(count + 1, sizeof *items->counts);
    items->stacks = calloc(count + 1, sizeof *items->stacks);
    items->tracks = calloc(count + 1, sizeof *items->tracks);
    return items->weights && items->counts && items->stacks && items->tracks;
}

static bool gather_tracks(struct builder *builder)
{
    const struct profile *profile = builder->profile;
    struct items *items = &builder->items;
    if (!items_allocate(items, profile->samples.count))
        return false;
    for (uint32_t i = 0; i < items->count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        items->stacks[i] = sample->stack;
        items->tracks[i] = sample->track;
        items->weights[i] = sample->weight;
        items->counts[i] = sample->count;
    }
    return true;
}

static bool gather_stacks(struct builder *builder)
{
    struct amounts amounts;
    if (amounts_init(&amounts, builder->profile) != STATUS_OK)
        return false;
    free(amounts.sizes);
    builder->items = (struct items){.count = (uint32_t)builder->profile->stacks.count,
                                    .weights = amounts.weights,
                                    .counts = amounts.counts};
    return true;
}

static uint32_t item_stack(const struct items *items, uint32_t item)
{
    return items->stacks ? items->stacks[item] : item;
}

/* ---- Sorting. */

/* Of the item's sequence, in which its track comes first where tracks are told apart:
 * 0 past its end, else a place + 1. */
static inline uint64_t place_at(const struct builder *builder, uint32_t item, uint64_t position)
{
    const struct items *items = &builder->items;
    const struct profile_stack *stack = &builder->profile->stacks.items[item_stack(items, item)];
    if (items->tracks && position-- == 0)
        return (uint64_t)items->tracks[item] + 1;
    if (position >= stack->depth)
        return 0;
    if (builder->options->reverse)
        position = stack->depth - 1 - position;
    return (uint64_t)
               builder->places[builder->profile->stack_frames.items[stack->first + position]] +
           1;
}

static uint64_t stack_key(const void *context, uint32_t item, uint32_t depth)
{
    const struct builder *builder = context;
    uint64_t first = place_at(builder, item, (uint64_t)depth * 2);
    return first << 32 | (first ? place_at(builder, item, (uint64_t)depth * 2 + 1) : 0);
}

static enum status sort_items(struct builder *builder)
{
    const struct sequence_order order = {.key = stack_key, .context = builder, .more = UINT32_MAX};
    uint32_t used = 0;
    builder->sorted = calloc((size_t)builder->items.count + 1, sizeof *builder->sorted);
    builder->common = calloc((size_t)builder->items.count + 1, sizeof *builder->common);
    if (!builder->sorted || !builder->common)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < builder->items.count; i++) {
        if (builder->items.counts[i] || builder->items.weights[i] > 0)
            builder->sorted[used++] = i;
    }
    builder->items.count = used;
    return sequence_sort(&order, builder->sorted, used, builder->common);
}

/* Places of frames; where lines are merged, of their functions. */
static enum status find_places(struct builder *builder)
{
    const struct profile *profile = builder->profile;
    uint32_t *strings = NULL, *functions = NULL;
    enum status status = order_strings(profile, &strings);
    if (status == STATUS_OK)
        status = order_functions(profile, strings, &functions);
    free(strings);
    if (status == STATUS_OK && builder->options->by_line)
        status = order_frames(profile, functions, &builder->places);
    if (status == STATUS_OK && !builder->options->by_line) {
        builder->places = calloc(profile->frames.count + 1, sizeof *builder->places);
        if (!builder->places)
            status = STATUS_NO_MEMORY;
        for (size_t i = 0; status == STATUS_OK && i < profile->frames.count; i++)
            builder->places[i] = functions[profile->frames.items[i].function];
    }
    free(functions);
    return status;
}

/* ---- The tree. */

static uint32_t sequence_size(const struct builder *builder, uint32_t item)
{
    const struct items *items = &builder->items;
    return builder->profile->stacks.items[item_stack(items, item)].depth + (items->tracks ? 1 : 0);
}

static double amount_of(const struct builder *builder, uint32_t item)
{
    return builder->options->by_count ? (double)builder->items.counts[item]
                                      : builder->items.weights[item];
}

static struct call_node node_at(const struct builder *builder, uint32_t item, uint32_t position)
{
    const struct profile *profile = builder->profile;
    const struct items *items = &builder->items;
    const struct profile_stack *stack = &profile->stacks.items[item_stack(items, item)];
    struct call_node node = {.kind = CALL_NODE_FUNCTION};
    if (items->tracks && position-- == 0) {
        node.kind = CALL_NODE_TRACK;
        node.function = items->tracks[item];
        return node;
    }
    if (builder->options->reverse)
        position = stack->depth - 1 - position;
    const struct profile_frame *frame =
        &profile->frames.items[profile->stack_frames.items[stack->first + position]];
    node.function = frame->function;
    node.line = builder->options->by_line ? frame->line : 0;
    return node;
}

/* Ends the open nodes below `depth`. What is below a node is the end of the array, so
 * leaving it out is forgetting it. */
static void close_nodes(struct builder *builder, uint32_t depth)
{
    struct call_tree *tree = builder->tree;
    struct call_node *nodes = tree->nodes.items;
    for (; builder->depth > depth; builder->depth--) {
        uint32_t id = builder->path[builder->depth];
        struct call_node *node = &nodes[id], *parent = &nodes[builder->path[builder->depth - 1]];
        node->end = (uint32_t)tree->nodes.count;
        parent->total += node->total;
        parent->count += node->count;
        if (node->total < builder->least) {
            tree->left_out += node->end - id;
            tree->nodes.count = id;
        }
    }
}

/* Opens nodes for the item's frames from `shared` to `size`, with room for them. */
static void open_nodes(struct builder *builder, uint32_t item, uint32_t shared, uint32_t size)
{
    struct call_tree *tree = builder->tree;
    for (uint32_t i = shared; i < size; i++) {
        struct call_node node = node_at(builder, item, i);
        node.parent = builder->path[builder->depth];
        builder->path[++builder->depth] = (uint32_t)tree->nodes.count;
        tree->nodes.items[tree->nodes.count++] = node;
    }
}

/* `shared` frames are open already; after `kept` they are this item's alone. */
static bool add_item(struct builder *builder, uint32_t item, uint32_t shared, uint32_t kept)
{
    struct call_tree *tree = builder->tree;
    uint32_t size = sequence_size(builder, item);
    double amount = amount_of(builder, item);
    close_nodes(builder, shared);
    uint32_t drawn = amount < builder->least && kept < size ? kept : size;
    if (tree->nodes.count > UINT32_MAX - 1 - drawn || !array_reserve(&tree->nodes, drawn))
        return false;
    open_nodes(builder, item, shared, drawn);
    tree->left_out += size - drawn;
    struct call_node *last = &tree->nodes.items[builder->path[builder->depth]];
    if (drawn == size)
        last->self += amount;
    last->total += amount;
    last->count += builder->items.counts[item];
    if (builder->item_nodes)
        builder->item_nodes[item] = builder->path[builder->depth];
    return true;
}

static bool add_items(struct builder *builder)
{
    uint32_t count = builder->items.count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = builder->sorted[i], size = sequence_size(builder, item);
        uint32_t shared = builder->common[i], kept = i + 1 < count ? builder->common[i + 1] : 0;
        shared = shared < size ? shared : size;
        kept = kept < shared ? shared : kept < size ? kept : size;
        if (!add_item(builder, item, shared, kept))
            return false;
    }
    close_nodes(builder, 0);
    return true;
}

static bool begin_tree(struct builder *builder)
{
    const struct call_node root = {.function = PROFILE_NO_ID, .kind = CALL_NODE_ROOT};
    uint32_t deepest = 0;
    double all = 0;
    for (uint32_t i = 0; i < builder->items.count; i++) {
        uint32_t size = sequence_size(builder, builder->sorted[i]);
        deepest = size > deepest ? size : deepest;
        all += amount_of(builder, builder->sorted[i]);
    }
    builder->least = all * builder->options->least;
    builder->path = calloc((size_t)deepest + 1, sizeof *builder->path);
    return builder->path && array_push(&builder->tree->nodes, root);
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

static enum status build_stacks(struct builder *builder)
{
    bool by_track = builder->options->by_track && builder->profile->samples.count;
    if (!(by_track ? gather_tracks(builder) : gather_stacks(builder)))
        return STATUS_NO_MEMORY;
    enum status status = find_places(builder);
    if (status == STATUS_OK)
        status = sort_items(builder);
    if (status == STATUS_OK && !(begin_tree(builder) && add_items(builder)))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        builder->tree->nodes.items[0].end = (uint32_t)builder->tree->nodes.count;
    return status;
}

enum status call_tree_of_stacks(const struct profile *profile, bool by_track,
                                struct call_tree *ret_tree, uint32_t *item_nodes)
{
    const struct call_tree_options options = {.by_line = true, .by_track = by_track};
    struct call_tree tree = {.profile = profile, .unit = profile->unit};
    struct builder builder = {
        .tree = &tree, .profile = profile, .options = &options, .item_nodes = item_nodes};
    enum status status = build_stacks(&builder);
    builder_deinit(&builder);
    if (status == STATUS_OK)
        *ret_tree = tree;
    else
        call_tree_deinit(&tree);
    return status;
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
        struct builder builder = {.tree = &tree, .profile = profile, .options = options};
        status = build_stacks(&builder);
        builder_deinit(&builder);
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
    if (tree)
        array_deinit(&tree->nodes);
}
