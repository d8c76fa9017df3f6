/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/runtime/heap_roots.h"
#include "tests/analyzer/objects_fixture.h"
#include "tests/helpers/fake_pool.h"

#define POOLS_AT 0x1C0000u /* of the process's data: past all that the fixture makes */
#define BLOCK    64u

static void set(struct objects *objects, uint64_t addr, enum python_field field, uint64_t word)
{
    fake_python_set(&objects->python, addr, field, word);
}

static uint32_t pool_bytes(const struct objects *objects)
{
    const struct python_process process = {.layout = objects->python.layout};
    return (uint32_t)pool_size(&process);
}

/* The n-th pool of the test, all of whose blocks are in use; its address. */
static uint64_t make_pool(struct objects *objects, uint32_t n, uint32_t carved)
{
    uint32_t at = POOLS_AT + n * pool_bytes(objects);
    assert_true(objects->python.used < POOLS_AT);
    fake_pool_make(objects->python.bytes + at, pool_bytes(objects), BLOCK, carved);
    return FAKE_PYTHON_BASE + at;
}

static uint64_t block_at(uint64_t pool_addr, uint32_t block)
{
    return pool_addr + POOL_HEADER_BYTES + (uint64_t)block * BLOCK;
}

static uint64_t put_object(struct objects *objects, uint64_t addr, uint64_t type, uint64_t count)
{
    set(objects, addr, PY_object_refcnt, count);
    set(objects, addr, PY_object_type, type);
    return addr;
}

static uint64_t make_class(struct objects *objects, const char *name, uint64_t flags,
                           uint64_t basicsize)
{
    uint64_t class = objects_class(objects, "shop", name, objects->object_type, flags, NULL, NULL);
    set(objects, class, PY_type_basicsize, basicsize);
    return class;
}

static uint64_t flag(struct objects *objects, enum python_field field)
{
    return layout_has(&objects->python.layout, field) ? objects_field(objects, field) : 0;
}

static void find(struct objects *objects, struct heap_find *ret_find)
{
    objects_open(objects);
    assert_int_equal(heap_find_objects(&objects->process, NULL, ret_find), STATUS_OK);
}

static uint64_t listed_count(const struct heap_find *find)
{
    uint64_t count = 0;
    for (size_t i = 0; i < COUNT_OF(find->generation_count); i++)
        count += find->generation_count[i];
    return count;
}

/* ---- pools */

/* 3.11 has no flag of its own for the words in front. */
static uint64_t pre_header(struct objects *objects)
{
    uint64_t own = flag(objects, PY_constant_tpflags_preheader);
    return own ? own : flag(objects, PY_constant_tpflags_managed_dict);
}

static void objects_stand_behind_their_headers(struct objects *objects)
{
    uint64_t collected = flag(objects, PY_constant_tpflags_have_gc), managed = pre_header(objects);
    managed &= -managed; /* one of the two kinds of words is enough */
    uint64_t plain = make_class(objects, "Plain", 0, 16);
    uint64_t in_list = make_class(objects, "Listed", collected, 16);
    uint64_t with_dict = make_class(objects, "WithDict", collected | managed, 16);
    uint64_t pool = make_pool(objects, 0, 5);
    uint64_t found[4] = {
        put_object(objects, block_at(pool, 0), plain, 1),
        put_object(objects, block_at(pool, 1) + 16, in_list, 3),
        put_object(objects, block_at(pool, 2) + (managed ? 32 : 16), with_dict, 1),
    };
    put_object(objects, block_at(pool, 3), in_list, 1);    /* its header is missing */
    put_object(objects, block_at(pool, 4) + 16, plain, 1); /* it has none */
    struct heap_find result;
    find(objects, &result);
    for (size_t i = 0; i < 3; i++)
        assert_true(heap_map_has(result.objects, found[i]));
    assert_false(heap_map_has(result.objects, block_at(pool, 3)));
    assert_false(heap_map_has(result.objects, block_at(pool, 4) + 16));
    assert_int_equal(result.object_blocks, 3);
    assert_int_equal(result.other_blocks, 2);
    assert_int_equal(result.other_bytes, 2 * BLOCK);
    assert_int_equal(listed_count(&result), 0);
    heap_find_deinit(&result);
}

