/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_AMOUNTS_H
#define INQUEST_ANALYZER_PROFILE_AMOUNTS_H

#include "inquest/formats/profile.h"

/* What was allocated or sampled, by stack, over all domains and tracks. */
struct amounts {
    double *weights; /* in the recording's unit */
    uint64_t *sizes; /* of a snapshot, the same exactly; else NULL */
    uint64_t *counts;
    double whole;
    uint64_t whole_size;
    uint64_t whole_count;
};

enum status amounts_init(struct amounts *amounts, const struct profile *profile) MUST_CHECK;
void amounts_deinit(struct amounts *amounts);

/* A sum that stops at UINT64_MAX. */
static inline void amounts_add(uint64_t *sum, uint64_t size)
{
    if (__builtin_add_overflow(*sum, size, sum))
        *sum = UINT64_MAX;
}

#endif
