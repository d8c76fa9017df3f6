/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_HEAP_CENSUS_H
#define INQUEST_ANALYZER_HEAP_CENSUS_H

#include "inquest/analyzer/heap_reader.h"

/* All objects counted in one pass. Bytes are those of sys.getsizeof, each counted once
 * where that counts them with two objects. */
struct heap_amount {
    uint64_t count, bytes;
};

#define HEAP_SIZE_CLASSES 65

struct heap_census {
    struct heap_amount all, reachable, tracked;
    /* class 0: empty; class k: 2^(k-1) to 2^k - 1 bytes */
    struct heap_amount classes[HEAP_SIZE_CLASSES];
};

/* `reader` is the index's. */
enum status heap_census_take(struct index *index, struct heap_reader *reader,
                             struct heap_census *ret_census, struct error *err) MUST_CHECK;

#endif
