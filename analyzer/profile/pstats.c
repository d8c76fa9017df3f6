/* SPDX-License-Identifier: Apache-2.0 */
/* Adding up files, and functions whose folders are left out. */
#include "inquest/analyzer/profile_pstats.h"
#include "inquest/base/checked_math.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_EDGE UINT32_MAX

/* A Stats object in the making: edges in lists by function, so that some can be added
 * between others. */
struct merge {
    struct profile *target;
    ARRAY(struct profile_call) edges;
    ARRAY(uint32_t) next;        /* edge after this one at the same function */
    ARRAY(uint32_t) first, last; /* of the target's stats; NO_EDGE: none */
    ARRAY(uint32_t) stat_of;     /* by target's function: its row + 1 */
    ARRAY(uint64_t) seen;        /* by target's function: pass << 32 | edge */
    uint32_t pass;
};

static void merge_deinit(struct merge *merge)
{
    array_deinit(&merge->edges);
    array_deinit(&merge->next);
    array_deinit(&merge->first);
    array_deinit(&merge->last);
    array_deinit(&merge->stat_of);
    array_deinit(&merge->seen);
}

static enum status fail(struct error *err, enum status status)
{
    return error_set(err, status, "%s",
                     status == STATUS_OVER_LIMIT
                         ? "its functions, or their calls, are more than can be counted"
                         : status_name(status));
}

/* ---- Names. */

uint32_t pstats_width(const char *text, size_t size)
{
    uint32_t width = 0;
    for (size_t i = 0; i < size; i++)
        width += ((unsigned char)text[i] & 0xC0) != 0x80;
    return width;
}

static bool is_built_in(const struct profile *profile, const struct profile_function *function)
{
    return !function->line && profile->strings.items[function->file].size == 1 &&
           *profile_text(profile, function->file) == '~';
}

/* As wide as its parts: what widen counts on. */
void pstats_standard_name(const struct profile *profile, uint32_t id, struct text *ret_name)
{
    const struct profile_function *function = &profile->functions.items[id];
    const struct profile_string *file = &profile->strings.items[function->file];
    const struct profile_string *named = &profile->strings.items[function->name];
    const char *name = profile_text(profile, function->name);
    bool built_in = is_built_in(profile, function);
    if (built_in && named->size > 1 && name[0] == '<' && name[named->size - 1] == '>') {
        text_append_char(ret_name, '{');
        text_append_n(ret_name, name + 1, named->size - 2);
        text_append_char(ret_name, '}');
        return;
    }
    if (!built_in) {
        text_append_n(ret_name, profile_text(profile, function->file), file->size);
        text_printf(ret_name, ":%d(", function->line);
    }
    text_append_n(ret_name, name, named->size);
    if (!built_in)
        text_append_char(ret_name, ')');
}

static uint32_t base_name(const struct profile *profile, uint32_t file, bool strip)
{
    const struct profile_string *string = &profile->strings.items[file];
    const char *path = profile_text(profile, file);
    const char *slash = strip ? memrchr(path, '/', string->size) : NULL;
    return slash ? (uint32_t)(slash + 1 - path) : 0;
}

/* The target's function for one of the source. */
static enum status copy_function(struct merge *merge, const struct profile *source, uint32_t id,
                                 bool strip, uint32_t *ret_function)
{
    const struct profile_function *function = &source->functions.items[id];
    const struct profile_string *name_bytes = &source->strings.items[function->name];
    const struct profile_string *file_bytes = &source->strings.items[function->file];
    uint32_t name = 0, file = 0, start = base_name(source, function->file, strip);
    enum status status = profile_add_string(merge->target, profile_text(source, function->name),
                                            name_bytes->size, &name);
    if (status == STATUS_OK)
        status = profile_add_string(merge->target, profile_text(source, function->file) + start,
                                    file_bytes->size - start, &file);
    if (status == STATUS_OK)
        status = profile_add_function(merge->target, name, file, function->line, ret_function);
    while (status == STATUS_OK && merge->stat_of.count <= *ret_function) {
        if (!array_push(&merge->stat_of, 0) || !array_push(&merge->seen, UINT64_C(0)))
            status = STATUS_NO_MEMORY;
    }
    return status;
}

/* ---- Rows. */

static enum status find_row(struct merge *merge, uint32_t function, uint32_t *ret_row)
{
    struct profile_stat stat = {.function = function};
    if (!merge->stat_of.items[function]) {
        if (!array_push(&merge->target->stats, stat) || !array_push(&merge->first, NO_EDGE) ||
            !array_push(&merge->last, NO_EDGE))
            return STATUS_NO_MEMORY;
        merge->stat_of.items[function] = (uint32_t)merge->target->stats.count;
    }
    *ret_row = merge->stat_of.items[function] - 1;
    return STATUS_OK;
}

/* Remembers which edges the row has already. */
static void begin_row(struct merge *merge, uint32_t row)
{
    merge->pass++;
    for (uint32_t edge = merge->first.items[row]; edge != NO_EDGE; edge = merge->next.items[edge])
        merge->seen.items[merge->edges.items[edge].caller] = (uint64_t)merge->pass << 32 | edge;
}

