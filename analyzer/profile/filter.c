/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/profile_filter.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/pattern.h"

/* One filter, with what it says of each file, frame and stack. */
struct matcher {
    const struct profile_filter *filter;
    struct pattern pattern;
    uint8_t *files;  /* by string: 0 not looked at yet, 1 no, 2 yes */
    uint8_t *frames; /* the same by frame, */
    uint8_t *stacks; /* and by stack */
};

static void matcher_deinit(struct matcher *matcher)
{
    pattern_deinit(&matcher->pattern);
    free(matcher->files);
    free(matcher->frames);
    free(matcher->stacks);
}

/* ".pyc" counts as ".py". */
static size_t normal_size(const char *name, size_t size)
{
    return size >= 4 && !memcmp(name + size - 4, ".pyc", 4) ? size - 1 : size;
}

static enum status matcher_init(struct matcher *matcher, const struct profile *profile,
                                const struct profile_filter *filter)
{
    const char *pattern = filter->pattern ? filter->pattern : "*";
    *matcher = (struct matcher){.filter = filter};
    matcher->files = calloc(profile->strings.count + 1, 1);
    matcher->frames = calloc(profile->frames.count + 1, 1);
    matcher->stacks = calloc(profile->stacks.count + 1, 1);
    if (!matcher->files || !matcher->frames || !matcher->stacks)
        return STATUS_NO_MEMORY;
    return pattern_compile(pattern, normal_size(pattern, strlen(pattern)), &matcher->pattern);
}

static bool matches_file(struct matcher *matcher, const struct profile *profile, uint32_t file)
{
    if (!matcher->files[file]) {
        const char *name = profile_text(profile, file);
        size_t size = normal_size(name, profile->strings.items[file].size);
        matcher->files[file] = pattern_matches(&matcher->pattern, name, size) ? 2 : 1;
    }
    return matcher->files[file] == 2;
}

static bool matches_place(struct matcher *matcher, const struct profile *profile, uint32_t file,
                          int32_t line)
{
    const struct profile_filter *filter = matcher->filter;
    return (filter->line < 0 || filter->line == line) && matches_file(matcher, profile, file);
}

static bool matches_frame(struct matcher *matcher, const struct profile *profile, uint32_t id)
{
    const struct profile_frame *frame = &profile->frames.items[id];
    if (!matcher->frames[id])
        matcher->frames[id] =
            matches_place(matcher, profile, profile->functions.items[frame->function].file,
                          frame->line)
                ? 2
                : 1;
    return matcher->frames[id] == 2;
}

static bool look_at_stack(struct matcher *matcher, const struct profile *profile, uint32_t id)
{
    const struct profile_stack *stack = &profile->stacks.items[id];
    const uint32_t *frames = profile->stack_frames.items + stack->first;
    uint32_t looked_at = matcher->filter->all_frames ? stack->depth : stack->depth ? 1 : 0;
    for (uint32_t i = 1; i <= looked_at; i++) {
        if (matches_frame(matcher, profile, frames[stack->depth - i]))
            return true;
    }
    return false;
}

static bool matches_stack(struct matcher *matcher, const struct profile *profile, uint32_t id)
{
    if (!matcher->stacks[id])
        matcher->stacks[id] = look_at_stack(matcher, profile, id) ? 2 : 1;
    return matcher->stacks[id] == 2;
}

struct matchers {
    struct matcher *items;
    size_t count;
    bool has_inclusive;
};

/* What is filtered, on its way through the filters. */
struct subject {
    uint32_t stack, function, domain;
    bool is_function;
};

static bool matches(struct matcher *matcher, const struct profile *profile,
                    const struct subject *subject)
{
    const struct profile_filter *filter = matcher->filter;
    if (filter->domain >= 0 && filter->domain != subject->domain)
        return false;
    if (!filter->pattern && filter->line < 0)
        return true;
    if (!subject->is_function)
        return matches_stack(matcher, profile, subject->stack);
    const struct profile_function *function = &profile->functions.items[subject->function];
    return matches_place(matcher, profile, function->file, function->line);
}

static bool stays(struct matchers *matchers, const struct profile *profile,
                  const struct subject *subject)
{
    bool included = !matchers->has_inclusive;
    for (size_t i = 0; i < matchers->count; i++) {
        struct matcher *matcher = &matchers->items[i];
        if (included && matcher->filter->inclusive)
            continue;
        if (!matches(matcher, profile, subject))
            continue;
        if (!matcher->filter->inclusive)
            return false;
        included = true;
    }
    return included;
}

/* A function's edges go with it. */
static void apply_to_stats(struct matchers *matchers, struct profile *profile)
{
    size_t kept = 0;
    uint64_t calls = 0;
    for (size_t i = 0; i < profile->stats.count; i++) {
        struct profile_stat stat = profile->stats.items[i];
        if (!stays(matchers, profile,
                   &(struct subject){.function = stat.function, .is_function = true}))
            continue;
        if (stat.call_count)
            memmove(profile->calls.items + calls, profile->calls.items + stat.first_call,
                    stat.call_count * sizeof *profile->calls.items);
        stat.first_call = calls;
        calls += stat.call_count;
        profile->stats.items[kept++] = stat;
    }
    profile->stats.count = kept;
    profile->calls.count = calls;
}

static void apply(struct matchers *matchers, struct profile *profile)
{
    size_t kept = 0;
    for (size_t i = 0; i < profile->traces.count; i++) {
        const struct profile_trace trace = profile->traces.items[i];
        if (stays(matchers, profile,
                  &(struct subject){.stack = trace.stack, .domain = trace.domain}))
            profile->traces.items[kept++] = trace;
    }
    profile->traces.count = kept;
    kept = 0;
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample sample = profile->samples.items[i];
        if (stays(matchers, profile, &(struct subject){.stack = sample.stack}))
            profile->samples.items[kept++] = sample;
    }
    profile->samples.count = kept;
    apply_to_stats(matchers, profile);
}

enum status profile_filter_apply(struct profile *profile, const struct profile_filter *filters,
                                 size_t count, struct error *err)
{
    struct matchers matchers = {.items = calloc(count + 1, sizeof *matchers.items)};
    enum status status = matchers.items ? STATUS_OK : STATUS_NO_MEMORY;
    while (status == STATUS_OK && matchers.count < count) {
        matchers.has_inclusive |= filters[matchers.count].inclusive;
        status = matcher_init(&matchers.items[matchers.count], profile, &filters[matchers.count]);
        matchers.count++;
    }
    if (status == STATUS_OK && count)
        apply(&matchers, profile);
    for (size_t i = 0; i < matchers.count; i++)
        matcher_deinit(&matchers.items[i]);
    free(matchers.items);
    return status == STATUS_OK ? status : error_set(err, status, "%s", status_name(status));
}
