/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes went, over a process made by hand: a thread's arena at the
 * start of its data, objects and their buffers in a pool, and one chunk with a
 * mapping. */
#include "analyzer/runtime/heap_memory.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/runtime/heap_memory_parts.h"
#include "tests/analyzer/objects_fixture.h"
#include "tests/helpers/core_builder.h"
#include "tests/helpers/fake_pool.h"

#define BASE         FAKE_PYTHON_BASE
#define MAPPED       (BASE + 0x180000)
#define MAPPED_BYTES 0x11000u
#define POOL         (BASE + 0x1C0000)
#define BLOCK        64u

struct scene {
    struct objects objects;
    uint64_t list, str, holder, buffer; /* of them the str is not reachable */
    struct heap heap;
    uint64_t reached;
    uint32_t addresses[4], types[4];
    uint16_t sizes[4];
    struct index *index;
    char answer[512];
};

static void put(struct scene *scene, uint64_t addr, uint64_t word)
{
    fake_python_put(&scene->objects.python, addr, word);
}

static uint64_t block(uint32_t number)
{
    return POOL + POOL_HEADER_BYTES + (uint64_t)number * BLOCK;
}

static uint64_t pool_bytes(const struct scene *scene)
{
    const struct python_process process = {.layout = scene->objects.python.layout};
    return pool_size(&process);
}

static uint64_t put_object(struct scene *scene, uint32_t number, uint64_t type)
{
    fake_python_set(&scene->objects.python, block(number), PY_object_refcnt, 1);
    fake_python_set(&scene->objects.python, block(number), PY_object_type, type);
    return block(number);
}

/* An arena of 8 KiB: a used chunk of 0x100 bytes, a free one of 0x200, one
 * used, the top. */
static void make_arena(struct scene *scene)
{
    uint64_t first = BASE + 0x8d0;
    put(scene, BASE, BASE + 0x30);
    put(scene, BASE + 16, 0x2000);
    put(scene, BASE + 24, 0x2000);
    put(scene, first + 8, 0x100 | 5);
    put(scene, first + 0x108, 0x200 | 5);
    put(scene, first + 0x308, 0x40 | 4);
    put(scene, first + 0x348, (0x2000 - 0x8d0 - 0x340) | 5);
}

static void make_scene(struct scene *scene, const struct python_layout *layout)
{
    *scene = (struct scene){0};
    struct objects *objects = &scene->objects;
    objects_make(objects, layout);
    assert_true(objects->python.used < 0x180000);
    uint64_t holder = objects_class(objects, "shop", "Holder", objects->object_type, 0, NULL, NULL);
    fake_python_set(&objects->python, holder, PY_type_basicsize, 32);
    fake_pool_make(objects->python.bytes + 0x1C0000, (uint32_t)pool_bytes(scene), BLOCK, 9);
    fake_pool_free(objects->python.bytes + 0x1C0000, POOL, 3);
    scene->list = put_object(scene, 0, objects->list_type);
    fake_python_set(&objects->python, scene->list, PY_list_items, block(1));
    scene->str = put_object(scene, 2, objects->python.str_type);
    put(scene, block(4), 0x6f6c6c6568); /* C data */
    scene->holder = put_object(scene, 5, holder);
    put(scene, scene->holder + 16, block(6));
    put(scene, block(6) + 8, block(7)); /* leads on */
    scene->buffer = put_object(scene, 8, objects->bytearray_type);
    fake_python_set(&objects->python, scene->buffer, PY_bytearray_start, MAPPED + 16);
    put(scene, MAPPED + 8, MAPPED_BYTES | 2);
    make_arena(scene);
}

