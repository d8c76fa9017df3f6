/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_PSTATS_H
#define INQUEST_ANALYZER_PROFILE_PSTATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/array.h"
#include "inquest/base/error.h"
#include "inquest/base/text.h"
#include "inquest/formats/profile.h"

/* What Python's pstats.Stats does with one file or several: the same sums, the same
 * orders with the same ties, the same restrictions. */
struct pstats {
    struct profile profile; /* owned; functions in the order in which Python's dict has them */
    int64_t calls, primitive_calls;
    double seconds;            /* of all functions' own */
    uint32_t name_width;       /* of the longest standard name, in characters */
    ARRAY(uint32_t) top_level; /* functions that a profiler calls itself */
};

/* Takes `profile`, of PROFILE_PSTATS, whose owner forgets it. */
enum status pstats_init(struct pstats *stats, struct profile *profile,
                        struct error *err) MUST_CHECK;
void pstats_deinit(struct pstats *stats);
/* Adds another recording's numbers, as Stats.add does. STATUS_UNSUPPORTED where one is
 * sampled and the other is not. */
enum status pstats_add(struct pstats *stats, const struct profile *other,
                       struct error *err) MUST_CHECK;
/* File names without their folders: functions that are the same then are one. Of two
 * callers of one function that are, the last one's numbers stay, as in Python. */
enum status pstats_strip_dirs(struct pstats *stats, struct error *err) MUST_CHECK;

/* "file:line(name)", "{built-in method len}". Appended, as it is. */
void pstats_standard_name(const struct profile *profile, uint32_t function, struct text *ret_name);
/* Characters that Python counts in a string. */
uint32_t pstats_width(const char *text, size_t size);

/* ---- Choosing rows. */

struct pstats_list {
    ARRAY(uint32_t) rows; /* into profile.stats */
    struct text message;  /* what was done, in pstats' words */
};

/* `sort` is keys with commas between, whole or any beginning that is one's alone, or one
 * of -1, 0, 1 and 2; NULL: the file's order. STATUS_USAGE for others. `restrictions` in
 * order: a number of rows, a part of them (0.1), or a regular expression that must be
 * found in the standard name. */
enum status pstats_choose(const struct pstats *stats, const char *sort, bool reverse,
                          const char *const *restrictions, size_t count,
                          struct pstats_list *ret_list, struct error *err) MUST_CHECK;
void pstats_list_deinit(struct pstats_list *list);

/* The edges at each function in the order of the other ends' (file, line, name). */
struct pstats_edges {
    uint64_t *first; /* by function, one more than there are: into */
    uint32_t *calls; /* indices into profile.calls */
};

/* By callee, its callers; or by caller, its callees. */
enum status pstats_edges_init(struct pstats_edges *edges, const struct pstats *stats, bool callers,
                              struct error *err) MUST_CHECK;
void pstats_edges_deinit(struct pstats_edges *edges);

#endif
