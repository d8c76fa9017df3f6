/* SPDX-License-Identifier: Apache-2.0 */
/* Group suspects: instances of one type that together keep much, and that no single
 * suspect holds: they lie under many small holders, or under several at once. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/suspects_path.h"

#define LEAST_MEMBERS 10
#define MOST_GROUPS   12
/* A holder is told that refers to as many of the members; and one has to be there for
 * a type that every program has many of. */
#define HOLDER_SHARE 0.1
#define COMMON_SHARE 0.5
/* A common way is followed while it carries as many of the members. */
#define PATH_SHARE      0.8
#define PATTERN_STEPS   8
#define MOST_HOLDERS    4
#define LOOK_AT_HOLDERS 32

struct holder {
    uint32_t object;
    uint64_t count;
};

struct group {
    uint32_t type;
    uint64_t bytes, count;
    bool is_common; /* the type is the language's or a library's: it needs a holder */
    bool is_kept;
    struct object_list members;
    ARRAY(struct holder) holders; /* those that refer to most first */
};

struct grouping {
    struct finder *finder;
    uint64_t *covered; /* bitmap: holders of single suspects */
    uint64_t *taken;   /* bitmap: what goes with the groups so far */
    uint64_t *bits;    /* of the one at hand */
    uint32_t *until;   /* by type: the end of the outermost open instance */
    struct group groups[MOST_GROUPS];
    size_t count;
};

static void set_bit(uint64_t *bits, uint32_t object)
{
    bits[object >> 6] |= UINT64_C(1) << (object & 63);
}

/* ---- Which types. */

static bool is_program_type(const struct finder *finder, const struct python_type *type)
{
    return type->is_heap && type->module &&
           module_origin(&finder->modules, type->module) != MODULE_STANDARD;
}

/* Types of data that any program has: told only of what several objects share. */
static bool is_eligible(const struct grouping *grouping, uint32_t object)
{
    const struct finder *finder = grouping->finder;
    const struct python_type *type = heap_type(finder->heap, object);
    if (is_transparent(finder, object) || type->kind == KIND_TYPE)
        return false;
    if (is_program_type(finder, type))
        return true;
    return finder->facts->dominators.idom[object] == GRAPH_ROOT &&
           finder->facts->paths.parent[object] < GRAPH_NONE;
}

typedef bool (*member_visitor)(struct grouping *grouping, uint32_t object);

/* Each instance that no other of its type dominates, and no single suspect. */
static bool walk_members(struct grouping *grouping, member_visitor visit)
{
    const struct finder *finder = grouping->finder;
    const struct dominated_tree *tree = finder->tree;
    memset(grouping->until, 0, (finder->heap->types.count + 1) * sizeof *grouping->until);
    for (uint32_t at = 0; at < tree->reached;) {
        uint32_t object = tree->order[at].node, type = finder->heap->type[object];
        if (graph_bit(grouping->covered, object) || graph_bit(finder->extension_only, object)) {
            at += tree->order[at].size;
            continue;
        }
        if (grouping->until[type] <= at && is_eligible(grouping, object)) {
            grouping->until[type] = at + tree->order[at].size;
            if (!visit(grouping, object))
                return false;
        }
        at++;
    }
    return true;
}

static bool count_member(struct grouping *grouping, uint32_t object)
{
    struct finder *finder = grouping->finder;
    uint32_t type = finder->heap->type[object];
    finder->type_count[type]++;
    finder->type_bytes[type] += heap_retained(finder->facts, object);
    return true;
}

static bool collect_member(struct grouping *grouping, uint32_t object)
{
    uint32_t type = grouping->finder->heap->type[object];
    for (size_t i = 0; i < grouping->count; i++)
        if (grouping->groups[i].type == type)
            return array_push(&grouping->groups[i].members.items, object);
    return true;
}

