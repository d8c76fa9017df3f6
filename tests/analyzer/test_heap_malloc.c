/* SPDX-License-Identifier: Apache-2.0 */
/* glibc's chunks, in heaps made by hand. */
#include "analyzer/runtime/heap_malloc.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/helpers/core_builder.h"

#define PROGRAM   UINT64_C(0x555500000000)
#define HEAP      UINT64_C(0x555500010000)
#define HEAP_SIZE 0x10000u
#define LIBC      UINT64_C(0x7f0000100000)
#define TOP_FIELD (LIBC + 0x1c60) /* of brk's malloc_state */
#define ARENA     UINT64_C(0x7f1000000000)
#define ARENA_2   (ARENA + (64u << 20))
#define STATE     (ARENA + 0x30)
#define ANONYMOUS UINT64_C(0x7f3000000000)

#define IN_USE   1u
#define MAPPED   2u
#define NOT_MAIN 4u

struct memory {
    struct core_builder *builder;
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct memory_image *image;
    struct malloc_map map;
};

static void put(struct memory *memory, uint64_t addr, uint64_t word)
{
    core_builder_poke_u64(memory->builder, addr, word);
}

/* A chunk; its end. */
static uint64_t chunk(struct memory *memory, uint64_t addr, uint64_t size, unsigned flags)
{
    put(memory, addr + 8, size | flags);
    return addr + size;
}

static void make(struct memory *memory)
{
    static const uint8_t build_id[4] = {1, 2, 3, 4};
    *memory = (struct memory){.builder = core_builder_create()};
    struct core_builder *builder = memory->builder;
    core_builder_segment(builder, PROGRAM, 0x1000, 0x1000, NULL, PF_R | PF_X);
    core_builder_elf_page(builder, PROGRAM, 0x1000, build_id, sizeof build_id);
    core_builder_file(builder, PROGRAM, PROGRAM + 0x1000, 0, "/bin/python3");
    core_builder_auxv(builder, AT_ENTRY, PROGRAM + 0x100);
    core_builder_segment(builder, HEAP, HEAP_SIZE, HEAP_SIZE, NULL, PF_R | PF_W);
    core_builder_segment(builder, LIBC, 0x1000, 0x1000, NULL, PF_R | PF_X);
    core_builder_elf_page(builder, LIBC, 0x1000, build_id, sizeof build_id);
    core_builder_segment(builder, LIBC + 0x1000, 0x2000, 0x2000, NULL, PF_R | PF_W);
    core_builder_file(builder, LIBC, LIBC + 0x1000, 0, "/lib/libc.so.6");
    core_builder_file(builder, LIBC + 0x1000, LIBC + 0x3000, 0x1000, "/lib/libc.so.6");
    core_builder_thread(builder, 7, &(struct core_registers){0});
}

static void parse(struct memory *memory)
{
    struct error err = {0};
    core_builder_input(memory->builder, 0, &memory->input);
    arena_init(&memory->arena);
    assert_int_equal(core_dump_parse(&memory->input, &memory->arena, &memory->core, &err),
                     STATUS_OK);
    assert_int_equal(memory_image_create(&memory->core, NULL, &memory->arena, &memory->image, &err),
                     STATUS_OK);
    assert_int_equal(malloc_map_create(memory->image, &memory->map), STATUS_OK);
}

static void close_memory(struct memory *memory)
{
    malloc_map_deinit(&memory->map);
    memory_image_destroy(memory->image);
    core_dump_deinit(&memory->core);
    arena_deinit(&memory->arena);
    input_bytes_free(&memory->input);
    core_builder_destroy(memory->builder);
}

/* The states of a heap's chunks, a letter each. */
static const char *states(struct memory *memory, size_t heap)
{
    static char letters[256];
    const struct malloc_heap *of = &memory->map.heaps.items[heap];
    size_t count = 0;
    assert_in_range(heap, 0, memory->map.heaps.count - 1);
    for (uint64_t addr = of->first; addr < of->end && count + 1 < sizeof letters;) {
        struct malloc_chunk at;
        malloc_chunk_at(memory->image, &memory->map, of, addr, &at);
        assert_int_equal(at.addr, addr);
        assert_true(at.size > 0 && at.size <= of->end - addr);
        letters[count++] = "UFCT."[at.state];
        addr += at.size;
    }
    letters[count] = '\0';
    return letters;
}

