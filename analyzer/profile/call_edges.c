/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/call_edges.h"

#include <stdlib.h>

#include "analyzer/graph/graph.h"

/* Under this part of its total, what no caller accounts for is a rounding error. */
#define ROUNDING 1e-6

static double positive(double value)
{
    return value > 0 && value < 1e300 ? value : 0; /* not NaN, not infinite */
}

static bool allocate(struct call_edges *edges)
{
    size_t functions = edges->profile->functions.count + 1, calls = edges->profile->calls.count + 1;
    edges->self = calloc(functions, sizeof *edges->self);
    edges->total = calloc(functions, sizeof *edges->total);
    edges->unheld = calloc(functions, sizeof *edges->unheld);
    edges->edge_self = calloc(calls, sizeof *edges->edge_self);
    edges->edge_total = calloc(calls, sizeof *edges->edge_total);
    edges->first_in = calloc(functions, sizeof *edges->first_in);
    edges->first_out = calloc(functions, sizeof *edges->first_out);
    edges->in = calloc(calls, sizeof *edges->in);
    edges->out = calloc(calls, sizeof *edges->out);
    return edges->self && edges->total && edges->unheld && edges->edge_self && edges->edge_total &&
           edges->first_in && edges->first_out && edges->in && edges->out;
}

void call_edges_deinit(struct call_edges *edges)
{
    free(edges->self);
    free(edges->total);
    free(edges->unheld);
    free(edges->edge_self);
    free(edges->edge_total);
    free(edges->first_in);
    free(edges->first_out);
    free(edges->in);
    free(edges->out);
}

/* Compressed rows of edges by the function at one of their ends. */
static void fill_rows(const struct call_edges *edges, bool by_callee, uint64_t *first,
                      uint32_t *rows)
{
    const struct profile *profile = edges->profile;
    size_t functions = profile->functions.count, calls = profile->calls.count;
    for (size_t i = 0; i < calls; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        first[by_callee ? call->callee : call->caller]++;
    }
    uint64_t start = 0;
    for (size_t i = 0; i <= functions; i++) {
        start += first[i];
        first[i] = start;
    }
    for (size_t i = calls; i-- > 0;) {
        const struct profile_call *call = &profile->calls.items[i];
        rows[--first[by_callee ? call->callee : call->caller]] = (uint32_t)i;
    }
}

static double calls_from_others(const struct profile_call *call)
{
    return call->caller == call->callee ? 0 : positive((double)call->calls);
}

/* A file of counts alone: the callee's times by its callers' part of the calls. Its calls of
 * itself have none: their time is within that of the others. */
static void fill_weights(struct call_edges *edges)
{
    const struct profile *profile = edges->profile;
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        edges->self[stat->function] = positive(stat->self);
        edges->total[stat->function] = positive(stat->total);
    }
    for (size_t function = 0; function < profile->functions.count; function++) {
        double calls = 0;
        for (uint64_t i = edges->first_in[function]; i < edges->first_in[function + 1]; i++)
            calls += calls_from_others(&profile->calls.items[edges->in[i]]);
        for (uint64_t i = edges->first_in[function]; i < edges->first_in[function + 1]; i++) {
            uint32_t edge = edges->in[i];
            const struct profile_call *call = &profile->calls.items[edge];
            double part = calls > 0 ? calls_from_others(call) / calls : 0;
            edges->edge_self[edge] =
                call->is_count ? edges->self[function] * part : positive(call->self);
            edges->edge_total[edge] =
                call->is_count ? edges->total[function] * part : positive(call->total);
        }
    }
}

/* A caller that has no numbers of its own, or none but zeros (the root that module
 * profile writes), took at least what it called. */
static void fill_missing(struct call_edges *edges, const bool *has_total)
{
    const struct profile *profile = edges->profile;
    for (size_t i = 0; i < profile->calls.count; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        if (!has_total[call->caller] && call->caller != call->callee)
            edges->total[call->caller] += edges->edge_total[i];
    }
}

