/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/input/stream.h"

#define BUFFER_BYTES ((size_t)256 << 10)

struct source {
    struct stream base;
    int fd;
    bool is_regular;
    uint64_t offset, read_bytes;
};

static enum status source_read(struct stream *stream, uint8_t *buffer, size_t capacity,
                               size_t *ret_size, struct error *err)
{
    struct source *source = (struct source *)stream;
    ssize_t got;
    do {
        if (source->is_regular)
            got = pread(source->fd, buffer, capacity, (off_t)source->offset);
        else
            got = read(source->fd, buffer, capacity);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set_errno(err, STATUS_IO, errno, "can't be read");
    source->offset += (uint64_t)got;
    source->read_bytes += (uint64_t)got;
    *ret_size = (size_t)got;
    return STATUS_OK;
}

static void source_destroy(struct stream *stream)
{
    free(stream);
}

struct stream *source_create(int fd, bool is_regular, uint64_t offset)
{
    struct source *source = calloc(1, sizeof *source);
    if (!source)
        return NULL;
    source->base.read = source_read;
    source->base.destroy = source_destroy;
    source->fd = fd;
    source->is_regular = is_regular;
    source->offset = offset;
    return &source->base;
}

uint64_t source_position(const struct stream *source)
{
    return ((const struct source *)source)->read_bytes;
}

enum status stream_buffer_init(struct stream_buffer *buffer, struct stream *stream,
                               struct error *err)
{
    uint8_t *bytes = stream ? malloc(BUFFER_BYTES) : NULL;
    if (!bytes) {
        stream_destroy(stream);
        *buffer = (struct stream_buffer){0};
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    *buffer = (struct stream_buffer){.stream = stream, .bytes = bytes, .capacity = BUFFER_BYTES};
    return STATUS_OK;
}

void stream_buffer_deinit(struct stream_buffer *buffer)
{
    if (!buffer)
        return;
    stream_destroy(buffer->stream);
    free(buffer->bytes);
    *buffer = (struct stream_buffer){0};
}

enum status stream_buffer_fill(struct stream_buffer *buffer, size_t size, struct error *err)
{
    if (size > buffer->capacity)
        size = buffer->capacity;
    if (stream_buffer_size(buffer) >= size || buffer->ended)
        return STATUS_OK;
    memmove(buffer->bytes, stream_buffer_bytes(buffer), stream_buffer_size(buffer));
    buffer->end -= buffer->start;
    buffer->start = 0;
    while (buffer->end < size) {
        size_t got = 0;
        enum status status = buffer->stream->read(buffer->stream, buffer->bytes + buffer->end,
                                                  buffer->capacity - buffer->end, &got, err);
        if (status != STATUS_OK)
            return status;
        if (!got) {
            buffer->ended = true;
            break;
        }
        buffer->end += got;
    }
    return STATUS_OK;
}
