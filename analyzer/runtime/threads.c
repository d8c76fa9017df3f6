/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/threads.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"

uint64_t gil_address(const struct python_process *process)
{
    uint64_t addr;
    if (layout_has(&process->layout, PY_runtime_gil))
        return process->runtime_addr + layout_get(&process->layout, PY_runtime_gil);
    if (layout_has(&process->layout, PY_interp_ceval_gil) &&
        object_pointer(process, process->interp_addr, PY_interp_ceval_gil, &addr) == STATUS_OK)
        return addr;
    return 0;
}

static bool read_u32(const struct python_process *process, uint64_t base, enum python_field field,
                     uint32_t *ret_value)
{
    return layout_has(&process->layout, field) &&
           memory_read_u32(process->image, base + layout_get(&process->layout, field), ret_value) ==
               STATUS_OK;
}

/* The thread state that holds the GIL, 0 for none. */
static uint64_t gil_holder(const struct python_process *process)
{
    uint64_t gil_addr = gil_address(process), holder_addr;
    uint32_t locked;
    if (!gil_addr || !read_u32(process, gil_addr, PY_gil_locked, &locked) || locked != 1 ||
        object_pointer(process, gil_addr, PY_gil_holder, &holder_addr) != STATUS_OK)
        return 0;
    return holder_addr;
}

static bool gc_is_collecting(const struct python_process *process)
{
    uint32_t collecting;
    uint64_t gc_addr = layout_has(&process->layout, PY_interp_gc)
                           ? process->interp_addr + layout_get(&process->layout, PY_interp_gc)
                       : layout_has(&process->layout, PY_runtime_gc)
                           ? process->runtime_addr + layout_get(&process->layout, PY_runtime_gc)
                           : 0;
    return gc_addr && read_u32(process, gc_addr, PY_gc_collecting, &collecting) && collecting == 1;
}

static enum status add_native_threads(const struct core_dump *core, struct thread_list *list)
{
    if (!array_reserve(&list->threads, core->threads.count))
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < core->threads.count; i++) {
        const struct core_thread *native = &core->threads.items[i];
        list->threads.items[list->threads.count++] = (struct thread_fact){
            .native = native,
            .os_tid = native->tid,
            .ident = native->registers.thread_pointer,
            .is_main = native->tid == core->pid,
            .is_crashed = i == 0 && core->signal.number != 0 && !core->made_by_gcore,
        };
    }
    return STATUS_OK;
}

/* ---- Matching Python's thread states to the kernel's threads, by sorted keys. */
struct key {
    uint64_t value;
    size_t index;
};

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    return a->value < b->value ? -1 : a->value > b->value;
}

static struct key *sorted_keys(const struct thread_list *list, bool by_tid)
{
    struct key *keys = calloc(list->threads.count + 1, sizeof *keys);
    for (size_t i = 0; keys && i < list->threads.count; i++) {
        const struct thread_fact *thread = &list->threads.items[i];
        keys[i] = (struct key){by_tid ? thread->os_tid : thread->ident, i};
    }
    if (keys)
        qsort(keys, list->threads.count, sizeof *keys, compare_keys);
    return keys;
}

static struct thread_fact *find_key(struct thread_list *list, const struct key *keys, size_t count,
                                    uint64_t value)
{
    struct key wanted = {.value = value};
    const struct key *found =
        value ? bsearch(&wanted, keys, count, sizeof *keys, compare_keys) : NULL;
    return found ? &list->threads.items[found->index] : NULL;
}

struct matcher {
    struct thread_list *list;
    struct key *by_tid, *by_ident;
    size_t native_count;
};

static const char note_cut[] =
    "the list of Python threads is cut: the memory of one is not in the core";

/* get_ident() is the thread pointer that the kernel saved; native_thread_id, from
 * 3.11 on, may be of another pid namespace than the core's, so it comes second. */
static enum status add_state(struct python_process *process, struct matcher *matcher,
                             uint64_t state_addr, uint64_t holder_addr, bool collecting)
{
    uint64_t ident = 0, native_id = 0;
    if (object_pointer(process, state_addr, PY_thread_id, &ident) != STATUS_OK)
        return STATUS_NOT_IN_DUMP;
    if (layout_has(&process->layout, PY_thread_native_id) &&
        object_pointer(process, state_addr, PY_thread_native_id, &native_id) != STATUS_OK)
        native_id = 0;
    struct thread_list *list = matcher->list;
    struct thread_fact *thread = find_key(list, matcher->by_ident, matcher->native_count, ident);
    if (!thread)
        thread = find_key(list, matcher->by_tid, matcher->native_count, native_id);
    if (!thread || thread->state_addr) {
        struct thread_fact lone = {.os_tid = (uint32_t)native_id};
        if (!array_push(&list->threads, lone))
            return STATUS_NO_MEMORY;
        thread = &list->threads.items[list->threads.count - 1];
    }
    thread->state_addr = state_addr;
    thread->ident = ident;
    thread->holds_gil = state_addr == holder_addr;
    thread->collecting = collecting && thread->holds_gil;
    return STATUS_OK;
}

typedef ARRAY(uint64_t) address_array;

