/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_finder.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/object_window.h"

static enum status mark_namespaces(struct finder *finder)
{
    const struct heap_roots *roots = finder->findings->roots;
    finder->namespaces = calloc((size_t)finder->heap->count / 64 + 1, sizeof(uint64_t));
    if (!finder->namespaces)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < roots->roots.count; i++) {
        const struct heap_root *root = &roots->roots.items[i];
        if ((root->kind == ROOT_MODULE || root->kind == ROOT_BUILTINS) &&
            heap_type(finder->heap, root->object)->kind == KIND_DICT)
            finder->namespaces[root->object >> 6] |= UINT64_C(1) << (root->object & 63);
    }
    return STATUS_OK;
}

static uint32_t find_garbage_list(const struct finder *finder)
{
    const struct heap_roots *roots = finder->findings->roots;
    for (size_t i = 0; i < roots->roots.count; i++) {
        const struct heap_root *root = &roots->roots.items[i];
        uint64_t addr;
        uint32_t object;
        if (root->kind == ROOT_MODULE && strcmp(root->label, "gc") == 0 &&
            graph_bit(finder->namespaces, root->object) &&
            dict_get(finder->heap->process, heap_address(finder->heap, root->object), "garbage",
                     &addr) == STATUS_OK &&
            heap_map_id(finder->heap->find.objects, addr, &object))
            return object;
    }
    return GRAPH_NONE;
}

/* What an lru_cache's results hang on. */
static void find_link_types(struct finder *finder)
{
    for (size_t i = 0; i < finder->heap->types.count; i++)
        finder->type_is_link[i] =
            strcmp(finder->heap->types.items[i]->name, "functools._lru_list_elem") == 0;
}

enum status finder_init(struct finder *finder, const struct findings *findings,
                        struct suspects *out)
{
    *finder = (struct finder){.findings = findings,
                              .heap = findings->heap,
                              .facts = findings->facts,
                              .out = out,
                              .tree = &out->tree};
    size_t types = findings->heap->types.count + 1;
    finder->type_bytes = calloc(types, sizeof *finder->type_bytes);
    finder->type_count = calloc(types, sizeof *finder->type_count);
    finder->type_is_link = calloc(types, sizeof *finder->type_is_link);
    if (!finder->type_bytes || !finder->type_count || !finder->type_is_link)
        return STATUS_NO_MEMORY;
    find_link_types(finder);
    enum status status = mark_namespaces(finder);
    finder->garbage_list = status == STATUS_OK ? find_garbage_list(finder) : GRAPH_NONE;
    if (status == STATUS_OK)
        status = module_table_load(findings, &finder->modules);
    return status == STATUS_OK ? c_holders_find(findings, &finder->c_holders) : status;
}

void finder_deinit(struct finder *finder)
{
    module_table_deinit(&finder->modules);
    c_holders_deinit(&finder->c_holders);
    named_paths_deinit(&finder->named);
    free(finder->namespaces);
    free(finder->type_bytes);
    free(finder->type_count);
    free(finder->type_is_link);
    free(finder->extension_only);
    array_deinit(&finder->label_is_dict);
    array_deinit(&finder->sums);
    text_deinit(&finder->label);
}

struct suspect *finder_add(struct finder *finder, enum suspect_kind kind)
{
    const struct suspect empty = {
        .kind = kind,
        .object = GRAPH_NONE,
        .accumulation = GRAPH_NONE,
        .parent = -1,
        .title = "",
        .path = "",
        .why = "",
        .holder = "",
        .accumulation_path = "",
    };
    if (!array_push(&finder->out->items, empty))
        return NULL;
    return &finder->out->items.items[finder->out->items.count - 1];
}

bool is_container(const struct python_type *type)
{
    switch (type->kind) {
    case KIND_TUPLE:
    case KIND_LIST:
    case KIND_DICT:
    case KIND_SET:
    case KIND_FROZENSET:
    case KIND_DEQUE:
    case KIND_ORDERED_DICT:
    case KIND_DEFAULT_DICT:
    case KIND_COUNTER: return true;
    default: return false;
    }
}

