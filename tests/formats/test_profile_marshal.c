/* SPDX-License-Identifier: Apache-2.0 */
/* pstats files put together by hand: those that mean harm, and forms that the profilers at
 * hand do not write. Real ones are compared with CPython's answers by check_profiles.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/helpers/profile_bytes.h"

/* A key (file, 7, name), an int, a float. */
#define KEY(file, name) ")\3z\1" file "i\7\0\0\0z\1" name
#define INT(byte)       "i" byte "\0\0\0"
#define HALF            "g\0\0\0\0\0\0\xe0\x3f"
#define QUARTER         "g\0\0\0\0\0\0\xd0\x3f"

static void numbers_have_their_places(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    /* f: cc 3, nc 5, tt .25, ct .5; called by g: nc 2, cc 1; g never called */
    BYTES_ADD(&bytes, "{" KEY("a", "f") ")\5" INT("\3") INT("\5") QUARTER HALF "{");
    BYTES_ADD(&bytes, KEY("a", "g") ")\4" INT("\2") INT("\1") QUARTER HALF "0");
    BYTES_ADD(&bytes, KEY("a", "g") ")\5" INT("\1") INT("\1") INT("\0") HALF "{0"
                                                                             "0");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stats.count, 2);
    const struct profile_stat *f = &profile.stats.items[0], *g = &profile.stats.items[1];
    assert_int_equal(f->primitive_calls, 3);
    assert_int_equal(f->calls, 5);
    assert_true(f->self == 0.25 && f->total == 0.5 && g->self == 0);
    assert_int_equal(f->call_count, 1);
    assert_int_equal(g->call_count, 0);
    const struct profile_call *call = &profile.calls.items[f->first_call];
    assert_int_equal(call->callee, f->function);
    assert_int_equal(call->caller, g->function);
    assert_int_equal(call->calls, 2);
    assert_int_equal(call->primitive_calls, 1);
    assert_false(call->is_count);
    const struct profile_function *function = &profile.functions.items[f->function];
    assert_string_equal(profile_text(&profile, function->file), "a");
    assert_string_equal(profile_text(&profile, function->name), "f");
    assert_int_equal(function->line, 7);
    profile_deinit(&profile);
}

static void counts_and_samples(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, "\xfb)\1\xda\x0b__sampled__T");
    BYTES_ADD(&bytes, KEY("a", "f") ")\5" INT("\3") INT("\5") HALF HALF "{");
    BYTES_ADD(&bytes, KEY("a", "g") INT("\4") "0"
                                              "0");
    expect_profile(&bytes, &profile);
    assert_true(profile.is_sampled);
    assert_int_equal(profile.stats.count, 1);
    assert_true(profile.calls.items[0].is_count);
    assert_int_equal(profile.calls.items[0].calls, 4);
    profile_deinit(&profile);
}

/* Each form of a number, the long tuple and the long strings. */
static void old_forms(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, "{(\3\0\0\0u\2\0\0\0\xc3\xa9" INT("\7") "t\1\0\0\0f");
    BYTES_ADD(&bytes, "(\5\0\0\0l\3\0\0\0\1\0\0\0\1\0I\0\0\0\0\0\0\0\1f\4"
                      "1.25"
                      "f\6"
                      "1e-300"
                      "{0");
    BYTES_ADD(&bytes, ")\3a\1\0\0\0aI\7\0\0\0\0\0\0\0A\1\0\0\0f");
    BYTES_ADD(&bytes, ")\5l\xfe\xff\xff\xff\1\0\1\0g\0\0\0\0\0\0\x08\x40");
    BYTES_ADD(&bytes, "l\5\0\0\0\0\0\0\0\0\0\0\0\x10\0l\xfb\xff\xff\xff\0\0\0\0\0\0\0\0\x10\0{0"
                      "0");
    expect_profile(&bytes, &profile);
    const struct profile_stat *first = &profile.stats.items[0], *second = &profile.stats.items[1];
    assert_int_equal(first->primitive_calls, (1 << 30) + 1);
    assert_int_equal(first->calls, INT64_C(1) << 56);
    assert_true(first->self == 1.25 && first->total == 1e-300);
    assert_int_equal(second->primitive_calls, -32769);
    assert_int_equal(second->calls, 3);
    assert_true(second->self == 18446744073709551616.0 && second->total == -second->self);
    profile_deinit(&profile);
}

