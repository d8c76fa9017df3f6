/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_calls.h"
#include "analyzer/profile/order.h"

#define CERTAINTY 1.96 /* standard deviations, 95 % */

double chance_margin(double old_count, double new_count, double scale)
{
    return CERTAINTY * sqrt(fmax(new_count, 0) + scale * scale * fmax(old_count, 0));
}

bool is_within_chance(double old_count, double new_count, double scale)
{
    return fabs(new_count - scale * old_count) <= chance_margin(old_count, new_count, scale);
}

char *pair_text(struct arena *arena, const struct profile *names, uint32_t string)
{
    const struct profile_string *text = &names->strings.items[string];
    return arena_strndup(arena, names->bytes + text->offset, text->size);
}

char *pair_number(struct arena *arena, int32_t line)
{
    return line > 0 ? arena_printf(arena, "%d", (int)line) : NULL;
}

/* ---- Numbers of both by key. */

struct pair_rows {
    ARRAY(struct pair_row) rows;
    uint32_t *row_of; /* by key; PROFILE_NO_ID: none */
    size_t key_count;
    const char **modules; /* by key, of HOTSPOT_MODULE: in the diff's arena */
};

static struct pair_row *row_for(struct pair_rows *rows, uint32_t key)
{
    if (rows->row_of[key] == PROFILE_NO_ID) {
        struct pair_row row = {.key = key};
        if (!array_push(&rows->rows, row))
            return NULL;
        rows->row_of[key] = (uint32_t)rows->rows.count - 1;
    }
    return &rows->rows.items[rows->row_of[key]];
}

static enum status add_hotspots(const struct profile_compare *compare, size_t side,
                                struct pair_rows *rows, struct error *err)
{
    const struct profile *profile = &compare->pair->sides[side];
    bool memory = profile->family == PROFILE_TRACEMALLOC;
    const struct hotspot_options options = {
        .by = compare->options->by,
        .total = !memory                        ? HOTSPOT_ONCE
                 : compare->options->cumulative ? HOTSPOT_EACH_TIME
                                                : HOTSPOT_INNERMOST,
        .limit = 1, /* their order is of no use here */
    };
    struct hotspots hotspots;
    enum status status = hotspots_build(profile, &options, &hotspots, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < hotspots.rows.count && status == STATUS_OK; i++) {
        const struct hotspot *hotspot = &hotspots.rows.items[i];
        struct pair_row *row = row_for(rows, hotspot->key);
        if (!row) {
            status = error_set(err, STATUS_NO_MEMORY, "out of memory");
            break;
        }
        if (rows->modules && !rows->modules[hotspot->key])
            rows->modules[hotspot->key] =
                arena_strdup(&compare->diff->arena, hotspot_module(&hotspots, hotspot));
        double *values = side ? row->new_values : row->old_values;
        if (memory) {
            values[0] = hotspot->total;
            values[1] = (double)hotspot->count;
            *(side ? &row->new_size : &row->old_size) = hotspot->size;
        } else {
            values[0] = hotspot->self;
            values[1] = hotspot->total;
            values[2] = (double)hotspot->count;
            values[3] = (double)hotspot->self_count;
        }
    }
    hotspots_deinit(&hotspots);
    return status;
}

/* A snapshot by traceback: the side has one trace a stack, and that is the row. */
static enum status add_traces(const struct profile *side_profile, size_t side,
                              struct pair_rows *rows, struct error *err)
{
    for (size_t i = 0; i < side_profile->traces.count; i++) {
        const struct profile_trace *trace = &side_profile->traces.items[i];
        struct pair_row *row = row_for(rows, trace->stack);
        if (!row)
            return error_set(err, STATUS_NO_MEMORY, "out of memory");
        double *values = side ? row->new_values : row->old_values;
        values[0] = (double)trace->size;
        values[1] = (double)trace->count;
        *(side ? &row->new_size : &row->old_size) = trace->size;
    }
    return STATUS_OK;
}

