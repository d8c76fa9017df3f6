/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "analyzer/graph/memory.h"
#include "inquest/base/checked_math.h"

#define LEAST_CAPACITY 1024 /* edges */

void graph_deinit(struct graph *graph)
{
    if (!graph)
        return;
    graph_free(graph->narrow);
    graph_free(graph->wide);
    graph_free(graph->targets);
    *graph = (struct graph){0};
}

enum status graph_alloc_rows(uint32_t node_count, uint64_t edge_count, struct graph *ret_graph,
                             struct error *err)
{
    struct graph graph = {.node_count = node_count, .edge_count = edge_count};
    uint64_t rows = node_count + UINT64_C(1);
    enum status status = edge_count > UINT32_MAX
                             ? graph_alloc(rows, sizeof *graph.wide, (void **)&graph.wide, err)
                             : graph_alloc(rows, sizeof *graph.narrow, (void **)&graph.narrow, err);
    if (!status)
        status = graph_alloc(edge_count, sizeof *graph.targets, (void **)&graph.targets, err);
    if (status)
        graph_deinit(&graph);
    else
        *ret_graph = graph;
    return status;
}

enum status graph_builder_init(struct graph_builder *builder, uint64_t node_count, uint64_t begin,
                               uint64_t end, uint64_t edges_expected, struct error *err)
{
    if (node_count > GRAPH_MAX_NODES)
        return error_set(err, STATUS_OVER_LIMIT,
                         "object graph: %" PRIu64 " objects, at most %" PRIu32 " can be told apart",
                         node_count, GRAPH_MAX_NODES);
    if (begin > end || end > node_count)
        return error_set(err, STATUS_USAGE,
                         "object graph: rows %" PRIu64 " to %" PRIu64 " of %" PRIu64, begin, end,
                         node_count);
    struct graph_builder built = {
        .node_count = node_count,
        .begin = begin,
        .end = end,
        .source = begin,
        .capacity = max_u64(edges_expected, LEAST_CAPACITY),
    };
    enum status status =
        graph_alloc(end - begin + 1, sizeof *built.first, (void **)&built.first, err);
    if (!status)
        status = graph_alloc(built.capacity, sizeof *built.targets, (void **)&built.targets, err);
    if (status) {
        graph_builder_deinit(&built);
        return status;
    }
    built.first[0] = 0;
    *builder = built;
    return STATUS_OK;
}

void graph_builder_deinit(struct graph_builder *builder)
{
    if (!builder)
        return;
    graph_free(builder->first);
    graph_free(builder->targets);
    *builder = (struct graph_builder){0};
}

/* Closes the open row and the empty ones up to `source`, whose row it opens. */
static void open_row(struct graph_builder *builder, uint64_t source)
{
    while (builder->source < source) {
        builder->source++;
        builder->first[builder->source - builder->begin] = builder->edge_count;
    }
}

static enum status make_room(struct graph_builder *builder, uint64_t extra, struct error *err)
{
    uint64_t needed;
    if (!checked_add_u64(builder->edge_count, extra, &needed))
        return error_set(err, STATUS_OVER_LIMIT, "object graph: too many references");
    if (needed <= builder->capacity)
        return STATUS_OK;
    uint64_t capacity = max_u64(needed, builder->capacity + builder->capacity / 8);
    enum status status =
        graph_resize((void **)&builder->targets, capacity, sizeof *builder->targets, err);
    if (!status)
        builder->capacity = capacity;
    return status;
}

enum status graph_builder_edges(struct graph_builder *builder, uint32_t source,
                                const uint32_t *targets, uint64_t count, struct error *err)
{
    if (source < builder->source || source >= builder->end)
        return error_set(err, STATUS_USAGE,
                         "object graph: row %" PRIu32 " where %" PRIu64 " to %" PRIu64
                         " may follow",
                         source, builder->source, builder->end);
    for (uint64_t i = 0; i < count; i++)
        if (targets[i] >= builder->node_count)
            return error_set(err, STATUS_USAGE,
                             "object graph: %" PRIu32 " refers to %" PRIu32 " of %" PRIu64, source,
                             targets[i], builder->node_count);
    enum status status = make_room(builder, count, err);
    if (status)
        return status;
    open_row(builder, source);
    if (count)
        memcpy(builder->targets + builder->edge_count, targets, count * sizeof *targets);
    builder->edge_count += count;
    return STATUS_OK;
}

/* That the ranges make up the whole graph, each beginning where the last ended. */
static enum status check_ranges(const struct graph_builder builders[], size_t count,
                                struct error *err)
{
    uint64_t next = 0;
    for (size_t i = 0; i < count; i++) {
        if (builders[i].begin != next || builders[i].node_count != builders[0].node_count)
            return error_set(err, STATUS_USAGE, "object graph: builder %zu does not follow", i);
        next = builders[i].end;
    }
    if (!count || next != builders[0].node_count)
        return error_set(err, STATUS_USAGE, "object graph: rows are missing at the end");
    return STATUS_OK;
}

/* Copies `from` behind `into`, whose arrays are large enough, and frees it. */
static void append(struct graph_builder *into, struct graph_builder *from)
{
    for (uint64_t row = from->begin; row <= from->end; row++)
        into->first[row] = into->edge_count + from->first[row - from->begin];
    memcpy(into->targets + into->edge_count, from->targets,
           from->edge_count * sizeof *from->targets);
    into->edge_count += from->edge_count;
    into->end = into->source = from->end;
    graph_builder_deinit(from);
}

/* Where it is. */
static enum status make_narrow(struct graph_builder *whole, uint32_t **ret_narrow,
                               struct error *err)
{
    void *array = whole->first;
    uint32_t *narrow = array;
    for (uint64_t row = 0; row <= whole->node_count; row++)
        narrow[row] = (uint32_t)whole->first[row];
    enum status status = graph_resize(&array, whole->node_count + 1, sizeof *narrow, err);
    whole->first = status ? whole->first : NULL;
    *ret_narrow = status ? NULL : array;
    return status;
}

enum status graph_build(struct graph_builder builders[], size_t count, struct graph *ret_graph,
                        struct error *err)
{
    enum status status = check_ranges(builders, count, err);
    if (status)
        return status;
    uint64_t edges = 0;
    for (size_t i = 0; i < count; i++) {
        open_row(&builders[i], builders[i].end);
        edges += builders[i].edge_count;
    }
    struct graph_builder *whole = &builders[0];
    status = graph_resize((void **)&whole->first, whole->node_count + 1, sizeof *whole->first, err);
    if (!status)
        status = graph_resize((void **)&whole->targets, edges, sizeof *whole->targets, err);
    if (status)
        return status;
    for (size_t i = 1; i < count; i++)
        append(whole, &builders[i]);
    struct graph graph = {.node_count = (uint32_t)whole->node_count, .edge_count = edges};
    if (edges > UINT32_MAX)
        graph.wide = whole->first;
    else
        status = make_narrow(whole, &graph.narrow, err);
    if (status)
        return status;
    graph.targets = whole->targets;
    *whole = (struct graph_builder){0};
    *ret_graph = graph;
    return STATUS_OK;
}
