/* SPDX-License-Identifier: Apache-2.0 */
/* Values as Python's repr prints them, and the bounds of what is printed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/objects/float.h"
#include "analyzer/objects/repr.h"
#include "tests/analyzer/objects_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- text */

static void strings(struct objects *objects)
{
    static const struct {
        const char *content, *text;
    } ascii[] = {
        {"", "''"},
        {"plain", "'plain'"},
        {"it's", "\"it's\""},
        {"say \"x\"", "'say \"x\"'"},
        {"both ' and \"", "'both \\' and \"'"},
        {"a\\b\tc\nd\re", "'a\\\\b\\tc\\nd\\re'"},
        {"\x01\x1b\x7f", "'\\x01\\x1b\\x7f'"},
    };
    uint64_t addrs[COUNT(ascii)];
    for (size_t i = 0; i < COUNT(ascii); i++)
        addrs[i] = objects_str(objects, ascii[i].content);
    static const uint32_t latin[] = {'h', 0xE9, 0xFF, 0x80, 0xA0, 0xAD};
    static const uint32_t wide[] = {0x65E5, 0x200B, 0xD800, 0xDC80, 0xE000, '\'', 0x3000};
    static const uint32_t widest[] = {0x1F600, 0x10FFFF, 0xE0001, 'x'};
    uint64_t latin_addr = objects_wide_str(objects, 1, latin, COUNT(latin));
    uint64_t wide_addr = objects_wide_str(objects, 2, wide, COUNT(wide));
    uint64_t widest_addr = objects_wide_str(objects, 4, widest, COUNT(widest));
    objects_open(objects);
    for (size_t i = 0; i < COUNT(ascii); i++)
        assert_string_equal(objects_repr(objects, addrs[i]), ascii[i].text);
    assert_string_equal(objects_repr(objects, latin_addr), "'h\u00e9\u00ff\\x80\\xa0\\xad'");
    assert_string_equal(objects_repr(objects, wide_addr),
                        "\"\u65e5\\u200b\\ud800\\udc80\\ue000'\\u3000\"");
    assert_string_equal(objects_repr(objects, widest_addr), "'\U0001f600\\U0010ffff\\U000e0001x'");
    text_clear(&objects->text);
    assert_int_equal(str_read(&objects->process, wide_addr, 4, &objects->text), STATUS_OK);
    assert_string_equal(text_string(&objects->text), "\u65e5\u200b\\ud800\\udc80");
}

/* U+0560 is printable from Unicode 11 on, U+1FAE8 from 15 (3.12), U+1FADC from 16 (3.14). */
static void printable_characters(void **state)
{
    (void)state;
    assert_true(code_point_is_printable(0x560, 8));
    assert_false(code_point_is_printable(0x1FAE8, 11));
    assert_true(code_point_is_printable(0x1FAE8, 12));
    assert_false(code_point_is_printable(0x1FADC, 13));
    assert_true(code_point_is_printable(0x1FADC, 14));
    assert_true(code_point_is_printable(0x1FADC, 99));
    assert_false(code_point_is_printable(0x378, 99));
    assert_false(code_point_is_printable(0x10FFFF, 15));
    assert_false(code_point_is_printable(0x110000 - 1, 15));
}

static void damaged_strings(struct objects *objects)
{
    uint64_t addrs[4];
    for (size_t i = 0; i < COUNT(addrs); i++)
        addrs[i] = objects_str(objects, "abc");
    fake_python_set(&objects->python, addrs[0], PY_unicode_length, UINT64_C(1) << 60);
    fake_python_set(&objects->python, addrs[1], PY_unicode_length, UINT64_MAX);
    objects_put_byte(objects, addrs[2] + objects_field(objects, PY_unicode_state), 0);
    objects_put_byte(objects, addrs[2] + objects_field(objects, PY_unicode_state) + 2, 0);
    fake_python_set(&objects->python, addrs[3], PY_unicode_length, 1 << 30);
    objects_open(objects);
    for (size_t i = 0; i < COUNT(addrs); i++) {
        char words[64];
        snprintf(words, sizeof words, "<str at 0x%llx damaged>", (unsigned long long)addrs[i]);
        assert_string_equal(objects_repr(objects, addrs[i]), words);
    }
    assert_string_equal(objects_repr(objects, 0x1230), "<object at 0x1230 not in the core>");
    assert_string_equal(objects_repr(objects, 0), "<NULL>");
}

