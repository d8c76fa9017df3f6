/* SPDX-License-Identifier: Apache-2.0 */
/* Room that lists, dicts and sets have and do not use.
 *
 * OFFSET (layout)     SIZE  MEANING
 * var_size            8     items of a list
 * list_allocated      8     room for items
 * dict_used           8     entries in use
 * dict_values         8     not NULL: the keys are shared by instances
 * dict_keys           8     the keys object (dict.c)
 * set_used, set_mask  8     items; slots of the table less one
 *
 * Sparse is what growing alone never leaves: a dict grows to room for at most four
 * times its entries, a set's table to at most eight times its items. What there is to
 * gain is the difference to a copy of it. */
#include "analyzer/findings/waste_pass.h"
#include "analyzer/objects/fields.h"

#define SLOTS_MIN   8 /* of a dict or set */
#define DICT_SPARSE 4 /* room to entries, above */
#define SET_SPARSE  8 /* slots to items, above */
#define SLOTS_MAX   (UINT64_C(1) << 40)
#define POINTER     8

bool waste_of_list(struct waste_pass *pass, uint32_t object)
{
    const struct python_process *process = pass->heap->process;
    uint64_t addr = heap_address(pass->heap, object), items, room;
    if (field_u64(process, addr, PY_var_size, &items) != STATUS_OK ||
        field_u64(process, addr, PY_list_allocated, &room) != STATUS_OK || items > room ||
        room > heap_size(pass->heap, object) / POINTER)
        return true;
    if (!items)
        return waste_add(pass, WASTE_EMPTY_LIST, object, heap_size(pass->heap, object));
    return items == room || waste_add(pass, WASTE_LIST_ROOM, object, (room - items) * POINTER);
}

/* ---- dict */

struct keys {
    uint64_t slots, entry_size;
};

static bool read_keys(const struct python_process *process, uint64_t keys_addr, struct keys *keys)
{
    const struct python_layout *layout = &process->layout;
    uint8_t log2_slots, kind;
    keys->entry_size = layout_get(layout, PY_keys_entry_size);
    if (!layout_has(layout, PY_keys_kind))
        return field_u64(process, keys_addr, PY_keys_size_or_log2, &keys->slots) == STATUS_OK &&
               keys->slots <= SLOTS_MAX;
    if (field_u8(process, keys_addr, PY_keys_size_or_log2, &log2_slots) != STATUS_OK ||
        field_u8(process, keys_addr, PY_keys_kind, &kind) != STATUS_OK || log2_slots > 40)
        return false;
    keys->slots = UINT64_C(1) << log2_slots;
    if (kind)
        keys->entry_size = layout_get(layout, PY_keys_unicode_entry_size);
    return true;
}

static uint64_t room_of(uint64_t slots)
{
    return slots * 2 / 3;
}

/* The index table and the entries. */
static uint64_t keys_bytes(uint64_t slots, uint64_t entry_size)
{
    uint64_t width = slots <= 0xFF ? 1 : slots <= 0xFFFF ? 2 : slots <= 0xFFFFFFFF ? 4 : 8;
    return slots * width + room_of(slots) * entry_size;
}

bool waste_of_dict(struct waste_pass *pass, uint32_t object)
{
    const struct python_process *process = pass->heap->process;
    uint64_t addr = heap_address(pass->heap, object), used, values_addr, keys_addr;
    struct keys keys;
    if (field_u64(process, addr, PY_dict_used, &used) != STATUS_OK || used > SLOTS_MAX)
        return true;
    if (!used)
        return waste_add(pass, WASTE_EMPTY_DICT, object, heap_size(pass->heap, object));
    uint64_t least = layout_get(&process->layout, PY_keys_indices) +
                     keys_bytes(SLOTS_MIN, layout_get(&process->layout, PY_keys_entry_size));
    /* its size tells already where the table is as small as can be, or shared */
    if (heap_size(pass->heap, object) <= least + 64 ||
        field_u64(process, addr, PY_dict_values, &values_addr) != STATUS_OK || values_addr ||
        field_u64(process, addr, PY_dict_keys, &keys_addr) != STATUS_OK ||
        !read_keys(process, keys_addr, &keys) || used * DICT_SPARSE >= room_of(keys.slots))
        return true;
    uint64_t needed = SLOTS_MIN;
    while (room_of(needed) < used)
        needed *= 2;
    uint64_t now = keys_bytes(keys.slots, keys.entry_size);
    if (needed >= keys.slots || now > heap_size(pass->heap, object))
        return true;
    return waste_add(pass, WASTE_SPARSE_DICT, object, now - keys_bytes(needed, keys.entry_size));
}

/* ---- set */

/* As set.c's growth does, up to 4 items in the table of the set itself. */
static uint64_t slots_for(uint64_t used)
{
    uint64_t slots = SLOTS_MIN;
    if (used * 5 < (SLOTS_MIN - 1) * 3)
        return slots;
    while (slots <= used * 2)
        slots *= 2;
    return slots;
}

bool waste_of_set(struct waste_pass *pass, uint32_t object)
{
    const struct python_process *process = pass->heap->process;
    uint64_t addr = heap_address(pass->heap, object), used, mask;
    if (field_u64(process, addr, PY_set_used, &used) != STATUS_OK ||
        field_u64(process, addr, PY_set_mask, &mask) != STATUS_OK || mask > SLOTS_MAX ||
        used > mask)
        return true;
    if (!used)
        return waste_add(pass, WASTE_EMPTY_SET, object, heap_size(pass->heap, object));
    uint64_t slots = mask + 1, needed = slots_for(used),
             slot_size = layout_get(&process->layout, PY_set_entry_size);
    if (slots <= SLOTS_MIN || used * SET_SPARSE >= slots || needed >= slots ||
        slots * slot_size > heap_size(pass->heap, object))
        return true;
    uint64_t kept = needed == SLOTS_MIN ? 0 : needed * slot_size;
    return waste_add(pass, WASTE_SPARSE_SET, object, slots * slot_size - kept);
}
