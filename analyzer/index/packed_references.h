/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_REFERENCES_H
#define INQUEST_ANALYZER_INDEX_PACKED_REFERENCES_H

#include "analyzer/index/packed_bytes.h"
#include "inquest/analyzer/heap_reader.h"

/* Rows of the tables ref_chunk(id, data) and ref_reverse(id, data): adjacency by
 * source and by target. A chunk holds consecutive objects' rows, the row of an
 * object being the ids at the other end of its references; or, of a row longer
 * than PACKED_PART, one part of PACKED_PART references. Its table id is
 *
 *      id of its first object << PACKED_PART_BITS | number of the part
 *
 * and a chunk without any reference is left out. data is a block (packed_bytes.h):
 *
 *  OFFSET  SIZE  MEANING
 *  0       var   objects whose rows are here: n
 *  ...     var   references in the chunks before this one
 *  ...     var   size of the column `degrees`
 *  ...     var   size of the column `others`
 *  ...           degrees: n lengths of rows; more than PACKED_PART: a part (n is 1)
 *  ...           others: one token a reference
 *                  0: the same as in the row before, at this position
 *                  1: as far from its own object as that one is from its
 *                  else zigzag of other - (the one before in this row; at its start
 *                  the object itself), plus 2
 *  ...     rest  ref_chunk: labels, one token a reference
 *                  0: none
 *                  else step << 1 | is_index, plus 1, where step is the zigzag of
 *                  how far it is from the number after the last label of its kind,
 *                  text or index, in this row; a row expects text 1, index 0 first
 *                ref_reverse: where in a source's long row its references are, for
 *                telling labels
 *                  var   how many references in the chunk before are of the same
 *                        source and part as the first one here
 *                  then, for each reference whose part is not 0:
 *                  var   references passed by since the last of these
 *                  var   part of the source's row
 *
 * "The row before" is the last one in this chunk that has the same length, lengths
 * from PACKED_SHAPES - 1 on being one. Rows of ref_chunk are in the order in which
 * an object holds its references, those of ref_reverse by source, then in that
 * order. All numbers are varints. */

#define PACKED_PART      128
#define PACKED_PART_BITS 31
#define PACKED_ROWS      256 /* of a chunk, at most */
#define PACKED_ENOUGH    128 /* references: a chunk that has as many is closed */
#define PACKED_SHAPES    16

static inline int64_t packed_row_key(uint32_t id, uint32_t part)
{
    return (int64_t)((uint64_t)id << PACKED_PART_BITS | part);
}

/* A chunk on its way in. */
struct packed_rows_input {
    enum heap_direction direction;
    uint32_t first, rows; /* ids */
    uint64_t rank;        /* references before this chunk */
    uint64_t degree[PACKED_ROWS];
    uint32_t count; /* references */
    uint32_t other[PACKED_PART + PACKED_ENOUGH];
    uint32_t extra[PACKED_PART + PACKED_ENOUGH]; /* a label, or a part of the source's row */
    uint32_t carry;                              /* HEAP_REFERRERS */
    /* what it becomes */
    uint8_t others[(PACKED_PART + PACKED_ENOUGH) * VARINT_BYTES_35];
    uint8_t plain[PACKED_ROWS * VARINT_BYTES + 3 * (PACKED_PART + PACKED_ENOUGH) * VARINT_BYTES_35 +
                  5 * VARINT_BYTES];
};

/* Writes the chunk into input->plain; its size. */
size_t packed_rows_encode(struct packed_rows_input *input);

/* A row as others are compared with it. */
struct packed_row {
    uint32_t object; /* its id */
    uint32_t size;
    const uint32_t *others;
};

/* A chunk that was read. Rows are decoded up to the last that was asked for. */
struct packed_rows {
    enum heap_direction direction;
    int64_t key;
    uint32_t first, rows, part;
    uint64_t rank;
    uint64_t degree; /* of the whole row, where this is a part of one; else 0 */
    uint32_t count;  /* references */
    uint32_t carry;
    uint32_t *start; /* rows + 1; all three arrays are one piece of memory */
    uint32_t *other; /* ids, of `others_ready` rows */
    uint32_t *extra; /* labels or parts, of `extras_ready` references */
    uint32_t others_ready, extras_ready;
    struct packed_view others, extras; /* what is not decoded yet */
    uint32_t label_row, expected[2];   /* where the labels go on, and with which */
    struct packed_row history[PACKED_SHAPES];
    uint8_t *plain; /* owned */
};

/* Takes `plain`, also on failure. */
enum status packed_rows_open(enum heap_direction direction, int64_t key, uint8_t *plain,
                             size_t size, struct packed_rows *ret_chunk,
                             struct error *err) MUST_CHECK;
void packed_rows_deinit(struct packed_rows *chunk);

/* Makes `other` valid up to the end of that row. */
enum status packed_rows_need(struct packed_rows *chunk, uint32_t row, struct error *err) MUST_CHECK;
/* Makes `extra` valid up to that reference, and `carry`. */
enum status packed_rows_need_extra(struct packed_rows *chunk, uint32_t position,
                                   struct error *err) MUST_CHECK;

#endif
