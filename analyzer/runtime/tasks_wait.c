/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a task awaits. It sleeps on one future. Where that is a task, a gather or a
 * lock, who will wake it is plain; else it is whoever has a callback that refers to
 * the future, or to the object whose method the task is in: shield, wait, wait_for,
 * TaskGroup and as_completed all work so. */
#include <inttypes.h>
#include <string.h>

#include "analyzer/objects/fields.h"
#include "analyzer/runtime/tasks.h"
#include "analyzer/runtime/wait_cycles.h"
#include "inquest/base/limits.h"
#include "inquest/base/partition_point.h"

#define CELLS_MAX   64u      /* of a callback */
#define FUTURES_MAX 2000000u /* that one gather waits for, nested ones included */
#define NAMES_SHOWN 3

/* A callback of task `task` refers to `addr`. */
struct referent {
    uint64_t addr;
    uint32_t task;
    const char *via;
};

struct explanation {
    struct task_search *search;
    ARRAY(struct referent) referents; /* ascending by addr */
    struct held_objects held;
    ARRAY(uint64_t) futures; /* that the task at hand waits for */
    uint32_t task;           /* the one at hand */
    const char *via;         /* of the callback at hand */
    enum status status;
};

/* ---- callbacks */

/* What asyncio calls the function that the callback belongs to. */
static const struct via_row {
    const char *function, *via;
} via_rows[] = {
    {"shield", "shield"},
    {"gather", "gather"},
    {"_wait", "wait"},
    {"_release_waiter", "wait_for"},
    {"TaskGroup", "TaskGroup"},
    {"as_completed", "as_completed"},
    {"_AsCompletedIterator", "as_completed"},
};

static const char *via_of(struct python_process *process, uint64_t function_addr)
{
    uint64_t name_addr;
    const char *name;
    if (object_pointer(process, function_addr, PY_function_qualname, &name_addr) != STATUS_OK ||
        str_name(process, name_addr, &name) != STATUS_OK)
        return "callback";
    size_t size = strcspn(name, ".");
    for (size_t i = 0; i < sizeof via_rows / sizeof *via_rows; i++)
        if (strlen(via_rows[i].function) == size && !strncmp(name, via_rows[i].function, size))
            return via_rows[i].via;
    return "callback";
}

static void add_referent(struct explanation *work, uint64_t addr)
{
    struct referent referent = {addr, work->task, work->via};
    if (addr && work->status == STATUS_OK && !array_push(&work->referents, referent))
        work->status = STATUS_NO_MEMORY;
}

static void add_closure(struct explanation *work, uint64_t function_addr)
{
    struct python_process *process = work->search->process;
    uint64_t tuple_addr, items_addr, count, cell_addr, content_addr;
    if (object_pointer(process, function_addr, PY_function_closure, &tuple_addr) != STATUS_OK ||
        !tuple_addr || tuple_items(process, tuple_addr, &items_addr, &count) != STATUS_OK)
        return;
    for (uint64_t i = 0; i < count && i < CELLS_MAX; i++)
        if (pointer_at(process, items_addr + 8 * i, &cell_addr) == STATUS_OK &&
            object_pointer(process, cell_addr, PY_cell_contents, &content_addr) == STATUS_OK)
            add_referent(work, content_addr);
}

static void add_partial(struct explanation *work, uint64_t partial_addr)
{
    struct python_process *process = work->search->process;
    uint64_t args_addr, items_addr, count, item_addr;
    if (object_pointer(process, partial_addr, PY_partial_args, &args_addr) != STATUS_OK ||
        tuple_items(process, args_addr, &items_addr, &count) != STATUS_OK)
        return;
    for (uint64_t i = 0; i < count && i < CELLS_MAX; i++)
        if (pointer_at(process, items_addr + 8 * i, &item_addr) == STATUS_OK)
            add_referent(work, item_addr);
}

