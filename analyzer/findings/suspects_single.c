/* SPDX-License-Identifier: Apache-2.0 */
/* Single suspects. From each object that only roots hold the way goes down the
 * dominator tree, past what is only how the program is written, to where the memory
 * falls apart: into many small parts, into a blob, into objects of its own type (a
 * chain, a tree). */
#include <string.h>

#include "analyzer/findings/suspects_finder.h"

/* Children from which on an object keeps many things, and is no structure of a few. */
#define MANY_ITEMS      32   /* of a container */
#define MANY_FIELDS     256  /* of an object of a C type */
#define MANY_ATTRIBUTES 1000 /* of an object with a __dict__ */

/* Containers within containers of their kind: past these the first is told. */
#define MOST_NESTED 16

struct visit {
    uint32_t object;
    uint32_t first; /* of a run of containers, each within the one before */
    unsigned run;
};

struct descent {
    struct finder *finder;
    uint64_t least; /* bytes */
    ARRAY(struct visit) open;
    struct object_list children;
};

enum shape { SHAPE_PASS, SHAPE_GATHERS, SHAPE_STRUCTURE };

static uint64_t saturated(uint64_t value, unsigned factor)
{
    return value > UINT64_MAX / factor ? UINT64_MAX : value * factor;
}

static size_t many(const struct descent *descent, uint32_t object)
{
    const struct python_type *type = heap_type(descent->finder->heap, object);
    if (is_container(type))
        return MANY_ITEMS;
    return namespace_of(descent->finder, object) == GRAPH_NONE && !type->is_heap ? MANY_FIELDS
                                                                                 : MANY_ATTRIBUTES;
}

/* A context's variables are in a tree whose shape follows from hashes of addresses: two
 * nodes in one process, one in the next, and never what a program made. */
static bool is_variables_node(const struct python_type *type)
{
    return !type->is_heap && strncmp(type->name, "hamt_", 5) == 0;
}

/* Immortal ones are no content that was gathered: 3.15's ints up to 1024 lie among the C
 * variables, and a module whose variable leads to them is their only holder. */
static size_t count_mortal(const struct descent *descent)
{
    const struct object_list *children = &descent->children;
    size_t count = 0;
    for (size_t i = 0; i < children->items.count; i++)
        count += heap_refcount(descent->finder->heap, children->items.items[i]) != UINT64_MAX;
    return count;
}

static enum shape shape_of(const struct descent *descent, uint32_t object, uint64_t largest)
{
    struct finder *finder = descent->finder;
    const struct heap *heap = finder->heap;
    uint64_t all = heap_retained(finder->facts, object), own = heap_getsizeof(heap, object),
             same = 0;
    uint32_t names = namespace_of(finder, object);
    const struct object_list *children = &descent->children;
    if (names != GRAPH_NONE)
        own += heap_size(heap, names);
    if (saturated(own, 2) >= all)
        return SHAPE_GATHERS;
    for (size_t i = 0; i < children->items.count; i++)
        if (heap->type[children->items.items[i]] == heap->type[object])
            same += heap_retained(finder->facts, children->items.items[i]);
    const struct python_type *type = heap_type(heap, object);
    if (saturated(same, 2) >= all && !is_container(type) && !is_variables_node(type))
        return SHAPE_GATHERS;
    if ((double)largest >= (double)all * SUSPECT_BIG_DROP)
        return SHAPE_PASS;
    return count_mortal(descent) >= many(descent, object) ? SHAPE_GATHERS : SHAPE_STRUCTURE;
}

