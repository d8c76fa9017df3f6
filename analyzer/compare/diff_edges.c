/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from one function to another: what each callee took on behalf of each caller. Of
 * stacks an edge counts once however often it is on one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_calls.h"

#define MOST_EDGES 200 /* rows of the table */

struct edge {
    uint32_t caller, callee;
    double old_total, new_total, old_count, new_count;
    uint32_t last_stack[2]; /* that counted it, of each side, plus 1 */
};

/* Open addressing by both functions. */
struct edges {
    ARRAY(struct edge) items;
    uint32_t *slots; /* index + 1 */
    size_t capacity;
};

static size_t slot_of(const struct edges *edges, uint32_t caller, uint32_t callee)
{
    uint64_t hash = ((uint64_t)caller << 32 | callee) * UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (size_t)(hash >> 20) & (edges->capacity - 1);
    while (edges->slots[slot]) {
        const struct edge *edge = &edges->items.items[edges->slots[slot] - 1];
        if (edge->caller == caller && edge->callee == callee)
            break;
        slot = (slot + 1) & (edges->capacity - 1);
    }
    return slot;
}

static bool grow(struct edges *edges)
{
    size_t capacity = edges->capacity ? 2 * edges->capacity : 1024;
    uint32_t *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return false;
    free(edges->slots);
    edges->slots = slots;
    edges->capacity = capacity;
    for (size_t i = 0; i < edges->items.count; i++)
        slots[slot_of(edges, edges->items.items[i].caller, edges->items.items[i].callee)] =
            (uint32_t)i + 1;
    return true;
}

/* NULL: out of memory. */
static struct edge *edge_between(struct edges *edges, uint32_t caller, uint32_t callee)
{
    if (2 * edges->items.count >= edges->capacity && !grow(edges))
        return NULL;
    size_t slot = slot_of(edges, caller, callee);
    if (!edges->slots[slot]) {
        struct edge edge = {.caller = caller, .callee = callee};
        if (!array_push(&edges->items, edge))
            return NULL;
        edges->slots[slot] = (uint32_t)edges->items.count;
    }
    return &edges->items.items[edges->slots[slot] - 1];
}

static bool add_amount(struct edges *edges, uint32_t caller, uint32_t callee, size_t side,
                       double total, double count)
{
    struct edge *edge = edge_between(edges, caller, callee);
    if (!edge)
        return false;
    *(side ? &edge->new_total : &edge->old_total) += total;
    *(side ? &edge->new_count : &edge->old_count) += count;
    return true;
}

static bool add_stack(struct edges *edges, const struct profile *profile, uint32_t id, size_t side,
                      double weight, double count)
{
    const struct profile_stack *stack = &profile->stacks.items[id];
    for (uint32_t i = 1; i < stack->depth; i++) {
        const uint32_t *frames = &profile->stack_frames.items[stack->first + i];
        uint32_t caller = profile->frames.items[frames[-1]].function;
        uint32_t callee = profile->frames.items[frames[0]].function;
        struct edge *edge = edge_between(edges, caller, callee);
        if (!edge)
            return false;
        if (edge->last_stack[side] == id + 1)
            continue;
        edge->last_stack[side] = id + 1;
        if (!add_amount(edges, caller, callee, side, weight, count))
            return false;
    }
    return true;
}

static bool collect(const struct profile_compare *compare, struct edges *edges)
{
    bool ok = true;
    for (size_t side = 0; side < 2; side++) {
        const struct profile *profile = &compare->pair->sides[side];
        for (size_t i = 0; ok && i < profile->samples.count; i++)
            ok = add_stack(edges, profile, profile->samples.items[i].stack, side,
                           profile->samples.items[i].weight,
                           (double)profile->samples.items[i].count);
        for (size_t i = 0; ok && i < profile->calls.count; i++) {
            const struct profile_call *call = &profile->calls.items[i];
            ok = add_amount(edges, call->caller, call->callee, side,
                            call->is_count ? 0 : call->total, (double)call->calls);
        }
    }
    return ok;
}

static int compare_edges(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;
    double first = fabs(a->new_total - a->old_total), second = fabs(b->new_total - b->old_total);
    if (first < second || first > second)
        return first < second ? 1 : -1;
    if (a->caller != b->caller)
        return a->caller < b->caller ? -1 : 1;
    return (a->callee > b->callee) - (a->callee < b->callee);
}

static bool add_row(const struct profile_compare *compare, const struct edge *edge,
                    struct diff_table *table)
{
    const struct profile *both = &compare->pair->both;
    struct arena *arena = &compare->diff->arena;
    bool was = edge->old_total != 0 || edge->old_count != 0;
    bool is = edge->new_total != 0 || edge->new_count != 0;
    struct diff_row row = {
        .stack = DIFF_NO_STACK,
        .keys = {pair_text(arena, both, both->functions.items[edge->caller].name),
                 pair_text(arena, both, both->functions.items[edge->callee].name),
                 pair_text(arena, both, both->functions.items[edge->callee].file)},
        .old_values = {edge->old_total, edge->old_count},
        .new_values = {edge->new_total, edge->new_count},
        .presence = !was  ? DIFF_NEW
                    : !is ? DIFF_GONE
                          : DIFF_BOTH,
        .rank = fabs(edge->new_total - edge->old_total),
    };
    return row.keys[0] && row.keys[1] && row.keys[2] && array_push(&table->rows, row);
}

enum status diff_profile_edges(const struct profile_compare *compare, struct error *err)
{
    struct edges edges = {0};
    struct diff_table *table =
        diff_add_table(compare->diff, "edges", "Calls, by change of what they took");
    bool ok = table && collect(compare, &edges);
    if (ok) {
        table->keys[0] = "caller";
        table->keys[1] = "function";
        table->keys[2] = "file";
        table->measures[0] = compare->measures[1];
        table->measures[1] = compare->measures[2];
        if (edges.items.count)
            qsort(edges.items.items, edges.items.count, sizeof *edges.items.items, compare_edges);
        for (size_t i = 0; ok && i < edges.items.count && i < MOST_EDGES; i++)
            if (compare_edges(&edges.items.items[i], &(struct edge){0}) != 0 &&
                edges.items.items[i].old_total != edges.items.items[i].new_total)
                ok = add_row(compare, &edges.items.items[i], table);
    }
    array_deinit(&edges.items);
    free(edges.slots);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
