/* SPDX-License-Identifier: Apache-2.0 */
/* Cycles of lists and tuples made by hand, in the layout of each version. */
#include "analyzer/findings/cycles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inquest/base/bytes_reader.h"
#include "tests/analyzer/findings_fixture.h"

#define MOST 256
#define ROWS                                                                                       \
    "SELECT group_concat(shape || ' ' || kind || ' ' || copies || ' ' || members, '; ') FROM"      \
    " (SELECT * FROM cycle ORDER BY id)"

struct lists {
    struct objects *objects;
    uint64_t of[MOST];
};

/* Lists of `room` items, all 0 at first, which is no object; counted `count` times. */
static void make_lists(struct lists *lists, struct objects *objects, size_t size, size_t room,
                       uint64_t count)
{
    const uint64_t nothing[8] = {0};
    lists->objects = objects;
    for (size_t i = 0; i < size; i++)
        lists->of[i] = findings_counted(objects, objects_list(objects, nothing, room), count);
}

static void put_item(const struct lists *lists, size_t list, size_t item, uint64_t addr)
{
    const uint8_t *bytes = lists->objects->python.bytes + (lists->of[list] - FAKE_PYTHON_BASE);
    uint64_t items = load_u64(bytes + objects_field(lists->objects, PY_list_items));
    fake_python_put(&lists->objects->python, items + 8 * item, addr);
}

static void refer(const struct lists *lists, size_t source, size_t item, size_t target)
{
    put_item(lists, source, item, lists->of[target]);
}

static uint64_t empty_root(struct objects *objects)
{
    return findings_counted(objects, objects_list(objects, NULL, 0), 1);
}

/* One shape is one row, whatever its copies' order in memory; a list of itself is
 * another, and so is one with a tuple. */
static void copies_of_one_shape(struct objects *objects)
{
    struct findings_scene scene;
    struct lists lists;
    make_lists(&lists, objects, 8, 1, 1);
    refer(&lists, 0, 0, 1);
    refer(&lists, 1, 0, 0);
    refer(&lists, 2, 0, 4);
    refer(&lists, 4, 0, 2);
    refer(&lists, 3, 0, 3);
    const uint64_t held = lists.of[5], pair[] = {lists.of[6], lists.of[7]};
    uint64_t tuple = objects_tuple(objects, &held, 1);
    put_item(&lists, 5, 0, tuple);
    refer(&lists, 6, 0, 7);
    refer(&lists, 7, 0, 6);
    uint64_t root = findings_counted(objects, objects_list(objects, pair, 2), 1);
    findings_counted(objects, lists.of[6], 2);
    findings_counted(objects, lists.of[7], 2);
    findings_scene_run(&scene, objects, root, lists.of, 6, cycles_write);
    assert_string_equal(findings_answer(&scene, "SELECT group_concat(shape || copies || kind, ';') "
                                                "FROM (SELECT * FROM cycle ORDER BY shape, kind)"),
                        "list[…] -> list[…] -> …1data;list[…] -> list[…] -> …2garbage;"
                        "list[…] -> tuple[…] -> …1garbage;list[…] -> …1garbage");
    assert_string_equal(findings_answer(&scene, "SELECT sum(copies) || ' ' || sum(members) || ' ' "
                                                "|| sum(is_garbage) FROM cycle"),
                        "5 9 3");
    assert_string_equal(findings_answer(&scene, "SELECT count(*) || ' ' || max(copy) FROM"
                                                " cycle_member"),
                        "9 2");
    assert_string_equal(findings_answer(&scene, "SELECT c.bytes - 4 * o.bytes FROM cycle c, cycle o"
                                                " WHERE c.copies = 2 AND o.members = 1"),
                        "0");
    findings_scene_close(&scene);
}

/* Eight lists, each of which refers to the next and to one `step` further on: colours
 * tell no list from another. */
static void circulant(const struct lists *lists, size_t first, size_t step, const size_t *order)
{
    for (size_t i = 0; i < 8; i++) {
        refer(lists, first + order[i], 0, first + order[(i + 1) % 8]);
        refer(lists, first + order[i], 1, first + order[(i + step) % 8]);
    }
}

static void what_colours_do_not_tell(struct objects *objects)
{
    static const size_t plain[] = {0, 1, 2, 3, 4, 5, 6, 7}, other[] = {3, 0, 7, 5, 1, 6, 2, 4};
    struct findings_scene scene;
    struct lists lists;
    make_lists(&lists, objects, 32, 2, 2);
    circulant(&lists, 0, 2, plain);
    circulant(&lists, 8, 3, plain);
    circulant(&lists, 16, 2, other);
    circulant(&lists, 24, 3, other);
    findings_scene_run(&scene, objects, empty_root(objects), lists.of, 32, cycles_write);
    assert_string_equal(findings_answer(&scene, "SELECT group_concat(copies || ':' || members) FROM"
                                                " cycle"),
                        "2:16,2:16");
    assert_string_equal(findings_answer(&scene, "SELECT count(*) FROM cycle_member WHERE cycle_id ="
                                                " 1"),
                        "16");
    findings_scene_close(&scene);
}

