/* SPDX-License-Identifier: Apache-2.0 */
/* Flame graph pictures: trees out of rectangles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inquest/base/text.h"
#include "recording.h"

#define HEAD "<?xml version=\"1.0\"?><svg xmlns:fg=\"x\">"
#define TAIL "</svg>"
#define FG(label, count, y, first, samples)                                                        \
    "<g><title>" label " (" count " samples, 5%)</title><rect x=\"1%\" y=\"" y                     \
    "\" width=\"2%\" fg:x=\"" first "\" fg:w=\"" samples "\"/><text></text></g>"
#define PIXELS(label, count, x, y, width)                                                          \
    "<g >\n<title>" label " (" count " samples, 5%)</title><rect x=\"" x "\" y=\"" y               \
    "\" width=\"" width "\" height=\"15.0\" />\n</g>"

static struct profile profile;
static struct error err;

static void parse(const char *text)
{
    if (recording_parse_text(text, &profile, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static int release(void **state)
{
    (void)state;
    profile_deinit(&profile);
    return 0;
}

static void test_exact(void **state)
{
    (void)state;
    /* a: 600 = b 400 (c 150) + b2 200; d: 434; once growing down, once up */
    static const char *const pictures[] = {
        HEAD
        "<text id=\"title\" x=\"1\">py-spy record &lt;x&gt;</text><svg total_samples=\"1034\">" FG(
            "c (c.py:3)", "150", "40", "100", "150")
            FG("b &lt;x&gt; (b.py:2)", "400", "30", "0", "400") FG("b2", "200", "30", "400", "200")
                FG("a (a.py:1)", "600", "20", "0", "600") FG("d", "434", "20", "600", "434")
                    FG("all", "1,034", "10", "0", "1034") TAIL TAIL,
        HEAD
        "<text id=\"title\" x=\"1\">py-spy record &lt;x&gt;</text><svg total_samples=\"1034\">" FG(
            "all", "1,034", "40", "0", "1034") FG("a (a.py:1)", "600", "30", "0", "600")
            FG("b2", "200", "20", "400", "200") FG("d", "434", "30", "600", "434")
                FG("c (c.py:3)", "150", "10", "100", "150")
                    FG("b &lt;x&gt; (b.py:2)", "400", "20", "0", "400") TAIL TAIL,
    };
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        parse(pictures[i]);
        assert_string_equal(profile.format, "flame graph SVG");
        assert_string_equal(profile.unit, "samples");
        assert_false(profile.is_approximate);
        assert_int_equal(profile.samples.count, 4);
        assert_string_equal(recording_sample(&profile, 0), "d :0 track= weight=434 count=434");
        assert_string_equal(recording_sample(&profile, 1),
                            "a a.py:1/b <x> b.py:2 track= weight=250 count=250");
        assert_string_equal(recording_sample(&profile, 2),
                            "a a.py:1/b2 :0 track= weight=200 count=200");
        assert_string_equal(recording_sample(&profile, 3),
                            "a a.py:1/b <x> b.py:2/c c.py:3 track= weight=150 count=150");
        assert_true(recording_total(&profile) == 1034);
        assert_string_equal(profile.facts.items[0].value, "py-spy record <x>");
        assert_int_equal(profile.warnings.count, 1);
        assert_true(recording_warns(&profile, "too narrow"));
        profile_deinit(&profile);
    }
}

static void test_marks(void **state)
{
    (void)state;
    parse(HEAD FG("all", "9", "0", "0", "9") FG("process 3:&quot;python -c import x", "9", "1", "0",
                                                "9") FG(" x.y() --fork&quot;", "9", "2", "0", "9")
              FG("thread (4): T (f)", "9", "3", "0", "9") FG("f (a.py:1)", "9", "4", "0", "9")
                  TAIL);
    assert_string_equal(
        recording_sample(&profile, 0),
        "f a.py:1 track=process 3:\"python -c import x; x.y() --fork\";thread (4): T (f) weight=9 "
        "count=9");
    assert_int_equal(profile.tracks.items[0].pid, 3);
    assert_int_equal(profile.tracks.items[0].tid, 4);
    assert_int_equal(profile.warnings.count, 0);
}

