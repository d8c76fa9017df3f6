/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/deadlocks.h"

#include <string.h>

#include "reports/commands/stacks_words.h"
#include "reports/commands/tasks_model.h"

#define MEMBERS_NAMED 8
#define MEMBERS_MAX   4096 /* of a cycle of threads that is told */
#define SENTENCES_MAX 100

struct collector {
    const struct stacks *stacks;
    const struct tasks_model *tasks;
    struct arena *arena;
    struct deadlocks *deadlocks;
    bool no_memory;
};

static void add(struct collector *collector, struct text *words)
{
    char *sentence = arena_strdup(collector->arena, text_string(words));
    collector->no_memory |=
        words->failed || !sentence || !array_push(&collector->deadlocks->sentences, sentence);
}

/* ---- threads */

static const struct stack_thread *thread_by_id(const struct stacks *stacks, int64_t id)
{
    for (size_t i = 0; i < stacks->threads.count; i++)
        if (stacks->threads.items[i].id == id)
            return &stacks->threads.items[i];
    return NULL;
}

static void thread_part(const struct stack_thread *thread, struct text *words)
{
    if (thread->name)
        text_append(words, thread->name);
    else
        thread_heading(thread, words);
    text_printf(words, " waits for %s", thread->waits_for ? thread->waits_for : "a lock");
}

/* A cycle is told from its thread with the smallest id; NULL: `first` is not that. */
static bool tell_cycle(const struct stacks *stacks, const struct stack_thread *first,
                       struct text *words)
{
    const struct stack_thread *thread = first;
    size_t count = 0;
    text_append(words, "Threads: ");
    do {
        if (count)
            text_append(words, "; ");
        if (count < MEMBERS_NAMED)
            thread_part(thread, words);
        thread = thread_by_id(stacks, thread->waits_for_id);
        count++;
    } while (thread && thread != first && thread->is_deadlocked && thread->id > first->id &&
             count < MEMBERS_MAX);
    return thread == first;
}

static void add_threads(struct collector *collector)
{
    struct text words = {0};
    for (size_t i = 0; i < collector->stacks->threads.count &&
                       collector->deadlocks->sentences.count < SENTENCES_MAX;
         i++) {
        const struct stack_thread *thread = &collector->stacks->threads.items[i];
        text_clear(&words);
        if (thread->is_deadlocked && tell_cycle(collector->stacks, thread, &words))
            add(collector, &words);
    }
    text_deinit(&words);
}

/* ---- tasks */

static void add_tasks(void *context, const size_t *tasks, size_t count)
{
    struct collector *collector = context;
    struct text words = {0};
    if (collector->deadlocks->sentences.count >= 2 * SENTENCES_MAX)
        return;
    text_append(&words, "asyncio tasks: ");
    deadlock_words(collector->tasks, tasks, count < MEMBERS_NAMED ? count : MEMBERS_NAMED, &words);
    if (count > MEMBERS_NAMED)
        text_printf(&words, "; and %zu more", count - MEMBERS_NAMED);
    add(collector, &words);
    text_deinit(&words);
}

static enum status has_deadlocked_tasks(struct index *index, bool *ret_has, struct error *err)
{
    struct index_rows *rows;
    enum status status =
        index_query(index, "SELECT 1 FROM task WHERE is_deadlocked LIMIT 1", NULL, 0, &rows, err);
    if (status)
        return status;
    *ret_has = index_rows_next(rows);
    return index_rows_finish(rows, err);
}

enum status deadlocks_load(struct index *index, const struct stacks *stacks, struct arena *arena,
                           struct deadlocks *deadlocks, struct error *err)
{
    struct collector collector = {.stacks = stacks, .arena = arena, .deadlocks = deadlocks};
    struct tasks_model tasks;
    bool has_tasks = false;
    add_threads(&collector);
    enum status status = has_deadlocked_tasks(index, &has_tasks, err);
    if (!status && has_tasks) {
        status = tasks_model_load(index, &tasks, err);
        if (status)
            return status;
        collector.tasks = &tasks;
        collector.no_memory |= !tasks_model_deadlocks(&tasks, add_tasks, &collector);
        tasks_model_deinit(&tasks);
    }
    if (!status && collector.no_memory)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the deadlocks");
    return status;
}

void deadlocks_deinit(struct deadlocks *deadlocks)
{
    if (deadlocks)
        array_deinit(&deadlocks->sentences);
}
