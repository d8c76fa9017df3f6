/* SPDX-License-Identifier: Apache-2.0 */
/* py-spy dump, as text and JSON. */
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
    if (recording_parse_text(text, &profile, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static int release(void **state)
{
    (void)state;
    profile_deinit(&profile);
    return 0;
}

static const char *fact(const char *key)
{
    for (size_t i = 0; i < profile.facts.count; i++)
        if (!strcmp(profile.facts.items[i].key, key))
            return profile.facts.items[i].value;
    return "none";
}

static void check_local(size_t i, uint32_t track, uint32_t depth, const char *name,
                        const char *value, bool is_argument)
{
    assert_true(i < profile.locals.count);
    const struct profile_local *local = &profile.locals.items[i];
    assert_int_equal(local->track, track);
    assert_int_equal(local->depth, depth);
    assert_string_equal(profile_text(&profile, local->name), name);
    assert_string_equal(profile_text(&profile, local->value), value);
    assert_int_equal(local->is_argument, is_argument);
}

static void test_text(void **state)
{
    (void)state;
    parse("$ py-spy dump --pid 7 --locals\r\n"
          "Process 7: python a.py --x\r\n"
          "Python v3.12.3 (/usr/bin/python3.12)\r\n"
          "\r\n"
          "Thread 7 (active+gil): \"Main \"T\"\"\r\n"
          "    inner (a.py:3)\r\n"
          "        Arguments:\r\n"
          "            x: {\"k: v\": 1}\r\n"
          "            empty: \r\n"
          "        Locals:\r\n"
          "            y: ?\r\n"
          "    sym(int) (lib.so)\r\n"
          "    outer ()\r\n"
          "        Locals::\r\n"
          "            z: 1\r\n"
          "Thread 0x7F00 (idle)\r\n"
          "Thread 8 (active): \"\"\r\n"
          "    f (b.py:1)");
    assert_string_equal(profile.format, "py-spy dump");
    assert_int_equal(profile.tracks.count, 3);
    assert_string_equal(
        recording_sample(&profile, 0),
        "outer :0/sym(int) lib.so:0/inner a.py:3 track=thread (7): Main \"T\" weight=1 count=1");
    assert_string_equal(recording_sample(&profile, 1), " track=thread (0x7F00) weight=1 count=1");
    assert_string_equal(recording_sample(&profile, 2),
                        "f b.py:1 track=thread (8):  weight=1 count=1");
    const struct profile_track *tracks = profile.tracks.items;
    assert_true(tracks[0].is_active && tracks[0].holds_gil && !tracks[0].is_idle);
    assert_true(tracks[1].is_idle && !tracks[1].is_active && !tracks[1].holds_gil);
    assert_true(tracks[2].is_active && !tracks[2].holds_gil);
    assert_int_equal(tracks[1].tid, 0x7F00);
    assert_int_equal(tracks[2].pid, 7);
    assert_int_equal(profile.locals.count, 4);
    check_local(0, 0, 0, "x", "{\"k: v\": 1}", true);
    check_local(1, 0, 0, "empty", "", true);
    check_local(2, 0, 0, "y", "?", false);
    check_local(3, 0, 2, "z", "1", false);
    assert_string_equal(fact("pid"), "7");
    assert_string_equal(fact("command"), "python a.py --x");
    assert_string_equal(fact("python_version"), "3.12.3");
    assert_string_equal(fact("executable"), "/usr/bin/python3.12");
    assert_true(
        recording_warns(&profile, "1 lines are no part of a py-spy dump (the first is line 1)"));
}

static void test_colours(void **state)
{
    (void)state;
    parse(
        "Process \x1b[1m\x1b[33m7\x1b[0m: python\n\nThread \x1b[1m\x1b[33m7\x1b[0m (idle): \"M\"\n"
        "    \x1b[32mf\x1b[0m (\x1b[36ma.py\x1b[0m:\x1b[2m3\x1b[0m)\n");
    assert_string_equal(recording_sample(&profile, 0),
                        "f a.py:3 track=thread (7): M weight=1 count=1");
    assert_int_equal(profile.warnings.count, 0);
}

static void test_processes(void **state)
{
    (void)state;
    parse("Process 1: a; b\nPython v3.9.1 (/p)\n\nThread 1 (idle): \"M\"\n    f (a.py:1)\n\n"
          "--------\nProcess 2: c\nPython v3.8.1 (/q)\nParent Process 1: a; b\n\n"
          "Thread 2 (gil)\n    g (a.py:2)\n");
    assert_string_equal(recording_sample(&profile, 0),
                        "f a.py:1 track=process 1:\"a; b\";thread (1): M weight=1 count=1");
    assert_string_equal(recording_sample(&profile, 1),
                        "g a.py:2 track=process 2:\"c\";thread (2) weight=1 count=1");
    assert_true(profile.tracks.items[1].holds_gil);
    assert_int_equal(profile.tracks.items[1].pid, 2);
    assert_string_equal(fact("python_version"), "3.9.1");
    assert_int_equal(profile.warnings.count, 0);
}

static void test_no_dump(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Thread 7 (idle): \"M\"\n",
        "Thread x (idle): \"M\"\n    f (a.py:1)\n",
        "Thread 0x7f00 (most recent call first):\n  File \"a.py\", line 3 in f\n",
        "Thread 7 (idle): \"M\"\nf (a.py:1)\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(recording_parse_text(texts[i], &profile, &err), STATUS_UNSUPPORTED);
}

#define THREAD                                                                                     \
    "{\"pid\":7,\"thread_id\":140,\"thread_name\":\"M\",\"os_thread_id\":9,\"active\":true,"       \
    "\"owns_gil\":true,\"frames\":[{\"name\":\"in\",\"filename\":\"/a.py\",\"module\":null,"       \
    "\"short_filename\":\"a.py\",\"line\":3,\"locals\":[{\"name\":\"x\",\"addr\":1,\"arg\":true,"  \
    "\"repr\":\"1\"},{\"name\":\"y\",\"addr\":1,\"arg\":false,\"repr\":null}],\"is_entry\":true}," \
    "{\"name\":\"out\",\"filename\":\"/b.py\",\"line\":0,\"locals\":null}],\"process_info\":"

static void test_json(void **state)
{
    (void)state;
    parse("[\n  " THREAD "null},{\"process_info\":{\"parent\":{\"pid\":1,\"command_line\":\"p\","
          "\"parent\":null},\"pid\":2,\"command_line\":\"c\"},\"frames\":[],\"pid\":2,"
          "\"os_thread_id\":null,\"thread_id\":255,\"thread_name\":null,\"active\":false}]");
    assert_string_equal(profile.format, "py-spy dump");
    assert_string_equal(recording_sample(&profile, 0),
                        "out /b.py:0/in /a.py:3 track=thread (9): M weight=1 count=1");
    assert_string_equal(recording_sample(&profile, 1),
                        " track=process 1:\"p\";process 2:\"c\";thread (0xFF) weight=1 count=1");
    const struct profile_track *tracks = profile.tracks.items;
    assert_true(tracks[0].is_active && tracks[0].holds_gil && !tracks[0].is_idle);
    assert_true(tracks[1].is_idle && !tracks[1].is_active && !tracks[1].holds_gil);
    assert_int_equal(tracks[1].tid, 255);
    assert_int_equal(tracks[1].pid, 2);
    check_local(0, 0, 0, "x", "1", true);
    check_local(1, 0, 0, "y", "?", false);
    assert_int_equal(profile.locals.count, 2);
    assert_int_equal(profile.warnings.count, 0);
}

static void test_json_damage(void **state)
{
    (void)state;
    static const char whole[] = "[" THREAD "{\"pid\":1,\"command_line\":\"p\",\"parent\":{}}}]";
    for (size_t size = 1; size < sizeof whole - 1; size++) {
        if (recording_parse(whole, size, &profile, &err) != STATUS_OK)
            continue;
        assert_true(recording_warns(&profile, "cut short"));
        assert_int_equal(profile.tracks.count, 1);
        profile_deinit(&profile);
    }
    parse("[{\"thread_id\":\"x\",\"pid\":1.5,\"frames\":[5,[],{\"name\":[],\"line\":-3},null]},7]");
    assert_string_equal(recording_sample(&profile, 0), " :0 track=thread (-1) weight=1 count=1");
    assert_true(recording_warns(&profile, "3 frames are no objects"));
    profile_deinit(&profile);
    char *text =
        recording_repeat("[{\"thread_id\":1,\"process_info\":", "{\"parent\":", 100000, "");
    assert_int_equal(recording_parse_text(text, &profile, &err), STATUS_OK);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_text, release),
        cmocka_unit_test_teardown(test_colours, release),
        cmocka_unit_test_teardown(test_processes, release),
        cmocka_unit_test(test_no_dump),
        cmocka_unit_test_teardown(test_json, release),
        cmocka_unit_test_teardown(test_json_damage, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
