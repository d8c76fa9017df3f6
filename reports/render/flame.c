/* SPDX-License-Identifier: Apache-2.0 */
/* The picture is drawn for WIDTH pixels; where scripts run, flame.js draws the same
 * frames for the width that there is. Geometry that both need is in the attributes of
 * the frames' <rect>s, in four decimals: enough to zoom in to one thousandth. */
#include "reports/render/flame.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/render/assets.h"
#include "reports/render/escape.h"
#include "reports/render/flame_change.h"
#include "reports/render/flame_layout.h"
#include "reports/render/flame_palette.h"
#include "reports/render/svg.h"

#define WIDTH       1200.0
#define MARGIN      12.0
#define FRAME       18.0 /* from one frame's top to the next one's */
#define HEAD        72.0
#define FOOT        64.0
#define LEAST       0.5  /* pixels */
#define LETTER      6.63 /* width of one, 11 pixels high */
#define PADDING     4.0
#define MOST_KEYS   10  /* in the legend */
#define TITLE_WIDTH 400 /* columns of one line of a frame's title */

struct picture {
    const struct flame_graph *graph;
    struct flame_layout layout;
    struct text *text;
    struct text scratch;
    double height;
    struct flame_palette palette;
};

/* ---- Frames. */

static double frame_y(const struct picture *picture, uint32_t depth)
{
    uint32_t row = picture->graph->icicle ? depth : picture->layout.depth - depth;
    return HEAD + row * FRAME;
}

static const char *frame_name(const struct picture *picture, const struct flame_frame *frame,
                              char *rest, size_t size)
{
    struct text words;
    if (frame->node != FLAME_REST)
        return picture->graph->nodes[frame->node].name;
    text_init(&words);
    text_append(&words, "… ");
    format_count(&words, frame->count);
    text_append(&words, " smaller");
    snprintf(rest, size, "%s", text_string(&words));
    text_deinit(&words);
    return rest;
}

/* NULL: the picture is of one recording, or the frame of many nodes. */
static const struct flame_change *frame_change(const struct picture *picture,
                                               const struct flame_frame *frame)
{
    bool one = picture->graph->changes && frame->node != FLAME_REST;
    return one ? &picture->graph->changes[frame->node] : NULL;
}

static void write_title(struct picture *picture, const struct flame_frame *frame, const char *name)
{
    const struct flame_node *node =
        frame->node == FLAME_REST ? NULL : &picture->graph->nodes[frame->node];
    const struct flame_change *change = frame_change(picture, frame);
    text_append(picture->text, "<title>");
    svg_write_text(picture->text, name, TITLE_WIDTH);
    text_append_char(picture->text, '\n');
    if (change) {
        flame_change_words(picture->graph, change->old_total, change->new_total, picture->text);
        text_append(picture->text, "\nby itself ");
        flame_change_words(picture->graph, change->old_self, change->new_self, picture->text);
    } else {
        flame_amount(picture->graph, frame->value, picture->text);
        text_append(picture->text, " (");
        text_clear(&picture->scratch);
        format_share(&picture->scratch, frame->width);
        escape_markup(picture->text, text_string(&picture->scratch), ESCAPE_ONE_LINE);
        text_append(picture->text, ")");
    }
    if (node && node->detail && *node->detail) {
        text_append_char(picture->text, '\n');
        svg_write_text(picture->text, node->detail, TITLE_WIDTH);
    }
    text_append(picture->text, "</title>");
}

