/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/base/bytes_reader.h"

#include <string.h>

enum status bytes_read_view(struct bytes_reader *reader, size_t size, const uint8_t **ret_view)
{
    if (size > bytes_reader_left(reader))
        return STATUS_CORRUPT;
    *ret_view = reader->data + reader->position;
    reader->position += size;
    return STATUS_OK;
}

enum status bytes_read_u8(struct bytes_reader *reader, uint8_t *ret_value)
{
    const uint8_t *view;
    if (bytes_read_view(reader, 1, &view) != STATUS_OK)
        return STATUS_CORRUPT;
    *ret_value = *view;
    return STATUS_OK;
}

enum status bytes_read_u16(struct bytes_reader *reader, uint16_t *ret_value)
{
    const uint8_t *view;
    if (bytes_read_view(reader, 2, &view) != STATUS_OK)
        return STATUS_CORRUPT;
    *ret_value = load_u16(view);
    return STATUS_OK;
}

enum status bytes_read_u32(struct bytes_reader *reader, uint32_t *ret_value)
{
    const uint8_t *view;
    if (bytes_read_view(reader, 4, &view) != STATUS_OK)
        return STATUS_CORRUPT;
    *ret_value = load_u32(view);
    return STATUS_OK;
}

enum status bytes_read_u64(struct bytes_reader *reader, uint64_t *ret_value)
{
    const uint8_t *view;
    if (bytes_read_view(reader, 8, &view) != STATUS_OK)
        return STATUS_CORRUPT;
    *ret_value = load_u64(view);
    return STATUS_OK;
}

enum status bytes_read_string(struct bytes_reader *reader, const char **ret_string)
{
    const uint8_t *start = reader->data + reader->position;
    const uint8_t *end = memchr(start, 0, bytes_reader_left(reader));
    if (!end)
        return STATUS_CORRUPT;
    reader->position += (size_t)(end - start) + 1;
    *ret_string = (const char *)start;
    return STATUS_OK;
}

enum status bytes_skip(struct bytes_reader *reader, size_t size)
{
    const uint8_t *view;
    return bytes_read_view(reader, size, &view);
}

enum status bytes_seek(struct bytes_reader *reader, size_t position)
{
    if (position > reader->size)
        return STATUS_CORRUPT;
    reader->position = position;
    return STATUS_OK;
}
