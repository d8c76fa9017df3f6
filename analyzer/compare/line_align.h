/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_COMPARE_LINE_ALIGN_H
#define INQUEST_ANALYZER_COMPARE_LINE_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/status.h"

/* One line of a file, with what was counted there. */
struct counted_line {
    int32_t line;
    double size, count;
};

#define LINE_NONE UINT32_MAX

/* Pairs the lines of two versions of one file, each in order and without doubles. What is added
 * to or taken from a file moves all that stands below by one distance: lines keep their order, and
 * neighbours theirs to each other. Where that leaves a choice, lines with like numbers are paired,
 * and those that stand where they stood.
 * ret_old_of: for each of NEW's lines the index of OLD's, or LINE_NONE. False: out of memory. Files
 * of more than LINE_ALIGN_MOST lines a side are paired by line number alone. */
#define LINE_ALIGN_MOST 600
bool lines_align(const struct counted_line *old_lines, size_t old_count,
                 const struct counted_line *new_lines, size_t new_count,
                 uint32_t *ret_old_of) MUST_CHECK;

#endif
