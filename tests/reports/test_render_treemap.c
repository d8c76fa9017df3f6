/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/render/treemap.h"
#include "reports/render/treemap_layout.h"
#include "tests/reports/picture_checks.h"

#define HOSTILE                                                                                    \
    "]]></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp; "          \
    "\x1b[31m\u202e\xff"

static const struct treemap_space flat = {
    .area = {10, 20, 1000, 600}, .least = 1e-3, .most = 100000};
static const struct treemap_space boxes = {
    .area = {0, 0, 1176, 660}, .header = 17, .padding = 2, .least = 40, .most = 1800};

/* A tree of three levels, with values of all sizes, largest first or in any order. */
static struct treemap_node *make_tree(size_t *ret_count, unsigned seed, bool sorted)
{
    size_t packages = 7, files = 11, lines = 13, count = 0;
    struct treemap_node *nodes = calloc(1 + packages * (1 + files * (1 + lines)), sizeof *nodes);
    assert_non_null(nodes);
    nodes[count++] = (struct treemap_node){.name = "all"};
    for (size_t i = 0; i < packages; i++) {
        uint32_t package = (uint32_t)count;
        nodes[count++] = (struct treemap_node){.name = "package", .key = "package"};
        for (size_t j = 0; j < files; j++) {
            uint32_t file = (uint32_t)count;
            nodes[count++] = (struct treemap_node){.parent = package, .name = "file.py"};
            for (size_t k = 0; k < lines; k++) {
                seed = seed * 1103515245u + 12345u;
                double value = sorted ? 1e6 / (double)((i + 1) * (j + 1) * (j + 1) * (k + 1))
                                      : pow(10, (seed >> 16) % 60 / 10.0);
                nodes[file].value += value;
                nodes[package].value += value;
                nodes[0].value += value;
                nodes[count++] = (struct treemap_node){
                    .parent = file, .value = value, .name = "line 1", .is_number = true};
            }
        }
    }
    *ret_count = count;
    return nodes;
}

static double size_of(const struct treemap_area *area)
{
    return area->width * area->height;
}

static bool is_inside(const struct treemap_area *inner, const struct treemap_area *outer)
{
    const double little = 1e-6;
    return inner->width >= 0 && inner->height >= 0 && inner->x >= outer->x - little &&
           inner->y >= outer->y - little &&
           inner->x + inner->width <= outer->x + outer->width + little &&
           inner->y + inner->height <= outer->y + outer->height + little;
}

static bool overlap(const struct treemap_area *a, const struct treemap_area *b)
{
    const double little = 1e-6;
    return a->x + a->width > b->x + little && b->x + b->width > a->x + little &&
           a->y + a->height > b->y + little && b->y + b->height > a->y + little;
}

/* What must hold of any layout: cells of one parent are in it, in proportion to their
 * values, and apart. */
static void check(const struct treemap_node *nodes, const struct treemap_layout *layout,
                  const struct treemap_space *space)
{
    const struct treemap_cell *cells = layout->cells.items;
    size_t count = layout->cells.count;
    assert_false(layout->failed);
    for (size_t i = 0; i < count; i++) {
        assert_true(is_inside(&cells[i].area, &space->area));
        for (size_t j = i + 1; j < count; j++) {
            if (!overlap(&cells[i].area, &cells[j].area))
                continue;
            /* only what is in a box covers it */
            assert_true(cells[i].is_box && cells[j].depth > cells[i].depth);
            assert_true(is_inside(&cells[j].area, &cells[i].area));
        }
    }
    /* cells of one parent stand beside each other: their areas have one scale */
    for (size_t i = 1; i + 1 < count; i++) {
        const struct treemap_cell *a = &cells[i], *b = &cells[i + 1];
        if (a->node == TREEMAP_REST || b->node == TREEMAP_REST || a->depth != b->depth ||
            nodes[a->node].parent != nodes[b->node].parent)
            continue;
        double ratio = size_of(&a->area) / size_of(&b->area) * (b->value / a->value);
        assert_true(fabs(ratio - 1) < 1e-6);
    }
}

