/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of two versions of a file: which was which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/compare/line_align.h"

#define MOST 16

/* "4:100*2" is line 4 with 100 bytes in 2 blocks; answers "4>7 5>8", what moved and what stayed. */
static void check(const char *old_text, const char *new_text, const char *expected)
{
    struct counted_line lines[2][MOST];
    size_t counts[2] = {0};
    const char *texts[2] = {old_text, new_text};
    for (size_t side = 0; side < 2; side++) {
        int line, size, count, used;
        for (const char *at = texts[side];
             sscanf(at, " %d:%d*%d%n", &line, &size, &count, &used) == 3; at += used)
            lines[side][counts[side]++] = (struct counted_line){line, size, count};
    }
    uint32_t old_of[MOST];
    char found[256] = "";
    assert_true(lines_align(lines[0], counts[0], lines[1], counts[1], old_of));
    for (size_t j = 0; j < counts[1]; j++) {
        size_t length = strlen(found);
        if (old_of[j] != LINE_NONE)
            snprintf(found + length, sizeof found - length, "%s%d>%d", length ? " " : "",
                     lines[0][old_of[j]].line, lines[1][j].line);
    }
    assert_string_equal(found, expected);
}

static void test_nothing_moved(void **state)
{
    (void)state;
    check("1:10*1 2:20*2 9:5*1", "1:10*1 2:20*2 9:5*1", "1>1 2>2 9>9");
    check("1:10*1 2:20*2", "1:10*1 2:9000*800", "1>1 2>2"); /* it grew */
    check("5:10*1", "5:9000*800", "5>5");
    check("", "5:9000*800", "");
    check("5:9000*800", "", "");
}

static void test_an_insertion_moves_what_is_below(void **state)
{
    (void)state;
    check("4:7900*3 5:10000*20 6:150*1 7:8000*1", "7:7900*3 8:12500*25 9:150*1 10:8000*1",
          "4>7 5>8 6>9 7>10"); /* 4 moved onto 7's number */
    check("3:50*1 20:70*2 21:80*3", "3:50*1 25:70*2 26:9000*300", "3>3 20>25 21>26");
    check("10:5*1 11:6*1 12:7*1", "9:5*1 10:6*1 11:7*1",
          "10>9 11>10 12>11"); /* a line was taken out */
}

static void test_new_and_gone_lines_have_no_partner(void **state)
{
    (void)state;
    check("4:100*1 9:77000*9", "4:100*1 6:1*1 30:3*2", "4>4");
    check("1:10*1 2:5000*7 3:10*1", "1:10*1 3:10*1", "1>1 3>3");
}

static void test_large_files_are_paired_by_number(void **state)
{
    (void)state;
    enum { COUNT = LINE_ALIGN_MOST + 1 };
    struct counted_line *lines = calloc(2 * COUNT, sizeof *lines);
    uint32_t *old_of = calloc(COUNT, sizeof *old_of);
    for (int i = 0; i < COUNT; i++) {
        lines[i] = (struct counted_line){i + 1, i * 7919 % 1000 + 1, 1};
        lines[COUNT + i] = (struct counted_line){i + 11, i * 7919 % 1000 + 1, 1};
    }
    assert_true(lines_align(lines, COUNT, lines + COUNT, COUNT, old_of));
    for (uint32_t j = 0; j < COUNT; j++)
        assert_int_equal(old_of[j], j + 10 < COUNT ? j + 10 : LINE_NONE);
    assert_true(lines_align(lines, COUNT - 1, lines + COUNT, COUNT - 1, old_of));
    for (uint32_t j = 0; j < COUNT - 1; j++)
        assert_int_equal(old_of[j], j); /* and smaller ones by how they stand */
    free(lines);
    free(old_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_moved),
        cmocka_unit_test(test_an_insertion_moves_what_is_below),
        cmocka_unit_test(test_new_and_gone_lines_have_no_partner),
        cmocka_unit_test(test_large_files_are_paired_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
