/* SPDX-License-Identifier: Apache-2.0 */
/* Two recordings: what is the same in both, the numbers and their order, the tree of both. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/compare/diff_calls.h"
#include "analyzer/compare/function_match.h"
#include "analyzer/compare/profile_pair.h"
#include "inquest/analyzer/diff_profile.h"
#include "inquest/analyzer/profile_edges.h"
#include "profile_fixture.h"

static struct profile samples_of(const char *file, const char *const *stacks, const double *weights,
                                 size_t count)
{
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_SAMPLES;
    profile.unit = "samples";
    profile.format = "folded";
    uint32_t track = fixture_track(&profile, "", 1, 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t stack = fixture_stack(&profile, file, stacks[i]);
        assert_int_equal(
            profile_add_sample(&profile, stack, track, weights[i], (uint64_t)weights[i]),
            STATUS_OK);
    }
    profile_seal(&profile);
    return profile;
}

#define SAMPLES(file, weights, ...)                                                                \
    samples_of(file, (const char *const[]){__VA_ARGS__}, weights,                                  \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
#define WEIGHTS(...) ((const double[]){__VA_ARGS__})

static struct profile_diff make(const struct profile *old_profile,
                                const struct profile *new_profile,
                                struct diff_profile_options options, bool with_tree, bool reverse)
{
    struct profile_diff diff;
    struct error err = {0};
    if (profile_diff_make(old_profile, new_profile, &options, with_tree, reverse, &diff, &err) !=
        STATUS_OK)
        fail_msg("%s", err.message);
    return diff;
}

static const struct diff_table *table_of(const struct profile_diff *diff, const char *name)
{
    for (size_t i = 0; i < diff->diff.tables.count; i++)
        if (!strcmp(diff->diff.tables.items[i].name, name))
            return &diff->diff.tables.items[i];
    return NULL;
}

static const struct diff_row *row_of(const struct diff_table *table, const char *key)
{
    for (size_t i = 0; i < table->rows.count; i++)
        if (!strcmp(table->rows.items[i].keys[0], key))
            return &table->rows.items[i];
    fail_msg("there is no row %s", key);
    return NULL;
}

/* ---- function_match */

/* "name file line" of each function: which of OLD's (by position from 1) is it? */
struct place {
    const char *name, *file;
    int32_t line;
};

static struct profile functions_of(const struct place *places, size_t count)
{
    struct profile profile;
    profile_init(&profile);
    for (size_t i = 0; i < count; i++) {
        uint32_t id = 0;
        assert_int_equal(profile_add_function(&profile, fixture_string(&profile, places[i].name),
                                              fixture_string(&profile, places[i].file),
                                              places[i].line, &id),
                         STATUS_OK);
        assert_int_equal(id, i);
    }
    return profile;
}

static void check_match(const struct place *old_places, size_t old_count,
                        const struct place *new_places, size_t new_count, enum match_rule rule,
                        const int *expected)
{
    struct profile old_profile = functions_of(old_places, old_count);
    struct profile new_profile = functions_of(new_places, new_count);
    uint32_t *old_of = malloc((new_count + 1) * sizeof *old_of);
    assert_non_null(old_of);
    assert_true(function_match(&old_profile, &new_profile, rule, old_of));
    for (size_t i = 0; i < new_count; i++) {
        uint32_t wanted = expected[i] < 0 ? PROFILE_NO_ID : (uint32_t)expected[i];
        if (old_of[i] != wanted)
            fail_msg("rule %d: %s:%d is %d, not %d", (int)rule, new_places[i].name,
                     (int)new_places[i].line, (int)old_of[i], expected[i]);
    }
    free(old_of);
    profile_deinit(&old_profile);
    profile_deinit(&new_profile);
}

