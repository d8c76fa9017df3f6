/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_CALL_EDGES_H
#define INQUEST_ANALYZER_PROFILE_CALL_EDGES_H

#include "inquest/formats/profile.h"

/* What pstats says of who called whom, ready to be laid out as a tree. Arrays by
 * function (profile.functions) and by edge (profile.calls). */
struct call_edges {
    const struct profile *profile;
    double *self, *total; /* of a function, seconds */
    double *unheld;       /* of its total, what no caller accounts for */
    double *edge_self, *edge_total;
    uint64_t *first_in, *first_out; /* functions + 1: where its edges begin in */
    uint32_t *in, *out;             /* edges by callee, by caller */
};

/* Where the file has only numbers of calls for edges, times are shared out in
 * proportion to them. */
enum status call_edges_init(struct call_edges *edges, const struct profile *profile,
                            struct error *err) MUST_CHECK;
void call_edges_deinit(struct call_edges *edges);

#endif
