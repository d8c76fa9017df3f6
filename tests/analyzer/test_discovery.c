/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/runtime/discovery.h"
#include "analyzer/runtime/runtime.h"
#include "tests/helpers/fake_python.h"

/* What a test looks at: the process is gone by then. */
struct finding {
    enum status status;
    struct error err;
    uint64_t runtime, interp;
    uint32_t version_hex;
    char how[128], warning[128], version[64], build[64];
    bool has_static_types;
    uint64_t static_types;
};

static void discover_in(const struct fake_core *fake, struct finding *ret)
{
    struct arena arena;
    struct python_process process = {0};
    *ret = (struct finding){0};
    arena_init(&arena);
    ret->status = python_discover(fake->image, &arena, &process, &ret->err);
    if (ret->status == STATUS_OK) {
        struct text version;
        text_init(&version);
        python_version_string(&process, &version);
        ret->runtime = process.runtime_addr;
        ret->interp = process.interp_addr;
        ret->version_hex = process.layout.version_hex;
        ret->has_static_types = layout_has(&process.layout, PY_interp_static_types);
        ret->static_types = process.layout.plus_one[PY_interp_static_types] - 1;
        snprintf(ret->how, sizeof(ret->how), "%s", process.how);
        snprintf(ret->warning, sizeof(ret->warning), "%s", process.warning ? process.warning : "");
        snprintf(ret->version, sizeof(ret->version), "%s", text_string(&version));
        snprintf(ret->build, sizeof(ret->build), "%s", python_build(&process));
        text_deinit(&version);
        python_process_deinit(&process);
    } else {
        assert_null(process.types);
    }
    arena_deinit(&arena);
}

static void discover(const struct fake_python *python, const char *path, struct finding *ret)
{
    struct fake_core fake;
    fake_python_open(python, path, &fake);
    discover_in(&fake, ret);
    fake_core_close(&fake);
}

static void make(struct fake_python *python, uint32_t version_hex)
{
    const struct python_layout *layout = python_layout_for_version(version_hex);
    fake_python_make(python, layout);
    if (layout_minor(layout) >= 13)
        fake_python_debug_offsets(python);
}

static void assert_refused(const struct fake_python *python, const char *path, const char *words)
{
    struct finding found;
    discover(python, path, &found);
    assert_int_equal(found.status, STATUS_UNSUPPORTED);
    if (!strstr(found.err.message, words))
        fail_msg("\"%s\" is not in \"%s\"", words, found.err.message);
}

static void each_version_is_found(void **state)
{
    (void)state;
    for (unsigned minor = 8; minor <= 15; minor++) {
        struct fake_python python;
        struct finding found;
        char path[64];
        make(&python, 0x03000000 | minor << 16);
        snprintf(path, sizeof(path), "/usr/lib/libpython3.%u.so.1.0", minor);
        const char *const paths[] = {path, "/srv/bin/uwsgi", NULL};
        for (size_t i = 0; i < 3; i++) {
            discover(&python, paths[i], &found);
            if (found.status != STATUS_OK)
                fail_msg("3.%u: %s", minor, found.err.message);
            assert_int_equal(found.runtime, python.runtime);
            assert_int_equal(found.interp, python.interp);
            assert_int_equal(found.version_hex, python.layout.version_hex);
            assert_string_equal(found.version, "3.99.1rc2");
            assert_string_equal(found.warning, "");
        }
        fake_python_free(&python);
    }
}

/* Files named otherwise than what they are: the names are guesses, no more. */
static void a_wrong_name_does_not_mislead(void **state)
{
    (void)state;
    static const uint32_t versions[] = {0x03080000, 0x030a0000, 0x030b0000, 0x030c0000, 0x030d0000};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct fake_python python;
        struct finding found;
        make(&python, versions[i]);
        discover(&python, "/usr/bin/python3.9", &found);
        assert_int_equal(found.status, STATUS_OK);
        assert_int_equal(found.version_hex, python.layout.version_hex);
        fake_python_free(&python);
    }
}

