/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_fields.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/suspects_path.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/partition_point.h"

#define FARTHEST_MEMBER 64 /* dominators from one member of a group up to the next */

/* What a member's field holds of other members, which is told of their own fields. */
struct nested {
    uint32_t target; /* of the field */
    uint64_t bytes;
};

struct counting {
    struct finder *finder;
    struct field_sums *sums;
    ARRAY(uint16_t) of_code;     /* 1 + field, by label code; 0: not known yet */
    uint64_t *seen;              /* bitmap: an object held twice counts once */
    uint64_t *members;           /* bitmap, with their namespaces */
    ARRAY(struct nested) nested; /* by target */
    enum status status;
};

static bool by_index(uint32_t code)
{
    return code & HEAP_LABEL_INDEX;
}

/* 1 + field; MOST_FIELDS + 1: left out. */
static uint16_t field_named(struct counting *counting, const char *title)
{
    struct field_sums *sums = counting->sums;
    for (size_t i = 0; i < sums->count; i++)
        if (strcmp(sums->fields[i].title, title) == 0)
            return (uint16_t)(i + 1);
    if (sums->count == MOST_FIELDS)
        return MOST_FIELDS + 1;
    char *kept = arena_strdup(&counting->finder->out->arena, title);
    if (!kept) {
        counting->status = STATUS_NO_MEMORY;
        return MOST_FIELDS + 1;
    }
    sums->fields[sums->count] = (struct field_sum){.title = kept};
    return (uint16_t)++sums->count;
}

static uint16_t field_of(struct counting *counting, uint32_t code, bool in_namespace, bool any_item)
{
    struct finder *finder = counting->finder;
    if (any_item)
        return field_named(counting, "[…]");
    if (!by_index(code) && code < counting->of_code.count && counting->of_code.items[code])
        return counting->of_code.items[code];
    const char *label = step_label(finder, code, in_namespace);
    uint16_t field = field_named(counting, *label ? label : "<?>");
    if (by_index(code))
        return field;
    if (code >= counting->of_code.count) {
        size_t extra = code + UINT64_C(1) - counting->of_code.count;
        if (!array_reserve(&counting->of_code, extra)) {
            counting->status = STATUS_NO_MEMORY;
            return field;
        }
        memset(counting->of_code.items + counting->of_code.count, 0,
               extra * sizeof *counting->of_code.items);
        counting->of_code.count += extra;
    }
    counting->of_code.items[code] = field;
    return field;
}

static void mark(uint64_t *bitmap, uint32_t object)
{
    bitmap[object >> 6] |= UINT64_C(1) << (object & 63);
}

/* ---- Members within members: a list of nodes, each of which holds the next. */

static int compare_nested(const void *left, const void *right)
{
    const struct nested *a = left, *b = right;
    return (a->target > b->target) - (a->target < b->target);
}

static void find_nested(struct counting *counting, const uint32_t *objects, size_t count)
{
    const uint32_t *idom = counting->finder->facts->dominators.idom;
    for (size_t i = 0; i < count && counting->status == STATUS_OK; i++) {
        uint32_t target = objects[i], steps = 0;
        while (idom[target] < counting->finder->heap->count &&
               !graph_bit(counting->members, idom[target]) && steps++ < FARTHEST_MEMBER)
            target = idom[target];
        const struct nested nested = {target, heap_retained(counting->finder->facts, objects[i])};
        if (idom[target] < counting->finder->heap->count &&
            graph_bit(counting->members, idom[target]) && !array_push(&counting->nested, nested))
            counting->status = STATUS_NO_MEMORY;
    }
    if (counting->nested.count)
        qsort(counting->nested.items, counting->nested.count, sizeof *counting->nested.items,
              compare_nested);
}

/* What a field holds, without the other members. */
static uint64_t own_bytes(const struct counting *counting, uint32_t target)
{
    uint64_t bytes = heap_retained(counting->finder->facts, target);
    size_t at;
    PARTITION_POINT(at, counting->nested.count, counting->nested.items[at].target < target);
    for (; at < counting->nested.count && counting->nested.items[at].target == target; at++)
        bytes -= min_u64(bytes, counting->nested.items[at].bytes);
    return bytes;
}

/* ---- Fields. */

static void count_edges(struct counting *counting, uint32_t object, uint32_t names,
                        bool in_namespace)
{
    struct finder *finder = counting->finder;
    const struct graph *references = &finder->heap->references;
    enum object_kind kind = heap_type(finder->heap, object)->kind;
    bool any_item = kind == KIND_LIST || kind == KIND_DEQUE || kind == KIND_SET;
    uint64_t end = graph_end(references, object);
    for (uint64_t edge = graph_first(references, object);
         edge < end && counting->status == STATUS_OK; edge++) {
        uint32_t target = references->targets[edge];
        if (finder->facts->dominators.idom[target] != object || target == names ||
            graph_bit(counting->seen, target))
            continue;
        mark(counting->seen, target);
        uint16_t field = field_of(counting, finder->heap->label[edge], in_namespace, any_item);
        if (field > MOST_FIELDS)
            continue;
        counting->sums->fields[field - 1].bytes += own_bytes(counting, target);
        counting->sums->fields[field - 1].count++;
    }
}

static int compare_fields(const void *left, const void *right)
{
    const struct field_sum *a = left, *b = right;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return strcmp(a->title, b->title);
}

/* `names` has room for the namespaces of all. */
static void count_all(struct counting *counting, const uint32_t *objects, size_t count,
                      uint32_t *names)
{
    for (size_t i = 0; i < count; i++) {
        names[i] = namespace_of(counting->finder, objects[i]);
        mark(counting->members, objects[i]);
        if (names[i] != GRAPH_NONE)
            mark(counting->members, names[i]);
    }
    find_nested(counting, objects, count);
    for (size_t i = 0; i < count && counting->status == STATUS_OK; i++) {
        count_edges(counting, objects[i], names[i], false);
        if (names[i] != GRAPH_NONE)
            count_edges(counting, names[i], GRAPH_NONE, true);
    }
}

enum status field_sums_find(struct finder *finder, const uint32_t *objects, size_t count,
                            struct field_sums *ret_sums)
{
    struct counting counting = {.finder = finder, .sums = ret_sums};
    size_t words = (size_t)finder->heap->count / 64 + 1;
    ret_sums->count = 0;
    counting.seen = calloc(words, sizeof *counting.seen);
    counting.members = calloc(words, sizeof *counting.members);
    uint32_t *names = malloc((count + 1) * sizeof *names);
    if (counting.seen && counting.members && names)
        count_all(&counting, objects, count, names);
    else
        counting.status = STATUS_NO_MEMORY;
    if (ret_sums->count)
        qsort(ret_sums->fields, ret_sums->count, sizeof *ret_sums->fields, compare_fields);
    array_deinit(&counting.of_code);
    array_deinit(&counting.nested);
    free(counting.seen);
    free(counting.members);
    free(names);
    return counting.status;
}
