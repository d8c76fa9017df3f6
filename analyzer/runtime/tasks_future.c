/* SPDX-License-Identifier: Apache-2.0 */
/* Futures and tasks, as C has them (Modules/_asynciomodule.c) and as Python has
 * them (Lib/asyncio/futures.py, tasks.py).
 *
 * OFFSET (layout)      SIZE  PYTHON                  MEANING
 * future_loop          8     _loop                   its event loop
 * future_state         4     _state                  0 PENDING, 1 CANCELLED, 2 FINISHED
 * future_callback      8     -                       the first callback
 * future_callbacks     8     _callbacks              list of (callback, context), or None
 * task_waiter          8     _fut_waiter             the future that the task sleeps on
 * task_coroutine       8     _coro
 * task_name            8     _name                   str; int N for "Task-N"
 * task_context         8     _context
 * task_must_cancel     1     _must_cancel            under task_must_cancel_mask
 * task_cancels         4     _num_cancels_requested  from 3.11 on */
#include <inttypes.h>
#include <string.h>

#include "analyzer/objects/fields.h"
#include "analyzer/runtime/tasks.h"
#include "inquest/base/limits.h"

#define CALLBACKS_MAX 100000u

const char *const task_state_names[TASK_STATE_COUNT] = {
    [TASK_PENDING] = "pending", [TASK_RUNNING] = "running",
    [TASK_WAITING] = "waiting", [TASK_CANCELLING] = "being cancelled",
    [TASK_DONE] = "done",       [TASK_CANCELLED] = "cancelled",
};

bool future_is(struct python_process *process, uint64_t addr, bool *ret_is_c, bool *ret_is_task)
{
    const struct python_type *type;
    if (!addr || object_type(process, addr, &type) != STATUS_OK || type->kind != KIND_UNKNOWN)
        return false;
    *ret_is_c = type_derives_from(process, type, "_asyncio.Future");
    if (*ret_is_c) {
        *ret_is_task = type_derives_from(process, type, "_asyncio.Task");
        return true;
    }
    *ret_is_task = type_derives_from(process, type, "asyncio.tasks.Task");
    return *ret_is_task || type_derives_from(process, type, "asyncio.futures.Future");
}

bool future_word(struct python_process *process, uint64_t addr, bool is_c, enum python_field field,
                 const char *attribute, uint64_t *ret_word)
{
    uint64_t word;
    enum status status = STATUS_NOT_IN_DUMP;
    if (is_c && layout_has(&process->layout, field))
        status = object_pointer(process, addr, field, &word);
    else if (!is_c && attribute)
        status = instance_attribute(process, addr, attribute, &word);
    if (status != STATUS_OK || !word || object_is_none(process, word))
        return false;
    *ret_word = word;
    return true;
}

enum future_state future_state(struct python_process *process, uint64_t addr, bool is_c)
{
    static const char *const names[] = {"PENDING", "CANCELLED", "FINISHED"};
    uint32_t number;
    uint64_t word;
    if (is_c)
        return field_u32(process, addr, PY_future_state, &number) == STATUS_OK &&
                       number <= FUTURE_FINISHED
                   ? (enum future_state)number
                   : FUTURE_UNKNOWN;
    if (!future_word(process, addr, false, PY_future_state, "_state", &word))
        return FUTURE_UNKNOWN;
    for (unsigned i = 0; i <= FUTURE_FINISHED; i++)
        if (str_equals(process, word, names[i]))
            return (enum future_state)i;
    return FUTURE_UNKNOWN;
}

/* An item of `_callbacks` is a pair, the callback and its context. */
static uint64_t callback_of(struct python_process *process, uint64_t pair_addr)
{
    const struct python_type *type;
    uint64_t items_addr, count, callback_addr;
    if (object_type(process, pair_addr, &type) == STATUS_OK && type->kind == KIND_TUPLE &&
        tuple_items(process, pair_addr, &items_addr, &count) == STATUS_OK && count &&
        pointer_at(process, items_addr, &callback_addr) == STATUS_OK)
        return callback_addr;
    return pair_addr;
}

void future_callbacks(struct python_process *process, uint64_t addr, bool is_c,
                      callback_visitor visit, void *context)
{
    uint64_t word, items_addr, count;
    if (is_c && future_word(process, addr, true, PY_future_callback, NULL, &word))
        visit(context, word);
    if (!future_word(process, addr, is_c, PY_future_callbacks, "_callbacks", &word) ||
        list_items(process, word, &items_addr, &count) != STATUS_OK)
        return;
    for (uint64_t i = 0; i < count && i < CALLBACKS_MAX; i++)
        if (pointer_at(process, items_addr + 8 * i, &word) == STATUS_OK && word)
            visit(context, callback_of(process, word));
}

