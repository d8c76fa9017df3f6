/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/cycle_svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct cycle_node nodes[] = {
    {"shop.Node", "at 0x10", true},
    {"list", NULL, false},
    {"a<b>&\"c\"\x1b[31m", "at 0x30", false},
};
static const struct cycle_arrow arrows[] = {
    {0, 1, ".children"}, {0, 1, ".more"}, {1, 2, "[0]"},
    {2, 0, ".<parent>"}, {2, 2, NULL},    {0, 2, ".far"},
};
static const struct cycle_drawing drawing = {
    .title = "shop.Node.children -> list[…] -> …",
    .subtitle = "3 cycles",
    .nodes = nodes,
    .node_count = 3,
    .arrows = arrows,
    .arrow_count = 6,
    .more = 1234,
};

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

/* Every tag that opens closes, in order. */
static void assert_well_formed(const char *svg)
{
    char open[64][32];
    unsigned depth = 0;
    for (const char *at = strchr(svg, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        if (at[1] == '?' || end[-1] == '/')
            continue;
        size_t size = strcspn(at + 1 + (at[1] == '/'), " >");
        assert_true(size < 32 && depth < 64);
        if (at[1] == '/') {
            assert_true(depth > 0);
            depth--;
            assert_int_equal(strncmp(open[depth], at + 2, size), 0);
            assert_int_equal(open[depth][size], 0);
        } else {
            memcpy(open[depth], at + 1, size);
            open[depth++][size] = 0;
        }
    }
    assert_int_equal(depth, 0);
}

static void one_drawing(void **state)
{
    struct text text = {0}, again = {0};
    (void)state;
    cycle_svg_render(&drawing, 1, true, &text);
    cycle_svg_render(&drawing, 1, true, &again);
    const char *svg = text_string(&text);
    assert_string_equal(svg, text_string(&again));
    assert_well_formed(svg);
    assert_int_equal(strncmp(svg, "<?xml", 5), 0);
    assert_non_null(strstr(svg, ">.children, .more</text>"));
    assert_non_null(strstr(svg, ">.&lt;parent&gt;</text>"));
    assert_non_null(strstr(svg, "a&lt;b&gt;&amp;&quot;c&quot;\\x1b[31m"));
    assert_non_null(strstr(svg, "and 1,234 more of its objects"));
    assert_int_equal(count_of(svg, "rx=\"5\""), 3);
    assert_int_equal(count_of(svg, "fill=\"currentColor\"/>"), 5); /* heads: two share one */
    text_deinit(&text);
    text_deinit(&again);
}

/* Within a page: no declaration, no style, no id, no background. */
static void within_a_page(void **state)
{
    struct text text = {0};
    (void)state;
    cycle_svg_render(&drawing, 1, false, &text);
    const char *svg = text_string(&text);
    assert_well_formed(svg);
    assert_int_equal(strncmp(svg, "<svg", 4), 0);
    assert_null(strstr(svg, "style"));
    assert_null(strstr(svg, " id="));
    assert_null(strstr(svg, "#ffffff"));
    text_deinit(&text);
}

static double attribute_after(const char *svg, const char *name)
{
    const char *at = strstr(svg, name);
    assert_non_null(at);
    return strtod(at + strlen(name), NULL);
}

/* Several stand one below the other, none on another; none at all is said. */
static void several(void **state)
{
    struct text one = {0}, two = {0}, none = {0};
    const struct cycle_drawing drawings[] = {drawing, drawing};
    (void)state;
    cycle_svg_render(drawings, 1, true, &one);
    cycle_svg_render(drawings, 2, true, &two);
    cycle_svg_render(NULL, 0, true, &none);
    double height = attribute_after(text_string(&one), "height=\"");
    assert_true(attribute_after(text_string(&two), "height=\"") >= 2 * height - 10);
    assert_well_formed(text_string(&two));
    assert_well_formed(text_string(&none));
    assert_non_null(strstr(text_string(&none), "no cycles"));
    text_deinit(&one);
    text_deinit(&two);
    text_deinit(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_drawing),
        cmocka_unit_test(within_a_page),
        cmocka_unit_test(several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