static void the_patch_release_is_the_dumps_own(void **state)
{
    (void)state;
    struct fake_python python;
    struct finding found;
    make(&python, 0x030b0000);
    uint64_t values[] = {fake_python_int(&python, 0x030b63f0)};
    static const char *const keys[] = {"hexversion", NULL};
    fake_python_set(&python, python.interp, PY_interp_sysdict,
                    fake_python_dict(&python, keys, values));
    discover(&python, "/usr/bin/python3.11", &found);
    assert_int_equal(found.status, STATUS_OK);
    assert_int_equal(found.version_hex, 0x030b63f0);
    assert_string_equal(found.version, "3.11.99"); /* no sys.version there */
    assert_string_equal(found.build, "static in the main program");
    fake_python_free(&python);
}

static void contradictions_are_caught(void **state)
{
    (void)state;
    for (unsigned minor = 8; minor <= 15; minor++) {
        struct fake_python python;
        struct finding found;
        make(&python, 0x03000000 | minor << 16);
        fake_python_set(&python, python.type_type, PY_object_type, python.dict_type);
        assert_refused(&python, NULL, "the type of its types is not its own type");
        fake_python_set(&python, python.type_type, PY_object_type, python.type_type);
        fake_python_set(&python, python.builtins, PY_object_type, python.str_type);
        assert_refused(&python, NULL, "its modules, sys and builtins are no dicts");
        fake_python_set(&python, python.builtins, PY_object_type, python.dict_type);
        fake_python_set(&python, python.modules, PY_object_type, python.str_type);
        assert_refused(&python, NULL, "its modules, sys and builtins are no dicts");
        fake_python_set(&python, python.modules, PY_object_type, python.dict_type);
        fake_python_set(&python, python.interp, PY_interp_modules, 0);
        assert_refused(&python, NULL, "its modules, sys and builtins are no dicts");
        fake_python_set(&python, python.interp, PY_interp_modules, python.modules);
        fake_python_set(&python, python.interp, PY_interp_sysdict, python.modules);
        assert_refused(&python, NULL, "it has no sys.hexversion");
        fake_python_set(&python, python.interp, PY_interp_sysdict, python.sysdict);
        discover(&python, NULL, &found);
        assert_int_equal(found.status, STATUS_OK);
        fake_python_free(&python);
    }
}

/* With a cookie the place is sure, and so the reason is told. */
static void contradictions_at_a_cookie(void **state)
{
    (void)state;
    struct fake_python python;
    make(&python, 0x030e0000);
    fake_python_set(&python, python.thread, PY_thread_interp, python.interp + 16);
    assert_refused(&python, NULL,
                   "debug cookie 0x7f1200010000 as 3.14 (debug offsets): its thread "
                   "state does not point back to its interpreter");
    fake_python_set(&python, python.interp, PY_interp_threads_head, 0);
    assert_refused(&python, NULL, "its interpreter has no thread");
    fake_python_set(&python, python.interp, PY_interp_id, 3);
    assert_refused(&python, NULL, "its main interpreter is not number 0");
    fake_python_set(&python, python.runtime, PY_runtime_interpreters_head, python.thread);
    fake_python_set(&python, python.interp, PY_interp_id, 0);
    assert_refused(&python, NULL, "its main interpreter is not in its list");
    fake_python_set(&python, python.runtime, PY_runtime_interpreters_main, 0x1234);
    assert_refused(&python, NULL, "its main interpreter is no address");
    fake_python_put(&python, python.runtime + 16, 1);
    assert_refused(&python, NULL, "a free-threaded build of CPython 3.14");
    fake_python_put(&python, python.runtime + 16, 0);
    fake_python_put(&python, python.runtime + 8, 0x031100f0);
    assert_refused(&python, NULL, "CPython 3.17 is not known here; known are 3.8 to 3.15");
    fake_python_free(&python);
}

