/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_COMPARE_DIFF_CORE_H
#define INQUEST_ANALYZER_COMPARE_DIFF_CORE_H

#include "inquest/analyzer/diff.h"

/* The parts of diff_cores. Each adds its tables. */

struct core_pair {
    struct index *old_index, *new_index;
    struct diff *diff;
    bool is_one_process; /* both are of one process: addresses mean the same */
    bool is_one_pid;     /* and none is of a fork: threads and tasks have the same numbers */
};

/* diff_objects.c: "containers", which old objects hold the new ones; of one process. */
enum status diff_objects(const struct core_pair *pair, struct error *err) MUST_CHECK;
/* diff_threads.c: "threads" and "tasks" that came, went, or stand where they stood. */
enum status diff_threads(const struct core_pair *pair, struct error *err) MUST_CHECK;

#endif
