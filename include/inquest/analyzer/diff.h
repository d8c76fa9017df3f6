/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_DIFF_H
#define INQUEST_ANALYZER_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"

/* What changed between two inputs of one family, OLD and NEW, as tables whose rows
 * have a key, and each measure twice. */

enum diff_unit {
    DIFF_COUNT,
    DIFF_BYTES,
    DIFF_SECONDS,
    DIFF_NUMBER, /* the recording's own unit */
    DIFF_SHARE,  /* of one */
};

#define DIFF_KEYS     4
#define DIFF_MEASURES 4

struct diff_measure {
    const char *name;  /* "self": JSON has self_old, self_new and self_delta */
    const char *title; /* "Self" */
    enum diff_unit unit;
};

enum diff_presence { DIFF_BOTH, DIFF_NEW, DIFF_GONE };

struct diff_row {
    const char *keys[DIFF_KEYS]; /* NULL: none */
    double old_values[DIFF_MEASURES], new_values[DIFF_MEASURES];
    uint64_t old_size, new_size; /* where `is_exact`: the first measure, past 2^53, too */
    bool is_exact;
    enum diff_presence presence;
    bool is_noise;     /* the change is within what chance makes */
    bool has_margins;  /* of samples: with 95 %, the true change is at most a margin away */
    double margins[2]; /* of the first two measures */
    const char *note;  /* "moved from line 12", NULL: nothing */
    double rank;       /* larger first */
    uint32_t stack;    /* of a traceback, in the names of both recordings; else DIFF_NO_STACK */
};
#define DIFF_NO_STACK UINT32_MAX

struct diff_table {
    const char *name;            /* in JSON: "rows" for the main one, "suspects", … */
    const char *title;           /* "Types, by growth" */
    const char *keys[DIFF_KEYS]; /* names of the key's columns, NULL-ended unless full */
    const char *key_titles[DIFF_KEYS];
    bool key_is_number[DIFF_KEYS];               /* a line number, say */
    struct diff_measure measures[DIFF_MEASURES]; /* NULL-named end unless full */
    ARRAY(struct diff_row) rows;
    const char *note; /* under the table; NULL: nothing */
    size_t left_out;  /* rows beyond the limit that was asked for */
};

struct diff {
    struct arena arena;
    const char *family;  /* "core", "tracemalloc", "pstats", "pyspy" */
    const char *verdict; /* one sentence: what changed most */
    const char *rule;    /* by which things of both were taken as the same; NULL: by name */
    ARRAY(struct diff_table) tables; /* the main one first */
    ARRAY(const char *) warnings;    /* not of one program, … */
    struct diff_measure total;       /* what `old_total` and `new_total` are of */
    double old_total, new_total;
};

void diff_init(struct diff *diff);
void diff_deinit(struct diff *diff);

/* Appends an empty table; NULL: out of memory. Valid until the next one is added. */
struct diff_table *diff_add_table(struct diff *diff, const char *name, const char *title);
/* Tables for people: the one that tells most first, which is `moved` where lines moved, then the
 * others as they stand. */
const struct diff_table *diff_table_for_people(const struct diff *diff, size_t place);
/* In order of rank, then key: the same inputs give the same order. */
void diff_sort(struct diff_table *table);
size_t diff_key_count(const struct diff_table *table);
size_t diff_measure_count(const struct diff_table *table);

/* Two cores, from their indexes. Tables: rows (types), suspects, containers, memory,
 * threads, tasks, cycles. */
enum status diff_cores(struct index *old_index, struct index *new_index, struct diff *ret_diff,
                       struct error *err) MUST_CHECK;

#endif
