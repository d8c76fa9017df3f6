/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/graph/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "inquest/base/checked_math.h"

#define MAPPED_FROM ((size_t)1 << 20) /* bytes, the head included */
#define HUGE_FROM   ((size_t)8 << 20)

/* Lies before each array, and leaves it aligned to a cache line. */
struct head {
    _Alignas(64) size_t size; /* in bytes, this included */
};

static struct head *head_of(void *array)
{
    return (struct head *)((char *)array - sizeof(struct head));
}

/* Of the array and its head, in bytes; 0 where no address space holds as much. */
static size_t size_of(uint64_t count, size_t item_size)
{
    uint64_t size;
    if (!checked_mul_add_u64(count ? count : 1, item_size, sizeof(struct head), &size) ||
        size > PTRDIFF_MAX)
        return 0;
    return size;
}

/* Asks for huge pages in all of a mapping: one that is half of each kind could
 * not be resized. The kernel may refuse; then the passes are slower, no more. */
static void advise(struct head *head)
{
    if (head->size >= HUGE_FROM)
        (void)madvise(head, head->size, MADV_HUGEPAGE);
}

/* NULL where memory is out. Mappings are zeroed anyway. */
static struct head *head_create(size_t size, bool is_zeroed)
{
    struct head *head;
    if (!size)
        return NULL;
    if (size < MAPPED_FROM) {
        head = aligned_alloc(_Alignof(struct head), (size + 63) & ~(size_t)63);
        if (head && is_zeroed)
            memset(head, 0, size);
    } else {
        head = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        head = head == MAP_FAILED ? NULL : head;
    }
    if (head) {
        head->size = size;
        advise(head);
    }
    return head;
}

static void head_destroy(struct head *head)
{
    if (head->size < MAPPED_FROM)
        free(head);
    else
        (void)munmap(head, head->size);
}

/* NULL where memory is out, and nothing has changed then. */
static struct head *head_resize(struct head *head, size_t size)
{
    if (size >= MAPPED_FROM && head->size >= MAPPED_FROM) {
        struct head *moved = mremap(head, head->size, size, MREMAP_MAYMOVE);
        if (moved != MAP_FAILED) {
            moved->size = size;
            advise(moved);
            return moved;
        }
    }
    struct head *copy = head_create(size, false);
    if (!copy)
        return NULL;
    memcpy(copy + 1, head + 1, (head->size < size ? head->size : size) - sizeof *head);
    head_destroy(head);
    return copy;
}

static enum status keep(struct head *head, uint64_t count, void **ret_array, struct error *err)
{
    if (!head)
        return error_set(err, STATUS_NO_MEMORY,
                         "object graph: no memory for an array of %" PRIu64 " entries", count);
    *ret_array = head + 1;
    return STATUS_OK;
}

enum status graph_alloc(uint64_t count, size_t item_size, void **ret_array, struct error *err)
{
    return keep(head_create(size_of(count, item_size), false), count, ret_array, err);
}

enum status graph_alloc_zeroed(uint64_t count, size_t item_size, void **ret_array,
                               struct error *err)
{
    return keep(head_create(size_of(count, item_size), true), count, ret_array, err);
}

enum status graph_resize(void **array, uint64_t count, size_t item_size, struct error *err)
{
    return keep(head_resize(head_of(*array), size_of(count, item_size)), count, array, err);
}

void graph_free(void *array)
{
    if (array)
        head_destroy(head_of(array));
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
