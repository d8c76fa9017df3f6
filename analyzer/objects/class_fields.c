/* SPDX-License-Identifier: Apache-2.0 */
/* The names that dataclasses, named tuples and struct sequences print. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/objects/class_shape.h"

struct names {
    const char **items;
    size_t count;
};

static bool names_reserve(struct python_process *process, struct names *names, size_t count)
{
    names->count = 0;
    names->items = arena_alloc(process->arena, count * sizeof *names->items);
    return names->items != NULL;
}

static void names_publish(const struct names *names, struct class_shape *shape)
{
    shape->fields = names->items;
    shape->field_count = names->count;
}

/* A dataclasses.Field that __repr__ prints: repr=True, and neither ClassVar nor InitVar. */
static bool field_is_shown(struct python_process *process, uint64_t field_addr)
{
    uint64_t shown_addr, type_addr, name_addr;
    int64_t shown;
    return instance_attribute(process, field_addr, "repr", &shown_addr) == STATUS_OK &&
           int_read(process, shown_addr, &shown) == STATUS_OK && shown &&
           instance_attribute(process, field_addr, "_field_type", &type_addr) == STATUS_OK &&
           instance_attribute(process, type_addr, "name", &name_addr) == STATUS_OK &&
           str_equals(process, name_addr, "_FIELD");
}

bool dataclass_fields_read(struct python_process *process, uint64_t fields_dict_addr,
                           struct class_shape *shape)
{
    struct dict_iterator iterator;
    struct names names;
    uint64_t count, key, field_addr;
    enum status status;
    if (dict_count(process, fields_dict_addr, &count) != STATUS_OK || count > FIELDS_MAX ||
        dict_iterate(process, fields_dict_addr, &iterator) != STATUS_OK ||
        !names_reserve(process, &names, count))
        return false;
    while (names.count < count && dict_next(process, &iterator, &key, &field_addr, &status))
        if (field_is_shown(process, field_addr) &&
            str_name(process, key, &names.items[names.count]) == STATUS_OK)
            names.count++;
    names_publish(&names, shape);
    return true;
}

bool named_tuple_fields_read(struct python_process *process, uint64_t names_addr,
                             struct class_shape *shape)
{
    struct names names;
    uint64_t items_addr, count, name_addr;
    if (tuple_items(process, names_addr, &items_addr, &count) != STATUS_OK || count > FIELDS_MAX ||
        !names_reserve(process, &names, count))
        return false;
    for (; names.count < count; names.count++)
        if (pointer_at(process, items_addr + 8 * names.count, &name_addr) != STATUS_OK ||
            str_name(process, name_addr, &names.items[names.count]) != STATUS_OK)
            return false;
    names_publish(&names, shape);
    return true;
}

/* The item that a member of a struct sequence stands for. */
static bool member_index(struct python_process *process, uint64_t descriptor_addr,
                         uint64_t *ret_index)
{
    const struct python_type *type;
    uint64_t def_addr, offset, items = layout_get(&process->layout, PY_tuple_items);
    if (object_type(process, descriptor_addr, &type) != STATUS_OK ||
        strcmp(type->name, "member_descriptor") != 0 ||
        field_u64(process, descriptor_addr, PY_memberdescr_def, &def_addr) != STATUS_OK ||
        field_u64(process, def_addr, PY_memberdef_offset, &offset) != STATUS_OK || offset < items)
        return false;
    *ret_index = (offset - items) / 8;
    return true;
}

struct member {
    uint64_t index;
    const char *name;
};

static int by_index(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    return a->index < b->index ? -1 : a->index > b->index;
}

static size_t read_members(struct python_process *process, const struct type_entry *entry,
                           struct member ret_members[FIELDS_MAX])
{
    struct dict_iterator iterator;
    uint64_t key, value;
    size_t count = 0;
    enum status status;
    if (dict_iterate_raw(process, entry->dict_addr, &iterator) != STATUS_OK)
        return 0;
    while (count < FIELDS_MAX && dict_next_raw(process, &iterator, &key, &value, &status))
        if (member_index(process, value, &ret_members[count].index) &&
            str_name_raw(process, key, &ret_members[count].name) == STATUS_OK)
            count++;
    qsort(ret_members, count, sizeof *ret_members, by_index);
    return count;
}

/* The n-th item shows the name of the n-th member, though some items have none:
 * that is how os.stat_result prints its three integer times. */
bool struct_seq_fields_read(struct python_process *process, const struct type_entry *entry,
                            struct class_shape *shape)
{
    struct member members[FIELDS_MAX];
    struct names names;
    uint64_t count_addr;
    int64_t count;
    if (dict_get_raw(process, entry->dict_addr, "n_sequence_fields", &count_addr) != STATUS_OK ||
        int_read(process, count_addr, &count) != STATUS_OK || count < 0 || count > FIELDS_MAX ||
        read_members(process, entry, members) < (size_t)count ||
        !names_reserve(process, &names, (size_t)count))
        return false;
    for (; names.count < (size_t)count; names.count++)
        names.items[names.count] = members[names.count].name;
    names_publish(&names, shape);
    return true;
}
