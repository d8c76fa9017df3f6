/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "inquest/analyzer/profile_merge.h"
#include "profile_fixture.h"

static void add(struct profile *sum, const struct profile *part, const char *name)
{
    struct error err = {0};
    assert_int_equal(profile_merge_add(sum, part, name, &err), STATUS_OK);
}

static void sample(struct profile *profile, const char *words, uint32_t track, double weight,
                   uint64_t count)
{
    uint32_t stack = fixture_stack(profile, "app.py", words);
    assert_int_equal(profile_add_sample(profile, stack, track, weight, count), STATUS_OK);
}

static void samples_init(struct profile *profile, const char *unit)
{
    profile_init(profile);
    profile->family = PROFILE_SAMPLES;
    profile->format = "folded stacks";
    profile->unit = unit;
}

static void snapshot_init(struct profile *profile, const char *limit)
{
    profile_init(profile);
    profile->family = PROFILE_TRACEMALLOC;
    profile->format = "tracemalloc pickle";
    profile->unit = "bytes";
    assert_int_equal(profile_add_fact(profile, "traceback_limit", limit), STATUS_OK);
    assert_int_equal(profile_add_fact(profile, "python", "3.12"), STATUS_OK);
}

/* The row of those frames and that track. */
static const struct profile_sample *find(const struct profile *profile, const char *leaf,
                                         uint32_t track)
{
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *row = &profile->samples.items[i];
        const struct profile_stack *stack = &profile->stacks.items[row->stack];
        uint32_t frame = profile->stack_frames.items[stack->first + stack->depth - 1];
        uint32_t name = profile->functions.items[profile->frames.items[frame].function].name;
        if (row->track == track && !strcmp(profile_text(profile, name), leaf))
            return row;
    }
    return NULL;
}

static void test_with_itself(void **state)
{
    (void)state;
    struct profile part, sum;
    samples_init(&part, "samples");
    uint32_t first = fixture_track(&part, "worker", 7, 11);
    uint32_t second = fixture_track(&part, "worker", 7, 12);
    sample(&part, "main:1;work:7", first, 5, 5);
    sample(&part, "main:1;work:7", second, 0.25, 1);
    sample(&part, "main:1", first, 3, 2);
    profile_merge_init(&sum);
    add(&sum, &part, "a");
    add(&sum, &part, "a");
    assert_int_equal(sum.samples.count, part.samples.count);
    assert_int_equal(sum.stacks.count, part.stacks.count);
    assert_int_equal(sum.tracks.count, 2);
    for (size_t i = 0; i < part.samples.count; i++) {
        assert_true(sum.samples.items[i].weight == 2 * part.samples.items[i].weight);
        assert_int_equal(sum.samples.items[i].count, 2 * part.samples.items[i].count);
        assert_int_equal(sum.samples.items[i].track, part.samples.items[i].track);
    }
    assert_string_equal(sum.format, "folded stacks");
    profile_deinit(&part);
    profile_deinit(&sum);
}

/* One name and number is one track; two that are alike in one file stay two. */
static void test_tracks(void **state)
{
    (void)state;
    struct profile a, b, sum;
    samples_init(&a, "seconds");
    samples_init(&b, "seconds");
    uint32_t one = fixture_track(&a, "x", -1, -1), two = fixture_track(&a, "x", -1, -1);
    uint32_t other = fixture_track(&b, "y", -1, 5), same = fixture_track(&b, "x", -1, -1);
    sample(&a, "f", one, 1, 1);
    sample(&a, "f", two, 2, 1);
    sample(&b, "f", other, 4, 1);
    sample(&b, "g", same, 8, 1);
    b.format = "speedscope";
    profile_merge_init(&sum);
    add(&sum, &a, "a");
    add(&sum, &b, "b");
    assert_int_equal(sum.tracks.count, 3);
    assert_true(find(&sum, "f", 0)->weight == 1);
    assert_true(find(&sum, "f", 1)->weight == 2);
    assert_true(find(&sum, "f", 2)->weight == 4);
    assert_true(find(&sum, "g", 0)->weight == 8);
    assert_string_equal(profile_text(&sum, sum.tracks.items[2].name), "y");
    assert_int_equal(sum.tracks.items[2].tid, 5);
    assert_string_equal(sum.format, "folded stacks + speedscope");
    profile_deinit(&a);
    profile_deinit(&b);
    profile_deinit(&sum);
}

static void test_snapshots(void **state)
{
    (void)state;
    struct profile a, b, sum;
    snapshot_init(&a, "25");
    snapshot_init(&b, "1");
    uint32_t stack = fixture_stack(&a, NULL, "a.py:3;b.py:9");
    assert_int_equal(profile_add_trace(&a, stack, 0, 100, 2), STATUS_OK);
    assert_int_equal(profile_add_trace(&a, stack, 4, 7, 1), STATUS_OK);
    (void)fixture_stack(&b, NULL, "other.py:1");
    stack = fixture_stack(&b, NULL, "a.py:3;b.py:9");
    assert_int_equal(profile_add_trace(&b, stack, 0, 1000, 20), STATUS_OK);
    profile_merge_init(&sum);
    add(&sum, &a, "a");
    assert_int_equal(sum.facts.count, 2);
    add(&sum, &b, "b");
    assert_int_equal(sum.traces.count, 2);
    assert_int_equal(sum.traces.items[0].size, 1100);
    assert_int_equal(sum.traces.items[0].count, 22);
    assert_int_equal(sum.traces.items[1].domain, 4);
    assert_int_equal(sum.traces.items[1].size, 7);
    /* what differs is no fact of the sum, and stacks of different lengths are worth a word */
    assert_int_equal(sum.facts.count, 1);
    assert_string_equal(sum.facts.items[0].key, "python");
    assert_int_equal(sum.warnings.count, 1);
    assert_non_null(strstr(sum.warnings.items[0].message, "b keeps 1 frames"));
    profile_deinit(&a);
    profile_deinit(&b);
    profile_deinit(&sum);
}

static void test_refusals(void **state)
{
    (void)state;
    struct profile samples, seconds, snapshot, sum;
    struct error err = {0};
    samples_init(&samples, "samples");
    samples_init(&seconds, "seconds");
    snapshot_init(&snapshot, "1");
    sample(&samples, "f", fixture_track(&samples, "x", -1, -1), 3, 3);
    profile_merge_init(&sum);
    add(&sum, &samples, "a.raw");
    assert_int_equal(profile_merge_add(&sum, &seconds, "b.json", &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "b.json"));
    assert_non_null(strstr(err.message, "seconds"));
    assert_non_null(strstr(err.message, "samples"));
    assert_int_equal(profile_merge_add(&sum, &snapshot, "c", &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "snapshot of tracemalloc"));
    assert_int_equal(sum.samples.count, 1);
    assert_true(sum.samples.items[0].weight == 3);
    profile_deinit(&sum);
    uint32_t stack = fixture_stack(&snapshot, NULL, "a.py:3");
    assert_int_equal(profile_add_trace(&snapshot, stack, 0, UINT64_MAX - 1, 1), STATUS_OK);
    profile_merge_init(&sum);
    add(&sum, &snapshot, "c");
    assert_int_equal(profile_merge_add(&sum, &snapshot, "c", &err), STATUS_OVER_LIMIT);
    profile_deinit(&sum);
    profile_deinit(&samples);
    profile_deinit(&seconds);
    profile_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_itself),
        cmocka_unit_test(test_tracks),
        cmocka_unit_test(test_snapshots),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
