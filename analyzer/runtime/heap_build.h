/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_BUILD_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_BUILD_H

#include <stdatomic.h>

#include "analyzer/runtime/heap_roots.h"

/* A heap while it is being read. Each object is read once. Those that the
 * collector's lists and the pools show, "early" ones, have their number by
 * address from the start. "Late" ones are met as targets only (static ones,
 * large ones): they are numbered behind, as they come. In the end heap_number
 * gives all their places by address.
 *
 * The early ones are read in pieces, which threads share out among themselves:
 * a piece numbers types, labels and late ones as it meets them. Then the first
 * piece takes the others over, in order, so that all is as if it had read them
 * itself. */

struct weak_address {
    uint64_t source, target;
    uint32_t label;
};

#define TYPE_CACHE 1024
#define MET_CACHE  1024

struct type_slot {
    uint64_t addr;
    const struct python_type *type;
    uint32_t index;
    bool is_met; /* as an object */
};

/* Most references lead to few objects. */
struct met_slot {
    uint64_t addr;
    uint32_t number;
};

struct heap_builder;

/* ---- heap_piece.c: what was read of some of the objects. */
struct heap_piece {
    struct heap_builder *builder;
    uint32_t begin, end;     /* early ones */
    struct heap_words words; /* where they begin */
    struct reference_list list;
    struct type_slot *type;                /* of the object that is read */
    uint64_t looked_told;                  /* of list.looked, what the builder knows of */
    uint32_t *targets, *labels;            /* rows, one behind the other */
    uint64_t edges, capacity, early_edges; /* early_edges: once they are read */
    struct heap_column sizes, refcounts;   /* `low` is the heap's, for all */
    struct heap_column degrees;            /* and the builder's: edges of the early ones */
    struct label_table *table;
    ARRAY(const struct python_type *) types; /* in order of first meeting */
    struct address_map type_indices;         /* python_type addr -> index + 1 */
    ARRAY(uint64_t) late;                    /* addresses, in order of first meeting */
    struct address_map late_numbers;         /* address -> index into late, plus 1 */
    ARRAY(uint32_t) dead;                    /* early ones that are none, ascending */
    ARRAY(struct weak_address) weak;
    uint64_t damaged;
    /* The first piece's numbers by its own, once it is joined; NULL: the same. Of
     * late ones the index, GRAPH_NONE for none. */
    uint32_t *type_map, *label_map, *late_map;
    struct type_slot type_cache[TYPE_CACHE];
    struct met_slot met_cache[MET_CACHE];
};

/* What was read of an object beside its references. */
struct heap_record {
    uint64_t size, refcount;
    uint32_t type;
    bool is_dead; /* what looked like one and is none */
};

enum status heap_piece_create(struct heap_builder *builder, uint32_t begin, uint32_t end,
                              struct heap_piece **ret_piece) MUST_CHECK;
void heap_piece_destroy(struct heap_piece *piece);
/* Reads its early objects, where the plans of their types are ready. Stops once the builder's
 * is_overlapping is set. */
enum status heap_piece_read(struct heap_piece *piece, struct error *err) MUST_CHECK;
/* The number by which an object is known for now; false where none is. Whether
 * a late one is an object is told for sure by visiting it; `is_surely_one` as
 * for object_may_be_at. */
bool heap_piece_meet(struct heap_piece *piece, uint64_t addr, bool is_surely_one,
                     uint32_t *ret_number, enum status *status);
/* Reads the object and appends its row. */
enum status heap_piece_visit(struct heap_piece *piece, uint64_t addr,
                             struct heap_record *ret_record) MUST_CHECK;

/* ---- heap_join.c: the first piece takes over what the others numbered; they
 * keep their rows. */
enum status heap_join(struct heap_piece *const pieces[], unsigned count) MUST_CHECK;

struct late_object {
    uint64_t addr, size, refcount, first_edge;
    uint32_t type, edge_count;
    bool is_dead;
};

#define HEAP_PIECES 8

struct heap_builder {
    struct heap *heap;
    struct progress *progress;
    pthread_mutex_t telling; /* of progress */
    atomic_uint_fast64_t read;
    /* Bytes that all pieces together looked at, and may: above that, tables overlap. */
    atomic_uint_fast64_t looked;
    uint64_t most_looked;
    atomic_bool is_overlapping;
    uint64_t interned_addr; /* the dict whose references don't count */
    uint32_t early;         /* objects */
    struct heap_column degrees;
    struct heap_piece *pieces[HEAP_PIECES];
    unsigned piece_count;
    struct heap_piece *all; /* the first */
    ARRAY(struct late_object)
    late; /* parallel to all->late, once they are visited */
};

/* Takes what the builder has over into its heap. */
enum status heap_number(struct heap_builder *builder, unsigned threads) MUST_CHECK;

/* heap_parts.c: takes off the sizes of a numbered heap what counts for two
 * objects. */
enum status heap_parts_find(struct heap *heap) MUST_CHECK;

#endif
