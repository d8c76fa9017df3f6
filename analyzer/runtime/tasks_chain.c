/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of coroutines that a task is within: each, while suspended, has what it
 * awaits on top of its evaluation stack (_PyGen_yf of Objects/genobject.c).
 *
 * OFFSET (layout)       MEANING
 * gen_frame             up to 3.10: its frame object, NULL once it has ended
 * frame_stacktop        3.8, 3.9: the end of the stack, NULL while it runs
 * frame_stackdepth      3.10: words on the stack, -1 while it runs
 * gen_iframe            from 3.11 on: its interpreter frame, with
 * iframe_stacktop       to 3.13: words from localsplus to the top, -1 while it runs
 * iframe_stackpointer   from 3.14 on: the end of the stack, NULL while it runs
 * gen_state             from 3.11 on; 3.13 has a state for waiting in an await. Before,
 *                       the instruction tells: YIELD_FROM comes next (to 3.10), or a
 *                       RESUME that counts how it was left (3.11, 3.12) */
#include "analyzer/objects/fields.h"
#include "analyzer/runtime/tasks.h"
#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"

#define OPCODE_YIELD_FROM 72 /* 3.8 to 3.10 */
#define RESUME_KIND_MASK  3u /* 2: after yield from, 3: after await */

static bool is_generator_kind(enum object_kind kind)
{
    return kind == KIND_COROUTINE || kind == KIND_GENERATOR || kind == KIND_ASYNC_GENERATOR;
}

/* Where the stack ends, by the frame itself; 0: it does not say. */
static uint64_t stack_end(const struct python_process *process, uint64_t frame_addr,
                          uint64_t slots_addr, uint64_t begin_addr)
{
    const struct python_layout *layout = &process->layout;
    uint64_t pointer = 0;
    uint32_t words;
    if (layout_has(layout, PY_frame_stacktop))
        return field_u64(process, frame_addr, PY_frame_stacktop, &pointer) == STATUS_OK ? pointer
                                                                                        : 0;
    if (layout_has(layout, PY_iframe_stackpointer))
        return field_u64(process, frame_addr, PY_iframe_stackpointer, &pointer) == STATUS_OK
                   ? pointer
                   : 0;
    if (layout_has(layout, PY_frame_stackdepth))
        return field_u32(process, frame_addr, PY_frame_stackdepth, &words) == STATUS_OK &&
                       (int32_t)words >= 0
                   ? begin_addr + 8 * (uint64_t)words
                   : 0;
    return layout_has(layout, PY_iframe_stacktop) &&
                   field_u32(process, frame_addr, PY_iframe_stacktop, &words) == STATUS_OK &&
                   (int32_t)words > 0
               ? slots_addr + 8 * (uint64_t)words
               : 0;
}

bool frame_live_stack(const struct python_process *process, const struct frame_fact *frame,
                      uint64_t *ret_begin_addr, uint64_t *ret_end_addr)
{
    uint64_t slots_addr;
    if (!frame_slots(process, frame, &slots_addr))
        return false;
    uint64_t begin_addr = slots_addr + 8 * (uint64_t)frame->code->variable_count;
    uint64_t end_addr = stack_end(process, frame->addr, slots_addr, begin_addr);
    uint64_t room = 8 * (uint64_t)frame->code->stack_words;
    if (end_addr < begin_addr || end_addr - begin_addr > room || (end_addr - begin_addr) % 8)
        return false;
    *ret_begin_addr = begin_addr;
    *ret_end_addr = end_addr;
    return true;
}

