/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_REVERSE_H
#define INQUEST_ANALYZER_INDEX_PACKED_REVERSE_H

#include "inquest/analyzer/heap_index.h"
#include "inquest/base/array.h"

/* The references by target: the rows that come with them, or ones made from those by
 * source with a counting sort (8 bytes an object and 4 a reference). */

/* A part of a source's row that is longer than PACKED_PART. */
struct reverse_part {
    uint32_t source; /* array index */
    uint32_t part;
};

/* One of heap_references.more. */
struct reverse_more {
    uint32_t target;
    struct reverse_part from;
};

struct reverse_rows {
    uint32_t objects;
    const uint32_t *first; /* objects + 1; NULL: own_first */
    /* Of each reference its source's array index or, from `objects` on, the number
     * of a part, plus `objects`. By source, then in the source's own order. */
    uint32_t *source;
    uint64_t *own_first; /* the same, where these two were made here */
    uint32_t *own_source;
    ARRAY(struct reverse_part) parts;
    ARRAY(struct reverse_more) more; /* by target, then by source, in its own order */
};

/* STATUS_USAGE for a target that is no object. */
enum status reverse_rows_make(uint32_t objects, const struct heap_references *references,
                              struct reverse_rows *ret_reverse) MUST_CHECK;
void reverse_rows_deinit(struct reverse_rows *reverse);

/* The row of `object` is from its start to that of the next. */
static inline uint64_t reverse_rows_start(const struct reverse_rows *reverse, uint64_t object)
{
    return reverse->first ? reverse->first[object] : reverse->own_first[object];
}

static inline struct reverse_part reverse_rows_source(const struct reverse_rows *reverse,
                                                      uint64_t position)
{
    uint32_t source = reverse->source[position];
    if (source >= reverse->objects)
        return reverse->parts.items[source - reverse->objects];
    return (struct reverse_part){.source = source, .part = 0};
}

#endif
