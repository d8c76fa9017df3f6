/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_SAMPLES_H
#define TESTS_FUZZ_FUZZ_SAMPLES_H

#include <math.h>
#include <stdlib.h>

#include "formats/profiles/sample_formats.h"

/* What holds of every recording of samples, however damaged its file. */

typedef enum status (*sample_parser)(const struct input_file *input, struct progress *progress,
                                     struct profile *profile, struct error *err);

static inline void must(bool holds)
{
    if (!holds)
        abort();
}

static inline void check_stacks(const struct profile *profile)
{
    for (size_t i = 0; i < profile->stacks.count; i++) {
        const struct profile_stack *stack = &profile->stacks.items[i];
        must(stack->first + stack->depth <= profile->stack_frames.count);
    }
    for (size_t i = 0; i < profile->stack_frames.count; i++)
        must(profile->stack_frames.items[i] < profile->frames.count);
    for (size_t i = 0; i < profile->frames.count; i++)
        must(profile->frames.items[i].function < profile->functions.count);
    for (size_t i = 0; i < profile->functions.count; i++)
        must(profile->functions.items[i].name < profile->strings.count &&
             profile->functions.items[i].file < profile->strings.count);
}

static inline void check_profile(const struct profile *profile)
{
    check_stacks(profile);
    must(profile->family == PROFILE_SAMPLES && profile->format && profile->unit);
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        must(sample->stack < profile->stacks.count && sample->track < profile->tracks.count);
        must(isfinite(sample->weight) && sample->weight >= 0);
    }
    for (size_t i = 0; i < profile->tracks.count; i++)
        must(profile->tracks.items[i].name < profile->strings.count);
    for (size_t i = 0; i < profile->locals.count; i++) {
        const struct profile_local *local = &profile->locals.items[i];
        must(local->track < profile->tracks.count && local->name < profile->strings.count &&
             local->value < profile->strings.count);
    }
}

static inline void parse_and_check(sample_parser parse, const uint8_t *data, size_t size)
{
    struct input_file input = {.name = "fuzz", .data = data, .size = size, .fd = -1};
    struct profile profile;
    struct error err = {0};
    if (!size) /* input_file_open refuses empty files */
        return;
    profile_init(&profile);
    if (parse(&input, NULL, &profile, &err) == STATUS_OK)
        check_profile(&profile);
    else
        must(err.message[0] && err.status != STATUS_OK);
    profile_deinit(&profile);
}

#endif
