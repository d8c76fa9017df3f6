/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/thread_locks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/objects/fields.h"
#include "analyzer/runtime/lock_holders.h"
#include "analyzer/runtime/wait_cycles.h"

#define FRAMES_SEARCHED 10000u /* of a thread, for `with` statements */
#define SYSCALL_FUTEX   202    /* x86-64 */

struct lock_search {
    const struct core_dump *core;
    struct python_process *process;
    struct code_table *codes;
    const struct thread_list *threads;
    struct held_objects held;
    uint64_t *lock_addr; /* that each thread waits for, 0: none */
    struct thread_lock *locks;
};

/* ---- Thread.join() */

struct self_search {
    uint64_t addr;
};

static void match_self(void *context, const char *name, enum variable_kind kind,
                       uint64_t value_addr)
{
    struct self_search *search = context;
    (void)kind;
    if (!strcmp(name, "self"))
        search->addr = value_addr;
}

static bool is_join(const struct frame_fact *frame)
{
    static const char file[] = "/threading.py";
    if (!frame->code)
        return false;
    size_t size = strlen(frame->code->file);
    const char *dot = strrchr(frame->code->function, '.');
    const char *name = dot ? dot + 1 : frame->code->function;
    return size >= sizeof file - 1 && !strcmp(frame->code->file + size - (sizeof file - 1), file) &&
           (!strcmp(name, "join") || !strcmp(name, "_wait_for_tstate_lock"));
}

static size_t thread_by_ident(const struct thread_list *threads, uint64_t ident)
{
    for (size_t i = 0; ident && i < threads->threads.count; i++)
        if (threads->threads.items[i].ident == ident && threads->threads.items[i].state_addr)
            return i;
    return SIZE_MAX;
}

static size_t joined_thread(struct lock_search *search, const struct frame_list *frames)
{
    struct self_search self = {0};
    uint64_t ident_addr;
    int64_t ident;
    if (!frames->frames.count || !is_join(&frames->frames.items[0]))
        return SIZE_MAX;
    frame_locals(search->process, &frames->frames.items[0], match_self, &self);
    if (!self.addr ||
        instance_attribute(search->process, self.addr, "_ident", &ident_addr) != STATUS_OK ||
        int_read(search->process, ident_addr, &ident) != STATUS_OK)
        return SIZE_MAX;
    return thread_by_ident(search->threads, (uint64_t)ident);
}

/* ---- locks */

static bool is_waiting(const struct thread_fact *thread)
{
    return thread->native && thread->state_addr && !thread->is_crashed &&
           thread->native->registers.original_ax == SYSCALL_FUTEX;
}

static void read_wait(struct lock_search *search, size_t at, const struct frame_list *frames)
{
    const struct python_type *type;
    struct wait_fact wait;
    uint64_t owner;
    struct thread_lock *lock = &search->locks[at];
    lock->holder = joined_thread(search, frames);
    if (lock->holder != SIZE_MAX) {
        lock->evidence = LOCK_JOINED;
        return;
    }
    thread_wait(search->core, search->process, search->threads, &search->threads->threads.items[at],
                frames, &wait);
    if (!wait.waits_for[0] || object_type(search->process, wait.waits_for_addr, &type) != STATUS_OK)
        return;
    search->lock_addr[at] = wait.waits_for_addr;
    if (type->kind == KIND_RLOCK && layout_has(&search->process->layout, PY_rlock_owner) &&
        object_pointer(search->process, wait.waits_for_addr, PY_rlock_owner, &owner) == STATUS_OK) {
        lock->holder = thread_by_ident(search->threads, owner);
        if (lock->holder != SIZE_MAX)
            lock->evidence = LOCK_OWNER;
    }
}

static enum status read_thread(struct lock_search *search, size_t at)
{
    const struct thread_fact *thread = &search->threads->threads.items[at];
    struct frame_list frames = {0};
    enum status status = frames_walk(search->codes, search->process, thread->state_addr, &frames);
    for (size_t i = 0; i < frames.frames.count && i < FRAMES_SEARCHED && status == STATUS_OK; i++)
        status =
            held_objects_add(&search->held, search->process, &frames.frames.items[i], at, true);
    if (status == STATUS_OK && is_waiting(thread))
        read_wait(search, at, &frames);
    frame_list_deinit(&frames);
    return status;
}

/* A `with` statement may have its exit method on the stack while it waits to enter. */
static size_t waiting_count(const struct lock_search *search, size_t thread, uint64_t lock_addr)
{
    return search->lock_addr[thread] == lock_addr;
}

