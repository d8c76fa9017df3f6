/* SPDX-License-Identifier: Apache-2.0 */
/* Dataclasses, named tuples, struct sequences: "Point(x=1, y=2)". */
#include "analyzer/objects/repr.h"

/* The attribute as getattr finds it: of the instance, else a default of the class. */
static bool attribute_of(struct repr *repr, const struct python_type *type, uint64_t addr,
                         const char *name, uint64_t *ret_value)
{
    const struct type_entry *owner;
    return instance_attribute(repr->process, addr, name, ret_value) == STATUS_OK ||
           class_lookup(repr->process, type, name, &owner, ret_value);
}

void repr_dataclass(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const struct class_shape *shape = class_shape_of(repr->process, type);
    uint64_t value;
    if (!repr_enter(repr, addr, "..."))
        return;
    text_printf(repr->text, "%s(", type->qualname);
    for (size_t i = 0; i < shape->field_count && repr_next_item(repr, i, shape->field_count); i++) {
        text_append(repr->text, shape->fields[i]);
        text_append_char(repr->text, '=');
        if (attribute_of(repr, type, addr, shape->fields[i], &value))
            repr_value(repr, value);
        else
            text_append(repr->text, "<not set>");
    }
    text_append_char(repr->text, ')');
    repr_leave(repr);
}

void repr_named_items(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const struct class_shape *shape = class_shape_of(repr->process, type);
    uint64_t items_addr, count, item_addr;
    enum status status = tuple_items(repr->process, addr, &items_addr, &count);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
        return;
    }
    if (count < shape->field_count) {
        repr_as_kind(repr, type, addr);
        return;
    }
    if (!repr_enter(repr, addr, NULL))
        return;
    text_printf(repr->text, "%s(",
                shape->form == FORM_STRUCT_SEQ ? type_entry_of(type)->tp_name : type->short_name);
    for (size_t i = 0; status == STATUS_OK && i < shape->field_count &&
                       repr_next_item(repr, i, shape->field_count);
         i++) {
        text_append(repr->text, shape->fields[i]);
        text_append_char(repr->text, '=');
        status = pointer_at(repr->process, items_addr + 8 * i, &item_addr);
        if (status == STATUS_OK)
            repr_value(repr, item_addr);
    }
    repr_items_end(repr, status);
    text_append_char(repr->text, ')');
    repr_leave(repr);
}
