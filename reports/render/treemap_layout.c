/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/treemap_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NONE       UINT32_MAX
#define BOX_WIDTH  34.0 /* of the narrowest and lowest content that is worth a box */
#define BOX_HEIGHT 12.0
#define MOST_DEPTH 8

struct tree {
    double *value; /* at least the sum of the children's */
    uint32_t *first_child, *next_sibling;
    uint32_t *size; /* nodes below and with it */
};

static void tree_deinit(struct tree *tree)
{
    free(tree->value);
    free(tree->first_child);
    free(tree->next_sibling);
    free(tree->size);
}

static bool tree_make(const struct treemap_node *nodes, size_t count, struct tree *tree)
{
    *tree = (struct tree){.value = calloc(count + 1, sizeof *tree->value),
                          .first_child = malloc((count + 1) * sizeof *tree->first_child),
                          .next_sibling = malloc((count + 1) * sizeof *tree->next_sibling),
                          .size = calloc(count + 1, sizeof *tree->size)};
    if (!tree->value || !tree->first_child || !tree->next_sibling || !tree->size)
        return false;
    memset(tree->first_child, 0xFF, (count + 1) * sizeof *tree->first_child);
    memset(tree->next_sibling, 0xFF, (count + 1) * sizeof *tree->next_sibling);
    for (size_t i = count; i-- > 0;) {
        double value = nodes[i].value;
        uint32_t parent = nodes[i].parent;
        tree->value[i] = fmax(isfinite(value) && value > 0 ? value : 0, tree->value[i]);
        tree->size[i]++;
        if (i == 0 || parent >= i)
            continue;
        tree->value[parent] += tree->value[i];
        tree->size[parent] += tree->size[i];
        tree->next_sibling[i] = tree->first_child[parent];
        tree->first_child[parent] = (uint32_t)i;
    }
    return true;
}

/* ---- Rows of near squares. */

/* The worst of the ratios of a row's sides, of cells between the values `least` and `most`,
 * that lies along `side`; `scale` is area per value. */
static double worst_ratio(double sum, double least, double most, double side, double scale)
{
    double thickness = sum * scale / side;
    return fmax(most * scale / (thickness * thickness), thickness * thickness / (least * scale));
}

/* How many cells from the first on make the best row along `side`. */
static size_t row_length(const struct treemap_cell *cells, size_t count, double side, double scale,
                         double *ret_sum)
{
    double sum = cells[0].value, least = sum, most = sum;
    double best = worst_ratio(sum, least, most, side, scale);
    size_t length = 1;
    for (; length < count; length++) {
        double value = cells[length].value;
        double ratio = worst_ratio(sum + value, fmin(least, value), fmax(most, value), side, scale);
        if (ratio > best)
            break;
        best = ratio;
        sum += value;
        least = fmin(least, value);
        most = fmax(most, value);
    }
    *ret_sum = sum;
    return length;
}

/* The row takes the left or upper part of `free`, and what it leaves is free then. The
 * last cell and the last row end where the space ends, whatever was rounded before. */
static void place_row(struct treemap_cell *cells, size_t count, double sum, double scale,
                      bool is_last, struct treemap_area *free_area)
{
    bool column = free_area->width >= free_area->height; /* cells one below the other */
    double side = column ? free_area->height : free_area->width;
    double across = column ? free_area->width : free_area->height;
    double thickness = is_last ? across : fmin(sum * scale / side, across), at = 0;
    for (size_t i = 0; i < count; i++) {
        double length = i + 1 < count ? fmin(side * cells[i].value / sum, side - at) : side - at;
        cells[i].area =
            column ? (struct treemap_area){free_area->x, free_area->y + at, thickness, length}
                   : (struct treemap_area){free_area->x + at, free_area->y, length, thickness};
        at += length;
    }
    if (column) {
        free_area->x += thickness;
        free_area->width -= thickness;
    } else {
        free_area->y += thickness;
        free_area->height -= thickness;
    }
}

/* Cells of positive values, as large as `scale` says. Where they don't fill the area, its
 * end stays free. */
