/* SPDX-License-Identifier: Apache-2.0 */
/* Building rows, and running tasks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_graph_reference.h"

static void assert_same(const struct graph *a, const struct graph *b)
{
    assert_int_equal(a->node_count, b->node_count);
    assert_int_equal(a->edge_count, b->edge_count);
    for (uint64_t node = 0; node <= a->node_count; node++)
        assert_int_equal(graph_first(a, node), graph_first(b, node));
    if (a->edge_count)
        assert_memory_equal(a->targets, b->targets, a->edge_count * sizeof *a->targets);
}

static void test_rows_are_as_given(void **state)
{
    (void)state;
    struct sample sample;
    for (unsigned number = 0; number < 500; number++) {
        sample_make(&sample, number);
        struct graph graph = sample_graph(&sample);
        assert_int_equal(graph.node_count, sample.node_count);
        assert_int_equal(graph_first(&graph, 0), 0);
        assert_int_equal(graph_first(&graph, sample.node_count), sample.edge_count);
        uint64_t edge = 0;
        for (uint32_t node = 0; node < graph.node_count; node++)
            for (uint64_t i = graph_first(&graph, node); i < graph_end(&graph, node); i++, edge++) {
                assert_int_equal(edge, i);
                assert_int_equal(sample.sources[i], node);
                assert_int_equal(sample.targets[i], graph.targets[i]);
            }
        graph_deinit(&graph);
    }
}

/* Any cut into ranges, filled edge by edge or row by row, gives the same rows. */
static void test_joined_builders_give_the_same_rows(void **state)
{
    (void)state;
    struct sample sample;
    uint64_t random = 7;
    for (unsigned number = 1; number < 500; number++) {
        sample_make(&sample, number);
        struct graph whole = sample_graph(&sample), joined;
        struct graph_builder builders[4];
        unsigned count = 1 + number % 4, edge = 0;
        uint64_t begin = 0, n = sample.node_count;
        for (unsigned i = 0; i < count; i++) {
            uint64_t end =
                i + 1 == count ? n : begin + random_below(&random, (uint32_t)(n - begin) + 1);
            assert_int_equal(graph_builder_init(&builders[i], n, begin, end, number, NULL),
                             STATUS_OK);
            while (edge < sample.edge_count && sample.sources[edge] < end) {
                uint32_t source = sample.sources[edge], length = 1;
                while (number % 2 && edge + length < sample.edge_count &&
                       sample.sources[edge + length] == source)
                    length++;
                assert_int_equal(
                    graph_builder_edges(&builders[i], source, sample.targets + edge, length, NULL),
                    STATUS_OK);
                edge += length;
            }
            begin = end;
        }
        assert_int_equal(graph_build(builders, count, &joined, NULL), STATUS_OK);
        assert_same(&whole, &joined);
        for (unsigned i = 0; i < count; i++) {
            assert_null(builders[i].first);
            graph_builder_deinit(&builders[i]);
        }
        graph_deinit(&joined);
        graph_deinit(&whole);
    }
}

static void test_rows_grow(void **state)
{
    (void)state;
    struct graph_builder builder;
    struct graph graph;
    const uint32_t nodes = 1000, edges = 300000;
    assert_int_equal(graph_builder_init(&builder, nodes, 0, nodes, 0, NULL), STATUS_OK);
    for (uint32_t i = 0; i < edges; i++)
        assert_int_equal(graph_builder_edge(&builder, i / (edges / nodes), i * 7 % nodes, NULL),
                         STATUS_OK);
    assert_true(builder.capacity < edges + edges / 8 + 1024);
    assert_int_equal(graph_build(&builder, 1, &graph, NULL), STATUS_OK);
    for (uint32_t i = 0; i < edges; i++)
        assert_int_equal(graph.targets[i], i * 7 % nodes);
    graph_deinit(&graph);
}

static void test_wrong_edges_are_refused(void **state)
{
    (void)state;
    struct graph_builder builder;
    struct graph graph;
    struct error err = {0};
    const uint32_t mixed[] = {3, 10};
    assert_int_equal(graph_builder_init(&builder, 10, 4, 8, 0, NULL), STATUS_OK);
    assert_int_equal(graph_builder_edge(&builder, 3, 0, NULL), STATUS_USAGE);
    assert_int_equal(graph_builder_edge(&builder, 8, 0, NULL), STATUS_USAGE);
    assert_int_equal(graph_builder_edge(&builder, 4, 10, &err), STATUS_USAGE);
    assert_string_equal(err.message, "object graph: 4 refers to 10 of 10");
    assert_int_equal(graph_builder_edges(&builder, 4, mixed, 2, NULL), STATUS_USAGE);
    assert_int_equal(builder.edge_count, 0);
    assert_int_equal(graph_builder_edge(&builder, 6, 9, NULL), STATUS_OK);
    assert_int_equal(graph_builder_edge(&builder, 6, 10, NULL), STATUS_USAGE);
    assert_int_equal(graph_builder_edge(&builder, 5, 9, NULL), STATUS_USAGE);
    assert_int_equal(builder.edge_count, 1);
    assert_int_equal(graph_build(&builder, 1, &graph, NULL), STATUS_USAGE); /* 0..4 missing */
    graph_builder_deinit(&builder);
}

