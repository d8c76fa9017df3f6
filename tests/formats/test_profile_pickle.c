/* SPDX-License-Identifier: Apache-2.0 */
/* Pickles put together by hand: those that mean harm, and forms that Snapshot.dump does
 * not write. Real ones are compared with CPython's answers by check_profiles.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/helpers/profile_bytes.h"

/* A snapshot up to its list of traces, and from there on; protocol 2. */
#define BEGIN                                                                                      \
    "\x80\x02"                                                                                     \
    "ctracemalloc\nSnapshot\nq\x00)\x81}(X\x06\x00\x00\x00tracesctracemalloc\n_Traces\n)\x81}"     \
    "X\x07\x00\x00\x00_traces](" /* ends in the mark of APPENDS */
#define END "esbX\x0f\x00\x00\x00traceback_limitK\x05ub."

/* A traceback of one frame, app.py:LINE; then its mark is "t" or TUPLE1. */
#define FRAME                                                                                      \
    "X\x06\x00\x00\x00"                                                                            \
    "app.pyK\x07\x86"

static void expect_trace(const struct profile *profile, size_t i, uint32_t domain, uint64_t size,
                         uint64_t count)
{
    const struct profile_trace *trace = &profile->traces.items[i];
    assert_int_equal(trace->domain, domain);
    assert_int_equal(trace->size, size);
    assert_int_equal(trace->count, count);
}

static void traces_of_both_shapes(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, BEGIN "K\0M\0\1" FRAME "\x85\x87");
    BYTES_ADD(&bytes, "(K\0K\5" FRAME "\x85K\1t");
    BYTES_ADD(&bytes, "(K\0K\5" FRAME "\x85Nt");
    BYTES_ADD(&bytes, "(K\1J\xff\xff\xff\x7f" FRAME "X\1\0\0\0xJ\x40\xe2\1\0\x86\x86K\2t" END);
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.family, PROFILE_TRACEMALLOC);
    assert_int_equal(profile.traces.count, 2);
    expect_trace(&profile, 0, 0, 256 + 5 + 5, 3);
    expect_trace(&profile, 1, 1, INT32_MAX, 1);
    /* newest first in the file, oldest first here */
    const struct profile_stack *stack = &profile.stacks.items[profile.traces.items[1].stack];
    assert_int_equal(stack->depth, 2);
    const struct profile_frame *oldest =
        &profile.frames.items[profile.stack_frames.items[stack->first]];
    assert_int_equal(oldest->line, 123456);
    const struct profile_function *function = &profile.functions.items[oldest->function];
    assert_string_equal(profile_text(&profile, function->file), "x");
    assert_int_equal(function->name, 0);
    profile_deinit(&profile);
}

static void sizes_are_exact(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, BEGIN "K\0\x8a\x05\0\0\0\x80\0" FRAME "\x85q\1\x87");
    BYTES_ADD(&bytes, "K\1\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0h\1\x87");
    BYTES_ADD(&bytes, "K\2\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fh\1\x87");
    BYTES_ADD(&bytes, "K\3\x8b\x01\0\0\0\x7fh\1\x87K\4\x8a\0h\1\x87" END);
    expect_profile(&bytes, &profile);
    expect_trace(&profile, 0, 0, UINT64_C(1) << 31, 1);
    expect_trace(&profile, 1, 1, UINT64_MAX, 1);
    expect_trace(&profile, 2, 2, INT64_MAX, 1);
    expect_trace(&profile, 3, 3, 127, 1);
    expect_trace(&profile, 4, 4, 0, 1);
    profile_deinit(&profile);
}

static void a_tuple_of_traces_will_do(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, "\x80\x02"
                      "ctracemalloc\nSnapshot\n)\x81}(X\x06\0\0\0tracesctracemalloc\n_Traces\n"
                      ")\x81}X\x07\0\0\0_traces");
    BYTES_ADD(&bytes, "(K\0K\1" FRAME "\x85\x87K\0K\2" FRAME "\x85\x87tsbub.");
    expect_profile(&bytes, &profile);
    expect_trace(&profile, 0, 0, 3, 2);
    profile_deinit(&profile);
}

