/* SPDX-License-Identifier: Apache-2.0 */
/* References of list, tuple, set, deque and the nodes of a context's tree.
 *
 * OFFSET        SIZE  MEANING
 * list, tuple, set, deque: see sequence.c, set.c, deque.c
 * hamt_array_node (Python/hamt.c):
 * 16            256   32 children
 * hamt_bitmap_node, hamt_collision_node:
 * 32            -     children, keys and values, as many as ob_size
 * itertools._tee_dataobject (Modules/itertoolsmodule.c):
 * 24            4     items read so far
 * 40            456   at most 57 items
 * _sre.SRE_Template (Modules/_sre/sre.h):
 * 40            -     ob_size pairs of a group's number and the text after it */
#include "analyzer/objects/references_plan.h"

#include "inquest/base/cycle_guard.h"

#define ITEMS_MAX     (UINT64_C(1) << 32)
#define HAMT_CHILDREN 32
#define TEE_ITEMS_MAX 57
#define SET_REMOVED   UINT64_MAX /* hash of an entry that was taken out */

static uint64_t item_count(struct object_walk *walk)
{
    uint64_t count = walk_field(walk, PY_var_size);
    if (count <= ITEMS_MAX)
        return count;
    walk_fail(walk, STATUS_CORRUPT);
    return 0;
}

void visit_list(struct object_walk *walk)
{
    walk_add_array(walk, walk_field(walk, PY_list_items), item_count(walk), walk->plan->counted);
}

void visit_tuple(struct object_walk *walk)
{
    walk_add_array(walk, walk->addr + layout_get(&walk->process->layout, PY_tuple_items),
                   item_count(walk), walk->plan->counted);
}

/* Has more fields than its length says; the type's dictionary tells how many. */
void visit_struct_sequence(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t shown = item_count(walk), all = walk->plan->struct_fields;
    uint64_t items_addr = walk->addr + layout_get(layout, PY_tuple_items);
    if (all < shown || all > shown + 256)
        all = shown;
    walk_add_array(walk, items_addr, all, walk->plan->counted);
}

void visit_set(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t used = walk_field(walk, PY_set_used), mask = walk_field(walk, PY_set_mask);
    uint64_t size = layout_get(layout, PY_set_entry_size);
    if (!used)
        return;
    if (mask > ITEMS_MAX || used > mask + 1) {
        walk_fail(walk, STATUS_CORRUPT);
        return;
    }
    const uint8_t *entry = walk_view(walk, walk_field(walk, PY_set_table), (mask + 1) * size);
    if (!entry || !walk_reserve(walk, used))
        return;
    for (uint64_t i = 0; i <= mask; i++, entry += size)
        if (load_u64(entry) && load_u64(entry + 8) != SET_REMOVED)
            walk_add(walk, load_u64(entry), walk->plan->counted, LABEL_KEY_ITSELF, 0);
}

void visit_deque(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t left = item_count(walk), index = walk_field(walk, PY_deque_left_index), item = 0;
    uint64_t block_addr = walk_field(walk, PY_deque_left_block);
    uint64_t length = layout_get(layout, PY_deque_block_length);
    struct cycle_guard guard = {0};
    if (left && index >= length)
        walk_fail(walk, STATUS_CORRUPT);
    while (left && walk->status == STATUS_OK) {
        if (!cycle_guard_step(&guard, block_addr)) {
            walk_fail(walk, STATUS_CORRUPT);
            return;
        }
        uint64_t count = length - index < left ? length - index : left;
        uint64_t data_addr = block_addr + layout_get(layout, PY_deque_block_data);
        const uint8_t *bytes = walk_view(walk, data_addr + 8 * index, 8 * count);
        for (uint64_t i = 0; bytes && i < count; i++)
            walk_add(walk, load_u64(bytes + 8 * i), walk->plan->counted, LABEL_INDEX, item++);
        left -= count;
        index = 0;
        if (left)
            block_addr = walk_read(walk, block_addr + layout_get(layout, PY_deque_block_right));
    }
}

void visit_hamt_array(struct object_walk *walk)
{
    walk_add_array(walk, walk->addr + 16, HAMT_CHILDREN, walk->plan->counted);
}

void visit_hamt_items(struct object_walk *walk)
{
    walk_add_array(walk, walk->addr + 32, item_count(walk), walk->plan->counted);
}

void visit_tee_data(struct object_walk *walk)
{
    uint32_t count = walk_u32(walk, 24);
    if (count > TEE_ITEMS_MAX)
        walk_fail(walk, STATUS_CORRUPT);
    else
        walk_add_array(walk, walk->addr + 40, count, walk->plan->counted);
}

void visit_template(struct object_walk *walk)
{
    uint64_t count = item_count(walk);
    const uint8_t *bytes = count ? walk_view(walk, walk->addr + 40, 16 * count) : NULL;
    for (uint64_t i = 0; bytes && i < count; i++)
        walk_add(walk, load_u64(bytes + 16 * i + 8), walk->plan->counted, LABEL_INDEX, i);
}
