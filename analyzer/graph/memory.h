/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_GRAPH_MEMORY_H
#define INQUEST_ANALYZER_GRAPH_MEMORY_H

#include "analyzer/graph/graph.h"

/* Arrays of the graph and of the heap; graph_free ends them. Small ones are malloc's,
 * so that the sanitizers watch them. Large ones are mappings, asked for in huge
 * pages, because the passes jump about and would else wait for the page tables.
 * What is freed is kept for the next arrays, whatever their sizes: pages are moved to
 * where they are wanted, for the kernel clears each one that it hands out, which was a
 * fifth of all time. Never NULL for count 0. On any thread. */
enum status graph_alloc(uint64_t count, size_t item_size, void **ret_array,
                        struct error *err) MUST_CHECK;
enum status graph_alloc_zeroed(uint64_t count, size_t item_size, void **ret_array,
                               struct error *err) MUST_CHECK;
/* Grows or shrinks, keeping the content; on failure the array is as it was. */
enum status graph_resize(void **array, uint64_t count, size_t item_size,
                         struct error *err) MUST_CHECK;
/* Gives back to the system what is kept. */
void graph_memory_trim(void);

/* Words of a bitmap over `count` bits. */
static inline uint64_t bitmap_words(uint64_t count)
{
    return (count + 63) / 64;
}

static inline void bitmap_set(uint64_t *bits, uint32_t node)
{
    bits[node >> 6] |= UINT64_C(1) << (node & 63);
}

/* STATUS_USAGE where a root is no node of the graph. */
enum status graph_check_roots(const struct graph *graph, const struct graph_roots *roots,
                              struct error *err) MUST_CHECK;

#endif
