/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/gzip_writer.h"

#include <string.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib's word for a gzip header */
#define GZIP_MEMORY 8
#define CHUNK_BYTES ((size_t)64 << 10)
#define INPUT_BYTES ((size_t)1 << 30) /* at once: zlib counts in unsigned int */

/* Takes what there is room for; the status of deflate. */
static int write_chunk(z_stream *stream, int flush, struct text *text)
{
    unsigned char chunk[CHUNK_BYTES];
    stream->next_out = chunk;
    stream->avail_out = (unsigned)CHUNK_BYTES;
    int code = deflate(stream, flush);
    text_append_n(text, (const char *)chunk, CHUNK_BYTES - stream->avail_out);
    return code;
}

enum status gzip_append(struct text *text, const void *bytes, size_t size, struct error *err)
{
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    const unsigned char *next = bytes;
    int code = Z_OK;
    while (code == Z_OK && text_ok(text)) {
        size_t part = size < INPUT_BYTES ? size : INPUT_BYTES;
        if (!stream.avail_in && part) {
            stream.next_in = (unsigned char *)(uintptr_t)next;
            stream.avail_in = (unsigned)part;
            next += part;
            size -= part;
        }
        code = write_chunk(&stream, size ? Z_NO_FLUSH : Z_FINISH, text);
    }
    deflateEnd(&stream);
    return code == Z_STREAM_END && text_ok(text)
               ? STATUS_OK
               : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