static void add_callback(void *context, uint64_t callback_addr)
{
    struct explanation *work = context;
    struct python_process *process = work->search->process;
    const struct python_type *type;
    uint64_t addr;
    if (object_type(process, callback_addr, &type) != STATUS_OK)
        return;
    if (type->kind == KIND_FUNCTION) {
        work->via = via_of(process, callback_addr);
        add_closure(work, callback_addr);
    } else if (type->kind == KIND_METHOD &&
               object_pointer(process, callback_addr, PY_method_function, &addr) == STATUS_OK) {
        work->via = via_of(process, addr);
        if (object_pointer(process, callback_addr, PY_method_self, &addr) == STATUS_OK)
            add_referent(work, addr);
    } else if (type->kind == KIND_PARTIAL &&
               object_pointer(process, callback_addr, PY_partial_function, &addr) == STATUS_OK) {
        work->via = via_of(process, addr);
        add_partial(work, callback_addr);
    }
}

static bool has_ended(const struct task_fact *task)
{
    return task->state == TASK_DONE || task->state == TASK_CANCELLED;
}

static int compare_referents(const void *left, const void *right)
{
    const struct referent *a = left, *b = right;
    if (a->addr != b->addr)
        return a->addr < b->addr ? -1 : 1;
    return a->task < b->task ? -1 : a->task > b->task;
}

static void collect_referents(struct explanation *work)
{
    const struct task_list *list = work->search->list;
    for (size_t i = 0; i < list->tasks.count && work->status == STATUS_OK; i++) {
        const struct task_fact *task = &list->tasks.items[i];
        work->task = (uint32_t)i;
        if (!has_ended(task))
            future_callbacks(work->search->process, task->addr, task->is_c, add_callback, work);
    }
    if (work->referents.count)
        qsort(work->referents.items, work->referents.count, sizeof *work->referents.items,
              compare_referents);
}

/* ---- edges */

static void add_edge(struct explanation *work, uint32_t to, const char *via)
{
    struct task_list *list = work->search->list;
    struct task_edge edge = {work->task, to, via};
    if (work->status != STATUS_OK || has_ended(&list->tasks.items[to]))
        return;
    if (list->edges.count >= LIMIT_TASK_EDGES)
        list->note = "tasks await each other more than 8,000,000 times: the rest is left out";
    else if (!array_push(&list->edges, edge))
        work->status = STATUS_NO_MEMORY;
}

static void add_edges_by_callback(struct explanation *work, uint64_t addr)
{
    size_t low;
    PARTITION_POINT(low, work->referents.count, work->referents.items[low].addr < addr);
    for (; low < work->referents.count && work->referents.items[low].addr == addr; low++)
        add_edge(work, work->referents.items[low].task, work->referents.items[low].via);
}

static void push_future(struct explanation *work, uint64_t addr)
{
    if (work->futures.count >= FUTURES_MAX)
        work->search->list->note = "a gather has more than 2,000,000 members: the rest is left out";
    else if (work->status == STATUS_OK && !array_push(&work->futures, addr))
        work->status = STATUS_NO_MEMORY;
}

/* gather's future knows its children. */
static bool push_children(struct explanation *work, uint64_t addr)
{
    struct python_process *process = work->search->process;
    const struct python_type *type;
    uint64_t list_addr, items_addr, count, child_addr;
    if (object_type(process, addr, &type) != STATUS_OK ||
        !type_derives_from(process, type, "asyncio.tasks._GatheringFuture") ||
        instance_attribute(process, addr, "_children", &list_addr) != STATUS_OK ||
        list_items(process, list_addr, &items_addr, &count) != STATUS_OK)
        return false;
    for (uint64_t i = 0; i < count && i < FUTURES_MAX; i++)
        if (pointer_at(process, items_addr + 8 * i, &child_addr) == STATUS_OK)
            push_future(work, child_addr);
    return true;
}