static void wrong_sizes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "K\1J\xff\xff\xff\xff",
        "K\1G\0\0\0\0\0\0\0\0",
        "NK\1",
        "K\1N",
    };
    static const size_t sizes[] = {7, 11, 3, 3};
    for (size_t i = 0; i < 4; i++) {
        struct bytes bytes = {0};
        BYTES_ADD(&bytes, BEGIN);
        bytes_add(&bytes, bad[i], sizes[i]);
        BYTES_ADD(&bytes, FRAME "\x85\x87" END);
        expect_failure(&bytes, STATUS_CORRUPT, "trace 0 is no (domain, size, traceback)");
    }
    struct bytes bytes = {0};
    BYTES_ADD(&bytes, BEGIN "K\0\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0" FRAME "\x85q\1\x87");
    BYTES_ADD(&bytes, "K\0K\1h\1\x87" END);
    expect_failure(&bytes, STATUS_CORRUPT, "add up to more than 2^64");
}

/* The short way through common opcodes and the long way must agree on what is no trace. */
static void a_trace_of_no_stack_is_refused(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    BYTES_ADD(&bytes, BEGIN FRAME "q\1\x30(K\0K\1h\1K\1tq\2");
    bytes_add_many(&bytes, '(', 40);
    bytes_add_many(&bytes, '1', 40);
    BYTES_ADD(&bytes, END);
    expect_failure(&bytes, STATUS_CORRUPT, "trace 0 is no");
}

/* A memo place that is put anew after a trace took what was there. */
static void a_memo_place_may_change(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, BEGIN "Nq\1\x30" FRAME "\x85q\2\x30");
    BYTES_ADD(&bytes, "(K\0K\1h\2K\1tq\3K\0K\2X\1\0\0\0yK\1\x86\x85q\2\x87(K\0K\4h\2K\1tq\4" END);
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.traces.count, 2);
    expect_trace(&profile, 0, 0, 1, 1);
    expect_trace(&profile, 1, 0, 6, 2);
    profile_deinit(&profile);
}

static uint32_t depth_of(const struct profile *profile, size_t trace)
{
    return profile->stacks.items[profile->traces.items[trace].stack].depth;
}

/* Snapshot.dump writes a frame into each stack anew, and each trace once; others need not. */
static void what_a_memo_forgot_is_found(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, BEGIN "(K\0K\1" FRAME "q\1\x85q\2K\1tq\3");
    BYTES_ADD(&bytes, "(K\0K\2h\1h\1\x86q\4K\2tq\5(K\1K\4h\4K\2tq\6" END);
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.traces.count, 3);
    expect_trace(&profile, 0, 0, 1, 1);
    expect_trace(&profile, 1, 0, 2, 1);
    expect_trace(&profile, 2, 1, 4, 1);
    assert_int_equal(depth_of(&profile, 0), 1);
    assert_int_equal(depth_of(&profile, 1), 2);
    assert_int_equal(depth_of(&profile, 2), 2);
    profile_deinit(&profile);

    BYTES_ADD(&bytes, BEGIN "(K\0K\1" FRAME "\x85q\1K\1tq\2h\2(K\1K\3h\1K\1tq\3h\2" END);
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.traces.count, 2);
    expect_trace(&profile, 0, 0, 3, 3);
    expect_trace(&profile, 1, 1, 3, 1);
    profile_deinit(&profile);
}

/* The list's traces are those that were made, in that order, or not. */
static void a_list_may_leave_traces_out(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, BEGIN "(K\0K\1" FRAME "\x85q\1K\1tq\2\x30(K\0K\2h\1K\1tq\3" END);
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.traces.count, 1);
    expect_trace(&profile, 0, 0, 2, 1);
    profile_deinit(&profile);

    BYTES_ADD(&bytes, BEGIN "(K\0K\1" FRAME "\x85q\1K\1tq\2\x32\x32(K\2K\5h\1K\1tq\3" END);
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.traces.count, 2);
    expect_trace(&profile, 0, 0, 3, 3);
    expect_trace(&profile, 1, 2, 5, 1);
    profile_deinit(&profile);

    BYTES_ADD(&bytes, BEGIN "(K\0K\1" FRAME "\x85q\1K\1tq\2N(K\0K\2h\1K\1tq\3" END);
    expect_failure(&bytes, STATUS_CORRUPT, "trace 1 is no");
}

