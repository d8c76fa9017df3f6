/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_roots.h"

#include <stdlib.h>

const char *const root_kind_names[ROOT_KIND_COUNT] = {
    [ROOT_MODULE] = "module", [ROOT_BUILTINS] = "builtins", [ROOT_FRAME] = "frame",
    [ROOT_THREAD] = "thread", [ROOT_TYPE] = "type",         [ROOT_INTERPRETER] = "interpreter",
    [ROOT_STATIC] = "static", [ROOT_INTERNED] = "interned", [ROOT_EXTENSION] = "extension",
};

struct finder {
    const struct heap *heap;
    const struct outside_references *outside;
    struct heap_roots *roots;
    uint32_t *found; /* references found to each object */
    uint64_t *words; /* bitmap: C memory has a word that leads to the object */
    enum status status;
};

static void add_root(struct finder *finder, uint32_t object, enum root_kind kind, const char *label)
{
    struct heap_root root = {object, (uint8_t)kind, label};
    if (finder->status == STATUS_OK && !array_push(&finder->roots->roots, root))
        finder->status = STATUS_NO_MEMORY;
}

static void count_edges(struct finder *finder)
{
    const struct graph *references = &finder->heap->references;
    for (uint64_t edge = 0; edge < references->edge_count; edge++)
        finder->found[references->targets[edge]]++;
}

/* Static objects lie among the C variables: a word inside one of them is its own
 * reference, which the object graph has already. */
static bool is_inside_object(const struct heap *heap, uint64_t addr)
{
    uint32_t low = 0, high = heap->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (heap->address[middle] <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low && addr - heap->address[low - 1] < heap->size[low - 1];
}

static bool is_missing_references(const struct finder *finder, uint32_t object)
{
    uint64_t count = finder->heap->refcount[object];
    return count != UINT64_MAX && count > finder->found[object];
}

/* The certain ones of one kind, each a root. */
static void add_certain(struct finder *finder, enum root_kind kind)
{
    for (size_t i = 0; i < finder->outside->items.count; i++) {
        const struct outside_reference *reference = &finder->outside->items.items[i];
        uint32_t object;
        if (reference->kind != kind || reference->certainty == OUTSIDE_WORD ||
            !heap_map_id(finder->heap->find.objects, reference->addr, &object))
            continue;
        if (reference->certainty == OUTSIDE_COUNTED)
            finder->found[object]++;
        add_root(finder, object, kind, reference->label);
    }
}

static void add_types(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    const struct python_type *type;
    for (uint32_t object = 0; object < heap->count; object++)
        if (heap->types.items[heap->type[object]]->kind == KIND_TYPE &&
            type_at(heap->process, heap->address[object], &type) == STATUS_OK)
            add_root(finder, object, ROOT_TYPE, type->name);
}

/* Words explain what is missing in a count; one word an object is told. What is
 * missing even then is held by something that we don't see. */
static void add_words(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    for (size_t i = 0; i < finder->outside->items.count; i++) {
        const struct outside_reference *reference = &finder->outside->items.items[i];
        uint32_t object;
        if (reference->certainty != OUTSIDE_WORD ||
            !heap_map_id(heap->find.objects, reference->addr, &object) ||
            !is_missing_references(finder, object) || is_inside_object(heap, reference->from))
            continue;
        finder->found[object]++;
        if (!graph_bit(finder->words, object))
            add_root(finder, object, (enum root_kind)reference->kind, reference->label);
        finder->words[object >> 6] |= UINT64_C(1) << (object & 63);
    }
}

/* Types are roots already, whatever their count. */
static void add_extension_held(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    for (uint32_t object = 0; object < heap->count; object++) {
        if (!is_missing_references(finder, object) ||
            heap->types.items[heap->type[object]]->kind == KIND_TYPE)
            continue;
        const char *label =
            arena_printf(heap->process->arena, "refcount %llu, %u found",
                         (unsigned long long)heap->refcount[object], finder->found[object]);
        add_root(finder, object, ROOT_EXTENSION, label ? label : "");
    }
}

/* What only a word of C memory leads to, and whose count does not tell (it is
 * immortal, or we found too many references), is not garbage. Where the count is
 * explained by the references found, the word is a stale one. */
static enum status add_unreached(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    size_t count = finder->roots->roots.count;
    uint32_t *nodes = malloc((count + 1) * sizeof *nodes);
    uint64_t *reached;
    if (!nodes)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        nodes[i] = finder->roots->roots.items[i].object;
    const struct graph_roots roots = {nodes, NULL, (uint32_t)count};
    enum status status = graph_reach(&heap->references, &roots, &reached, NULL);
    free(nodes);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < finder->outside->items.count; i++) {
        const struct outside_reference *reference = &finder->outside->items.items[i];
        uint32_t object;
        if (reference->certainty != OUTSIDE_WORD ||
            !heap_map_id(heap->find.objects, reference->addr, &object) ||
            graph_bit(reached, object) || heap->refcount[object] == finder->found[object] ||
            is_inside_object(heap, reference->from))
            continue;
        add_root(finder, object, (enum root_kind)reference->kind, reference->label);
        reached[object >> 6] |= UINT64_C(1) << (object & 63);
    }
    if (finder->roots->roots.count == count)
        finder->roots->reached = reached;
    else
        graph_free(reached); /* more is reached now: heap_facts_find looks again */
    return finder->status;
}

enum status heap_roots_find(const struct heap *heap, const struct outside_references *outside,
                            struct heap_roots *ret_roots)
{
    struct heap_roots roots = {0};
    struct finder finder = {.heap = heap, .outside = outside, .roots = &roots};
    finder.found = calloc((size_t)heap->count + 1, sizeof *finder.found);
    finder.words = calloc((size_t)heap->count / 64 + 1, sizeof *finder.words);
    if (finder.found && finder.words) {
        count_edges(&finder);
        for (unsigned kind = 0; kind < ROOT_EXTENSION; kind++)
            add_certain(&finder, (enum root_kind)kind);
        add_types(&finder);
        add_words(&finder);
        add_extension_held(&finder);
        if (finder.status == STATUS_OK)
            finder.status = add_unreached(&finder);
    } else {
        finder.status = STATUS_NO_MEMORY;
    }
    free(finder.found);
    free(finder.words);
    if (finder.status == STATUS_OK)
        *ret_roots = roots;
    else
        heap_roots_deinit(&roots);
    return finder.status;
}

void heap_roots_deinit(struct heap_roots *roots)
{
    if (!roots)
        return;
    array_deinit(&roots->roots);
    graph_free(roots->reached);
    roots->reached = NULL;
}
