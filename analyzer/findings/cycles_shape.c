/* SPDX-License-Identifier: Apache-2.0 */
/* A component as a graph of types and labels, told from others by colour refinement:
 * each node's colour takes in those of its neighbours until no more nodes are told
 * apart. What colours leave open, a search for an isomorphism settles. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/cycles_pass.h"

#define FIRST_SLOTS 64
#define MATCH_STEPS 20000 /* of 64 edges looked at */
#define NODE_INDEX  (~NODE_NAMESPACE)
#define UNUSED_TYPE UINT32_MAX
#define LARGE_SALT  UINT64_C(0xD1B54A32D192ED03)
#define OUTGOING    UINT64_C(0x9E3779B97F4A7C15)
#define INCOMING    UINT64_C(0xC2B2AE3D27D4EB4F)
#define SECOND_LANE UINT64_C(0x165667B19E3779F9)

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ b >> 32 ^ b << 32) * UINT64_C(0xFF51AFD7ED558CCD);
    x = (x ^ x >> 33) + b;
    x *= UINT64_C(0xC4CEB9FE1A85EC53);
    return x ^ x >> 29;
}

/* ---- edges, each once */

static uint32_t find_edge(const struct shape *shape, const struct shape_edge *edge)
{
    uint64_t hash = mix((uint64_t)edge->source << 32 | edge->target, edge->mask);
    uint32_t slot = (uint32_t)hash & shape->slot_mask;
    for (; shape->slots[slot]; slot = (slot + 1) & shape->slot_mask) {
        const struct shape_edge *known = &shape->edges.items[shape->slots[slot] - 1];
        if (known->source == edge->source && known->target == edge->target &&
            known->mask == edge->mask)
            break;
    }
    return slot;
}

static bool has_edge(const struct shape *shape, uint32_t source, uint32_t target, uint32_t mask)
{
    const struct shape_edge edge = {source, target, mask};
    return shape->slots[find_edge(shape, &edge)] != 0;
}

static bool grow(struct shape *shape)
{
    uint32_t mask = shape->slots ? shape->slot_mask * 2 + 1 : FIRST_SLOTS - 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    free(shape->slots);
    shape->slots = slots;
    shape->slot_mask = mask;
    for (size_t i = 0; i < shape->edges.count; i++)
        slots[find_edge(shape, &shape->edges.items[i])] = (uint32_t)i + 1;
    return true;
}

static bool add_edge(struct shape *shape, uint32_t source, uint32_t target, uint32_t mask)
{
    const struct shape_edge edge = {source, target, mask};
    if ((!shape->slots || shape->edges.count * 2 >= shape->slot_mask) && !grow(shape))
        return false;
    uint32_t slot = find_edge(shape, &edge);
    if (shape->slots[slot])
        return true;
    if (shape->edges.count >= UINT32_MAX - 1 || !array_push(&shape->edges, edge))
        return false;
    shape->slots[slot] = (uint32_t)shape->edges.count;
    return true;
}

static void empty(struct shape *shape)
{
    if (shape->slots && shape->slot_mask >= 4 * FIRST_SLOTS) {
        free(shape->slots);
        shape->slots = NULL;
        array_deinit(&shape->edges);
        array_deinit(&shape->nodes);
    } else if (shape->slots) {
        memset(shape->slots, 0, ((size_t)shape->slot_mask + 1) * sizeof *shape->slots);
    }
    shape->edges.count = shape->nodes.count = 0;
}

void shape_deinit(struct shape *shape)
{
    array_deinit(&shape->nodes);
    array_deinit(&shape->edges);
    free(shape->slots);
    *shape = (struct shape){0};
}

/* ---- nodes */

static uint32_t add_node(struct shape *shape, uint64_t color, uint32_t object, uint32_t type)
{
    const struct shape_node node = {color, object, type};
    return array_push(&shape->nodes, node) ? (uint32_t)shape->nodes.count : 0;
}

/* One a type, by its name: what is left of the nodes of a large component. */
static uint32_t node_of_type(struct cycle_pass *pass, struct shape *shape, uint32_t *by_type,
                             uint32_t object)
{
    uint32_t type = pass->heap->type[object];
    if (!by_type[type])
        by_type[type] = add_node(shape, pass->type_hash[type], object, type);
    return by_type[type];
}