static void the_version_must_be_the_layouts(void **state)
{
    (void)state;
    struct fake_python python;
    make(&python, 0x030c0000);
    uint64_t values[] = {fake_python_int(&python, 0x030a00f0)};
    static const char *const keys[] = {"hexversion", NULL};
    fake_python_set(&python, python.interp, PY_interp_sysdict,
                    fake_python_dict(&python, keys, values));
    assert_refused(&python, "/usr/bin/python3.12", "as 3.12: its sys.hexversion is 0x030a00f0");
    fake_python_free(&python);
}

static void nothing_of_python(void **state)
{
    (void)state;
    struct fake_python python;
    make(&python, 0x03090000);
    memset(python.bytes, 0, python.size);
    assert_refused(&python, "/bin/cat", "no CPython found that can be read; known are 3.8 to 3.15");
    assert_refused(&python, "/usr/bin/python3.13t", "its files are a free-threaded build's");
    assert_refused(&python, "/usr/bin/python3.11d", "its files are a debug build's");
    fake_python_free(&python);
}

static void debug_builds_are_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {"hexversion", "gettotalrefcount", NULL};
    struct fake_python python;
    make(&python, 0x030a0000);
    uint64_t values[] = {fake_python_int(&python, 0x030a00f0), python.modules};
    fake_python_set(&python, python.interp, PY_interp_sysdict,
                    fake_python_dict(&python, keys, values));
    assert_refused(&python, NULL, "a debug build of CPython 3.10: only release builds are read");
    fake_python_free(&python);
}

static void subinterpreters_are_told(void **state)
{
    (void)state;
    static const uint32_t versions[] = {0x03080000, 0x030c0000, 0x030f0000};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct fake_python python;
        struct finding found;
        make(&python, versions[i]);
        uint64_t second = fake_python_alloc(&python, layout_get(&python.layout, PY_interp_size));
        fake_python_set(&python, second, PY_interp_id, 1);
        fake_python_set(&python, second, PY_interp_next, python.interp);
        fake_python_set(&python, python.runtime, PY_runtime_interpreters_head, second);
        discover(&python, NULL, &found);
        assert_int_equal(found.status, STATUS_OK);
        assert_int_equal(found.interp, python.interp);
        assert_string_equal(found.warning, "1 subinterpreter: only the main interpreter's threads "
                                           "and objects are read");
        fake_python_set(&python, second, PY_interp_next, second);
        discover(&python, NULL, &found);
        assert_int_equal(found.status, STATUS_UNSUPPORTED);
        fake_python_free(&python);
    }
}

/* Late in Py_Finalize modules, sys and builtins go; the threads are still worth it. */
static void a_finalizing_interpreter(void **state)
{
    (void)state;
    struct fake_python python;
    struct finding found;
    make(&python, 0x030b0000);
    fake_python_set(&python, python.interp, PY_interp_modules, 0);
    fake_python_set(&python, python.interp, PY_interp_sysdict, python.builtins); /* emptied */
    discover(&python, "/usr/bin/python3.11", &found);
    assert_int_equal(found.status, STATUS_UNSUPPORTED);
    fake_python_set(&python, python.runtime, PY_runtime_finalizing, python.thread);
    discover(&python, "/usr/bin/python3.11", &found);
    assert_int_equal(found.status, STATUS_OK);
    assert_non_null(strstr(found.warning, "finalizing"));
    assert_string_equal(found.version, "3.11"); /* the patch release is not known */
    fake_python_set(&python, python.interp, PY_interp_sysdict, 0);
    fake_python_set(&python, python.interp, PY_interp_builtins, 0);
    discover(&python, "/usr/bin/python3.11", &found);
    assert_int_equal(found.status, STATUS_OK);
    /* Without a name nothing tells the version. */
    discover(&python, NULL, &found);
    assert_int_equal(found.status, STATUS_UNSUPPORTED);
    fake_python_free(&python);
    make(&python, 0x030f0000);
    fake_python_set(&python, python.interp, PY_interp_sysdict, 0);
    fake_python_set(&python, python.runtime, PY_runtime_finalizing, python.thread);
    discover(&python, NULL, &found);
    assert_int_equal(found.status, STATUS_OK);
    assert_int_equal(found.version_hex, python.layout.version_hex); /* the cookie's */
    fake_python_free(&python);
}

