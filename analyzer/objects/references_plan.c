/* SPDX-License-Identifier: Apache-2.0 */
/* Works out, once a type, what its instances refer to.
 *
 * A class statement's tp_traverse (subtype_traverse of Objects/typeobject.c, the same
 * for all) visits the slots of the class and of its bases up to the first type with
 * another tp_traverse, the dictionary where that type has none, the type itself from
 * 3.9 on, and then does as that type does. That type is written in C: it has a row,
 * or inherits from one that has, or is unknown. */
#include "analyzer/objects/references_plan.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/limits.h"

#define BASES_MAX          256
#define MEMBERS_MAX        4096 /* of one class */
#define WORDS_MAX          8192 /* of one type */
#define REACH_MAX          1280 /* bytes of an object looked at in one view */
#define SCAN_BYTES_MAX     (1u << 20)
#define MEMBER_OBJECT      6
#define MEMBER_OBJECT_EX   16
#define MEMBER_AFTER_ITEMS 16 /* a flag, since 3.15 */
#define GC_HEAD            16
#define CTYPES_DICT_SIZE   192
#define MINOR_TYPE_VISIT   9 /* instances of all types on the heap visit their type since */

/* One type of the line of bases, read for this purpose. */
struct level {
    const struct type_entry *entry;
    uint64_t traverse, dealloc;
};

struct builder {
    struct python_process *process;
    struct reference_plan *plan;
    ARRAY(struct reference_word) words;
    const struct reference_row *row;
    struct level origin; /* the first type of the line that is written in C */
    int64_t row_basicsize;
    bool has_own_words, out_of_memory;
};

static bool has_flag(const struct python_process *process, const struct python_type *type,
                     enum python_field flag)
{
    return (type->flags & layout_or(&process->layout, flag, 0)) != 0;
}

/* ---- facts of the process */

/* Each process has this class, made by importlib. */
static uint64_t known_class(const struct python_process *process)
{
    uint64_t modules_addr, module_addr, dict_addr, class_addr;
    if (!process->interp_addr ||
        field_u64(process, process->interp_addr, PY_interp_modules, &modules_addr) != STATUS_OK ||
        dict_get_raw(process, modules_addr, "_frozen_importlib", &module_addr) != STATUS_OK ||
        field_u64(process, module_addr, PY_module_dict, &dict_addr) != STATUS_OK ||
        dict_get_raw(process, dict_addr, "ModuleSpec", &class_addr) != STATUS_OK)
        return 0;
    return class_addr;
}

/* The dictionary of subclasses that `object` has up to 3.11 has ints for keys. */
static uint64_t general_lookup(const struct python_process *process, uint64_t class_addr)
{
    uint64_t base_addr = class_addr, next_addr = class_addr, subclasses_addr, keys_addr, lookup;
    for (unsigned i = 0; i < BASES_MAX && next_addr; i++) {
        base_addr = next_addr;
        if (field_u64(process, base_addr, PY_type_base, &next_addr) != STATUS_OK)
            return 0;
    }
    if (field_u64(process, base_addr, PY_type_subclasses, &subclasses_addr) != STATUS_OK ||
        field_u64(process, subclasses_addr, PY_dict_keys, &keys_addr) != STATUS_OK ||
        field_u64(process, keys_addr, PY_keys_lookup, &lookup) != STATUS_OK)
        return 0;
    return lookup;
}

static const struct reference_facts *facts_of(struct python_process *process)
{
    struct type_table *types = process->types;
    if (types->references)
        return types->references;
    struct reference_facts *facts = arena_alloc(process->arena, sizeof *facts);
    if (!facts)
        return NULL;
    *facts = (struct reference_facts){0};
    uint64_t class_addr = known_class(process);
    if (class_addr) {
        if (field_u64(process, class_addr, PY_type_traverse, &facts->class_traverse) != STATUS_OK ||
            field_u64(process, class_addr, PY_type_dealloc, &facts->class_dealloc) != STATUS_OK)
            *facts = (struct reference_facts){0};
        if (layout_has(&process->layout, PY_keys_lookup))
            facts->general_lookup = general_lookup(process, class_addr);
    }
    types->references = facts;
    return facts;
}

/* ---- words */

