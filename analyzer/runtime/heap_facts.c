/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_facts.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/graph/memory.h"
#include "inquest/base/checked_math.h"

#define THREADS 2

struct task {
    struct heap *heap;
    const struct graph_roots *roots;
    const struct heap_beside *beside; /* NULL: nothing */
    struct heap_facts *facts;
    struct graph_sources reverse;
};

static enum status find_reverse(void *context, struct error *err)
{
    struct task *task = context;
    return graph_reverse(&task->heap->references, false, 1, &task->reverse, err);
}

static enum status find_components(void *context, struct error *err)
{
    struct task *task = context;
    return graph_components(&task->heap->references, &task->facts->components, err);
}

static enum status find_paths(struct task *task, struct error *err)
{
    return graph_paths(&task->heap->references, task->roots, false, &task->facts->paths, err);
}

static enum status find_dominators(struct task *task, struct error *err)
{
    struct heap *heap = task->heap;
    struct heap_facts *facts = task->facts;
    struct graph_roots garbage = {0};
    uint32_t *garbage_nodes = NULL;
    enum status status = STATUS_OK;
    if (!facts->reached)
        status = graph_reach(&heap->references, task->roots, &facts->reached, err);
    if (status == STATUS_OK)
        status = graph_garbage_roots(&heap->references, facts->reached, &facts->components,
                                     &garbage_nodes, &garbage.count, err);
    garbage.nodes = garbage_nodes;
    if (status == STATUS_OK)
        status = graph_dominators(&heap->references, &task->reverse, task->roots, &garbage,
                                  &facts->dominators, err);
    graph_free(garbage_nodes);
    return status;
}

/* 32 bits an object do where all of them together fit. */
static enum status find_retained(struct task *task, struct error *err)
{
    const struct heap *heap = task->heap;
    struct heap_facts *facts = task->facts;
    uint64_t all = 0;
    for (uint32_t i = 0; i < heap->count && all <= UINT32_MAX; i++)
        if (!checked_add_u64(all, heap_size(heap, i), &all))
            all = UINT64_MAX;
    if (all <= UINT32_MAX) {
        uint32_t *retained;
        enum status status = graph_alloc(heap->count, sizeof *retained, (void **)&retained, err);
        for (uint32_t i = 0; i < heap->count && status == STATUS_OK; i++)
            retained[i] = (uint32_t)heap_size(heap, i);
        if (status == STATUS_OK)
            graph_retained_narrow(&facts->dominators, facts->retained_narrow = retained);
        return status;
    }
    uint64_t *retained;
    enum status status = graph_alloc(heap->count, sizeof *retained, (void **)&retained, err);
    for (uint32_t i = 0; i < heap->count && status == STATUS_OK; i++)
        retained[i] = heap_size(heap, i);
    if (status == STATUS_OK)
        graph_retained(&facts->dominators, facts->retained_wide = retained);
    return status;
}

/* One after the other on one thread: each needs the one before, or its memory. */
static enum status find_held(void *context, struct error *err)
{
    struct task *task = context;
    enum status status = find_dominators(task, err);
    if (status == STATUS_OK && task->beside)
        status = task->beside->use_sources(task->beside->context, &task->reverse, err);
    graph_sources_deinit(&task->reverse);
    if (status == STATUS_OK)
        status = graph_dominators_measure(&task->facts->dominators, err);
    return status == STATUS_OK ? find_retained(task, err) : status;
}

static enum status root_lists(const struct heap_roots *roots, uint32_t **ret_nodes,
                              uint8_t **ret_classes)
{
    uint32_t *nodes = malloc((roots->roots.count + 1) * sizeof *nodes);
    uint8_t *classes = malloc(roots->roots.count + 1);
    if (!nodes || !classes) {
        free(nodes);
        free(classes);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < roots->roots.count; i++) {
        nodes[i] = roots->roots.items[i].object;
        classes[i] = roots->roots.items[i].kind;
    }
    *ret_nodes = nodes;
    *ret_classes = classes;
    return STATUS_OK;
}

/* What needs no roots. The longest come first. */
static enum status run_first(struct task *task, struct error *err)
{
    const struct graph_task tasks[] = {{find_components, task},
                                       task->beside ? task->beside->first
                                                    : (struct graph_task){find_reverse, task},
                                       {find_reverse, task}};
    return graph_run(tasks, task->beside ? 3 : 2, THREADS, err);
}

/* Paths come last, into memory that the references by target had. */
static enum status run_others(struct task *task, struct error *err)
{
    const struct graph_task tasks[] = {
        {find_held, task}, task->beside ? task->beside->second : (struct graph_task){0}};
    enum status status = graph_run(tasks, task->beside ? 2 : 1, THREADS, err);
    return status == STATUS_OK ? find_paths(task, err) : status;
}

enum status heap_facts_find(struct heap *heap, struct heap_roots *roots,
                            const struct heap_beside *beside, struct heap_facts *ret_facts,
                            struct error *err)
{
    struct heap_facts facts = {0};
    struct graph_roots graph_roots;
    uint32_t *nodes = NULL;
    uint8_t *classes = NULL;
    struct task task = {.heap = heap, .roots = &graph_roots, .beside = beside, .facts = &facts};
    enum status status = run_first(&task, err);
    if (status == STATUS_OK && root_lists(roots, &nodes, &classes) != STATUS_OK)
        status = error_set(err, STATUS_NO_MEMORY, "roots: out of memory");
    if (status == STATUS_OK) {
        graph_roots = (struct graph_roots){nodes, classes, (uint32_t)roots->roots.count};
        facts.reached = roots->reached;
        roots->reached = NULL; /* it is the facts' now */
        status = run_others(&task, err);
    }
    graph_sources_deinit(&task.reverse);
    free(nodes);
    free(classes);
    if (status == STATUS_OK)
        *ret_facts = facts;
    else
        heap_facts_deinit(&facts);
    return status;
}

void heap_facts_deinit(struct heap_facts *facts)
{
    if (!facts)
        return;
    graph_components_deinit(&facts->components);
    graph_dominators_deinit(&facts->dominators);
    graph_paths_deinit(&facts->paths);
    graph_free(facts->reached);
    graph_free(facts->retained_narrow);
    graph_free(facts->retained_wide);
    *facts = (struct heap_facts){0};
}

/* What a type retains: the sum over those instances that no other instance of it
 * dominates. In preorder these are the ones that come behind the end of the one before. */
enum status heap_retained_by_type(const struct heap *heap, const struct heap_facts *facts,
                                  uint64_t *ret_retained)
{
    const struct graph_dominators *dominators = &facts->dominators;
    uint32_t *end = calloc(heap->types.count + 1, sizeof *end); /* in the order */
    if (!end)
        return STATUS_NO_MEMORY;
    memset(ret_retained, 0, heap->types.count * sizeof *ret_retained);
    for (uint32_t i = 0; i < dominators->order_count; i++) {
        uint32_t node = dominators->order[i].node, type = heap->type[node];
        if (i < end[type])
            continue;
        ret_retained[type] += heap_retained(facts, node);
        end[type] = i + dominators->order[i].size;
    }
    free(end);
    return STATUS_OK;
}
