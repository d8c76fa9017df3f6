/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/trend.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/profile_hotspots.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- The inputs. */

static int compare_inputs(const void *left, const void *right)
{
    const struct trend_input *a = left, *b = right;
    return (a->time > b->time) - (a->time < b->time);
}

static enum status check_inputs(const struct trend_input *inputs, size_t count, struct error *err)
{
    for (size_t i = 1; i < count; i++) {
        const struct profile *a = inputs[0].profile, *b = inputs[i].profile;
        if (!a != !b || (a && a->family != b->family))
            return error_set(err, STATUS_USAGE, "%s and %s are not of one kind", inputs[0].name,
                             inputs[i].name);
        if (a && strcmp(a->unit ? a->unit : "", b->unit ? b->unit : "") != 0)
            return error_set(err, STATUS_USAGE, "%s is in %s, %s in %s", inputs[0].name, a->unit,
                             inputs[i].name, b->unit);
        if (inputs[i].time <= inputs[i - 1].time)
            return error_set(err, STATUS_USAGE,
                             "%s and %s are of the same time: say when each was made with --times",
                             inputs[i - 1].name, inputs[i].name);
    }
    return STATUS_OK;
}

/* ---- One input's numbers by key. */

struct keyed {
    const char *keys[TREND_KEYS];
    size_t input;
    double value;
};

struct keyed_list {
    ARRAY(struct keyed) items;
};

static const char *copy(struct arena *arena, const char *text)
{
    return arena_strdup(arena, text ? text : "");
}

/* Containers and values by what they take themselves, others by what they keep. */
static const char types_sql[] =
    "SELECT name, CASE WHEN coalesce(module, 'builtins') IN ('builtins', 'collections', "
    "'weakref') OR name IN ('weakref.ReferenceType') THEN shallow ELSE retained END, shallow "
    "FROM type WHERE instances > 0";
static const char instances_sql[] = "SELECT name, instances, shallow FROM type WHERE instances > 0";
static const char memory_sql[] =
    "SELECT region, bytes, bytes FROM memory WHERE region NOT LIKE 'reserved%'";

static enum status add_rows(struct trend_input *input, size_t position, const char *sql,
                            struct arena *arena, struct keyed_list *list, struct error *err)
{
    struct index_rows *rows;
    bool ok = true;
    enum status status = index_query(input->index, sql, NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (ok && index_rows_next(rows)) {
        struct keyed keyed = {.keys = {copy(arena, index_rows_text(rows, 0))},
                              .input = position,
                              .value = index_rows_real(rows, 1)};
        input->total += index_rows_real(rows, 2);
        ok = keyed.keys[0] && array_push(&list->items, keyed);
    }
    status = index_rows_finish(rows, err);
    return ok ? status : no_memory(err);
}

static const char *line_text(struct arena *arena, int32_t line)
{
    return line > 0 ? arena_printf(arena, "%d", (int)line) : "";
}

static enum status add_hotspots(struct trend_input *input, size_t position, enum hotspot_by by,
                                struct arena *arena, struct keyed_list *list, struct error *err)
{
    bool memory = input->profile->family == PROFILE_TRACEMALLOC;
    const struct hotspot_options options = {.by = by,
                                            .total = memory ? HOTSPOT_INNERMOST : HOTSPOT_ONCE};
    struct hotspots hotspots;
    enum status status = hotspots_build(input->profile, &options, &hotspots, err);
    bool ok = true;
    if (status != STATUS_OK)
        return status;
    input->total = hotspots.whole;
    for (size_t i = 0; i < hotspots.rows.count && ok; i++) {
        const struct hotspot *row = &hotspots.rows.items[i];
        struct keyed keyed = {.input = position, .value = row->self};
        size_t at = 0;
        if (by == HOTSPOT_FUNCTION)
            keyed.keys[at++] = copy(arena, hotspot_function(&hotspots, row));
        keyed.keys[at++] = copy(arena, by == HOTSPOT_MODULE ? hotspot_module(&hotspots, row)
                                                            : hotspot_file(&hotspots, row));
        if (by == HOTSPOT_LINE)
            keyed.keys[at++] = line_text(arena, hotspot_line(&hotspots, row));
        for (size_t j = 0; j < at; j++)
            ok = ok && keyed.keys[j];
        ok = ok && array_push(&list->items, keyed);
    }
    hotspots_deinit(&hotspots);
    return ok ? STATUS_OK : no_memory(err);
}

/* ---- Rows. */

static int compare_names(const struct keyed *a, const struct keyed *b)
{
    for (size_t i = 0; i < TREND_KEYS; i++) {
        int order = strcmp(a->keys[i] ? a->keys[i] : "", b->keys[i] ? b->keys[i] : "");
        if (order)
            return order;
    }
    return 0;
}

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = compare_names(a, b);
    return order ? order : (a->input > b->input) - (a->input < b->input);
}

/* Steady growers before all others, each by growth. */
static int compare_rows(const void *left, const void *right)
{
    const struct trend_row *a = left, *b = right;
    bool first = a->shape == TREND_STEADY, second = b->shape == TREND_STEADY;
    if (first != second)
        return first ? -1 : 1;
    if (a->rank < b->rank || a->rank > b->rank)
        return a->rank < b->rank ? 1 : -1;
    for (size_t i = 0; i < TREND_KEYS; i++) {
        int order = strcmp(a->keys[i] ? a->keys[i] : "", b->keys[i] ? b->keys[i] : "");
        if (order)
            return order;
    }
    return 0;
}

