/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_LINE_TABLE_H
#define INQUEST_FORMATS_LINE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "inquest/base/status.h"

/* How a code object maps instructions to source lines. */
enum line_table_form {
    LINE_TABLE_LNOTAB,    /* to 3.9: co_lnotab */
    LINE_TABLE_RANGES,    /* 3.10: co_linetable of PEP 626 */
    LINE_TABLE_LOCATIONS, /* from 3.11: co_linetable of PEP 657 */
};

/* Lines count from 1; columns are bytes of the source line from 0, as
 * co_positions gives them. -1: the table has none. */
struct source_position {
    int32_t line, end_line, column, end_column;
};

enum line_table_form line_table_form_of(unsigned python_minor);

/* The position of the instruction at `offset` bytes from the first one; a
 * negative offset (a frame that has not begun) gives the first line. CORRUPT
 * where the table ends inside an entry; NOT_IN_DUMP where no entry covers it. */
enum status line_table_find(enum line_table_form form, const uint8_t *table, size_t size,
                            int32_t first_line, int64_t offset,
                            struct source_position *ret_position) MUST_CHECK;

#endif
