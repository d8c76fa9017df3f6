/* SPDX-License-Identifier: Apache-2.0 */
/* Type objects (Include/cpython/object.h): what we need of each, read once.
 *
 * OFFSET (layout)        SIZE  MEANING
 * object_type            8     its metatype
 * type_name              8     pointer to a C string; of a static type often in memory
 *                              that is not in the dump
 * type_basicsize         8     bytes of an instance's fixed part
 * type_itemsize          8     bytes of an item of its variable part
 * type_flags             8     heap type, kind of subclass, managed dictionary, ...
 * type_base, type_mro    8     base type; tuple of all bases in order of lookup
 * type_dict              8     its attributes; kept in the interpreter for the static
 *                              types of 3.12 on
 * type_dictoffset        8     where an instance's dictionary is; negative: from its end
 * heaptype_...           8     of heap types: name, qualified name, slots, shared keys */
#include "analyzer/objects/type_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/objects/kinds.h"
#include "inquest/base/limits.h"

#define BASES_MAX        256 /* tp_base chain */
#define METATYPES_MAX    8   /* chain of metatypes up to type itself */
#define MRO_MAX          4096
#define TYPES_MAX        (1u << 22)
#define STATIC_TYPES_MAX (1u << 16)

static enum status type_of_type(const struct python_process *process, uint64_t addr,
                                uint64_t *ret_type)
{
    return field_u64(process, addr, PY_object_type, ret_type);
}

static enum status check_type_flag(const struct python_process *process, uint64_t addr)
{
    uint64_t flags;
    enum status status = field_u64(process, addr, PY_type_flags, &flags);
    if (status != STATUS_OK)
        return status;
    return kind_by_flags(&process->layout, flags) == KIND_TYPE ? STATUS_OK : STATUS_CORRUPT;
}

/* Remembers the first type found that is its own type: there is one. */
static enum status accept_root(struct python_process *process, uint64_t addr)
{
    struct type_table *types = process->types;
    if (types->root_addr)
        return types->root_addr == addr ? STATUS_OK : STATUS_CORRUPT;
    enum status status = check_type_flag(process, addr);
    if (status == STATUS_OK)
        types->root_addr = addr;
    return status;
}

/* What a type's type is derives from type, and so on up to type itself; an
 * ordinary object fails at its class, which does not. */
static enum status check_is_type(struct python_process *process, uint64_t addr)
{
    for (unsigned i = 0; i < METATYPES_MAX; i++) {
        uint64_t metatype;
        enum status status = type_of_type(process, addr, &metatype);
        if (status != STATUS_OK)
            return status;
        const struct type_entry *known = address_map_get(&process->types->entries, metatype);
        if (known)
            return known->type.kind == KIND_TYPE ? STATUS_OK : STATUS_CORRUPT;
        if (metatype == addr || metatype == process->types->root_addr)
            return accept_root(process, metatype);
        if ((status = check_type_flag(process, metatype)) != STATUS_OK)
            return status;
        addr = metatype;
    }
    return STATUS_CORRUPT;
}

/* ---- one entry */

/* An entry of a table of static types' own parts says whose it is. */
static bool is_state_of(const struct python_process *process, uint64_t state_addr,
                        uint64_t type_addr)
{
    uint64_t owner_addr;
    return field_u64(process, state_addr, PY_interp_static_type_type, &owner_addr) == STATUS_OK &&
           owner_addr == type_addr;
}

uint64_t static_type_state_addr(const struct python_process *process, uint64_t type_addr,
                                uint64_t flags)
{
    static const enum python_field tables[] = {PY_interp_static_types, PY_interp_datetime_types};
    const struct python_layout *layout = &process->layout;
    uint64_t count = layout_or(layout, PY_interp_static_type_count, UINT64_MAX), number;
    if (!(flags & layout_or(layout, PY_constant_tpflags_static_builtin, 0)) ||
        !process->interp_addr ||
        field_u64(process, type_addr, PY_type_subclasses, &number) != STATUS_OK || !number ||
        number > STATIC_TYPES_MAX)
        return 0;
    uint64_t index = number - 1 >= count ? number - 1 - count : number - 1;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (!layout_has(layout, tables[i]))
            continue;
        uint64_t state_addr = process->interp_addr + layout_get(layout, tables[i]) +
                              index * layout_or(layout, PY_interp_static_type_size, 0);
        if (is_state_of(process, state_addr, type_addr))
            return state_addr;
    }
    return 0;
}

