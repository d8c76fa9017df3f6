/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/graph/memory.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "inquest/base/checked_math.h"

#define MAPPED_FROM ((size_t)1 << 20) /* bytes, the head included */
#define HUGE_FROM   ((size_t)8 << 20)
#define PAGE        ((size_t)4096)
#define FREE_MAX    64 /* blocks that are kept */

/* Lies before each array, and leaves it aligned to a cache line. */
struct head {
    _Alignas(64) size_t size; /* in bytes, this included; of a mapping, whole pages */
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
        size > PTRDIFF_MAX - PAGE)
        return 0;
    return size < MAPPED_FROM ? (size_t)size : (size + PAGE - 1) & ~(PAGE - 1);
}

/* ---- mappings that are free, in order of address, neighbours joined */

struct block {
    char *start;
    size_t size;
};

static struct {
    pthread_mutex_t lock;
    unsigned count;
    struct block blocks[FREE_MAX];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void drop_block(unsigned i)
{
    pool.count--;
    memmove(&pool.blocks[i], &pool.blocks[i + 1], (pool.count - i) * sizeof *pool.blocks);
}

/* Takes a block over; what finds no room in the list goes back to the system. */
static void give(char *start, size_t size)
{
    unsigned i = 0;
    while (i < pool.count && pool.blocks[i].start < start)
        i++;
    bool after = i && pool.blocks[i - 1].start + pool.blocks[i - 1].size == start;
    bool before = i < pool.count && start + size == pool.blocks[i].start;
    if (after) {
        pool.blocks[i - 1].size += size + (before ? pool.blocks[i].size : 0);
        if (before)
            drop_block(i);
    } else if (before) {
        pool.blocks[i].start = start;
        pool.blocks[i].size += size;
    } else if (pool.count < FREE_MAX) {
        memmove(&pool.blocks[i + 1], &pool.blocks[i], (pool.count - i) * sizeof *pool.blocks);
        pool.blocks[i] = (struct block){start, size};
        pool.count++;
    } else {
        (void)munmap(start, size);
    }
}

/* The smallest that is large enough, else the largest; pool.count: none. */
static unsigned choose(size_t size)
{
    unsigned best = pool.count;
    for (unsigned i = 0; i < pool.count; i++) {
        size_t there = pool.blocks[i].size;
        size_t chosen = best < pool.count ? pool.blocks[best].size : 0;
        if (best == pool.count ||
            (chosen < size ? there > chosen : there >= size && there < chosen))
            best = i;
    }
    return best;
}

/* A free block of `size`: what it has too much stays behind, what it lacks is added. */
static struct head *take(size_t size)
{
    pthread_mutex_lock(&pool.lock);
    unsigned i = choose(size);
    struct block block = {NULL, 0};
    if (i < pool.count) {
        block = pool.blocks[i];
        if (block.size > size) {
            pool.blocks[i].start += size;
            pool.blocks[i].size -= size;
        } else {
            drop_block(i);
        }
    }
    pthread_mutex_unlock(&pool.lock);
    if (!block.start || block.size >= size)
        return (struct head *)block.start;
    void *grown = mremap(block.start, block.size, size, MREMAP_MAYMOVE);
    if (grown != MAP_FAILED)
        return grown;
    (void)munmap(block.start, block.size); /* it was several mappings once */
    return NULL;
}

void graph_memory_trim(void)
{
    pthread_mutex_lock(&pool.lock);
    for (unsigned i = 0; i < pool.count; i++)
        (void)munmap(pool.blocks[i].start, pool.blocks[i].size);
    pool.count = 0;
    pthread_mutex_unlock(&pool.lock);
}

/* ---- arrays */

/* Asks for huge pages in all of a new mapping. The kernel may refuse; then the
 * passes are slower, no more. */
static struct head *map(size_t size)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    if (size >= HUGE_FROM)
        (void)madvise(start, size, MADV_HUGEPAGE);
    return start;
}

/* NULL where memory is out. New mappings are zeroed anyway. */
static struct head *head_create(size_t size, bool is_zeroed)
{
    struct head *head;
    bool is_new = false;
    if (!size)
        return NULL;
    if (size < MAPPED_FROM) {
        head = aligned_alloc(_Alignof(struct head), (size + 63) & ~(size_t)63);
    } else {
        head = take(size);
        is_new = !head;
        if (is_new)
            head = map(size);
    }
    if (head && is_zeroed && !is_new)
        memset(head, 0, size);
    if (head)
        head->size = size;
    return head;
}

static void head_destroy(struct head *head)
{
    if (head->size < MAPPED_FROM) {
        free(head);
        return;
    }
    pthread_mutex_lock(&pool.lock);
    give((char *)head, head->size);
    pthread_mutex_unlock(&pool.lock);
}

/* NULL where memory is out, and nothing has changed then. */
static struct head *head_resize(struct head *head, size_t size)
{
    size_t before = head->size;
    if (size >= MAPPED_FROM && size <= before) {
        head->size = size;
        pthread_mutex_lock(&pool.lock);
        if (before > size)
            give((char *)head + size, before - size);
        pthread_mutex_unlock(&pool.lock);
        return head;
    }
    if (size >= MAPPED_FROM && before >= MAPPED_FROM) {
        struct head *moved = mremap(head, before, size, MREMAP_MAYMOVE);
        if (moved != MAP_FAILED) {
            moved->size = size;
            return moved;
        }
    }
    struct head *copy = head_create(size, false);
    if (!copy)
        return NULL;
    memcpy(copy + 1, head + 1, (before < size ? before : size) - sizeof *head);
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
