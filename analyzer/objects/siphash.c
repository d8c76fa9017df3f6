/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "analyzer/objects/redaction.h"
#include "inquest/base/bytes_reader.h"

/* Any fixed key does: tokens have to be the same for the same core. */
#define KEY0 UINT64_C(0x696E717565737421)
#define KEY1 UINT64_C(0x7265646163746564)

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void siphash_rounds(struct siphash *hash, unsigned rounds)
{
    uint64_t v0 = hash->v0, v1 = hash->v1, v2 = hash->v2, v3 = hash->v3;
    while (rounds-- > 0) {
        v0 += v1;
        v2 += v3;
        v1 = rotate(v1, 13) ^ v0;
        v3 = rotate(v3, 16) ^ v2;
        v0 = rotate(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = rotate(v1, 17) ^ v2;
        v3 = rotate(v3, 21) ^ v0;
        v2 = rotate(v2, 32);
    }
    hash->v0 = v0;
    hash->v1 = v1;
    hash->v2 = v2;
    hash->v3 = v3;
}

static void siphash_word(struct siphash *hash, uint64_t word)
{
    hash->v3 ^= word;
    siphash_rounds(hash, 2);
    hash->v0 ^= word;
}

void siphash_init(struct siphash *hash)
{
    hash->v0 = KEY0 ^ UINT64_C(0x736F6D6570736575);
    hash->v1 = KEY1 ^ UINT64_C(0x646F72616E646F6D) ^ 0xEE;
    hash->v2 = KEY0 ^ UINT64_C(0x6C7967656E657261);
    hash->v3 = KEY1 ^ UINT64_C(0x7465646279746573);
    hash->size = 0;
}

void siphash_add(struct siphash *hash, const void *bytes, size_t size)
{
    const uint8_t *next = bytes;
    size_t in_tail = hash->size % 8;
    hash->size += size;
    if (in_tail) {
        size_t taken = size < 8 - in_tail ? size : 8 - in_tail;
        memcpy(hash->tail + in_tail, next, taken);
        next += taken;
        size -= taken;
        if (in_tail + taken < 8)
            return;
        siphash_word(hash, load_u64(hash->tail));
    }
    for (; size >= 8; next += 8, size -= 8)
        siphash_word(hash, load_u64(next));
    memcpy(hash->tail, next, size);
}

void siphash_finish(struct siphash *hash, uint64_t ret_words[2])
{
    memset(hash->tail + hash->size % 8, 0, 8 - hash->size % 8);
    siphash_word(hash, load_u64(hash->tail) | (uint64_t)hash->size << 56);
    hash->v2 ^= 0xEE;
    siphash_rounds(hash, 4);
    ret_words[0] = hash->v0 ^ hash->v1 ^ hash->v2 ^ hash->v3;
    hash->v1 ^= 0xDD;
    siphash_rounds(hash, 4);
    ret_words[1] = hash->v0 ^ hash->v1 ^ hash->v2 ^ hash->v3;
}
