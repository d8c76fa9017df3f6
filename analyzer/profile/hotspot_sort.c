/* SPDX-License-Identifier: Apache-2.0 */
/* The order of rows. Of a snapshot it is tracemalloc's: by size, count and traceback,
 * all of them descending. Others break ties by name, ascending. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/hotspot_parts.h"
#include "analyzer/profile/order.h"

struct sorting {
    const struct hotspots *hotspots;
    const struct hotspot_options *options;
    uint32_t *strings, *functions; /* places in their order; NULL where not needed */
    uint32_t *frames;
};

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_counts(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* From the outermost frame on; a shorter one first. */
static int compare_stacks(const struct sorting *sorting, uint32_t a, uint32_t b)
{
    const struct profile *profile = sorting->hotspots->profile;
    const struct profile_stack *first = &profile->stacks.items[a],
                               *second = &profile->stacks.items[b];
    const uint32_t *left = profile->stack_frames.items + first->first;
    const uint32_t *right = profile->stack_frames.items + second->first;
    for (uint32_t i = 0; i < first->depth && i < second->depth; i++) {
        if (left[i] != right[i] && sorting->frames[left[i]] != sorting->frames[right[i]])
            return compare_counts(sorting->frames[left[i]], sorting->frames[right[i]]);
    }
    return compare_counts(first->depth, second->depth);
}

/* Ascending, by what a row is about. */
static int compare_keys(const struct sorting *sorting, uint32_t a, uint32_t b)
{
    const struct hotspots *hotspots = sorting->hotspots;
    bool pstats = hotspots->profile->family == PROFILE_PSTATS;
    switch (hotspots->by) {
    case HOTSPOT_TRACEBACK: return compare_stacks(sorting, a, b);
    case HOTSPOT_FILE: return compare_counts(sorting->strings[a], sorting->strings[b]);
    case HOTSPOT_FUNCTION: return compare_counts(sorting->functions[a], sorting->functions[b]);
    case HOTSPOT_LINE:
        return pstats ? compare_counts(sorting->functions[a], sorting->functions[b])
                      : compare_counts(sorting->frames[a], sorting->frames[b]);
    default: return compare_counts(a, b); /* modules are in order, tracks in the file's */
    }
}

static int compare_lines(const struct sorting *sorting, const struct hotspot *a,
                         const struct hotspot *b)
{
    int32_t first = hotspot_line(sorting->hotspots, a), second = hotspot_line(sorting->hotspots, b);
    return (first > second) - (first < second);
}

/* Ascending. 0 where there are no files to compare. */
static int compare_files(const struct sorting *sorting, const struct hotspot *a,
                         const struct hotspot *b)
{
    const char *first = hotspot_file(sorting->hotspots, a);
    const char *second = hotspot_file(sorting->hotspots, b);
    return first && second ? strcmp(first, second) : 0;
}

/* The larger first. */
static int compare_totals(const struct sorting *sorting, const struct hotspot *a,
                          const struct hotspot *b)
{
    if (sorting->hotspots->profile->family == PROFILE_TRACEMALLOC)
        return -compare_counts(a->size, b->size);
    return -compare_numbers(a->total, b->total);
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    const struct hotspot *first = a, *second = b;
    bool snapshot = sorting->hotspots->profile->family == PROFILE_TRACEMALLOC;
    int order = 0;
    switch (sorting->options->sort) {
    case HOTSPOT_BY_SELF: order = -compare_numbers(first->self, second->self); break;
    case HOTSPOT_BY_TOTAL: order = compare_totals(sorting, first, second); break;
    case HOTSPOT_BY_COUNT: order = -compare_counts(first->count, second->count); break;
    case HOTSPOT_BY_FILE: order = compare_files(sorting, first, second); break;
    case HOTSPOT_BY_LINE: order = compare_lines(sorting, first, second); break;
    case HOTSPOT_BY_NAME: order = compare_keys(sorting, first->key, second->key); break;
    }
    if (!order)
        order = compare_totals(sorting, first, second);
    if (!order && !snapshot)
        order = -compare_numbers(first->self, second->self);
    if (!order)
        order = -compare_counts(first->count, second->count);
    if (!order)
        order = compare_keys(sorting, first->key, second->key) * (snapshot ? -1 : 1);
    return sorting->options->ascending ? -order : order;
}

static enum status find_places(struct sorting *sorting)
{
    const struct profile *profile = sorting->hotspots->profile;
    enum hotspot_by by = sorting->hotspots->by;
    enum status status = STATUS_OK;
    if (by == HOTSPOT_THREAD || by == HOTSPOT_MODULE)
        return status;
    status = order_strings(profile, &sorting->strings);
    if (status != STATUS_OK || by == HOTSPOT_FILE)
        return status;
    if (profile->family == PROFILE_TRACEMALLOC)
        return order_places_in_files(profile, sorting->strings, &sorting->frames);
    status = order_functions(profile, sorting->strings, &sorting->functions);
    if (status == STATUS_OK && by != HOTSPOT_FUNCTION)
        status = order_frames(profile, sorting->functions, &sorting->frames);
    return status;
}

enum status hotspots_sort(struct hotspots *hotspots, const struct hotspot_options *options)
{
    struct sorting sorting = {.hotspots = hotspots, .options = options};
    enum status status = find_places(&sorting);
    if (status == STATUS_OK && hotspots->rows.count)
        qsort_r(hotspots->rows.items, hotspots->rows.count, sizeof *hotspots->rows.items,
                compare_rows, &sorting);
    free(sorting.strings);
    free(sorting.functions);
    free(sorting.frames);
    return status;
}
