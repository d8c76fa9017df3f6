/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_THREADS_TEXT_H
#define INQUEST_REPORTS_COMMANDS_THREADS_TEXT_H

#include "inquest/base/text.h"
#include "reports/commands/stacks_model.h"

struct stack_format {
    bool color;
    size_t width; /* of a line of a local; 0: no bound */
    bool no_locals;
    size_t max_locals; /* of one frame; 0: all, noise too */
    size_t max_items;  /* of one stack, the innermost; 0: all */
    const char *death; /* what the crashed thread died of, under its last frame; NULL: unknown */
    const char *more;  /* how to see what was left out: "-v shows them"; NULL: not said */
};

/* A thread, or a group of alike ones: heading, stack, locals, exceptions. */
void group_render(const struct stacks *stacks, const struct stack_group *group,
                  const struct stack_format *format, struct text *text);
/* "Thread 1 "MainThread" (tid 4242): crashed, main", in a line. */
void group_title(const struct stacks *stacks, const struct stack_group *group,
                 const struct stack_format *format, struct text *text);
/* The parts of it that other commands want alone. */
void stack_render(const struct stacks *stacks, const struct stack_group *group,
                  const struct stack_format *format, struct text *text);
void frame_line(const struct stack_frame *frame, const struct stack_format *format, bool alarm,
                struct text *text);
void locals_render(const struct stacks *stacks, const struct stack_frame *frame,
                   const struct stack_format *format, struct text *text);
/* The exceptions of a group's first thread, each under its heading. */
void group_exceptions(const struct stacks *stacks, const struct stack_group *group,
                      const struct stack_format *format, struct text *text);

/* The context variables of a thread, as locals of no frame. */
void context_render(const struct stacks *stacks, const struct stack_thread *thread,
                    const struct stack_format *format, struct text *text);

#endif