uint64_t type_dict_addr(const struct python_process *process, uint64_t type_addr, uint64_t flags)
{
    const struct python_layout *layout = &process->layout;
    uint64_t dict_addr;
    if (!(flags & layout_or(layout, PY_constant_tpflags_static_builtin, 0)) ||
        !layout_has(layout, PY_interp_static_types))
        return field_u64(process, type_addr, PY_type_dict, &dict_addr) == STATUS_OK ? dict_addr : 0;
    uint64_t state_addr = static_type_state_addr(process, type_addr, flags);
    if (!state_addr ||
        field_u64(process, state_addr, PY_interp_static_type_dict, &dict_addr) != STATUS_OK)
        return 0;
    return dict_addr;
}

static const struct {
    enum python_field field;
    size_t member;
    bool is_heap_only;
} type_words[] = {
    {PY_object_type, offsetof(struct type_entry, metatype_addr), false},
    {PY_type_basicsize, offsetof(struct type_entry, type.basicsize), false},
    {PY_type_itemsize, offsetof(struct type_entry, type.itemsize), false},
    {PY_type_dictoffset, offsetof(struct type_entry, type.dictoffset), false},
    {PY_type_base, offsetof(struct type_entry, type.base_addr), false},
    {PY_type_mro, offsetof(struct type_entry, mro_addr), false},
    {PY_heaptype_slots, offsetof(struct type_entry, slots_addr), true},
    {PY_heaptype_cached_keys, offsetof(struct type_entry, cached_keys_addr), true},
};

static enum status read_words(struct python_process *process, struct type_entry *entry)
{
    uint64_t addr = entry->type.addr;
    enum status status = field_u64(process, addr, PY_type_flags, &entry->type.flags);
    uint64_t heap = layout_or(&process->layout, PY_constant_tpflags_heaptype, 0);
    entry->type.is_heap = (entry->type.flags & heap) != 0;
    for (size_t i = 0; i < sizeof type_words / sizeof *type_words && status == STATUS_OK; i++)
        if (!type_words[i].is_heap_only || entry->type.is_heap)
            status = field_u64(process, addr, type_words[i].field,
                               (uint64_t *)((char *)entry + type_words[i].member));
    if (status == STATUS_OK)
        entry->dict_addr = type_dict_addr(process, addr, entry->type.flags);
    return status;
}

/* ---- names */

static const char *read_tp_name(struct python_process *process, uint64_t type_addr)
{
    uint64_t name_addr;
    struct text text;
    const char *name = NULL;
    text_init(&text);
    if (field_u64(process, type_addr, PY_type_name, &name_addr) == STATUS_OK && name_addr &&
        memory_read_c_string(process->image, name_addr, &text) == STATUS_OK && text.size)
        name = arena_strndup(process->arena, text_string(&text), text.size);
    text_deinit(&text);
    return name;
}

static const char *heap_name(struct python_process *process, uint64_t type_addr,
                             enum python_field field)
{
    uint64_t name_addr;
    const char *name = NULL;
    if (field_u64(process, type_addr, field, &name_addr) != STATUS_OK ||
        str_name_raw(process, name_addr, &name) != STATUS_OK)
        return NULL;
    return name;
}

static void name_heap_type(struct python_process *process, struct type_entry *entry)
{
    struct python_type *type = &entry->type;
    uint64_t module_addr;
    type->qualname = heap_name(process, type->addr, PY_heaptype_qualname);
    type->short_name = heap_name(process, type->addr, PY_heaptype_name);
    if (entry->dict_addr &&
        dict_get_raw(process, entry->dict_addr, "__module__", &module_addr) == STATUS_OK &&
        str_name_raw(process, module_addr, &type->module) != STATUS_OK)
        type->module = NULL;
}