static enum status open_children(struct descent *descent, const struct visit *visit, bool pass)
{
    const struct finder *finder = descent->finder;
    for (size_t i = 0; i < descent->children.items.count; i++) {
        uint32_t child = descent->children.items.items[i];
        bool nested = pass && is_container(heap_type(finder->heap, child)) &&
                      is_container(heap_type(finder->heap, visit->object));
        const struct visit next = {child, nested ? visit->first : child,
                                   nested ? visit->run + 1 : 0};
        if (heap_retained(finder->facts, child) >= descent->least &&
            !array_push(&descent->open, next))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static enum status add_candidate(struct descent *descent, uint32_t object, bool is_structure)
{
    struct finder *finder = descent->finder;
    struct suspect *suspect = finder_add(finder, SUSPECT_SINGLE);
    if (!suspect)
        return STATUS_NO_MEMORY;
    suspect->accumulation = suspect->object = object;
    suspect->is_structure = is_structure;
    return STATUS_OK;
}

static enum status visit_object(struct descent *descent, const struct visit *visit)
{
    struct finder *finder = descent->finder;
    uint64_t largest = 0;
    enum status status = dominated_children(finder, visit->object, &descent->children);
    if (status != STATUS_OK)
        return status;
    if (is_transparent(finder, visit->object))
        return open_children(descent, visit, false);
    for (size_t i = 0; i < descent->children.items.count; i++) {
        uint64_t bytes = heap_retained(finder->facts, descent->children.items.items[i]);
        largest = bytes > largest ? bytes : largest;
    }
    if (visit->run > MOST_NESTED)
        return add_candidate(descent, visit->first, false);
    switch (shape_of(descent, visit->object, largest)) {
    case SHAPE_GATHERS: return add_candidate(descent, visit->object, false);
    case SHAPE_PASS: return open_children(descent, visit, true);
    case SHAPE_STRUCTURE: break;
    }
    status = add_candidate(descent, visit->object, true);
    return status == STATUS_OK ? open_children(descent, visit, false) : status;
}

static enum status descend(struct descent *descent)
{
    const struct finder *finder = descent->finder;
    enum status status = STATUS_OK;
    for (uint32_t at = 0; at < finder->tree->reached && status == STATUS_OK;) {
        uint32_t object = finder->tree->order[at].node;
        const struct visit first = {object, object, 0};
        at += finder->tree->order[at].size;
        if (heap_retained(finder->facts, object) < descent->least)
            continue;
        if (!array_push(&descent->open, first))
            return STATUS_NO_MEMORY;
        while (descent->open.count && status == STATUS_OK) {
            const struct visit visit = descent->open.items[--descent->open.count];
            status = visit_object(descent, &visit);
        }
    }
    return status;
}

/* ---- Structures: kept where what gathers in them is most of them. */

static void find_parents(struct finder *finder)
{
    struct suspect *items = finder->out->items.items;
    size_t count = finder->out->items.count;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            if (i == j || !dominated_by(finder->tree, items[i].object, items[j].object))
                continue;
            int64_t parent = items[i].parent;
            if (parent < 0 || dominated_size(finder->tree, items[j].object) <
                                  dominated_size(finder->tree, items[parent].object))
                items[i].parent = (int64_t)j;
        }
}

static bool is_worth_telling(const struct finder *finder, size_t structure)
{
    const struct suspect *items = finder->out->items.items;
    uint64_t bytes = 0;
    for (size_t i = 0; i < finder->out->items.count; i++)
        if (!items[i].is_structure &&
            dominated_by(finder->tree, items[i].object, items[structure].object))
            bytes += heap_retained(finder->facts, items[i].object);
    return bytes >= heap_retained(finder->facts, items[structure].object) / 2;
}

static void drop_structures(struct finder *finder)
{
    struct suspect *items = finder->out->items.items;
    size_t count = finder->out->items.count, kept = 0;
    for (size_t i = 0; i < count; i++)
        items[i].is_alarm = !items[i].is_structure || is_worth_telling(finder, i);
    for (size_t i = 0; i < count; i++)
        if (items[i].is_alarm)
            items[kept++] = items[i];
    finder->out->items.count = kept;
    find_parents(finder);
}

/* ---- From where it falls apart up to what holds it, where that is a library's. */

/* Libraries' objects whose attributes are the program's own names. */
static bool is_namespace_like(struct finder *finder, const struct python_type *type)
{
    static const char *const names[] = {"types.SimpleNamespace",
                                        "argparse.Namespace",
                                        "_thread._local",
                                        "threading.local",
                                        "asyncio.base_events.BaseEventLoop",
                                        NULL};
    for (const char *const *name = names; *name; name++)
        if (strcmp(type->name, *name) == 0 || type_derives_from(finder->heap->process, type, *name))
            return true;
    return false;
}

static bool holds_for_program(struct finder *finder, uint32_t owner)
{
    const struct python_type *type = heap_type(finder->heap, owner);
    bool plain = type->kind == KIND_UNKNOWN || type->kind == KIND_LOCK;
    if (!plain || !type->module || strcmp(type->module, "builtins") == 0)
        return false;
    return module_origin(&finder->modules, type->module) == MODULE_STANDARD &&
           !is_namespace_like(finder, type);
}

static uint32_t holder_of(struct finder *finder, uint32_t object)
{
    for (unsigned steps = 0; steps < 4; steps++) {
        uint32_t owner = owner_of(finder, object);
        if (owner == GRAPH_NONE || is_transparent(finder, owner) ||
            !holds_for_program(finder, owner) ||
            (double)heap_retained(finder->facts, object) <
                (double)heap_retained(finder->facts, owner) * SUSPECT_BIG_DROP)
            break;
        object = owner;
    }
    return object;
}

static enum status complete(struct finder *finder, struct suspect *suspect)
{
    if (!suspect->is_structure)
        suspect->object = holder_of(finder, suspect->object);
    suspect->type = finder->heap->type[suspect->object];
    suspect->instances = 1;
    suspect->shallow = heap_getsizeof(finder->heap, suspect->object);
    suspect->retained = heap_retained(finder->facts, suspect->object);
    return name_holder(finder, suspect);
}

enum status find_single_suspects(struct finder *finder)
{
    double share = (double)finder->out->reachable_bytes * SUSPECT_LEAST_SHARE;
    struct descent descent = {.finder = finder, .least = SUSPECT_LEAST_BYTES};
    if (share > (double)descent.least)
        descent.least = (uint64_t)share;
    enum status status = descend(&descent);
    array_deinit(&descent.open);
    array_deinit(&descent.children.items);
    if (status == STATUS_OK)
        drop_structures(finder);
    for (size_t i = 0; i < finder->out->items.count && status == STATUS_OK; i++)
        status = complete(finder, &finder->out->items.items[i]);
    return status;
}
