/* SPDX-License-Identifier: Apache-2.0 */
/* Frames one after the other, of whatever wrapper each one's magic says. lz4 and
 * zstd share skippable frames:
 *
 *   OFFSET SIZE MEANING
 *        0    4 0x184D2A50 to 0x184D2A5F
 *        4    4 size of what follows, to be skipped */
#include <stdlib.h>

#include "formats/input/codec.h"
#include "formats/input/stream.h"
#include "inquest/base/bytes_reader.h"

#define SKIPPABLE_MAGIC      0x184D2A50u
#define SKIPPABLE_MAGIC_MASK 0xFFFFFFF0u

struct unwrap {
    struct stream base;
    struct stream_buffer input;
    const struct codec *codec; /* of `state` */
    void *state;
    enum input_wrapper kind;
    bool in_frame, ended;
    const char *damage;
};

static bool is_skippable(uint32_t magic)
{
    return (magic & SKIPPABLE_MAGIC_MASK) == SKIPPABLE_MAGIC;
}

bool unwrap_recognises(const uint8_t *bytes, size_t size)
{
    if (size < UNWRAP_MAGIC_BYTES)
        return false;
    uint32_t magic = load_u32(bytes);
    return is_skippable(magic) || codec_for_magic(magic);
}

static void unwrap_cut(struct unwrap *unwrap, const char *damage)
{
    unwrap->base.cut = true;
    unwrap->damage = damage;
    unwrap->ended = true;
}

static enum status skip_bytes(struct unwrap *unwrap, uint64_t size, struct error *err)
{
    while (size) {
        enum status status = stream_buffer_fill(&unwrap->input, 1, err);
        if (status != STATUS_OK)
            return status;
        uint64_t there = stream_buffer_size(&unwrap->input);
        if (!there) {
            unwrap_cut(unwrap, "the stream ends early");
            return STATUS_OK;
        }
        uint64_t taken = there < size ? there : size;
        stream_buffer_take(&unwrap->input, (size_t)taken);
        size -= taken;
    }
    return STATUS_OK;
}

/* Tape-like padding after the last frame is nobody's damage. */
static enum status skip_padding(struct unwrap *unwrap, struct error *err)
{
    for (;;) {
        enum status status = stream_buffer_fill(&unwrap->input, 1, err);
        if (status != STATUS_OK)
            return status;
        size_t there = stream_buffer_size(&unwrap->input), zeros = 0;
        const uint8_t *bytes = stream_buffer_bytes(&unwrap->input);
        while (zeros < there && !bytes[zeros])
            zeros++;
        stream_buffer_take(&unwrap->input, zeros);
        if (!there)
            unwrap->ended = true;
        if (!there || zeros < there)
            return STATUS_OK;
    }
}

static enum status use_codec(struct unwrap *unwrap, const struct codec *codec, struct error *err)
{
    if (unwrap->codec == codec) {
        codec->reset(unwrap->state);
    } else {
        if (unwrap->codec)
            unwrap->codec->destroy(unwrap->state);
        unwrap->codec = codec;
        unwrap->state = codec->create();
        if (!unwrap->state) {
            unwrap->codec = NULL;
            return error_set(err, STATUS_NO_MEMORY, "out of memory for the %s decoder",
                             codec->name);
        }
    }
    if (unwrap->kind == INPUT_PLAIN)
        unwrap->kind = codec->kind;
    unwrap->in_frame = true;
    return STATUS_OK;
}

/* Between frames: skips, ends, or starts the next one. */
static enum status next_frame(struct unwrap *unwrap, struct error *err)
{
    enum status status = stream_buffer_fill(&unwrap->input, 8, err);
    if (status != STATUS_OK)
        return status;
    size_t there = stream_buffer_size(&unwrap->input);
    const uint8_t *bytes = stream_buffer_bytes(&unwrap->input);
    if (!there || !bytes[0]) {
        status = skip_padding(unwrap, err);
        if (status == STATUS_OK && !unwrap->ended)
            unwrap_cut(unwrap, "bytes after its end that are no frame");
        return status;
    }
    uint32_t magic = there >= UNWRAP_MAGIC_BYTES ? load_u32(bytes) : 0;
    if (is_skippable(magic) && there >= 8) {
        uint64_t size = load_u32(bytes + 4);
        stream_buffer_take(&unwrap->input, 8);
        return skip_bytes(unwrap, size, err);
    }
    const struct codec *codec = codec_for_magic(magic);
    if (codec)
        return use_codec(unwrap, codec, err);
    unwrap_cut(unwrap, "bytes after its end that are no frame");
    return STATUS_OK;
}

static enum status decode_some(struct unwrap *unwrap, uint8_t *buffer, size_t capacity,
                               size_t *ret_size, struct error *err)
{
    enum status status = stream_buffer_fill(&unwrap->input, 1, err);
    if (status != STATUS_OK)
        return status;
    struct codec_step step = {.input = stream_buffer_bytes(&unwrap->input),
                              .input_size = stream_buffer_size(&unwrap->input),
                              .output = buffer,
                              .output_size = capacity};
    unwrap->codec->decode(unwrap->state, &step);
    stream_buffer_take(&unwrap->input, step.input_used);
    *ret_size = step.output_made;
    if (step.damage)
        unwrap_cut(unwrap, step.damage);
    else if (step.frame_done)
        unwrap->in_frame = false;
    else if (!step.input_used && !step.output_made)
        unwrap_cut(unwrap, "the stream ends early");
    return STATUS_OK;
}

static enum status unwrap_read(struct stream *stream, uint8_t *buffer, size_t capacity,
                               size_t *ret_size, struct error *err)
{
    struct unwrap *unwrap = (struct unwrap *)stream;
    size_t made = 0;
    while (!unwrap->ended && !made) {
        enum status status = unwrap->in_frame ? decode_some(unwrap, buffer, capacity, &made, err)
                                              : next_frame(unwrap, err);
        if (status != STATUS_OK)
            return status;
    }
    /* a layer below that ended early cuts this one, whatever its own end says */
    if (unwrap->ended && unwrap->input.stream->cut)
        unwrap->base.cut = true;
    *ret_size = made;
    return STATUS_OK;
}

static void unwrap_destroy(struct stream *stream)
{
    struct unwrap *unwrap = (struct unwrap *)stream;
    if (unwrap->codec)
        unwrap->codec->destroy(unwrap->state);
    stream_buffer_deinit(&unwrap->input);
    free(unwrap);
}

struct stream *unwrap_create(struct stream_buffer *input)
{
    struct unwrap *unwrap = calloc(1, sizeof *unwrap);
    if (!unwrap)
        return NULL;
    unwrap->base.read = unwrap_read;
    unwrap->base.destroy = unwrap_destroy;
    unwrap->input = *input;
    *input = (struct stream_buffer){0};
    return &unwrap->base;
}

enum input_wrapper unwrap_kind(const struct stream *unwrap)
{
    return ((const struct unwrap *)unwrap)->kind;
}

const char *unwrap_damage(const struct stream *unwrap)
{
    const char *damage = ((const struct unwrap *)unwrap)->damage;
    return damage ? damage : "";
}
