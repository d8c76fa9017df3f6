/* SPDX-License-Identifier: Apache-2.0 */
/* The order of rows. Of a snapshot it is tracemalloc's: by size, count and traceback,
 * all of them descending. Others break ties by name, ascending. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/hotspot_parts.h"
#include "analyzer/profile/order.h"
#include "analyzer/profile/sequence_sort.h"

struct sorting {
    const struct hotspots *hotspots;
    const struct hotspot_options *options;
    uint32_t *strings; /* their places in order; NULL where nobody asks */
};

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_counts(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_signed(int32_t a, int32_t b)
{
    return (a > b) - (a < b);
}

/* By name, file and line. */
static int compare_functions(const struct sorting *sorting, uint32_t a, uint32_t b)
{
    const struct profile *profile = sorting->hotspots->profile;
    const struct profile_function *first = &profile->functions.items[a];
    const struct profile_function *second = &profile->functions.items[b];
    int order = compare_counts(sorting->strings[first->name], sorting->strings[second->name]);
    if (!order)
        order = compare_counts(sorting->strings[first->file], sorting->strings[second->file]);
    return order ? order : compare_signed(first->line, second->line);
}

/* Those of a snapshot have no names, so it is by file and line. */
static int compare_frames(const struct sorting *sorting, uint32_t a, uint32_t b)
{
    const struct profile *profile = sorting->hotspots->profile;
    const struct profile_frame *first = &profile->frames.items[a];
    const struct profile_frame *second = &profile->frames.items[b];
    int order = first->function == second->function
                    ? 0
                    : compare_functions(sorting, first->function, second->function);
    return order ? order : compare_signed(first->line, second->line);
}

/* From the outermost frame on; a shorter one first. */
static int compare_stacks(const struct sorting *sorting, uint32_t a, uint32_t b)
{
    const struct profile *profile = sorting->hotspots->profile;
    const struct profile_stack *first = &profile->stacks.items[a];
    const struct profile_stack *second = &profile->stacks.items[b];
    const uint32_t *left = profile->stack_frames.items + first->first;
    const uint32_t *right = profile->stack_frames.items + second->first;
    for (uint32_t i = 0; i < first->depth && i < second->depth; i++) {
        int order = left[i] == right[i] ? 0 : compare_frames(sorting, left[i], right[i]);
        if (order)
            return order;
    }
    return compare_counts(first->depth, second->depth);
}

/* Ascending, by what a row is about. */
static int compare_keys(const struct sorting *sorting, uint32_t a, uint32_t b)
{
    const struct hotspots *hotspots = sorting->hotspots;
    switch (hotspots->by) {
    case HOTSPOT_TRACEBACK: return compare_stacks(sorting, a, b);
    case HOTSPOT_FILE: return compare_counts(sorting->strings[a], sorting->strings[b]);
    case HOTSPOT_FUNCTION: return compare_functions(sorting, a, b);
    case HOTSPOT_LINE:
        return hotspots->profile->family == PROFILE_PSTATS ? compare_functions(sorting, a, b)
                                                           : compare_frames(sorting, a, b);
    default: return compare_counts(a, b); /* modules are in order, tracks in the file's */
    }
}

static int compare_lines(const struct sorting *sorting, const struct hotspot *a,
                         const struct hotspot *b)
{
    return compare_signed(hotspot_line(sorting->hotspots, a), hotspot_line(sorting->hotspots, b));
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
    case HOTSPOT_UNSORTED:
    case HOTSPOT_NO_ROWS: break;
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

/* ---- All rows: by the first number, and then those in which it is the same. */

/* A number that sorts the other way round, so that the largest comes first; amounts are
 * not negative, and then a double's bits are in its order. */
static uint64_t sort_number(const struct sorting *sorting, const struct hotspot *row)
{
    bool snapshot = sorting->hotspots->profile->family == PROFILE_TRACEMALLOC;
    double amount = sorting->options->sort == HOTSPOT_BY_SELF ? row->self : row->total;
    uint64_t bits;
    if (snapshot)
        return ~(sorting->options->sort == HOTSPOT_BY_SELF ? row->self_size : row->size);
    amount = amount > 0 ? amount : 0;
    memcpy(&bits, &amount, sizeof bits);
    return ~bits;
}

static enum status sort_by_number(struct sorting *sorting, struct hotspot *rows, size_t count)
{
    struct keyed_item *items = calloc(2 * count, sizeof *items);
    struct hotspot *sorted = calloc(count, sizeof *sorted);
    bool ok = items && sorted;
    for (uint32_t i = 0; ok && i < count; i++)
        items[i] = (struct keyed_item){sort_number(sorting, &rows[i]), i};
    if (ok)
        keyed_sort(items, items + count, count);
    for (size_t i = 0; ok && i < count; i++)
        sorted[i] = rows[items[i].item];
    for (size_t start = 0, end; ok && start < count; start = end) {
        for (end = start + 1; end < count && items[end].key == items[start].key; end++)
            ;
        if (end - start > 1)
            qsort_r(sorted + start, end - start, sizeof *sorted, compare_rows, sorting);
    }
    if (ok)
        memcpy(rows, sorted, count * sizeof *rows);
    free(items);
    free(sorted);
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- The first few. */

/* The rows before `limit` are a heap whose top is the last of them. */
static void sink(struct sorting *sorting, struct hotspot *rows, size_t limit, size_t place)
{
    struct hotspot moved = rows[place];
    for (size_t child; (child = 2 * place + 1) < limit; place = child) {
        if (child + 1 < limit && compare_rows(&rows[child], &rows[child + 1], sorting) < 0)
            child++;
        if (compare_rows(&moved, &rows[child], sorting) >= 0)
            break;
        rows[place] = rows[child];
    }
    rows[place] = moved;
}

static void choose_first(struct sorting *sorting, struct hotspot *rows, size_t count, size_t limit)
{
    for (size_t i = limit / 2; i-- > 0;)
        sink(sorting, rows, limit, i);
    for (size_t i = limit; i < count; i++) {
        if (compare_rows(&rows[i], &rows[0], sorting) >= 0)
            continue;
        struct hotspot last = rows[0];
        rows[0] = rows[i];
        rows[i] = last;
        sink(sorting, rows, limit, 0);
    }
    qsort_r(rows, limit, sizeof *rows, compare_rows, sorting);
}

enum status hotspots_sort(struct hotspots *hotspots, const struct hotspot_options *options)
{
    struct sorting sorting = {.hotspots = hotspots, .options = options};
    struct hotspot *rows = hotspots->rows.items;
    size_t count = hotspots->rows.count, limit = options->limit;
    bool by_number = options->sort == HOTSPOT_BY_SELF || options->sort == HOTSPOT_BY_TOTAL;
    if (count < 2 || options->sort == HOTSPOT_UNSORTED)
        return STATUS_OK;
    enum status status = order_strings(hotspots->profile, &sorting.strings);
    if (status != STATUS_OK)
        return status;
    if (limit && limit < count / 8)
        choose_first(&sorting, rows, count, limit);
    else if (by_number && !options->ascending)
        status = sort_by_number(&sorting, rows, count);
    else
        qsort_r(rows, count, sizeof *rows, compare_rows, &sorting);
    free(sorting.strings);
    return status;
}
