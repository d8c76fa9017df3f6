/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_FACTS_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_FACTS_H

#include "analyzer/runtime/heap_roots.h"
#include "inquest/analyzer/index.h"

/* What the passes over the graph found out, by object id. */
struct heap_facts {
    /* The references by target, for the index: rows of sources, ascending. */
    uint32_t *reverse_first, *reverse_sources; /* NULL: 2^32 or more */
    struct graph_components components;
    struct graph_dominators dominators;
    struct graph_paths paths; /* shortest, from a root */
    uint64_t *reached;        /* bitmap: reachable from a root */
    uint64_t *retained;       /* bytes that would go with the object */
};

/* Takes roots->reached over. `beside` (NULL: nothing) is run while one processor would be
 * idle; it may read the heap and what the roots reach. */
enum status heap_facts_find(struct heap *heap, struct heap_roots *roots,
                            const struct graph_task *beside, struct heap_facts *ret_facts,
                            struct error *err) MUST_CHECK;
void heap_facts_deinit(struct heap_facts *facts);

/* Bytes that would go if all instances of a type went, by index into heap->types;
 * ret_retained has heap->types.count items. */
enum status heap_retained_by_type(const struct heap *heap, const struct heap_facts *facts,
                                  uint64_t *ret_retained) MUST_CHECK;

/* From a core to the tables type, object, ref, root, heap_total and to what memory
 * says of the heap. `plain`: object and ref as ordinary tables. */
enum status collect_heap(const struct core_dump *core, struct python_process *process,
                         struct index_writer *writer, bool plain, struct progress *progress,
                         struct error *err) MUST_CHECK;

#endif
