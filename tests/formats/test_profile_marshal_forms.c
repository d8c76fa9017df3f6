/* SPDX-License-Identifier: Apache-2.0 */
/* One recording of pstats in all the forms that marshal has for its parts, at random: as Python
 * writes them, seldom or often otherwise, and with references wherever one can be. What comes
 * out is the recording, whichever way through the reader the parts took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/helpers/profile_bytes.h"

#define FUNCTIONS 300u
#define NAMES     40u
#define VALUES    12u /* numbers are 0 to 11, times quarters of them */
#define CALLERS   25u

/* ---- The recording. */

struct call {
    uint32_t caller, numbers[4];
    bool is_count;
};

struct stat {
    uint32_t numbers[4], count;
    struct call calls[CALLERS];
};

struct writer {
    struct bytes bytes;
    uint32_t seed, odd; /* one part in so many is written as Python would not; 0: none */
    uint32_t references;
    /* References to each, + 1. */
    uint32_t files[NAMES], names[NAMES], wholes[VALUES], times[VALUES], functions[FUNCTIONS];
};

static uint32_t draw(struct writer *writer, uint32_t below)
{
    writer->seed = writer->seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)writer->seed * below >> 32);
}

static bool is_odd(struct writer *writer)
{
    return writer->odd && !draw(writer, writer->odd);
}

static uint32_t file_of(uint32_t function)
{
    return function % NAMES;
}

static uint32_t name_of(uint32_t function)
{
    return function * 7 % 37;
}

static int32_t line_of(uint32_t function)
{
    return function % 3 ? (int32_t)function * 1000 : (int32_t)(function % VALUES);
}

static void spell(char text[32], char kind, uint32_t id)
{
    snprintf(text, 32, "%c%u%.*s", kind, id, (int)(id % 20), "\xc3\xa9-------------------");
}

static void make(struct writer *writer, struct stat *stats)
{
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        uint32_t first = draw(writer, FUNCTIONS);
        stats[i].count = draw(writer, 4) ? draw(writer, 6) : draw(writer, CALLERS);
        for (int j = 0; j < 4; j++)
            stats[i].numbers[j] = draw(writer, VALUES);
        for (uint32_t k = 0; k < stats[i].count; k++) {
            struct call *call = &stats[i].calls[k];
            call->caller = (first + 11 * k) % FUNCTIONS;
            call->is_count = !draw(writer, 8);
            for (int j = 0; j < 4; j++)
                call->numbers[j] = call->is_count && j ? 0 : draw(writer, VALUES);
        }
    }
}

/* ---- As a file. */

static void add_byte(struct writer *writer, char byte)
{
    bytes_add(&writer->bytes, &byte, 1);
}

/* The type byte, at times with the next number; *ref_to is what it is numbered from then on. */
static void add_type(struct writer *writer, char type, uint32_t *ref_to)
{
    bool flagged = draw(writer, 2);
    add_byte(writer, (char)(flagged ? type | 0x80 : type));
    if (flagged)
        *ref_to = ++writer->references;
}

static bool add_reference(struct writer *writer, uint32_t reference)
{
    if (!reference || !draw(writer, 4))
        return false;
    add_byte(writer, 'r');
    bytes_add_u32(&writer->bytes, reference - 1);
    return true;
}

static void add_string(struct writer *writer, char kind, uint32_t id, uint32_t *reference)
{
    char text[32];
    if (add_reference(writer, *reference))
        return;
    spell(text, kind, id);
    char type = "zZaAut"[draw(writer, 6)];
    add_type(writer, type, reference);
    if (type == 'z' || type == 'Z')
        add_byte(writer, (char)strlen(text));
    else
        bytes_add_u32(&writer->bytes, (uint32_t)strlen(text));
    bytes_add(&writer->bytes, text, strlen(text));
}

static void add_whole(struct writer *writer, int32_t value)
{
    uint32_t unused, *reference = value < (int32_t)VALUES ? &writer->wholes[value] : &unused;
    unused = 0;
    if (add_reference(writer, *reference))
        return;
    if (!is_odd(writer)) {
        add_type(writer, 'i', reference);
        bytes_add_u32(&writer->bytes, (uint32_t)value);
    } else if (draw(writer, 2)) {
        add_type(writer, 'I', reference);
        bytes_add_u32(&writer->bytes, (uint32_t)value);
        bytes_add_u32(&writer->bytes, 0);
    } else {
        add_type(writer, 'l', reference);
        bytes_add_u32(&writer->bytes, 2);
        bytes_add_u32(&writer->bytes, (uint32_t)value % 0x8000 | (uint32_t)value / 0x8000 << 16);
    }
}

