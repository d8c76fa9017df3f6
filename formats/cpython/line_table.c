/* SPDX-License-Identifier: Apache-2.0 */
/* CPython's three forms of line table, all keyed by instruction offset in bytes.
 *
 * lnotab, to 3.9 (Objects/lnotab_notes.txt): pairs
 *   OFFSET SIZE MEANING
 *   0      1    bytes of instructions that the line so far still covers
 *   1      1    signed change of line, applied after them
 *
 * Ranges, 3.10 (PEP 626, Objects/lnotab_notes.txt): pairs
 *   0      1    bytes of instructions that this entry covers
 *   1      1    signed change of line, applied before; -128: they have no line
 *
 * Locations, from 3.11 (PEP 657, Objects/locations.md): entries
 *   0      1    0x80 | form << 3 | (instructions of 2 bytes - 1)
 *   1      ...  by form:
 *          0-9  1 byte: column = form * 8 + high 3 bits, width = low 4 bits
 *          10-12 line change = form - 10; 1 byte column, 1 byte end column
 *          13   signed varint of line change, no columns
 *          14   signed varint of line change, varints of: lines spanned, column + 1,
 *               end column + 1
 *          15   no position
 *   A varint has 6 bits a byte, least first, 0x40 marking that more follow; a
 *   signed one keeps its sign in the lowest bit. */
#include "inquest/formats/line_table.h"

#include "inquest/base/bytes_reader.h"

static const struct source_position NO_POSITION = {-1, -1, -1, -1};

enum line_table_form line_table_form_of(unsigned python_minor)
{
    return python_minor < 10   ? LINE_TABLE_LNOTAB
           : python_minor < 11 ? LINE_TABLE_RANGES
                               : LINE_TABLE_LOCATIONS;
}

/* Lines of a hostile table may overflow: they wrap, they are never trusted. */
static int32_t add_line(int32_t line, int64_t change)
{
    return (int32_t)((uint32_t)line + (uint32_t)change);
}

static enum status find_lnotab(struct bytes_reader *reader, int32_t line, int64_t offset,
                               struct source_position *ret_position)
{
    int64_t end = 0;
    uint8_t length, change;
    while (bytes_read_u8(reader, &length) == STATUS_OK &&
           bytes_read_u8(reader, &change) == STATUS_OK) {
        end += length;
        if (end > offset)
            break;
        line = add_line(line, (int8_t)change);
    }
    ret_position->line = line;
    return STATUS_OK;
}

static enum status find_range(struct bytes_reader *reader, int32_t line, int64_t offset,
                              struct source_position *ret_position)
{
    int64_t end = 0;
    while (bytes_reader_left(reader)) {
        uint8_t length, change;
        if (bytes_read_u8(reader, &length) != STATUS_OK ||
            bytes_read_u8(reader, &change) != STATUS_OK)
            return STATUS_CORRUPT;
        end += length;
        if (change != 0x80)
            line = add_line(line, (int8_t)change);
        if (end > offset) {
            ret_position->line = change == 0x80 ? -1 : line;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_IN_DUMP;
}

static enum status read_varint(struct bytes_reader *reader, uint32_t *ret_value)
{
    uint32_t value = 0;
    for (unsigned shift = 0;; shift += 6) {
        uint8_t byte;
        if (shift > 30 || bytes_read_u8(reader, &byte) != STATUS_OK)
            return STATUS_CORRUPT;
        value |= (uint32_t)(byte & 0x3F) << shift;
        if (!(byte & 0x40))
            break;
    }
    *ret_value = value;
    return STATUS_OK;
}

static enum status read_line_change(struct bytes_reader *reader, int64_t *ret_change)
{
    uint32_t value;
    if (read_varint(reader, &value) != STATUS_OK)
        return STATUS_CORRUPT;
    *ret_change = value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
    return STATUS_OK;
}

static enum status read_long_location(struct bytes_reader *reader, int32_t *line,
                                      struct source_position *position)
{
    int64_t change;
    uint32_t span, column, end_column;
    if (read_line_change(reader, &change) != STATUS_OK || read_varint(reader, &span) != STATUS_OK ||
        read_varint(reader, &column) != STATUS_OK || read_varint(reader, &end_column) != STATUS_OK)
        return STATUS_CORRUPT;
    *line = add_line(*line, change);
    *position = (struct source_position){*line, add_line(*line, span), (int32_t)(column - 1),
                                         (int32_t)(end_column - 1)};
    return STATUS_OK;
}

/* One entry's body; `line` is the running line and is moved. */
static enum status read_location(struct bytes_reader *reader, unsigned form, int32_t *line,
                                 struct source_position *position)
{
    uint8_t first, second;
    int64_t change;
    *position = NO_POSITION;
    switch (form) {
    case 15: return STATUS_OK;
    case 14: return read_long_location(reader, line, position);
    case 13:
        if (read_line_change(reader, &change) != STATUS_OK)
            return STATUS_CORRUPT;
        *line = add_line(*line, change);
        *position = (struct source_position){*line, *line, -1, -1};
        return STATUS_OK;
    case 10:
    case 11:
    case 12:
        if (bytes_read_u8(reader, &first) != STATUS_OK ||
            bytes_read_u8(reader, &second) != STATUS_OK)
            return STATUS_CORRUPT;
        *line = add_line(*line, form - 10);
        *position = (struct source_position){*line, *line, first, second};
        return STATUS_OK;
    default:
        if (bytes_read_u8(reader, &first) != STATUS_OK)
            return STATUS_CORRUPT;
        int32_t column = (int32_t)(form << 3 | first >> 4);
        *position = (struct source_position){*line, *line, column, column + (first & 15)};
        return STATUS_OK;
    }
}

static enum status find_location(struct bytes_reader *reader, int32_t line, int64_t offset,
                                 struct source_position *ret_position)
{
    int64_t end = 0;
    uint8_t head;
    while (bytes_read_u8(reader, &head) == STATUS_OK) {
        if (!(head & 0x80))
            return STATUS_CORRUPT;
        struct source_position position;
        if (read_location(reader, head >> 3 & 15, &line, &position) != STATUS_OK)
            return STATUS_CORRUPT;
        end += 2 * ((head & 7) + 1);
        if (end > offset) {
            *ret_position = position;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_IN_DUMP;
}

enum status line_table_find(enum line_table_form form, const uint8_t *table, size_t size,
                            int32_t first_line, int64_t offset,
                            struct source_position *ret_position)
{
    struct bytes_reader reader = bytes_reader_make(table, size);
    struct source_position position = NO_POSITION;
    enum status status = STATUS_OK;
    if (offset < 0)
        position.line = first_line;
    else if (form == LINE_TABLE_LNOTAB)
        status = find_lnotab(&reader, first_line, offset, &position);
    else if (form == LINE_TABLE_RANGES)
        status = find_range(&reader, first_line, offset, &position);
    else
        status = find_location(&reader, first_line, offset, &position);
    if (status == STATUS_OK)
        *ret_position = position;
    return status;
}