static void make_heap(struct scene *scene)
{
    const uint64_t objects[] = {scene->list, scene->str, scene->holder, scene->buffer};
    uint32_t frozen;
    scene->heap = (struct heap){.process = &scene->objects.process,
                                .count = 4,
                                .addresses.low = scene->addresses,
                                .sizes.low = scene->sizes,
                                .type = scene->types,
                                .find.pools.pools = 1};
    assert_int_equal(heap_map_create(scene->objects.process.image, &scene->heap.find.objects),
                     STATUS_OK);
    for (uint32_t i = 0; i < 4; i++) {
        const struct python_type *type;
        assert_true(heap_map_add(scene->heap.find.objects, objects[i]));
        assert_int_equal(object_type(&scene->objects.process, objects[i], &type), STATUS_OK);
        assert_true(array_push(&scene->heap.types, type));
        assert_int_equal(heap_addresses_set(&scene->heap.addresses, i, objects[i]), STATUS_OK);
        assert_int_equal(heap_column_set(&scene->heap.sizes, i, 60), STATUS_OK);
        scene->types[i] = i;
    }
    assert_int_equal(heap_map_freeze(scene->heap.find.objects, &frozen), STATUS_OK);
    scene->reached = 0xD; /* all but the str */
}

static void write_table(struct scene *scene)
{
    struct error err = {0};
    struct index_writer *writer;
    make_heap(scene);
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    struct memory_count *count;
    assert_int_equal(
        heap_memory_count(&scene->objects.core.core, &scene->heap, &scene->reached, &count),
        STATUS_OK);
    assert_int_equal(heap_memory_write(count, writer), STATUS_OK);
    heap_memory_destroy(count);
    assert_int_equal(index_writer_publish(writer, &scene->index, &err), STATUS_OK);
    array_deinit(&scene->heap.types);
    array_deinit(&scene->heap.addresses.windows);
    heap_map_destroy(scene->heap.find.objects);
}

static void open_scene(struct scene *scene)
{
    objects_open(&scene->objects);
    write_table(scene);
}

static void close_scene(struct scene *scene)
{
    index_close(scene->index);
    objects_close(&scene->objects);
}

static const char *ask(struct scene *scene, const char *sql)
{
    struct index_rows *rows;
    struct error err = {0};
    scene->answer[0] = '\0';
    assert_int_equal(index_query(scene->index, sql, NULL, 0, &rows, &err), STATUS_OK);
    if (index_rows_next(rows) && index_rows_text(rows, 0))
        snprintf(scene->answer, sizeof scene->answer, "%s", index_rows_text(rows, 0));
    assert_int_equal(index_rows_finish(rows, &err), STATUS_OK);
    return scene->answer;
}

static void assert_row(struct scene *scene, const char *region, uint64_t bytes, const char *detail)
{
    char sql[128], wanted[512];
    snprintf(sql, sizeof sql, "SELECT bytes || '; ' || detail FROM memory WHERE region = '%s'",
             region);
    snprintf(wanted, sizeof wanted, "%llu; %s", (unsigned long long)bytes, detail);
    assert_string_equal(ask(scene, sql), wanted);
}

static void assert_total(struct scene *scene, uint64_t total)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)total);
    assert_string_equal(ask(scene, "SELECT sum(bytes) FROM memory"), wanted);
    assert_string_equal(
        ask(scene, "SELECT message FROM warning WHERE message LIKE '%accounts for%'"), "");
}

static void every_byte_has_its_row(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < python_layout_count; i++) {
        struct scene scene;
        char big[128];
        make_scene(&scene, python_layouts[i]);
        open_scene(&scene);
        uint64_t pool = pool_bytes(&scene), blocks = (pool - 48) / BLOCK;
        snprintf(big, sizeof big,
                 "1 of 64.0 KiB or more; bytearray at 0x%llx: 68.0 KiB of its own data",
                 (unsigned long long)scene.buffer);
        assert_row(&scene, "objects, reachable", 3 * BLOCK, "3 objects");
        assert_row(&scene, "objects, unreachable", BLOCK, "1 object");
        assert_row(&scene, "buffers of objects", 3 * BLOCK, "shop.Holder 128 B, list 64 B");
        assert_row(&scene, "big objects and buffers", MAPPED_BYTES, big);
        assert_row(&scene, "pools: in use by C code", BLOCK,
                   "1 block that no object was found to own");
        assert_row(&scene, "pools: free blocks", (blocks - 8) * BLOCK, "in 1 pool");
        assert_row(&scene, "pools: headers and slack", pool - blocks * BLOCK, "");
        assert_row(&scene, "malloc: in use by C code", 0x140,
                   "2 chunks that no object was found to own; chunks that threads "
                   "keep for reuse "
                   "count as in use: their lists were not found");
        assert_row(&scene, "malloc: free", 0x200 + 0x2000 - 0x8d0 - 0x340,
                   "1 free chunk, 0 B kept for reuse by threads, 5.0 KiB at "
                   "the heaps' "
                   "ends");
        assert_row(&scene, "malloc: own structures", 0x8d0, "1 heap");
        assert_total(&scene, scene.objects.python.size);
        close_scene(&scene);
    }
}

