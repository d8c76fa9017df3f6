/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/frames.h"

#include "analyzer/runtime/data_stack.h"
#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"

/* One walk: what was visited is kept to cut a loop and to know where the data
 * stack's frames are to be taken up again. */
struct walk {
    struct code_table *codes;
    struct python_process *process;
    uint64_t state_addr;
    struct frame_list *list;
    struct cycle_guard guard;
    ARRAY(uint64_t) visited;
    struct data_stack recovered; /* read only when a link is missing */
    bool has_recovered;
    size_t next_recovered, seen; /* how far `visited` was compared with `recovered` */
    unsigned strangers;          /* links in a row that have something else for their code */
};

/* What one link of the chain says. */
struct link {
    struct frame_fact frame;
    uint64_t previous_addr;
    bool has_previous; /* it could be read */
    bool hidden;       /* the interpreter's own entry frame, or one that has not begun */
};

#define STRANGERS_MAX 8u

static bool before_3_11(const struct python_process *process)
{
    return layout_has(&process->layout, PY_frame_code);
}

uint64_t frame_untag(const struct python_process *process, uint64_t word)
{
    if (!layout_has(&process->layout, PY_constant_stackref_tag_mask))
        return word;
    uint64_t mask = layout_get(&process->layout, PY_constant_stackref_tag_mask);
    /* tags 2 and 3 are numbers and C pointers, no objects */
    return (word & mask) >= 2 ? 0 : word & ~mask;
}

static enum status read_link_to_3_10(struct walk *walk, uint64_t addr, struct link *link)
{
    struct python_process *process = walk->process;
    uint64_t code_addr;
    uint32_t last;
    enum status status = object_pointer(process, addr, PY_frame_back, &link->previous_addr);
    link->has_previous = status == STATUS_OK;
    if (status == STATUS_OK)
        status = object_pointer(process, addr, PY_frame_code, &code_addr);
    if (status == STATUS_OK)
        status = memory_read_u32(process->image,
                                 addr + layout_get(&process->layout, PY_frame_lasti), &last);
    if (status != STATUS_OK)
        return status;
    unsigned unit = layout_minor(&process->layout) >= 10 ? 2 : 1;
    link->frame.offset = (int64_t)(int32_t)last * unit;
    return code_at(walk->codes, code_addr, &link->frame.code);
}

static bool is_entry_owner(const struct python_process *process, uint8_t owner)
{
    uint64_t least = UINT64_MAX;
    if (layout_has(&process->layout, PY_constant_owner_interpreter))
        least = layout_get(&process->layout, PY_constant_owner_interpreter);
    if (layout_has(&process->layout, PY_constant_owner_cstack) &&
        layout_get(&process->layout, PY_constant_owner_cstack) < least)
        least = layout_get(&process->layout, PY_constant_owner_cstack);
    return owner >= least;
}

static enum status read_link_from_3_11(struct walk *walk, uint64_t addr, struct link *link)
{
    struct python_process *process = walk->process;
    uint64_t code_addr, instruction_addr;
    uint8_t owner;
    enum status status = object_pointer(process, addr, PY_iframe_previous, &link->previous_addr);
    link->has_previous = status == STATUS_OK;
    if (status == STATUS_OK)
        status = memory_read_u8(process->image,
                                addr + layout_get(&process->layout, PY_iframe_owner), &owner);
    if (status != STATUS_OK)
        return status;
    if (is_entry_owner(process, owner)) {
        link->hidden = true;
        return STATUS_OK;
    }
    status = object_pointer(process, addr, PY_iframe_code, &code_addr);
    if (status == STATUS_OK)
        status = object_pointer(process, addr, PY_iframe_instr, &instruction_addr);
    if (status == STATUS_OK)
        status = code_at(walk->codes, frame_untag(process, code_addr), &link->frame.code);
    if (status != STATUS_OK)
        return status;
    struct code_info *code = link->frame.code;
    link->frame.offset = (int64_t)(instruction_addr - code->instructions_addr);
    uint64_t generator_owner = layout_get(&process->layout, PY_constant_owner_generator);
    link->hidden =
        owner != generator_owner && link->frame.offset < 2 * (int64_t)code->first_traceable;
    return STATUS_OK;
}

static enum status read_link(struct walk *walk, uint64_t addr, struct link *link)
{
    *link = (struct link){.frame = {.addr = addr, .offset = -1}};
    return before_3_11(walk->process) ? read_link_to_3_10(walk, addr, link)
                                      : read_link_from_3_11(walk, addr, link);
}

static enum status first_frame(const struct walk *walk, uint64_t *ret_addr)
{
    const struct python_process *process = walk->process;
    uint64_t cframe_addr;
    if (layout_has(&process->layout, PY_thread_frame))
        return object_pointer(process, walk->state_addr, PY_thread_frame, ret_addr);
    if (!layout_has(&process->layout, PY_thread_cframe))
        return object_pointer(process, walk->state_addr, PY_thread_current_frame, ret_addr);
    enum status status = object_pointer(process, walk->state_addr, PY_thread_cframe, &cframe_addr);
    if (status == STATUS_OK && cframe_addr)
        status = object_pointer(process, cframe_addr, PY_cframe_current_frame, ret_addr);
    else if (status == STATUS_OK)
        *ret_addr = 0;
    return status;
}

static const char note_data_stack[] =
    "links of the frame chain are missing from the core (they lie in the C stack): frames were "
    "taken from the interpreter's data stack, those of running generators may lack";
static const char note_code[] = "a frame's code object can't be read";
static const char note_strangers[] =
    "the chain of frames is damaged: it leads to what are no frames";
