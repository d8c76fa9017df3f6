/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of a recording's frames, with the amounts of the stacks that they are on. */
#include "inquest/analyzer/profile_hotspots.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/amounts.h"
#include "analyzer/profile/hotspot_parts.h"

/* ---- Groups: the key that each frame, or each function of pstats, belongs to. */

static uint32_t key_of_function(const struct hotspot_groups *groups, const struct profile *profile,
                                uint32_t function)
{
    switch (groups->by) {
    case HOTSPOT_FILE: return profile->functions.items[function].file;
    case HOTSPOT_MODULE: return groups->modules[function];
    default: return function;
    }
}

static enum status make_groups(struct hotspots *hotspots, struct hotspot_groups *groups)
{
    const struct profile *profile = hotspots->profile;
    groups->by = hotspots->by;
    if (groups->by == HOTSPOT_MODULE) {
        enum status status = hotspot_modules(hotspots, &groups->modules);
        if (status != STATUS_OK)
            return status;
    }
    groups->of_frame = calloc(profile->frames.count + 1, sizeof *groups->of_frame);
    if (!groups->of_frame)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < profile->frames.count; i++)
        groups->of_frame[i] =
            groups->by == HOTSPOT_LINE
                ? i
                : key_of_function(groups, profile, profile->frames.items[i].function);
    switch (groups->by) {
    case HOTSPOT_LINE:
        groups->count =
            profile->family == PROFILE_PSTATS ? profile->functions.count : profile->frames.count;
        break;
    case HOTSPOT_FILE: groups->count = profile->strings.count; break;
    case HOTSPOT_MODULE: groups->count = hotspots->modules.count; break;
    case HOTSPOT_THREAD: groups->count = profile->tracks.count; break;
    case HOTSPOT_TRACEBACK: groups->count = profile->stacks.count; break;
    case HOTSPOT_FUNCTION: groups->count = profile->functions.count; break;
    }
    return STATUS_OK;
}

/* ---- Sums. `rows` has one for each key. */

static void sum_stack(const struct profile *profile, const struct hotspot_groups *groups,
                      const struct amounts *amounts, enum hotspot_total total, uint32_t id,
                      struct hotspot *rows, uint32_t *seen)
{
    const struct profile_stack *stack = &profile->stacks.items[id];
    const uint32_t *frames = profile->stack_frames.items + stack->first;
    double weight = amounts->weights[id];
    uint64_t count = amounts->counts[id];
    struct hotspot *innermost = &rows[groups->of_frame[frames[stack->depth - 1]]];
    innermost->self += weight;
    innermost->self_count += count;
    uint64_t size = amounts->sizes ? amounts->sizes[id] : 0;
    amounts_add(&innermost->self_size, size);
    for (uint32_t i = 0; total != HOTSPOT_INNERMOST && i < stack->depth; i++) {
        uint32_t key = groups->of_frame[frames[i]];
        if (total == HOTSPOT_ONCE && seen[key] == id + 1)
            continue;
        seen[key] = id + 1;
        rows[key].total += weight;
        rows[key].count += count;
        amounts_add(&rows[key].size, size);
    }
}

static enum status sum_stacks(const struct profile *profile, const struct hotspot_groups *groups,
                              const struct amounts *amounts, enum hotspot_total total,
                              struct hotspot *rows)
{
    uint32_t *seen = calloc(groups->count + 1, sizeof *seen); /* the last stack, + 1 */
    if (!seen)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < profile->stacks.count; i++) {
        if (profile->stacks.items[i].depth && (amounts->counts[i] || amounts->weights[i] > 0))
            sum_stack(profile, groups, amounts, total, i, rows, seen);
    }
    free(seen);
    return STATUS_OK;
}

/* A row a stack: its amounts go there at once. */
static void sum_whole_stacks(struct hotspots *hotspots, struct hotspot *rows)
{
    const struct profile *profile = hotspots->profile;
    for (size_t i = 0; i < profile->traces.count; i++) {
        const struct profile_trace *trace = &profile->traces.items[i];
        rows[trace->stack].self += (double)trace->size;
        rows[trace->stack].self_count += trace->count;
        amounts_add(&rows[trace->stack].self_size, trace->size);
        hotspots->whole += (double)trace->size;
        hotspots->whole_count += trace->count;
        amounts_add(&hotspots->whole_size, trace->size);
    }
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        rows[sample->stack].self += sample->weight;
        rows[sample->stack].self_count += sample->count;
        hotspots->whole += sample->weight;
        hotspots->whole_count += sample->count;
    }
}

static void sum_tracks(const struct profile *profile, struct hotspot *rows)
{
    for (size_t i = 0; i < profile->samples.count; i++) {
        const struct profile_sample *sample = &profile->samples.items[i];
        rows[sample->track].self += sample->weight;
        rows[sample->track].self_count += sample->count;
    }
}

/* What a group's functions took, without what one took below another: two functions
 * that call each other are in each other's time, so it is at least the largest's. */
