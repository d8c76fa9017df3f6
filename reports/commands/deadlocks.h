/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_DEADLOCKS_H
#define INQUEST_REPORTS_COMMANDS_DEADLOCKS_H

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "reports/commands/stacks_model.h"

/* Threads, and tasks, that wait for each other in a circle: a sentence each, with
 * text from the dump that is not escaped yet. */
struct deadlocks {
    ARRAY(const char *) sentences; /* in the arena that was given */
};

/* Appends those of the threads of `stacks` and of the index's tasks. */
enum status deadlocks_load(struct index *index, const struct stacks *stacks, struct arena *arena,
                           struct deadlocks *deadlocks, struct error *err) MUST_CHECK;
void deadlocks_deinit(struct deadlocks *deadlocks);

#endif