static const char *label_of(struct builder *builder, const char *prefix, const char *name,
                            size_t size)
{
    const char *label = arena_printf(builder->process->arena, "%s%.*s", prefix, (int)size, name);
    builder->out_of_memory |= !label;
    return label;
}

static void add_word(struct builder *builder, uint64_t offset, enum reference_kind kind,
                     enum word_form form, const char *label)
{
    struct reference_word word = {
        .offset = (uint32_t)offset, .kind = (uint8_t)kind, .form = (uint8_t)form, .label = label};
    if (offset > UINT32_MAX || builder->words.count >= WORDS_MAX)
        return;
    builder->out_of_memory |= !array_push(&builder->words, word);
}

/* One word of a row; what it takes of `offset` is returned. */
static uint64_t add_row_word(struct builder *builder, const char *word, size_t size,
                             uint64_t offset)
{
    struct reference_plan *plan = builder->plan;
    const char *at = memchr(word, '@', size);
    if (size == 5 && memcmp(word, "!type", 5) == 0) {
        if (builder->origin.entry->type.is_heap)
            plan->type_kind = REFERENCE_HIDDEN;
        return 0;
    }
    if (size == 5 && memcmp(word, "!none", 5) == 0) {
        plan->has_type = false;
        return 0;
    }
    if (*word == '-')
        return size == 1 ? 8 : 8 * strtoul(word + 1, NULL, 10);
    if (*word == '~')
        add_word(builder, offset, REFERENCE_WEAK, WORD_PLAIN,
                 label_of(builder, "weak ", word + 1, size - 1));
    else if (*word == '^')
        add_word(builder, offset, plan->counted, WORD_PAIR,
                 label_of(builder, ".", word + 1, size - 1));
    else if (*word == '(')
        add_word(builder, offset, REFERENCE_HIDDEN, WORD_PLAIN,
                 label_of(builder, ".", word + 1, size - 2));
    else if (at && layout_minor(&builder->process->layout) < strtoul(at + 1, NULL, 10))
        add_word(builder, offset, REFERENCE_HIDDEN, WORD_PLAIN,
                 label_of(builder, ".", word, (size_t)(at - word)));
    else
        add_word(builder, offset, plan->counted, WORD_PLAIN,
                 label_of(builder, ".", word, at ? (size_t)(at - word) : size));
    return 8;
}

static void add_row_words(struct builder *builder, const char *words)
{
    uint64_t offset = layout_get(&builder->process->layout, PY_object_size);
    while (*words) {
        size_t size = strcspn(words, " ");
        offset += add_row_word(builder, words, size, offset);
        words += size + (words[size] == ' ');
    }
}

static bool has_word(const struct builder *builder, uint64_t offset)
{
    for (size_t i = 0; i < builder->words.count; i++)
        if (builder->words.items[i].offset == offset)
            return true;
    return false;
}

static const char *member_label(struct builder *builder, uint64_t member_addr)
{
    uint64_t name_addr;
    struct text text;
    const char *label = ".<slot>";
    text_init(&text);
    if (field_u64(builder->process, member_addr, PY_memberdef_name, &name_addr) == STATUS_OK &&
        memory_read_c_string(builder->process->image, name_addr, &text) == STATUS_OK && text.size)
        label = label_of(builder, ".", text_string(&text), text.size);
    text_deinit(&text);
    return label;
}

/* The members of one type: all of `count`, or up to the one without a name. */
static void add_members(struct builder *builder, const struct python_type *type, uint64_t count,
                        enum reference_kind plain_kind)
{
    const struct python_process *process = builder->process;
    uint64_t member_addr, name_addr, offset, size = layout_get(&process->layout, PY_memberdef_size);
    uint32_t kind, flags;
    if (field_u64(process, type->addr, PY_type_members, &member_addr) != STATUS_OK || !member_addr)
        return;
    for (uint64_t i = 0; i < count && i < MEMBERS_MAX; i++, member_addr += size) {
        if (field_u64(process, member_addr, PY_memberdef_name, &name_addr) != STATUS_OK ||
            field_u32(process, member_addr, PY_memberdef_type, &kind) != STATUS_OK ||
            field_u64(process, member_addr, PY_memberdef_offset, &offset) != STATUS_OK ||
            field_u32(process, member_addr, PY_memberdef_flags, &flags) != STATUS_OK || !name_addr)
            return;
        bool is_object = kind == MEMBER_OBJECT_EX || kind == MEMBER_OBJECT;
        if (is_object && offset >= 16 && offset < (uint64_t)type->basicsize &&
            !has_word(builder, offset))
            add_word(builder, offset,
                     kind == MEMBER_OBJECT_EX ? (enum reference_kind)builder->plan->counted
                                              : plain_kind,
                     flags & MEMBER_AFTER_ITEMS ? WORD_AFTER_ITEMS : WORD_PLAIN,
                     member_label(builder, member_addr));
    }
}

