/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "formats/profiles/frame_label.h"
#include "formats/profiles/number.h"
#include "formats/profiles/svg_reader.h"

static void check_part(const char *part, size_t size, const char *wanted)
{
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(part, wanted, size);
}

static void test_spy_labels(void **state)
{
    (void)state;
    static const struct {
        const char *label, *name, *file;
        int32_t line;
    } rows[] = {
        {"main (app.py:12)", "main", "app.py", 12},
        {"<genexpr> (a/b.py:3)", "<genexpr>", "a/b.py", 3},
        {"main (app.py)", "main", "app.py", 0},
        {"main", "main", "", 0},
        {"f (C:\\Program Files (x86)\\a.py:5)", "f", "C:\\Program Files (x86)\\a.py", 5},
        {"f (C:\\a.py)", "f", "C:\\a.py", 0},
        {"f (a:b.py:7)", "f", "a:b.py", 7},
        {"f (my dir/my file.py:7)", "f", "my dir/my file.py", 7},
        {"f (dir (old)/a (1).py:9)", "f", "dir (old)/a (1).py", 9},
        {"f (a(b/c.py:4)", "f", "a(b/c.py", 4},
        {"f (a)b/c.py:5)", "f", "a)b/c.py", 5},
        {"f (a ( b.py:5)", "f", "a ( b.py", 5},
        {"foo(int, char (*)[3]) (lib.so)", "foo(int, char (*)[3])", "lib.so", 0},
        {"std::f<void (int)>::g() const (l.so:2)", "std::f<void (int)>::g() const", "l.so", 2},
        {"0x7f00 (?)", "0x7f00", "?", 0},
        {"f (<frozen importlib._bootstrap>:1078)", "f", "<frozen importlib._bootstrap>", 1078},
        {"f (caf\xe9/\xff.py:8)", "f", "caf\xe9/\xff.py", 8},
        {"f (a.py:)", "f", "a.py:", 0},
        {"f (a.py:99999999999)", "f", "a.py:99999999999", 0},
        {"f (a.py:-1)", "f", "a.py", 0},
        {"f (:3)", "f", "", 3},
        {"(a.py:3)", "(a.py:3)", "", 0},
        {" (a)", "", "a", 0},
        {"f()", "f()", "", 0},
        {")", ")", "", 0},
        {"", "", "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frame_label parts =
            frame_label_split(LABEL_SPY, rows[i].label, strlen(rows[i].label));
        check_part(parts.name, parts.name_size, rows[i].name);
        check_part(parts.file ? parts.file : "", parts.file_size, rows[i].file);
        assert_int_equal(parts.line, rows[i].line);
    }
}

static void test_colon_labels(void **state)
{
    (void)state;
    static const struct {
        const char *label, *name, *file;
        int32_t line;
    } rows[] = {
        {"app.py:Shop.total:44", "Shop.total", "app.py", 44},
        {"C:\\a.py:f:1", "f", "C:\\a.py", 1},
        {"<frozen runpy>:_run_code:87", "_run_code", "<frozen runpy>", 87},
        {"a.py:f:-1", "f", "a.py", 0},
        {"<native>", "<native>", "", 0},
        {":GC:", ":GC:", "", 0},
        {":3 FRAMES LEFT:", ":3 FRAMES LEFT:", "", 0},
        {"a:b", "a:b", "", 0},
        {"a.py::3", "", "a.py", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frame_label parts =
            frame_label_split(LABEL_COLONS, rows[i].label, strlen(rows[i].label));
        check_part(parts.name, parts.name_size, rows[i].name);
        check_part(parts.file ? parts.file : "", parts.file_size, rows[i].file);
        assert_int_equal(parts.line, rows[i].line);
    }
}

static void test_marks(void **state)
{
    (void)state;
    static const struct {
        enum label_style style;
        const char *label;
        enum label_mark mark;
        int64_t id;
    } rows[] = {
        {LABEL_SPY, "process 12:\"python a.py\"", LABEL_PROCESS, 12},
        {LABEL_SPY, "process 12:\"\"", LABEL_PROCESS, 12},
        {LABEL_SPY, "process 12:\"import x", LABEL_PROCESS_PART, 12},
        {LABEL_SPY, "process 12:\"", LABEL_PROCESS_PART, 12},
        {LABEL_SPY, "process x:\"\"", LABEL_FRAME, -7},
        {LABEL_SPY, "process 12", LABEL_FRAME, -7},
        {LABEL_SPY, "process (a.py:1)", LABEL_FRAME, -7},
        {LABEL_SPY, "thread (9)", LABEL_THREAD, 9},
        {LABEL_SPY, "thread (0x7F00A1)", LABEL_THREAD, 0x7F00A1},
        {LABEL_SPY, "thread (9): Thread-1 (run)", LABEL_THREAD, 9},
        {LABEL_SPY, "thread (a.py:3)", LABEL_FRAME, -7},
        {LABEL_COLONS, "P12", LABEL_PROCESS, 12},
        {LABEL_COLONS, "T0:77", LABEL_THREAD, 77},
        {LABEL_COLONS, "T77", LABEL_THREAD, 77},
        {LABEL_COLONS, "tid:140", LABEL_THREAD, 140},
        {LABEL_COLONS, "Path", LABEL_FRAME, -7},
        {LABEL_COLONS, "tid:x", LABEL_FRAME, -7},
        {LABEL_PLAIN, "P12", LABEL_FRAME, -7},
        {LABEL_PLAIN, "thread (9)", LABEL_FRAME, -7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t id = -7;
        assert_int_equal(frame_label_mark(rows[i].style, rows[i].label, strlen(rows[i].label), &id),
                         rows[i].mark);
        assert_int_equal(id, rows[i].id);
    }
}

static void test_process_in_stack(void **state)
{
    (void)state;
    static const struct {
        const char *stack, *label;
    } rows[] = {
        {"process 1:\"a b\";f (a.py:1)", "process 1:\"a b\""},
        {"process 1:\"sh -c 'x; y'\";f (a.py:1)", "process 1:\"sh -c 'x; y'\""},
        {"process 1:\"sh \"x\"; \"y\"\";thread (2);f", "process 1:\"sh \"x\"; \"y\"\""},
        {"process 1:\"a\";process 2:\"b\";f (a.py:1)", "process 1:\"a\""},
        {"process 1:\"a; b\"", "process 1:\"a; b\""},
        {"process 1:\"a\";bare", "process 1:\"a\""},
        {"process 1:\"never closed;f (a.py:1)", "process 1:\"never closed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(frame_label_process_size(rows[i].stack, strlen(rows[i].stack)),
                         strlen(rows[i].label));
}

static void test_profile_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_told;
        int64_t pid, tid;
    } rows[] = {
        {"Thread 12 \"Main\"", true, -1, 12},
        {"Thread 0x16DF7B000 \"T (x)\"", true, -1, 0x16DF7B000},
        {"Process 3 Thread 12 \"\"", true, 3, 12},
        {"Thread 12", true, -1, 12},
        {"MainThread", false, -1, -1},
        {"Process 3 of 4", false, -1, -1},
        {"", false, -1, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t pid, tid;
        assert_int_equal(frame_label_profile_name(rows[i].name, strlen(rows[i].name), &pid, &tid),
                         rows[i].is_told);
        assert_int_equal(pid, rows[i].pid);
        assert_int_equal(tid, rows[i].tid);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const char *const doubles[] = {"0",
                                          "-0",
                                          "12",
                                          "0.01",
                                          "-3.25",
                                          "1e3",
                                          "1.5E-7",
                                          "0.1",
                                          "123456789",
                                          "4.35",
                                          "1e300",
                                          "0.000001",
                                          "3e-320",
                                          "9007199254740993",
                                          "0.30000000000000004"};
    static const char *const wrong[] = {"",    "-",   ".",    "x",   "1.", "1e999", "nan",
                                        "inf", "0x1", "1 2",  "--1", "1-", "+",     "e5",
                                        " 1",  "1 ",  "1..2", "1e",  "-.", "1,2"};
    double value;
    uint64_t whole;
    int64_t id;
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        assert_true(number_double(doubles[i], strlen(doubles[i]), &value));
        assert_true(value == strtod(doubles[i], NULL));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (strcmp(wrong[i], "1.") != 0) /* as C reads it, a number */
            assert_false(number_double(wrong[i], strlen(wrong[i]), &value));
    assert_true(number_u64("18446744073709551615", 20, &whole) && whole == UINT64_MAX);
    assert_false(number_u64("18446744073709551616", 20, &whole));
    assert_false(number_i64("9223372036854775808", 19, &id));
    assert_true(number_id("0x7fffffffffffffff", 18, &id) && id == INT64_MAX);
    assert_false(number_id("0xffffffffffffffff", 18, &id));
    assert_false(number_id("0x", 2, &id));
}

static void test_svg_tags(void **state)
{
    (void)state;
    static const char text[] = "<?xml <a> ?><!-- <b> --><![CDATA[ <c> ]]><g x='1>2' y = \"a\" "
                               "flag z=\"3\"/>be&lt;fo&#x41;&#66;&nope;&amp;re</g><unended";
    struct svg_reader reader = {text, text + sizeof text - 1};
    struct svg_tag tag;
    const char *value;
    size_t size;
    struct text plain;
    assert_true(svg_next_tag(&reader, &tag));
    assert_true(svg_tag_is(&tag, "g") && !tag.is_end);
    assert_true(svg_attribute(&tag, "x", &value, &size));
    check_part(value, size, "1>2");
    assert_true(svg_attribute(&tag, "y", &value, &size));
    check_part(value, size, "a");
    assert_true(svg_attribute(&tag, "z", &value, &size));
    check_part(value, size, "3");
    assert_false(svg_attribute(&tag, "flag", &value, &size));
    assert_true(svg_next_tag(&reader, &tag));
    assert_true(svg_tag_is(&tag, "g") && tag.is_end);
    text_init(&plain);
    svg_append_text(&plain, tag.text, tag.text_size);
    assert_string_equal(text_string(&plain), "be<foAB&nope;&re");
    text_deinit(&plain);
    assert_false(svg_next_tag(&reader, &tag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spy_labels),    cmocka_unit_test(test_colon_labels),
        cmocka_unit_test(test_marks),         cmocka_unit_test(test_process_in_stack),
        cmocka_unit_test(test_profile_names), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_svg_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
