/* SPDX-License-Identifier: Apache-2.0 */
#include "test_graph_reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/graph/memory.h"

#define BIT(node) (UINT64_C(1) << (node))

uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((random_next(state) >> 32) * limit >> 32);
}

/* Shapes: anywhere; near by; forward only (no cycle but to itself); a chain with
 * jumps back; a chain with jumps ahead. */
static uint32_t random_target(uint64_t *state, unsigned shape, uint32_t source, unsigned count)
{
    uint32_t any = random_below(state, count);
    switch (shape) {
    case 1: return (source + random_below(state, 5) + count - 2) % count;
    case 2: return any < source ? source : any;
    case 3: return random_below(state, 2) ? (source + 1) % count : random_below(state, source + 1);
    case 4: return random_below(state, 2) ? (source + 1) % count : source + (count - source) / 2;
    default: return any;
    }
}

static void add_edges(struct sample *sample, uint64_t *state)
{
    unsigned shape = random_below(state, 5), per_node = 1 + random_below(state, 6);
    for (uint32_t source = 0; source < sample->node_count; source++) {
        unsigned degree = random_below(state, per_node + 1);
        for (unsigned i = 0; i < degree && sample->edge_count < SAMPLE_EDGES; i++) {
            uint32_t target =
                random_target(state, shape, source, sample->node_count) % sample->node_count;
            unsigned copies = 1 + !random_below(state, 8);
            while (copies-- && sample->edge_count < SAMPLE_EDGES) {
                sample->sources[sample->edge_count] = source;
                sample->targets[sample->edge_count++] = target;
            }
            sample->out[source] |= BIT(target);
        }
    }
}

void sample_make(struct sample *sample, unsigned number)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (number + 1);
    for (unsigned i = 0; i < 8; i++)
        random_next(&state);
    memset(sample, 0, sizeof *sample);
    sample->node_count = number % SAMPLE_NODES;
    if (!sample->node_count)
        return;
    add_edges(sample, &state);
    sample->root_count = random_below(&state, SAMPLE_ROOTS + 1);
    for (unsigned i = 0; i < sample->root_count; i++) {
        sample->roots[i] = random_below(&state, sample->node_count);
        sample->classes[i] = (uint8_t)(random_below(&state, 3) * 127);
    }
    for (unsigned i = 0; i < sample->node_count; i++)
        sample->sizes[i] = 16 + random_below(&state, 1000);
}

/* As where there are 2^32 edges and more. */
static void widen(struct graph *graph)
{
    size_t rows = graph->node_count + (size_t)1;
    assert_int_equal(graph_alloc(rows, sizeof *graph->wide, (void **)&graph->wide, NULL),
                     STATUS_OK);
    for (size_t row = 0; row < rows; row++)
        graph->wide[row] = graph->narrow[row];
    graph_free(graph->narrow);
    graph->narrow = NULL;
}

struct graph sample_graph(const struct sample *sample)
{
    struct graph_builder builder;
    struct graph graph;
    unsigned n = sample->node_count;
    assert_int_equal(graph_builder_init(&builder, n, 0, n, 0, NULL), STATUS_OK);
    for (unsigned i = 0; i < sample->edge_count; i++)
        assert_int_equal(graph_builder_edge(&builder, sample->sources[i], sample->targets[i], NULL),
                         STATUS_OK);
    assert_int_equal(graph_build(&builder, 1, &graph, NULL), STATUS_OK);
    if (sample->edge_count % 2)
        widen(&graph);
    return graph;
}

struct graph_roots sample_roots(const struct sample *sample)
{
    return (struct graph_roots){
        .nodes = sample->roots, .classes = sample->classes, .count = sample->root_count};
}

uint64_t sample_root_set(const struct sample *sample)
{
    uint64_t set = 0;
    for (unsigned i = 0; i < sample->root_count; i++)
        set |= BIT(sample->roots[i]);
    return set;
}

uint64_t reference_reach(const struct sample *sample, uint64_t roots, uint64_t removed)
{
    uint64_t reached = roots & ~removed, before;
    do {
        before = reached;
        for (unsigned node = 0; node < sample->node_count; node++)
            if (reached & BIT(node))
                reached |= sample->out[node] & ~removed;
    } while (reached != before);
    return reached;
}

/* The nodes other than v that all paths to v go through. */
static uint64_t dominators_of(const struct sample *sample, uint64_t roots, uint64_t removed,
                              uint32_t v)
{
    uint64_t dominators = 0;
    for (unsigned u = 0; u < sample->node_count; u++)
        if (u != v && !(reference_reach(sample, roots, removed | BIT(u)) & BIT(v)))
            dominators |= BIT(u) & ~removed;
    return dominators;
}

uint32_t reference_idom(const struct sample *sample, uint64_t roots, uint64_t removed, uint32_t v)
{
    uint64_t dominators = dominators_of(sample, roots, removed, v);
    dominators &= reference_reach(sample, roots, removed);
    for (unsigned u = 0; u < sample->node_count; u++)
        if (dominators & BIT(u) && /* all others dominate u as well */
            (dominators_of(sample, roots, removed, u) & dominators) == (dominators & ~BIT(u)))
            return u;
    return GRAPH_ROOT;
}

uint64_t reference_retained(const struct sample *sample, uint64_t roots, uint64_t removed,
                            uint32_t v)
{
    uint64_t with = reference_reach(sample, roots, removed), sum = 0;
    uint64_t without = reference_reach(sample, roots, removed | BIT(v));
    for (unsigned node = 0; node < sample->node_count; node++)
        if (with & ~without & BIT(node))
            sum += sample->sizes[node];
    return sum;
}

void reference_closure(const struct sample *sample, uint64_t closure[SAMPLE_NODES])
{
    for (unsigned node = 0; node < sample->node_count; node++)
        closure[node] = reference_reach(sample, sample->out[node], 0);
}
