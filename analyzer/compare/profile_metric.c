/* SPDX-License-Identifier: Apache-2.0 */
/* A recording's numbers for gates: sums over the rows of its hotspots. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/diff_profile.h"
#include "inquest/analyzer/profile_tree.h"

struct sums {
    double self, total, calls, self_calls;
};

/* Whether "pkg.mod" is in "pkg", or is it. */
static bool is_within(const char *module, const char *package)
{
    size_t size = strlen(package);
    return !strncmp(module, package, size) && (!module[size] || module[size] == '.');
}

/* "loads", "json.loads", "/x/json/__init__.py:12", "<listcomp>" */
static bool function_answers(const struct profile *profile, uint32_t function, const char *name)
{
    const struct profile_function *named = &profile->functions.items[function];
    const char *own = profile_text(profile, named->name);
    if (!strcmp(own, name) || profile_answers_to(profile, function, 0, name))
        return true;
    struct text full = {0};
    profile_module_name(profile, function, &full);
    text_append_char(&full, '.');
    text_append(&full, own);
    bool answers = text_ok(&full) && !strcmp(text_string(&full), name);
    text_deinit(&full);
    return answers;
}

/* "file.py:12"; the file may be its last parts. */
static bool line_answers(const char *file, int32_t line, const char *wanted)
{
    const char *colon = strrchr(wanted, ':');
    if (!colon || atoi(colon + 1) != line)
        return false;
    size_t size = (size_t)(colon - wanted), length = strlen(file);
    return length >= size && !memcmp(file + length - size, wanted, size) &&
           (length == size || file[length - size - 1] == '/');
}

static bool thread_answers(const struct profile *profile, uint32_t track, const char *wanted)
{
    const struct profile_track *named = &profile->tracks.items[track];
    char *end;
    long long number = strtoll(wanted, &end, 10);
    if (*wanted && !*end && (named->tid == number || named->pid == number))
        return true;
    return !strcmp(profile_text(profile, named->name), wanted);
}

static bool row_answers(const struct hotspots *hotspots, const struct hotspot *row,
                        enum metric_id metric, const struct gate *gate)
{
    const struct profile *profile = hotspots->profile;
    const char *file = hotspot_file(hotspots, row);
    switch (metric) {
    case METRIC_FUNCTION: return function_answers(profile, row->key, gate->argument);
    case METRIC_MODULE: return is_within(hotspot_module(hotspots, row), gate->argument);
    case METRIC_FILE:
        return file && (fnmatch(gate->argument, file, 0) == 0 ||
                        (strrchr(file, '/') && !strcmp(strrchr(file, '/') + 1, gate->argument)));
    case METRIC_LINE:
        return file && line_answers(file, hotspot_line(hotspots, row), gate->argument);
    case METRIC_THREAD: return thread_answers(profile, row->key, gate->argument);
    default: return false;
    }
}

static enum status sum_hotspots(const struct profile *profile, enum metric_id metric,
                                const struct gate *gate, struct sums *sums, struct error *err)
{
    static const enum hotspot_by by[] = {
        [METRIC_FUNCTION] = HOTSPOT_FUNCTION, [METRIC_FILE] = HOTSPOT_FILE,
        [METRIC_MODULE] = HOTSPOT_MODULE,     [METRIC_LINE] = HOTSPOT_LINE,
        [METRIC_THREAD] = HOTSPOT_THREAD,
    };
    bool memory = profile->family == PROFILE_TRACEMALLOC;
    const struct hotspot_options options = {.by = by[metric],
                                            .total = memory ? HOTSPOT_INNERMOST : HOTSPOT_ONCE};
    struct hotspots hotspots;
    enum status status = hotspots_build(profile, &options, &hotspots, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < hotspots.rows.count; i++) {
        const struct hotspot *row = &hotspots.rows.items[i];
        if (!row_answers(&hotspots, row, metric, gate))
            continue;
        sums->self += row->self;
        sums->total += row->total;
        sums->calls += (double)row->count;
        sums->self_calls += (double)row->self_count;
    }
    hotspots_deinit(&hotspots);
    return STATUS_OK;
}

static void sum_stats(const struct profile *profile, const struct gate *gate, struct sums *sums)
{
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        if (gate->argument && !function_answers(profile, stat->function, gate->argument))
            continue;
        sums->self += stat->self;
        sums->total += stat->total;
        sums->calls += (double)stat->calls;
    }
}

/* Most samples know no first line of a function: "file:line" is one of its lines then. */
static enum status sum_function(const struct profile *profile, const struct gate *gate,
                                struct sums *sums, struct error *err)
{
    if (profile->family == PROFILE_PSTATS) {
        sum_stats(profile, gate, sums);
        return STATUS_OK;
    }
    enum status status = sum_hotspots(profile, METRIC_FUNCTION, gate, sums, err);
    if (status == STATUS_OK && !(sums->calls > 0) && strchr(gate->argument, ':'))
        status = sum_hotspots(profile, METRIC_LINE, gate, sums, err);
    return status;
}

static void sum_all(const struct profile *profile, struct sums *sums)
{
    struct gate all = {0};
    sum_stats(profile, &all, sums);
    sums->total = sums->self; /* totals of callers hold those of their callees */
    for (size_t i = 0; i < profile->samples.count; i++) {
        sums->total += profile->samples.items[i].weight;
        sums->calls += (double)profile->samples.items[i].count;
    }
    for (size_t i = 0; i < profile->traces.count; i++) {
        sums->total += (double)profile->traces.items[i].size;
        sums->calls += (double)profile->traces.items[i].count;
    }
    sums->self = sums->total;
}

static void sum_domain(const struct profile *profile, const struct gate *gate, struct sums *sums)
{
    char *end;
    unsigned long domain = strtoul(gate->argument, &end, 10);
    for (size_t i = 0; i < profile->traces.count && !*end; i++) {
        if (profile->traces.items[i].domain != domain)
            continue;
        sums->total += (double)profile->traces.items[i].size;
        sums->calls += (double)profile->traces.items[i].count;
    }
    sums->self = sums->total;
}

static double field_of(const struct sums *sums, enum metric_field field)
{
    switch (field) {
    case FIELD_SELF: return sums->self;
    case FIELD_CALLS:
    case FIELD_COUNT: return sums->calls;
    default: return sums->total;
    }
}

static enum status profile_value(void *context, const struct gate *gate, double *ret_value,
                                 double *ret_whole, struct error *err)
{
    const struct profile *profile = context;
    struct sums sums = {0}, all = {0};
    enum status status = STATUS_OK;
    sum_all(profile, &all);
    switch (gate->metric->id) {
    case METRIC_TOTAL: sums = all; break;
    case METRIC_DOMAIN: sum_domain(profile, gate, &sums); break;
    case METRIC_FUNCTION: status = sum_function(profile, gate, &sums, err); break;
    default: status = sum_hotspots(profile, gate->metric->id, gate, &sums, err); break;
    }
    if (status == STATUS_OK) {
        *ret_value = field_of(&sums, gate->field);
        *ret_whole = field_of(&all, gate->field);
    }
    return status;
}

struct metric_source metric_source_profile(const struct profile *profile, const char *name)
{
    static const unsigned families[] = {[PROFILE_TRACEMALLOC] = METRIC_TRACEMALLOC,
                                        [PROFILE_PSTATS] = METRIC_PSTATS,
                                        [PROFILE_SAMPLES] = METRIC_SAMPLES};
    return (struct metric_source){families[profile->family], name, (void *)(uintptr_t)profile,
                                  profile_value};
}
