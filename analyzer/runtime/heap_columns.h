/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_COLUMNS_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/base/array.h"
#include "inquest/base/error.h"

/* Columns of numbers that fit into 16 bits but for a few: a quarter of the
 * memory, and what does not fit has a row in a list of its own. */

struct heap_wide {
    uint32_t object;
    uint64_t value;
};

struct heap_column {
    uint16_t *low;                /* HEAP_WIDE: in the list; HEAP_MOST: UINT64_MAX */
    ARRAY(struct heap_wide) wide; /* ascending by object */
};

#define HEAP_MOST UINT16_MAX
#define HEAP_WIDE (UINT16_MAX - 1)

/* Room for `count` objects. */
enum status heap_column_init(struct heap_column *column, uint64_t count) MUST_CHECK;
void heap_column_deinit(struct heap_column *column);

/* Objects come in ascending order. */
static inline enum status MUST_CHECK heap_column_set(struct heap_column *column, uint32_t object,
                                                     uint64_t value)
{
    if (value < HEAP_WIDE || value == UINT64_MAX) {
        column->low[object] = value == UINT64_MAX ? HEAP_MOST : (uint16_t)value;
        return STATUS_OK;
    }
    const struct heap_wide wide = {object, value};
    column->low[object] = HEAP_WIDE;
    return array_push(&column->wide, wide) ? STATUS_OK : STATUS_NO_MEMORY;
}

uint64_t heap_column_wide(const struct heap_column *column, uint32_t object);
/* `value` is smaller than what the object has. */
void heap_column_lower(struct heap_column *column, uint32_t object, uint64_t value);

static inline uint64_t heap_column_get(const struct heap_column *column, uint32_t object)
{
    uint16_t low = column->low[object];
    if (low < HEAP_WIDE)
        return low;
    return low == HEAP_MOST ? UINT64_MAX : heap_column_wide(column, object);
}

/* Where they did not come in ascending order: the list is in order then. */
void heap_column_sort(struct heap_column *column);

/* ---- Addresses, which ascend and are multiples of 8: by windows of 32 GiB. */

struct heap_window {
    uint32_t first; /* object */
    uint64_t start;
};

struct heap_addresses {
    uint32_t *low; /* eighths of bytes into the window */
    ARRAY(struct heap_window) windows;
};

enum status heap_addresses_init(struct heap_addresses *addresses, uint32_t count) MUST_CHECK;
void heap_addresses_deinit(struct heap_addresses *addresses);
/* Objects and addresses ascend, from object 0 on. */
static inline enum status MUST_CHECK heap_addresses_set(struct heap_addresses *addresses,
                                                        uint32_t object, uint64_t addr)
{
    uint64_t start = addr & ~((UINT64_C(1) << 35) - 1);
    size_t count = addresses->windows.count;
    const struct heap_window window = {object, start};
    addresses->low[object] = (uint32_t)(addr >> 3);
    if (count && addresses->windows.items[count - 1].start == start)
        return STATUS_OK;
    return array_push(&addresses->windows, window) ? STATUS_OK : STATUS_NO_MEMORY;
}

static inline uint64_t heap_addresses_get(const struct heap_addresses *addresses, uint32_t object)
{
    size_t window = addresses->windows.count - 1;
    while (object < addresses->windows.items[window].first)
        window--;
    return addresses->windows.items[window].start | (uint64_t)addresses->low[object] << 3;
}

#endif