/* What a single suspect keeps is not the group's, though one of its members holds it. */
static void subtract_covered(struct grouping *grouping)
{
    struct finder *finder = grouping->finder;
    const uint32_t *idom = finder->facts->dominators.idom;
    for (size_t i = 0; i < finder->out->items.count; i++) {
        const struct suspect *suspect = &finder->out->items.items[i];
        if (!suspect->is_alarm)
            continue;
        for (uint32_t type = 0; type < finder->heap->types.count; type++)
            grouping->until[type] = 0;
        for (uint32_t object = idom[suspect->object]; object < GRAPH_NONE; object = idom[object]) {
            uint32_t type = finder->heap->type[object];
            if (grouping->until[type]++ || !is_eligible(grouping, object))
                continue;
            uint64_t *bytes = &finder->type_bytes[type];
            *bytes -= suspect->retained < *bytes ? suspect->retained : *bytes;
        }
    }
}

static void insert_group(struct grouping *grouping, const struct group *group)
{
    size_t at = grouping->count < MOST_GROUPS ? grouping->count++ : MOST_GROUPS - 1;
    if (at == MOST_GROUPS - 1 && grouping->groups[at].bytes >= group->bytes &&
        grouping->groups[at].count)
        return;
    for (; at && grouping->groups[at - 1].bytes < group->bytes; at--)
        grouping->groups[at] = grouping->groups[at - 1];
    grouping->groups[at] = *group;
}

static void choose_types(struct grouping *grouping)
{
    struct finder *finder = grouping->finder;
    double least = (double)finder->out->reachable_bytes * SUSPECT_LEAST_SHARE;
    for (uint32_t type = 0; type < finder->heap->types.count; type++) {
        const struct group group = {.type = type,
                                    .bytes = finder->type_bytes[type],
                                    .count = finder->type_count[type],
                                    .is_common =
                                        !is_program_type(finder, finder->heap->types.items[type])};
        finder->type_bytes[type] = finder->type_count[type] = 0;
        if (group.count >= LEAST_MEMBERS && group.bytes >= SUSPECT_LEAST_BYTES &&
            (double)group.bytes >= least)
            insert_group(grouping, &group);
    }
}

/* ---- Who refers to many of them. */

static int compare_holders(const void *left, const void *right)
{
    const struct holder *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return (a->object > b->object) - (a->object < b->object);
}

/* group_of: by object, 1 + the group that it is a member of. */
static bool find_holders_of(struct grouping *grouping, const uint8_t *group_of, uint32_t source)
{
    const struct graph *references = &grouping->finder->heap->references;
    uint64_t counts[MOST_GROUPS + 1] = {0};
    uint64_t end = graph_end(references, source);
    if (end - graph_first(references, source) < 2)
        return true;
    for (uint64_t edge = graph_first(references, source); edge < end; edge++)
        counts[group_of[references->targets[edge]]]++;
    for (size_t i = 0; i < grouping->count; i++) {
        struct group *group = &grouping->groups[i];
        const struct holder holder = {source, counts[i + 1]};
        if ((double)holder.count >= (double)group->count * HOLDER_SHARE &&
            !array_push(&group->holders, holder))
            return false;
    }
    return true;
}

