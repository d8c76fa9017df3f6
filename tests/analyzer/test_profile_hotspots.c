/* SPDX-License-Identifier: Apache-2.0 */
/* Self and total by function, line, file, module and thread; who calls whom. What
 * tracemalloc and pstats say of their own files is tests/live/profiles.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inquest/analyzer/profile_hotspots.h"
#include "profile_fixture.h"

/* main calls work, which calls itself; `sort` is in another file. */
static struct profile samples(void)
{
    struct profile profile = fixture_profile(PROFILE_SAMPLES, "seconds");
    uint32_t first = fixture_track(&profile, "first", 1, 11);
    uint32_t second = fixture_track(&profile, "second", 1, 12);
    fixture_sample(&profile, "shop/app.py", "main:1;work:7;work:8", first, 1, 2);
    fixture_sample(&profile, "shop/app.py", "main:1;work:7", second, 2, 2);
    fixture_sample(&profile, "shop/app.py", "main:2", first, 4, 2);
    uint32_t frames[2] = {fixture_frame(&profile, "main", "shop/app.py", 2),
                          fixture_frame(&profile, "sort", "lib/sort.py", 3)};
    uint32_t stack = 0;
    assert_int_equal(profile_add_stack(&profile, frames, 2, &stack), STATUS_OK);
    assert_int_equal(profile_add_sample(&profile, stack, first, 8, 1), STATUS_OK);
    return profile;
}

/* Rows as "name self total count; …" */
static const char *rows_text(const struct profile *profile, struct hotspot_options options)
{
    static char buffer[2048];
    struct hotspots hotspots;
    struct error err = {0};
    size_t used = 0;
    *buffer = '\0';
    assert_int_equal(hotspots_build(profile, &options, &hotspots, &err), STATUS_OK);
    for (size_t i = 0; i < hotspots.rows.count; i++) {
        const struct hotspot *row = &hotspots.rows.items[i];
        const char *function = hotspot_function(&hotspots, row);
        const char *file = hotspot_file(&hotspots, row), *module = hotspot_module(&hotspots, row);
        const char *name = function ? function : module ? module : file;
        if (options.by == HOTSPOT_THREAD)
            name = profile_text(profile, profile->tracks.items[row->key].name);
        used += (size_t)snprintf(buffer + used, sizeof buffer - used, "%s", name ? name : "-");
        if (hotspot_line(&hotspots, row))
            used += (size_t)snprintf(buffer + used, sizeof buffer - used, ":%d",
                                     hotspot_line(&hotspots, row));
        used += (size_t)snprintf(buffer + used, sizeof buffer - used, " %g %g %d; ", row->self,
                                 row->total, (int)row->count);
    }
    assert_true(hotspots.whole == 15 || profile->family != PROFILE_SAMPLES);
    hotspots_deinit(&hotspots);
    return buffer;
}

#define ROWS(...) rows_text(&profile, (struct hotspot_options){__VA_ARGS__})

static void test_groups(void **state)
{
    (void)state;
    struct profile profile = samples();
    assert_string_equal(ROWS(.by = HOTSPOT_FUNCTION, .total = HOTSPOT_ONCE),
                        "sort 8 8 1; main 4 15 7; work 3 3 4; ");
    assert_string_equal(
        ROWS(.by = HOTSPOT_FUNCTION, .total = HOTSPOT_EACH_TIME, .sort = HOTSPOT_BY_TOTAL),
        "main 4 15 7; sort 8 8 1; work 3 4 6; ");
    assert_string_equal(ROWS(.by = HOTSPOT_LINE, .total = HOTSPOT_ONCE),
                        "sort:3 8 8 1; main:2 4 12 3; work:7 2 3 4; work:8 1 1 2; main:1 0 3 4; ");
    assert_string_equal(ROWS(.by = HOTSPOT_FILE, .total = HOTSPOT_ONCE),
                        "lib/sort.py 8 8 1; shop/app.py 7 15 7; ");
    assert_string_equal(ROWS(.by = HOTSPOT_MODULE, .total = HOTSPOT_ONCE),
                        "lib.sort 8 8 1; shop.app 7 15 7; ");
    assert_string_equal(ROWS(.by = HOTSPOT_THREAD), "first 13 13 5; second 2 2 2; ");
    assert_string_equal(ROWS(.by = HOTSPOT_TRACEBACK), "- 8 8 1; - 4 4 2; - 2 2 2; - 1 1 2; ");
    profile_deinit(&profile);
}

