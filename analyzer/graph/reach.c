/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/graph/memory.h"

/* Breadth first, because that keeps to address order far better than depth. */
struct search {
    const struct graph *forward;
    uint64_t *reached;
    uint32_t *queue; /* nodes in the order in which they are met */
    uint64_t tail;
};

static void mark(struct search *search, uint32_t node)
{
    if (graph_bit(search->reached, node))
        return;
    bitmap_set(search->reached, node);
    search->queue[search->tail++] = node;
}

static void spread(struct search *search)
{
    const struct graph *forward = search->forward;
    for (uint64_t head = 0; head < search->tail; head++) {
        uint32_t node = search->queue[head];
        for (uint64_t i = graph_first(forward, node); i < graph_end(forward, node); i++)
            mark(search, forward->targets[i]);
    }
}

enum status graph_reach_more(const struct graph *forward, const struct graph_roots *roots,
                             uint64_t *reached, struct error *err)
{
    struct search search = {.forward = forward, .reached = reached};
    enum status status = graph_check_roots(forward, roots, err);
    if (!status)
        status = graph_alloc(forward->node_count + (uint64_t)roots->count, sizeof *search.queue,
                             (void **)&search.queue, err);
    if (status)
        return status;
    for (uint32_t i = 0; i < roots->count; i++) {
        search.queue[search.tail++] = roots->nodes[i]; /* also where it is marked already */
        bitmap_set(reached, roots->nodes[i]);
    }
    spread(&search);
    graph_free(search.queue);
    return STATUS_OK;
}

enum status graph_reach(const struct graph *forward, const struct graph_roots *roots,
                        uint64_t **ret_reached, struct error *err)
{
    uint64_t *reached;
    enum status status = graph_alloc_zeroed(bitmap_words(forward->node_count), sizeof *reached,
                                            (void **)&reached, err);
    if (status)
        return status;
    status = graph_reach_more(forward, roots, reached, err);
    if (status)
        graph_free(reached);
    else
        *ret_reached = reached;
    return status;
}
