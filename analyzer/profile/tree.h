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

#endif