static void add_edges_of_futures(struct explanation *work, uint64_t future_addr, bool *ret_gathers)
{
    const char *via = "await";
    work->futures.count = 0;
    push_future(work, future_addr);
    *ret_gathers = false;
    for (size_t i = 0; i < work->futures.count; i++) {
        uint64_t addr = work->futures.items[i];
        struct task_fact *task = task_at(work->search->list, addr);
        if (task) {
            add_edge(work, (uint32_t)(task - work->search->list->tasks.items), via);
        } else if (push_children(work, addr)) {
            *ret_gathers = true;
            via = "gather";
        } else {
            add_edges_by_callback(work, addr);
        }
    }
}

/* Those inside of the lock that the task wants; itself too, where it is in it already. */
static void add_edges_of_lock(struct explanation *work, const struct wait_place *place)
{
    size_t count;
    const struct held_object *held = held_objects_find(&work->held, place->lock_addr, &count);
    const char *via = place->self_type ? place->self_type->short_name : "lock";
    for (size_t i = 0; i < count; i++) {
        size_t entered = held[i].holder == work->task && place->lock_is_entered ? 1 : 0;
        if (held[i].count <= entered)
            continue;
        /* one that waits for it by `async with` as well is not in it yet */
        const struct task_fact *holder = &work->search->list->tasks.items[held[i].holder];
        struct wait_place other;
        if (held[i].holder != work->task && holder->waiter_addr) {
            wait_place_find(work->search, holder, &other);
            if (other.lock_addr == place->lock_addr && other.lock_is_entered && held[i].count == 1)
                continue;
        }
        add_edge(work, (uint32_t)held[i].holder, via);
    }
}

/* ---- words */

static void task_words(const struct task_fact *task, struct text *text)
{
    if (task->name)
        text_printf(text, "'%s'", task->name);
    else
        text_printf(text, "at 0x%" PRIx64, task->addr);
}

/* "task 'a'", "tasks 'a', 'b', 'c' and 7 more": those from the edge `first` on. */
static void edge_words(const struct task_list *list, size_t first, struct text *text)
{
    size_t count = list->edges.count - first;
    text_append(text, count == 1 ? "task " : "tasks ");
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++) {
        text_append(text, i ? ", " : "");
        task_words(&list->tasks.items[list->edges.items[first + i].to], text);
    }
    if (count > NAMES_SHOWN)
        text_printf(text, " and %zu more", count - NAMES_SHOWN);
}

/* run_in_executor and wrap_future chain a thread's future to the loop's. */
static void match_chain(void *context, uint64_t callback_addr)
{
    struct explanation *work = context;
    uint64_t name_addr;
    const char *name;
    const struct python_type *type;
    struct python_process *process = work->search->process;
    if (object_type(process, callback_addr, &type) == STATUS_OK && type->kind == KIND_FUNCTION &&
        object_pointer(process, callback_addr, PY_function_qualname, &name_addr) == STATUS_OK &&
        str_name(process, name_addr, &name) == STATUS_OK && !strncmp(name, "_chain_future.", 14))
        work->via = "a call in another thread (run_in_executor, wrap_future)";
}

static void plain_future_words(struct explanation *work, const struct task_fact *task,
                               size_t first_edge, struct text *text)
{
    const struct task_list *list = work->search->list;
    bool is_c, is_task;
    const struct code_info *code = task_own_code(list, task);
    work->via = NULL;
    if (future_is(work->search->process, task->waiter_addr, &is_c, &is_task))
        future_callbacks(work->search->process, task->waiter_addr, is_c, match_chain, work);
    if (list->edges.count > first_edge &&
        strcmp(list->edges.items[first_edge].via, "callback") != 0)
        text_printf(text, "asyncio.%s()", list->edges.items[first_edge].via);
    else
        text_append(text, work->via ? work->via : "a future");
    if (code && !work->via && list->edges.count == first_edge)
        text_printf(text, " in %s()", code->function);
}

