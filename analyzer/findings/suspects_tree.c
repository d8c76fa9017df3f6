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

/* `cursor` is where the next child of each object goes. */
static void place(const struct graph_dominators *dominators, uint32_t *cursor,
                  struct dominated_tree *tree)
{
    uint32_t top = 0;
    for (uint32_t i = 0; i < dominators->order_count; i++) {
        uint32_t node = dominators->order[i], holder = dominators->idom[node];
        uint32_t *next = holder < GRAPH_NONE ? &cursor[holder] : &top;
        tree->position[node] = *next;
        tree->object[*next] = node;
        cursor[node] = *next + 1;
        *next += tree->size[node];
    }
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
    uint32_t *cursor = malloc(bytes);
    bool ready = tree.object && tree.position && tree.size && cursor;
    if (ready) {
        memset(tree.position, 0xFF, bytes);
        count_sizes(dominators, &tree);
        place(dominators, cursor, &tree);
        *ret_tree = tree;
    } else {
        dominated_tree_deinit(&tree);
    }
    free(cursor);
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
