/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_GATES_H
#define INQUEST_REPORTS_COMMANDS_GATES_H

#include "inquest/analyzer/gate.h"
#include "inquest/base/array.h"
#include "reports/cli/command.h"
#include "reports/render/json.h"
#include "reports/render/table.h"

/* --fail-if of one run: parsed before any input is read, evaluated once, told in the
 * answer's own form; what tripped is said on standard error too. */
struct gate_outcome {
    struct gate gate;
    struct gate_result result;
};

struct gates {
    struct arena arena;
    ARRAY(struct gate_outcome) outcomes;
    const char *unit; /* of METRIC_WEIGHT: the recording's; NULL: none */
};

enum status gates_parse(const struct options *options, struct gates *ret_gates,
                        struct error *err) MUST_CHECK;
void gates_deinit(struct gates *gates);

/* Sets run->is_tripped. `old_source` NULL: one input. */
enum status gates_evaluate(struct gates *gates, struct command_run *run,
                           const struct metric_source *old_source,
                           const struct metric_source *new_source, struct error *err) MUST_CHECK;
/* As gates_evaluate, and says nothing yet. */
enum status gates_measure(struct gates *gates, const struct metric_source *old_source,
                          const struct metric_source *new_source, struct error *err) MUST_CHECK;
/* Says on standard error what tripped, and sets run->is_tripped: for results found
 * elsewhere. */
void gates_report(const struct gates *gates, struct command_run *run);

/* "FAILED total.self > 20%: 1.20 s → 1.50 s, +25.0 %", unescaped. */
void gate_words(const struct gates *gates, const struct gate_outcome *outcome, struct text *text);

void gates_text(const struct gates *gates, struct text *text);        /* a line each */
void gates_markdown(const struct gates *gates, struct text *text);    /* a list */
void gates_html(const struct gates *gates, struct text *text);        /* a section; none: nothing */
void gates_json(const struct gates *gates, struct json_writer *json); /* the member "gates" */
/* A whole document: each gate is a test case. */
void gates_junit(const struct gates *gates, const char *suite, struct text *text);

#endif