/* A trace with a stack of its own, and one that gets that stack again, in two ways to write the
 * size: the common one, and one that is left to the opcodes. */
static uint32_t add_deep_trace(struct bytes *bytes, uint32_t depth, uint32_t memo)
{
    BYTES_ADD(bytes, "(K\0K\1");
    if (depth > 3)
        BYTES_ADD(bytes, "(");
    for (uint32_t i = 0; i < depth; i++)
        BYTES_ADD(bytes, "h\1K\7\x86\x94");
    bytes_add_many(bytes, depth > 3 ? 't' : (uint8_t)(0x84 + depth), 1);
    BYTES_ADD(bytes, "\x94K\xfft\x94(K\1\x8a\1\2j");
    bytes_add_u32(bytes, memo + depth);
    BYTES_ADD(bytes, "K\xfft\x94(K\1K\3j");
    bytes_add_u32(bytes, memo + depth);
    BYTES_ADD(bytes, "K\xfft\x94");
    return memo + depth + 4;
}

static void stacks_of_any_depth(void **state)
{
    (void)state;
    static const uint32_t depths[] = {1, 2, 3, 4, 15, 16, 17, 32, 33, 1008, 1009, 1024, 1025, 2000};
    size_t count = sizeof depths / sizeof *depths;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, BEGIN "X\6\0\0\0"
                            "app.pyq\1\x30");
    uint32_t memo = 2;
    for (size_t i = 0; i < count; i++)
        memo = add_deep_trace(&bytes, depths[i], memo);
    BYTES_ADD(&bytes, END);
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.stacks.count, count);
    assert_int_equal(profile.traces.count, 2 * count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(depth_of(&profile, 2 * i), depths[i]);
        assert_int_equal(depth_of(&profile, 2 * i + 1), depths[i]);
        expect_trace(&profile, 2 * i, 0, 1, 1);
        expect_trace(&profile, 2 * i + 1, 1, 5, 2);
    }
    profile_deinit(&profile);
}

