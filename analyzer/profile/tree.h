/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_TREE_PARTS_H
#define INQUEST_ANALYZER_PROFILE_TREE_PARTS_H

#include "inquest/analyzer/profile_tree.h"

/* The tree of a pstats recording; `tree` has its profile and options' flags already. */
enum status call_tree_estimate(struct call_tree *tree, struct error *err) MUST_CHECK;

/* Of stacks: by line, everything, and where each item ends, an array of the caller's by
 * sample where `by_track` and there are any, else by stack. */
enum status call_tree_of_stacks(const struct profile *profile, bool by_track,
                                struct call_tree *ret_tree, uint32_t *item_nodes) MUST_CHECK;

/* Fills `end` of all nodes, whose parents are in preorder. */
void call_tree_close(struct call_tree *tree);

/* ---- One tree of two recordings of stacks. */

/* One of them. */
struct call_side {
    const struct profile *profile;
    const uint32_t *frames; /* what its frames are in the tree's profile; NULL: the same */
    double factor;          /* of its weights */
};

/* What each side spent in a node itself. */
struct call_shares {
    double self[2];
};

/* Widths are what the larger of both took by itself, added up: `self` and `total` of a node,
 * and of what is left out. No counts. */
struct call_pair_tree {
    struct call_tree tree;
    ARRAY(struct call_shares) shares; /* by node */
    double shared[2];                 /* of each side, in stacks that both have */
};

/* By line, with names and lines of `names`. */
enum status call_tree_of_pair(const struct profile *names, const struct call_side sides[2],
                              bool reverse, double least,
                              struct call_pair_tree *ret_tree) MUST_CHECK;
void call_pair_tree_deinit(struct call_pair_tree *pair);

#endif
