/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/compare/profile_pair.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/function_match.h"

/* Numbers of one side in `both`. */
struct numbers {
    uint32_t *function, *frame, *stack;
};

static void numbers_deinit(struct numbers *numbers)
{
    free(numbers->function);
    free(numbers->frame);
    free(numbers->stack);
}

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "comparing recordings: out of memory");
}

static bool numbers_allocate(const struct profile *profile, struct numbers *numbers)
{
    numbers->function = malloc((profile->functions.count + 1) * sizeof(uint32_t));
    numbers->frame = malloc((profile->frames.count + 1) * sizeof(uint32_t));
    numbers->stack = malloc((profile->stacks.count + 1) * sizeof(uint32_t));
    return numbers->function && numbers->frame && numbers->stack;
}

/* Functions that the other side has not are added, under their own name and place. */
static enum status add_functions(struct profile *both, const struct profile *from,
                                 uint32_t *numbers)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < from->functions.count && status == STATUS_OK; i++) {
        const struct profile_function *function = &from->functions.items[i];
        const struct profile_string *name = &from->strings.items[function->name];
        const struct profile_string *file = &from->strings.items[function->file];
        uint32_t name_id, file_id;
        if (numbers[i] != PROFILE_NO_ID)
            continue;
        status = profile_add_string(both, from->bytes + name->offset, name->size, &name_id);
        if (status == STATUS_OK)
            status = profile_add_string(both, from->bytes + file->offset, file->size, &file_id);
        if (status == STATUS_OK)
            status = profile_add_function(both, name_id, file_id, function->line, &numbers[i]);
    }
    return status;
}

static enum status add_stacks(struct profile *both, const struct profile *from, bool with_lines,
                              struct numbers *numbers)
{
    ARRAY(uint32_t) frames = {0};
    enum status status = STATUS_OK;
    if (!both->stacks.count && (!array_reserve(&both->stacks, from->stacks.count) ||
                                !array_reserve(&both->stack_frames, from->stack_frames.count)))
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < from->frames.count && status == STATUS_OK; i++) {
        const struct profile_frame *frame = &from->frames.items[i];
        status = profile_add_frame(both, numbers->function[frame->function],
                                   with_lines ? frame->line : 0, &numbers->frame[i]);
    }
    for (uint32_t i = 0; i < from->stacks.count && status == STATUS_OK; i++) {
        const struct profile_stack *stack = &from->stacks.items[i];
        frames.count = 0;
        if (!array_reserve(&frames, stack->depth + 1)) {
            status = STATUS_NO_MEMORY;
            break;
        }
        for (uint32_t j = 0; j < stack->depth; j++)
            frames.items[j] = numbers->frame[from->stack_frames.items[stack->first + j]];
        status = profile_add_stack(both, frames.items, stack->depth, &numbers->stack[i]);
    }
    array_deinit(&frames);
    return status;
}

/* ---- A side's own numbers, by the numbering of both. */

static bool fill_traces(const struct profile *from, const uint32_t *numbers, size_t stacks,
                        struct profile *side)
{
    struct profile_trace *sums = calloc(stacks + 1, sizeof *sums);
    bool ok = sums != NULL;
    for (size_t i = 0; ok && i < from->traces.count; i++) {
        const struct profile_trace *trace = &from->traces.items[i];
        struct profile_trace *sum = &sums[numbers[trace->stack]];
        sum->size += trace->size < UINT64_MAX - sum->size ? trace->size : UINT64_MAX - sum->size;
        sum->count += trace->count;
    }
    for (uint32_t i = 0; ok && i < stacks; i++) {
        if (!sums[i].count)
            continue;
        sums[i].stack = i;
        ok = array_push(&side->traces, sums[i]);
    }
    free(sums);
    return ok;
}

