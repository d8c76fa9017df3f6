/* SPDX-License-Identifier: Apache-2.0 */
/* set and frozenset objects (Include/cpython/setobject.h).
 *
 * OFFSET (layout)   SIZE  MEANING
 * set_used          8     items
 * set_mask          8     slots of the table less one
 * set_table         8     pointer to the table
 * of a slot of set_entry_size bytes:
 * set_entry_key     8     the item; NULL in a free slot
 * (key + 8)         8     its hash; -1 in the slot of an item that was removed,
 *                         where the key is a dummy */
#include "analyzer/objects/containers.h"

#define REMOVED UINT64_MAX
/* Free slots in a row; a set that lost nearly all of its items has this many. */
#define FREE_SLOTS_MAX (UINT64_C(1) << 22)

enum status set_iterate(struct python_process *process, uint64_t addr,
                        struct set_iterator *ret_iterator)
{
    struct set_iterator iterator = {0};
    uint64_t mask;
    enum status status = field_u64(process, addr, PY_set_used, &iterator.used);
    if (status == STATUS_OK)
        status = field_u64(process, addr, PY_set_mask, &mask);
    if (status == STATUS_OK)
        status = field_u64(process, addr, PY_set_table, &iterator.table_addr);
    if (status != STATUS_OK)
        return status;
    if (mask > (uint64_t)INT64_MAX / 32 || (mask & (mask + 1)) || iterator.used > mask + 1)
        return STATUS_CORRUPT;
    iterator.slots = mask + 1;
    *ret_iterator = iterator;
    return STATUS_OK;
}

bool set_next(struct python_process *process, struct set_iterator *iterator, uint64_t *ret_item,
              enum status *ret_status)
{
    uint64_t entry_size = layout_get(&process->layout, PY_set_entry_size);
    uint64_t key_offset = layout_get(&process->layout, PY_set_entry_key);
    *ret_status = STATUS_OK;
    uint64_t free_from = iterator->next;
    while (iterator->next < iterator->slots && iterator->seen < iterator->used) {
        uint64_t entry_addr = iterator->table_addr + entry_size * iterator->next++ + key_offset;
        const uint8_t *entry = view_at(process, entry_addr, 16);
        if (!entry || iterator->next - free_from > FREE_SLOTS_MAX) {
            *ret_status = entry ? STATUS_OVER_LIMIT : STATUS_NOT_IN_DUMP;
            iterator->next = iterator->slots;
            return false;
        }
        uint64_t key = load_u64(entry), hash = load_u64(entry + 8);
        if (key && hash != REMOVED) {
            iterator->seen++;
            *ret_item = key;
            return true;
        }
    }
    return false;
}