/* A compact str is smaller than its type says; others must fit their block. */
static void objects_fit_their_blocks(struct objects *objects)
{
    uint64_t large = make_class(objects, "Large", 0, BLOCK + 1);
    uint64_t fitting = make_class(objects, "Fitting", 0, BLOCK);
    uint64_t none = make_class(objects, "None", 0, 8);
    set(objects, objects->python.str_type, PY_type_basicsize, 80);
    uint64_t pool = make_pool(objects, 0, 4);
    put_object(objects, block_at(pool, 0), objects->python.str_type, 1);
    put_object(objects, block_at(pool, 1), large, 1);
    put_object(objects, block_at(pool, 2), fitting, 1);
    put_object(objects, block_at(pool, 3), none, 1);
    struct heap_find result;
    find(objects, &result);
    assert_true(heap_map_has(result.objects, block_at(pool, 0)));
    assert_false(heap_map_has(result.objects, block_at(pool, 1)));
    assert_true(heap_map_has(result.objects, block_at(pool, 2)));
    assert_false(heap_map_has(result.objects, block_at(pool, 3)));
    heap_find_deinit(&result);
}

/* The type is not known before the pool is read. What stands behind the object's head, and
 * looks like one, must not make it forgotten. */
static void a_pool_waits_for_an_unknown_type_whatever_follows(struct objects *objects)
{
    uint64_t plain = make_class(objects, "Plain", 0, BLOCK);
    uint64_t block = block_at(make_pool(objects, 0, 1), 0);
    put_object(objects, block, plain, 1);
    put_object(objects, block + 16, UINT64_C(10800) << 32, 1); /* three hours, to a timedelta */
    struct heap_find result;
    find(objects, &result);
    assert_true(heap_map_has(result.objects, block));
    assert_false(heap_map_has(result.objects, block + 16));
    assert_int_equal(result.object_blocks, 1);
    heap_find_deinit(&result);
}

static void freed_memory_is_no_object(struct objects *objects)
{
    uint64_t plain = make_class(objects, "Plain", 0, 16);
    uint64_t pool = make_pool(objects, 1, 6);
    for (uint32_t block = 0; block < 6; block++)
        put_object(objects, block_at(pool, block), plain, 1);
    put_object(objects, block_at(pool, 1), plain, 0); /* kept in a free list of its type */
    fake_python_put(&objects->python, block_at(pool, 2), block_at(pool, 4)); /* an address */
    set(objects, block_at(pool, 3), PY_object_type, objects->none);
    set(objects, block_at(pool, 4), PY_object_type, 0);
    fake_pool_free(objects->python.bytes + (pool - FAKE_PYTHON_BASE), pool, 5);
    struct heap_find result;
    find(objects, &result);
    assert_true(heap_map_has(result.objects, block_at(pool, 0)));
    for (uint32_t block = 1; block < 6; block++)
        assert_false(heap_map_has(result.objects, block_at(pool, block)));
    heap_find_deinit(&result);
}

static void put_value(struct objects *objects, uint64_t addr, uint64_t type,
                      enum python_field count_field, uint64_t count)
{
    put_object(objects, addr, type, 1);
    set(objects, addr, count_field, count);
}

static void put_compact_str(struct objects *objects, uint64_t addr, uint64_t length)
{
    put_value(objects, addr, objects->python.str_type, PY_unicode_length, length);
    uint32_t state = 1U << objects_field(objects, PY_unicode_compact_shift);
    memcpy(objects->python.bytes + (addr - FAKE_PYTHON_BASE) +
               objects_field(objects, PY_unicode_state),
           &state, sizeof state);
}

