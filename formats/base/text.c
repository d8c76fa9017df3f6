/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/base/arena.h"
#include "inquest/base/array.h"

void text_init(struct text *text)
{
    *text = (struct text){0};
}

void text_deinit(struct text *text)
{
    if (!text)
        return;
    free(text->data);
    text_init(text);
}

void text_clear(struct text *text)
{
    text->size = 0;
    text->cut = false;
    if (text->data)
        text->data[0] = '\0';
}

void text_append_n(struct text *text, const char *bytes, size_t size)
{
    if (text->failed || text->cut)
        return;
    if (text->limit && size > text->limit - text->size) {
        size = text->limit - text->size;
        while (size && ((unsigned char)bytes[size] & 0xC0) == 0x80)
            size--;
        text->cut = true;
    }
    if (size >= SIZE_MAX / 2 ||
        !array_reserve_raw((void **)&text->data, &text->capacity, text->size, size + 1, 1)) {
        text->failed = true;
        return;
    }
    if (size)
        memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void text_append(struct text *text, const char *string)
{
    text_append_n(text, string, strlen(string));
}

void text_append_char(struct text *text, char c)
{
    text_append_n(text, &c, 1);
}

void text_vprintf(struct text *text, const char *format, va_list arguments)
{
    char small[256];
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(small, sizeof small, format, arguments);
    if (size < 0) {
        text->failed = true;
    } else if ((size_t)size < sizeof small) {
        text_append_n(text, small, (size_t)size);
    } else {
        char *large = malloc((size_t)size + 1);
        if (large) {
            vsnprintf(large, (size_t)size + 1, format, again);
            text_append_n(text, large, (size_t)size);
        } else {
            text->failed = true;
        }
        free(large);
    }
    va_end(again);
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_vprintf(text, format, arguments);
    va_end(arguments);
}

void text_append_code_point(struct text *text, uint32_t code_point)
{
    char bytes[4];
    size_t size;
    if (code_point >= 0xD800 && code_point <= 0xDFFF) {
        text_printf(text, "\\u%04x", (unsigned)code_point);
        return;
    }
    if (code_point < 0x80) {
        bytes[0] = (char)code_point;
        size = 1;
    } else if (code_point < 0x800) {
        bytes[0] = (char)(0xC0 | code_point >> 6);
        bytes[1] = (char)(0x80 | (code_point & 0x3F));
        size = 2;
    } else if (code_point < 0x10000) {
        bytes[0] = (char)(0xE0 | code_point >> 12);
        bytes[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (code_point & 0x3F));
        size = 3;
    } else if (code_point < 0x110000) {
        bytes[0] = (char)(0xF0 | code_point >> 18);
        bytes[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
        bytes[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
        bytes[3] = (char)(0x80 | (code_point & 0x3F));
        size = 4;
    } else {
        text_append(text, "\xEF\xBF\xBD"); /* U+FFFD */
        return;
    }
    text_append_n(text, bytes, size);
}

bool text_ok(const struct text *text)
{
    return !text->failed;
}

const char *text_string(const struct text *text)
{
    return text->data ? text->data : "";
}

char *text_take(struct text *text, struct arena *arena)
{
    char *copy = text_ok(text) ? arena_strdup(arena, text_string(text)) : NULL;
    text_clear(text);
    return copy;
}

size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!size)
        return 0;
    unsigned char lead = (unsigned char)bytes[0];
    if (lead < 0x80) {
        *ret_code_point = lead;
        return 1;
    }
    size_t length = lead >= 0xF0 && lead < 0xF8 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
    if (!length || lead >= 0xF8 || length > size)
        return 0;
    uint32_t code_point = lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xC0) != 0x80)
            return 0;
        code_point = code_point << 6 | (next & 0x3F);
    }
    if (code_point < smallest[length] || code_point > 0x10FFFF ||
        (code_point >= 0xD800 && code_point <= 0xDFFF))
        return 0;
    *ret_code_point = code_point;
    return length;
}

void text_append_bytes(struct text *text, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size) {
        uint32_t code_point;
        size_t length, valid = 0;
        while (valid < size && (length = utf8_decode(next + valid, size - valid, &code_point)))
            valid += length;
        text_append_n(text, next, valid);
        next += valid;
        size -= valid;
        if (size) {
            text_printf(text, "\\x%02x", (unsigned char)*next);
            next++;
            size--;
        }
    }
}

struct grouped_number group_digits(uint64_t number)
{
    char plain[24];
    struct grouped_number grouped = {""};
    int size = snprintf(plain, sizeof plain, "%" PRIu64, number);
    char *out = grouped.text;
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            *out++ = ',';
        *out++ = plain[i];
    }
    *out = '\0';
    return grouped;
}

void text_append_count(struct text *text, uint64_t count)
{
    text_append(text, group_digits(count).text);
}

void text_append_size(struct text *text, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        text_printf(text, "%" PRIu64 " B", bytes);
        return;
    }
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    text_printf(text, "%.1f %s", value, units[unit]);
}
