/* SPDX-License-Identifier: Apache-2.0 */
/* The line through numbers over time, its certainty, and what shape they have. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inquest/analyzer/trend.h"
#include "profile_fixture.h"

#define HOURS(...) ((const double[]){__VA_ARGS__})

static struct trend_row fit(const double *values, size_t count)
{
    double times[16];
    struct trend_row row = {0};
    for (size_t i = 0; i < count; i++)
        times[i] = 3600.0 * (double)i;
    trend_fit(times, values, count, &row);
    return row;
}

static bool near(double value, double expected)
{
    return fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected));
}

static void test_line(void **state)
{
    (void)state;
    struct trend_row row = fit(HOURS(10, 20, 30, 40), 4);
    assert_true(near(row.slope, 10) && near(row.fit, 1) && near(row.percent, 100));
    assert_true(near(row.low, 10) && near(row.high, 10));
    /* By hand: mean 4, slope 2.2, residuals 0.3 −0.9 0.9 −0.3, R² 24.2 / 26. */
    row = fit(HOURS(1, 2, 6, 7), 4);
    assert_true(near(row.slope, 2.2) && near(row.fit, 24.2 / 26));
    double error = sqrt(1.8 / 2 / 5) * 4.303;
    assert_true(fabs(row.low - (2.2 - error)) < 1e-6 && fabs(row.high - (2.2 + error)) < 1e-6);
    assert_true(near(row.percent, 2.2 / 0.7 * 100));
    row = fit(HOURS(5, 7), 2);
    assert_true(near(row.slope, 2) && isnan(row.low) && isnan(row.high));
    row = fit(HOURS(0, 5, 10), 3);
    assert_true(isinf(row.percent) || row.percent > 1e9);
    row = fit(HOURS(4, 4, 4), 3);
    assert_true(row.slope == 0 && row.percent == 0 && near(row.fit, 1));
}

static void test_shapes(void **state)
{
    (void)state;
    assert_int_equal(fit(HOURS(100, 110, 121, 133), 4).shape, TREND_STEADY);
    assert_int_equal(fit(HOURS(1, 1, 100, 100), 4).shape, TREND_STEP);
    assert_int_equal(fit(HOURS(1, 2, 100, 101), 4).shape, TREND_STEP);
    assert_int_equal(fit(HOURS(1, 2, 100), 3).shape, TREND_STEADY); /* of two, one is most */
    assert_int_equal(fit(HOURS(1, 1, 100), 3).shape, TREND_STEP);
    assert_int_equal(fit(HOURS(1, 5, 2, 6), 4).shape, TREND_SAW);
    assert_int_equal(fit(HOURS(9, 5, 5, 1), 4).shape, TREND_SHRINKING);
    assert_int_equal(fit(HOURS(3, 3, 3, 3), 4).shape, TREND_FLAT);
}

static struct profile recording(double leak, double other)
{
    struct profile profile = fixture_profile(PROFILE_SAMPLES, "samples");
    uint32_t track = fixture_track(&profile, "", 1, 1);
    fixture_sample(&profile, "a.py", "main:1;leak:2", track, leak, 1);
    if (other > 0)
        fixture_sample(&profile, "a.py", "other:1", track, other, 1);
    profile_seal(&profile);
    return profile;
}

static void test_order_of_time(void **state)
{
    (void)state;
    struct profile profiles[] = {recording(30, 500), recording(10, 0), recording(20, 0)};
    struct trend_input inputs[] = {{.name = "c", .profile = &profiles[0], .time = 7200},
                                   {.name = "a", .profile = &profiles[1], .time = 0},
                                   {.name = "b", .profile = &profiles[2], .time = 3600}};
    struct trend trend;
    struct error err = {0};
    assert_int_equal(trend_make(inputs, 3, NULL, &trend, &err), STATUS_OK);
    assert_string_equal(inputs[0].name, "a");
    assert_string_equal(trend.rows.items[0].keys[0], "leak"); /* steady before larger */
    assert_true(near(trend.rows.items[0].slope, 10));
    assert_string_equal(trend.rows.items[1].keys[0], "other");
    assert_int_equal(trend.rows.items[1].shape, TREND_STEP);
    assert_true(trend.rows.items[1].values[0] == 0 && trend.rows.items[1].values[2] == 500);
    assert_true(trend.totals[0] == 10 && trend.totals[2] == 530);
    trend_deinit(&trend);
    assert_int_equal(trend_make(inputs, 3, "type", &trend, &err), STATUS_USAGE);
    inputs[1].time = 7200;
    assert_int_equal(trend_make(inputs, 3, NULL, &trend, &err), STATUS_USAGE);
    inputs[1].time = 3600;
    profiles[0].unit = "seconds";
    assert_int_equal(trend_make(inputs, 3, NULL, &trend, &err), STATUS_USAGE);
    for (size_t i = 0; i < 3; i++)
        profile_deinit(&profiles[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_order_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
