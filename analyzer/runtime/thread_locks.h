/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_THREAD_LOCKS_H
#define INQUEST_ANALYZER_RUNTIME_THREAD_LOCKS_H

#include "analyzer/runtime/threads.h"

/* Which thread each thread waits for. An RLock knows its owner, Thread.join() its
 * thread; who holds a Lock is told from the `with` statements that threads are in. */
enum lock_evidence { LOCK_NOT_KNOWN, LOCK_OWNER, LOCK_PROBABLE, LOCK_JOINED };

struct thread_lock {
    size_t holder; /* index in the thread list; of LOCK_NOT_KNOWN nothing */
    enum lock_evidence evidence;
    bool is_deadlocked;
};

struct thread_locks {
    ARRAY(struct thread_lock) items; /* parallel to the threads; empty: none waits */
};

enum status thread_locks_find(const struct core_dump *core, struct python_process *process,
                              struct code_table *codes, const struct thread_list *threads,
                              struct thread_locks *ret_locks) MUST_CHECK;
void thread_locks_deinit(struct thread_locks *locks);

/* What is known of the thread's lock, NULL: nothing. Adds it to the words of its wait. */
const struct thread_lock *thread_locks_tell(const struct thread_locks *locks,
                                            const struct thread_list *threads, size_t thread,
                                            struct wait_fact *wait);

#endif
