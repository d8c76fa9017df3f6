/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_bytes.h"

#include <lz4.h>
#include <string.h>

#include "inquest/base/bytes_reader.h"

#define CHECKSUM_BYTES 4
#define LZ4_BEST_RATIO 255 /* no LZ4 block grows by more */

void packed_batch_clear(struct packed_batch *batch)
{
    batch->bytes.count = 0;
    batch->pieces.count = 0;
}

void packed_batch_deinit(struct packed_batch *batch)
{
    array_deinit(&batch->bytes);
    array_deinit(&batch->pieces);
}

/* Eight bytes a step; the id is in it, so that chunks that changed places show. */
static uint32_t checksum(int64_t id, const uint8_t *bytes, size_t size)
{
    const uint64_t prime = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = ((uint64_t)id ^ (uint64_t)size << 40) * prime, word;
    while (size >= sizeof word) {
        hash = (hash ^ load_u64(bytes)) * prime;
        hash ^= hash >> 32;
        bytes += sizeof word;
        size -= sizeof word;
    }
    word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    hash = (hash ^ word) * prime;
    return (uint32_t)(hash >> 32 ^ hash);
}

size_t packed_block_state_size(void)
{
    return (size_t)LZ4_sizeofState();
}

enum status packed_block_append(struct packed_batch *batch, void *state, int64_t id,
                                const uint8_t *plain, size_t size)
{
    if (size > PACKED_PLAIN_LIMIT)
        return STATUS_OVER_LIMIT;
    int bound = LZ4_compressBound((int)size);
    if (!array_reserve(&batch->bytes, CHECKSUM_BYTES + VARINT_BYTES + (size_t)bound) ||
        !array_reserve(&batch->pieces, 1))
        return STATUS_NO_MEMORY;
    uint8_t *start = batch->bytes.items + batch->bytes.count, *at = start;
    uint32_t sum = checksum(id, plain, size);
    for (int i = 0; i < CHECKSUM_BYTES; i++)
        *at++ = (uint8_t)(sum >> 8 * i);
    uint8_t *body = varint_put(at, (uint64_t)size << 1 | 1);
    int packed =
        LZ4_compress_fast_extState(state, (const char *)plain, (char *)body, (int)size, bound, 1);
    if (packed <= 0 || (size_t)packed >= size) {
        body = varint_put(at, (uint64_t)size << 1);
        memcpy(body, plain, size);
        packed = (int)size;
    }
    batch->bytes.count += (size_t)(body - start) + (size_t)packed;
    batch->pieces.items[batch->pieces.count++] =
        (struct packed_piece){.id = id, .end = batch->bytes.count};
    return STATUS_OK;
}

/* Fills `plain` from the block's body. */
static bool unpack(const struct packed_view *body, bool compressed, uint8_t *plain, size_t size)
{
    size_t left = packed_view_left(body);
    if (!compressed) {
        memcpy(plain, body->at, size);
        return true;
    }
    int made = LZ4_decompress_safe((const char *)body->at, (char *)plain, (int)left, (int)size);
    return made >= 0 && (size_t)made == size;
}

enum status packed_block_open(int64_t id, const uint8_t *block, size_t size, uint8_t **ret_plain,
                              size_t *ret_size, struct error *err)
{
    if (size <= CHECKSUM_BYTES || size > PACKED_PLAIN_LIMIT)
        return error_set(err, STATUS_CORRUPT, "%zu bytes", size);
    struct packed_view view = packed_view_make(block + CHECKSUM_BYTES, size - CHECKSUM_BYTES);
    uint64_t head = varint_get(&view), plain_size = head >> 1;
    size_t left = packed_view_left(&view);
    bool compressed = head & 1;
    if (view.failed || !plain_size || plain_size > PACKED_PLAIN_LIMIT ||
        (compressed ? plain_size > (uint64_t)left * LZ4_BEST_RATIO : plain_size != left))
        return error_set(err, STATUS_CORRUPT, "%zu bytes can't hold its %llu", left,
                         (unsigned long long)plain_size);
    uint8_t *plain = malloc((size_t)plain_size);
    if (!plain)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (!unpack(&view, compressed, plain, (size_t)plain_size) ||
        checksum(id, plain, (size_t)plain_size) != load_u32(block)) {
        free(plain);
        return error_set(err, STATUS_CORRUPT, "its checksum is wrong");
    }
    *ret_plain = plain;
    *ret_size = (size_t)plain_size;
    return STATUS_OK;
}
