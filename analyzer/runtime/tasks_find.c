/* SPDX-License-Identifier: Apache-2.0 */
/* Where the tasks of all loops are kept.
 *
 * Up to 3.13 the module asyncio.tasks has a WeakSet of them, `_all_tasks` (3.8 to
 * 3.11) or `_scheduled_tasks`, and from 3.12 on `_eager_tasks`, a set of those in
 * their first step. `_current_tasks` maps a loop to the task that it runs. From 3.14
 * on these hold Python's own tasks alone; C's are linked through
 *
 * OFFSET (layout)      MEANING
 * task_node            next, previous: nodes of other tasks, or the head
 * thread_tasks_head    of a thread's state: head of the tasks created there
 * interp_tasks_head    of the interpreter: those of threads that have ended
 * thread_running_task  of a thread's state: the task that it runs
 *
 * The library tells the last three itself (`_AsyncioDebug` in _asyncio), where its
 * file is at hand.
 * Source: Lib/asyncio/tasks.py, Modules/_asynciomodule.c of each version. */
#include <stdlib.h>

#include "analyzer/objects/containers.h"
#include "analyzer/runtime/tasks.h"
#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"
#include "inquest/formats/asyncio_offsets.h"

static const char note_lists[] = "asyncio's list of tasks is damaged: some may be missing";
static const char note_many[] = "there are more than 2,000,000 asyncio tasks: the rest is left out";