static void write_frame(struct picture *picture, const struct flame_frame *frame)
{
    char rest[64];
    struct text *text = picture->text;
    const char *name = frame_name(picture, frame, rest, sizeof rest);
    double x = MARGIN + frame->x * (WIDTH - 2 * MARGIN),
           width = frame->width * (WIDTH - 2 * MARGIN);
    double y = frame_y(picture, frame->depth), columns = floor((width - 2 * PADDING) / LETTER);
    const struct flame_change *change = frame_change(picture, frame);
    enum flame_presence presence = change ? flame_change_presence(change) : FLAME_BOTH;
    static const char *const classes[] = {"f", "f new", "f gone"};
    static const char *const signs[] = {"", "+ ", "− "};
    text_printf(text, "<g class=\"%s\">", classes[presence]);
    write_title(picture, frame, name);
    text_append(text, "<rect class=\"");
    if (change)
        text_append(text, flame_change_class(change->old_total, change->new_total));
    else
        flame_palette_class(
            frame->node == FLAME_REST ? NULL : picture->graph->nodes[frame->node].key, text);
    text_append_char(text, '"');
    svg_write_attribute(text, "x", x);
    svg_write_attribute(text, "y", y);
    svg_write_attribute(text, "width", width);
    text_append(text, " height=\"17\" rx=\"2\"/>");
    if (change && (change->old_self != 0 || change->new_self != 0)) {
        text_printf(text, "<rect class=\"own %s\"",
                    flame_change_class(change->old_self, change->new_self));
        svg_write_attribute(text, "x", x);
        svg_write_attribute(text, "y", y + 13.5);
        svg_write_attribute(text, "width", width);
        text_append(text, " height=\"3.5\"/>");
    }
    if (columns >= 3) {
        text_append(text, "<text");
        svg_write_attribute(text, "x", x + PADDING);
        svg_write_attribute(text, "y", y + 12.5);
        text_append_char(text, '>');
        text_append(text, signs[presence]);
        svg_write_text(picture->text, name, (size_t)columns - (presence ? 2 : 0));
        text_append(text, "</text>");
    }
    text_append(text, "</g>\n");
}

/* ---- The legend: the keys that have most of the picture to themselves. */

struct legend_key {
    const char *key;
    double area;
};

/* What each key's frames hold that no frame above them does. */
static size_t find_keys(const struct picture *picture, struct legend_key *keys, size_t most)
{
    size_t count = 0;
    const struct flame_layout *layout = &picture->layout;
    for (size_t i = 0; i < layout->frames.count; i++) {
        const struct flame_frame *frame = &layout->frames.items[i];
        const char *key = frame->node == FLAME_REST ? NULL : picture->graph->nodes[frame->node].key;
        if (!key || !*key)
            continue;
        double own = frame->width;
        for (size_t j = i + 1; j < layout->frames.count; j++) {
            const struct flame_frame *child = &layout->frames.items[j];
            if (child->depth <= frame->depth)
                break;
            if (child->depth == frame->depth + 1)
                own -= child->width;
        }
        size_t at = 0;
        while (at < count && strcmp(keys[at].key, key) != 0)
            at++;
        if (at == count && count < most)
            keys[count++] = (struct legend_key){key, 0};
        if (at < count)
            keys[at].area += own;
    }
    return count;
}

static int compare_keys(const void *left, const void *right)
{
    const struct legend_key *a = left, *b = right;
    if (fabs(a->area - b->area) > 1e-12)
        return a->area < b->area ? 1 : -1;
    return strcmp(a->key, b->key);
}

static void write_legend(struct picture *picture)
{
    struct legend_key keys[512];
    size_t count = find_keys(picture, keys, sizeof keys / sizeof *keys);
    double x = MARGIN, y = picture->height - 38;
    qsort(keys, count, sizeof *keys, compare_keys);
    text_append(picture->text, "<g class=\"legend\">\n");
    for (size_t i = 0; i < count && i < MOST_KEYS; i++) {
        size_t columns = svg_columns(keys[i].key, 28);
        double width = 18 + (double)columns * LETTER + 14;
        if (x + width > WIDTH - MARGIN)
            break;
        text_append(picture->text, "<rect class=\"");
        flame_palette_class(keys[i].key, picture->text);
        text_append_char(picture->text, '"');
        svg_write_attribute(picture->text, "x", x);
        svg_write_attribute(picture->text, "y", y - 9);
        text_append(picture->text, " width=\"11\" height=\"11\" rx=\"2\"/><text");
        svg_write_attribute(picture->text, "x", x + 16);
        svg_write_attribute(picture->text, "y", y);
        text_append_char(picture->text, '>');
        svg_write_text(picture->text, keys[i].key, columns);
        text_append(picture->text, "</text>\n");
        x += width;
    }
    text_append(picture->text, "</g>\n");
}

