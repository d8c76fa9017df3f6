/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/graph/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "inquest/base/checked_math.h"

#define HUGE_PAGE (UINT64_C(2) << 20)

/* Asks for huge pages in the part of the array that fills them. The kernel may
 * refuse; then the passes are slower and nothing else. */
static void advise(void *array, uint64_t size)
{
    uint64_t begin = ((uintptr_t)array + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uint64_t end = ((uintptr_t)array + size) & ~(HUGE_PAGE - 1);
    if (size >= 4 * HUGE_PAGE && begin < end)
        (void)madvise((char *)array + (begin - (uintptr_t)array), end - begin, MADV_HUGEPAGE);
}

/* In bytes; 0 where no address space holds as much. */
static size_t size_of(uint64_t count, size_t item_size)
{
    uint64_t size;
    if (!checked_mul_u64(count ? count : 1, item_size, &size) || size > PTRDIFF_MAX)
        return 0;
    return size;
}

static enum status keep(void *array, size_t size, uint64_t count, void **ret_array,
                        struct error *err)
{
    if (!array)
        return error_set(err, STATUS_NO_MEMORY,
                         "object graph: no memory for an array of %" PRIu64 " entries", count);
    advise(array, size);
    *ret_array = array;
    return STATUS_OK;
}

enum status graph_alloc(uint64_t count, size_t item_size, void **ret_array, struct error *err)
{
    size_t size = size_of(count, item_size);
    return keep(size ? malloc(size) : NULL, size, count, ret_array, err);
}

enum status graph_alloc_zeroed(uint64_t count, size_t item_size, void **ret_array,
                               struct error *err)
{
    size_t size = size_of(count, item_size);
    return keep(size ? calloc(1, size) : NULL, size, count, ret_array, err);
}

enum status graph_resize(void **array, uint64_t count, size_t item_size, struct error *err)
{
    size_t size = size_of(count, item_size);
    return keep(size ? realloc(*array, size) : NULL, size, count, array, err);
}

enum status graph_check_roots(const struct graph *graph, const struct graph_roots *roots,
                              struct error *err)
{
    for (uint32_t i = 0; i < roots->count; i++)
        if (roots->nodes[i] >= graph->node_count)
            return error_set(err, STATUS_USAGE,
                             "object graph: root %" PRIu32 " is node %" PRIu32 " of %" PRIu32, i,
                             roots->nodes[i], graph->node_count);
    return STATUS_OK;
}
