/* SPDX-License-Identifier: Apache-2.0 */
/* What could be gained, over objects made by hand in the layout of each version. */
#include "analyzer/findings/waste.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/objects/redaction.h"
#include "inquest/base/bytes_reader.h"
#include "tests/analyzer/findings_fixture.h"

#define ROWS(where)                                                                                \
    "SELECT group_concat(count || ':' || bytes) FROM (SELECT count, bytes FROM waste WHERE " where \
    " ORDER BY bytes DESC, title)"

static uint64_t str(struct objects *objects, const char *ascii)
{
    return findings_counted(objects, objects_str(objects, ascii), 1);
}

static uint64_t wide_str(struct objects *objects, unsigned kind, const uint32_t *points)
{
    return findings_counted(objects, objects_wide_str(objects, kind, points, 2), 1);
}

static uint64_t number(struct objects *objects, int64_t value)
{
    return findings_counted(objects, objects_int(objects, value), 1);
}

static uint64_t dict(struct objects *objects, const char *const *names, const uint64_t *values)
{
    return findings_counted(objects, fake_python_dict(&objects->python, names, values), 1);
}

static uint64_t list_with_room(struct objects *objects, const uint64_t *items, size_t count,
                               uint64_t room)
{
    uint64_t list = objects_list(objects, items, count);
    fake_python_set(&objects->python, list, PY_list_allocated, room);
    return list;
}

static uint64_t size_of(struct findings_scene *scene, uint64_t addr)
{
    uint32_t object = HEAP_NO_OBJECT;
    assert_true(heap_map_id(scene->heap.find.objects, addr, &object));
    return heap_size(&scene->heap, object);
}

