/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_OBJECTS_H
#define INQUEST_ANALYZER_INDEX_PACKED_OBJECTS_H

#include "analyzer/index/packed_bytes.h"
#include "inquest/analyzer/heap_index.h"

/* Rows of the table object_chunk(id, data): id is that of the chunk's first
 * object, 1, 129, 257, ...; data is a block (packed_bytes.h) of
 *
 *  OFFSET  SIZE  MEANING
 *  0       var   objects in this chunk: PACKED_OBJECTS, fewer in the last one
 *  ...     var   address of the first
 *  ...     var   shift of the addresses' steps
 *  ...     var   5 sizes, of all columns below but the last
 *  ...     rest  the columns, one number an object (steps: one less):
 *                step      (address - the one before) >> shift
 *                kind      type << 2 | flags (enum heap_object_flags)
 *                size
 *                refcount
 *                retained  zigzag of retained - size
 *                dominator 0: none; 1: as the last object of this kind had; 2: as
 *                          far from it as that one's was; else zigzag of
 *                          dominator - id, plus 3
 *
 * "Of this kind" goes by kind modulo PACKED_KINDS; before the first of a kind
 * stand dominator 0 and distance 0. All numbers are varints. */

#define PACKED_OBJECTS HEAP_BLOCK_OBJECTS /* 128 */
#define PACKED_KINDS   16

enum packed_object_column {
    PACKED_ADDRESS,
    PACKED_KIND,
    PACKED_SIZE,
    PACKED_REFCOUNT,
    PACKED_RETAINED,
    PACKED_DOMINATOR,
    PACKED_OBJECT_COLUMNS
};

/* A chunk's room on its way in, one for each thread that packs. */
struct packed_objects_scratch {
    struct heap_object_block block;
    uint8_t columns[PACKED_OBJECT_COLUMNS][PACKED_OBJECTS * VARINT_BYTES];
    uint8_t plain[(PACKED_OBJECT_COLUMNS * (PACKED_OBJECTS + 1) + 3) * VARINT_BYTES];
};

/* The columns from the object at `index` on, at most PACKED_OBJECTS, read into `block`
 * where they have to be. */
struct heap_objects packed_objects_part(const struct heap_objects *objects, uint32_t index,
                                        struct heap_object_block *block);

/* Writes the chunk of the objects from `index` on into scratch->plain; its size. */
size_t packed_objects_encode(const struct heap_objects *objects, uint32_t index,
                             struct packed_objects_scratch *scratch);
/* Of what was encoded last: whether addresses ascend and dominators are objects. */
bool packed_objects_sound(const struct heap_objects *objects, uint32_t index,
                          const struct packed_objects_scratch *scratch);

/* A chunk that was read. Columns are decoded when they are first asked for. */
struct packed_objects {
    uint32_t first, count; /* ids first .. first + count - 1 */
    unsigned ready;        /* 1 << column: `value` has it */
    unsigned shift;
    uint8_t *plain; /* owned */
    struct packed_view columns[PACKED_OBJECT_COLUMNS];
    uint64_t value[PACKED_OBJECT_COLUMNS][PACKED_OBJECTS];
};

/* Takes `plain`, also on failure. */
enum status packed_objects_open(int64_t id, uint8_t *plain, size_t size,
                                struct packed_objects *ret_chunk, struct error *err) MUST_CHECK;
void packed_objects_deinit(struct packed_objects *chunk);

/* Makes value[column] valid. PACKED_KIND keeps type << 2 | flags; a dominator is an
 * id, 0 for none. */
enum status packed_objects_need(struct packed_objects *chunk, enum packed_object_column column,
                                struct error *err) MUST_CHECK;

#endif