static enum status add_numbers(struct profile_call *target, const struct profile_call *source)
{
    if (!checked_add_i64(target->calls, source->calls, &target->calls) ||
        !checked_add_i64(target->primitive_calls, source->primitive_calls,
                         &target->primitive_calls))
        return STATUS_OVER_LIMIT;
    target->self = source->self + target->self;
    target->total = source->total + target->total;
    target->is_count &= source->is_count;
    return STATUS_OK;
}

static enum status add_edge(struct merge *merge, uint32_t row, const struct profile_call *call)
{
    uint64_t seen = merge->seen.items[call->caller];
    if (seen >> 32 == merge->pass)
        return add_numbers(&merge->edges.items[(uint32_t)seen], call);
    uint32_t edge = (uint32_t)merge->edges.count;
    if (!array_push(&merge->edges, *call) || !array_push(&merge->next, NO_EDGE))
        return STATUS_NO_MEMORY;
    if (merge->last.items[row] == NO_EDGE)
        merge->first.items[row] = edge;
    else
        merge->next.items[merge->last.items[row]] = edge;
    merge->last.items[row] = edge;
    merge->seen.items[call->caller] = (uint64_t)merge->pass << 32 | edge;
    return STATUS_OK;
}

/* A function's callers under their new names: of two that have one name now, the place
 * of the first and the numbers of the last. */
static enum status copy_edges(struct merge *merge, const struct profile *source,
                              const struct profile_stat *stat, uint32_t callee, bool strip,
                              struct profile_call *edges, uint32_t *ret_count)
{
    uint32_t count = 0;
    merge->pass++;
    for (uint32_t i = 0; i < stat->call_count; i++) {
        struct profile_call call = source->calls.items[stat->first_call + i];
        enum status status = copy_function(merge, source, call.caller, strip, &call.caller);
        if (status != STATUS_OK)
            return status;
        call.callee = callee;
        uint64_t seen = merge->seen.items[call.caller];
        uint32_t place = seen >> 32 == merge->pass ? (uint32_t)seen : count++;
        edges[place] = call;
        merge->seen.items[call.caller] = (uint64_t)merge->pass << 32 | place;
    }
    *ret_count = count;
    return STATUS_OK;
}

static enum status merge_stat(struct merge *merge, const struct profile *source,
                              const struct profile_stat *stat, bool strip,
                              struct profile_call *edges)
{
    uint32_t function = 0, row = 0, count = 0;
    enum status status = copy_function(merge, source, stat->function, strip, &function);
    if (status == STATUS_OK)
        status = copy_edges(merge, source, stat, function, strip, edges, &count);
    if (status == STATUS_OK)
        status = find_row(merge, function, &row);
    if (status != STATUS_OK)
        return status;
    struct profile_stat *target = &merge->target->stats.items[row];
    if (!checked_add_i64(target->calls, stat->calls, &target->calls) ||
        !checked_add_i64(target->primitive_calls, stat->primitive_calls, &target->primitive_calls))
        return STATUS_OVER_LIMIT;
    target->self = stat->self + target->self;
    target->total = stat->total + target->total;
    begin_row(merge, row);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        status = add_edge(merge, row, &edges[i]);
    return status;
}

static enum status merge_profile(struct merge *merge, const struct profile *source, bool strip)
{
    uint32_t most = 0;
    for (size_t i = 0; i < source->stats.count; i++)
        if (source->stats.items[i].call_count > most)
            most = source->stats.items[i].call_count;
    struct profile_call *edges = calloc((size_t)most + 1, sizeof *edges);
    enum status status = edges ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < source->stats.count; i++)
        status = merge_stat(merge, source, &source->stats.items[i], strip, edges);
    free(edges);
    return status;
}

/* From lists to edges side by side. */
static enum status merge_finish(struct merge *merge)
{
    struct profile *target = merge->target;
    if (!array_reserve(&target->calls, merge->edges.count))
        return STATUS_NO_MEMORY;
    for (size_t row = 0; row < target->stats.count; row++) {
        struct profile_stat *stat = &target->stats.items[row];
        stat->first_call = target->calls.count;
        for (uint32_t edge = merge->first.items[row]; edge != NO_EDGE;
             edge = merge->next.items[edge])
            target->calls.items[target->calls.count++] = merge->edges.items[edge];
        stat->call_count = (uint32_t)(target->calls.count - stat->first_call);
    }
    return STATUS_OK;
}

/* What is not functions: facts and warnings of a recording, copied. */
static enum status copy_facts(struct profile *target, const struct profile *source, bool facts)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; facts && status == STATUS_OK && i < source->facts.count; i++)
        status = profile_add_fact(target, source->facts.items[i].key, source->facts.items[i].value);
    for (size_t i = 0; status == STATUS_OK && i < source->warnings.count; i++)
        status = profile_add_warning(target, source->warnings.items[i].area, "%s",
                                     source->warnings.items[i].message);
    return status;
}

