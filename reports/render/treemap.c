/* SPDX-License-Identifier: Apache-2.0 */
/* Drawn for WIDTH pixels, and scaled from there: an <svg> of class "map", whose styles
 * are those of flame graphs (class "fg" inside), without their script. */
#include "reports/render/treemap.h"

#include <math.h>
#include <stdio.h>

#include "reports/render/escape.h"
#include "reports/render/flame_palette.h"
#include "reports/render/svg.h"
#include "reports/render/treemap_layout.h"

#define WIDTH       1200.0
#define HEIGHT      660.0 /* of the areas */
#define MARGIN      12.0
#define HEAD        66.0
#define FOOT        38.0
#define HEADER      17.0 /* of a box */
#define LINE        13.0 /* of text */
#define LETTER      6.63 /* width of one, 11 pixels high */
#define PADDING     4.0  /* beside text */
#define LEAST       40.0 /* square pixels of a cell */
#define MOST_CELLS  1800
#define LEAST_CELLS 50  /* that are always drawn */
#define MOST_KEYS   12  /* in the legend */
#define KEY_COLUMNS 24  /* of a name there */
#define TITLE_WIDTH 400 /* columns of one line of a cell's title */

struct picture {
    const struct treemap *map;
    struct treemap_layout layout;
    struct flame_palette palette;
    struct text *text;
    struct text amount; /* of the cell at hand */
    struct treemap_node rest;
    char rest_name[64], rest_brief[32];
};

/* A cell's node, or what stands for the many of one. */
static const struct treemap_node *node_of(struct picture *picture, const struct treemap_cell *cell)
{
    if (cell->node != TREEMAP_REST)
        return &picture->map->nodes[cell->node];
    struct text count = {0};
    format_count(&count, cell->count);
    snprintf(picture->rest_name, sizeof picture->rest_name, "… %s smaller", text_string(&count));
    snprintf(picture->rest_brief, sizeof picture->rest_brief, "+%s", text_string(&count));
    text_deinit(&count);
    picture->rest = (struct treemap_node){
        .name = picture->rest_name, .brief = picture->rest_brief, .is_number = true};
    return &picture->rest;
}

static void write_amount(struct picture *picture, double value)
{
    text_clear(&picture->amount);
    format_amount(&picture->amount, picture->map->unit, picture->map->unit_name, value);
}

/* ---- Cells. */

static void write_title(struct picture *picture, const struct treemap_cell *cell,
                        const struct treemap_node *node)
{
    struct text *text = picture->text, share = {0};
    format_share(&share, picture->layout.total > 0 ? cell->value / picture->layout.total : 0);
    text_append(text, "<title>");
    svg_write_text(text, node->name, TITLE_WIDTH);
    text_append_char(text, '\n');
    escape_markup(text, text_string(&picture->amount), ESCAPE_ONE_LINE);
    text_append(text, " (");
    escape_markup(text, text_string(&share), ESCAPE_ONE_LINE);
    text_append_char(text, ')');
    if (node->detail && *node->detail) {
        text_append_char(text, '\n');
        svg_write_text(text, node->detail, TITLE_WIDTH);
    }
    text_append(text, "</title>");
    text_deinit(&share);
}

static void write_words(struct picture *picture, double x, double y, bool at_end, const char *words,
                        size_t columns)
{
    text_append(picture->text, "<text");
    svg_write_attribute(picture->text, "x", x);
    svg_write_attribute(picture->text, "y", y);
    text_append(picture->text, at_end ? " text-anchor=\"end\">" : ">");
    svg_write_text(picture->text, words, columns);
    text_append(picture->text, "</text>");
}

/* The name, and the amount at the right end of the same line or below, where it fits. */
static void write_label(struct picture *picture, const struct treemap_cell *cell,
                        const struct treemap_node *node)
{
    const struct treemap_area *area = &cell->area;
    double room = floor((area->width - 2 * PADDING) / LETTER);
    if (room < 3 || area->height < LINE + 1)
        return;
    const char *name = node->name;
    size_t columns = (size_t)room, wide = svg_columns(name, columns + 1);
    if (wide > columns && node->brief) {
        name = node->brief;
        wide = svg_columns(name, columns + 1);
    }
    if (wide > columns && node->is_number)
        return;
    size_t amount = svg_columns(text_string(&picture->amount), SIZE_MAX);
    double x = area->x + PADDING, y = area->y + LINE - 1;
    write_words(picture, x, y, false, name, columns);
    if (cell->is_box || area->height < 2 * LINE + 2) {
        if (wide + amount + 2 <= columns)
            write_words(picture, area->x + area->width - PADDING, y, true,
                        text_string(&picture->amount), columns);
    } else if (amount <= columns) {
        write_words(picture, x, y + LINE, false, text_string(&picture->amount), columns);
    }
}

static void write_cell(struct picture *picture, const struct treemap_cell *cell)
{
    struct text *text = picture->text;
    const struct treemap_node *node = node_of(picture, cell);
    bool is_outer = cell->is_box && cell->depth == 1;
    write_amount(picture, cell->value);
    text_append(text, is_outer ? "<g class=\"t b\">" : "<g class=\"t\">");
    write_title(picture, cell, node);
    text_append(text, "<rect class=\"");
    if (is_outer)
        text_append(text, "box");
    else
        flame_palette_part_class(node->key, node->part, text);
    text_append_char(text, '"');
    svg_write_attribute(text, "x", cell->area.x);
    svg_write_attribute(text, "y", cell->area.y);
    svg_write_attribute(text, "width", cell->area.width);
    svg_write_attribute(text, "height", cell->area.height);
    text_append(text, "/>");
    write_label(picture, cell, node);
    text_append(text, "</g>\n");
}

