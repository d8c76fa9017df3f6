/* SPDX-License-Identifier: Apache-2.0 */
/* Each pass against its definition, over thousands of small graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_graph_reference.h"

#define SAMPLES   6000
#define BIT(node) (UINT64_C(1) << (node))

static void test_reverse(void **state)
{
    (void)state;
    struct sample sample;
    for (unsigned number = 0; number < SAMPLES; number++) {
        sample_make(&sample, number);
        struct graph forward = sample_graph(&sample);
        struct graph_sources reverse;
        unsigned threads = number % 8 ? 1 : 2 + number % 5;
        assert_int_equal(graph_reverse(&forward, number % 3 == 0, threads, &reverse, NULL),
                         STATUS_OK);
        assert_true(number % 3 ? reverse.narrow && !reverse.wide : reverse.wide && !reverse.narrow);
        assert_int_equal(reverse.node_count, forward.node_count);
        assert_int_equal(reverse.edge_count, sample.edge_count);
        uint64_t at = 0;
        for (uint32_t node = 0; node < sample.node_count; node++) {
            assert_int_equal(graph_sources_first(&reverse, node), at);
            for (unsigned i = 0; i < sample.edge_count; i++)
                if (sample.targets[i] == node)
                    assert_int_equal(reverse.sources[at++], sample.sources[i]);
        }
        assert_int_equal(graph_sources_first(&reverse, sample.node_count), sample.edge_count);
        graph_sources_deinit(&reverse);
        graph_deinit(&forward);
    }
}

static void test_reach(void **state)
{
    (void)state;
    struct sample sample;
    for (unsigned number = 0; number < SAMPLES; number++) {
        sample_make(&sample, number);
        struct graph forward = sample_graph(&sample);
        struct graph_roots roots = sample_roots(&sample);
        uint64_t *reached, set = reference_reach(&sample, sample_root_set(&sample), 0);
        assert_int_equal(graph_reach(&forward, &roots, &reached, NULL), STATUS_OK);
        for (uint32_t node = 0; node < sample.node_count; node++)
            assert_int_equal(graph_bit(reached, node), set >> node & 1);
        graph_free(reached);
        graph_deinit(&forward);
    }
}

/* In two steps, the second from roots of which some are marked already. */
static void test_reach_more(void **state)
{
    (void)state;
    struct sample sample;
    for (unsigned number = 0; number < SAMPLES; number++) {
        sample_make(&sample, number);
        struct graph forward = sample_graph(&sample);
        struct graph_roots all = sample_roots(&sample), first = all, rest = all;
        first.count = all.count / 2;
        rest.nodes += first.count;
        rest.count -= first.count;
        uint64_t *reached, set = reference_reach(&sample, sample_root_set(&sample), 0);
        assert_int_equal(graph_reach(&forward, &first, &reached, NULL), STATUS_OK);
        for (uint32_t i = 0; i < rest.count; i++)
            reached[rest.nodes[i] >> 6] |= UINT64_C(1) << (rest.nodes[i] & 63);
        assert_int_equal(graph_reach_more(&forward, &rest, reached, NULL), STATUS_OK);
        for (uint32_t node = 0; node < sample.node_count; node++)
            assert_int_equal(graph_bit(reached, node), set >> node & 1);
        graph_free(reached);
        graph_deinit(&forward);
    }
}

/* A path as the numbers by which it is chosen: class, root, positions of edges. */
struct key {
    unsigned length;
    uint32_t parts[SAMPLE_NODES + 2];
};

static bool is_better(const struct key *a, const struct key *b)
{
    if (a->length != b->length)
        return a->length < b->length;
    for (unsigned i = 0; i < a->length; i++)
        if (a->parts[i] != b->parts[i])
            return a->parts[i] < b->parts[i];
    return false;
}

struct best {
    struct key keys[SAMPLE_NODES];
    uint32_t parents[SAMPLE_NODES];
};

static void take_if_better(struct best *best, uint32_t node, const struct key *key, uint32_t parent)
{
    if (best->keys[node].length && !is_better(key, &best->keys[node]))
        return;
    best->keys[node] = *key;
    best->parents[node] = parent;
}