/* The profile becomes the sum of both; `second` may be NULL. */
static enum status replace(struct pstats *stats, const struct profile *second, bool strip,
                           struct error *err)
{
    struct profile target;
    struct merge merge = {.target = &target};
    profile_init(&target);
    target.family = PROFILE_PSTATS;
    target.is_sampled = stats->profile.is_sampled;
    target.format = arena_strdup(&target.arena, stats->profile.format);
    target.unit = arena_strdup(&target.arena, stats->profile.unit);
    enum status status = target.format && target.unit ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = merge_profile(&merge, &stats->profile, strip);
    if (status == STATUS_OK && second)
        status = merge_profile(&merge, second, strip);
    if (status == STATUS_OK)
        status = merge_finish(&merge);
    if (status == STATUS_OK)
        status = copy_facts(&target, &stats->profile, true);
    if (status == STATUS_OK && second)
        status = copy_facts(&target, second, false);
    merge_deinit(&merge);
    if (status != STATUS_OK) {
        profile_deinit(&target);
        return fail(err, status);
    }
    profile_seal(&target);
    profile_deinit(&stats->profile);
    stats->profile = target;
    return STATUS_OK;
}

/* ---- The object. */

/* Characters of each string. */
static uint32_t *string_widths(const struct profile *profile)
{
    uint32_t *widths = calloc(profile->strings.count + 1, sizeof *widths);
    for (size_t i = 0; widths && i < profile->strings.count; i++)
        widths[i] =
            pstats_width(profile_text(profile, (uint32_t)i), profile->strings.items[i].size);
    return widths;
}

static uint32_t line_width(int32_t line)
{
    uint32_t width = line < 0 ? 2 : 1;
    for (; line <= -10 || line >= 10; line /= 10)
        width++;
    return width;
}

/* Widens for the longest standard name, without writing any. */
static enum status widen(struct pstats *stats, const struct profile *profile)
{
    uint32_t *widths = string_widths(profile);
    bool *has_stat = calloc(profile->functions.count + 1, sizeof *has_stat);
    bool ok = widths && has_stat;
    for (size_t i = 0; ok && i < profile->stats.count; i++)
        has_stat[profile->stats.items[i].function] = true;
    for (size_t i = 0; ok && i < profile->functions.count; i++) {
        const struct profile_function *function = &profile->functions.items[i];
        uint32_t width = widths[function->name];
        if (!is_built_in(profile, function)) /* FILE:LINE(NAME) */
            width += widths[function->file] + line_width(function->line) + 3;
        if (has_stat[i] && width > stats->name_width)
            stats->name_width = width;
    }
    free(widths);
    free(has_stat);
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

static bool is_profiler(const struct profile *profile, uint32_t id)
{
    const struct profile_function *function = &profile->functions.items[id];
    return !function->line && !strcmp(profile_text(profile, function->file), "jprofile") &&
           !strcmp(profile_text(profile, function->name), "profiler");
}

static enum status find_top_level(struct pstats *stats)
{
    const struct profile *profile = &stats->profile;
    bool has_profiler = false;
    stats->top_level.count = 0;
    for (uint32_t i = 0; !has_profiler && i < profile->functions.count; i++)
        has_profiler = is_profiler(profile, i);
    for (size_t i = 0; has_profiler && i < profile->calls.count; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        if (is_profiler(profile, call->caller) && !array_push(&stats->top_level, call->callee))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* What is known of the profile as it is now, names of `widest` included. */
static enum status describe(struct pstats *stats, const struct profile *widest, struct error *err)
{
    enum status status = widen(stats, widest);
    if (status == STATUS_OK)
        status = find_top_level(stats);
    return status == STATUS_OK ? status : fail(err, status);
}

static enum status add_sums(struct pstats *stats, const struct profile *profile)
{
    double seconds = 0;
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        if (!checked_add_i64(stats->calls, stat->calls, &stats->calls) ||
            !checked_add_i64(stats->primitive_calls, stat->primitive_calls,
                             &stats->primitive_calls))
            return STATUS_OVER_LIMIT;
        seconds += stat->self;
    }
    stats->seconds += seconds;
    return STATUS_OK;
}

enum status pstats_init(struct pstats *stats, struct profile *profile, struct error *err)
{
    *stats = (struct pstats){.profile = *profile};
    enum status status = add_sums(stats, profile);
    return status == STATUS_OK ? describe(stats, profile, err) : fail(err, status);
}

void pstats_deinit(struct pstats *stats)
{
    array_deinit(&stats->top_level);
    profile_deinit(&stats->profile);
}

enum status pstats_add(struct pstats *stats, const struct profile *other, struct error *err)
{
    if (other->is_sampled != stats->profile.is_sampled)
        return error_set(err, STATUS_UNSUPPORTED,
                         "one recording is sampled and the other is not: they can't be added up");
    enum status status = replace(stats, other, false, err);
    if (status != STATUS_OK)
        return status;
    status = add_sums(stats, other);
    return status == STATUS_OK ? describe(stats, other, err) : fail(err, status);
}

enum status pstats_strip_dirs(struct pstats *stats, struct error *err)
{
    enum status status = replace(stats, NULL, true, err);
    if (status != STATUS_OK)
        return status;
    stats->name_width = 0;
    return describe(stats, &stats->profile, err);
}