static void test_pixels(void **state)
{
    (void)state;
    parse("<svg>" PIXELS("all", "300", "10.0", "100", "1180.0")
              PIXELS("a", "200", "10.0", "84", "786.7") PIXELS("b", "100", "796.7", "84", "393.3")
                  PIXELS("c", "1", "796.7", "68", "3.9")
                      PIXELS("d", "199", "10.0", "68", "782.7") "</svg>");
    assert_true(profile.is_approximate);
    assert_int_equal(profile.samples.count, 4);
    assert_string_equal(recording_sample(&profile, 0), "a :0 track= weight=1 count=1");
    assert_string_equal(recording_sample(&profile, 1), "b :0 track= weight=99 count=99");
    assert_string_equal(recording_sample(&profile, 2), "a :0/d :0 track= weight=199 count=199");
    assert_string_equal(recording_sample(&profile, 3), "b :0/c :0 track= weight=1 count=1");
    assert_true(recording_warns(&profile, "old picture"));
}

static void test_damaged(void **state)
{
    (void)state;
    parse(
        HEAD "<svg total_samples=\"12\">" FG("all", "10", "0", "0", "10") FG(
            "a", "8", "1", "0", "8") FG("b", "9", "2", "0", "9") FG("far", "1", "1", "50", "1")
            FG("on it", "1", "2", "50", "1") FG("huge", "1", "1", "0", "18446744073709551615") FG(
                "told", "7", "1", "8",
                "2") "<g><title>no number</title><rect y=\"1\" x=\"1\" width=\"1\"/></g>"
                     "<g><title>f (1 samples, 1%)</title><rect y=\"x\" fg:x=\"0\" fg:w=\"1\"/></g>"
                     "<g><title>f (1 samples, 1%)</title><rect y=\"1\" x=\"0\" width=\"1\"/></g>");
    assert_true(recording_total(&profile) == 11);
    assert_true(recording_warns(&profile, "2 frames stand on no other"));
    assert_true(recording_warns(&profile, "1 frames have more on them"));
    assert_true(recording_warns(&profile, "1 titles are no label"));
    assert_true(recording_warns(&profile, "3 frames have no place"));
    assert_true(recording_warns(&profile, "1 frames have another number in their title"));
    assert_true(recording_warns(&profile, "says 12 samples in all, its frames 10"));
    assert_true(recording_warns(&profile, "cut short"));
}

static void test_without_root(void **state)
{
    (void)state;
    parse(HEAD FG("a", "3", "0", "0", "3") FG("b", "2", "0", "3", "2") FG("c", "1", "9", "3", "1")
              TAIL);
    assert_int_equal(profile.samples.count, 3);
    assert_string_equal(recording_sample(&profile, 2), "b :0/c :0 track= weight=1 count=1");
    profile_deinit(&profile);
    /* one column, in which "all" says which end is the root's */
    parse(HEAD FG("a", "3", "0", "0", "3") FG("all", "3", "9", "0", "3") TAIL);
    assert_string_equal(recording_sample(&profile, 0), "a :0 track= weight=3 count=3");
}

static void test_no_flame_graph(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<svg></svg>",
        "<svg><title>a drawing</title><rect x=\"1\" y=\"2\" width=\"3\"/></svg>",
        "<?xml?><!-- <g><title>a (1 samples, 1%)</title><rect y=\"0\" x=\"0\"/> --><svg/>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(recording_parse_text(texts[i], &profile, &err), STATUS_UNSUPPORTED);
        assert_non_null(strstr(err.message, "no flame graph"));
    }
    assert_int_equal(recording_parse_text("<html><svg/></html>", &profile, &err),
                     STATUS_UNSUPPORTED);
}

/* Rows upon rows: the tree is cut at a depth, and its time does not grow with both. */
static void test_tower(void **state)
{
    (void)state;
    struct text text;
    text_init(&text);
    text_append(&text, HEAD);
    for (int i = 0; i < 70000; i++)
        text_printf(&text,
                    "<g><title>f (5 samples, 1%%)</title><rect y=\"%d\" fg:x=\"0\" "
                    "fg:w=\"5\"/></g>",
                    i);
    text_append(&text, TAIL);
    parse(text_string(&text));
    text_deinit(&text);
    assert_int_equal(profile.samples.count, 1);
    assert_int_equal(profile.stacks.items[profile.samples.items[0].stack].depth, 65536);
    assert_true(recording_total(&profile) == 5);
    assert_true(recording_warns(&profile, "deeper than"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test_teardown(test_marks, release),
        cmocka_unit_test_teardown(test_pixels, release),
        cmocka_unit_test_teardown(test_damaged, release),
        cmocka_unit_test_teardown(test_without_root, release),
        cmocka_unit_test(test_no_flame_graph),
        cmocka_unit_test_teardown(test_tower, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
