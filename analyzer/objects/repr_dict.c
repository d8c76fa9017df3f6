/* SPDX-License-Identifier: Apache-2.0 */
/* dict, defaultdict, mappingproxy and the views of a dict. */
#include "analyzer/objects/repr.h"

static void repr_entry(struct repr *repr, uint64_t key, uint64_t value, enum object_kind kind)
{
    if (kind == KIND_DICT_ITEMS)
        text_append_char(repr->text, '(');
    if (kind != KIND_DICT_VALUES)
        repr_value(repr, key);
    if (kind == KIND_DICT_ITEMS)
        text_append(repr->text, ", ");
    else if (kind == KIND_DICT)
        text_append(repr->text, ": ");
    if (kind != KIND_DICT_KEYS)
        repr_value(repr, value);
    if (kind == KIND_DICT_ITEMS)
        text_append_char(repr->text, ')');
}

/* The entries of a dict, written as those of a dict or of one of its views. */
static void repr_entries(struct repr *repr, uint64_t addr, enum object_kind kind)
{
    struct dict_iterator iterator;
    uint64_t count, key, value, i = 0;
    enum status status = dict_count(repr->process, addr, &count);
    if (status == STATUS_OK)
        status = dict_iterate(repr->process, addr, &iterator);
    if (status == STATUS_OK && iterator.count < count)
        status = STATUS_CORRUPT;
    while (status == STATUS_OK && i < count && repr_next_item(repr, i, count) &&
           dict_next(repr->process, &iterator, &key, &value, &status)) {
        repr_entry(repr, key, value, kind);
        i++;
    }
    repr_items_end(repr, status);
}

void repr_dict(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    (void)type;
    if (!repr_enter(repr, addr, "{...}"))
        return;
    text_append_char(repr->text, '{');
    repr_entries(repr, addr, KIND_DICT);
    text_append_char(repr->text, '}');
    repr_leave(repr);
}

void repr_default_dict(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    text_printf(repr->text, "%s(", type->short_name);
    repr_field(repr, addr, PY_defaultdict_factory);
    text_append(repr->text, ", ");
    repr_dict(repr, type, addr);
    text_append_char(repr->text, ')');
}

void repr_mapping_proxy(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    if (!repr_enter(repr, addr, NULL))
        return;
    text_printf(repr->text, "%s(", type->short_name);
    repr_field(repr, addr, PY_mappingproxy_mapping);
    text_append_char(repr->text, ')');
    repr_leave(repr);
}

void repr_dict_view(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    /* the dict is the first thing behind the object's head */
    uint64_t dict_addr, head = layout_get(&repr->process->layout, PY_object_size);
    enum status status = pointer_at(repr->process, addr + head, &dict_addr);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (repr_enter(repr, addr, "...")) {
        text_printf(repr->text, "%s([", type->short_name);
        repr_entries(repr, dict_addr, type->kind);
        text_append(repr->text, "])");
        repr_leave(repr);
    }
}
