/* SPDX-License-Identifier: Apache-2.0 */
/* Up the shortest path from an object, through containers and namespaces, to the
 * instance, module or class that has it. What lies at one attribute of instances of
 * one class is at one place; so is what lies anywhere in one module's container. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/waste_pass.h"
#include "analyzer/graph/memory.h"

#define FIRST_SLOTS 1024
#define ROW_COST    16 /* to come to an object's references, as if it were so many */
#define ASKED_PART  8  /* of all references: gone through for some labels before for all */

/* ---- the reference by which a shortest path comes to an object */

static enum status find_ways(struct holders *holders)
{
    const struct heap *heap = holders->findings->heap;
    const struct graph *references = &heap->references;
    const uint32_t *parent = holders->findings->facts->paths.parent;
    enum status status =
        graph_alloc_zeroed(heap->count, sizeof *holders->via, (void **)&holders->via, NULL);
    if (status != STATUS_OK)
        return status;
    for (uint32_t source = 0; source < heap->count; source++) {
        uint64_t end = graph_end(references, source);
        for (uint64_t edge = graph_first(references, source); edge < end; edge++) {
            uint32_t target = references->targets[edge];
            if (parent[target] == source && !holders->via[target])
                holders->via[target] = heap->label[edge];
        }
    }
    return STATUS_OK;
}

static uint32_t look_for_way(struct holders *holders, uint32_t object)
{
    const struct heap *heap = holders->findings->heap;
    uint32_t parent = holders->findings->facts->paths.parent[object];
    uint64_t edge = graph_first(&heap->references, parent),
             end = graph_end(&heap->references, parent);
    holders->looked += ROW_COST + (end - edge);
    for (; edge < end; edge++)
        if (heap->references.targets[edge] == object && heap->label[edge])
            return heap->label[edge];
    return 0;
}

/* Of an object that another one leads to. In most heaps only few are asked for. */
static uint32_t way_to(struct holders *holders, uint32_t object)
{
    if (!holders->via &&
        holders->looked < holders->findings->heap->references.edge_count / ASKED_PART)
        return look_for_way(holders, object);
    if (!holders->via && !holders->failed)
        holders->failed = find_ways(holders) != STATUS_OK;
    return holders->failed ? 0 : holders->via[object];
}

enum status holders_init(struct holders *holders, const struct findings *findings)
{
    *holders = (struct holders){.findings = findings, .slot_mask = FIRST_SLOTS - 1};
    enum status status = label_masks_init(&holders->masks, findings->heap->labels);
    if (status != STATUS_OK)
        return status;
    holders->slots = calloc(FIRST_SLOTS, sizeof *holders->slots);
    if (holders->slots)
        return STATUS_OK;
    holders_deinit(holders);
    return STATUS_NO_MEMORY;
}

void holders_deinit(struct holders *holders)
{
    label_masks_deinit(&holders->masks);
    graph_free(holders->via);
    free(holders->slots);
    array_deinit(&holders->items);
    *holders = (struct holders){0};
}

/* ---- climbing */

static bool is_plain_container(const struct python_type *type)
{
    switch (type->kind) {
    case KIND_DICT:
    case KIND_LIST:
    case KIND_TUPLE:
    case KIND_SET:
    case KIND_FROZENSET: return type->is_exact_kind;
    default: return false;
    }
}

/* The dictionary of an instance, or of a module: its keys are attributes. */
static bool is_namespace(struct holders *holders, uint32_t object)
{
    const struct findings *findings = holders->findings;
    const struct graph_paths *paths = &findings->facts->paths;
    if (heap_type(findings->heap, object)->kind != KIND_DICT)
        return false;
    if (paths->parent[object] < GRAPH_NONE)
        return label_mask(&holders->masks, way_to(holders, object), false) == MASK_DICT;
    uint32_t entry = graph_paths_root(paths, object);
    if (entry == GRAPH_NONE)
        return false;
    uint8_t kind = findings->roots->roots.items[entry].kind;
    return kind == ROOT_MODULE || kind == ROOT_BUILTINS;
}

static bool stands_alone(const struct python_type *type)
{
    return type->kind == KIND_MODULE || type->kind == KIND_TYPE || type->kind == KIND_FUNCTION;
}

static void set_owner(const struct heap *heap, uint32_t object, bool alone, struct holder *holder)
{
    holder->is_type = !alone && !stands_alone(heap_type(heap, object));
    holder->owner = holder->is_type ? heap->type[object] : object;
}

