/* SPDX-License-Identifier: Apache-2.0 */
/* The retained tree and the census: every byte is in one node, alike siblings are one,
 * and names are those that Python would write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/heap_census.h"
#include "inquest/analyzer/retained_tree.h"
#include "tests/helpers/random_heap.h"
#include "tests/helpers/small_heap.h"

static struct retained_tree build(struct index *index, double least)
{
    struct retained_tree tree;
    struct error err = {0};
    const struct retained_options options = {.least = least};
    if (retained_tree_build(index, &options, &tree, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return tree;
}

static const struct retained_node *node_at(const struct retained_tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->nodes.count; i++)
        if (strcmp(tree->nodes.items[i].path, path) == 0)
            return &tree->nodes.items[i];
    fail_msg("there is no node %s", path);
    return NULL;
}

static const struct retained_node *roots_of(const struct retained_tree *tree, const char *kind)
{
    for (size_t i = 0; i < tree->nodes.count; i++)
        if (tree->nodes.items[i].kind == RETAINED_ROOTS &&
            strcmp(tree->nodes.items[i].label, kind) == 0)
            return &tree->nodes.items[i];
    fail_msg("there are no roots of kind %s", kind);
    return NULL;
}

/* What a node has by itself and what its children have is what it has. */
static void check_sums(const struct retained_tree *tree)
{
    uint64_t *below = calloc(tree->nodes.count, sizeof *below);
    assert_non_null(below);
    for (size_t i = 1; i < tree->nodes.count; i++) {
        assert_true(tree->nodes.items[i].parent < i);
        below[tree->nodes.items[i].parent] += tree->nodes.items[i].value;
    }
    for (size_t i = 0; i < tree->nodes.count; i++) {
        const struct retained_node *node = &tree->nodes.items[i];
        assert_true(node->value == node->self + below[i]);
    }
    free(below);
}

static uint64_t total_of(const struct small_heap *heap)
{
    uint64_t total = 0;
    for (int i = 0; i < heap->count; i++)
        total += heap->objects[i].size;
    return total;
}

static void test_shop(void **state)
{
    (void)state;
    struct small_heap *heap = calloc(1, sizeof *heap);
    assert_non_null(heap);
    small_heap_shop(heap);
    struct index *index = small_heap_index(heap);
    struct retained_tree tree = build(index, 0.02);
    check_sums(&tree);
    assert_int_equal(tree.nodes.items[0].value, total_of(heap));
    assert_int_equal(tree.nodes.items[0].count, heap->count);
    assert_int_equal(roots_of(&tree, "shared")->value, 90);
    assert_int_equal(roots_of(&tree, "unreachable")->value, 88 + 56);
    const struct retained_node *module = node_at(&tree, "shop.cache");
    assert_int_equal(module->kind, RETAINED_OBJECT);
    assert_int_equal(module->address, small_heap_address(0));
    assert_int_equal(module->value, small_heap_retained(heap, 0));
    assert_string_equal(module->module, "shop.cache");
    const struct retained_node *sessions = node_at(&tree, "shop.cache.SESSIONS");
    assert_string_equal(sessions->label, ".SESSIONS");
    assert_int_equal(sessions->self, 1000);
    /* an instance and its __dict__ are one */
    const struct retained_node *each = node_at(&tree, "shop.cache.SESSIONS[…]");
    assert_int_equal(each->kind, RETAINED_GROUP);
    assert_int_equal(each->count, 6);
    assert_int_equal(each->self, 6 * (50 + 100));
    assert_string_equal(each->type, "shop.models.Session");
    assert_string_equal(each->module, "shop.models");
    const struct retained_node *baskets = node_at(&tree, "shop.cache.SESSIONS[…].basket");
    assert_int_equal(baskets->count, 6);
    assert_int_equal(baskets->self, 6 * 80);
    assert_string_equal(baskets->module, "shop.models"); /* builtins belong to who has them */
    assert_int_equal(node_at(&tree, "shop.cache.SESSIONS[…].basket[…]")->count, 12);
    assert_int_equal(node_at(&tree, "shop.cache.SESSIONS[…].user")->value, 6 * 60);
    /* a chain is one */
    const struct retained_node *chain = node_at(&tree, "shop.cache.HEAD.next");
    assert_int_equal(chain->count, 9);
    assert_int_equal(chain->self, 9 * 48);
    retained_tree_deinit(&tree);
    index_close(index);
    free(heap);
}

