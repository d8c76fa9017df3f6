/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_TASKS_H
#define INQUEST_ANALYZER_RUNTIME_TASKS_H

#include "analyzer/runtime/contexts.h"
#include "analyzer/runtime/lock_holders.h"
#include "analyzer/runtime/threads.h"

enum task_state {
    TASK_PENDING,    /* to be run in a coming turn of its loop */
    TASK_RUNNING,    /* the loop was within it */
    TASK_WAITING,    /* for a future */
    TASK_CANCELLING, /* cancel() was called, it has not ended yet */
    TASK_DONE,
    TASK_CANCELLED,
    TASK_STATE_COUNT
};
extern const char *const task_state_names[TASK_STATE_COUNT];

#define TASK_NO_THREAD SIZE_MAX

/* One asyncio task. Strings live in the process's arena; addresses are 0 for none. */
struct task_fact {
    uint64_t addr, loop_addr, coroutine_addr, context_addr;
    uint64_t waiter_addr; /* the future that it sleeps on */
    uint64_t end_addr;    /* what the innermost coroutine awaits, where that is no coroutine */
    bool is_c;            /* _asyncio.Task or a subclass; else asyncio.tasks.Task */
    enum task_state state;
    const char *name;                /* "Task-7"; NULL unreadable */
    const char *coroutine;           /* qualname */
    size_t thread;                   /* index in the thread list, or TASK_NO_THREAD */
    size_t first_frame, frame_count; /* in task_list.frames, innermost first */
    const char *waits_for;           /* in words, NULL: nothing to say */
    bool has_timeout;                /* some time-out would end the waiting */
    bool awaits_any;                 /* one of those that it awaits is enough */
    bool is_deadlocked;
};

/* Task `from` does not go on before task `to` does something. */
struct task_edge {
    uint32_t from, to;
    const char *via; /* "await", "gather", "TaskGroup", "Lock", … */
};

struct task_list {
    ARRAY(struct task_fact) tasks; /* ascending by address */
    ARRAY(struct frame_fact) frames;
    ARRAY(struct task_edge) edges; /* ascending by from, to */
    const char *note;              /* what is left out, or NULL */
};

struct task_search {
    struct code_table *codes;
    struct python_process *process;
    const struct thread_list *threads;
    struct task_list *list;
};

/* ---- tasks.c: all of it. Only running out of memory is an error. */
enum status tasks_collect(struct code_table *codes, struct python_process *process,
                          const struct thread_list *threads, struct task_list *ret_list) MUST_CHECK;
void task_list_deinit(struct task_list *list);
/* The task at an address; NULL: none. */
struct task_fact *task_at(const struct task_list *list, uint64_t addr);

/* ---- tasks_rows.c: tasks_collect, and its tables; `contexts` as context_rows says. */
enum status tasks_write(struct code_table *codes, struct python_process *process,
                        const struct thread_list *threads, struct index_writer *writer,
                        struct context_rows *contexts) MUST_CHECK;

/* ---- tasks_find.c: fills list->tasks with addr and is_c, each once. */
enum status tasks_find(struct task_search *search) MUST_CHECK;

/* ---- tasks_future.c: futures of both implementations, C's and Python's. */
bool future_is(struct python_process *process, uint64_t addr, bool *ret_is_c, bool *ret_is_task);
/* A field of C's, or an attribute of Python's; false where there is none. */
bool future_word(struct python_process *process, uint64_t addr, bool is_c, enum python_field field,
                 const char *attribute, uint64_t *ret_word);
enum future_state { FUTURE_PENDING, FUTURE_CANCELLED, FUTURE_FINISHED, FUTURE_UNKNOWN };
enum future_state future_state(struct python_process *process, uint64_t addr, bool is_c);
/* Calls `visit` for the callback objects of a future, first to last. */
typedef void (*callback_visitor)(void *context, uint64_t callback_addr);
void future_callbacks(struct python_process *process, uint64_t addr, bool is_c,
                      callback_visitor visit, void *context);
/* Name, state, coroutine, loop, context and waiter of a found task. */
void task_read(struct python_process *process, struct task_fact *task);

/* ---- tasks_chain.c: what a suspended coroutine, generator or async generator awaits. */
enum await_kind {
    AWAIT_FRAME,   /* a frame of Python's */
    AWAIT_WRAPPER, /* an object of C's around an awaitable */
    AWAIT_END,     /* anything else */
};
struct await_step {
    enum await_kind kind;
    struct frame_fact frame; /* of AWAIT_FRAME; .addr 0 where it has ended */
    bool is_running;
    uint64_t inner_addr; /* what it awaits, 0: nothing, or not to be known */
};
enum status await_step_read(struct code_table *codes, struct python_process *process, uint64_t addr,
                            struct await_step *ret_step) MUST_CHECK;
/* Fills a task's frames and its end_addr. */
enum status task_chain_read(struct task_search *search, struct task_fact *task) MUST_CHECK;

/* ---- tasks_wait.c: whom each task awaits, and for what, in words. */
enum status tasks_explain(struct task_search *search) MUST_CHECK;

/* ---- tasks_place.c: where in asyncio a task waits. */
#define WAIT_PLACE_SELVES 4
struct wait_place {
    const struct frame_fact *frame; /* the call into asyncio that it waits in, NULL: none */
    size_t depth;                   /* of that frame */
    const char *file;               /* "locks.py" */
    const char *function;           /* "acquire": without its class */
    uint64_t self_addr;             /* the object it is a method of, 0: none */
    const struct python_type *self_type;
    uint64_t selves[WAIT_PLACE_SELVES]; /* of all of the library's frames, innermost first */
    size_t self_count;
    const struct frame_fact *timed; /* wait_for() around it */
    uint64_t lock_addr;             /* the Lock or Semaphore being acquired, 0: none */
    bool lock_is_entered;           /* by `async with` */
};
void wait_place_find(struct task_search *search, const struct task_fact *task,
                     struct wait_place *ret_place);
bool object_is_none(struct python_process *process, uint64_t addr);
/* The named local variable of a frame; false where it is not bound. */
bool frame_variable(struct python_process *process, const struct frame_fact *frame,
                    const char *name, uint64_t *ret_value_addr);
/* The code of a task's innermost frame that is none of asyncio's; NULL: none. */
const struct code_info *task_own_code(const struct task_list *list, const struct task_fact *task);
/* Appends "asyncio.Queue.get() self.jobs, 0 items in it". */
void wait_place_words(struct task_search *search, const struct task_fact *task,
                      const struct wait_place *place, struct text *text);

#endif
