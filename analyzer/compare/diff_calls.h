/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_COMPARE_DIFF_CALLS_H
#define INQUEST_ANALYZER_COMPARE_DIFF_CALLS_H

#include "analyzer/compare/profile_pair.h"

/* The parts of profile_diff_make. */
struct profile_compare {
    const struct profile *originals[2];
    const struct diff_profile_options *options;
    struct profile_pair *pair;
    struct diff *diff;
    struct diff_measure measures[DIFF_MEASURES]; /* of the main table */
    bool counts_samples; /* weights are of counted samples: chance has a say */
    bool reverse;
};

/* What one row, before it has words, is made of. */
struct pair_row {
    uint32_t key; /* frame, function, string or stack in pair->both */
    double old_values[DIFF_MEASURES], new_values[DIFF_MEASURES];
    uint64_t old_size, new_size; /* of snapshots: the first measure exactly */
};

/* diff_rows.c: the main table, by options->by. */
enum status diff_profile_rows(const struct profile_compare *compare, struct error *err) MUST_CHECK;
/* diff_moved.c: by line, the rows of a place that only moved as one. */
enum status diff_moved_lines(const struct profile_compare *compare, struct error *err) MUST_CHECK;
/* diff_edges.c: what moved from one caller to another. */
enum status diff_profile_edges(const struct profile_compare *compare, struct error *err) MUST_CHECK;
/* diff_tree.c: the tree of both, and the table paths. */
enum status diff_profile_tree(const struct profile_compare *compare, struct profile_diff *diff,
                              struct error *err) MUST_CHECK;

/* Whether a change of so many samples is within what chance makes (95 %): counts vary by
 * their square root. `scale` is what OLD was multiplied with. */
bool is_within_chance(double old_count, double new_count, double scale);
/* How far chance alone takes the change of so many samples: half an interval of 95 %. */
double chance_margin(double old_count, double new_count, double scale);

/* "json.decoder.raw_decode" is its file for people; strings live in the arena. */
char *pair_text(struct arena *arena, const struct profile *names, uint32_t string);
char *pair_number(struct arena *arena, int32_t line); /* NULL for 0 */

#endif
