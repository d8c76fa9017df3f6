/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_FIELDS_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_FIELDS_H

#include "analyzer/findings/suspects_finder.h"

/* What alike objects hold, by the field that leads to it. */
#define MOST_FIELDS 256

struct field_sum {
    const char *title; /* ".basket", "['key']", "[0]"; in the suspects' arena */
    uint64_t bytes, count;
};

struct field_sums {
    struct field_sum fields[MOST_FIELDS]; /* the largest first */
    size_t count;
};

/* Counts what each of the objects dominates, by what it retains. Fields past
 * MOST_FIELDS are left out. */
enum status field_sums_find(struct finder *finder, const uint32_t *objects, size_t count,
                            struct field_sums *ret_sums) MUST_CHECK;

#endif
