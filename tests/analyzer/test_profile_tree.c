/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of stacks, and trees estimated from pstats' edges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/profile/sequence_sort.h"
#include "inquest/analyzer/profile_tree.h"
#include "profile_fixture.h"

/* The tree as lines "  name:line self total count". */
static char *tree_text(const struct call_tree *tree)
{
    static char buffer[8192];
    size_t used = 0;
    struct text name;
    text_init(&name);
    *buffer = '\0';
    for (uint32_t i = 0; i < tree->nodes.count; i++) {
        const struct call_node *node = &tree->nodes.items[i];
        unsigned depth = 0;
        for (uint32_t up = i; up; up = tree->nodes.items[up].parent)
            depth++;
        text_clear(&name);
        call_tree_node_name(tree, i, &name);
        used += (size_t)snprintf(buffer + used, sizeof buffer - used, "%*s%s:%d %g %g %llu\n",
                                 (int)depth, "", text_string(&name), node->line, node->self,
                                 node->total, (unsigned long long)node->count);
    }
    text_deinit(&name);
    return buffer;
}

static struct call_tree build(const struct profile *profile, struct call_tree_options options)
{
    struct call_tree tree;
    struct error err = {0};
    assert_int_equal(call_tree_build(profile, &options, &tree, &err), STATUS_OK);
    for (uint32_t i = 1; i < tree.nodes.count; i++) {
        assert_true(tree.nodes.items[i].parent < i);
        assert_true(tree.nodes.items[i].end > i);
        assert_true(tree.nodes.items[i].end <= tree.nodes.items[tree.nodes.items[i].parent].end);
    }
    return tree;
}

static struct profile samples(void)
{
    struct profile profile = fixture_profile(PROFILE_SAMPLES, "seconds");
    uint32_t first = fixture_track(&profile, "first", 1, 11);
    uint32_t second = fixture_track(&profile, "", 1, 12);
    fixture_sample(&profile, "app.py", "main:1;work:7;leaf:3", second, 0.5, 1);
    fixture_sample(&profile, "app.py", "main:1;work:8", first, 0.25, 1);
    fixture_sample(&profile, "app.py", "main:1;work:7;leaf:3", first, 1, 1);
    fixture_sample(&profile, "app.py", "main:2", first, 2, 1);
    fixture_sample(&profile, "app.py", "idle:9", second, 4, 1);
    fixture_sample(&profile, "app.py", "main:1;work:7", first, 0, 1);
    return profile;
}

