/* SPDX-License-Identifier: Apache-2.0 */
/* A heap large enough to be read in several pieces: joined, they are what one reader would
 * have found. And one whose tables overlap, so that each object claims all memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analyzer/runtime/heap_roots.h"
#include "tests/analyzer/objects_fixture.h"
#include "tests/helpers/fake_pool.h"

#define DATA_BYTES (4u << 20)
#define POOLS_AT   0x200000u /* of the process's data */
#define BLOCK      48u
#define OBJECTS    13000u /* more than three pieces have */
#define REGIONS    3u
#define LATE       50u /* objects in no pool */
#define CLASSES    4u
#define GRANULES   64u /* places of a word of the map */

struct scene {
    struct objects *objects;
    uint64_t slice_type, classes[CLASSES];
    uint64_t addrs[OBJECTS], late[LATE];
};

static void set(struct objects *objects, uint64_t addr, enum python_field field, uint64_t word)
{
    fake_python_set(&objects->python, addr, field, word);
}

static void enlarge(struct fake_python *python)
{
    python->bytes = realloc(python->bytes, DATA_BYTES);
    assert_non_null(python->bytes);
    memset(python->bytes + python->size, 0, DATA_BYTES - python->size);
    python->size = DATA_BYTES;
}

/* The addresses of as many blocks as there are objects. */
static void make_blocks(struct scene *scene)
{
    const struct python_process process = {.layout = scene->objects->python.layout};
    uint32_t size = (uint32_t)pool_size(&process), room = (size - POOL_HEADER_BYTES) / BLOCK;
    uint8_t *bytes = scene->objects->python.bytes;
    assert_true(scene->objects->python.used < POOLS_AT);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        uint32_t at = POOLS_AT + i / room * size, left = OBJECTS - i;
        assert_true(at + size <= DATA_BYTES);
        if (i % room == 0)
            fake_pool_make(bytes + at, size, BLOCK, left < room ? left : room);
        scene->addrs[i] = FAKE_PYTHON_BASE + at + fake_pool_block(bytes + at, i % room);
    }
}

static uint64_t put_object(struct objects *objects, uint64_t addr, uint64_t type)
{
    set(objects, addr, PY_object_refcnt, 1);
    set(objects, addr, PY_object_type, type);
    return addr;
}

static uint32_t region_of(uint32_t i)
{
    return i * REGIONS / OBJECTS;
}

static bool is_slice(uint32_t i)
{
    return i % 4 != 3;
}

/* Each region meets the classes in another order. */
static uint64_t class_of(const struct scene *scene, uint32_t i)
{
    return scene->classes[(i / 4 + region_of(i)) % CLASSES];
}

static const char *const field_names[] = {".start", ".stop", ".step"};

/* What a slice's field refers to, 0 for nothing: each region meets labels and objects
 * outside of pools in another order. */
static uint64_t target_of(const struct scene *scene, uint32_t i, uint32_t field)
{
    uint32_t region = region_of(i);
    if (field == region)
        return 0;
    if (field == (region + 2) % 3)
        return scene->late[(i * (region + 1) + 7 * region) % LATE];
    return scene->addrs[(uint64_t)i * 7919 % OBJECTS];
}

static void make_scene(struct objects *objects, struct scene *scene)
{
    static const char *const names[CLASSES] = {"A", "B", "C", "D"};
    scene->objects = objects;
    enlarge(&objects->python);
    scene->slice_type = objects_type(objects, "slice", objects->object_type, PYTHON_FIELD_COUNT);
    set(objects, scene->slice_type, PY_type_basicsize, 40);
    for (size_t i = 0; i < CLASSES; i++) {
        scene->classes[i] =
            objects_class(objects, "shop", names[i], objects->object_type, 0, NULL, NULL);
        set(objects, scene->classes[i], PY_type_basicsize, 16);
    }
    for (size_t i = 0; i < LATE; i++)
        scene->late[i] = put_object(objects, objects_new(objects, objects->object_type, 16),
                                    objects->object_type);
    make_blocks(scene);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        put_object(objects, scene->addrs[i], is_slice(i) ? scene->slice_type : class_of(scene, i));
        for (uint32_t field = 0; is_slice(i) && field < 3; field++)
            fake_python_put(&objects->python, scene->addrs[i] + 16 + 8 * field,
                            target_of(scene, i, field));
    }
}

static void build(struct objects *objects, struct heap *ret_heap)
{
    struct outside_references outside = {0};
    struct error err = {0};
    objects_open(objects);
    assert_int_equal(heap_build(&objects->process, &outside, NULL, ret_heap, &err), STATUS_OK);
    outside_references_deinit(&outside);
}

