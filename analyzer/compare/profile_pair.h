/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_COMPARE_PROFILE_PAIR_H
#define INQUEST_ANALYZER_COMPARE_PROFILE_PAIR_H

#include "inquest/analyzer/diff_profile.h"
#include "inquest/formats/profile.h"

/* Two recordings with one numbering: what is the same in both by the rule has one number.
 * Names, files and lines are NEW's where both have one. */
struct profile_pair {
    struct profile both; /* strings, functions, frames; with stacks: those too */
    uint32_t *frames[2]; /* what the frames of OLD and NEW are in it */
    double totals[2];    /* weights: bytes, samples, seconds */
    double factors[2];   /* what they were multiplied with since */

    bool has_stacks;         /* what follows is filled: */
    struct profile sides[2]; /* OLD, NEW: borrow the parts of `both`, and have traces, samples,
                                stats and calls of their own. Tracks are merged */
    double matched[2];       /* of the totals, the share that has a partner */
};

/* Without stacks: for who makes a tree of the recordings as they are, and no tables. */
enum status profile_pair_make(const struct profile *old_profile, const struct profile *new_profile,
                              enum match_rule rule, bool with_stacks, struct profile_pair *ret_pair,
                              struct error *err) MUST_CHECK;
void profile_pair_deinit(struct profile_pair *pair);

/* Multiplies all weights of one side. */
void profile_pair_scale(struct profile_pair *pair, size_t side, double factor);

#endif
