/* SPDX-License-Identifier: Apache-2.0 */
/* What a class says about how its instances look. No code of the dead process is
 * ever run, so this recognises the functions that the standard library makes. */
#include "analyzer/objects/class_shape.h"

#include <string.h>

#include "analyzer/objects/kinds.h"

#define MRO_MAX 4096

void mro_iterate(struct python_process *process, const struct python_type *type,
                 struct mro_iterator *ret_iterator)
{
    uint64_t mro_addr = type_entry_of(type)->mro_addr;
    *ret_iterator = (struct mro_iterator){0};
    if (mro_addr && tuple_items_raw(process, mro_addr, &ret_iterator->items_addr,
                                    &ret_iterator->count) != STATUS_OK)
        ret_iterator->count = 0;
    if (ret_iterator->count > MRO_MAX)
        ret_iterator->count = MRO_MAX;
}

bool mro_next(struct python_process *process, struct mro_iterator *iterator,
              const struct type_entry **ret_entry)
{
    uint64_t addr;
    const struct python_type *type;
    while (iterator->next < iterator->count) {
        if (pointer_at(process, iterator->items_addr + 8 * iterator->next++, &addr) != STATUS_OK)
            return false;
        if (type_at(process, addr, &type) == STATUS_OK) {
            *ret_entry = type_entry_of(type);
            return true;
        }
    }
    return false;
}

bool class_lookup(struct python_process *process, const struct python_type *type, const char *name,
                  const struct type_entry **ret_owner, uint64_t *ret_value)
{
    struct mro_iterator iterator;
    const struct type_entry *entry;
    mro_iterate(process, type, &iterator);
    while (mro_next(process, &iterator, &entry)) {
        if (entry->dict_addr &&
            dict_get_raw(process, entry->dict_addr, name, ret_value) == STATUS_OK) {
            *ret_owner = entry;
            return true;
        }
    }
    return false;
}

/* Whether a function's code is called `name` (NULL: anything) and its file's path
 * ends with `file`. */
static bool function_comes_from(struct python_process *process, uint64_t function_addr,
                                const char *name, const char *file)
{
    uint64_t code_addr, name_addr, file_addr;
    const char *path;
    if (field_u64(process, function_addr, PY_function_code, &code_addr) != STATUS_OK ||
        field_u64(process, code_addr, PY_code_name, &name_addr) != STATUS_OK ||
        field_u64(process, code_addr, PY_code_filename, &file_addr) != STATUS_OK ||
        (name && !str_equals_raw(process, name_addr, name)) ||
        str_name_raw(process, file_addr, &path) != STATUS_OK)
        return false;
    size_t path_size = strlen(path), size = strlen(file);
    return path_size >= size && strcmp(path + path_size - size, file) == 0;
}

static bool is_dataclass_repr(struct python_process *process, const struct type_entry *owner,
                              uint64_t function_addr, struct class_shape *shape)
{
    uint64_t fields_addr;
    return dict_get_raw(process, owner->dict_addr, "__dataclass_fields__", &fields_addr) ==
               STATUS_OK &&
           (function_comes_from(process, function_addr, "wrapper", "dataclasses.py") ||
            function_comes_from(process, function_addr, "wrapper", "reprlib.py")) &&
           dataclass_fields_read(process, fields_addr, shape);
}

static bool is_named_tuple_repr(struct python_process *process, const struct type_entry *owner,
                                uint64_t function_addr, struct class_shape *shape)
{
    uint64_t names_addr;
    return owner->type.kind == KIND_TUPLE &&
           dict_get_raw(process, owner->dict_addr, "_fields", &names_addr) == STATUS_OK &&
           function_comes_from(process, function_addr, "__repr__", "collections/__init__.py") &&
           named_tuple_fields_read(process, names_addr, shape);
}

static enum repr_form form_of_function(struct python_process *process,
                                       const struct type_entry *owner, uint64_t function_addr,
                                       struct class_shape *shape)
{
    if (owner->type.is_exact_kind) /* Counter, Fraction, UUID */
        return FORM_KIND;
    if (is_dataclass_repr(process, owner, function_addr, shape))
        return FORM_DATACLASS;
    if (is_named_tuple_repr(process, owner, function_addr, shape))
        return FORM_NAMED_TUPLE;
    return FORM_OVERRIDDEN;
}

static enum repr_form enum_form(struct python_process *process, const struct python_type *type,
                                uint64_t function_addr)
{
    if (function_comes_from(process, function_addr, "global_enum_repr", "enum.py") ||
        function_comes_from(process, function_addr, "global_flag_repr", "enum.py"))
        return FORM_GLOBAL_ENUM;
    return type_derives_from(process, type, "enum.Flag") ? FORM_FLAG : FORM_ENUM;
}

static bool is_struct_seq(struct python_process *process, const struct python_type *type,
                          struct class_shape *shape)
{
    const struct type_entry *owner;
    uint64_t count_addr;
    return type->kind == KIND_TUPLE && !type->is_exact_kind &&
           class_lookup(process, type, "n_sequence_fields", &owner, &count_addr) &&
           struct_seq_fields_read(process, owner, shape);
}

/* C's __repr__ is a slot wrapper in the dictionary, Python's a function; whoever
 * put anything else there is taken to have overridden it. */
static enum repr_form form_of(struct python_process *process, const struct python_type *type,
                              struct class_shape *shape)
{
    const struct type_entry *owner;
    const struct python_type *value_type;
    uint64_t value;
    if (!class_lookup(process, type, "__repr__", &owner, &value) || !owner->type.is_heap ||
        object_type(process, value, &value_type) != STATUS_OK)
        return is_struct_seq(process, type, shape) ? FORM_STRUCT_SEQ : FORM_KIND;
    if (strcmp(value_type->name, "wrapper_descriptor") == 0)
        return is_struct_seq(process, type, shape) ? FORM_STRUCT_SEQ : FORM_KIND;
    if (value_type->kind != KIND_FUNCTION)
        return FORM_OVERRIDDEN;
    if (type_derives_from(process, type, "enum.Enum"))
        return enum_form(process, type, value);
    return form_of_function(process, owner, value, shape);
}

const struct class_shape *class_shape_of(struct python_process *process,
                                         const struct python_type *type)
{
    static const struct class_shape empty = {0};
    struct type_entry *entry = (struct type_entry *)(uintptr_t)type; /* lives in the table */
    if (entry->shape)
        return entry->shape;
    struct class_shape *shape = arena_alloc(process->arena, sizeof *shape);
    if (!shape)
        return &empty;
    entry->shape = &empty; /* what a class that leads back to itself finds */
    shape->form = form_of(process, type, shape);
    class_slots_read(process, entry, shape);
    entry->shape = shape;
    return shape;
}
