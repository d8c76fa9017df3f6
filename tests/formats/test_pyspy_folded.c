/* SPDX-License-Identifier: Apache-2.0 */
/* Folded stacks: what is read of them, and what damaged and hostile ones come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recording.h"

static struct profile profile;
static struct error err;

static void parse(const char *text)
{
    assert_int_equal(recording_parse_text(text, &profile, &err), STATUS_OK);
}

static int release(void **state)
{
    (void)state;
    profile_deinit(&profile);
    return 0;
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text, *format, *unit, *sample;
    } rows[] = {
        {"main (a.py:1);f (b.py:2) 3\n", "py-spy raw", "samples",
         "main a.py:1/f b.py:2 track= weight=3 count=3"},
        {"main (a.py:1) 3", "py-spy raw", "samples", "main a.py:1 track= weight=3 count=3"},
        {"\xEF\xBB\xBFmain (a.py:1);f 3\r\n\r\n", "py-spy raw", "samples",
         "main a.py:1/f :0 track= weight=3 count=3"},
        {"a;b;c 1.5\n", "folded stacks", "samples", "a :0/b :0/c :0 track= weight=1.5 count=1"},
        {"a;MainThread`f(int) 2\n", "folded stacks", "samples",
         "a :0/MainThread`f(int) :0 track= weight=2 count=2"},
        {"P1;T2;a.py:f:3 400\n", "austin", "microseconds",
         "f a.py:3 track=P1;T2 weight=400 count=1"},
        {"# austin: 3.7.0\n# mode: memory\n\nP1;T0:2;a.py:f:3 400\n", "austin", "bytes",
         "f a.py:3 track=P1;T0:2 weight=400 count=1"},
        {"tid:9;a.py:C.f:3;<native> 4\n", "profiling.sampling collapsed", "samples",
         "C.f a.py:3/<native> :0 track=tid:9 weight=4 count=4"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        parse(rows[i].text);
        assert_string_equal(profile.format, rows[i].format);
        assert_string_equal(profile.unit, rows[i].unit);
        assert_int_equal(profile.family, PROFILE_SAMPLES);
        assert_int_equal(profile.samples.count, 1);
        assert_string_equal(recording_sample(&profile, 0), rows[i].sample);
        assert_int_equal(profile.warnings.count, 0);
        profile_deinit(&profile);
    }
}

static void test_not_folded(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n\n",
        "hello world\n",
        "a;b\n",
        "one line 5\nand another 6\n", /* no stack of more than a word */
        "a;b 1\nnot\nnot\nnot\n",
        "; 5x\n",
        " 5\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(recording_parse_text(texts[i], &profile, &err), STATUS_UNSUPPORTED);
    assert_int_equal(recording_parse("a;b 1\n\0", 7, &profile, &err), STATUS_UNSUPPORTED);
}

static void test_tracks(void **state)
{
    (void)state;
    parse("process 1:\"a; b\";thread (5): T (x);f (a.py:1);g (a.py:2) 1\n"
          "process 1:\"a; b\";thread (5): T (x);f (a.py:1) 2\n"
          "process 1:\"a; b\";process 2:\"c\";thread (0x10);f (a.py:1) 4\n"
          "f (a.py:1);thread (5): T (x) 8\n");
    assert_int_equal(profile.tracks.count, 3);
    assert_int_equal(profile.samples.count, 4);
    assert_int_equal(profile.functions.count, 3); /* f, g, and the thread that is none */
    assert_string_equal(
        recording_sample(&profile, 0),
        "f a.py:1/g a.py:2 track=process 1:\"a; b\";thread (5): T (x) weight=1 count=1");
    assert_int_equal(profile.tracks.items[0].pid, 1);
    assert_int_equal(profile.tracks.items[0].tid, 5);
    assert_int_equal(profile.tracks.items[1].pid, 2);
    assert_int_equal(profile.tracks.items[1].tid, 0x10);
    assert_int_equal(profile.tracks.items[2].pid, -1);
    /* below a frame it is a frame */
    assert_string_equal(recording_sample(&profile, 3),
                        "f a.py:1/thread (5): T (x) :0 track= weight=8 count=8");
    /* equal stacks are one, whatever thread they are of */
    assert_int_equal(profile.samples.items[1].stack, profile.samples.items[2].stack);
}

/* Lines whose beginnings agree within a label, at its end, and beyond. */
static void test_common_beginnings(void **state)
{
    (void)state;
    parse("a (x.py:1);b (x.py:2);c (x.py:3) 1\n"
          "a (x.py:1);b (x.py:2) 2\n"
          "a (x.py:1);b (x.py:2);c (x.py:3);d (x.py:4) 3\n"
          "a (x.py:1);b (x.py:22) 4\n"
          "a (x.py:1);b (x.py:2);c (x.py:3) 5\n"
          "a (x.py:1) 6\n"
          "a (x.py:1) 7;b (x.py:2) 8\n");
    assert_int_equal(profile.samples.count, 6);
    assert_string_equal(recording_sample(&profile, 0),
                        "a x.py:1/b x.py:2/c x.py:3 track= weight=6 count=6");
    assert_string_equal(recording_sample(&profile, 2),
                        "a x.py:1/b x.py:2/c x.py:3/d x.py:4 track= weight=3 count=3");
    assert_string_equal(recording_sample(&profile, 3),
                        "a x.py:1/b x.py:22 track= weight=4 count=4");
    assert_string_equal(recording_sample(&profile, 5),
                        "a (x.py:1) 7 :0/b x.py:2 track= weight=8 count=8");
}