static bool fill_samples(const struct profile *from, const uint32_t *numbers, size_t stacks,
                         struct profile *side)
{
    struct profile_sample *sums = calloc(stacks + 1, sizeof *sums);
    bool ok = sums != NULL;
    for (size_t i = 0; ok && i < from->samples.count; i++) {
        const struct profile_sample *sample = &from->samples.items[i];
        struct profile_sample *sum = &sums[numbers[sample->stack]];
        sum->weight += sample->weight;
        sum->count += sample->count;
    }
    for (uint32_t i = 0; ok && i < stacks; i++) {
        if (!sums[i].count && sums[i].weight == 0)
            continue;
        sums[i].stack = i;
        ok = array_push(&side->samples, sums[i]);
    }
    free(sums);
    return ok && array_push(&side->tracks, ((struct profile_track){.pid = -1, .tid = -1}));
}

static bool fill_calls(const struct profile *from, const uint32_t *numbers, struct profile *side)
{
    bool ok = true;
    for (size_t i = 0; ok && i < from->stats.count; i++) {
        struct profile_stat stat = from->stats.items[i];
        uint64_t first = stat.first_call;
        stat.function = numbers[stat.function];
        stat.first_call = side->calls.count;
        for (uint32_t j = 0; ok && j < stat.call_count; j++) {
            struct profile_call call = from->calls.items[first + j];
            call.caller = numbers[call.caller];
            call.callee = numbers[call.callee];
            ok = array_push(&side->calls, call);
        }
        ok = ok && array_push(&side->stats, stat);
    }
    return ok;
}

