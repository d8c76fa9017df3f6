/* SPDX-License-Identifier: Apache-2.0 */
/* An instance refers to its class, the class to its methods, a method to the globals
 * of its module, and those to all that the module holds: one component of nearly
 * everything. Without types, modules and their namespaces it falls into the cycles
 * that people mean. */
#include "analyzer/findings/cycles_pass.h"

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
    for (uint64_t edge = references->first[object]; edge < references->first[object + UINT64_C(1)];
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
    for (uint32_t object = 0; object < heap->count; object++) {
        if (!pass->node_of[object])
            continue;
        enum object_kind kind = heap_type(heap, object)->kind;
        if (kind == KIND_MODULE || kind == KIND_FUNCTION || kind == KIND_FRAME)
            leave_namespaces_out(pass, object, kind == KIND_MODULE);
        if (is_code(pass, object))
            pass->node_of[object] = LEFT_OUT;
    }
}

static enum status build_graph(const struct cycle_pass *pass, struct graph *ret_graph,
                               struct error *err)
{
    const struct graph *references = &pass->heap->references;
    const uint32_t *of = pass->node_of;
    struct graph_builder rows;
    enum status status = graph_builder_init(&rows, pass->heap->count, 0, pass->heap->count, 0, err);
    if (status != STATUS_OK)
        return status;
    for (uint32_t object = 0; object < pass->heap->count && status == STATUS_OK; object++) {
        if (!of[object] || of[object] == LEFT_OUT)
            continue;
        uint64_t end = references->first[object + UINT64_C(1)];
        for (uint64_t edge = references->first[object]; edge < end && status == STATUS_OK; edge++)
            if (of[references->targets[edge]] == of[object])
                status = graph_builder_edge(&rows, object, references->targets[edge], err);
    }
    if (status == STATUS_OK)
        status = graph_build(&rows, 1, ret_graph, err);
    graph_builder_deinit(&rows);
    return status;
}

enum status cycles_find_nested(struct cycle_pass *pass, struct graph_components *ret_nested,
                               struct error *err)
{
    const struct graph_components *components = &pass->findings->facts->components;
    struct graph graph = {0};
    *ret_nested = (struct graph_components){0};
    if (!mark_components(pass))
        return STATUS_OK;
    leave_program_out(pass);
    enum status status = build_graph(pass, &graph, err);
    if (status == STATUS_OK)
        status = graph_components(&graph, ret_nested, err);
    graph_deinit(&graph);
    for (uint32_t i = 0; i < components->member_count; i++)
        pass->node_of[components->members[i]] = 0;
    return status;
}
