/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_HEAP_READER_H
#define INQUEST_ANALYZER_HEAP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"

/* Objects and references out of an index without SQL's cost: some hundred thousand
 * random look-ups a second, and whole walks at memory's speed. The same rows as the
 * tables `object` and `ref` have; ids are those of the tables, 1..N in order of
 * address. Works with `load --plain` too. A reader is for one thread. */

struct index;
struct heap_reader;
struct packed_chunk;

/* STATUS_NOT_IN_DUMP for an index without a heap. Close it before the index. */
enum status heap_reader_open(struct index *index, struct heap_reader **ret_reader,
                             struct error *err) MUST_CHECK;
void heap_reader_close(struct heap_reader *reader);

/* Either pointer may be NULL. */
enum status heap_reader_counts(struct heap_reader *reader, uint32_t *ret_objects,
                               uint64_t *ret_references, struct error *err) MUST_CHECK;

struct heap_object_row {
    uint64_t address, size, refcount, retained; /* bytes */
    uint32_t id, type_id;
    uint32_t dominator_id; /* 0: none */
    unsigned flags;        /* enum heap_object_flags */
};

/* STATUS_USAGE for an id that no object has. */
enum status heap_reader_object(struct heap_reader *reader, uint32_t id,
                               struct heap_object_row *ret_object, struct error *err) MUST_CHECK;
/* The last object that starts at or below the address; 0: none does. */
enum status heap_reader_find(struct heap_reader *reader, uint64_t address, uint32_t *ret_id,
                             struct error *err) MUST_CHECK;

/* ---- References. */

enum heap_direction {
    HEAP_REFERENCES, /* from the object: by source, in the order it holds them */
    HEAP_REFERRERS,  /* to the object: by target, then source */
};

struct heap_edge {
    uint32_t source_id, target_id;
};

/* A walk over the references of the objects `first` to `last`; its fields are the
 * reader's own. */
struct heap_walk {
    struct heap_reader *reader;
    enum heap_direction direction;
    enum status status; /* of what ended it */
    struct error error;
    struct packed_chunk *chunk;  /* NULL: ended */
    struct packed_chunk *source; /* where the labels of referrers are */
    uint32_t last;
    uint32_t row, position, row_end; /* in the chunk */
    uint32_t repeated; /* references before this one of the same source, part and target */
};

/* first > last walks over nothing. Whatever comes of it, finish the walk. */
void heap_walk_start(struct heap_reader *reader, enum heap_direction direction, uint32_t first,
                     uint32_t last, struct heap_walk *ret_walk);
/* True while there is a reference. An error ends the walk: ask heap_walk_finish. */
bool heap_walk_next(struct heap_walk *walk, struct heap_edge *ret_edge);
/* Of the reference that heap_walk_next gave last: its number among all, from 1, in
 * the order of HEAP_REFERENCES, and its label, as in heap_index.h. */
enum status heap_walk_label(struct heap_walk *walk, uint64_t *ret_number, uint32_t *ret_label,
                            struct error *err) MUST_CHECK;
enum status heap_walk_finish(struct heap_walk *walk, struct error *err);

/* How many references an object has, or referrers. */
enum status heap_reader_degree(struct heap_reader *reader, enum heap_direction direction,
                               uint32_t id, uint64_t *ret_degree, struct error *err) MUST_CHECK;

/* A label's UTF-8 text, not NUL-terminated, valid until the next label is asked
 * for; NULL for label 0. */
enum status heap_reader_label(struct heap_reader *reader, uint32_t label, const char **ret_text,
                              size_t *ret_size, struct error *err) MUST_CHECK;

#endif
