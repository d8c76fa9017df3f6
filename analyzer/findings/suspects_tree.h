/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_TREE_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_TREE_H

#include "analyzer/graph/graph.h"

/* The dominator tree in preorder, and where in it each object is: what an object
 * dominates is one range, and its first child comes right behind it. What no root leads
 * to comes last. */
struct dominated_tree {
    uint32_t count;                      /* objects in the tree */
    uint32_t reached;                    /* of these, from roots */
    const struct graph_dominated *order; /* by position; the dominators' own */
    uint32_t *position;                  /* by object; UINT32_MAX: not in the tree */
};

enum status dominated_tree_build(const struct graph_dominators *dominators, uint32_t node_count,
                                 struct dominated_tree *ret_tree) MUST_CHECK;
void dominated_tree_deinit(struct dominated_tree *tree);

/* Itself and all that it dominates. */
static inline uint32_t dominated_size(const struct dominated_tree *tree, uint32_t object)
{
    return tree->order[tree->position[object]].size;
}

/* The end of an object's range of positions, exclusive. */
static inline uint32_t dominated_end(const struct dominated_tree *tree, uint32_t object)
{
    uint32_t position = tree->position[object];
    return position + tree->order[position].size;
}

/* Whether `object` goes with `holder`, itself included. */
static inline bool dominated_by(const struct dominated_tree *tree, uint32_t object, uint32_t holder)
{
    return tree->position[object] >= tree->position[holder] &&
           tree->position[object] < dominated_end(tree, holder);
}

#endif
