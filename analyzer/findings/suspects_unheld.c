/* SPDX-License-Identifier: Apache-2.0 */
/* What no known reference leads to: objects that only C code holds (counted more often
 * than references were found), by type; garbage that was not collected yet, by type;
 * immortal interned strings that nothing refers to. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/suspects_path.h"

#define MOST_EXACT 8   /* types whose retained size takes a pass over the graph */
#define MOST_ROWS  50  /* types that are told */
#define PART_SHARE 0.8 /* so much of it is in another suspect: not told as one */

struct unheld {
    uint32_t type;
    uint64_t bytes, count;
    struct object_list members;
};

struct unheld_list {
    ARRAY(struct unheld) items;
};

static void list_deinit(struct unheld_list *list)
{
    for (size_t i = 0; i < list->items.count; i++)
        array_deinit(&list->items.items[i].members.items);
    array_deinit(&list->items);
}

/* The members by type, the types that retain most first. */
static enum status sort_by_type(struct finder *finder, const struct object_list *members,
                                struct unheld_list *ret_list)
{
    enum status status = finder_sums(finder, members->items.items, members->items.count);
    for (size_t i = 0; i < finder->sums.count && i < MOST_ROWS && status == STATUS_OK; i++) {
        const struct type_sum *sum = &finder->sums.items[i];
        const struct unheld row = {.type = sum->type, .bytes = sum->bytes, .count = sum->count};
        if (!array_push(&ret_list->items, row))
            return STATUS_NO_MEMORY;
        finder->type_count[sum->type] = i + 1;
    }
    bool complete = true;
    for (size_t i = 0; i < members->items.count && complete; i++) {
        uint64_t row = finder->type_count[finder->heap->type[members->items.items[i]]];
        if (row)
            complete =
                array_push(&ret_list->items.items[row - 1].members.items, members->items.items[i]);
    }
    for (size_t i = 0; i < ret_list->items.count; i++)
        finder->type_count[ret_list->items.items[i].type] = 0;
    return status == STATUS_OK && !complete ? STATUS_NO_MEMORY : status;
}

static struct suspect *add_unheld(struct finder *finder, enum suspect_kind kind, struct unheld *row,
                                  const char *holder)
{
    struct suspect *suspect = finder_add(finder, kind);
    struct text mask = {0};
    if (!suspect)
        return NULL;
    suspect->type = row->type;
    suspect->instances = row->count;
    suspect->retained = row->bytes;
    suspect->holder = holder;
    suspect->members.items = row->members.items.items; /* taken over */
    suspect->members.count = row->members.items.count;
    suspect->members.capacity = row->members.items.capacity;
    row->members = (struct object_list){0};
    for (size_t i = 0; i < suspect->members.count; i++)
        suspect->shallow += heap_size(finder->heap, suspect->members.items[i]);
    text_printf(&mask, "%s|%s", suspect_kind_names[kind],
                finder->heap->types.items[row->type]->name);
    fingerprint_of(text_string(&mask), suspect->fingerprint);
    text_deinit(&mask);
    return suspect;
}

/* ---- Held by C code alone. */

static enum status collect_extension(const struct finder *finder, struct object_list *list)
{
    const struct heap_roots *roots = finder->findings->roots;
    uint32_t last = GRAPH_NONE;
    for (size_t i = 0; i < roots->roots.count; i++) {
        const struct heap_root *root = &roots->roots.items[i];
        if (root->kind != ROOT_EXTENSION || root->object == last ||
            !graph_bit(finder->extension_only, root->object))
            continue;
        last = root->object;
        if (!array_push(&list->items, last))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* Whether one suspect says it already: a single object that has most of the bytes. */
static bool is_told(const struct finder *finder, const struct unheld *row, uint64_t retained)
{
    uint64_t told = 0;
    for (size_t i = 0; i < finder->out->items.count; i++) {
        const struct suspect *other = &finder->out->items.items[i];
        for (size_t j = 0; other->is_alarm && other->kind == SUSPECT_SINGLE &&
                           j < row->members.items.count && row->members.items.count <= 1000;
             j++)
            if (dominated_by(finder->tree, other->object, row->members.items.items[j]))
                told += other->retained;
    }
    return (double)told >= (double)retained * PART_SHARE;
}

static enum status exact_bytes(struct finder *finder, const struct unheld *row, uint64_t *bits,
                               uint64_t *ret_bytes)
{
    enum status status =
        retained_set(finder->findings, row->members.items.items, row->members.items.count, bits);
    uint64_t bytes = 0;
    for (uint32_t object = 0; object < finder->heap->count && status == STATUS_OK; object++)
        if (graph_bit(bits, object))
            bytes += heap_size(finder->heap, object);
    *ret_bytes = bytes;
    return status;
}

static enum status add_extension(struct finder *finder, struct unheld_list *list, uint64_t *bits)
{
    uint64_t all = finder->out->reachable_bytes;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < list->items.count && status == STATUS_OK; i++) {
        struct unheld *row = &list->items.items[i];
        bool is_joint = i < MOST_EXACT && (double)row->bytes >= (double)all * SUSPECT_LEAST_SHARE;
        if (is_joint)
            status = exact_bytes(finder, row, bits, &row->bytes);
        bool is_alarm = (double)row->bytes >= (double)all * SUSPECT_DEFAULT_SHARE &&
                        row->bytes >= SUSPECT_DEFAULT_BYTES && !is_told(finder, row, row->bytes);
        struct suspect *suspect =
            status == STATUS_OK ? add_unheld(finder, SUSPECT_EXTENSION, row, "extension") : NULL;
        if (!suspect)
            return status == STATUS_OK ? STATUS_NO_MEMORY : status;
        suspect->is_alarm = is_alarm;
        suspect->is_joint = is_joint;
    }
    return status;
}

/* ---- Garbage. */

static bool is_immortal(const struct heap *heap, uint32_t object)
{
    return heap_refcount(heap, object) == UINT64_MAX;
}

/* Of each type the instances that no other of the type holds. */
static enum status collect_garbage(const struct finder *finder, struct object_list *list,
                                   struct object_list *interned)
{
    const struct dominated_tree *tree = finder->tree;
    const struct heap *heap = finder->heap;
    uint32_t *until = calloc(heap->types.count + 1, sizeof *until);
    bool ready = until;
    for (uint32_t at = tree->reached; ready && at < tree->count; at++) {
        uint32_t object = tree->order[at].node;
        if (is_immortal(heap, object)) {
            if (heap_type(heap, object)->kind == KIND_STR)
                ready = array_push(&interned->items, object);
        } else if (until[heap->type[object]] <= at) {
            until[heap->type[object]] = at + tree->order[at].size;
            ready = array_push(&list->items, object);
        }
    }
    free(until);
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

static void mark_members(const struct finder *finder, const struct suspect *suspect,
                         uint64_t *taken)
{
    const struct dominated_tree *tree = finder->tree;
    for (size_t i = 0; i < suspect->members.count; i++)
        for (uint32_t at = tree->position[suspect->members.items[i]];
             at < dominated_end(tree, suspect->members.items[i]); at++)
            taken[tree->order[at].node >> 6] |= UINT64_C(1) << (tree->order[at].node & 63);
}

static bool is_taken(const struct finder *finder, const struct suspect *suspect,
                     const uint64_t *taken)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < suspect->members.count; i++)
        if (graph_bit(taken, suspect->members.items[i]))
            bytes += heap_retained(finder->facts, suspect->members.items[i]);
    return (double)bytes >= (double)suspect->retained * PART_SHARE;
}

