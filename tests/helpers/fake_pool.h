/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_FAKE_POOL_H
#define TESTS_HELPERS_FAKE_POOL_H

#include <stdint.h>

/* A pool of pymalloc's in `size` bytes of a test's own; an address is that of
 * the process. All `carved` blocks are in use. */
void fake_pool_make(uint8_t *bytes, uint32_t size, uint32_t block_size, uint32_t carved);
/* Puts a block in front of the pool's free list. */
void fake_pool_free(uint8_t *bytes, uint64_t addr, uint32_t block);
/* Where a block begins, from the pool's start. */
uint64_t fake_pool_block(const uint8_t *bytes, uint32_t block);

#endif