/* f and g. Numbered are: 0 the dict, 1 the key of f, 2 "a", 3 an int, 4 a float, 5 the callers
 * of both, 6 a call, 7 the numbers of g, 8 a large int. */
static void add_shared(struct bytes *bytes)
{
    BYTES_ADD(bytes,
              "\xfb\xa9\3\xfa\1a" INT("\7") "z\1"
                                            "f)\5\xe9\1\0\0\0r\3\0\0\0\xe7\0\0\0\0\0\0\xe0\x3f"
                                            "r\4\0\0\0\xfb"
                                            "r\1\0\0\0\xa9\4"
                                            "r\3\0\0\0r\3\0\0\0r\4\0\0\0r\4\0\0\0"
                                            "0");
    BYTES_ADD(bytes, ")\3r\2\0\0\0" INT("\7") "z\1g\xa9\5"
                                              "\xec\3\0\0\0\0\0\0\0\4\0"
                                              "r\3\0\0\0r\4\0\0\0r\4\0\0\0"
                                              "r\5\0\0\0");
}

static void references_name_what_was(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    add_shared(&bytes);
    BYTES_ADD(&bytes, ")\3r\2\0\0\0" INT("\7") "z\1hr\0\0\0\0"
                                               "0");
    expect_failure(&bytes, STATUS_CORRUPT, "from within it");
    /* h has the very numbers and callers of g */
    add_shared(&bytes);
    BYTES_ADD(&bytes, ")\3r\2\0\0\0" INT("\7") "z\1hr\7\0\0\0"
                                               "0");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stats.count, 3);
    assert_int_equal(profile.calls.count, 3);
    assert_int_equal(profile.stats.items[2].primitive_calls, INT64_C(4) << 30);
    assert_int_equal(profile.calls.items[2].callee, profile.stats.items[2].function);
    profile_deinit(&profile);
    add_shared(&bytes);
    BYTES_ADD(&bytes, ")\3r\2\0\0\0" INT("\7") "z\1h"
                                               "r\6\0\0\0"
                                               "0");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "entry 3 is no function with four numbers");
    add_shared(&bytes);
    BYTES_ADD(&bytes, ")\3r\2\0\0\0" INT("\7") "z\1h)\5"
                                               "r\10\0\0\0r\3\0\0\0r\4\0\0\0r\4\0\0\0"
                                               "{0"
                                               "0");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stats.count, 3);
    /* the shared callers are g's as well */
    assert_int_equal(profile.calls.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct profile_stat *stat = &profile.stats.items[i];
        assert_int_equal(stat->call_count, 1);
        const struct profile_call *call = &profile.calls.items[stat->first_call];
        assert_int_equal(call->callee, stat->function);
        assert_int_equal(call->caller, profile.stats.items[0].function);
        assert_true(call->total == 0.5);
    }
    assert_int_equal(profile.stats.items[1].primitive_calls, INT64_C(4) << 30);
    assert_int_equal(profile.stats.items[2].primitive_calls, INT64_C(4) << 30);
    profile_deinit(&profile);
}

/* Numbers that the short way through calls gave, and then left the call to the long way. */
static void numbering_is_undone(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, "{\xa9\3z\1a" INT("\7") "z\1f)\5" INT("\1") INT("\1") HALF HALF "{r");
    BYTES_ADD(&bytes, "\0\0\0\0)\4\xe9\5\0\0\0" INT("\3") HALF "l\1\0\0\0\1\0"
                                                               "0");
    BYTES_ADD(&bytes, ")\3z\1a" INT("\7") "\xfa\1g)\5r\1\0\0\0r\1\0\0\0" HALF HALF "{0");
    BYTES_ADD(&bytes, ")\3z\1b" INT("\7") "r\2\0\0\0)\5" INT("\1") INT("\1") HALF HALF "{0"
                                                                                       "0");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stats.count, 3);
    assert_int_equal(profile.calls.items[0].calls, 5);
    assert_true(profile.calls.items[0].total == 1);
    assert_int_equal(profile.stats.items[1].calls, 5);
    const struct profile_function *last = &profile.functions.items[profile.stats.items[2].function];
    assert_string_equal(profile_text(&profile, last->name), "g");
    profile_deinit(&profile);
}