static void test_orders(void **state)
{
    (void)state;
    struct profile profile = samples();
    assert_string_equal(
        ROWS(.by = HOTSPOT_FUNCTION, .total = HOTSPOT_ONCE, .sort = HOTSPOT_BY_NAME),
        "main 4 15 7; sort 8 8 1; work 3 3 4; ");
    assert_string_equal(ROWS(.by = HOTSPOT_FUNCTION, .total = HOTSPOT_ONCE, .ascending = true),
                        "work 3 3 4; main 4 15 7; sort 8 8 1; ");
    assert_string_equal(
        ROWS(.by = HOTSPOT_FUNCTION, .total = HOTSPOT_ONCE, .sort = HOTSPOT_BY_COUNT),
        "main 4 15 7; work 3 3 4; sort 8 8 1; ");
    profile_deinit(&profile);
}

/* The first few by a heap are the first few of all. */
static void test_limit_is_a_beginning(void **state)
{
    (void)state;
    struct profile profile;
    struct error err = {0};
    profile_init(&profile);
    profile.family = PROFILE_TRACEMALLOC;
    unsigned random = 1;
    for (int i = 0; i < 2000; i++) {
        char place[32];
        random = random * 1103515245 + 12345;
        snprintf(place, sizeof place, "f%u.py:%d", random >> 16 & 15, i);
        uint32_t stack = fixture_stack(&profile, NULL, place);
        assert_int_equal(profile_add_trace(&profile, stack, 0, random >> 20 & 63, 1 + (i & 1)),
                         STATUS_OK);
    }
    struct hotspots all, few;
    struct hotspot_options options = {.by = HOTSPOT_LINE, .sort = HOTSPOT_BY_TOTAL};
    assert_int_equal(hotspots_build(&profile, &options, &all, &err), STATUS_OK);
    options.limit = 37;
    assert_int_equal(hotspots_build(&profile, &options, &few, &err), STATUS_OK);
    assert_int_equal(all.rows.count, few.rows.count);
    for (size_t i = 0; i < 37; i++)
        assert_int_equal(all.rows.items[i].key, few.rows.items[i].key);
    for (size_t i = 1; i < all.rows.count; i++)
        assert_true(all.rows.items[i - 1].size >= all.rows.items[i].size);
    hotspots_deinit(&all);
    hotspots_deinit(&few);
    profile_deinit(&profile);
}

/* Sums past what a double holds are exact, and past 64 bits they stop. */
static void test_sizes_are_exact(void **state)
{
    (void)state;
    struct profile profile;
    struct error err = {0};
    profile_init(&profile);
    profile.family = PROFILE_TRACEMALLOC;
    uint32_t stack = fixture_stack(&profile, NULL, "a.py:1");
    assert_int_equal(profile_add_trace(&profile, stack, 0, (UINT64_C(1) << 62) + 1, 1), STATUS_OK);
    assert_int_equal(profile_add_trace(&profile, stack, 1, 2, 1), STATUS_OK);
    struct hotspots hotspots;
    const struct hotspot_options options = {.by = HOTSPOT_LINE, .sort = HOTSPOT_BY_TOTAL};
    assert_int_equal(hotspots_build(&profile, &options, &hotspots, &err), STATUS_OK);
    assert_true(hotspots.rows.items[0].size == (UINT64_C(1) << 62) + 3);
    hotspots_deinit(&hotspots);
    assert_int_equal(profile_add_trace(&profile, stack, 2, UINT64_MAX, 1), STATUS_OK);
    assert_int_equal(hotspots_build(&profile, &options, &hotspots, &err), STATUS_OK);
    assert_true(hotspots.rows.items[0].size == UINT64_MAX);
    hotspots_deinit(&hotspots);
    profile_deinit(&profile);
}