/* What claims more items than its block has room for is something else. */
static void values_fit_their_blocks(struct objects *objects)
{
    bool has_tag = layout_has(&objects->python.layout, PY_long_tag);
    enum python_field digits = has_tag ? PY_long_tag : PY_var_size;
    uint64_t digit_room = (BLOCK - objects_field(objects, PY_long_digits)) / 4;
    uint64_t text_room = BLOCK - objects_field(objects, PY_unicode_ascii_header_size);
    set(objects, objects->python.str_type, PY_type_basicsize, 80);
    set(objects, objects->bytes_type, PY_type_basicsize, 33);
    set(objects, objects->bytes_type, PY_type_itemsize, 1);
    set(objects, objects->python.int_type, PY_type_basicsize, 24);
    set(objects, objects->python.int_type, PY_type_itemsize, 4);
    uint64_t pool = make_pool(objects, 0, 8);
    put_value(objects, block_at(pool, 0), objects->bytes_type, PY_var_size, BLOCK - 33);
    put_value(objects, block_at(pool, 1), objects->bytes_type, PY_var_size, BLOCK - 33 + 1);
    put_value(objects, block_at(pool, 2), objects->python.int_type, digits,
              has_tag ? digit_room << 3 : -digit_room);
    put_value(objects, block_at(pool, 3), objects->python.int_type, digits,
              has_tag ? (digit_room + 1) << 3 : -(digit_room + 1));
    put_compact_str(objects, block_at(pool, 4), text_room);
    put_compact_str(objects, block_at(pool, 5), text_room + 1);
    put_value(objects, block_at(pool, 6), objects->python.str_type, PY_unicode_length, BLOCK);
    put_value(objects, block_at(pool, 7), objects->bytes_type, PY_var_size, UINT64_MAX);
    struct heap_find result;
    find(objects, &result);
    for (uint32_t block = 0; block < 8; block++)
        assert_int_equal(heap_map_has(result.objects, block_at(pool, block)),
                         block % 2 == 0); /* text of block 6 is elsewhere */
    heap_find_deinit(&result);
}

/* What words lead to: freed memory, even with a count, and the middle of a block are
 * no objects; memory that is no pool is not judged by one. */
static void pools_know_what_lives(struct objects *objects)
{
    uint64_t plain = make_class(objects, "Plain", 0, 16), pool = make_pool(objects, 0, 4);
    uint64_t elsewhere = put_object(objects, objects_new(objects, plain, 16), plain, 1);
    for (uint32_t block = 0; block < 4; block++) {
        put_object(objects, block_at(pool, block), plain, 1);
        put_object(objects, block_at(pool, block) + 16, plain, 1);
    }
    uint64_t middle = put_object(objects, block_at(pool, 1) + 40, plain, 1);
    fake_pool_free(objects->python.bytes + (pool - FAKE_PYTHON_BASE), pool, 2);
    objects_open(objects);
    assert_true(object_may_be_at(&objects->process, elsewhere, true));
    assert_true(object_may_be_at(&objects->process, block_at(pool, 1), true));
    assert_true(object_may_be_at(&objects->process, block_at(pool, 1) + 16, true));
    assert_non_null(object_alive_at(&objects->process, middle));
    assert_false(object_may_be_at(&objects->process, middle, true));
    assert_non_null(object_alive_at(&objects->process, block_at(pool, 2) + 16));
    assert_false(object_may_be_at(&objects->process, block_at(pool, 2) + 16, true));
    assert_false(object_may_be_at(&objects->process, block_at(pool, 4), true));
    assert_true(object_may_be_at(&objects->process, elsewhere, false));
    assert_false(object_may_be_at(&objects->process, block_at(pool, 1) + 16, false));
}

/* A stale word leads to where an object was. There is an int now: its size and, as its
 * digits, the address of a type. */
static void a_type_address_kept_as_int_makes_no_object(struct objects *objects)
{
    const uint64_t not_as_object[] = {8, objects->bytearray_type, 1, 12000000, 0, 0};
    uint64_t pool = make_pool(objects, 0, 4);
    uint64_t holder = put_object(objects, block_at(pool, 0), objects->object_type, 1);
    uint64_t number = put_object(objects, block_at(pool, 1), objects->python.int_type, 1);
    struct outside_references outside = {0};
    struct heap heap;
    struct error err = {0};
    uint32_t object;
    set(objects, objects->object_type, PY_type_basicsize, 16);
    objects_put_bytes(objects, number + 16, not_as_object, sizeof not_as_object);
    objects_open(objects);
    const struct outside_reference words[] = {
        {.addr = holder, .kind = ROOT_STATIC, .certainty = OUTSIDE_WORD},
        {.addr = number + 16, .kind = ROOT_STATIC, .certainty = OUTSIDE_WORD}};
    for (size_t i = 0; i < 2; i++)
        assert_true(array_push(&outside.items, words[i]));
    assert_non_null(object_alive_at(&objects->process, number + 16));
    assert_int_equal(heap_build(&objects->process, &outside, NULL, &heap, &err), STATUS_OK);
    assert_true(heap_map_id(heap.find.objects, holder, &object));
    assert_false(heap_map_id(heap.find.objects, number + 16, &object));
    for (uint32_t i = 0; i < heap.count; i++)
        assert_true(heap_size(&heap, i) < 12000000);
    heap_deinit(&heap);
    outside_references_deinit(&outside);
}