static const char note_many[] =
    "there are more frames than the limit of 10,000,000: the rest is left out";
static const char note_lost[] = "frames are missing: their memory is not in the core";

enum status frame_read(struct code_table *codes, struct python_process *process, uint64_t addr,
                       struct frame_fact *ret_frame)
{
    struct walk walk = {.codes = codes, .process = process};
    struct link link;
    enum status status = read_link(&walk, addr, &link);
    if (status == STATUS_OK)
        *ret_frame = link.frame;
    return status;
}

/* The next frame down the data stack that the chain has not shown yet, 0: none. */
static uint64_t take_up_data_stack(struct walk *walk)
{
    struct data_stack *stack = &walk->recovered;
    if (!walk->has_recovered && !before_3_11(walk->process) && walk->list->walked < LIMIT_FRAMES)
        data_stack_read(walk->codes, walk->process, walk->state_addr, stack);
    walk->has_recovered = true;
    for (; walk->seen < walk->visited.count && walk->next_recovered < stack->addrs.count;
         walk->seen++)
        if (walk->visited.items[walk->seen] == stack->addrs.items[walk->next_recovered])
            walk->next_recovered++;
    walk->list->note = stack->addrs.count ? note_data_stack : note_lost;
    if (walk->next_recovered == stack->addrs.count)
        return 0;
    return stack->addrs.items[walk->next_recovered++];
}

/* A chain that loops shows each of its frames once. */
static void cut_loop(struct walk *walk)
{
    const uint64_t *visited = walk->visited.items;
    size_t distinct = cycle_guard_distinct(&walk->guard, visited, walk->visited.count), kept = 0;
    struct frame_list *list = walk->list;
    for (size_t i = 0; i < distinct; i++)
        if (kept < list->frames.count && list->frames.items[kept].addr == visited[i])
            kept++;
    list->frames.count = kept;
    list->note = "the chain of frames is damaged: it runs in a circle, shown once";
}

static enum status push_frame(struct walk *walk, const struct frame_fact *frame)
{
    return array_push(&walk->list->frames, *frame) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* A frame or two may be damaged; a row of things that are no frames has left the chain. */
static enum status step_without_code(struct walk *walk, const struct link *link, enum status reason,
                                     uint64_t *ret_next)
{
    struct frame_list *list = walk->list;
    walk->strangers = reason == STATUS_NOT_IN_DUMP ? 0 : walk->strangers + 1;
    if (walk->strangers > STRANGERS_MAX) {
        list->frames.count -= STRANGERS_MAX;
        list->note = note_strangers;
        *ret_next = 0;
        return STATUS_OK;
    }
    list->note = note_code;
    *ret_next = link->previous_addr;
    return push_frame(walk, &link->frame);
}

/* One step: reads the frame at `addr` and tells where the chain goes on (0: nowhere). */
static enum status step(struct walk *walk, uint64_t addr, uint64_t *ret_next)
{
    struct link link;
    enum status status = read_link(walk, addr, &link);
    if (status == STATUS_NO_MEMORY)
        return status;
    if (status == STATUS_OK) {
        walk->strangers = 0;
        *ret_next = link.previous_addr;
        return link.hidden ? STATUS_OK : push_frame(walk, &link.frame);
    }
    if (link.has_previous) /* the link was readable, its code was not */
        return step_without_code(walk, &link, status, ret_next);
    *ret_next = take_up_data_stack(walk);
    return STATUS_OK;
}

static enum status walk_chain(struct walk *walk)
{
    uint64_t addr = 0;
    if (first_frame(walk, &addr) != STATUS_OK)
        addr = take_up_data_stack(walk);
    while (addr) {
        if (walk->visited.count >= LIMIT_FRAMES_PER_THREAD) {
            walk->list->note = "the chain of frames goes on past the limit of 5,000,000";
            break;
        }
        if (walk->list->walked + walk->visited.count >= LIMIT_FRAMES) {
            walk->list->note = note_many;
            break;
        }
        if (!cycle_guard_step(&walk->guard, addr)) {
            cut_loop(walk);
            break;
        }
        if (!array_push(&walk->visited, addr))
            return STATUS_NO_MEMORY;
        enum status status = step(walk, addr, &addr);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status frames_walk(struct code_table *codes, struct python_process *process,
                        uint64_t state_addr, struct frame_list *list)
{
    struct walk walk = {.codes = codes, .process = process, .state_addr = state_addr, .list = list};
    list->frames.count = 0;
    list->note = NULL;
    enum status status = walk_chain(&walk);
    list->walked += walk.visited.count + walk.recovered.addrs.count;
    array_deinit(&walk.visited);
    data_stack_deinit(&walk.recovered);
    return status;
}

void frame_list_deinit(struct frame_list *list)
{
    if (list)
        array_deinit(&list->frames);
}

enum status frame_object_code(struct code_table *codes, struct python_process *process,
                              uint64_t frame_object_addr, struct code_info **ret_code)
{
    uint64_t frame_addr = frame_object_addr, code_addr;
    enum python_field field = PY_frame_code;
    enum status status = STATUS_OK;
    if (!before_3_11(process)) {
        status = object_pointer(process, frame_object_addr, PY_frame_frame, &frame_addr);
        field = PY_iframe_code;
    }
    if (status == STATUS_OK)
        status = object_pointer(process, frame_addr, field, &code_addr);
    if (status == STATUS_OK)
        status = code_at(codes, frame_untag(process, code_addr), ret_code);
    return status;
}