static bool make_rows(struct keyed_list *list, struct trend *trend)
{
    size_t count = trend->input_count;
    if (list->items.count)
        qsort(list->items.items, list->items.count, sizeof *list->items.items, compare_keyed);
    for (size_t i = 0, end; i < list->items.count; i = end) {
        struct trend_row row = {.values = arena_alloc(&trend->arena, count * sizeof(double))};
        if (!row.values)
            return false;
        memcpy(row.keys, list->items.items[i].keys, sizeof row.keys);
        for (end = i; end < list->items.count &&
                      compare_names(&list->items.items[i], &list->items.items[end]) == 0;
             end++)
            row.values[list->items.items[end].input] += list->items.items[end].value;
        trend_fit(trend->times, row.values, count, &row);
        row.rank = row.slope;
        if (!array_push(&trend->rows, row))
            return false;
    }
    if (trend->rows.count)
        qsort(trend->rows.items, trend->rows.count, sizeof *trend->rows.items, compare_rows);
    return true;
}

/* ---- What a row is. */

struct grouping {
    const char *by, *what, *key;
    const char *sql; /* of cores */
    enum hotspot_by hotspot;
    unsigned families; /* bits of PROFILE_…; 1: cores */
};

#define CORES  1u
#define MEMORY (1u << PROFILE_TRACEMALLOC)
#define CALLS  (1u << PROFILE_PSTATS | 1u << PROFILE_SAMPLES)

/* The first of a family is its default. */
static const struct grouping groupings[] = {
    {"type", "bytes by type: what it keeps, of builtin containers and values their own", "type",
     types_sql, 0, CORES},
    {"instances", "instances by type", "type", instances_sql, 0, CORES},
    {"region", "bytes by region of memory", "region", memory_sql, 0, CORES},
    {"line", "bytes by line that allocated", "file", NULL, HOTSPOT_LINE, MEMORY},
    {"function", "what each function took by itself", "function", NULL, HOTSPOT_FUNCTION, CALLS},
    {"file", "what each file has", "file", NULL, HOTSPOT_FILE, MEMORY | CALLS},
    {"module", "what each module has", "module", NULL, HOTSPOT_MODULE, MEMORY | CALLS},
};

static const struct grouping *find_grouping(const struct trend_input *input, const char *by)
{
    unsigned family = input->profile ? 1u << input->profile->family : CORES;
    for (size_t i = 0; i < sizeof groupings / sizeof *groupings; i++)
        if (groupings[i].families & family && (!by || !strcmp(groupings[i].by, by)))
            return &groupings[i];
    return NULL;
}

static void name_keys(const struct grouping *grouping, struct trend *trend)
{
    trend->keys[0] = grouping->key;
    if (grouping->sql)
        return;
    if (grouping->hotspot == HOTSPOT_FUNCTION)
        trend->keys[1] = "file";
    if (grouping->hotspot == HOTSPOT_LINE) {
        trend->keys[1] = "line";
        trend->key_is_number[1] = true;
    }
}

static bool copy_times(const struct trend_input *inputs, struct trend *trend)
{
    size_t count = trend->input_count;
    trend->times = arena_alloc(&trend->arena, count * sizeof *trend->times);
    trend->totals = arena_alloc(&trend->arena, count * sizeof *trend->totals);
    for (size_t i = 0; trend->times && i < count; i++)
        trend->times[i] = inputs[i].time - inputs[0].time;
    return trend->times && trend->totals;
}

enum status trend_make(struct trend_input *inputs, size_t count, const char *by,
                       struct trend *ret_trend, struct error *err)
{
    struct trend trend = {.input_count = count};
    struct keyed_list list = {0};
    qsort(inputs, count, sizeof *inputs, compare_inputs);
    enum status status = check_inputs(inputs, count, err);
    const struct grouping *grouping = find_grouping(&inputs[0], by);
    if (status == STATUS_OK && !grouping)
        status = error_set(err, STATUS_USAGE,
                           "there is no trend by %s of this kind of input; cores have type, "
                           "instances and region, snapshots line, file and module, recordings of "
                           "calls function, file and module",
                           by);
    if (status != STATUS_OK)
        return status;
    arena_init(&trend.arena);
    static const char *const families[] = {[PROFILE_TRACEMALLOC] = "tracemalloc",
                                           [PROFILE_PSTATS] = "pstats",
                                           [PROFILE_SAMPLES] = "pyspy"};
    const struct profile *profile = inputs[0].profile;
    trend.family = profile ? families[profile->family] : "core";
    trend.what = grouping->what;
    trend.unit = !profile        ? (grouping->sql == instances_sql ? "instances" : "bytes")
                 : profile->unit ? profile->unit
                                 : "";
    name_keys(grouping, &trend);
    if (!copy_times(inputs, &trend))
        status = no_memory(err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = grouping->sql
                     ? add_rows(&inputs[i], i, grouping->sql, &trend.arena, &list, err)
                     : add_hotspots(&inputs[i], i, grouping->hotspot, &trend.arena, &list, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        trend.totals[i] = inputs[i].total;
    if (status == STATUS_OK && !make_rows(&list, &trend))
        status = no_memory(err);
    array_deinit(&list.items);
    if (status == STATUS_OK)
        *ret_trend = trend;
    else
        trend_deinit(&trend);
    return status;
}

void trend_deinit(struct trend *trend)
{
    array_deinit(&trend->rows);
    arena_deinit(&trend->arena);
}