static void nothing_is_run(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    BYTES_ADD(&bytes, "\x80\x02"
                      "cos\nsystem\nX\2\0\0\0id\x85R.");
    expect_failure(&bytes, STATUS_UNSUPPORTED,
                   "offset 2: names os.system: not a tracemalloc snapshot, and not run");
    BYTES_ADD(&bytes, "\x80\4\x95\x1d\0\0\0\0\0\0\0\x8c\5posix\x94\x8c\6system\x94\x93\x94.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "names posix.system");
    BYTES_ADD(&bytes, "cos\nsystem\n(S'id'\ntR.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "names os.system");
    BYTES_ADD(&bytes, "\x80\2ios\nsystem\n.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "names os.system");
    BYTES_ADD(&bytes, "\x80\4\x8c\x0btracemalloc\x8c\x03_os\x93.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "names tracemalloc._os");
    /* a dotted name within a known module */
    BYTES_ADD(&bytes, "\x80\4\x8c\x0btracemalloc\x8c\x10pickle.sys.exit\0\x93.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "names tracemalloc.pickle.sys.exit");
    static const char *const refused[] = {"R",    "o",    "P",    "Q",   "\x82",
                                          "\x83", "\x84", "\x97", "\x98"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        BYTES_ADD(&bytes, "\x80\2(");
        bytes_add(&bytes, refused[i], 1);
        BYTES_ADD(&bytes, "0\0\0\0\0.");
        expect_failure(&bytes, STATUS_UNSUPPORTED, "and not run");
    }
}

static void what_is_no_snapshot_is_named(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    BYTES_ADD(&bytes, "\x80\2}.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "a pickle of a dict, not of a tracemalloc snapshot");
    BYTES_ADD(&bytes, "\x80\2K\1.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "a pickle of an int");
    BYTES_ADD(&bytes, "\x80\2" FRAME ".");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "a pickle of a tuple");
    BYTES_ADD(&bytes, "\x80\2ctracemalloc\nStatistic\n)\x81.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "a pickle of another object of tracemalloc");
    BYTES_ADD(&bytes, "\x80\2ctracemalloc\nSnapshot\n)\x81.");
    expect_failure(&bytes, STATUS_CORRUPT, "no list of traces");
    BYTES_ADD(&bytes, "\x80\7K\1.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "pickle protocol 7");
    BYTES_ADD(&bytes, "ccopyreg\n_reconstructor\n.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "names copyreg._reconstructor");
    BYTES_ADD(&bytes, "\x80\2I1\n.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "text protocols 0 and 1");
}

static void damage_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } rows[] = {
        {"\x80\2.", 3, "takes more values than there are"},
        {"\x80\2t.", 4, "needs a mark"},
        {"\x80\2K\1(a.", 7, "takes more values"},
        {"\x80\2K\1\x85\x86.", 6, "takes more values"},
        {"\x80\2h\1.", 5, "memo entry 1 was never put"},
        {"\x80\2j\xff\xff\xff\xff.", 8, "memo entry 4294967295 was never put"},
        {"\x80\2\xff.", 4, "0xff is no opcode"},
        {"\x80\2NNa.", 6, "appends to what is no list"},
        {"\x80\2]NNs.", 7, "no dict"},
        {"\x80\2}(Nu.", 7, "half an item"},
        {"\x80\2N)\x81.", 6, "what is no class"},
        {"\x80\2]}b.", 6, "what is no object"},
        {"\x80\4K\1K\2\x93.", 8, "name is no string"},
        {"\x80\2X\xff\xff\xff\x7f.", 8, "takes 2147483647 bytes and 1 are left"},
        {"\x80\4\x8d\0\0\0\0\0\0\0\x10.", 12, "takes 1152921504606846976 bytes and 1 are left"},
        {"\x80\4\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", 12, "BINBYTES8 takes 18446744073709551615"},
        {"\x80\4\x96\xff\xff\xff\xff\xff\xff\xff\xff.", 12, "BYTEARRAY8 takes"},
        {"\x80\2cos", 5, "no end of line"},
        {"\x80\2K", 3, "BININT1 takes 1 bytes and 0 are left"},
        {"\x80\2K\1", 4, "ends before the pickle does"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes bytes = {0};
        bytes_add(&bytes, rows[i].bytes, rows[i].size);
        expect_failure(&bytes, STATUS_CORRUPT, rows[i].words);
    }
}

/* Where CPython's own machine would take gigabytes. */
static void bombs_take_no_memory(void **state)
{
    (void)state;
    struct rusage usage;
    struct bytes bytes = {0};
    getrusage(RUSAGE_SELF, &usage);
    long before = usage.ru_maxrss;
    BYTES_ADD(&bytes, "\x80\2Nr\xff\xff\xff\x7f.");
    expect_failure(&bytes, STATUS_CORRUPT, "memo entry 2147483647 in a file of");
    /* a million marks, and a million tuples one in the other */
    BYTES_ADD(&bytes, "\x80\2");
    bytes_add_many(&bytes, '(', 1000000);
    bytes_add_many(&bytes, 't', 1000000);
    BYTES_ADD(&bytes, ".");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "a pickle of a tuple");
    BYTES_ADD(&bytes, "\x80\2N");
    for (unsigned i = 0; i < 1000000; i++)
        BYTES_ADD(&bytes, "\x85\x94");
    BYTES_ADD(&bytes, ".");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "a pickle of a tuple");
    /* lists of ten times the one before: 10^9 items if they were written out */
    BYTES_ADD(&bytes, "\x80\2](K\1eq\0");
    for (uint8_t i = 0; i < 9; i++) {
        BYTES_ADD(&bytes, "](");
        for (unsigned j = 0; j < 10; j++) {
            bytes_add_many(&bytes, 'h', 1);
            bytes_add_many(&bytes, i, 1);
        }
        BYTES_ADD(&bytes, "eq");
        bytes_add_many(&bytes, (uint8_t)(i + 1), 1);
    }
    BYTES_ADD(&bytes, ".");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "a pickle of a list");
    BYTES_ADD(&bytes, "\x80\2");
    bytes_add_many(&bytes, ']', 70000);
    BYTES_ADD(&bytes, ".");
    expect_failure(&bytes, STATUS_OVER_LIMIT, "more than 65536 lists, dicts and objects");
    /* a list in itself */
    BYTES_ADD(&bytes, "\x80\2]q\0h\0a.");
    expect_failure(&bytes, STATUS_UNSUPPORTED, "a pickle of a list");
    getrusage(RUSAGE_SELF, &usage);
    assert_true(usage.ru_maxrss - before < 200 << 10);
}

static void what_follows_is_told(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, BEGIN END "rest");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.traces.count, 0);
    assert_int_equal(profile.warnings.count, 1);
    assert_non_null(strstr(profile.warnings.items[0].message, "4 bytes follow the snapshot"));
    assert_string_equal(profile.facts.items[0].key, "traceback_limit");
    assert_string_equal(profile.facts.items[0].value, "5");
    profile_deinit(&profile);
}

static void attributes_of_the_user_do_no_harm(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct profile profile;
    BYTES_ADD(&bytes, BEGIN "K\0K\1" FRAME "\x85\x87"
                            "esb");
    BYTES_ADD(&bytes, "X\1\0\0\0a](K\1G\0\0\0\0\0\0\0\0NX\1\0\0\0b\x88\x89"
                      "e");
    BYTES_ADD(&bytes, "X\1\0\0\0c}X\1\0\0\0d\x8a\x0a\0\0\0\0\0\0\0\0\0\1s");
    BYTES_ADD(&bytes, "X\1\0\0\0eC\2xy");
    BYTES_ADD(&bytes, "X\1\0\0\0f\x8f(K\1K\2\x90");
    BYTES_ADD(&bytes, "X\1\0\0\0g(K\1\x91");
    BYTES_ADD(&bytes, "K\1N"); /* a key that is no str */
    BYTES_ADD(&bytes, "X\x0f\0\0\0traceback_limitK\x05ub.");
    expect_profile(&bytes, &profile);
    assert_int_equal(profile.traces.count, 1);
    profile_deinit(&profile);
}

static void cut_files_fail(void **state)
{
    (void)state;
    check_cuts(PROFILES "/tracemalloc-3.12-filtered.pickle", 3);
    check_cuts(PROFILES "/tracemalloc-3.8-filtered.pickle", 11);
}

static void flipped_bits_are_answered(void **state)
{
    (void)state;
    check_flips(PROFILES "/tracemalloc-3.12-filtered.pickle", 17);
    check_flips(PROFILES "/tracemalloc-3.8-protocol2.pickle", 1009);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_of_both_shapes),
        cmocka_unit_test(sizes_are_exact),
        cmocka_unit_test(a_tuple_of_traces_will_do),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(a_trace_of_no_stack_is_refused),
        cmocka_unit_test(a_memo_place_may_change),
        cmocka_unit_test(what_a_memo_forgot_is_found),
        cmocka_unit_test(a_list_may_leave_traces_out),
        cmocka_unit_test(stacks_of_any_depth),
        cmocka_unit_test(nothing_is_run),
        cmocka_unit_test(what_is_no_snapshot_is_named),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(bombs_take_no_memory),
        cmocka_unit_test(what_follows_is_told),
        cmocka_unit_test(attributes_of_the_user_do_no_harm),
        cmocka_unit_test(cut_files_fail),
        cmocka_unit_test(flipped_bits_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