static void test_proportions(void **state)
{
    (void)state;
    /* the example of the paper: 6 x 4 with areas of 6, 6, 4, 3, 2, 2, 1 */
    static const double values[] = {6, 6, 4, 3, 2, 2, 1};
    static const struct treemap_area expected[] = {
        {0, 0, 3, 2},
        {0, 2, 3, 2},
        {3, 0, 12.0 / 7, 7.0 / 3},
        {3 + 12.0 / 7, 0, 9.0 / 7, 7.0 / 3},
        {3, 7.0 / 3, 1.2, 5.0 / 3},
        {4.2, 7.0 / 3, 1.2, 5.0 / 3},
        {5.4, 7.0 / 3, 0.6, 5.0 / 3},
    };
    struct treemap_node nodes[8] = {{.value = 24}};
    const struct treemap_space space = {.area = {0, 0, 6, 4}, .least = 1e-3, .most = 100};
    struct treemap_layout layout;
    for (size_t i = 0; i < 7; i++)
        nodes[i + 1].value = values[i];
    treemap_layout_make(nodes, 8, &space, &layout);
    assert_int_equal(layout.cells.count, 8);
    for (size_t i = 0; i < 7; i++) {
        const struct treemap_area *area = &layout.cells.items[i + 1].area;
        assert_true(fabs(area->x - expected[i].x) < 1e-9);
        assert_true(fabs(area->y - expected[i].y) < 1e-9);
        assert_true(fabs(area->width - expected[i].width) < 1e-9);
        assert_true(fabs(area->height - expected[i].height) < 1e-9);
    }
    treemap_layout_deinit(&layout);
}

/* Without headers, the leaves' areas are the whole, each in proportion to all others. */
static void test_flat_sums(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed < 6; seed++) {
        size_t count;
        struct treemap_node *nodes = make_tree(&count, seed, seed == 1);
        struct treemap_layout layout;
        const struct treemap_space all = {.area = flat.area, .least = 1e-9, .most = 100000};
        double sum = 0;
        treemap_layout_make(nodes, count, &all, &layout);
        check(nodes, &layout, &all);
        for (size_t i = 0; i < layout.cells.count; i++)
            if (!layout.cells.items[i].is_box)
                sum += size_of(&layout.cells.items[i].area);
        assert_true(fabs(sum - size_of(&all.area)) < 1e-3);
        treemap_layout_deinit(&layout);
        free(nodes);
    }
}

static void test_boxes(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed < 6; seed++) {
        size_t count;
        struct treemap_node *nodes = make_tree(&count, seed, seed == 1);
        struct treemap_layout layout, again;
        treemap_layout_make(nodes, count, &boxes, &layout);
        treemap_layout_make(nodes, count, &boxes, &again);
        check(nodes, &layout, &boxes);
        assert_true(layout.cells.count > 100);
        assert_int_equal(layout.cells.count, again.cells.count);
        uint64_t shown = 0;
        for (size_t i = 0; i < layout.cells.count; i++) {
            const struct treemap_cell *a = &layout.cells.items[i], *b = &again.cells.items[i];
            assert_true(a->node == b->node && a->area.x == b->area.x && a->area.y == b->area.y &&
                        a->area.width == b->area.width && a->area.height == b->area.height);
            if (i)
                assert_true(size_of(&a->area) > boxes.least * .4);
            shown += a->node != TREEMAP_REST;
        }
        assert_int_equal(shown + layout.hidden, count);
        treemap_layout_deinit(&layout);
        treemap_layout_deinit(&again);
        free(nodes);
    }
}

/* However many there are, cells are not, and what is folded is told. */
static void test_bounds(void **state)
{
    (void)state;
    size_t count = 200001;
    struct treemap_node *nodes = calloc(count, sizeof *nodes);
    struct treemap_layout layout;
    assert_non_null(nodes);
    nodes[0].value = 1;
    for (size_t i = 1; i < count; i++)
        nodes[i] = (struct treemap_node){.value = 1.0 / (double)i, .name = "x"};
    treemap_layout_make(nodes, count, &boxes, &layout);
    assert_in_range(layout.cells.count, 100, 1800);
    const struct treemap_cell *rest = &layout.cells.items[layout.cells.count - 1];
    assert_int_equal(rest->node, TREEMAP_REST);
    assert_int_equal(rest->count + layout.cells.count - 2, count - 1);
    assert_int_equal(layout.hidden, rest->count);
    check(nodes, &layout, &boxes);
    treemap_layout_deinit(&layout);
    for (size_t i = 1; i < count; i++)
        nodes[i].value = 1;
    treemap_layout_make(nodes, count, &boxes, &layout);
    assert_in_range(layout.cells.count, 1, 1800);
    treemap_layout_deinit(&layout);
    free(nodes);
}

static struct text render(const struct treemap_node *nodes, size_t count)
{
    const struct treemap map = {.title = "title " HOSTILE,
                                .subtitle = HOSTILE,
                                .description = HOSTILE,
                                .unit = COLUMN_BYTES,
                                .nodes = nodes,
                                .count = count};
    struct text text;
    text_init(&text);
    treemap_render(&map, &text);
    assert_true(text_ok(&text));
    return text;
}

