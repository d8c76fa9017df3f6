/* SPDX-License-Identifier: Apache-2.0 */
/* collections.OrderedDict (Objects/odictobject.c): a dict whose order is a chain.
 *
 * OFFSET (layout)    SIZE  MEANING
 * odict_first        8     pointer to the first node
 * odictnode_key      8     the key
 * odictnode_next     8     pointer to the next node */
#include "analyzer/objects/repr.h"

/* Nodes nearly always come in the order of the dict's own entries, so each search
 * goes on from the last entry found. */
static enum status value_of(struct repr *repr, uint64_t dict_addr, uint64_t key,
                            struct dict_iterator *iterator, uint64_t *ret_value)
{
    uint64_t found;
    enum status status;
    for (unsigned round = 0; round < 2; round++) {
        while (dict_next(repr->process, iterator, &found, ret_value, &status))
            if (found == key)
                return STATUS_OK;
        if (status == STATUS_OK)
            status = dict_iterate(repr->process, dict_addr, iterator);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_CORRUPT;
}

static void repr_pair(struct repr *repr, uint64_t key, uint64_t value, bool is_pair)
{
    text_append(repr->text, is_pair ? "(" : "");
    repr_value(repr, key);
    text_append(repr->text, is_pair ? ", " : ": ");
    repr_value(repr, value);
    text_append(repr->text, is_pair ? ")" : "");
}

static void repr_pairs(struct repr *repr, uint64_t addr, uint64_t count, bool as_pairs)
{
    struct dict_iterator iterator;
    uint64_t node_addr, key, value, i = 0;
    enum status status = dict_iterate(repr->process, addr, &iterator);
    if (status == STATUS_OK)
        status = field_u64(repr->process, addr, PY_odict_first, &node_addr);
    while (status == STATUS_OK && i < count && repr_next_item(repr, i, count)) {
        status = field_u64(repr->process, node_addr, PY_odictnode_key, &key);
        if (status == STATUS_OK)
            status = value_of(repr, addr, key, &iterator, &value);
        if (status != STATUS_OK)
            break;
        repr_pair(repr, key, value, as_pairs);
        if (++i < count)
            status = field_u64(repr->process, node_addr, PY_odictnode_next, &node_addr);
    }
    repr_items_end(repr, status);
}

void repr_ordered_dict(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    bool as_pairs = layout_minor(&repr->process->layout) < 12;
    uint64_t count;
    enum status status = dict_count(repr->process, addr, &count);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
    } else if (!count) {
        text_printf(repr->text, "%s()", type->short_name);
    } else if (repr_enter(repr, addr, "...")) {
        text_printf(repr->text, "%s(%c", type->short_name, as_pairs ? '[' : '{');
        repr_pairs(repr, addr, count, as_pairs);
        text_printf(repr->text, "%c)", as_pairs ? ']' : '}');
        repr_leave(repr);
    }
}
