/* SPDX-License-Identifier: Apache-2.0 */
/* An instance refers to its class, the class to its methods, a method to the globals
 * of its module, and those to all that the module holds: one component of nearly
 * everything. Without types, modules and their namespaces it falls into the cycles
 * that people mean. */
#include "analyzer/findings/cycles_pass.h"
#include "analyzer/graph/memory.h"

#define LEFT_OUT UINT32_MAX

static bool is_code(const struct cycle_pass *pass, uint32_t object)
{
    return pass->role[pass->heap->type[object]] == ROLE_TYPE;
}

/* Sets node_of of the members of components with both program and data in them to the
 * component + 1; false: there are none. */
static bool mark_components(struct cycle_pass *pass)
{
    const struct graph_components *components = &pass->findings->facts->components;
    bool any = false;
    for (uint32_t i = 0; i < components->count; i++) {
        uint32_t begin = components->first[i], end = components->first[i + 1];
        bool program = false, data = false;
        if (!graph_bit(pass->findings->facts->reached, components->members[begin]))
            continue;
        for (uint32_t j = begin; j < end; j++) {
            program |= is_code(pass, components->members[j]);
            data |= !is_code(pass, components->members[j]);
        }
        for (uint32_t j = begin; program && data && j < end; j++)
            pass->node_of[components->members[j]] = i + 1;
        any |= program && data;
    }
    return any;
}

/* The dictionaries that `object`, a module, function or frame, has for a namespace. */
static void leave_namespaces_out(struct cycle_pass *pass, uint32_t object, bool is_module)
{
    const struct heap *heap = pass->heap;
    const struct graph *references = &heap->references;
    for (uint64_t edge = graph_first(references, object); edge < graph_end(references, object);
         edge++) {
        uint32_t target = references->targets[edge];
        if (!pass->node_of[target] || heap_type(heap, target)->kind != KIND_DICT)
            continue;
        uint32_t mask = label_mask(&pass->masks, heap->label[edge], false);
        if (is_module ? mask == MASK_DICT : label_mask_is_globals(&pass->masks, mask))
            pass->node_of[target] = LEFT_OUT;
    }
}

static void leave_program_out(struct cycle_pass *pass)
{
    const struct heap *heap = pass->heap;
    const struct graph_components *components = &pass->findings->facts->components;
    for (uint32_t i = 0; i < components->member_count; i++) {
        uint32_t object = components->members[i];
        if (!pass->node_of[object])
            continue;
        enum object_kind kind = heap_type(heap, object)->kind;
        if (kind == KIND_MODULE || kind == KIND_FUNCTION || kind == KIND_FRAME)
            leave_namespaces_out(pass, object, kind == KIND_MODULE);
        if (is_code(pass, object))
            pass->node_of[object] = LEFT_OUT;
    }
}

/* The members of components in ascending order: by number in the graph. */
static void list_members(const struct graph_components *components, uint32_t *objects)
{
    uint32_t count = 0;
    for (uint64_t word = 0; word < bitmap_words(components->node_count); word++)
        for (uint64_t bits = components->in_cycle[word]; bits; bits &= bits - 1)
            objects[count++] = (uint32_t)(word * 64 + (unsigned)__builtin_ctzll(bits));
}

static enum status build_graph(const struct cycle_pass *pass, const uint32_t *objects,
                               struct graph *ret_graph, struct error *err)
{
    const struct graph *references = &pass->heap->references;
    const struct graph_components *components = &pass->findings->facts->components;
    const uint32_t *of = pass->node_of;
    uint32_t count = components->member_count;
    struct graph_builder rows;
    enum status status = graph_builder_init(&rows, count, 0, count, 0, err);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        uint32_t object = objects[i];
        if (!of[object] || of[object] == LEFT_OUT)
            continue;
        uint64_t end = graph_end(references, object);
        for (uint64_t edge = graph_first(references, object); edge < end && status == STATUS_OK;
             edge++) {
            uint32_t target = references->targets[edge];
            if (of[target] == of[object])
                status = graph_builder_edge(&rows, i, graph_member_rank(components, target), err);
        }
    }
    if (status == STATUS_OK)
        status = graph_build(&rows, 1, ret_graph, err);
    graph_builder_deinit(&rows);
    return status;
}

static enum status find_within(const struct cycle_pass *pass, const uint32_t *objects,
                               struct graph_components *ret_nested, struct error *err)
{
    struct graph graph;
    enum status status = build_graph(pass, objects, &graph, err);
    if (status != STATUS_OK)
        return status;
    status = graph_components(&graph, ret_nested, err);
    graph_deinit(&graph);
    for (uint32_t i = 0; status == STATUS_OK && i < ret_nested->member_count; i++)
        ret_nested->members[i] = objects[ret_nested->members[i]];
    return status;
}

enum status cycles_find_nested(struct cycle_pass *pass, struct graph_components *ret_nested,
                               struct error *err)
{
    const struct graph_components *components = &pass->findings->facts->components;
    uint32_t *objects;
    *ret_nested = (struct graph_components){0};
    if (!mark_components(pass))
        return STATUS_OK;
    leave_program_out(pass);
    enum status status =
        graph_alloc(components->member_count, sizeof *objects, (void **)&objects, err);
    if (status == STATUS_OK) {
        list_members(components, objects);
        status = find_within(pass, objects, ret_nested, err);
        graph_free(objects);
    }
    for (uint32_t i = 0; i < components->member_count; i++)
        pass->node_of[components->members[i]] = 0;
    return status;
}