static void many_callers_differ_too(void **state)
{
    (void)state;
    for (uint32_t twice = 0; twice < 2; twice++) {
        struct bytes bytes = {0};
        struct profile profile;
        BYTES_ADD(&bytes, "{" KEY("a", "f") ")\5" INT("\1") INT("\1") HALF HALF "{");
        for (uint32_t i = 0; i < 50; i++) {
            BYTES_ADD(&bytes, ")\3z\1ai");
            bytes_add_u32(&bytes, twice && i == 49 ? 3 : i);
            BYTES_ADD(&bytes, "z\1g" INT("\1"));
        }
        BYTES_ADD(&bytes, "0"
                          "0");
        if (twice) {
            expect_failure(&bytes, STATUS_CORRUPT, "the caller g comes twice");
            continue;
        }
        expect_profile(&bytes, &profile);
        assert_int_equal(profile.stats.items[0].call_count, 50);
        profile_deinit(&profile);
    }
}

/* The empty constants of a code object, then its name and file. */
#define OLD_CODE(name)                                                                             \
    "c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0s\2\0\0\0ab)\1N)\0)\0)\0)\0z\3" name         \
    "z\4<m>!\2\0\0\0s\0\0\0\0"
#define NEW_CODE(name)                                                                             \
    "c\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0s\2\0\0\0ab)\1N)\0)\0s\0\0\0\0z\3" name              \
    "z\4<m>!z\1q\2\0\0\0s\0\0\0\0s\0\0\0\0"
#define VALUE ")\5" INT("\1") INT("\1") HALF HALF "{0"

static void code_in_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        {"{)\3z\1p" INT("\0") OLD_CODE("a.p") VALUE "0",
         sizeof("{)\3z\1p" INT("\0") OLD_CODE("a.p") VALUE "0") - 1},
        {"{)\3z\1p" INT("\0") NEW_CODE("a.p") VALUE "0",
         sizeof("{)\3z\1p" INT("\0") NEW_CODE("a.p") VALUE "0") - 1},
    };
    for (size_t i = 0; i < 2; i++) {
        struct bytes bytes = {0};
        struct profile profile;
        bytes_add(&bytes, rows[i].bytes, rows[i].size);
        expect_profile(&bytes, &profile);
        assert_int_equal(profile.stats.count, 1);
        assert_int_equal(profile.warnings.count, 0);
        const struct profile_function *function = &profile.functions.items[0];
        assert_string_equal(profile_text(&profile, function->name),
                            "<code object <m>!, file \"a.p\", line 2>");
        assert_string_equal(profile_text(&profile, function->file), "p");
        profile_deinit(&profile);
    }
}

static void two_codes_of_one_name_are_two(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, "{)\3z\1p" INT("\0") NEW_CODE("a.p") VALUE);
    BYTES_ADD(&bytes, ")\3z\1p" INT("\0") NEW_CODE("a.p") VALUE "0");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stats.count, 2);
    assert_string_equal(profile_text(&profile, profile.functions.items[1].name),
                        "<code object <m>!, file \"a.p\", line 2> (2)");
    profile_deinit(&profile);
}