/* A function of pstats has its own numbers. */
static enum status add_stats(const struct profile *side_profile, size_t side,
                             struct pair_rows *rows, struct error *err)
{
    for (size_t i = 0; i < side_profile->stats.count; i++) {
        const struct profile_stat *stat = &side_profile->stats.items[i];
        struct pair_row *row = row_for(rows, stat->function);
        if (!row)
            return error_set(err, STATUS_NO_MEMORY, "out of memory");
        double *values = side ? row->new_values : row->old_values;
        values[0] += stat->self;
        values[1] += stat->total;
        values[2] += (double)stat->calls;
        values[3] += (double)(side_profile->is_sampled ? stat->primitive_calls : stat->calls);
    }
    return STATUS_OK;
}

static size_t key_count(const struct profile_compare *compare)
{
    const struct profile *both = &compare->pair->both;
    size_t most = both->functions.count;
    most = most > both->frames.count ? most : both->frames.count;
    most = most > both->stacks.count ? most : both->stacks.count;
    return most > both->strings.count ? most : both->strings.count;
}

static enum status collect(const struct profile_compare *compare, struct pair_rows *rows,
                           struct error *err)
{
    rows->key_count = key_count(compare);
    rows->row_of = malloc((rows->key_count + 1) * sizeof *rows->row_of);
    if (!rows->row_of)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    memset(rows->row_of, 0xFF, (rows->key_count + 1) * sizeof *rows->row_of);
    enum status status = STATUS_OK;
    if (compare->options->by == HOTSPOT_MODULE) {
        rows->modules = calloc(rows->key_count + 1, sizeof *rows->modules);
        status = rows->modules ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    const struct profile *sides = compare->pair->sides;
    if (compare->options->by == HOTSPOT_TRACEBACK && status == STATUS_OK &&
        !array_reserve(&rows->rows, sides[0].traces.count + sides[1].traces.count))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t side = 0; side < 2 && status == STATUS_OK; side++) {
        const struct profile *profile = &sides[side];
        if (profile->family == PROFILE_PSTATS && compare->options->by == HOTSPOT_FUNCTION)
            status = add_stats(profile, side, rows, err);
        else if (profile->family == PROFILE_TRACEMALLOC &&
                 compare->options->by == HOTSPOT_TRACEBACK)
            status = add_traces(profile, side, rows, err);
        else
            status = add_hotspots(compare, side, rows, err);
    }
    return status;
}

/* ---- Order. */

/* What compares the keys of two rows whose numbers are alike: tracemalloc's tracebacks, as
 * tuples of file and line. */
struct row_order {
    const struct profile *both;
    enum hotspot_by by;
    bool memory;
    uint32_t *strings, *places; /* by string and by frame */
};

