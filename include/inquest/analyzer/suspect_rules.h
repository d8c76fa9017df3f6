/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_SUSPECT_RULES_H
#define INQUEST_ANALYZER_SUSPECT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When a candidate is a suspect. The index keeps candidates from
 * SUSPECT_LEAST_SHARE and SUSPECT_LEAST_BYTES on, so that other thresholds can be
 * asked of it. */
#define SUSPECT_DEFAULT_SHARE 0.10
#define SUSPECT_DEFAULT_BYTES (UINT64_C(256) << 10)
#define SUSPECT_LEAST_SHARE   0.01
#define SUSPECT_LEAST_BYTES   (UINT64_C(64) << 10)

/* An object is passed over for the largest that it holds, where that has as much of it. */
#define SUSPECT_BIG_DROP 0.7

/* What else keeps memory that a library's own tables may have without being suspects. */
#define SUSPECT_LIBRARY_BYTES (UINT64_C(4) << 20)

struct suspect_candidate {
    double share;
    uint64_t retained;
    int64_t parent;    /* index of the candidate that holds this one; -1: none */
    bool is_structure; /* told only where what is in it is not */
    bool is_alarm;     /* the answer */
};

/* Fills is_alarm. Candidates are in any order; parents may come after their parts. */
void suspect_rules_apply(struct suspect_candidate *candidates, size_t count, double least_share,
                         uint64_t least_bytes);

#endif