static void test_functions_match(void **state)
{
    (void)state;
    static const struct place before[] = {
        {"run", "/usr/lib/python3/site-packages/shop/app.py", 10},
        {"run", "/usr/lib/python3/site-packages/shop/other.py", 10},
        {"<lambda>", "/usr/lib/python3/site-packages/shop/app.py", 20},
        {"<lambda>", "/usr/lib/python3/site-packages/shop/app.py", 30},
        {"len", "~", 0},
        {"gone", "/usr/lib/python3/site-packages/shop/app.py", 50},
    };
    static const struct place after[] = {
        {"<lambda>", "/opt/venv/lib/python3/site-packages/shop/app.py", 30}, /* stayed */
        {"<lambda>", "/opt/venv/lib/python3/site-packages/shop/app.py", 41}, /* moved */
        {"run", "/opt/venv/lib/python3/site-packages/shop/app.py", 12},
        {"run", "/usr/lib/python3/site-packages/shop/other.py", 10},
        {"len", "~", 0},
        {"born", "/opt/venv/lib/python3/site-packages/shop/app.py", 60},
    };
    check_match(before, 6, after, 6, MATCH_FUNCTION, (const int[]){3, 2, 0, 1, 4, -1});
    check_match(before, 6, after, 6, MATCH_LINE, (const int[]){3, -1, -1, 1, 4, -1});
    check_match(before, 6, after, 6, MATCH_EXACT, (const int[]){-1, -1, -1, 1, 4, -1});
    check_match(before, 6, after, 0, MATCH_FUNCTION, NULL);
    check_match(before, 0, after, 1, MATCH_FUNCTION, (const int[]){-1});
}

/* A thousand lambdas of one file: by line, in no time. */
static void test_many_of_a_name(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct place *before = calloc(MANY, sizeof *before), *after = calloc(MANY, sizeof *after);
    int *expected = calloc(MANY, sizeof *expected);
    assert_true(before && after && expected);
    for (int i = 0; i < MANY; i++) {
        before[i] = (struct place){"<lambda>", "a.py", i + 1};
        after[i] = (struct place){"<lambda>", "a.py", i + 501};
        expected[i] = i + 500 < MANY ? i + 500 : -1;
    }
    check_match(before, MANY, after, MANY, MATCH_FUNCTION, expected);
    free(before);
    free(after);
    free(expected);
}

/* ---- Rows. */

static struct profile snapshot(const char *const *stacks, const uint64_t (*numbers)[2],
                               size_t count)
{
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_TRACEMALLOC;
    profile.unit = "bytes";
    profile.format = "tracemalloc pickle";
    for (size_t i = 0; i < count; i++) {
        uint32_t stack = fixture_stack(&profile, NULL, stacks[i]);
        assert_int_equal(profile_add_trace(&profile, stack, 0, numbers[i][0], numbers[i][1]),
                         STATUS_OK);
    }
    profile_seal(&profile);
    return profile;
}

static const char *row_list(const struct diff_table *table)
{
    static char buffer[4096];
    size_t used = 0;
    *buffer = '\0';
    for (size_t i = 0; i < table->rows.count; i++) {
        const struct diff_row *row = &table->rows.items[i];
        used += (size_t)snprintf(
            buffer + used, sizeof buffer - used, "%s:%s %llu>%llu %g>%g%s%s\n", row->keys[0],
            row->keys[1] ? row->keys[1] : "", (unsigned long long)row->old_size,
            (unsigned long long)row->new_size, row->old_values[1], row->new_values[1],
            row->note ? " " : "", row->note ? row->note : "");
    }
    return buffer;
}

