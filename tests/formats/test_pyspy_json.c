/* SPDX-License-Identifier: Apache-2.0 */
/* speedscope and Chrome traces: shapes, and what is wrong with some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recording.h"

#define FRAMES                                                                                     \
    "\"shared\":{\"frames\":[{\"name\":\"a\",\"file\":\"x.py\",\"line\":1},{\"name\":\"b\"}]}"

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

static void test_orders(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{" FRAMES ",\"profiles\":[{\"type\":\"sampled\",\"name\":\"T\",\"unit\":\"seconds\","
        "\"samples\":[[0,1],[0]],\"weights\":[0.5,1]}]}",
        "{\"profiles\":[{\"weights\":[0.5,1],\"samples\":[[0,1],[0]],\"unit\":\"seconds\","
        "\"name\":\"T\",\"type\":\"sampled\"}]," FRAMES "}",
        " {\"exporter\":\"x\",\"name\":null,\"activeProfileIndex\":0,\"profiles\":[{\"unit\":"
        "\"seconds\",\"more\":[[{}],{\"samples\":[[1]]}],\"samples\":[[0,1.0],[0]],"
        "\"weights\":[5e-1,1],\"name\":\"T\"}]," FRAMES "}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        parse(texts[i]);
        assert_string_equal(profile.format, "speedscope");
        assert_string_equal(profile.unit, "seconds");
        assert_int_equal(profile.samples.count, 2);
        assert_string_equal(recording_sample(&profile, 0),
                            "a x.py:1/b :0 track=T weight=0.5 count=1");
        assert_string_equal(recording_sample(&profile, 1), "a x.py:1 track=T weight=1 count=1");
        assert_int_equal(profile.warnings.count, 0);
        profile_deinit(&profile);
    }
}

static void test_units(void **state)
{
    (void)state;
    parse("{" FRAMES ",\"profiles\":["
          "{\"name\":\"1\",\"unit\":\"milliseconds\",\"samples\":[[0]],\"weights\":[1]},"
          "{\"name\":\"2\",\"unit\":\"nanoseconds\",\"samples\":[[0]],\"weights\":[3000000]},"
          "{\"name\":\"3\",\"unit\":\"seconds\",\"samples\":[[0]],\"weights\":[2]},"
          "{\"name\":\"4\",\"unit\":\"bytes\",\"samples\":[[0]],\"weights\":[9]},"
          "{\"name\":\"5\",\"unit\":\"bytes\",\"events\":[{\"type\":\"O\",\"frame\":0,\"at\":0},"
          "{\"type\":\"C\",\"frame\":0,\"at\":9}]}]}");
    assert_string_equal(profile.unit, "milliseconds");
    assert_int_equal(profile.tracks.count, 5);
    assert_int_equal(profile.samples.count, 3);
    assert_true(profile.samples.items[0].weight == 1);
    assert_true(profile.samples.items[1].weight > 2.99999999 &&
                profile.samples.items[1].weight < 3.00000001);
    assert_true(profile.samples.items[2].weight == 2000);
    assert_true(recording_warns(&profile, "2 profiles whose unit"));
}

static void test_unit_none(void **state)
{
    (void)state;
    parse("{" FRAMES ",\"exporter\":\"py-spy@0.3.6\",\"profiles\":[{\"unit\":\"none\",\"endValue\":"
          "5.0,\"samples\":[[0],[0]],\"weights\":[1.0,1.0]}]}");
    assert_string_equal(profile.unit, "samples");
    assert_true(recording_total(&profile) == 2);
    profile_deinit(&profile);
    parse("{" FRAMES ",\"profiles\":[{\"samples\":[[0]],\"weights\":[2]}]}");
    assert_string_equal(profile.unit, "none");
}

static void test_damaged_samples(void **state)
{
    (void)state;
    parse("{" FRAMES
          ",\"profiles\":[{\"unit\":\"seconds\",\"samples\":[[0],null,[0,7],[-1],[\"x\"],"
          "[1.5],{},[0],5,[1]],\"weights\":[1,1,1,1,1,1,1,-1,1,\"2\",3,[4],{\"a\":1}]}]}");
    assert_true(recording_total(&profile) == 5);
    assert_string_equal(recording_sample(&profile, 1),
                        "a x.py:1/<missing frame> :0 track= weight=1 count=1");
    assert_true(recording_warns(&profile, "3 samples without a weight"));
    assert_true(recording_warns(&profile, "4 samples or weights that are no stack"));
    assert_true(recording_warns(&profile, "1 samples with a negative weight"));
    assert_true(recording_warns(&profile, "2 mentions of a frame"));
}

static void test_damaged_frames(void **state)
{
    (void)state;
    parse("{\"shared\":{\"frames\":[{\"name\":\"a\",\"file\":\"f\",\"line\":3},null,[\"x\"],{},"
          "{\"name\":5,\"file\":{},\"line\":-4},{\"name\":\"z\",\"line\":4294967295}]},"
          "\"profiles\":[{\"samples\":[[0,1,2,3,4,5]],\"weights\":[1]}]}");
    assert_string_equal(recording_sample(&profile, 0),
                        "a f:3/ :0/ :0/ :0/ :0/z :0 track= weight=1 count=1");
}

static void test_events(void **state)
{
    (void)state;
    parse("{" FRAMES ",\"profiles\":[{\"type\":\"evented\",\"unit\":\"none\",\"endValue\":40,"
          "\"events\":[{\"type\":\"O\",\"frame\":0,\"at\":1},{\"at\":4,\"frame\":1,\"type\":\"O\"},"
          "{\"type\":\"C\",\"frame\":1,\"at\":9},{\"type\":\"C\",\"frame\":0,\"at\":10},"
          "{\"type\":\"O\",\"frame\":0,\"at\":30},{\"type\":\"O\",\"frame\":0,\"at\":32}]}]}");
    assert_int_equal(profile.samples.count, 3);
    assert_string_equal(recording_sample(&profile, 0), "a x.py:1 track= weight=6 count=3");
    assert_string_equal(recording_sample(&profile, 1), "a x.py:1/b :0 track= weight=5 count=1");
    assert_string_equal(recording_sample(&profile, 2), "a x.py:1/a x.py:1 track= weight=8 count=1");
    assert_true(recording_warns(&profile, "2 spans that are never closed"));
    assert_int_equal(profile.warnings.count, 1);
}

static void test_damaged_events(void **state)
{
    (void)state;
    parse("{" FRAMES ",\"profiles\":[{\"endValue\":0,\"events\":["
          "{\"type\":\"C\",\"frame\":0,\"at\":0},{\"type\":\"O\",\"frame\":0,\"at\":0},"
          "{\"type\":\"O\",\"frame\":1,\"at\":2},{\"type\":\"O\",\"frame\":9,\"at\":3},"
          "{\"type\":\"C\",\"frame\":0,\"at\":7},{\"type\":\"O\",\"frame\":1,\"at\":5},"
          "{\"type\":\"C\",\"frame\":1,\"at\":8},{\"type\":\"X\",\"frame\":1,\"at\":9},{},"
          "{\"type\":\"O\",\"frame\":1,\"at\":\"9\"},7]}]}");
    assert_true(recording_total(&profile) == 8);
    assert_string_equal(recording_sample(&profile, 2),
                        "a x.py:1/b :0/<missing frame> :0 track= weight=4 count=1");
    assert_true(recording_warns(&profile, "1 events that close what is not open"));
    assert_true(recording_warns(&profile, "2 spans that are closed by the end of one around"));
    assert_true(recording_warns(&profile, "1 events that go back in time"));
    assert_true(recording_warns(&profile, "4 events that open or close nothing"));
}

static void test_cut_short(void **state)
{
    (void)state;
    static const char whole[] =
        "{" FRAMES ",\"profiles\":[{\"unit\":\"seconds\",\"samples\":[[0],[1]],\"weights\":[1,2]},"
        "{\"unit\":\"seconds\",\"samples\":[[0]],\"weights\":[4]}]}";
    parse(whole);
    assert_true(recording_total(&profile) == 7);
    profile_deinit(&profile);
    for (size_t size = 1; size < sizeof whole - 1; size++) {
        enum status status = recording_parse(whole, size, &profile, &err);
        if (status != STATUS_OK)
            continue;
        assert_true(recording_warns(&profile, "cut short"));
        assert_true(recording_total(&profile) <= 7);
        profile_deinit(&profile);
    }
    assert_int_equal(recording_parse(whole, sizeof whole - 9, &profile, &err), STATUS_OK);
    assert_true(recording_total(&profile) == 3);
}

static void test_json_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum status status;
        const char *words;
    } rows[] = {
        {"{\"shared\":{}}", STATUS_CORRUPT, "without any samples"},
        {"{\"profiles\":[{\"samples\":[[0]],\"weights\":[1]}]}", STATUS_CORRUPT, "\"shared\""},
        {"{\"profiles\":[}", STATUS_CORRUPT, "offset 14: not JSON"},
        {"{\"profiles\":[]} x", STATUS_CORRUPT, "not JSON"},
        {"{\"profiles\":", STATUS_CORRUPT, "cut short"},
        {"{\"other\":[]}", STATUS_UNSUPPORTED, "no recording"},
        {"[]", STATUS_UNSUPPORTED, "no recording"},
        {"{\"traceEvents\":[]}", STATUS_UNSUPPORTED, "without B and E events"},
        {"[{\"ph\":\"X\",\"ts\":1,\"dur\":2}]", STATUS_UNSUPPORTED, "(1 of other kinds)"},
        {"[{\"ph\":\"B\",\"ts\":1}", STATUS_OK, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(recording_parse_text(rows[i].text, &profile, &err), rows[i].status);
        assert_non_null(strstr(err.message, rows[i].words));
        if (rows[i].status == STATUS_OK)
            profile_deinit(&profile);
    }
}

static void test_nested(void **state)
{
    (void)state;
    char *text = recording_repeat("{\"profiles\":", "[", 1000000, "");
    assert_int_equal(recording_parse_text(text, &profile, &err), STATUS_CORRUPT);
    free(text);
    text = recording_repeat("{\"profiles\":[{\"x\":", "{\"samples\":[", 1000000, "");
    assert_int_equal(recording_parse_text(text, &profile, &err), STATUS_CORRUPT);
    free(text);
    /* 200,000 spans, one in the other */
    static const char span[] = "{\"ph\":\"B\",\"ts\":1,\"name\":\"f\"},";
    text = recording_repeat("[", span, 200000, "");
    size_t size = strlen(text);
    for (size_t i = 0; i < 200000; i++)
        text[1 + i * (sizeof span - 1) + 15] = (char)('0' + i * 10 / 200000);
    text[size - 1] = ']';
    parse(text);
    assert_true(recording_total(&profile) == 9);
    assert_int_equal(profile.stacks.items[profile.samples.items[3].stack].depth, 65536);
    assert_true(recording_warns(&profile, "deeper than"));
    free(text);
}

