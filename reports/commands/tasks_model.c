/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/tasks_model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/base/partition_point.h"

static const char *copy(struct tasks_model *model, const struct index_rows *rows, int column,
                        bool *no_memory)
{
    const char *value = index_rows_text(rows, column);
    char *result = value ? arena_strdup(&model->arena, value) : NULL;
    *no_memory |= value && !result;
    return result;
}

static struct model_task *task_by_id(const struct tasks_model *model, int64_t id)
{
    size_t low;
    PARTITION_POINT(low, model->tasks.count, model->tasks.items[low].id < id);
    return low < model->tasks.count && model->tasks.items[low].id == id ? &model->tasks.items[low]
                                                                        : NULL;
}

static void read_task(struct tasks_model *model, const struct index_rows *rows, bool *no_memory)
{
    struct model_task task = {
        .id = index_rows_integer(rows, 0),
        .name = copy(model, rows, 1, no_memory),
        .state = copy(model, rows, 2, no_memory),
        .coroutine = copy(model, rows, 3, no_memory),
        .thread_id = index_rows_integer(rows, 4),
        .address = (uint64_t)index_rows_integer(rows, 5),
        .waits_for = copy(model, rows, 6, no_memory),
        .is_deadlocked = index_rows_integer(rows, 7) != 0,
        .thread = copy(model, rows, 8, no_memory),
    };
    model->deadlocked += task.is_deadlocked;
    *no_memory |= !array_push(&model->tasks, task);
}

static void read_frame(struct tasks_model *model, const struct index_rows *rows, bool *no_memory)
{
    struct model_task *task = task_by_id(model, index_rows_integer(rows, 0));
    struct model_task_frame frame = {
        .function = copy(model, rows, 1, no_memory),
        .file = copy(model, rows, 2, no_memory),
        .line = index_rows_integer(rows, 3),
        .column = index_rows_is_null(rows, 4) ? -1 : index_rows_integer(rows, 4),
        .owner = copy(model, rows, 5, no_memory),
    };
    if (!task)
        return;
    if (!task->frame_count)
        task->first_frame = model->frames.count;
    task->frame_count++;
    *no_memory |= !array_push(&model->frames, frame);
}

static void read_edge(struct tasks_model *model, const struct index_rows *rows, bool *no_memory)
{
    struct model_task *from = task_by_id(model, index_rows_integer(rows, 0));
    struct model_task *to = task_by_id(model, index_rows_integer(rows, 1));
    if (!from || !to)
        return;
    struct model_task_edge edge = {(size_t)(to - model->tasks.items),
                                   copy(model, rows, 2, no_memory)};
    if (!from->edge_count)
        from->first_edge = model->edges.count;
    from->edge_count++;
    to->awaiting++;
    *no_memory |= !array_push(&model->edges, edge);
}

static void read_variable(struct tasks_model *model, const struct index_rows *rows, bool *no_memory)
{
    struct model_task *task = task_by_id(model, index_rows_integer(rows, 0));
    struct model_variable variable = {copy(model, rows, 1, no_memory),
                                      copy(model, rows, 2, no_memory),
                                      copy(model, rows, 3, no_memory)};
    if (!task)
        return;
    if (!task->variable_count)
        task->first_variable = model->variables.count;
    task->variable_count++;
    *no_memory |= !array_push(&model->variables, variable);
}

static const struct {
    const char *sql;
    void (*read)(struct tasks_model *model, const struct index_rows *rows, bool *no_memory);
} parts[] = {
    {"SELECT t.id, t.name, t.state, t.coroutine, t.thread_id, t.address, t.waits_for,"
     " t.is_deadlocked, coalesce(h.name, 'thread ' || coalesce(h.os_tid, h.id))"
     " FROM task t LEFT JOIN thread h ON h.id = t.thread_id ORDER BY t.id",
     read_task},
    {"SELECT task_id, function, file, line, \"column\", owner FROM task_frame"
     " ORDER BY task_id, depth",
     read_frame},
    {"SELECT task_id, awaits_task_id, via FROM task_wait ORDER BY task_id, awaits_task_id",
     read_edge},
    {"SELECT task_id, name, type, value FROM context_variable WHERE task_id IS NOT NULL"
     " ORDER BY task_id, rowid",
     read_variable},
};

