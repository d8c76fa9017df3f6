/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/helpers/fake_python.h"

struct accepted {
    uint64_t wanted, last;
    size_t calls;
};

static bool accept(void *context, uint64_t runtime_addr)
{
    struct accepted *accepted = context;
    accepted->calls++;
    accepted->last = runtime_addr;
    return runtime_addr == accepted->wanted;
}

static void assert_scanned(const struct fake_python *python, const char *path, bool expected)
{
    struct fake_core fake;
    struct accepted accepted = {.wanted = python->runtime};
    fake_python_open(python, path, &fake);
    assert_int_equal(runtime_scan(fake.image, &python->layout, accept, &accepted), expected);
    if (expected)
        assert_int_equal(accepted.last, python->runtime);
    fake_core_close(&fake);
}

static void a_scan_finds_each_version(void **state)
{
    (void)state;
    static const char *const paths[] = {"/usr/bin/python3.11", "/opt/libpython3.8.so.1.0",
                                        "/srv/bin/uwsgi", NULL};
    for (size_t i = 0; i < python_layout_count; i++) {
        struct fake_python python;
        fake_python_make(&python, python_layouts[i]);
        assert_scanned(&python, paths[i % 4], true);
        fake_python_free(&python);
    }
}

static void a_scan_finds_the_main_of_several_interpreters(void **state)
{
    (void)state;
    struct fake_python python;
    fake_python_make(&python, python_layout_for_version(0x030c0000));
    uint64_t second = fake_python_alloc(&python, layout_get(&python.layout, PY_interp_size));
    fake_python_set(&python, second, PY_interp_id, 1);
    fake_python_set(&python, second, PY_interp_next, python.interp);
    fake_python_set(&python, python.runtime, PY_runtime_interpreters_head, second);
    assert_scanned(&python, "/usr/bin/python3.12", true);
    /* A list that never comes to the main one is none. */
    fake_python_set(&python, second, PY_interp_next, second);
    assert_scanned(&python, "/usr/bin/python3.12", false);
    fake_python_free(&python);
}

static void a_scan_asks_for_a_thread_that_points_back(void **state)
{
    (void)state;
    struct fake_python python;
    fake_python_make(&python, python_layout_for_version(0x03090000));
    fake_python_set(&python, python.thread, PY_thread_interp, python.interp + 8);
    assert_scanned(&python, "/usr/bin/python3.9", false);
    fake_python_set(&python, python.thread, PY_thread_interp, python.interp);
    fake_python_set(&python, python.interp, PY_interp_id, 1);
    assert_scanned(&python, "/usr/bin/python3.9", false);
    fake_python_free(&python);
}

static size_t find(const struct fake_python *python, const char *path,
                   struct runtime_candidate *candidates, size_t capacity)
{
    struct fake_core fake;
    fake_python_open(python, path, &fake);
    size_t count = runtime_candidates_find(fake.image, candidates, capacity);
    fake_core_close(&fake);
    return count;
}

static void the_cookie_is_found(void **state)
{
    (void)state;
    static const char *const paths[] = {"/usr/bin/python3.14", "/srv/bin/uwsgi", NULL};
    struct runtime_candidate candidates[4];
    struct fake_python python;
    fake_python_make(&python, python_layout_for_version(0x030e0000));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(find(&python, paths[i], candidates, 4), 0);
    fake_python_debug_offsets(&python);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(find(&python, paths[i], candidates, 4), 1);
        assert_int_equal(candidates[0].runtime_addr, python.runtime);
        assert_true(candidates[0].has_cookie);
        assert_string_equal(candidates[0].how, "debug cookie");
    }
    assert_int_equal(find(&python, paths[0], candidates, 0), 0);
    fake_python_free(&python);
}

static void cookies_at_the_edge(void **state)
{
    (void)state;
    struct runtime_candidate candidates[4];
    struct fake_python python;
    fake_python_make(&python, python_layout_for_version(0x030e0000));
    /* Aligned to 4 only: looked for when there is none at 8. */
    memcpy(python.bytes + 1000 * 8 + 4, "xdebugpy", 8);
    assert_int_equal(find(&python, NULL, candidates, 4), 1);
    assert_int_equal(candidates[0].runtime_addr, FAKE_PYTHON_BASE + 8004);
    memcpy(python.bytes + python.size - 8, "xdebugpy", 8);
    assert_int_equal(find(&python, NULL, candidates, 4), 1);
    assert_int_equal(candidates[0].runtime_addr, FAKE_PYTHON_BASE + python.size - 8);
    /* More than there is room for. */
    for (size_t i = 0; i < 8; i++)
        memcpy(python.bytes + i * 64, "xdebugpy", 8);
    assert_int_equal(find(&python, NULL, candidates, 4), 4);
    assert_int_equal(candidates[3].runtime_addr, FAKE_PYTHON_BASE + 3 * 64);
    fake_python_free(&python);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan_finds_each_version),
        cmocka_unit_test(a_scan_finds_the_main_of_several_interpreters),
        cmocka_unit_test(a_scan_asks_for_a_thread_that_points_back),
        cmocka_unit_test(the_cookie_is_found),
        cmocka_unit_test(cookies_at_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