/* abs(size_diff), size, abs(count_diff), count, place: all falling. */
static void test_order_of_compare_to(void **state)
{
    (void)state;
    static const char *const before[] = {"a.py:1", "b.py:1", "c.py:1", "f.py:1", "g.py:1"};
    static const uint64_t before_numbers[][2] = {
        {100, 1}, {100, 1}, {300, 3}, {(uint64_t)1 << 62, 1}, {5, 1}};
    static const char *const after[] = {"a.py:1", "b.py:1", "d.py:2", "d.py:1", "f.py:1", "g.py:1"};
    static const uint64_t after_numbers[][2] = {
        {150, 2}, {150, 4}, {50, 1}, {50, 1}, {((uint64_t)1 << 62) + 51, 1}, {5, 1}};
    struct profile old_profile = snapshot(before, before_numbers, 5);
    struct profile new_profile = snapshot(after, after_numbers, 6);
    struct profile_diff diff =
        make(&old_profile, &new_profile, (struct diff_profile_options){.by = HOTSPOT_LINE}, false,
             false);
    assert_string_equal(row_list(&diff.diff.tables.items[0]),
                        "c.py:1 300>0 3>0\n"
                        "f.py:1 4611686018427387904>4611686018427387955 1>1\n"
                        "b.py:1 100>150 1>4\n"
                        "a.py:1 100>150 1>2\n"
                        "d.py:2 0>50 0>1\n"
                        "d.py:1 0>50 0>1\n"
                        "g.py:1 5>5 1>1\n");
    assert_int_equal(diff.diff.tables.items[0].rows.items[0].presence, DIFF_GONE);
    assert_int_equal(diff.diff.tables.items[0].rows.items[4].presence, DIFF_NEW);
    assert_null(table_of(&diff, "moved"));
    profile_diff_deinit(&diff);
    profile_deinit(&old_profile);
    profile_deinit(&new_profile);
}

static void test_moved_lines(void **state)
{
    (void)state;
    static const char *const before[] = {"a.py:10", "a.py:20", "a.py:30", "b.py:5"};
    static const uint64_t before_numbers[][2] = {{100, 10}, {200, 20}, {300, 30}, {70, 1}};
    static const char *const after[] = {"a.py:13", "a.py:23", "a.py:33", "b.py:9", "c.py:5"};
    static const uint64_t after_numbers[][2] = {
        {100, 10}, {250, 25}, {300, 30}, {7000, 900}, {70, 1}};
    struct profile old_profile = snapshot(before, before_numbers, 4);
    struct profile new_profile = snapshot(after, after_numbers, 5);
    struct profile_diff diff =
        make(&old_profile, &new_profile, (struct diff_profile_options){.by = HOTSPOT_LINE}, false,
             false);
    assert_int_equal(diff.diff.tables.items[0].rows.count, 9);
    const struct diff_table *moved = table_of(&diff, "moved");
    assert_non_null(moved);
    assert_string_equal(row_list(moved), "b.py:9 0>7000 0>900\n" /* 900 blocks are no 1 */
                                         "b.py:5 70>0 1>0\n"
                                         "c.py:5 0>70 0>1\n" /* another file */
                                         "a.py:23 200>250 20>25 moved from line 20\n"
                                         "a.py:13 100>100 10>10 moved from line 10\n"
                                         "a.py:33 300>300 30>30 moved from line 30\n");
    profile_diff_deinit(&diff);
    profile_deinit(&old_profile);
    profile_deinit(&new_profile);
}

