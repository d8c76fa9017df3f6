/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/data_stack.h"

#include "analyzer/runtime/frames.h"
#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"

struct chunk {
    uint64_t start, end; /* of its frames */
};
typedef ARRAY(struct chunk) chunk_array;

/* The chunks, newest first. The oldest keeps its first word free. */
static void read_chunks(const struct python_process *process, uint64_t state_addr,
                        chunk_array *chunks)
{
    const struct python_layout *layout = &process->layout;
    uint64_t addr, end;
    struct cycle_guard guard = {0};
    if (!layout_has(layout, PY_thread_datastack_chunk) || !layout_has(layout, PY_stackchunk_data) ||
        object_pointer(process, state_addr, PY_thread_datastack_chunk, &addr) != STATUS_OK ||
        object_pointer(process, state_addr, PY_thread_datastack_top, &end) != STATUS_OK)
        return;
    while (addr && cycle_guard_step(&guard, addr) && chunks->count < LIMIT_FRAMES_PER_THREAD) {
        uint64_t previous, top;
        if (object_pointer(process, addr, PY_stackchunk_previous, &previous) != STATUS_OK)
            return;
        struct chunk chunk = {.start = addr + layout_get(layout, PY_stackchunk_data), .end = end};
        if (!previous)
            chunk.start += 8;
        if (!array_push(chunks, chunk))
            return;
        if (!previous || object_pointer(process, previous, PY_stackchunk_top, &top) != STATUS_OK ||
            top > UINT32_MAX)
            return;
        end = previous + layout_get(layout, PY_stackchunk_data) + 8 * top;
        addr = previous;
    }
}

static uint64_t frame_bytes(const struct python_process *process, const struct code_info *code)
{
    if (code->frame_words)
        return 8 * (uint64_t)code->frame_words;
    return layout_get(&process->layout, PY_iframe_localsplus) +
           8 * ((uint64_t)code->variable_count + code->stack_words);
}

/* Frames of one chunk, outermost first, appended. */
static void read_frames(struct code_table *codes, struct python_process *process,
                        const struct chunk *chunk, struct data_stack *stack)
{
    uint64_t addr = chunk->start;
    while (addr < chunk->end && stack->addrs.count < LIMIT_FRAMES_PER_THREAD) {
        uint64_t code_addr;
        struct code_info *code;
        if (object_pointer(process, addr, PY_iframe_code, &code_addr) != STATUS_OK ||
            code_at(codes, frame_untag(process, code_addr), &code) != STATUS_OK ||
            frame_bytes(process, code) > chunk->end - addr || !array_push(&stack->addrs, addr))
            return;
        addr += frame_bytes(process, code);
    }
}

static void reverse(uint64_t *items, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        uint64_t other = items[count - 1 - i];
        items[count - 1 - i] = items[i];
        items[i] = other;
    }
}

void data_stack_read(struct code_table *codes, struct python_process *process, uint64_t state_addr,
                     struct data_stack *ret_stack)
{
    chunk_array chunks = {0};
    read_chunks(process, state_addr, &chunks);
    for (size_t i = chunks.count; i-- > 0;)
        read_frames(codes, process, &chunks.items[i], ret_stack);
    array_deinit(&chunks);
    reverse(ret_stack->addrs.items, ret_stack->addrs.count);
}

void data_stack_deinit(struct data_stack *stack)
{
    if (stack)
        array_deinit(&stack->addrs);
}
