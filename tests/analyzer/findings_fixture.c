/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/analyzer/findings_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

uint64_t findings_counted(struct objects *objects, uint64_t addr, uint64_t count)
{
    fake_python_set(&objects->python, addr, PY_object_refcnt, count);
    return addr;
}

static void set_sizes(struct objects *objects, uint64_t type, uint64_t basic, uint64_t item)
{
    fake_python_set(&objects->python, type, PY_type_basicsize, basic);
    fake_python_set(&objects->python, type, PY_type_itemsize, item);
}

/* By which what objects refer to, and their size, is known. */
static void set_all_sizes(struct objects *objects)
{
    set_sizes(objects, objects->list_type, 40, 0);
    set_sizes(objects, objects->tuple_type, objects_field(objects, PY_tuple_items), 8);
    set_sizes(objects, objects->float_type, 24, 0);
    set_sizes(objects, objects->bytes_type, objects_field(objects, PY_bytes_data) + 1, 1);
    set_sizes(objects, objects->python.int_type, objects_field(objects, PY_long_digits), 4);
    set_sizes(objects, objects->python.dict_type, 48, 0);
}

static void lead_to(struct outside_references *outside, uint64_t addr, bool is_root)
{
    const struct outside_reference reference = {
        .addr = addr,
        .label = is_root ? "shop" : "stale",
        .kind = is_root ? ROOT_MODULE : ROOT_STATIC,
        .certainty = is_root ? OUTSIDE_NAMED : OUTSIDE_WORD,
    };
    assert_true(array_push(&outside->items, reference));
}

void findings_scene_run(struct findings_scene *scene, struct objects *objects, uint64_t root,
                        const uint64_t *garbage, size_t garbage_count, finding_write write)
{
    struct outside_references outside = {0};
    struct index_writer *writer;
    struct error err = {0};
    *scene = (struct findings_scene){.objects = objects};
    struct redaction *redaction = objects->process.redaction;
    set_all_sizes(objects);
    objects_open(objects);
    objects->process.redaction = redaction;
    lead_to(&outside, root, true);
    for (size_t i = 0; i < garbage_count; i++)
        lead_to(&outside, garbage[i], false);
    assert_int_equal(heap_build(&objects->process, &outside, NULL, &scene->heap, &err), STATUS_OK);
    assert_int_equal(heap_roots_find(&scene->heap, &outside, &scene->roots), STATUS_OK);
    outside_references_deinit(&outside);
    assert_int_equal(heap_facts_find(&scene->heap, &scene->roots, NULL, &scene->facts, &err),
                     STATUS_OK);
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    const struct findings findings = {
        .heap = &scene->heap, .roots = &scene->roots, .facts = &scene->facts, .writer = writer};
    assert_int_equal(write(&findings, &err), STATUS_OK);
    assert_int_equal(index_writer_publish(writer, &scene->index, &err), STATUS_OK);
}

void findings_scene_close(struct findings_scene *scene)
{
    index_close(scene->index);
    heap_facts_deinit(&scene->facts);
    heap_roots_deinit(&scene->roots);
    heap_deinit(&scene->heap);
}

const char *findings_answer(struct findings_scene *scene, const char *sql)
{
    struct index_rows *rows;
    struct error err = {0};
    assert_int_equal(index_query(scene->index, sql, NULL, 0, &rows, &err), STATUS_OK);
    const char *answer = index_rows_next(rows) ? index_rows_text(rows, 0) : "";
    snprintf(scene->answer, sizeof scene->answer, "%s", answer ? answer : "");
    assert_int_equal(index_rows_finish(rows, &err), STATUS_OK);
    return scene->answer;
}