/* The best path to each node: relax all edges until nothing changes. */
static void find_best(const struct sample *sample, struct best *best)
{
    memset(best, 0, sizeof *best);
    for (uint32_t i = 0; i < sample->root_count; i++) {
        struct key key = {2, {sample->classes[i], i}};
        take_if_better(best, sample->roots[i], &key, GRAPH_ROOT);
    }
    for (unsigned round = 0; round < sample->node_count; round++)
        for (uint32_t i = 0; i < sample->edge_count; i++) {
            struct key key = best->keys[sample->sources[i]];
            if (!key.length || key.length >= SAMPLE_NODES + 2)
                continue;
            key.parts[key.length++] = i;
            take_if_better(best, sample->targets[i], &key, sample->sources[i]);
        }
}

static void check_paths(const struct sample *sample, const struct best *best,
                        const struct graph_paths *paths)
{
    unsigned reached = 0;
    for (uint32_t node = 0; node < sample->node_count; node++) {
        const struct key *key = &best->keys[node];
        bool is_root = key->length && best->parents[node] == GRAPH_ROOT;
        reached += key->length > 0;
        assert_int_equal(paths->parent[node], key->length ? best->parents[node] : GRAPH_NONE);
        assert_int_equal(graph_paths_root(paths, node), is_root ? key->parts[1] : GRAPH_NONE);
        if (paths->depth)
            assert_int_equal(paths->depth[node], key->length ? key->length - 2 : GRAPH_NONE);
    }
    assert_int_equal(paths->reached, reached);
}

static void test_paths(void **state)
{
    (void)state;
    struct sample sample;
    struct best best;
    for (unsigned number = 0; number < SAMPLES / 2; number++) {
        sample_make(&sample, number);
        struct graph forward = sample_graph(&sample);
        struct graph_roots roots = sample_roots(&sample);
        struct graph_paths paths;
        if (number % 4 == 0) { /* all alike */
            memset(sample.classes, 0, sizeof sample.classes);
            roots.classes = NULL;
        }
        assert_int_equal(graph_paths(&forward, &roots, number % 2, &paths, NULL), STATUS_OK);
        assert_int_equal(paths.depth != NULL, number % 2);
        find_best(&sample, &best);
        check_paths(&sample, &best, &paths);
        graph_paths_deinit(&paths);
        graph_deinit(&forward);
    }
}

static bool is_dominated(const struct graph_dominators *dominators, uint32_t node, uint32_t by)
{
    while (node != by && dominators->idom[node] != GRAPH_ROOT)
        node = dominators->idom[node];
    return node == by;
}

static void check_order(const struct sample *sample, const struct graph_dominators *dominators,
                        uint64_t roots_reach)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < dominators->order_count; i++) {
        const struct graph_dominated *at = &dominators->order[i];
        uint32_t node = at->node, idom = dominators->idom[node];
        assert_true(node < sample->node_count);
        assert_true(at->size && at->size <= dominators->order_count - i);
        for (uint32_t j = i + 1; j < dominators->order_count; j++)
            assert_int_equal(j - i < at->size,
                             is_dominated(dominators, dominators->order[j].node, node));
        assert_false(seen & BIT(node));
        assert_true(idom == GRAPH_ROOT || seen & BIT(idom));
        assert_int_equal(i < dominators->reached, roots_reach >> node & 1);
        seen |= BIT(node);
    }
}

/* What `roots` lead to without what was `removed`, node by node. */
static void check_dominators(const struct sample *sample, uint64_t roots, uint64_t removed,
                             const struct graph_dominators *dominators, const uint64_t *retained)
{
    uint64_t reached = reference_reach(sample, roots, removed);
    for (uint32_t node = 0; node < sample->node_count; node++)
        if (reached & BIT(node)) {
            assert_int_equal(dominators->idom[node], reference_idom(sample, roots, removed, node));
            assert_int_equal(retained[node], reference_retained(sample, roots, removed, node));
        }
}

static void test_dominators_and_retained(void **state)
{
    (void)state;
    struct sample sample;
    for (unsigned number = 0; number < SAMPLES; number++) {
        sample_make(&sample, number);
        struct graph forward = sample_graph(&sample);
        struct graph_sources reverse;
        struct graph_roots roots = sample_roots(&sample);
        struct graph_dominators dominators;
        uint64_t set = sample_root_set(&sample), reached = reference_reach(&sample, set, 0);
        assert_int_equal(graph_reverse(&forward, number % 2, 1, &reverse, NULL), STATUS_OK);
        assert_int_equal(graph_dominators(&forward, &reverse, &roots, NULL, &dominators, NULL),
                         STATUS_OK);
        assert_int_equal(graph_dominators_measure(&dominators, NULL), STATUS_OK);
        uint64_t retained[SAMPLE_NODES];
        memcpy(retained, sample.sizes, sizeof retained);
        graph_retained(&dominators, retained);
        check_order(&sample, &dominators, reached);
        check_dominators(&sample, set, 0, &dominators, retained);
        assert_int_equal(dominators.reached, __builtin_popcountll(reached));
        assert_int_equal(dominators.order_count, dominators.reached);
        for (uint32_t node = 0; node < sample.node_count; node++)
            if (!(reached & BIT(node))) {
                assert_int_equal(dominators.idom[node], GRAPH_NONE);
                assert_int_equal(retained[node], sample.sizes[node]);
            }
        graph_dominators_deinit(&dominators);
        graph_sources_deinit(&reverse);
        graph_deinit(&forward);
    }
}

