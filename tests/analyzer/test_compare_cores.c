/* SPDX-License-Identifier: Apache-2.0 */
/* Two dumps: which objects are the same, what holds the new ones, and one tree of both;
 * indexes that are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/compare/object_match.h"
#include "inquest/analyzer/diff.h"
#include "inquest/analyzer/diff_retained.h"
#include "tests/helpers/random_heap.h"
#include "tests/helpers/small_heap.h"

enum { MODULE, CACHE, KEPT, CHANGED, REUSED, LIST, OBJECTS };

/* A module's dict with a cache; objects stand at the same addresses in both. */
static struct small_heap *scene(int extra)
{
    struct small_heap *heap = calloc(1, sizeof *heap);
    assert_non_null(heap);
    small_heap_add(heap, -1, NULL, "dict", 100);
    small_heap_add(heap, MODULE, "['CACHE']", "list", 200);
    small_heap_add(heap, CACHE, "[0]", "shop.Session", 50);
    small_heap_add(heap, CACHE, "[1]", "shop.Session", 50);
    small_heap_add(heap, CACHE, "[2]", "str", 60);
    small_heap_add(heap, MODULE, "['LIST']", "list", 70);
    for (int i = 0; i < extra; i++)
        small_heap_add(heap, CACHE, "[…]", "shop.Session", 1000);
    small_heap_root(heap, MODULE, "module", "shop");
    return heap;
}

struct pair {
    struct index *indexes[2];
    struct heap_reader *readers[2];
    struct object_match match;
};

static enum status match(struct pair *pair, struct small_heap *old_heap,
                         struct small_heap *new_heap)
{
    struct small_heap *heaps[2] = {old_heap, new_heap};
    struct error err = {0};
    for (size_t i = 0; i < 2; i++) {
        pair->indexes[i] = small_heap_index(heaps[i]);
        assert_int_equal(heap_reader_open(pair->indexes[i], &pair->readers[i], &err), STATUS_OK);
    }
    return object_match_make(pair->indexes[0], pair->indexes[1], pair->readers[0], pair->readers[1],
                             &pair->match, &err);
}

static void pair_deinit(struct pair *pair)
{
    object_match_deinit(&pair->match);
    for (size_t i = 0; i < 2; i++) {
        heap_reader_close(pair->readers[i]);
        index_close(pair->indexes[i]);
    }
}

static void give(struct small_heap *heap, int64_t first, const void *bytes, size_t size)
{
    heap->contents[heap->content_count].first = first;
    heap->contents[heap->content_count].bytes = bytes;
    heap->contents[heap->content_count++].size = size;
}

static void test_identity(void **state)
{
    (void)state;
    static const uint32_t before[OBJECTS] = {11, 12, 13, 14, 15, 16};
    static const uint32_t after[OBJECTS + 2] = {11, 12, 13, 99, 98, 97, 21, 22};
    struct small_heap *old_heap = scene(0), *new_heap = scene(2);
    new_heap->objects[LIST].type = "dict"; /* memory that was used again */
    give(old_heap, 1, before, sizeof before);
    give(new_heap, 1, after, sizeof after);
    struct pair pair;
    assert_int_equal(match(&pair, old_heap, new_heap), STATUS_OK);
    const uint8_t *identity = pair.match.identity;
    assert_int_equal(identity[MODULE], OBJECT_SAME);
    assert_int_equal(identity[KEPT], OBJECT_SAME);
    assert_int_equal(identity[CHANGED], OBJECT_SAME); /* the same holder has it by the same name */
    assert_int_equal(identity[REUSED], OBJECT_NEW);   /* a str never changes */
    assert_int_equal(identity[LIST], OBJECT_NEW);
    assert_int_equal(identity[OBJECTS], OBJECT_NEW);
    assert_int_equal(pair.match.old_of[KEPT], KEPT + 1);
    assert_int_equal(pair.match.old_of[REUSED], 0);
    assert_int_equal(pair.match.same, 4);
    assert_int_equal(pair.match.fresh, 4);
    assert_int_equal(pair.match.gone, 2);
    pair_deinit(&pair);
    /* Held by another name: it can't be told. */
    new_heap->objects[CHANGED].label = "[7]";
    assert_int_equal(match(&pair, old_heap, new_heap), STATUS_OK);
    assert_int_equal(pair.match.identity[CHANGED], OBJECT_UNCERTAIN);
    assert_int_equal(pair.match.uncertain, 1);
    pair_deinit(&pair);
    free(old_heap);
    free(new_heap);
}

/* Rows of contents that are too short, too long, past the end, before the start, none. */
static void test_damaged_contents(void **state)
{
    (void)state;
    static const uint8_t bytes[4096] = {1, 2, 3};
    static const struct {
        int64_t first;
        size_t size;
    } rows[] = {{1, 0},  {1, 3},  {1, 4096}, {6, 4096},         {7, 4096},        {8, 64},
                {0, 64}, {-5, 9}, {6, 5},    {INT64_MAX, 4096}, {INT64_MIN, 4096}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct small_heap *old_heap = scene(0), *new_heap = scene(1);
        struct pair pair;
        give(old_heap, rows[i].first, bytes, rows[i].size);
        give(new_heap, rows[i].first, bytes, rows[i].size);
        assert_int_equal(match(&pair, old_heap, new_heap), STATUS_OK);
        assert_int_equal(pair.match.same + pair.match.uncertain + pair.match.fresh, OBJECTS + 1);
        assert_true(pair.match.gone <= OBJECTS);
        pair_deinit(&pair);
        free(old_heap);
        free(new_heap);
    }
}

