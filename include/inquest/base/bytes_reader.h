/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_BYTES_READER_H
#define INQUEST_BASE_BYTES_READER_H

#include <stddef.h>
#include <stdint.h>

#include "inquest/base/status.h"

/* The checked cursor that all file bytes go through. Little endian. A read that
 * does not fit returns STATUS_CORRUPT and moves nothing. Borrows the bytes. */
struct bytes_reader {
    const uint8_t *data;
    size_t size, position;
};

static inline struct bytes_reader bytes_reader_make(const void *data, size_t size)
{
    return (struct bytes_reader){.data = data, .size = size};
}

static inline size_t bytes_reader_left(const struct bytes_reader *reader)
{
    return reader->size - reader->position;
}

enum status bytes_read_u8(struct bytes_reader *reader, uint8_t *ret_value) MUST_CHECK;
enum status bytes_read_u16(struct bytes_reader *reader, uint16_t *ret_value) MUST_CHECK;
enum status bytes_read_u32(struct bytes_reader *reader, uint32_t *ret_value) MUST_CHECK;
enum status bytes_read_u64(struct bytes_reader *reader, uint64_t *ret_value) MUST_CHECK;
/* A view of the next `size` bytes, borrowed. */
enum status bytes_read_view(struct bytes_reader *reader, size_t size,
                            const uint8_t **ret_view) MUST_CHECK;
/* A NUL-terminated string within the bytes; the cursor ends after the NUL. */
enum status bytes_read_string(struct bytes_reader *reader, const char **ret_string) MUST_CHECK;
enum status bytes_skip(struct bytes_reader *reader, size_t size) MUST_CHECK;
enum status bytes_seek(struct bytes_reader *reader, size_t position) MUST_CHECK;

/* Unaligned little-endian loads from memory that was already checked. */
static inline uint16_t load_u16(const void *bytes)
{
    const uint8_t *b = bytes;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t load_u32(const void *bytes)
{
    const uint8_t *b = bytes;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t load_u64(const void *bytes)
{
    const uint8_t *b = bytes;
    return (uint64_t)load_u32(b) | (uint64_t)load_u32(b + 4) << 32;
}

#endif
