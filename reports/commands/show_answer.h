/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_SHOW_ANSWER_H
#define INQUEST_REPORTS_COMMANDS_SHOW_ANSWER_H

#include "inquest/analyzer/heap_reader.h"
#include "reports/cli/command.h"
#include "reports/render/table.h"

/* Columns of `fields` and `referrers`. */
enum {
    NEIGHBOUR_LABEL,
    NEIGHBOUR_TYPE,
    NEIGHBOUR_ADDRESS,
    NEIGHBOUR_SIZE,
    NEIGHBOUR_RETAINED,
    NEIGHBOUR_VALUE,
    NEIGHBOUR_PATH,
    NEIGHBOUR_OBJECT_ID,
    NEIGHBOUR_COLUMNS
};

/* One object and what is around it. Strings are unescaped; "" where unknown. */
struct show_object {
    struct heap_object_row row;
    struct text type, path, value;
};

struct show_answer {
    struct command_run *run;
    struct index *index;
    struct heap_reader *reader;
    struct show_object object, dominator; /* dominator.row.id 0: nothing dominates it */
    int64_t total;                        /* bytes of all objects */
    const char *warnings[2];              /* of the path, and why values are missing */
    size_t warning_count;
    uint64_t field_count, referrer_count;
    struct table fields, referrers;
    struct table referrer_types; /* where not all referrers are listed */
    struct table roots;
};

/* Text and Markdown. */
void show_render(const struct show_answer *answer);

#endif
