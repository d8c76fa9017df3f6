/* SPDX-License-Identifier: Apache-2.0 */
/* Each end of an arc has a port of its own on the right of its node, and each arc a lane
 * that no other one uses at the same height; so no label meets another. */
#include "reports/render/cycle_svg.h"

#include <inttypes.h>
#include <stdlib.h>

#include "reports/render/escape.h"
#include "reports/render/svg.h"
#include "reports/render/table.h"

#define LETTER     7.25 /* width of one, 12 pixels high */
#define MARGIN     16.0
#define HEAD       56.0 /* above the first node */
#define FOOT       24.0
#define GAP        38.0 /* between two nodes */
#define PORT       18.0 /* between two ports */
#define BOX_LEAST  30.0
#define PADDING    12.0
#define LANE       14.0
#define NAME_MOST  64 /* columns */
#define LABEL_MOST 36
#define TITLE_MOST 110

struct box {
    double y, height;
    unsigned ports, used; /* on the right */
};

struct arc {
    double from, to;
    unsigned lane;
};

struct layout {
    const struct cycle_drawing *drawing;
    struct box *boxes;
    struct arc *arcs; /* by arrow; those between neighbours have none */
    double box_width, labels_width, width, height;
};

static bool is_straight(const struct cycle_arrow *arrow)
{
    return arrow->target == arrow->source + 1;
}

static double fitted_width(const char *string, size_t most)
{
    return LETTER * (double)svg_columns(string, most);
}

static double more_of(double a, double b)
{
    return a > b ? a : b;
}

/* ---- layout */

static void place_boxes(struct layout *layout)
{
    const struct cycle_drawing *drawing = layout->drawing;
    double y = HEAD;
    for (size_t i = 0; i < drawing->arrow_count; i++) {
        if (is_straight(&drawing->arrows[i]))
            continue;
        layout->boxes[drawing->arrows[i].source].ports++;
        layout->boxes[drawing->arrows[i].target].ports++;
        layout->labels_width =
            more_of(layout->labels_width, fitted_width(drawing->arrows[i].label, LABEL_MOST));
    }
    for (size_t i = 0; i < drawing->node_count; i++) {
        struct box *box = &layout->boxes[i];
        box->y = y;
        box->height = more_of(BOX_LEAST, PORT * box->ports + 6);
        y += box->height + GAP;
        layout->box_width = more_of(layout->box_width,
                                    fitted_width(drawing->nodes[i].name, NAME_MOST) + 2 * PADDING);
    }
    layout->height = y - (drawing->node_count ? GAP : 0) + FOOT + (drawing->more ? PORT : 0);
}

static double take_port(struct box *box)
{
    double middle = box->y + box->height / 2;
    return middle + PORT * (box->used++ - (box->ports - 1) / 2.0);
}

static bool lane_is_free(const struct layout *layout, size_t arc, unsigned lane)
{
    const struct arc *arcs = layout->arcs;
    double low = arcs[arc].from < arcs[arc].to ? arcs[arc].from : arcs[arc].to;
    double high = more_of(arcs[arc].from, arcs[arc].to);
    for (size_t i = 0; i < arc; i++) {
        if (is_straight(&layout->drawing->arrows[i]) || arcs[i].lane != lane)
            continue;
        double other_low = arcs[i].from < arcs[i].to ? arcs[i].from : arcs[i].to;
        if (low <= more_of(arcs[i].from, arcs[i].to) + 4 && other_low <= high + 4)
            return false;
    }
    return true;
}

static void place_arcs(struct layout *layout)
{
    const struct cycle_drawing *drawing = layout->drawing;
    unsigned lanes = 0;
    for (size_t i = 0; i < drawing->arrow_count; i++) {
        const struct cycle_arrow *arrow = &drawing->arrows[i];
        struct arc *arc = &layout->arcs[i];
        if (is_straight(arrow))
            continue;
        arc->from = take_port(&layout->boxes[arrow->source]);
        arc->to = take_port(&layout->boxes[arrow->target]);
        while (!lane_is_free(layout, i, arc->lane))
            arc->lane++;
        if (arc->lane >= lanes)
            lanes = arc->lane + 1;
    }
    layout->width = 2 * MARGIN + layout->box_width +
                    (lanes ? 24 + layout->labels_width + LANE * (lanes + 1) : 0);
    layout->width = more_of(layout->width, 2 * MARGIN + fitted_width(drawing->title, TITLE_MOST));
    layout->width =
        more_of(layout->width, 2 * MARGIN + fitted_width(drawing->subtitle, TITLE_MOST));
}

static bool layout_init(struct layout *layout, const struct cycle_drawing *drawing)
{
    *layout = (struct layout){.drawing = drawing};
    layout->boxes = calloc(drawing->node_count + 1, sizeof *layout->boxes);
    layout->arcs = calloc(drawing->arrow_count + 1, sizeof *layout->arcs);
    if (!layout->boxes || !layout->arcs)
        return false;
    place_boxes(layout);
    place_arcs(layout);
    return true;
}

static void layout_deinit(struct layout *layout)
{
    free(layout->boxes);
    free(layout->arcs);
}

/* ---- drawing */

static void write_words(struct text *text, double x, double y, const char *attributes,
                        const char *string, size_t most)
{
    text_printf(text, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, attributes);
    svg_write_text(text, string, most);
    text_append(text, "</text>\n");
}