/* ---- tasks */

/* What asyncio numbers by itself says nothing of anybody's data. */
static bool is_numbered(const char *name)
{
    return !strncmp(name, "Task-", 5) && name[5] && !name[5 + strspn(name + 5, "0123456789")];
}

static const char *read_name(struct python_process *process, const struct task_fact *task)
{
    uint64_t word;
    int64_t number;
    const char *plain;
    struct text text = {.limit = LIMIT_NAME_BYTES};
    if (!future_word(process, task->addr, task->is_c, PY_task_name, "_name", &word))
        return NULL;
    if (int_read(process, word, &number) == STATUS_OK)
        return arena_printf(process->arena, "Task-%" PRId64, number);
    if (str_name(process, word, &plain) == STATUS_OK && is_numbered(plain))
        return plain;
    str_display(process, word, &text);
    const char *name = text_ok(&text) ? arena_strdup(process->arena, text_string(&text)) : NULL;
    text_deinit(&text);
    return name;
}

static const char *read_coroutine_name(struct python_process *process, uint64_t addr)
{
    const struct python_type *type;
    uint64_t name_addr;
    const char *name;
    if (!addr || object_type(process, addr, &type) != STATUS_OK)
        return NULL;
    bool is_generator = type->kind == KIND_COROUTINE || type->kind == KIND_GENERATOR ||
                        type->kind == KIND_ASYNC_GENERATOR;
    if (is_generator && object_pointer(process, addr, PY_gen_qualname, &name_addr) == STATUS_OK &&
        str_name(process, name_addr, &name) == STATUS_OK)
        return name;
    return type->name;
}

static bool cancel_is_requested(struct python_process *process, const struct task_fact *task)
{
    uint64_t word;
    uint8_t flags;
    uint32_t requests;
    int64_t number;
    const struct python_type *type;
    if (task->is_c) {
        if (field_u8(process, task->addr, PY_task_must_cancel, &flags) == STATUS_OK &&
            flags & layout_get(&process->layout, PY_task_must_cancel_mask))
            return true;
        return layout_has(&process->layout, PY_task_cancels) &&
               field_u32(process, task->addr, PY_task_cancels, &requests) == STATUS_OK && requests;
    }
    if (instance_attribute(process, task->addr, "_must_cancel", &word) == STATUS_OK &&
        object_type(process, word, &type) == STATUS_OK && type->kind == KIND_BOOL &&
        int_read(process, word, &number) == STATUS_OK && number)
        return true;
    return instance_attribute(process, task->addr, "_num_cancels_requested", &word) == STATUS_OK &&
           int_read(process, word, &number) == STATUS_OK && number > 0;
}

/* Up to 3.10 a task that is cancelled while it waits has no mark of its own: the
 * future that it waits for is cancelled. */
static bool waiter_is_cancelled(struct python_process *process, uint64_t waiter_addr)
{
    bool is_c, is_task;
    return future_is(process, waiter_addr, &is_c, &is_task) &&
           future_state(process, waiter_addr, is_c) == FUTURE_CANCELLED;
}

static enum task_state read_state(struct python_process *process, const struct task_fact *task)
{
    switch (future_state(process, task->addr, task->is_c)) {
    case FUTURE_CANCELLED: return TASK_CANCELLED;
    case FUTURE_FINISHED: return TASK_DONE;
    case FUTURE_PENDING:
    case FUTURE_UNKNOWN: break;
    }
    if (task->state == TASK_RUNNING)
        return TASK_RUNNING;
    if (cancel_is_requested(process, task) ||
        (task->waiter_addr && waiter_is_cancelled(process, task->waiter_addr)))
        return TASK_CANCELLING;
    return task->waiter_addr ? TASK_WAITING : TASK_PENDING;
}

void task_read(struct python_process *process, struct task_fact *task)
{
    uint64_t addr = task->addr;
    bool is_c = task->is_c;
    future_word(process, addr, is_c, PY_future_loop, "_loop", &task->loop_addr);
    future_word(process, addr, is_c, PY_task_coroutine, "_coro", &task->coroutine_addr);
    future_word(process, addr, is_c, PY_task_context, "_context", &task->context_addr);
    future_word(process, addr, is_c, PY_task_waiter, "_fut_waiter", &task->waiter_addr);
    task->name = read_name(process, task);
    task->coroutine = read_coroutine_name(process, task->coroutine_addr);
    task->state = read_state(process, task);
}
