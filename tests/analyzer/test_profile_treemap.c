/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyzer/profile/treemap_package.h"
#include "inquest/analyzer/profile_treemap.h"
#include "profile_fixture.h"

static void allocate(struct profile *profile, const char *place, uint64_t size, uint64_t count)
{
    uint32_t stack = fixture_stack(profile, NULL, place);
    assert_int_equal(profile_add_trace(profile, stack, 0, size, count), STATUS_OK);
}

static void snapshot_init(struct profile *profile)
{
    profile_init(profile);
    profile->family = PROFILE_TRACEMALLOC;
    profile->unit = "bytes";
}

static void build(const struct profile *profile, bool by_line, bool by_count,
                  struct place_tree *tree)
{
    const struct place_tree_options options = {.by_line = by_line, .by_count = by_count};
    struct error err = {0};
    assert_int_equal(place_tree_build(profile, &options, tree, &err), STATUS_OK);
}

/* "stdlib 7/2;os.py 5/1;:3 5/1;…" of the nodes below the first, in their order. */
static void words_of(const struct place_tree *tree, char *words, size_t size)
{
    *words = '\0';
    for (size_t i = 1; i < tree->nodes.count; i++) {
        const struct place_node *node = &tree->nodes.items[i];
        char line[16];
        snprintf(line, sizeof line, ":%d", (int)node->line);
        snprintf(words + strlen(words), size - strlen(words), "%s%s %g/%d", i > 1 ? ";" : "",
                 node->name ? node->name : line, node->value, (int)node->count);
        assert_true(node->parent < i && tree->nodes.items[node->parent].level == node->level - 1);
    }
}

static void test_snapshot(void **state)
{
    (void)state;
    struct profile profile;
    struct place_tree tree;
    char words[1024];
    snapshot_init(&profile);
    allocate(&profile, "/srv/app/main.py:1;/usr/lib/python3.11/os.py:3", 5, 1);
    allocate(&profile, "/srv/app/other.py:9;/usr/lib/python3.11/os.py:3", 2, 2);
    allocate(&profile, "/usr/lib/python3.11/os.py:4", 1, 30);
    allocate(&profile, "/srv/app/main.py:1", 100, 1);
    allocate(&profile, "<frozen abc>:7", 6, 1);
    allocate(&profile, "", 3, 4);
    build(&profile, false, false, &tree);
    words_of(&tree, words, sizeof words);
    assert_string_equal(words, "app 100/1;main.py 100/1;:1 100/1;"
                               "stdlib 14/34;os.py 8/33;:3 7/3;:4 1/30;<frozen abc> 6/1;:7 6/1;"
                               "(no file) 3/4;(unknown) 3/4;(no stack) 3/4");
    assert_true(tree.nodes.items[0].value == 117);
    assert_int_equal(tree.nodes.items[0].size, 117);
    assert_int_equal(tree.nodes.items[0].count, 39);
    assert_string_equal(tree.unit, "bytes");
    place_tree_deinit(&tree);
    build(&profile, false, true, &tree);
    words_of(&tree, words, sizeof words);
    assert_string_equal(words, "stdlib 34/34;os.py 33/33;:4 30/30;:3 3/3;<frozen abc> 1/1;:7 1/1;"
                               "(no file) 4/4;(unknown) 4/4;(no stack) 4/4;"
                               "app 1/1;main.py 1/1;:1 1/1");
    assert_string_equal(tree.unit, "blocks");
    assert_int_equal(tree.nodes.items[0].size, 117);
    place_tree_deinit(&tree);
    profile_deinit(&profile);
}

/* One recording gives one tree, whatever the order of its rows. */
static void test_order(void **state)
{
    (void)state;
    static const char *const places[] = {"/a/x/one.py:1", "/a/x/one.py:2", "/a/y/two.py:1",
                                         "/a/y/two.py:2", "/a/z/one.py:1", "/a/b.py:1"};
    char first[1024], second[1024];
    for (int pass = 0; pass < 2; pass++) {
        struct profile profile;
        struct place_tree tree;
        snapshot_init(&profile);
        for (size_t i = 0; i < 6; i++)
            allocate(&profile, places[pass ? 5 - i : i], 4, 1);
        build(&profile, true, false, &tree);
        words_of(&tree, pass ? second : first, sizeof first);
        place_tree_deinit(&tree);
        profile_deinit(&profile);
    }
    assert_string_equal(first, second);
    assert_string_equal(first, "x 8/2;one.py 8/2;:1 4/1;:2 4/1;y 8/2;two.py 8/2;:1 4/1;:2 4/1;"
                               "a 4/1;b.py 4/1;:1 4/1;z 4/1;one.py 4/1;:1 4/1");
}

