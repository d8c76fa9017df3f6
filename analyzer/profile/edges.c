/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/profile_edges.h"

#include <stdlib.h>

/* Open addressing by both functions. A slot holds an index + 1. */
static size_t slot_of(const struct profile_edges *edges, uint32_t caller, uint32_t callee)
{
    uint64_t hash = ((uint64_t)caller << 32 | callee) * UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (size_t)(hash >> 20) & (edges->capacity - 1);
    while (edges->slots[slot]) {
        const struct profile_edge *edge = &edges->items.items[edges->slots[slot] - 1];
        if (edge->caller == caller && edge->callee == callee)
            break;
        slot = (slot + 1) & (edges->capacity - 1);
    }
    return slot;
}

static bool grow(struct profile_edges *edges)
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
static struct profile_edge *edge_between(struct profile_edges *edges, uint32_t caller,
                                         uint32_t callee)
{
    if (2 * edges->items.count >= edges->capacity && !grow(edges))
        return NULL;
    size_t slot = slot_of(edges, caller, callee);
    if (!edges->slots[slot]) {
        struct profile_edge edge = {.caller = caller, .callee = callee};
        if (!array_push(&edges->items, edge))
            return NULL;
        edges->slots[slot] = (uint32_t)edges->items.count;
    }
    return &edges->items.items[edges->slots[slot] - 1];
}

/* A stack's amount; an edge that is on it twice has it once. */
static bool add_stack(struct profile_edges *edges, const struct profile *profile, uint32_t id,
                      size_t side, double weight, double count)
{
    const struct profile_stack *stack = &profile->stacks.items[id];
    for (uint32_t i = 1; i < stack->depth; i++) {
        const uint32_t *frames = &profile->stack_frames.items[stack->first + i];
        uint32_t caller = profile->frames.items[frames[-1]].function;
        uint32_t callee = profile->frames.items[frames[0]].function;
        struct profile_edge *edge = edge_between(edges, caller, callee);
        if (!edge)
            return false;
        if (edge->last_stack[side] == id + 1)
            continue;
        edge->last_stack[side] = id + 1;
        edge->totals[side] += weight;
        edge->counts[side] += count;
    }
    return true;
}

/* Rows of one stack in several tracks or domains follow each other only by chance: they are
 * added up first. */
struct stack_amount {
    double weight, count;
};

static bool add_stacks(struct profile_edges *edges, const struct profile *profile, size_t side)
{
    struct stack_amount *amounts = calloc(profile->stacks.count + 1, sizeof *amounts);
    bool ok = amounts != NULL;
    for (size_t i = 0; ok && i < profile->samples.count; i++) {
        amounts[profile->samples.items[i].stack].weight += profile->samples.items[i].weight;
        amounts[profile->samples.items[i].stack].count += (double)profile->samples.items[i].count;
    }
    for (size_t i = 0; ok && i < profile->traces.count; i++) {
        amounts[profile->traces.items[i].stack].weight += (double)profile->traces.items[i].size;
        amounts[profile->traces.items[i].stack].count += (double)profile->traces.items[i].count;
    }
    for (uint32_t i = 0; ok && i < profile->stacks.count; i++)
        if (amounts[i].weight != 0 || amounts[i].count != 0)
            ok = add_stack(edges, profile, i, side, amounts[i].weight, amounts[i].count);
    free(amounts);
    return ok;
}

enum status profile_edges_add(struct profile_edges *edges, const struct profile *profile,
                              size_t side)
{
    bool ok = add_stacks(edges, profile, side);
    for (size_t i = 0; ok && i < profile->calls.count; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        struct profile_edge *edge = edge_between(edges, call->caller, call->callee);
        ok = edge != NULL;
        if (!ok)
            break;
        edge->totals[side] += call->is_count ? 0 : call->total;
        edge->counts[side] += (double)call->calls;
    }
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

void profile_edges_deinit(struct profile_edges *edges)
{
    array_deinit(&edges->items);
    free(edges->slots);
    *edges = (struct profile_edges){0};
}