static void test_bad_lines(void **state)
{
    (void)state;
    char *text =
        recording_repeat("", "a (x.py:1);b (x.py:2) 1\n", 100,
                         "no number\na;b -5\na;b 1e999\na;b nan\na;b 99999999999999999999\n"
                         "a;b 18014398509481985\n");
    parse(text);
    free(text);
    assert_int_equal(profile.samples.count, 1);
    assert_true(recording_total(&profile) == 100);
    assert_true(
        recording_warns(&profile, "1 lines have a negative number (the first is line 102)"));
    assert_true(recording_warns(&profile, "5 lines are no stack and its number (the first is line "
                                          "101)"));
}

static void test_two_numbers(void **state)
{
    (void)state;
    parse("a;b 10 12\na;c 0 3\n");
    assert_string_equal(recording_sample(&profile, 0), "a :0/b :0 track= weight=12 count=12");
    assert_true(recording_warns(&profile, "two numbers"));
}

static void test_austin(void **state)
{
    (void)state;
    parse("# austin: 3.7.0\n# interval: 100\n# mode: full\n# python: 3.12.3\n\n"
          "P1;T0:2;a.py:f:3;:GC: 400,1,-4096\nP1;T0:2;;a.py:f:3; 5,0,0\n");
    assert_string_equal(recording_sample(&profile, 0),
                        "f a.py:3/:GC: :0 track=P1;T0:2 weight=400 count=1");
    assert_string_equal(recording_sample(&profile, 1), "f a.py:3 track=P1;T0:2 weight=5 count=1");
    assert_true(recording_warns(&profile, "full mode"));
    assert_int_equal(profile.facts.count, 4);
    assert_string_equal(profile.facts.items[3].key, "python_version");
    assert_string_equal(profile.facts.items[3].value, "3.12.3");
}

static void test_deep_stack(void **state)
{
    (void)state;
    char *text = recording_repeat("root (r.py:1)", ";f (a.py:1)", 1000000, " 3\na (x.py:1) 4\n");
    parse(text);
    free(text);
    assert_int_equal(profile.stacks.items[0].depth, 65536);
    assert_true(recording_total(&profile) == 7);
    assert_true(recording_warns(&profile, "deeper than 65536 frames"));
    profile_deinit(&profile);
    /* exactly as deep as is kept: nothing is cut; the next line begins as it does */
    text = recording_repeat("f (a.py:1)", ";f (a.py:1)", 65534, " 3\nf (a.py:1);f (a.py:1) 4\n");
    parse(text);
    free(text);
    assert_int_equal(profile.stacks.items[0].depth, 65535);
    assert_int_equal(profile.stacks.items[1].depth, 2);
    assert_int_equal(profile.warnings.count, 0);
}

static void test_long_label(void **state)
{
    (void)state;
    char *text = recording_repeat("f (", "((a b;", 300000, ".py:3) 1\n");
    parse(text);
    free(text);
    assert_true(recording_total(&profile) == 1);
    profile_deinit(&profile);
    text = recording_repeat("", "process 1:\"a;", 300000, "f (a.py:1) 1\n");
    parse(text);
    free(text);
    assert_true(recording_total(&profile) == 1);
    profile_deinit(&profile);
    text = recording_repeat("f ", " ( (x) ", 1000000, ") 1\n");
    parse(text);
    free(text);
    assert_true(recording_total(&profile) == 1);
}

static void test_sums(void **state)
{
    (void)state;
    assert_int_equal(
        recording_parse_text("P1;T2;a:b:1 1.7e308\nP1;T2;a:b:1 1.7e308\n", &profile, &err),
        STATUS_CORRUPT);
    assert_non_null(strstr(err.message, "more than a number can hold"));
    parse("a;b 9007199254740992\na;b 9007199254740992\n");
    assert_true(profile.samples.items[0].count == UINT64_C(18014398509481984));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_not_folded),
        cmocka_unit_test_teardown(test_tracks, release),
        cmocka_unit_test_teardown(test_common_beginnings, release),
        cmocka_unit_test_teardown(test_bad_lines, release),
        cmocka_unit_test_teardown(test_two_numbers, release),
        cmocka_unit_test_teardown(test_austin, release),
        cmocka_unit_test_teardown(test_deep_stack, release),
        cmocka_unit_test_teardown(test_long_label, release),
        cmocka_unit_test_teardown(test_sums, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