static void test_samples(void **state)
{
    (void)state;
    struct profile profile;
    struct place_tree tree;
    char words[1024];
    profile_init(&profile);
    profile.family = PROFILE_SAMPLES;
    profile.unit = "seconds";
    uint32_t track = fixture_track(&profile, "main", 1, 2);
    uint32_t stack = fixture_stack(&profile, "shop/app.py", "main:1;run:5");
    assert_int_equal(profile_add_sample(&profile, stack, track, 0.5, 50), STATUS_OK);
    stack = fixture_stack(&profile, "shop/app.py", "main:1;run:6");
    assert_int_equal(profile_add_sample(&profile, stack, track, 0.25, 25), STATUS_OK);
    stack = fixture_stack(&profile, "six.py", "main:1");
    assert_int_equal(profile_add_sample(&profile, stack, track, 0.125, 12), STATUS_OK);
    build(&profile, false, false, &tree);
    words_of(&tree, words, sizeof words);
    assert_string_equal(words, "shop 0.75/75;app.py 0.75/75;run 0.75/75;"
                               "six 0.125/12;six.py 0.125/12;main 0.125/12");
    place_tree_deinit(&tree);
    build(&profile, true, false, &tree);
    words_of(&tree, words, sizeof words);
    assert_string_equal(words, "shop 0.75/75;app.py 0.75/75;run 0.5/50;run 0.25/25;"
                               "six 0.125/12;six.py 0.125/12;main 0.125/12");
    assert_int_equal(tree.nodes.items[3].line, 5);
    place_tree_deinit(&tree);
    profile_deinit(&profile);
}

static void test_stats(void **state)
{
    (void)state;
    struct profile profile;
    struct place_tree tree;
    char words[1024];
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    profile.unit = "seconds";
    fixture_stat(&profile, "/srv/app/a.py", 3, "f", 7, 7, 0.5, 4);
    fixture_stat(&profile, "~", 0, "<built-in method len>", 100, 100, 0.25, 0.25);
    build(&profile, false, false, &tree);
    words_of(&tree, words, sizeof words);
    assert_string_equal(words, "app 0.5/7;a.py 0.5/7;f 0.5/7;(built-in) 0.25/100;"
                               "functions in C 0.25/100;<built-in method len> 0.25/100");
    place_tree_deinit(&tree);
    build(&profile, false, true, &tree);
    assert_string_equal(tree.unit, "calls");
    assert_true(tree.nodes.items[0].value == 107);
    place_tree_deinit(&tree);
    profile_deinit(&profile);
}

/* ---- The rule of packages. */

static void check_package(const struct package_rule *rule, const char *path, const char *package,
                          const char *file)
{
    struct package_place place;
    char found[256];
    package_rule_apply(rule, path, strlen(path), &place);
    snprintf(found, sizeof found, "%.*s|%.*s", (int)place.package_size, place.package,
             (int)place.file_size, place.file);
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s|%s", package, file);
    assert_string_equal(found, wanted);
}

static void test_packages(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"/usr/lib/python3/dist-packages/yaml/loader.py", "yaml", "loader.py"},
        {"/opt/v/lib/python3.12/site-packages/requests/adapters.py", "requests", "adapters.py"},
        {"/opt/v/lib/python3.12/site-packages/six.py", "six", "six.py"},
        {"/v/lib/python3.12/site-packages/ujson.cpython-312-x86_64-linux-gnu.so", "ujson",
         "ujson.cpython-312-x86_64-linux-gnu.so"},
        {"C:\\Python312\\Lib\\site-packages\\a\\b.py", "a", "b.py"},
        {"/usr/lib/python3.11/json/decoder.py", "stdlib", "json/decoder.py"},
        {"/usr/local/lib/python3.13t/os.py", "stdlib", "os.py"},
        {"/opt/lib64/pypy3.9/os.py", "stdlib", "os.py"},
        {"C:\\Python312\\Lib\\json\\decoder.py", "stdlib", "json\\decoder.py"},
        {"<frozen importlib._bootstrap>", "stdlib", "<frozen importlib._bootstrap>"},
        {"<string>", "(no file)", "<string>"},
        {"", "(no file)", "(unknown)"},
        {"~", "(built-in)", "functions in C"},
        {"/usr/local/bin/gunicorn", "gunicorn", "gunicorn"},
        {"/lib/x86_64-linux-gnu/libc.so.6", "libc", "libc.so.6"},
        {"/srv/shop/manage.py", "shop", "manage.py"},
        {"/srv/shop/cart/views/all.py", "cart", "views/all.py"},
        {"/srv/shop/python3-tools/run.py", "python3-tools", "run.py"},
        {"json/decoder.py", "json", "decoder.py"},
        {"./tools/x.py", "tools", "x.py"},
        {"app.py", "app", "app.py"},
        {".py", "py", "py"},
    };
    struct package_rule rule = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        package_rule_see(&rule, cases[i][0], strlen(cases[i][0]));
    assert_int_equal(rule.shared_size, strlen("/srv/shop/"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_package(&rule, cases[i][0], cases[i][1], cases[i][2]);
    /* "shop" and "shopping" share "/srv/" */
    rule = (struct package_rule){0};
    package_rule_see(&rule, "/srv/shop/a.py", 14);
    package_rule_see(&rule, "/srv/shopping/b.py", 18);
    check_package(&rule, "/srv/shop/a.py", "shop", "a.py");
    check_package(&rule, "/srv/shopping/b.py", "shopping", "b.py");
    rule = (struct package_rule){0};
    package_rule_see(&rule, "/x.py", 5);
    check_package(&rule, "/x.py", "/", "x.py");
    check_package(&rule, "/site-packages/", "(unnamed)", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot), cmocka_unit_test(test_order),
        cmocka_unit_test(test_samples),  cmocka_unit_test(test_stats),
        cmocka_unit_test(test_packages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