/* A bytearray has its bytes somewhere. */
static void a_bytearray_needs_its_bytes(struct objects *objects)
{
    const struct python_type *type;
    uint64_t bytes = objects_new(objects, objects->object_type, 64), addrs[3];
    set(objects, objects->bytearray_type, PY_type_basicsize, 56);
    for (size_t i = 0; i < 3; i++) {
        addrs[i] = put_object(objects, objects_new(objects, objects->bytearray_type, 64),
                              objects->bytearray_type, 1);
        set(objects, addrs[i], PY_bytearray_alloc, i == 1 ? 12000000 : 64);
        set(objects, addrs[i], PY_bytearray_start, i == 2 ? 8 : bytes);
    }
    objects_open(objects);
    assert_int_equal(type_at(&objects->process, objects->bytearray_type, &type), STATUS_OK);
    assert_true(object_fits_memory(&objects->process, addrs[0], type));
    assert_false(object_fits_memory(&objects->process, addrs[1], type));
    assert_false(object_fits_memory(&objects->process, addrs[2], type));
}

/* ---- the collector's lists */

static uint64_t collector(struct objects *objects)
{
    const struct fake_python *python = &objects->python;
    return layout_has(&python->layout, PY_interp_gc)
               ? python->interp + objects_field(objects, PY_interp_gc)
               : python->runtime + objects_field(objects, PY_runtime_gc);
}

static uint64_t list_head(struct objects *objects, unsigned generation)
{
    return collector(objects) + objects_field(objects, PY_gc_generations) +
           generation * objects_field(objects, PY_gc_generation_size);
}

#define RING 3

/* A ring of objects outside of pools around the head of a list; their addresses. */
static void make_ring_at(struct objects *objects, uint64_t head, uint64_t ret_addrs[RING])
{
    uint64_t class = make_class(objects, "Listed", flag(objects, PY_constant_tpflags_have_gc), 16);
    uint64_t link = head;
    for (unsigned i = 0; i < RING; i++) {
        ret_addrs[i] = objects_new(objects, class, 64);
        fake_python_put(&objects->python, link, (ret_addrs[i] - 16) | (i & 1));
        link = ret_addrs[i] - 16;
    }
    fake_python_put(&objects->python, link, head);
}

static void make_ring(struct objects *objects, unsigned generation, uint64_t ret_addrs[RING])
{
    make_ring_at(objects, list_head(objects, generation), ret_addrs);
}

static void objects_on_lists_are_tracked(struct objects *objects)
{
    uint64_t first[RING], second[RING];
    make_ring(objects, 0, first);
    make_ring(objects, 2, second);
    struct heap_find result;
    find(objects, &result);
    for (unsigned i = 0; i < RING; i++) {
        assert_true(heap_map_has(result.objects, first[i]));
        assert_true(heap_map_has(result.tracked, first[i]));
        assert_true(heap_map_has(result.tracked, second[i]));
    }
    assert_int_equal(listed_count(&result), 2 * RING);
    assert_null(result.note);
    heap_find_deinit(&result);
}

/* What is frozen is tracked, but for the immortals that 3.12's collector puts there itself. */
static void frozen_immortals_are_not_tracked(struct objects *objects)
{
    uint64_t addrs[RING];
    bool has_immortals = layout_minor(&objects->python.layout) >= 12;
    if (!layout_has(&objects->python.layout, PY_gc_permanent))
        return;
    make_ring_at(objects, collector(objects) + objects_field(objects, PY_gc_permanent), addrs);
    set(objects, addrs[1], PY_object_refcnt, has_immortals ? UINT32_MAX : 1);
    struct heap_find result;
    find(objects, &result);
    assert_int_equal(listed_count(&result), RING);
    for (unsigned i = 0; i < RING; i++) {
        assert_true(heap_map_has(result.objects, addrs[i]));
        assert_int_equal(heap_map_has(result.tracked, addrs[i]), i != 1 || !has_immortals);
    }
    assert_null(result.note);
    heap_find_deinit(&result);
}

