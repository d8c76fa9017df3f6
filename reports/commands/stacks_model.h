/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_STACKS_MODEL_H
#define INQUEST_REPORTS_COMMANDS_STACKS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/text.h"

/* The dead process's threads as people want to see them: in order of importance,
 * alike ones grouped, recursion collapsed. Read once from the index; the text,
 * Markdown and HTML forms are all made from it. (JSON and CSV hold everything, in
 * the index's order, and are streamed: stacks_rows.h.) Strings live in the model's
 * arena; unknown ones are NULL, unknown lines 0 and columns -1. */

struct stack_local {
    const char *name, *type, *value;
    const char *kind; /* "argument", "local", "cell", "free" */
};

struct stack_frame {
    int64_t id;
    const char *function, *file; /* equal strings have equal pointers, */
    const char *owner;           /* so that frames are compared quickly */
    int32_t line, column;
    bool is_native, is_shown;
    uint32_t local_count; /* 0 while not shown */
    size_t first_local;   /* in stacks.locals */
};

/* What is printed of a stack, outermost first: a frame, or a gap. */
enum stack_item_kind {
    STACK_FRAME,
    STACK_REPEATED, /* the `cycle` frames before this, `times` more times */
    STACK_OMITTED,  /* `times` frames left out because there are so many */
};
struct stack_item {
    enum stack_item_kind kind;
    size_t frame; /* in stacks.frames */
    uint32_t cycle;
    uint64_t times;
};

struct stack_thread {
    int64_t id, os_tid; /* os_tid 0: unknown */
    uint64_t ident;
    const char *name, *state, *waits_for, *stack_note;
    int64_t waits_for_id; /* the thread that it waits for; 0: not known */
    bool is_main, is_crashed, holds_gil, is_python, collecting, is_deadlocked;
    size_t first_variable, variable_count; /* in stacks.variables: of its current context */
    size_t first_frame, frame_count;       /* in stacks.frames, innermost first */
    size_t first_exception, exception_count;
};

/* Threads with the same stack in the same state; most groups have one member.
 * Threads that matter by themselves are never grouped. */
struct stack_group {
    size_t first_member, member_count; /* in stacks.members */
    size_t first_item, item_count;     /* in stacks.items: the stack, once */
};

struct traceback_entry {
    const char *function, *file;
    int32_t line, column;
};

struct stack_exception {
    int64_t id;
    int64_t thread_id;
    const char *relation; /* "cause", "context", "group" (a member); NULL: the exception itself */
    const char *state;    /* "in flight", "handled" */
    const char *type, *message;
    const char *notes; /* as in the index: next_note() */
    uint64_t address;  /* 0: unknown */
    bool is_suppressed;
    size_t parent; /* in stacks.exceptions, always before this one; SIZE_MAX: none */
    size_t first_entry, entry_count; /* in stacks.entries, innermost first */
};

struct stacks {
    struct arena arena;
    ARRAY(struct stack_thread) threads; /* most important first */
    ARRAY(struct stack_frame) frames;
    ARRAY(struct stack_local) locals;
    ARRAY(struct stack_local) variables;      /* context variables, a thread's together */
    ARRAY(struct stack_exception) exceptions; /* a thread's together, by position */
    ARRAY(struct traceback_entry) entries;
    ARRAY(struct stack_group) groups;
    ARRAY(size_t) members;
    ARRAY(struct stack_item) items;
    size_t threads_not_shown; /* in groups past the limit */
    size_t threads_filtered;  /* that the filter took out */
};

struct stacks_options {
    bool no_locals;
    bool threads_only;    /* threads and exceptions: no frames, groups or locals */
    uint64_t group_limit; /* 0: all */
    size_t outer_frames;  /* of a stack longer than both together, the outermost */
    size_t inner_frames;  /* and the innermost so many items are shown; both 0: all */
    const char *thread;   /* a number, native id, ident or name; NULL: all */
};

/* STATUS_USAGE where no thread is the one asked for. */
enum status stacks_load(struct index *index, const struct stacks_options *options,
                        struct stacks *ret_stacks, struct error *err) MUST_CHECK;
void stacks_deinit(struct stacks *stacks);

/* Part of stacks_load, apart so that they can be tested by themselves:
 * stacks_shape.c. Each returns false when memory is out. */
bool stacks_group(struct stacks *stacks) MUST_CHECK;
bool stacks_collapse(struct stacks *stacks, const struct stacks_options *options) MUST_CHECK;

/* Part of stacks_load: exceptions and their tracebacks, those of the threads in
 * the model: exceptions_model.c. */
enum status stacks_load_exceptions(struct index *index, struct stacks *stacks,
                                   struct error *err) MUST_CHECK;

/* Puts the next of an exception's notes into `note`, which it empties first, and
 * moves on; false after the last. */
bool next_note(const char **notes, struct text *note);

/* Whether this thread is looked at by itself: it crashed, holds the GIL, is the
 * main one, or has an exception. */
bool stack_thread_matters(const struct stack_thread *thread);
/* "MainThread", "thread 4711", "C thread 4711", in the arena; NULL: no memory. */
const char *stack_thread_label(struct stacks *stacks, const struct stack_thread *thread);

#endif
