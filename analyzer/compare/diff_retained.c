/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/diff_retained.h"

#include <stdlib.h>
#include <string.h>

/* ---- The children of each node of a tree, in order of what joins them. */

struct children {
    uint32_t *first; /* nodes + 1: into */
    uint32_t *nodes;
};

static int compare_keys(const struct retained_node *a, const struct retained_node *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = strcmp(a->label, b->label);
    return order ? order : strcmp(a->type, b->type);
}

static int compare_nodes(const void *left, const void *right, void *context)
{
    const struct retained_node *nodes = context;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    int order = compare_keys(&nodes[a], &nodes[b]);
    return order ? order : (a > b) - (a < b);
}

static bool children_make(const struct retained_tree *tree, struct children *children)
{
    size_t count = tree->nodes.count;
    children->first = calloc(count + 2, sizeof *children->first);
    children->nodes = calloc(count + 1, sizeof *children->nodes);
    if (!children->first || !children->nodes)
        return false;
    for (size_t i = 1; i < count; i++)
        children->first[tree->nodes.items[i].parent + 2]++;
    for (size_t i = 2; i < count + 2; i++)
        children->first[i] += children->first[i - 1];
    for (size_t i = 1; i < count; i++)
        children->nodes[children->first[tree->nodes.items[i].parent + 1]++] = (uint32_t)i;
    for (size_t i = 0; i < count; i++) {
        uint32_t begin = children->first[i], end = children->first[i + 1];
        if (end - begin > 1)
            qsort_r(children->nodes + begin, end - begin, sizeof *children->nodes, compare_nodes,
                    tree->nodes.items);
    }
    return true;
}

static void children_deinit(struct children *children)
{
    free(children->first);
    free(children->nodes);
}

/* ---- Both trees at once, breadth first: parents come before their children. */

static bool add_children(struct retained_pair *pair, const struct children sides[2],
                         uint32_t parent)
{
    uint32_t node[2] = {pair->nodes.items[parent].old_node, pair->nodes.items[parent].new_node};
    uint32_t at[2] = {0, 0}, end[2] = {0, 0};
    for (size_t side = 0; side < 2; side++) {
        if (node[side] == RETAINED_NO_NODE)
            continue;
        at[side] = sides[side].first[node[side]];
        end[side] = sides[side].first[node[side] + 1];
    }
    while (at[0] < end[0] || at[1] < end[1]) {
        uint32_t a = at[0] < end[0] ? sides[0].nodes[at[0]] : RETAINED_NO_NODE;
        uint32_t b = at[1] < end[1] ? sides[1].nodes[at[1]] : RETAINED_NO_NODE;
        int order = a == RETAINED_NO_NODE   ? 1
                    : b == RETAINED_NO_NODE ? -1
                                            : compare_keys(&pair->trees[0].nodes.items[a],
                                                           &pair->trees[1].nodes.items[b]);
        struct retained_pair_node child = {
            .parent = parent,
            .old_node = order <= 0 ? a : RETAINED_NO_NODE,
            .new_node = order >= 0 ? b : RETAINED_NO_NODE,
        };
        at[0] += order <= 0;
        at[1] += order >= 0;
        if (!array_push(&pair->nodes, child))
            return false;
    }
    return true;
}

static void add_widths(struct retained_pair *pair)
{
    for (size_t i = pair->nodes.count; i-- > 0;) {
        struct retained_pair_node *node = &pair->nodes.items[i];
        uint64_t before = node->old_node == RETAINED_NO_NODE
                              ? 0
                              : pair->trees[0].nodes.items[node->old_node].self;
        uint64_t after = node->new_node == RETAINED_NO_NODE
                             ? 0
                             : pair->trees[1].nodes.items[node->new_node].self;
        node->width += (double)(before > after ? before : after);
        if (i)
            pair->nodes.items[node->parent].width += node->width;
    }
}

enum status retained_pair_build(struct index *old_index, struct index *new_index,
                                const struct retained_options *options,
                                struct retained_pair *ret_pair, struct error *err)
{
    struct retained_pair pair = {0};
    struct children sides[2] = {0};
    enum status status = retained_tree_build(old_index, options, &pair.trees[0], err);
    if (status == STATUS_OK)
        status = retained_tree_build(new_index, options, &pair.trees[1], err);
    bool ok = status != STATUS_OK || (children_make(&pair.trees[0], &sides[0]) &&
                                      children_make(&pair.trees[1], &sides[1]) &&
                                      array_push(&pair.nodes, ((struct retained_pair_node){0})));
    for (uint32_t i = 0; ok && status == STATUS_OK && i < pair.nodes.count; i++)
        ok = add_children(&pair, sides, i);
    if (status == STATUS_OK && !ok)
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    children_deinit(&sides[0]);
    children_deinit(&sides[1]);
    if (status == STATUS_OK) {
        add_widths(&pair);
        *ret_pair = pair;
    } else {
        retained_pair_deinit(&pair);
    }
    return status;
}

void retained_pair_deinit(struct retained_pair *pair)
{
    retained_tree_deinit(&pair->trees[0]);
    retained_tree_deinit(&pair->trees[1]);
    array_deinit(&pair->nodes);
}