static enum status find_holders(struct grouping *grouping)
{
    const struct heap *heap = grouping->finder->heap;
    uint8_t *group_of = calloc((size_t)heap->count + 1, 1);
    bool ready = group_of;
    for (size_t i = 0; ready && i < grouping->count; i++)
        for (size_t j = 0; j < grouping->groups[i].members.items.count; j++)
            group_of[grouping->groups[i].members.items.items[j]] = (uint8_t)(i + 1);
    for (uint32_t source = 0; ready && source < heap->count; source++)
        if (graph_bit(grouping->finder->facts->reached, source))
            ready = find_holders_of(grouping, group_of, source);
    free(group_of);
    for (size_t i = 0; ready && i < grouping->count; i++)
        if (grouping->groups[i].holders.count)
            qsort(grouping->groups[i].holders.items, grouping->groups[i].holders.count,
                  sizeof(struct holder), compare_holders);
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- The common way. */

/* How many members' shortest ways go through each object; UINT32_MAX: out of memory. */
static enum status find_common_object(const struct grouping *grouping, const struct group *group,
                                      uint32_t *ret_object)
{
    const uint32_t *parent = grouping->finder->facts->paths.parent;
    uint32_t *carried = calloc((size_t)grouping->finder->heap->count + 1, sizeof *carried);
    uint32_t best = GRAPH_NONE, best_steps = 0;
    if (!carried)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < group->members.items.count; i++) {
        uint32_t object = parent[group->members.items.items[i]];
        for (unsigned steps = 0; object < GRAPH_NONE && steps < WAY_STEPS; steps++) {
            carried[object]++;
            object = parent[object];
        }
    }
    double least = (double)group->members.items.count * PATH_SHARE;
    for (uint32_t object = 0; object < grouping->finder->heap->count; object++) {
        uint32_t steps = 0;
        if ((double)carried[object] <= least)
            continue;
        for (uint32_t above = object; above < GRAPH_NONE && steps < WAY_STEPS; steps++)
            above = parent[above];
        if (steps > best_steps) {
            best = object;
            best_steps = steps;
        }
    }
    free(carried);
    *ret_object = best;
    return STATUS_OK;
}

/* One step up, to the type that most have their shortest way through: the first object
 * of it, and the one below that. GRAPH_NONE: most have none in common. */
static enum status climb(struct grouping *grouping, struct object_list *level, uint32_t *ret_object,
                         uint32_t *ret_below)
{
    struct finder *finder = grouping->finder;
    const uint32_t *parent = finder->facts->paths.parent;
    struct object_list above = {0};
    double least = (double)level->items.count * PATH_SHARE;
    *ret_object = *ret_below = GRAPH_NONE;
    for (size_t i = 0; i < level->items.count; i++) {
        uint32_t object = parent[level->items.items[i]];
        if (object < GRAPH_NONE && !array_push(&above.items, object)) {
            array_deinit(&above.items);
            return STATUS_NO_MEMORY;
        }
    }
    enum status status = finder_sums(finder, above.items.items, above.items.count);
    uint32_t common = GRAPH_NONE;
    for (size_t i = 0; i < finder->sums.count; i++)
        if ((double)finder->sums.items[i].count > least)
            common = finder->sums.items[i].type;
    for (size_t i = 0; i < level->items.count && *ret_object == GRAPH_NONE; i++) {
        uint32_t object = parent[level->items.items[i]];
        if (object < GRAPH_NONE && finder->heap->type[object] == common) {
            *ret_object = object;
            *ret_below = level->items.items[i];
        }
    }
    array_deinit(&level->items);
    *level = above;
    return status;
}

static bool is_instance_dict(struct finder *finder, uint32_t object)
{
    uint32_t holder = finder->facts->paths.parent[object];
    return heap_type(finder->heap, object)->kind == KIND_DICT && holder < GRAPH_NONE &&
           namespace_of(finder, holder) == object;
}

/* The step from `object` to `below`, as the way of any member has it. */
static void write_step(struct finder *finder, uint32_t object, uint32_t below, struct text *step)
{
    bool is_namespace = is_instance_dict(finder, object);
    if (is_container(heap_type(finder->heap, object)) && !is_namespace) {
        text_append(step, "[…]");
        return;
    }
    uint32_t code = findings_label(finder->findings, object, below);
    const char *label = step_label(finder, code, is_namespace);
    if (strcmp(label, ".__dict__") != 0)
        mask_label(label, step);
}

/* "<shop.tenants.Tenant>.sessions[…]": the types that the ways of most have in common,
 * by the first of them. */
