/* SPDX-License-Identifier: Apache-2.0 */
/* Groups components by shape and writes them. A copy's graph as it was read is hashed
 * first: copies made by the same code mostly lie in memory alike, and need no more. */
#include "analyzer/findings/cycles.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/cycles_pass.h"

#define FIRST_SLOTS 1024
#define MATCH_KINDS 64 /* groups of one hash that a copy is compared with */

enum group_kind { GROUP_GARBAGE, GROUP_DATA, GROUP_PROGRAM };
static const char *const kind_names[] = {"garbage", "data", "program"};

struct group_key {
    uint64_t hash;  /* of the shape */
    uint32_t count; /* members of an exact one, else 0 */
    uint8_t kind;   /* enum group_kind */
    bool is_nested, has_finalizer, has_callback;
};

struct group {
    struct group_key key;
    uint32_t first;  /* component that came first */
    uint32_t copies; /* while writing: those written */
    uint32_t id;     /* in the table */
    uint64_t members, bytes, retained;
};

struct grouping {
    struct cycle_pass *pass;
    struct graph_components nested;
    uint32_t *group_of; /* by component: first those of the facts, then the nested */
    uint32_t count;     /* components */
    ARRAY(struct group) groups;
    uint32_t *by_key, *by_raw; /* open addressing: group + 1 */
    uint64_t *raw;             /* beside by_raw: hashes */
    uint32_t key_mask, raw_mask, raw_count;
    struct shape shape, other;
    uint64_t *is_garbage; /* bitmap over objects */
    struct cycle_garbage garbage;
};

static struct cycle_component component_at(const struct grouping *grouping, uint32_t number)
{
    const struct graph_components *components = &grouping->pass->findings->facts->components;
    bool is_nested = number >= components->count;
    if (is_nested) {
        number -= components->count;
        components = &grouping->nested;
    }
    return (struct cycle_component){.members = components->members + components->first[number],
                                    .count = components->first[number + UINT64_C(1)] -
                                             components->first[number],
                                    .is_nested = is_nested};
}

/* ---- hash tables */

static uint64_t hash_key(const struct group_key *key)
{
    uint64_t bits = (uint64_t)key->count << 8 | key->kind << 3 | key->is_nested << 2 |
                    key->has_finalizer << 1 | key->has_callback;
    uint64_t hash =
        (key->hash ^ bits * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xFF51AFD7ED558CCD);
    return hash ^ hash >> 32;
}

static bool same_key(const struct group_key *a, const struct group_key *b)
{
    return a->hash == b->hash && a->count == b->count && a->kind == b->kind &&
           a->is_nested == b->is_nested && a->has_finalizer == b->has_finalizer &&
           a->has_callback == b->has_callback;
}

static bool grow_keys(struct grouping *grouping)
{
    uint32_t mask = grouping->by_key ? grouping->key_mask * 2 + 1 : FIRST_SLOTS - 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    free(grouping->by_key);
    grouping->by_key = slots;
    grouping->key_mask = mask;
    for (size_t i = 0; i < grouping->groups.count; i++) {
        uint32_t slot = (uint32_t)hash_key(&grouping->groups.items[i].key) & mask;
        while (slots[slot])
            slot = (slot + 1) & mask;
        slots[slot] = (uint32_t)i + 1;
    }
    return true;
}

/* The raw hash of a shape with the rest of its key mixed in: three words a slot. */
static uint32_t *raw_slot(struct grouping *grouping, const uint64_t raw[2])
{
    uint32_t slot = (uint32_t)(raw[0] ^ raw[1] >> 32) & grouping->raw_mask;
    for (; grouping->by_raw[slot]; slot = (slot + 1) & grouping->raw_mask)
        if (grouping->raw[2 * (size_t)slot] == raw[0] &&
            grouping->raw[2 * (size_t)slot + 1] == raw[1])
            break;
    return &grouping->by_raw[slot];
}

static bool grow_raw(struct grouping *grouping)
{
    uint32_t old_mask = grouping->raw_mask, *old = grouping->by_raw;
    uint64_t *old_raw = grouping->raw;
    uint32_t mask = old ? old_mask * 2 + 1 : FIRST_SLOTS - 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    uint64_t *raw = malloc(((size_t)mask + 1) * 2 * sizeof *raw);
    if (!slots || !raw) {
        free(slots);
        free(raw);
        return false;
    }
    grouping->by_raw = slots;
    grouping->raw = raw;
    grouping->raw_mask = mask;
    for (size_t i = 0; old && i <= old_mask; i++) {
        if (!old[i])
            continue;
        uint32_t *slot = raw_slot(grouping, old_raw + 2 * i);
        *slot = old[i];
        memcpy(raw + 2 * (slot - slots), old_raw + 2 * i, 2 * sizeof *raw);
    }
    free(old);
    free(old_raw);
    return true;
}

