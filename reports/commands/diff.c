/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "inquest/analyzer/diff_profile.h"
#include "reports/commands/diff_flame.h"
#include "reports/commands/diff_render.h"
#include "reports/commands/facts.h"
#include "reports/commands/heap_answer.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* What the page says of where an input comes from. */
static enum status add_facts(struct index *index, struct arena *arena, struct diff_side *side,
                             struct error *err)
{
    struct facts facts;
    enum status status = facts_load(index, &facts, err);
    if (status != STATUS_OK)
        return status;
    struct text text = {0};
    for (size_t i = 0; i < facts.items.count && status == STATUS_OK; i++) {
        const struct fact *fact = &facts.items.items[i];
        if (fact->hidden || !fact->value)
            continue;
        text_clear(&text);
        fact_display(fact, &text);
        struct diff_fact copy = {arena_strdup(arena, fact->title ? fact->title : fact->key),
                                 arena_strdup(arena, text_string(&text))};
        if (!copy.title || !copy.value || !array_push(&side->facts, copy))
            status = no_memory(err);
    }
    text_deinit(&text);
    facts_deinit(&facts);
    return status;
}

static enum status render(struct diff_answer *answer, struct error *err)
{
    struct text *text = output_text(answer->run->answer);
    switch (answer->run->format) {
    case FORMAT_JSON: return diff_render_json(answer, text) ? STATUS_OK : no_memory(err);
    case FORMAT_CSV: diff_render_csv(answer, text); break;
    case FORMAT_MARKDOWN: diff_render_markdown(answer, text); break;
    case FORMAT_HTML: diff_render_html(answer, text); break;
    case FORMAT_JUNIT: gates_junit(answer->gates, "diff", text); break;
    case FORMAT_SVG: flame_render(answer->flame, text); break;
    default: diff_render_text(answer, text); break;
    }
    return STATUS_OK;
}

static enum status compare_cores(struct command_run *run, struct gates *gates,
                                 struct index *const indexes[2], struct error *err)
{
    const struct options *options = run->options;
    struct diff diff;
    enum status status = answer_needs_heap(indexes[0], err); /* without one, all would be gone */
    if (status == STATUS_OK)
        status = answer_needs_heap(indexes[1], err);
    if (status == STATUS_OK)
        status = diff_cores(indexes[0], indexes[1], &diff, err);
    if (status != STATUS_OK)
        return status;
    const struct metric_source sources[] = {metric_source_core(indexes[0], options->operands[0]),
                                            metric_source_core(indexes[1], options->operands[1])};
    struct diff_answer answer = {.run = run, .diff = &diff, .gates = gates};
    status = gates_evaluate(gates, run, &sources[0], &sources[1], err);
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        answer.sides[i].input = options->operands[i];
        status = add_facts(indexes[i], &diff.arena, &answer.sides[i], err);
    }
    struct flame_graph flame;
    if (status == STATUS_OK && (run->format == FORMAT_SVG || run->format == FORMAT_HTML)) {
        status = diff_retained_graph(indexes[0], indexes[1],
                                     options->icicle || run->format == FORMAT_HTML, &diff.arena,
                                     &flame, err);
        answer.flame = &flame;
    }
    if (status == STATUS_OK)
        status = render(&answer, err);
    array_deinit(&answer.sides[0].facts);
    array_deinit(&answer.sides[1].facts);
    diff_deinit(&diff);
    return status;
}

/* ---- Recordings. */

static enum status choose(const struct options *options, const char *value,
                          const char *const *names, unsigned otherwise, unsigned *ret_choice,
                          struct error *err)
{
    (void)options;
    *ret_choice = otherwise;
    if (!value)
        return STATUS_OK;
    struct text known = {0};
    for (unsigned i = 0; names[i]; i++) {
        if (!strcmp(names[i], value)) {
            *ret_choice = i;
            text_deinit(&known);
            return STATUS_OK;
        }
        text_printf(&known, "%s%s", i ? ", " : "", names[i]);
    }
    enum status status =
        error_set(err, STATUS_USAGE, "'%s' is none of %s", value, text_string(&known));
    text_deinit(&known);
    return status;
}

static enum status diff_options_of(const struct command_run *run, bool memory,
                                   struct diff_profile_options *ret_options, struct error *err)
{
    static const char *const rules[] = {
        [MATCH_EXACT] = "exact", [MATCH_LINE] = "line", [MATCH_FUNCTION] = "function", NULL};
    static const char *const groups[] = {[HOTSPOT_FUNCTION] = "function",
                                         [HOTSPOT_LINE] = "line",
                                         [HOTSPOT_FILE] = "file",
                                         [HOTSPOT_MODULE] = "module",
                                         [HOTSPOT_THREAD] = "thread",
                                         [HOTSPOT_TRACEBACK] = "traceback",
                                         NULL};
    const struct options *options = run->options;
    const char *by = options->by;
    unsigned rule, group;
    if (by && !strcmp(by, "lineno"))
        by = "line";
    if (by && !strcmp(by, "filename"))
        by = "file";
    enum status status = choose(options, options->match, rules, MATCH_FUNCTION, &rule, err);
    if (status == STATUS_OK)
        status = choose(options, by, groups, memory ? HOTSPOT_LINE : HOTSPOT_FUNCTION, &group, err);
    if (status != STATUS_OK)
        return status;
    if (group == HOTSPOT_LINE && rule == MATCH_FUNCTION)
        rule = MATCH_LINE;
    bool data = run->format == FORMAT_JSON || run->format == FORMAT_CSV;
    int64_t limit = limit_or(options, data ? -1 : 500);
    *ret_options = (struct diff_profile_options){
        .rule = rule,
        .by = group,
        .cumulative = options->cumulative != CUMULATIVE_NOT,
        .normalize = options->normalize,
        .picture_only = run->format == FORMAT_SVG && !options->fail_if.count,
        .least = DIFF_FLAME_LEAST,
        .row_limit = limit < 0 ? 0 : (size_t)limit,
    };
    return STATUS_OK;
}

