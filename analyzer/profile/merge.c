/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/profile_merge.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/numbers.h"

void profile_merge_init(struct profile *ret_sum)
{
    profile_init(ret_sum);
}

/* ---- What can be added up. */

static const char *const kinds[] = {
    [PROFILE_NONE] = "nothing",
    [PROFILE_TRACEMALLOC] = "a snapshot of tracemalloc",
    [PROFILE_PSTATS] = "a pstats file",
    [PROFILE_SAMPLES] = "a recording of samples",
};

static enum status check(const struct profile *sum, const struct profile *part, const char *name,
                         struct error *err)
{
    if (sum->family == PROFILE_NONE)
        return STATUS_OK;
    if (sum->family != part->family)
        return error_set(err, STATUS_USAGE,
                         "%s: only recordings of one kind are added up: this is %s, what stands "
                         "before it %s",
                         name, kinds[part->family], kinds[sum->family]);
    if (strcmp(sum->unit, part->unit) != 0)
        return error_set(err, STATUS_USAGE,
                         "%s: only recordings of one unit are added up: this counts %s, what "
                         "stands before it %s",
                         name, part->unit, sum->unit);
    return STATUS_OK;
}

/* The first one says what the sum is of; formats that differ are all named. */
static enum status take_kind(struct profile *sum, const struct profile *part)
{
    if (sum->family == PROFILE_NONE)
        sum->unit = arena_strdup(&sum->arena, part->unit);
    if (!sum->format)
        sum->format = arena_strdup(&sum->arena, part->format);
    else if (!strstr(sum->format, part->format))
        sum->format = arena_printf(&sum->arena, "%s + %s", sum->format, part->format);
    sum->family = part->family;
    sum->is_sampled |= part->is_sampled;
    sum->is_approximate |= part->is_approximate;
    return sum->unit && sum->format ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- Facts and warnings. */

static const char *fact_of(const struct profile *profile, const char *key)
{
    for (size_t i = 0; i < profile->facts.count; i++)
        if (!strcmp(profile->facts.items[i].key, key))
            return profile->facts.items[i].value;
    return NULL;
}

static enum status warn_of_limits(struct profile *sum, const struct profile *part, const char *name)
{
    const char *kept = fact_of(sum, "traceback_limit"), *own = fact_of(part, "traceback_limit");
    if (!kept || !own || !strcmp(kept, own))
        return STATUS_OK;
    return profile_add_warning(sum, "merge",
                               "%s keeps %s frames of a stack, what stands before it %s: stacks "
                               "of one allocation can differ; lines and files add up",
                               name, own, kept);
}

static enum status merge_facts(struct profile *sum, const struct profile *part, bool is_first,
                               const char *name)
{
    enum status status = warn_of_limits(sum, part, name);
    size_t kept = 0;
    for (size_t i = 0; is_first && status == STATUS_OK && i < part->facts.count; i++)
        status = profile_add_fact(sum, part->facts.items[i].key, part->facts.items[i].value);
    for (size_t i = 0; i < sum->facts.count; i++) {
        const char *value = fact_of(part, sum->facts.items[i].key);
        if (value && !strcmp(value, sum->facts.items[i].value))
            sum->facts.items[kept++] = sum->facts.items[i];
    }
    sum->facts.count = kept;
    for (size_t i = 0; status == STATUS_OK && i < part->warnings.count; i++)
        status = profile_add_warning(sum, part->warnings.items[i].area, "%s: %s", name,
                                     part->warnings.items[i].message);
    return status;
}

/* ---- Processes and threads: sorted on both sides and joined, so that of several that
 * are alike the first is the first one's partner. */

struct sorted_track {
    const struct profile *profile;
    uint32_t track;
};

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_identity(const struct sorted_track *a, const struct sorted_track *b)
{
    const struct profile_track *first = &a->profile->tracks.items[a->track];
    const struct profile_track *second = &b->profile->tracks.items[b->track];
    int order =
        strcmp(profile_text(a->profile, first->name), profile_text(b->profile, second->name));
    if (!order)
        order = compare_numbers(first->pid, second->pid);
    if (!order)
        order = compare_numbers(first->tid, second->tid);
    if (!order)
        order = compare_numbers(first->is_idle * 4 + first->is_active * 2 + first->holds_gil,
                                second->is_idle * 4 + second->is_active * 2 + second->holds_gil);
    return order;
}

static int compare_tracks(const void *left, const void *right)
{
    const struct sorted_track *a = left, *b = right;
    int order = compare_identity(a, b);
    return order ? order : compare_numbers(a->track, b->track);
}

static struct sorted_track *sort_tracks(const struct profile *profile)
{
    struct sorted_track *tracks = malloc((profile->tracks.count + 1) * sizeof *tracks);
    if (!tracks)
        return NULL;
    for (uint32_t i = 0; i < profile->tracks.count; i++)
        tracks[i] = (struct sorted_track){profile, i};
    qsort(tracks, profile->tracks.count, sizeof *tracks, compare_tracks);
    return tracks;
}

static void join_tracks(const struct sorted_track *sum, size_t sum_count,
                        const struct sorted_track *part, size_t part_count, uint32_t *numbers)
{
    size_t i = 0, j = 0;
    while (i < sum_count && j < part_count) {
        int order = compare_identity(&sum[i], &part[j]);
        if (!order)
            numbers[part[j].track] = sum[i].track;
        i += order <= 0;
        j += order >= 0;
    }
}

static enum status add_track(struct profile *sum, const struct profile *part, uint32_t id,
                             uint32_t *ret_number)
{
    struct profile_track track = part->tracks.items[id];
    const struct profile_string *name = &part->strings.items[track.name];
    enum status status =
        profile_add_string(sum, part->bytes + name->offset, name->size, &track.name);
    if (status == STATUS_OK && !array_push(&sum->tracks, track))
        status = STATUS_NO_MEMORY;
    *ret_number = (uint32_t)sum->tracks.count - 1;
    return status;
}

static enum status number_tracks(struct profile *sum, const struct profile *part, uint32_t *numbers)
{
    struct sorted_track *of_sum = sort_tracks(sum), *of_part = sort_tracks(part);
    enum status status = of_sum && of_part ? STATUS_OK : STATUS_NO_MEMORY;
    memset(numbers, 0xFF, part->tracks.count * sizeof *numbers);
    if (status == STATUS_OK)
        join_tracks(of_sum, sum->tracks.count, of_part, part->tracks.count, numbers);
    for (uint32_t i = 0; status == STATUS_OK && i < part->tracks.count; i++)
        if (numbers[i] == PROFILE_NO_ID)
            status = add_track(sum, part, i, &numbers[i]);
    free(of_sum);
    free(of_part);
    return status;
}

/* ---- Amounts. */

static enum status add_amounts(struct profile *sum, const struct profile *part,
                               const struct profile_numbers *numbers)
{
    uint32_t *tracks = malloc((part->tracks.count + 1) * sizeof *tracks);
    enum status status = tracks ? number_tracks(sum, part, tracks) : STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < part->traces.count; i++) {
        const struct profile_trace *trace = &part->traces.items[i];
        status = profile_add_trace(sum, numbers->stack[trace->stack], trace->domain, trace->size,
                                   trace->count);
    }
    for (size_t i = 0; status == STATUS_OK && i < part->samples.count; i++) {
        const struct profile_sample *sample = &part->samples.items[i];
        status = profile_add_sample(sum, numbers->stack[sample->stack], tracks[sample->track],
                                    sample->weight, sample->count);
    }
    free(tracks);
    return status;
}

enum status profile_merge_add(struct profile *sum, const struct profile *part, const char *name,
                              struct error *err)
{
    struct profile_numbers numbers = {0};
    bool is_first = sum->family == PROFILE_NONE;
    enum status status = check(sum, part, name, err);
    if (status != STATUS_OK)
        return status;
    status = take_kind(sum, part);
    if (status == STATUS_OK)
        status = merge_facts(sum, part, is_first, name);
    if (status == STATUS_OK && !profile_numbers_init(&numbers, part))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = profile_numbers_add_functions(&numbers, part, sum);
    if (status == STATUS_OK)
        status = profile_numbers_add_frames(&numbers, part, true, sum);
    if (status == STATUS_OK)
        status = profile_numbers_add_stacks(&numbers, part, sum);
    if (status == STATUS_OK)
        status = add_amounts(sum, part, &numbers);
    profile_numbers_deinit(&numbers);
    return status == STATUS_OK
               ? STATUS_OK
               : error_set(err, status, "%s: adding it up: %s", name,
                           status == STATUS_NO_MEMORY ? "out of memory"
                                                      : "its numbers are too large");
}
