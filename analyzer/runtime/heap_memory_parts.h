/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_MEMORY_PARTS_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_MEMORY_PARTS_H

#include "analyzer/runtime/heap_facts.h"
#include "analyzer/runtime/heap_malloc.h"

/* ---- heap_memory_extents.c: which parts of the anonymous mappings have a structure
 * that we know. */
enum extent_kind {
    EXTENT_MALLOC, /* a heap of malloc's: `heap` */
    EXTENT_FRAMES, /* a chunk of a thread's stack of Python frames */
    EXTENT_ARENA,  /* pymalloc's: pools and what is left of it */
    EXTENT_POOL,   /* a pool whose arena is not known */
};

struct extent {
    uint64_t start, end; /* within the stored part of one segment */
    enum extent_kind kind;
    size_t heap; /* index into malloc_map.heaps */
};

struct extent_list {
    ARRAY(struct extent) extents; /* ascending, apart from each other */
    uint64_t arenas, lone_pools;
};

enum status extents_find(const struct python_process *process, const struct malloc_map *map,
                         struct extent_list *ret_list) MUST_CHECK;

/* ---- heap_memory_arenas.c: pymalloc's own table of arenas. */
typedef ARRAY(uint64_t) pool_array;
/* `pools` are all that were found, ascending. 0 where the table was not found. */
uint64_t arena_table_find(const struct python_process *process, const pool_array *pools);
/* The arena that holds the pool; false where the table says nothing sound of it. */
bool arena_of_pool(const struct python_process *process, uint64_t table_addr, uint64_t pool_addr,
                   uint64_t *ret_start, uint64_t *ret_end);

/* ---- heap_memory_pieces.c: all that is mapped, piece by piece, ascending, without
 * a gap within a segment. */
enum piece_kind {
    PIECE_REGION, /* of a mapping, nothing more is known */
    PIECE_FRAMES,
    PIECE_BLOCK, /* of a pool, in use */
    PIECE_BLOCKS_FREE,
    PIECE_POOL_HEADER, /* and what is left of it behind the last block */
    PIECE_POOL_EMPTY,
    PIECE_ARENA_SLACK,
    PIECE_CHUNK, /* malloc's, in use */
    PIECE_CHUNK_MAPPED,
    PIECE_CHUNK_FREE,
    PIECE_CHUNK_CACHED,
    PIECE_CHUNK_TOP,
    PIECE_MALLOC_OWN,
    PIECE_KIND_COUNT
};

struct piece {
    uint64_t addr, size;
    enum piece_kind kind;
    enum core_region region;
    uint64_t missing; /* of a PIECE_REGION: bytes that the core has not */
};

typedef void (*piece_visitor)(void *context, const struct piece *piece);
/* Takes all pieces of a pool in use at once; false: they come one by one. */
typedef bool (*pool_taker)(void *context, const struct pool *pool);
/* `take` may be NULL. */
enum status pieces_visit(const struct python_process *process, const struct malloc_map *map,
                         const struct extent_list *list, piece_visitor visit, pool_taker take,
                         void *context) MUST_CHECK;

/* ---- heap_memory_owners.c: which object each piece of other data belongs to. */
#define DATA_BLOCK  (1u << 30) /* of a pool */
#define DATA_PAGES  (1u << 31) /* the number counts pages, not 16 bytes */
#define DATA_NUMBER (DATA_BLOCK - 1)

/* Blocks and chunks in use that hold no object, by what malloc returned. */
struct data_list {
    struct heap_map *map;
    uint64_t low, high;    /* no address is outside; 0: none */
    ARRAY(uint32_t) sizes; /* in order of address: DATA_NUMBER and the flags */
    uint32_t *owner;       /* after owners_find: an object, or HEAP_NO_OBJECT */
};

/* Ascending addresses only; STATUS_CORRUPT for one that no memory of the map has. */
enum status data_add(struct data_list *list, uint64_t addr, uint64_t size,
                     bool is_block) MUST_CHECK;
/* The same of those blocks of a pool that have their bits in `blocks`: all, or none for
 * STATUS_CORRUPT. */
enum status data_add_blocks(struct data_list *list, const struct pool *pool,
                            const uint64_t blocks[POOL_LIVE_WORDS]) MUST_CHECK;
uint64_t data_size(const struct data_list *list, uint32_t id);
bool data_is_block(const struct data_list *list, uint32_t id);

/* An object owns what a pointer in its fixed part leads to, and, where its type keeps
 * more than references there, what leads on from it. The first by address wins. */
enum status owners_find(const struct heap *heap, struct data_list *list) MUST_CHECK;
void data_list_deinit(struct data_list *list);

/* How many bytes before and from an object's address are its own, fixed, and in front. */
uint64_t object_inline_bytes(const struct heap *heap, uint32_t object);

#endif