/* ---- the line of bases */

static bool read_level(const struct python_process *process, const struct python_type *type,
                       struct level *ret_level)
{
    struct level level = {.entry = type_entry_of(type)};
    if (field_u64(process, type->addr, PY_type_traverse, &level.traverse) != STATUS_OK ||
        field_u64(process, type->addr, PY_type_dealloc, &level.dealloc) != STATUS_OK)
        return false;
    *ret_level = level;
    return true;
}

static bool is_class(const struct python_process *process, const struct reference_facts *facts,
                     const struct level *level)
{
    const struct python_type *type = &level->entry->type;
    if (!type->is_heap)
        return false;
    if (!facts->class_traverse)
        return level->entry->slots_addr ||
               has_flag(process, type, PY_constant_tpflags_managed_dict) || type->dictoffset;
    return level->traverse ? level->traverse == facts->class_traverse
                           : level->dealloc == facts->class_dealloc;
}

static bool next_level(struct python_process *process, const struct level *level,
                       struct level *ret_level)
{
    const struct python_type *base;
    return level->entry->type.base_addr &&
           type_at(process, level->entry->type.base_addr, &base) == STATUS_OK &&
           read_level(process, base, ret_level);
}

/* Adds the slots of classes, and stops at the type that is none. */
static bool find_origin(struct builder *builder, const struct python_type *type,
                        const struct reference_facts *facts)
{
    struct level level, base;
    if (!read_level(builder->process, type, &level))
        return false;
    for (unsigned i = 0; i < BASES_MAX && is_class(builder->process, facts, &level); i++) {
        int64_t count;
        if (object_size(builder->process, level.entry->type.addr, &count) == STATUS_OK && count > 0)
            add_members(builder, &level.entry->type, (uint64_t)count, REFERENCE_HIDDEN);
        if (!next_level(builder->process, &level, &base))
            break;
        level = base;
    }
    builder->origin = level;
    return true;
}

/* The row of the origin, or of the nearest base that does the same to its instances. */
static void find_row(struct builder *builder)
{
    unsigned minor = layout_minor(&builder->process->layout);
    struct level level = builder->origin, base;
    for (unsigned i = 0; i < BASES_MAX; i++) {
        const struct python_type *type = &level.entry->type;
        builder->row = reference_row_find(type->name, type->basicsize, minor);
        builder->row_basicsize = type->basicsize;
        if (builder->row || !next_level(builder->process, &level, &base) ||
            base.traverse != level.traverse ||
            (!level.traverse && (base.entry->type.basicsize != type->basicsize ||
                                 base.entry->type.itemsize != type->itemsize)))
            return;
        level = base;
    }
}

/* What stands for a type whose name the dump lacks. A metatype with a tp_traverse of
 * its own, and a dictionary of that size, are ctypes'. */
static const char *name_of_kind(const struct python_layout *layout, const struct python_type *type)
{
    switch (type->kind) {
    case KIND_TYPE: return layout_minor(layout) <= 12 ? "_ctypes.PyCPointerType" : "type";
    case KIND_INT:
    case KIND_BOOL: return "int";
    case KIND_STR: return "str";
    case KIND_BYTES: return "bytes";
    case KIND_TUPLE: return "tuple";
    case KIND_LIST: return "list";
    case KIND_DICT: return type->basicsize == CTYPES_DICT_SIZE ? "StgDict" : "dict";
    default: return NULL;
    }
}

static void find_row_of_kind(struct builder *builder)
{
    const struct python_layout *layout = &builder->process->layout;
    const struct python_type *type = &builder->origin.entry->type;
    const char *name = name_of_kind(layout, type);
    if (!name || (builder->row && (type->module || builder->row_basicsize == type->basicsize)))
        return;
    const struct reference_row *row =
        reference_row_find(name, type->basicsize, layout_minor(layout));
    if (row) {
        builder->row = row;
        builder->row_basicsize = type->basicsize;
    }
}

