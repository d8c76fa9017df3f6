/* SPDX-License-Identifier: Apache-2.0 */
/* collections.deque objects (Modules/_collectionsmodule.c): a chain of blocks.
 *
 * OFFSET (layout)      SIZE  MEANING
 * var_size             8     items
 * deque_left_block     8     pointer to the first block
 * deque_left_index     8     the first item's place in it
 * deque_maxlen         8     bound, -1 for none
 * of a block:
 * deque_block_data     -     deque_block_length items, 8 bytes each
 * deque_block_right    8     pointer to the next block */
#include "analyzer/objects/containers.h"

enum status deque_iterate(struct python_process *process, uint64_t addr,
                          struct deque_iterator *ret_iterator)
{
    struct deque_iterator iterator = {0};
    int64_t size;
    uint64_t maxlen;
    enum status status = object_size(process, addr, &size);
    if (status == STATUS_OK)
        status = field_u64(process, addr, PY_deque_left_block, &iterator.block_addr);
    if (status == STATUS_OK)
        status = field_u64(process, addr, PY_deque_left_index, &iterator.index);
    if (status == STATUS_OK)
        status = field_u64(process, addr, PY_deque_maxlen, &maxlen);
    if (status != STATUS_OK)
        return status;
    if (size < 0 || iterator.index > layout_get(&process->layout, PY_deque_block_length))
        return STATUS_CORRUPT;
    iterator.count = (uint64_t)size;
    iterator.maxlen = (int64_t)maxlen;
    *ret_iterator = iterator;
    return STATUS_OK;
}

bool deque_next(struct python_process *process, struct deque_iterator *iterator, uint64_t *ret_item,
                enum status *ret_status)
{
    const struct python_layout *layout = &process->layout;
    *ret_status = STATUS_OK;
    if (iterator->next == iterator->count)
        return false;
    enum status status = STATUS_OK;
    if (iterator->index == layout_get(layout, PY_deque_block_length)) {
        status =
            field_u64(process, iterator->block_addr, PY_deque_block_right, &iterator->block_addr);
        iterator->index = 0;
    }
    if (status == STATUS_OK)
        status = pointer_at(process,
                            iterator->block_addr + layout_get(layout, PY_deque_block_data) +
                                8 * iterator->index,
                            ret_item);
    if (status != STATUS_OK) {
        *ret_status = status;
        iterator->next = iterator->count;
        return false;
    }
    iterator->index++;
    iterator->next++;
    return true;
}
