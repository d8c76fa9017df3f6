/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_pools.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/helpers/fake_core.h"
#include "tests/helpers/fake_pool.h"

#define BASE  UINT64_C(0x7f1000000000)
#define BYTES (64u << 10)

struct memory {
    uint8_t bytes[BYTES];
    uint32_t pool_bytes;
    struct fake_core core;
    struct python_process process;
};

/* What was visited: pool by pool, its blocks in use as text. */
struct seen {
    size_t pools;
    uint64_t addr[8];
    uint32_t block_size[8], live[8];
    char blocks[8][32]; /* of the first 31: '1' in use, '0' not, 0 past the carved ones */
};

static enum status note_pool(void *context, const struct pool *pool)
{
    struct seen *seen = context;
    uint32_t live = 0;
    assert_in_range(seen->pools, 0, 7);
    for (uint32_t i = 0; i < pool->block_count; i++) {
        bool is_live = pool->live[i / 64] >> (i & 63) & 1;
        live += is_live;
        if (i < 31)
            seen->blocks[seen->pools][i] = is_live ? '1' : '0';
    }
    for (uint32_t i = pool->block_count; i < POOL_LIVE_WORDS * 64; i++)
        assert_false(pool->live[i / 64] >> (i & 63) & 1);
    assert_int_equal(live, pool->live_count);
    seen->addr[seen->pools] = pool->addr;
    seen->block_size[seen->pools] = pool->block_size;
    seen->live[seen->pools++] = live;
    return STATUS_OK;
}

static const struct python_layout *layout_of(unsigned minor)
{
    const struct python_layout *layout =
        python_layout_for_version(UINT32_C(3) << 24 | (uint32_t)minor << 16);
    assert_non_null(layout);
    return layout;
}

static void make(struct memory *memory, unsigned minor)
{
    memset(memory, 0, sizeof *memory);
    memory->process.layout = *layout_of(minor);
    memory->pool_bytes = (uint32_t)pool_size(&memory->process);
}

static struct pool_totals visit(struct memory *memory, struct seen *seen)
{
    const struct fake_segment segments[] = {
        {BASE, BYTES, BYTES, PF_R | PF_W, memory->bytes},
        {BASE + 2 * BYTES, BYTES, BYTES, PF_R, memory->bytes}, /* written by nobody */
    };
    struct pool_totals totals;
    memset(seen, 0, sizeof *seen);
    fake_core_open(&memory->core, segments, 2, NULL, 0);
    memory->process.image = memory->core.image;
    assert_int_equal(pools_visit(&memory->process, note_pool, seen, &totals), STATUS_OK);
    fake_core_close(&memory->core);
    return totals;
}

static void pools_of_both_sizes(void **unused)
{
    (void)unused;
    static const struct {
        unsigned minor;
        uint32_t bytes;
    } versions[] = {{8, 4096}, {9, 4096}, {10, 16384}, {11, 16384}, {14, 16384}};
    static struct memory memory;
    struct seen seen;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        make(&memory, versions[i].minor);
        uint32_t size = versions[i].bytes;
        assert_int_equal(memory.pool_bytes, size);
        fake_pool_make(memory.bytes + size, size, 64, 5);
        fake_pool_free(memory.bytes + size, BASE + size, 1);
        fake_pool_free(memory.bytes + size, BASE + size, 3);
        fake_pool_make(memory.bytes + 2 * size, size, 512, 7);
        struct pool_totals totals = visit(&memory, &seen);
        assert_int_equal(seen.pools, 2);
        assert_int_equal(seen.addr[0], BASE + size);
        assert_int_equal(seen.block_size[0], 64);
        assert_string_equal(seen.blocks[0], "10101");
        assert_string_equal(seen.blocks[1], "1111111");
        assert_int_equal(totals.pools, 2);
        assert_int_equal(totals.damaged, 0);
        assert_int_equal(totals.live_bytes, 3 * 64 + 7 * 512);
        assert_int_equal(totals.pool_bytes, 2 * size);
        assert_int_equal(totals.live_bytes + totals.free_bytes + totals.header_bytes, 2 * size);
    }
}

static void full_pool_of_the_smallest_blocks(void **unused)
{
    (void)unused;
    static struct memory memory;
    struct seen seen;
    make(&memory, 12);
    uint32_t count = (memory.pool_bytes - 48) / 16;
    fake_pool_make(memory.bytes, memory.pool_bytes, 16, count);
    struct pool_totals totals = visit(&memory, &seen);
    assert_int_equal(seen.live[0], count);
    assert_int_equal(totals.live_bytes, 16 * count);
    assert_int_equal(totals.header_bytes, 48);
    for (uint32_t block = 0; block < count; block++)
        fake_pool_free(memory.bytes, BASE, block);
    totals = visit(&memory, &seen); /* nothing lives in it */
    assert_int_equal(totals.pools, 0);
    assert_int_equal(totals.empty_bytes, memory.pool_bytes);
}

