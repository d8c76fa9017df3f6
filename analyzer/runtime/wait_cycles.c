/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/wait_cycles.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/graph/graph.h"

/* Who is stuck: at first all that wait for others; then whoever need not wait for
 * a stuck one is let go, and so on. What is left waits in circles, or for those. */
struct elimination {
    const struct wait_graph *graph;
    size_t *first;      /* of each node's edges by target; count + 1 */
    uint32_t *sources;  /* parallel to that */
    uint32_t *blocking; /* edges of each node to stuck ones */
    uint32_t *degree;
    uint32_t *let_go; /* whose predecessors are to be looked at */
    size_t let_go_count;
    bool *stuck;
};

static bool elimination_init(struct elimination *work, const struct wait_graph *graph, bool *stuck)
{
    size_t nodes = (size_t)graph->count + 1, edges = graph->edge_count + 1;
    *work = (struct elimination){.graph = graph,
                                 .first = calloc(nodes + 1, sizeof *work->first),
                                 .sources = calloc(edges, sizeof *work->sources),
                                 .blocking = calloc(nodes, sizeof *work->blocking),
                                 .degree = calloc(nodes, sizeof *work->degree),
                                 .let_go = calloc(nodes, sizeof *work->let_go),
                                 .stuck = stuck};
    return work->first && work->sources && work->blocking && work->degree && work->let_go;
}

static void elimination_deinit(struct elimination *work)
{
    free(work->first);
    free(work->sources);
    free(work->blocking);
    free(work->degree);
    free(work->let_go);
}

static void index_by_target(struct elimination *work)
{
    const struct wait_graph *graph = work->graph;
    for (size_t i = 0; i < graph->edge_count; i++)
        work->first[graph->edges[i].to + (size_t)2]++;
    for (size_t node = 2; node <= (size_t)graph->count + 1; node++)
        work->first[node] += work->first[node - 1];
    for (size_t i = 0; i < graph->edge_count; i++)
        work->sources[work->first[graph->edges[i].to + (size_t)1]++] = graph->edges[i].from;
}

static void release(struct elimination *work, uint32_t node)
{
    work->stuck[node] = false;
    work->let_go[work->let_go_count++] = node;
}

static void eliminate(struct elimination *work)
{
    const struct wait_graph *graph = work->graph;
    for (size_t i = 0; i < graph->edge_count; i++)
        work->degree[graph->edges[i].from]++;
    memcpy(work->blocking, work->degree, graph->count * sizeof *work->blocking);
    for (uint32_t node = 0; node < graph->count; node++) {
        work->stuck[node] = true;
        if (graph->can_go_on[node] || !work->degree[node])
            release(work, node);
    }
    while (work->let_go_count) {
        uint32_t node = work->let_go[--work->let_go_count];
        for (size_t i = work->first[node]; i < work->first[node + (size_t)1]; i++) {
            uint32_t source = work->sources[i];
            if (!work->stuck[source])
                continue;
            work->blocking[source]--;
            if (graph->awaits_any[source] || !work->blocking[source])
                release(work, source);
        }
    }
}

static enum status mark_cycles(const struct wait_graph *graph, const bool *stuck,
                               bool *ret_in_cycle)
{
    struct graph_builder builder = {0};
    struct graph rows = {0};
    struct graph_components components = {0};
    enum status status =
        graph_builder_init(&builder, graph->count, 0, graph->count, graph->edge_count, NULL);
    for (size_t i = 0; i < graph->edge_count && status == STATUS_OK; i++)
        if (stuck[graph->edges[i].from] && stuck[graph->edges[i].to])
            status = graph_builder_edge(&builder, graph->edges[i].from, graph->edges[i].to, NULL);
    if (status == STATUS_OK)
        status = graph_build(&builder, 1, &rows, NULL);
    if (status == STATUS_OK)
        status = graph_components(&rows, &components, NULL);
    for (uint32_t node = 0; node < graph->count && status == STATUS_OK; node++)
        ret_in_cycle[node] = graph_bit(components.in_cycle, node);
    graph_components_deinit(&components);
    graph_deinit(&rows);
    graph_builder_deinit(&builder);
    return status;
}

enum status wait_cycles_find(const struct wait_graph *graph, bool *ret_in_cycle)
{
    struct elimination work;
    bool *stuck = calloc((size_t)graph->count + 1, sizeof *stuck), any = false;
    enum status status = STATUS_NO_MEMORY;
    memset(ret_in_cycle, 0, graph->count * sizeof *ret_in_cycle);
    if (elimination_init(&work, graph, stuck) && stuck) {
        index_by_target(&work);
        eliminate(&work);
        for (uint32_t node = 0; node < graph->count; node++)
            any |= stuck[node];
        status = any ? mark_cycles(graph, stuck, ret_in_cycle) : STATUS_OK;
    }
    elimination_deinit(&work);
    free(stuck);
    return status;
}
