/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_roots.h"

#include <stdlib.h>

#include "analyzer/graph/memory.h"

const char *const root_kind_names[ROOT_KIND_COUNT] = {
    [ROOT_MODULE] = "module", [ROOT_BUILTINS] = "builtins", [ROOT_FRAME] = "frame",
    [ROOT_THREAD] = "thread", [ROOT_TYPE] = "type",         [ROOT_INTERPRETER] = "interpreter",
    [ROOT_STATIC] = "static", [ROOT_INTERNED] = "interned", [ROOT_EXTENSION] = "extension",
};

struct finder {
    const struct heap *heap;
    const struct outside_references *outside;
    struct heap_roots *roots;
    uint32_t *found;         /* references found to each object */
    uint64_t *words;         /* bitmap: C memory has a word that leads to the object */
    ARRAY(uint32_t) classes; /* those that are roots only if they are reached */
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
        if (heap_address(heap, middle) <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low && addr - heap_address(heap, low - 1) < heap_size(heap, low - 1);
}

static bool is_missing_references(const struct finder *finder, uint32_t object)
{
    uint64_t count = heap_refcount(finder->heap, object);
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

/* A class whose count the references found explain: it is garbage where none of them
 * comes from a root. Asked before words explain counts. */
static bool is_explained_class(const struct finder *finder, uint32_t object,
                               const struct python_type *type)
{
    const struct heap *heap = finder->heap;
    return type->is_heap && heap_refcount(heap, object) != UINT64_MAX &&
           heap_refcount(heap, object) == finder->found[object];
}

static bool type_of_object(const struct heap *heap, uint32_t object,
                           const struct python_type **ret_type)
{
    return heap->types.items[heap->type[object]]->kind == KIND_TYPE &&
           type_at(heap->process, heap_address(heap, object), ret_type) == STATUS_OK;
}

static void add_types(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    const struct python_type *type;
    for (uint32_t object = 0; object < heap->count; object++) {
        if (!type_of_object(heap, object, &type))
            continue;
        if (!is_explained_class(finder, object, type))
            add_root(finder, object, ROOT_TYPE, type->name);
        else if (!array_push(&finder->classes, object))
            finder->status = STATUS_NO_MEMORY;
    }
}

/* Each class that a root leads to is a root of its own. */
static void add_classes(struct finder *finder, const uint64_t *reached)
{
    const struct python_type *type;
    for (size_t i = 0; i < finder->classes.count; i++)
        if (graph_bit(reached, finder->classes.items[i]) &&
            type_of_object(finder->heap, finder->classes.items[i], &type))
            add_root(finder, finder->classes.items[i], ROOT_TYPE, type->name);
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

/* Types whose count is not explained are roots already. */
static void add_extension_held(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    for (uint32_t object = 0; object < heap->count; object++) {
        if (!is_missing_references(finder, object) || heap_type(heap, object)->kind == KIND_TYPE)
            continue;
        const char *label =
            arena_printf(heap->process->arena, "refcount %llu, %u found",
                         (unsigned long long)heap_refcount(heap, object), finder->found[object]);
        add_root(finder, object, ROOT_EXTENSION, label ? label : "");
    }
}

/* Marks what the roots from number `first` on lead to. */
static enum status reach(const struct finder *finder, size_t first, uint64_t *reached)
{
    size_t count = finder->roots->roots.count - first;
    uint32_t *nodes = malloc((count + 1) * sizeof *nodes);
    if (!nodes)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        nodes[i] = finder->roots->roots.items[first + i].object;
    const struct graph_roots roots = {nodes, NULL, (uint32_t)count};
    enum status status = graph_reach_more(&finder->heap->references, &roots, reached, NULL);
    free(nodes);
    return status;
}

/* What only a word of C memory leads to, and whose count does not tell (it is
 * immortal, or we found too many references), is not garbage. Where the count is
 * explained by the references found, the word is a stale one. */
static void add_unreached(struct finder *finder, uint64_t *reached)
{
    const struct heap *heap = finder->heap;
    for (size_t i = 0; i < finder->outside->items.count; i++) {
        const struct outside_reference *reference = &finder->outside->items.items[i];
        uint32_t object;
        if (reference->certainty != OUTSIDE_WORD ||
            !heap_map_id(heap->find.objects, reference->addr, &object) ||
            graph_bit(reached, object) || heap_refcount(heap, object) == finder->found[object] ||
            is_inside_object(heap, reference->from))
            continue;
        add_root(finder, object, (enum root_kind)reference->kind, reference->label);
        reached[object >> 6] |= UINT64_C(1) << (object & 63);
    }
}

/* What depends on whether other roots lead to it. */
static enum status add_by_reach(struct finder *finder)
{
    size_t count = finder->roots->roots.count;
    uint64_t *reached;
    enum status status = graph_alloc_zeroed(bitmap_words(finder->heap->count), sizeof *reached,
                                            (void **)&reached, NULL);
    if (status != STATUS_OK)
        return status;
    finder->roots->reached = reached;
    status = reach(finder, 0, reached);
    if (status != STATUS_OK)
        return status;
    add_unreached(finder, reached);
    if (finder->roots->roots.count != count) /* more is reached now */
        status = reach(finder, count, reached);
    if (status != STATUS_OK)
        return status;
    add_classes(finder, reached);
    return finder->status;
}

enum status heap_roots_find(const struct heap *heap, const struct outside_references *outside,
                            struct heap_roots *ret_roots)
{
    struct heap_roots roots = {0};
    struct finder finder = {.heap = heap, .outside = outside, .roots = &roots};
    finder.status =
        graph_alloc_zeroed(heap->count, sizeof *finder.found, (void **)&finder.found, NULL);
    finder.words = calloc((size_t)heap->count / 64 + 1, sizeof *finder.words);
    if (finder.found && finder.words) {
        count_edges(&finder);
        for (unsigned kind = 0; kind < ROOT_EXTENSION; kind++)
            add_certain(&finder, (enum root_kind)kind);
        add_types(&finder);
        add_words(&finder);
        add_extension_held(&finder);
        if (finder.status == STATUS_OK)
            finder.status = add_by_reach(&finder);
    } else {
        finder.status = STATUS_NO_MEMORY;
    }
    graph_free(finder.found);
    free(finder.words);
    array_deinit(&finder.classes);
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
