/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_LABEL_CACHE_H
#define FORMATS_PROFILES_LABEL_CACHE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/base/bytes_reader.h"
#include "inquest/formats/profile.h"

#define LABEL_CACHE_SLOTS ((size_t)1 << 18)
#define LABEL_CACHE_WAYS  4u

/* The frames of labels seen lately, so that a label is taken apart and numbered once,
 * not each time it occurs. Of a fixed size: what falls out is found again the long way.
 * The labels lie in the input. */
struct label_cache {
    struct label_slot {
        const char *label; /* NULL: free */
        uint32_t size, hash, frame;
    } * slots;
};

static inline bool label_cache_init(struct label_cache *cache)
{
    cache->slots = calloc(LABEL_CACHE_SLOTS, sizeof *cache->slots);
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
    *ret_slot = &cache->slots[hash & (LABEL_CACHE_SLOTS - 1)];
    for (unsigned way = 0; way < LABEL_CACHE_WAYS; way++) {
        struct label_slot *slot = &cache->slots[(hash + way) & (LABEL_CACHE_SLOTS - 1)];
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
