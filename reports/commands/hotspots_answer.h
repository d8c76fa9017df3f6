/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_HOTSPOTS_ANSWER_H
#define INQUEST_REPORTS_COMMANDS_HOTSPOTS_ANSWER_H

#include "inquest/analyzer/profile_hotspots.h"
#include "inquest/analyzer/profile_pstats.h"
#include "reports/cli/command.h"
#include "reports/commands/profile_flame.h"
#include "reports/render/table.h"

#define HOTSPOT_PATHS 3 /* of the largest stacks, under the table */

/* One answer of `hotspots` in the making. */
struct hotspots_answer {
    struct command_run *run;
    const struct profile *profile; /* of `loaded`, or of `stats` */
    struct profile loaded;
    struct pstats stats; /* of PROFILE_PSTATS */
    bool has_loaded, has_stats;
    const char **files; /* of pstats: a line for each, as it lists them */
    size_t file_count;
    struct arena arena;
    struct unit_view unit;
    enum hotspot_by by;
    const char *by_word;
    struct hotspot_options options;
    struct hotspots hotspots, paths;
    const char *relation; /* "callers", "callees"; NULL: neither is asked for */
    struct call_relations relations;
    uint32_t *stat_rows; /* of pstats by function: the order, rows of stats.profile */
    size_t row_count;    /* that there are */
    size_t shown_count;
};

/* hotspots_load.c: the recordings, filtered and added up; what --by and --sort say. */
enum status hotspots_load(struct hotspots_answer *answer, struct error *err) MUST_CHECK;
/* hotspots_tables.c: the rows, for programs or for people. */
void hotspots_fill_plain(const struct hotspots_answer *answer, struct table *table);
void hotspots_fill_shown(const struct hotspots_answer *answer, struct table *table);
/* "main > work > leaf": functions, else places. */
void hotspots_append_path(const struct profile *profile, uint32_t stack, const char *separator,
                          struct text *text);
/* hotspots_text.c: text and Markdown. */
void hotspots_render(struct hotspots_answer *answer);
/* hotspots_pstats.c: as pstats prints it. */
enum status hotspots_print_pstats(struct hotspots_answer *answer, struct error *err) MUST_CHECK;

/* The n-th row's numbers and what it is about, of whatever kind the rows are. */
struct hotspot hotspots_row(const struct hotspots_answer *answer, size_t position);

#endif
