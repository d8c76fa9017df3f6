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
    uint32_t live_count;  /* bits set in `live` */
    uint32_t capacity;    /* blocks that fit */
    const uint64_t *live; /* a bit a block: allocated */
    const uint8_t *bytes; /* the pool's own, header included */
};

struct pool_totals {
    uint64_t pools, pool_bytes;                    /* bytes of the pools themselves */
    uint64_t live_bytes, free_bytes, header_bytes; /* of blocks; headers with the tail's slack */
    uint64_t empty_bytes;                          /* pools in which nothing lives */
    uint64_t damaged; /* pools whose free list contradicts their counts */
};

typedef enum status (*pool_visitor)(void *context, const struct pool *pool);

/* 4 KiB up to CPython 3.9, 16 KiB from 3.10 on; pools are aligned to it. */
uint64_t pool_size(const struct python_process *process);

enum pool_state {
    POOL_NONE,  /* no pool, or not in the dump */
    POOL_EMPTY, /* was one; nothing lives in it */
    POOL_IN_USE,
    POOL_DAMAGED, /* in use; its free list contradicts its counts: blocks that the list
                     does not reach count as live */
};

#define POOL_LIVE_WORDS 16 /* a bit a block */

/* The pool at `addr`, a multiple of pool_size; ret_live is its storage for `live`.
 * *ret_pool is filled for the latter two states only. */
enum pool_state pool_read(const struct python_process *process, uint64_t addr,
                          uint64_t ret_live[POOL_LIVE_WORDS], struct pool *ret_pool);

/* Whether `addr` lies in a sound pool, at what is no live block's beginning, object
 * headers granted. */
bool pool_has_nothing_at(const struct python_process *process, uint64_t addr);

/* Whether `addr` lies in a sound pool: pools_visit shows all that lives there. */
bool pool_is_sound_at(const struct python_process *process, uint64_t addr);

/* Finds every pool in use in the dead process's writable memory by the header that
 * each carries, so that no symbol and no version's arena table is needed. In order
 * of address. */
enum status pools_visit(const struct python_process *process, pool_visitor visit, void *context,
                        struct pool_totals *ret_totals) MUST_CHECK;

#endif
