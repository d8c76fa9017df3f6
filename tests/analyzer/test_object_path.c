/* SPDX-License-Identifier: Apache-2.0 */
/* From objects to paths and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/object_path.h"
#include "tests/helpers/small_heap.h"

struct fixture {
    struct small_heap heap;
    struct index *index;
    struct heap_reader *reader;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error err = {0};
    assert_non_null(fixture);
    small_heap_shop(&fixture->heap);
    small_heap_root(&fixture->heap, 3, "frame", "<thread 'w.x'>.f.self");
    small_heap_root(&fixture->heap, 4, "interned", "interned strings");
    fixture->index = small_heap_index(&fixture->heap);
    assert_int_equal(heap_reader_open(fixture->index, &fixture->reader, &err), STATUS_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    heap_reader_close(fixture->reader);
    index_close(fixture->index);
    free(fixture);
    return 0;
}

static void check_path(struct fixture *fixture, int object, const char *expected)
{
    struct text path;
    struct error err = {0};
    text_init(&path);
    assert_int_equal(
        object_path_find(fixture->index, fixture->reader, (uint32_t)object + 1, &path, &err),
        STATUS_OK);
    assert_string_equal(text_string(&path), expected);
    text_deinit(&path);
}

static void check_object(struct fixture *fixture, const char *path, int expected)
{
    uint32_t id = 0, count = 0;
    struct error err = {0};
    if (object_path_resolve(fixture->index, fixture->reader, path, &id, &count, &err) != STATUS_OK)
        fail_msg("%s: %s", path, err.message);
    assert_int_equal(id, expected + 1);
    assert_int_equal(count, 1);
}

static void check_none(struct fixture *fixture, const char *path, const char *message)
{
    uint32_t id, count;
    struct error err = {0};
    assert_int_equal(object_path_resolve(fixture->index, fixture->reader, path, &id, &count, &err),
                     STATUS_NOT_IN_DUMP);
    assert_string_equal(err.message, message);
}

static void test_paths(void **state)
{
    struct fixture *fixture = *state;
    check_path(fixture, 0, "shop.cache.__dict__");
    check_object(fixture, "shop.cache", 0);
    check_path(fixture, 1, "shop.cache.SESSIONS");
    check_path(fixture, 8, "shop.cache.SESSIONS['u1']");
    check_path(fixture, 10, "shop.cache.SESSIONS['u1'].basket");
    check_path(fixture, 12, "shop.cache.SESSIONS['u1'].basket[1]");
    check_path(fixture, 32, "shop.cache.SESSIONS['it\\'s [5].x']");
    /* a frame is nearer than the module */
    check_path(fixture, 7, "<thread 'w.x'>.f.self['user']");
    /* of two ways of one length the better root's; weak references lead nowhere */
    check_path(fixture, fixture->heap.count - 3, "shop.cache.NAME");
    check_path(fixture, 40, "shop.cache.HEAD.next.next");
    check_path(fixture, fixture->heap.count - 1, ""); /* garbage */
}

/* Of ways of one length: the root of the better kind, wherever its row is; then the first
 * reference of each step, whatever the numbers of the objects. */
static void test_ties(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error err = {0};
    assert_non_null(fixture);
    struct small_heap *heap = &fixture->heap;
    int module = small_heap_add(heap, -1, NULL, "dict", 64);
    int far = small_heap_add(heap, module, "['far']", "list", 64);
    int low = small_heap_add(heap, module, "['low']", "list", 64);
    int high = small_heap_add(heap, far, "[0]", "list", 64);
    int tie = small_heap_add(heap, low, "[7]", "str", 50);
    small_heap_refer(heap, module, "['high']", high); /* before the others of its */
    small_heap_refer(heap, high, "[8]", tie);
    int word = small_heap_add(heap, -1, NULL, "list", 64);
    int both = small_heap_add(heap, word, "[0]", "str", 50);
    small_heap_refer(heap, module, "['both']", both);
    small_heap_root(heap, word, "static", "libc");
    small_heap_root(heap, module, "module", "shop");
    fixture->index = small_heap_index(heap);
    assert_int_equal(heap_reader_open(fixture->index, &fixture->reader, &err), STATUS_OK);
    check_path(fixture, tie, "shop.high[8]");
    check_path(fixture, both, "shop.both");
    void *end = fixture;
    tear_down(&end);
}