static int compare_places(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_stacks(const struct row_order *order, uint32_t a, uint32_t b)
{
    const struct profile_stack *first = &order->both->stacks.items[a];
    const struct profile_stack *second = &order->both->stacks.items[b];
    for (uint32_t i = 0; i < first->depth && i < second->depth; i++) {
        int place =
            compare_places(order->places[order->both->stack_frames.items[first->first + i]],
                           order->places[order->both->stack_frames.items[second->first + i]]);
        if (place)
            return place;
    }
    return compare_places(first->depth, second->depth);
}

static int compare_keys(const struct row_order *order, uint32_t a, uint32_t b)
{
    switch (order->by) {
    case HOTSPOT_TRACEBACK: return compare_stacks(order, a, b);
    case HOTSPOT_LINE: return compare_places(order->places[a], order->places[b]);
    case HOTSPOT_FILE: return compare_places(order->strings[a], order->strings[b]);
    default: return compare_places(b, a);
    }
}

static int down(double a, double b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

static int down_exactly(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static uint64_t change_of_size(const struct pair_row *row)
{
    return row->new_size > row->old_size ? row->new_size - row->old_size
                                         : row->old_size - row->new_size;
}

static int compare_sizes(const struct pair_row *a, const struct pair_row *b)
{
    int change = down_exactly(change_of_size(a), change_of_size(b));
    return change ? change : down_exactly(a->new_size, b->new_size);
}

/* Snapshot.compare_to's order; for calls the largest change of their own first. */
static int compare_rows(const void *left, const void *right, void *context)
{
    const struct pair_row *a = left, *b = right;
    const struct row_order *order = context;
    int sizes = order->memory ? compare_sizes(a, b) : 0;
    if (sizes)
        return sizes;
    for (size_t i = order->memory ? 1 : 0; i < 2; i++) {
        int change = down(fabs(a->new_values[i] - a->old_values[i]),
                          fabs(b->new_values[i] - b->old_values[i]));
        int value = order->memory ? down(a->new_values[i], b->new_values[i]) : 0;
        if (change || value)
            return change ? change : value;
    }
    if (order->memory)
        return -compare_keys(order, a->key, b->key);
    int value = down(a->new_values[1] + a->old_values[1], b->new_values[1] + b->old_values[1]);
    return value ? value : compare_keys(order, a->key, b->key);
}

/* Puts the first `limit` rows in order, and only them where there are many more: those
 * that are to be told stand sorted at the front, and what may belong to them behind. */
static void sort_first(struct pair_row *rows, size_t count, size_t limit, struct row_order *order)
{
    if (!limit || count / 2 <= limit) {
        if (count)
            qsort_r(rows, count, sizeof *rows, compare_rows, order);
        return;
    }
    size_t end = 2 * limit;
    qsort_r(rows, end, sizeof *rows, compare_rows, order);
    end = limit;
    for (size_t i = 2 * limit; i < count; i++) {
        if (compare_rows(&rows[i], &rows[limit - 1], order) >= 0)
            continue;
        struct pair_row row = rows[i];
        rows[i] = rows[end];
        rows[end++] = row;
        if (end == 2 * limit) {
            qsort_r(rows, end, sizeof *rows, compare_rows, order);
            end = limit;
        }
    }
    qsort_r(rows, end, sizeof *rows, compare_rows, order);
}

static enum status sort_rows(const struct profile_compare *compare, struct pair_rows *rows)
{
    struct row_order order = {.both = &compare->pair->both,
                              .by = compare->options->by,
                              .memory = compare->pair->sides[1].family == PROFILE_TRACEMALLOC};
    enum status status = order_strings(order.both, &order.strings);
    if (status == STATUS_OK)
        status = order_places_in_files(order.both, order.strings, &order.places);
    if (status == STATUS_OK)
        sort_first(rows->rows.items, rows->rows.count, compare->options->row_limit, &order);
    free(order.strings);
    free(order.places);
    return status;
}

/* ---- Words. */

static void name_keys(enum hotspot_by by, struct diff_table *table)
{
    static const char *const keys[][3] = {
        [HOTSPOT_FUNCTION] = {"function", "file", "line"},
        [HOTSPOT_LINE] = {"file", "line", "function"},
        [HOTSPOT_FILE] = {"file", NULL, NULL},
        [HOTSPOT_MODULE] = {"module", NULL, NULL},
        [HOTSPOT_THREAD] = {"thread", NULL, NULL},
        [HOTSPOT_TRACEBACK] = {"file", "line", NULL},
    };
    static const char *const titles[] = {
        [HOTSPOT_FUNCTION] = "Functions, by change",
        [HOTSPOT_LINE] = "Lines, by change",
        [HOTSPOT_FILE] = "Files, by change",
        [HOTSPOT_MODULE] = "Modules, by change",
        [HOTSPOT_THREAD] = "Threads, by change",
        [HOTSPOT_TRACEBACK] = "Tracebacks, by change; the newest frame is told",
    };
    table->title = titles[by];
    for (size_t i = 0; i < 3; i++) {
        table->keys[i] = keys[by][i];
        table->key_is_number[i] = keys[by][i] && !strcmp(keys[by][i], "line");
    }
}

static bool name_row(const struct profile_compare *compare, uint32_t key, struct diff_row *row)
{
    const struct profile *both = &compare->pair->both;
    struct arena *arena = &compare->diff->arena;
    uint32_t function = key;
    int32_t line = 0;
    row->stack = DIFF_NO_STACK;
    if (compare->options->by == HOTSPOT_FILE) {
        row->keys[0] = pair_text(arena, both, key);
        return row->keys[0] != NULL;
    }
    if (compare->options->by == HOTSPOT_TRACEBACK) {
        const struct profile_stack *stack = &both->stacks.items[key];
        row->stack = key;
        if (!stack->depth)
            return true;
        key = both->stack_frames.items[stack->first + stack->depth - 1];
    }
    if (compare->options->by != HOTSPOT_FUNCTION) {
        function = both->frames.items[key].function;
        line = both->frames.items[key].line;
    } else {
        line = both->functions.items[key].line;
    }
    const char *name = pair_text(arena, both, both->functions.items[function].name);
    const char *file = pair_text(arena, both, both->functions.items[function].file);
    bool is_unknown_line = compare->originals[1]->family == PROFILE_TRACEMALLOC && line == 0;
    const char *number =
        is_unknown_line ? "0" : pair_number(arena, line); /* as tracemalloc has it */
    bool by_function = compare->options->by == HOTSPOT_FUNCTION;
    row->keys[0] = by_function ? name : file;
    row->keys[1] = by_function ? file : number;
    row->keys[2] = by_function ? number : *name ? name : NULL;
    return name && file && (number || line <= 0);
}

/* Samples stand for time: of a row, each for as much. */
static void set_margins(const struct pair_row *from, double scale, struct diff_row *row)
{
    double count = scale * from->old_values[2] + from->new_values[2];
    double each = count > 0 ? (from->old_values[1] + from->new_values[1]) / count : 0;
    row->has_margins = each > 0;
    for (size_t i = 0; i < 2; i++) /* self and total, whose counts stand the other way round */
        row->margins[i] =
            each * chance_margin(from->old_values[3 - i], from->new_values[3 - i], scale);
}

static bool add_row(const struct profile_compare *compare, const struct pair_rows *rows,
                    const struct pair_row *from, double scale, struct diff_table *table)
{
    struct diff_row row = {.stack = DIFF_NO_STACK};
    double old_weight = 0, new_weight = 0;
    for (size_t i = 0; i < DIFF_MEASURES; i++) {
        old_weight += fabs(from->old_values[i]);
        new_weight += fabs(from->new_values[i]);
    }
    memcpy(row.old_values, from->old_values, sizeof row.old_values);
    memcpy(row.new_values, from->new_values, sizeof row.new_values);
    row.old_size = from->old_size;
    row.new_size = from->new_size;
    row.is_exact = compare->pair->sides[1].family == PROFILE_TRACEMALLOC;
    row.presence = old_weight == 0 ? DIFF_NEW : new_weight == 0 ? DIFF_GONE : DIFF_BOTH;
    row.is_noise = compare->counts_samples &&
                   is_within_chance(from->old_values[3], from->new_values[3], scale) &&
                   is_within_chance(from->old_values[2], from->new_values[2], scale);
    if (compare->counts_samples)
        set_margins(from, scale, &row);
    row.rank = fabs(from->new_values[0] - from->old_values[0]);
    if (rows->modules)
        row.keys[0] = rows->modules[from->key];
    else if (!name_row(compare, from->key, &row))
        return false;
    return array_push(&table->rows, row);
}

static bool is_changed(const struct pair_row *row)
{
    for (size_t i = 0; i < DIFF_MEASURES - 1; i++)
        if (row->old_values[i] != row->new_values[i])
            return true;
    return row->old_size != row->new_size;
}

enum status diff_profile_rows(const struct profile_compare *compare, struct error *err)
{
    struct pair_rows rows = {0};
    struct diff_table *table = diff_add_table(compare->diff, "rows", "");
    if (!table)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    name_keys(compare->options->by, table);
    memcpy(table->measures, compare->measures, sizeof table->measures);
    enum status status = collect(compare, &rows, err);
    if (status == STATUS_OK && sort_rows(compare, &rows) != STATUS_OK)
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    size_t limit = compare->options->row_limit;
    size_t count = !limit || rows.rows.count < limit ? rows.rows.count : limit;
    double scale = compare->options->normalize && compare->pair->totals[0] > 0
                       ? compare->pair->totals[1] / compare->pair->totals[0]
                       : 1;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (!add_row(compare, &rows, &rows.rows.items[i], scale, table))
            status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = count; i < rows.rows.count; i++)
        table->left_out += is_changed(&rows.rows.items[i]);
    array_deinit(&rows.rows);
    free(rows.row_of);
    free(rows.modules);
    return status;
}
