/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/graph/memory.h"

/* Breadth first, because that keeps to address order far better than depth. */
struct search {
    const struct graph *forward;
    uint64_t *reached;
    uint32_t *queue; /* nodes in the order in which they are met */
    uint32_t tail;
};

static void mark(struct search *search, uint32_t node)
{
    if (graph_bit(search->reached, node))
        return;
    bitmap_set(search->reached, node);
    search->queue[search->tail++] = node;
}

static void spread(struct search *search, const struct graph_roots *roots)
{
    const struct graph *forward = search->forward;
    for (uint32_t i = 0; i < roots->count; i++)
        mark(search, roots->nodes[i]);
    for (uint32_t head = 0; head < search->tail; head++) {
        uint32_t node = search->queue[head];
        for (uint64_t i = forward->first[node]; i < forward->first[node + UINT64_C(1)]; i++)
            mark(search, forward->targets[i]);
    }
}

enum status graph_reach(const struct graph *forward, const struct graph_roots *roots,
                        uint64_t **ret_reached, struct error *err)
{
    struct search search = {.forward = forward};
    enum status status = graph_check_roots(forward, roots, err);
    if (!status)
        status =
            graph_alloc(forward->node_count, sizeof *search.queue, (void **)&search.queue, err);
    if (!status)
        status = graph_alloc_zeroed(bitmap_words(forward->node_count), sizeof *search.reached,
                                    (void **)&search.reached, err);
    if (!status) {
        spread(&search, roots);
        *ret_reached = search.reached;
    }
    graph_free(search.queue);
    return status;
}