/* A thread state points back to its interpreter; false only where it is there and does not. */
static bool is_of_interpreter(const struct python_process *process, uint64_t state_addr)
{
    uint64_t interp_addr;
    return object_pointer(process, state_addr, PY_thread_interp, &interp_addr) != STATUS_OK ||
           interp_addr == process->interp_addr;
}

/* The addresses of all thread states, each once. */
static enum status list_states(struct python_process *process, struct thread_list *list,
                               address_array *states)
{
    uint64_t addr;
    struct cycle_guard guard = {0};
    enum status status =
        object_pointer(process, process->interp_addr, PY_interp_threads_head, &addr);
    while (status == STATUS_OK && addr) {
        if (!cycle_guard_step(&guard, addr)) {
            states->count = cycle_guard_distinct(&guard, states->items, states->count);
            list->note = "the list of Python threads is damaged: it runs in a circle";
            return STATUS_OK;
        }
        if (states->count >= LIMIT_THREADS) {
            list->note = "the list of Python threads goes on past the limit of 1,000,000";
            return STATUS_OK;
        }
        if (!is_of_interpreter(process, addr)) {
            list->note = "the list of Python threads is damaged: it leads to what is no thread";
            return STATUS_OK;
        }
        if (!array_push(states, addr))
            return STATUS_NO_MEMORY;
        status = object_pointer(process, addr, PY_thread_next, &addr);
    }
    if (status != STATUS_OK)
        list->note = note_cut;
    return STATUS_OK;
}

static enum status add_states(struct python_process *process, struct matcher *matcher)
{
    uint64_t holder_addr = gil_holder(process);
    bool collecting = gc_is_collecting(process);
    address_array states = {0};
    enum status status = list_states(process, matcher->list, &states);
    for (size_t i = 0; i < states.count && status == STATUS_OK; i++) {
        status = add_state(process, matcher, states.items[i], holder_addr, collecting);
        if (status == STATUS_NOT_IN_DUMP) {
            matcher->list->note = note_cut;
            status = STATUS_OK;
        }
    }
    array_deinit(&states);
    return status;
}

/* ---- Names: threading._active is {ident: Thread}. */
static bool threading_active(struct python_process *process, uint64_t *ret_dict_addr)
{
    uint64_t modules_addr, module_addr, dict_addr;
    return object_pointer(process, process->interp_addr, PY_interp_modules, &modules_addr) ==
               STATUS_OK &&
           dict_get(process, modules_addr, "threading", &module_addr) == STATUS_OK &&
           object_pointer(process, module_addr, PY_module_dict, &dict_addr) == STATUS_OK &&
           dict_get(process, dict_addr, "_active", ret_dict_addr) == STATUS_OK;
}

static const char *thread_name(struct python_process *process, uint64_t thread_addr)
{
    uint64_t name_addr;
    struct text text = {.limit = LIMIT_NAME_BYTES};
    if (instance_attribute(process, thread_addr, "_name", &name_addr) != STATUS_OK)
        return NULL;
    if (str_equals(process, name_addr, "MainThread"))
        return "MainThread"; /* a constant: nothing to redact */
    str_display(process, name_addr, &text);
    const char *name = text_ok(&text) ? arena_strdup(process->arena, text_string(&text)) : NULL;
    text_deinit(&text);
    return name;
}

static void name_threads(struct python_process *process, struct thread_list *list)
{
    uint64_t active_addr, key_addr, value_addr;
    struct dict_iterator iterator;
    enum status status;
    struct key *by_ident = sorted_keys(list, false);
    if (by_ident && threading_active(process, &active_addr) &&
        dict_iterate(process, active_addr, &iterator) == STATUS_OK) {
        while (dict_next(process, &iterator, &key_addr, &value_addr, &status)) {
            int64_t ident;
            struct thread_fact *thread = NULL;
            if (int_read(process, key_addr, &ident) == STATUS_OK)
                thread = find_key(list, by_ident, list->threads.count, (uint64_t)ident);
            if (thread && thread->state_addr)
                thread->name = thread_name(process, value_addr);
        }
    }
    free(by_ident);
    /* a program that never imported threading still has a main thread */
    for (size_t i = 0; i < list->threads.count; i++) {
        struct thread_fact *thread = &list->threads.items[i];
        if (thread->is_main && thread->state_addr && !thread->name)
            thread->name = "MainThread";
    }
}

enum status threads_collect(const struct core_dump *core, struct python_process *process,
                            struct thread_list *ret_list)
{
    *ret_list = (struct thread_list){0};
    enum status status = add_native_threads(core, ret_list);
    if (status != STATUS_OK || !process)
        return status;
    struct matcher matcher = {.list = ret_list,
                              .by_tid = sorted_keys(ret_list, true),
                              .by_ident = sorted_keys(ret_list, false),
                              .native_count = ret_list->threads.count};
    status = matcher.by_tid && matcher.by_ident ? add_states(process, &matcher) : STATUS_NO_MEMORY;
    free(matcher.by_tid);
    free(matcher.by_ident);
    if (status == STATUS_OK)
        name_threads(process, ret_list);
    return status;
}

void thread_list_deinit(struct thread_list *list)
{
    if (list)
        array_deinit(&list->threads);
}