static enum status fill_side(const struct profile *from, const struct profile *both,
                             const struct numbers *numbers, struct profile *side)
{
    *side = *both; /* borrowed: names, frames, stacks */
    memset(&side->traces, 0, sizeof side->traces);
    memset(&side->samples, 0, sizeof side->samples);
    memset(&side->tracks, 0, sizeof side->tracks);
    memset(&side->stats, 0, sizeof side->stats);
    memset(&side->calls, 0, sizeof side->calls);
    memset(&side->locals, 0, sizeof side->locals);
    memset(&side->facts, 0, sizeof side->facts);
    memset(&side->warnings, 0, sizeof side->warnings);
    side->index = NULL;
    side->family = from->family;
    side->format = from->format;
    side->unit = from->unit;
    side->is_sampled = from->is_sampled;
    side->is_approximate = from->is_approximate;
    bool ok = true;
    if (from->family == PROFILE_TRACEMALLOC)
        ok = fill_traces(from, numbers->stack, both->stacks.count, side);
    else if (from->family == PROFILE_SAMPLES)
        ok = fill_samples(from, numbers->stack, both->stacks.count, side);
    else
        ok = fill_calls(from, numbers->function, side);
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- Totals, and how much of them found a partner: of stacks, or of functions where there
 * are none. */

static double *weights_of(const struct profile *side, size_t count)
{
    double *weights = calloc(count + 1, sizeof *weights);
    if (!weights)
        return NULL;
    for (size_t i = 0; i < side->traces.count; i++)
        weights[side->traces.items[i].stack] += (double)side->traces.items[i].size;
    for (size_t i = 0; i < side->samples.count; i++)
        weights[side->samples.items[i].stack] += side->samples.items[i].weight;
    for (size_t i = 0; i < side->stats.count; i++)
        weights[side->stats.items[i].function] += side->stats.items[i].self;
    return weights;
}

static bool measure(struct profile_pair *pair)
{
    bool mixed = pair->sides[0].family != pair->sides[1].family;
    size_t count = pair->both.stacks.count > pair->both.functions.count
                       ? pair->both.stacks.count
                       : pair->both.functions.count;
    double *weights[2] = {weights_of(&pair->sides[0], count), weights_of(&pair->sides[1], count)};
    bool ok = weights[0] && weights[1];
    for (size_t side = 0; ok && side < 2; side++) {
        double shared = 0;
        for (size_t i = 0; i < count; i++) {
            pair->totals[side] += weights[side][i];
            if (weights[!side][i] > 0)
                shared += weights[side][i];
        }
        pair->matched[side] = pair->totals[side] > 0 && !mixed ? shared / pair->totals[side] : 0;
    }
    free(weights[0]);
    free(weights[1]);
    return ok;
}

enum status profile_pair_make(const struct profile *old_profile, const struct profile *new_profile,
                              enum match_rule rule, struct profile_pair *ret_pair,
                              struct error *err)
{
    struct profile_pair pair = {0};
    struct numbers old_numbers = {0}, new_numbers = {0};
    uint32_t *old_of = malloc((new_profile->functions.count + 1) * sizeof *old_of);
    profile_init(&pair.both);
    bool ok = old_of && numbers_allocate(old_profile, &old_numbers) &&
              numbers_allocate(new_profile, &new_numbers) &&
              function_match(old_profile, new_profile, rule, old_of);
    enum status status = ok ? STATUS_OK : STATUS_NO_MEMORY;
    if (ok) {
        memset(old_numbers.function, 0xFF, old_profile->functions.count * sizeof(uint32_t));
        memset(new_numbers.function, 0xFF, new_profile->functions.count * sizeof(uint32_t));
        status = add_functions(&pair.both, new_profile, new_numbers.function);
    }
    for (uint32_t i = 0; status == STATUS_OK && i < new_profile->functions.count; i++)
        if (old_of[i] != PROFILE_NO_ID)
            old_numbers.function[old_of[i]] = new_numbers.function[i];
    if (status == STATUS_OK)
        status = add_functions(&pair.both, old_profile, old_numbers.function);
    bool with_lines = rule != MATCH_FUNCTION;
    if (status == STATUS_OK)
        status = add_stacks(&pair.both, new_profile, with_lines, &new_numbers);
    if (status == STATUS_OK)
        status = add_stacks(&pair.both, old_profile, with_lines, &old_numbers);
    if (status == STATUS_OK) {
        profile_seal(&pair.both);
        status = fill_side(old_profile, &pair.both, &old_numbers, &pair.sides[0]);
    }
    if (status == STATUS_OK)
        status = fill_side(new_profile, &pair.both, &new_numbers, &pair.sides[1]);
    if (status == STATUS_OK && !measure(&pair))
        status = STATUS_NO_MEMORY;
    free(old_of);
    numbers_deinit(&old_numbers);
    numbers_deinit(&new_numbers);
    if (status == STATUS_OK) {
        *ret_pair = pair;
        return STATUS_OK;
    }
    profile_pair_deinit(&pair);
    return status == STATUS_NO_MEMORY ? no_memory(err)
                                      : error_set(err, status, "comparing recordings: too large");
}

void profile_pair_deinit(struct profile_pair *pair)
{
    for (size_t side = 0; side < 2; side++) {
        array_deinit(&pair->sides[side].traces);
        array_deinit(&pair->sides[side].samples);
        array_deinit(&pair->sides[side].tracks);
        array_deinit(&pair->sides[side].stats);
        array_deinit(&pair->sides[side].calls);
    }
    profile_deinit(&pair->both);
}

static uint64_t scaled_size(double size)
{
    return size < 0x1p63 ? (uint64_t)size : (uint64_t)1 << 63;
}

void profile_side_scale(struct profile *side, double factor)
{
    for (size_t i = 0; i < side->samples.count; i++)
        side->samples.items[i].weight *= factor;
    for (size_t i = 0; i < side->traces.count; i++)
        side->traces.items[i].size = scaled_size((double)side->traces.items[i].size * factor);
    for (size_t i = 0; i < side->stats.count; i++) {
        side->stats.items[i].self *= factor;
        side->stats.items[i].total *= factor;
    }
    for (size_t i = 0; i < side->calls.count; i++) {
        side->calls.items[i].self *= factor;
        side->calls.items[i].total *= factor;
    }
}
