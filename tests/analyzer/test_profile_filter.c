/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns and filters, by the words of fnmatch and tracemalloc. What is expected of each
 * pattern was asked of Python's fnmatch.fnmatchcase. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/profile/pattern.h"
#include "inquest/analyzer/profile_filter.h"
#include "profile_fixture.h"

static bool matches(const char *text, const char *name)
{
    struct pattern pattern;
    assert_int_equal(pattern_compile(text, strlen(text), &pattern), STATUS_OK);
    bool result = pattern_matches(&pattern, name, strlen(name));
    pattern_deinit(&pattern);
    return result;
}

static void test_patterns(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "/a/b", true},
        {"*.py", "/a/b.py", true},
        {"*.py", "/a/b.pyx", false},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYbZ", false},
        {"**a**", "bab", true},
        {"?", "\xc3\xa9", true},
        {"?", "ab", false},
        {"??", "\xff\xfe", true},
        {"[a-c]", "b", true},
        {"[a-c]", "d", false},
        {"[!a-c]", "d", true},
        {"[!a-c]", "", false},
        {"[]a]", "]", true},
        {"[!]a]", "]", false},
        {"[", "[", true},
        {"[a", "[a", true},
        {"[]", "[]", true},
        {"[!]", "[!]", true},
        {"[z-a]", "z", false},
        {"[!z-a]", "q", true},
        {"[z-ab]", "b", true},
        {"[z-ab]", "a", false},
        {"[a-c-e]", "-", true},
        {"[a-c-e]", "d", false},
        {"[a-c-e]", "e", true},
        {"[c-a-z]", "-", true},
        {"[c-a-z]", "m", false},
        {"[--a]", "A", true},
        {"[---]", "-", true},
        {"[a-]", "-", true},
        {"[-a]", "-", true},
        {"[a--]", "a", false},
        {"[\\d]", "\\", true},
        {"[^a]", "^", true},
        {"[^a]", "a", true},
        {"[a&&b]", "&", true},
        {"[\xc3\xa0-\xc3\xaf]", "\xc3\xa9", true},
        {"a[", "a[", true},
        {"a.c", "abc", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (matches(cases[i].pattern, cases[i].name) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
}

/* An undecodable byte of the command line is what surrogateescape makes of it. */
static void test_bytes_are_escaped_surrogates(void **state)
{
    (void)state;
    assert_true(matches("b\xe9.py", "b\xed\xb3\xa9.py"));
    assert_false(matches("b\xea.py", "b\xed\xb3\xa9.py"));
}

static void test_many_stars_are_fast(void **state)
{
    (void)state;
    char name[4001], pattern[201];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < sizeof pattern - 1; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[sizeof pattern - 1] = '\0';
    assert_true(matches(pattern, name));
    pattern[sizeof pattern - 2] = 'b';
    assert_false(matches(pattern, name));
}

static struct profile snapshot(void)
{
    struct profile profile = fixture_profile(PROFILE_TRACEMALLOC, "bytes");
    static const char *const stacks[] = {"app.py:1;lib/a.py:10", "app.py:1;lib/a.py:11", "app.py:2",
                                         "lib/a.py:10;old.pyc:3"};
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t stack = fixture_stack(&profile, NULL, stacks[i]);
        assert_int_equal(profile_add_trace(&profile, stack, 0, 1u << i, 1), STATUS_OK);
        assert_int_equal(profile_add_trace(&profile, stack, 7, 16u << i, 1), STATUS_OK);
    }
    return profile;
}

/* Which traces stay: one bit each, of domain 0 the lower four, of 7 the upper. */
static uint64_t kept(const struct profile_filter *filters, size_t count)
{
    struct profile profile = snapshot();
    struct error err = {0};
    assert_int_equal(profile_filter_apply(&profile, filters, count, &err), STATUS_OK);
    uint64_t sum = 0;
    for (size_t i = 0; i < profile.traces.count; i++)
        sum += profile.traces.items[i].size;
    profile_deinit(&profile);
    return sum;
}

#define KEPT(...)                                                                                  \
    kept((const struct profile_filter[]){__VA_ARGS__},                                             \
         sizeof((const struct profile_filter[]){__VA_ARGS__}) / sizeof(struct profile_filter))

static void test_filters(void **state)
{
    (void)state;
    assert_int_equal(kept(NULL, 0), 0xFF);
    assert_int_equal(KEPT({true, "lib/*", -1, false, -1}), 0x33);
    assert_int_equal(KEPT({false, "lib/*", -1, false, -1}), 0xCC);
    assert_int_equal(KEPT({true, "lib/*", -1, true, -1}), 0xBB);
    assert_int_equal(KEPT({false, "lib/*", -1, true, -1}), 0x44);
    assert_int_equal(KEPT({true, "lib/*", 10, false, -1}), 0x11);
    assert_int_equal(KEPT({true, "lib/*", 10, true, -1}), 0x99);
    assert_int_equal(KEPT({true, "old.py", -1, false, -1}), 0x88);
    assert_int_equal(KEPT({true, "old.pyc", -1, false, -1}), 0x88);
    assert_int_equal(KEPT({true, "lib/*", -1, false, 7}), 0x30);
    /* of an exclusive one too, the domain is part of what matches */
    assert_int_equal(KEPT({false, "lib/*", -1, false, 7}), 0xCF);
    assert_int_equal(KEPT({true, NULL, -1, false, 7}), 0xF0);
    assert_int_equal(KEPT({false, NULL, -1, false, 0}), 0xF0);
    /* any inclusive, and every exclusive */
    assert_int_equal(KEPT({true, NULL, -1, false, 0}, {true, "app.py", -1, false, -1}), 0x4F);
    assert_int_equal(KEPT({false, "app.py", -1, false, -1}, {false, "old.py", -1, false, -1}),
                     0x33);
    assert_int_equal(KEPT({true, "lib/*", -1, false, -1}, {false, "*", 11, false, -1}), 0x11);
}

static void test_samples_and_functions(void **state)
{
    (void)state;
    struct profile profile;
    struct error err = {0};
    const struct profile_filter filter = {true, "a.py", -1, false, -1};
    profile_init(&profile);
    profile.family = PROFILE_SAMPLES;
    uint32_t track = fixture_track(&profile, "", -1, -1);
    fixture_sample(&profile, "a.py", "f:1", track, 1, 1);
    fixture_sample(&profile, "b.py", "f:1", track, 2, 1);
    assert_int_equal(profile_filter_apply(&profile, &filter, 1, &err), STATUS_OK);
    assert_int_equal(profile.samples.count, 1);
    assert_true(profile.samples.items[0].weight == 1);
    profile_deinit(&profile);
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    fixture_stat(&profile, "b.py", 1, "gone", 1, 1, 1, 1);
    fixture_call(&profile, "a.py", 2, "kept", 1, 1, 1, 1);
    fixture_stat(&profile, "a.py", 2, "kept", 2, 2, 1, 1);
    fixture_call(&profile, "b.py", 1, "gone", 2, 2, 1, 1);
    assert_int_equal(profile_filter_apply(&profile, &filter, 1, &err), STATUS_OK);
    assert_int_equal(profile.stats.count, 1);
    assert_int_equal(profile.calls.count, 1);
    assert_int_equal(profile.stats.items[0].first_call, 0);
    assert_int_equal(profile.calls.items[0].calls, 2);
    profile_deinit(&profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_bytes_are_escaped_surrogates),
        cmocka_unit_test(test_many_stars_are_fast),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_samples_and_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