static void test_components(void **state)
{
    (void)state;
    struct sample sample;
    uint64_t closure[SAMPLE_NODES];
    for (unsigned number = 0; number < SAMPLES; number++) {
        sample_make(&sample, number);
        struct graph forward = sample_graph(&sample);
        struct graph_components components;
        assert_int_equal(graph_components(&forward, &components, NULL), STATUS_OK);
        reference_closure(&sample, closure);
        uint32_t count = 0, members = 0;
        for (uint32_t node = 0; node < sample.node_count; node++) {
            uint32_t component = graph_component_of(&components, node);
            if (!(closure[node] & BIT(node))) { /* leads not to itself */
                assert_int_equal(component, GRAPH_NONE);
                continue;
            }
            uint64_t mates = 0;
            for (uint32_t other = 0; other < sample.node_count; other++)
                if (closure[node] & BIT(other) && closure[other] & BIT(node))
                    mates |= BIT(other);
            members++;
            if ((mates & (BIT(node) - 1)) == 0) /* its smallest */
                assert_int_equal(component, count++);
            uint32_t i = components.first[component];
            for (uint32_t other = 0; other < sample.node_count; other++)
                if (mates & BIT(other)) {
                    assert_int_equal(graph_component_of(&components, other), component);
                    assert_int_equal(components.members[i++], other);
                }
            assert_int_equal(i, components.first[component + 1]);
        }
        assert_int_equal(components.count, count);
        assert_int_equal(components.member_count, members);
        graph_components_deinit(&components);
        graph_deinit(&forward);
    }
}

static uint64_t bitmap_word(const uint64_t *bits, unsigned node_count)
{
    return node_count ? bits[0] : 0;
}

/* The roots of garbage by definition: the smallest of a component that no
 * unreached node outside of it leads to. */
static uint64_t reference_garbage_roots(const struct sample *sample, uint64_t garbage)
{
    uint64_t closure[SAMPLE_NODES], roots = 0;
    reference_closure(sample, closure);
    for (uint32_t node = 0; node < sample->node_count; node++) {
        bool is_root = garbage & BIT(node);
        for (uint32_t other = 0; other < sample->node_count; other++)
            if (garbage & BIT(other) && other != node && closure[other] & BIT(node) &&
                (!(closure[node] & BIT(other)) || other < node))
                is_root = false;
        if (is_root)
            roots |= BIT(node);
    }
    return roots;
}

static void test_garbage(void **state)
{
    (void)state;
    struct sample sample;
    unsigned with_garbage = 0;
    for (unsigned number = 0; number < SAMPLES; number++) {
        sample_make(&sample, number);
        struct graph forward = sample_graph(&sample);
        struct graph_sources reverse;
        struct graph_roots roots = sample_roots(&sample);
        struct graph_components components;
        struct graph_dominators dominators;
        uint64_t *bitmap, set = sample_root_set(&sample), retained[SAMPLE_NODES], expected;
        uint32_t *nodes, count;
        assert_int_equal(graph_reverse(&forward, number % 2, 1, &reverse, NULL), STATUS_OK);
        assert_int_equal(graph_reach(&forward, &roots, &bitmap, NULL), STATUS_OK);
        assert_int_equal(graph_components(&forward, &components, NULL), STATUS_OK);
        assert_int_equal(graph_garbage_roots(&forward, bitmap, &components, &nodes, &count, NULL),
                         STATUS_OK);
        uint64_t reached = bitmap_word(bitmap, sample.node_count);
        uint64_t garbage = ~reached & (BIT(sample.node_count) - 1);
        expected = reference_garbage_roots(&sample, garbage);
        assert_int_equal(count, __builtin_popcountll(expected));
        for (uint32_t i = 0; i < count; i++) {
            assert_true(expected >> nodes[i] & 1);
            assert_true(i == 0 || nodes[i] > nodes[i - 1]);
        }
        struct graph_roots garbage_roots = {.nodes = nodes, .count = count};
        assert_int_equal(
            graph_dominators(&forward, &reverse, &roots, &garbage_roots, &dominators, NULL),
            STATUS_OK);
        assert_int_equal(graph_dominators_measure(&dominators, NULL), STATUS_OK);
        memcpy(retained, sample.sizes, sizeof retained);
        graph_retained(&dominators, retained);
        assert_int_equal(dominators.order_count, sample.node_count);
        check_order(&sample, &dominators, reached);
        check_dominators(&sample, set, garbage, &dominators, retained);
        check_dominators(&sample, expected, reached, &dominators, retained);
        with_garbage += garbage && reached;
        graph_dominators_deinit(&dominators);
        graph_components_deinit(&components);
        graph_free(nodes);
        graph_free(bitmap);
        graph_sources_deinit(&reverse);
        graph_deinit(&forward);
    }
    assert_true(with_garbage > SAMPLES / 4);
}

