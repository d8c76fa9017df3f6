/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_REDACTION_H
#define INQUEST_ANALYZER_OBJECTS_REDACTION_H

#include <stddef.h>
#include <stdint.h>

#include "inquest/base/text.h"

/* SipHash-2-4 with 128 bits of output (Aumasson, Bernstein), in pieces. */
struct siphash {
    uint64_t v0, v1, v2, v3;
    uint8_t tail[8];
    size_t size;
};
void siphash_init(struct siphash *hash);
void siphash_add(struct siphash *hash, const void *bytes, size_t size);
void siphash_finish(struct siphash *hash, uint64_t ret_words[2]);

/* ---- redaction.c: as redaction_token, of a value in several pieces. */
struct redaction;
struct redaction_piece {
    const void *bytes;
    size_t size;
};
void redaction_token_of(struct redaction *redaction, const char *kind, uint64_t length,
                        const struct redaction_piece *pieces, size_t count, struct text *text);

#endif
