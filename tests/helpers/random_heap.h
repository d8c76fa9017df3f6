/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_RANDOM_HEAP_H
#define TESTS_HELPERS_RANDOM_HEAP_H

#include "inquest/analyzer/heap_index.h"

/* Heaps as the index is given them, in all the shapes that its packing knows: rows
 * that are alike, empty, longer than a chunk; sources and targets that repeat; each
 * kind of label; numbers at both ends of their range. The same for the same seed.
 * Running out of memory aborts: it is a test helper. */
struct random_heap {
    struct heap_objects objects;
    struct heap_references references;
    struct heap_labels labels;
};

enum random_heap_shape {
    RANDOM_HEAP_PLAIN = 0,
    RANDOM_HEAP_LONG_ROWS = 1, /* objects with 10,000 references, and as many referrers */
    RANDOM_HEAP_HIGH = 2,      /* the last addresses are past 2^63 */
};

void random_heap_make(struct random_heap *heap, uint64_t seed, uint32_t objects,
                      enum random_heap_shape shape);
void random_heap_deinit(struct random_heap *heap);

/* The generator behind it: xorshift64*. `state` is never 0. */
uint64_t random_heap_next(uint64_t *state);

#endif
