/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>

#include "analyzer/graph/graph.h"

struct run {
    const struct graph_task *tasks;
    unsigned count;
    atomic_uint next; /* the first task that nobody took */
    struct error errors[GRAPH_MAX_TASKS];
    enum status statuses[GRAPH_MAX_TASKS];
};

static void *work(void *context)
{
    struct run *run = context;
    unsigned i;
    while ((i = atomic_fetch_add(&run->next, 1)) < run->count)
        run->statuses[i] = run->tasks[i].run(run->tasks[i].context, &run->errors[i]);
    return NULL;
}

enum status graph_run(const struct graph_task tasks[], unsigned count, unsigned threads,
                      struct error *err)
{
    if (count > GRAPH_MAX_TASKS)
        return error_set(err, STATUS_USAGE, "object graph: %u tasks at once", count);
    struct run run = {.tasks = tasks, .count = count};
    pthread_t helpers[GRAPH_MAX_TASKS];
    unsigned helper_count = 0;
    /* Where no thread can be had, those that we have do all. */
    while (helper_count + 1 < threads && helper_count + 1 < count &&
           !pthread_create(&helpers[helper_count], NULL, work, &run))
        helper_count++;
    work(&run);
    for (unsigned i = 0; i < helper_count; i++)
        pthread_join(helpers[i], NULL);
    for (unsigned i = 0; i < count; i++)
        if (run.statuses[i])
            return error_set(err, run.statuses[i], "%s", run.errors[i].message);
    return STATUS_OK;
}