static bool remember_raw(struct grouping *grouping, const uint64_t raw[2], uint32_t group)
{
    if ((!grouping->by_raw || grouping->raw_count * 2 >= grouping->raw_mask) && !grow_raw(grouping))
        return false;
    uint32_t *slot = raw_slot(grouping, raw);
    if (!*slot) {
        memcpy(grouping->raw + 2 * (slot - grouping->by_raw), raw, 2 * sizeof *raw);
        grouping->raw_count++;
    }
    *slot = group + 1;
    return true;
}

/* ---- one component */

static enum group_kind kind_of(const struct cycle_pass *pass,
                               const struct cycle_component *component)
{
    bool code = false, instance = false;
    if (!graph_bit(pass->findings->facts->reached, component->members[0]))
        return GROUP_GARBAGE;
    for (uint32_t i = 0; i < component->count; i++) {
        uint8_t role = pass->role[pass->heap->type[component->members[i]]];
        if (role == ROLE_TYPE)
            return GROUP_PROGRAM;
        code |= role == ROLE_CODE;
        instance |= role == ROLE_INSTANCE;
    }
    return code && !instance ? GROUP_PROGRAM : GROUP_DATA;
}

static struct group_key key_of(const struct cycle_pass *pass,
                               const struct cycle_component *component)
{
    struct group_key key = {.count = component->count <= SHAPE_NODES ? component->count : 0,
                            .is_nested = component->is_nested,
                            .kind = (uint8_t)kind_of(pass, component)};
    for (uint32_t i = 0; i < component->count; i++) {
        uint32_t object = component->members[i];
        key.has_callback |= graph_bit(pass->has_callback, object);
        key.has_finalizer |= cycle_has_finalizer(pass, object);
    }
    return key;
}

/* An exact shape of the same colours may still be another one. */
static enum status is_of_group(struct grouping *grouping, const struct group *group,
                               const struct cycle_component *component, bool *ret_same)
{
    *ret_same = true;
    if (!grouping->shape.is_exact)
        return STATUS_OK;
    struct cycle_component first = component_at(grouping, group->first);
    shape_release(grouping->pass, component);
    enum status status = shape_read(grouping->pass, &first, &grouping->other);
    shape_release(grouping->pass, &first);
    if (status != STATUS_OK)
        return status;
    shape_refine(grouping->pass, &grouping->other);
    *ret_same = shapes_match(&grouping->shape, &grouping->other);
    return STATUS_OK;
}

/* Finds the group of a refined shape, or makes it. */
static enum status find_group(struct grouping *grouping, const struct group_key *key,
                              uint32_t number, uint32_t *ret_group)
{
    struct cycle_component component = component_at(grouping, number);
    unsigned compared = 0;
    bool same = false;
    if ((!grouping->by_key || grouping->groups.count * 2 >= grouping->key_mask) &&
        !grow_keys(grouping))
        return STATUS_NO_MEMORY;
    uint32_t slot = (uint32_t)hash_key(key) & grouping->key_mask;
    for (; grouping->by_key[slot]; slot = (slot + 1) & grouping->key_mask) {
        uint32_t group = grouping->by_key[slot] - 1;
        if (!same_key(&grouping->groups.items[group].key, key))
            continue;
        enum status status =
            is_of_group(grouping, &grouping->groups.items[group], &component, &same);
        if (status != STATUS_OK)
            return status;
        if (same || ++compared == MATCH_KINDS) {
            *ret_group = group;
            return STATUS_OK;
        }
    }
    const struct group group = {.key = *key, .first = number};
    if (grouping->groups.count >= UINT32_MAX - 2 || !array_push(&grouping->groups, group))
        return STATUS_NO_MEMORY;
    grouping->by_key[slot] = (uint32_t)grouping->groups.count;
    *ret_group = (uint32_t)grouping->groups.count - 1;
    return STATUS_OK;
}

static void add_garbage(struct grouping *grouping, const struct cycle_component *component,
                        uint64_t bytes)
{
    for (uint32_t i = 0; i < component->count; i++)
        grouping->is_garbage[component->members[i] >> 6] |= UINT64_C(1)
                                                            << (component->members[i] & 63);
    grouping->garbage.cycles++;
    grouping->garbage.objects += component->count;
    grouping->garbage.bytes += bytes;
}

