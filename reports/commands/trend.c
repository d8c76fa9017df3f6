/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/trend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "reports/commands/heap_answer.h"
#include "reports/commands/trend_render.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- Times. */

/* "2026-11-22T13:04:34Z", "2026-11-22 13:04", or seconds. */
static bool parse_time(const char *text, double *ret_time)
{
    struct tm parts = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (!end)
        end = strptime(text, "%Y-%m-%d %H:%M:%S", &parts);
    if (!end)
        end = strptime(text, "%Y-%m-%d %H:%M", &parts);
    if (end && (!*end || !strcmp(end, "Z"))) {
        *ret_time = (double)timegm(&parts);
        return true;
    }
    char *rest;
    *ret_time = strtod(text, &rest);
    return rest != text && !*rest && isfinite(*ret_time);
}

static enum status given_times(const char *list, struct trend_input *inputs, size_t count,
                               struct error *err)
{
    char *copy = strdup(list), *rest = copy;
    size_t given = 0;
    enum status status = copy ? STATUS_OK : no_memory(err);
    for (char *word; status == STATUS_OK && (word = strsep(&rest, ","));) {
        if (given == count || !parse_time(word, &inputs[given].time))
            status = error_set(err, STATUS_USAGE,
                               "--times needs one time for each input, as 0,3600,7200 or dates, "
                               "not '%s'",
                               list);
        given++;
    }
    if (status == STATUS_OK && given < count)
        status = error_set(err, STATUS_USAGE, "--times has %zu times for %zu inputs", given, count);
    free(copy);
    return status;
}

static const char *fact_of(const struct profile *profile, const char *key)
{
    for (size_t i = 0; i < profile->facts.count; i++)
        if (!strcmp(profile->facts.items[i].key, key))
            return profile->facts.items[i].value;
    return NULL;
}

/* The time of the dump's file: of an index, what it remembers of it. */
static enum status find_time(struct trend_input *input, struct error *err)
{
    struct stat file;
    const char *source =
        input->index ? index_meta(input->index, "source") : fact_of(input->profile, "source");
    const char *written = input->index ? index_meta(input->index, "source_mtime")
                                       : fact_of(input->profile, "source_mtime");
    struct stat original;
    bool is_dump = stat(input->name, &file) == 0 && S_ISREG(file.st_mode) &&
                   (!source || (stat(source, &original) == 0 && original.st_ino == file.st_ino &&
                                original.st_dev == file.st_dev));
    if (is_dump) {
        input->time = (double)file.st_mtim.tv_sec + (double)file.st_mtim.tv_nsec * 1e-9;
        return STATUS_OK;
    }
    if (written && parse_time(written, &input->time))
        return STATUS_OK;
    return error_set(err, STATUS_USAGE, "%s: when was it made? Say so with --times", input->name);
}

/* ---- The inputs. */

struct trend_run {
    struct command_run *run;
    size_t count;
    struct trend_input *inputs;
    struct profile *profiles;
};

static enum status open_inputs(struct trend_run *trend, struct error *err)
{
    const struct options *options = trend->run->options;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < trend->count && status == STATUS_OK; i++) {
        struct trend_input *input = &trend->inputs[i];
        bool is_recording;
        input->name = options->operands[i];
        status = command_open_either(trend->run, i, &is_recording, &trend->profiles[i],
                                     &input->index, err);
        if (status != STATUS_OK)
            break;
        input->profile = is_recording ? &trend->profiles[i] : NULL;
        if (is_recording)
            input->index = NULL;
        else
            status = answer_needs_heap(input->index, err);
        if (status == STATUS_OK && !options->times)
            status = find_time(input, err);
    }
    if (status == STATUS_OK && options->times)
        status = given_times(options->times, trend->inputs, trend->count, err);
    return status;
}

/* ---- Gates: growth(METRIC), growth(NAME), or a metric of the last input over the first. */

static enum status source_value(const struct trend_input *input, const struct gate *gate,
                                double *ret_value, struct error *err)
{
    const struct metric_source source = input->profile
                                            ? metric_source_profile(input->profile, input->name)
                                            : metric_source_core(input->index, input->name);
    double whole;
    if (!(gate->metric->families & source.family))
        return error_set(err, STATUS_USAGE, "--fail-if '%s': %s holds no %s", gate->text,
                         input->name, gate->metric->name);
    return source.value(source.context, gate, ret_value, &whole, err);
}