static void damage_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum status status;
        const char *words;
    } rows[] = {
#define ROW(literal, status, words) {literal, sizeof(literal) - 1, status, words}
        ROW("{" KEY("a", "f") VALUE, STATUS_CORRUPT, "ends before the profile does"),
        ROW("{" KEY("a", "f") VALUE KEY("a", "f") VALUE "0", STATUS_CORRUPT,
            "the function f comes twice"),
        ROW("{" KEY("a", "f") ")\5" INT("\1") INT("\1") HALF HALF "{" KEY("a", "g") INT("\1")
                KEY("a", "g") INT("\1") "00",
            STATUS_CORRUPT, "the caller g comes twice"),
        ROW("{" KEY("a", "f") "0", STATUS_CORRUPT, "no object where one should be"),
        ROW("{" KEY("a", "f") "N0", STATUS_UNSUPPORTED, "entry 1 is no function with four numbers"),
        ROW("{" KEY("a", "f") ")\4" INT("\1") INT("\1") HALF HALF "0", STATUS_UNSUPPORTED,
            "entry 1"),
        ROW("{" KEY("a", "f") ")\5" INT("\1") HALF HALF HALF "{00", STATUS_UNSUPPORTED, "entry 1"),
        ROW("{" KEY("a", "f") ")\5" INT("\1") INT("\1") HALF HALF "{NN00", STATUS_UNSUPPORTED,
            "a caller is no function"),
        ROW("{" KEY("a", "f") ")\5" INT("\1") INT("\1") HALF HALF "{" KEY("a", "g") HALF "00",
            STATUS_UNSUPPORTED, "a caller is no function"),
        ROW("{)\3z\1ar\x63\0\0\0", STATUS_CORRUPT, "reference to object 99 of 0"),
        ROW("{)\3z\1ar\xff\xff\xff\xff", STATUS_CORRUPT, "reference to object -1"),
        ROW("{)\3z\1a\xa9\1r\0\0\0\0", STATUS_CORRUPT, "from within it"),
        ROW("{)\3z\1a\xdb\1\0\0\0r\0\0\0\0", STATUS_CORRUPT, "from within it"),
        ROW("{)\3z\1a[\xff\xff\xff\x7f", STATUS_CORRUPT, "2147483647 objects in 0 bytes"),
        ROW("{)\3z\1a(\xff\xff\xff\xff", STATUS_CORRUPT, "-1 objects"),
        ROW("{)\3z\1au\xff\xff\xff\x7f", STATUS_CORRUPT, "takes 2147483647 bytes and 0 are left"),
        ROW("{)\3z\1al\xff\xff\xff\x7f", STATUS_CORRUPT, "takes 4294967294 bytes"),
        ROW("{)\3z\1al\0\0\0\x80", STATUS_CORRUPT, "takes 4294967296 bytes"),
        ROW("{)\3z\1al\1\0\0\0\xff\xff", STATUS_CORRUPT, "more than 15 bits"),
        ROW("{)\3z\1af\2xx", STATUS_CORRUPT, "a float of no digits"),
        ROW("{)\3z\1a?", STATUS_CORRUPT, "0x3f is no type of marshal"),
        ROW("{)\3t\1\0\0\0aR\0\0\0\0", STATUS_UNSUPPORTED, "written by Python 2"),
        ROW("{)\3z\1aN)", STATUS_CORRUPT, "the file ends in a tuple"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes bytes = {0};
        bytes_add(&bytes, rows[i].bytes, rows[i].size);
        expect_failure(&bytes, rows[i].status, rows[i].words);
    }
}

/* f. Numbered are: 0 "a", 1 an int, 2 a large one, 3 a float. */
#define NUMBERED                                                                                   \
    "{)\3\xfa\1a\xe9\7\0\0\0z\1f)\5\xec\3\0\0\0\0\0\0\0\4\0" INT(                                  \
        "\1") "\xe7\0\0\0\0\0\0\xe0\x3f" HALF "{0"
#define FILLING KEY("b", "filling") VALUE KEY("c", "filling") VALUE "0"

