/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/flame_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FRAMES 20000
#define MOST_DEPTH  200 /* of a picture that can still be looked at */
#define NONE        UINT32_MAX

struct tree {
    const struct flame_graph *graph;
    double *value; /* at least the sum of the children's */
    uint32_t *first_child, *next_sibling;
    uint64_t *size; /* nodes below and with it */
};

static bool tree_make(const struct flame_graph *graph, struct tree *tree)
{
    size_t count = graph->count + 1;
    *tree = (struct tree){.graph = graph,
                          .value = calloc(count, sizeof *tree->value),
                          .first_child = malloc(count * sizeof *tree->first_child),
                          .next_sibling = malloc(count * sizeof *tree->next_sibling),
                          .size = malloc(count * sizeof *tree->size)};
    if (!tree->value || !tree->first_child || !tree->next_sibling || !tree->size)
        return false;
    memset(tree->first_child, 0xFF, count * sizeof *tree->first_child);
    memset(tree->next_sibling, 0xFF, count * sizeof *tree->next_sibling);
    for (size_t i = graph->count; i-- > 0;) {
        const struct flame_node *node = &graph->nodes[i];
        double value = isfinite(node->value) && node->value > 0 ? node->value : 0;
        tree->value[i] = fmax(value, tree->value[i]);
        tree->size[i] = 1 + (graph->rests ? graph->rests[i].nodes : 0);
        for (uint32_t child = tree->first_child[i]; child != NONE;
             child = tree->next_sibling[child])
            tree->size[i] += tree->size[child];
        if (i == 0 || node->parent >= i)
            continue;
        tree->value[node->parent] += tree->value[i];
        tree->next_sibling[i] = tree->first_child[node->parent];
        tree->first_child[node->parent] = (uint32_t)i;
    }
    return true;
}

static void tree_deinit(struct tree *tree)
{
    free(tree->value);
    free(tree->first_child);
    free(tree->next_sibling);
    free(tree->size);
}

/* The frames of the children of one frame; what is too narrow or too deep is one
 * frame, where that can be seen. They are put on the stack last first. */
static bool push_children(const struct tree *tree, const struct flame_frame *parent, double least,
                          struct flame_layout *layout, struct flame_layout *stack)
{
    struct flame_frame rest = {.node = FLAME_REST, .depth = parent->depth + 1};
    double x = parent->x;
    if (tree->graph->rests) {
        const struct flame_rest *left_out = &tree->graph->rests[parent->node];
        rest.count = left_out->branches;
        rest.value = left_out->value;
        layout->hidden += left_out->nodes;
    }
    size_t begin = stack->frames.count;
    for (uint32_t child = tree->first_child[parent->node]; child != NONE;
         child = tree->next_sibling[child]) {
        struct flame_frame frame = {.node = child,
                                    .depth = parent->depth + 1,
                                    .x = x,
                                    .width = tree->value[child] / layout->total,
                                    .value = tree->value[child]};
        if (frame.width < least || frame.depth > MOST_DEPTH) {
            rest.count++;
            rest.value += frame.value;
            layout->hidden += tree->size[child];
            continue;
        }
        x += frame.width;
        if (!array_push(&stack->frames, frame))
            return false;
    }
    rest.x = x;
    rest.width = rest.value / layout->total;
    if (rest.count && rest.width >= least && rest.depth <= MOST_DEPTH &&
        !array_push(&stack->frames, rest))
        return false;
    for (size_t end = stack->frames.count; begin + 1 < end; begin++) {
        struct flame_frame frame = stack->frames.items[begin];
        stack->frames.items[begin] = stack->frames.items[--end];
        stack->frames.items[end] = frame;
    }
    return true;
}

/* False: out of memory. Stops where there are too many frames. */
static bool lay_out(const struct tree *tree, double least, struct flame_layout *layout)
{
    struct flame_layout stack = {0};
    struct flame_frame root = {.width = 1, .value = layout->total};
    bool ok = array_push(&stack.frames, root);
    while (ok && stack.frames.count && layout->frames.count <= MOST_FRAMES) {
        struct flame_frame frame = stack.frames.items[--stack.frames.count];
        ok = array_push(&layout->frames, frame);
        if (frame.depth > layout->depth)
            layout->depth = frame.depth;
        if (ok && frame.node != FLAME_REST)
            ok = push_children(tree, &frame, least, layout, &stack);
    }
    array_deinit(&stack.frames);
    return ok;
}

void flame_layout_make(const struct flame_graph *graph, double least,
                       struct flame_layout *ret_layout)
{
    struct tree tree;
    struct flame_layout layout = {0};
    layout.failed = !tree_make(graph, &tree);
    if (!layout.failed && graph->count && tree.value[0] > 0) {
        layout.total = tree.value[0];
        layout.failed = !lay_out(&tree, least, &layout);
        while (!layout.failed && layout.frames.count > MOST_FRAMES) {
            layout.frames.count = layout.depth = 0;
            layout.hidden = 0;
            least *= 2;
            layout.failed = !lay_out(&tree, least, &layout);
        }
    }
    tree_deinit(&tree);
    *ret_layout = layout;
}

void flame_layout_deinit(struct flame_layout *layout)
{
    array_deinit(&layout->frames);
}
