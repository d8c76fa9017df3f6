/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_COMPARE_PROFILE_PAIR_H
#define INQUEST_ANALYZER_COMPARE_PROFILE_PAIR_H

#include "inquest/analyzer/diff_profile.h"
#include "inquest/formats/profile.h"

/* Two recordings with one numbering: what is the same in both by the rule has one number.
 * Names, files and lines are NEW's where both have one. */
struct profile_pair {
    struct profile both;     /* strings, functions, frames, stacks */
    struct profile sides[2]; /* OLD, NEW: borrow those of `both`, and have traces, samples,
                                stats and calls of their own. Tracks are merged */
    double totals[2];        /* weights: bytes, samples, seconds */
    double matched[2];       /* of them, the share that has a partner */
};

enum status profile_pair_make(const struct profile *old_profile, const struct profile *new_profile,
                              enum match_rule rule, struct profile_pair *ret_pair,
                              struct error *err) MUST_CHECK;
void profile_pair_deinit(struct profile_pair *pair);

/* Multiplies all weights of one side. */
void profile_side_scale(struct profile *side, double factor);

#endif
