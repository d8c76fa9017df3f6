/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_MALLOC_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_MALLOC_H

#include "analyzer/runtime/heap_map.h"
#include "inquest/base/array.h"

/* glibc's malloc, as found in memory without symbols: what brk() gave, the arenas of
 * threads, and the chunks that have a mapping of their own. */

#define CHUNK_HEADER_BYTES 16 /* from a chunk to what malloc returned */

/* Chunks that follow each other. */
struct malloc_heap {
    uint64_t start;    /* of its own structures, which end at the first chunk */
    uint64_t first;    /* the first chunk */
    uint64_t end;      /* the first byte that is no chunk's: of the heap, or where it is damaged */
    uint64_t size_end; /* where it should end */
    uint64_t area_end; /* as far as it may grow without asking the kernel */
    uint64_t state;    /* a thread's arena: its malloc_state; 0: brk's */
    uint64_t top;      /* the last chunk, from which the heap grows; 0: none */
};

struct malloc_map {
    ARRAY(struct malloc_heap) heaps; /* ascending, apart from each other */
    struct heap_map *chunks;         /* all of them */
    struct heap_map *cached;         /* those that are free, but marked as used */
    uint64_t damaged_addr;           /* the first chunk that contradicts itself, 0: none */
    uint64_t lists_read;             /* tcaches and sets of fastbins */
    uint64_t lists_damaged;          /* lists of free chunks that lead to no free chunk */
};

enum status malloc_map_create(const struct memory_image *image,
                              struct malloc_map *ret_map) MUST_CHECK;
void malloc_map_deinit(struct malloc_map *map);

enum chunk_state {
    CHUNK_USED,
    CHUNK_FREE,
    CHUNK_CACHED, /* free, kept apart for the next malloc: tcache and fastbins */
    CHUNK_TOP,    /* free, at the heap's end */
    CHUNK_FENCE,  /* marks where a heap ends */
};

struct malloc_chunk {
    uint64_t addr, size;
    enum chunk_state state;
};

/* The chunk at `addr`: heap->first, then each one's end until heap->end. */
void malloc_chunk_at(const struct memory_image *image, const struct malloc_map *map,
                     const struct malloc_heap *heap, uint64_t addr, struct malloc_chunk *ret_chunk);

/* The bytes of the mapping that malloc made for one chunk at `addr`, a page's start;
 * 0 where there is none that ends by `end`. */
uint64_t malloc_mapped_bytes(const struct memory_image *image, uint64_t addr, uint64_t end);

/* ---- heap_malloc_lists.c: fills `cached`. `caches` are chunks that may be a thread's
 * tcache. */
typedef ARRAY(uint64_t) chunk_array;
void malloc_lists_read(const struct memory_image *image, const chunk_array *caches,
                       struct malloc_map *map);
/* Whether a chunk of this size may be a tcache. */
bool malloc_is_cache_size(uint64_t size);
/* A chunk's size without its flags; false where it isn't in the dump. */
bool malloc_chunk_word(const struct memory_image *image, uint64_t addr, uint64_t *ret_word);

#endif
