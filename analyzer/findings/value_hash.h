/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_VALUE_HASH_H
#define INQUEST_ANALYZER_FINDINGS_VALUE_HASH_H

#include "inquest/base/bytes_reader.h"

/* The last bytes of a value, fewer than 8, as a number: byte by byte from the least on.
 * Short values are most of all, and a call to copy them cost as much as their hash. */
static inline uint64_t value_tail(const uint8_t *bytes, uint64_t size)
{
    if (size >= 4)
        return load_u32(bytes) | (uint64_t)load_u32(bytes + size - 4) << 8 * (size - 4);
    if (!size)
        return 0;
    return bytes[0] | (uint64_t)bytes[size / 2] << 8 * (size / 2) |
           (uint64_t)bytes[size - 1] << 8 * (size - 1);
}

#endif