static void test_stacks_are_merged(void **state)
{
    (void)state;
    struct profile profile = samples();
    struct call_tree tree = build(&profile, (struct call_tree_options){.by_line = true});
    assert_string_equal(tree_text(&tree), "all:0 0 7.75 6\n"
                                          " idle:9 4 4 1\n"
                                          " main:1 0 1.75 4\n"
                                          "  work:7 0 1.5 3\n"
                                          "   leaf:3 1.5 1.5 2\n"
                                          "  work:8 0.25 0.25 1\n"
                                          " main:2 2 2 1\n");
    assert_string_equal(tree.unit, "seconds");
    assert_null(tree.note);
    assert_int_equal(call_tree_first_child(&tree, 0), 1);
    assert_int_equal(call_tree_next_sibling(&tree, 1), 2);
    assert_int_equal(call_tree_next_sibling(&tree, 2), 6);
    assert_int_equal(call_tree_next_sibling(&tree, 6), 0);
    assert_int_equal(call_tree_first_child(&tree, 6), 0);
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

static void test_lines_merge_and_reverse(void **state)
{
    (void)state;
    struct profile profile = samples();
    struct call_tree tree = build(&profile, (struct call_tree_options){0});
    assert_string_equal(tree_text(&tree), "all:0 0 7.75 6\n"
                                          " idle:0 4 4 1\n"
                                          " main:0 2 3.75 5\n"
                                          "  work:0 0.25 1.75 4\n"
                                          "   leaf:0 1.5 1.5 2\n");
    call_tree_deinit(&tree);
    tree = build(&profile, (struct call_tree_options){.reverse = true, .by_count = true});
    assert_string_equal(tree_text(&tree), "all:0 0 6 6\n"
                                          " idle:0 1 1 1\n"
                                          " leaf:0 0 2 2\n"
                                          "  work:0 0 2 2\n"
                                          "   main:0 2 2 2\n"
                                          " main:0 1 1 1\n"
                                          " work:0 0 2 2\n"
                                          "  main:0 2 2 2\n");
    assert_string_equal(tree.unit, "samples");
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

static void test_tracks_come_first(void **state)
{
    (void)state;
    struct profile profile = samples();
    struct call_tree tree = build(&profile, (struct call_tree_options){.by_track = true});
    assert_string_equal(tree_text(&tree), "all:0 0 7.75 6\n"
                                          " first:0 0 3.25 4\n"
                                          "  main:0 2 3.25 4\n"
                                          "   work:0 0.25 1.25 3\n"
                                          "    leaf:0 1 1 1\n"
                                          " thread 12:0 0 4.5 2\n"
                                          "  idle:0 4 4 1\n"
                                          "  main:0 0 0.5 1\n"
                                          "   work:0 0 0.5 1\n"
                                          "    leaf:0 0.5 0.5 1\n");
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

static void check_rest(const struct call_tree *tree, uint32_t node, double value, uint64_t nodes,
                       uint32_t branches)
{
    const struct call_rest *rest = &tree->rests.items[node];
    assert_true(fabs(rest->value - value) < 1e-9);
    assert_int_equal(rest->nodes, nodes);
    assert_int_equal(rest->branches, branches);
}

/* What is too small is in the totals above it, and counted. */
static void test_small_branches_are_left_out(void **state)
{
    (void)state;
    struct profile profile = samples();
    struct call_tree tree =
        build(&profile, (struct call_tree_options){.by_line = true, .least = 0.19});
    assert_string_equal(tree_text(&tree), "all:0 0 7.75 6\n"
                                          " idle:9 4 4 1\n"
                                          " main:1 0 1.75 4\n"
                                          "  work:7 0 1.5 3\n"
                                          "   leaf:3 1.5 1.5 2\n"
                                          " main:2 2 2 1\n");
    assert_int_equal(tree.left_out, 1);
    assert_int_equal(tree.rests.count, tree.nodes.count);
    check_rest(&tree, 0, 0, 0, 0);
    check_rest(&tree, 2, 0.25, 1, 1);
    call_tree_deinit(&tree);
    tree = build(&profile, (struct call_tree_options){.by_line = true, .least = 0.3});
    assert_string_equal(tree_text(&tree), "all:0 0 7.75 6\n"
                                          " idle:9 4 4 1\n");
    assert_int_equal(tree.left_out, 5);
    check_rest(&tree, 0, 3.75, 5, 2);
    check_rest(&tree, 1, 0, 0, 0);
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

static void test_allocations(void **state)
{
    (void)state;
    struct profile profile = fixture_profile(PROFILE_TRACEMALLOC, "bytes");
    uint32_t deep = fixture_stack(&profile, NULL, "a.py:1;lib/b.py:2;lib/b.py:2");
    uint32_t flat = fixture_stack(&profile, NULL, "a.py:1");
    assert_int_equal(profile_add_trace(&profile, deep, 0, 100, 2), STATUS_OK);
    assert_int_equal(profile_add_trace(&profile, deep, 3, 11, 1), STATUS_OK);
    assert_int_equal(profile_add_trace(&profile, flat, 0, 7, 5), STATUS_OK);
    struct call_tree tree = build(&profile, (struct call_tree_options){.by_line = true});
    assert_string_equal(tree_text(&tree), "all:0 0 118 8\n"
                                          " a.py:1:1 7 118 8\n"
                                          "  b.py:2:2 0 111 3\n"
                                          "   b.py:2:2 111 111 3\n");
    call_tree_deinit(&tree);
    tree = build(&profile, (struct call_tree_options){.by_count = true});
    assert_string_equal(tree_text(&tree), "all:0 0 8 8\n"
                                          " a.py:0 5 8 8\n"
                                          "  b.py:0 0 3 3\n"
                                          "   b.py:0 3 3 3\n");
    assert_string_equal(tree.unit, "blocks");
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

static void test_nothing_is_a_root(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.unit = "seconds";
    for (int family = PROFILE_TRACEMALLOC; family <= PROFILE_SAMPLES; family++) {
        profile.family = (enum profile_family)family;
        struct call_tree tree = build(&profile, (struct call_tree_options){.by_track = true});
        assert_string_equal(tree_text(&tree), "all:0 0 0 0\n");
        call_tree_deinit(&tree);
    }
    profile_deinit(&profile);
}

/* main calls left 1 s and right 3 s, both call leaf, right calls itself. */
static struct profile stats(void)
{
    struct profile profile = fixture_profile(PROFILE_PSTATS, "seconds");
    fixture_stat(&profile, "m.py", 1, "main", 1, 1, 1, 5);
    fixture_stat(&profile, "m.py", 2, "left", 2, 2, 0.5, 1);
    fixture_call(&profile, "m.py", 1, "main", 2, 2, 0.5, 1);
    fixture_stat(&profile, "m.py", 3, "right", 8, 4, 2, 3);
    fixture_call(&profile, "m.py", 1, "main", 4, 4, 1.5, 3);
    fixture_call(&profile, "m.py", 3, "right", 4, 0, 0.5, 1);
    fixture_stat(&profile, "m.py", 4, "leaf", 12, 12, 1.5, 1.5);
    fixture_call(&profile, "m.py", 2, "left", 4, 4, 0.5, 0.5);
    fixture_call(&profile, "m.py", 3, "right", 8, 8, 1, 1);
    return profile;
}

static void test_tree_is_estimated(void **state)
{
    (void)state;
    struct profile profile = stats();
    struct call_tree tree = build(&profile, (struct call_tree_options){0});
    assert_string_equal(tree_text(&tree), "all:0 0 5 0\n"
                                          " main:0 1 5 1\n"
                                          "  left:0 0.5 1 2\n"
                                          "   leaf:0 0.5 0.5 4\n"
                                          "  right:0 2 3 4\n"
                                          "   leaf:0 1 1 8\n"
                                          "   right (recursion):0 0 0 4\n");
    assert_string_equal(tree.note, "estimated from caller/callee totals");
    assert_false(tree.is_cut);
    call_tree_deinit(&tree);
    tree = build(&profile, (struct call_tree_options){.reverse = true});
    assert_string_equal(tree_text(&tree), "all:0 0 5 0\n"
                                          " leaf:0 0 1.5 12\n"
                                          "  left:0 0 0.5 4\n"
                                          "   main:0 0.5 0.5 1\n"
                                          "  right:0 0 1 8\n"
                                          "   main:0 1 1 1\n"
                                          "   right (recursion):0 0 0 1\n"
                                          " left:0 0 0.5 2\n"
                                          "  main:0 0.5 0.5 2\n"
                                          " main:0 1 1 1\n"
                                          " right:0 0 2 8\n"
                                          "  main:0 2 2 4\n"
                                          "  right (recursion):0 0 0 4\n");
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

/* Two that call each other, begun by one of them, which nobody calls from outside. */
static void test_circle_begins_at_its_largest(void **state)
{
    (void)state;
    struct profile profile = fixture_profile(PROFILE_PSTATS, "seconds");
    fixture_stat(&profile, "m.py", 1, "odd", 5, 1, 2, 3);
    fixture_call(&profile, "m.py", 2, "even", 5, 1, 2, 3);
    fixture_stat(&profile, "m.py", 2, "even", 6, 1, 1, 4);
    fixture_call(&profile, "m.py", 1, "odd", 5, 0, 1, 1);
    struct call_tree tree = build(&profile, (struct call_tree_options){0});
    /* 4 s in all, of which the two account for 3 */
    assert_string_equal(tree_text(&tree), "all:0 0 3 0\n"
                                          " even:0 0.75 3 6\n"
                                          "  odd:0 1.5 2.25 5\n"
                                          "   even (recursion):0 0.75 0.75 5\n");
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

/* Counts of calls alone, and a caller without numbers of its own. */
static void test_counts_share_the_time_out(void **state)
{
    (void)state;
    struct profile profile = fixture_profile(PROFILE_PSTATS, "seconds");
    fixture_stat(&profile, "m.py", 1, "work", 4, 4, 8, 8);
    fixture_call(&profile, "m.py", 2, "a", 1, 1, 0, 0);
    fixture_call(&profile, "m.py", 3, "b", 3, 3, 0, 0);
    profile.calls.items[0].is_count = profile.calls.items[1].is_count = true;
    struct call_tree tree = build(&profile, (struct call_tree_options){0});
    assert_string_equal(tree_text(&tree), "all:0 0 8 0\n"
                                          " a:0 0 2 0\n"
                                          "  work:0 2 2 1\n"
                                          " b:0 0 6 0\n"
                                          "  work:0 6 6 3\n");
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

/* Calls of itself have no part in what is shared out: it is the others' time already. */
static void test_counts_of_recursion_take_no_time(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    profile.unit = "seconds";
    fixture_stat(&profile, "m.py", 1, "main", 1, 1, 1, 9);
    fixture_stat(&profile, "m.py", 2, "work", 20, 2, 8, 8);
    fixture_call(&profile, "m.py", 1, "main", 2, 2, 0, 0);
    fixture_call(&profile, "m.py", 2, "work", 18, 18, 0, 0);
    profile.calls.items[0].is_count = profile.calls.items[1].is_count = true;
    struct call_tree tree = build(&profile, (struct call_tree_options){0});
    assert_string_equal(tree_text(&tree), "all:0 0 9 0\n"
                                          " main:0 1 9 1\n"
                                          "  work:0 8 8 2\n"
                                          "   work (recursion):0 0 0 18\n");
    call_tree_deinit(&tree);
    tree = build(&profile, (struct call_tree_options){.reverse = true});
    assert_true(tree.nodes.items[0].total == 9);
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

/* Two functions that nobody calls claim 30 s in all, and took 3 s themselves. */
static void test_tree_is_no_more_than_the_total(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    profile.unit = "seconds";
    fixture_stat(&profile, "m.py", 1, "a", 4, 4, 1, 20);
    fixture_stat(&profile, "m.py", 2, "b", 6, 6, 1, 10);
    fixture_stat(&profile, "m.py", 3, "c", 8, 8, 1, 5);
    fixture_call(&profile, "m.py", 1, "a", 8, 8, 1, 5);
    struct call_tree tree = build(&profile, (struct call_tree_options){0});
    assert_string_equal(tree_text(&tree), "all:0 0 3 0\n"
                                          " a:0 0.1 2 4\n"
                                          "  c:0 0.1 0.5 8\n"
                                          " b:0 0.1 1 6\n");
    call_tree_deinit(&tree);
    tree = build(&profile, (struct call_tree_options){.reverse = true});
    assert_true(tree.nodes.items[0].total == 3);
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

/* Each of 40 calls every later one: 2^40 ways, of which a bounded number is drawn. */
static void test_estimate_is_bounded(void **state)
{
    (void)state;
    char name[16], caller[16];
    struct profile profile = fixture_profile(PROFILE_PSTATS, "seconds");
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "f%02d", i);
        fixture_stat(&profile, "m.py", 1, name, 1, 1, 1, 40 - i);
        for (int j = 0; j < i; j++) {
            snprintf(caller, sizeof caller, "f%02d", j);
            fixture_call(&profile, "m.py", 1, caller, 1, 1, 1.0 / i, (40.0 - i) / i);
        }
    }
    struct call_tree tree = build(&profile, (struct call_tree_options){0});
    assert_true(tree.is_cut);
    assert_true(tree.nodes.count < 150000);
    double self = 0;
    for (uint32_t i = 0; i < tree.nodes.count; i++)
        self += tree.nodes.items[i].self;
    assert_true(self <= tree.nodes.items[0].total * 1.000001);
    call_tree_deinit(&tree);
    profile_deinit(&profile);
}

static uint64_t byte_key(const void *context, uint32_t item, uint32_t depth)
{
    const char *const *words = context;
    size_t size = strlen(words[item]);
    return depth < size ? (uint64_t)(unsigned char)words[item][depth] << 1 | (depth + 1 < size) : 0;
}

static void test_sequences_sort(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static char words[COUNT][8];
    const char *pointers[COUNT];
    uint32_t items[COUNT];
    unsigned random = 1;
    for (uint32_t i = 0; i < COUNT; i++) {
        random = random * 1103515245 + 12345;
        unsigned size = random >> 16 & 7;
        for (unsigned c = 0; c < size; c++)
            words[i][c] = (char)('a' + (random >> (20 + c) & 1));
        pointers[i] = words[i];
        items[i] = i;
    }
    const struct sequence_order order = {.key = byte_key, .context = pointers, .more = 1};
    assert_int_equal(sequence_sort(&order, items, COUNT, NULL), STATUS_OK);
    for (uint32_t i = 1; i < COUNT; i++) {
        int compared = strcmp(words[items[i - 1]], words[items[i]]);
        assert_true(compared < 0 || (compared == 0 && items[i - 1] < items[i]));
    }
}

static void check_module(const char *name, const char *file, const char *module)
{
    struct profile profile;
    struct text text;
    profile_init(&profile);
    text_init(&text);
    fixture_frame(&profile, name, file, 0);
    profile_module_name(&profile, 0, &text);
    assert_string_equal(text_string(&text), module);
    text_deinit(&text);
    profile_deinit(&profile);
}

static void test_modules(void **state)
{
    (void)state;
    check_module("f", "json/decoder.py", "json.decoder");
    check_module("f", "/usr/lib/python3.11/json/__init__.py", "json");
    check_module("f", "/v/lib/python3.11/site-packages/requests/api.py", "requests.api");
    check_module("f", "/home/me/shop/models.py", "shop.models");
    check_module("f", "C:\\app\\shop\\models.py", "shop.models");
    check_module("f", "/run.py", "run");
    check_module("f", "<frozen importlib._bootstrap>", "importlib._bootstrap");
    check_module("f", "<string>", "<string>");
    check_module("f", "", "");
    check_module("<built-in method builtins.len>", "~", "builtins");
    check_module("<method 'append' of 'list' objects>", "~", "list");
    check_module("<built-in method len>", "~", "builtins");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stacks_are_merged),
        cmocka_unit_test(test_lines_merge_and_reverse),
        cmocka_unit_test(test_tracks_come_first),
        cmocka_unit_test(test_small_branches_are_left_out),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_nothing_is_a_root),
        cmocka_unit_test(test_tree_is_estimated),
        cmocka_unit_test(test_circle_begins_at_its_largest),
        cmocka_unit_test(test_counts_share_the_time_out),
        cmocka_unit_test(test_counts_of_recursion_take_no_time),
        cmocka_unit_test(test_tree_is_no_more_than_the_total),
        cmocka_unit_test(test_estimate_is_bounded),
        cmocka_unit_test(test_sequences_sort),
        cmocka_unit_test(test_modules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