/* Retained: what hangs on members that no other member dominates. With pass->node_of. */
static void add_copy(struct grouping *grouping, struct group *group,
                     const struct cycle_component *component)
{
    const struct heap_facts *facts = grouping->pass->findings->facts;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < component->count; i++) {
        uint32_t object = component->members[i], dominator = facts->dominators.idom[object];
        bytes += heap_size(grouping->pass->heap, object);
        if (dominator >= GRAPH_NONE || !grouping->pass->node_of[dominator])
            group->retained += heap_retained(facts, object);
    }
    group->copies++;
    group->members += component->count;
    group->bytes += bytes;
    if (group->key.kind == GROUP_GARBAGE)
        add_garbage(grouping, component, bytes);
}

static enum status group_component(struct grouping *grouping, uint32_t number)
{
    struct cycle_pass *pass = grouping->pass;
    struct cycle_component component = component_at(grouping, number);
    struct group_key key = key_of(pass, &component);
    uint32_t group = 0;
    bool known = false;
    enum status status = shape_read(pass, &component, &grouping->shape);
    if (status != STATUS_OK)
        return status;
    uint64_t raw[2] = {grouping->shape.raw[0] ^ hash_key(&key), grouping->shape.raw[1]};
    if (grouping->by_raw) {
        const uint32_t *slot = raw_slot(grouping, raw);
        known = *slot != 0;
        group = known ? *slot - 1 : 0;
    }
    if (!known) {
        if (grouping->shape.is_exact)
            shape_refine(pass, &grouping->shape);
        key.hash = grouping->shape.hash;
        status = find_group(grouping, &key, number, &group);
        if (status == STATUS_OK && !remember_raw(grouping, raw, group))
            status = STATUS_NO_MEMORY;
        for (uint32_t i = 0; i < component.count; i++) /* find_group may have let go of it */
            if (!pass->node_of[component.members[i]])
                pass->node_of[component.members[i]] = 1;
    }
    if (status == STATUS_OK) {
        grouping->group_of[number] = group;
        add_copy(grouping, &grouping->groups.items[group], &component);
    }
    shape_release(pass, &component);
    return status;
}

/* ---- rows */

/* Garbage first, then what holds data, then the program's own; the largest first. */
static int compare_groups(const void *left, const void *right)
{
    const struct group *a = *(const struct group *const *)left;
    const struct group *b = *(const struct group *const *)right;
    if (a->key.kind != b->key.kind)
        return a->key.kind < b->key.kind ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

static enum status write_edges(struct grouping *grouping, const struct group *group,
                               const struct drawing *drawing)
{
    struct text label;
    enum status status = STATUS_OK;
    text_init(&label);
    for (uint32_t i = 0; i < drawing->edge_count && status == STATUS_OK; i++) {
        const struct drawn_edge *edge = &drawing->edges[i];
        text_clear(&label);
        if (edge->in_namespace)
            label_attribute_text(grouping->pass->heap->labels, edge->code, &label);
        else
            label_text(grouping->pass->heap->labels, edge->code, &label);
        const struct index_value row[] = {
            INDEX_INT(group->id),
            INDEX_INT(i),
            INDEX_INT(edge->source + UINT64_C(1)),
            INDEX_INT(edge->target + UINT64_C(1)),
            INDEX_STR(label.size ? text_string(&label) : NULL),
        };
        status = index_writer_row(grouping->pass->findings->writer, INDEX_CYCLE_EDGE, row,
                                  sizeof row / sizeof *row);
    }
    text_deinit(&label);
    return status;
}

/* The row of the component of the facts that a nested one is within. */
static uint32_t outer_id(const struct grouping *grouping, const struct cycle_component *component)
{
    uint32_t outer =
        graph_component_of(&grouping->pass->findings->facts->components, component->members[0]);
    return outer == GRAPH_NONE ? 0 : grouping->groups.items[grouping->group_of[outer]].id;
}

static enum status write_group(struct grouping *grouping, const struct group *group,
                               struct text *words)
{
    struct cycle_component component = component_at(grouping, group->first);
    struct drawing drawing = {0};
    uint32_t start = component.members[0], nodes = 0;
    text_clear(words);
    enum status status = shape_read(grouping->pass, &component, &grouping->shape);
    if (status == STATUS_OK && grouping->shape.is_exact)
        shape_refine(grouping->pass, &grouping->shape);
    if (status == STATUS_OK)
        status = shape_text(grouping->pass, &grouping->shape, &component, words, &start);
    if (status == STATUS_OK)
        status = cycle_draw(grouping->pass, start, &drawing);
    for (uint32_t i = 0; i < component.count; i++)
        nodes += !(grouping->pass->node_of[component.members[i]] & NODE_NAMESPACE);
    shape_release(grouping->pass, &component);
    if (status != STATUS_OK)
        return status;
    const struct index_value row[] = {
        INDEX_INT(group->id),
        INDEX_STR(text_string(words)),
        INDEX_INT(group->key.kind == GROUP_GARBAGE),
        INDEX_INT(group->members),
        INDEX_INT(group->bytes),
        INDEX_INT(group->copies),
        INDEX_INT(group->key.has_finalizer),
        INDEX_INT(group->key.has_callback),
        INDEX_INT(group->retained),
        INDEX_STR(kind_names[group->key.kind]),
        INDEX_INT(start + UINT64_C(1)),
        INDEX_INT(nodes),
        INDEX_INT_IF(group->key.is_nested, outer_id(grouping, &component)),
    };
    status = index_writer_row(grouping->pass->findings->writer, INDEX_CYCLE, row,
                              sizeof row / sizeof *row);
    return status == STATUS_OK ? write_edges(grouping, group, &drawing) : status;
}

static enum status write_members(struct grouping *grouping)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < grouping->groups.count; i++)
        grouping->groups.items[i].copies = 0;
    for (uint32_t number = 0; number < grouping->count; number++) {
        struct cycle_component component = component_at(grouping, number);
        struct group *group = &grouping->groups.items[grouping->group_of[number]];
        group->copies++;
        for (uint32_t i = 0; i < component.count && status == STATUS_OK; i++) {
            const struct index_value row[] = {
                INDEX_INT(group->id),
                INDEX_INT(component.members[i] + UINT64_C(1)),
                INDEX_INT(group->copies),
            };
            status = index_writer_row(grouping->pass->findings->writer, INDEX_CYCLE_MEMBER, row, 3);
        }
    }
    return status;
}

