/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs that are large, or made to be slow: the answers are known in closed
 * form, and a pass that recursed or were quadratic would not come back. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_graph_reference.h"

/* All passes over one graph, as the analyzer runs them. */
struct analysis {
    struct graph forward;
    struct graph_sources reverse;
    struct graph_roots roots, garbage_roots;
    struct graph_paths paths;
    struct graph_components components;
    struct graph_dominators dominators;
    uint64_t *reached, *retained; /* each node's own size is 1 */
    uint32_t *garbage;
};

static enum status run_components(void *context, struct error *err)
{
    struct analysis *analysis = context;
    return graph_components(&analysis->forward, &analysis->components, err);
}

static enum status run_paths(void *context, struct error *err)
{
    struct analysis *analysis = context;
    return graph_paths(&analysis->forward, &analysis->roots, true, &analysis->paths, err);
}

static enum status run_dominators(void *context, struct error *err)
{
    struct analysis *analysis = context;
    enum status status = graph_dominators(&analysis->forward, &analysis->reverse, &analysis->roots,
                                          &analysis->garbage_roots, &analysis->dominators, err);
    return status ? status : graph_dominators_measure(&analysis->dominators, err);
}

static void analyze(struct analysis *analysis, unsigned threads)
{
    const struct graph_task alone[] = {{run_components, analysis}};
    const struct graph_task both[] = {{run_dominators, analysis}, {run_paths, analysis}};
    struct graph *forward = &analysis->forward;
    assert_int_equal(graph_reverse(forward, false, threads, &analysis->reverse, NULL), STATUS_OK);
    assert_int_equal(graph_run(alone, 1, threads, NULL), STATUS_OK);
    assert_int_equal(graph_reach(forward, &analysis->roots, &analysis->reached, NULL), STATUS_OK);
    assert_int_equal(graph_garbage_roots(forward, analysis->reached, &analysis->components,
                                         &analysis->garbage, &analysis->garbage_roots.count, NULL),
                     STATUS_OK);
    analysis->garbage_roots.nodes = analysis->garbage;
    assert_int_equal(graph_run(both, 2, threads, NULL), STATUS_OK);
    analysis->retained = malloc((forward->node_count + UINT64_C(1)) * sizeof *analysis->retained);
    assert_non_null(analysis->retained);
    for (uint32_t node = 0; node < forward->node_count; node++)
        analysis->retained[node] = 1;
    graph_retained(&analysis->dominators, analysis->retained);
}

static void analysis_deinit(struct analysis *analysis)
{
    graph_deinit(&analysis->forward);
    graph_sources_deinit(&analysis->reverse);
    graph_paths_deinit(&analysis->paths);
    graph_components_deinit(&analysis->components);
    graph_dominators_deinit(&analysis->dominators);
    graph_free(analysis->reached);
    free(analysis->retained);
    graph_free(analysis->garbage);
}

static struct graph_builder begin(uint32_t nodes)
{
    struct graph_builder builder;
    assert_int_equal(graph_builder_init(&builder, nodes, 0, nodes, 0, NULL), STATUS_OK);
    return builder;
}

static void edge(struct graph_builder *builder, uint32_t source, uint32_t target)
{
    if (graph_builder_edge(builder, source, target, NULL))
        fail_msg("no edge from %u to %u", source, target);
}

static void end(struct graph_builder *builder, struct graph *ret_graph)
{
    assert_int_equal(graph_build(builder, 1, ret_graph, NULL), STATUS_OK);
}