static void squarify(struct treemap_cell *cells, size_t count, struct treemap_area area,
                     double scale, bool fills)
{
    double side;
    while (count && (side = fmin(area.width, area.height)) > 0) {
        double sum;
        size_t length = row_length(cells, count, side, scale, &sum);
        place_row(cells, length, sum, scale, fills && length == count, &area);
        cells += length;
        count -= length;
    }
    for (size_t i = 0; i < count; i++) /* of what was rounded away */
        cells[i].area = (struct treemap_area){area.x, area.y, 0, 0};
}

/* ---- Boxes in boxes. */

static struct treemap_area content_of(const struct treemap_cell *cell,
                                      const struct treemap_space *space)
{
    struct treemap_area area = cell->area;
    if (!cell->depth)
        return area;
    area.x += space->padding;
    area.y += space->header;
    area.width -= 2 * space->padding;
    area.height -= space->header + space->padding;
    return area;
}

static bool is_worth_a_box(const struct treemap_area *content)
{
    return content->width >= BOX_WIDTH && content->height >= BOX_HEIGHT;
}

/* The cells of one parent's children go to the end of the layout. */
static bool add_children(const struct tree *tree, size_t parent_cell,
                         const struct treemap_space *space, double least,
                         struct treemap_layout *layout)
{
    struct treemap_cell parent = layout->cells.items[parent_cell];
    struct treemap_cell rest = {.node = TREEMAP_REST, .depth = parent.depth + 1};
    struct treemap_area content = content_of(&parent, space);
    double scale = content.width * content.height / parent.value, sum = 0;
    size_t first = layout->cells.count;
    for (uint32_t child = tree->first_child[parent.node]; child != NONE;
         child = tree->next_sibling[child]) {
        struct treemap_cell cell = {
            .node = child, .depth = parent.depth + 1, .value = tree->value[child]};
        sum += cell.value;
        if (cell.value * scale < least) {
            rest.count++;
            rest.value += cell.value;
            layout->hidden += tree->size[child];
        } else if (!array_push(&layout->cells, cell)) {
            return false;
        }
    }
    if (rest.value * scale >= least && !array_push(&layout->cells, rest))
        return false;
    bool fills = sum >= parent.value * (1 - 1e-9) && (rest.value * scale >= least || !rest.count);
    if (layout->cells.count > first)
        squarify(layout->cells.items + first, layout->cells.count - first, content, scale, fills);
    layout->cells.items[parent_cell].is_box = layout->cells.count > first;
    return true;
}

static bool lay_out(const struct tree *tree, const struct treemap_space *space, double least,
                    struct treemap_layout *layout)
{
    struct treemap_cell root = {.value = layout->total, .area = space->area};
    bool ok = array_push(&layout->cells, root);
    for (size_t i = 0; ok && i < layout->cells.count && layout->cells.count <= space->most; i++) {
        struct treemap_cell *cell = &layout->cells.items[i];
        struct treemap_area content = content_of(cell, space);
        if (cell->node == TREEMAP_REST || tree->first_child[cell->node] == NONE)
            continue;
        if (cell->depth < MOST_DEPTH && (!cell->depth || is_worth_a_box(&content)))
            ok = add_children(tree, i, space, least, layout);
        else
            layout->hidden += tree->size[cell->node] - 1;
    }
    return ok;
}

void treemap_layout_make(const struct treemap_node *nodes, size_t count,
                         const struct treemap_space *space, struct treemap_layout *ret_layout)
{
    struct tree tree;
    struct treemap_layout layout = {0};
    double least = fmax(space->least, 1e-6);
    layout.failed = !tree_make(nodes, count, &tree);
    if (!layout.failed && count && tree.value[0] > 0 && isfinite(tree.value[0])) {
        layout.total = tree.value[0];
        layout.failed = !lay_out(&tree, space, least, &layout);
        while (!layout.failed && layout.cells.count > space->most && layout.cells.count > 2) {
            layout.cells.count = 0;
            layout.hidden = 0;
            least *= 1.25;
            layout.failed = !lay_out(&tree, space, least, &layout);
        }
    }
    tree_deinit(&tree);
    *ret_layout = layout;
}

void treemap_layout_deinit(struct treemap_layout *layout)
{
    array_deinit(&layout->cells);
}
