/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inquest/formats/profile.h"

#define MANY 20000u /* past several growths of each table */

static uint32_t add_string(struct profile *profile, const char *text)
{
    uint32_t id = PROFILE_NO_ID;
    assert_int_equal(profile_add_string(profile, text, strlen(text), &id), STATUS_OK);
    return id;
}

static void equal_strings_are_one(void **state)
{
    (void)state;
    struct profile profile;
    char text[32];
    profile_init(&profile);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, "name %u %s", i, i % 3 ? "" : "a longer one");
            assert_int_equal(add_string(&profile, text), i + 1);
        }
    assert_int_equal(profile.strings.count, MANY + 1);
    assert_string_equal(profile_text(&profile, 1 + 7), "name 7 ");
    assert_int_equal(add_string(&profile, ""), 0);
    assert_string_equal(profile_text(&profile, 0), "");
    profile_deinit(&profile);
}

static void strings_are_bytes(void **state)
{
    (void)state;
    struct profile profile;
    uint32_t one, other;
    profile_init(&profile);
    assert_int_equal(profile_add_string(&profile, "a\0b", 3, &one), STATUS_OK);
    assert_int_equal(profile_add_string(&profile, "a\0c", 3, &other), STATUS_OK);
    assert_int_not_equal(one, other);
    assert_int_equal(profile.strings.items[one].size, 3);
    assert_memory_equal(profile_text(&profile, one), "a\0b", 4);
    /* a part of a string that is there already, while the bytes move */
    for (uint32_t i = 0; i < 200; i++) {
        char text[64];
        snprintf(text, sizeof text, "%u then a text of some length", i);
        uint32_t whole = add_string(&profile, text), part;
        const char *inside = profile_text(&profile, whole);
        assert_int_equal(profile_add_string(&profile, inside, 2 + i % 20, &part), STATUS_OK);
        assert_memory_equal(profile_text(&profile, part), text, 2 + i % 20);
    }
    profile_deinit(&profile);
}

static void functions_and_frames_are_one(void **state)
{
    (void)state;
    struct profile profile;
    uint32_t id;
    profile_init(&profile);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            assert_int_equal(
                profile_add_function(&profile, i % 7, i / 7, (int32_t)(i % 3) - 1, &id), STATUS_OK);
            assert_int_equal(id, i);
            assert_int_equal(profile_add_frame(&profile, i / 5, (int32_t)(i % 5) - 2, &id),
                             STATUS_OK);
            assert_int_equal(id, i);
        }
    assert_int_equal(profile.functions.items[20].name, 20 % 7);
    assert_int_equal(profile.functions.items[20].file, 20 / 7);
    assert_int_equal(profile.functions.items[20].line, 1);
    assert_int_equal(profile.frames.items[20].line, -2);
    profile_deinit(&profile);
}

static void stacks_are_one(void **state)
{
    (void)state;
    struct profile profile;
    uint32_t frames[40], id;
    profile_init(&profile);
    assert_int_equal(profile_add_stack(&profile, NULL, 0, &id), STATUS_OK);
    assert_int_equal(id, 0);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            uint32_t depth = 1 + i % 40;
            for (uint32_t j = 0; j < depth; j++)
                frames[j] = i + j;
            assert_int_equal(profile_add_stack(&profile, frames, depth, &id), STATUS_OK);
            assert_int_equal(id, i + 1);
        }
    assert_int_equal(profile_add_stack(&profile, NULL, 0, &id), STATUS_OK);
    assert_int_equal(id, 0);
    const struct profile_stack *stack = &profile.stacks.items[40];
    assert_int_equal(stack->depth, 40);
    assert_int_equal(profile.stack_frames.items[stack->first + 39], 39 + 39);
    profile_deinit(&profile);
}

/* Three domains a stack: the first is found another way than the rest. */
static void traces_add_up(void **state)
{
    (void)state;
    struct profile profile;
    uint32_t stack;
    profile_init(&profile);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(profile_add_stack(&profile, &i, 1, &stack), STATUS_OK);
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < MANY; i++)
            for (uint32_t domain = 0; domain < 3; domain++)
                assert_int_equal(profile_add_trace(&profile, i, domain, i + domain, 2), STATUS_OK);
    assert_int_equal(profile.traces.count, 3 * MANY);
    for (uint32_t i = 0; i < 3 * MANY; i++) {
        const struct profile_trace *trace = &profile.traces.items[i];
        assert_int_equal(trace->stack, i / 3);
        assert_int_equal(trace->domain, i % 3);
        assert_int_equal(trace->size, 3 * (i / 3 + i % 3));
        assert_int_equal(trace->count, 6);
    }
    profile_deinit(&profile);
}

static void many_traces_at_once_are_the_same(void **state)
{
    (void)state;
    struct profile profile;
    struct profile_trace batch[64];
    uint32_t stack;
    profile_init(&profile);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(profile_add_stack(&profile, &i, 1, &stack), STATUS_OK);
    for (uint32_t i = 0; i < 64; i++)
        batch[i] = (struct profile_trace){i % 10, i % 2, 1, 1};
    for (uint32_t round = 0; round < 5; round++)
        assert_int_equal(profile_add_traces(&profile, batch, 64), STATUS_OK);
    assert_int_equal(profile.traces.count, 10);
    assert_int_equal(profile.traces.items[3].count, 5 * 7);
    assert_int_equal(profile.traces.items[4].size, 5 * 6);
    profile_deinit(&profile);
}