static const struct trend_row *row_named(const struct trend *trend, const char *name)
{
    for (size_t i = 0; i < trend->rows.count; i++) {
        const struct trend_row *row = &trend->rows.items[i];
        char place[4096];
        snprintf(place, sizeof place, "%s:%s", row->keys[0] ? row->keys[0] : "",
                 row->keys[1] ? row->keys[1] : "");
        if (row->keys[0] && (!strcmp(row->keys[0], name) || !strcmp(place, name)))
            return row;
    }
    return NULL;
}

static enum status measure_growth(const struct trend_run *run, const struct trend *trend,
                                  struct gate_outcome *outcome, struct error *err)
{
    const struct gate *gate = &outcome->gate;
    struct trend_row row = {0};
    double *values = calloc(run->count, sizeof *values);
    enum status status = values ? STATUS_OK : no_memory(err);
    if (gate->metric) {
        for (size_t i = 0; i < run->count && status == STATUS_OK; i++)
            status = source_value(&run->inputs[i], gate, &values[i], err);
        if (status == STATUS_OK)
            trend_fit(trend->times, values, run->count, &row);
    } else if (status == STATUS_OK) {
        const struct trend_row *named = row_named(trend, gate->row);
        if (named)
            row = *named; /* what is in no input does not grow */
        else if (!gate->row[strcspn(gate->row, "./:<(['")])
            status = error_set(err, STATUS_USAGE,
                               "--fail-if '%s': there is no metric '%s', and no input has a row of "
                               "that name; inquest help metrics lists all",
                               gate->text, gate->row);
    }
    free(values);
    outcome->result.measured = gate->kind == GATE_PERCENT ? row.percent : row.slope;
    outcome->result.is_tripped = gate_compare(gate, outcome->result.measured);
    return status;
}

static enum status evaluate(struct trend_run *run, const struct trend *trend, struct gates *gates,
                            struct error *err)
{
    const struct trend_input *ends[2] = {&run->inputs[0], &run->inputs[run->count - 1]};
    struct metric_source sources[2];
    for (size_t i = 0; i < 2; i++)
        sources[i] = ends[i]->profile ? metric_source_profile(ends[i]->profile, ends[i]->name)
                                      : metric_source_core(ends[i]->index, ends[i]->name);
    gates->unit = ends[1]->profile ? ends[1]->profile->unit : NULL;
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        struct gate_outcome *outcome = &gates->outcomes.items[i];
        enum status status =
            outcome->gate.is_growth
                ? measure_growth(run, trend, outcome, err)
                : gate_evaluate(&outcome->gate, &sources[0], &sources[1], &outcome->result, err);
        if (status != STATUS_OK)
            return status;
    }
    gates_report(gates, run->run);
    return STATUS_OK;
}

/* ---- All. */

static enum status answer(struct trend_run *run, struct gates *gates, struct error *err)
{
    const struct options *options = run->run->options;
    struct trend trend;
    enum status status = trend_make(run->inputs, run->count, options->by, &trend, err);
    if (status != STATUS_OK)
        return status;
    trend.times_from = options->times ? "given" : "of the files";
    status = evaluate(run, &trend, gates, err);
    const struct trend_answer answer = {run->run, &trend, gates, run->inputs};
    if (status == STATUS_OK && !trend_render(&answer, output_text(run->run->answer)))
        status = no_memory(err);
    trend_deinit(&trend);
    return status;
}

enum status command_trend(struct command_run *run, struct error *err)
{
    struct gates gates;
    struct trend_run trend = {.run = run, .count = run->options->operand_count};
    enum status status = gates_parse(run->options, &gates, err);
    if (status != STATUS_OK)
        return status;
    trend.inputs = calloc(trend.count, sizeof *trend.inputs);
    trend.profiles = calloc(trend.count, sizeof *trend.profiles);
    status = trend.inputs && trend.profiles ? open_inputs(&trend, err) : no_memory(err);
    if (status == STATUS_OK)
        status = answer(&trend, &gates, err);
    for (size_t i = 0; trend.profiles && i < trend.count; i++)
        profile_deinit(&trend.profiles[i]);
    free(trend.profiles);
    free(trend.inputs);
    gates_deinit(&gates);
    return status;
}