/* A line that another moved onto, in a file that is under another folder now. */
static void test_moved_files(void **state)
{
    (void)state;
    static const char *const before[] = {"/v1/shop/a.py:4", "/v1/shop/a.py:5", "/v1/shop/a.py:7",
                                         "/lib/x.py:1"};
    static const uint64_t before_numbers[][2] = {{7900, 3}, {10000, 20}, {8000, 1}, {50, 1}};
    static const char *const after[] = {"/v2/shop/a.py:7", "/v2/shop/a.py:8", "/v2/shop/a.py:10",
                                        "/lib/x.py:1"};
    static const uint64_t after_numbers[][2] = {{7900, 3}, {12000, 25}, {8000, 1}, {50, 1}};
    struct profile old_profile = snapshot(before, before_numbers, 4);
    struct profile new_profile = snapshot(after, after_numbers, 4);
    struct profile_diff diff =
        make(&old_profile, &new_profile, (struct diff_profile_options){.by = HOTSPOT_LINE}, false,
             false);
    assert_string_equal(row_list(table_of(&diff, "moved")),
                        "/v2/shop/a.py:8 10000>12000 20>25 moved from /v1/shop/a.py:5\n"
                        "/lib/x.py:1 50>50 1>1\n"
                        "/v2/shop/a.py:10 8000>8000 1>1 moved from /v1/shop/a.py:7\n"
                        "/v2/shop/a.py:7 7900>7900 3>3 moved from /v1/shop/a.py:4\n");
    assert_ptr_equal(diff_table_for_people(&diff.diff, 0), table_of(&diff, "moved"));
    assert_ptr_equal(diff_table_for_people(&diff.diff, 1), &diff.diff.tables.items[0]);
    assert_non_null(strstr(diff.diff.verdict, "/v2/shop/a.py:8 grew most"));
    assert_int_equal(diff.diff.warnings.count, 0);
    profile_diff_deinit(&diff);
    profile_deinit(&old_profile);
    profile_deinit(&new_profile);
}

static void test_samples(void **state)
{
    (void)state;
    struct profile old_profile = SAMPLES("a.py", WEIGHTS(100, 50, 8, 20), "main:1;work:2",
                                         "main:1;idle:3", "main:1;work:2;leaf:4", "gone:1");
    struct profile new_profile = SAMPLES("a.py", WEIGHTS(200, 52, 9, 30), "main:1;work:7",
                                         "main:1;idle:3", "main:1;work:7;leaf:9", "born:1");
    const struct diff_profile_options options = {.rule = MATCH_FUNCTION, .by = HOTSPOT_FUNCTION};
    struct profile_diff diff = make(&old_profile, &new_profile, options, true, false);
    const struct diff_table *rows = table_of(&diff, "rows");
    assert_string_equal(rows->rows.items[0].keys[0], "work");
    assert_true(rows->rows.items[0].old_values[0] == 100 &&
                rows->rows.items[0].new_values[0] == 200);
    assert_true(row_of(rows, "main")->new_values[1] == 261);
    assert_true(row_of(rows, "idle")->is_noise);
    assert_false(row_of(rows, "work")->is_noise);
    assert_int_equal(row_of(rows, "gone")->presence, DIFF_GONE);
    assert_int_equal(row_of(rows, "born")->presence, DIFF_NEW);
    assert_true(fabs(diff.pair->matched[0] - 158.0 / 178) < 1e-9);
    assert_true(fabs(diff.pair->matched[1] - 261.0 / 291) < 1e-9);
    const struct diff_table *paths = table_of(&diff, "paths");
    assert_string_equal(paths->rows.items[0].keys[0], "main > work");
    const struct diff_node *all = &diff.nodes.items[0];
    assert_true(all->old_total == 178 && all->new_total == 291 &&
                all->width == 200 + 52 + 9 + 20 + 30);
    for (size_t i = 1; i < diff.nodes.count; i++)
        assert_true(diff.nodes.items[i].parent < i);
    profile_diff_deinit(&diff);

    diff = make(&old_profile, &new_profile, options, true, true);
    double first_level = 0;
    for (size_t i = 1; i < diff.nodes.count; i++)
        if (diff.nodes.items[i].parent == 0)
            first_level += diff.nodes.items[i].new_total;
    assert_true(first_level == 291);
    profile_diff_deinit(&diff);

    struct diff_profile_options scaled = options;
    scaled.normalize = true;
    diff = make(&old_profile, &new_profile, scaled, false, false);
    rows = table_of(&diff, "rows");
    assert_true(fabs(row_of(rows, "work")->old_values[0] - 100 * 291.0 / 178) < 1e-9);
    profile_diff_deinit(&diff);

    scaled = (struct diff_profile_options){.rule = MATCH_LINE, .by = HOTSPOT_LINE};
    diff = make(&old_profile, &new_profile, scaled, false, false);
    assert_true(fabs(diff.pair->matched[0] - 50.0 / 178) < 1e-9);
    profile_diff_deinit(&diff);
    profile_deinit(&old_profile);
    profile_deinit(&new_profile);
}