/* assert_int_equal is a call; these loops run a hundred million times. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s at node %u", #condition, node);                                           \
    } while (0)

/* From the last node down to node 0, so that no pass meets it in its order. */
static void check_chain(uint32_t count, bool is_ring)
{
    struct graph_builder builder = begin(count);
    struct analysis analysis = {.roots = {.nodes = (const uint32_t[]){count - 1}, .count = 1}};
    if (is_ring)
        edge(&builder, 0, count - 1);
    for (uint32_t node = 1; node < count; node++)
        edge(&builder, node, node - 1);
    end(&builder, &analysis.forward);
    analyze(&analysis, 1);
    assert_int_equal(analysis.components.count, is_ring);
    assert_int_equal(analysis.components.member_count, is_ring ? count : 0);
    assert_int_equal(analysis.garbage_roots.count, 0);
    assert_int_equal(analysis.dominators.reached, count);
    for (uint32_t node = 0; node < count; node++) {
        uint32_t above = node + 1 < count ? node + 1 : GRAPH_ROOT;
        CHECK(analysis.dominators.idom[node] == above);
        CHECK(analysis.paths.parent[node] == above);
        CHECK(analysis.paths.depth[node] == count - 1 - node);
        CHECK(analysis.retained[node] == node + 1);
    }
    analysis_deinit(&analysis);
}

static void *check_long_chain(void *unused)
{
    (void)unused;
    check_chain(10000000, false);
    return NULL;
}

/* A recursion of ten million would need more than any stack; this one would
 * not even hold ten thousand. */
