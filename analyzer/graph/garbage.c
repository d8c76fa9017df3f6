/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/graph/memory.h"

/* One node for each component: its smallest; a node in no cycle for itself. */
static uint32_t representative(const struct graph_components *components, uint32_t node)
{
    uint32_t component = graph_component_of(components, node);
    return component == GRAPH_NONE ? node : components->members[components->first[component]];
}

/* Marks the representatives of components that another unreached one refers to.
 * Nothing reached refers to an unreached one, or it would be reached too. */
static void mark_held(const struct graph *forward, const uint64_t *reached,
                      const struct graph_components *components, uint64_t *held)
{
    for (uint32_t node = 0; node < forward->node_count; node++) {
        if (graph_bit(reached, node))
            continue;
        uint32_t own = representative(components, node);
        for (uint64_t i = graph_first(forward, node); i < graph_end(forward, node); i++) {
            uint32_t other = representative(components, forward->targets[i]);
            if (other != own)
                bitmap_set(held, other);
        }
    }
}

/* Counts the roots, and lists them where `nodes` is not NULL. */
static uint32_t list_roots(const struct graph *forward, const uint64_t *reached,
                           const struct graph_components *components, const uint64_t *held,
                           uint32_t *nodes)
{
    uint32_t count = 0;
    for (uint32_t node = 0; node < forward->node_count; node++) {
        if (graph_bit(reached, node) || graph_bit(held, node) ||
            representative(components, node) != node)
            continue;
        if (nodes)
            nodes[count] = node;
        count++;
    }
    return count;
}

enum status graph_garbage_roots(const struct graph *forward, const uint64_t *reached,
                                const struct graph_components *components, uint32_t **ret_nodes,
                                uint32_t *ret_count, struct error *err)
{
    uint64_t *held;
    enum status status =
        graph_alloc_zeroed(bitmap_words(forward->node_count), sizeof *held, (void **)&held, err);
    if (status)
        return status;
    mark_held(forward, reached, components, held);
    uint32_t count = list_roots(forward, reached, components, held, NULL), *nodes;
    status = graph_alloc(count, sizeof *nodes, (void **)&nodes, err);
    if (!status) {
        list_roots(forward, reached, components, held, nodes);
        *ret_nodes = nodes;
        *ret_count = count;
    }
    graph_free(held);
    return status;
}