/* Some hundred stacks out of a few functions, most of them small. */
static struct profile many_samples(unsigned seed, size_t count)
{
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_SAMPLES;
    profile.unit = "samples";
    profile.format = "folded";
    uint32_t track = fixture_track(&profile, "", 1, 1);
    for (size_t i = 0; i < count; i++) {
        char words[128] = "main:1";
        unsigned steps = rand_r(&seed) % 4;
        for (unsigned step = 0; step < steps; step++) {
            unsigned function = rand_r(&seed) % (4 + seed % 3);
            snprintf(words + strlen(words), 16, ";f%u:%u", function, 1 + rand_r(&seed) % 2);
        }
        uint32_t stack = fixture_stack(&profile, "a.py", words);
        assert_int_equal(profile_add_sample(&profile, stack, track, 1 + rand_r(&seed) % 5, 1),
                         STATUS_OK);
    }
    profile_seal(&profile);
    return profile;
}

/* The tree of a picture is the whole one without what is too small, which is counted. */
static void check_picture(const struct profile_diff *whole, const struct profile_diff *picture,
                          double least)
{
    uint32_t *kept_as = malloc(whole->nodes.count * sizeof *kept_as);
    uint64_t *gone = calloc(picture->nodes.count, sizeof *gone);
    uint64_t branches = 0;
    size_t kept = 0;
    assert_true(kept_as && gone);
    assert_int_equal(picture->rests.count, picture->nodes.count);
    for (size_t i = 0; i < whole->nodes.count; i++) {
        const struct diff_node *node = &whole->nodes.items[i];
        const struct diff_node *next = &picture->nodes.items[kept];
        uint32_t parent = i ? kept_as[node->parent] : 0;
        bool is_kept = kept < picture->nodes.count && (!i || parent == next->parent) &&
                       parent != DIFF_NO_STACK && node->function == next->function &&
                       node->line == next->line;
        kept_as[i] = is_kept ? (uint32_t)kept++ : DIFF_NO_STACK;
        if (is_kept) {
            assert_true(node->old_self == next->old_self && node->new_self == next->new_self);
            assert_true(node->old_total == next->old_total && node->new_total == next->new_total);
            assert_true(node->width == next->width);
            continue;
        }
        assert_true(node->width < least * whole->nodes.items[0].width);
        branches += parent != DIFF_NO_STACK;
        uint32_t above = node->parent;
        while (kept_as[above] == DIFF_NO_STACK)
            above = whole->nodes.items[above].parent;
        gone[kept_as[above]]++;
    }
    assert_int_equal(kept, picture->nodes.count);
    for (size_t i = 0; i < kept; i++) {
        assert_int_equal(picture->rests.items[i].nodes, gone[i]);
        branches -= picture->rests.items[i].branches;
    }
    assert_int_equal(branches, 0);
    for (size_t side = 0; side < 2; side++) {
        assert_true(whole->pair->totals[side] == picture->pair->totals[side]);
        assert_true(fabs(whole->pair->matched[side] - picture->pair->matched[side]) < 1e-12);
    }
    free(kept_as);
    free(gone);
}