static void test_and_back(void **state)
{
    struct fixture *fixture = *state;
    for (int object = 0; object < fixture->heap.count - 2; object++) {
        struct text path;
        struct error err = {0};
        text_init(&path);
        assert_int_equal(
            object_path_find(fixture->index, fixture->reader, (uint32_t)object + 1, &path, &err),
            STATUS_OK);
        check_object(fixture, text_string(&path), object);
        text_deinit(&path);
    }
}

static void test_other_spellings(void **state)
{
    struct fixture *fixture = *state;
    check_object(fixture, "shop.cache.SESSIONS[\"u1\"].basket[0]", 11);
    check_object(fixture, "shop.cache['SESSIONS']['u1'].__dict__['basket']", 10);
    check_object(fixture, "shop.cache.SESSIONS['u1'].__dict__", 9);
    check_object(fixture, "<thread 'w.x'>.f.self['basket']", 4);
    check_object(fixture, "<interned strings>", 4);
}

static void test_nothing_there(void **state)
{
    struct fixture *fixture = *state;
    check_none(fixture, "shop.cache.SESSIONS['u9'].basket",
               "'shop.cache.SESSIONS' holds no '['u9'].basket'");
    check_none(fixture, "shop.cache.SESSIONS_", "'shop.cache' holds no '.SESSIONS_'");
    check_none(fixture, "shopping",
               "no module, type, thread or frame that 'shopping' could begin "
               "with");
    check_none(fixture, "", "no module, type, thread or frame that '' could begin with");
    check_none(fixture, "shop.cache.", "'shop.cache' holds no '.'");
    check_none(fixture, "shop.cache.HEAD.next.next.next.next.next.next.next.next.next.next",
               "'shop.cache.HEAD.next.next.next.next.next.next.next.next.next' holds no '.next'");
    check_none(fixture, "….next.next",
               "a path that begins with … was cut there and leads nowhere: ask for the object by "
               "its address");
}

/* All keys of a dict have one path, as have two classes of one name: that is said. */
static void test_several_of_one_path(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error err = {0};
    uint32_t id, count;
    assert_non_null(fixture);
    struct small_heap *heap = &fixture->heap;
    int module = small_heap_add(heap, -1, NULL, "dict", 64);
    int keys[3];
    for (int i = 0; i < 3; i++)
        keys[i] = small_heap_add(heap, module, "key", "str", 50);
    int old = small_heap_add(heap, -1, NULL, "type", 400);
    int late = small_heap_add(heap, -1, NULL, "type", 400);
    small_heap_root(heap, module, "module", "shop");
    small_heap_root(heap, old, "type", "shop.Order");
    small_heap_root(heap, late, "type", "shop.Order");
    fixture->index = small_heap_index(heap);
    assert_int_equal(heap_reader_open(fixture->index, &fixture->reader, &err), STATUS_OK);
    assert_int_equal(object_path_resolve(fixture->index, fixture->reader, "shop.__dict__.<key>",
                                         &id, &count, &err),
                     STATUS_OK);
    assert_in_range(id, keys[0] + 1, keys[2] + 1);
    assert_int_equal(count, 3);
    assert_int_equal(
        object_path_resolve(fixture->index, fixture->reader, "shop.Order", &id, &count, &err),
        STATUS_OK);
    assert_int_equal(id, old + 1);
    assert_int_equal(count, 2);
    void *end = fixture;
    tear_down(&end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_paths, set_up, tear_down),
        cmocka_unit_test(test_ties),
        cmocka_unit_test_setup_teardown(test_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_spellings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_there, set_up, tear_down),
        cmocka_unit_test(test_several_of_one_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