static void byte_strings(struct objects *objects)
{
    uint64_t quoted = objects_bytes(objects, "it's\0\xff\t\\", 8);
    uint64_t array = objects_new(objects, objects->bytearray_type, 64);
    uint64_t data = fake_python_alloc(&objects->python, 8);
    objects_put_bytes(objects, data, "a'b", 3);
    fake_python_set(&objects->python, array, PY_var_size, 3);
    fake_python_set(&objects->python, array, PY_bytearray_start, data);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, quoted), "b\"it's\\x00\\xff\\t\\\\\"");
    bool escapes = layout_minor(&objects->process.layout) < 15;
    assert_string_equal(objects_repr(objects, array),
                        escapes ? "bytearray(b\"a\\'b\")" : "bytearray(b\"a'b\")");
}

/* ---- numbers */

static void integers(struct objects *objects)
{
    static const uint32_t digits_2_90[] = {0, 0, 0, 1}, digits_mixed[] = {123456789, 0, 987654321};
    static const uint32_t digits_huge[600] = {[599] = 1};
    uint64_t zero = objects_int(objects, 0), one = objects_int(objects, 1);
    uint64_t smallest = objects_int(objects, -INT64_MAX), seven = objects_int(objects, -7);
    uint64_t billion = objects_int(objects, 1000000000);
    uint64_t power = objects_big_int(objects, digits_2_90, 4, false);
    uint64_t mixed = objects_big_int(objects, digits_mixed, 3, true);
    uint64_t huge = objects_big_int(objects, digits_huge, 600, false);
    uint64_t yes = objects_int(objects, 1), no = objects_int(objects, 0);
    fake_python_set(&objects->python, yes, PY_object_type, objects->bool_type);
    fake_python_set(&objects->python, no, PY_object_type, objects->bool_type);
    objects_open(objects);
    int64_t value;
    assert_string_equal(objects_repr(objects, zero), "0");
    assert_string_equal(objects_repr(objects, one), "1");
    assert_string_equal(objects_repr(objects, seven), "-7");
    assert_string_equal(objects_repr(objects, billion), "1000000000");
    assert_string_equal(objects_repr(objects, smallest), "-9223372036854775807");
    assert_string_equal(objects_repr(objects, power), "1237940039285380274899124224");
    assert_string_equal(objects_repr(objects, mixed), "-1138687905798773822155640085");
    assert_string_equal(objects_repr(objects, huge), "<int of 17,971 bits>");
    assert_string_equal(objects_repr(objects, yes), "True");
    assert_string_equal(objects_repr(objects, no), "False");
    assert_int_equal(int_read(&objects->process, smallest, &value), STATUS_OK);
    assert_true(value == -INT64_MAX);
    assert_int_equal(int_read(&objects->process, power, &value), STATUS_OVER_LIMIT);
    assert_int_equal(int_read(&objects->process, objects->none, &value), STATUS_CORRUPT);
}

static void digits_of_15_bits(void **state)
{
    (void)state;
    struct objects objects;
    static const uint16_t digits[] = {0x7FFF, 1, 2};
    objects_make(&objects, python_layouts[0]);
    objects.python.layout.plus_one[PY_long_digit_bits] = 15 + 1;
    uint64_t number = objects_new(&objects, objects.python.int_type, 64);
    fake_python_set(&objects.python, number, PY_var_size, 3);
    objects_put_bytes(&objects, number + objects_field(&objects, PY_long_digits), digits,
                      sizeof digits);
    objects_open(&objects);
    assert_string_equal(objects_repr(&objects, number), "2147549183");
    objects_close(&objects);
}