static void assert_rows(struct findings_scene *scene, const char *sql, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void assert_rows(struct findings_scene *scene, const char *sql, const char *format, ...)
{
    char expected[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    assert_string_equal(findings_answer(scene, sql), expected);
}

/* Three equal strings, two equal wide ones; one of another kind, one alone. */
static void equal_strings(struct objects *objects)
{
    struct findings_scene scene;
    const uint32_t wide[] = {0x444, 0x456}, other[] = {0x444, 0x457};
    const uint64_t items[] = {
        str(objects, "shipped"),
        str(objects, "shipped"),
        str(objects, "shipper"),
        wide_str(objects, 2, wide),
        str(objects, "shipped"),
        wide_str(objects, 2, wide),
        wide_str(objects, 2, other),
        wide_str(objects, 4, wide),
        objects_bytes(objects, "shipped", 7),
        objects_bytes(objects, "shipped", 7),
        objects_bytes(objects, "shippe\0", 7),
    };
    uint64_t root = list_with_room(objects, items, 11, 11);
    findings_scene_run(&scene, objects, root, NULL, 0, waste_write);
    uint64_t narrow = size_of(&scene, items[0]), both = size_of(&scene, items[3]);
    assert_rows(&scene, ROWS("kind = 'duplicate string'"),
                narrow * 2 >= both ? "3:%llu,2:%llu" : "x", (unsigned long long)(2 * narrow),
                (unsigned long long)both);
    assert_rows(&scene, ROWS("kind = 'duplicate bytes'"), "2:%llu",
                (unsigned long long)size_of(&scene, items[8]));
    assert_rows(&scene, "SELECT title FROM waste WHERE kind = 'duplicate bytes'", "b'shipped'");
    assert_rows(&scene, "SELECT held_by FROM waste WHERE kind = 'duplicate string'", "shop[…]");
    findings_scene_close(&scene);
}

/* Equal numbers and strings are as good as the same one; 1 and 1.0 are not equal. */
static void equal_tuples(struct objects *objects)
{
    struct findings_scene scene;
    uint64_t list = list_with_room(objects, NULL, 0, 0), tuples[9], items[2];
    for (size_t i = 0; i < 2; i++) {
        items[0] = objects_float(objects, 1.5);
        items[1] = str(objects, "position");
        tuples[i] = objects_tuple(objects, items, 2);
        items[0] = list;
        tuples[2 + i] = objects_tuple(objects, items, 1);
        items[0] = tuples[i];
        items[1] = number(objects, 12345);
        tuples[4 + i] = objects_tuple(objects, items, 2);
    }
    items[0] = number(objects, 1);
    tuples[6] = objects_tuple(objects, items, 1);
    items[0] = objects_float(objects, 1.0);
    tuples[7] = objects_tuple(objects, items, 1);
    items[0] = list_with_room(objects, NULL, 0, 0);
    tuples[8] = objects_tuple(objects, items, 1);
    uint64_t root = list_with_room(objects, tuples, 9, 9);
    findings_scene_run(&scene, objects, root, NULL, 0, waste_write);
    unsigned long long pair = size_of(&scene, tuples[0]), one = size_of(&scene, tuples[2]);
    assert_rows(&scene, ROWS("kind = 'duplicate tuple'"), "2:%llu,2:%llu,2:%llu", pair, pair, one);
    findings_scene_close(&scene);
}

/* Nothing of what no root leads to is counted. */
static void garbage_is_left_out(struct objects *objects)
{
    struct findings_scene scene;
    const uint64_t alive = str(objects, "equal"), dead[] = {str(objects, "equal"), 0};
    uint64_t root = list_with_room(objects, &alive, 1, 1),
             garbage = list_with_room(objects, dead, 2, 8), items;
    items = load_u64(objects->python.bytes + (garbage - FAKE_PYTHON_BASE) +
                     objects_field(objects, PY_list_items));
    fake_python_put(&objects->python, items + 8, garbage); /* it holds itself, and is full */
    findings_scene_run(&scene, objects, root, &garbage, 1, waste_write);
    assert_int_not_equal(size_of(&scene, garbage), 0);
    assert_rows(&scene, "SELECT count(*) FROM waste", "0");
    findings_scene_close(&scene);
}

static void empty_and_roomy(struct objects *objects)
{
    struct findings_scene scene;
    const char *const names[] = {"size", NULL};
    const uint64_t seven = number(objects, 7);
    const uint64_t items[] = {
        list_with_room(objects, NULL, 0, 0),   list_with_room(objects, &seven, 1, 4),
        list_with_room(objects, &seven, 1, 1), list_with_room(objects, NULL, 0, 0),
        dict(objects, names + 1, NULL),        dict(objects, names, &seven),
        list_with_room(objects, &seven, 1, 3),
    };
    uint64_t root = list_with_room(objects, items, 7, 7);
    findings_scene_run(&scene, objects, root, NULL, 0, waste_write);
    assert_rows(&scene, ROWS("kind = 'empty list'"), "2:%llu",
                (unsigned long long)(2 * size_of(&scene, items[0])));
    assert_rows(&scene, ROWS("kind = 'over-allocated list'"), "2:40");
    assert_rows(&scene, ROWS("kind = 'empty dict' AND title = 'shop[…]'"), "1:%llu",
                (unsigned long long)size_of(&scene, items[4]));
    findings_scene_close(&scene);
}

/* What only the list holds, each once: not the first, which another holds too. */
static void boxed_numbers(struct objects *objects)
{
    struct findings_scene scene;
    uint64_t numbers[1200];
    uint64_t shared = objects_float(objects, -1);
    for (size_t i = 0; i < 1200; i++)
        numbers[i] = objects_float(objects, (double)i);
    numbers[0] = shared;
    numbers[5] = numbers[6];
    const uint64_t lists[] = {list_with_room(objects, numbers, 1200, 1200), shared};
    uint64_t root = list_with_room(objects, lists, 2, 2);
    findings_scene_run(&scene, objects, root, NULL, 0, waste_write);
    assert_rows(&scene, ROWS("kind = 'boxed numbers'"), "1198:%llu",
                (unsigned long long)(1198 * size_of(&scene, shared)));
    findings_scene_close(&scene);
}

static void mixed_lists_are_not_boxed(struct objects *objects)
{
    struct findings_scene scene;
    uint64_t items[1200];
    for (size_t i = 0; i < 1200; i++)
        items[i] = i == 600 ? str(objects, "x") : objects_float(objects, (double)i);
    uint64_t root = list_with_room(objects, items, 1200, 1200);
    findings_scene_run(&scene, objects, root, NULL, 0, waste_write);
    assert_rows(&scene, "SELECT count(*) FROM waste WHERE kind = 'boxed numbers'", "0");
    findings_scene_close(&scene);
}

/* Values don't show, and are told apart all the same. */
static void redacted(struct objects *objects)
{
    struct findings_scene scene;
    const uint64_t items[] = {
        str(objects, "secret one"),
        str(objects, "secret one"),
        str(objects, "secret two"),
        str(objects, "secret two"),
    };
    uint64_t root = list_with_room(objects, items, 4, 4);
    objects->process.redaction = redaction_create();
    findings_scene_run(&scene, objects, root, NULL, 0, waste_write);
    assert_rows(&scene, "SELECT count(*) FROM waste WHERE kind = 'duplicate string' AND count = 2",
                "2");
    assert_rows(&scene, "SELECT count(*) FROM waste WHERE title LIKE '%secret%'", "0");
    findings_scene_close(&scene);
}

#define EACH(name)                                                                                 \
    static void each_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH(equal_strings)
EACH(equal_tuples)
EACH(garbage_is_left_out)
EACH(empty_and_roomy)
EACH(boxed_numbers)
EACH(mixed_lists_are_not_boxed)
EACH(redacted)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_equal_strings),
        cmocka_unit_test(each_equal_tuples),
        cmocka_unit_test(each_garbage_is_left_out),
        cmocka_unit_test(each_empty_and_roomy),
        cmocka_unit_test(each_boxed_numbers),
        cmocka_unit_test(each_mixed_lists_are_not_boxed),
        cmocka_unit_test(each_redacted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
