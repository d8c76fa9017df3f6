/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_STACK_TREE_H
#define FORMATS_PROFILES_STACK_TREE_H

#include "formats/profiles/recorder.h"

/* For formats that tell stacks step by step (spans that open and close, rectangles):
 * a tree of calls in which a step costs the same at any depth. Nodes are numbered
 * from 0; equal children of one node are one. */
struct stack_node {
    uint32_t parent; /* PROFILE_NO_ID: a root */
    uint32_t frame;  /* of a root: its base track, or PROFILE_NO_ID */
    uint32_t depth;  /* of a root 0 */
    uint64_t count;
    double weight; /* of the node itself, without its children */
};

struct stack_tree {
    ARRAY(struct stack_node) nodes;
    struct id_map children;
};

void stack_tree_init(struct stack_tree *tree);
void stack_tree_deinit(struct stack_tree *tree);
enum status stack_tree_root(struct stack_tree *tree, uint32_t track, uint32_t *ret_node) MUST_CHECK;
/* Below STACK_DEPTH_LIMIT all are one child, which stands for what was left out. */
enum status stack_tree_child(struct stack_tree *tree, uint32_t node, uint32_t frame,
                             uint32_t *ret_child) MUST_CHECK;

static inline void stack_tree_add(struct stack_tree *tree, uint32_t node, double weight,
                                  uint64_t count)
{
    tree->nodes.items[node].weight += weight;
    tree->nodes.items[node].count += count;
}

/* The recorder's frames for the numbers that a file gives its own. */
struct frame_map {
    const uint32_t *frames; /* NULL: the numbers are the recorder's */
    size_t count;
    uint32_t missing; /* for numbers that aren't there */
};

static inline uint32_t frame_map_get(const struct frame_map *map, uint32_t number)
{
    return !map->frames ? number : number < map->count ? map->frames[number] : map->missing;
}

/* Hands the nodes with a count to the recorder, in the order they came. */
enum status stack_tree_record(const struct stack_tree *tree, const struct frame_map *map,
                              struct recorder *recorder, struct error *err) MUST_CHECK;

#endif
