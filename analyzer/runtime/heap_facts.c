/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_facts.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/graph/memory.h"

#define THREADS 2

struct task {
    struct heap *heap;
    const struct graph_roots *roots;
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

static enum status find_paths(void *context, struct error *err)
{
    struct task *task = context;
    return graph_paths(&task->heap->references, task->roots, false, &task->facts->paths, err);
}

static enum status find_retained(void *context, struct error *err)
{
    struct task *task = context;
    const struct heap *heap = task->heap;
    enum status status = graph_alloc(heap->count, sizeof *task->facts->retained,
                                     (void **)&task->facts->retained, err);
    for (uint32_t i = 0; i < heap->count && status == STATUS_OK; i++)
        task->facts->retained[i] = heap_size(heap, i);
    if (status == STATUS_OK)
        graph_retained(&task->facts->dominators, task->facts->retained);
    return status;
}

/* For the index, which makes rows of its own where these are wide. */
static void keep_reverse(struct graph_sources *reverse, struct heap_facts *facts)
{
    if (!reverse->narrow)
        return;
    facts->reverse_first = reverse->narrow;
    facts->reverse_sources = reverse->sources;
    *reverse = (struct graph_sources){0};
}

static enum status find_dominators(void *context, struct error *err)
{
    struct task *task = context;
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

enum status heap_facts_find(struct heap *heap, struct heap_roots *roots,
                            const struct graph_task *beside, struct heap_facts *ret_facts,
                            struct error *err)
{
    struct heap_facts facts = {.reached = roots->reached};
    uint32_t *nodes;
    uint8_t *classes;
    roots->reached = NULL; /* it is the facts' now */
    if (root_lists(roots, &nodes, &classes) != STATUS_OK)
        return error_set(err, STATUS_NO_MEMORY, "roots: out of memory");
    const struct graph_roots graph_roots = {nodes, classes, (uint32_t)roots->roots.count};
    struct task task = {.heap = heap, .roots = &graph_roots, .facts = &facts};
    const struct graph_task first[] = {{find_reverse, &task}, {find_components, &task}};
    const struct graph_task middle[] = {{find_dominators, &task},
                                        beside ? *beside : (struct graph_task){0}};
    const struct graph_task last[] = {{find_retained, &task}, {find_paths, &task}};
    enum status status = graph_run(first, 2, THREADS, err);
    if (status == STATUS_OK)
        status = graph_run(middle, beside ? 2 : 1, THREADS, err);
    if (status == STATUS_OK)
        keep_reverse(&task.reverse, &facts);
    graph_sources_deinit(&task.reverse);
    if (status == STATUS_OK)
        status = graph_run(last, 2, THREADS, err);
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
    graph_free(facts->reverse_first);
    graph_free(facts->reverse_sources);
    graph_components_deinit(&facts->components);
    graph_dominators_deinit(&facts->dominators);
    graph_paths_deinit(&facts->paths);
    graph_free(facts->reached);
    graph_free(facts->retained);
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
        ret_retained[type] += facts->retained[node];
        end[type] = i + dominators->order[i].size;
    }
    free(end);
    return STATUS_OK;
}