/* The end of a core is gone, and with it sys: the cookie's place and version stand.
 * A scan's find without proof is not taken. */
static void a_core_without_sys(void **state)
{
    (void)state;
    struct fake_python python;
    struct finding found;
    make(&python, 0x030e0000);
    uint64_t gone = FAKE_PYTHON_BASE + python.size + 4096;
    fake_python_set(&python, python.interp, PY_interp_modules, gone);
    fake_python_set(&python, python.interp, PY_interp_sysdict, gone);
    fake_python_set(&python, python.interp, PY_interp_builtins, gone);
    assert_refused(&python, NULL, "its modules, sys and builtins are no dicts"); /* unmapped */
    python.unstored = 8192;
    discover(&python, NULL, &found);
    assert_int_equal(found.status, STATUS_OK);
    assert_int_equal(found.version_hex, python.layout.version_hex);
    assert_non_null(strstr(found.warning, "the core is cut off or filtered"));
    fake_python_free(&python);
    make(&python, 0x030a0000);
    python.unstored = 8192;
    fake_python_set(&python, python.interp, PY_interp_modules, gone);
    fake_python_set(&python, python.interp, PY_interp_sysdict, gone);
    fake_python_set(&python, python.interp, PY_interp_builtins, gone);
    assert_refused(&python, "/usr/bin/python3.10", "its modules and sys are not in the core");
    fake_python_free(&python);
    /* From 3.11 on the main interpreter's own place is proof enough. */
    make(&python, 0x030b0000);
    python.unstored = 8192;
    python.interp = python.runtime + layout_get(&python.layout, PY_runtime_main_interpreter);
    fake_python_set(&python, python.runtime, PY_runtime_interpreters_head, python.interp);
    fake_python_set(&python, python.runtime, PY_runtime_interpreters_main, python.interp);
    fake_python_set(&python, python.interp, PY_interp_threads_head, python.thread);
    fake_python_set(&python, python.thread, PY_thread_interp, python.interp);
    fake_python_set(&python, python.interp, PY_interp_modules, gone);
    fake_python_set(&python, python.interp, PY_interp_sysdict, gone);
    fake_python_set(&python, python.interp, PY_interp_builtins, gone);
    discover(&python, "/usr/bin/python3.11", &found);
    assert_int_equal(found.status, STATUS_OK);
    assert_string_equal(found.version, "3.11");
    discover(&python, "/usr/bin/python3.12", &found);
    assert_int_equal(found.status, STATUS_UNSUPPORTED);
    fake_python_free(&python);
}

static void make_static(struct fake_python *python, uint64_t type, uint64_t number, uint64_t array)
{
    uint64_t entry = array + (number - 1) * layout_get(&python->layout, PY_interp_static_type_size);
    enum python_field kind = type == python->type_type ? PY_constant_tpflags_type_subclass
                                                       : PY_constant_tpflags_dict_subclass;
    fake_python_set(python, type, PY_type_flags,
                    layout_get(&python->layout, kind) |
                        layout_get(&python->layout, PY_constant_tpflags_static_builtin));
    fake_python_set(python, type, PY_type_subclasses, number);
    fake_python_set(python, entry, PY_interp_static_type_type, type);
}

/* A patch release that moved the array of static types: it is found again. */
static void static_types_are_calibrated(void **state)
{
    (void)state;
    static const int64_t moves[] = {0, 8, -72, 4096, -8192};
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct fake_python python;
        struct finding found;
        make(&python, 0x030c0000);
        uint64_t offset = layout_get(&python.layout, PY_interp_static_types) + (uint64_t)moves[i];
        make_static(&python, python.type_type, 1, python.interp + offset);
        make_static(&python, python.dict_type, 7, python.interp + offset);
        discover(&python, NULL, &found);
        assert_int_equal(found.status, STATUS_OK);
        assert_true(found.has_static_types);
        assert_int_equal(found.static_types, offset);
        fake_python_set(&python, python.dict_type, PY_type_subclasses, 9);
        discover(&python, NULL, &found);
        assert_int_equal(found.status, STATUS_OK);
        assert_false(found.has_static_types);
        fake_python_free(&python);
    }
}

