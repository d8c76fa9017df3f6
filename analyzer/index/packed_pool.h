/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_POOL_H
#define INQUEST_ANALYZER_INDEX_PACKED_POOL_H

#include <stdatomic.h>

#include "analyzer/index/packed_bytes.h"
#include "analyzer/index/packed_objects.h"
#include "analyzer/index/packed_references.h"

/* Packing on all processors, writing in order. What is written depends neither on
 * how many threads there are nor on who packed what. */

/* One thread's room. */
struct packed_scratch {
    struct packed_objects_scratch objects;
    struct packed_rows_input rows;
    void *state; /* the compressor's */
};

struct packed_job {
    uint64_t first, batches; /* numbers first .. batches - 1 */
    /* Packs batch number `batch` into `ret_batch`, which is empty. On any thread. */
    enum status (*pack)(const void *context, uint64_t batch, struct packed_scratch *scratch,
                        struct packed_batch *ret_batch);
    const void *context;
    /* On the calling thread, in the order of the numbers. */
    enum status (*write)(void *sink, const struct packed_batch *batch);
    void *sink;
};

/* The first failure, by order of batches, ends it. */
enum status packed_pool_run(const struct packed_job *job) MUST_CHECK;
/* On the calling thread alone, until `stop` (NULL: never) is set; ret_next is the first
 * batch that is left, also on failure. */
enum status packed_pool_run_alone(const struct packed_job *job, const atomic_bool *stop,
                                  uint64_t *ret_next) MUST_CHECK;

#endif
