/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_INPUT_STREAM_H
#define INQUEST_FORMATS_INPUT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"
#include "inquest/formats/input_file.h"

/* Bytes that are pulled, in order, once. `cut` tells that the stream ended
 * before its own format said so: what came out until then is good. */
struct stream {
    /* At most `capacity` bytes; *ret_size 0 is the end. Errors are the operating
     * system's or memory's: damage in the bytes is an end with `cut` set. */
    enum status (*read)(struct stream *stream, uint8_t *buffer, size_t capacity, size_t *ret_size,
                        struct error *err);
    void (*destroy)(struct stream *stream);
    bool cut;
};

static inline void stream_destroy(struct stream *stream)
{
    if (stream)
        stream->destroy(stream);
}

/* A stream with a look ahead. */
struct stream_buffer {
    struct stream *stream; /* owned */
    uint8_t *bytes;
    size_t start, end, capacity;
    bool ended;
};

enum status stream_buffer_init(struct stream_buffer *buffer, struct stream *stream,
                               struct error *err) MUST_CHECK;
void stream_buffer_deinit(struct stream_buffer *buffer);

/* Tries to have `size` bytes (at most the capacity) at hand; fewer at the end. */
enum status stream_buffer_fill(struct stream_buffer *buffer, size_t size,
                               struct error *err) MUST_CHECK;

static inline const uint8_t *stream_buffer_bytes(const struct stream_buffer *buffer)
{
    return buffer->bytes + buffer->start;
}

static inline size_t stream_buffer_size(const struct stream_buffer *buffer)
{
    return buffer->end - buffer->start;
}

static inline void stream_buffer_take(struct stream_buffer *buffer, size_t size)
{
    buffer->start += size;
}

/* ---- source.c: a file descriptor's bytes; it is not closed by the stream. A
 * regular file is read by position, so that a shared one does not move. */
struct stream *source_create(int fd, bool is_regular, uint64_t offset);
/* Bytes read so far. */
uint64_t source_position(const struct stream *source);

/* ---- unwrap.c: what comes out of gzip members, lz4 frames and zstd frames. */
enum { UNWRAP_MAGIC_BYTES = 4 };
/* Whether bytes begin a wrapper's frame, a skippable one included. */
bool unwrap_recognises(const uint8_t *bytes, size_t size);
/* Takes the buffer over, on success only. */
struct stream *unwrap_create(struct stream_buffer *input);
/* Of the first frame that was not skippable; INPUT_PLAIN before any was read. */
enum input_wrapper unwrap_kind(const struct stream *unwrap);
/* Why it was cut, in words; "" where it was not. */
const char *unwrap_damage(const struct stream *unwrap);

#endif