static void doubles(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0.0, "0.0"},
                {-0.0, "-0.0"},
                {1.0, "1.0"},
                {0.1, "0.1"},
                {1e16, "1e+16"},
                {123456789.123, "123456789.123"},
                {9999999999999998.0, "9999999999999998.0"},
                {1e-4, "0.0001"},
                {1e-5, "1e-05"},
                {1.5e-7, "1.5e-07"},
                {1e22, "1e+22"},
                {2.0 / 3, "0.6666666666666666"},
                {5e-324, "5e-324"},
                {1.7976931348623157e308, "1.7976931348623157e+308"},
                {9007199254740993.0, "9007199254740992.0"},
                {5.684341886080802e-14, "5.684341886080802e-14"},
                {2.2250738585072014e-308, "2.2250738585072014e-308"},
                {9.5367431640625e-07, "9.5367431640625e-07"},
                {1e23, "1e+23"},
                {0x1p-1074 * 8, "4e-323"},
                {HUGE_VAL, "inf"},
                {-HUGE_VAL, "-inf"},
                {NAN, "nan"}};
    struct text text;
    text_init(&text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_clear(&text);
        double_append(&text, rows[i].value, true, false);
        assert_string_equal(text_string(&text), rows[i].text);
    }
    text_clear(&text);
    double_append(&text, 2.0, false, true);
    double_append(&text, NAN, false, true);
    assert_string_equal(text_string(&text), "+2+nan");
    text_deinit(&text);
}

static void complex_numbers(struct objects *objects)
{
    static const struct {
        double parts[2];
        const char *text;
    } rows[] = {{{1, 2}, "(1+2j)"},         {{0, 1}, "1j"},
                {{-0.0, -1}, "(-0-1j)"},    {{0, -0.0}, "-0j"},
                {{1.5, NAN}, "(1.5+nanj)"}, {{HUGE_VAL, 1e20}, "(inf+1e+20j)"}};
    uint64_t addrs[COUNT(rows)];
    for (size_t i = 0; i < COUNT(rows); i++) {
        addrs[i] = objects_new(objects, objects->complex_type, 40);
        objects_put_bytes(objects, addrs[i] + objects_field(objects, PY_complex_value),
                          rows[i].parts, sizeof rows[i].parts);
    }
    uint64_t number = objects_float(objects, 2.5);
    objects_open(objects);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(objects_repr(objects, addrs[i]), rows[i].text);
    assert_string_equal(objects_repr(objects, number), "2.5");
}

/* ---- containers */

static void sequences(struct objects *objects)
{
    uint64_t one = objects_int(objects, 1), text = objects_str(objects, "a");
    uint64_t items[] = {one, text, objects->none};
    uint64_t empty_tuple = objects_tuple(objects, NULL, 0),
             single = objects_tuple(objects, &one, 1);
    uint64_t triple = objects_tuple(objects, items, 3), empty = objects_list(objects, NULL, 0);
    uint64_t inner[] = {single, triple, empty, empty_tuple};
    uint64_t nested = objects_list(objects, inner, 4);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, single), "(1,)");
    assert_string_equal(objects_repr(objects, nested), "[(1,), (1, 'a', None), [], ()]");
    uint64_t items_addr, count;
    assert_int_equal(list_items(&objects->process, nested, &items_addr, &count), STATUS_OK);
    assert_int_equal(count, 4);
    assert_int_equal(tuple_items(&objects->process, nested, &items_addr, &count), STATUS_CORRUPT);
}

static void put_in_set(struct objects *objects, uint64_t table, size_t slot, uint64_t key,
                       uint64_t hash)
{
    uint64_t entry = table + slot * objects_field(objects, PY_set_entry_size);
    fake_python_put(&objects->python, entry + objects_field(objects, PY_set_entry_key), key);
    fake_python_put(&objects->python, entry + objects_field(objects, PY_set_entry_key) + 8, hash);
}

