/* SPDX-License-Identifier: Apache-2.0 */
/* From rectangles to a tree: a frame stands on the frame of the next row, towards
 * the root's, that its middle is over. */
#include "formats/profiles/flame_svg.h"

#include <stdlib.h>

#define PIXEL_SLACK   0.11  /* flamegraph.pl rounds x and width to 0.1 */
#define PERCENT_SLACK 0.001 /* inferno to 0.0001 % */

static int compare_up(const void *a, const void *b)
{
    const struct flame_rect *left = a, *right = b;
    if (left->y != right->y)
        return left->y < right->y ? -1 : 1;
    return left->x < right->x ? -1 : left->x > right->x;
}

/* Rows of larger y first: flame graphs that grow upwards. */
static int compare_down(const void *a, const void *b)
{
    const struct flame_rect *left = a, *right = b;
    return left->y != right->y ? (left->y > right->y ? -1 : 1) : compare_up(a, b);
}

static size_t row_end(const struct flame_picture *picture, size_t begin)
{
    size_t end = begin;
    while (end < picture->rects.count &&
           picture->rects.items[end].y == picture->rects.items[begin].y)
        end++;
    return end;
}

static double row_weight(const struct flame_picture *picture, size_t begin, size_t end)
{
    double sum = 0;
    for (size_t i = begin; i < end; i++)
        sum += picture->rects.items[i].weight;
    return sum;
}

/* Sorts so that the root's row comes first: of the outer two rows the heavier, or
 * where both weigh the same the one that is "all". */
static void sort_rows(struct flame_picture *picture, uint32_t all)
{
    struct flame_rect *rects = picture->rects.items;
    size_t count = picture->rects.count, last = count - 1;
    qsort(rects, count, sizeof *rects, compare_up);
    while (last && rects[last - 1].y == rects[count - 1].y)
        last--;
    double top = row_weight(picture, 0, row_end(picture, 0));
    double bottom = row_weight(picture, last, count);
    if (bottom > top || (bottom == top && rects[0].frame != all && rects[last].frame == all))
        qsort(rects, count, sizeof *rects, compare_down);
}

/* The rectangle of the row before, from *parent on, that the child is over; both rows
 * run by x. */
static struct flame_rect *find_parent(const struct flame_picture *picture, size_t *parent,
                                      size_t end, const struct flame_rect *child)
{
    double slack = picture->is_exact ? 0 : picture->is_percent ? PERCENT_SLACK : PIXEL_SLACK;
    double middle = child->x + child->width / 2;
    while (*parent < end) {
        struct flame_rect *rect = &picture->rects.items[*parent];
        if (middle < rect->x - slack)
            return NULL;
        if (middle <= rect->x + rect->width + slack) {
            const struct flame_rect *next = *parent + 1 < end ? rect + 1 : NULL;
            bool fits_next = next && middle >= next->x && middle <= next->x + next->width;
            if (!fits_next || middle < rect->x + rect->width)
                return rect;
        }
        ++*parent;
    }
    return NULL;
}

static enum status place_row(struct flame_picture *picture, size_t before, size_t begin, size_t end,
                             struct stack_tree *tree, struct flame_arrangement *arrangement)
{
    for (size_t i = begin, at = before; i < end; i++) {
        struct flame_rect *rect = &picture->rects.items[i];
        struct flame_rect *parent = find_parent(picture, &at, begin, rect);
        if (!parent || parent->node == PROFILE_NO_ID) {
            arrangement->orphans++;
            continue;
        }
        parent->children += rect->weight;
        enum status status = stack_tree_child(tree, parent->node, rect->frame, &rect->node);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* What a frame has beyond those on it is its own. */
static void weigh(struct flame_picture *picture, struct stack_tree *tree,
                  struct flame_arrangement *arrangement)
{
    for (size_t i = 0; i < picture->rects.count; i++) {
        const struct flame_rect *rect = &picture->rects.items[i];
        double self = rect->weight - rect->children;
        if (rect->node == PROFILE_NO_ID)
            continue;
        arrangement->overfull += self < 0;
        if (self > 0)
            stack_tree_add(tree, rect->node, self, self < 1 ? 1 : (uint64_t)self);
    }
}

enum status flame_picture_arrange(struct flame_picture *picture, uint32_t all,
                                  struct stack_tree *tree,
                                  struct flame_arrangement *ret_arrangement)
{
    struct flame_arrangement arrangement = {0};
    uint32_t root;
    enum status status = stack_tree_root(tree, PROFILE_NO_ID, &root);
    if (status != STATUS_OK)
        return status;
    sort_rows(picture, all);
    size_t before = 0, begin = row_end(picture, 0);
    arrangement.total = row_weight(picture, 0, begin);
    bool has_root = begin == 1 && picture->rects.items[0].frame == all;
    for (size_t i = 0; i < begin && status == STATUS_OK; i++) {
        struct flame_rect *rect = &picture->rects.items[i];
        if (has_root)
            rect->node = root;
        else
            status = stack_tree_child(tree, root, rect->frame, &rect->node);
    }
    while (begin < picture->rects.count && status == STATUS_OK) {
        size_t end = row_end(picture, begin);
        status = place_row(picture, before, begin, end, tree, &arrangement);
        before = begin;
        begin = end;
    }
    if (status != STATUS_OK)
        return status;
    weigh(picture, tree, &arrangement);
    *ret_arrangement = arrangement;
    return STATUS_OK;
}
