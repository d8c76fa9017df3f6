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
    struct graph reverse;
};

static enum status find_reverse(void *context, struct error *err)
{
    struct task *task = context;
    return graph_reverse(&task->heap->references, 1, &task->reverse, err);
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

/* Half of the memory suffices where the rows begin; what is too much is given back. */
static enum status keep_reverse(struct graph *reverse, struct heap_facts *facts, struct error *err)
{
    uint32_t *first = (uint32_t *)reverse->first;
    if (reverse->edge_count > UINT32_MAX) {
        graph_deinit(reverse);
        return STATUS_OK;
    }
    for (uint64_t i = 0; i <= reverse->node_count; i++) {
        uint32_t start = (uint32_t)reverse->first[i];
        first[i] = start;
    }
    enum status status = graph_resize((void **)&reverse->first, reverse->node_count + UINT64_C(1),
                                      sizeof *first, err);
    if (status != STATUS_OK)
        return status;
    facts->reverse_first = (uint32_t *)reverse->first;
    facts->reverse_sources = reverse->targets;
    *reverse = (struct graph){0};
    return STATUS_OK;
}

static enum status find_dominators(struct heap *heap, const struct graph *reverse,
                                   const struct graph_roots *roots, struct heap_facts *facts,
                                   struct error *err)
{
    struct graph_roots garbage = {0};
    uint32_t *garbage_nodes = NULL;
    enum status status = STATUS_OK;
    if (!facts->reached)
        status = graph_reach(&heap->references, roots, &facts->reached, err);
    if (status == STATUS_OK)
        status = graph_garbage_roots(&heap->references, facts->reached, &facts->components,
                                     &garbage_nodes, &garbage.count, err);
    garbage.nodes = garbage_nodes;
    if (status == STATUS_OK)
        status =
            graph_dominators(&heap->references, reverse, roots, &garbage, &facts->dominators, err);
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
                            struct heap_facts *ret_facts, struct error *err)
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
    const struct graph_task last[] = {{find_retained, &task}, {find_paths, &task}};
    enum status status = graph_run(first, 2, THREADS, err);
    if (status == STATUS_OK)
        status = find_dominators(heap, &task.reverse, &graph_roots, &facts, err);
    if (status == STATUS_OK)
        status = keep_reverse(&task.reverse, &facts, err);
    graph_deinit(&task.reverse);
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

/* ---- What a type retains: the sum over those instances that no other instance
 * of it dominates. The dominator tree is walked from the top, with the number of
 * open instances of each type. */

struct tree {
    uint32_t *first_child, *next_sibling; /* HEAP_NO_OBJECT: none */
};

static bool build_tree(const struct heap *heap, const struct graph_dominators *dominators,
                       struct tree *tree)
{
    size_t bytes = (size_t)heap->count * sizeof(uint32_t);
    if (graph_alloc(heap->count, sizeof(uint32_t), (void **)&tree->first_child, NULL) !=
            STATUS_OK ||
        graph_alloc(heap->count, sizeof(uint32_t), (void **)&tree->next_sibling, NULL) != STATUS_OK)
        return false;
    memset(tree->first_child, 0xFF, bytes);
    memset(tree->next_sibling, 0xFF, bytes);
    for (uint32_t i = dominators->order_count; i-- > 0;) {
        uint32_t node = dominators->order[i], parent = dominators->idom[node];
        if (parent == GRAPH_ROOT || parent == GRAPH_NONE)
            continue;
        tree->next_sibling[node] = tree->first_child[parent];
        tree->first_child[parent] = node;
    }
    return true;
}

static void walk_subtree(const struct heap *heap, const struct heap_facts *facts,
                         const struct tree *tree, uint32_t top, uint32_t *open, uint64_t *retained)
{
    uint32_t node = top;
    bool entering = true;
    for (;;) {
        uint32_t type = heap->type[node];
        if (entering) {
            if (open[type]++ == 0)
                retained[type] += facts->retained[node];
            if (tree->first_child[node] != HEAP_NO_OBJECT) {
                node = tree->first_child[node];
                continue;
            }
        }
        open[type]--;
        if (node == top)
            return;
        entering = tree->next_sibling[node] != HEAP_NO_OBJECT;
        node = entering ? tree->next_sibling[node] : facts->dominators.idom[node];
    }
}

enum status heap_retained_by_type(const struct heap *heap, const struct heap_facts *facts,
                                  uint64_t *ret_retained)
{
    struct tree tree = {0};
    uint32_t *open = calloc(heap->types.count + 1, sizeof *open);
    bool ready = open && build_tree(heap, &facts->dominators, &tree);
    if (ready) {
        memset(ret_retained, 0, heap->types.count * sizeof *ret_retained);
        for (uint32_t i = 0; i < facts->dominators.order_count; i++) {
            uint32_t node = facts->dominators.order[i];
            if (facts->dominators.idom[node] == GRAPH_ROOT)
                walk_subtree(heap, facts, &tree, node, open, ret_retained);
        }
    }
    graph_free(tree.first_child);
    graph_free(tree.next_sibling);
    free(open);
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}
