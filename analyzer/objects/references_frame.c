/* SPDX-License-Identifier: Apache-2.0 */
/* References of frames, generators, coroutines and code (Objects/frameobject.c,
 * genobject.c, codeobject.c; Python/frame.c from 3.11 on).
 *
 * Up to 3.10 a frame object has its variables itself. From 3.11 on they are in an
 * interpreter frame: within the frame object once the call is over, within a
 * generator, else on the thread's data stack, where tp_traverse visits none.
 *
 * OFFSET (layout)         SIZE  MEANING
 * frame_localsplus        -     variables, cells, then the evaluation stack
 * frame_stacktop          8     3.8, 3.9: its end, NULL while the frame runs
 * frame_stackdepth        4     3.10: items on it
 * frame_frame             8     3.11 on: pointer to the interpreter frame
 * of an interpreter frame: code, function, locals, frame object, and
 * iframe_localsplus       -     variables, cells, then the evaluation stack
 * iframe_stacktop         4     3.11 to 3.13: words of it in use, -1 while it runs
 * iframe_stackpointer     8     3.14 on: the end of those, NULL while it runs */
#include "analyzer/objects/references_plan.h"

#define SLOTS_MAX       (1u << 24)
#define TAG_MASK        3
#define IMMORTAL_MIN    (1u << 30)
#define CODE_KEPT_SINCE 14 /* minor version: a finished generator visits its code */

/* The names of a frame's variables: of a tuple, or up to 3.10 of three. */
struct names {
    const uint8_t *items[3];
    uint64_t counts[3];
};

static void add_names(struct object_walk *walk, struct names *names, unsigned which,
                      uint64_t tuple_addr)
{
    uint64_t items_addr, count;
    if (!tuple_addr ||
        tuple_items_raw(walk->process, tuple_addr, &items_addr, &count) != STATUS_OK || !count ||
        count > SLOTS_MAX)
        return;
    names->items[which] = memory_view(walk->process->image, items_addr, 8 * count);
    names->counts[which] = names->items[which] ? count : 0;
}

static uint64_t code_word(struct object_walk *walk, uint64_t code_addr, enum python_field field)
{
    uint64_t word;
    return field_u64(walk->process, code_addr, field, &word) == STATUS_OK ? word : 0;
}

static void read_names(struct object_walk *walk, uint64_t code_addr, struct names *ret_names)
{
    const struct python_layout *layout = &walk->process->layout;
    *ret_names = (struct names){0};
    if (layout_has(layout, PY_code_localsplusnames)) {
        add_names(walk, ret_names, 0, code_word(walk, code_addr, PY_code_localsplusnames));
        return;
    }
    add_names(walk, ret_names, 0, code_word(walk, code_addr, PY_code_varnames));
    add_names(walk, ret_names, 1, code_word(walk, code_addr, PY_code_cellvars));
    add_names(walk, ret_names, 2, code_word(walk, code_addr, PY_code_freevars));
}

/* 3.14 on: what a tagged word refers to, 0 where that is no object. */
static uint64_t untagged(const struct python_layout *layout, uint64_t word)
{
    if (!layout_has(layout, PY_constant_stackref_tag_mask))
        return word;
    return (word & TAG_MASK) >= 2 ? 0 : word & ~(uint64_t)TAG_MASK;
}

/* The stack may hold what a variable holds without counting it; the tag says so, but
 * is there for what is immortal as well. */
static bool is_borrowed(struct object_walk *walk, uint64_t word)
{
    const struct python_layout *layout = &walk->process->layout;
    uint32_t count;
    return layout_has(layout, PY_constant_stackref_tag_mask) && (word & TAG_MASK) == 1 &&
           field_u32(walk->process, word & ~(uint64_t)TAG_MASK, PY_object_refcnt, &count) ==
               STATUS_OK &&
           count < IMMORTAL_MIN;
}

static void add_slot(struct object_walk *walk, const struct names *names, uint64_t index,
                     uint64_t word)
{
    uint64_t target = untagged(&walk->process->layout, word);
    for (unsigned i = 0; i < 3; i++) {
        if (index < names->counts[i]) {
            walk_add(walk, target, walk->plan->counted, LABEL_VARIABLE,
                     load_u64(names->items[i] + 8 * index));
            return;
        }
        index -= names->counts[i];
    }
    if (is_borrowed(walk, word))
        walk_add_field(walk, target, REFERENCE_WEAK, "weak <stack>");
    else
        walk_add_field(walk, target, walk->plan->counted, ".<stack>");
}

