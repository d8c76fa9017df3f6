/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_PICKLE_MEMO_H
#define FORMATS_PROFILES_PICKLE_MEMO_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/profiles/pickle_value.h"

/* A pickle's memo. Nearly all that a pickler puts there are frames and traces, and of those a
 * snapshot gets none again. So a memo is thin at first: such entries are passed over, and 64
 * of them take 16 bytes. A file that asks for one, or that puts entries in another order than
 * one behind the other, needs a full memo. */

struct pickle_memo_block {
    uint64_t kept;   /* which of its 64 entries */
    uint32_t before; /* how many were kept before */
};

struct pickle_memo {
    pickle_values values; /* thin: those kept; full: all by index, 0 where nothing was put */
    ARRAY(struct pickle_memo_block) blocks; /* of a thin one */
    size_t count;                           /* entries that were put */
    bool is_thin;
};

/* Shorter than a call to the compiler's own, which is one where the processor may lack it. */
static inline unsigned pickle_memo_bits(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

/* Where the value is that was put there; NULL: nothing was, or it was passed over. */
static inline const uint32_t *pickle_memo_find(const struct pickle_memo *memo, uint64_t index)
{
    if (!memo->is_thin)
        return index < memo->values.count && memo->values.items[index] ? &memo->values.items[index]
                                                                       : NULL;
    if (index >= memo->count)
        return NULL;
    const struct pickle_memo_block *block = &memo->blocks.items[index / 64];
    uint64_t bit = UINT64_C(1) << index % 64;
    size_t before = block->before + pickle_memo_bits(block->kept & (bit - 1));
    return block->kept & bit ? &memo->values.items[before] : NULL;
}

/* For who asks for many: what asks for the memory that the next pickle_memo_find waits for. */
static inline void pickle_memo_prefetch(const struct pickle_memo *memo, uint64_t index)
{
    if (memo->is_thin && index < memo->count)
        __builtin_prefetch(&memo->blocks.items[index / 64]);
    else if (index < memo->values.count)
        __builtin_prefetch(&memo->values.items[index]);
}

/* Passes over so many entries of a thin memo. false: out of memory. */
static inline bool pickle_memo_pass(struct pickle_memo *memo, size_t count)
{
    memo->count += count;
    while (memo->blocks.count * 64 < memo->count) {
        struct pickle_memo_block block = {0, (uint32_t)memo->values.count};
        if (!array_push(&memo->blocks, block))
            return false;
    }
    return true;
}

/* Puts a value behind all others of a thin one. false: out of memory. */
static inline bool pickle_memo_add(struct pickle_memo *memo, uint32_t value)
{
    enum pickle_kind kind = pickle_kind_of(value);
    if (!pickle_memo_pass(memo, 1))
        return false;
    if (kind == PICKLE_FRAME || kind == PICKLE_TRACE)
        return true;
    memo->blocks.items[(memo->count - 1) / 64].kept |= UINT64_C(1) << (memo->count - 1) % 64;
    return memo->values.count < UINT32_MAX && array_push(&memo->values, value);
}

#endif
