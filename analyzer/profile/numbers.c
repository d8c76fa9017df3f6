/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/numbers.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *unnumbered(size_t count)
{
    uint32_t *numbers = malloc((count + 1) * sizeof *numbers);
    if (numbers)
        memset(numbers, 0xFF, (count + 1) * sizeof *numbers);
    return numbers;
}

bool profile_numbers_init(struct profile_numbers *numbers, const struct profile *from)
{
    numbers->function = unnumbered(from->functions.count);
    numbers->frame = unnumbered(from->frames.count);
    numbers->stack = unnumbered(from->stacks.count);
    return numbers->function && numbers->frame && numbers->stack;
}

void profile_numbers_deinit(struct profile_numbers *numbers)
{
    free(numbers->function);
    free(numbers->frame);
    free(numbers->stack);
    *numbers = (struct profile_numbers){0};
}

enum status profile_numbers_add_functions(struct profile_numbers *numbers,
                                          const struct profile *from, struct profile *to)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < from->functions.count && status == STATUS_OK; i++) {
        const struct profile_function *function = &from->functions.items[i];
        const struct profile_string *name = &from->strings.items[function->name];
        const struct profile_string *file = &from->strings.items[function->file];
        uint32_t name_id, file_id;
        if (numbers->function[i] != PROFILE_NO_ID)
            continue;
        status = profile_add_string(to, from->bytes + name->offset, name->size, &name_id);
        if (status == STATUS_OK)
            status = profile_add_string(to, from->bytes + file->offset, file->size, &file_id);
        if (status == STATUS_OK)
            status =
                profile_add_function(to, name_id, file_id, function->line, &numbers->function[i]);
    }
    return status;
}

enum status profile_numbers_add_frames(struct profile_numbers *numbers, const struct profile *from,
                                       bool with_lines, struct profile *to)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < from->frames.count && status == STATUS_OK; i++) {
        const struct profile_frame *frame = &from->frames.items[i];
        status = profile_add_frame(to, numbers->function[frame->function],
                                   with_lines ? frame->line : 0, &numbers->frame[i]);
    }
    return status;
}

#define STACKS_AT_ONCE 16

/* Stacks from `first` on. Memory is asked for by all of them before the first waits for it. */
static enum status add_stacks(struct profile_numbers *numbers, const struct profile *from,
                              uint32_t first, uint32_t count, uint32_t *frames, struct profile *to)
{
    uint32_t hashes[STACKS_AT_ONCE], *at = frames;
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_stack *stack = &from->stacks.items[first + i];
        for (uint32_t j = 0; j < stack->depth; j++)
            at[j] = numbers->frame[from->stack_frames.items[stack->first + j]];
        hashes[i] = profile_hash_stack(to, at, stack->depth);
        at += stack->depth;
    }
    enum status status = STATUS_OK;
    at = frames;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        uint32_t depth = from->stacks.items[first + i].depth;
        status = profile_add_hashed_stack(to, at, depth, hashes[i], &numbers->stack[first + i]);
        at += depth;
    }
    return status;
}

enum status profile_numbers_add_stacks(struct profile_numbers *numbers, const struct profile *from,
                                       struct profile *to)
{
    ARRAY(uint32_t) frames = {0};
    enum status status = STATUS_OK;
    if (!to->stacks.count && (!array_reserve(&to->stacks, from->stacks.count) ||
                              !array_reserve(&to->stack_frames, from->stack_frames.count)))
        return STATUS_NO_MEMORY;
    size_t total = from->stacks.count;
    for (size_t i = 0, count; i < total && status == STATUS_OK; i += count) {
        size_t needed = 1;
        for (count = 0; count < STACKS_AT_ONCE && i + count < total; count++)
            needed += from->stacks.items[i + count].depth;
        status = array_reserve(&frames, needed)
                     ? add_stacks(numbers, from, (uint32_t)i, (uint32_t)count, frames.items, to)
                     : STATUS_NO_MEMORY;
    }
    array_deinit(&frames);
    return status;
}
