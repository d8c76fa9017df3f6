/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_HEAP_ANSWER_H
#define INQUEST_REPORTS_COMMANDS_HEAP_ANSWER_H

#include "inquest/analyzer/heap_census.h"
#include "reports/cli/command.h"
#include "reports/render/table.h"

/* What `heap` and `show` have in common: tables filled by statements. */

/* Appends the rows of a statement whose columns are the table's. */
enum status table_query(struct table *table, struct index *index, const char *sql,
                        const struct index_value *parameters, size_t count,
                        struct error *err) MUST_CHECK;
/* The first column of the first row, 0 where there is none or it is NULL. */
enum status integer_query(struct index *index, const char *sql,
                          const struct index_value *parameters, size_t count, int64_t *ret_value,
                          struct error *err) MUST_CHECK;
/* What went wrong with an index names the input, once. */
enum status name_input(const struct command_run *run, enum status status, struct error *err);
/* STATUS_NOT_IN_DUMP, in words, where the index has no heap: the core's Python could
 * not be read. */
enum status answer_needs_heap(struct index *index, struct error *err) MUST_CHECK;
/* As --limit says, for a statement's LIMIT: -1 for all. */
int64_t limit_or(const struct options *options, int64_t otherwise);
/* The columns of a line of text: a terminal's, else no bound. */
size_t answer_width(const struct command_run *run);
/* A title over a table, after an empty line: "Types, by retained size". */
void answer_heading(const struct command_run *run, const char *words);
/* The table as --format asks, text or Markdown. */
void answer_table(const struct command_run *run, const struct table *table);
/* A line that is no data: "[12 more; --limit 0 shows all]". */
void answer_note(const struct command_run *run, const char *words);
/* "inquest show core 'a.b'" for a shell; `words` are whole ones, quoted where they
 * must be. NULL-terminated. */
void answer_command(const struct command_run *run, const char *reason, const char *const *words);

/* ---- heap */

struct heap_grouping;

struct heap_answer {
    struct command_run *run;
    struct index *index;
    struct heap_census census;
    const struct heap_grouping *grouping;
    struct table rows, memory, largest;
    int64_t row_count;  /* that there are */
    int64_t mapped;     /* sum of memory, without what is only reserved */
    struct text holder; /* "shop.cache.SESSIONS keeps 31.0 MiB (51 %)"; empty: none */
    struct text holder_path;
};

struct heap_sort {
    const char *name, *words, *order; /* "retained", "by retained size", SQL */
};

/* What --by can say. */
struct heap_grouping {
    const char *name, *title; /* "type", "Types" */
    const struct column *columns;
    size_t column_count;
    const struct heap_sort *sorts; /* NULL-named end; the first is the default */
    const char *sql;               /* "%s" is the order; ?1 all bytes, ?2 the limit */
    const char *count_sql;
};

enum status heap_render(const struct heap_answer *answer, const char *sort_words,
                        struct error *err) MUST_CHECK;

#endif
