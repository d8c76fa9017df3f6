/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_DIFF_RETAINED_H
#define INQUEST_ANALYZER_DIFF_RETAINED_H

#include "inquest/analyzer/retained_tree.h"

/* Retained memory of two cores as one tree: nodes are the same where the step from the
 * parent, the kind and the type are. */
#define RETAINED_NO_NODE UINT32_MAX

struct retained_pair_node {
    uint32_t parent;             /* a lower index; 0 for node 0 */
    uint32_t old_node, new_node; /* in the trees; RETAINED_NO_NODE: not there */
    double width;                /* what the larger of both has by itself, added up */
};

struct retained_pair {
    struct retained_tree trees[2];          /* OLD, NEW */
    ARRAY(struct retained_pair_node) nodes; /* parents first, siblings by width */
};

enum status retained_pair_build(struct index *old_index, struct index *new_index,
                                const struct retained_options *options,
                                struct retained_pair *ret_pair, struct error *err) MUST_CHECK;
void retained_pair_deinit(struct retained_pair *pair);

#endif
