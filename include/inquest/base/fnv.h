/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_FNV_H
#define INQUEST_BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a: one text, one number, in every run and on every machine, which marks and colours
 * need. Anybody can choose texts that collide. Begin with the start, go on with the result. */
#define FNV32_START UINT32_C(0x811c9dc5)
#define FNV64_START UINT64_C(0xcbf29ce484222325)

static inline uint32_t fnv32(uint32_t hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * UINT32_C(0x01000193);
    return hash;
}

static inline uint64_t fnv64(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