/* Each span has time of its own: the stacks pass what a file of this size may come to. */
static void test_too_many_frames(void **state)
{
    (void)state;
    enum { SPANS = 20000 };
    size_t size = 2, room = (size_t)SPANS * 48;
    char *text = malloc(room);
    assert_non_null(text);
    text[0] = '[';
    text[1] = '\0';
    size = 1;
    for (int i = 0; i < SPANS; i++)
        size += (size_t)snprintf(text + size, room - size,
                                 "%s{\"ph\":\"B\",\"ts\":%d,\"name\":\"f\"}", i ? "," : "", i);
    text[size] = ']';
    assert_int_equal(recording_parse(text, size + 1, &profile, &err), STATUS_OVER_LIMIT);
    assert_non_null(strstr(err.message, "frames, far more than"));
    free(text);
}

static void test_trace(void **state)
{
    (void)state;
    parse(
        "{\"traceEvents\":["
        "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":2,\"args\":{\"name\":\"main\"}},"
        "{\"ph\":\"B\",\"name\":\"a\",\"pid\":1,\"tid\":2,\"ts\":10},"
        "{\"ph\":\"B\",\"name\":\"x\",\"pid\":3,\"tid\":2,\"ts\":11},"
        "{\"ph\":\"B\",\"name\":\"b\",\"pid\":1,\"tid\":2,\"ts\":15,"
        "\"args\":{\"filename\":\"b.py\",\"line\":7}},"
        "{\"ph\":\"i\",\"pid\":1,\"tid\":2,\"ts\":16},"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":2,\"ts\":18},"
        "{\"ph\":\"E\",\"name\":\"other\",\"pid\":1,\"tid\":2,\"ts\":30},"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":2,\"ts\":31},"
        "{\"ph\":\"B\",\"name\":\"a\",\"pid\":1,\"tid\":2,\"ts\":29},"
        "{\"ph\":\"B\",\"name\":\"a\",\"pid\":1,\"tid\":2}]}");
    assert_string_equal(profile.format, "chrometrace");
    assert_string_equal(profile.unit, "microseconds");
    assert_int_equal(profile.samples.count, 3);
    assert_string_equal(recording_sample(&profile, 0), "a :0 track=main weight=17 count=2");
    assert_string_equal(recording_sample(&profile, 1), "x :0 track= weight=20 count=1");
    assert_string_equal(recording_sample(&profile, 2), "a :0/b b.py:7 track=main weight=3 count=1");
    assert_int_equal(profile.tracks.items[1].pid, 3);
    assert_true(recording_warns(&profile, "1 events are no B, E or M"));
    assert_true(recording_warns(&profile, "1 events have no time"));
    assert_true(recording_warns(&profile, "1 events go back in time"));
    assert_true(recording_warns(&profile, "1 events close a span where none is open"));
    assert_true(recording_warns(&profile, "1 events close a span of another name"));
    assert_true(recording_warns(&profile, "2 spans are never closed"));
}

