/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_DIFF_RENDER_H
#define INQUEST_REPORTS_COMMANDS_DIFF_RENDER_H

#include "inquest/analyzer/diff.h"
#include "inquest/formats/profile.h"
#include "reports/commands/gates.h"
#include "reports/render/flame.h"

/* The forms of one comparison. */

struct diff_fact {
    const char *title, *value;
};

struct diff_side {
    const char *input; /* as the user wrote it */
    ARRAY(struct diff_fact) facts;
};

struct diff_answer {
    struct command_run *run;
    const struct diff *diff;
    const struct gates *gates;
    const char *unit;                /* of DIFF_NUMBER: the recording's; NULL: none */
    struct diff_side sides[2];       /* OLD, NEW */
    const struct flame_graph *flame; /* NULL: none */
    const struct profile *names;     /* of tracebacks' stacks; NULL: there are none */
};

void diff_render_text(const struct diff_answer *answer, struct text *text);
void diff_render_markdown(const struct diff_answer *answer, struct text *text);
void diff_render_html(const struct diff_answer *answer, struct text *text);
bool diff_render_json(const struct diff_answer *answer, struct text *text);
/* The main table. */
void diff_render_csv(const struct diff_answer *answer, struct text *text);

/* A table for people: each measure as NEW and its change. At most `limit` rows, SIZE_MAX for
 * all; `ret_columns` is its storage. Rows that did not change are left out. */
#define DIFF_COLUMNS (DIFF_KEYS + 3 * DIFF_MEASURES + 2)
size_t diff_people_table(const struct diff_answer *answer, const struct diff_table *source,
                         size_t limit, struct column *ret_columns, struct table *ret_table);

#endif
