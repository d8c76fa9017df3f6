/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_roots.h"

#include <stdlib.h>

const char *const root_kind_names[ROOT_KIND_COUNT] = {
    [ROOT_MODULE] = "module",           [ROOT_BUILTINS] = "builtins",
    [ROOT_FRAME] = "frame",             [ROOT_THREAD] = "thread",
    [ROOT_TYPE] = "type",               [ROOT_INTERPRETER] = "interpreter",
    [ROOT_STATIC] = "static",           [ROOT_INTERNED] = "interned",
    [ROOT_EXTENSION] = "extension",
};

struct finder {
    const struct heap *heap;
    struct heap_roots *roots;
    uint32_t *found; /* references found to each object */
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

static void add_outside(struct finder *finder, const struct outside_references *outside,
                        enum root_kind kind)
{
    for (size_t i = 0; i < outside->items.count; i++) {
        const struct outside_reference *reference = &outside->items.items[i];
        uint32_t object;
        if (reference->kind != kind ||
            !heap_map_id(finder->heap->find.objects, reference->addr, &object))
            continue;
        if ((kind == ROOT_STATIC || kind == ROOT_INTERPRETER) &&
            is_inside_object(finder->heap, reference->from))
            continue;
        if (reference->from)
            finder->found[object]++;
        add_root(finder, object, kind, reference->label);
    }
}

static void add_types(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    for (size_t i = 0; i < heap->types.count; i++) {
        const struct python_type *type = heap->types.items[i];
        uint32_t object;
        if (heap_map_id(heap->find.objects, type->addr, &object))
            add_root(finder, object, ROOT_TYPE, type->name);
    }
}

/* What is counted more often than it is referred to is held by something that we
 * don't see. Types are roots already. */
static void add_extension_held(struct finder *finder)
{
    const struct heap *heap = finder->heap;
    for (uint32_t object = 0; object < heap->count; object++) {
        if (heap->refcount[object] <= finder->found[object] ||
            heap->refcount[object] == UINT64_MAX ||
            heap->types.items[heap->type[object]]->kind == KIND_TYPE)
            continue;
        const char *label = arena_printf(
            heap->process->arena, "refcount %llu, %u found",
            (unsigned long long)heap->refcount[object], finder->found[object]);
        add_root(finder, object, ROOT_EXTENSION, label ? label : "");
    }
}

enum status heap_roots_find(const struct heap *heap, const struct outside_references *outside,
                            struct heap_roots *ret_roots)
{
    struct heap_roots roots = {0};
    struct finder finder = {.heap = heap, .roots = &roots};
    finder.found = calloc((size_t)heap->count + 1, sizeof *finder.found);
    if (!finder.found)
        return STATUS_NO_MEMORY;
    count_edges(&finder);
    for (unsigned kind = 0; kind < ROOT_EXTENSION; kind++) {
        if (kind == ROOT_TYPE)
            add_types(&finder);
        else
            add_outside(&finder, outside, (enum root_kind)kind);
    }
    add_extension_held(&finder);
    free(finder.found);
    if (finder.status == STATUS_OK)
        *ret_roots = roots;
    else
        heap_roots_deinit(&roots);
    return finder.status;
}

void heap_roots_deinit(struct heap_roots *roots)
{
    if (roots)
        array_deinit(&roots->roots);
}