/* Where there is enough behind them that nothing else is amiss. */
static void references_of_other_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } rows[] = {
#define ROW(literal, words) {literal, sizeof(literal) - 1, words}
        ROW(")\3r\1\0\0\0" INT("\7") "z\1g" VALUE, "entry 2 is no function"),
        ROW(")\3r\0\0\0\0" INT("\7") "r\3\0\0\0" VALUE, "entry 2 is no function"),
        ROW(")\3r\0\0\0\0r\0\0\0\0z\1g" VALUE, "entry 2 is no function"),
        ROW(")\3r\0\0\0\0r\2\0\0\0z\1g" VALUE, "entry 2 is no function"),
        ROW(")\3r\0\0\0\0r\4\0\0\0z\1g" VALUE, "reference to object 4 of 4"),
        ROW("r\0\0\0\0" VALUE, "entry 2 is no function"),
        ROW(KEY("a", "g") ")\5r\3\0\0\0" INT("\1") HALF HALF "{0", "entry 2 is no function"),
        ROW(KEY("a", "g") ")\5" INT("\1") INT("\1") HALF "r\0\0\0\0{0", "entry 2 is no function"),
        ROW(KEY("a", "g") ")\5" INT("\1") INT("\1") HALF HALF "{r\0\0\0\0" INT("\1") "0",
            "a caller is no function"),
        ROW(KEY("a", "g") ")\5" INT("\1") INT("\1") HALF HALF "{" KEY("a", "h") "r\3\0\0\0"
                                                                                "0",
            "a caller is no function"),
        ROW(KEY("a", "g") ")\5" INT("\1") INT("\1") HALF HALF "{" KEY("a", "h") ")\4" INT("\1")
                INT("\1") "r\0\0\0\0" HALF "0",
            "a caller is no function"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes bytes = {0};
        BYTES_ADD(&bytes, NUMBERED);
        bytes_add(&bytes, rows[i].bytes, rows[i].size);
        BYTES_ADD(&bytes, FILLING);
        expect_failure(&bytes,
                       strstr(rows[i].words, "reference") ? STATUS_CORRUPT : STATUS_UNSUPPORTED,
                       rows[i].words);
    }
}

/* Strings that end anywhere before the end of the file, which then is anywhere in them. */
static void cut_strings_fail(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    BYTES_ADD(&bytes, "{");
    for (uint8_t i = 0; i < 2; i++) {
        BYTES_ADD(&bytes, ")\3z");
        bytes_add_many(&bytes, 100, 101);
        BYTES_ADD(&bytes, INT("\7") "u");
        bytes_add_u32(&bytes, 100);
        bytes_add_many(&bytes, (uint8_t)('a' + i), 100);
        BYTES_ADD(&bytes, ")\5" INT("\1") INT("\1") HALF HALF "{");
        for (int32_t line = 0; line < 2; line++) {
            BYTES_ADD(&bytes, ")\3a");
            bytes_add_u32(&bytes, 70);
            bytes_add_many(&bytes, 'c', 70);
            BYTES_ADD(&bytes, "i");
            bytes_add_u32(&bytes, (uint32_t)line);
            BYTES_ADD(&bytes, "z");
            bytes_add_many(&bytes, 70, 71);
            BYTES_ADD(&bytes, ")\4" INT("\1") INT("\1") HALF HALF);
        }
        BYTES_ADD(&bytes, "0");
    }
    BYTES_ADD(&bytes, "0");
    for (size_t size = 4; size < bytes.count; size++) {
        struct bytes cut = {0};
        bytes_add(&cut, bytes.items, size);
        expect_failure(&cut, STATUS_CORRUPT, "the file ");
    }
    struct profile profile;
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stats.count, 2);
    assert_int_equal(profile.calls.count, 4);
    profile_deinit(&profile);
}

static void bombs_take_no_memory(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    BYTES_ADD(&bytes, "{)\3z\1a");
    for (unsigned i = 0; i < 1000000; i++)
        BYTES_ADD(&bytes, ")\1");
    expect_failure(&bytes, STATUS_OVER_LIMIT, "nested deeper than 2000");
    BYTES_ADD(&bytes, "{)\3z\1a");
    bytes_add_many(&bytes, '{', 1000000);
    expect_failure(&bytes, STATUS_OVER_LIMIT, "nested deeper than 2000");
    /* a thousand callers that a thousand functions share: a million calls in 20 kB */
    BYTES_ADD(&bytes, "{)\3z\1a" INT("\1") "z\1f)\5" INT("\1") INT("\1") HALF HALF "\xfb");
    for (uint32_t i = 0; i < 1000; i++) {
        BYTES_ADD(&bytes, ")\3z\1ai");
        bytes_add_u32(&bytes, i);
        BYTES_ADD(&bytes, "z\1g" INT("\1"));
    }
    BYTES_ADD(&bytes, "0");
    for (uint32_t i = 0; i < 1000; i++) {
        BYTES_ADD(&bytes, ")\3z\1ai");
        bytes_add_u32(&bytes, i);
        BYTES_ADD(&bytes, "z\1h)\5" INT("\1") INT("\1") HALF HALF "r\0\0\0\0");
    }
    BYTES_ADD(&bytes, "0");
    expect_failure(&bytes, STATUS_OVER_LIMIT, "share their callers more often");
}