/* "collections.deque": the module is what is before the last dot. */
static void name_static_type(struct python_process *process, struct python_type *type,
                             const char *full_name)
{
    if (!full_name)
        return;
    const char *dot = strrchr(full_name, '.');
    type->qualname = type->short_name = dot ? dot + 1 : full_name;
    type->module =
        dot ? arena_strndup(process->arena, full_name, (size_t)(dot - full_name)) : "builtins";
}

static bool name_type(struct python_process *process, struct type_entry *entry)
{
    struct python_type *type = &entry->type;
    entry->tp_name = read_tp_name(process, type->addr);
    if (type->is_heap)
        name_heap_type(process, entry);
    if (!type->qualname || (!type->is_heap && !type->short_name))
        name_static_type(process, type,
                         entry->tp_name ? entry->tp_name : static_type_name(process, type->addr));
    if (!type->qualname)
        type->qualname = arena_printf(process->arena, "type at 0x%" PRIx64, type->addr);
    if (!type->short_name)
        type->short_name = type->qualname;
    if (type->module && strcmp(type->module, "builtins") != 0)
        type->name = arena_printf(process->arena, "%s.%s", type->module, type->qualname);
    else
        type->name = type->qualname;
    if (!entry->tp_name)
        entry->tp_name = type->name;
    return type->qualname && type->name;
}

static void set_kind(struct python_process *process, struct type_entry *entry,
                     const struct type_entry *base)
{
    struct python_type *type = &entry->type;
    type->kind = kind_by_name(process, entry);
    type->is_exact_kind = type->kind != KIND_UNKNOWN;
    if (type->kind != KIND_UNKNOWN)
        return;
    type->kind = base ? base->type.kind : KIND_UNKNOWN;
    enum object_kind by_flags = kind_by_flags(&process->layout, type->flags);
    if (type->kind == KIND_UNKNOWN && by_flags != KIND_UNKNOWN) {
        type->kind = by_flags;
        type->is_exact_kind = !type->is_heap;
    }
}

/* Of the types whose layout we know, a damaged one would cost all their objects. */
static void set_known_sizes(const struct python_layout *layout, struct python_type *type)
{
    switch (type->kind) {
    case KIND_TUPLE: type->itemsize = 8; break;
    case KIND_BYTES: type->itemsize = 1; break;
    case KIND_BOOL:
    case KIND_INT: type->itemsize = layout_or(layout, PY_long_digit_bits, 30) > 16 ? 4 : 2; break;
    default: return;
    }
    if (!type->is_exact_kind)
        return;
    if (type->kind == KIND_TUPLE)
        type->basicsize = (int64_t)layout_get(layout, PY_tuple_items);
    else if (type->kind == KIND_BYTES)
        type->basicsize = (int64_t)layout_get(layout, PY_bytes_data) + 1;
    else if (type->kind == KIND_INT)
        type->basicsize = (int64_t)layout_get(layout, PY_long_digits);
}

static enum status entry_create(struct python_process *process, uint64_t addr,
                                const struct type_entry *base, const struct type_entry **ret_entry)
{
    if (process->types->entries.count >= TYPES_MAX)
        return STATUS_OVER_LIMIT;
    struct type_entry read = {.type.addr = addr};
    enum status status = read_words(process, &read);
    if (status != STATUS_OK)
        return status;
    struct type_entry *entry = arena_alloc(process->arena, sizeof *entry);
    if (!entry)
        return STATUS_NO_MEMORY;
    *entry = read;
    if (!name_type(process, entry))
        return STATUS_NO_MEMORY;
    set_kind(process, entry, base);
    set_known_sizes(&process->layout, &entry->type);
    if (!address_map_put(&process->types->entries, addr, entry))
        return STATUS_NO_MEMORY;
    *ret_entry = entry;
    return STATUS_OK;
}

/* ---- the table */

/* The addresses from `addr` down its bases to one that is known, that fails the
 * check, or that was met before; *ret_known is the known one. */
