/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/base/array.h"

#include "inquest/base/checked_math.h"

bool array_reserve_raw(void **items, size_t *capacity, size_t count, size_t extra, size_t item_size)
{
    size_t needed;
    if (__builtin_add_overflow(count, extra, &needed))
        return false;
    if (needed <= *capacity)
        return true;
    size_t grown = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    if (grown < needed)
        grown = needed;
    size_t bytes;
    if (!checked_mul_size(grown, item_size, &bytes))
        return false;
    void *moved = realloc(*items, bytes);
    if (!moved)
        return false;
    *items = moved;
    *capacity = grown;
    return true;
}
