/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_TEXT_H
#define INQUEST_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/status.h"

/* A growable string, always NUL-terminated once anything was added. Failure to
 * grow is sticky: append freely, ask text_ok once at the end. `limit` bounds
 * the size (0: none); what would pass it is dropped and `cut` is set. */
struct text {
    char *data;
    size_t size, capacity;
    size_t limit;
    bool failed, cut;
};

void text_init(struct text *text);
void text_deinit(struct text *text);
void text_clear(struct text *text);
void text_append(struct text *text, const char *string);
void text_append_n(struct text *text, const char *bytes, size_t size);
void text_append_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_vprintf(struct text *text, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
/* The UTF-8 form of a code point. A surrogate becomes its escape, "\udc80":
 * what we write is always valid UTF-8. */
void text_append_code_point(struct text *text, uint32_t code_point);
/* Bytes of unknown encoding: UTF-8 as it is, what isn't as "\xNN". */
void text_append_bytes(struct text *text, const void *bytes, size_t size);
/* 1,234,567 */
void text_append_count(struct text *text, uint64_t count);
/* The same for an argument of printf. */
struct grouped_number {
    char text[32];
};
struct grouped_number group_digits(uint64_t number);
/* 512 B, 1.5 KiB, 1024.0 TiB */
void text_append_size(struct text *text, uint64_t bytes);
bool text_ok(const struct text *text) MUST_CHECK;
/* The string; "" when empty. Valid until the next append. */
const char *text_string(const struct text *text);

/* A copy of the string in the arena, and the text is empty again; NULL where memory ran out,
 * for either. */
struct arena;
char *text_take(struct text *text, struct arena *arena) MUST_CHECK;

/* The length of the valid UTF-8 sequence at `bytes`, and its code point; 0 for
 * an invalid, overlong, surrogate or cut-off one. */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code_point);

#endif