static size_t base_chain(struct python_process *process, uint64_t addr, uint64_t chain[BASES_MAX],
                         const struct type_entry **ret_known)
{
    size_t count = 0;
    *ret_known = NULL;
    while (addr && count < BASES_MAX) {
        *ret_known = address_map_get(&process->types->entries, addr);
        if (*ret_known || check_is_type(process, addr) != STATUS_OK)
            return count;
        for (size_t i = 0; i < count; i++)
            if (chain[i] == addr)
                return count;
        chain[count++] = addr;
        if (field_u64(process, addr, PY_type_base, &addr) != STATUS_OK)
            return count;
    }
    return count;
}

static enum status type_read(struct python_process *process, uint64_t type_addr,
                             const struct python_type **ret_type)
{
    uint64_t chain[BASES_MAX];
    const struct type_entry *entry;
    enum status status = type_addr & 7 ? STATUS_CORRUPT : check_is_type(process, type_addr);
    if (status != STATUS_OK)
        return status;
    /* from the far end, so that each finds its base in the table */
    for (size_t i = base_chain(process, type_addr, chain, &entry); i-- > 0;) {
        status = entry_create(process, chain[i], entry, &entry);
        if (status != STATUS_OK && i == 0)
            return status;
    }
    *ret_type = &entry->type;
    return STATUS_OK;
}

enum status type_at(struct python_process *process, uint64_t type_addr,
                    const struct python_type **ret_type)
{
    const struct type_entry *entry = address_map_get(&process->types->entries, type_addr);
    if (!entry)
        return type_read(process, type_addr, ret_type);
    *ret_type = &entry->type;
    return STATUS_OK;
}

enum status object_type(struct python_process *process, uint64_t addr,
                        const struct python_type **ret_type)
{
    uint64_t type_addr;
    enum status status = field_u64(process, addr, PY_object_type, &type_addr);
    return status == STATUS_OK ? type_at(process, type_addr, ret_type) : status;
}

bool type_derives_from(struct python_process *process, const struct python_type *type,
                       const char *name)
{
    uint64_t items_addr, count, addr;
    const struct python_type *base;
    if (strcmp(type->name, name) == 0)
        return true;
    uint64_t mro_addr = type_entry_of(type)->mro_addr;
    if (!mro_addr || tuple_items_raw(process, mro_addr, &items_addr, &count) != STATUS_OK)
        return false;
    for (uint64_t i = 0; i < count && i < MRO_MAX; i++) {
        if (pointer_at(process, items_addr + 8 * i, &addr) != STATUS_OK)
            return false;
        if (type_at(process, addr, &base) == STATUS_OK && strcmp(base->name, name) == 0)
            return true;
    }
    return false;
}

/* The type of types, by the type of a dict that the interpreter is known to have. */
static bool root_from_dict(struct python_process *process, enum python_field field)
{
    uint64_t dict_addr, dict_type_addr, root_addr, flags;
    return field_u64(process, process->interp_addr, field, &dict_addr) == STATUS_OK && dict_addr &&
           type_of_type(process, dict_addr, &dict_type_addr) == STATUS_OK &&
           field_u64(process, dict_type_addr, PY_type_flags, &flags) == STATUS_OK &&
           kind_by_flags(&process->layout, flags) == KIND_DICT &&
           type_of_type(process, dict_type_addr, &root_addr) == STATUS_OK &&
           check_is_type(process, root_addr) == STATUS_OK;
}

enum status type_table_create(struct python_process *process, struct error *err)
{
    process->types = calloc(1, sizeof *process->types);
    if (!process->types)
        return error_set(err, STATUS_NO_MEMORY, "type table: out of memory");
    if (!process->interp_addr || root_from_dict(process, PY_interp_modules) ||
        root_from_dict(process, PY_interp_sysdict) || root_from_dict(process, PY_interp_builtins))
        return STATUS_OK;
    type_table_destroy(process->types);
    process->types = NULL;
    return error_set(err, STATUS_CORRUPT,
                     "interpreter at 0x%" PRIx64 ": its modules, sys and builtins are no "
                     "dictionaries whose type's type is its own type",
                     process->interp_addr);
}

void type_table_destroy(struct type_table *types)
{
    if (!types)
        return;
    address_map_deinit(&types->entries);
    address_map_deinit(&types->names);
    free(types);
}