static void test_smaller(void **state)
{
    (void)state;
    struct small_heap *heap = calloc(1, sizeof *heap);
    assert_non_null(heap);
    small_heap_shop(heap);
    struct index *index = small_heap_index(heap);
    struct retained_tree tree = build(index, 0.3);
    check_sums(&tree);
    for (size_t i = 1; i < tree.nodes.count; i++) {
        const struct retained_node *node = &tree.nodes.items[i];
        if (node->kind == RETAINED_OBJECT || node->kind == RETAINED_GROUP)
            assert_true((double)node->value >= 0.3 * (double)tree.nodes.items[0].value);
        if (strcmp(tree.nodes.items[node->parent].path, "shop.cache") == 0 &&
            node->kind == RETAINED_SMALLER)
            assert_int_equal(node->count, 2); /* HEAD and BLOB */
    }
    assert_int_equal(node_at(&tree, "shop.cache.SESSIONS[…]")->count, 6);
    retained_tree_deinit(&tree);
    index_close(index);
    free(heap);
}

/* Most is at the top, and told: each object is there by its root and by its type. */
static void test_flat(void **state)
{
    (void)state;
    struct small_heap *heap = calloc(1, sizeof *heap);
    assert_non_null(heap);
    for (int i = 0; i < SMALL_HEAP_MOST; i++)
        small_heap_add(heap, -1, NULL, "bytes", 1000);
    struct index *index = small_heap_index(heap);
    struct retained_tree tree = build(index, 0.01);
    check_sums(&tree);
    assert_int_equal(tree.nodes.items[0].value, total_of(heap));
    assert_int_equal(roots_of(&tree, "shared")->count, SMALL_HEAP_MOST);
    assert_int_equal(tree.nodes.items[tree.nodes.count - 1].kind, RETAINED_GROUP);
    assert_int_equal(tree.nodes.items[tree.nodes.count - 1].count, SMALL_HEAP_MOST);
    retained_tree_deinit(&tree);
    index_close(index);
    free(heap);
}

/* Deeper than any picture: what is cut is one node, and still counted. */
static void test_deep(void **state)
{
    (void)state;
    struct small_heap *heap = calloc(1, sizeof *heap);
    assert_non_null(heap);
    int last = -1;
    for (int i = 0; i < 3000; i++)
        last = small_heap_add(heap, last, "[0]", "list", 16);
    small_heap_root(heap, 0, "module", "deep");
    struct index *index = small_heap_index(heap);
    struct retained_tree tree = build(index, 0.0001);
    check_sums(&tree);
    assert_in_range(tree.nodes.count, 10, 100);
    const struct retained_node *end = &tree.nodes.items[tree.nodes.count - 1];
    assert_int_equal(end->kind, RETAINED_SMALLER);
    assert_true(end->value > 2900 * 16);
    retained_tree_deinit(&tree);
    index_close(index);
    free(heap);
}

/* Dominators that form cycles, sizes that contradict each other: an answer all the
 * same, and the same one each time. */
static void test_nonsense(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct random_heap heap;
        struct index_writer *writer;
        struct index *index;
        struct error err = {0};
        random_heap_make(&heap, seed, 3000, RANDOM_HEAP_LONG_ROWS);
        assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
        assert_int_equal(
            index_writer_heap(writer, &heap.objects, &heap.references, &heap.labels, false, &err),
            STATUS_OK);
        assert_int_equal(index_writer_publish(writer, &index, &err), STATUS_OK);
        struct retained_tree first = build(index, 0.001), second = build(index, 0.001);
        assert_int_equal(first.nodes.count, second.nodes.count);
        for (size_t i = 0; i < first.nodes.count; i++) {
            const struct retained_node *a = &first.nodes.items[i], *b = &second.nodes.items[i];
            assert_true(a->value == b->value && a->self == b->self && a->parent == b->parent);
            assert_true(i == 0 || a->parent < i);
            assert_string_equal(a->path, b->path);
        }
        retained_tree_deinit(&first);
        retained_tree_deinit(&second);
        index_close(index);
        random_heap_deinit(&heap);
    }
}

