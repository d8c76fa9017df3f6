/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_KEPT_H
#define INQUEST_ANALYZER_INDEX_PACKED_KEPT_H

#include "analyzer/index/packed_bytes.h"

/* Blocks that are packed before there is time to write them. Their bytes are arrays of
 * the graph's (graph/memory.h), which take what its passes have freed. */
struct packed_kept {
    ARRAY(struct packed_batch) batches;
};

void packed_kept_deinit(struct packed_kept *kept);
/* Puts a copy behind the others. STATUS_NO_MEMORY. */
enum status packed_kept_add(struct packed_kept *kept, const struct packed_batch *batch) MUST_CHECK;

#endif
