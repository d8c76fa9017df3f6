/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_named.h"

#define FARTHEST_ROOT 1000 /* references from a root that are gone back */

static bool is_named(const struct heap_root *root)
{
    switch ((enum root_kind)root->kind) {
    case ROOT_MODULE:
    case ROOT_BUILTINS:
    case ROOT_FRAME:
    case ROOT_TYPE: return true;
    default: return false;
    }
}

static bool choose_roots(const struct heap_roots *all, struct heap_roots *ret_roots)
{
    for (size_t i = 0; i < all->roots.count; i++)
        if (is_named(&all->roots.items[i]) && !array_push(&ret_roots->roots, all->roots.items[i]))
            return false;
    return true;
}

static enum status search(const struct findings *findings, const struct heap_roots *roots,
                          struct graph_paths *ret_paths)
{
    ARRAY(uint32_t) nodes = {0};
    ARRAY(uint8_t) classes = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < roots->roots.count && status == STATUS_OK; i++)
        if (!array_push(&nodes, roots->roots.items[i].object) ||
            !array_push(&classes, roots->roots.items[i].kind))
            status = STATUS_NO_MEMORY;
    const struct graph_roots list = {nodes.items, classes.items, (uint32_t)nodes.count};
    if (status == STATUS_OK)
        status = graph_paths(&findings->heap->references, &list, false, ret_paths, NULL);
    array_deinit(&nodes);
    array_deinit(&classes);
    return status;
}

static enum status find_all(const struct findings *findings, struct named_paths *ret_paths)
{
    ret_paths->facts = *findings->facts;
    ret_paths->facts.paths = (struct graph_paths){0};
    ret_paths->roots = (struct heap_roots){0};
    if (!choose_roots(findings->roots, &ret_paths->roots))
        return STATUS_NO_MEMORY;
    enum status status = search(findings, &ret_paths->roots, &ret_paths->facts.paths);
    ret_paths->findings = *findings;
    ret_paths->findings.facts = &ret_paths->facts;
    ret_paths->findings.roots = &ret_paths->roots;
    return status;
}

void named_paths_deinit(struct named_paths *paths)
{
    graph_paths_deinit(&paths->facts.paths);
    array_deinit(&paths->roots.roots);
}

/* Whether the shortest path of all begins at a name, or nothing leads to the object: the
 * shortest one from a name is the same then. */
static bool is_nearest(const struct findings *findings, uint32_t object)
{
    const struct graph_paths *paths = &findings->facts->paths;
    if (paths->parent[object] == GRAPH_NONE)
        return true;
    for (unsigned steps = 0; paths->parent[object] < GRAPH_NONE; steps++) {
        if (steps == FARTHEST_ROOT)
            return false;
        object = paths->parent[object];
    }
    return is_named(&findings->roots->roots.items[graph_paths_root(paths, object)]);
}

const struct findings *named_paths_for(struct named_paths *paths, const struct findings *findings,
                                       uint32_t object)
{
    if (is_nearest(findings, object))
        return findings;
    if (!paths->is_searched)
        paths->status = find_all(findings, paths);
    paths->is_searched = true;
    return paths->status != STATUS_OK || paths->facts.paths.parent[object] == GRAPH_NONE
               ? findings
               : &paths->findings;
}
