/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/frame_row.h"
#include "analyzer/runtime/tasks.h"

struct task_rows {
    struct code_table *codes;
    struct index_writer *writer;
    const struct task_list *list;
    int64_t next_frame_id;
};

static enum status write_task(struct task_rows *rows, const struct task_fact *task, int64_t id)
{
    const struct index_value row[] = {
        INDEX_INT(id),
        INDEX_NONE,
        INDEX_STR(task->name),
        INDEX_STR(task_state_names[task->state]),
        INDEX_STR(task->coroutine),
        INDEX_INT_IF(task->thread != TASK_NO_THREAD, task->thread + 1),
        INDEX_INT(task->addr),
        INDEX_INT_IF(task->loop_addr, task->loop_addr),
        INDEX_STR(task->waits_for),
        INDEX_INT(task->is_deadlocked),
        INDEX_INT_IF(task->coroutine_addr, task->coroutine_addr),
    };
    return index_writer_row(rows->writer, INDEX_TASK, row, sizeof row / sizeof *row);
}

static enum status write_edges(struct task_rows *rows)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < rows->list->edges.count && status == STATUS_OK; i++) {
        const struct task_edge *edge = &rows->list->edges.items[i];
        const struct index_value row[] = {INDEX_INT(edge->from + (int64_t)1),
                                          INDEX_INT(edge->to + (int64_t)1), INDEX_STR(edge->via)};
        status = index_writer_row(rows->writer, INDEX_TASK_WAIT, row, sizeof row / sizeof *row);
    }
    return status;
}

static enum status write_all(struct task_rows *rows, struct context_rows *contexts)
{
    const struct task_list *list = rows->list;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < list->tasks.count && status == STATUS_OK; i++) {
        const struct task_fact *task = &list->tasks.items[i];
        int64_t id = (int64_t)i + 1;
        status = write_task(rows, task, id);
        for (size_t j = 0; j < task->frame_count && status == STATUS_OK; j++)
            status = frame_row_write(rows->writer, INDEX_TASK_FRAME, rows->codes,
                                     &list->frames.items[task->first_frame + j],
                                     rows->next_frame_id++, id, (int64_t)j);
        if (status == STATUS_OK && task->state < TASK_DONE)
            status = context_rows_write(contexts, task->context_addr, 0, id);
    }
    if (status == STATUS_OK)
        status = write_edges(rows);
    if (status == STATUS_OK && list->note)
        status = index_writer_warning(rows->writer, "task", list->note);
    return status;
}

enum status tasks_write(struct code_table *codes, struct python_process *process,
                        const struct thread_list *threads, struct index_writer *writer,
                        struct context_rows *contexts)
{
    struct task_list list;
    enum status status = tasks_collect(codes, process, threads, &list);
    if (status != STATUS_OK)
        return status;
    struct task_rows rows = {codes, writer, &list, 1};
    status = write_all(&rows, contexts);
    task_list_deinit(&list);
    return status;
}
