/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_TREND_RENDER_H
#define INQUEST_REPORTS_COMMANDS_TREND_RENDER_H

#include "inquest/analyzer/diff_profile.h"
#include "inquest/analyzer/trend.h"
#include "reports/commands/gates.h"

struct trend_answer {
    struct command_run *run;
    const struct trend *trend;
    const struct gates *gates;
    const struct trend_input *inputs; /* in order of time */
};

/* In the run's format; false: out of memory. */
bool trend_render(const struct trend_answer *answer, struct text *text);

#endif