static enum status write_pattern(struct grouping *grouping, const struct group *group,
                                 struct text *pattern)
{
    struct finder *finder = grouping->finder;
    struct object_list level = {0};
    struct text steps = {0}, step = {0};
    uint32_t object, below;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < group->members.items.count; i++)
        if (!array_push(&level.items, group->members.items.items[i]))
            status = STATUS_NO_MEMORY;
    for (unsigned i = 0; i < PATTERN_STEPS && status == STATUS_OK; i++) {
        status = climb(grouping, &level, &object, &below);
        if (status != STATUS_OK || object == GRAPH_NONE || is_transparent(finder, object))
            break;
        text_clear(&step);
        write_step(finder, object, below, &step);
        text_append(&step, text_string(&steps));
        text_clear(&steps);
        text_append(&steps, text_string(&step));
        text_clear(pattern);
        if (!is_container(heap_type(finder->heap, object)))
            text_printf(pattern, "<%s>", heap_type(finder->heap, object)->name);
        text_append(pattern, text_string(&steps));
    }
    array_deinit(&level.items);
    text_deinit(&steps);
    text_deinit(&step);
    return status;
}

/* ---- The suspects. */

static uint64_t bytes_of(const struct finder *finder, const uint64_t *bits)
{
    uint64_t bytes = 0;
    for (uint32_t object = 0; object < finder->heap->count; object++)
        if (graph_bit(bits, object))
            bytes += heap_size(finder->heap, object);
    return bytes;
}

/* Whether most of its members go with the groups before: they are a part of those. */
static bool is_part(const struct grouping *grouping, const struct group *group)
{
    uint64_t within = 0, all = 0;
    for (size_t i = 0; i < group->members.items.count; i++) {
        uint32_t object = group->members.items.items[i];
        uint64_t bytes = heap_retained(grouping->finder->facts, object);
        all += bytes;
        within += graph_bit(grouping->taken, object) ? bytes : 0;
    }
    return (double)within >= (double)all * PATH_SHARE;
}

/* The order of the paths is the same in every dump. */
static int compare_parts(const void *left, const void *right)
{
    const struct suspect_part *a = left, *b = right;
    if (a->instances != b->instances)
        return a->instances < b->instances ? 1 : -1;
    return strcmp(a->title, b->title);
}

static enum status add_holders(struct grouping *grouping, const struct group *group,
                               struct suspect *suspect)
{
    struct finder *finder = grouping->finder;
    for (size_t i = 0; i < group->holders.count && i < LOOK_AT_HOLDERS; i++) {
        const struct holder *holder = &group->holders.items[i];
        struct text path = {0};
        findings_path(finder_paths(finder, holder->object), holder->object, &path);
        if (!path.size)
            text_append(&path, heap_type(finder->heap, holder->object)->name);
        const struct suspect_part part = {
            .kind = "holder",
            .title = arena_strdup(&finder->out->arena, text_string(&path)),
            .object = holder->object,
            .instances = holder->count,
            .bytes = heap_retained(finder->facts, holder->object),
            .share = group->count ? (double)holder->count / (double)group->count : 0};
        text_deinit(&path);
        if (!part.title || !array_push(&suspect->parts, part))
            return STATUS_NO_MEMORY;
    }
    if (suspect->parts.count)
        qsort(suspect->parts.items, suspect->parts.count, sizeof *suspect->parts.items,
              compare_parts);
    if (suspect->parts.count > MOST_HOLDERS)
        suspect->parts.count = MOST_HOLDERS;
    return STATUS_OK;
}

static enum status name_group(struct grouping *grouping, const struct group *group,
                              struct suspect *suspect)
{
    struct finder *finder = grouping->finder;
    struct text path = {0}, mask = {0};
    struct way way;
    uint32_t common;
    enum status status = find_common_object(grouping, group, &common);
    if (status == STATUS_OK && common != GRAPH_NONE) {
        suspect->accumulation = common;
        findings_path(finder_paths(finder, common), common, &path);
        status = way_find(finder, common, &way);
        if (status == STATUS_OK)
            way_mask_all(finder, &way, &mask);
    } else if (status == STATUS_OK) {
        status = write_pattern(grouping, group, &path);
        text_append(&mask, text_string(&path));
    }
    text_printf(&mask, "|group|%s", finder->heap->types.items[group->type]->name);
    fingerprint_of(text_string(&mask), suspect->fingerprint);
    suspect->path = arena_strdup(&finder->out->arena, text_string(&path));
    suspect->accumulation_path = suspect->accumulation == GRAPH_NONE ? "" : suspect->path;
    suspect->holder = group->holders.count > 1    ? "several holders"
                      : group->holders.count == 1 ? "one holder, and others"
                                                  : "many holders";
    if (status == STATUS_OK && (!suspect->path || !text_ok(&mask)))
        status = STATUS_NO_MEMORY;
    text_deinit(&path);
    text_deinit(&mask);
    return status == STATUS_OK ? add_holders(grouping, group, suspect) : status;
}