/* All of each type, those within others too; into type_count and type_bytes. */
static void count_garbage(struct finder *finder)
{
    const struct dominated_tree *tree = finder->tree;
    for (uint32_t at = tree->reached; at < tree->count; at++) {
        uint32_t object = tree->order[at].node, type = finder->heap->type[object];
        if (is_immortal(finder->heap, object))
            continue;
        finder->type_count[type]++;
        finder->type_bytes[type] += heap_size(finder->heap, object);
    }
}

static void clear_counts(struct finder *finder)
{
    size_t bytes = (finder->heap->types.count + 1) * sizeof *finder->type_count;
    memset(finder->type_count, 0, bytes);
    memset(finder->type_bytes, 0, bytes);
}

static enum status add_garbage(struct finder *finder, struct unheld_list *list, uint64_t *taken,
                               enum suspect_kind kind, const char *holder)
{
    memset(taken, 0, ((size_t)finder->heap->count / 64 + 1) * sizeof *taken);
    for (size_t i = 0; i < list->items.count; i++) {
        struct suspect *suspect = add_unheld(finder, kind, &list->items.items[i], holder);
        if (!suspect)
            return STATUS_NO_MEMORY;
        if (kind == SUSPECT_GARBAGE) {
            suspect->instances = finder->type_count[suspect->type];
            suspect->shallow = finder->type_bytes[suspect->type];
        }
        bool is_large = (double)suspect->retained >=
                            (double)finder->out->reachable_bytes * SUSPECT_DEFAULT_SHARE &&
                        suspect->retained >= SUSPECT_DEFAULT_BYTES;
        suspect->is_alarm = is_large && !is_taken(finder, suspect, taken);
        mark_members(finder, suspect, taken);
    }
    return STATUS_OK;
}

enum status find_unheld_suspects(struct finder *finder)
{
    struct object_list held = {0}, garbage = {0}, interned = {0};
    struct unheld_list lists[3] = {0};
    uint64_t *bits = calloc((size_t)finder->heap->count / 64 + 1, sizeof *bits);
    enum status status = bits ? collect_extension(finder, &held) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = collect_garbage(finder, &garbage, &interned);
    if (status == STATUS_OK)
        status = sort_by_type(finder, &held, &lists[0]);
    if (status == STATUS_OK)
        status = sort_by_type(finder, &garbage, &lists[1]);
    if (status == STATUS_OK)
        status = sort_by_type(finder, &interned, &lists[2]);
    if (status == STATUS_OK)
        status = add_extension(finder, &lists[0], bits);
    if (status == STATUS_OK) {
        count_garbage(finder);
        status = add_garbage(finder, &lists[1], bits, SUSPECT_GARBAGE, "not yet collected");
        clear_counts(finder);
    }
    if (status == STATUS_OK)
        status = add_garbage(finder, &lists[2], bits, SUSPECT_INTERNED, "interned strings");
    for (size_t i = 0; i < 3; i++)
        list_deinit(&lists[i]);
    array_deinit(&held.items);
    array_deinit(&garbage.items);
    array_deinit(&interned.items);
    free(bits);
    return status;
}
