/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_ARRAY_H
#define INQUEST_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "inquest/base/status.h"

/* Items of an array that was declared with its size. */
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A flat growable array: ARRAY(struct thing) things = {0}; The items are
 * malloc'ed, contiguous, and move when the array grows. */
#define ARRAY(type)                                                                                \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

/* Makes room for `extra` more items of `item_size` bytes; false: out of memory. */
bool array_reserve_raw(void **items, size_t *capacity, size_t count, size_t extra,
                       size_t item_size) MUST_CHECK;

#define array_reserve(array, extra)                                                                \
    array_reserve_raw((void **)&(array)->items, &(array)->capacity, (array)->count, (extra),       \
                      sizeof(*(array)->items))

/* Appends a copy of `item`; false: out of memory, nothing appended. */
#define array_push(array, item)                                                                    \
    ((array)->count < (array)->capacity || array_reserve((array), 1)                               \
         ? ((array)->items[(array)->count++] = (item), true)                                       \
         : false)

#define array_deinit(array)                                                                        \
    do {                                                                                           \
        free((array)->items);                                                                      \
        (array)->items = NULL;                                                                     \
        (array)->count = (array)->capacity = 0;                                                    \
    } while (0)

#endif
