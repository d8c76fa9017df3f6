/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_STACKS_WORDS_H
#define INQUEST_REPORTS_COMMANDS_STACKS_WORDS_H

#include "inquest/base/text.h"
#include "reports/commands/stacks_model.h"

/* The words that all forms of an answer share. What they append holds text from
 * the dump and is not escaped yet. */

/* "crashed, main, holds the GIL, collecting garbage, waiting on a lock: lock
 * self.lock (…)"; nothing where nothing is known. */
void thread_words(const struct stack_thread *thread, struct text *text);
/* The same of a group: what is true of all its members. */
void group_words(const struct stacks *stacks, const struct stack_group *group, struct text *text);
/* "Thread 3 "Worker-1" (tid 4711)"; "C thread 9 (tid 4712)" */
void thread_heading(const struct stack_thread *thread, struct text *text);
/* "12 threads: "pool_0", "pool_1" … "pool_11"" for a group of several. */
void group_heading(const struct stacks *stacks, const struct stack_group *group, struct text *text);
/* "[the same 3 frames 3,331 more times]", "[1,234 frames not shown]" */
void gap_words(const struct stack_item *item, struct text *text);
/* A native id of each member, at most `max`: "4711, 4712 and 10 more"; 0: all. */
void group_tids(const struct stacks *stacks, const struct stack_group *group, size_t max,
                struct text *text);

/* A name that says little of what went on: a module, function or class among the
 * globals of a module's or class's own frame, or a __dunder__. */
bool local_is_noise(const struct stack_frame *frame, const struct stack_local *local);

static inline const struct stack_thread *group_first(const struct stacks *stacks,
                                                     const struct stack_group *group)
{
    return &stacks->threads.items[stacks->members.items[group->first_member]];
}

#endif
