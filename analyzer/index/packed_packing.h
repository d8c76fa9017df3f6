/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_PACKING_H
#define INQUEST_ANALYZER_INDEX_PACKED_PACKING_H

#include "analyzer/index/packed_kept.h"
#include "analyzer/index/packed_pool.h"
#include "analyzer/index/packed_reverse.h"
#include "inquest/analyzer/heap_index.h"

/* What the files packed_packing, packed_rows and packed_writer have in common. */

#define BATCH_OBJECTS 16384 /* a multiple of PACKED_OBJECTS */

/* A table, and what of it is packed but not written. */
struct packing_table {
    struct packed_kept blocks;
    uint64_t batches; /* that these are */
};

struct heap_packing {
    const struct heap_objects *objects;
    const struct heap_references *references;
    const struct heap_labels *labels;
    struct reverse_rows reverse;
    enum status reverse_status;
    struct packing_table object_chunk, ref_chunk, ref_reverse;
};

typedef enum status (*packer)(const void *packing, uint64_t batch, struct packed_scratch *scratch,
                              struct packed_batch *ret_batch);

/* The array indexes or numbers that a batch has. */
static inline void batch_range(uint64_t batch, uint32_t batch_size, uint32_t count,
                               uint32_t *ret_start, uint32_t *ret_end)
{
    uint64_t start = batch * batch_size, end = start + batch_size;
    *ret_start = (uint32_t)start;
    *ret_end = end < count ? (uint32_t)end : count;
}

static inline uint64_t batch_count(uint32_t count, uint32_t batch_size)
{
    return ((uint64_t)count + batch_size - 1) / batch_size;
}

/* ---- packed_rows.c: the references of a batch of objects, each with its direction. */
enum status pack_references(const void *packing, uint64_t batch, struct packed_scratch *scratch,
                            struct packed_batch *ret_batch) MUST_CHECK;
enum status pack_referrers(const void *packing, uint64_t batch, struct packed_scratch *scratch,
                           struct packed_batch *ret_batch) MUST_CHECK;

/* ---- packed_packing.c */
enum status pack_objects(const void *packing, uint64_t batch, struct packed_scratch *scratch,
                         struct packed_batch *ret_batch) MUST_CHECK;
/* Of what the table lacks; without `write`. */
struct packed_job packing_job(const struct heap_packing *packing, const struct packing_table *table,
                              packer pack);
/* Words for what packing failed with. */
enum status packing_fail(enum status status, struct error *err);

#endif