/* A root of garbage that is reachable after all changes nothing. */
static void test_garbage_root_that_is_reachable(void **state)
{
    (void)state;
    const struct sample sample = {.node_count = 3,
                                  .edge_count = 2,
                                  .root_count = 1,
                                  .sources = {0, 1},
                                  .targets = {1, 2},
                                  .roots = {0}};
    struct graph forward = sample_graph(&sample);
    struct graph_sources reverse;
    struct graph_roots roots = sample_roots(&sample);
    struct graph_roots garbage = {.nodes = (const uint32_t[]){2}, .count = 1};
    struct graph_dominators dominators;
    assert_int_equal(graph_reverse(&forward, false, 1, &reverse, NULL), STATUS_OK);
    assert_int_equal(graph_dominators(&forward, &reverse, &roots, &garbage, &dominators, NULL),
                     STATUS_OK);
    assert_int_equal(dominators.idom[2], 1);
    assert_int_equal(dominators.reached, 3);
    graph_dominators_deinit(&dominators);
    graph_sources_deinit(&reverse);
    graph_deinit(&forward);
}

static void test_retained_stops_at_the_largest_number(void **state)
{
    (void)state;
    struct graph_dominators dominators = {.idom = (uint32_t[]){GRAPH_ROOT, 0, 0},
                                          .order =
                                              (struct graph_dominated[]){{0, 3}, {1, 1}, {2, 1}},
                                          .reached = 3,
                                          .order_count = 3};
    uint64_t sizes[] = {5, UINT64_MAX - 4, 1};
    graph_retained(&dominators, sizes);
    assert_true(sizes[0] == UINT64_MAX);
    assert_true(sizes[1] == UINT64_MAX - 4);
}

static void test_roots_outside_are_refused(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample, 10);
    struct graph forward = sample_graph(&sample);
    struct graph_sources reverse;
    struct graph_roots good = {.nodes = (const uint32_t[]){0, 9}, .count = 2};
    struct graph_roots bad = {.nodes = (const uint32_t[]){0, 10}, .count = 2};
    struct graph_paths paths;
    struct graph_dominators dominators;
    struct error err = {0};
    uint64_t *reached;
    assert_int_equal(graph_reverse(&forward, false, 1, &reverse, NULL), STATUS_OK);
    assert_int_equal(graph_reach(&forward, &bad, &reached, &err), STATUS_USAGE);
    assert_string_equal(err.message, "object graph: root 1 is node 10 of 10");
    assert_int_equal(graph_paths(&forward, &bad, false, &paths, NULL), STATUS_USAGE);
    assert_int_equal(graph_dominators(&forward, &reverse, &bad, NULL, &dominators, NULL),
                     STATUS_USAGE);
    assert_int_equal(graph_dominators(&forward, &reverse, &good, &bad, &dominators, NULL),
                     STATUS_USAGE);
    graph_sources_deinit(&reverse);
    graph_deinit(&forward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reverse),
        cmocka_unit_test(test_reach),
        cmocka_unit_test(test_reach_more),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_dominators_and_retained),
        cmocka_unit_test(test_components),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_garbage_root_that_is_reachable),
        cmocka_unit_test(test_retained_stops_at_the_largest_number),
        cmocka_unit_test(test_roots_outside_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
