/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_PARTITION_POINT_H
#define INQUEST_BASE_PARTITION_POINT_H

#include <stddef.h>

/* Binary search: sets `index`, a size_t variable, to the first of 0 .. count-1 for which
 * `is_before` does not hold, or to `count`. `is_before` is an expression over `index` that holds
 * for none after the first for which it does not:
 *
 *     size_t at;
 *     PARTITION_POINT(at, list->count, list->items[at].address < address); */
#define PARTITION_POINT(index, count, is_before)                                                   \
    do {                                                                                           \
        size_t first_ = 0, left_ = (count);                                                        \
        while (left_) {                                                                            \
            size_t half_ = left_ / 2;                                                              \
            (index) = first_ + half_;                                                              \
            if (is_before) {                                                                       \
                first_ += half_ + 1;                                                               \
                left_ -= half_ + 1;                                                                \
            } else {                                                                               \
                left_ = half_;                                                                     \
            }                                                                                      \
        }                                                                                          \
        (index) = first_;                                                                          \
    } while (0)

#endif
