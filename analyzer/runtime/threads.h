/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_THREADS_H
#define INQUEST_ANALYZER_RUNTIME_THREADS_H

#include "analyzer/objects/object.h"
#include "analyzer/runtime/frames.h"
#include "inquest/base/array.h"

/* One thread: the kernel's, Python's or, mostly, both. */
struct thread_fact {
    const struct core_thread *native; /* NULL: the core has no such kernel thread */
    uint64_t state_addr;              /* PyThreadState, 0 for a thread without one */
    uint64_t ident;                   /* pthread_self() */
    uint32_t os_tid;                  /* 0 unknown */
    const char *name;                 /* NULL where it has none */
    bool is_main, is_crashed, holds_gil, collecting;
};

struct thread_list {
    ARRAY(struct thread_fact) threads; /* the kernel's order, then Python's own */
    const char *note;                  /* what cut the enumeration short, or NULL */
};

/* `process` NULL: kernel threads only. */
enum status threads_collect(const struct core_dump *core, struct python_process *process,
                            struct thread_list *ret_list) MUST_CHECK;
void thread_list_deinit(struct thread_list *list);

/* What a thread was doing when it was dumped, from its registers. */
struct wait_fact {
    const char *state;   /* "running", "waiting for the GIL", "sleeping", "in read", ... */
    char waits_for[512]; /* "lock self._lock <_thread.RLock at 0x...>", "" where nothing shows */
    uint64_t waits_for_addr; /* the lock object, else the word it sleeps on, 0 none */
};

/* `frames` are the thread's, innermost first; where its lock is looked for. */
void thread_wait(const struct core_dump *core, struct python_process *process,
                 const struct thread_list *threads, const struct thread_fact *thread,
                 const struct frame_list *frames, struct wait_fact *ret_wait);

/* The GIL's address, 0 where it can't be told. */
uint64_t gil_address(const struct python_process *process);

#endif