/* ---- The whole. */

static void write_head(struct picture *picture, bool alone)
{
    const struct flame_graph *graph = picture->graph;
    struct text *text = picture->text;
    text_append(text, alone ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" : "");
    text_printf(text,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                "viewBox=\"0 0 %.0f %.0f\" role=\"img\" class=\"fg %s\">\n<title>",
                WIDTH, picture->height, WIDTH, picture->height, graph->icicle ? "icicle" : "flame");
    escape_markup(text, graph->title, ESCAPE_ONE_LINE);
    text_append(text, "</title>\n<desc>");
    escape_markup(text, graph->description, ESCAPE_ONE_LINE);
    if (picture->layout.hidden) {
        text_append_char(text, ' ');
        format_count(text, (int64_t)picture->layout.hidden);
        text_append(text, " nodes too narrow to be seen are not drawn one by one.");
    }
    text_append(text, "</desc>\n");
    if (alone)
        flame_palette_style(&picture->palette, picture->text);
    text_append(text, "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
}

static void write_heading(struct picture *picture)
{
    struct text *text = picture->text;
    text_printf(text, "<text class=\"title\" x=\"%.0f\" y=\"28\">", MARGIN);
    svg_write_text(picture->text, picture->graph->title, 90);
    text_printf(text, "</text>\n<text class=\"subtitle\" x=\"%.0f\" y=\"50\">", MARGIN);
    svg_write_text(picture->text, picture->graph->subtitle, 120);
    text_append(text, "</text>\n");
    if (!picture->layout.frames.count)
        text_printf(text,
                    "<text class=\"subtitle\" x=\"%.0f\" y=\"%.0f\">There is nothing to "
                    "show.</text>\n",
                    MARGIN, HEAD + 14);
}

static void render(const struct flame_graph *graph, bool alone, struct text *text)
{
    struct picture picture = {.graph = graph, .text = text};
    text_init(&picture.scratch);
    flame_layout_make(graph, LEAST / (WIDTH - 2 * MARGIN), &picture.layout);
    picture.height = HEAD + (picture.layout.depth + 1.0) * FRAME + FOOT;
    for (size_t i = 0; i < picture.layout.frames.count && !graph->changes; i++)
        if (picture.layout.frames.items[i].node != FLAME_REST)
            flame_palette_use(&picture.palette,
                              graph->nodes[picture.layout.frames.items[i].node].key);
    write_head(&picture, alone);
    write_heading(&picture);
    text_append(text, "<g class=\"frames\">\n");
    for (size_t i = 0; i < picture.layout.frames.count; i++)
        write_frame(&picture, &picture.layout.frames.items[i]);
    text_append(text, "</g>\n");
    if (graph->changes)
        flame_change_legend(MARGIN, picture.height - 38, text);
    else
        write_legend(&picture);
    text_printf(text, "<text class=\"info subtitle\" x=\"%.0f\" y=\"%.0f\"></text>\n", MARGIN,
                picture.height - 14);
    if (alone) {
        text_append(text, "<script><![CDATA[\n");
        text_append_n(text, asset_flame_js.bytes, asset_flame_js.size);
        text_append(text, "]]></script>\n");
    }
    text_append(text, "</svg>\n");
    text->failed |= picture.layout.failed || picture.scratch.failed;
    flame_layout_deinit(&picture.layout);
    text_deinit(&picture.scratch);
}

void flame_render(const struct flame_graph *graph, struct text *text)
{
    render(graph, true, text);
}

void flame_render_inline(const struct flame_graph *graph, struct text *text)
{
    render(graph, false, text);
}
