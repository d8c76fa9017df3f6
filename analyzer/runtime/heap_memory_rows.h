/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_MEMORY_ROWS_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_MEMORY_ROWS_H

#include "analyzer/runtime/core_memory.h"
#include "analyzer/runtime/heap_memory_parts.h"

/* From so many bytes on a piece is told of by itself. */
#define BIG_BYTES 65536

/* Parts of the mapped memory, beside the regions of the core. */
enum memory_part {
    MEMORY_OBJECTS,
    MEMORY_BUFFERS,
    MEMORY_BIG,
    MEMORY_GARBAGE,
    MEMORY_POOLS_C,
    MEMORY_POOLS_FREE,
    MEMORY_POOLS_HEADERS,
    MEMORY_POOLS_EMPTY,
    MEMORY_MALLOC_C,
    MEMORY_MALLOC_FREE,
    MEMORY_MALLOC_OWN,
    MEMORY_FRAMES,
    MEMORY_PART_COUNT
};
extern const char *const memory_part_names[MEMORY_PART_COUNT]; /* memory.region */

struct memory_amount {
    uint64_t bytes, count;
};

struct big_piece {
    uint64_t addr, size;
    uint32_t object; /* that is in it, or owns it; HEAP_NO_OBJECT: none */
    uint32_t data;   /* its id in the data_list; HEAP_NO_OBJECT: an object's own */
};

/* What heap_memory.c counts and heap_memory_rows.c tells. Each byte is in one
 * of the amounts, but for buffers that are big, which big_total has, and
 * static_objects, which are part of their region. */
struct memory_count {
    const struct core_dump *core;
    const struct heap *heap;
    const uint64_t *reached; /* bitmap */
    struct malloc_map map;
    bool has_map;
    struct extent_list extents;
    struct data_list data;
    uint32_t next_object; /* the first at or past the piece at hand, */
    uint64_t next_addr;   /* and its address; UINT64_MAX: no more */
    enum status status;
    struct memory_amount objects[2];  /* unreachable, reachable */
    struct memory_amount *buffers_of; /* of reachable objects, by type */
    struct memory_amount garbage_buffers;
    struct memory_amount c_data[2]; /* malloc's, the pools' */
    struct memory_amount big_total;
    ARRAY(struct big_piece) big; /* largest first */
    struct memory_amount kinds[PIECE_KIND_COUNT];
    struct memory_amount static_objects[CORE_REGION_COUNT];
    struct region_sum regions[CORE_REGION_COUNT];
};

enum status memory_rows_write(const struct memory_count *count,
                              struct index_writer *writer) MUST_CHECK;

#endif
