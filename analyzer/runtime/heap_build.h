/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_BUILD_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_BUILD_H

#include "analyzer/runtime/heap_roots.h"

/* A heap while it is being read. Each object is read once. Those that the collector's
 * lists and the pools show, "early" ones, have their number by address from the start.
 * "Late" ones are met as targets only (static ones, large ones): they are numbered
 * behind, as they come. In the end heap_number gives all their places by address. */

struct late_object {
    uint64_t addr, size, refcount, first_edge;
    uint32_t type, edge_count;
    bool is_dead; /* what looked like one and is none */
};

struct weak_address {
    uint64_t source, target;
    uint32_t label;
};

#define TYPE_CACHE 1024

struct type_slot {
    uint64_t addr;
    const struct python_type *type;
    uint32_t index;
    bool is_met; /* as an object */
};

struct heap_builder {
    struct heap *heap;
    struct progress *progress;
    struct reference_list list;
    uint32_t early; /* objects */
    ARRAY(struct late_object) late;
    struct address_map late_numbers; /* address -> index into late, plus 1 */
    ARRAY(uint32_t) pending;         /* late ones still to be visited */
    ARRAY(uint32_t) dead;            /* early ones that are none, ascending */
    /* Rows of the early ones, then those of the late ones as they were visited; columns,
     * and first, of the early ones. */
    uint64_t *first;
    uint32_t *targets, *labels;
    uint64_t edges, capacity;
    ARRAY(struct weak_address) weak;
    struct type_slot type_cache[TYPE_CACHE];
    struct address_map type_indices; /* python_type addr -> index + 1 */
    uint64_t interned_addr;          /* the dict whose references don't count */
};

/* Takes the builder's arrays over into its heap. */
enum status heap_number(struct heap_builder *builder) MUST_CHECK;

#endif
