/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/render/flame.h"
#include "tests/reports/picture_checks.h"

#define HOSTILE                                                                                    \
    "]]></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp; "          \
    "\x1b[31m\u202e\xff"

static struct text render(const struct flame_node *nodes, size_t count, bool icicle)
{
    struct text text;
    const struct flame_graph graph = {.title = "title",
                                      .subtitle = "subtitle",
                                      .description = "description",
                                      .unit = COLUMN_BYTES,
                                      .icicle = icicle,
                                      .nodes = nodes,
                                      .count = count};
    text_init(&text);
    flame_render(&graph, &text);
    assert_true(text_ok(&text));
    return text;
}

/* A rectangle's attribute, of the frame with that name. */
static double geometry(const struct text *text, const char *name, const char *attribute)
{
    char title[128], wanted[32];
    snprintf(title, sizeof title, "<title>%s\n", name);
    snprintf(wanted, sizeof wanted, " %s=\"", attribute);
    const char *frame = strstr(text_string(text), title);
    if (!frame)
        fail_msg("there is no frame %s", name);
    const char *value = strstr(strstr(frame, "<rect"), wanted);
    assert_non_null(value);
    return strtod(value + strlen(wanted), NULL);
}

static const struct flame_node tree[] = {
    {0, 1000, "all", NULL, ""},
    {0, 600, "left", "its detail", "shop.cache"},
    {1, 300, "inner", NULL, "shop.models"},
    {0, 300, "right", NULL, "other"},
    {3, 0.1, "tiny", NULL, "other"},
};

static void test_layout(void **state)
{
    (void)state;
    struct text text = render(tree, 5, false);
    assert_true(fabs(geometry(&text, "all", "width") - 1176) < .01);
    assert_true(fabs(geometry(&text, "left", "width") - 1176 * .6) < .01);
    assert_true(fabs(geometry(&text, "left", "x") - 12) < .01);
    assert_true(fabs(geometry(&text, "right", "x") - (12 + 1176 * .6)) < .01);
    assert_true(fabs(geometry(&text, "inner", "x") - 12) < .01);
    assert_true(geometry(&text, "inner", "y") < geometry(&text, "left", "y"));
    assert_true(geometry(&text, "left", "y") < geometry(&text, "all", "y"));
    assert_non_null(strstr(text_string(&text), "left\n600 B (60.0 %)\nits detail</title>"));
    assert_null(strstr(text_string(&text), "tiny"));
    assert_non_null(strstr(text_string(&text), "1 nodes too narrow"));
    text_deinit(&text);
    text = render(tree, 5, true);
    assert_true(geometry(&text, "inner", "y") > geometry(&text, "left", "y"));
    text_deinit(&text);
}

/* What was left out of the tree is drawn with what is too narrow, and counted. */
static void test_rests(void **state)
{
    (void)state;
    const struct flame_rest rests[] = {
        {100, 7, 4}, {0.2, 3, 2}, {0, 0, 0}, {120, 50, 40}, {0, 0, 0}};
    const struct flame_graph graph = {.title = "title",
                                      .subtitle = "subtitle",
                                      .description = "description",
                                      .unit = COLUMN_BYTES,
                                      .nodes = tree,
                                      .count = 5,
                                      .rests = rests};
    struct text text = {0};
    flame_render(&graph, &text);
    assert_true(text_ok(&text));
    assert_true(fabs(geometry(&text, "… 4 smaller", "width") - 1176 * .1) < .01);
    assert_true(fabs(geometry(&text, "… 4 smaller", "x") - (12 + 1176 * .9)) < .01);
    /* 40 branches and the tiny node, above "right" */
    assert_true(fabs(geometry(&text, "… 41 smaller", "width") - 1176 * .1201) < .01);
    assert_true(fabs(geometry(&text, "… 41 smaller", "x") - geometry(&text, "right", "x")) < .01);
    assert_non_null(strstr(text_string(&text), "61 nodes too narrow")); /* 7 + 3 + 50 + 1 */
    assert_int_equal(occurrences(text_string(&text), " smaller\n"), 2);
    text_deinit(&text);
}

