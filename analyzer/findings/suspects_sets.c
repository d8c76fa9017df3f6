/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of objects: what would go with several at once, what only C code holds. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/suspects_finder.h"
#include "analyzer/graph/memory.h"

struct reach {
    const struct graph *references;
    uint64_t *seen;
    ARRAY(uint32_t) open;
};

static bool reach_object(struct reach *reach, uint32_t object)
{
    if (graph_bit(reach->seen, object))
        return true;
    bitmap_set(reach->seen, object);
    return array_push(&reach->open, object);
}

static bool reach_all(struct reach *reach)
{
    const struct graph *references = reach->references;
    while (reach->open.count) {
        uint32_t object = reach->open.items[--reach->open.count];
        uint64_t end = graph_end(references, object);
        for (uint64_t edge = graph_first(references, object); edge < end; edge++)
            if (!reach_object(reach, references->targets[edge]))
                return false;
    }
    return true;
}

enum status retained_set(const struct findings *findings, const uint32_t *members, size_t count,
                         uint64_t *bits)
{
    const struct heap_roots *roots = findings->roots;
    size_t words = (size_t)findings->heap->count / 64 + 1;
    struct reach reach = {.references = &findings->heap->references,
                          .seen = calloc(words, sizeof *reach.seen)};
    bool ready = reach.seen;
    for (size_t i = 0; i < count && ready; i++)
        bitmap_set(reach.seen, members[i]);
    for (size_t i = 0; i < roots->roots.count && ready; i++)
        ready = reach_object(&reach, roots->roots.items[i].object);
    ready = ready && reach_all(&reach);
    memset(bits, 0, words * sizeof *bits);
    for (uint32_t i = 0; ready && i < findings->heap->count; i += 64)
        bits[i >> 6] = findings->facts->reached[i >> 6] & ~reach.seen[i >> 6];
    for (size_t i = 0; i < count && ready; i++)
        bitmap_set(bits, members[i]);
    array_deinit(&reach.open);
    free(reach.seen);
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- What only C code holds. Most of the heap is out of the question, because its shortest
 * paths begin elsewhere. Of the rest goes what references from outside of it lead to. */

/* The objects whose shortest paths begin at roots of that kind. */
static bool mark_nearest(const struct findings *findings, struct reach *near)
{
    const struct graph *references = near->references;
    const struct graph_paths *paths = &findings->facts->paths;
    for (uint32_t i = 0; i < paths->entry_count; i++)
        if (findings->roots->roots.items[(uint32_t)paths->entries[i]].kind == ROOT_EXTENSION &&
            !reach_object(near, (uint32_t)(paths->entries[i] >> 32)))
            return false;
    while (near->open.count) {
        uint32_t object = near->open.items[--near->open.count];
        uint64_t end = graph_end(references, object);
        for (uint64_t edge = graph_first(references, object); edge < end; edge++)
            if (paths->parent[references->targets[edge]] == object &&
                !reach_object(near, references->targets[edge]))
                return false;
    }
    return true;
}

static bool drop_object(struct reach *near, uint32_t object)
{
    near->seen[object >> 6] &= ~(UINT64_C(1) << (object & 63));
    return array_push(&near->open, object);
}

static bool drop_targets(struct reach *near, uint32_t object)
{
    const struct graph *references = near->references;
    uint64_t end = graph_end(references, object);
    for (uint64_t edge = graph_first(references, object); edge < end; edge++)
        if (graph_bit(near->seen, references->targets[edge]) &&
            !drop_object(near, references->targets[edge]))
            return false;
    return true;
}

/* All references in their order, most of which lead far from what is marked. */
static bool drop_held(const struct findings *findings, struct reach *near)
{
    const struct graph *references = near->references;
    uint32_t begin = 0, end = findings->heap->count / 64 + 1, source = 0; /* words */
    while (begin < end && !near->seen[begin])
        begin++;
    while (begin < end && !near->seen[end - 1])
        end--;
    for (uint64_t edge = 0; edge < references->edge_count && begin < end; edge++) {
        uint32_t target = references->targets[edge];
        if (target / 64 - begin >= end - begin || !graph_bit(near->seen, target))
            continue;
        while (graph_end(references, source) <= edge)
            source++;
        if (!graph_bit(findings->facts->reached, source) || graph_bit(near->seen, source))
            continue;
        bool ready = drop_object(near, target);
        while (ready && near->open.count)
            ready = drop_targets(near, near->open.items[--near->open.count]);
        if (!ready)
            return false;
    }
    return true;
}

enum status find_extension_only(struct finder *finder)
{
    const struct findings *findings = finder->findings;
    struct reach near = {.references = &findings->heap->references,
                         .seen = calloc((size_t)findings->heap->count / 64 + 1, sizeof *near.seen)};
    finder->extension_only = near.seen;
    bool ready = near.seen && mark_nearest(findings, &near) && drop_held(findings, &near);
    array_deinit(&near.open);
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

static void mark_subtree(const struct dominated_tree *tree, uint32_t object, uint64_t *bits)
{
    if (tree->position[object] == UINT32_MAX) {
        bits[object >> 6] |= UINT64_C(1) << (object & 63);
        return;
    }
    for (uint32_t at = tree->position[object]; at < dominated_end(tree, object); at++)
        bits[tree->order[at].node >> 6] |= UINT64_C(1) << (tree->order[at].node & 63);
}

enum status suspect_mark(const struct suspects *suspects, const struct suspect *suspect,
                         uint64_t *bits)
{
    if (suspect->is_joint)
        return retained_set(suspects->findings, suspect->members.items, suspect->members.count,
                            bits);
    memset(bits, 0, ((size_t)suspects->findings->heap->count / 64 + 1) * sizeof *bits);
    if (suspect->kind == SUSPECT_SINGLE)
        mark_subtree(&suspects->tree, suspect->object, bits);
    for (size_t i = 0; i < suspect->members.count; i++)
        mark_subtree(&suspects->tree, suspect->members.items[i], bits);
    return STATUS_OK;
}
