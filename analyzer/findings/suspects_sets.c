/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of objects: what would go with several at once, what only C code holds. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/suspects_finder.h"

struct reach {
    const struct graph *references;
    uint64_t *seen;
    ARRAY(uint32_t) open;
};

static bool reach_object(struct reach *reach, uint32_t object)
{
    if (graph_bit(reach->seen, object))
        return true;
    reach->seen[object >> 6] |= UINT64_C(1) << (object & 63);
    return array_push(&reach->open, object);
}

static bool reach_all(struct reach *reach)
{
    const struct graph *references = reach->references;
    while (reach->open.count) {
        uint32_t object = reach->open.items[--reach->open.count];
        uint64_t end = references->first[object + UINT64_C(1)];
        for (uint64_t edge = references->first[object]; edge < end; edge++)
            if (!reach_object(reach, references->targets[edge]))
                return false;
    }
    return true;
}

/* All roots but those of one kind; what is seen already is not gone through. */
static bool reach_roots(struct reach *reach, const struct heap_roots *roots, enum root_kind but)
{
    for (size_t i = 0; i < roots->roots.count; i++)
        if (roots->roots.items[i].kind != but && !reach_object(reach, roots->roots.items[i].object))
            return false;
    return reach_all(reach);
}

/* Sets the bits of what is reached, but not seen from roots of other kinds than `but`. */
static enum status find_rest(const struct findings *findings, enum root_kind but, uint64_t *seen,
                             uint64_t *bits)
{
    struct reach reach = {.references = &findings->heap->references, .seen = seen};
    bool ready = reach_roots(&reach, findings->roots, but);
    for (uint32_t i = 0; ready && i < findings->heap->count; i += 64)
        bits[i >> 6] |= findings->facts->reached[i >> 6] & ~seen[i >> 6];
    array_deinit(&reach.open);
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status retained_set(const struct findings *findings, const uint32_t *members, size_t count,
                         uint64_t *bits)
{
    size_t words = (size_t)findings->heap->count / 64 + 1;
    uint64_t *seen = malloc(words * sizeof *seen);
    if (!seen)
        return STATUS_NO_MEMORY;
    memset(bits, 0, words * sizeof *bits);
    for (size_t i = 0; i < count; i++)
        bits[members[i] >> 6] |= UINT64_C(1) << (members[i] & 63);
    memcpy(seen, bits, words * sizeof *bits);
    enum status status = find_rest(findings, ROOT_KIND_COUNT, seen, bits);
    free(seen);
    return status;
}

/* What the roots that have names lead to has been found already, with the paths. */
static uint64_t *seen_by_name(const struct finder *finder)
{
    const uint32_t *parent = finder->named.facts.paths.parent;
    uint64_t *seen = calloc((size_t)finder->heap->count / 64 + 1, sizeof *seen);
    for (uint32_t i = 0; seen && i < finder->heap->count; i++)
        seen[i >> 6] |= (uint64_t)(parent[i] != GRAPH_NONE) << (i & 63);
    return seen;
}

enum status find_extension_only(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    uint64_t *seen = seen_by_name(finder);
    finder->extension_only = calloc((size_t)heap->count / 64 + 1, sizeof(uint64_t));
    enum status status =
        seen && finder->extension_only
            ? find_rest(finder->findings, ROOT_EXTENSION, seen, finder->extension_only)
            : STATUS_NO_MEMORY;
    free(seen);
    for (uint32_t i = 0; i < heap->count && status == STATUS_OK; i++)
        if (graph_bit(finder->extension_only, i))
            finder->extension_bytes += heap_size(heap, i);
    return status;
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
