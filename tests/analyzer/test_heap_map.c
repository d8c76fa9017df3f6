/* SPDX-License-Identifier: Apache-2.0 */
/* The set of addresses against a plain sorted array. */
#include "analyzer/runtime/heap_map.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/helpers/fake_core.h"

#define LOW      UINT64_C(0x555500001000)
#define ODD      UINT64_C(0x555500200000) /* stored in part, an odd number of bytes */
#define READONLY UINT64_C(0x7f0000000000)
#define HIGH     UINT64_C(0x7f0000400000)
#define NEXT     (HIGH + 0x80000) /* begins where the one before ends */
#define CLOSE    (NEXT + 0x60000) /* behind a small gap */
#define MEMBERS  20000

static const struct part {
    uint64_t addr, size;
} parts[] = {{LOW, 0x40000}, {ODD, 0x10005}, {HIGH, 0x80000}, {NEXT, 0x40000}, {CLOSE, 0x1000}};
#define PARTS (sizeof parts / sizeof *parts)

static void open_memory(struct fake_core *fake)
{
    static const uint8_t zeros[0x80000];
    const struct fake_segment segments[] = {
        {LOW, 0x40000, 0x40000, PF_R | PF_W, zeros},  {ODD, 0x20000, 0x10005, PF_R | PF_W, zeros},
        {READONLY, 0x10000, 0x10000, PF_R, zeros},    {HIGH, 0x80000, 0x80000, PF_R | PF_W, zeros},
        {NEXT, 0x40000, 0x40000, PF_R | PF_W, zeros}, {CLOSE, 0x1000, 0x1000, PF_R | PF_W, zeros},
    };
    fake_core_open(fake, segments, sizeof segments / sizeof *segments, NULL, 0);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t random_address(uint64_t *state)
{
    const struct part *part = &parts[next_random(state) % PARTS];
    return part->addr + next_random(state) % (part->size - 16) / 8 * 8;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Members, ascending and without repetition. */
static size_t fill(struct heap_map *map, uint64_t *members)
{
    uint64_t state = 42;
    size_t count = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        uint64_t addr = random_address(&state);
        bool was_there = heap_map_has(map, addr);
        assert_int_equal(heap_map_add(map, addr), !was_there);
        assert_true(heap_map_has(map, addr));
        if (!was_there)
            members[count++] = addr;
    }
    qsort(members, count, sizeof *members, compare);
    return count;
}

static void assert_cursor(const struct heap_map *map, const uint64_t *members, size_t count)
{
    struct heap_cursor cursor = {0};
    uint64_t addr;
    for (size_t i = 0; i < count; i++) {
        assert_true(heap_map_next(map, &cursor, &addr));
        assert_int_equal(addr, members[i]);
    }
    assert_false(heap_map_next(map, &cursor, &addr));
    assert_false(heap_map_next(map, &cursor, &addr));
}

static void ids_run_in_address_order(void **unused)
{
    (void)unused;
    static uint64_t members[MEMBERS];
    struct fake_core fake;
    struct heap_map *map;
    uint32_t frozen, id;
    open_memory(&fake);
    assert_int_equal(heap_map_create(fake.image, &map), STATUS_OK);
    size_t count = fill(map, members);
    assert_cursor(map, members, count);
    assert_int_equal(heap_map_freeze(map, &frozen), STATUS_OK);
    assert_int_equal(frozen, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(heap_map_id(map, members[i], &id));
        assert_int_equal(id, i);
    }
    uint64_t state = 7;
    for (size_t i = 0; i < MEMBERS; i++) {
        uint64_t addr = random_address(&state);
        bool is_member = bsearch(&addr, members, count, sizeof addr, compare);
        assert_int_equal(heap_map_has(map, addr), is_member);
        assert_int_equal(heap_map_id(map, addr, &id), is_member);
    }
    assert_cursor(map, members, count);
    heap_map_destroy(map);
    fake_core_close(&fake);
}

static void only_where_objects_can_be(void **unused)
{
    (void)unused;
    static const uint64_t refused[] = {
        0,
        8,
        LOW - 8,
        LOW + 4,
        LOW + 0x40000 - 8,
        LOW + 0x40000,
        ODD + 0xfff8,
        READONLY,
        ODD + 0x10008,
        HIGH - 8,
        NEXT - 8,
        NEXT + 0x40000,
        CLOSE - 8,
        CLOSE + 0x1000 - 8,
        UINT64_MAX - 7,
        UINT64_C(1) << 63,
    };
    static const uint64_t taken[] = {LOW,
                                     LOW + 8,
                                     LOW + 0x40000 - 16,
                                     ODD,
                                     ODD + 0xfff0,
                                     HIGH,
                                     HIGH + 0x80000 - 16,
                                     NEXT,
                                     NEXT + 0x40000 - 16,
                                     CLOSE};
    struct fake_core fake;
    struct heap_map *map;
    uint32_t count, id;
    open_memory(&fake);
    assert_int_equal(heap_map_create(fake.image, &map), STATUS_OK);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_false(heap_map_add(map, refused[i]));
        assert_false(heap_map_has(map, refused[i]));
        heap_map_remove(map, refused[i]);
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        assert_true(heap_map_add(map, taken[i]));
    assert_int_equal(heap_map_freeze(map, &count), STATUS_OK);
    assert_int_equal(count, sizeof taken / sizeof *taken);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_false(heap_map_id(map, refused[i], &id));
    heap_map_destroy(map);
    fake_core_close(&fake);
}

static void removing_takes_out(void **unused)
{
    (void)unused;
    static uint64_t members[MEMBERS];
    struct fake_core fake;
    struct heap_map *map;
    size_t kept = 0;
    open_memory(&fake);
    assert_int_equal(heap_map_create(fake.image, &map), STATUS_OK);
    size_t count = fill(map, members);
    for (size_t i = 0; i < count; i++) {
        if (i % 3)
            heap_map_remove(map, members[i]);
        else
            members[kept++] = members[i];
    }
    assert_cursor(map, members, kept);
    heap_map_destroy(map);
    fake_core_close(&fake);
}

static void one_joins_another(void **unused)
{
    (void)unused;
    static uint64_t members[MEMBERS];
    struct fake_core fake;
    struct heap_map *map, *other;
    uint32_t frozen;
    open_memory(&fake);
    assert_int_equal(heap_map_create(fake.image, &map), STATUS_OK);
    assert_int_equal(heap_map_create(fake.image, &other), STATUS_OK);
    size_t count = fill(map, members);
    for (size_t i = 0; i < count; i += 2) {
        assert_true(heap_map_add(other, members[i]));
        if (i % 3)
            heap_map_remove(map, members[i]);
    }
    heap_map_join(map, other);
    assert_cursor(map, members, count);
    assert_int_equal(heap_map_freeze(map, &frozen), STATUS_OK);
    assert_int_equal(frozen, count);
    heap_map_destroy(map);
    heap_map_destroy(other);
    fake_core_close(&fake);
}

static void words_and_ranks_tell_the_same(void **unused)
{
    (void)unused;
    static uint64_t members[MEMBERS];
    struct fake_core fake;
    struct heap_map *map, *other;
    struct heap_words words = {0};
    uint32_t frozen, passed = 0;
    open_memory(&fake);
    assert_int_equal(heap_map_create(fake.image, &map), STATUS_OK);
    assert_int_equal(heap_map_create(fake.image, &other), STATUS_OK);
    size_t count = fill(map, members);
    for (size_t i = 0; i < count; i += 3)
        assert_true(heap_map_add(other, members[i]));
    assert_int_equal(heap_map_freeze(map, &frozen), STATUS_OK);
    while (heap_map_next_word(map, &words))
        for (uint64_t bits = words.bits; bits; bits &= bits - 1, passed++) {
            unsigned bit = (unsigned)__builtin_ctzll(bits);
            assert_int_equal(words.addr + 8 * (uint64_t)bit, members[passed]);
            assert_int_equal(heap_map_word_at(other, &words) >> bit & 1, passed % 3 == 0);
            assert_int_equal(heap_map_below(map, members[passed]), passed);
        }
    assert_int_equal(passed, count);
    heap_map_destroy(map);
    heap_map_destroy(other);
    fake_core_close(&fake);
}

static void stretches_tell_the_same(void **unused)
{
    (void)unused;
    static uint64_t members[MEMBERS];
    static const struct {
        uint64_t addr, size;
    } none[] = {{NEXT + 8, 512},       {NEXT, 500},   {NEXT - 512, 1024},
                {NEXT + 0x40000, 512}, {CLOSE, 4608}, {READONLY, 512}};
    struct fake_core fake;
    struct heap_map *map;
    struct heap_stretch stretch;
    uint32_t frozen;
    open_memory(&fake);
    assert_int_equal(heap_map_create(fake.image, &map), STATUS_OK);
    fill(map, members);
    assert_true(heap_map_stretch(map, NEXT, 4096, &stretch));
    heap_stretch_set(&stretch, 77);
    assert_true(heap_map_has(map, NEXT + 77 * 8));
    assert_int_equal(heap_map_freeze(map, &frozen), STATUS_OK);
    assert_true(heap_map_stretch(map, NEXT, 4096, &stretch));
    for (uint32_t place = 0; place < 4096 / 8; place++)
        assert_int_equal(heap_stretch_bits(&stretch, place) & 1,
                         heap_map_has(map, NEXT + place * 8));
    for (uint32_t word = 0; word <= 8; word++)
        assert_int_equal(stretch.ranks[word], heap_map_below(map, NEXT + word * 512));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(heap_map_stretch(map, none[i].addr, none[i].size, &stretch));
    heap_map_destroy(map);
    fake_core_close(&fake);
}

static void an_empty_one_has_nothing(void **unused)
{
    (void)unused;
    const struct fake_segment segment = {LOW, 0x1000, 0, PF_R | PF_W, NULL};
    struct fake_core fake;
    struct heap_map *map;
    uint32_t count, id;
    fake_core_open(&fake, &segment, 1, NULL, 0);
    assert_int_equal(heap_map_create(fake.image, &map), STATUS_OK);
    assert_false(heap_map_add(map, LOW));
    assert_cursor(map, NULL, 0);
    assert_int_equal(heap_map_freeze(map, &count), STATUS_OK);
    assert_int_equal(count, 0);
    assert_false(heap_map_id(map, LOW, &id));
    heap_map_destroy(map);
    heap_map_destroy(NULL);
    fake_core_close(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_run_in_address_order),
        cmocka_unit_test(only_where_objects_can_be),
        cmocka_unit_test(removing_takes_out),
        cmocka_unit_test(one_joins_another),
        cmocka_unit_test(words_and_ranks_tell_the_same),
        cmocka_unit_test(stretches_tell_the_same),
        cmocka_unit_test(an_empty_one_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
