/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/render/escape.h"

void json_init(struct json_writer *json, struct text *text)
{
    *json = (struct json_writer){.text = text};
}

/* Writes what stands before a value: its comma; false where none may stand. */
static bool before_value(struct json_writer *json)
{
    if (json->failed)
        return false;
    if (!json->depth) {
        if (json->has_document)
            return !(json->failed = true);
        return json->has_document = true;
    }
    bool is_array = json->levels[json->depth - 1].is_array;
    if (!is_array && !json->levels[json->depth - 1].has_key)
        return !(json->failed = true);
    if (is_array && json->levels[json->depth - 1].has_items)
        text_append_char(json->text, ',');
    json->levels[json->depth - 1].has_items = true;
    json->levels[json->depth - 1].has_key = false;
    return true;
}

static void begin(struct json_writer *json, bool is_array)
{
    if (!before_value(json))
        return;
    if (json->depth == JSON_MAX_DEPTH) {
        json->failed = true;
        return;
    }
    json->levels[json->depth].is_array = is_array;
    json->levels[json->depth].has_items = json->levels[json->depth].has_key = false;
    json->depth++;
    text_append_char(json->text, is_array ? '[' : '{');
}

static void end(struct json_writer *json, bool is_array)
{
    if (json->failed || !json->depth || json->levels[json->depth - 1].is_array != is_array ||
        json->levels[json->depth - 1].has_key) {
        json->failed = true;
        return;
    }
    json->depth--;
    text_append_char(json->text, is_array ? ']' : '}');
}

void json_begin_object(struct json_writer *json)
{
    begin(json, false);
}

void json_end_object(struct json_writer *json)
{
    end(json, false);
}

void json_begin_array(struct json_writer *json)
{
    begin(json, true);
}

void json_end_array(struct json_writer *json)
{
    end(json, true);
}

/* The common case, a short string of plain ASCII, is put together here and appended
 * at once: an answer can hold millions of keys and values. */
#define SHORT_STRING 240

/* Bytes of `string` that need no escape, at most SHORT_STRING; the whole of it if
 * what follows them is its end. */
static size_t plain_prefix(const char *string)
{
    size_t size = 0;
    for (; size < SHORT_STRING; size++) {
        unsigned char c = (unsigned char)string[size];
        if (c < 0x20 || c > 0x7E || c == '"' || c == '\\')
            break;
    }
    return size;
}

/* `before` and `after` stand around the quotes. */
static void append_quoted(struct text *text, const char *before, const char *string,
                          const char *after)
{
    char buffer[SHORT_STRING + 8];
    size_t at = 0, size = plain_prefix(string);
    if (string[size]) {
        text_append(text, before);
        text_append_char(text, '"');
        escape_json(text, string);
        text_append_char(text, '"');
        text_append(text, after);
        return;
    }
    if (*before)
        buffer[at++] = *before;
    buffer[at++] = '"';
    memcpy(buffer + at, string, size);
    at += size;
    buffer[at++] = '"';
    if (*after)
        buffer[at++] = *after;
    text_append_n(text, buffer, at);
}

void json_key(struct json_writer *json, const char *key)
{
    if (json->failed || !json->depth || json->levels[json->depth - 1].is_array ||
        json->levels[json->depth - 1].has_key) {
        json->failed = true;
        return;
    }
    append_quoted(json->text, json->levels[json->depth - 1].has_items ? "," : "", key, ":");
    json->levels[json->depth - 1].has_key = true;
}

void json_null(struct json_writer *json)
{
    if (before_value(json))
        text_append(json->text, "null");
}

void json_bool(struct json_writer *json, bool value)
{
    if (before_value(json))
        text_append(json->text, value ? "true" : "false");
}

void json_integer(struct json_writer *json, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (!before_value(json))
        return;
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        digits[--at] = '-';
    text_append_n(json->text, digits + at, sizeof digits - at);
}

void json_real(struct json_writer *json, double value)
{
    char digits[40];
    if (!before_value(json))
        return;
    if (!isfinite(value)) {
        text_append(json->text, "null");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_append(json->text, digits);
}

void json_string(struct json_writer *json, const char *value)
{
    if (!before_value(json))
        return;
    if (value)
        append_quoted(json->text, "", value, "");
    else
        text_append(json->text, "null");
}

void json_address(struct json_writer *json, uint64_t address)
{
    char digits[24];
    size_t at = sizeof digits;
    if (!before_value(json))
        return;
    digits[--at] = '"';
    do
        digits[--at] = "0123456789abcdef"[address & 15];
    while (address >>= 4);
    digits[--at] = 'x';
    digits[--at] = '0';
    digits[--at] = '"';
    text_append_n(json->text, digits + at, sizeof digits - at);
}

void json_member_string(struct json_writer *json, const char *key, const char *value)
{
    json_key(json, key);
    json_string(json, value);
}

void json_member_integer(struct json_writer *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_integer(json, value);
}

void json_member_integer_if(struct json_writer *json, const char *key, bool is_known, int64_t value)
{
    json_key(json, key);
    if (is_known)
        json_integer(json, value);
    else
        json_null(json);
}

void json_amount(struct json_writer *json, double value)
{
    if (value > -9e15 && value < 9e15 && value == (double)(int64_t)value)
        json_integer(json, (int64_t)value);
    else
        json_real(json, value);
}

void json_member_amount(struct json_writer *json, const char *key, double value)
{
    json_key(json, key);
    json_amount(json, value);
}

void json_member_bool(struct json_writer *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

void json_member_null(struct json_writer *json, const char *key)
{
    json_key(json, key);
    json_null(json);
}

void json_member_address(struct json_writer *json, const char *key, uint64_t address)
{
    json_key(json, key);
    json_address(json, address);
}

bool json_finish(struct json_writer *json)
{
    if (json->failed || json->depth || !json->has_document)
        return false;
    text_append_char(json->text, '\n');
    return text_ok(json->text);
}
