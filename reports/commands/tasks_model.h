/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_TASKS_MODEL_H
#define INQUEST_REPORTS_COMMANDS_TASKS_MODEL_H

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/text.h"

/* The asyncio tasks of the index, with who awaits whom. Read once; all forms of the
 * answer are made from it. Strings live in the model's arena, unknown ones are NULL. */

struct model_task {
    int64_t id, thread_id; /* thread_id 0: its loop does not run */
    uint64_t address;
    const char *name, *state, *coroutine, *waits_for, *thread;
    bool is_deadlocked;
    size_t first_frame, frame_count;       /* innermost first */
    size_t first_edge, edge_count;         /* whom it awaits */
    size_t awaiting;                       /* how many await it */
    size_t first_variable, variable_count; /* of its context */
};

struct model_task_frame {
    const char *function, *file, *owner;
    int64_t line, column; /* 0, -1: unknown */
};

struct model_task_edge {
    size_t to; /* in tasks */
    const char *via;
};

struct model_variable {
    const char *name, *type, *value;
};

struct tasks_model {
    struct arena arena;
    ARRAY(struct model_task) tasks; /* ascending by id */
    ARRAY(struct model_task_frame) frames;
    ARRAY(struct model_task_edge) edges;
    ARRAY(struct model_variable) variables;
    size_t loops, deadlocked;
};

enum status tasks_model_load(struct index *index, struct tasks_model *ret_model,
                             struct error *err) MUST_CHECK;
void tasks_model_deinit(struct tasks_model *model);
/* A task's name for people: "'Task-7'", or "at 0x…". */
void model_task_name(const struct model_task *task, struct text *text);
/* "57 tasks: 40 waiting, 3 pending, 1 running, 2 deadlocked" */
void tasks_model_summary(const struct tasks_model *model, struct text *text);
/* Calls `visit` for each cycle of deadlocked tasks, with its tasks in the order in
 * which each awaits the next. Appends nothing itself; false: memory ran out. */
typedef void (*deadlock_visitor)(void *context, const size_t *tasks, size_t count);
bool tasks_model_deadlocks(const struct tasks_model *model, deadlock_visitor visit,
                           void *context) MUST_CHECK;
/* "'left' → 'right' → 'left': asyncio.Lock held by task 'right'; …", unescaped. */
void deadlock_words(const struct tasks_model *model, const size_t *tasks, size_t count,
                    struct text *text);

/* ---- tasks_text.c */
struct tasks_format {
    bool color, verbose; /* verbose: all frames of all tasks */
    uint64_t limit;      /* of tasks; 0: all */
};
/* The tree, for a terminal. */
void tasks_render_text(const struct tasks_model *model, const struct tasks_format *format,
                       struct text *text);

#endif
