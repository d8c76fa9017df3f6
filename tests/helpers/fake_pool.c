/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/helpers/fake_pool.h"

#include <string.h>

#include "inquest/base/bytes_reader.h"

#define HEADER 48

static void put(uint8_t *at, uint64_t value, size_t size)
{
    memcpy(at, &value, size);
}

void fake_pool_make(uint8_t *bytes, uint32_t size, uint32_t block_size, uint32_t carved)
{
    memset(bytes, 0, HEADER);
    put(bytes, carved, 4);
    put(bytes + 36, block_size / 16 - 1, 4);
    put(bytes + 40, HEADER + (uint64_t)carved * block_size, 4);
    put(bytes + 44, size - block_size, 4);
}

uint64_t fake_pool_block(const uint8_t *bytes, uint32_t block)
{
    return HEADER + (uint64_t)block * 16 * (load_u32(bytes + 36) + 1);
}

void fake_pool_free(uint8_t *bytes, uint64_t addr, uint32_t block)
{
    uint64_t offset = fake_pool_block(bytes, block);
    put(bytes + offset, load_u64(bytes + 8), 8);
    put(bytes + 8, addr + offset, 8);
    put(bytes, load_u32(bytes) - 1, 4);
}
