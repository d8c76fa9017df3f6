/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_LABEL_CACHE_H
#define FORMATS_PROFILES_LABEL_CACHE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/base/bytes_reader.h"
#include "inquest/formats/profile.h"

#define LABEL_CACHE_SLOTS ((size_t)1 << 18) /* at most */
#define LABEL_CACHE_WAYS  4u

struct label_slot {
    const char *label; /* NULL: free */
    uint32_t size, hash, frame;
};

/* The frames of labels seen lately, so that a label is taken apart and numbered once,
 * not each time it occurs. Of a fixed size: what falls out is found again the long way.
 * The labels lie in the input. */
struct label_cache {
    struct label_slot *slots;
    size_t mask; /* their number, a power of two, less one */
};

/* `input_size`: more labels than fit in so many bytes there can't be. */
static inline bool label_cache_init(struct label_cache *cache, uint64_t input_size)
{
    size_t slots = 256;
    while (slots < LABEL_CACHE_SLOTS && slots < input_size / 4)
        slots *= 2;
    cache->slots = calloc(slots, sizeof *cache->slots);
    cache->mask = slots - 1;
    return cache->slots;
}

static inline void label_cache_deinit(struct label_cache *cache)
{
    free(cache->slots);
    cache->slots = NULL;
}

__extension__ typedef unsigned __int128 label_uint128;

static inline uint64_t label_mix(uint64_t a, uint64_t b)
{
    label_uint128 product =
        (label_uint128)(a ^ UINT64_C(0x2d358dccaa6c78a5)) * (b ^ UINT64_C(0x8bb84b93962eacc9));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t label_hash(const char *label, size_t size)
{
    const char *last = label + size;
    uint64_t hash = size, first_word = 0, last_word = 0;
    for (; last - label > 16; label += 16)
        hash = label_mix(load_u64(label) ^ hash, load_u64(label + 8));
    if (size >= 16) { /* the last 16 bytes, some of them again */
        first_word = load_u64(last - 16);
        last_word = load_u64(last - 8);
    } else if (size >= 8) {
        first_word = load_u64(label);
        last_word = load_u64(last - 8);
    } else if (size >= 4) {
        first_word = load_u32(label);
        last_word = load_u32(last - 4);
    } else {
        for (; label < last; label++)
            first_word = first_word << 8 | (unsigned char)*label;
    }
    return (uint32_t)(label_mix(first_word ^ hash, last_word) >> 8);
}

/* Whether the label is there: *ret_slot is its slot, or the one that is to hold it. */
static inline bool label_cache_find(struct label_cache *cache, const char *label, size_t size,
                                    uint32_t hash, struct label_slot **ret_slot)
{
    *ret_slot = &cache->slots[hash & cache->mask];
    for (unsigned way = 0; way < LABEL_CACHE_WAYS; way++) {
        struct label_slot *slot = &cache->slots[(hash + way) & cache->mask];
        bool is_same = slot->label && slot->hash == hash && slot->size == size &&
                       !memcmp(slot->label, label, size);
        if (!slot->label || is_same) {
            *ret_slot = slot;
            return is_same;
        }
    }
    return false;
}

#endif