static enum status write_rows(struct grouping *grouping)
{
    size_t count = grouping->groups.count;
    struct group **order = malloc((count + 1) * sizeof *order);
    struct text words;
    enum status status = order ? STATUS_OK : STATUS_NO_MEMORY;
    text_init(&words);
    for (size_t i = 0; i < count && order; i++)
        order[i] = &grouping->groups.items[i];
    if (order)
        qsort(order, count, sizeof *order, compare_groups);
    for (size_t i = 0; i < count && order; i++)
        order[i]->id = (uint32_t)i + 1;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = write_group(grouping, order[i], &words);
    if (status == STATUS_OK)
        status = write_members(grouping);
    text_deinit(&words);
    free(order);
    return status;
}

static enum status group_all(struct grouping *grouping)
{
    const struct heap *heap = grouping->pass->heap;
    enum status status = STATUS_OK;
    grouping->count = grouping->pass->findings->facts->components.count + grouping->nested.count;
    grouping->group_of = malloc(((size_t)grouping->count + 1) * sizeof *grouping->group_of);
    grouping->is_garbage = calloc((size_t)heap->count / 64 + 1, sizeof *grouping->is_garbage);
    grouping->garbage.is_garbage = grouping->is_garbage;
    if (!grouping->group_of || !grouping->is_garbage)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < grouping->count && status == STATUS_OK; i++)
        status = group_component(grouping, i);
    return status;
}

static void grouping_deinit(struct grouping *grouping)
{
    graph_components_deinit(&grouping->nested);
    free(grouping->group_of);
    free(grouping->by_key);
    free(grouping->by_raw);
    free(grouping->raw);
    free(grouping->is_garbage);
    array_deinit(&grouping->groups);
    shape_deinit(&grouping->shape);
    shape_deinit(&grouping->other);
}

enum status cycles_write(const struct findings *findings, struct error *err)
{
    struct cycle_pass pass;
    struct grouping grouping = {.pass = &pass};
    enum status status = cycle_pass_init(&pass, findings);
    if (status != STATUS_OK)
        return error_set(err, status, "out of memory");
    status = cycles_find_nested(&pass, &grouping.nested, err);
    if (status == STATUS_OK)
        status = group_all(&grouping);
    if (status == STATUS_OK)
        status = write_rows(&grouping);
    if (status == STATUS_OK)
        status = collector_write(findings, &grouping.garbage, err);
    grouping_deinit(&grouping);
    cycle_pass_deinit(&pass);
    return status;
}
