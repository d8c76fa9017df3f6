/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/graph/memory.h"

struct search {
    const struct graph *forward;
    struct graph_paths *paths;
    uint32_t *queue; /* nodes in the order in which they are met */
    uint32_t tail;
};

/* The roots' indexes by class, those of one class in their own order. */
static enum status sort_roots(const struct graph_roots *roots, uint32_t **ret_order,
                              struct error *err)
{
    uint32_t *order, next[UINT8_MAX + 2] = {0};
    enum status status = graph_alloc(roots->count, sizeof *order, (void **)&order, err);
    if (status)
        return status;
    for (uint32_t i = 0; i < roots->count; i++)
        next[roots->classes ? roots->classes[i] + 1 : 1]++;
    for (unsigned class = 1; class <= UINT8_MAX; class ++)
        next[class] += next[class - 1];
    for (uint32_t i = 0; i < roots->count; i++)
        order[next[roots->classes ? roots->classes[i] : 0]++] = i;
    *ret_order = order;
    return STATUS_OK;
}

static int compare_entries(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Queues the roots' nodes, best first, and notes which root each came by. */
static enum status enter_roots(struct search *search, const struct graph_roots *roots,
                               struct error *err)
{
    struct graph_paths *paths = search->paths;
    uint32_t *order;
    enum status status = sort_roots(roots, &order, err);
    if (status)
        return status;
    status = graph_alloc(roots->count, sizeof *paths->entries, (void **)&paths->entries, err);
    for (uint32_t i = 0; !status && i < roots->count; i++) {
        uint32_t node = roots->nodes[order[i]];
        if (paths->parent[node] != GRAPH_NONE)
            continue;
        paths->parent[node] = GRAPH_ROOT;
        if (paths->depth)
            paths->depth[node] = 0;
        paths->entries[paths->entry_count++] = (uint64_t)node << 32 | order[i];
        search->queue[search->tail++] = node;
    }
    graph_free(order);
    if (!status)
        qsort(paths->entries, paths->entry_count, sizeof *paths->entries, compare_entries);
    return status;
}

/* First come, first served: the queue is in order of length, then class, then
 * root, then edges, so whoever meets a node first has the best path to it. */
static void spread(struct search *search)
{
    const struct graph *forward = search->forward;
    uint32_t *parent = search->paths->parent, *depth = search->paths->depth, *queue = search->queue;
    uint32_t tail = search->tail;
    for (uint32_t head = 0; head < tail; head++) {
        uint32_t node = queue[head];
        for (uint64_t i = graph_first(forward, node); i < graph_end(forward, node); i++) {
            uint32_t target = forward->targets[i];
            if (parent[target] != GRAPH_NONE)
                continue;
            parent[target] = node;
            if (depth)
                depth[target] = depth[node] + 1;
            queue[tail++] = target;
        }
    }
    search->tail = tail;
}

/* An array with a GRAPH_NONE for each node. */
static enum status alloc_unreached(uint32_t node_count, uint32_t **ret_array, struct error *err)
{
    enum status status = graph_alloc(node_count, sizeof **ret_array, (void **)ret_array, err);
    for (uint32_t node = 0; !status && node < node_count; node++)
        (*ret_array)[node] = GRAPH_NONE;
    return status;
}

enum status graph_paths(const struct graph *forward, const struct graph_roots *roots,
                        bool with_depth, struct graph_paths *ret_paths, struct error *err)
{
    struct graph_paths paths = {0};
    struct search search = {.forward = forward, .paths = &paths};
    enum status status = graph_check_roots(forward, roots, err);
    if (!status)
        status = alloc_unreached(forward->node_count, &paths.parent, err);
    if (!status && with_depth)
        status = alloc_unreached(forward->node_count, &paths.depth, err);
    if (!status)
        status =
            graph_alloc(forward->node_count, sizeof *search.queue, (void **)&search.queue, err);
    if (!status)
        status = enter_roots(&search, roots, err);
    if (!status) {
        spread(&search);
        paths.reached = search.tail;
        *ret_paths = paths;
    } else {
        graph_paths_deinit(&paths);
    }
    graph_free(search.queue);
    return status;
}

void graph_paths_deinit(struct graph_paths *paths)
{
    if (!paths)
        return;
    graph_free(paths->parent);
    graph_free(paths->depth);
    graph_free(paths->entries);
    *paths = (struct graph_paths){0};
}

uint32_t graph_paths_root(const struct graph_paths *paths, uint32_t node)
{
    uint32_t begin = 0, end = paths->entry_count;
    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        if (paths->entries[middle] >> 32 < node)
            begin = middle + 1;
        else
            end = middle;
    }
    if (begin == paths->entry_count || paths->entries[begin] >> 32 != node)
        return GRAPH_NONE;
    return (uint32_t)paths->entries[begin];
}
