/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/compare/profile_pair.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/function_match.h"
#include "analyzer/profile/numbers.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "comparing recordings: out of memory");
}

/* ---- A side's own numbers, by the numbering of both. */

static bool fill_traces(const struct profile *from, const uint32_t *numbers, size_t stacks,
                        struct profile *side)
{
    struct profile_trace *sums = calloc(stacks + 1, sizeof *sums);
    bool ok = sums && array_reserve(&side->traces, from->traces.count);
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
                             const struct profile_numbers *numbers, struct profile *side)
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

static double total_of(const struct profile *profile)
{
    double total = 0;
    for (size_t i = 0; i < profile->traces.count; i++)
        total += (double)profile->traces.items[i].size;
    for (size_t i = 0; i < profile->samples.count; i++)
        total += profile->samples.items[i].weight;
    for (size_t i = 0; i < profile->stats.count; i++)
        total += profile->stats.items[i].self;
    return total;
}

/* ---- The pair. */

static enum status number_frames(const struct profile *const originals[2], enum match_rule rule,
                                 struct profile_numbers numbers[2], struct profile *both)
{
    const struct profile *old_profile = originals[0], *new_profile = originals[1];
    uint32_t *old_of = malloc((new_profile->functions.count + 1) * sizeof *old_of);
    enum status status = old_of && profile_numbers_init(&numbers[0], old_profile) &&
                                 profile_numbers_init(&numbers[1], new_profile) &&
                                 function_match(old_profile, new_profile, rule, old_of)
                             ? STATUS_OK
                             : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = profile_numbers_add_functions(&numbers[1], new_profile, both);
    for (uint32_t i = 0; status == STATUS_OK && i < new_profile->functions.count; i++)
        if (old_of[i] != PROFILE_NO_ID)
            numbers[0].function[old_of[i]] = numbers[1].function[i];
    free(old_of);
    if (status == STATUS_OK)
        status = profile_numbers_add_functions(&numbers[0], old_profile, both);
    for (size_t side = 2; side-- > 0 && status == STATUS_OK;)
        status = profile_numbers_add_frames(&numbers[side], originals[side], rule != MATCH_FUNCTION,
                                            both);
    return status;
}

static enum status number_stacks(const struct profile *const originals[2],
                                 struct profile_numbers numbers[2], struct profile_pair *pair)
{
    enum status status = STATUS_OK;
    for (size_t side = 2; side-- > 0 && status == STATUS_OK;)
        status = profile_numbers_add_stacks(&numbers[side], originals[side], &pair->both);
    if (status == STATUS_OK)
        profile_seal(&pair->both);
    for (size_t side = 0; side < 2 && status == STATUS_OK; side++)
        status = fill_side(originals[side], &pair->both, &numbers[side], &pair->sides[side]);
    if (status == STATUS_OK && !measure(pair))
        status = STATUS_NO_MEMORY;
    return status;
}

enum status profile_pair_make(const struct profile *old_profile, const struct profile *new_profile,
                              enum match_rule rule, bool with_stacks, struct profile_pair *ret_pair,
                              struct error *err)
{
    const struct profile *const originals[2] = {old_profile, new_profile};
    struct profile_pair pair = {.factors = {1, 1}, .has_stacks = with_stacks};
    struct profile_numbers numbers[2] = {0};
    profile_init(&pair.both);
    enum status status = number_frames(originals, rule, numbers, &pair.both);
    if (status == STATUS_OK && with_stacks)
        status = number_stacks(originals, numbers, &pair);
    profile_seal(&pair.both);
    for (size_t side = 0; side < 2; side++) {
        if (!with_stacks)
            pair.totals[side] = total_of(originals[side]);
        pair.frames[side] = numbers[side].frame;
        numbers[side].frame = NULL;
        profile_numbers_deinit(&numbers[side]);
    }
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
        free(pair->frames[side]);
    }
    profile_deinit(&pair->both);
}

static uint64_t scaled_size(double size)
{
    return size < 0x1p63 ? (uint64_t)size : (uint64_t)1 << 63;
}

static void scale_side(struct profile *side, double factor)
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

void profile_pair_scale(struct profile_pair *pair, size_t side, double factor)
{
    pair->factors[side] *= factor;
    if (pair->has_stacks)
        scale_side(&pair->sides[side], factor);
}
