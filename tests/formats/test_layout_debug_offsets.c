/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/helpers/fake_python.h"

#define VERSION_AT       8
#define FREE_THREADED_AT 16

static void make(struct fake_python *python, uint32_t version_hex)
{
    fake_python_make(python, python_layout_for_version(version_hex));
    fake_python_debug_offsets(python);
}

static enum status ask(struct fake_python *python, struct python_layout *ret_layout,
                       struct error *err)
{
    struct fake_core fake;
    fake_python_open(python, "/usr/bin/python3", &fake);
    enum status status =
        python_layout_from_debug_offsets(fake.image, python->runtime, ret_layout, err);
    fake_core_close(&fake);
    return status;
}

static void assert_refused(uint32_t version_hex, uint64_t position, uint64_t word,
                           enum status expected, const char *words)
{
    struct fake_python python;
    struct python_layout layout = {0};
    struct error err = {0};
    make(&python, version_hex);
    fake_python_put(&python, python.runtime + position, word);
    assert_int_equal(ask(&python, &layout, &err), expected);
    assert_non_null(strstr(err.message, words));
    assert_int_equal(layout.version_hex, 0); /* untouched */
    fake_python_free(&python);
}

static void the_dumps_own_numbers_win(void **state)
{
    (void)state;
    static const uint32_t versions[] = {0x030d0000, 0x030e0000, 0x030f0000};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct fake_python python;
        struct python_layout layout;
        struct error err = {0};
        make(&python, versions[i]);
        uint64_t sysdict = layout_get(&python.layout, PY_interp_sysdict) + 16;
        fake_python_put(&python, fake_python_debug_position(&python, PY_interp_sysdict), sysdict);
        fake_python_put(&python, python.runtime + VERSION_AT, versions[i] | 0x42f0);
        assert_int_equal(ask(&python, &layout, &err), STATUS_OK);
        assert_int_equal(layout_get(&layout, PY_interp_sysdict), sysdict);
        assert_int_equal(layout.version_hex, versions[i] | 0x42f0);
        assert_non_null(strstr(layout.name, "debug offsets"));
        /* The rest is the table's. */
        layout.plus_one[PY_interp_sysdict] = python.layout.plus_one[PY_interp_sysdict];
        assert_memory_equal(layout.plus_one, python.layout.plus_one, sizeof(layout.plus_one));
        fake_python_free(&python);
    }
}

static void sizes_choose_the_table(void **state)
{
    (void)state;
    struct fake_python python;
    struct python_layout layout;
    struct error err = {0};
    const struct python_layout *first = python_layout_for_version(0x030d00f0);
    fake_python_make(&python, first);
    fake_python_debug_offsets(&python);
    /* It says 3.13.9, but its structs are those of 3.13.0. */
    fake_python_put(&python, python.runtime + VERSION_AT, 0x030d09f0);
    assert_int_equal(ask(&python, &layout, &err), STATUS_OK);
    assert_int_equal(layout_get(&layout, PY_gc_generations), layout_get(first, PY_gc_generations));
    assert_int_equal(layout_get(&layout, PY_lock_size), layout_get(first, PY_lock_size));
    fake_python_free(&python);
}

/* Everything of the thread state moved by 8, but for what the dump can't tell. */
static void untold_fields_move_with_their_neighbours(void **state)
{
    (void)state;
    static const enum python_field told[] = {PY_thread_current_frame, PY_thread_id,
                                             PY_thread_native_id, PY_thread_datastack_chunk,
                                             PY_thread_size};
    struct fake_python python;
    struct python_layout layout;
    struct error err = {0};
    make(&python, 0x030e0000);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        fake_python_put(&python, fake_python_debug_position(&python, told[i]),
                        layout_get(&python.layout, told[i]) + 8);
    assert_int_equal(ask(&python, &layout, &err), STATUS_OK);
    assert_int_equal(layout_get(&layout, PY_thread_current_exception),
                     layout_get(&python.layout, PY_thread_current_exception) + 8);
    assert_int_equal(layout_get(&layout, PY_thread_exc_state),
                     layout_get(&python.layout, PY_thread_exc_state) + 8);
    /* Right behind the status, which did not move. */
    assert_int_equal(layout_get(&layout, PY_thread_holds_gil),
                     layout_get(&python.layout, PY_thread_holds_gil));
    fake_python_free(&python);
}

