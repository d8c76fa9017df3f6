/* SPDX-License-Identifier: Apache-2.0 */
/* A counting sort of the edges by target. Each part takes a range of targets
 * and reads all edges: reading is sequential and cheap, writing is neither, and
 * the parts never write to the same row. */
#include "analyzer/graph/memory.h"

#define MAX_PARTS 4 /* each reads all edges, so more would not be faster */

struct part {
    const struct graph *forward;
    struct graph_sources *reverse;
    uint32_t begin, size; /* targets */
};

/* Both widths of where rows begin, as one loop over either: `width` is a constant where
 * these are called. */
enum width { NARROW, WIDE };

static inline void set_first(struct graph_sources *reverse, enum width width, uint64_t row,
                             uint64_t first)
{
    if (width == NARROW)
        reverse->narrow[row] = (uint32_t)first;
    else
        reverse->wide[row] = first;
}

static inline uint64_t get_first(const struct graph_sources *reverse, enum width width,
                                 uint64_t row)
{
    return width == NARROW ? reverse->narrow[row] : reverse->wide[row];
}

static inline void count_rows(const struct part *part, enum width width)
{
    const uint32_t *targets = part->forward->targets;
    uint32_t begin = part->begin, size = part->size;
    for (uint64_t i = 0, n = part->forward->edge_count; i < n; i++) {
        uint32_t row = targets[i] - begin;
        if (row < size)
            set_first(part->reverse, width, targets[i],
                      get_first(part->reverse, width, targets[i]) + 1);
    }
}

static enum status count_edges(void *context, struct error *err)
{
    (void)err;
    const struct part *part = context;
    if (part->reverse->narrow)
        count_rows(part, NARROW);
    else
        count_rows(part, WIDE);
    return STATUS_OK;
}

/* From counts to where each row ends. */
static void accumulate(struct graph_sources *reverse)
{
    enum width width = reverse->narrow ? NARROW : WIDE;
    uint64_t sum = 0;
    for (uint64_t row = 0; row < reverse->node_count; row++)
        set_first(reverse, width, row, sum += get_first(reverse, width, row));
    set_first(reverse, width, reverse->node_count, sum);
}

/* Each row from its end down, from the last source to the first: that leaves
 * its sources ascending, and where its end was where the row begins. */
static inline void place_rows(const struct part *part, enum width width)
{
    const struct graph *forward = part->forward;
    struct graph_sources *reverse = part->reverse;
    uint32_t begin = part->begin, size = part->size;
    uint64_t edge = forward->edge_count;
    for (uint32_t source = forward->node_count; source-- > 0;)
        for (uint64_t stop = graph_first(forward, source); edge > stop;) {
            uint32_t target = forward->targets[--edge], row = target - begin;
            if (row >= size)
                continue;
            uint64_t place = get_first(reverse, width, target) - 1;
            set_first(reverse, width, target, place);
            reverse->sources[place] = source;
        }
}

static enum status place_edges(void *context, struct error *err)
{
    (void)err;
    const struct part *part = context;
    if (part->reverse->narrow)
        place_rows(part, NARROW);
    else
        place_rows(part, WIDE);
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

static enum status sort_edges(const struct graph *forward, struct graph_sources *reverse,
                              unsigned threads, struct error *err)
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

enum status graph_reverse(const struct graph *forward, bool is_wide, unsigned threads,
                          struct graph_sources *ret_reverse, struct error *err)
{
    struct graph_sources reverse = {.node_count = forward->node_count,
                                    .edge_count = forward->edge_count};
    uint64_t rows = forward->node_count + UINT64_C(1);
    enum status status;
    if (is_wide || forward->edge_count > UINT32_MAX)
        status = graph_alloc_zeroed(rows, sizeof *reverse.wide, (void **)&reverse.wide, err);
    else
        status = graph_alloc_zeroed(rows, sizeof *reverse.narrow, (void **)&reverse.narrow, err);
    if (!status)
        status = graph_alloc(forward->edge_count, sizeof *reverse.sources,
                             (void **)&reverse.sources, err);
    if (!status)
        status = sort_edges(forward, &reverse, threads, err);
    if (status) {
        graph_sources_deinit(&reverse);
        return status;
    }
    *ret_reverse = reverse;
    return STATUS_OK;
}

void graph_sources_deinit(struct graph_sources *reverse)
{
    if (!reverse)
        return;
    graph_free(reverse->narrow);
    graph_free(reverse->wide);
    graph_free(reverse->sources);
    *reverse = (struct graph_sources){0};
}