/* py-spy closes one process's spans under the other's pid. */
static void test_trace_of_py_spy(void **state)
{
    (void)state;
#define EVENT(phase, name, pid, ts)                                                                \
    "{\"args\":{\"filename\":\"\",\"line\":0},\"cat\":\"py-spy\",\"name\":\"" name                 \
    "\",\"ph\":\"" phase "\",\"pid\":" pid ",\"tid\":9,\"ts\":" ts "}"
    parse("[" EVENT("B", "process 1:\\\"a\\\"", "1", "0") "," EVENT("B", "f", "1", "0") "," EVENT(
        "E", "f", "2",
        "5") "," EVENT("E", "process 1:\\\"a\\\"", "2",
                       "5") "," EVENT("B", "process 2:\\\"b\\\"", "2",
                                      "5") "," EVENT("B", "g", "2",
                                                     "5") "," EVENT("E", "g", "2",
                                                                    "8") "," EVENT("E",
                                                                                   "process "
                                                                                   "2:\\\"b\\\"",
                                                                                   "2", "8") "]");
    assert_int_equal(profile.samples.count, 2);
    assert_string_equal(recording_sample(&profile, 0),
                        "f :0 track=process 1:\"a\" weight=5 count=1");
    assert_string_equal(recording_sample(&profile, 1),
                        "g :0 track=process 2:\"b\" weight=3 count=1");
    assert_int_equal(profile.tracks.items[1].pid, 2);
    assert_int_equal(profile.tracks.items[1].tid, 9);
    assert_int_equal(profile.warnings.count, 1);
    assert_true(recording_warns(&profile, "idle"));
}