static void climb(struct holders *holders, uint32_t object, struct holder *ret_holder)
{
    const struct heap *heap = holders->findings->heap;
    const uint32_t *parent = holders->findings->facts->paths.parent;
    struct holder holder = {0};
    while (holder.count < HOLDER_STEPS) {
        uint32_t above = parent[object];
        if (above >= GRAPH_NONE)
            break;
        bool named = is_namespace(holders, above);
        holder.masks[holder.count++] = label_mask(&holders->masks, way_to(holders, object), named);
        object = above;
        if (named && parent[above] < GRAPH_NONE)
            object = parent[above]; /* the instance that the dictionary is of */
        if (named || !is_plain_container(heap_type(heap, object)))
            break;
    }
    /* a root, or its dictionary, is told by its name */
    set_owner(heap, object, parent[object] >= GRAPH_NONE, &holder);
    *ret_holder = holder;
}

/* ---- numbers */

static uint64_t hash_holder(const struct holder *holder)
{
    uint64_t hash = (uint64_t)holder->owner << 9 ^ (uint64_t)holder->count << 1 ^ holder->is_type;
    for (unsigned i = 0; i < holder->count; i++)
        hash = (hash ^ holder->masks[i]) * UINT64_C(0x9E3779B97F4A7C15);
    hash *= UINT64_C(0xFF51AFD7ED558CCD);
    return hash ^ hash >> 32;
}

static uint32_t find_slot(const struct holders *holders, const struct holder *holder)
{
    uint32_t slot = (uint32_t)hash_holder(holder) & holders->slot_mask;
    for (; holders->slots[slot]; slot = (slot + 1) & holders->slot_mask) {
        const struct holder *known = &holders->items.items[holders->slots[slot] - 1];
        if (known->owner == holder->owner && known->is_type == holder->is_type &&
            known->count == holder->count &&
            memcmp(known->masks, holder->masks, sizeof known->masks) == 0)
            break;
    }
    return slot;
}

static bool grow(struct holders *holders)
{
    uint32_t mask = holders->slot_mask * 2 + 1, *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    free(holders->slots);
    holders->slots = slots;
    holders->slot_mask = mask;
    for (size_t i = 0; i < holders->items.count; i++)
        slots[find_slot(holders, &holders->items.items[i])] = (uint32_t)i + 1;
    return true;
}

bool holder_of(struct holders *holders, uint32_t object, uint32_t *ret_holder)
{
    struct holder holder;
    climb(holders, object, &holder);
    if (holders->failed || holders->masks.failed ||
        (holders->items.count * 2 >= holders->slot_mask && !grow(holders)))
        return false;
    uint32_t slot = find_slot(holders, &holder);
    if (!holders->slots[slot]) {
        if (holders->items.count >= UINT32_MAX - 2 || !array_push(&holders->items, holder))
            return false;
        holders->slots[slot] = (uint32_t)holders->items.count;
    }
    *ret_holder = holders->slots[slot] - 1;
    return true;
}

/* ---- words */

static void append_label(struct text *text, const char *label)
{
    if (!*label)
        text_append(text, ".<?>");
    else
        text_printf(text, "%s%s", strchr(".[{", *label) ? "" : ".", label);
}

/* The way to the owner. Its variables or attributes are written behind a module's or an
 * instance's name, not behind its __dict__. */
static void append_owner(struct holders *holders, uint32_t owner, bool has_attribute,
                         struct text *text)
{
    static const char namespace[] = ".__dict__";
    const size_t ending = sizeof namespace - 1;
    struct text path = {0};
    findings_path(holders->findings, owner, &path);
    const char *words = text_string(&path);
    size_t size = path.size;
    if (has_attribute && size >= ending && strcmp(words + size - ending, namespace) == 0)
        size -= ending;
    text_append_n(text, size ? words : "<?>", size ? size : strlen("<?>"));
    text_deinit(&path);
}

void holder_text(struct holders *holders, uint32_t number, struct text *text)
{
    const struct holder *holder = &holders->items.items[number];
    const char *first =
        holder->count ? label_mask_text(&holders->masks, holder->masks[holder->count - 1]) : "[";
    if (holder->is_type)
        text_append(text, holders->findings->heap->types.items[holder->owner]->name);
    else
        append_owner(holders, holder->owner, !strchr("[{", *first), text);
    for (unsigned i = holder->count; i-- > 0;)
        append_label(text, label_mask_text(&holders->masks, holder->masks[i]));
}
