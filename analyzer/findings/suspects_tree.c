/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_tree.h"

#include <string.h>

#include "analyzer/graph/memory.h"

enum status dominated_tree_build(const struct graph_dominators *dominators, uint32_t node_count,
                                 struct dominated_tree *ret_tree)
{
    struct dominated_tree tree = {.count = dominators->order_count,
                                  .reached = dominators->reached,
                                  .order = dominators->order};
    enum status status =
        graph_alloc(node_count, sizeof *tree.position, (void **)&tree.position, NULL);
    if (status != STATUS_OK)
        return status;
    memset(tree.position, 0xFF, node_count * sizeof *tree.position);
    for (uint32_t at = 0; at < tree.count; at++)
        tree.position[tree.order[at].node] = at;
    *ret_tree = tree;
    return STATUS_OK;
}

void dominated_tree_deinit(struct dominated_tree *tree)
{
    if (!tree)
        return;
    graph_free(tree->position);
    *tree = (struct dominated_tree){0};
}