/* False: no task, or it is not to be had. */
static enum status add_task(struct task_search *search, uint64_t addr, bool is_running,
                            bool *ret_is_task)
{
    struct task_list *list = search->list;
    bool is_c, is_task;
    *ret_is_task = future_is(search->process, addr, &is_c, &is_task) && is_task;
    if (!*ret_is_task)
        return STATUS_OK;
    if (list->tasks.count >= LIMIT_TASKS) {
        list->note = note_many;
        return STATUS_OK;
    }
    struct task_fact task = {.addr = addr,
                             .is_c = is_c,
                             .state = is_running ? TASK_RUNNING : TASK_PENDING,
                             .thread = TASK_NO_THREAD};
    return array_push(&list->tasks, task) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- 3.14 on: linked lists */

/* A list's head is what its first node leads back to. */
static bool is_head(const struct python_process *process, uint64_t head_addr)
{
    uint64_t node_addr, back_addr;
    return memory_read_u64(process->image, head_addr, &node_addr) == STATUS_OK && node_addr &&
           memory_read_u64(process->image, node_addr + 8, &back_addr) == STATUS_OK &&
           back_addr == head_addr;
}

static enum status walk_list(struct task_search *search, uint64_t head_addr)
{
    const struct python_process *process = search->process;
    uint64_t node_addr, previous_addr = head_addr, back_addr, in_task;
    struct cycle_guard guard = {0};
    enum status status = STATUS_OK;
    in_task = layout_get(&process->layout, PY_task_node);
    if (memory_read_u64(process->image, head_addr, &node_addr) != STATUS_OK) {
        search->list->note = note_lists;
        return STATUS_OK;
    }
    while (node_addr && node_addr != head_addr && status == STATUS_OK) {
        bool is_task = false;
        if (!cycle_guard_step(&guard, node_addr) ||
            memory_read_u64(process->image, node_addr + 8, &back_addr) != STATUS_OK ||
            back_addr != previous_addr) {
            search->list->note = note_lists;
            break;
        }
        status = add_task(search, node_addr - in_task, false, &is_task);
        previous_addr = node_addr;
        if (!is_task || memory_read_u64(process->image, node_addr, &node_addr) != STATUS_OK) {
            search->list->note = note_lists;
            break;
        }
    }
    return status;
}

static enum status find_listed(struct task_search *search)
{
    struct python_process *process = search->process;
    struct asyncio_offsets offsets = asyncio_offsets_find(process->image, &process->layout);
    enum status status = STATUS_OK;
    if (!offsets.known)
        return STATUS_OK;
    uint64_t interp_head_addr = process->interp_addr + offsets.interp_tasks_head;
    if (offsets.interp_tasks_head &&
        (!offsets.interp_is_guess || is_head(process, interp_head_addr)))
        status = walk_list(search, interp_head_addr);
    for (size_t i = 0; i < search->threads->threads.count && status == STATUS_OK; i++) {
        uint64_t state_addr = search->threads->threads.items[i].state_addr, task_addr;
        bool is_task;
        if (!state_addr)
            continue;
        status = walk_list(search, state_addr + offsets.thread_tasks_head);
        if (status == STATUS_OK &&
            memory_read_u64(process->image, state_addr + offsets.thread_running_task, &task_addr) ==
                STATUS_OK &&
            task_addr)
            status = add_task(search, task_addr, true, &is_task);
    }
    return status;
}

/* ---- Python's own sets */

static bool tasks_module(struct python_process *process, uint64_t *ret_dict_addr)
{
    uint64_t modules_addr, module_addr;
    return object_pointer(process, process->interp_addr, PY_interp_modules, &modules_addr) ==
               STATUS_OK &&
           dict_get(process, modules_addr, "asyncio.tasks", &module_addr) == STATUS_OK &&
           object_pointer(process, module_addr, PY_module_dict, ret_dict_addr) == STATUS_OK;
}

static enum status add_set(struct task_search *search, uint64_t set_addr)
{
    struct python_process *process = search->process;
    struct set_iterator iterator;
    const struct python_type *type;
    uint64_t item_addr;
    bool is_task;
    enum status status = STATUS_OK, damage = STATUS_OK;
    if (set_iterate(process, set_addr, &iterator) != STATUS_OK) {
        search->list->note = note_lists;
        return STATUS_OK;
    }
    while (status == STATUS_OK && set_next(process, &iterator, &item_addr, &damage)) {
        if (object_type(process, item_addr, &type) == STATUS_OK && type->kind == KIND_WEAKREF &&
            object_pointer(process, item_addr, PY_weakref_object, &item_addr) != STATUS_OK)
            continue;
        status = add_task(search, item_addr, false, &is_task);
    }
    if (damage != STATUS_OK)
        search->list->note = note_lists;
    return status;
}

/* A set, or a WeakSet, whose `data` is a set of weak references. */
static enum status add_named_set(struct task_search *search, uint64_t dict_addr, const char *name)
{
    const struct python_type *type;
    uint64_t set_addr;
    if (dict_get(search->process, dict_addr, name, &set_addr) != STATUS_OK ||
        object_type(search->process, set_addr, &type) != STATUS_OK)
        return STATUS_OK;
    if (type->kind != KIND_SET &&
        instance_attribute(search->process, set_addr, "data", &set_addr) != STATUS_OK)
        return STATUS_OK;
    return add_set(search, set_addr);
}

static enum status add_current(struct task_search *search, uint64_t dict_addr)
{
    uint64_t current_addr, loop_addr, task_addr;
    struct dict_iterator iterator;
    enum status status = STATUS_OK, damage = STATUS_OK;
    bool is_task;
    if (dict_get(search->process, dict_addr, "_current_tasks", &current_addr) != STATUS_OK ||
        dict_iterate(search->process, current_addr, &iterator) != STATUS_OK)
        return STATUS_OK;
    while (status == STATUS_OK &&
           dict_next(search->process, &iterator, &loop_addr, &task_addr, &damage))
        status = add_task(search, task_addr, true, &is_task);
    return status;
}

/* ---- each once */

/* By address; of two of one task the one that knows that it runs comes first. */
static int compare_tasks(const void *left, const void *right)
{
    const struct task_fact *a = left, *b = right;
    if (a->addr != b->addr)
        return a->addr < b->addr ? -1 : 1;
    return (a->state != TASK_RUNNING) - (b->state != TASK_RUNNING);
}

static void sort_and_unite(struct task_list *list)
{
    size_t kept = 0;
    if (list->tasks.count)
        qsort(list->tasks.items, list->tasks.count, sizeof *list->tasks.items, compare_tasks);
    for (size_t i = 0; i < list->tasks.count; i++)
        if (!kept || list->tasks.items[kept - 1].addr != list->tasks.items[i].addr)
            list->tasks.items[kept++] = list->tasks.items[i];
    list->tasks.count = kept;
}

enum status tasks_find(struct task_search *search)
{
    static const char *const sets[] = {"_all_tasks", "_scheduled_tasks", "_eager_tasks"};
    uint64_t dict_addr;
    enum status status = STATUS_OK;
    if (!tasks_module(search->process, &dict_addr))
        return STATUS_OK; /* asyncio was never imported */
    for (size_t i = 0; i < sizeof sets / sizeof *sets && status == STATUS_OK; i++)
        status = add_named_set(search, dict_addr, sets[i]);
    if (status == STATUS_OK)
        status = add_current(search, dict_addr);
    if (status == STATUS_OK && layout_has(&search->process->layout, PY_task_node))
        status = find_listed(search);
    sort_and_unite(search->list);
    return status;
}