/* 3.11 and 3.12 keep an instance's values apart, behind some bytes of their
 * own. */
static void values_are_the_instances(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < python_layout_count; i++) {
        struct scene scene;
        if (!layout_has(python_layouts[i], PY_values_prefix_before))
            continue;
        make_scene(&scene, python_layouts[i]);
        struct objects *objects = &scene.objects;
        bool is_tagged = layout_has(python_layouts[i], PY_constant_managed_values_tag);
        uint64_t flags = objects_field(objects, PY_constant_tpflags_managed_dict) |
                         objects_field(objects, PY_constant_tpflags_have_gc);
        if (layout_has(python_layouts[i], PY_constant_tpflags_preheader))
            flags |= objects_field(objects, PY_constant_tpflags_preheader);
        uint64_t class =
            objects_class(objects, "shop", "Item", objects->object_type, flags, NULL, NULL);
        fake_python_set(&objects->python, class, PY_type_basicsize, 16);
        scene.holder = block(5) + 32;
        fake_python_set(&objects->python, block(5), PY_object_refcnt, 0);
        fake_python_set(&objects->python, block(5), PY_object_type, 0);
        fake_python_set(&objects->python, scene.holder, PY_object_refcnt, 1);
        fake_python_set(&objects->python, scene.holder, PY_object_type, class);
        uint64_t values = block(4) + 24, before = objects_field(objects, PY_values_prefix_before);
        objects_put_byte(objects, values - before, 24);
        put(&scene, block(5), is_tagged ? 0 : values);
        put(&scene, block(5) + 8, is_tagged ? values | 1 : 0);
        open_scene(&scene);
        assert_row(&scene, "buffers of objects", 2 * BLOCK, "list 64 B, shop.Item 64 B");
        close_scene(&scene);
    }
}

/* The pool is not counted as a whole then: of each block the first object is told. */
static void two_objects_in_one_block(void **unused)
{
    (void)unused;
    struct scene scene;
    make_scene(&scene, python_layouts[python_layout_count - 1]);
    fake_python_set(&scene.objects.python, block(2), PY_object_refcnt, 0);
    fake_python_set(&scene.objects.python, block(2), PY_object_type, 0);
    scene.str = block(0) + 48;
    fake_python_set(&scene.objects.python, scene.str, PY_object_refcnt, 1);
    fake_python_set(&scene.objects.python, scene.str, PY_object_type,
                    scene.objects.python.str_type);
    open_scene(&scene);
    assert_row(&scene, "objects, reachable", 3 * BLOCK, "3 objects");
    assert_row(&scene, "pools: in use by C code", 2 * BLOCK,
               "2 blocks that no object was found to own");
    assert_total(&scene, scene.objects.python.size);
    close_scene(&scene);
}

