/* SPDX-License-Identifier: Apache-2.0 */
/* tuple, list, set, frozenset, deque, range, slice. */
#include "analyzer/objects/repr.h"

/* `count` items whose addresses are at `items_addr`. */
static void repr_array(struct repr *repr, uint64_t items_addr, uint64_t count)
{
    enum status status = repr_array_is_sane(repr, items_addr, count) ? STATUS_OK : STATUS_CORRUPT;
    uint64_t i = 0, item_addr;
    while (status == STATUS_OK && i < count && repr_next_item(repr, i, count)) {
        status = pointer_at(repr->process, items_addr + 8 * i, &item_addr);
        if (status != STATUS_OK)
            break;
        repr_value(repr, item_addr);
        i++;
    }
    repr_items_end(repr, status);
}

void repr_tuple(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t items_addr, count;
    enum status status = tuple_items(repr->process, addr, &items_addr, &count);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (!count) {
        text_append(repr->text, "()");
    } else if (repr_enter(repr, addr, "(...)")) {
        text_append_char(repr->text, '(');
        repr_array(repr, items_addr, count);
        text_append(repr->text, count == 1 ? ",)" : ")");
        repr_leave(repr);
    }
}

void repr_list(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t items_addr, count;
    enum status status = list_items(repr->process, addr, &items_addr, &count);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (!count) {
        text_append(repr->text, "[]");
    } else if (repr_enter(repr, addr, "[...]")) {
        text_append_char(repr->text, '[');
        repr_array(repr, items_addr, count);
        text_append_char(repr->text, ']');
        repr_leave(repr);
    }
}

static void repr_set_items(struct repr *repr, struct set_iterator *iterator)
{
    enum status status = STATUS_OK;
    uint64_t count = 0, item_addr;
    while (count < iterator->used && repr_next_item(repr, count, iterator->used) &&
           set_next(repr->process, iterator, &item_addr, &status)) {
        repr_value(repr, item_addr);
        count++;
    }
    repr_items_end(repr, status);
}

void repr_set(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    struct set_iterator iterator;
    bool has_name = type->kind != KIND_SET || !type->is_exact_kind;
    enum status status = set_iterate(repr->process, addr, &iterator);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (!iterator.used) {
        text_printf(repr->text, "%s()", type->short_name);
    } else if (repr_enter(repr, addr, type->kind == KIND_SET ? "set(...)" : "frozenset(...)")) {
        text_printf(repr->text, "%s%s", has_name ? type->short_name : "", has_name ? "({" : "{");
        repr_set_items(repr, &iterator);
        text_append(repr->text, has_name ? "})" : "}");
        repr_leave(repr);
    }
}

static void repr_deque_items(struct repr *repr, struct deque_iterator *iterator)
{
    enum status status = STATUS_OK;
    uint64_t item_addr;
    while (iterator->next < iterator->count &&
           repr_next_item(repr, iterator->next, iterator->count) &&
           deque_next(repr->process, iterator, &item_addr, &status))
        repr_value(repr, item_addr);
    repr_items_end(repr, status);
}

void repr_deque(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    struct deque_iterator iterator;
    enum status status = deque_iterate(repr->process, addr, &iterator);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (repr_enter(repr, addr, "[...]")) {
        text_printf(repr->text, "%s([", type->short_name);
        repr_deque_items(repr, &iterator);
        text_append_char(repr->text, ']');
        if (iterator.maxlen >= 0)
            text_printf(repr->text, ", maxlen=%" PRId64, iterator.maxlen);
        text_append_char(repr->text, ')');
        repr_leave(repr);
    }
}

void repr_range(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    uint64_t step_addr;
    int64_t step;
    (void)type;
    text_append(repr->text, "range(");
    repr_field(repr, addr, PY_range_start);
    text_append(repr->text, ", ");
    repr_field(repr, addr, PY_range_stop);
    if (field_u64(repr->process, addr, PY_range_step, &step_addr) != STATUS_OK ||
        int_read(repr->process, step_addr, &step) != STATUS_OK || step != 1) {
        text_append(repr->text, ", ");
        repr_field(repr, addr, PY_range_step);
    }
    text_append_char(repr->text, ')');
}

void repr_slice(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    (void)type;
    if (!repr_enter(repr, addr, NULL))
        return;
    text_append(repr->text, "slice(");
    repr_field(repr, addr, PY_slice_start);
    text_append(repr->text, ", ");
    repr_field(repr, addr, PY_slice_stop);
    text_append(repr->text, ", ");
    repr_field(repr, addr, PY_slice_step);
    text_append_char(repr->text, ')');
    repr_leave(repr);
}