static void sums_do_not_overflow(void **state)
{
    (void)state;
    struct profile profile;
    uint32_t stack, frame = 0;
    profile_init(&profile);
    assert_int_equal(profile_add_stack(&profile, &frame, 1, &stack), STATUS_OK);
    assert_int_equal(profile_add_trace(&profile, stack, 0, UINT64_MAX - 1, 1), STATUS_OK);
    assert_int_equal(profile_add_trace(&profile, stack, 0, 2, 1), STATUS_OVER_LIMIT);
    assert_int_equal(profile.traces.items[0].size, UINT64_MAX - 1);
    assert_int_equal(profile.traces.items[0].count, 1);
    assert_int_equal(profile_add_sample(&profile, stack, 0, 1, UINT64_MAX), STATUS_OK);
    assert_int_equal(profile_add_sample(&profile, stack, 0, 1, 1), STATUS_OVER_LIMIT);
    profile_deinit(&profile);
}

static void samples_add_up(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++)
            assert_int_equal(profile_add_sample(&profile, i / 4, i % 4, 0.5, 3), STATUS_OK);
    assert_int_equal(profile.samples.count, MANY);
    assert_int_equal(profile.samples.items[9].track, 1);
    assert_int_equal(profile.samples.items[9].count, 6);
    assert_true(profile.samples.items[9].weight == 1.0);
    profile_deinit(&profile);
}

static void facts_and_warnings_are_kept(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    assert_int_equal(profile_add_fact(&profile, "key", "value"), STATUS_OK);
    assert_int_equal(profile_add_warning(&profile, "area", "%d of %s", 3, "them"), STATUS_OK);
    profile_seal(&profile);
    assert_null(profile.index);
    assert_string_equal(profile.facts.items[0].value, "value");
    assert_string_equal(profile.warnings.items[0].message, "3 of them");
    uint32_t id;
    assert_int_equal(profile_add_string(&profile, "late", 4, &id), STATUS_NO_MEMORY);
    profile_deinit(&profile);
    profile_deinit(&profile);
    profile_deinit(NULL);
}

static enum profile_family family_of(const char *bytes, size_t size)
{
    return profile_recognise((const uint8_t *)bytes, size);
}

static void recordings_are_recognised(void **state)
{
    (void)state;
    assert_int_equal(family_of("\x80\x04\x95", 3), PROFILE_TRACEMALLOC);
    assert_int_equal(family_of("\x80\x02"
                               "c",
                               3),
                     PROFILE_TRACEMALLOC);
    assert_int_equal(family_of("cos\nsystem\n(", 12), PROFILE_TRACEMALLOC);
    assert_int_equal(family_of("{)\3z\1a", 6), PROFILE_PSTATS);
    assert_int_equal(family_of("\xfb\xa9\3\xda\1a", 6), PROFILE_PSTATS);
    assert_int_equal(family_of("{(\3\0\0\0u", 7), PROFILE_PSTATS);
    assert_int_equal(family_of("\xfb\x29\1\xfa", 4), PROFILE_PSTATS);
    assert_int_equal(family_of("{0", 2), PROFILE_PSTATS);
    assert_int_equal(family_of("", 0), PROFILE_NONE);
    assert_int_equal(family_of("\x80", 1), PROFILE_NONE);
    assert_int_equal(family_of("{", 1), PROFILE_NONE);
    assert_int_equal(family_of("{)\3", 3), PROFILE_NONE);
    assert_int_equal(family_of("{)\2zz", 5), PROFILE_NONE);
    assert_int_equal(family_of("{(\3\0\0\0\0", 7), PROFILE_NONE);
    assert_int_equal(family_of("\177ELF\2\1\1", 7), PROFILE_NONE);
    assert_int_equal(family_of("SQLite format 3", 16), PROFILE_NONE);
}

static void inputs_are_told_apart(void **state)
{
    (void)state;
    struct input_file input = {.name = "x", .data = (const uint8_t *)"\x80\4N.", .size = 4};
    assert_int_equal(input_file_kind(&input), INPUT_PROFILE);
    input.data = (const uint8_t *)"\1\2\3\4";
    assert_int_equal(input_file_kind(&input), INPUT_UNKNOWN);
}

static void anything_else_is_told(void **state)
{
    (void)state;
    struct error err = {0};
    struct profile profile;
    struct input_file input = {.name = "x.bin", .data = (const uint8_t *)"\1\2\3", .size = 3};
    assert_int_equal(profile_parse(&input, NULL, &profile, &err), STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.message, "x.bin: no recording that inquest knows"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_strings_are_one),
        cmocka_unit_test(strings_are_bytes),
        cmocka_unit_test(functions_and_frames_are_one),
        cmocka_unit_test(stacks_are_one),
        cmocka_unit_test(traces_add_up),
        cmocka_unit_test(many_traces_at_once_are_the_same),
        cmocka_unit_test(sums_do_not_overflow),
        cmocka_unit_test(samples_add_up),
        cmocka_unit_test(facts_and_warnings_are_kept),
        cmocka_unit_test(recordings_are_recognised),
        cmocka_unit_test(inputs_are_told_apart),
        cmocka_unit_test(anything_else_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