static void test_ranges_that_leave_a_gap_are_refused(void **state)
{
    (void)state;
    struct graph_builder builders[2];
    struct graph graph;
    assert_int_equal(graph_builder_init(&builders[0], 10, 0, 4, 0, NULL), STATUS_OK);
    assert_int_equal(graph_builder_init(&builders[1], 10, 5, 10, 0, NULL), STATUS_OK);
    assert_int_equal(graph_build(builders, 2, &graph, NULL), STATUS_USAGE);
    assert_int_equal(graph_build(builders, 1, &graph, NULL), STATUS_USAGE);
    assert_int_equal(graph_build(builders, 0, &graph, NULL), STATUS_USAGE);
    graph_builder_deinit(&builders[0]);
    graph_builder_deinit(&builders[1]);
}

static void test_limits(void **state)
{
    (void)state;
    struct graph_builder builder;
    struct error err = {0};
    assert_int_equal(graph_builder_init(&builder, UINT32_MAX, 0, 1, 0, &err), STATUS_OVER_LIMIT);
    assert_string_equal(err.message, "object graph: 4294967295 objects, at most 4294967291 can "
                                     "be told apart");
    assert_int_equal(graph_builder_init(&builder, UINT64_MAX, 0, 1, 0, NULL), STATUS_OVER_LIMIT);
    assert_int_equal(graph_builder_init(&builder, 10, 0, 11, 0, NULL), STATUS_USAGE);
    assert_int_equal(graph_builder_init(&builder, 10, 6, 5, 0, NULL), STATUS_USAGE);
    assert_int_equal(graph_builder_init(&builder, 10, 0, 10, UINT64_MAX, &err), STATUS_NO_MEMORY);
    /* The largest graph that there may be, seen through a small window. */
    assert_int_equal(graph_builder_init(&builder, GRAPH_MAX_NODES, 9, 12, 0, NULL), STATUS_OK);
    assert_int_equal(graph_builder_edge(&builder, 11, GRAPH_MAX_NODES - 1, NULL), STATUS_OK);
    assert_int_equal(graph_builder_edge(&builder, 11, GRAPH_NONE, NULL), STATUS_USAGE);
    assert_int_equal(graph_builder_edge(&builder, 11, GRAPH_ROOT, NULL), STATUS_USAGE);
    graph_builder_deinit(&builder);
}

static void test_zeroed_results_can_be_freed(void **state)
{
    (void)state;
    struct graph graph = {0};
    struct graph_builder builder = {0};
    struct graph_paths paths = {0};
    struct graph_components components = {0};
    struct graph_dominators dominators = {0};
    graph_deinit(&graph);
    graph_deinit(NULL);
    graph_builder_deinit(&builder);
    graph_builder_deinit(NULL);
    graph_paths_deinit(&paths);
    graph_paths_deinit(NULL);
    graph_components_deinit(&components);
    graph_components_deinit(NULL);
    graph_dominators_deinit(&dominators);
    graph_dominators_deinit(NULL);
}

struct job {
    atomic_uint *runs;
    enum status result;
    const char *message;
};

static enum status run_job(void *context, struct error *err)
{
    struct job *job = context;
    atomic_fetch_add(job->runs, 1);
    return job->result ? error_set(err, job->result, "%s", job->message) : STATUS_OK;
}

static void test_tasks_all_run_and_the_first_failure_counts(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads <= 4; threads++) {
        atomic_uint runs = 0;
        struct job jobs[] = {{&runs, STATUS_OK, NULL},
                             {&runs, STATUS_NO_MEMORY, "second"},
                             {&runs, STATUS_CORRUPT, "third"},
                             {&runs, STATUS_OK, NULL}};
        struct graph_task tasks[GRAPH_MAX_TASKS + 1] = {{0}};
        for (unsigned i = 0; i < 4; i++)
            tasks[i] = (struct graph_task){run_job, &jobs[i]};
        struct error err = {0};
        assert_int_equal(graph_run(tasks, 4, threads, &err), STATUS_NO_MEMORY);
        assert_string_equal(err.message, "second");
        assert_int_equal(runs, 4);
        jobs[1].result = jobs[2].result = STATUS_OK;
        assert_int_equal(graph_run(tasks, 4, threads, &err), STATUS_OK);
        assert_int_equal(runs, 8);
        assert_int_equal(graph_run(tasks, 0, threads, &err), STATUS_OK);
        assert_int_equal(graph_run(tasks, GRAPH_MAX_TASKS + 1, threads, &err), STATUS_USAGE);
        assert_int_equal(runs, 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_as_given),
        cmocka_unit_test(test_joined_builders_give_the_same_rows),
        cmocka_unit_test(test_rows_grow),
        cmocka_unit_test(test_wrong_edges_are_refused),
        cmocka_unit_test(test_ranges_that_leave_a_gap_are_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_zeroed_results_can_be_freed),
        cmocka_unit_test(test_tasks_all_run_and_the_first_failure_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