static void test_picture_alone(void **state)
{
    (void)state;
    struct profile old_profile = many_samples(1, 300), new_profile = many_samples(5, 400);
    for (unsigned way = 0; way < 12; way++) {
        struct diff_profile_options options = {
            .rule = (enum match_rule)(way % 3), .by = HOTSPOT_FUNCTION, .normalize = way >= 6};
        bool reverse = way / 3 % 2;
        struct profile_diff whole = make(&old_profile, &new_profile, options, true, reverse);
        options.picture_only = true;
        options.least = 0.02;
        struct profile_diff picture = make(&old_profile, &new_profile, options, true, reverse);
        assert_int_equal(picture.diff.tables.count, 0);
        assert_string_equal(picture.diff.rule, whole.diff.rule);
        if (!options.normalize) /* scaled numbers are no whole ones: their order counts */
            check_picture(&whole, &picture, options.least);
        else
            assert_true(fabs(whole.nodes.items[0].width - picture.nodes.items[0].width) < 1e-9);
        assert_true(picture.nodes.count > 5 && picture.nodes.count < whole.nodes.count / 2);
        profile_diff_deinit(&picture);
        profile_diff_deinit(&whole);
    }
    profile_deinit(&old_profile);
    profile_deinit(&new_profile);
}

/* What tables refuse is refused without them too. */
static void test_picture_refuses(void **state)
{
    (void)state;
    struct profile profile = SAMPLES("a.py", WEIGHTS(1), "main:1");
    struct diff_profile_options options = {.by = HOTSPOT_FUNCTION, .picture_only = true};
    struct profile_diff diff;
    struct error err = {0};
    profile.family = PROFILE_TRACEMALLOC;
    assert_int_equal(profile_diff_make(&profile, &profile, &options, true, false, &diff, &err),
                     STATUS_USAGE);
    profile_deinit(&profile);
}

static void test_interval_of_chance(void **state)
{
    (void)state;
    assert_true(is_within_chance(100, 100, 1));
    assert_true(is_within_chance(100, 127, 1));  /* 1.96 * sqrt(227) is 29.5 */
    assert_false(is_within_chance(100, 131, 1)); /* 1.96 * sqrt(231) is 29.8 */
    assert_true(is_within_chance(0, 3, 1));
    assert_false(is_within_chance(0, 4, 1));
    assert_true(is_within_chance(100, 1000, 10));
}

static struct profile stats_of(double slow)
{
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    profile.unit = "seconds";
    profile.format = "pstats";
    fixture_stat(&profile, "a.py", 1, "main", 1, 1, 1, 3 + slow);
    fixture_stat(&profile, "a.py", 5, "slow", 4, 4, slow, slow);
    fixture_call(&profile, "a.py", 1, "main", 4, 4, slow, slow);
    fixture_stat(&profile, "a.py", 9, "fast", 2, 2, 2, 2);
    fixture_call(&profile, "a.py", 1, "main", 2, 2, 2, 2);
    profile_seal(&profile);
    return profile;
}

static void test_pstats(void **state)
{
    (void)state;
    struct profile old_profile = stats_of(1), new_profile = stats_of(4);
    const struct diff_profile_options options = {.rule = MATCH_FUNCTION, .by = HOTSPOT_FUNCTION};
    struct profile_diff diff = make(&old_profile, &new_profile, options, true, false);
    const struct diff_row *first = &table_of(&diff, "rows")->rows.items[0];
    assert_string_equal(first->keys[0], "slow");
    assert_true(first->old_values[0] == 1 && first->new_values[0] == 4);
    const struct diff_table *edges = table_of(&diff, "edges");
    assert_int_equal(edges->rows.count, 1);
    assert_string_equal(edges->rows.items[0].keys[0], "main");
    assert_string_equal(edges->rows.items[0].keys[1], "slow");
    assert_true(fabs(diff.nodes.items[0].old_total - 4) < 1e-9);
    assert_true(fabs(diff.nodes.items[0].new_total - 7) < 1e-9);
    profile_diff_deinit(&diff);

    /* Against samples: shares of the total. */
    struct profile sampled = SAMPLES("a.py", WEIGHTS(10, 80, 10), "main", "main;slow", "main;fast");
    diff = make(&old_profile, &sampled, options, true, false);
    assert_string_equal(diff.unit, "share");
    const struct diff_row *slow = row_of(table_of(&diff, "rows"), "slow");
    (void)slow;
    double sums[2] = {0};
    for (size_t i = 0; i < table_of(&diff, "rows")->rows.count; i++) {
        sums[0] += table_of(&diff, "rows")->rows.items[i].old_values[0];
        sums[1] += table_of(&diff, "rows")->rows.items[i].new_values[0];
    }
    assert_true(fabs(sums[0] - 1) < 1e-9 && fabs(sums[1] - 1) < 1e-9);
    profile_diff_deinit(&diff);

    struct profile_diff none;
    struct error err = {0};
    struct diff_profile_options lines = options;
    lines.by = HOTSPOT_LINE;
    assert_int_equal(
        profile_diff_make(&old_profile, &new_profile, &lines, false, false, &none, &err),
        STATUS_USAGE);
    profile_deinit(&sampled);
    profile_deinit(&old_profile);
    profile_deinit(&new_profile);
}