static void check_reference(const struct heap *heap, uint64_t edge, uint64_t target_addr,
                            const char *label)
{
    struct text text;
    text_init(&text);
    label_text(heap->labels, heap->label[edge], &text);
    assert_int_equal(heap_address(heap, heap->references.targets[edge]), target_addr);
    assert_string_equal(text_string(&text), label);
    text_deinit(&text);
}

static void check_object(const struct scene *scene, const struct heap *heap, uint32_t i)
{
    uint32_t object = 0;
    assert_true(heap_map_id(heap->find.objects, scene->addrs[i], &object));
    uint64_t edge = graph_first(&heap->references, object);
    assert_int_equal(heap_address(heap, object), scene->addrs[i]);
    assert_int_equal(heap_type(heap, object)->addr,
                     is_slice(i) ? scene->slice_type : class_of(scene, i));
    assert_int_equal(heap_size(heap, object), is_slice(i) ? 40 : 16);
    assert_int_equal(heap_refcount(heap, object), 1);
    for (uint32_t field = 0; is_slice(i) && field < 3; field++)
        if (target_of(scene, i, field))
            check_reference(heap, edge++, target_of(scene, i, field), field_names[field]);
    if (!is_slice(i) && edge < graph_end(&heap->references, object))
        check_reference(heap, edge++, class_of(scene, i), ".__class__");
    assert_int_equal(edge, graph_end(&heap->references, object));
}

static void pieces_become_one(struct objects *objects)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct heap heap;
    assert_non_null(scene);
    make_scene(objects, scene);
    build(objects, &heap);
    for (uint32_t i = 0; i < OBJECTS; i++)
        check_object(scene, &heap, i);
    assert_int_equal(heap.damaged, 0);
    heap_deinit(&heap);
    free(scene);
}

/* ---- tables that overlap */

/* Every list says that its items are all of the data; a sound heap has each word once. */
static void overlapping_tables_are_read_once(struct objects *objects)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct heap heap;
    uint64_t words = DATA_BYTES / 8, sizes = 0;
    assert_non_null(scene);
    make_scene(objects, scene);
    set(objects, objects->list_type, PY_type_basicsize, 40);
    for (uint32_t i = 0; i < OBJECTS; i += 10) {
        put_object(objects, scene->addrs[i], objects->list_type);
        set(objects, scene->addrs[i], PY_var_size, words);
        set(objects, scene->addrs[i], PY_list_items, FAKE_PYTHON_BASE);
        set(objects, scene->addrs[i], PY_list_allocated, words);
    }
    build(objects, &heap);
    assert_true(heap.damaged >= OBJECTS / 10 - 10);
    assert_true(graph_first(&heap.references, heap.count) < 2 * words);
    for (uint32_t i = 0; i < heap.count; i++)
        sizes += heap_size(&heap, i);
    assert_true(sizes < 2 * DATA_BYTES);
    heap_deinit(&heap);
    free(scene);
}

/* ---- where a piece begins */

static void any_member_is_sought(struct objects *objects)
{
    struct heap_map *map;
    uint32_t count, id;
    enlarge(&objects->python);
    objects_open(objects);
    assert_int_equal(heap_map_create(objects->process.image, &map), STATUS_OK);
    for (uint64_t at = 64; at < DATA_BYTES - 64; at += 8 + at * 37 % 4096 / 8 * 8)
        assert_true(heap_map_add(map, FAKE_PYTHON_BASE + at));
    assert_int_equal(heap_map_freeze(map, &count), STATUS_OK);
    assert_true(count > 1000);
    for (uint32_t wanted = 0; wanted < count; wanted++) {
        struct heap_words words;
        uint32_t first = heap_map_seek(map, wanted, &words);
        assert_true(first <= wanted && wanted - first < GRANULES);
        assert_true(heap_map_next_word(map, &words));
        uint64_t bits = words.bits;
        for (uint32_t before = first; before < wanted; before++)
            bits &= bits - 1;
        assert_true(bits != 0);
        assert_true(heap_map_id(map, words.addr + 8 * (uint64_t)__builtin_ctzll(bits), &id));
        assert_int_equal(id, wanted);
    }
    heap_map_destroy(map);
}

#define EACH_VERSION(name)                                                                         \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH_VERSION(pieces_become_one)
EACH_VERSION(overlapping_tables_are_read_once)
EACH_VERSION(any_member_is_sought)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_become_one),
        cmocka_unit_test(test_overlapping_tables_are_read_once),
        cmocka_unit_test(test_any_member_is_sought),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
