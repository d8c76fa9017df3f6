/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that sys.getsizeof counts with two objects, in the layout of each version: each
 * object's size is what it says, sums have them once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/findings_fixture.h"

#define CONTENT 1000
#define FIRST   15 /* in which a bytearray has a bytes object */

static uint64_t content(struct objects *objects, uint64_t count)
{
    static const char bytes[CONTENT];
    return findings_counted(objects, objects_bytes(objects, bytes, sizeof bytes), count);
}

static uint64_t bytearray(struct objects *objects, uint64_t bytes)
{
    bool is_new = layout_minor(&objects->python.layout) >= FIRST;
    uint64_t addr = findings_counted(objects, objects_new(objects, objects->bytearray_type, 64), 1);
    fake_python_set(&objects->python, objects->bytearray_type, PY_type_basicsize, is_new ? 64 : 56);
    fake_python_set(&objects->python, addr, PY_bytearray_alloc, CONTENT);
    objects_put_bytes(objects, addr + 56, &bytes, sizeof bytes);
    return addr;
}

static uint64_t bytes_io(struct objects *objects, uint64_t bytes)
{
    uint64_t type = objects_type(objects, "_io.BytesIO", objects->object_type, PYTHON_FIELD_COUNT);
    uint64_t addr = findings_counted(objects, objects_new(objects, type, 64), 1);
    fake_python_set(&objects->python, type, PY_type_basicsize, 64);
    objects_put_bytes(objects, addr + 16, &bytes, sizeof bytes);
    return addr;
}

static enum status write_nothing(const struct findings *findings, struct error *err)
{
    (void)findings;
    (void)err;
    return STATUS_OK;
}

static uint32_t object_at(const struct findings_scene *scene, uint64_t addr)
{
    uint32_t object = HEAP_NO_OBJECT;
    assert_true(heap_map_id(scene->heap.find.objects, addr, &object));
    return object;
}

static void assert_sizes(const struct findings_scene *scene, uint64_t addr, uint64_t getsizeof,
                         uint64_t own, uint64_t retained)
{
    uint32_t object = object_at(scene, addr);
    assert_int_equal(heap_getsizeof(&scene->heap, object), getsizeof);
    assert_int_equal(heap_size(&scene->heap, object), own);
    assert_int_equal(heap_retained(&scene->facts, object), retained);
}

static void run(struct findings_scene *scene, struct objects *objects, const uint64_t *items,
                size_t count)
{
    uint64_t list = findings_counted(objects, objects_list(objects, items, count), 1);
    findings_scene_run(scene, objects, list, NULL, 0, write_nothing);
}

static void bytes_count_once(struct objects *objects)
{
    struct findings_scene scene;
    bool is_new = layout_minor(&objects->python.layout) >= FIRST;
    uint64_t bytes = objects_field(objects, PY_bytes_data) + 1 + CONTENT;
    uint64_t inner = content(objects, 1), buffer = content(objects, 1);
    const uint64_t items[] = {bytearray(objects, inner), bytes_io(objects, buffer)};
    run(&scene, objects, items, 2);
    if (is_new)
        assert_sizes(&scene, items[0], 64 + bytes, 64, 64 + bytes);
    else
        assert_sizes(&scene, items[0], 56 + CONTENT, 56 + CONTENT, 56 + CONTENT);
    assert_sizes(&scene, items[1], 64 + bytes, 64, 64 + bytes);
    assert_sizes(&scene, buffer, bytes, bytes, bytes);
    assert_int_equal(scene.heap.parts.count, is_new ? 2 : 1);
    findings_scene_close(&scene);
}

/* What somebody else holds as well is no part of either. */
static void shared_bytes_are_no_part(struct objects *objects)
{
    struct findings_scene scene;
    uint64_t buffer = content(objects, 2);
    const uint64_t items[] = {bytes_io(objects, buffer), buffer};
    run(&scene, objects, items, 2);
    assert_sizes(&scene, items[0], 64, 64, 64);
    assert_int_equal(scene.heap.parts.count, 0);
    findings_scene_close(&scene);
}

/* An empty bytearray has the one empty bytes object, and counts nothing of it. */
static void emptiness_is_no_part(struct objects *objects)
{
    struct findings_scene scene;
    if (layout_minor(&objects->python.layout) < FIRST)
        return;
    uint64_t empty = findings_counted(objects, objects_bytes(objects, "", 0), 0xC0000000);
    const uint64_t items[] = {bytearray(objects, empty), empty};
    fake_python_set(&objects->python, items[0], PY_bytearray_alloc, 0);
    run(&scene, objects, items, 2);
    assert_sizes(&scene, items[0], 64, 64, 64);
    findings_scene_close(&scene);
}

#define EACH_VERSION(test)                                                                         \
    static void test##_each_version(void **state)                                                  \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(test);                                                                \
    }
EACH_VERSION(bytes_count_once)
EACH_VERSION(shared_bytes_are_no_part)
EACH_VERSION(emptiness_is_no_part)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_count_once_each_version),
        cmocka_unit_test(shared_bytes_are_no_part_each_version),
        cmocka_unit_test(emptiness_is_no_part_each_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