/* Past what is compared exactly, the types and fields make the shape. */
static void large_rings(struct objects *objects)
{
    struct findings_scene scene;
    struct lists lists;
    make_lists(&lists, objects, 170, 1, 1);
    for (size_t i = 0; i < 70; i++)
        refer(&lists, i, 0, (i + 1) % 70);
    for (size_t i = 70; i < 170; i++)
        refer(&lists, i, 0, i == 169 ? 70 : i + 1);
    findings_scene_run(&scene, objects, empty_root(objects), lists.of, 170, cycles_write);
    assert_string_equal(findings_answer(&scene, ROWS), "list[…] -> … garbage 2 170");
    assert_string_equal(findings_answer(&scene, "SELECT count(*) || ' ' || min(label) FROM"
                                                " cycle_edge"),
                        "5 [0]"); /* of a ring too long to draw, the beginning */
    findings_scene_close(&scene);
}

/* Edges of a drawing are those of copy 1. */
static void drawn(struct objects *objects)
{
    struct findings_scene scene;
    struct lists lists;
    make_lists(&lists, objects, 3, 2, 1);
    refer(&lists, 0, 0, 1);
    refer(&lists, 1, 0, 2);
    refer(&lists, 2, 0, 0);
    refer(&lists, 1, 1, 0);
    findings_counted(objects, lists.of[0], 2);
    findings_scene_run(&scene, objects, empty_root(objects), lists.of, 3, cycles_write);
    assert_string_equal(findings_answer(&scene, "SELECT group_concat(label) FROM (SELECT * FROM "
                                                "cycle_edge ORDER BY label, source_id)"),
                        "[0],[0],[0],[1]");
    assert_string_equal(findings_answer(&scene, "SELECT shape FROM cycle"),
                        "list[…] -> list[…] -> list[…] -> …");
    assert_string_equal(
        findings_answer(&scene, "SELECT nodes || ' ' || (retained - bytes) FROM cycle"), "3 0");
    findings_scene_close(&scene);
}

/* ---- the collector */

static uint64_t collector(const struct objects *objects)
{
    const struct fake_python *python = &objects->python;
    if (layout_has(&python->layout, PY_interp_gc))
        return python->interp + objects_field(objects, PY_interp_gc);
    return python->runtime + objects_field(objects, PY_runtime_gc);
}

static void set_generation(struct objects *objects, unsigned number, uint32_t threshold,
                           uint32_t count)
{
    uint64_t addr = collector(objects) + objects_field(objects, PY_gc_generations) +
                    number * objects_field(objects, PY_gc_generation_size);
    fake_python_put(&objects->python, addr + objects_field(objects, PY_gc_generation_threshold),
                    threshold | (uint64_t)count << 32);
}

static void run_with_garbage(struct findings_scene *scene, struct objects *objects)
{
    struct lists lists;
    make_lists(&lists, objects, 1, 1, 1);
    refer(&lists, 0, 0, 0);
    findings_scene_run(scene, objects, empty_root(objects), lists.of, 1, cycles_write);
}

static void turned_off(struct objects *objects)
{
    struct findings_scene scene;
    set_generation(objects, 0, 700, 5);
    run_with_garbage(&scene, objects);
    assert_string_equal(findings_answer(&scene, "SELECT why FROM collector_state"),
                        "automatic collection was off: gc.disable()");
    assert_string_equal(findings_answer(&scene, "SELECT threshold || ' ' || count FROM collector"),
                        "700 5");
    assert_string_equal(findings_answer(&scene, "SELECT garbage_cycles || ' ' || garbage_objects"
                                                " FROM collector_state"),
                        "1 1");
    findings_scene_close(&scene);
}

static void not_due(struct objects *objects)
{
    struct findings_scene scene;
    fake_python_put(&objects->python, collector(objects) + objects_field(objects, PY_gc_enabled),
                    1);
    set_generation(objects, 0, 700, 5);
    set_generation(objects, 1, 10, 4);
    set_generation(objects, 2, 10, 3);
    run_with_garbage(&scene, objects);
    const char *why = findings_answer(&scene, "SELECT why FROM collector_state");
    if (layout_has(&objects->python.layout, PY_gc_stats))
        assert_string_equal(why, "1 object is in generation 2, which has never been "
                                 "collected: 3 of threshold 10 collections of generation 1");
    else
        assert_string_equal(why, "1 object is in generation 2, which was not due again: "
                                 "3 of threshold 10 collections of generation 1");
    findings_scene_close(&scene);
}

#define EACH(name)                                                                                 \
    static void each_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH(copies_of_one_shape)
EACH(what_colours_do_not_tell)
EACH(large_rings)
EACH(drawn)
EACH(turned_off)
EACH(not_due)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_copies_of_one_shape), cmocka_unit_test(each_what_colours_do_not_tell),
        cmocka_unit_test(each_large_rings),         cmocka_unit_test(each_drawn),
        cmocka_unit_test(each_turned_off),          cmocka_unit_test(each_not_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