/* Heaps whose types, holders and addresses have nothing to do with tables or each other. */
static void test_types_out_of_range(void **state)
{
    (void)state;
    struct index *indexes[2];
    struct heap_reader *readers[2];
    struct error err = {0};
    for (uint64_t side = 0; side < 2; side++) {
        struct random_heap heap;
        struct index_writer *writer;
        random_heap_make(&heap, 7 + side, 500, RANDOM_HEAP_HIGH);
        assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
        assert_int_equal(
            index_writer_heap(writer, &heap.objects, &heap.references, &heap.labels, false, &err),
            STATUS_OK);
        assert_int_equal(index_writer_publish(writer, &indexes[side], &err), STATUS_OK);
        assert_int_equal(heap_reader_open(indexes[side], &readers[side], &err), STATUS_OK);
        random_heap_deinit(&heap);
    }
    struct object_match objects;
    assert_int_equal(
        object_match_make(indexes[0], indexes[1], readers[0], readers[1], &objects, &err),
        STATUS_OK);
    assert_int_equal(objects.fresh, 500); /* no type is known */
    object_match_deinit(&objects);
    struct diff diff;
    assert_int_equal(diff_cores(indexes[0], indexes[1], &diff, &err), STATUS_OK);
    assert_non_null(diff.verdict);
    diff_deinit(&diff);
    struct retained_pair retained;
    const struct retained_options options = {.least = 0.01};
    enum status status = retained_pair_build(indexes[0], indexes[1], &options, &retained, &err);
    if (status == STATUS_OK)
        retained_pair_deinit(&retained);
    for (size_t i = 0; i < 2; i++) {
        heap_reader_close(readers[i]);
        index_close(indexes[i]);
    }
}

static void test_types_by_growth(void **state)
{
    (void)state;
    struct small_heap *old_heap = scene(0), *new_heap = scene(3);
    struct index *indexes[2] = {small_heap_index(old_heap), small_heap_index(new_heap)};
    struct diff diff;
    struct error err = {0};
    assert_int_equal(diff_cores(indexes[0], indexes[1], &diff, &err), STATUS_OK);
    assert_true(diff.old_total == 530 && diff.new_total == 3530);
    const struct diff_row *first = &diff.tables.items[0].rows.items[0];
    assert_string_equal(first->keys[0], "shop.Session");
    assert_true(first->old_values[2] == 2 && first->new_values[2] == 5);
    assert_true(first->old_values[0] == 100 && first->new_values[0] == 3100);
    diff_deinit(&diff);
    index_close(indexes[0]);
    index_close(indexes[1]);
    free(old_heap);
    free(new_heap);
}

static void check_pair(const struct retained_pair *pair)
{
    uint64_t sums[2] = {0};
    double width = 0;
    for (size_t i = 0; i < pair->nodes.count; i++) {
        const struct retained_pair_node *node = &pair->nodes.items[i];
        assert_true(!i || node->parent < i);
        uint64_t own[2] = {0};
        if (node->old_node != RETAINED_NO_NODE)
            own[0] = pair->trees[0].nodes.items[node->old_node].self;
        if (node->new_node != RETAINED_NO_NODE)
            own[1] = pair->trees[1].nodes.items[node->new_node].self;
        assert_true(node->old_node != RETAINED_NO_NODE || node->new_node != RETAINED_NO_NODE);
        sums[0] += own[0];
        sums[1] += own[1];
        width += (double)(own[0] > own[1] ? own[0] : own[1]);
    }
    assert_true(sums[0] == pair->trees[0].nodes.items[0].value);
    assert_true(sums[1] == pair->trees[1].nodes.items[0].value);
    assert_true(width == pair->nodes.items[0].width);
}

static void test_retained(void **state)
{
    (void)state;
    struct small_heap *old_heap = calloc(1, sizeof *old_heap), *new_heap = scene(4);
    assert_non_null(old_heap);
    small_heap_shop(old_heap);
    struct small_heap *heaps[2][2] = {{old_heap, new_heap}, {new_heap, new_heap}};
    for (size_t i = 0; i < 2; i++) {
        struct index *indexes[2] = {small_heap_index(heaps[i][0]), small_heap_index(heaps[i][1])};
        struct retained_pair pair;
        struct error err = {0};
        const struct retained_options options = {.least = 0.001};
        assert_int_equal(retained_pair_build(indexes[0], indexes[1], &options, &pair, &err),
                         STATUS_OK);
        check_pair(&pair);
        if (i == 1)
            for (size_t j = 0; j < pair.nodes.count; j++)
                assert_int_equal(pair.nodes.items[j].old_node, pair.nodes.items[j].new_node);
        retained_pair_deinit(&pair);
        index_close(indexes[0]);
        index_close(indexes[1]);
    }
    free(old_heap);
    free(new_heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),           cmocka_unit_test(test_damaged_contents),
        cmocka_unit_test(test_types_out_of_range), cmocka_unit_test(test_types_by_growth),
        cmocka_unit_test(test_retained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
