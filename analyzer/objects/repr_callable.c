/* SPDX-License-Identifier: Apache-2.0 */
/* Functions, bound methods, functions of C, functools.partial. */
#include "analyzer/objects/repr.h"
#include "inquest/base/limits.h"

void repr_function_object(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    (void)type;
    text_append(repr->text, "<function ");
    repr_field_name(repr, addr, PY_function_qualname);
    text_printf(repr->text, " at " ADDRESS ">", addr);
}

void repr_method(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const struct python_type *function_type;
    uint64_t function_addr;
    (void)type;
    if (!repr_enter(repr, addr, NULL))
        return;
    text_append(repr->text, "<bound method ");
    if (field_u64(repr->process, addr, PY_method_function, &function_addr) == STATUS_OK &&
        object_type(repr->process, function_addr, &function_type) == STATUS_OK &&
        function_type->kind == KIND_FUNCTION)
        repr_field_name(repr, function_addr, PY_function_qualname);
    else
        text_append_char(repr->text, '?');
    text_append(repr->text, " of ");
    repr_field(repr, addr, PY_method_self);
    text_append_char(repr->text, '>');
    repr_leave(repr);
}

/* ---- functions of C: their names are often not in the dump, but what the
 * module or the type calls them is. */

static bool append_c_name(struct repr *repr, uint64_t def_addr)
{
    uint64_t name_addr;
    return field_u64(repr->process, def_addr, PY_methoddef_name, &name_addr) == STATUS_OK &&
           name_addr &&
           memory_read_c_string(repr->process->image, name_addr, repr->text) == STATUS_OK;
}

static bool append_key(struct repr *repr, uint64_t key_addr)
{
    return str_read(repr->process, key_addr, LIMIT_NAME_BYTES, repr->text) == STATUS_OK;
}

static bool append_name_in_module(struct repr *repr, uint64_t module_addr, uint64_t addr)
{
    struct dict_iterator iterator;
    uint64_t dict_addr, key, value;
    enum status status;
    if (field_u64(repr->process, module_addr, PY_module_dict, &dict_addr) != STATUS_OK ||
        dict_iterate(repr->process, dict_addr, &iterator) != STATUS_OK)
        return false;
    while (dict_next(repr->process, &iterator, &key, &value, &status))
        if (value == addr)
            return append_key(repr, key);
    return false;
}

static bool append_name_in_type(struct repr *repr, const struct python_type *type,
                                uint64_t wanted_def)
{
    struct dict_iterator iterator;
    uint64_t dict_addr = type_entry_of(type)->dict_addr, key, value, def_addr;
    enum status status;
    if (!dict_addr || dict_iterate(repr->process, dict_addr, &iterator) != STATUS_OK)
        return false;
    while (dict_next(repr->process, &iterator, &key, &value, &status))
        if (field_u64(repr->process, value, PY_memberdescr_def, &def_addr) == STATUS_OK &&
            def_addr == wanted_def)
            return append_key(repr, key);
    return false;
}

static bool append_builtin_name(struct repr *repr, const struct python_type *self_type,
                                uint64_t self_addr, uint64_t addr)
{
    uint64_t def_addr;
    if (field_u64(repr->process, addr, PY_cfunction_def, &def_addr) != STATUS_OK)
        return false;
    if (append_c_name(repr, def_addr))
        return true;
    if (!self_type)
        return false;
    if (self_type->kind == KIND_MODULE)
        return append_name_in_module(repr, self_addr, addr);
    /* a class method is in the class that it is bound to */
    if (self_type->kind == KIND_TYPE && type_at(repr->process, self_addr, &self_type) != STATUS_OK)
        return false;
    return append_name_in_type(repr, self_type, def_addr);
}

void repr_builtin(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const struct python_type *self_type = NULL;
    uint64_t self_addr = 0;
    enum status status = field_u64(repr->process, addr, PY_cfunction_self, &self_addr);
    if (status == STATUS_OK && self_addr)
        status = object_type(repr->process, self_addr, &self_type);
    if (status != STATUS_OK) {
        repr_unreadable(repr, type->name, addr, status);
        return;
    }
    bool is_method = self_type && self_type->kind != KIND_MODULE;
    text_append(repr->text, is_method ? "<built-in method " : "<built-in function ");
    bool is_named = append_builtin_name(repr, self_type, self_addr, addr);
    if (is_method)
        text_printf(repr->text, "%sof %s object at " ADDRESS ">", is_named ? " " : "",
                    type_entry_of(self_type)->tp_name, self_addr);
    else if (is_named)
        text_append_char(repr->text, '>');
    else
        text_printf(repr->text, "at " ADDRESS ">", addr);
}

/* ---- functools.partial */

static void repr_arguments(struct repr *repr, uint64_t addr)
{
    uint64_t args_addr, items_addr, count, item_addr;
    enum status status = field_u64(repr->process, addr, PY_partial_args, &args_addr);
    if (status == STATUS_OK)
        status = tuple_items(repr->process, args_addr, &items_addr, &count);
    for (uint64_t i = 0; status == STATUS_OK && i < count && repr_next_item(repr, i + 1, count + 1);
         i++) {
        status = pointer_at(repr->process, items_addr + 8 * i, &item_addr);
        if (status == STATUS_OK)
            repr_value(repr, item_addr);
    }
    repr_items_end(repr, status);
}

static void repr_keywords(struct repr *repr, uint64_t addr)
{
    struct dict_iterator iterator;
    uint64_t dict_addr, count, key, value, i = 0;
    enum status status = field_u64(repr->process, addr, PY_partial_keywords, &dict_addr);
    if (status == STATUS_OK)
        status = dict_count(repr->process, dict_addr, &count);
    if (status == STATUS_OK)
        status = dict_iterate(repr->process, dict_addr, &iterator);
    while (status == STATUS_OK && i < count && repr_next_item(repr, i + 1, count + 1) &&
           dict_next(repr->process, &iterator, &key, &value, &status)) {
        if (!append_key(repr, key))
            text_append_char(repr->text, '?');
        text_append_char(repr->text, '=');
        repr_value(repr, value);
        i++;
    }
    repr_items_end(repr, status);
}

void repr_partial(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    if (!repr_enter(repr, addr, "..."))
        return;
    text_printf(repr->text, "%s(", type->name);
    repr_field(repr, addr, PY_partial_function);
    repr_arguments(repr, addr);
    repr_keywords(repr, addr);
    text_append_char(repr->text, ')');
    repr_leave(repr);
}
