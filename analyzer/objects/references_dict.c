/* SPDX-License-Identifier: Apache-2.0 */
/* References of dict and its kin (Objects/dictobject.c, odictobject.c).
 *
 * tp_traverse visits keys only where they may be no str; str keys count all the
 * same. The keys of a split dict belong to the type of the instances that share
 * them. dict.c says how a dict is laid out. Of OrderedDict, further:
 *
 * OFFSET (layout)    SIZE  MEANING
 * odict_first        8     pointer to the first node, NULL in an empty one
 * odictnode_key      8     the key once more
 * odictnode_next     8     pointer to the next node, NULL in the last */
#include "analyzer/objects/references_plan.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"

#define KEYS_GENERAL 0 /* kind of keys that may be no str */

/* Up to 3.10: no kind, but the look-up function of dicts with other keys. */
static enum status read_old_keys(const struct python_process *process, uint64_t keys_addr,
                                 const uint8_t *keys, struct dict_entries *ret_entries)
{
    const struct python_layout *layout = &process->layout;
    const struct reference_facts *facts = process->types->references;
    uint64_t slots = load_u64(keys + layout_get(layout, PY_keys_size_or_log2));
    uint64_t width = slots <= 0xFF ? 1 : slots <= 0xFFFF ? 2 : slots <= 0xFFFFFFFF ? 4 : 8;
    uint64_t lookup = load_u64(keys + layout_get(layout, PY_keys_lookup));
    if (slots > LIMIT_DICT_ENTRIES)
        return STATUS_CORRUPT;
    *ret_entries = (struct dict_entries){
        .addr = keys_addr + layout_get(layout, PY_keys_indices) + slots * width,
        .count = load_u64(keys + layout_get(layout, PY_keys_nentries)),
        .size = layout_get(layout, PY_keys_entry_size),
        .key = layout_get(layout, PY_keys_entry_key),
        .value = layout_get(layout, PY_keys_entry_value),
        .visits_keys = facts && lookup == facts->general_lookup,
    };
    return ret_entries->count <= slots ? STATUS_OK : STATUS_CORRUPT;
}

enum status dict_entries_read(const struct python_process *process, uint64_t keys_addr,
                              struct dict_entries *ret_entries)
{
    const struct python_layout *layout = &process->layout;
    const uint8_t *keys =
        memory_view(process->image, keys_addr, layout_get(layout, PY_keys_indices));
    if (!keys)
        return STATUS_NOT_IN_DUMP;
    if (!layout_has(layout, PY_keys_kind))
        return read_old_keys(process, keys_addr, keys, ret_entries);
    uint8_t log2_slots = keys[layout_get(layout, PY_keys_size_or_log2)];
    uint8_t log2_bytes = keys[layout_get(layout, PY_keys_log2_index_bytes)];
    bool is_general = keys[layout_get(layout, PY_keys_kind)] == KEYS_GENERAL;
    if (log2_slots > 40 || log2_bytes > 44)
        return STATUS_CORRUPT;
    *ret_entries = (struct dict_entries){
        .addr = keys_addr + layout_get(layout, PY_keys_indices) + (UINT64_C(1) << log2_bytes),
        .count = load_u64(keys + layout_get(layout, PY_keys_nentries)),
        .size = layout_get(layout, is_general ? PY_keys_entry_size : PY_keys_unicode_entry_size),
        .key = layout_get(layout, is_general ? PY_keys_entry_key : PY_keys_unicode_entry_key),
        .value = layout_get(layout, is_general ? PY_keys_entry_value : PY_keys_unicode_entry_value),
        .visits_keys = is_general,
    };
    return ret_entries->count <= UINT64_C(1) << log2_slots ? STATUS_OK : STATUS_CORRUPT;
}

static void visit_entries(struct object_walk *walk, const struct dict_entries *entries)
{
    const uint8_t *bytes = walk_view(walk, entries->addr, entries->count * entries->size);
    if (!bytes || !walk_reserve(walk, 2 * entries->count))
        return;
    enum reference_kind key_kind =
        entries->visits_keys ? walk->plan->counted : (enum reference_kind)REFERENCE_HIDDEN;
    for (uint64_t i = 0; i < entries->count; i++, bytes += entries->size) {
        uint64_t value = load_u64(bytes + entries->value), key = load_u64(bytes + entries->key);
        if (!value)
            continue;
        walk_add(walk, value, walk->plan->counted, LABEL_KEY, key);
        walk_add(walk, key, key_kind, LABEL_KEY_ITSELF, 0);
    }
}

/* Where the array is, and of how many values; false: the instance visits them. */
static bool find_values(struct object_walk *walk, uint64_t *values_addr, uint64_t *count)
{
    const struct python_layout *layout = &walk->process->layout;
    if (layout_has(layout, PY_values_embedded)) {
        const uint8_t *head = walk_view(walk, *values_addr, layout_get(layout, PY_values_array));
        if (!head || (head[layout_get(layout, PY_values_embedded)] && !walk->plan->visits_own_dict))
            return false;
        *count = min_u64(*count, head[layout_get(layout, PY_values_capacity)]);
    }
    *values_addr += layout_get(layout, PY_values_array);
    return true;
}

static void visit_split(struct object_walk *walk, uint64_t values_addr,
                        const struct dict_entries *entries)
{
    uint64_t count = entries->count;
    if (!count || !find_values(walk, &values_addr, &count) || !count)
        return;
    const uint8_t *names = walk_view(walk, entries->addr, count * entries->size);
    const uint8_t *values = walk_view(walk, values_addr, 8 * count);
    if (!names || !values || !walk_reserve(walk, count))
        return;
    for (uint64_t i = 0; i < count; i++)
        walk_add(walk, load_u64(values + 8 * i), walk->plan->counted, LABEL_KEY,
                 load_u64(names + i * entries->size + entries->key));
}

void visit_dict(struct object_walk *walk)
{
    struct dict_entries entries;
    uint64_t keys_addr = walk_field(walk, PY_dict_keys);
    uint64_t values_addr = walk_field(walk, PY_dict_values);
    enum status status = dict_entries_read(walk->process, keys_addr, &entries);
    if (status != STATUS_OK) {
        walk_fail(walk, status);
        return;
    }
    if (values_addr)
        visit_split(walk, values_addr, &entries);
    else if (entries.count)
        visit_entries(walk, &entries);
}

void visit_ordered_dict(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    struct cycle_guard guard = {0};
    uint64_t node_addr = walk_field(walk, PY_odict_first);
    while (node_addr && walk->status == STATUS_OK) {
        if (!cycle_guard_step(&guard, node_addr)) {
            walk_fail(walk, STATUS_CORRUPT);
            break;
        }
        walk_add(walk, walk_read(walk, node_addr + layout_get(layout, PY_odictnode_key)),
                 walk->plan->counted, LABEL_KEY_ITSELF, 0);
        node_addr = walk_read(walk, node_addr + layout_get(layout, PY_odictnode_next));
    }
    visit_dict(walk);
}