static enum status profile_facts(const struct profile *profile, struct arena *arena,
                                 struct diff_side *side, struct error *err)
{
    struct diff_fact format = {"Format", arena_strdup(arena, profile->format)};
    bool ok = format.value && array_push(&side->facts, format);
    for (size_t i = 0; i < profile->facts.count && ok; i++) {
        struct diff_fact fact = {arena_strdup(arena, profile->facts.items[i].key),
                                 arena_strdup(arena, profile->facts.items[i].value)};
        ok = fact.title && fact.value && array_push(&side->facts, fact);
    }
    return ok ? STATUS_OK : no_memory(err);
}

/* A change that chance explains trips no gate on that function. */
static void spare_noise(const struct profile_diff *diff, struct gates *gates)
{
    const struct diff_table *rows = &diff->diff.tables.items[0];
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        struct gate_outcome *outcome = &gates->outcomes.items[i];
        const struct gate *gate = &outcome->gate;
        if (!outcome->result.is_tripped || !gate->argument || !rows->keys[0] ||
            strcmp(rows->keys[0], gate->metric->name) != 0)
            continue;
        for (size_t j = 0; j < rows->rows.count; j++) {
            const struct diff_row *row = &rows->rows.items[j];
            if (row->is_noise && row->keys[0] && !strcmp(row->keys[0], gate->argument))
                outcome->result.is_tripped = false;
        }
    }
}

static enum status compare_profiles(struct command_run *run, struct gates *gates,
                                    const struct profile profiles[2], struct error *err)
{
    const struct options *options = run->options;
    bool picture = run->format == FORMAT_SVG || run->format == FORMAT_HTML;
    struct diff_profile_options chosen;
    struct profile_diff diff;
    enum status status =
        diff_options_of(run, profiles[1].family == PROFILE_TRACEMALLOC, &chosen, err);
    if (status == STATUS_OK)
        status = profile_diff_make(&profiles[0], &profiles[1], &chosen, picture, options->reverse,
                                   &diff, err);
    if (status != STATUS_OK)
        return status;
    const struct metric_source sources[] = {
        metric_source_profile(&profiles[0], options->operands[0]),
        metric_source_profile(&profiles[1], options->operands[1])};
    struct diff_answer answer = {.run = run,
                                 .diff = &diff.diff,
                                 .gates = gates,
                                 .unit = diff.unit,
                                 .names = profile_diff_names(&diff)};
    struct flame_graph flame;
    gates->unit = profiles[1].unit;
    status = gates_measure(gates, &sources[0], &sources[1], err);
    if (status == STATUS_OK && !options->noise && !chosen.picture_only)
        spare_noise(&diff, gates);
    gates_report(gates, run);
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        answer.sides[i].input = options->operands[i];
        status = profile_facts(&profiles[i], &diff.diff.arena, &answer.sides[i], err);
    }
    if (status == STATUS_OK && picture) {
        status = diff_flame_graph(&diff, options->icicle || run->format == FORMAT_HTML,
                                  options->reverse, &diff.diff.arena, &flame, err);
        answer.flame = &flame;
    }
    if (status == STATUS_OK)
        status = render(&answer, err);
    array_deinit(&answer.sides[0].facts);
    array_deinit(&answer.sides[1].facts);
    profile_diff_deinit(&diff);
    return status;
}

enum status command_diff(struct command_run *run, struct error *err)
{
    struct gates gates;
    struct index *indexes[2];
    struct profile profiles[2] = {0};
    enum status status = gates_parse(run->options, &gates, err);
    if (status != STATUS_OK)
        return status;
    bool is_recording[2] = {false, false};
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++)
        status = command_open_either(run, i, &is_recording[i], &profiles[i], &indexes[i], err);
    if (status == STATUS_OK && is_recording[0] != is_recording[1])
        status = error_set(err, STATUS_USAGE, "a core and a recording can't be compared");
    if (status == STATUS_OK)
        status = is_recording[0] ? compare_profiles(run, &gates, profiles, err)
                                 : compare_cores(run, &gates, indexes, err);
    profile_deinit(&profiles[0]);
    profile_deinit(&profiles[1]);
    gates_deinit(&gates);
    return status;
}
