/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_LABELS_H
#define INQUEST_ANALYZER_INDEX_PACKED_LABELS_H

#include "analyzer/index/packed_bytes.h"
#include "inquest/analyzer/heap_index.h"

/* Rows of the table ref_label(id, data): id is the number of the chunk's first
 * text; data is a block (packed_bytes.h) of
 *
 *  OFFSET  SIZE  MEANING
 *  0       var   texts in this chunk: n
 *  ...     2n    varints: for each text, bytes that it shares with the start of the
 *                one before, and bytes of its own
 *  ...     rest  their own bytes, UTF-8, one behind the other
 */

#define PACKED_LABELS      128         /* texts of a chunk, at most */
#define PACKED_LABEL_BYTES (16u << 10) /* a chunk that has as many is closed */

/* Appends the block of the texts from number `label` on, up to number `last` (from
 * 1) at most, and says with which number the next one starts. */
enum status packed_labels_append(const struct heap_labels *labels, uint32_t label, uint32_t last,
                                 struct packed_batch *batch, void *state,
                                 uint32_t *ret_next) MUST_CHECK;

/* A chunk that was read: its texts, whole. */
struct packed_labels {
    uint32_t first, count;
    uint32_t *end; /* of each text, in `text` */
    char *text;
};

/* Takes `plain`, also on failure. */
enum status packed_labels_open(int64_t id, uint8_t *plain, size_t size,
                               struct packed_labels *ret_chunk, struct error *err) MUST_CHECK;
void packed_labels_deinit(struct packed_labels *chunk);

#endif