static void sum_stats(const struct profile *profile, const struct hotspot_groups *groups,
                      struct hotspot *rows, double *largest)
{
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        uint32_t key = key_of_function(groups, profile, stat->function);
        rows[key].self += stat->self;
        rows[key].total += stat->total;
        rows[key].count += stat->calls > 0 ? (uint64_t)stat->calls : 0;
        int64_t own = profile->is_sampled ? stat->primitive_calls : stat->calls;
        rows[key].self_count += own > 0 ? (uint64_t)own : 0;
        if (largest[key] < stat->total)
            largest[key] = stat->total;
    }
    for (size_t i = 0; i < profile->calls.count; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        uint32_t key = key_of_function(groups, profile, call->callee);
        if (call->caller != call->callee && key == key_of_function(groups, profile, call->caller))
            rows[key].total -= call->total;
    }
    for (size_t i = 0; i < groups->count; i++)
        if (rows[i].total < largest[i])
            rows[i].total = largest[i];
}

/* Of pstats. */
static void sum_whole(struct hotspots *hotspots)
{
    const struct profile *profile = hotspots->profile;
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        hotspots->whole += stat->self;
        hotspots->whole_count += stat->calls > 0 ? (uint64_t)stat->calls : 0;
    }
}

static enum status sum(struct hotspots *hotspots, const struct hotspot_options *options,
                       const struct hotspot_groups *groups, struct hotspot *rows)
{
    const struct profile *profile = hotspots->profile;
    struct amounts amounts;
    if (profile->family == PROFILE_PSTATS) {
        double *largest = calloc(groups->count + 1, sizeof *largest);
        if (!largest)
            return STATUS_NO_MEMORY;
        sum_stats(profile, groups, rows, largest);
        free(largest);
        sum_whole(hotspots);
        return STATUS_OK;
    }
    if (hotspots->by == HOTSPOT_TRACEBACK) {
        sum_whole_stacks(hotspots, rows);
        return STATUS_OK;
    }
    enum status status = amounts_init(&amounts, profile);
    if (status != STATUS_OK)
        return status;
    hotspots->whole = amounts.whole;
    hotspots->whole_count = amounts.whole_count;
    hotspots->whole_size = amounts.whole_size;
    if (hotspots->by == HOTSPOT_THREAD)
        sum_tracks(profile, rows);
    else
        status = sum_stacks(profile, groups, &amounts, options->total, rows);
    amounts_deinit(&amounts);
    return status;
}

/* ---- Rows. */

/* Only keys that something was found for stay, each where it was or further to the front. */
static size_t keep_rows(struct hotspot *rows, size_t count, bool self_is_total)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct hotspot row = rows[i];
        row.key = (uint32_t)i;
        if (self_is_total) {
            row.total = row.self;
            row.count = row.self_count;
            row.size = row.self_size;
        }
        if (row.count || row.self_count || row.total > 0 || row.self > 0)
            rows[kept++] = row;
    }
    return kept;
}

static enum status fill(struct hotspots *hotspots, const struct hotspot_options *options)
{
    struct hotspot_groups groups = {0};
    enum status status = make_groups(hotspots, &groups);
    struct hotspot *rows = status == STATUS_OK ? calloc(groups.count + 1, sizeof *rows) : NULL;
    bool self_is_total =
        hotspots->by == HOTSPOT_TRACEBACK || hotspots->by == HOTSPOT_THREAD ||
        (options->total == HOTSPOT_INNERMOST && hotspots->profile->family != PROFILE_PSTATS);
    if (status == STATUS_OK && !rows)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = sum(hotspots, options, &groups, rows);
    hotspots->rows.items = rows;
    hotspots->rows.capacity = rows ? groups.count + 1 : 0;
    if (status == STATUS_OK)
        hotspots->rows.count = keep_rows(rows, groups.count, self_is_total);
    free(groups.of_frame);
    free(groups.modules);
    return status == STATUS_OK ? hotspots_sort(hotspots, options) : status;
}

enum status hotspots_check(const struct profile *profile, enum hotspot_by by, struct error *err)
{
    if (profile->family == PROFILE_TRACEMALLOC && by == HOTSPOT_FUNCTION)
        return error_set(err, STATUS_USAGE,
                         "a snapshot of tracemalloc names no functions; by line, file, module or "
                         "traceback");
    if (profile->family == PROFILE_TRACEMALLOC && by == HOTSPOT_THREAD)
        return error_set(err, STATUS_USAGE, "a snapshot of tracemalloc tells no threads apart");
    if (profile->family == PROFILE_PSTATS && by == HOTSPOT_THREAD)
        return error_set(err, STATUS_USAGE, "a pstats file tells no threads apart");
    if (profile->family == PROFILE_PSTATS && by == HOTSPOT_TRACEBACK)
        return error_set(err, STATUS_USAGE,
                         "a pstats file holds no stacks, only who called whom; by function, file "
                         "or module, or --callers and --callees of one");
    return STATUS_OK;
}

enum status hotspots_build(const struct profile *profile, const struct hotspot_options *options,
                           struct hotspots *ret_hotspots, struct error *err)
{
    struct hotspots hotspots = {.profile = profile, .by = options->by};
    enum status status = hotspots_check(profile, options->by, err);
    if (status != STATUS_OK)
        return status;
    arena_init(&hotspots.arena);
    if (options->sort == HOTSPOT_NO_ROWS)
        sum_whole(&hotspots);
    else
        status = fill(&hotspots, options);
    if (status != STATUS_OK) {
        hotspots_deinit(&hotspots);
        return error_set(err, status, "%s", status_name(status));
    }
    *ret_hotspots = hotspots;
    return STATUS_OK;
}

void hotspots_deinit(struct hotspots *hotspots)
{
    if (!hotspots)
        return;
    array_deinit(&hotspots->rows);
    array_deinit(&hotspots->modules);
    arena_deinit(&hotspots->arena);
}
