/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_SEQUENCE_SORT_H
#define INQUEST_ANALYZER_PROFILE_SEQUENCE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/status.h"

/* Sorts things that are sequences (stacks of frames, strings of bytes) without
 * comparing two whole ones: by 64 bits at a time, and what is equal in those by the
 * next 64. Costs what it takes to tell them apart. */

/* The `depth`-th 64 bits of a sequence, 0 where it has ended before. A sequence that
 * ends sorts before those that it begins. */
typedef uint64_t (*sequence_key)(const void *context, uint32_t item, uint32_t depth);

struct sequence_order {
    sequence_key key;
    const void *context;
    uint64_t more; /* a key that has one of these bits may be followed by another; equal keys
                      without any are the ends of equal sequences */
};

#define SEQUENCE_EQUAL UINT32_MAX

/* Sorts `items`; equal sequences stay in the order in which they came. `common`, where
 * it is not NULL, gets for each item how many halves of keys (32 bits) it shares with
 * the item before it, SEQUENCE_EQUAL for all; 0 for the first. */
enum status sequence_sort(const struct sequence_order *order, uint32_t *items, size_t count,
                          uint32_t *common) MUST_CHECK;

struct keyed_item {
    uint64_t key;
    uint32_t item;
};

/* The same for single keys: stable. `scratch` has room for `count`. */
void keyed_sort(struct keyed_item *items, struct keyed_item *scratch, size_t count);

#endif