static void timeout_words(struct explanation *work, const struct wait_place *place,
                          struct text *text)
{
    uint64_t addr;
    struct python_process *process = work->search->process;
    if (!place->timed || !frame_variable(process, place->timed, "timeout", &addr) ||
        object_is_none(process, addr))
        return;
    text_append(text, " within asyncio.wait_for(");
    object_repr(process, addr, &repr_limits_default, text);
    text_append_char(text, ')');
}

static void write_words(struct explanation *work, struct task_fact *task,
                        const struct wait_place *place, bool gathers, size_t first_edge)
{
    struct task_list *list = work->search->list;
    struct text text = {.limit = LIMIT_NAME_BYTES};
    bool has_edges = list->edges.count > first_edge;
    bool is_lock = place->lock_addr && place->lock_addr == place->self_addr;
    if (task_at(list, task->waiter_addr) && has_edges) {
        edge_words(list, first_edge, &text);
    } else {
        if (gathers)
            text_append(&text, "asyncio.gather()");
        else if (place->frame)
            wait_place_words(work->search, task, place, &text);
        else
            plain_future_words(work, task, first_edge, &text);
        if (has_edges) {
            text_append(&text, is_lock ? " held by " : ": ");
            edge_words(list, first_edge, &text);
        }
    }
    timeout_words(work, place, &text);
    task->waits_for = arena_strdup(work->search->process->arena, text_string(&text));
    if (!task->waits_for || !text_ok(&text))
        work->status = STATUS_NO_MEMORY;
    text_deinit(&text);
}

/* ---- one task */

static int compare_edges(const void *left, const void *right)
{
    const struct task_edge *a = left, *b = right;
    return a->to < b->to ? -1 : a->to > b->to;
}

/* Sorts a task's edges; one is enough of those to the same task. */
static void unite_edges(struct task_list *list, size_t first)
{
    size_t kept = first;
    if (list->edges.count > first)
        qsort(&list->edges.items[first], list->edges.count - first, sizeof *list->edges.items,
              compare_edges);
    for (size_t i = first; i < list->edges.count; i++)
        if (kept == first || list->edges.items[kept - 1].to != list->edges.items[i].to)
            list->edges.items[kept++] = list->edges.items[i];
    list->edges.count = kept;
}

static bool variable_is_set(struct explanation *work, const struct frame_fact *frame,
                            const char *name)
{
    uint64_t addr;
    return frame && frame_variable(work->search->process, frame, name, &addr) &&
           !object_is_none(work->search->process, addr);
}

/* What lets a task go on although those that it awaits don't. */
static void read_ways_out(struct explanation *work, struct task_fact *task,
                          const struct wait_place *place, size_t first_edge)
{
    const struct task_list *list = work->search->list;
    const char *via = list->edges.count > first_edge ? list->edges.items[first_edge].via : "";
    uint64_t addr;
    task->awaits_any = strcmp(via, "as_completed") == 0 ||
                       (place->self_type && place->lock_addr == place->self_addr &&
                        place->lock_addr && strstr(place->self_type->name, "Semaphore") != NULL) ||
                       (strcmp(via, "wait") == 0 && place->frame &&
                        frame_variable(work->search->process, place->frame, "return_when", &addr) &&
                        !str_equals(work->search->process, addr, "ALL_COMPLETED"));
    task->has_timeout |=
        variable_is_set(work, place->timed, "timeout") ||
        (strcmp(via, "wait") == 0 && variable_is_set(work, place->frame, "timeout"));
}