/* Within a page it takes what it is given: fewer cells, which are told. */
static void test_limit(void **state)
{
    (void)state;
    size_t count;
    struct treemap_node *nodes = make_tree(&count, 3, true);
    struct treemap map = {.title = "title", .nodes = nodes, .count = count};
    char detail[300];
    memset(detail, 'x', sizeof detail - 1);
    detail[sizeof detail - 1] = '\0';
    for (size_t i = 0; i < count; i++)
        nodes[i].detail = detail;
    struct text whole = {0}, cut = {0};
    treemap_render_inline(&map, SIZE_MAX, &whole);
    treemap_render_inline(&map, 100u << 10, &cut);
    assert_true(text_ok(&whole) && text_ok(&cut));
    assert_true(whole.size > 150u << 10);
    assert_in_range(cut.size, 20u << 10, 100u << 10);
    assert_non_null(strstr(text_string(&cut), "places too small to be seen"));
    assert_memory_equal(text_string(&cut), "<svg ", 5);
    assert_non_null(strstr(text_string(&cut), "</svg>\n"));
    text_deinit(&whole);
    text_deinit(&cut);
    free(nodes);
}

static void test_nonsense(void **state)
{
    (void)state;
    const struct treemap_node nodes[] = {
        {.value = 10, .name = "all"},
        {.value = NAN, .name = "nan"},
        {.value = -5, .name = "negative"},
        {.value = INFINITY, .name = "infinite"},
        {.value = 30, .name = "more than all"},
        {.parent = 5, .value = 3, .name = "its own parent"},
        {.parent = 900, .value = 3, .name = "no parent"},
    };
    struct text text = render(nodes, 7);
    assert_non_null(strstr(text_string(&text), "<title>more than all\n30 B (100.0 %)"));
    assert_null(strstr(text_string(&text), "nan"));
    text_deinit(&text);
    text = render(NULL, 0);
    assert_non_null(strstr(text_string(&text), "There is nothing to show"));
    text_deinit(&text);
    text = render((const struct treemap_node[]){{.name = "all"}, {.name = "none"}}, 2);
    assert_non_null(strstr(text_string(&text), "There is nothing to show"));
    text_deinit(&text);
}

static void test_hostile_text(void **state)
{
    (void)state;
    const struct treemap_node nodes[] = {
        {.value = 10, .name = HOSTILE},
        {.value = 10, .name = HOSTILE, .detail = HOSTILE, .key = HOSTILE},
        {.parent = 1,
         .value = 9,
         .name = HOSTILE,
         .brief = HOSTILE,
         .key = HOSTILE,
         .part = HOSTILE},
        {.parent = 2,
         .value = 9,
         .name = HOSTILE,
         .brief = HOSTILE,
         .key = HOSTILE,
         .part = HOSTILE},
    };
    struct text text = render(nodes, 4);
    const char *svg = text_string(&text);
    assert_shown_not_obeyed(&text);
    assert_int_equal(occurrences(svg, "<script"), 0);
    assert_int_equal(occurrences(svg, "]]>"), 1);
    assert_int_equal(occurrences(svg, "http"), 1); /* a name of XML, which is not fetched */
    text_deinit(&text);
}

/* Names and amounts stand where they have room; a number is never cut into another. */
static void test_labels(void **state)
{
    (void)state;
    const struct treemap_node nodes[] = {
        {.value = 1000, .name = "all"},
        {.value = 1000, .name = "shop", .key = "shop"},
        {.parent = 1, .value = 900, .name = "large.py", .key = "shop", .part = "large.py"},
        {.parent = 2,
         .value = 900,
         .name = "line 77",
         .brief = ":77",
         .is_number = true,
         .detail = "/srv/shop/large.py:77"},
        {.parent = 1,
         .value = 99,
         .name = "a/very/long/path/to/some/other/small.py",
         .brief = "small.py",
         .key = "shop",
         .part = "small.py"},
        {.parent = 1,
         .value = 1,
         .name = "line 123456789012",
         .brief = ":123456789012",
         .is_number = true},
    };
    struct text text = render(nodes, 6);
    const char *svg = text_string(&text);
    assert_non_null(strstr(svg, ">line 77</text>"));
    assert_non_null(strstr(svg, ">900 B</text>"));
    assert_non_null(strstr(svg, "line 77\n900 B (90.0 %)\n/srv/shop/large.py:77</title>"));
    assert_non_null(strstr(svg, ">small.py</text>"));
    assert_non_null(strstr(svg, "<title>line 123456789012\n"));
    assert_null(strstr(svg, ":123")); /* too narrow even for that */
    assert_int_equal(occurrences(svg, "class=\"t b\""), 1);
    assert_non_null(strstr(svg, ">100.0 %</text>")); /* the legend */
    text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proportions), cmocka_unit_test(test_flat_sums),
        cmocka_unit_test(test_boxes),       cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_nonsense),    cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_labels),      cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
