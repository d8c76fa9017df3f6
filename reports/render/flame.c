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
#include "reports/render/flame_colors.h"
#include "reports/render/flame_layout.h"

#define WIDTH       1200.0
#define MARGIN      12.0
#define FRAME       18.0 /* from one frame's top to the next one's */
#define HEAD        72.0
#define FOOT        64.0
#define LEAST       0.5  /* pixels */
#define LETTER      6.63 /* width of one, 11 pixels high */
#define PADDING     4.0
#define MOST_KEYS   10  /* in the legend */
#define NEAR_HUES   6   /* of one package */
#define TITLE_WIDTH 400 /* columns of one line of a frame's title */

struct picture {
    const struct flame_graph *graph;
    struct flame_layout layout;
    struct text *text;
    struct text scratch, cut;
    double height;
    bool used[FLAME_HUES][FLAME_TINTS];
};

/* ---- Colours: the package chooses a hue, its module one near it and the tint. */

static uint32_t hash_bytes(const char *bytes, size_t size)
{
    uint32_t hash = 0x811c9dc5u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x01000193u;
    return hash ^ hash >> 15;
}

/* False: grey. */
static bool color_of(const char *key, unsigned *ret_hue, unsigned *ret_tint)
{
    if (!key || !*key)
        return false;
    size_t package = strcspn(key, "."), size = strlen(key);
    uint32_t own = hash_bytes(key, size);
    unsigned near = size > package ? own / FLAME_TINTS % NEAR_HUES : 0;
    *ret_hue = (hash_bytes(key, package) + near) % FLAME_HUES;
    *ret_tint = own % FLAME_TINTS;
    return true;
}

static void color_class(struct picture *picture, const char *key)
{
    unsigned hue, tint;
    if (color_of(key, &hue, &tint))
        text_printf(picture->text, "c%u%c", hue, 'a' + (int)tint);
    else
        text_append(picture->text, "c");
}

static void mark_color(struct picture *picture, const char *key)
{
    unsigned hue, tint;
    if (color_of(key, &hue, &tint))
        picture->used[hue][tint] = true;
}

static void write_colors(struct picture *picture, bool dark)
{
    for (unsigned hue = 0; hue < FLAME_HUES; hue++)
        for (unsigned tint = 0; tint < FLAME_TINTS; tint++)
            if (picture->used[hue][tint])
                text_printf(picture->text, ".c%u%c{fill:#%06" PRIx32 "}", hue, 'a' + (int)tint,
                            dark ? flame_colors[hue].dark[tint] : flame_colors[hue].light[tint]);
    text_append_char(picture->text, '\n');
}

/* ---- Numbers and words. */

static void number(struct text *text, double value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.4f", value);
    size_t size = strlen(digits);
    while (digits[size - 1] == '0')
        size--;
    if (digits[size - 1] == '.')
        size--;
    text_append_n(text, digits, size);
}

static void attribute(struct text *text, const char *name, double value)
{
    text_printf(text, " %s=\"", name);
    number(text, value);
    text_append_char(text, '"');
}

/* Text of a dump, cut to so many columns. */
static void fitted(struct picture *picture, const char *string, size_t columns)
{
    text_clear(&picture->scratch);
    text_clear(&picture->cut);
    escape_terminal(&picture->scratch, string, ESCAPE_ONE_LINE);
    append_fitted(&picture->cut, text_string(&picture->scratch), columns, false);
    escape_markup(picture->text, text_string(&picture->cut), ESCAPE_ONE_LINE);
}

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
    fitted(picture, name, TITLE_WIDTH);
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
        fitted(picture, node->detail, TITLE_WIDTH);
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
        color_class(picture,
                    frame->node == FLAME_REST ? NULL : picture->graph->nodes[frame->node].key);
    text_append_char(text, '"');
    attribute(text, "x", x);
    attribute(text, "y", y);
    attribute(text, "width", width);
    text_append(text, " height=\"17\" rx=\"2\"/>");
    if (change && (change->old_self != 0 || change->new_self != 0)) {
        text_printf(text, "<rect class=\"own %s\"",
                    flame_change_class(change->old_self, change->new_self));
        attribute(text, "x", x);
        attribute(text, "y", y + 13.5);
        attribute(text, "width", width);
        text_append(text, " height=\"3.5\"/>");
    }
    if (columns >= 3) {
        text_append(text, "<text");
        attribute(text, "x", x + PADDING);
        attribute(text, "y", y + 12.5);
        text_append_char(text, '>');
        text_append(text, signs[presence]);
        fitted(picture, name, (size_t)columns - (presence ? 2 : 0));
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
        text_clear(&picture->cut);
        escape_terminal(&picture->cut, keys[i].key, ESCAPE_ONE_LINE);
        size_t columns = display_width(text_string(&picture->cut));
        columns = columns < 28 ? columns : 28;
        double width = 18 + (double)columns * LETTER + 14;
        if (x + width > WIDTH - MARGIN)
            break;
        text_append(picture->text, "<rect class=\"");
        color_class(picture, keys[i].key);
        text_append_char(picture->text, '"');
        attribute(picture->text, "x", x);
        attribute(picture->text, "y", y - 9);
        text_append(picture->text, " width=\"11\" height=\"11\" rx=\"2\"/><text");
        attribute(picture->text, "x", x + 16);
        attribute(picture->text, "y", y);
        text_append_char(picture->text, '>');
        fitted(picture, keys[i].key, columns);
        text_append(picture->text, "</text>\n");
        x += width;
    }
    text_append(picture->text, "</g>\n");
}

/* ---- The whole. */

static void write_style(struct picture *picture)
{
    struct text *text = picture->text;
    text_append(text, "<style><![CDATA[\n");
    text_append_n(text, asset_flame_css.bytes, asset_flame_css.size);
    write_colors(picture, false);
    text_append(text, "@media (prefers-color-scheme: dark) {\n");
    text_append_n(text, asset_flame_dark_css.bytes, asset_flame_dark_css.size);
    write_colors(picture, true);
    text_append(text, "}\n]]></style>\n");
}

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
        write_style(picture);
    text_append(text, "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
}

static void write_heading(struct picture *picture)
{
    struct text *text = picture->text;
    text_printf(text, "<text class=\"title\" x=\"%.0f\" y=\"28\">", MARGIN);
    fitted(picture, picture->graph->title, 90);
    text_printf(text, "</text>\n<text class=\"subtitle\" x=\"%.0f\" y=\"50\">", MARGIN);
    fitted(picture, picture->graph->subtitle, 120);
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
    text_init(&picture.cut);
    flame_layout_make(graph, LEAST / (WIDTH - 2 * MARGIN), &picture.layout);
    picture.height = HEAD + (picture.layout.depth + 1.0) * FRAME + FOOT;
    for (size_t i = 0; i < picture.layout.frames.count && !graph->changes; i++)
        if (picture.layout.frames.items[i].node != FLAME_REST)
            mark_color(&picture, graph->nodes[picture.layout.frames.items[i].node].key);
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
    text->failed |= picture.layout.failed || picture.scratch.failed || picture.cut.failed;
    flame_layout_deinit(&picture.layout);
    text_deinit(&picture.scratch);
    text_deinit(&picture.cut);
}

void flame_render(const struct flame_graph *graph, struct text *text)
{
    render(graph, true, text);
}

void flame_render_inline(const struct flame_graph *graph, struct text *text)
{
    render(graph, false, text);
}
