/* SPDX-License-Identifier: Apache-2.0 */
#include "recording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/base/text.h"

enum status recording_parse(const void *bytes, size_t size, struct profile *ret_profile,
                            struct error *err)
{
    /* of its own, so that the sanitizers see what is read behind its end */
    uint8_t *copy = malloc(size ? size : 1);
    struct input_file input = {.name = "recording", .data = copy, .size = size, .fd = -1};
    if (!copy)
        abort();
    if (size)
        memcpy(copy, bytes, size);
    *err = (struct error){0};
    enum status status = profile_parse(&input, NULL, ret_profile, err);
    free(copy);
    if (status != STATUS_OK && !err->message[0])
        abort(); /* a failure without words */
    return status;
}

enum status recording_parse_text(const char *text, struct profile *ret_profile, struct error *err)
{
    return recording_parse(text, strlen(text), ret_profile, err);
}

const char *recording_sample(const struct profile *profile, size_t sample)
{
    static struct text text;
    if (sample >= profile->samples.count)
        return "no such sample";
    const struct profile_sample *row = &profile->samples.items[sample];
    const struct profile_stack *stack = &profile->stacks.items[row->stack];
    text_clear(&text);
    for (uint32_t i = 0; i < stack->depth; i++) {
        const struct profile_frame *frame =
            &profile->frames.items[profile->stack_frames.items[stack->first + i]];
        const struct profile_function *function = &profile->functions.items[frame->function];
        text_printf(&text, "%s%s %s:%d", i ? "/" : "", profile_text(profile, function->name),
                    profile_text(profile, function->file), frame->line);
    }
    text_printf(&text, " track=%s weight=%g count=%" PRIu64,
                profile_text(profile, profile->tracks.items[row->track].name), row->weight,
                row->count);
    return text_string(&text);
}

bool recording_warns(const struct profile *profile, const char *words)
{
    for (size_t i = 0; i < profile->warnings.count; i++)
        if (strstr(profile->warnings.items[i].message, words))
            return true;
    return false;
}

double recording_total(const struct profile *profile)
{
    double total = 0;
    for (size_t i = 0; i < profile->samples.count; i++)
        total += profile->samples.items[i].weight;
    return total;
}

char *recording_repeat(const char *head, const char *part, size_t times, const char *tail)
{
    size_t head_size = strlen(head), part_size = strlen(part), tail_size = strlen(tail);
    char *text = malloc(head_size + part_size * times + tail_size + 1), *at = text;
    if (!text)
        abort();
    at = memcpy(at, head, head_size);
    at += head_size;
    for (size_t i = 0; i < times; i++, at += part_size)
        memcpy(at, part, part_size);
    memcpy(at, tail, tail_size + 1);
    return text;
}