static const char *relations_text(const struct profile *profile, const char *name, bool callers)
{
    static char buffer[1024];
    struct call_relations found;
    struct error err = {0};
    assert_int_equal(call_relations_find(profile, name, callers, &found, &err), STATUS_OK);
    size_t used = (size_t)snprintf(buffer, sizeof buffer, "%u: %g %g; ", found.matched, found.self,
                                   found.total);
    for (size_t i = 0; i < found.rows.count; i++) {
        const struct call_relation *row = &found.rows.items[i];
        uint32_t id = row->frame_or_function;
        const char *other = "-";
        if (id != PROFILE_NO_ID)
            other = profile_text(
                profile, profile->family == PROFILE_TRACEMALLOC
                             ? profile->functions.items[profile->frames.items[id].function].file
                             : profile->functions.items[id].name);
        used += (size_t)snprintf(buffer + used, sizeof buffer - used, "%s %g %g %d; ", other,
                                 row->self, row->total, (int)row->count);
    }
    call_relations_deinit(&found);
    return buffer;
}

static void test_callers_and_callees(void **state)
{
    (void)state;
    struct profile profile = samples();
    assert_string_equal(relations_text(&profile, "work", true), "1: 3 3; main 2 3 4; work 1 1 2; ");
    assert_string_equal(relations_text(&profile, "work", false), "1: 3 3; work 1 1 2; ");
    assert_string_equal(relations_text(&profile, "main", true), "1: 4 15; - 4 15 7; ");
    assert_string_equal(relations_text(&profile, "main", false),
                        "1: 4 15; sort 8 8 1; work 2 3 4; ");
    assert_string_equal(relations_text(&profile, "shop/app.py:8", true), "1: 1 1; work 1 1 2; ");
    assert_string_equal(relations_text(&profile, "shop/app.py:8(work)", true),
                        "1: 1 1; work 1 1 2; ");
    struct call_relations found;
    struct error err = {0};
    assert_int_equal(call_relations_find(&profile, "absent", true, &found, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "absent"));
    profile_deinit(&profile);
}

static void test_edges_of_pstats(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    fixture_stat(&profile, "a.py", 1, "main", 1, 1, 1, 10);
    fixture_stat(&profile, "b.py", 2, "f", 5, 3, 4, 9);
    fixture_call(&profile, "a.py", 1, "main", 3, 3, 3, 9);
    fixture_call(&profile, "b.py", 2, "f", 2, 0, 1, 2);
    fixture_stat(&profile, "~", 0, "<built-in method len>", 7, 7, 5, 5);
    fixture_call(&profile, "b.py", 2, "f", 7, 7, 5, 5);
    assert_string_equal(relations_text(&profile, "f", true), "1: 4 9; main 3 9 3; f 1 2 2; ");
    assert_string_equal(relations_text(&profile, "b.py:2", false),
                        "1: 4 9; <built-in method len> 5 5 7; f 1 2 2; ");
    assert_string_equal(relations_text(&profile, "{built-in method len}", true),
                        "1: 5 5; f 5 5 7; ");
    assert_string_equal(ROWS(.by = HOTSPOT_FILE), "~ 5 5 7; b.py 4 9 5; a.py 1 10 1; ");
    profile_deinit(&profile);
}

static void test_what_has_no_meaning_is_said(void **state)
{
    (void)state;
    struct profile profile;
    struct hotspots hotspots;
    struct error err = {0};
    static const struct {
        enum profile_family family;
        enum hotspot_by by;
    } cases[] = {{PROFILE_TRACEMALLOC, HOTSPOT_FUNCTION},
                 {PROFILE_TRACEMALLOC, HOTSPOT_THREAD},
                 {PROFILE_PSTATS, HOTSPOT_THREAD},
                 {PROFILE_PSTATS, HOTSPOT_TRACEBACK}};
    profile_init(&profile);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct hotspot_options options = {.by = cases[i].by};
        profile.family = cases[i].family;
        assert_int_equal(hotspots_build(&profile, &options, &hotspots, &err), STATUS_USAGE);
        assert_true(err.message[0]);
    }
    profile_deinit(&profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_limit_is_a_beginning),
        cmocka_unit_test(test_sizes_are_exact),
        cmocka_unit_test(test_callers_and_callees),
        cmocka_unit_test(test_edges_of_pstats),
        cmocka_unit_test(test_what_has_no_meaning_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
