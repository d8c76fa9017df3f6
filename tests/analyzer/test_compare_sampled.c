/* SPDX-License-Identifier: Apache-2.0 */
/* What chance explains in recordings of a sampling profiler that are written as pstats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inquest/analyzer/diff_profile.h"
#include "tests/analyzer/profile_fixture.h"

static struct profile_diff make(const struct profile *old_profile,
                                const struct profile *new_profile,
                                struct diff_profile_options options)
{
    struct profile_diff diff;
    struct error err = {0};
    enum status status =
        profile_diff_make(old_profile, new_profile, &options, false, false, &diff, &err);
    if (status != STATUS_OK)
        fail_msg("%s", err.message);
    return diff;
}

static const struct diff_row *row_of(const struct profile_diff *diff, const char *key)
{
    const struct diff_table *rows = &diff->diff.tables.items[0];
    for (size_t i = 0; i < rows->rows.count; i++)
        if (!strcmp(rows->rows.items[i].keys[0], key))
            return &rows->rows.items[i];
    fail_msg("there is no row %s", key);
    return NULL;
}

/* As 3.15's profiling.sampling writes it at 10 ms: calls are samples with the function on
 * the stack, primitive calls those in it itself. */
static struct profile sampled_of(int64_t slow, int64_t fast)
{
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    profile.unit = "seconds";
    profile.format = "pstats";
    profile.is_sampled = true;
    fixture_stat(&profile, "a.py", 1, "main", slow + fast, 0, 0, 0.01 * (double)(slow + fast));
    fixture_stat(&profile, "a.py", 5, "slow", slow, slow, 0.01 * (double)slow, 0.01 * (double)slow);
    fixture_stat(&profile, "b.py", 9, "fast", fast, fast, 0.01 * (double)fast, 0.01 * (double)fast);
    profile_seal(&profile);
    return profile;
}

static void test_sampled_pstats(void **state)
{
    (void)state;
    struct profile old_profile = sampled_of(100, 100), new_profile = sampled_of(131, 127);
    struct diff_profile_options options = {.rule = MATCH_FUNCTION, .by = HOTSPOT_FUNCTION};
    struct profile_diff diff = make(&old_profile, &new_profile, options);
    assert_false(row_of(&diff, "slow")->is_noise);
    assert_true(row_of(&diff, "fast")->is_noise);
    assert_false(row_of(&diff, "main")->is_noise); /* 200 to 258 in all */
    assert_string_equal(diff.diff.tables.items[0].measures[2].name, "count");
    profile_diff_deinit(&diff);
    options.by = HOTSPOT_FILE;
    diff = make(&old_profile, &new_profile, options);
    assert_false(row_of(&diff, "a.py")->is_noise);
    assert_true(row_of(&diff, "b.py")->is_noise);
    profile_diff_deinit(&diff);
    /* where one was traced, its calls are exact and no samples */
    old_profile.is_sampled = false;
    options.by = HOTSPOT_FUNCTION;
    diff = make(&old_profile, &new_profile, options);
    assert_false(row_of(&diff, "fast")->is_noise);
    assert_string_equal(diff.diff.tables.items[0].measures[2].name, "calls");
    profile_diff_deinit(&diff);
    profile_deinit(&old_profile);
    profile_deinit(&new_profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sampled_pstats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
