/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder against what each CPython reads from its own tables
 * (line_tables.txt, written by make_line_tables.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inquest/formats/line_table.h"

struct code {
    unsigned minor;
    int first_line;
    uint8_t table[16384];
    size_t size;
};

static size_t decode_hex(const char *hex, uint8_t *bytes)
{
    size_t size = 0;
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        bytes[size++] = (uint8_t)byte;
    return size;
}

static void check_row(const struct code *code, const char *line)
{
    long offset;
    int expected[4];
    assert_int_equal(sscanf(line, "%ld %d %d %d %d", &offset, &expected[0], &expected[1],
                            &expected[2], &expected[3]),
                     5);
    struct source_position position;
    enum status status = line_table_find(line_table_form_of(code->minor), code->table, code->size,
                                         code->first_line, offset, &position);
    assert_int_equal(status, STATUS_OK);
    if (position.line != expected[0] || position.end_line != expected[1] ||
        position.column != expected[2] || position.end_column != expected[3])
        fail_msg("3.%u offset %ld: %d %d %d %d, CPython says %d %d %d %d", code->minor, offset,
                 position.line, position.end_line, position.column, position.end_column,
                 expected[0], expected[1], expected[2], expected[3]);
}

static void test_every_instruction_of_every_version(void **state)
{
    (void)state;
    static char line[65536], hex[32768];
    static struct code code;
    unsigned rows = 0, versions = 0;
    FILE *file = fopen(LINE_TABLES, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        unsigned minor;
        int first_line;
        hex[0] = '\0';
        if (strncmp(line, "code ", 5) == 0) {
            assert_true(sscanf(line, "code %u %d %32767s", &minor, &first_line, hex) >= 2);
            code.minor = minor;
            code.first_line = first_line;
            code.size = decode_hex(hex, code.table);
            versions |= 1u << minor;
        } else {
            check_row(&code, line);
            rows++;
        }
    }
    fclose(file);
    assert_int_equal(versions, 0xFF00); /* 3.8 to 3.15 */
    assert_true(rows > 1000);
}

static void test_before_the_first_instruction(void **state)
{
    (void)state;
    struct source_position position;
    assert_int_equal(line_table_find(LINE_TABLE_LOCATIONS, NULL, 0, 7, -2, &position), STATUS_OK);
    assert_int_equal(position.line, 7);
    assert_int_equal(position.column, -1);
}

static void test_damaged_tables(void **state)
{
    (void)state;
    struct source_position position = {1, 2, 3, 4};
    const uint8_t no_mark[] = {0x00, 0x00}, endless[] = {0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
                  cut[] = {0xD0}, odd[] = {0x02, 0x01, 0x04};
    assert_int_equal(line_table_find(LINE_TABLE_LOCATIONS, no_mark, 2, 1, 0, &position),
                     STATUS_CORRUPT);
    assert_int_equal(line_table_find(LINE_TABLE_LOCATIONS, endless, 7, 1, 0, &position),
                     STATUS_CORRUPT);
    assert_int_equal(line_table_find(LINE_TABLE_LOCATIONS, cut, 1, 1, 0, &position),
                     STATUS_CORRUPT);
    assert_int_equal(line_table_find(LINE_TABLE_RANGES, odd, 3, 1, 2, &position), STATUS_CORRUPT);
    assert_int_equal(line_table_find(LINE_TABLE_LOCATIONS, cut, 0, 1, 0, &position),
                     STATUS_NOT_IN_DUMP);
    assert_int_equal(position.line, 1); /* untouched on failure */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_instruction_of_every_version),
        cmocka_unit_test(test_before_the_first_instruction),
        cmocka_unit_test(test_damaged_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