static void add_time(struct writer *writer, uint32_t value)
{
    double time = value / 4.0;
    if (add_reference(writer, writer->times[value]))
        return;
    if (is_odd(writer) && value % 4 == 0) {
        add_whole(writer, (int32_t)value / 4);
    } else if (is_odd(writer)) {
        char text[8];
        snprintf(text, sizeof text, "%.2f", time);
        add_type(writer, 'f', &writer->times[value]);
        add_byte(writer, (char)strlen(text));
        bytes_add(&writer->bytes, text, strlen(text));
    } else {
        add_type(writer, 'g', &writer->times[value]);
        bytes_add(&writer->bytes, &time, sizeof time);
    }
}

static void add_tuple(struct writer *writer, uint8_t count, uint32_t *reference)
{
    bool is_short = !is_odd(writer);
    add_type(writer, is_short ? ')' : '(', reference);
    if (is_short)
        add_byte(writer, (char)count);
    else
        bytes_add_u32(&writer->bytes, count);
}

static void add_function(struct writer *writer, uint32_t function)
{
    uint32_t reference = 0;
    if (add_reference(writer, writer->functions[function]))
        return;
    add_tuple(writer, 3, &reference);
    add_string(writer, 'f', file_of(function), &writer->files[file_of(function)]);
    add_whole(writer, line_of(function));
    add_string(writer, 'n', name_of(function), &writer->names[name_of(function)]);
    writer->functions[function] = reference;
}

static void add_numbers(struct writer *writer, uint8_t parts, const uint32_t numbers[4])
{
    uint32_t unused;
    add_tuple(writer, parts, &unused);
    add_whole(writer, (int32_t)numbers[0]);
    add_whole(writer, (int32_t)numbers[1]);
    add_time(writer, numbers[2]);
    add_time(writer, numbers[3]);
}

static void add_file(struct writer *writer, const struct stat *stats)
{
    uint32_t unused;
    add_type(writer, '{', &unused);
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        add_function(writer, i);
        add_numbers(writer, 5, stats[i].numbers);
        add_type(writer, '{', &unused);
        for (uint32_t k = 0; k < stats[i].count; k++) {
            const struct call *call = &stats[i].calls[k];
            add_function(writer, call->caller);
            if (call->is_count)
                add_whole(writer, (int32_t)call->numbers[0]);
            else
                add_numbers(writer, 4, call->numbers);
        }
        add_byte(writer, '0');
    }
    add_byte(writer, '0');
}

/* ---- What it is read as. */

static void check_function(const struct profile *profile, uint32_t id, uint32_t function)
{
    char file[32], name[32];
    const struct profile_function *read = &profile->functions.items[id];
    spell(file, 'f', file_of(function));
    spell(name, 'n', name_of(function));
    assert_string_equal(profile_text(profile, read->file), file);
    assert_string_equal(profile_text(profile, read->name), name);
    assert_int_equal(read->line, line_of(function));
}

static void check_stat(const struct profile *profile, uint32_t row, const struct stat *stat)
{
    const struct profile_stat *read = &profile->stats.items[row];
    check_function(profile, read->function, row);
    assert_int_equal(read->primitive_calls, stat->numbers[0]);
    assert_int_equal(read->calls, stat->numbers[1]);
    assert_true(read->self == stat->numbers[2] / 4.0 && read->total == stat->numbers[3] / 4.0);
    assert_int_equal(read->call_count, stat->count);
    for (uint32_t k = 0; k < stat->count; k++) {
        const struct profile_call *call = &profile->calls.items[read->first_call + k];
        const struct call *wanted = &stat->calls[k];
        check_function(profile, call->caller, wanted->caller);
        assert_int_equal(call->callee, read->function);
        assert_int_equal(call->is_count, wanted->is_count);
        assert_int_equal(call->calls, wanted->numbers[0]);
        assert_int_equal(call->primitive_calls, wanted->numbers[1]);
        assert_true(call->self == wanted->numbers[2] / 4.0 &&
                    call->total == wanted->numbers[3] / 4.0);
    }
}

static void check(uint32_t seed, uint32_t odd)
{
    static struct stat stats[FUNCTIONS];
    struct writer writer = {.seed = seed, .odd = odd};
    struct profile profile;
    make(&writer, stats);
    add_file(&writer, stats);
    expect_profile(&writer.bytes, &profile);
    assert_int_equal(profile.warnings.count, 0);
    assert_int_equal(profile.stats.count, FUNCTIONS);
    assert_int_equal(profile.functions.count, FUNCTIONS);
    for (uint32_t i = 0; i < FUNCTIONS; i++)
        check_stat(&profile, i, &stats[i]);
    profile_deinit(&profile);
}

static void as_python_writes_them(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++)
        check(seed, 0);
}

static void seldom_otherwise(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++)
        check(seed, 64);
}

static void often_otherwise(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++)
        check(seed, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_python_writes_them),
        cmocka_unit_test(seldom_otherwise),
        cmocka_unit_test(often_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
