/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/allocation_sites.h"
#include "analyzer/runtime/exceptions.h"
#include "analyzer/runtime/frame_row.h"
#include "analyzer/runtime/runtime.h"
#include "analyzer/runtime/tasks.h"
#include "analyzer/runtime/thread_locks.h"
#include "analyzer/runtime/threads.h"
#include "analyzer/runtime/value_memo.h"
#include "inquest/base/limits.h"

struct collection {
    const struct core_dump *core;
    struct python_process *process;
    struct index_writer *writer;
    struct code_table *codes;
    struct thread_list threads;
    struct thread_locks locks;
    struct frame_list frames;
    struct value_memo values;
    int64_t next_frame_id;
    struct exception_totals exceptions;
    uint64_t locals;    /* of all frames so far */
    enum status status; /* of the rows written by visitors */
};

static const char *const variable_kind_names[] = {
    [VARIABLE_ARGUMENT] = "argument",
    [VARIABLE_LOCAL] = "local",
    [VARIABLE_CELL] = "cell",
    [VARIABLE_FREE] = "free",
};

static void write_local(void *context, const char *name, enum variable_kind kind,
                        uint64_t value_addr)
{
    struct collection *collection = context;
    if (collection->locals >= LIMIT_LOCALS)
        return;
    if (++collection->locals == LIMIT_LOCALS)
        index_writer_warning(
            collection->writer, "local",
            "there are more than 20,000,000 local variables: the rest is left out");
    const struct value_memo_entry *value =
        value_memo_get(&collection->values, collection->process, value_addr);
    const struct index_value row[] = {
        INDEX_INT(collection->next_frame_id),
        INDEX_STR(name),
        INDEX_STR(variable_kind_names[kind]),
        INDEX_STR(value->type_name),
        INDEX_STR(text_string(&value->text)),
        INDEX_NONE,
        INDEX_INT(value_addr),
    };
    enum status status =
        index_writer_row(collection->writer, INDEX_LOCAL, row, sizeof row / sizeof *row);
    if (collection->status == STATUS_OK)
        collection->status = status;
}

static void write_frame(struct collection *collection, const struct frame_fact *frame,
                        int64_t thread_id, int64_t depth)
{
    collection->status = frame_row_write(collection->writer, INDEX_FRAME, collection->codes, frame,
                                         collection->next_frame_id, thread_id, depth);
    if (collection->status == STATUS_OK)
        frame_locals(collection->process, frame, write_local, collection);
    collection->next_frame_id++;
}

static enum status write_thread(struct collection *collection, const struct thread_fact *thread,
                                int64_t id)
{
    struct wait_fact wait;
    thread_wait(collection->core, collection->process, &collection->threads, thread,
                &collection->frames, &wait);
    const struct thread_lock *lock =
        thread_locks_tell(&collection->locks, &collection->threads, (size_t)id - 1, &wait);
    const struct index_value row[] = {
        INDEX_INT(id),
        INDEX_INT_IF(thread->os_tid, thread->os_tid),
        INDEX_STR(thread->name),
        INDEX_INT(thread->is_main),
        INDEX_INT(thread->is_crashed),
        INDEX_INT(thread->holds_gil),
        INDEX_STR(wait.state),
        INDEX_INT_IF(thread->ident, thread->ident),
        INDEX_INT(thread->state_addr != 0),
        INDEX_INT(thread->collecting),
        INDEX_STR(wait.waits_for[0] ? wait.waits_for : NULL),
        INDEX_INT_IF(wait.waits_for_addr, wait.waits_for_addr),
        INDEX_INT_IF(thread->state_addr, thread->state_addr),
        INDEX_STR(collection->frames.note),
        INDEX_INT_IF(lock, lock ? lock->holder + 1 : 0),
        INDEX_INT(lock && lock->is_deadlocked),
    };
    return index_writer_row(collection->writer, INDEX_THREAD, row, sizeof row / sizeof *row);
}

static enum status collect_thread(struct collection *collection, const struct thread_fact *thread,
                                  int64_t id)
{
    enum status status = STATUS_OK;
    collection->frames.frames.count = 0;
    collection->frames.note = NULL;
    if (thread->state_addr)
        status = frames_walk(collection->codes, collection->process, thread->state_addr,
                             &collection->frames);
    if (status == STATUS_OK)
        status = write_thread(collection, thread, id);
    if (status == STATUS_OK && collection->frames.note) {
        struct text message = {0};
        text_printf(&message, "thread %u: %s", thread->os_tid, collection->frames.note);
        status = index_writer_warning(collection->writer, "frame", text_string(&message));
        text_deinit(&message);
    }
    collection->status = status;
    for (size_t i = 0; i < collection->frames.frames.count && collection->status == STATUS_OK; i++)
        write_frame(collection, &collection->frames.frames.items[i], id, (int64_t)i);
    if (collection->status == STATUS_OK && thread->state_addr)
        collection->status =
            exceptions_collect(collection->codes, collection->process, thread->state_addr, id,
                               &collection->exceptions, collection->writer);
    return collection->status;
}

static enum status collect_threads(struct collection *collection, struct progress *progress)
{
    enum status status =
        threads_collect(collection->core, collection->process, &collection->threads);
    const struct thread_list *list = &collection->threads;
    if (status == STATUS_OK && list->note)
        status = index_writer_warning(collection->writer, "thread", list->note);
    if (status == STATUS_OK)
        status = thread_locks_find(collection->core, collection->process, collection->codes, list,
                                   &collection->locks);
    for (size_t i = 0; i < list->threads.count && status == STATUS_OK; i++) {
        progress_update(progress, "reading stacks", "threads", i, list->threads.count);
        status = collect_thread(collection, &list->threads.items[i], (int64_t)i + 1);
    }
    return status;
}

/* The context of each thread, the tasks of all loops and theirs. */
static enum status collect_tasks(struct collection *collection)
{
    struct python_process *process = collection->process;
    const struct thread_list *list = &collection->threads;
    struct context_rows contexts = {
        .process = process, .writer = collection->writer, .values = &collection->values};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < list->threads.count && status == STATUS_OK; i++) {
        uint64_t state_addr = list->threads.items[i].state_addr, context_addr;
        if (state_addr &&
            object_pointer(process, state_addr, PY_thread_context, &context_addr) == STATUS_OK)
            status = context_rows_write(&contexts, context_addr, (int64_t)i + 1, 0);
    }
    if (status == STATUS_OK)
        status = tasks_write(collection->codes, process, list, collection->writer, &contexts);
    return status == STATUS_OK ? context_rows_finish(&contexts) : status;
}

enum status collect_stacks(const struct core_dump *core, struct python_process *process,
                           struct index_writer *writer, struct progress *progress,
                           struct error *err)
{
    struct collection collection = {
        .core = core, .process = process, .writer = writer, .next_frame_id = 1};
    enum status status = STATUS_OK;
    if (process) {
        collection.codes = code_table_create(process);
        status = collection.codes ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        status = collect_threads(&collection, progress);
    if (status == STATUS_OK && process)
        status = collect_tasks(&collection);
    if (status == STATUS_OK && process)
        status = allocation_sites_collect(process, writer);
    code_table_destroy(collection.codes);
    thread_list_deinit(&collection.threads);
    thread_locks_deinit(&collection.locks);
    frame_list_deinit(&collection.frames);
    value_memo_deinit(&collection.values);
    if (status != STATUS_OK)
        return error_set(err, status, "stacks: %s", status_name(status));
    return STATUS_OK;
}