/* Up to 3.12: whether the instruction after the last is one of an await. */
static bool next_instruction_awaits(struct python_process *process, const struct frame_fact *frame)
{
    uint64_t bytes_addr, size, instr_addr;
    const uint8_t *bytes;
    uint8_t argument;
    if (layout_has(&process->layout, PY_iframe_instr))
        return object_pointer(process, frame->addr, PY_iframe_instr, &instr_addr) == STATUS_OK &&
               memory_read_u8(process->image, instr_addr + 3, &argument) == STATUS_OK &&
               (argument & RESUME_KIND_MASK) >= 2;
    return frame->offset >= 0 &&
           object_pointer(process, frame->code->addr, PY_code_code, &bytes_addr) == STATUS_OK &&
           bytes_view(process, bytes_addr, LIMIT_CODE_BYTES, &bytes, &size) == STATUS_OK &&
           size > 2 && (uint64_t)frame->offset < size - 2 &&
           bytes[frame->offset + 2] == OPCODE_YIELD_FROM;
}

static bool is_awaiting(struct python_process *process, uint64_t generator_addr,
                        const struct frame_fact *frame)
{
    const struct python_layout *layout = &process->layout;
    uint8_t state;
    if (!layout_has(layout, PY_constant_gen_suspended_yield_from))
        return next_instruction_awaits(process, frame);
    return field_u8(process, generator_addr, PY_gen_state, &state) == STATUS_OK &&
           state == layout_get(layout, PY_constant_gen_suspended_yield_from);
}

/* The topmost object of the stack; 3.15 may have an empty word above it. */
static uint64_t top_of_stack(const struct python_process *process, const struct frame_fact *frame)
{
    uint64_t begin_addr, end_addr, word;
    if (!frame_live_stack(process, frame, &begin_addr, &end_addr))
        return 0;
    while (end_addr > begin_addr) {
        end_addr -= 8;
        if (memory_read_u64(process->image, end_addr, &word) != STATUS_OK)
            return 0;
        uint64_t addr = frame_untag(process, word);
        if (addr)
            return addr;
    }
    return 0;
}

/* From 3.11 on a state says whether there still is a frame; 3.10's frames have it too. */
static uint64_t generator_frame(const struct python_process *process, uint64_t addr,
                                bool *ret_is_running)
{
    const struct python_layout *layout = &process->layout;
    uint64_t frame_addr;
    uint8_t state;
    *ret_is_running = false;
    if (!layout_has(layout, PY_gen_iframe)) {
        if (object_pointer(process, addr, PY_gen_frame, &frame_addr) != STATUS_OK || !frame_addr)
            return 0;
        enum python_field field =
            layout_has(layout, PY_frame_state) ? PY_frame_state : PY_frame_executing;
        uint64_t running =
            layout_has(layout, PY_frame_state) ? layout_get(layout, PY_constant_gen_executing) : 1;
        *ret_is_running =
            field_u8(process, frame_addr, field, &state) == STATUS_OK && state == running;
        return frame_addr;
    }
    if (field_u8(process, addr, PY_gen_state, &state) != STATUS_OK ||
        state == layout_get(layout, PY_constant_gen_cleared) ||
        (layout_has(layout, PY_constant_gen_completed) &&
         state == layout_get(layout, PY_constant_gen_completed)))
        return 0;
    *ret_is_running = state == layout_get(layout, PY_constant_gen_executing);
    return addr + layout_get(layout, PY_gen_iframe);
}

static enum status read_frame_step(struct code_table *codes, struct python_process *process,
                                   uint64_t addr, struct await_step *step)
{
    uint64_t frame_addr = generator_frame(process, addr, &step->is_running);
    step->kind = AWAIT_FRAME;
    if (!frame_addr)
        return STATUS_OK;
    enum status status = frame_read(codes, process, frame_addr, &step->frame);
    if (status == STATUS_OK && !step->is_running && is_awaiting(process, addr, &step->frame))
        step->inner_addr = top_of_stack(process, &step->frame);
    return status;
}

/* Whether the first word of an object that is none of ours leads on: C's wrappers
 * have an awaitable there. */
