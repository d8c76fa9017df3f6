/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_tree.h"

#include <stdlib.h>
#include <string.h>

static void count_sizes(const struct graph_dominators *dominators, struct dominated_tree *tree)
{
    for (uint32_t i = 0; i < dominators->order_count; i++)
        tree->size[dominators->order[i]] = 1;
    for (uint32_t i = dominators->order_count; i-- > 0;) {
        uint32_t node = dominators->order[i], holder = dominators->idom[node];
        if (holder < GRAPH_NONE)
            tree->size[holder] += tree->size[node];
    }
}

/* From the last one on, each takes its place at the end of what its holder has left, so
 * that the first child comes right behind its holder; then places count from the start.
 * What is left of each is where the objects go in the end. */
static void place(const struct graph_dominators *dominators, struct dominated_tree *tree)
{
    uint32_t *left = tree->object, top = dominators->order_count;
    for (uint32_t i = 0; i < dominators->order_count; i++)
        left[dominators->order[i]] = tree->size[dominators->order[i]];
    for (uint32_t i = dominators->order_count; i-- > 0;) {
        uint32_t node = dominators->order[i], holder = dominators->idom[node];
        uint32_t *end = holder < GRAPH_NONE ? &left[holder] : &top;
        tree->position[node] = *end -= tree->size[node];
    }
    for (uint32_t i = 0; i < dominators->order_count; i++) {
        uint32_t node = dominators->order[i], holder = dominators->idom[node];
        if (holder < GRAPH_NONE)
            tree->position[node] += tree->position[holder];
    }
    for (uint32_t i = 0; i < dominators->order_count; i++)
        tree->object[tree->position[dominators->order[i]]] = dominators->order[i];
}

enum status dominated_tree_build(const struct graph_dominators *dominators, uint32_t node_count,
                                 struct dominated_tree *ret_tree)
{
    size_t bytes = ((size_t)node_count + 1) * sizeof(uint32_t);
    struct dominated_tree tree = {.count = dominators->order_count,
                                  .reached = dominators->reached,
                                  .object = malloc(bytes),
                                  .position = malloc(bytes),
                                  .size = calloc(1, bytes)};
    bool ready = tree.object && tree.position && tree.size;
    if (ready) {
        memset(tree.position, 0xFF, bytes);
        count_sizes(dominators, &tree);
        place(dominators, &tree);
        *ret_tree = tree;
    } else {
        dominated_tree_deinit(&tree);
    }
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

void dominated_tree_deinit(struct dominated_tree *tree)
{
    if (!tree)
        return;
    free(tree->object);
    free(tree->position);
    free(tree->size);
    *tree = (struct dominated_tree){0};
}
