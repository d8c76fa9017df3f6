/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_DIFF_PROFILE_H
#define INQUEST_ANALYZER_DIFF_PROFILE_H

#include "inquest/analyzer/diff.h"
#include "inquest/analyzer/gate.h"
#include "inquest/analyzer/profile_hotspots.h"
#include "inquest/analyzer/profile_tree.h"

/* Two recordings: snapshots of tracemalloc, or calls of any format. */

/* What counts as the same frame in both. */
enum match_rule {
    MATCH_EXACT,    /* name, whole path and line */
    MATCH_LINE,     /* name, path from where Python imports it, and line */
    MATCH_FUNCTION, /* name and that path: the line does not matter */
};

struct diff_profile_options {
    enum match_rule rule;
    enum hotspot_by by; /* what a row of the main table is */
    bool cumulative;    /* of tracemalloc: compare_to(…, cumulative=True) */
    bool normalize;     /* OLD is scaled to NEW's total */
    bool picture_only;  /* no tables and no verdict; in the tree no nodes smaller than `least` */
    double least;       /* a part of the whole */
    size_t row_limit;   /* of each table; 0: all */
};

/* A node of the tree of both, in preorder; widths are what the larger of both took by
 * itself, added up. */
struct diff_node {
    uint32_t parent; /* a lower index; 0 for node 0 */
    uint32_t function;
    int32_t line;
    double old_self, new_self, old_total, new_total, width;
};

struct profile_diff {
    struct diff diff;
    const char *unit;          /* of the numbers, "bytes", "seconds", … ; "share" */
    struct profile_pair *pair; /* names of the nodes' functions are in its `both` */
    ARRAY(struct diff_node) nodes;
    ARRAY(struct call_rest) rests; /* by node, of widths; none where none was to be left out */
};

/* Tables: rows; moved (tracemalloc by line); edges and paths (calls). STATUS_USAGE where the
 * two can't be compared. With `with_tree` the nodes are made, too. */
enum status profile_diff_make(const struct profile *old_profile, const struct profile *new_profile,
                              const struct diff_profile_options *options, bool with_tree,
                              bool reverse, struct profile_diff *ret_diff,
                              struct error *err) MUST_CHECK;
void profile_diff_deinit(struct profile_diff *diff);
const struct profile *profile_diff_names(const struct profile_diff *diff);

/* A recording's numbers for gates. `profile` must outlive the source. */
struct metric_source metric_source_profile(const struct profile *profile, const char *name);

#endif