static void what_follows_is_told(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, "{" KEY("a", "f") VALUE "0rest");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stats.count, 1);
    assert_non_null(strstr(profile.warnings.items[0].message, "4 bytes follow the profile"));
    profile_deinit(&profile);
    BYTES_ADD(&bytes, "{0");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stats.count, 0);
    assert_int_equal(profile.warnings.count, 0);
    profile_deinit(&profile);
}

/* KiB of the mapping at this address that are in memory. */
static long resident_kib(const void *start)
{
    char line[256], wanted[32];
    long resident = -1;
    bool is_here = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    snprintf(wanted, sizeof wanted, "%lx-", (unsigned long)(uintptr_t)start);
    while (resident < 0 && fgets(line, sizeof line, maps)) {
        is_here |= !strncmp(line, wanted, strlen(wanted));
        if (is_here)
            sscanf(line, "Rss: %ld kB", &resident);
    }
    fclose(maps);
    return resident;
}

static void what_was_read_takes_no_memory(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    struct input_file input;
    struct error err = {0};
    char path[] = "/tmp/inquest-marshal-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "wb");
    assert_non_null(file);
    BYTES_ADD(&bytes, "{");
    for (uint32_t i = 0; i < 100000; i++) {
        BYTES_ADD(&bytes, ")\3z\1ai");
        bytes_add_u32(&bytes, i);
        BYTES_ADD(&bytes, "z\1f" VALUE);
    }
    BYTES_ADD(&bytes, "0");
    assert_int_equal(fwrite(bytes.items, 1, bytes.count, file), bytes.count);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(input_file_open(path, NULL, &input, &err), STATUS_OK);
    assert_int_equal(profile_parse(&input, NULL, &profile, &err), STATUS_OK);
    assert_int_equal(profile.stats.count, 100000);
    assert_true(resident_kib(input.data) >= 0);
    assert_true(resident_kib(input.data) < (long)(bytes.count >> 11));
    assert_memory_equal(input.data, bytes.items, bytes.count);
    profile_deinit(&profile);
    input_file_close(&input);
    unlink(path);
    bytes_deinit(&bytes);
}

static void cut_files_fail(void **state)
{
    (void)state;
    check_cuts(PROFILES "/pstats-3.15-cprofile.prof", 3);
    check_cuts(PROFILES "/pstats-3.8-profile-m.prof", 13);
    check_cuts(PROFILES "/pstats-3.15-sampling.prof", 1);
}

static void flipped_bits_are_answered(void **state)
{
    (void)state;
    check_flips(PROFILES "/pstats-3.15-cprofile.prof", 11);
    check_flips(PROFILES "/pstats-3.8-profile-m.prof", 67);
    check_flips(PROFILES "/pstats-3.15-profile-m.prof", 67);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_their_places),
        cmocka_unit_test(counts_and_samples),
        cmocka_unit_test(old_forms),
        cmocka_unit_test(references_name_what_was),
        cmocka_unit_test(numbering_is_undone),
        cmocka_unit_test(many_callers_differ_too),
        cmocka_unit_test(code_in_a_key),
        cmocka_unit_test(two_codes_of_one_name_are_two),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(references_of_other_kinds),
        cmocka_unit_test(cut_strings_fail),
        cmocka_unit_test(bombs_take_no_memory),
        cmocka_unit_test(what_follows_is_told),
        cmocka_unit_test(what_was_read_takes_no_memory),
        cmocka_unit_test(cut_files_fail),
        cmocka_unit_test(flipped_bits_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