static bool leads_on(struct python_process *process, uint64_t addr, bool wrappers_too)
{
    const struct python_type *type;
    bool is_c, is_task;
    uint64_t inner_addr;
    if (!addr || object_type(process, addr, &type) != STATUS_OK)
        return false;
    if (is_generator_kind(type->kind) || future_is(process, addr, &is_c, &is_task))
        return true;
    return wrappers_too && type->kind == KIND_UNKNOWN && !type->is_heap &&
           object_pointer(process, addr, PY_awaitable_inner, &inner_addr) == STATUS_OK &&
           leads_on(process, inner_addr, false);
}

enum status await_step_read(struct code_table *codes, struct python_process *process, uint64_t addr,
                            struct await_step *ret_step)
{
    const struct python_type *type;
    struct await_step step = {.kind = AWAIT_END};
    uint64_t inner_addr;
    bool is_c, is_task;
    enum status status = object_type(process, addr, &type);
    if (status == STATUS_OK && is_generator_kind(type->kind)) {
        status = read_frame_step(codes, process, addr, &step);
    } else if (status == STATUS_OK && type->kind == KIND_UNKNOWN && type->basicsize >= 24 &&
               !future_is(process, addr, &is_c, &is_task) &&
               object_pointer(process, addr, PY_awaitable_inner, &inner_addr) == STATUS_OK &&
               leads_on(process, inner_addr, true)) {
        step.kind = AWAIT_WRAPPER;
        step.inner_addr = inner_addr;
    }
    if (status == STATUS_OK)
        *ret_step = step;
    return status;
}

/* ---- the frames of a task */

static enum status push_frame(struct task_search *search, struct task_fact *task,
                              const struct frame_fact *frame)
{
    if (search->list->frames.count >= LIMIT_FRAMES) {
        search->list->note = "the frames of tasks go on past the limit of 10,000,000";
        return STATUS_OK;
    }
    if (!array_push(&search->list->frames, *frame))
        return STATUS_NO_MEMORY;
    task->frame_count++;
    return STATUS_OK;
}

/* A running coroutine's inner frames are those above it on its thread. */
static enum status push_running(struct task_search *search, struct task_fact *task,
                                const struct frame_fact *outer)
{
    struct frame_list frames = {0};
    enum status status = STATUS_OK;
    size_t above = 0;
    if (task->thread != TASK_NO_THREAD)
        status = frames_walk(search->codes, search->process,
                             search->threads->threads.items[task->thread].state_addr, &frames);
    while (above < frames.frames.count && frames.frames.items[above].addr != outer->addr)
        above++;
    if (above == frames.frames.count)
        above = 0;
    status = status == STATUS_OK ? push_frame(search, task, outer) : status;
    for (size_t i = above; i-- > 0 && status == STATUS_OK;)
        status = push_frame(search, task, &frames.frames.items[i]);
    frame_list_deinit(&frames);
    return status;
}

static void reverse_frames(struct frame_fact *frames, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct frame_fact frame = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = frame;
    }
}

enum status task_chain_read(struct task_search *search, struct task_fact *task)
{
    struct cycle_guard guard = {0};
    struct await_step step;
    uint64_t addr = task->coroutine_addr, links = 0;
    enum status status = STATUS_OK;
    task->first_frame = search->list->frames.count;
    while (addr && status == STATUS_OK && links++ < LIMIT_FRAMES_PER_THREAD) {
        if (!cycle_guard_step(&guard, addr)) {
            search->list->note = "a chain of coroutines is damaged: it runs in a circle";
            break;
        }
        enum status read = await_step_read(search->codes, search->process, addr, &step);
        if (read == STATUS_NO_MEMORY)
            return read;
        if (read != STATUS_OK) {
            search->list->note = "a task's coroutine can't be read";
            break;
        }
        if (step.kind == AWAIT_END)
            task->end_addr = addr;
        if (step.kind == AWAIT_FRAME && step.frame.addr)
            status = step.is_running ? push_running(search, task, &step.frame)
                                     : push_frame(search, task, &step.frame);
        addr = step.inner_addr;
    }
    if (task->frame_count)
        reverse_frames(&search->list->frames.items[task->first_frame], task->frame_count);
    return status;
}
