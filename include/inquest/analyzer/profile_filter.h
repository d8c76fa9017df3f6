/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_FILTER_H
#define INQUEST_ANALYZER_PROFILE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"
#include "inquest/formats/profile.h"

/* Filters with the meaning of tracemalloc's Filter and DomainFilter: what one of the
 * inclusive ones matches stays (all, where there is none), and of that what no
 * exclusive one matches. A pattern is fnmatch's, over the file's whole name, in which
 * ".pyc" counts as ".py". */
struct profile_filter {
    bool inclusive;
    const char *pattern; /* NULL: any place, the domain alone decides */
    int64_t line;        /* -1: any */
    bool all_frames;     /* any frame of the stack, not the innermost alone */
    int64_t domain;      /* of tracemalloc; -1: any */
};

/* Takes out the traces, samples or (of pstats, by the function's own file and line)
 * functions that don't stay, and leaves the rest in order. */
enum status profile_filter_apply(struct profile *profile, const struct profile_filter *filters,
                                 size_t count, struct error *err) MUST_CHECK;

#endif
