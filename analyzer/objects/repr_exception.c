/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions: the class's name and the arguments. */
#include "analyzer/objects/repr.h"

void repr_exception(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t args_addr, items_addr, count, item_addr;
    enum status status = field_u64(repr->process, addr, PY_exception_args, &args_addr);
    if (status == STATUS_OK)
        status = tuple_items(repr->process, args_addr, &items_addr, &count);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
        return;
    }
    if (count && !repr_array_is_sane(repr, items_addr, count))
        status = STATUS_CORRUPT;
    if (!repr_enter(repr, addr, NULL))
        return;
    text_printf(repr->text, "%s(", type->short_name);
    for (uint64_t i = 0; status == STATUS_OK && i < count && repr_next_item(repr, i, count); i++) {
        status = pointer_at(repr->process, items_addr + 8 * i, &item_addr);
        if (status == STATUS_OK)
            repr_value(repr, item_addr);
    }
    repr_items_end(repr, status);
    text_append_char(repr->text, ')');
    repr_leave(repr);
}
