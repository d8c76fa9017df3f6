/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_EDGES_H
#define INQUEST_ANALYZER_PROFILE_EDGES_H

#include "inquest/base/array.h"
#include "inquest/base/error.h"
#include "inquest/formats/profile.h"

/* What each function took on behalf of each that called it, of one recording or, side by
 * side, of two with one numbering. */
struct profile_edge {
    uint32_t caller, callee; /* functions */
    double totals[2];        /* of stacks: of those that have the call, each once */
    double counts[2];        /* calls, samples or blocks */
    uint32_t last_stack[2];  /* edges_add_profile's own */
};

struct profile_edges {
    ARRAY(struct profile_edge) items; /* in the order in which they were met */
    uint32_t *slots;                  /* a hash table of them */
    size_t capacity;
};

/* Adds a recording's calls as side 0 or 1. */
enum status profile_edges_add(struct profile_edges *edges, const struct profile *profile,
                              size_t side) MUST_CHECK;
void profile_edges_deinit(struct profile_edges *edges);

#endif
