/* SPDX-License-Identifier: Apache-2.0 */
/* A shape in words: a shortest cycle through what says most, as
 * "shop.Node.children -> list[…] -> shop.Node.parent -> …". The choice depends on names
 * and colours alone, so it is the same in every dump of a program. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/cycles_pass.h"

#define NO_NODE    UINT32_MAX
#define TEXT_STEPS 12

/* ---- where to begin: instances of the program's own classes say most. */

static unsigned node_rank(const struct cycle_pass *pass, const struct shape_node *node)
{
    const struct python_type *type = pass->heap->types.items[node->type];
    switch ((enum cycle_role)pass->role[node->type]) {
    case ROLE_INSTANCE: return type->is_heap ? (type->kind == KIND_UNKNOWN ? 0 : 1) : 2;
    case ROLE_CODE: return type->kind == KIND_FUNCTION ? 3 : 5;
    case ROLE_CONTAINER: return 6;
    case ROLE_TYPE: break;
    }
    return type->kind == KIND_TYPE ? 4 : 7;
}

static int compare_nodes(const struct cycle_pass *pass, const struct shape_node *a,
                         const struct shape_node *b)
{
    unsigned left = node_rank(pass, a), right = node_rank(pass, b);
    if (left != right)
        return left < right ? -1 : 1;
    int order =
        strcmp(pass->heap->types.items[a->type]->name, pass->heap->types.items[b->type]->name);
    return order ? order : (a->color > b->color) - (a->color < b->color);
}

/* A large shape may have a node for dictionaries that all stand for their instances:
 * one without references. */
static uint32_t best_node(const struct cycle_pass *pass, const struct shape *shape,
                          const uint32_t *first)
{
    uint32_t best = NO_NODE;
    for (size_t i = 0; i < shape->nodes.count; i++)
        if (first[i] != first[i + 1] &&
            (best == NO_NODE ||
             compare_nodes(pass, &shape->nodes.items[i], &shape->nodes.items[best]) < 0))
            best = (uint32_t)i;
    return best;
}

/* ---- edges in an order that names decide */

struct step {
    uint32_t source, target, mask;
    uint64_t color; /* of the target */
    const char *label;
};

static int compare_steps(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    int order = strcmp(a->label, b->label);
    if (order)
        return order;
    if (a->color != b->color)
        return a->color < b->color ? -1 : 1;
    return (a->target > b->target) - (a->target < b->target);
}

struct walk {
    struct step *steps; /* by source */
    uint32_t *first;    /* nodes + 1 */
    uint32_t *arrival;  /* by node: the step that led to it, NO_NODE: none */
    uint32_t *queue;
};

static void walk_deinit(struct walk *walk)
{
    free(walk->steps);
    free(walk->first);
    free(walk->arrival);
    free(walk->queue);
}

static bool walk_init(struct walk *walk, const struct cycle_pass *pass, const struct shape *shape)
{
    size_t nodes = shape->nodes.count, edges = shape->edges.count;
    *walk = (struct walk){.steps = malloc((edges + 1) * sizeof *walk->steps),
                          .first = calloc(nodes + 2, sizeof *walk->first),
                          .arrival = malloc((nodes + 1) * sizeof *walk->arrival),
                          .queue = malloc((nodes + 1) * sizeof *walk->queue)};
    if (!walk->steps || !walk->first || !walk->arrival || !walk->queue)
        return false;
    for (size_t i = 0; i < edges; i++) {
        const struct shape_edge *edge = &shape->edges.items[i];
        walk->steps[i] = (struct step){edge->source, edge->target, edge->mask,
                                       shape->nodes.items[edge->target].color,
                                       label_mask_text(&pass->masks, edge->mask)};
        walk->first[edge->source + 1]++;
    }
    for (size_t i = 0; i < nodes; i++)
        walk->first[i + 1] += walk->first[i];
    qsort(walk->steps, edges, sizeof *walk->steps, compare_steps);
    memset(walk->arrival, 0xFF, (nodes + 1) * sizeof *walk->arrival);
    return true;
}

/* The last step of a shortest way from `start` back to it; NO_NODE: there is none. */
static uint32_t search(struct walk *walk, uint32_t start)
{
    uint32_t head = 0, tail = 0;
    walk->queue[tail++] = start;
    while (head < tail) {
        uint32_t node = walk->queue[head++];
        for (uint32_t i = walk->first[node]; i < walk->first[node + 1]; i++) {
            uint32_t target = walk->steps[i].target;
            if (target == start)
                return i;
            if (walk->arrival[target] == NO_NODE) {
                walk->arrival[target] = i;
                walk->queue[tail++] = target;
            }
        }
    }
    return NO_NODE;
}

/* ---- words */

static void append_step(const struct cycle_pass *pass, const struct shape *shape,
                        const struct step *step, struct text *text)
{
    const struct shape_node *node = &shape->nodes.items[step->source];
    text_append(text, pass->heap->types.items[node->type]->name);
    if (!*step->label)
        text_append(text, ".<?>");
    else
        text_printf(text, "%s%s", strchr(".[{", *step->label) ? "" : ".", step->label);
    text_append(text, " -> ");
}

static void append_walk(const struct cycle_pass *pass, const struct shape *shape,
                        const struct walk *walk, uint32_t start, uint32_t last, struct text *text)
{
    uint32_t count = 0;
    for (uint32_t step = last;; step = walk->arrival[walk->steps[step].source]) {
        walk->queue[count++] = step; /* the search is over */
        if (walk->steps[step].source == start)
            break;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (count > TEXT_STEPS && i == TEXT_STEPS - 1 && count - i > 1) {
            text_printf(text, "(%u more) -> ", count - i);
            break;
        }
        append_step(pass, shape, &walk->steps[walk->queue[count - 1 - i]], text);
    }
    text_append(text, "…");
    if (shape->is_exact && shape->nodes.count > count)
        text_printf(text, " (with %zu other object%s)", shape->nodes.count - count,
                    shape->nodes.count - count == 1 ? "" : "s");
}

/* A member of the node that the words begin with. */
static uint32_t start_object(const struct cycle_pass *pass, const struct shape *shape,
                             const struct cycle_component *component, uint32_t start)
{
    if (shape->is_exact)
        return shape->nodes.items[start].object;
    for (uint32_t i = 0; i < component->count; i++)
        if (pass->node_of[component->members[i]] == start + 1)
            return component->members[i];
    return component->members[0];
}

enum status shape_text(const struct cycle_pass *pass, const struct shape *shape,
                       const struct cycle_component *component, struct text *text,
                       uint32_t *ret_start)
{
    struct walk walk;
    uint32_t start = NO_NODE, last = NO_NODE;
    bool ready = walk_init(&walk, pass, shape);
    if (ready)
        start = best_node(pass, shape, walk.first);
    if (start != NO_NODE)
        last = search(&walk, start);
    if (last != NO_NODE)
        append_walk(pass, shape, &walk, start, last, text);
    *ret_start =
        start == NO_NODE ? component->members[0] : start_object(pass, shape, component, start);
    walk_deinit(&walk);
    return ready && text_ok(text) ? STATUS_OK : STATUS_NO_MEMORY;
}
