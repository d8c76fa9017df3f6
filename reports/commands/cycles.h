/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_CYCLES_H
#define INQUEST_REPORTS_COMMANDS_CYCLES_H

#include "reports/commands/cycles_model.h"
#include "reports/commands/heap_answer.h"

struct cycles_answer {
    struct command_run *run;
    struct index *index;
    struct cycles_model model;
    size_t limit; /* rows */
};

/* ---- cycles_text.c: the answer for people. */
enum status cycles_render(struct cycles_answer *answer, struct error *err) MUST_CHECK;
/* "1,047 reference cycles are garbage: 6,141 objects, 475.4 KiB". */
void cycles_sentence(const struct cycles_model *model, struct text *text);

#endif
