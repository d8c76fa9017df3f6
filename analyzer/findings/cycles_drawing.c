/* SPDX-License-Identifier: Apache-2.0 */
/* A few objects of a component: a shortest cycle from one of them, then what is near.
 * The search is bounded; of a cycle longer than that the beginning is drawn. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/cycles_pass.h"

#define SEARCH_NODES 4096
#define SEARCH_SLOTS 16384
#define SEARCH_EDGES (1u << 18)
#define NOT_FOUND    UINT32_MAX
#define LONG_WAY     6 /* objects drawn of a cycle that is longer than a drawing */

struct found {
    uint32_t object, parent; /* parent: index in `found` */
};

struct search {
    struct cycle_pass *pass;
    struct found found[SEARCH_NODES];
    uint16_t slots[SEARCH_SLOTS]; /* index + 1 */
    uint32_t count, edges;
    uint32_t start, closing; /* closing: index of what refers to start */
};

static uint16_t *slot_of(struct search *search, uint32_t object)
{
    uint32_t slot = object * UINT32_C(0x9E3779B1) >> 18;
    while (search->slots[slot] && search->found[search->slots[slot] - 1].object != object)
        slot = (slot + 1) % SEARCH_SLOTS;
    return &search->slots[slot];
}

static bool is_namespace_edge(struct cycle_pass *pass, uint32_t source, uint64_t edge)
{
    uint32_t target = pass->heap->references.targets[edge];
    return pass->node_of[target] & NODE_NAMESPACE &&
           heap_type(pass->heap, source)->kind != KIND_DICT &&
           label_mask(&pass->masks, pass->heap->label[edge], false) == MASK_DICT;
}

/* Calls `visit` with each reference of a node to another: those of its namespace are
 * its own. Stops where it returns false. */
typedef bool (*edge_visitor)(void *context, const struct drawn_edge *edge);

static bool visit_row(struct cycle_pass *pass, uint32_t owner, uint32_t row, bool in_namespace,
                      edge_visitor visit, void *context)
{
    const struct heap *heap = pass->heap;
    const struct graph *references = &heap->references;
    for (uint64_t i = graph_first(references, row); i < graph_end(references, row); i++) {
        uint32_t target = references->targets[i];
        struct drawn_edge edge = {owner, target, heap->label[i], in_namespace};
        if (!pass->node_of[target])
            continue;
        if (!in_namespace && is_namespace_edge(pass, row, i)) {
            if (!visit_row(pass, owner, target, true, visit, context))
                return false;
        } else if (!(pass->node_of[target] & NODE_NAMESPACE) && !visit(context, &edge)) {
            return false;
        }
    }
    return true;
}

static bool search_edge(void *context, const struct drawn_edge *edge)
{
    struct search *search = context;
    uint16_t from = *slot_of(search, edge->source);
    if (edge->target == search->start) {
        search->closing = from - 1u;
        return false;
    }
    uint16_t *slot = slot_of(search, edge->target);
    if (!*slot && search->count < SEARCH_NODES) {
        search->found[search->count++] = (struct found){edge->target, from - 1u};
        *slot = (uint16_t)search->count;
    }
    return ++search->edges < SEARCH_EDGES;
}

static bool is_chosen(const struct drawing *drawing, uint32_t object)
{
    for (uint32_t i = 0; i < drawing->node_count; i++)
        if (drawing->nodes[i] == object)
            return true;
    return false;
}

static void choose(const struct search *search, struct drawing *drawing)
{
    uint32_t way[SEARCH_NODES], length = 0, most = DRAWN_NODES;
    for (uint32_t i = search->closing; i != NOT_FOUND && i; i = search->found[i].parent)
        way[length++] = search->found[i].object;
    if (search->closing == NOT_FOUND || length >= DRAWN_NODES)
        most = LONG_WAY;
    drawing->nodes[drawing->node_count++] = search->start;
    while (length && drawing->node_count < most)
        drawing->nodes[drawing->node_count++] = way[--length];
    for (uint32_t i = 1; i < search->count && drawing->node_count < most; i++)
        if (!is_chosen(drawing, search->found[i].object))
            drawing->nodes[drawing->node_count++] = search->found[i].object;
}

static bool draw_edge(void *context, const struct drawn_edge *edge)
{
    struct drawing *drawing = context;
    if (!is_chosen(drawing, edge->target))
        return true;
    for (uint32_t i = 0; i < drawing->edge_count; i++)
        if (drawing->edges[i].source == edge->source && drawing->edges[i].target == edge->target &&
            drawing->edges[i].code == edge->code)
            return true;
    if (drawing->edge_count == DRAWN_EDGES)
        return false;
    drawing->edges[drawing->edge_count++] = *edge;
    return true;
}

/* A big list may be among the nodes: its row is looked at as far as anything shows. */
struct bounded {
    struct drawing *drawing;
    uint32_t left;
};

static bool draw_bounded(void *context, const struct drawn_edge *edge)
{
    struct bounded *bounded = context;
    return bounded->left-- && draw_edge(bounded->drawing, edge);
}

enum status cycle_draw(struct cycle_pass *pass, uint32_t start, struct drawing *ret_drawing)
{
    struct search *search = calloc(1, sizeof *search);
    if (!search)
        return STATUS_NO_MEMORY;
    *ret_drawing = (struct drawing){0};
    search->pass = pass;
    search->start = start;
    search->closing = NOT_FOUND;
    search->found[search->count++] = (struct found){start, 0};
    *slot_of(search, start) = 1;
    for (uint32_t i = 0; i < search->count; i++)
        if (!visit_row(pass, search->found[i].object, search->found[i].object, false, search_edge,
                       search))
            break;
    choose(search, ret_drawing);
    for (uint32_t i = 0; i < ret_drawing->node_count; i++) {
        struct bounded bounded = {ret_drawing, SEARCH_EDGES};
        visit_row(pass, ret_drawing->nodes[i], ret_drawing->nodes[i], false, draw_bounded,
                  &bounded);
    }
    free(search);
    return STATUS_OK;
}
