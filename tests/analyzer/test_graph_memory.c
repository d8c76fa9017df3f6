/* SPDX-License-Identifier: Apache-2.0 */
/* Large arrays, which are made of the pages of those that were freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/graph/memory.h"

#define ARRAYS 12
#define STEP   512 /* numbers: one is looked at in so many, and the last */

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *random >> 33;
}

struct array {
    uint64_t *numbers, count, seed;
};

static void fill(struct array *array, uint64_t seed)
{
    array->seed = seed;
    for (uint64_t i = 0; i < array->count; i += STEP)
        array->numbers[i] = seed + i;
    array->numbers[array->count - 1] = seed;
}

static void check(const struct array *array, uint64_t count)
{
    for (uint64_t i = 0; i + 1 < count; i += STEP)
        assert_int_equal(array->numbers[i], array->seed + i);
    if (count == array->count)
        assert_int_equal(array->numbers[count - 1], array->seed);
}

static void make(struct array *array, uint64_t count, bool is_zeroed, uint64_t seed)
{
    array->count = count;
    assert_int_equal((is_zeroed ? graph_alloc_zeroed : graph_alloc)(count, sizeof *array->numbers,
                                                                    (void **)&array->numbers, NULL),
                     STATUS_OK);
    assert_int_equal((uintptr_t)array->numbers % 64, 0);
    for (uint64_t i = 0; is_zeroed && i < count; i++)
        assert_int_equal(array->numbers[i], 0);
    fill(array, seed);
}

static void resize(struct array *array, uint64_t count, uint64_t seed)
{
    assert_int_equal(graph_resize((void **)&array->numbers, count, sizeof *array->numbers, NULL),
                     STATUS_OK);
    check(array, count < array->count ? count : array->count - 1);
    array->count = count;
    fill(array, seed);
}

/* In place of the C library's, so that moving fails as it does before Linux 6.17: what was
 * there is unmapped, and another thread maps something. */
#define FOREIGN 200

static unsigned fails_every, fixed_calls, foreign_count;
static unsigned char *foreign[FOREIGN];

void *mremap(void *old, size_t old_size, size_t new_size, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    void *to = flags & MREMAP_FIXED ? va_arg(list, void *) : NULL;
    va_end(list);
    if (!to || !fails_every || ++fixed_calls % fails_every || foreign_count == FOREIGN)
        return (void *)syscall(SYS_mremap, old, old_size, new_size, flags, to);
    assert_int_equal(munmap(to, new_size), 0);
    foreign[foreign_count] =
        mmap(to, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    assert_ptr_equal(foreign[foreign_count], to);
    foreign[foreign_count++][7] = 7;
    return MAP_FAILED;
}

/* Whatever was freed, grown and shrunk before, each array has what was put into it. */
static void keep_arrays(void)
{
    struct array arrays[ARRAYS] = {0};
    uint64_t random = 3;
    for (uint64_t turn = 0; turn < 400; turn++) {
        struct array *array = &arrays[next_random(&random) % ARRAYS];
        uint64_t count = 1 + next_random(&random) % ((uint64_t)1 << (8 + turn % 13));
        if (array->numbers)
            check(array, array->count);
        if (array->numbers && turn % 3) {
            resize(array, count, turn << 32);
            continue;
        }
        graph_free(array->numbers);
        make(array, count, turn % 2, turn << 32);
    }
    for (unsigned i = 0; i < ARRAYS; i++)
        graph_free(arrays[i].numbers);
    graph_memory_trim();
}

static void test_arrays_keep_their_own(void **state)
{
    (void)state;
    keep_arrays();
}

static void test_where_pages_are_not_moved_nobody_is_hurt(void **state)
{
    (void)state;
    fails_every = 2;
    keep_arrays();
    fails_every = 0;
    assert_true(foreign_count > 0);
    for (unsigned i = 0; i < foreign_count; i++) {
        assert_int_equal(foreign[i][7], 7);
        assert_int_equal(munmap(foreign[i], 4096), 0);
    }
}

/* In kilobytes, of the process. */
static unsigned long anonymous_memory(void)
{
    unsigned long kilobytes = 0;
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "RssAnon: %lu", &kilobytes) != 1)
        continue;
    if (file)
        fclose(file);
    return kilobytes;
}

/* Four small arrays' memory does for a large one. */
static void test_free_pages_are_used_again(void **state)
{
    (void)state;
    struct array arrays[4] = {0}, between[4] = {0}, large = {0};
    uint64_t count = (UINT64_C(9) << 20) / sizeof *large.numbers;
    for (unsigned i = 0; i < 4; i++) {
        make(&arrays[i], count, false, i);
        make(&between[i], count / 8, false, i);
    }
    unsigned long before = anonymous_memory();
    for (unsigned i = 0; i < 4; i++)
        graph_free(arrays[i].numbers);
    make(&large, 4 * count, true, 5);
    check(&large, 4 * count);
    assert_true(anonymous_memory() <= before + (12 << 10));
    graph_free(large.numbers);
    for (unsigned i = 0; i < 4; i++) {
        check(&between[i], count / 8);
        graph_free(between[i].numbers);
    }
    graph_memory_trim();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays_keep_their_own),
        cmocka_unit_test(test_free_pages_are_used_again),
        cmocka_unit_test(test_where_pages_are_not_moved_nobody_is_hurt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
