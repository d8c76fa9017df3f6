/* SPDX-License-Identifier: Apache-2.0 */
/* An instance's own attributes: where its __dict__ is depends on type and version.
 *
 * OFFSET (layout)                  SIZE  MEANING
 * - (type's dictoffset)            8     pointer to the dict; negative: from the end
 * managed_dict_before_object       8     3.11 on, types of managed dictionary: the dict;
 *                                        3.12: or the values, tagged
 * managed_values_before_object     8     3.11: the values while there is no dict
 * + (type's basicsize)             -     3.13 on, types of inline values: the values */
#include <string.h>

#include "analyzer/objects/class_shape.h"
#include "analyzer/objects/int.h"

/* The instance's variable items, which come before a dict at its end. */
static enum status item_count(const struct python_process *process, const struct type_entry *entry,
                              uint64_t addr, uint64_t *ret_count)
{
    struct int_view view;
    int64_t size;
    enum status status;
    if (entry->type.kind == KIND_INT) {
        status = int_view(process, addr, &view);
        if (status == STATUS_OK)
            *ret_count = view.count;
        return status;
    }
    status = object_size(process, addr, &size);
    if (status == STATUS_OK)
        *ret_count = size < 0 ? -(uint64_t)size : (uint64_t)size;
    return status;
}

static enum status plain_dict(struct python_process *process, const struct type_entry *entry,
                              uint64_t addr, struct dict_iterator *ret_iterator)
{
    uint64_t dict_addr, count;
    int64_t offset = entry->type.dictoffset;
    if (!offset)
        return STATUS_OK;
    if (offset < 0) {
        enum status status = item_count(process, entry, addr, &count);
        if (status != STATUS_OK)
            return status;
        uint64_t size = (uint64_t)entry->type.basicsize + count * (uint64_t)entry->type.itemsize;
        offset = (int64_t)((uint64_t)offset + ((size + 7) & ~UINT64_C(7)));
    }
    enum status status = pointer_at(process, addr + (uint64_t)offset, &dict_addr);
    if (status != STATUS_OK || !dict_addr)
        return status;
    return dict_iterate(process, dict_addr, ret_iterator);
}

static enum status inline_values(const struct python_process *process,
                                 const struct type_entry *entry, uint64_t addr,
                                 struct dict_iterator *ret_iterator)
{
    uint8_t is_valid;
    uint64_t values_addr = addr + (uint64_t)entry->type.basicsize;
    if (!(entry->type.flags & layout_or(&process->layout, PY_constant_tpflags_inline_values, 0)))
        return STATUS_OK;
    enum status status = field_u8(process, values_addr, PY_values_valid, &is_valid);
    if (status != STATUS_OK || !is_valid)
        return status;
    return dict_iterate_values(process, entry->cached_keys_addr, values_addr, ret_iterator);
}

static enum status managed_dict(struct python_process *process, const struct type_entry *entry,
                                uint64_t addr, struct dict_iterator *ret_iterator)
{
    const struct python_layout *layout = &process->layout;
    uint64_t word, tag = layout_or(layout, PY_constant_managed_values_tag, 0);
    enum status status =
        pointer_at(process, addr - layout_get(layout, PY_managed_dict_before_object), &word);
    if (status != STATUS_OK)
        return status;
    if (word & tag) /* 3.12 */
        return dict_iterate_values(process, entry->cached_keys_addr, word + 1, ret_iterator);
    if (word)
        return dict_iterate(process, word, ret_iterator);
    if (tag || !layout_has(layout, PY_managed_values_before_object))
        return inline_values(process, entry, addr, ret_iterator);
    status = pointer_at(process, addr - layout_get(layout, PY_managed_values_before_object), &word);
    if (status != STATUS_OK || !word)
        return status;
    return dict_iterate_values(process, entry->cached_keys_addr, word, ret_iterator);
}

/* An iterator at its end where the instance has no dictionary. */
static enum status instance_dict(struct python_process *process, const struct type_entry *entry,
                                 uint64_t addr, struct dict_iterator *ret_iterator)
{
    *ret_iterator = (struct dict_iterator){0};
    if (entry->type.flags & layout_or(&process->layout, PY_constant_tpflags_managed_dict, 0))
        return managed_dict(process, entry, addr, ret_iterator);
    return plain_dict(process, entry, addr, ret_iterator);
}

static enum status visit_slots(struct python_process *process, const struct type_entry *entry,
                               uint64_t addr, attribute_visitor visit, void *context)
{
    const struct class_shape *shape = class_shape_of(process, &entry->type);
    for (size_t i = 0; i < shape->slot_count; i++) {
        struct attribute attribute = {.name = shape->slots[i].name};
        enum status status =
            class_slot_value(process, &entry->type, addr, &shape->slots[i], &attribute.value_addr);
        if (status != STATUS_OK)
            return status;
        if (attribute.value_addr && !visit(context, &attribute))
            return STATUS_OK;
    }
    return STATUS_OK;
}

enum status instance_attributes(struct python_process *process, uint64_t addr,
                                attribute_visitor visit, void *context)
{
    const struct python_type *type;
    struct dict_iterator iterator;
    struct attribute attribute = {0};
    enum status status = object_type(process, addr, &type), dict_status;
    if (status != STATUS_OK)
        return status;
    dict_status = instance_dict(process, type_entry_of(type), addr, &iterator);
    if (dict_status == STATUS_OK) {
        while (dict_next_raw(process, &iterator, &attribute.name_addr, &attribute.value_addr,
                             &dict_status))
            if (!visit(context, &attribute))
                return STATUS_OK;
    }
    status = visit_slots(process, type_entry_of(type), addr, visit, context);
    return dict_status == STATUS_OK ? status : dict_status;
}

enum status instance_attribute(struct python_process *process, uint64_t addr, const char *name,
                               uint64_t *ret_value)
{
    const struct python_type *type;
    struct dict_iterator iterator;
    enum status status = object_type(process, addr, &type);
    if (status != STATUS_OK)
        return status;
    if (instance_dict(process, type_entry_of(type), addr, &iterator) == STATUS_OK &&
        dict_find(process, &iterator, name, ret_value) == STATUS_OK)
        return STATUS_OK;
    const struct class_shape *shape = class_shape_of(process, type);
    for (size_t i = 0; i < shape->slot_count; i++) {
        uint64_t value;
        if (strcmp(shape->slots[i].name, name) != 0)
            continue;
        status = class_slot_value(process, type, addr, &shape->slots[i], &value);
        if (status == STATUS_OK && !value)
            return STATUS_NOT_IN_DUMP;
        if (status == STATUS_OK)
            *ret_value = value;
        return status;
    }
    return STATUS_NOT_IN_DUMP;
}