const struct findings *finder_paths(struct finder *finder, uint32_t object)
{
    return named_paths_for(&finder->named, finder->findings, object);
}

bool is_transparent(const struct finder *finder, uint32_t object)
{
    switch (heap_type(finder->heap, object)->kind) {
    case KIND_MODULE:
    case KIND_TYPE:
    case KIND_FRAME:
    case KIND_CELL:
    case KIND_FUNCTION:
    case KIND_METHOD:
    case KIND_BUILTIN:
    case KIND_PARTIAL:
    case KIND_MAPPING_PROXY:
    case KIND_TRACEBACK:
    case KIND_CODE: return true;
    default: return graph_bit(finder->namespaces, object);
    }
}

bool label_is_dict(struct finder *finder, uint32_t code)
{
    if (!code || code & HEAP_LABEL_INDEX)
        return false;
    if (code >= finder->label_is_dict.count) {
        size_t extra = code + UINT64_C(1) - finder->label_is_dict.count;
        if (!array_reserve(&finder->label_is_dict, extra))
            return false;
        memset(finder->label_is_dict.items + finder->label_is_dict.count, 0, extra);
        finder->label_is_dict.count += extra;
    }
    uint8_t *known = &finder->label_is_dict.items[code];
    if (!*known && label_kind(finder->heap->labels, code) == LABEL_KEY)
        *known = 1; /* of these there can be many */
    if (!*known) {
        struct text label = {0};
        label_text(finder->heap->labels, code, &label);
        *known = strcmp(text_string(&label), ".__dict__") == 0 ? 2 : 1;
        text_deinit(&label);
    }
    return *known == 2;
}

const char *step_label(struct finder *finder, uint32_t code, bool in_namespace)
{
    struct text *label = &finder->label;
    text_clear(label);
    if (!in_namespace) {
        label_text(finder->heap->labels, code, label);
        return text_string(label);
    }
    label_attribute_text(finder->heap->labels, code, label);
    if (label->size > 4 && strncmp(text_string(label), "['", 2) == 0) { /* "['name']" */
        memmove(label->data + 1, label->data + 2, label->size - 4);
        label->data[0] = '.';
        label->size -= 3;
        label->data[label->size] = '\0';
    }
    return text_string(label);
}

uint32_t namespace_of(struct finder *finder, uint32_t object)
{
    const struct heap *heap = finder->heap;
    if (is_container(heap_type(heap, object)) && !heap_type(heap, object)->is_heap)
        return GRAPH_NONE;
    const struct graph *references = &heap->references;
    for (uint64_t edge = graph_first(references, object); edge < graph_end(references, object);
         edge++) {
        uint32_t target = references->targets[edge];
        if (label_is_dict(finder, heap->label[edge]) &&
            finder->facts->dominators.idom[target] == object &&
            heap_type(heap, target)->kind == KIND_DICT)
            return target;
    }
    return GRAPH_NONE;
}

static bool push_children(const struct finder *finder, uint32_t object, struct object_list *list)
{
    const struct dominated_tree *tree = finder->tree;
    uint32_t end = dominated_end(tree, object);
    for (uint32_t at = tree->position[object] + 1; at < end;) {
        uint32_t child = tree->order[at].node;
        if (!array_push(&list->items, child))
            return false;
        at += tree->order[at].size;
    }
    return true;
}

