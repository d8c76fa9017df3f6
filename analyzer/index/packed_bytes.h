/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_BYTES_H
#define INQUEST_ANALYZER_INDEX_PACKED_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/array.h"
#include "inquest/base/error.h"

/* What all chunks are made of: numbers of 7 bits a byte, lowest first, the top
 * bit set on all but a number's last byte; and the block around them. */

#define VARINT_BYTES    10 /* the longest */
#define VARINT_BYTES_35 5  /* of a number below 2^35 */

/* Small for small magnitudes of either sign: 0, -1, 1, -2, ... */
static inline uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static inline uint64_t zigzag_undo(uint64_t number)
{
    return number >> 1 ^ (UINT64_C(0) - (number & 1));
}

/* The caller has VARINT_BYTES of room; returns where the next goes. */
static inline uint8_t *varint_put(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* A checked view of packed bytes. Failure is sticky: numbers read as 0 from then
 * on, and `failed` is asked once, behind a loop that the bytes left have bounded. */
struct packed_view {
    const uint8_t *at, *end;
    bool failed;
};

static inline struct packed_view packed_view_make(const uint8_t *bytes, size_t size)
{
    return (struct packed_view){.at = bytes, .end = bytes + size};
}

static inline size_t packed_view_left(const struct packed_view *view)
{
    return (size_t)(view->end - view->at);
}

/* Inline, and so longer than others, because all reading is this. */
static inline uint64_t varint_get(struct packed_view *view)
{
    const uint8_t *at = view->at, *end = view->end;
    if (at < end && *at < 0x80) {
        view->at = at + 1;
        return *at;
    }
    uint64_t value = 0;
    for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            view->failed |= shift == 63 && byte > 1;
            view->at = at;
            return value;
        }
    }
    view->failed = true;
    view->at = end;
    return 0;
}

/* A view of the next `size` bytes, which are passed; failed where they aren't there. */
static inline struct packed_view packed_view_cut(struct packed_view *view, uint64_t size)
{
    if (view->failed || size > packed_view_left(view)) {
        view->failed = true;
        return (struct packed_view){.at = view->end, .end = view->end, .failed = true};
    }
    struct packed_view part = packed_view_make(view->at, (size_t)size);
    view->at += size;
    return part;
}

/* A column that was read to its end, no byte left over. */
static inline bool packed_view_done(const struct packed_view *view)
{
    return !view->failed && view->at == view->end;
}

/* ---- The block: a chunk's bytes, compressed where that makes them fewer.
 *
 *  OFFSET  SIZE  MEANING
 *  0       4     checksum of the chunk's row id and plain bytes, little endian
 *  4       1-5   varint: plain size * 2, plus 1 where they are compressed
 *  ...     rest  an LZ4 block, or the plain bytes themselves
 */
#define PACKED_PLAIN_LIMIT (UINT32_C(1) << 28) /* bytes of one chunk */

/* Blocks on their way into a table, one behind the other. */
struct packed_piece {
    int64_t id;
    size_t end; /* in bytes.items; it starts where the piece before ends */
};

struct packed_batch {
    ARRAY(uint8_t) bytes;
    ARRAY(struct packed_piece) pieces;
};

void packed_batch_clear(struct packed_batch *batch);
void packed_batch_deinit(struct packed_batch *batch);

/* Bytes of the compressor's working memory, which is always started anew: what
 * comes out depends on what goes in alone. */
size_t packed_block_state_size(void);
/* STATUS_NO_MEMORY, or STATUS_OVER_LIMIT past PACKED_PLAIN_LIMIT. */
enum status packed_block_append(struct packed_batch *batch, void *state, int64_t id,
                                const uint8_t *plain, size_t size) MUST_CHECK;

/* The plain bytes, for the caller to free. STATUS_CORRUPT where they are not what
 * was written under this id. */
enum status packed_block_open(int64_t id, const uint8_t *block, size_t size, uint8_t **ret_plain,
                              size_t *ret_size, struct error *err) MUST_CHECK;

#endif
