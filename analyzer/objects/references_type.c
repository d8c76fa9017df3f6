/* SPDX-License-Identifier: Apache-2.0 */
/* References of types, modules and capsules.
 *
 * OFFSET (layout)        SIZE  MEANING
 * type: see type_table.c. tp_traverse visits dict, cache, mro, bases, base and module
 * of types made on the heap; static ones take no part in garbage collection
 * module_def             8     pointer to its PyModuleDef, up to 3.14
 * module_state           8     pointer to its state, whose references C code knows
 * moduledef_state_size   8     bytes of that; module_state_size from 3.15 on
 * PyCapsule (Objects/capsule.c), 3.13 on:
 * 16                     8     pointer to anything
 * 48                     8     function that visits what that refers to */
#include "analyzer/objects/references_plan.h"

#define STATE_MAX        (1u << 20)
#define CTYPES_DICT_SIZE 192

static const struct {
    enum python_field field;
    const char *label;
    bool is_visited, is_heap_only;
    uint8_t since; /* visited since this minor version */
} type_words[] = {
    {PY_type_cache, ".<cache>", true, false, 0},
    {PY_type_mro, ".__mro__", true, false, 0},
    {PY_type_bases, ".__bases__", true, false, 0},
    {PY_heaptype_module, ".<module>", true, true, 9},
    {PY_heaptype_name, ".__name__", false, true, 0},
    {PY_heaptype_qualname, ".__qualname__", false, true, 0},
    {PY_heaptype_slots, ".__slots__", false, true, 0},
};

static bool has_flag(struct object_walk *walk, uint64_t flags, enum python_field flag)
{
    return (flags & layout_or(&walk->process->layout, flag, 0)) != 0;
}

/* Names of attributes that instances share, which count once for the type. */
static void visit_shared_keys(struct object_walk *walk)
{
    uint64_t keys_addr = walk_field(walk, PY_heaptype_cached_keys);
    struct dict_entries entries;
    if (!keys_addr || dict_entries_read(walk->process, keys_addr, &entries) != STATUS_OK ||
        !entries.count || entries.count > SHARED_KEYS_MAX)
        return;
    const uint8_t *bytes = walk_view(walk, entries.addr, entries.count * entries.size);
    for (uint64_t i = 0; bytes && i < entries.count; i++)
        walk_add_field(walk, load_u64(bytes + i * entries.size + entries.key), REFERENCE_HIDDEN,
                       ".<attribute_name>");
}

static void visit_subclasses(struct object_walk *walk, uint64_t flags)
{
    uint64_t subclasses_addr, state_addr;
    if (!has_flag(walk, flags, PY_constant_tpflags_static_builtin)) {
        subclasses_addr = walk_field(walk, PY_type_subclasses);
    } else {
        state_addr = static_type_state_addr(walk->process, walk->addr, flags);
        if (!state_addr || field_u64(walk->process, state_addr, PY_interp_static_type_subclasses,
                                     &subclasses_addr) != STATUS_OK)
            return;
    }
    walk_add_field(walk, subclasses_addr, REFERENCE_HIDDEN, ".<subclasses>");
}

void visit_type(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t flags = walk_field(walk, PY_type_flags);
    bool is_heap = has_flag(walk, flags, PY_constant_tpflags_heaptype);
    enum reference_kind counted = is_heap ? REFERENCE_VISITED : REFERENCE_HIDDEN;
    walk_add_field(walk, type_dict_addr(walk->process, walk->addr, flags), counted, ".__dict__");
    /* C code's own initialiser names the base of a static type, and does not count it */
    walk_add_field(walk, walk_field(walk, PY_type_base),
                   is_heap ? REFERENCE_VISITED : REFERENCE_WEAK,
                   is_heap ? ".__base__" : "weak __base__");
    for (size_t i = 0; i < sizeof type_words / sizeof *type_words; i++) {
        bool is_visited = type_words[i].is_visited && layout_minor(layout) >= type_words[i].since;
        if (is_heap || !type_words[i].is_heap_only)
            walk_add_field(walk, walk_field(walk, type_words[i].field),
                           is_visited ? counted : (enum reference_kind)REFERENCE_HIDDEN,
                           type_words[i].label);
    }
    visit_subclasses(walk, flags);
    if (is_heap)
        visit_shared_keys(walk);
}

/* Up to 3.12, what ctypes adds to a type is in its dictionary, a StgDict: at 96 the
 * type that a pointer leads to. */
void visit_ctypes_type(struct object_walk *walk)
{
    uint64_t dict_addr = walk_field(walk, PY_type_dict), dict_type_addr, size;
    if (field_u64(walk->process, dict_addr, PY_object_type, &dict_type_addr) == STATUS_OK &&
        field_u64(walk->process, dict_type_addr, PY_type_basicsize, &size) == STATUS_OK &&
        size == CTYPES_DICT_SIZE)
        walk_add_field(walk, walk_read(walk, dict_addr + 96), walk->plan->counted, ".<proto>");
    visit_type(walk);
}

static uint64_t state_size(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    if (layout_has(layout, PY_module_state_size))
        return walk_field(walk, PY_module_state_traverse) ? walk_field(walk, PY_module_state_size)
                                                          : 0;
    uint64_t def_addr = walk_field(walk, PY_module_def);
    if (!def_addr || !walk_read(walk, def_addr + layout_get(layout, PY_moduledef_traverse)))
        return 0;
    return walk_read(walk, def_addr + layout_get(layout, PY_moduledef_state_size));
}

/* What C code keeps for a module: its fields have no names in the dump, so they are
 * told from what they look like. */
void visit_module(struct object_walk *walk)
{
    uint64_t state_addr = walk_field(walk, PY_module_state);
    uint64_t size = state_addr ? state_size(walk) : 0;
    if (!size || size > STATE_MAX)
        return;
    const uint8_t *bytes = walk_view(walk, state_addr, size);
    for (uint64_t offset = 0; bytes && offset + 8 <= size; offset += 8)
        if (looks_like_object(walk->process, load_u64(bytes + offset)))
            walk_add_field(walk, load_u64(bytes + offset), REFERENCE_INFERRED, ".<state>");
}

void visit_capsule(struct object_walk *walk)
{
    uint64_t target;
    if (!walk_u64(walk, 48) ||
        memory_read_u64(walk->process->image, walk_u64(walk, 16), &target) != STATUS_OK)
        return;
    if (looks_like_object(walk->process, target))
        walk_add_field(walk, target, REFERENCE_VISITED, ".<content>");
}