static enum status count_loops(struct index *index, struct tasks_model *model, struct error *err)
{
    struct index_rows *rows;
    enum status status =
        index_query(index, "SELECT count(DISTINCT loop_address) FROM task", NULL, 0, &rows, err);
    if (status)
        return status;
    if (index_rows_next(rows) && index_rows_integer(rows, 0) > 0)
        model->loops = (size_t)index_rows_integer(rows, 0);
    return index_rows_finish(rows, err);
}

enum status tasks_model_load(struct index *index, struct tasks_model *ret_model, struct error *err)
{
    struct tasks_model model = {0};
    bool no_memory = false;
    arena_init(&model.arena);
    enum status status = count_loops(index, &model, err);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !status; i++) {
        struct index_rows *rows;
        status = index_query(index, parts[i].sql, NULL, 0, &rows, err);
        if (status)
            break;
        while (!no_memory && index_rows_next(rows))
            parts[i].read(&model, rows, &no_memory);
        status = index_rows_finish(rows, err);
        if (!status && no_memory)
            status = error_set(err, STATUS_NO_MEMORY, "no memory for the tasks");
    }
    if (status)
        tasks_model_deinit(&model);
    else
        *ret_model = model;
    return status;
}

void tasks_model_deinit(struct tasks_model *model)
{
    if (!model)
        return;
    array_deinit(&model->tasks);
    array_deinit(&model->frames);
    array_deinit(&model->edges);
    array_deinit(&model->variables);
    arena_deinit(&model->arena);
}

/* ---- words */

void model_task_name(const struct model_task *task, struct text *text)
{
    if (task->name)
        text_printf(text, "'%s'", task->name);
    else
        text_printf(text, "at 0x%" PRIx64, task->address);
}

void tasks_model_summary(const struct tasks_model *model, struct text *text)
{
    static const char *const states[] = {"running",         "waiting", "pending",
                                         "being cancelled", "done",    "cancelled"};
    size_t count = model->tasks.count;
    if (!count) {
        text_append(text, "no asyncio tasks");
        return;
    }
    text_printf(text, "%zu asyncio task%s on %zu event loop%s", count, count == 1 ? "" : "s",
                model->loops, model->loops == 1 ? "" : "s");
    const char *separator = ": ";
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        size_t found = 0;
        for (size_t j = 0; j < count; j++)
            found += model->tasks.items[j].state && !strcmp(model->tasks.items[j].state, states[i]);
        if (!found)
            continue;
        text_printf(text, "%s%zu %s", separator, found, states[i]);
        separator = ", ";
    }
    if (model->deadlocked)
        text_printf(text, "; %zu deadlocked", model->deadlocked);
}

/* From each deadlocked task along deadlocked ones, until one comes again. */
bool tasks_model_deadlocks(const struct tasks_model *model, deadlock_visitor visit, void *context)
{
    size_t count = model->tasks.count;
    size_t *path = calloc(count + 1, sizeof *path), *walk = calloc(count + 1, sizeof *walk);
    if (!path || !walk) {
        free(path);
        free(walk);
        return false;
    }
    for (size_t start = 0; start < count; start++) {
        size_t length = 0, at = start;
        while (at < count && model->tasks.items[at].is_deadlocked && !walk[at]) {
            const struct model_task *task = &model->tasks.items[at];
            size_t next = count;
            walk[at] = start + 1;
            path[length++] = at;
            for (size_t i = 0; i < task->edge_count && next == count; i++) {
                size_t to = model->edges.items[task->first_edge + i].to;
                if (model->tasks.items[to].is_deadlocked)
                    next = to;
            }
            at = next;
        }
        size_t begin = 0;
        while (begin < length && path[begin] != at)
            begin++;
        if (begin < length)
            visit(context, path + begin, length - begin);
    }
    free(path);
    free(walk);
    return true;
}

void deadlock_words(const struct tasks_model *model, const size_t *tasks, size_t count,
                    struct text *text)
{
    for (size_t i = 0; i < count; i++) {
        const struct model_task *task = &model->tasks.items[tasks[i]];
        text_append(text, i ? "; " : "");
        model_task_name(task, text);
        text_printf(text, " waits for %s", task->waits_for ? task->waits_for : "?");
    }
}
