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
#include "inquest/base/cycle_guard.h"

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

/* ---- what some modules keep in memory that their state leads to */

static bool add_if_object(struct object_walk *walk, uint64_t target)
{
    if (!looks_like_object(walk->process, target))
        return false;
    walk_add_field(walk, target, REFERENCE_INFERRED, ".<state>");
    return true;
}

/* _zoneinfo, 3.12 on: at one word of it, a list of the zones used last, each of next,
 * previous, key, zone. */
static void visit_zone_cache(struct object_walk *walk, const uint8_t *state, uint64_t size)
{
    for (uint64_t offset = 0; offset + 8 <= size; offset += 8) {
        uint64_t node_addr = load_u64(state + offset), before = 0;
        const uint8_t *node = NULL;
        struct cycle_guard guard = {0};
        if (!node_addr || node_addr & 7 || !memory_is_writable(walk->process->image, node_addr) ||
            looks_like_object(walk->process, node_addr))
            continue;
        while (node_addr && cycle_guard_step(&guard, node_addr) &&
               (node = memory_view(walk->process->image, node_addr, 32)) != NULL &&
               load_u64(node + 8) == before && add_if_object(walk, load_u64(node + 16)) &&
               add_if_object(walk, load_u64(node + 24))) {
            before = node_addr;
            node_addr = load_u64(node);
        }
    }
}

/* _decimal, 3.13 on: words of it lead to tables of two C strings, a flag and an
 * exception, and end where there is no string. */
#define DECIMAL_SIGNALS_MAX 16
static void visit_decimal_signals(struct object_walk *walk, const uint8_t *state, uint64_t size)
{
    for (uint64_t offset = 0; offset + 8 <= size; offset += 8) {
        uint64_t row_addr = load_u64(state + offset);
        const uint8_t *row;
        if (row_addr & 7 || looks_like_object(walk->process, row_addr))
            continue;
        for (unsigned i = 0; i < DECIMAL_SIGNALS_MAX; i++, row_addr += 32) {
            row = memory_view(walk->process->image, row_addr, 32);
            if (!row || !load_u64(row) || !load_u64(row + 8) ||
                !add_if_object(walk, load_u64(row + 24)))
                break;
        }
    }
}

/* atexit, up to 3.9: a table of addresses, how many; each of function, args, kwargs. */
static void visit_exit_functions(struct object_walk *walk, const uint8_t *state, uint64_t size)
{
    uint64_t count = size >= 16 ? load_u32(state + 8) : 0;
    for (uint64_t i = 0; i < count && walk->status == STATUS_OK; i++) {
        uint64_t entry_addr = walk_read(walk, load_u64(state) + 8 * i);
        if (entry_addr)
            walk_add_array(walk, entry_addr, 3, walk->plan->counted);
    }
}

/* These visit the type of modules, though it is a static one. */
static void visit_module_type(struct object_walk *walk, const uint8_t *state, uint64_t size)
{
    (void)state, (void)size;
    walk_add_field(walk, walk->plan->type->addr, walk->plan->counted, ".__class__");
}

static const struct {
    const char *name;
    uint8_t since, until; /* minor versions, 0: any */
    void (*visit)(struct object_walk *walk, const uint8_t *state, uint64_t size);
} module_states[] = {
    {"_zoneinfo", 12, 0, visit_zone_cache}, {"_decimal", 13, 0, visit_decimal_signals},
    {"atexit", 0, 9, visit_exit_functions}, {"_curses_panel", 9, 0, visit_module_type},
    {"_hmac", 14, 0, visit_module_type},
};

static void visit_beside_state(struct object_walk *walk, const uint8_t *state, uint64_t size)
{
    unsigned minor = layout_minor(&walk->process->layout);
    uint64_t name_addr = walk_field(walk, PY_module_name);
    for (size_t i = 0; name_addr && i < sizeof module_states / sizeof *module_states; i++)
        if (minor >= module_states[i].since &&
            (!module_states[i].until || minor <= module_states[i].until) &&
            str_equals(walk->process, name_addr, module_states[i].name))
            module_states[i].visit(walk, state, size);
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
        add_if_object(walk, load_u64(bytes + offset));
    if (bytes)
        visit_beside_state(walk, bytes, size);
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