/* ---- the plan */

/* Classes visited it already in 3.8, types of C code did not. */
static void set_own_type(struct builder *builder)
{
    struct reference_plan *plan = builder->plan;
    bool is_visited = layout_minor(&builder->process->layout) >= MINOR_TYPE_VISIT ||
                      plan->type != &builder->origin.entry->type;
    plan->has_type = plan->type->is_heap;
    plan->type_kind = plan->is_collected && is_visited ? REFERENCE_VISITED : REFERENCE_HIDDEN;
}

static void set_dict(struct builder *builder)
{
    const struct python_process *process = builder->process;
    const struct python_layout *layout = &process->layout;
    struct reference_plan *plan = builder->plan;
    const struct python_type *type = plan->type;
    if (type->kind == KIND_TYPE)
        return; /* tp_dict, which visit_type knows */
    if (has_flag(process, type, PY_constant_tpflags_managed_dict)) {
        plan->dict_form = layout_has(layout, PY_constant_managed_values_tag)    ? DICT_TAGGED
                          : layout_has(layout, PY_managed_values_before_object) ? DICT_OR_VALUES
                                                                                : DICT_MANAGED;
        if (plan->dict_form == DICT_MANAGED &&
            has_flag(process, type, PY_constant_tpflags_inline_values))
            plan->dict_form = DICT_INLINE_VALUES;
        plan->before = (uint32_t)layout_get(layout, plan->dict_form == DICT_OR_VALUES
                                                        ? PY_managed_values_before_object
                                                        : PY_managed_dict_before_object);
    } else if (type->dictoffset < 0) {
        plan->dict_form = DICT_AT_END;
        plan->dictoffset = type->dictoffset;
    } else if (type->dictoffset > 0 && !has_word(builder, (uint64_t)type->dictoffset)) {
        add_word(builder, (uint64_t)type->dictoffset, plan->dict_kind, WORD_PLAIN, ".__dict__");
    }
}

/* What sys.getsizeof adds: the head for the collector, and from 3.11 on the words in
 * front of the object. */
static uint32_t header_size(const struct python_process *process, const struct python_type *type)
{
    uint32_t size = has_flag(process, type, PY_constant_tpflags_have_gc) ? GC_HEAD : 0;
    enum python_field pre_header = layout_has(&process->layout, PY_constant_tpflags_preheader)
                                       ? PY_constant_tpflags_preheader
                                       : PY_constant_tpflags_managed_dict;
    return size + (has_flag(process, type, pre_header) ? GC_HEAD : 0);
}

static void read_key_names(struct builder *builder)
{
    const struct python_process *process = builder->process;
    uint64_t keys_addr = type_entry_of(builder->plan->type)->cached_keys_addr;
    struct dict_entries entries;
    if (!keys_addr || dict_entries_read(process, keys_addr, &entries) != STATUS_OK ||
        !entries.count || entries.count > SHARED_KEYS_MAX)
        return;
    const uint8_t *bytes = memory_view(process->image, entries.addr, entries.count * entries.size);
    uint64_t *names = arena_alloc(process->arena, entries.count * sizeof *names);
    builder->out_of_memory |= !names;
    if (!bytes || !names)
        return;
    for (uint64_t i = 0; i < entries.count; i++)
        names[i] = load_u64(bytes + i * entries.size + entries.key);
    builder->plan->key_names = names;
    builder->plan->key_count = entries.count;
}

/* Struct sequences have a number of fields of their own in the type's dictionary. */
static void set_struct_sequence(struct builder *builder)
{
    const struct type_entry *entry = builder->origin.entry;
    uint64_t fields_addr;
    int64_t fields;
    if (entry->type.kind == KIND_TUPLE && !entry->type.is_exact_kind && entry->dict_addr &&
        dict_get_raw(builder->process, entry->dict_addr, "n_fields", &fields_addr) == STATUS_OK &&
        int_read(builder->process, fields_addr, &fields) == STATUS_OK && fields > 0) {
        builder->plan->struct_fields = (uint64_t)fields;
        builder->plan->visit = visit_struct_sequence;
    }
}