static void test_deep_chain(void **state)
{
    (void)state;
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attributes, check_long_chain, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

static void test_deep_ring(void **state)
{
    (void)state;
    check_chain(2000000, true);
}

/* Node 0 holds the head of a chain and each leaf; the chain's last node holds
 * the leaves as well. Going up from a leaf step by step would be quadratic. */
static void test_leaves_below_a_chain_and_the_root(void **state)
{
    (void)state;
    const uint32_t chain = 1000000, leaves = 1000000, nodes = 1 + chain + leaves;
    struct graph_builder builder = begin(nodes);
    struct analysis analysis = {.roots = {.nodes = (const uint32_t[]){0}, .count = 1}};
    for (uint32_t node = 1; node < chain; node++) {
        if (node == 1) {
            edge(&builder, 0, 1);
            for (uint32_t leaf = chain + 1; leaf < nodes; leaf++)
                edge(&builder, 0, leaf);
        }
        edge(&builder, node, node + 1);
    }
    for (uint32_t leaf = chain + 1; leaf < nodes; leaf++)
        edge(&builder, chain, leaf);
    end(&builder, &analysis.forward);
    analyze(&analysis, 2);
    for (uint32_t node = 1; node < nodes; node++) {
        CHECK(analysis.dominators.idom[node] == (node <= chain ? node - 1 : 0));
        CHECK(analysis.paths.depth[node] == (node <= chain ? node : 1));
        CHECK(analysis.retained[node] == (node <= chain ? chain + 1 - node : 1));
    }
    assert_int_equal(analysis.retained[0], nodes);
    analysis_deinit(&analysis);
}

/* Forward and back, one and two steps: long compressed ways, one component. */
static void test_ladder(void **state)
{
    (void)state;
    const uint32_t nodes = 1000000;
    struct graph_builder builder = begin(nodes);
    struct analysis analysis = {.roots = {.nodes = (const uint32_t[]){0}, .count = 1}};
    for (uint32_t node = 0; node < nodes; node++) {
        if (node + 1 < nodes)
            edge(&builder, node, node + 1);
        if (node + 2 < nodes)
            edge(&builder, node, node + 2);
        if (node)
            edge(&builder, node, node - 1);
        edge(&builder, node, node / 2);
    }
    end(&builder, &analysis.forward);
    analyze(&analysis, 2);
    assert_int_equal(analysis.components.count, 1);
    for (uint32_t node = 1; node < nodes; node++) {
        CHECK(analysis.dominators.idom[node] == 0);
        CHECK(analysis.paths.depth[node] == (node + 1) / 2);
    }
    analysis_deinit(&analysis);
}

/* Each of one side to each of the other and to itself, everything twice. */
static void test_complete_bipartite(void **state)
{
    (void)state;
    const uint32_t side = 1000;
    struct graph_builder builder = begin(2 * side);
    uint32_t roots[1000];
    struct analysis analysis = {.roots = {.nodes = roots, .count = side}};
    for (uint32_t node = 0; node < side; node++) {
        roots[node] = side - 1 - node;
        edge(&builder, node, node);
        for (uint32_t i = 0; i < 2 * side; i++)
            edge(&builder, node, side + i % side);
    }
    end(&builder, &analysis.forward);
    analyze(&analysis, 2);
    assert_int_equal(analysis.components.count, side);
    for (uint32_t node = 0; node < 2 * side; node++) {
        CHECK(analysis.dominators.idom[node] == GRAPH_ROOT);
        CHECK(analysis.retained[node] == 1);
        CHECK(analysis.paths.parent[node] == (node < side ? GRAPH_ROOT : side - 1));
        CHECK(analysis.reverse.narrow[node + 1] - analysis.reverse.narrow[node] ==
              (node < side ? 1 : 2 * side));
    }
    analysis_deinit(&analysis);
}

/* One node to all, twice, and all back to it, with no root: garbage. */
static void test_star_of_garbage(void **state)
{
    (void)state;
    const uint32_t nodes = 1000000;
    struct graph_builder builder = begin(nodes);
    struct analysis analysis = {0};
    for (uint32_t i = 0; i < 2 * nodes; i++)
        edge(&builder, 0, i % nodes);
    for (uint32_t node = 1; node < nodes; node++)
        edge(&builder, node, 0);
    end(&builder, &analysis.forward);
    analyze(&analysis, 2);
    assert_int_equal(analysis.components.count, 1);
    assert_int_equal(analysis.garbage_roots.count, 1);
    assert_int_equal(analysis.garbage[0], 0);
    assert_int_equal(analysis.dominators.reached, 0);
    assert_int_equal(analysis.dominators.order_count, nodes);
    assert_int_equal(analysis.retained[0], nodes);
    for (uint32_t node = 1; node < nodes; node++) {
        CHECK(analysis.dominators.idom[node] == 0);
        CHECK(analysis.paths.parent[node] == GRAPH_NONE);
    }
    analysis_deinit(&analysis);
}

static void test_no_nodes_at_all(void **state)
{
    (void)state;
    struct graph_builder builder = begin(0);
    struct analysis analysis = {0};
    end(&builder, &analysis.forward);
    analyze(&analysis, 2);
    assert_int_equal(analysis.components.count, 0);
    assert_int_equal(analysis.dominators.order_count, 0);
    assert_int_equal(analysis.paths.reached, 0);
    analysis_deinit(&analysis);
}

/* Mostly near neighbours, some anywhere, a part that no root leads to. */
static void make_random(struct analysis *analysis, uint32_t nodes, uint64_t seed, uint32_t *roots,
                        uint32_t root_count)
{
    struct graph_builder builder = begin(nodes);
    unsigned per_node = 1 + random_below(&seed, 3), far = 2 + random_below(&seed, 60);
    for (uint32_t node = 0; node < nodes; node++) {
        unsigned degree = random_below(&seed, 2 * per_node + 1);
        for (unsigned i = 0; i < degree; i++) {
            uint32_t any = random_below(&seed, nodes);
            uint32_t near = (node + random_below(&seed, 20)) % nodes;
            edge(&builder, node, random_below(&seed, far) ? near : any);
        }
    }
    end(&builder, &analysis->forward);
    for (uint32_t i = 0; i < root_count; i++)
        roots[i] = random_below(&seed, nodes);
    analysis->roots = (struct graph_roots){.nodes = roots, .count = root_count};
}

/* Where two ways up to the root, number 0, come together. */
static uint32_t meet(const uint32_t *idom, uint32_t a, uint32_t b)
{
    while (a != b) {
        if (a > b)
            a = idom[a];
        else
            b = idom[b];
    }
    return a;
}

/* Cooper, Harvey and Kennedy's algorithm: rounds until nothing changes, over the
 * order that the pass gave (the tree in preorder). */
static void check_by_rounds(const struct analysis *analysis)
{
    uint32_t nodes = analysis->forward.node_count, count = analysis->dominators.reached;
    const struct graph_dominated *order = analysis->dominators.order;
    uint32_t *number = calloc(nodes, sizeof *number), *idom = calloc(count + 1, sizeof *idom);
    bool *is_root = calloc(nodes, sizeof *is_root), changed = true;
    assert_true(number && idom && is_root);
    for (uint32_t i = 0; i < count; i++)
        number[order[i].node] = i + 1;
    for (uint32_t i = 0; i < analysis->roots.count; i++)
        is_root[analysis->roots.nodes[i]] = true;
    for (uint32_t i = 1; i <= count; i++)
        idom[i] = UINT32_MAX;
    while (changed) {
        changed = false;
        for (uint32_t i = 1; i <= count; i++) {
            uint32_t node = order[i - 1].node, best = is_root[node] ? 0 : UINT32_MAX;
            const struct graph_sources *reverse = &analysis->reverse;
            for (uint64_t j = reverse->narrow[node]; j < reverse->narrow[node + 1]; j++) {
                uint32_t other = number[reverse->sources[j]];
                if (!other || idom[other] == UINT32_MAX)
                    continue;
                best = best == UINT32_MAX ? other : meet(idom, best, other);
            }
            changed |= best != idom[i];
            idom[i] = best;
        }
    }
    for (uint32_t i = 1; i <= count; i++) {
        uint32_t node = order[i - 1].node;
        CHECK(analysis->dominators.idom[node] == (idom[i] ? order[idom[i] - 1].node : GRAPH_ROOT));
    }
    free(number);
    free(idom);
    free(is_root);
}

static void test_dominators_by_rounds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct analysis analysis = {0};
        uint32_t roots[5];
        make_random(&analysis, 3000, seed, roots, 1 + (uint32_t)seed % 5);
        analyze(&analysis, 1);
        check_by_rounds(&analysis);
        analysis_deinit(&analysis);
    }
}

