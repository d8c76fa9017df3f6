/* SPDX-License-Identifier: Apache-2.0 */
/* The wrappers, as their formats define them.
 *
 *   gzip (RFC 1952)            OFFSET SIZE MEANING
 *                                   0    2 0x1f 0x8b
 *                                   2    1 8: deflate
 *   lz4 frame (lz4_Frame_format.md) 0    4 0x184D2204
 *   zstd frame (RFC 8878)           0    4 0xFD2FB528
 *
 * Each may be followed by more frames; unwrap.c joins them. */
#include "formats/input/codec.h"

#include <limits.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* lz4 and zstd do not tell how much a call made before it met damage: small
 * steps keep nearly all that came out. */
#define STEP_INPUT_BYTES ((size_t)16 << 10)

/* zstd's window is memory that the file asks for: 1 GiB at most (--long=30). */
#define ZSTD_WINDOW_LOG_MAX 30

static void *gzip_create(void)
{
    z_stream *state = calloc(1, sizeof *state);
    if (state && inflateInit2(state, 15 + 16) != Z_OK) {
        free(state);
        return NULL;
    }
    return state;
}

static void gzip_destroy(void *state)
{
    if (state)
        inflateEnd(state);
    free(state);
}

static void gzip_reset(void *state)
{
    (void)inflateReset(state);
}

static void gzip_decode(void *state, struct codec_step *step)
{
    z_stream *stream = state;
    unsigned input = step->input_size > UINT_MAX ? UINT_MAX : (unsigned)step->input_size;
    unsigned output = step->output_size > UINT_MAX ? UINT_MAX : (unsigned)step->output_size;
    stream->next_in = (z_const Bytef *)step->input;
    stream->avail_in = input;
    stream->next_out = step->output;
    stream->avail_out = output;
    int result = inflate(stream, Z_NO_FLUSH);
    step->input_used = input - stream->avail_in;
    step->output_made = output - stream->avail_out;
    step->frame_done = result == Z_STREAM_END;
    if (result == Z_MEM_ERROR)
        step->damage = "out of memory";
    else if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        step->damage = stream->msg ? stream->msg : "invalid data";
}

static size_t step_input(const struct codec_step *step)
{
    return step->input_size < STEP_INPUT_BYTES ? step->input_size : STEP_INPUT_BYTES;
}

static void *lz4_create(void)
{
    LZ4F_dctx *state;
    return LZ4F_isError(LZ4F_createDecompressionContext(&state, LZ4F_VERSION)) ? NULL : state;
}

static void lz4_destroy(void *state)
{
    if (state)
        LZ4F_freeDecompressionContext(state);
}

static void lz4_reset(void *state)
{
    LZ4F_resetDecompressionContext(state);
}

static void lz4_decode(void *state, struct codec_step *step)
{
    size_t output = step->output_size, input = step_input(step);
    size_t result = LZ4F_decompress(state, step->output, &output, step->input, &input, NULL);
    if (LZ4F_isError(result)) {
        step->damage = LZ4F_getErrorName(result);
        return;
    }
    step->input_used = input;
    step->output_made = output;
    step->frame_done = result == 0;
}

static void *zstd_create(void)
{
    ZSTD_DCtx *state = ZSTD_createDCtx();
    if (state)
        (void)ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    return state;
}

static void zstd_destroy(void *state)
{
    ZSTD_freeDCtx(state);
}

static void zstd_reset(void *state)
{
    (void)ZSTD_DCtx_reset(state, ZSTD_reset_session_only);
}

static void zstd_decode(void *state, struct codec_step *step)
{
    ZSTD_inBuffer input = {.src = step->input, .size = step_input(step)};
    ZSTD_outBuffer output = {.dst = step->output, .size = step->output_size};
    size_t result = ZSTD_decompressStream(state, &output, &input);
    step->input_used = input.pos;
    step->output_made = output.pos;
    if (ZSTD_isError(result))
        step->damage = ZSTD_getErrorName(result);
    else
        step->frame_done = result == 0;
}

/* To add a wrapper: a row here and a name in enum input_wrapper. */
static const struct codec codecs[] = {
    {INPUT_GZIP, "gzip", 0x088B1F, 0xFFFFFF, gzip_create, gzip_destroy, gzip_reset, gzip_decode},
    {INPUT_LZ4, "lz4", 0x184D2204, 0xFFFFFFFF, lz4_create, lz4_destroy, lz4_reset, lz4_decode},
    {INPUT_ZSTD, "zstd", 0xFD2FB528, 0xFFFFFFFF, zstd_create, zstd_destroy, zstd_reset,
     zstd_decode},
};
#define CODEC_COUNT (sizeof codecs / sizeof *codecs)

const struct codec *codec_for_magic(uint32_t magic)
{
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if ((magic & codecs[i].magic_mask) == codecs[i].magic)
            return &codecs[i];
    }
    return NULL;
}

const struct codec *codec_for_kind(enum input_wrapper kind)
{
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if (codecs[i].kind == kind)
            return &codecs[i];
    }
    return NULL;
}

const char *input_wrapper_name(enum input_wrapper wrapper)
{
    const struct codec *codec = codec_for_kind(wrapper);
    return codec ? codec->name : "plain";
}
