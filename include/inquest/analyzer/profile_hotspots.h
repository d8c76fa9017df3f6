/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_HOTSPOTS_H
#define INQUEST_ANALYZER_PROFILE_HOTSPOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/error.h"
#include "inquest/formats/profile.h"

/* Where a recording's time or memory went, by function, line, file, … Of tracemalloc
 * these are Snapshot.statistics: the same groups, numbers and order. Of pstats, whose
 * functions have their own numbers, see profile_pstats.h; files and modules of it are
 * sums. */

enum hotspot_by {
    HOTSPOT_FUNCTION,
    HOTSPOT_LINE,
    HOTSPOT_FILE,
    HOTSPOT_MODULE,
    HOTSPOT_THREAD,
    HOTSPOT_TRACEBACK,
};

/* What a stack adds to the groups of its frames but the innermost. */
enum hotspot_total {
    HOTSPOT_INNERMOST, /* nothing, and what is never innermost has no row */
    HOTSPOT_ONCE,      /* its amount, once however often the group is on it */
    HOTSPOT_EACH_TIME, /* as often as it is on it: tracemalloc's cumulative */
};

enum hotspot_sort {
    HOTSPOT_BY_SELF,
    HOTSPOT_BY_TOTAL,
    HOTSPOT_BY_COUNT, /* of total where that is sorted by, else of self */
    HOTSPOT_BY_NAME,
    HOTSPOT_BY_FILE,
    HOTSPOT_BY_LINE,
    HOTSPOT_UNSORTED, /* who asks has an order of its own */
    HOTSPOT_NO_ROWS,  /* of pstats: who asks has rows of its own, and needs the whole alone */
};

struct hotspot {
    uint32_t key;               /* an index: function, frame, string, module, track or stack */
    double self, total;         /* in the recording's unit */
    uint64_t self_count, count; /* samples or blocks; `count` goes with total */
    uint64_t self_size, size;   /* of a snapshot: self and total exactly, in bytes */
};

struct hotspots {
    const struct profile *profile; /* borrowed */
    enum hotspot_by by;
    ARRAY(struct hotspot) rows;
    double whole; /* of the recording, as it was given */
    uint64_t whole_count, whole_size;
    struct arena arena;
    ARRAY(const char *) modules; /* of HOTSPOT_MODULE */
};

struct hotspot_options {
    enum hotspot_by by;
    enum hotspot_total total;
    enum hotspot_sort sort;
    bool ascending; /* the other way round, as a whole */
    size_t limit;   /* only the first so many rows need be in order; 0: all */
};

/* STATUS_USAGE where the recording can't be told apart so: functions of a snapshot,
 * tracebacks and threads of pstats. */
enum status hotspots_check(const struct profile *profile, enum hotspot_by by,
                           struct error *err) MUST_CHECK;
enum status hotspots_build(const struct profile *profile, const struct hotspot_options *options,
                           struct hotspots *ret_hotspots, struct error *err) MUST_CHECK;
void hotspots_deinit(struct hotspots *hotspots);

/* What a row is about. NULL and 0 where that has no meaning for its kind. */
const char *hotspot_function(const struct hotspots *hotspots, const struct hotspot *row);
const char *hotspot_file(const struct hotspots *hotspots, const struct hotspot *row);
int32_t hotspot_line(const struct hotspots *hotspots, const struct hotspot *row);
const char *hotspot_module(const struct hotspots *hotspots, const struct hotspot *row);

/* ---- Who calls a function, and whom it calls, out of stacks. */

struct call_relation {
    uint32_t frame_or_function; /* the other one: a function; of a snapshot, a frame;
                                   PROFILE_NO_ID: nobody, the stack begins here */
    double self, total;         /* of stacks in which one calls the other; self where the
                                   callee is the innermost */
    uint64_t count;             /* samples or blocks of total */
};

struct call_relations {
    uint32_t matched;   /* functions (or lines) that the name stands for */
    double self, total; /* of them */
    uint64_t count;
    ARRAY(struct call_relation) rows; /* the largest total first */
};

/* `name` is a function's name, "file:line", "file:line(name)" or a file. STATUS_USAGE
 * where the recording has none such. */
enum status call_relations_find(const struct profile *profile, const char *name, bool callers,
                                struct call_relations *ret_relations, struct error *err) MUST_CHECK;
void call_relations_deinit(struct call_relations *relations);

/* Whether a function, at a line (0: its own), answers to the name. */
bool profile_answers_to(const struct profile *profile, uint32_t function, int32_t line,
                        const char *name);

#endif
