/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/gates.h"

#include <math.h>

#include "reports/cli/messages.h"
#include "reports/commands/profile_flame.h"
#include "reports/render/escape.h"

enum status gates_parse(const struct options *options, struct gates *ret_gates, struct error *err)
{
    struct gates gates = {0};
    enum status status = STATUS_OK;
    arena_init(&gates.arena);
    for (size_t i = 0; i < options->fail_if.count && status == STATUS_OK; i++) {
        struct gate_outcome outcome = {0};
        status = gate_parse(options->fail_if.items[i], &gates.arena, &outcome.gate, err);
        if (status == STATUS_OK && !array_push(&gates.outcomes, outcome))
            status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (status == STATUS_OK)
        *ret_gates = gates;
    else
        gates_deinit(&gates);
    return status;
}

void gates_deinit(struct gates *gates)
{
    array_deinit(&gates->outcomes);
    arena_deinit(&gates->arena);
}

void gates_report(const struct gates *gates, struct command_run *run)
{
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        const struct gate_outcome *outcome = &gates->outcomes.items[i];
        struct text words = {0};
        if (!outcome->result.is_tripped)
            continue;
        run->is_tripped = true;
        gate_words(gates, outcome, &words);
        if (!run->options->quiet)
            message_print("gate %s", text_string(&words));
        text_deinit(&words);
    }
}

enum status gates_measure(struct gates *gates, const struct metric_source *old_source,
                          const struct metric_source *new_source, struct error *err)
{
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        struct gate_outcome *outcome = &gates->outcomes.items[i];
        enum status status =
            gate_evaluate(&outcome->gate, old_source, new_source, &outcome->result, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status gates_evaluate(struct gates *gates, struct command_run *run,
                           const struct metric_source *old_source,
                           const struct metric_source *new_source, struct error *err)
{
    enum status status = gates_measure(gates, old_source, new_source, err);
    if (status == STATUS_OK)
        gates_report(gates, run);
    return status;
}

/* ---- Words. */

static void amount(const struct gates *gates, const struct gate *gate, double value,
                   struct text *text)
{
    const struct metric *metric = gate->metric;
    struct unit_view view = unit_view(gates->unit);
    if (!metric || gate->field == FIELD_CALLS || gate->field == FIELD_COUNT ||
        metric->unit == METRIC_COUNT)
        view = (struct unit_view){COLUMN_COUNT, 1, NULL};
    else if (metric->unit == METRIC_BYTES)
        view = (struct unit_view){COLUMN_BYTES, 1, NULL};
    unit_amount(&view, value, text);
}

void gate_words(const struct gates *gates, const struct gate_outcome *outcome, struct text *text)
{
    const struct gate *gate = &outcome->gate;
    const struct gate_result *result = &outcome->result;
    text_printf(text, "%s %s: ", result->is_tripped ? "FAILED" : "passed", gate->text);
    if (gate->is_growth) {
        if (gate->kind == GATE_PERCENT)
            text_printf(text, "%+.2f %% per hour", result->measured);
        else
            text_printf(text, "%+.6g per hour", result->measured);
        return;
    }
    if (result->has_old) {
        amount(gates, gate, result->old_value, text);
        text_append(text, " → ");
    }
    amount(gates, gate, result->new_value, text);
    if (gate->kind == GATE_PERCENT && isinf(result->measured))
        text_append(text, ", new");
    else if (gate->kind == GATE_PERCENT)
        text_printf(text, result->has_old ? ", %+.1f %%" : ", %.1f %% of all", result->measured);
}

void gates_text(const struct gates *gates, struct text *text)
{
    struct text words = {0};
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        text_clear(&words);
        gate_words(gates, &gates->outcomes.items[i], &words);
        escape_terminal(text, text_string(&words), ESCAPE_ONE_LINE);
        text_append_char(text, '\n');
    }
    text_deinit(&words);
}

void gates_markdown(const struct gates *gates, struct text *text)
{
    struct text words = {0};
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        text_clear(&words);
        gate_words(gates, &gates->outcomes.items[i], &words);
        text_append(text, gates->outcomes.items[i].result.is_tripped ? "- ❌ " : "- ✅ ");
        escape_markdown_code(text, text_string(&words), false);
        text_append_char(text, '\n');
    }
    text_deinit(&words);
}

void gates_html(const struct gates *gates, struct text *text)
{
    struct text words = {0};
    if (!gates->outcomes.count)
        return;
    text_append(text, "<section id=\"gates\"><h2>Gates</h2><ul class=\"panel gates\">\n");
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        text_clear(&words);
        gate_words(gates, &gates->outcomes.items[i], &words);
        text_printf(text, "<li class=\"%s\">",
                    gates->outcomes.items[i].result.is_tripped ? "failed" : "passed");
        escape_markup(text, text_string(&words), ESCAPE_ONE_LINE);
        text_append(text, "</li>\n");
    }
    text_append(text, "</ul></section>\n");
    text_deinit(&words);
}

static void number_member(struct json_writer *json, const char *key, bool there, double value)
{
    json_key(json, key);
    if (!there || !isfinite(value))
        json_null(json);
    else if (value == floor(value) && fabs(value) < 9e15)
        json_integer(json, (int64_t)value);
    else
        json_real(json, value);
}

void gates_json(const struct gates *gates, struct json_writer *json)
{
    json_key(json, "gates");
    json_begin_array(json);
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        const struct gate_outcome *outcome = &gates->outcomes.items[i];
        json_begin_object(json);
        json_member_string(json, "gate", outcome->gate.text);
        json_member_bool(json, "tripped", outcome->result.is_tripped);
        number_member(json, "old", outcome->result.has_old, outcome->result.old_value);
        number_member(json, "new", true, outcome->result.new_value);
        number_member(json, "measured", true, outcome->result.measured);
        number_member(json, "limit", true, outcome->gate.value);
        json_end_object(json);
    }
    json_end_array(json);
}

void gates_junit(const struct gates *gates, const char *suite, struct text *text)
{
    size_t failures = 0;
    struct text words = {0};
    for (size_t i = 0; i < gates->outcomes.count; i++)
        failures += gates->outcomes.items[i].result.is_tripped;
    text_append(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                      "<testsuite name=\"inquest ");
    escape_markup(text, suite, ESCAPE_ONE_LINE);
    text_printf(text, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n",
                gates->outcomes.count, failures);
    for (size_t i = 0; i < gates->outcomes.count; i++) {
        const struct gate_outcome *outcome = &gates->outcomes.items[i];
        text_append(text, "<testcase classname=\"inquest\" name=\"");
        escape_markup(text, outcome->gate.text, ESCAPE_ONE_LINE);
        text_append(text, "\">");
        text_clear(&words);
        gate_words(gates, outcome, &words);
        text_append(text, outcome->result.is_tripped ? "<failure message=\"" : "<system-out>");
        escape_markup(text, text_string(&words), ESCAPE_ONE_LINE);
        text_append(text, outcome->result.is_tripped ? "\"/>" : "</system-out>");
        text_append(text, "</testcase>\n");
    }
    text_append(text, "</testsuite>\n</testsuites>\n");
    text_deinit(&words);
}
