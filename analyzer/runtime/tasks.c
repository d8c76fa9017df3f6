/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/tasks.h"

#include <stdlib.h>

#include "analyzer/objects/fields.h"
#include "inquest/base/partition_point.h"
#include "inquest/formats/asyncio_offsets.h"

/* ---- Which thread runs which loop. */
struct loop_thread {
    uint64_t loop_addr;
    size_t thread;
};
typedef ARRAY(struct loop_thread) loop_threads;

/* The loop's own word for it: the ident of the thread in run_forever(). */
static size_t thread_by_loop(struct task_search *search, uint64_t loop_addr)
{
    uint64_t ident_addr;
    int64_t ident;
    const struct thread_list *threads = search->threads;
    if (instance_attribute(search->process, loop_addr, "_thread_id", &ident_addr) != STATUS_OK ||
        int_read(search->process, ident_addr, &ident) != STATUS_OK || !ident)
        return TASK_NO_THREAD;
    for (size_t i = 0; i < threads->threads.count; i++)
        if (threads->threads.items[i].ident == (uint64_t)ident)
            return i;
    return TASK_NO_THREAD;
}

/* A loop of another make: the thread's own word, up to 3.13 in its dictionary. */
static uint64_t running_loop(struct task_search *search, const struct asyncio_offsets *offsets,
                             uint64_t state_addr)
{
    struct python_process *process = search->process;
    uint64_t addr;
    if (offsets->known)
        return memory_read_u64(process->image, state_addr + offsets->thread_running_loop, &addr) ==
                       STATUS_OK
                   ? addr
                   : 0;
    if (object_pointer(process, state_addr, PY_thread_dict, &addr) != STATUS_OK || !addr ||
        dict_get(process, addr, "__asyncio_running_event_loop__", &addr) != STATUS_OK ||
        object_pointer(process, addr, PY_awaitable_inner, &addr) != STATUS_OK)
        return 0;
    return addr;
}

static enum status list_running_loops(struct task_search *search, loop_threads *loops)
{
    struct asyncio_offsets offsets =
        asyncio_offsets_find(search->process->image, &search->process->layout);
    for (size_t i = 0; i < search->threads->threads.count; i++) {
        uint64_t state_addr = search->threads->threads.items[i].state_addr;
        struct loop_thread pair = {state_addr ? running_loop(search, &offsets, state_addr) : 0, i};
        if (pair.loop_addr && !array_push(loops, pair))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static size_t find_loop(const loop_threads *loops, uint64_t loop_addr, size_t from)
{
    for (size_t i = from; i < loops->count; i++)
        if (loops->items[i].loop_addr == loop_addr)
            return i;
    return SIZE_MAX;
}

/* Most processes have one loop, and most tasks the loop of the one before. */
static enum status find_threads(struct task_search *search)
{
    struct task_list *list = search->list;
    loop_threads running = {0}, known = {0};
    uint64_t last_loop = 0;
    size_t last_thread = TASK_NO_THREAD;
    enum status status = list_running_loops(search, &running);
    for (size_t i = 0; i < list->tasks.count && status == STATUS_OK; i++) {
        struct task_fact *task = &list->tasks.items[i];
        if (task->loop_addr && task->loop_addr != last_loop) {
            size_t place = find_loop(&known, task->loop_addr, 0);
            struct loop_thread pair = {task->loop_addr, TASK_NO_THREAD};
            if (place == SIZE_MAX) {
                pair.thread = thread_by_loop(search, task->loop_addr);
                size_t other = find_loop(&running, task->loop_addr, 0);
                if (pair.thread == TASK_NO_THREAD && other != SIZE_MAX)
                    pair.thread = running.items[other].thread;
                if (known.count < 4096 && !array_push(&known, pair))
                    status = STATUS_NO_MEMORY;
            } else {
                pair = known.items[place];
            }
            last_loop = pair.loop_addr;
            last_thread = pair.thread;
        }
        task->thread = task->loop_addr ? last_thread : TASK_NO_THREAD;
    }
    array_deinit(&running);
    array_deinit(&known);
    return status;
}

struct task_fact *task_at(const struct task_list *list, uint64_t addr)
{
    size_t low;
    PARTITION_POINT(low, list->tasks.count, list->tasks.items[low].addr < addr);
    return low < list->tasks.count && list->tasks.items[low].addr == addr ? &list->tasks.items[low]
                                                                          : NULL;
}

enum status tasks_collect(struct code_table *codes, struct python_process *process,
                          const struct thread_list *threads, struct task_list *ret_list)
{
    struct task_list list = {0};
    struct task_search search = {codes, process, threads, &list};
    enum status status = tasks_find(&search);
    for (size_t i = 0; i < list.tasks.count && status == STATUS_OK; i++)
        task_read(process, &list.tasks.items[i]);
    if (status == STATUS_OK)
        status = find_threads(&search);
    for (size_t i = 0; i < list.tasks.count && status == STATUS_OK; i++)
        status = task_chain_read(&search, &list.tasks.items[i]);
    if (status == STATUS_OK && list.tasks.count)
        status = tasks_explain(&search);
    if (status == STATUS_OK)
        *ret_list = list;
    else
        task_list_deinit(&list);
    return status;
}

void task_list_deinit(struct task_list *list)
{
    if (list) {
        array_deinit(&list->tasks);
        array_deinit(&list->frames);
        array_deinit(&list->edges);
    }
}