#define SAME(array, count) assert_memory_equal(one.array, two.array, (count) * sizeof *one.array)

/* The same graph with one thread and with more: the same bytes. */
static void test_threads_change_nothing(void **state)
{
    (void)state;
    for (unsigned threads = 2; threads <= 5; threads++) {
        struct analysis one = {0}, two = {0};
        uint32_t roots[3], nodes = 200000;
        make_random(&one, nodes, threads, roots, 3);
        make_random(&two, nodes, threads, roots, 3);
        analyze(&one, 1);
        analyze(&two, threads);
        SAME(reverse.narrow, nodes + 1);
        SAME(reverse.sources, one.forward.edge_count);
        SAME(paths.parent, nodes);
        SAME(dominators.idom, nodes);
        assert_int_equal(one.dominators.order_count, two.dominators.order_count);
        SAME(dominators.order, one.dominators.order_count);
        SAME(retained, nodes);
        assert_int_equal(one.components.member_count, two.components.member_count);
        SAME(components.members, one.components.member_count);
        assert_true(one.dominators.reached > 0);
        assert_true(one.components.member_count > 0);
        analysis_deinit(&one);
        analysis_deinit(&two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deep_chain),
        cmocka_unit_test(test_deep_ring),
        cmocka_unit_test(test_leaves_below_a_chain_and_the_root),
        cmocka_unit_test(test_ladder),
        cmocka_unit_test(test_complete_bipartite),
        cmocka_unit_test(test_star_of_garbage),
        cmocka_unit_test(test_no_nodes_at_all),
        cmocka_unit_test(test_dominators_by_rounds),
        cmocka_unit_test(test_threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
