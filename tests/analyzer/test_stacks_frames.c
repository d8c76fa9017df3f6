/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of frames as they should be, and damaged in each way that real cores do not
 * show easily. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/stacks_fixture.h"

#define FRAMES "SELECT function FROM frame ORDER BY thread_id, depth"
#define NOTE   "SELECT stack_note FROM thread"

static void expect_in(struct stacks *stacks, const char *sql, const char *words)
{
    const char *found = stacks_query(stacks, sql);
    if (!strstr(found, words))
        fail_msg("3.%u: \"%s\" is not in \"%s\"", stacks_minor(stacks), words, found);
}

static void whole(struct stacks *stacks)
{
    uint64_t frames[4];
    stacks_chain(stacks, frames, 4);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, STACKS_FRAMES, "f0,0;f1,1;f2,2;f3,3;");
    stacks_expect(stacks, NOTE, "-;");
    stacks_expect(stacks, "SELECT * FROM warning", "");
    stacks_expect(stacks, "SELECT DISTINCT file FROM frame", "made.py;");
}

static void a_whole_chain(void **state)
{
    (void)state;
    stacks_each_version(whole);
}

/* The frame at `last` was called by the one at `back_to`. */
static size_t loop_last, loop_back_to;

static void looped(struct stacks *stacks)
{
    uint64_t frames[12];
    char expected[128] = "";
    stacks_chain(stacks, frames, 12);
    stacks_link(stacks, frames[loop_last], frames[loop_back_to]);
    stacks_open(stacks);
    stacks_collect(stacks);
    for (size_t i = 0; i <= loop_last; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "f%zu;", i);
    stacks_expect(stacks, FRAMES, expected);
    expect_in(stacks, NOTE, "it runs in a circle");
    expect_in(stacks, "SELECT message FROM warning WHERE area = 'frame'", "it runs in a circle");
}

static void a_loop_is_shown_once(void **state)
{
    (void)state;
    for (loop_last = 0; loop_last < 12; loop_last++)
        for (loop_back_to = 0; loop_back_to <= loop_last; loop_back_to++)
            stacks_each_version(looped);
}

/* A link into the C stack, which is not in the core: from 3.11 on the frames behind
 * it are on the data stack. */
static void broken_link(struct stacks *stacks)
{
    uint64_t frames[5];
    stacks_chain(stacks, frames, 5);
    stacks_link(stacks, frames[1], stacks_absent(stacks));
    stacks_open(stacks);
    stacks_collect(stacks);
    if (stacks_minor(stacks) < 11) {
        stacks_expect(stacks, STACKS_FRAMES, "f0,0;f1,1;");
        expect_in(stacks, NOTE, "frames are missing");
    } else {
        stacks_expect(stacks, STACKS_FRAMES, "f0,0;f1,1;f2,2;f3,3;f4,4;");
        expect_in(stacks, NOTE, "taken from the interpreter's data stack");
    }
}

static void a_missing_link(void **state)
{
    (void)state;
    stacks_each_version(broken_link);
}

/* Nothing at all of the chain: the innermost frame's place is unknown. */
static void broken_start(struct stacks *stacks)
{
    uint64_t frames[3], thread = stacks->objects.python.thread;
    stacks_chain(stacks, frames, 3);
    if (stacks_has(stacks, PY_thread_cframe))
        stacks_set(stacks, thread, PY_thread_cframe, stacks_absent(stacks));
    else
        stacks_running(stacks, thread, stacks_absent(stacks));
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, STACKS_FRAMES, stacks_minor(stacks) < 11 ? "" : "f0,0;f1,1;f2,2;");
    expect_in(stacks, NOTE, stacks_minor(stacks) < 11 ? "missing" : "data stack");
}

static void a_missing_start(void **state)
{
    (void)state;
    stacks_each_version(broken_start);
}

/* A second, newer chunk: the older one tells how far it is filled. */
static void two_chunks(struct stacks *stacks)
{
    uint64_t frames[4];
    if (stacks_minor(stacks) < 11)
        return;
    struct fake_python *python = &stacks->objects.python;
    uint64_t data = objects_field(&stacks->objects, PY_stackchunk_data);
    frames[3] = stacks_frame(stacks, stacks_code(stacks, "f3"), 3);
    frames[2] = stacks_frame(stacks, stacks_code(stacks, "f2"), 2);
    stacks_set(stacks, stacks->chunk, PY_stackchunk_top,
               (stacks->chunk_top - stacks->chunk - data) / 8);
    uint64_t older = stacks->chunk;
    stacks->chunk = fake_python_alloc(python, 16384);
    stacks->chunk_top = stacks->chunk + data;
    stacks_set(stacks, stacks->chunk, PY_stackchunk_previous, older);
    stacks_set(stacks, python->thread, PY_thread_datastack_chunk, stacks->chunk);
    frames[1] = stacks_frame(stacks, stacks_code(stacks, "f1"), 1);
    frames[0] = stacks_frame(stacks, stacks_code(stacks, "f0"), 0);
    stacks_link(stacks, frames[2], frames[3]);
    stacks_link(stacks, frames[1], frames[2]);
    stacks_link(stacks, frames[0], stacks_absent(stacks));
    stacks_running(stacks, python->thread, frames[0]);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, STACKS_FRAMES, "f0,0;f1,1;f2,2;f3,3;");
}