static void add_slots(struct object_walk *walk, uint64_t code_addr, uint64_t slots_addr,
                      uint64_t count)
{
    struct names names;
    const uint8_t *slots = count ? walk_view(walk, slots_addr, 8 * count) : NULL;
    if (!slots || !walk_reserve(walk, count))
        return;
    read_names(walk, code_addr, &names);
    for (uint64_t i = 0; i < count; i++)
        add_slot(walk, &names, i, load_u64(slots + 8 * i));
}

/* ---- interpreter frames, from 3.11 on */

static uint64_t iframe_word(struct object_walk *walk, uint64_t iframe_addr, enum python_field field)
{
    const struct python_layout *layout = &walk->process->layout;
    return layout_has(layout, field) ? walk_read(walk, iframe_addr + layout_get(layout, field)) : 0;
}

/* Words from localsplus on that hold something; 0 while the frame runs. */
static uint64_t iframe_slots(struct object_walk *walk, uint64_t iframe_addr)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t slots_addr = iframe_addr + layout_get(layout, PY_iframe_localsplus), count;
    if (layout_has(layout, PY_iframe_stackpointer)) {
        uint64_t end_addr = iframe_word(walk, iframe_addr, PY_iframe_stackpointer);
        count = end_addr > slots_addr ? (end_addr - slots_addr) / 8 : 0;
    } else {
        uint32_t top = 0;
        if (field_u32(walk->process, iframe_addr, PY_iframe_stacktop, &top) != STATUS_OK)
            walk_fail(walk, STATUS_NOT_IN_DUMP);
        count = (int32_t)top > 0 ? top : 0;
    }
    if (count <= SLOTS_MAX)
        return count;
    walk_fail(walk, STATUS_CORRUPT);
    return 0;
}

static uint64_t iframe_code(struct object_walk *walk, uint64_t iframe_addr)
{
    return untagged(&walk->process->layout, iframe_word(walk, iframe_addr, PY_iframe_code));
}

static void visit_iframe(struct object_walk *walk, uint64_t iframe_addr)
{
    const struct python_layout *layout = &walk->process->layout;
    enum reference_kind counted = walk->plan->counted;
    uint64_t code_addr = iframe_code(walk, iframe_addr);
    uint64_t function = untagged(layout, iframe_word(walk, iframe_addr, PY_iframe_function));
    walk_add_field(walk, iframe_word(walk, iframe_addr, PY_iframe_object), counted, ".<frame>");
    walk_add_field(walk, iframe_word(walk, iframe_addr, PY_iframe_locals), counted, ".f_locals");
    walk_add_field(walk, function, counted, ".<function>");
    walk_add_field(walk, code_addr, counted, ".<code>");
    add_slots(walk, code_addr, iframe_addr + layout_get(layout, PY_iframe_localsplus),
              iframe_slots(walk, iframe_addr));
}

void visit_generator(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint8_t state;
    if (!layout_has(layout, PY_gen_iframe))
        return;
    uint64_t iframe_addr = walk->addr + layout_get(layout, PY_gen_iframe);
    if (field_u8(walk->process, walk->addr, PY_gen_state, &state) != STATUS_OK)
        walk_fail(walk, STATUS_NOT_IN_DUMP);
    else if (state != (uint8_t)layout_get(layout, PY_constant_gen_cleared))
        visit_iframe(walk, iframe_addr);
    else if (layout_minor(layout) >= CODE_KEPT_SINCE)
        walk_add_field(walk, iframe_code(walk, iframe_addr), walk->plan->counted, ".<code>");
}

/* ---- frame objects */

static uint64_t code_slots(struct object_walk *walk, uint64_t code_addr)
{
    static const enum python_field tuples[] = {PY_code_cellvars, PY_code_freevars};
    uint64_t items_addr, count;
    uint32_t locals;
    if (field_u32(walk->process, code_addr, PY_code_nlocals, &locals) != STATUS_OK)
        return 0;
    uint64_t slots = locals;
    for (size_t i = 0; i < 2; i++) {
        uint64_t tuple_addr = code_word(walk, code_addr, tuples[i]);
        if (tuple_addr &&
            tuple_items_raw(walk->process, tuple_addr, &items_addr, &count) == STATUS_OK &&
            count <= SLOTS_MAX)
            slots += count;
    }
    return slots;
}