/* A list that lies: its blocks are given once at most, and the pool is reported. */
static void damaged_free_lists(void **unused)
{
    (void)unused;
    static struct memory memory;
    struct seen seen;
    static const struct {
        const char *what;
        int64_t next; /* of block 1, which is first on the list of 1, 4, 6; from the pool's start */
        const char *blocks;
    } cases[] = {
        {"a loop", 48 + 64 * 1, "1011111111"},
        {"behind the pool", 16384 + 48, "1011111111"},
        {"before the pool", -64, "1011111111"},
        {"between blocks", 48 + 64 * 4 + 8, "1011111111"},
        {"past the carved blocks", 48 + 64 * 10, "1011111111"},
        {"ends early", INT64_MIN, "1011111111"},
        {"the header", 0, "1011111111"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(&memory, 11);
        fake_pool_make(memory.bytes, memory.pool_bytes, 64, 10);
        fake_pool_free(memory.bytes, BASE, 6);
        fake_pool_free(memory.bytes, BASE, 4);
        fake_pool_free(memory.bytes, BASE, 1);
        uint64_t next = cases[i].next == INT64_MIN ? 0 : BASE + (uint64_t)cases[i].next;
        memcpy(memory.bytes + fake_pool_block(memory.bytes, 1), &next, 8);
        struct pool_totals totals = visit(&memory, &seen);
        if (totals.damaged != 1 || strcmp(seen.blocks[0], cases[i].blocks) != 0)
            fail_msg("%s: %s", cases[i].what, seen.blocks[0]);
    }
}

static void counts_that_lie(void **unused)
{
    (void)unused;
    static struct memory memory;
    struct seen seen;
    make(&memory, 11);
    fake_pool_make(memory.bytes, memory.pool_bytes, 64, 10);
    fake_pool_free(memory.bytes, BASE, 2);
    memory.bytes[0] = 7; /* in use: 9 */
    assert_int_equal(visit(&memory, &seen).damaged, 1);
    assert_string_equal(seen.blocks[0], "1101111111");
    memory.bytes[0] = 10;
    assert_int_equal(visit(&memory, &seen).damaged, 1);
    assert_string_equal(seen.blocks[0], "1111111111");
    memory.bytes[0] = 11; /* more than were carved: no pool */
    assert_int_equal(visit(&memory, &seen).pools, 0);
}

static void headers_that_are_none(void **unused)
{
    (void)unused;
    static const struct {
        size_t at;
        uint32_t value;
    } changes[] = {
        {36, 32},         {36, 4},     {36, UINT32_MAX},
        {40, 47},         {40, 49},    {40, 48 + 64 * 300},
        {40, UINT32_MAX}, {44, 16384}, {44, 16384 - 63},
        {0, UINT32_MAX},
    };
    static struct memory memory;
    struct seen seen;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make(&memory, 11);
        fake_pool_make(memory.bytes, memory.pool_bytes, 64, 10);
        memcpy(memory.bytes + changes[i].at, &changes[i].value, 4);
        assert_int_equal(visit(&memory, &seen).pools, 0);
    }
}

/* A pool whose end the core lacks, or that is not where pools are. */
static void only_whole_aligned_pools(void **unused)
{
    (void)unused;
    static struct memory memory;
    struct seen seen = {0};
    struct pool_totals totals;
    make(&memory, 11);
    fake_pool_make(memory.bytes, memory.pool_bytes, 64, 10);
    const struct fake_segment segments[] = {
        {BASE, BYTES, memory.pool_bytes - 1, PF_R | PF_W, memory.bytes},
        {BASE + BYTES + 4096, BYTES - 4096, BYTES - 4096, PF_R | PF_W, memory.bytes},
    };
    fake_core_open(&memory.core, segments, 2, NULL, 0);
    memory.process.image = memory.core.image;
    assert_int_equal(pools_visit(&memory.process, note_pool, &seen, &totals), STATUS_OK);
    assert_int_equal(totals.pools, 0);
    fake_core_close(&memory.core);
}

static enum status refuse(void *context, const struct pool *pool)
{
    (void)pool;
    ++*(int *)context;
    return STATUS_NO_MEMORY;
}

static void a_visitor_can_stop(void **unused)
{
    (void)unused;
    static struct memory memory;
    struct pool_totals totals;
    int calls = 0;
    make(&memory, 11);
    fake_pool_make(memory.bytes, memory.pool_bytes, 64, 10);
    fake_pool_make(memory.bytes + memory.pool_bytes, memory.pool_bytes, 64, 10);
    const struct fake_segment segment = {BASE, BYTES, BYTES, PF_R | PF_W, memory.bytes};
    fake_core_open(&memory.core, &segment, 1, NULL, 0);
    memory.process.image = memory.core.image;
    assert_int_equal(pools_visit(&memory.process, refuse, &calls, &totals), STATUS_NO_MEMORY);
    assert_int_equal(calls, 1);
    fake_core_close(&memory.core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_of_both_sizes),   cmocka_unit_test(full_pool_of_the_smallest_blocks),
        cmocka_unit_test(damaged_free_lists),    cmocka_unit_test(counts_that_lie),
        cmocka_unit_test(headers_that_are_none), cmocka_unit_test(only_whole_aligned_pools),
        cmocka_unit_test(a_visitor_can_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