static void sets(struct objects *objects)
{
    uint64_t frozen_type =
        objects_type(objects, "frozenset", objects->object_type, PYTHON_FIELD_COUNT);
    uint64_t table = fake_python_alloc(&objects->python, 8 * 16);
    uint64_t removed = objects_str(objects, "removed");
    put_in_set(objects, table, 1, objects_int(objects, 9), 9);
    put_in_set(objects, table, 3, removed, UINT64_MAX);
    put_in_set(objects, table, 6, objects_int(objects, 6), 6);
    uint64_t class = objects_class(objects, "m", "MySet", objects->set_type, 0, NULL, NULL);
    uint64_t types[] = {objects->set_type, frozen_type, class}, full[3], empty[3];
    for (size_t i = 0; i < 3; i++) {
        full[i] = objects_new(objects, types[i], 200);
        empty[i] = objects_new(objects, types[i], 200);
        fake_python_set(&objects->python, full[i], PY_set_used, 2);
        fake_python_set(&objects->python, full[i], PY_set_mask, 7);
        fake_python_set(&objects->python, empty[i], PY_set_mask, 7);
        fake_python_set(&objects->python, full[i], PY_set_table, table);
        fake_python_set(&objects->python, empty[i], PY_set_table, table);
    }
    uint64_t lying = objects_new(objects, objects->set_type, 200);
    fake_python_set(&objects->python, lying, PY_set_used, 100);
    fake_python_set(&objects->python, lying, PY_set_mask, 7);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, full[0]), "{9, 6}");
    assert_string_equal(objects_repr(objects, full[1]), "frozenset({9, 6})");
    assert_string_equal(objects_repr(objects, full[2]), "MySet({9, 6})");
    assert_string_equal(objects_repr(objects, empty[0]), "set()");
    assert_string_equal(objects_repr(objects, empty[1]), "frozenset()");
    assert_string_equal(objects_repr(objects, empty[2]), "MySet()");
    assert_non_null(strstr(objects_repr(objects, lying), "damaged"));
}

static void deques(struct objects *objects)
{
    uint64_t type =
        objects_type(objects, "collections.deque", objects->object_type, PYTHON_FIELD_COUNT);
    uint64_t length = objects_field(objects, PY_deque_block_length);
    uint64_t left = fake_python_alloc(&objects->python, 8 * length + 32);
    uint64_t right = fake_python_alloc(&objects->python, 8 * length + 32);
    uint64_t data = objects_field(objects, PY_deque_block_data);
    fake_python_put(&objects->python, left + data + 8 * (length - 1), objects_int(objects, 1));
    fake_python_set(&objects->python, left, PY_deque_block_right, right);
    fake_python_put(&objects->python, right + data, objects_int(objects, 2));
    uint64_t deque = objects_new(objects, type, 256), bounded = objects_new(objects, type, 256);
    fake_python_set(&objects->python, deque, PY_var_size, 2);
    fake_python_set(&objects->python, deque, PY_deque_left_block, left);
    fake_python_set(&objects->python, deque, PY_deque_left_index, length - 1);
    fake_python_set(&objects->python, deque, PY_deque_maxlen, UINT64_MAX);
    fake_python_set(&objects->python, bounded, PY_deque_maxlen, 5);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, deque), "deque([1, 2])");
    assert_string_equal(objects_repr(objects, bounded), "deque([], maxlen=5)");
}

static void recursion(struct objects *objects)
{
    uint64_t list = objects_list(objects, &objects->none, 1), array;
    uint64_t tuple = objects_tuple(objects, &list, 1);
    memcpy(&array,
           objects->python.bytes + (list - FAKE_PYTHON_BASE) +
               objects_field(objects, PY_list_items),
           8);
    fake_python_put(&objects->python, array, tuple);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, list), "[([...],)]");
    assert_string_equal(objects_repr(objects, tuple), "([(...)],)");
}

/* Forms that Python doesn't count as containers end too. */
static void a_range_of_itself(struct objects *objects)
{
    uint64_t type = objects_type(objects, "range", objects->object_type, PYTHON_FIELD_COUNT);
    uint64_t range = objects_new(objects, type, 64);
    fake_python_set(&objects->python, range, PY_range_start, range);
    fake_python_set(&objects->python, range, PY_range_stop, range);
    fake_python_set(&objects->python, range, PY_range_step, range);
    objects_open(objects);
    assert_true(strlen(objects_repr(objects, range)) <= repr_limits_default.total_size + 3);
}

/* ---- bounds */