static void assert_cut_ring(struct objects *objects, uint64_t count)
{
    struct heap_find result;
    find(objects, &result);
    assert_non_null(result.note);
    assert_int_equal(listed_count(&result), count);
    heap_find_deinit(&result);
}

static void a_list_that_loops_ends(struct objects *objects)
{
    uint64_t addrs[RING];
    make_ring(objects, 0, addrs);
    fake_python_put(&objects->python, addrs[2] - 16, addrs[1] - 16);
    assert_cut_ring(objects, RING);
}

static void a_list_to_nowhere_ends(struct objects *objects)
{
    uint64_t addrs[RING];
    make_ring(objects, 1, addrs);
    fake_python_put(&objects->python, addrs[1] - 16, UINT64_C(0x123456789000));
    assert_cut_ring(objects, RING - 1);
}

static void a_list_to_a_freed_object_ends(struct objects *objects)
{
    uint64_t addrs[RING];
    make_ring(objects, 0, addrs);
    set(objects, addrs[2], PY_object_refcnt, 0);
    assert_cut_ring(objects, RING - 1);
}

/* One bad object does not hide those behind it. */
static void a_list_goes_on_behind_a_damaged_object(struct objects *objects)
{
    uint64_t addrs[RING];
    make_ring(objects, 0, addrs);
    fake_python_put(&objects->python, addrs[1] - 8, (addrs[0] - 16) | 1);
    set(objects, addrs[1], PY_object_type, UINT64_C(0x123456789000));
    struct heap_find result;
    find(objects, &result);
    assert_non_null(result.note);
    assert_int_equal(listed_count(&result), RING - 1);
    assert_false(heap_map_has(result.tracked, addrs[1]));
    assert_true(heap_map_has(result.tracked, addrs[2]));
    heap_find_deinit(&result);
}

/* ---- reference counts */

static void immortal_counts(struct objects *objects)
{
    unsigned minor = layout_minor(&objects->python.layout);
    uint64_t mortal = objects_new(objects, objects->object_type, 16), count;
    uint64_t immortal = objects_new(objects, objects->object_type, 16);
    set(objects, mortal, PY_object_refcnt, 17);
    set(objects, immortal, PY_object_refcnt,
        minor >= 14   ? UINT64_C(0x1C0000000)
        : minor >= 12 ? UINT32_MAX
                      : 999999999);
    uint64_t taken = objects_new(objects, objects->object_type, 16); /* more often than given */
    set(objects, taken, PY_object_refcnt, minor >= 12 ? UINT32_C(0xBFFFFFFF) : 999999990);
    uint64_t carried = objects_new(objects, objects->object_type, 16);
    set(objects, carried, PY_object_refcnt, UINT64_C(0x100000002)); /* an immortal, from 3.11 on */
    uint64_t listed = objects_new(objects, objects->object_type, 16);
    set(objects, listed, PY_object_refcnt, UINT64_C(0x7F1200000040)); /* an address */
    objects_open(objects);
    assert_int_equal(object_refcount(&objects->process, mortal, &count), STATUS_OK);
    assert_int_equal(count, 17);
    assert_int_equal(object_refcount(&objects->process, carried, &count), STATUS_OK);
    assert_int_equal(count, minor >= 11 ? UINT64_MAX : UINT64_C(0x100000002));
    assert_null(object_alive_at(&objects->process, listed));
    assert_int_equal(object_refcount(&objects->process, taken, &count), STATUS_OK);
    assert_int_equal(count, minor >= 11 ? UINT64_MAX : 999999990);
    assert_int_equal(object_refcount(&objects->process, immortal, &count), STATUS_OK);
    assert_int_equal(count, minor >= 11 ? UINT64_MAX : 999999999);
    assert_non_null(object_alive_at(&objects->process, immortal));
    assert_null(object_alive_at(&objects->process, immortal + 4));
    assert_null(object_alive_at(&objects->process, 8));
}