static void test_no_heap(void **state)
{
    (void)state;
    struct index_writer *writer;
    struct index *index;
    struct retained_tree tree;
    struct error err = {0};
    const struct retained_options options = {0};
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    assert_int_equal(index_writer_publish(writer, &index, &err), STATUS_OK);
    assert_int_equal(retained_tree_build(index, &options, &tree, &err), STATUS_NOT_IN_DUMP);
    index_close(index);
    struct small_heap *empty = calloc(1, sizeof *empty);
    assert_non_null(empty);
    index = small_heap_index(empty);
    tree = build(index, 0);
    assert_int_equal(tree.nodes.count, 1);
    assert_int_equal(tree.nodes.items[0].value, 0);
    retained_tree_deinit(&tree);
    index_close(index);
    free(empty);
}

static void test_census(void **state)
{
    (void)state;
    struct small_heap *heap = calloc(1, sizeof *heap);
    struct heap_census census;
    struct heap_reader *reader;
    struct error err = {0};
    assert_non_null(heap);
    small_heap_shop(heap);
    struct index *index = small_heap_index(heap);
    assert_int_equal(heap_reader_open(index, &reader, &err), STATUS_OK);
    assert_int_equal(heap_census_take(index, reader, &census, &err), STATUS_OK);
    assert_int_equal(census.all.count, heap->count);
    assert_int_equal(census.all.bytes, total_of(heap));
    assert_int_equal(census.reachable.count, heap->count - 2);
    assert_int_equal(census.reachable.bytes, total_of(heap) - 88 - 56);
    assert_int_equal(census.tracked.count, heap->count - 6 * 3 - 1);
    /* 16 to 31: two items of six baskets; 512 to 1023: SESSIONS and BLOB */
    assert_int_equal(census.classes[5].count, 12);
    assert_int_equal(census.classes[5].bytes, 12 * 20);
    assert_int_equal(census.classes[10].count, 2);
    heap_reader_close(reader);
    index_close(index);
    free(heap);
}

/* Bytes that two sizes have are counted once, and no lie takes off what is not there. */
static void test_census_of_shared_sizes(void **state)
{
    (void)state;
    struct small_heap *heap = calloc(1, sizeof *heap);
    struct heap_census census;
    struct heap_reader *reader;
    struct error err = {0};
    assert_non_null(heap);
    small_heap_shop(heap);
    heap->shared_sizes[0].object = 1;
    heap->shared_sizes[0].bytes = 30;
    heap->shared_size_count = 1;
    struct index *index = small_heap_index(heap);
    assert_int_equal(heap_reader_open(index, &reader, &err), STATUS_OK);
    assert_int_equal(heap_census_take(index, reader, &census, &err), STATUS_OK);
    assert_int_equal(census.all.count, heap->count);
    assert_int_equal(census.all.bytes, total_of(heap) - 30);
    assert_int_equal(census.reachable.bytes, total_of(heap) - 88 - 56 - 30);
    uint64_t bytes = 0;
    for (int class = 0; class < HEAP_SIZE_CLASSES; class ++)
        bytes += census.classes[class].bytes;
    assert_int_equal(bytes, census.all.bytes);
    heap_reader_close(reader);
    index_close(index);
    heap->shared_sizes[0].bytes = UINT32_MAX;
    index = small_heap_index(heap);
    assert_int_equal(heap_reader_open(index, &reader, &err), STATUS_OK);
    assert_int_equal(heap_census_take(index, reader, &census, &err), STATUS_OK);
    assert_int_equal(census.all.bytes, 0);
    heap_reader_close(reader);
    index_close(index);
    heap->shared_sizes[0].object = heap->count;
    index = small_heap_index(heap);
    assert_int_equal(heap_reader_open(index, &reader, &err), STATUS_OK);
    assert_int_not_equal(heap_census_take(index, reader, &census, &err), STATUS_OK);
    heap_reader_close(reader);
    index_close(index);
    free(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shop),     cmocka_unit_test(test_smaller),
        cmocka_unit_test(test_flat),     cmocka_unit_test(test_deep),
        cmocka_unit_test(test_nonsense), cmocka_unit_test(test_no_heap),
        cmocka_unit_test(test_census),   cmocka_unit_test(test_census_of_shared_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