/* ---- brk's heap */

#define CACHE     HEAP
#define CACHED_1  (HEAP + 0x390)
#define CACHED_2  (HEAP + 0x5c0)
#define FAST      (HEAP + 0x630)
#define FAST_2    (HEAP + 0x680)
#define LAST_USED (HEAP + 0x5f0)

static uint64_t mangled(uint64_t field, uint64_t value)
{
    return field >> 12 ^ value;
}

/* used, cached, free, cached, used, fastbin, used, fastbin, used, top */
static void make_main(struct memory *memory, uint64_t cache_bytes, bool is_mangled)
{
    make(memory);
    uint64_t addr = chunk(memory, CACHE, cache_bytes, IN_USE);
    addr = chunk(memory, addr, 0x390 - cache_bytes, IN_USE);
    addr = chunk(memory, addr, 0x30, IN_USE);
    addr = chunk(memory, addr, 0x200, IN_USE);
    addr = chunk(memory, addr, 0x30, 0);
    addr = chunk(memory, addr, 0x40, IN_USE);
    addr = chunk(memory, addr, 0x20, IN_USE);
    addr = chunk(memory, addr, 0x30, IN_USE);
    addr = chunk(memory, addr, 0x20, IN_USE);
    addr = chunk(memory, addr, 0x60, IN_USE);
    chunk(memory, addr, HEAP + HEAP_SIZE - addr, IN_USE);
    uint64_t entries = CACHE + 16 + (cache_bytes == 0x250 ? 64 : cache_bytes == 0x300 ? 152 : 128);
    put(memory, entries + 8, CACHED_1 + 16);
    uint64_t field = CACHED_1 + 16;
    put(memory, field, is_mangled ? mangled(field, CACHED_2 + 16) : CACHED_2 + 16);
    field = CACHED_2 + 16;
    put(memory, field, is_mangled ? mangled(field, 0) : 0);
}

static void make_state(struct memory *memory, uint64_t top_field, uint64_t top)
{
    put(memory, top_field, top);
    for (uint64_t bin = 0; bin < 127; bin++) {
        put(memory, top_field + 16 + 16 * bin, top_field + 16 * bin);
        put(memory, top_field + 24 + 16 * bin, top_field + 16 * bin);
    }
}

static void make_fastbins(struct memory *memory)
{
    make_state(memory, TOP_FIELD, HEAP + 0x700);
    put(memory, TOP_FIELD - 80, FAST);
    put(memory, FAST + 16, mangled(FAST + 16, FAST_2));
    put(memory, FAST_2 + 16, mangled(FAST_2 + 16, 0));
}

static void every_state(void **unused)
{
    (void)unused;
    static const uint64_t caches[] = {0x250, 0x290, 0x300};
    for (size_t i = 0; i < 6; i++) {
        struct memory memory;
        make_main(&memory, caches[i % 3], i < 3);
        make_fastbins(&memory);
        parse(&memory);
        assert_int_equal(memory.map.heaps.count, 1);
        assert_string_equal(states(&memory, 0), "UUCFCUCUCUT");
        assert_int_equal(memory.map.heaps.items[0].end, HEAP + HEAP_SIZE);
        assert_int_equal(memory.map.heaps.items[0].top, HEAP + 0x700);
        assert_int_equal(memory.map.lists_read, 2);
        assert_int_equal(memory.map.lists_damaged, 0);
        assert_int_equal(memory.map.damaged_addr, 0);
        close_memory(&memory);
    }
}

static void without_lists_they_count_as_used(void **unused)
{
    (void)unused;
    struct memory memory;
    make_main(&memory, 0x290, true);
    put(&memory, CACHE + 16 + 128 + 8 * 63, 0x4141414141414140); /* so it is no cache */
    parse(&memory);
    assert_string_equal(states(&memory, 0), "UUUFUUUUUUT");
    assert_int_equal(memory.map.lists_read, 0);
    close_memory(&memory);
}