static void names_of_files(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned minor; /* 0: none */
        bool free_threaded, debug_build;
    } rows[] = {
        {"/usr/bin/python3.11", 11, false, false},
        {"/usr/lib/libpython3.8.so.1.0", 8, false, false},
        {"/opt/x/libpython3.13t.so.1.0", 13, true, false},
        {"/opt/x/libpython3.13td.so.1.0", 13, true, true},
        {"/usr/bin/python3.9d", 9, false, true},
        {"/x/_json.cpython-310-x86_64-linux-gnu.so", 10, false, false},
        {"/x/_json.cpython-38-x86_64-linux-gnu.so", 8, false, false},
        {"/x/_json.cpython-314t-x86_64-linux-gnu.so", 14, true, false},
        {"/usr/lib/python3.12/lib-dynload/resource.so", 12, false, false},
        {"/usr/bin/python3", 0, false, false},
        {"/usr/bin/python2.7", 0, false, false},
        {"/usr/bin/pythonista", 0, false, false},
    };
    struct fake_python python;
    make(&python, 0x03080000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fake_core fake;
        struct name_facts facts;
        fake_python_open(&python, rows[i].path, &fake);
        name_facts_read(fake.image, &facts);
        assert_int_equal(facts.count, rows[i].minor ? 1 : 0);
        if (facts.count)
            assert_int_equal(facts.minors[0], rows[i].minor);
        assert_int_equal(facts.free_threaded, rows[i].free_threaded);
        assert_int_equal(facts.debug_build, rows[i].debug_build);
        fake_core_close(&fake);
    }
    fake_python_free(&python);
}

/* Words of the process overwritten at random: whatever is said, it ends. */
static void damage_never_harms(void **state)
{
    (void)state;
    static const uint32_t versions[] = {0x03080000, 0x030c0000, 0x030f0000};
    uint64_t random = 88172645463325252u;
    for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
        struct fake_python python;
        struct fake_core fake;
        struct finding found;
        make(&python, versions[v]);
        size_t first = (size_t)(python.interp - FAKE_PYTHON_BASE);
        fake_python_open(&python, "/usr/bin/python3", &fake);
        uint8_t *bytes =
            (uint8_t *)(uintptr_t)memory_view(fake.image, FAKE_PYTHON_BASE, python.size);
        assert_non_null(bytes);
        for (unsigned round = 0; round < 24; round++) {
            for (unsigned i = 0; i < 16; i++) {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                size_t at = first + random % (python.used - first - 8);
                uint64_t word = round % 2 ? random : FAKE_PYTHON_BASE + random % python.size;
                memcpy(bytes + at / 8 * 8, &word, sizeof(word));
            }
            discover_in(&fake, &found);
            memcpy(bytes + first, python.bytes + first, python.used - first);
        }
        discover_in(&fake, &found);
        assert_int_equal(found.status, STATUS_OK);
        fake_core_close(&fake);
        fake_python_free(&python);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_is_found),
        cmocka_unit_test(a_wrong_name_does_not_mislead),
        cmocka_unit_test(the_patch_release_is_the_dumps_own),
        cmocka_unit_test(contradictions_are_caught),
        cmocka_unit_test(contradictions_at_a_cookie),
        cmocka_unit_test(the_version_must_be_the_layouts),
        cmocka_unit_test(nothing_of_python),
        cmocka_unit_test(debug_builds_are_refused),
        cmocka_unit_test(subinterpreters_are_told),
        cmocka_unit_test(a_finalizing_interpreter),
        cmocka_unit_test(a_core_without_sys),
        cmocka_unit_test(static_types_are_calibrated),
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(damage_never_harms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
