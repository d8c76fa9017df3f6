/* SPDX-License-Identifier: Apache-2.0 */
/* A counting sort of the edges by target. Each part takes a range of targets
 * and reads all edges: reading is sequential and cheap, writing is neither, and
 * the parts never write to the same row. */
#include "analyzer/graph/memory.h"

#define MAX_PARTS 4 /* each reads all edges, so more would not be faster */

struct part {
    const struct graph *forward;
    struct graph *reverse;
    uint32_t begin, size; /* targets */
};

static enum status count_edges(void *context, struct error *err)
{
    (void)err;
    const struct part *part = context;
    const uint32_t *targets = part->forward->targets;
    uint64_t *counts = part->reverse->first + part->begin;
    uint32_t begin = part->begin, size = part->size;
    for (uint64_t i = 0, n = part->forward->edge_count; i < n; i++) {
        uint32_t row = targets[i] - begin;
        if (row < size)
            counts[row]++;
    }
    return STATUS_OK;
}

/* From counts to where each row ends. */
static void accumulate(struct graph *reverse)
{
    uint64_t sum = 0;
    for (uint64_t row = 0; row < reverse->node_count; row++)
        reverse->first[row] = sum += reverse->first[row];
    reverse->first[reverse->node_count] = sum;
}

/* Each row from its end down, from the last source to the first: that leaves
 * its sources ascending, and in first[] where the row begins. */
static enum status place_edges(void *context, struct error *err)
{
    (void)err;
    const struct part *part = context;
    const struct graph *forward = part->forward;
    uint32_t *sources = part->reverse->targets;
    uint64_t *ends = part->reverse->first + part->begin;
    uint32_t begin = part->begin, size = part->size;
    uint64_t edge = forward->edge_count;
    for (uint32_t source = forward->node_count; source-- > 0;)
        for (uint64_t stop = forward->first[source]; edge > stop;) {
            uint32_t row = forward->targets[--edge] - begin;
            if (row < size)
                sources[--ends[row]] = source;
        }
    return STATUS_OK;
}

static enum status run_parts(enum status (*run)(void *, struct error *), struct part parts[],
                             unsigned count, struct error *err)
{
    struct graph_task tasks[MAX_PARTS];
    for (unsigned i = 0; i < count; i++)
        tasks[i] = (struct graph_task){.run = run, .context = &parts[i]};
    return graph_run(tasks, count, count, err);
}

static enum status sort_edges(const struct graph *forward, struct graph *reverse, unsigned threads,
                              struct error *err)
{
    struct part parts[MAX_PARTS];
    unsigned count = threads < 1 ? 1 : threads > MAX_PARTS ? MAX_PARTS : threads;
    for (unsigned i = 0; i < count; i++) {
        uint32_t begin = (uint32_t)((uint64_t)forward->node_count * i / count);
        uint32_t end = (uint32_t)((uint64_t)forward->node_count * (i + 1) / count);
        parts[i] = (struct part){forward, reverse, begin, end - begin};
    }
    enum status status = run_parts(count_edges, parts, count, err);
    if (status)
        return status;
    accumulate(reverse);
    return run_parts(place_edges, parts, count, err);
}

enum status graph_reverse(const struct graph *forward, unsigned threads, struct graph *ret_reverse,
                          struct error *err)
{
    struct graph reverse = {.node_count = forward->node_count, .edge_count = forward->edge_count};
    enum status status = graph_alloc_zeroed(forward->node_count + UINT64_C(1),
                                            sizeof *reverse.first, (void **)&reverse.first, err);
    if (!status)
        status = graph_alloc(forward->edge_count, sizeof *reverse.targets,
                             (void **)&reverse.targets, err);
    if (!status)
        status = sort_edges(forward, &reverse, threads, err);
    if (status) {
        graph_deinit(&reverse);
        return status;
    }
    *ret_reverse = reverse;
    return STATUS_OK;
}