static void a_size_that_lies_ends_the_heap(void **unused)
{
    (void)unused;
    static const uint64_t sizes[] = {0,
                                     0x18 | IN_USE,
                                     0x48 | IN_USE,
                                     0x10,
                                     HEAP_SIZE | IN_USE,
                                     UINT64_MAX & ~UINT64_C(2),
                                     0x40 | MAPPED,
                                     0x40 | NOT_MAIN | IN_USE};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct memory memory;
        make_main(&memory, 0x290, true);
        /* so many that the start is still believed */
        for (uint64_t addr = HEAP + 0x700; addr < HEAP + 0x1000; addr += 0x20)
            chunk(&memory, addr, 0x20, IN_USE);
        put(&memory, HEAP + 0x1008, sizes[i]);
        parse(&memory);
        assert_int_equal(memory.map.heaps.count, 1);
        assert_int_equal(memory.map.damaged_addr, HEAP + 0x1000);
        assert_int_equal(memory.map.heaps.items[0].end, HEAP + 0x1000);
        assert_int_equal(memory.map.heaps.items[0].top, 0);
        assert_memory_equal(states(&memory, 0), "UUCFCU", 6);
        close_memory(&memory);
    }
}

static void lists_that_loop_or_leave_end(void **unused)
{
    (void)unused;
    static const uint64_t nexts[] = {CACHED_1 + 16,
                                     CACHED_2 + 16,
                                     0x4141414141414140,
                                     HEAP + 0x600,
                                     LAST_USED + 16,
                                     UINT64_MAX,
                                     8};
    for (size_t i = 0; i < sizeof nexts / sizeof *nexts; i++) {
        struct memory memory;
        make_main(&memory, 0x290, true);
        put(&memory, CACHED_2 + 16, mangled(CACHED_2 + 16, nexts[i]));
        parse(&memory);
        assert_int_equal(memory.map.lists_damaged, 1);
        assert_string_equal(states(&memory, 0), "UUCFCUUUUUT");
        close_memory(&memory);
    }
}

/* Words that look like fastbins, but whose chunks have another size, are none. */
static void fastbins_of_wrong_sizes_are_none(void **unused)
{
    (void)unused;
    struct memory memory;
    make_main(&memory, 0x290, true);
    make_fastbins(&memory);
    put(&memory, TOP_FIELD - 72, LAST_USED);
    parse(&memory);
    assert_int_equal(memory.map.lists_read, 1);
    assert_string_equal(states(&memory, 0), "UUCFCUUUUUT");
    close_memory(&memory);
}

static void other_memory_is_no_heap(void **unused)
{
    (void)unused;
    struct memory memory;
    make(&memory);
    parse(&memory);
    assert_int_equal(memory.map.heaps.count, 0);
    close_memory(&memory);
    make(&memory);
    for (uint64_t addr = HEAP; addr < HEAP + HEAP_SIZE; addr += 8)
        put(&memory, addr, addr * 0x9E3779B97F4A7C15);
    parse(&memory);
    assert_int_equal(memory.map.heaps.count, 0);
    close_memory(&memory);
}

/* ---- arenas of threads */

static void heap_info(struct memory *memory, uint64_t addr, uint64_t previous, uint64_t size,
                      uint64_t usable)
{
    core_builder_segment(memory->builder, addr, usable, usable, NULL, PF_R | PF_W);
    put(memory, addr, STATE);
    put(memory, addr + 8, previous);
    put(memory, addr + 16, size);
    put(memory, addr + 24, usable);
}

