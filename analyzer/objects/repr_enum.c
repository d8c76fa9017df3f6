/* SPDX-License-Identifier: Apache-2.0 */
/* Members of enumerations (Lib/enum.py): "<Color.RED: 1>". Names stay when values
 * are redacted. */
#include <string.h>

#include "analyzer/objects/repr.h"
#include "inquest/base/limits.h"

#define FLAG_MEMBERS_MAX 256

static const char *name_of(struct repr *repr, uint64_t addr)
{
    uint64_t name_addr;
    const char *name;
    return instance_attribute(repr->process, addr, "_name_", &name_addr) == STATUS_OK &&
                   str_name(repr->process, name_addr, &name) == STATUS_OK
               ? name
               : NULL;
}

static bool value_of(struct repr *repr, uint64_t addr, int64_t *ret_value)
{
    uint64_t value_addr;
    return instance_attribute(repr->process, addr, "_value_", &value_addr) == STATUS_OK &&
           int_read(repr->process, value_addr, ret_value) == STATUS_OK;
}

/* ---- up to 3.10 a combination of flags has no name of its own */

struct flag_members {
    uint64_t addrs[FLAG_MEMBERS_MAX];
    int64_t values[FLAG_MEMBERS_MAX];
    size_t count;
};

static void insert_member(struct flag_members *members, uint64_t addr, int64_t value)
{
    size_t i = members->count++;
    for (; i > 0 && members->values[i - 1] < value; i--) {
        members->addrs[i] = members->addrs[i - 1];
        members->values[i] = members->values[i - 1];
    }
    members->addrs[i] = addr;
    members->values[i] = value;
}

/* The members that a value is made of, largest first. */
static void decompose(struct repr *repr, const struct python_type *type, int64_t value,
                      struct flag_members *ret_members)
{
    const struct type_entry *owner;
    struct dict_iterator iterator;
    uint64_t map_addr, key, member;
    int64_t bits;
    enum status status;
    ret_members->count = 0;
    if (!class_lookup(repr->process, type, "_value2member_map_", &owner, &map_addr) ||
        dict_iterate(repr->process, map_addr, &iterator) != STATUS_OK)
        return;
    while (ret_members->count < FLAG_MEMBERS_MAX &&
           dict_next(repr->process, &iterator, &key, &member, &status)) {
        if (int_read(repr->process, key, &bits) != STATUS_OK || !bits || (bits & value) != bits)
            continue;
        bool is_single = bits > 0 && (bits & (bits - 1)) == 0;
        if (name_of(repr, member) || (value >= 0 && is_single))
            insert_member(ret_members, member, bits);
    }
    if (ret_members->count > 1 && ret_members->values[0] == value) {
        ret_members->count--;
        memmove(ret_members->addrs, ret_members->addrs + 1,
                ret_members->count * sizeof *ret_members->addrs);
        memmove(ret_members->values, ret_members->values + 1,
                ret_members->count * sizeof *ret_members->values);
    }
}

/* A flag without a name is called by its value. */
static void append_number(struct repr *repr, int64_t value)
{
    if (repr_is_redacted(repr))
        text_append_char(repr->text, '?');
    else
        text_printf(repr->text, "%" PRId64, value);
}

static void append_decomposed(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    struct flag_members members;
    int64_t value;
    text_append_char(repr->text, '.');
    if (!value_of(repr, addr, &value))
        return;
    decompose(repr, type, value, &members);
    for (size_t i = 0; i < members.count; i++) {
        const char *name = name_of(repr, members.addrs[i]);
        text_append(repr->text, i ? "|" : "");
        if (name)
            text_append(repr->text, name);
        else
            append_number(repr, members.values[i]);
    }
    if (!members.count) /* a value that stands for itself */
        append_number(repr, value);
}

/* ---- enum.global_enum: members that print as the module's names do */

static void append_global(struct repr *repr, const struct python_type *type, const char *name,
                          uint64_t addr)
{
    const char *module = type->module ? type->module : "?", *dot = strrchr(module, '.');
    module = dot ? dot + 1 : module;
    if (!name) {
        text_printf(repr->text, "%s.%s(", module, type->short_name);
        uint64_t value_addr;
        if (instance_attribute(repr->process, addr, "_value_", &value_addr) == STATUS_OK)
            repr_value(repr, value_addr);
        text_append_char(repr->text, ')');
        return;
    }
    while (*name) {
        size_t size = strcspn(name, "|");
        text_printf(repr->text, "%s.%.*s%s", module, (int)size, name, name[size] ? "|" : "");
        name += size + (name[size] == '|');
    }
}

static void append_member(struct repr *repr, const struct python_type *type, const char *name,
                          uint64_t addr)
{
    uint64_t value_addr;
    text_printf(repr->text, "<%s", type->short_name);
    if (name)
        text_printf(repr->text, ".%s", name);
    else if (layout_minor(&repr->process->layout) <= 10)
        append_decomposed(repr, type, addr);
    text_append(repr->text, ": ");
    enum status status = instance_attribute(repr->process, addr, "_value_", &value_addr);
    if (status == STATUS_OK)
        repr_value(repr, value_addr);
    else
        repr_items_end(repr, status);
    text_append_char(repr->text, '>');
}

void repr_enum(struct repr *repr, const struct python_type *type, uint64_t addr)
{
    const char *name = name_of(repr, addr);
    if (!repr_enter(repr, addr, NULL))
        return;
    if (class_shape_of(repr->process, type)->form == FORM_GLOBAL_ENUM)
        append_global(repr, type, name, addr);
    else
        append_member(repr, type, name, addr);
    repr_leave(repr);
}
