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
#define UNIT        ((size_t)2 << 20) /* a huge page: what is moved from one mapping to another */
#define FREE_MAX    64                /* blocks that are kept */

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
        size > PTRDIFF_MAX - UNIT)
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

/* The smallest that is large enough; pool.count: none. */
static unsigned find_fitting(size_t size)
{
    unsigned best = pool.count;
    for (unsigned i = 0; i < pool.count; i++)
        if (pool.blocks[i].size >= size &&
            (best == pool.count || pool.blocks[i].size < pool.blocks[best].size))
            best = i;
    return best;
}

/* A free block of `size`: what it has too much stays behind. */
static struct head *take(size_t size)
{
    char *start = NULL;
    pthread_mutex_lock(&pool.lock);
    unsigned i = find_fitting(size);
    if (i < pool.count) {
        start = pool.blocks[i].start;
        pool.blocks[i].start += size;
        pool.blocks[i].size -= size;
        if (!pool.blocks[i].size)
            drop_block(i);
    }
    pthread_mutex_unlock(&pool.lock);
    return (struct head *)start;
}

static char *unit_up(char *at)
{
    return at + (-(uintptr_t)at & (UNIT - 1));
}

static size_t whole_units(const struct block *block)
{
    size_t skipped = (size_t)(unit_up(block->start) - block->start);
    return block->size < skipped ? 0 : (block->size - skipped) / UNIT;
}

/* The block that has most whole units, and of those that have none the largest;
 * pool.count: none. */
static unsigned find_most(void)
{
    unsigned best = 0;
    for (unsigned i = 1; i < pool.count; i++) {
        size_t units = whole_units(&pool.blocks[i]), most = whole_units(&pool.blocks[best]);
        if (units > most || (units == most && pool.blocks[i].size > pool.blocks[best].size))
            best = i;
    }
    return best;
}

/* A new mapping and the pages of free blocks that take the place of its own. */
struct filling {
    char *to, *end; /* what is still without */
    size_t lost;    /* bytes from `to` on, where moving failed */
};

/* Before Linux 6.17 pages of several mappings are not moved together, and what was in their
 * place is gone then: another thread may have mapped something there by now. */
static bool move_pages(struct filling *filling, char *from, size_t size)
{
    if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, filling->to) == MAP_FAILED) {
        (void)munmap(from, size);
        filling->lost = size;
        return false;
    }
    filling->to += size;
    return true;
}

/* Moves what the block has, by whole units where it has any. */
static void move_block(struct filling *filling, unsigned i)
{
    struct block block = pool.blocks[i];
    size_t wanted = (size_t)(filling->end - filling->to);
    bool has_units = wanted >= UNIT && whole_units(&block);
    char *from = has_units ? unit_up(block.start) : block.start, *stop = block.start + block.size;
    size_t step = has_units ? UNIT : block.size < wanted ? block.size : wanted;
    drop_block(i);
    if (from > block.start)
        give(block.start, (size_t)(from - block.start));
    for (bool is_moved = true; is_moved && (size_t)(stop - from) >= step && wanted >= step;) {
        is_moved = move_pages(filling, from, step);
        from += step;
        wanted = (size_t)(filling->end - filling->to);
    }
    if (stop > from)
        give(from, (size_t)(stop - from));
}

/* Free blocks, each too small by itself, end in the mapping. */
static void fill(struct filling *filling)
{
    pthread_mutex_lock(&pool.lock);
    while (filling->to < filling->end && pool.count && !filling->lost)
        move_block(filling, find_most());
    pthread_mutex_unlock(&pool.lock);
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

static char *map_small(size_t size)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start != MAP_FAILED ? start : NULL;
}

static void unmap(char *start, const char *end)
{
    if (end > start)
        (void)munmap(start, (size_t)(end - start));
}

/* From where a huge page can be, and asks for them. The kernel may refuse; then the
 * passes are slower, no more. */
static char *map_huge(size_t size)
{
    char *mapped = map_small(size + UNIT);
    if (!mapped)
        return NULL;
    char *start = unit_up(mapped);
    unmap(mapped, start);
    unmap(start + size, mapped + size + UNIT);
    (void)madvise(start, size, MADV_HUGEPAGE);
    return start;
}

static char *map(size_t size)
{
    return size < HUGE_FROM ? map_small(size) : map_huge(size);
}

static struct head *map_and_fill(size_t size, bool is_zeroed)
{
    char *start = map(size);
    if (!start)
        return NULL;
    struct filling filling = {start, start + size, 0};
    fill(&filling);
    if (filling.lost) {
        unmap(start, filling.to);
        unmap(filling.to + filling.lost, filling.end);
        return (struct head *)map(size);
    }
    if (is_zeroed)
        memset(start, 0, (size_t)(filling.to - start));
    return (struct head *)start;
}

/* NULL where memory is out. New mappings are zeroed anyway. */
static struct head *head_create(size_t size, bool is_zeroed)
{
    struct head *head = NULL;
    if (!size)
        return NULL;
    if (size < MAPPED_FROM)
        head = aligned_alloc(_Alignof(struct head), (size + 63) & ~(size_t)63);
    else
        head = take(size);
    if (head && is_zeroed)
        memset(head, 0, size);
    if (!head && size >= MAPPED_FROM)
        head = map_and_fill(size, is_zeroed);
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