static enum status add_group(struct grouping *grouping, struct group *group)
{
    struct finder *finder = grouping->finder;
    const struct heap *heap = finder->heap;
    const struct python_type *type = heap->types.items[group->type];
    bool is_held = group->holders.count &&
                   (double)group->holders.items[0].count >= (double)group->count * COMMON_SHARE &&
                   !is_transparent(finder, group->holders.items[0].object);
    if (!group->members.items.count || (group->is_common && !is_held) || is_part(grouping, group))
        return STATUS_OK;
    enum status status = retained_set(finder->findings, group->members.items.items,
                                      group->members.items.count, grouping->bits);
    if (status != STATUS_OK)
        return status;
    uint64_t retained = bytes_of(finder, grouping->bits);
    if (module_origin(&finder->modules, type->module) == MODULE_THIRD_PARTY &&
        retained < SUSPECT_LIBRARY_BYTES)
        return STATUS_OK;
    struct suspect *suspect = finder_add(finder, SUSPECT_GROUP);
    if (!suspect)
        return STATUS_NO_MEMORY;
    suspect->type = group->type;
    suspect->instances = group->members.items.count;
    suspect->retained = retained;
    suspect->is_joint = true;
    for (size_t i = 0; i < group->members.items.count; i++)
        suspect->shallow += heap_size(heap, group->members.items.items[i]);
    for (size_t word = 0; word < (size_t)heap->count / 64 + 1; word++)
        grouping->taken[word] |= grouping->bits[word];
    status = name_group(grouping, group, suspect);
    suspect->members.items = group->members.items.items; /* taken over */
    suspect->members.count = group->members.items.count;
    suspect->members.capacity = group->members.items.capacity;
    group->members = (struct object_list){0};
    return status;
}

static enum status find_groups(struct grouping *grouping)
{
    struct finder *finder = grouping->finder;
    for (size_t i = 0; i < finder->out->items.count; i++)
        if (finder->out->items.items[i].is_alarm)
            set_bit(grouping->covered, finder->out->items.items[i].object);
    if (!walk_members(grouping, count_member))
        return STATUS_NO_MEMORY;
    subtract_covered(grouping);
    choose_types(grouping);
    if (!walk_members(grouping, collect_member))
        return STATUS_NO_MEMORY;
    enum status status = grouping->count ? find_holders(grouping) : STATUS_OK;
    for (size_t i = 0; i < grouping->count && status == STATUS_OK; i++)
        status = add_group(grouping, &grouping->groups[i]);
    return status;
}

enum status find_group_suspects(struct finder *finder)
{
    size_t words = (size_t)finder->heap->count / 64 + 1;
    struct grouping grouping = {.finder = finder};
    grouping.covered = calloc(words, sizeof(uint64_t));
    grouping.taken = calloc(words, sizeof(uint64_t));
    grouping.bits = calloc(words, sizeof(uint64_t));
    grouping.until = calloc(finder->heap->types.count + 1, sizeof *grouping.until);
    enum status status = STATUS_NO_MEMORY;
    if (grouping.covered && grouping.taken && grouping.bits && grouping.until)
        status = find_groups(&grouping);
    for (size_t i = 0; i < grouping.count; i++) {
        array_deinit(&grouping.groups[i].members.items);
        array_deinit(&grouping.groups[i].holders);
    }
    free(grouping.covered);
    free(grouping.taken);
    free(grouping.bits);
    free(grouping.until);
    return status;
}