/* Only where there is no doubt which thread it would be. */
static void find_holder(struct lock_search *search, size_t at)
{
    struct thread_lock *lock = &search->locks[at];
    size_t count, found = 0;
    uint64_t lock_addr = search->lock_addr[at];
    if (!lock_addr || lock->evidence != LOCK_NOT_KNOWN)
        return;
    const struct held_object *held = held_objects_find(&search->held, lock_addr, &count);
    for (size_t i = 0; i < count; i++) {
        if (held[i].count <= waiting_count(search, held[i].holder, lock_addr))
            continue;
        lock->holder = held[i].holder;
        found++;
    }
    if (found == 1)
        lock->evidence = LOCK_PROBABLE;
}

static enum status find_deadlocks(struct lock_search *search)
{
    uint32_t count = (uint32_t)search->threads->threads.count;
    struct wait_edge *edges = calloc(count + (size_t)1, sizeof *edges);
    bool *flags = calloc(3 * (count + (size_t)1), sizeof *flags);
    size_t edge_count = 0;
    enum status status = STATUS_NO_MEMORY;
    if (edges && flags) {
        for (uint32_t i = 0; i < count; i++) {
            if (search->locks[i].evidence != LOCK_NOT_KNOWN)
                edges[edge_count++] = (struct wait_edge){i, (uint32_t)search->locks[i].holder};
            else
                flags[i] = true;
        }
        struct wait_graph graph = {edges, edge_count, count, flags, flags + count + 1};
        status = wait_cycles_find(&graph, flags + 2 * (count + (size_t)1));
        for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
            search->locks[i].is_deadlocked = flags[2 * (count + (size_t)1) + i];
    }
    free(edges);
    free(flags);
    return status;
}

static enum status find_all(struct lock_search *search)
{
    size_t count = search->threads->threads.count;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (search->threads->threads.items[i].state_addr)
            status = read_thread(search, i);
    held_objects_sort(&search->held);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        find_holder(search, i);
    return status == STATUS_OK ? find_deadlocks(search) : status;
}

enum status thread_locks_find(const struct core_dump *core, struct python_process *process,
                              struct code_table *codes, const struct thread_list *threads,
                              struct thread_locks *ret_locks)
{
    struct thread_locks locks = {0};
    size_t count = threads->threads.count, waiting = 0;
    for (size_t i = 0; i < count; i++)
        waiting += is_waiting(&threads->threads.items[i]);
    *ret_locks = locks;
    if (!process || !waiting || core->arch != CORE_X86_64)
        return STATUS_OK;
    struct lock_search search = {core, process, codes, threads, {{0}}, NULL, NULL};
    search.lock_addr = calloc(count, sizeof *search.lock_addr);
    search.locks = calloc(count, sizeof *search.locks);
    enum status status = search.lock_addr && search.locks ? find_all(&search) : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        ret_locks->items.items = search.locks;
        ret_locks->items.count = ret_locks->items.capacity = count;
    } else {
        free(search.locks);
    }
    free(search.lock_addr);
    held_objects_deinit(&search.held);
    return status;
}

void thread_locks_deinit(struct thread_locks *locks)
{
    if (locks)
        array_deinit(&locks->items);
}

static void append(struct wait_fact *wait, const char *before, const struct thread_fact *thread)
{
    size_t size = strlen(wait->waits_for);
    if (thread->name)
        snprintf(wait->waits_for + size, sizeof wait->waits_for - size, "%s%s", before,
                 thread->name);
    else
        snprintf(wait->waits_for + size, sizeof wait->waits_for - size, "%sthread %u", before,
                 thread->os_tid);
}

const struct thread_lock *thread_locks_tell(const struct thread_locks *locks,
                                            const struct thread_list *threads, size_t thread,
                                            struct wait_fact *wait)
{
    if (thread >= locks->items.count || locks->items.items[thread].evidence == LOCK_NOT_KNOWN)
        return NULL;
    const struct thread_lock *lock = &locks->items.items[thread];
    const struct thread_fact *holder = &threads->threads.items[lock->holder];
    if (lock->evidence == LOCK_PROBABLE) {
        append(wait, ", probably held by ", holder);
    } else if (lock->evidence == LOCK_JOINED) {
        wait->waits_for[0] = '\0';
        wait->state = "waiting";
        append(wait, "Thread.join() of ", holder);
    }
    return lock;
}