static void set_unknown(struct builder *builder)
{
    struct reference_plan *plan = builder->plan;
    const struct python_type *origin = &builder->origin.entry->type;
    add_members(builder, origin, MEMBERS_MAX, (enum reference_kind)plan->counted);
    plan->scan_start = (uint32_t)layout_get(&builder->process->layout, PY_object_size);
    plan->scan_end = origin->basicsize > 0 && origin->basicsize < (int64_t)SCAN_BYTES_MAX
                         ? (uint32_t)origin->basicsize
                         : plan->scan_start;
    plan->is_scanned_to_end = origin->itemsize >= 8;
}

static void apply_row(struct builder *builder)
{
    struct reference_plan *plan = builder->plan;
    plan->row_basicsize = (uint64_t)builder->row_basicsize;
    add_row_words(builder, builder->row->words);
    plan->visit = builder->row->visit;
    if (builder->row->size)
        plan->size = builder->row->size;
    set_struct_sequence(builder);
    /* A type that inherits what its base does, and has more: nobody visits that. */
    if (builder->origin.entry->type.basicsize > builder->row_basicsize &&
        !builder->origin.entry->type.itemsize) {
        plan->scan_start = (uint32_t)builder->row_basicsize;
        plan->scan_end = (uint32_t)builder->origin.entry->type.basicsize;
    }
}

static uint32_t reach_of(const struct builder *builder)
{
    const struct python_process *process = builder->process;
    const struct reference_plan *plan = builder->plan;
    uint64_t reach = 24;
    for (size_t i = 0; i < builder->words.count; i++)
        if (builder->words.items[i].offset + 8 > reach &&
            builder->words.items[i].offset + 8 <= REACH_MAX)
            reach = builder->words.items[i].offset + 8;
    if (plan->type->kind == KIND_TYPE && reach <= 24)
        return (uint32_t)layout_get(&process->layout, PY_type_size);
    bool is_read = plan->visit || plan->size != size_default;
    uint64_t whole = builder->row_basicsize > 0 ? (uint64_t)builder->row_basicsize : 0;
    if (is_read && whole > reach && whole <= REACH_MAX)
        reach = whole;
    if (plan->type->kind == KIND_STR && !builder->words.count) /* compact: not the whole struct */
        reach = layout_get(&process->layout, PY_unicode_ascii_header_size);
    return (uint32_t)reach;
}

static bool fill(struct builder *builder, const struct python_type *type,
                 const struct reference_facts *facts)
{
    struct reference_plan *plan = builder->plan;
    *plan = (struct reference_plan){
        .type = type,
        .size = size_default,
        .basicsize = type->basicsize > 0 ? (uint64_t)type->basicsize : 0,
        .itemsize = type->itemsize > 0 ? (uint64_t)type->itemsize : 0,
        .header_size = header_size(builder->process, type),
        .is_collected = has_flag(builder->process, type, PY_constant_tpflags_have_gc),
    };
    plan->counted = plan->is_collected ? REFERENCE_VISITED : REFERENCE_HIDDEN;
    plan->dict_kind = plan->counted;
    plan->visits_own_dict = release_has(&builder->process->layout, CHANGE_OWN_DICT_VISITED);
    if (find_origin(builder, type, facts)) {
        set_own_type(builder);
        if (!builder->origin.traverse) /* a class over a type that visits nothing */
            plan->counted = REFERENCE_HIDDEN;
        find_row(builder);
        find_row_of_kind(builder);
        if (builder->row)
            apply_row(builder);
        else
            set_unknown(builder);
    }
    set_dict(builder);
    read_key_names(builder);
    plan->reach = reach_of(builder);
    struct reference_word *words =
        arena_alloc(builder->process->arena, (builder->words.count + 1) * sizeof *words);
    if (!words || builder->out_of_memory)
        return false;
    if (builder->words.count)
        memcpy(words, builder->words.items, builder->words.count * sizeof *words);
    plan->words = words;
    plan->word_count = builder->words.count;
    return true;
}

const struct reference_plan *reference_plan_create(struct python_process *process,
                                                   const struct python_type *type)
{
    const struct reference_facts *facts = facts_of(process);
    struct builder builder = {
        .process = process,
        .plan = arena_alloc(process->arena, sizeof *builder.plan),
    };
    bool is_done = facts && builder.plan && fill(&builder, type, facts);
    array_deinit(&builder.words);
    return is_done ? builder.plan : NULL;
}
