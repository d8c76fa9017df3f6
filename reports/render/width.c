/* SPDX-License-Identifier: Apache-2.0 */
/* How wide text is on a terminal. Not libc's wcwidth: that needs a UTF-8 locale,
 * and an answer must not depend on where it was asked. */
#include <string.h>

#include "inquest/base/partition_point.h"
#include "reports/render/table.h"
#include "reports/render/width_ranges.h"

static bool in_ranges(const struct code_point_range *ranges, size_t count, uint32_t c)
{
    size_t low;
    PARTITION_POINT(low, count, c > ranges[low].last);
    return low < count && ranges[low].first <= c;
}

#define IN_RANGES(ranges, c) in_ranges((ranges), sizeof(ranges) / sizeof *(ranges), (c))

unsigned code_point_width(uint32_t code_point)
{
    if (code_point < 0x20 || code_point == 0x7F)
        return 0;
    if (code_point < zero_width_ranges[0].first)
        return 1;
    if (IN_RANGES(zero_width_ranges, code_point))
        return 0;
    return IN_RANGES(wide_ranges, code_point) ? 2 : 1;
}

/* The next character's bytes and width; a stray byte counts as one column. */
static size_t next_character(const char *string, size_t size, unsigned *ret_width)
{
    uint32_t code_point;
    size_t length = utf8_decode(string, size, &code_point);
    *ret_width = length ? code_point_width(code_point) : 1;
    return length ? length : 1;
}

size_t display_width(const char *string)
{
    size_t width = 0;
    size_t size = strlen(string);
    while (size) {
        unsigned columns;
        size_t length = next_character(string, size, &columns);
        width += columns;
        string += length;
        size -= length;
    }
    return width;
}

/* How many bytes of `string` fit into `width` columns. */
static size_t fitting_bytes(const char *string, size_t width, size_t *ret_used)
{
    size_t size = strlen(string), at = 0;
    *ret_used = 0;
    while (at < size) {
        unsigned columns;
        size_t length = next_character(string + at, size - at, &columns);
        if (*ret_used + columns > width)
            break;
        *ret_used += columns;
        at += length;
    }
    return at;
}

void append_fitted(struct text *text, const char *string, size_t width, bool pad)
{
    size_t used;
    size_t bytes = fitting_bytes(string, width, &used);
    if (string[bytes] && width) {
        bytes = fitting_bytes(string, width - 1, &used);
        text_append_n(text, string, bytes);
        text_append(text, "…");
        used++;
    } else {
        text_append_n(text, string, bytes);
    }
    for (; pad && used < width; used++)
        text_append_char(text, ' ');
}
