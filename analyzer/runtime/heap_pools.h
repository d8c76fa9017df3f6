/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_POOLS_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_POOLS_H

#include "analyzer/objects/object.h"

#define POOL_HEADER_BYTES 48

/* One size class's page of pymalloc, as found in memory. */
struct pool {
    uint64_t addr;
    uint32_t block_size;
    uint32_t block_count; /* carved so far; those after have never been used */
    uint32_t live_count;
    const uint64_t *live; /* a bit a block: allocated */
};

struct pool_totals {
    uint64_t pools, pool_bytes; /* bytes of the pools themselves */
    uint64_t live_bytes, free_bytes, header_bytes; /* of blocks; headers with the tail's slack */
    uint64_t empty_bytes; /* pools in which nothing lives */
    uint64_t damaged; /* pools whose free list contradicts their counts */
};

typedef enum status (*pool_visitor)(void *context, const struct pool *pool);

/* Finds every pool in use in the dead process's anonymous writable memory by the
 * header that each carries, so that no symbol and no version's arena table is
 * needed. A damaged free list makes the pool's blocks count as free from there
 * on. In order of address. */
enum status pools_visit(const struct python_process *process, pool_visitor visit, void *context,
                        struct pool_totals *ret_totals) MUST_CHECK;

#endif