static void a_data_stack_of_two_chunks(void **state)
{
    (void)state;
    stacks_each_version(two_chunks);
}

/* The chunks' own list may be a loop; frames on it that claim too much end it. */
static void damaged_data_stack(struct stacks *stacks)
{
    uint64_t frames[3];
    if (stacks_minor(stacks) < 11)
        return;
    stacks_chain(stacks, frames, 3);
    stacks_set(stacks, stacks->chunk, PY_stackchunk_previous, stacks->chunk);
    stacks_set(stacks, stacks->chunk, PY_stackchunk_top, UINT32_MAX);
    stacks_link(stacks, frames[0], stacks_absent(stacks));
    stacks_open(stacks);
    stacks_collect(stacks);
    expect_in(stacks, FRAMES, "f0;");
    assert_null(strstr(stacks_query(stacks, NOTE), "-;"));
}

static void a_damaged_data_stack(void **state)
{
    (void)state;
    stacks_each_version(damaged_data_stack);
}

static uint64_t bad_code;

static void unreadable_code(struct stacks *stacks)
{
    uint64_t frames[4];
    stacks_chain(stacks, frames, 4);
    uint64_t codes[] = {stacks_absent(stacks), stacks->objects.none, 8, UINT64_MAX - 7};
    stacks_set(stacks, frames[1], stacks_minor(stacks) < 11 ? PY_frame_code : PY_iframe_code,
               codes[bad_code]);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, STACKS_FRAMES, "f0,0;?,-;f2,2;f3,3;");
    expect_in(stacks, NOTE, "a frame's code object can't be read");
}

static void a_frame_without_readable_code(void **state)
{
    (void)state;
    for (bad_code = 0; bad_code < 4; bad_code++)
        stacks_each_version(unreadable_code);
}

/* The chain leads away, to things that are linked but no frames. */
static void strangers(struct stacks *stacks)
{
    uint64_t frames[30];
    stacks_chain(stacks, frames, 30);
    for (size_t i = 2; i < 30; i++)
        stacks_set(stacks, frames[i], stacks_minor(stacks) < 11 ? PY_frame_code : PY_iframe_code,
                   stacks->objects.none);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, STACKS_FRAMES, "f0,0;f1,1;");
    expect_in(stacks, NOTE, "it leads to what are no frames");
}

static void a_chain_that_leads_away(void **state)
{
    (void)state;
    stacks_each_version(strangers);
}

/* Frames whose code is missing are frames still, however many. */
static void many_without_code(struct stacks *stacks)
{
    uint64_t frames[30];
    stacks_chain(stacks, frames, 30);
    for (size_t i = 2; i < 30; i++)
        stacks_set(stacks, frames[i], stacks_minor(stacks) < 11 ? PY_frame_code : PY_iframe_code,
                   stacks_absent(stacks));
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, "SELECT count(*), sum(function = '?') FROM frame", "30,28;");
}

static void many_frames_without_code(void **state)
{
    (void)state;
    stacks_each_version(many_without_code);
}

/* Names that are no str, or absent, cost their names and nothing else. */
static void unreadable_names(struct stacks *stacks)
{
    uint64_t code = stacks_code(stacks, "f0");
    stacks_set(stacks, code, PY_code_name, stacks_absent(stacks));
    stacks_set(stacks, code, PY_code_qualname, stacks->objects.none);
    stacks_set(stacks, code, PY_code_varnames, stacks->objects.none);
    stacks_set(stacks, code, PY_code_localsplusnames, stacks_absent(stacks));
    uint64_t frame = stacks_frame(stacks, code, 0);
    stacks_running(stacks, stacks->objects.python.thread, frame);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, "SELECT function, file FROM frame", "?,made.py;");
    stacks_expect(stacks, "SELECT * FROM local", "");
}

static void code_without_readable_names(void **state)
{
    (void)state;
    stacks_each_version(unreadable_names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_chain),
        cmocka_unit_test(a_loop_is_shown_once),
        cmocka_unit_test(a_missing_link),
        cmocka_unit_test(a_missing_start),
        cmocka_unit_test(a_data_stack_of_two_chunks),
        cmocka_unit_test(a_damaged_data_stack),
        cmocka_unit_test(a_frame_without_readable_code),
        cmocka_unit_test(a_chain_that_leads_away),
        cmocka_unit_test(many_frames_without_code),
        cmocka_unit_test(code_without_readable_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