/* An entry of a table, {hash, type}, may look like an object: not to the collector. */
static void headers_agree(struct objects *objects)
{
    uint64_t collected = flag(objects, PY_constant_tpflags_have_gc);
    uint64_t listed = make_class(objects, "Listed", collected, 16);
    uint64_t plain = make_class(objects, "Plain", 0, 16);
    uint64_t pool = make_pool(objects, 0, 6);
    uint64_t blocks[6];
    for (uint32_t i = 0; i < 6; i++)
        blocks[i] = put_object(objects, block_at(pool, i) + 16, i < 5 ? listed : plain, 1);
    fake_python_put(&objects->python, blocks[1] - 16, blocks[2] - 16); /* to 2 and back */
    fake_python_put(&objects->python, blocks[2] - 8, blocks[1] - 16);
    fake_python_put(&objects->python, blocks[2] - 16, blocks[1] - 16);
    fake_python_put(&objects->python, blocks[1] - 8, blocks[2] - 16);
    fake_python_put(&objects->python, blocks[3] - 16, blocks[1] - 16); /* to 1, not back */
    fake_python_put(&objects->python, blocks[4] - 8, 0x1234560);       /* on no list, yet linked */
    fake_python_put(&objects->python, blocks[5] - 16, blocks[1] - 16); /* anything */
    objects_open(objects);
    static const bool agree[6] = {true, true, true, false, false, true};
    for (size_t i = 0; i < 6; i++) {
        const struct python_type *type = object_alive_at(&objects->process, blocks[i]);
        assert_non_null(type);
        assert_int_equal(object_header_agrees(&objects->process, blocks[i], type), agree[i]);
    }
}

#define TEST_EACH_VERSION(name)                                                                    \
    static void each_##name(void **unused)                                                         \
    {                                                                                              \
        (void)unused;                                                                              \
        objects_each_version(name);                                                                \
    }
TEST_EACH_VERSION(objects_stand_behind_their_headers)
TEST_EACH_VERSION(objects_fit_their_blocks)
TEST_EACH_VERSION(a_pool_waits_for_an_unknown_type_whatever_follows)
TEST_EACH_VERSION(freed_memory_is_no_object)
TEST_EACH_VERSION(values_fit_their_blocks)
TEST_EACH_VERSION(pools_know_what_lives)
TEST_EACH_VERSION(a_type_address_kept_as_int_makes_no_object)
TEST_EACH_VERSION(a_bytearray_needs_its_bytes)
TEST_EACH_VERSION(objects_on_lists_are_tracked)
TEST_EACH_VERSION(frozen_immortals_are_not_tracked)
TEST_EACH_VERSION(a_list_that_loops_ends)
TEST_EACH_VERSION(a_list_to_nowhere_ends)
TEST_EACH_VERSION(a_list_to_a_freed_object_ends)
TEST_EACH_VERSION(a_list_goes_on_behind_a_damaged_object)
TEST_EACH_VERSION(headers_agree)
TEST_EACH_VERSION(immortal_counts)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_objects_stand_behind_their_headers),
        cmocka_unit_test(each_objects_fit_their_blocks),
        cmocka_unit_test(each_a_pool_waits_for_an_unknown_type_whatever_follows),
        cmocka_unit_test(each_freed_memory_is_no_object),
        cmocka_unit_test(each_values_fit_their_blocks),
        cmocka_unit_test(each_pools_know_what_lives),
        cmocka_unit_test(each_a_type_address_kept_as_int_makes_no_object),
        cmocka_unit_test(each_a_bytearray_needs_its_bytes),
        cmocka_unit_test(each_objects_on_lists_are_tracked),
        cmocka_unit_test(each_frozen_immortals_are_not_tracked),
        cmocka_unit_test(each_a_list_that_loops_ends),
        cmocka_unit_test(each_a_list_to_nowhere_ends),
        cmocka_unit_test(each_a_list_to_a_freed_object_ends),
        cmocka_unit_test(each_a_list_goes_on_behind_a_damaged_object),
        cmocka_unit_test(each_headers_agree),
        cmocka_unit_test(each_immortal_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