static void make_arena(struct memory *memory)
{
    make(memory);
    heap_info(memory, ARENA, 0, 0x3000, 0x3000);
    heap_info(memory, ARENA_2, ARENA, 0x2000, 0x4000);
    uint64_t addr = chunk(memory, ARENA + 0x8d0, 0x290, IN_USE | NOT_MAIN);
    addr = chunk(memory, addr, 0x100, IN_USE); /* free */
    addr = chunk(memory, addr, 0x30, NOT_MAIN);
    addr = chunk(memory, addr, ARENA + 0x3000 - 32 - addr, IN_USE | NOT_MAIN);
    chunk(memory, addr, 0x10, IN_USE);
    put(memory, addr + 24, 0 | IN_USE); /* the last fence has no size */
    addr = chunk(memory, ARENA_2 + 0x30, 0x50, IN_USE | NOT_MAIN);
    addr = chunk(memory, addr, 0x20, IN_USE | NOT_MAIN); /* on a fastbin */
    addr = chunk(memory, addr, 0x50, IN_USE | NOT_MAIN);
    chunk(memory, addr, ARENA_2 + 0x2000 - addr, IN_USE);
    make_state(memory, STATE + 96, addr);
    put(memory, STATE + 16, ARENA_2 + 0x80);
    put(memory, ARENA_2 + 0x90, mangled(ARENA_2 + 0x90, 0));
}

static void arenas_of_threads(void **unused)
{
    (void)unused;
    struct memory memory;
    make_arena(&memory);
    parse(&memory);
    assert_int_equal(memory.map.heaps.count, 2);
    assert_string_equal(states(&memory, 0), "UFUU..");
    assert_string_equal(states(&memory, 1), "UCUT");
    assert_int_equal(memory.map.heaps.items[0].first, ARENA + 0x8d0);
    assert_int_equal(memory.map.heaps.items[1].end, ARENA_2 + 0x2000);
    assert_int_equal(memory.map.heaps.items[1].area_end, ARENA_2 + 0x4000);
    assert_int_equal(memory.map.lists_read, 1);
    close_memory(&memory);
}

static void heads_of_arenas_that_lie(void **unused)
{
    (void)unused;
    static const struct {
        uint64_t at, value;
    } changes[] = {{16, 0},        {16, 0x5000},        {24, UINT64_C(1) << 40},
                   {0, 0},         {8, ARENA_2},        {8, 0x1234},
                   {0, STATE + 4}, {0, UINT64_MAX - 7}, {16, UINT64_MAX}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct memory memory;
        make_arena(&memory);
        put(&memory, ARENA + changes[i].at, changes[i].value);
        parse(&memory);
        assert_int_equal(memory.map.heaps.count, 1);
        assert_int_equal(memory.map.heaps.items[0].start, ARENA_2);
        close_memory(&memory);
    }
}

/* ---- chunks with a mapping of their own */

static void mapped_chunks(void **unused)
{
    (void)unused;
    static const struct {
        uint64_t before, word, bytes;
    } cases[] = {
        {0, 0x3000 | MAPPED, 0x3000},
        {0, 0x2ff0 | MAPPED, 0x3000}, /* as glibc 2.43 has it */
        {0, 0x4000 | MAPPED, 0x4000},
        {0, 0x5000 | MAPPED, 0}, /* longer than the mapping */
        {0, 0x3000, 0},
        {0, 0x3000 | MAPPED | IN_USE, 0},
        {0, 0x3010 | MAPPED, 0},
        {1, 0x3000 | MAPPED, 0},
        {0, MAPPED, 0},
        {0, UINT64_MAX << 3 | MAPPED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memory memory;
        make(&memory);
        core_builder_segment(memory.builder, ANONYMOUS, 0x4000, 0x4000, NULL, PF_R | PF_W);
        put(&memory, ANONYMOUS, cases[i].before);
        put(&memory, ANONYMOUS + 8, cases[i].word);
        parse(&memory);
        assert_int_equal(malloc_mapped_bytes(memory.image, ANONYMOUS, ANONYMOUS + 0x4000),
                         cases[i].bytes);
        assert_int_equal(malloc_mapped_bytes(memory.image, ANONYMOUS + 0x4000, UINT64_MAX), 0);
        close_memory(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state),
        cmocka_unit_test(without_lists_they_count_as_used),
        cmocka_unit_test(a_size_that_lies_ends_the_heap),
        cmocka_unit_test(lists_that_loop_or_leave_end),
        cmocka_unit_test(fastbins_of_wrong_sizes_are_none),
        cmocka_unit_test(other_memory_is_no_heap),
        cmocka_unit_test(arenas_of_threads),
        cmocka_unit_test(heads_of_arenas_that_lie),
        cmocka_unit_test(mapped_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