static void test_texts(void **state)
{
    (void)state;
    parse("{\"shared\":{\"frames\":[{\"name\":\"\\u00e9\\n\\ud83d\\ude00\\udc80\",\"file\":"
          "\"\xff\"}]},"
          "\"profiles\":[{\"samples\":[[0]],\"weights\":[1]}]}");
    assert_string_equal(recording_sample(&profile, 0),
                        "\xC3\xA9\n\xF0\x9F\x98\x80\xED\xB2\x80 \xff:0 track= weight=1 count=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test_teardown(test_units, release),
        cmocka_unit_test_teardown(test_unit_none, release),
        cmocka_unit_test_teardown(test_damaged_samples, release),
        cmocka_unit_test_teardown(test_damaged_frames, release),
        cmocka_unit_test_teardown(test_events, release),
        cmocka_unit_test_teardown(test_damaged_events, release),
        cmocka_unit_test_teardown(test_cut_short, release),
        cmocka_unit_test(test_json_errors),
        cmocka_unit_test_teardown(test_nested, release),
        cmocka_unit_test(test_too_many_frames),
        cmocka_unit_test_teardown(test_trace, release),
        cmocka_unit_test_teardown(test_trace_of_py_spy, release),
        cmocka_unit_test_teardown(test_texts, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
