/* SPDX-License-Identifier: Apache-2.0 */
/* tuple and list objects: where their items are. The items themselves may be
 * missing from the dump; who reads them is told so then.
 *
 * OFFSET (layout)   SIZE  MEANING
 * var_size          8     items
 * tuple_items       -     tuple: the items' addresses, 8 bytes each
 * list_items        8     list: pointer to the items' addresses; NULL when empty */
#include "analyzer/objects/fields.h"

static enum status item_count(const struct python_process *process, uint64_t addr,
                              uint64_t *ret_count)
{
    int64_t size;
    enum status status = object_size(process, addr, &size);
    if (status != STATUS_OK)
        return status;
    if (size < 0 || size > INT64_MAX / 16)
        return STATUS_CORRUPT;
    *ret_count = (uint64_t)size;
    return STATUS_OK;
}

enum status tuple_items_raw(const struct python_process *process, uint64_t addr,
                            uint64_t *ret_items_addr, uint64_t *ret_count)
{
    uint64_t count;
    enum status status = item_count(process, addr, &count);
    if (status != STATUS_OK)
        return status;
    *ret_items_addr = addr + layout_get(&process->layout, PY_tuple_items);
    *ret_count = count;
    return STATUS_OK;
}

static enum status must_be(struct python_process *process, uint64_t addr, enum object_kind kind)
{
    const struct python_type *type;
    enum status status = object_type(process, addr, &type);
    if (status == STATUS_OK && type->kind != kind)
        status = STATUS_CORRUPT;
    return status;
}

enum status tuple_items(struct python_process *process, uint64_t addr, uint64_t *ret_items_addr,
                        uint64_t *ret_count)
{
    enum status status = must_be(process, addr, KIND_TUPLE);
    return status == STATUS_OK ? tuple_items_raw(process, addr, ret_items_addr, ret_count) : status;
}

enum status list_items(struct python_process *process, uint64_t addr, uint64_t *ret_items_addr,
                       uint64_t *ret_count)
{
    uint64_t count, items_addr;
    enum status status = must_be(process, addr, KIND_LIST);
    if (status == STATUS_OK)
        status = item_count(process, addr, &count);
    if (status == STATUS_OK)
        status = field_u64(process, addr, PY_list_items, &items_addr);
    if (status != STATUS_OK)
        return status;
    *ret_items_addr = items_addr;
    *ret_count = count;
    return STATUS_OK;
}
