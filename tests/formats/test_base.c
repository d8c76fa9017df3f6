/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/error.h"
#include "inquest/base/fnv.h"
#include "inquest/base/huge_pages.h"
#include "inquest/base/text.h"

static void reader_never_moves_on_failure(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 'a', 0, 'b'};
    struct bytes_reader reader = bytes_reader_make(bytes, sizeof bytes);
    const uint8_t *view;
    const char *string;
    uint32_t word;
    uint64_t wide = 77;
    assert_int_equal(bytes_read_u32(&reader, &word), STATUS_OK);
    assert_int_equal(word, 0x04030201);
    assert_int_equal(bytes_read_u64(&reader, &wide), STATUS_CORRUPT);
    assert_int_equal(wide, 77);
    assert_int_equal(bytes_read_view(&reader, SIZE_MAX, &view), STATUS_CORRUPT);
    assert_int_equal(reader.position, 4);
    assert_int_equal(bytes_skip(&reader, 1), STATUS_OK);
    assert_int_equal(bytes_read_string(&reader, &string), STATUS_OK);
    assert_string_equal(string, "a");
    assert_int_equal(bytes_read_string(&reader, &string), STATUS_CORRUPT);
    assert_int_equal(bytes_reader_left(&reader), 1);
    assert_int_equal(bytes_seek(&reader, 9), STATUS_CORRUPT);
    assert_int_equal(bytes_seek(&reader, 8), STATUS_OK);
}

static void arena_keeps_what_it_gave(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    char *first = arena_strdup(&arena, "first");
    for (int i = 0; i < 5000; i++) {
        uint8_t *bytes = arena_alloc(&arena, 100);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % 16, 0);
        assert_int_equal(bytes[99], 0);
        memset(bytes, 0xFF, 100);
    }
    assert_non_null(arena_alloc(&arena, 0));
    assert_non_null(arena_alloc(&arena, 1 << 20));
    assert_null(arena_alloc(&arena, SIZE_MAX - 4));
    assert_string_equal(first, "first");
    assert_string_equal(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(arena_strndup(&arena, "abc", 2), "ab");
    arena_deinit(&arena);
    arena_deinit(NULL);
}

static void array_grows_and_refuses(void **state)
{
    (void)state;
    ARRAY(uint64_t) numbers = {0};
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(array_push(&numbers, i));
    assert_int_equal(numbers.items[999], 999);
    assert_false(array_reserve(&numbers, SIZE_MAX / 4));
    assert_int_equal(numbers.count, 1000);
    array_deinit(&numbers);
    assert_null(numbers.items);
}

static void huge_pages_hold_what_is_asked_for(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 4096, ((size_t)2 << 20) - 1, (size_t)2 << 20,
                                   (size_t)5 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *memory = huge_pages_alloc(sizes[i]);
        assert_non_null(memory);
        assert_true(sizes[i] < (size_t)2 << 20 || (uintptr_t)memory % ((size_t)2 << 20) == 0);
        memset(memory, 0x5A, sizes[i]);
        free(memory);
    }
}

static void text_keeps_utf8_whole(void **state)
{
    (void)state;
    struct text text;
    text_init(&text);
    assert_string_equal(text_string(&text), "");
    text_append_code_point(&text, 0xE9);
    text_append_code_point(&text, 0x20AC);
    text_append_code_point(&text, 0x1F600);
    text_append_code_point(&text, 0xDC80);
    assert_string_equal(text_string(&text), "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\udc80");
    text_clear(&text);
    text.limit = 4;
    text_append(&text, "ab\xE2\x82\xAC"
                       "c");
    assert_string_equal(text_string(&text), "ab");
    assert_true(text.cut && text_ok(&text));
    text_deinit(&text);
}

static void text_shows_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    struct text text;
    text_init(&text);
    text_append_bytes(&text, "a\xFF\xC3\xA9\xED\xA0\x80\xC0\x80z", 11);
    assert_string_equal(text_string(&text), "a\\xff\xC3\xA9\\xed\\xa0\\x80\\xc0\\x80z");
    text_deinit(&text);
}

static void long_printf_is_not_cut(void **state)
{
    (void)state;
    struct text text;
    char wide[1000];
    memset(wide, 'x', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    text_init(&text);
    text_printf(&text, "<%s>", wide);
    assert_int_equal(text.size, sizeof wide + 1);
    text_deinit(&text);
}

static void error_is_prefixed_within_its_size(void **state)
{
    (void)state;
    struct error err = {0};
    char wide[600];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    assert_int_equal(error_set(&err, STATUS_CORRUPT, "note %d", 3), STATUS_CORRUPT);
    assert_int_equal(error_prefix(&err, "segment %d", 2), STATUS_CORRUPT);
    assert_int_equal(error_prefix(&err, "a.core"), STATUS_CORRUPT);
    assert_string_equal(err.message, "a.core: segment 2: note 3");
    error_prefix(&err, "%s", wide);
    assert_true(strlen(err.message) < sizeof err.message);
    assert_int_equal(error_set(NULL, STATUS_IO, "nobody listens"), STATUS_IO);
}

static void sums_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    uint64_t result = 5;
    assert_false(checked_add_u64(UINT64_MAX, 1, &result));
    assert_false(checked_mul_u64(UINT64_MAX / 2, 3, &result));
    assert_false(checked_mul_add_u64(UINT64_MAX / 2, 2, 2, &result));
    assert_int_equal(result, 5);
    assert_true(checked_mul_add_u64(3, 4, 5, &result));
    assert_int_equal(result, 17);
}

/* The numbers that the authors of FNV give. */
static void fnv_is_the_known_one(void **state)
{
    (void)state;
    assert_int_equal(fnv32(FNV32_START, "", 0), 0x811c9dc5);
    assert_int_equal(fnv32(FNV32_START, "a", 1), 0xe40c292c);
    assert_int_equal(fnv32(fnv32(FNV32_START, "foo", 3), "bar", 3), 0xbf9cf968);
    assert_true(fnv64(FNV64_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(fnv64(FNV64_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_never_moves_on_failure),
        cmocka_unit_test(arena_keeps_what_it_gave),
        cmocka_unit_test(array_grows_and_refuses),
        cmocka_unit_test(huge_pages_hold_what_is_asked_for),
        cmocka_unit_test(text_keeps_utf8_whole),
        cmocka_unit_test(text_shows_bytes_that_are_no_utf8),
        cmocka_unit_test(long_printf_is_not_cut),
        cmocka_unit_test(error_is_prefixed_within_its_size),
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
        cmocka_unit_test(fnv_is_the_known_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
