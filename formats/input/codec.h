/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_INPUT_CODEC_H
#define INQUEST_FORMATS_INPUT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/formats/input_file.h"

/* One step of a decoder: bytes in, bytes out. */
struct codec_step {
    const uint8_t *input;
    size_t input_size, input_used;
    uint8_t *output;
    size_t output_size, output_made;
    bool frame_done;    /* the frame (gzip: the member) ended here */
    const char *damage; /* in words, where the bytes are not what they should be */
};

/* A wrapper: one row of the table in codec.c. */
struct codec {
    enum input_wrapper kind;
    const char *name;
    uint32_t magic, magic_mask; /* of the first four bytes, little endian */
    void *(*create)(void);      /* NULL: out of memory */
    void (*destroy)(void *state);
    void (*reset)(void *state); /* before each frame but the first */
    void (*decode)(void *state, struct codec_step *step);
};

/* By the first four bytes of a frame, and by kind; NULL where there is none. */
const struct codec *codec_for_magic(uint32_t magic);
const struct codec *codec_for_kind(enum input_wrapper kind);

#endif
