/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_LEAKS_ANSWER_H
#define INQUEST_REPORTS_COMMANDS_LEAKS_ANSWER_H

#include "inquest/analyzer/suspect_rules.h"
#include "reports/commands/heap_answer.h"

/* What `leaks` answers: a part of the index's suspects and candidates. */

/* Columns of leaks_answer.rows, for those who look at single cells. */
enum leaks_column {
    LEAKS_RANK,
    LEAKS_KIND,
    LEAKS_TITLE,
    LEAKS_SHARE,
    LEAKS_RETAINED,
    LEAKS_SHALLOW,
    LEAKS_INSTANCES,
    LEAKS_TYPE,
    LEAKS_HOLDER,
    LEAKS_PATH,
    LEAKS_WHY,
    LEAKS_FINGERPRINT,
    LEAKS_ADDRESS,
    LEAKS_OBJECT_ID,
    LEAKS_ACCUMULATION_PATH,
    LEAKS_ACCUMULATION_ADDRESS,
    LEAKS_ACCUMULATION_RETAINED,
    LEAKS_COLUMNS
};

enum leaks_part_column {
    PART_RANK,
    PART_KIND,
    PART_TITLE,
    PART_INSTANCES,
    PART_BYTES,
    PART_SHARE,
    PART_ADDRESS,
    PART_COLUMNS
};

struct leaks_answer {
    struct command_run *run;
    struct index *index;
    double least_share; /* --threshold */
    uint64_t least_bytes;
    struct heap_census census;
    struct table rows;      /* the suspects, the largest first */
    struct table parts;     /* of those, by rank, kind and position */
    struct table extension; /* what C code alone holds, by type */
    struct table garbage;   /* what was not collected yet, by type */
    struct table types, modules;
    size_t suspect_count;   /* before --limit */
    size_t candidate_count; /* that a lower threshold would show, with the suspects */
};

const struct cell *leaks_cell(const struct table *table, size_t row, size_t column);
/* Text and Markdown. */
void leaks_render(const struct leaks_answer *answer);

#endif
