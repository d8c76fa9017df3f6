/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_FACTS_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_FACTS_H

#include "analyzer/runtime/heap_roots.h"
#include "inquest/analyzer/index.h"

/* What the passes over the graph found out, by object id. */
struct heap_facts {
    struct graph_components components;
    struct graph_dominators dominators;
    struct graph_paths paths; /* shortest, from a root */
    uint64_t *reached;        /* bitmap: reachable from a root */
    /* bytes that would go with the object; one of the two, see heap_retained */
    uint32_t *retained_narrow;
    uint64_t *retained_wide;
};

static inline uint64_t heap_retained(const struct heap_facts *facts, uint32_t object)
{
    return facts->retained_narrow ? facts->retained_narrow[object] : facts->retained_wide[object];
}

/* What is run while one processor would be idle. */
struct heap_beside {
    struct graph_task first;  /* may read the heap, and fill the roots: what is beside it
                                 needs none */
    struct graph_task second; /* may read the heap and what the roots reach */
    /* Gets the references by target, which it may write to and which end behind it: they
     * would take memory for long, and nothing else needs them. */
    enum status (*use_sources)(void *context, struct graph_sources *sources, struct error *err);
    void *context;
};

/* Takes roots->reached over. `beside` may be NULL. */
enum status heap_facts_find(struct heap *heap, struct heap_roots *roots,
                            const struct heap_beside *beside, struct heap_facts *ret_facts,
                            struct error *err) MUST_CHECK;
void heap_facts_deinit(struct heap_facts *facts);

/* Bytes that the instances of a type keep, each by itself, those within another counted once
 * (what only several of them keep together is not in it), by index into heap->types;
 * ret_retained has heap->types.count items. */
enum status heap_retained_by_type(const struct heap *heap, const struct heap_facts *facts,
                                  uint64_t *ret_retained) MUST_CHECK;

/* heap_object_ids.c: object_id of the stacks' rows, which are older than the heap's. */
enum status heap_object_ids_write(const struct heap *heap, struct index_writer *writer,
                                  struct error *err) MUST_CHECK;

/* From a core to the tables type, object, ref, root, heap_total and to what memory
 * says of the heap. `plain`: object and ref as ordinary tables. */
enum status collect_heap(const struct core_dump *core, struct python_process *process,
                         struct index_writer *writer, bool plain, struct progress *progress,
                         struct error *err) MUST_CHECK;

#endif