static void write_box(const struct layout *layout, size_t number, struct text *text)
{
    const struct cycle_node *node = &layout->drawing->nodes[number];
    const struct box *box = &layout->boxes[number];
    text_append(text, "<g><title>");
    escape_markup(text, node->name, ESCAPE_ONE_LINE);
    if (node->detail) {
        text_append_char(text, ' ');
        escape_markup(text, node->detail, ESCAPE_ONE_LINE);
    }
    text_printf(text,
                "</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"5\" "
                "fill=\"%s\" fill-opacity=\"%s\" stroke=\"%s\"/>",
                MARGIN, box->y, layout->box_width, box->height,
                node->is_instance ? "#3b7dd8" : "#808080", node->is_instance ? "0.22" : "0.12",
                node->is_instance ? "#3b7dd8" : "#808080");
    write_words(text, MARGIN + PADDING, box->y + box->height / 2 + 4, "", node->name, NAME_MOST);
    text_append(text, "</g>\n");
}

static void write_head(struct text *text, double x, double y, bool down)
{
    text_printf(text,
                down ? "<path d=\"M%.1f %.1fl-4.5 -8h9z\" fill=\"currentColor\"/>\n"
                     : "<path d=\"M%.1f %.1fl8 -4.5v9z\" fill=\"currentColor\"/>\n",
                x, y);
}

/* All references from a node to the one below it are one arrow. */
static void write_straight(const struct layout *layout, uint32_t source, struct text *text)
{
    const struct cycle_drawing *drawing = layout->drawing;
    struct text label;
    bool any = false;
    text_init(&label);
    for (size_t i = 0; i < drawing->arrow_count; i++) {
        const struct cycle_arrow *arrow = &drawing->arrows[i];
        if (arrow->source != source || !is_straight(arrow))
            continue;
        text_printf(&label, "%s%s", any && label.size ? ", " : "",
                    arrow->label ? arrow->label : "");
        any = true;
    }
    if (any) {
        double x = MARGIN + 24, y = layout->boxes[source].y + layout->boxes[source].height;
        text_printf(text, "<path d=\"M%.1f %.1fv%.1f\" fill=\"none\" stroke=\"currentColor\"/>\n",
                    x, y, GAP - 4);
        write_head(text, x, y + GAP, true);
        write_words(text, x + 10, y + GAP / 2 + 3, "", text_string(&label), NAME_MOST);
    }
    text->failed |= label.failed;
    text_deinit(&label);
}

static void write_arc(const struct layout *layout, size_t number, struct text *text)
{
    const struct cycle_arrow *arrow = &layout->drawing->arrows[number];
    const struct arc *arc = &layout->arcs[number];
    double right = MARGIN + layout->box_width;
    double lane = right + 16 + layout->labels_width + LANE * (arc->lane + 1);
    text_printf(text,
                "<path d=\"M%.1f %.1fH%.1fV%.1fH%.1f\" fill=\"none\" stroke=\"currentColor\" "
                "stroke-opacity=\"0.7\" stroke-linejoin=\"round\"/>\n",
                right, arc->from, lane, arc->to, right + 6);
    write_head(text, right, arc->to, false);
    write_words(text, right + 10, arc->from - 4, "", arrow->label, LABEL_MOST);
}

static void write_drawing(const struct layout *layout, double y, struct text *text)
{
    const struct cycle_drawing *drawing = layout->drawing;
    text_printf(text, "<g transform=\"translate(0 %.1f)\">\n", y);
    write_words(text, MARGIN, 22, " font-weight=\"bold\"", drawing->title, TITLE_MOST);
    write_words(text, MARGIN, 40, " fill-opacity=\"0.75\"", drawing->subtitle, TITLE_MOST);
    for (size_t i = 0; i < drawing->node_count; i++)
        write_box(layout, i, text);
    for (uint32_t i = 0; i < drawing->node_count; i++)
        write_straight(layout, i, text);
    for (size_t i = 0; i < drawing->arrow_count; i++)
        if (!is_straight(&drawing->arrows[i]))
            write_arc(layout, i, text);
    if (drawing->more) {
        text_printf(text, "<text x=\"%.1f\" y=\"%.1f\" fill-opacity=\"0.75\">and ", MARGIN,
                    layout->height - FOOT + 8);
        format_count(text, drawing->more < INT64_MAX ? (int64_t)drawing->more : INT64_MAX);
        text_append(text, " more of its objects</text>\n");
    }
    text_append(text, "</g>\n");
}

void cycle_svg_render(const struct cycle_drawing *drawings, size_t count, bool alone,
                      struct text *text)
{
    struct layout *layouts = calloc(count + 1, sizeof *layouts);
    double width = 320, height = count ? 8 : 40, y = 0;
    bool ok = layouts != NULL;
    for (size_t i = 0; i < count && ok; i++) {
        ok = layout_init(&layouts[i], &drawings[i]);
        width = more_of(width, layouts[i].width);
        height += layouts[i].height;
    }
    text->failed |= !ok;
    text_append(text, alone ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" : "");
    text_printf(text,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                "viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-size=\"12\" "
                "font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\" fill=\"%s\"%s>\n"
                "<title>Reference cycles</title>\n<desc>Each box is an object, each arrow a "
                "reference with the field that it is in.</desc>\n",
                width, height, width, height, "currentColor", alone ? " color=\"#1f2328\"" : "");
    if (alone)
        text_append(text, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    for (size_t i = 0; i < count && ok; i++) {
        write_drawing(&layouts[i], y, text);
        y += layouts[i].height;
    }
    if (!count)
        write_words(text, MARGIN, 22, "", "no cycles", TITLE_MOST);
    text_append(text, "</svg>\n");
    for (size_t i = 0; layouts && i < count; i++)
        layout_deinit(&layouts[i]);
    free(layouts);
}