static enum status find_cycles(const struct call_edges *edges, struct graph_components *ret_cycles,
                               struct error *err)
{
    const struct profile *profile = edges->profile;
    struct graph_builder builder = {0};
    struct graph graph = {0};
    enum status status = graph_builder_init(&builder, profile->functions.count, 0,
                                            profile->functions.count, profile->calls.count, err);
    for (uint32_t caller = 0; status == STATUS_OK && caller < profile->functions.count; caller++) {
        for (uint64_t i = edges->first_out[caller];
             status == STATUS_OK && i < edges->first_out[caller + 1]; i++)
            status = graph_builder_edge(&builder, caller,
                                        profile->calls.items[edges->out[i]].callee, err);
    }
    if (status == STATUS_OK)
        status = graph_build(&builder, 1, &graph, err);
    if (status == STATUS_OK)
        status = graph_components(&graph, ret_cycles, err);
    graph_builder_deinit(&builder);
    graph_deinit(&graph);
    return status;
}

static bool comes_from_outside(const struct call_edges *edges,
                               const struct graph_components *cycles, uint32_t function)
{
    uint32_t cycle = graph_component_of(cycles, function);
    for (uint64_t i = edges->first_in[function]; i < edges->first_in[function + 1]; i++) {
        uint32_t caller = edges->profile->calls.items[edges->in[i]].caller;
        if (graph_component_of(cycles, caller) != cycle)
            return true;
    }
    return false;
}

/* Of functions that call each other in a circle, times between them are parts of one
 * another: where nothing outside calls any, the largest began it. */
static void fill_circles(struct call_edges *edges, const struct graph_components *cycles)
{
    for (uint32_t cycle = 0; cycle < cycles->count; cycle++) {
        uint32_t first = cycles->first[cycle], end = cycles->first[cycle + 1];
        uint32_t largest = cycles->members[first];
        bool is_called = false;
        if (end - first == 1) /* it calls itself alone, which is left out already */
            continue;
        for (uint32_t i = first; i < end; i++) {
            uint32_t member = cycles->members[i];
            edges->unheld[member] = 0;
            is_called |= comes_from_outside(edges, cycles, member);
            if (edges->total[member] > edges->total[largest])
                largest = member;
        }
        if (!is_called)
            edges->unheld[largest] = edges->total[largest];
    }
}

static void fill_unheld(struct call_edges *edges)
{
    const struct profile *profile = edges->profile;
    for (size_t i = 0; i < profile->functions.count; i++)
        edges->unheld[i] = edges->total[i];
    for (size_t i = 0; i < profile->calls.count; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        if (call->caller != call->callee)
            edges->unheld[call->callee] -= edges->edge_total[i];
    }
    for (size_t i = 0; i < profile->functions.count; i++) {
        if (edges->unheld[i] < edges->total[i] * ROUNDING)
            edges->unheld[i] = 0;
    }
}

enum status call_edges_init(struct call_edges *edges, const struct profile *profile,
                            struct error *err)
{
    *edges = (struct call_edges){.profile = profile};
    struct graph_components cycles = {0};
    bool *has_total = calloc(profile->functions.count + 1, sizeof *has_total);
    if (!has_total || !allocate(edges)) {
        free(has_total);
        call_edges_deinit(edges);
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < profile->stats.count; i++)
        has_total[profile->stats.items[i].function] = profile->stats.items[i].total > 0;
    fill_rows(edges, true, edges->first_in, edges->in);
    fill_rows(edges, false, edges->first_out, edges->out);
    fill_weights(edges);
    fill_missing(edges, has_total);
    free(has_total);
    enum status status = find_cycles(edges, &cycles, err);
    if (status == STATUS_OK) {
        fill_unheld(edges);
        fill_circles(edges, &cycles);
        graph_components_deinit(&cycles);
    } else {
        call_edges_deinit(edges);
    }
    return status;
}