static void damage_is_told_and_counted_once(void **unused)
{
    (void)unused;
    struct scene scene;
    make_scene(&scene, python_layouts[python_layout_count - 1]);
    uint64_t addr = BASE + 0x8d0 + 0x340;
    for (unsigned i = 0; i < 40; i++, addr += 32)
        put(&scene, addr + 8, 32 | 5);
    put(&scene, addr + 8, 0x41414141);
    open_scene(&scene);
    assert_string_equal(ask(&scene, "SELECT count(*) FROM warning WHERE message "
                                    "LIKE '%chunk at 0x7f1200001110,%'"),
                        "1");
    assert_row(&scene, "malloc: free", 0x200,
               "1 free chunk, 0 B kept for reuse by threads, 0 B at the "
               "heaps' ends");
    assert_total(&scene, scene.objects.python.size);
    close_scene(&scene);
}

/* Whatever stands in memory, the sum is what is mapped. */
static void nonsense_still_adds_up(void **unused)
{
    (void)unused;
    uint64_t state = 99;
    for (unsigned round = 0; round < 96; round++) {
        struct scene scene;
        make_scene(&scene, python_layouts[round % python_layout_count]);
        for (unsigned i = 0; i < 1 + round % 8; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            static const uint64_t starts[] = {BASE, BASE + 0x8d0, POOL, POOL + 48, MAPPED};
            uint64_t at = starts[(state >> 40) % 5] + (state >> 33) % 64 * 8;
            bool is_type = at >= POOL && (at - POOL - 48) % 64 == 8; /* the heap has read those */
            put(&scene, is_type ? BASE : at, state >> (state & 63));
        }
        open_scene(&scene);
        assert_total(&scene, scene.objects.python.size);
        close_scene(&scene);
    }
}

/* ---- pymalloc's table of arenas */

#define PROGRAM    UINT64_C(0x555500000000)
#define RUNTIME    (PROGRAM + 0x1100)
#define TABLE      UINT64_C(0x7f0000002000)
#define ARENA      UINT64_C(0x7f1000005000) /* not aligned to pools */
#define ARENA_AT   (TABLE + 2 * 48)         /* its entry */
#define ARENA_SIZE 0x100000u

struct arena_core {
    struct core_builder *builder;
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct python_process process;
    struct memory_image *image;
};

static void make_arena_core(struct arena_core *made)
{
    static const uint8_t build_id[4] = {1, 2, 3, 4};
    static uint8_t pool[16384];
    *made = (struct arena_core){.builder = core_builder_create()};
    struct core_builder *builder = made->builder;
    core_builder_segment(builder, PROGRAM, 0x1000, 0x1000, NULL, PF_R | PF_X);
    core_builder_elf_page(builder, PROGRAM, 0x1000, build_id, sizeof build_id);
    core_builder_segment(builder, PROGRAM + 0x1000, 0x1000, 0x1000, NULL, PF_R | PF_W);
    core_builder_file(builder, PROGRAM, PROGRAM + 0x1000, 0, "/bin/python3");
    core_builder_file(builder, PROGRAM + 0x1000, PROGRAM + 0x2000, 0x1000, "/bin/python3");
    core_builder_auxv(builder, AT_ENTRY, PROGRAM + 0x100);
    core_builder_segment(builder, TABLE, 0x1000, 0x1000, NULL, PF_R | PF_W);
    core_builder_segment(builder, ARENA, ARENA_SIZE, ARENA_SIZE, NULL, PF_R | PF_W);
    core_builder_thread(builder, 7, &(struct core_registers){0});
    fake_pool_make(pool, sizeof pool, 64, 3);
    pool[32] = 2;
    core_builder_poke(builder, ARENA + 0x3000, pool, sizeof pool);
    core_builder_poke(builder, ARENA + 0xB000, pool, sizeof pool);
    core_builder_poke_u64(builder, PROGRAM + 0x1800, ARENA); /* leads to no table */
    core_builder_poke_u64(builder, PROGRAM + 0x1808, TABLE);
    core_builder_poke_u64(builder, ARENA_AT, ARENA);
    core_builder_poke_u64(builder, ARENA_AT + 8, ARENA + 0xF000);
    core_builder_poke_u32(builder, ARENA_AT + 16, 61);
    core_builder_poke_u32(builder, ARENA_AT + 20, 63);
}