static void depth(struct objects *objects)
{
    uint64_t value = objects_int(objects, 1);
    for (int i = 0; i < 6; i++)
        value = objects_list(objects, &value, 1);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, value), "[[[[…]]]]");
    struct repr_limits deeper = {.depth = 6, .items = 20};
    text_clear(&objects->text);
    object_repr(&objects->process, value, &deeper, &objects->text);
    assert_string_equal(text_string(&objects->text), "[[[[[[1]]]]]]");
}

static void lengths(struct objects *objects)
{
    uint64_t items[1000];
    for (size_t i = 0; i < COUNT(items); i++)
        items[i] = objects->none;
    char *long_text = calloc(1, 12001);
    assert_non_null(long_text);
    memset(long_text, 'x', 12000);
    uint64_t list = objects_list(objects, items, COUNT(items));
    uint64_t str = objects_str(objects, long_text), bytes = objects_bytes(objects, long_text, 201);
    uint64_t strs[40];
    for (size_t i = 0; i < COUNT(strs); i++)
        strs[i] = str;
    uint64_t many = objects_list(objects, strs, COUNT(strs));
    uint64_t lying = objects_list(objects, items, 3);
    fake_python_set(&objects->python, lying, PY_var_size, UINT64_C(1) << 58);
    free(long_text);
    objects_open(objects);
    const char *text = objects_repr(objects, list);
    assert_non_null(strstr(text, "None, None, … 960 more]"));
    assert_int_equal(strlen(text), 1 + 40 * 6 + strlen("… 960 more]"));
    text = objects_repr(objects, str);
    assert_int_equal(strlen(text), 202 + strlen("… 12,000 characters"));
    assert_non_null(strstr(text, "x'… 12,000 characters"));
    assert_non_null(strstr(objects_repr(objects, bytes), "x'… 201 bytes"));
    text = objects_repr(objects, many);
    assert_int_equal(strlen(text), repr_limits_default.total_size + strlen("…"));
    assert_string_equal(text + repr_limits_default.total_size, "…");
    assert_false(objects->text.cut);
    assert_string_equal(objects_repr(objects, lying), "[<damaged>]");
}

/* The bound is of this value alone, and a tighter one of the text stays. */
static void bounds_of_a_text_in_use(struct objects *objects)
{
    uint64_t str = objects_str(objects, "0123456789");
    struct repr_limits limits = {.total_size = 6};
    objects_open(objects);
    text_append(&objects->text, "before ");
    object_repr(&objects->process, str, &limits, &objects->text);
    text_append(&objects->text, " after");
    assert_string_equal(text_string(&objects->text), "before '01234… after");
    text_clear(&objects->text);
    objects->text.limit = 4;
    object_repr(&objects->process, str, &limits, &objects->text);
    assert_string_equal(text_string(&objects->text), "'012");
    assert_true(objects->text.cut);
    assert_int_equal(objects->text.limit, 4);
    objects->text.limit = 0;
}

#define EACH_VERSION(name)                                                                         \
    static void name##_in_each_version(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH_VERSION(strings)
EACH_VERSION(damaged_strings)
EACH_VERSION(byte_strings)
EACH_VERSION(integers)
EACH_VERSION(complex_numbers)
EACH_VERSION(sequences)
EACH_VERSION(sets)
EACH_VERSION(deques)
EACH_VERSION(recursion)
EACH_VERSION(a_range_of_itself)
EACH_VERSION(depth)
EACH_VERSION(lengths)
EACH_VERSION(bounds_of_a_text_in_use)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_in_each_version),
        cmocka_unit_test(printable_characters),
        cmocka_unit_test(damaged_strings_in_each_version),
        cmocka_unit_test(byte_strings_in_each_version),
        cmocka_unit_test(integers_in_each_version),
        cmocka_unit_test(digits_of_15_bits),
        cmocka_unit_test(doubles),
        cmocka_unit_test(complex_numbers_in_each_version),
        cmocka_unit_test(sequences_in_each_version),
        cmocka_unit_test(sets_in_each_version),
        cmocka_unit_test(deques_in_each_version),
        cmocka_unit_test(recursion_in_each_version),
        cmocka_unit_test(a_range_of_itself_in_each_version),
        cmocka_unit_test(depth_in_each_version),
        cmocka_unit_test(lengths_in_each_version),
        cmocka_unit_test(bounds_of_a_text_in_use_in_each_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