/* Up to 3.10. */
static void visit_own_slots(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t code_addr = walk_field(walk, PY_frame_code);
    uint64_t slots_addr = walk->addr + layout_get(layout, PY_frame_localsplus);
    uint64_t stack_addr = walk_field(walk, PY_frame_valuestack), depth = 0;
    if (layout_has(layout, PY_frame_stackdepth))
        depth = (uint64_t)(int64_t)(int32_t)walk_u32(walk, layout_get(layout, PY_frame_stackdepth));
    else if (walk_field(walk, PY_frame_stacktop) > stack_addr)
        depth = (walk_field(walk, PY_frame_stacktop) - stack_addr) / 8;
    uint64_t slots = code_slots(walk, code_addr);
    if (depth > SLOTS_MAX)
        depth = 0;
    if (slots > SLOTS_MAX || stack_addr < slots_addr) {
        walk_fail(walk, STATUS_CORRUPT);
        return;
    }
    add_slots(walk, code_addr, slots_addr, slots + depth);
}

void visit_frame(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint8_t owner;
    if (!layout_has(layout, PY_frame_frame)) {
        visit_own_slots(walk);
        return;
    }
    uint64_t iframe_addr = walk_field(walk, PY_frame_frame);
    if (!iframe_addr || field_u8(walk->process, iframe_addr, PY_iframe_owner, &owner) != STATUS_OK)
        return;
    if (owner == layout_get(layout, PY_constant_owner_frame_object))
        visit_iframe(walk, iframe_addr);
}

/* ---- code: never visited, but counted */

void visit_code(struct object_walk *walk)
{
    static const struct {
        enum python_field field;
        const char *label;
    } words[] = {
        {PY_code_consts, ".co_consts"},        {PY_code_names, ".co_names"},
        {PY_code_filename, ".co_filename"},    {PY_code_name, ".co_name"},
        {PY_code_qualname, ".co_qualname"},    {PY_code_code, ".co_code"},
        {PY_code_varnames, ".co_varnames"},    {PY_code_cellvars, ".co_cellvars"},
        {PY_code_freevars, ".co_freevars"},    {PY_code_lnotab, ".co_lnotab"},
        {PY_code_linetable, ".co_linetable"},  {PY_code_localsplusnames, ".<variables>"},
        {PY_code_localspluskinds, ".<kinds>"}, {PY_code_exceptiontable, ".co_exceptiontable"},
        {PY_code_cached_code, ".<co_code>"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        walk_add_field(walk, walk_field(walk, words[i].field), REFERENCE_HIDDEN, words[i].label);
    uint64_t cached_addr = walk_field(walk, PY_code_cached);
    const uint8_t *cached = cached_addr ? walk_view(walk, cached_addr, 32) : NULL;
    for (unsigned i = 0; cached && i < 4; i++)
        walk_add_field(walk, load_u64(cached + 8 * i), REFERENCE_HIDDEN, ".<cache>");
}

/* ---- sizes */

static uint64_t code_frame_slots(struct object_walk *walk, uint64_t code_addr)
{
    uint32_t locals, stack;
    if (!code_addr ||
        field_u32(walk->process, code_addr, PY_code_nlocalsplus, &locals) != STATUS_OK ||
        field_u32(walk->process, code_addr, PY_code_stacksize, &stack) != STATUS_OK) {
        walk_fail(walk, STATUS_NOT_IN_DUMP);
        return 0;
    }
    return (uint64_t)locals + stack;
}

/* Variables and stack are at the end of the object. */
static uint64_t size_with_slots(struct object_walk *walk, uint64_t base, uint64_t slots)
{
    return size_block(walk, base, walk->addr + base, slots, 8);
}

uint64_t size_frame(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    if (layout_has(layout, PY_frame_frame))
        return size_with_slots(
            walk, layout_get(layout, PY_frame_embedded) + layout_get(layout, PY_iframe_localsplus),
            code_frame_slots(walk, iframe_code(walk, walk_field(walk, PY_frame_frame))));
    uint64_t code_addr = walk_field(walk, PY_frame_code);
    uint32_t stack = 0;
    if (field_u32(walk->process, code_addr, PY_code_stacksize, &stack) != STATUS_OK)
        walk_fail(walk, STATUS_NOT_IN_DUMP);
    return size_with_slots(walk, layout_get(layout, PY_frame_size) - 8,
                           code_slots(walk, code_addr) + stack);
}

uint64_t size_generator(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    if (!layout_has(layout, PY_gen_iframe))
        return size_default(walk);
    uint64_t iframe = layout_get(layout, PY_gen_iframe);
    uint64_t code_addr = layout_has(layout, PY_gen_code) ? walk_field(walk, PY_gen_code)
                                                         : iframe_code(walk, walk->addr + iframe);
    return size_with_slots(walk, iframe + layout_get(layout, PY_iframe_localsplus),
                           code_frame_slots(walk, code_addr));
}