static void open_arena_core(struct arena_core *made)
{
    struct error err = {0};
    core_builder_input(made->builder, 0, &made->input);
    arena_init(&made->arena);
    assert_int_equal(core_dump_parse(&made->input, &made->arena, &made->core, &err), STATUS_OK);
    assert_int_equal(memory_image_create(&made->core, NULL, &made->arena, &made->image, &err),
                     STATUS_OK);
    made->process = (struct python_process){.image = made->image,
                                            .layout = *python_layout_for_version(0x030C0000),
                                            .runtime_addr = RUNTIME};
}

static void close_arena_core(struct arena_core *made)
{
    memory_image_destroy(made->image);
    core_dump_deinit(&made->core);
    arena_deinit(&made->arena);
    input_bytes_free(&made->input);
    core_builder_destroy(made->builder);
}

struct tally {
    uint64_t next, total, bytes[PIECE_KIND_COUNT], counts[PIECE_KIND_COUNT];
};

static void add_piece(void *context, const struct piece *piece)
{
    struct tally *tally = context;
    assert_true(piece->size > 0);
    assert_true(piece->addr >= tally->next);
    tally->next = piece->addr + piece->size;
    tally->total += piece->size;
    tally->bytes[piece->kind] += piece->size;
    tally->counts[piece->kind]++;
}

static void take_pieces(struct arena_core *made, struct tally *tally, struct extent_list *list)
{
    struct malloc_map map;
    uint64_t mapped = 0;
    *tally = (struct tally){0};
    assert_int_equal(malloc_map_create(made->image, &map), STATUS_OK);
    assert_int_equal(extents_find(&made->process, &map, list), STATUS_OK);
    assert_int_equal(pieces_visit(&made->process, &map, list, add_piece, NULL, tally), STATUS_OK);
    for (size_t i = 0; i < made->core.segments.count; i++)
        mapped += made->core.segments.items[i].size;
    assert_int_equal(tally->total, mapped);
    array_deinit(&list->extents);
    malloc_map_deinit(&map);
}

static void arenas_without_symbols(void **unused)
{
    (void)unused;
    struct arena_core made;
    struct tally tally;
    struct extent_list list;
    make_arena_core(&made);
    open_arena_core(&made);
    take_pieces(&made, &tally, &list);
    assert_int_equal(list.arenas, 1);
    assert_int_equal(list.lone_pools, 0);
    assert_int_equal(tally.counts[PIECE_BLOCK], 6);
    assert_int_equal(tally.counts[PIECE_POOL_EMPTY], 61);
    assert_int_equal(tally.bytes[PIECE_ARENA_SLACK], 16384);
    close_arena_core(&made);
}

static void arenas_that_lie_leave_the_pools(void **unused)
{
    (void)unused;
    static const struct {
        uint64_t at, value;
    } changes[] = {
        {0, 0},
        {0, ARENA + 8},
        {0, ARENA + 0x4000},
        {0, UINT64_MAX - 4095},
        {8, ARENA - 1},
        {8, UINT64_MAX},
        {16, 61},
        {16, UINT64_MAX},
        {16, UINT64_C(63) << 32 | 64},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct arena_core made;
        struct tally tally;
        struct extent_list list;
        make_arena_core(&made);
        core_builder_poke_u64(made.builder, ARENA_AT + changes[i].at, changes[i].value);
        open_arena_core(&made);
        take_pieces(&made, &tally, &list);
        assert_int_equal(list.arenas, 0);
        assert_int_equal(list.lone_pools, 2);
        assert_int_equal(tally.counts[PIECE_BLOCK], 6);
        close_arena_core(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_has_its_row),
        cmocka_unit_test(values_are_the_instances),
        cmocka_unit_test(two_objects_in_one_block),
        cmocka_unit_test(damage_is_told_and_counted_once),
        cmocka_unit_test(nonsense_still_adds_up),
        cmocka_unit_test(arenas_without_symbols),
        cmocka_unit_test(arenas_that_lie_leave_the_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
