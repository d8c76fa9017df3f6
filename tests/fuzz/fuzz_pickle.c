/* SPDX-License-Identifier: Apache-2.0 */
/* The whole input is a pickle. What is parsed must refer to what is there. */
#include <stdlib.h>

#include "inquest/formats/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct profile *profile)
{
    for (size_t i = 0; i < profile->traces.count; i++)
        if (profile->traces.items[i].stack >= profile->stacks.count ||
            !profile->traces.items[i].count)
            abort();
    for (size_t i = 0; i < profile->stacks.count; i++) {
        const struct profile_stack *stack = &profile->stacks.items[i];
        if (stack->first + stack->depth > profile->stack_frames.count || !stack->depth)
            abort();
    }
    for (size_t i = 0; i < profile->stack_frames.count; i++)
        if (profile->stack_frames.items[i] >= profile->frames.count)
            abort();
    for (size_t i = 0; i < profile->frames.count; i++)
        if (profile->frames.items[i].function >= profile->functions.count)
            abort();
    for (size_t i = 0; i < profile->functions.count; i++)
        if (profile->functions.items[i].file >= profile->strings.count)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile profile;
    struct error err = {0};
    struct input_file input = {.name = "fuzz", .data = data, .size = size};
    if (profile_recognise(data, size) != PROFILE_TRACEMALLOC)
        return 0;
    if (profile_parse(&input, NULL, &profile, &err) == STATUS_OK) {
        check(&profile);
        profile_deinit(&profile);
    } else if (!err.message[0]) {
        abort();
    }
    return 0;
}
