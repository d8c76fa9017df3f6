/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "analyzer/index/index_private.h"

/* How many of the bytes are ASCII without NUL, eight at a time: nearly all text is. */
static size_t plain_prefix(const char *text, size_t size)
{
    const uint64_t high = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
    size_t i = 0;
    for (; size - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text + i, sizeof word);
        if ((word | (word - ones)) & high)
            break;
    }
    return i;
}

/* The length of the valid character at `text`, 0: none. */
static size_t valid_character(const char *text, size_t size)
{
    uint32_t code_point;
    size_t length = utf8_decode(text, size, &code_point);
    return length && code_point ? length : 0;
}

bool text_is_valid(const char *text, size_t size)
{
    for (size_t i = plain_prefix(text, size); i < size;) {
        size_t length = valid_character(text + i, size - i);
        if (!length)
            return false;
        i += length;
    }
    return true;
}

void text_append_valid(struct text *text, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t length = valid_character(bytes + i, size - i);
        if (length)
            text_append_n(text, bytes + i, length);
        else
            text_append_code_point(text, 0xFFFD);
        i += length ? length : 1;
    }
}