/* ---- The legend: the outermost boxes, the largest first. */

static void write_legend(struct picture *picture)
{
    const struct treemap_layout *layout = &picture->layout;
    struct text *text = picture->text, words = {0};
    double x = MARGIN, y = HEAD + HEIGHT + 24;
    text_append(text, "<g class=\"legend\">\n");
    for (size_t i = 1, shown = 0; i < layout->cells.count && shown < MOST_KEYS; i++, shown++) {
        const struct treemap_cell *cell = &layout->cells.items[i];
        if (cell->depth != 1 || cell->node == TREEMAP_REST)
            break;
        const struct treemap_node *node = node_of(picture, cell);
        const char *name = node->name;
        text_clear(&words);
        format_share(&words, cell->value / layout->total);
        double name_width = LETTER * (double)svg_columns(name, KEY_COLUMNS);
        double width = 16 + name_width + LETTER * (double)(svg_columns(text_string(&words), 9) + 1);
        if (x + width > WIDTH - MARGIN)
            break;
        text_append(text, "<rect class=\"");
        flame_palette_part_class(node->key, node->part, text);
        text_append_char(text, '"');
        svg_write_attribute(text, "x", x);
        svg_write_attribute(text, "y", y - 9);
        text_append(text, " width=\"11\" height=\"11\" rx=\"2\"/>");
        write_words(picture, x + 16, y, false, name, KEY_COLUMNS);
        write_words(picture, x + 16 + name_width + LETTER, y, false, text_string(&words), 9);
        text_append_char(text, '\n');
        x += width + 18;
    }
    text_append(text, "</g>\n");
    text_deinit(&words);
}

/* ---- The whole. */

static void write_head(struct picture *picture, bool alone)
{
    const struct treemap *map = picture->map;
    struct text *text = picture->text;
    double height = HEAD + HEIGHT + FOOT;
    text_append(text, alone ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" : "");
    text_printf(text,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                "viewBox=\"0 0 %.0f %.0f\" role=\"img\" class=\"map\">\n<title>",
                WIDTH, height, WIDTH, height);
    escape_markup(text, map->title, ESCAPE_ONE_LINE);
    text_append(text, "</title>\n<desc>");
    escape_markup(text, map->description, ESCAPE_ONE_LINE);
    if (picture->layout.hidden) {
        text_append_char(text, ' ');
        format_count(text, (int64_t)picture->layout.hidden);
        text_append(text, " places too small to be seen are not drawn one by one.");
    }
    text_append(text, "</desc>\n");
    if (alone)
        flame_palette_style(&picture->palette, picture->text);
    text_append(text, "<g class=\"fg\">\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
    text_printf(text, "<text class=\"title\" x=\"%.0f\" y=\"28\">", MARGIN);
    svg_write_text(text, map->title, 110);
    text_printf(text, "</text>\n<text class=\"subtitle\" x=\"%.0f\" y=\"50\">", MARGIN);
    svg_write_text(text, map->subtitle, 160);
    text_append(text, "</text>\n");
    if (!picture->layout.cells.count)
        text_printf(text,
                    "<text class=\"subtitle\" x=\"%.0f\" y=\"%.0f\">There is nothing to "
                    "show.</text>\n",
                    MARGIN, HEAD + 14);
}

static void render(const struct treemap *map, bool alone, size_t most, struct text *text)
{
    struct picture picture = {.map = map, .text = text};
    const struct treemap_space space = {.area = {MARGIN, HEAD, WIDTH - 2 * MARGIN, HEIGHT},
                                        .header = HEADER,
                                        .padding = 2,
                                        .least = LEAST,
                                        .most = most};
    text_init(&picture.amount);
    treemap_layout_make(map->nodes, map->count, &space, &picture.layout);
    const struct treemap_layout *layout = &picture.layout;
    for (size_t i = 1; i < layout->cells.count; i++) {
        const struct treemap_node *node = node_of(&picture, &layout->cells.items[i]);
        flame_palette_use_part(&picture.palette, node->key, node->part);
    }
    write_head(&picture, alone);
    text_append(text, "<g class=\"cells\">\n");
    for (size_t i = 1; i < layout->cells.count; i++)
        write_cell(&picture, &layout->cells.items[i]);
    text_append(text, "</g>\n");
    write_legend(&picture);
    text_append(text, "</g>\n</svg>\n");
    text->failed |= layout->failed || picture.amount.failed;
    treemap_layout_deinit(&picture.layout);
    text_deinit(&picture.amount);
}

void treemap_render(const struct treemap *map, struct text *text)
{
    render(map, true, MOST_CELLS, text);
}

void treemap_render_inline(const struct treemap *map, size_t limit, struct text *text)
{
    struct text picture = {0};
    size_t most = MOST_CELLS;
    render(map, false, most, &picture);
    while (picture.size > limit && most > LEAST_CELLS) {
        text_clear(&picture);
        most /= 2;
        render(map, false, most, &picture);
    }
    text_append_n(text, text_string(&picture), picture.size);
    text->failed |= picture.failed;
    text_deinit(&picture);
}