enum status dominated_children(struct finder *finder, uint32_t object, struct object_list *list)
{
    uint32_t names = namespace_of(finder, object);
    list->items.count = 0;
    if (!push_children(finder, object, list))
        return STATUS_NO_MEMORY;
    size_t kept = 0, count = list->items.count;
    for (size_t i = 0; i < count; i++) {
        uint32_t child = list->items.items[i];
        if (child == names || finder->type_is_link[finder->heap->type[child]]) {
            if (!push_children(finder, child, list))
                return STATUS_NO_MEMORY;
        } else {
            list->items.items[kept++] = child;
        }
    }
    size_t added = list->items.count - count;
    if (added && kept < count)
        memmove(list->items.items + kept, list->items.items + count,
                added * sizeof *list->items.items);
    list->items.count = kept + added;
    return STATUS_OK;
}

uint32_t owner_of(struct finder *finder, uint32_t object)
{
    const uint32_t *idom = finder->facts->dominators.idom;
    uint32_t owner = idom[object];
    if (owner >= GRAPH_NONE)
        return GRAPH_NONE;
    if (heap_type(finder->heap, owner)->kind == KIND_DICT && idom[owner] < GRAPH_NONE &&
        namespace_of(finder, idom[owner]) == owner)
        return idom[owner];
    return owner;
}

/* ---- Sums by type. */

static int compare_sums(const void *left, const void *right)
{
    const struct type_sum *a = left, *b = right;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return (a->type > b->type) - (a->type < b->type);
}

static bool count_object(struct finder *finder, uint32_t object, uint64_t bytes)
{
    uint32_t type = finder->heap->type[object];
    const struct type_sum sum = {.type = type};
    if (!finder->type_count[type] && !array_push(&finder->sums, sum))
        return false;
    finder->type_count[type]++;
    if (__builtin_add_overflow(finder->type_bytes[type], bytes, &finder->type_bytes[type]))
        finder->type_bytes[type] = UINT64_MAX;
    return true;
}

static enum status close_sums(struct finder *finder, bool complete)
{
    for (size_t i = 0; i < finder->sums.count; i++) {
        struct type_sum *sum = &finder->sums.items[i];
        sum->bytes = finder->type_bytes[sum->type];
        sum->count = finder->type_count[sum->type];
        finder->type_bytes[sum->type] = finder->type_count[sum->type] = 0;
    }
    if (finder->sums.count)
        qsort(finder->sums.items, finder->sums.count, sizeof *finder->sums.items, compare_sums);
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status finder_sums(struct finder *finder, const uint32_t *objects, size_t count)
{
    bool complete = true;
    finder->sums.count = 0;
    for (size_t i = 0; i < count && complete; i++)
        complete = count_object(finder, objects[i], heap_retained(finder->facts, objects[i]));
    return close_sums(finder, complete);
}

/* In preorder objects jump about in memory: asks for what comes soon. */
static bool count_range(struct finder *finder, uint32_t begin, uint32_t end)
{
    const struct heap *heap = finder->heap;
    const struct graph_dominated *order = finder->tree->order;
    bool complete = true;
    for (uint32_t at = begin; at < end && complete; at++) {
        uint32_t ahead = order[end - at > OBJECTS_AHEAD ? at + OBJECTS_AHEAD : at].node;
        __builtin_prefetch(&heap->type[ahead]);
        __builtin_prefetch(&heap->sizes.low[ahead]);
        complete = count_object(finder, order[at].node, heap_size(heap, order[at].node));
    }
    return complete;
}

enum status finder_sums_within(struct finder *finder, const uint32_t *objects, size_t count)
{
    const struct dominated_tree *tree = finder->tree;
    bool complete = true;
    finder->sums.count = 0;
    for (size_t i = 0; i < count && complete; i++)
        complete = count_range(finder, tree->position[objects[i]], dominated_end(tree, objects[i]));
    return close_sums(finder, complete);
}

enum status finder_sums_of(struct finder *finder, const uint64_t *bits)
{
    const struct heap *heap = finder->heap;
    bool complete = true;
    finder->sums.count = 0;
    for (uint32_t object = 0; object < heap->count && complete; object++)
        if (graph_bit(bits, object))
            complete = count_object(finder, object, heap_size(heap, object));
    return close_sums(finder, complete);
}
