/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_GRAPH_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_GRAPH_H

#include "analyzer/graph/graph.h"
#include "analyzer/objects/type_table.h"
#include "analyzer/runtime/heap_columns.h"
#include "analyzer/runtime/heap_find.h"
#include "analyzer/runtime/heap_labels.h"

/* What does not count: as the index takes it (struct heap_more_reference). */
struct weak_reference {
    uint32_t source, target, label;
};

/* Every object of the dead process by id, in order of address, and what refers to
 * what. Columns have `count` items. */
struct heap {
    struct python_process *process;
    struct heap_find find;
    uint32_t count;
    struct heap_addresses addresses;
    struct heap_column sizes, refcounts; /* refcount UINT64_MAX: immortal */
    ARRAY(struct heap_wide) parts;       /* bytes that sys.getsizeof counts twice, by object */
    uint32_t *type;                      /* index into types */
    uint64_t *tracked;                   /* bitmap */
    ARRAY(const struct python_type *) types;
    struct graph references;           /* those that count */
    uint32_t *label;                   /* parallel to references.targets */
    ARRAY(struct weak_reference) weak; /* ascending by source */
    struct label_table *labels;
    uint64_t damaged; /* objects whose references could be read in part only */
};

/* The columns by object: how they are stored may change. */
static inline uint64_t heap_address(const struct heap *heap, uint32_t object)
{
    return heap_addresses_get(&heap->addresses, object);
}

/* What the object takes for itself: in sums of these each byte counts once. */
static inline uint64_t heap_size(const struct heap *heap, uint32_t object)
{
    return heap_column_get(&heap->sizes, object);
}

/* heap_parts.c: what sys.getsizeof says, which can be more than that. */
uint64_t heap_getsizeof(const struct heap *heap, uint32_t object);

/* UINT64_MAX: immortal. */
static inline uint64_t heap_refcount(const struct heap *heap, uint32_t object)
{
    return heap_column_get(&heap->refcounts, object);
}

static inline const struct python_type *heap_type(const struct heap *heap, uint32_t object)
{
    return heap->types.items[heap->type[object]];
}

struct outside_references; /* heap_roots.h */

/* Finds all objects and their references: the collector's lists, the pools, and
 * what either and `outside` lead to. */
enum status heap_build(struct python_process *process, const struct outside_references *outside,
                       struct progress *progress, struct heap *ret_heap,
                       struct error *err) MUST_CHECK;
void heap_deinit(struct heap *heap);

#endif
