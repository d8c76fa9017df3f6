/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_POSTMORTEM_MODEL_H
#define INQUEST_REPORTS_COMMANDS_POSTMORTEM_MODEL_H

#include "reports/commands/deadlocks.h"
#include "reports/commands/stacks_model.h"

/* All that a report on a core says, built once from the index. Text, Markdown,
 * HTML and JSON are made from it and from nothing else. Strings are unescaped,
 * live in the model's arena, and are NULL where they are unknown. */

enum verdict_kind {
    VERDICT_CRASHED, /* a fault */
    VERDICT_ABORTED, /* the program, Python or libc gave up */
    VERDICT_KILLED,  /* a signal from outside */
    VERDICT_ALIVE,   /* the core is of a process that went on */
};

/* What can be said in a title and a value: "Executable", "/usr/bin/python3.11". */
struct fact {
    const char *title, *value;
};

struct memory_region {
    const char *region, *detail;
    int64_t bytes;
    bool is_reserved; /* addresses that nothing can be stored at */
    double share;     /* of the memory that is not reserved, 0 to 1; 0 where it is */
};

struct mapped_file {
    const char *path, *build_id, *source;
    uint64_t start, end;
};

struct model_warning {
    const char *area, *message;
};

/* A command that the reader may want next, and why; ready for a shell. */
struct next_step {
    const char *command, *reason;
};

struct postmortem {
    struct stacks stacks;
    struct arena arena;
    const char *input;
    enum verdict_kind kind;
    const char *program;               /* "shop/worker.py" */
    const char *verdict;               /* one sentence, no full stop */
    const char *where;                 /* "in checksum, shop/native.py line 33, …" or NULL */
    const char *death;                 /* "SIGSEGV: read of address 0x10, not mapped" or NULL */
    const struct stack_group *crashed; /* the group of the crashed thread, NULL: none */
    size_t exception;                  /* of the most important thread; SIZE_MAX: none */
    struct deadlocks deadlocks;        /* of threads, of tasks */
    ARRAY(struct fact) facts;
    ARRAY(struct fact) meta;               /* the index's own table */
    ARRAY(struct memory_region) memory;    /* largest first, what is reserved last */
    int64_t memory_total, memory_reserved; /* the total without what is reserved */
    ARRAY(struct mapped_file) files;
    ARRAY(struct model_warning) warnings;
    ARRAY(struct next_step) next;
    const struct parts *parts; /* postmortem_parts.h; borrowed; NULL: there is no heap */
};

struct postmortem_options {
    const char *input; /* as the user wrote it */
    struct stacks_options stacks;
};

enum status postmortem_build(struct index *index, const struct postmortem_options *options,
                             struct postmortem *ret_postmortem, struct error *err) MUST_CHECK;
void postmortem_deinit(struct postmortem *postmortem);
/* A meta value of the model, NULL where there is none. */
const char *postmortem_meta(const struct postmortem *postmortem, const char *key);

/* Parts of postmortem_build, apart so that they can be tested: verdict.c. Each
 * reads meta and stacks, and returns false when memory is out. */
const char *verdict_program(struct arena *arena, const char *command, const char *executable);
bool verdict_decide(struct postmortem *postmortem) MUST_CHECK;
/* A word for a POSIX shell, in quotes where it needs them; NULL: no memory. */
const char *shell_word(struct arena *arena, const char *word);

#endif