/* One key has one colour in every picture, whatever else is in it. */
static void test_colours(void **state)
{
    (void)state;
    struct text whole = render(tree, 5, false), part = render(tree, 2, true);
    const char *first = strstr(strstr(text_string(&whole), "<title>left\n"), "<rect class=");
    const char *second = strstr(strstr(text_string(&part), "<title>left\n"), "<rect class=");
    assert_int_equal(strcspn(first, " x"), strcspn(second, " x"));
    assert_memory_equal(first, second, strcspn(first + 13, "\"") + 13);
    assert_null(strstr(text_string(&part), "shop.models"));
    text_deinit(&whole);
    text_deinit(&part);
}

static void test_hostile_text(void **state)
{
    (void)state;
    const struct flame_node nodes[] = {{0, 10, HOSTILE, HOSTILE, HOSTILE},
                                       {0, 9, HOSTILE, HOSTILE, HOSTILE}};
    const struct flame_graph graph = {.title = HOSTILE,
                                      .subtitle = HOSTILE,
                                      .description = HOSTILE,
                                      .unit = COLUMN_SECONDS,
                                      .nodes = nodes,
                                      .count = 2};
    struct text text;
    text_init(&text);
    flame_render(&graph, &text);
    assert_true(text_ok(&text));
    const char *svg = text_string(&text);
    assert_shown_not_obeyed(&text);
    assert_int_equal(occurrences(svg, "<script"), 1);
    assert_int_equal(occurrences(svg, "</script>"), 1);
    assert_int_equal(occurrences(svg, "]]>"), 2);
    assert_int_equal(occurrences(svg, "http"), 3); /* names of XML, which are not fetched */
    text_deinit(&text);
}

static void test_nonsense(void **state)
{
    (void)state;
    const struct flame_node nodes[] = {
        {0, 10, "all", NULL, ""},           {0, NAN, "nan", NULL, ""},
        {0, -5, "negative", NULL, ""},      {0, INFINITY, "infinite", NULL, ""},
        {0, 30, "more than all", NULL, ""}, {5, 3, "its own parent", NULL, ""},
        {900, 3, "no parent", NULL, ""},
    };
    struct text text = render(nodes, 7, false);
    assert_true(fabs(geometry(&text, "more than all", "width") - 1176) < .01);
    assert_null(strstr(text_string(&text), "nan"));
    text_deinit(&text);
    text = render(NULL, 0, false);
    assert_non_null(strstr(text_string(&text), "There is nothing to show"));
    text_deinit(&text);
}

/* However large the tree, the picture is not, and says what it leaves out. */
static void test_bounds(void **state)
{
    (void)state;
    size_t count = 300000;
    struct flame_node *nodes = calloc(count, sizeof *nodes);
    assert_non_null(nodes);
    nodes[0] = (struct flame_node){.value = (double)count, .name = "all"};
    for (size_t i = 1; i < count; i++)
        nodes[i] = (struct flame_node){.parent = i < 1000 ? (uint32_t)i - 1
                                                 : i % 3  ? 0
                                                          : (uint32_t)i - 999,
                                       .value = i < 1000 ? (double)(1000 - i) * 250 : 1,
                                       .name = "frame"};
    struct text text = render(nodes, count, false), again = render(nodes, count, false);
    assert_true(text.size < 8u << 20);
    assert_in_range(occurrences(text_string(&text), "<g class=\"f\">"), 100, 20001);
    assert_non_null(strstr(text_string(&text), " smaller\n"));
    assert_string_equal(text_string(&text), text_string(&again));
    text_deinit(&text);
    text_deinit(&again);
    free(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),   cmocka_unit_test(test_rests),
        cmocka_unit_test(test_colours),  cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_nonsense), cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