static enum status add_nodes(struct cycle_pass *pass, const struct cycle_component *component,
                             struct shape *shape)
{
    uint32_t *by_type = NULL;
    bool ok = true;
    if (!shape->is_exact) {
        by_type = calloc(pass->heap->types.count + 1, sizeof *by_type);
        if (!by_type)
            return STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < component->count && ok; i++) {
        uint32_t object = component->members[i], type = pass->heap->type[object];
        uint32_t node = by_type ? node_of_type(pass, shape, by_type, object)
                                : add_node(shape, pass->type_hash[type], object, type);
        pass->node_of[object] = node;
        ok = node != 0;
    }
    free(by_type);
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

/* An instance's __dict__ stands for the instance. */
static void join_namespaces(struct cycle_pass *pass, const struct cycle_component *component,
                            struct shape *shape)
{
    const struct heap *heap = pass->heap;
    const struct graph *references = &heap->references;
    for (uint32_t i = 0; i < component->count; i++) {
        uint32_t object = component->members[i];
        if (heap_type(heap, object)->kind == KIND_DICT)
            continue;
        for (uint64_t edge = graph_first(references, object); edge < graph_end(references, object);
             edge++) {
            uint32_t target = references->targets[edge], node = pass->node_of[target];
            if (!node || node & NODE_NAMESPACE || heap_type(heap, target)->kind != KIND_DICT ||
                label_mask(&pass->masks, heap->label[edge], false) != MASK_DICT)
                continue;
            if (shape->is_exact)
                shape->nodes.items[node - 1].type = UNUSED_TYPE;
            pass->node_of[target] = pass->node_of[object] | NODE_NAMESPACE;
        }
    }
}

static void drop_unused(struct cycle_pass *pass, const struct cycle_component *component,
                        struct shape *shape)
{
    uint32_t renumbered[SHAPE_NODES], count = 0;
    for (size_t i = 0; i < shape->nodes.count; i++) {
        renumbered[i] = count + 1;
        if (shape->nodes.items[i].type != UNUSED_TYPE)
            shape->nodes.items[count++] = shape->nodes.items[i];
    }
    if (count == shape->nodes.count)
        return;
    shape->nodes.count = count;
    for (uint32_t i = 0; i < component->count; i++) {
        uint32_t *node = &pass->node_of[component->members[i]];
        *node = renumbered[(*node & NODE_INDEX) - 1] | (*node & NODE_NAMESPACE);
    }
}

static bool add_edges_of(struct cycle_pass *pass, struct shape *shape, uint32_t object)
{
    const struct heap *heap = pass->heap;
    const struct graph *references = &heap->references;
    uint32_t own = pass->node_of[object], source = own & NODE_INDEX, last = 0, last_code = 0;
    for (uint64_t edge = graph_first(references, object); edge < graph_end(references, object);
         edge++) {
        uint32_t node = pass->node_of[references->targets[edge]], code = heap->label[edge];
        if (!node || (node == last && (code & last_code & HEAP_LABEL_INDEX)))
            continue;
        uint32_t mask = label_mask(&pass->masks, code, own & NODE_NAMESPACE);
        last = node;
        last_code = code & HEAP_LABEL_INDEX ? code : 0;
        if (node & NODE_NAMESPACE && mask == MASK_DICT && (node & NODE_INDEX) == source)
            continue;
        if (!add_edge(shape, source - 1, (node & NODE_INDEX) - 1, mask))
            return false;
    }
    return true;
}

/* ---- hashes */

static void hash_raw(const struct cycle_pass *pass, struct shape *shape, uint32_t members)
{
    uint64_t first = members, second = mix(members, SECOND_LANE);
    for (size_t i = 0; i < shape->nodes.count; i++) {
        first = mix(first, shape->nodes.items[i].color);
        second = mix(second + SECOND_LANE, shape->nodes.items[i].color);
    }
    for (size_t i = 0; i < shape->edges.count; i++) {
        const struct shape_edge *edge = &shape->edges.items[i];
        uint64_t ends = (uint64_t)edge->source << 32 | edge->target;
        uint64_t label = label_mask_hash(&pass->masks, edge->mask);
        first = mix(mix(first, ends), label);
        second = mix(mix(second + SECOND_LANE, ends), label);
    }
    shape->raw[0] = first;
    shape->raw[1] = second;
}

/* The set of (type, label, type), in any order. */
static void hash_large(const struct cycle_pass *pass, struct shape *shape)
{
    uint64_t sum = 0;
    const struct shape_node *nodes = shape->nodes.items;
    for (size_t i = 0; i < shape->edges.count; i++) {
        const struct shape_edge *edge = &shape->edges.items[i];
        sum += mix(mix(nodes[edge->source].color, label_mask_hash(&pass->masks, edge->mask)),
                   nodes[edge->target].color);
    }
    shape->hash = mix(sum, LARGE_SALT);
    shape->raw[0] = shape->hash;
    shape->raw[1] = LARGE_SALT;
}

enum status shape_read(struct cycle_pass *pass, const struct cycle_component *component,
                       struct shape *shape)
{
    empty(shape);
    shape->is_exact = component->count <= SHAPE_NODES;
    enum status status = add_nodes(pass, component, shape);
    if (status != STATUS_OK)
        return status;
    join_namespaces(pass, component, shape);
    if (shape->is_exact)
        drop_unused(pass, component, shape);
    for (uint32_t i = 0; i < component->count; i++)
        if (!add_edges_of(pass, shape, component->members[i]))
            return STATUS_NO_MEMORY;
    if (pass->masks.failed)
        return STATUS_NO_MEMORY;
    if (shape->is_exact)
        hash_raw(pass, shape, component->count);
    else
        hash_large(pass, shape);
    return STATUS_OK;
}

void shape_release(struct cycle_pass *pass, const struct cycle_component *component)
{
    for (uint32_t i = 0; i < component->count; i++)
        pass->node_of[component->members[i]] = 0;
}

/* ---- colours */

static int compare_colors(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static size_t sort_colors(const struct shape *shape, uint64_t *colors)
{
    size_t distinct = 0;
    for (size_t i = 0; i < shape->nodes.count; i++)
        colors[i] = shape->nodes.items[i].color;
    qsort(colors, shape->nodes.count, sizeof *colors, compare_colors);
    for (size_t i = 0; i < shape->nodes.count; i++)
        distinct += !i || colors[i] != colors[i - 1];
    return distinct;
}

static void recolor(const struct cycle_pass *pass, struct shape *shape)
{
    uint64_t next[SHAPE_NODES];
    struct shape_node *nodes = shape->nodes.items;
    for (size_t i = 0; i < shape->nodes.count; i++)
        next[i] = mix(nodes[i].color, 1);
    for (size_t i = 0; i < shape->edges.count; i++) {
        const struct shape_edge *edge = &shape->edges.items[i];
        uint64_t label = label_mask_hash(&pass->masks, edge->mask);
        next[edge->source] += mix(nodes[edge->target].color ^ OUTGOING, label);
        next[edge->target] += mix(nodes[edge->source].color ^ INCOMING, label);
    }
    for (size_t i = 0; i < shape->nodes.count; i++)
        nodes[i].color = mix(next[i], 2);
}

void shape_refine(const struct cycle_pass *pass, struct shape *shape)
{
    uint64_t colors[SHAPE_NODES], hash = shape->nodes.count << 32 ^ shape->edges.count;
    size_t distinct = 0;
    for (size_t round = 0; round <= shape->nodes.count; round++) {
        recolor(pass, shape);
        size_t now = sort_colors(shape, colors);
        if (round && now == distinct)
            break;
        distinct = now;
    }
    for (size_t i = 0; i < shape->nodes.count; i++)
        hash = mix(hash, colors[i]);
    shape->hash = hash;
}

/* ---- isomorphism */

struct match {
    const struct shape *left, *right;
    uint8_t image[SHAPE_NODES]; /* of the left nodes, 0xFF: none yet */
    uint64_t taken;             /* right nodes */
    size_t steps;
};

/* Whether the edges between `node` and those that have their image are there. */
static bool edges_agree(const struct match *match, uint32_t node)
{
    for (size_t i = 0; i < match->left->edges.count; i++) {
        const struct shape_edge *edge = &match->left->edges.items[i];
        if (edge->source != node && edge->target != node)
            continue;
        uint8_t source = match->image[edge->source], target = match->image[edge->target];
        if (source != 0xFF && target != 0xFF && !has_edge(match->right, source, target, edge->mask))
            return false;
    }
    return true;
}

/* The depth is bounded by SHAPE_NODES. */
static bool match_from(struct match *match, uint32_t node)
{
    if (node == match->left->nodes.count)
        return true;
    for (uint32_t image = 0; image < match->right->nodes.count; image++) {
        if (match->taken >> image & 1 ||
            match->right->nodes.items[image].color != match->left->nodes.items[node].color)
            continue;
        match->steps += 1 + match->left->edges.count / 64;
        if (match->steps > MATCH_STEPS)
            return true;
        match->image[node] = (uint8_t)image;
        match->taken |= UINT64_C(1) << image;
        if (edges_agree(match, node) && match_from(match, node + 1))
            return true;
        match->image[node] = 0xFF;
        match->taken &= ~(UINT64_C(1) << image);
    }
    return false;
}

bool shapes_match(const struct shape *left, const struct shape *right)
{
    struct match match = {.left = left, .right = right};
    if (left->nodes.count != right->nodes.count || left->edges.count != right->edges.count)
        return false;
    memset(match.image, 0xFF, sizeof match.image);
    return match_from(&match, 0);
}