static void explain_task(struct explanation *work, struct task_fact *task)
{
    struct task_list *list = work->search->list;
    size_t first_edge = list->edges.count;
    struct wait_place place;
    bool gathers;
    wait_place_find(work->search, task, &place);
    add_edges_of_futures(work, task->waiter_addr, &gathers);
    for (size_t i = 0; i < place.self_count; i++)
        add_edges_by_callback(work, place.selves[i]);
    if (place.lock_addr)
        add_edges_of_lock(work, &place);
    unite_edges(list, first_edge);
    if (work->status == STATUS_OK)
        write_words(work, task, &place, gathers, first_edge);
    read_ways_out(work, task, &place, first_edge);
}

/* ---- all tasks */

static enum status collect_held(struct explanation *work)
{
    const struct task_list *list = work->search->list;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < list->tasks.count; i++) {
        const struct task_fact *task = &list->tasks.items[i];
        for (size_t j = 0; j < task->frame_count && status == STATUS_OK; j++)
            status = held_objects_add(&work->held, work->search->process,
                                      &list->frames.items[task->first_frame + j], i,
                                      task->state == TASK_RUNNING);
    }
    return status;
}

/* `async with asyncio.timeout(…)`, while its time has not been taken back. */
static void read_timeouts(struct explanation *work)
{
    struct python_process *process = work->search->process;
    const struct python_type *type;
    uint64_t when_addr;
    for (size_t i = 0; i < work->held.items.count; i++) {
        const struct held_object *held = &work->held.items.items[i];
        if (object_type(process, held->addr, &type) == STATUS_OK && type->kind == KIND_UNKNOWN &&
            (type_derives_from(process, type, "asyncio.timeouts.Timeout") ||
             type_derives_from(process, type, "async_timeout.Timeout")) &&
            instance_attribute(process, held->addr, "_when", &when_addr) == STATUS_OK &&
            !object_is_none(process, when_addr))
            work->search->list->tasks.items[held->holder].has_timeout = true;
    }
}

static enum status find_deadlocks(struct task_list *list)
{
    size_t count = list->tasks.count;
    struct wait_edge *edges = calloc(list->edges.count + 1, sizeof *edges);
    bool *can_go_on = calloc(count + 1, sizeof *can_go_on);
    bool *awaits_any = calloc(count + 1, sizeof *awaits_any);
    bool *in_cycle = calloc(count + 1, sizeof *in_cycle);
    enum status status = STATUS_NO_MEMORY;
    if (edges && can_go_on && awaits_any && in_cycle) {
        for (size_t i = 0; i < list->edges.count; i++)
            edges[i] = (struct wait_edge){list->edges.items[i].from, list->edges.items[i].to};
        for (size_t i = 0; i < count; i++) {
            can_go_on[i] =
                list->tasks.items[i].state != TASK_WAITING || list->tasks.items[i].has_timeout;
            awaits_any[i] = list->tasks.items[i].awaits_any;
        }
        status = wait_cycles_find(
            &(struct wait_graph){edges, list->edges.count, (uint32_t)count, can_go_on, awaits_any},
            in_cycle);
        for (size_t i = 0; i < count && status == STATUS_OK; i++)
            list->tasks.items[i].is_deadlocked = in_cycle[i];
    }
    free(edges);
    free(can_go_on);
    free(awaits_any);
    free(in_cycle);
    return status;
}

enum status tasks_explain(struct task_search *search)
{
    struct explanation work = {.search = search};
    struct task_list *list = search->list;
    collect_referents(&work);
    if (work.status == STATUS_OK)
        work.status = collect_held(&work);
    held_objects_sort(&work.held);
    read_timeouts(&work);
    for (size_t i = 0; i < list->tasks.count && work.status == STATUS_OK; i++) {
        struct task_fact *task = &list->tasks.items[i];
        work.task = (uint32_t)i;
        if (task->waiter_addr && (task->state == TASK_WAITING || task->state == TASK_CANCELLING))
            explain_task(&work, task);
    }
    if (work.status == STATUS_OK)
        work.status = find_deadlocks(list);
    array_deinit(&work.referents);
    array_deinit(&work.futures);
    held_objects_deinit(&work.held);
    return work.status;
}
