/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_columns.h"

#include "analyzer/graph/memory.h"

enum status heap_column_init(struct heap_column *column, uint64_t count)
{
    return graph_alloc(count, sizeof *column->low, (void **)&column->low, NULL);
}

void heap_column_deinit(struct heap_column *column)
{
    graph_free(column->low);
    array_deinit(&column->wide);
    column->low = NULL;
}

static size_t wide_place(const struct heap_column *column, uint32_t object)
{
    size_t low = 0, high = column->wide.count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (column->wide.items[middle].object <= object)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint64_t heap_column_wide(const struct heap_column *column, uint32_t object)
{
    return column->wide.items[wide_place(column, object)].value;
}

void heap_column_lower(struct heap_column *column, uint32_t object, uint64_t value)
{
    if (column->low[object] == HEAP_WIDE)
        column->wide.items[wide_place(column, object)].value = value;
    else
        column->low[object] = (uint16_t)value;
}

static int compare_wide(const void *left, const void *right)
{
    const struct heap_wide *a = left, *b = right;
    return (a->object > b->object) - (a->object < b->object);
}

void heap_column_sort(struct heap_column *column)
{
    if (column->wide.count)
        qsort(column->wide.items, column->wide.count, sizeof *column->wide.items, compare_wide);
}

enum status heap_addresses_init(struct heap_addresses *addresses, uint32_t count)
{
    return graph_alloc(count, sizeof *addresses->low, (void **)&addresses->low, NULL);
}

void heap_addresses_deinit(struct heap_addresses *addresses)
{
    graph_free(addresses->low);
    array_deinit(&addresses->windows);
    addresses->low = NULL;
}