static void test_edges(void **state)
{
    (void)state;
    struct profile profile =
        SAMPLES("a.py", WEIGHTS(3, 4), "main:1;f:2;f:3;f:2;leaf:1", "main:1;leaf:1");
    struct profile_edges edges = {0};
    assert_int_equal(profile_edges_add(&edges, &profile, 1), STATUS_OK);
    assert_int_equal(edges.items.count, 4); /* main>f, f>f once, f>leaf, main>leaf */
    double sum = 0;
    for (size_t i = 0; i < edges.items.count; i++) {
        assert_true(edges.items.items[i].totals[0] == 0);
        sum += edges.items.items[i].totals[1];
    }
    assert_true(sum == 3 + 3 + 3 + 4);
    profile_edges_deinit(&edges);
    profile_deinit(&profile);
}

static void test_nothing(void **state)
{
    (void)state;
    struct profile a = snapshot(NULL, NULL, 0), b = snapshot(NULL, NULL, 0);
    struct profile_diff diff =
        make(&a, &b, (struct diff_profile_options){.by = HOTSPOT_TRACEBACK, .normalize = true},
             true, true);
    assert_string_equal(diff.diff.verdict, "What tracemalloc counted is unchanged; no row changed");
    assert_int_equal(diff.diff.tables.items[0].rows.count, 0);
    profile_diff_deinit(&diff);
    struct profile samples = SAMPLES("a.py", WEIGHTS(0), "main");
    struct error err = {0};
    struct diff_profile_options options = {0};
    assert_int_equal(profile_diff_make(&a, &samples, &options, false, false, &diff, &err),
                     STATUS_USAGE);
    diff = make(&samples, &samples, options, true, false);
    profile_diff_deinit(&diff);
    profile_deinit(&samples);
    profile_deinit(&a);
    profile_deinit(&b);
}

/* Sizes whose sum is past all bounds. */
static void test_enormous(void **state)
{
    (void)state;
    static const char *const stacks[] = {"a.py:1", "b.py:1", "c.py:1"};
    static const uint64_t small[][2] = {{1, 1}, {1, 1}, {1, 1}};
    static const uint64_t large[][2] = {
        {UINT64_MAX, 1}, {UINT64_MAX, UINT64_MAX}, {UINT64_MAX - 1, 1}};
    struct profile a = snapshot(stacks, small, 3), b = snapshot(stacks, large, 3);
    for (int way = 0; way < 2; way++) {
        struct profile_diff diff =
            make(way ? &b : &a, way ? &a : &b,
                 (struct diff_profile_options){.by = HOTSPOT_LINE, .normalize = true}, true, way);
        assert_int_equal(diff.diff.tables.items[0].rows.count, 3);
        profile_diff_deinit(&diff);
    }
    profile_deinit(&a);
    profile_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_match),
        cmocka_unit_test(test_many_of_a_name),
        cmocka_unit_test(test_order_of_compare_to),
        cmocka_unit_test(test_moved_lines),
        cmocka_unit_test(test_moved_files),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_picture_alone),
        cmocka_unit_test(test_picture_refuses),
        cmocka_unit_test(test_interval_of_chance),
        cmocka_unit_test(test_pstats),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_enormous),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