/* Between one that moved and one that did not, far from both: nobody knows. */
static void what_can_not_be_known_is_absent(void **state)
{
    (void)state;
    struct fake_python python;
    struct python_layout layout;
    struct error err = {0};
    make(&python, 0x030d0000);
    fake_python_put(&python, fake_python_debug_position(&python, PY_interp_size),
                    layout_get(&python.layout, PY_interp_size) + 640);
    assert_int_equal(ask(&python, &layout, &err), STATUS_OK);
    assert_false(layout_has(&layout, PY_interp_static_types));
    assert_true(layout_has(&layout, PY_runtime_interpreters_main));
    fake_python_free(&python);
}

static void refusals(void **state)
{
    (void)state;
    assert_refused(0x030d0000, 0, 0, STATUS_CORRUPT, "don't begin with \"xdebugpy\"");
    assert_refused(0x030d0000, VERSION_AT, 0x031000f0, STATUS_UNSUPPORTED,
                   "CPython 3.16 is not known here; known are 3.8 to 3.15");
    assert_refused(0x030d0000, VERSION_AT, 0x030c00f0, STATUS_UNSUPPORTED, "CPython 3.12");
    assert_refused(0x030e0000, VERSION_AT, 0x41414141, STATUS_CORRUPT, "no version of CPython");
    assert_refused(0x030e0000, VERSION_AT, UINT64_C(0x1030e00f0), STATUS_CORRUPT, "no version");
    assert_refused(0x030e0000, FREE_THREADED_AT, 1, STATUS_UNSUPPORTED,
                   "a free-threaded build of CPython 3.14");
    assert_refused(0x030f0000, FREE_THREADED_AT, 7, STATUS_CORRUPT, "free_threaded is 0x7");
}

static void every_number_is_bounded(void **state)
{
    (void)state;
    static const uint64_t hostile[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 32, 1u << 25};
    static const enum python_field fields[] = {
        PY_runtime_size, PY_runtime_interpreters_head,
        PY_interp_size,  PY_interp_threads_head,
        PY_gil_locked,   PY_thread_size,
        PY_code_size,    PY_iframe_localsplus,
        PY_tuple_items,  PY_unicode_state,
        PY_gc_size,      PY_type_flags,
    };
    for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        struct fake_python python;
        make(&python, 0x030f0000);
        uint64_t position = fake_python_debug_position(&python, fields[f]) - python.runtime;
        fake_python_free(&python);
        for (size_t h = 0; h < sizeof(hostile) / sizeof(hostile[0]); h++)
            assert_refused(0x030f0000, position, hostile[h], STATUS_CORRUPT, "which can't be");
    }
    /* Counted from the GIL's own start, which it may not lie before. */
    struct fake_python python;
    make(&python, 0x030f0000);
    uint64_t position = fake_python_debug_position(&python, PY_gil_locked) - python.runtime;
    fake_python_free(&python);
    assert_refused(0x030f0000, position, 0, STATUS_CORRUPT, "gil_locked is 0x0");
}

static void missing_memory_is_said(void **state)
{
    (void)state;
    struct fake_python python;
    struct fake_core fake;
    struct python_layout layout;
    struct error err = {0};
    make(&python, 0x030f0000);
    memcpy(python.bytes + python.size - 32, "xdebugpy", 8);
    fake_python_put(&python, FAKE_PYTHON_BASE + python.size - 24, 0x030f00f0);
    fake_python_open(&python, NULL, &fake);
    uint64_t end = FAKE_PYTHON_BASE + python.size;
    assert_int_equal(python_layout_from_debug_offsets(fake.image, end - 32, &layout, &err),
                     STATUS_NOT_IN_DUMP);
    assert_int_equal(python_layout_from_debug_offsets(fake.image, end - 8, &layout, &err),
                     STATUS_NOT_IN_DUMP);
    assert_int_equal(python_layout_from_debug_offsets(fake.image, UINT64_MAX - 8, &layout, &err),
                     STATUS_NOT_IN_DUMP);
    fake_core_close(&fake);
    fake_python_free(&python);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dumps_own_numbers_win),
        cmocka_unit_test(sizes_choose_the_table),
        cmocka_unit_test(untold_fields_move_with_their_neighbours),
        cmocka_unit_test(what_can_not_be_known_is_absent),
        cmocka_unit_test(refusals),
        cmocka_unit_test(every_number_is_bounded),
        cmocka_unit_test(missing_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
