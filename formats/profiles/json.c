/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer and the grammar are yajl's, which streams: its memory is a byte for each
 * open bracket, and the longest string that has escapes. This file adds where a value
 * stands. */
#include "formats/profiles/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define LEVELS        16u                 /* of places; deeper there is none */
#define PROGRESS_STEP ((uint64_t)1 << 18) /* values */

/* An open object or array. */
struct level {
    uint8_t place, next; /* next: of the value after the key, or of each element */
};

struct reading {
    const struct json_reader *reader;
    struct level levels[LEVELS];
    unsigned depth;     /* of the open ones that have a place */
    uint64_t elsewhere; /* open ones without, all within the innermost that has one */
    enum status status;
    struct error *err;
    yajl_handle parser;
    struct progress *progress;
    uint64_t values, size;
};

static uint8_t find_place(const struct json_reader *reader, uint8_t place, const char *key,
                          size_t size)
{
    for (size_t i = 0; i < reader->rule_count; i++) {
        const struct json_rule *rule = &reader->rules[i];
        if (rule->place != place || !rule->key != !key)
            continue;
        if (!key || (!strncmp(rule->key, key, size) && !rule->key[size]))
            return rule->leads_to;
    }
    return JSON_ELSEWHERE;
}

static inline uint8_t next_place(const struct reading *reading)
{
    if (reading->elsewhere)
        return JSON_ELSEWHERE;
    return reading->depth ? reading->levels[reading->depth - 1].next : JSON_ROOT;
}

static inline int hand_over(struct reading *reading, const struct json_value *value)
{
    if (++reading->values % PROGRESS_STEP == 0)
        progress_update(reading->progress, reading->reader->stage, "bytes",
                        yajl_get_bytes_consumed(reading->parser), reading->size);
    if (value->place == JSON_ELSEWHERE)
        return 1;
    reading->status = reading->reader->take(reading->reader->context, value, reading->err);
    return reading->status == STATUS_OK;
}

/* ---- yajl's callbacks: 0 ends the parsing */

static int take_null(void *context)
{
    struct reading *reading = context;
    return hand_over(reading, &(struct json_value){.place = next_place(reading)});
}

static int take_boolean(void *context, int truth)
{
    struct reading *reading = context;
    return hand_over(
        reading,
        &(struct json_value){.place = next_place(reading), .kind = JSON_BOOLEAN, .truth = truth});
}

static int take_number(void *context, const char *text, size_t size)
{
    struct reading *reading = context;
    return hand_over(reading, &(struct json_value){.place = next_place(reading),
                                                   .kind = JSON_NUMBER,
                                                   .text = text,
                                                   .size = size});
}

static int take_string(void *context, const unsigned char *text, size_t size)
{
    struct reading *reading = context;
    return hand_over(reading, &(struct json_value){.place = next_place(reading),
                                                   .kind = JSON_STRING,
                                                   .text = size ? (const char *)text : "",
                                                   .size = size});
}

static int take_key(void *context, const unsigned char *text, size_t size)
{
    struct reading *reading = context;
    if (!reading->elsewhere) {
        struct level *level = &reading->levels[reading->depth - 1];
        level->next = find_place(reading->reader, level->place, (const char *)text, size);
    }
    return 1;
}

static int open_level(struct reading *reading, enum json_kind kind)
{
    uint8_t place = next_place(reading);
    if (place == JSON_ELSEWHERE || reading->depth == LEVELS) {
        reading->elsewhere++;
        return 1;
    }
    struct level *level = &reading->levels[reading->depth++];
    level->place = place;
    level->next = kind == JSON_ARRAY ? find_place(reading->reader, place, NULL, 0) : JSON_ELSEWHERE;
    return hand_over(reading, &(struct json_value){.place = place, .kind = kind});
}

static int close_level(struct reading *reading, enum json_kind kind)
{
    if (reading->elsewhere) {
        reading->elsewhere--;
        return 1;
    }
    uint8_t place = reading->levels[--reading->depth].place;
    return hand_over(reading, &(struct json_value){.place = place, .kind = kind});
}

static int open_object(void *context)
{
    return open_level(context, JSON_OBJECT);
}

static int close_object(void *context)
{
    return close_level(context, JSON_OBJECT_END);
}

static int open_array(void *context)
{
    return open_level(context, JSON_ARRAY);
}

static int close_array(void *context)
{
    return close_level(context, JSON_ARRAY_END);
}

static const yajl_callbacks callbacks = {
    .yajl_null = take_null,
    .yajl_boolean = take_boolean,
    .yajl_number = take_number,
    .yajl_string = take_string,
    .yajl_start_map = open_object,
    .yajl_map_key = take_key,
    .yajl_end_map = close_object,
    .yajl_start_array = open_array,
    .yajl_end_array = close_array,
};

/* ---- yajl's memory */

/* yajl lets its stack of open brackets grow by a few bytes at a time, which takes
 * quadratic time where a hostile file nests a million deep. So blocks double here.
 * It does not look whether memory is out; nobody could go on then. */
struct block {
    size_t capacity;
    _Alignas(16) unsigned char bytes[];
};

static void *reallocate(void *context, void *bytes, size_t size)
{
    (void)context;
    struct block *block =
        bytes ? (struct block *)((unsigned char *)bytes - sizeof(struct block)) : NULL;
    if (block && size <= block->capacity)
        return bytes;
    size_t capacity = block && size < block->capacity * 2 ? block->capacity * 2 : size;
    block = realloc(block, sizeof *block + capacity);
    if (!block)
        abort();
    block->capacity = capacity;
    return block->bytes;
}

static void *allocate(void *context, size_t size)
{
    return reallocate(context, NULL, size);
}

static void release(void *context, void *bytes)
{
    (void)context;
    if (bytes)
        free((unsigned char *)bytes - sizeof(struct block));
}

/* ---- the whole */

/* yajl's words for an error, on one line and without its picture of the place. */
static enum status syntax_error(yajl_handle parser, uint64_t at, struct error *err)
{
    unsigned char *words = yajl_get_error(parser, 0, NULL, 0);
    int size = words ? (int)strcspn((const char *)words, "\n") : 0;
    error_set(err, STATUS_CORRUPT, "offset %" PRIu64 ": not JSON: %.*s", at, size,
              words ? (const char *)words : "");
    if (words)
        yajl_free_error(parser, words);
    return STATUS_CORRUPT;
}

/* In one piece: yajl looks again at the whole of a string that a piece's end cuts. */
static enum status read_whole(struct reading *reading, const uint8_t *bytes, uint64_t size,
                              bool *ret_is_cut)
{
    yajl_status parsed = yajl_parse(reading->parser, bytes, size);
    if (parsed == yajl_status_error)
        return syntax_error(reading->parser, yajl_get_bytes_consumed(reading->parser),
                            reading->err);
    if (parsed == yajl_status_ok && yajl_complete_parse(reading->parser) == yajl_status_ok)
        return STATUS_OK;
    if (reading->status != STATUS_OK)
        return reading->status;
    *ret_is_cut = true;
    return error_set(reading->err, STATUS_CORRUPT,
                     "offset %" PRIu64 ": the file ends within the JSON: it was cut short", size);
}

enum status json_read(const struct json_reader *reader, const uint8_t *bytes, uint64_t size,
                      struct progress *progress, bool *ret_is_cut, struct error *err)
{
    struct reading reading = {.reader = reader, .status = STATUS_OK, .err = err};
    size_t mark = size >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
    *ret_is_cut = false;
    yajl_alloc_funcs memory = {.malloc = allocate, .realloc = reallocate, .free = release};
    yajl_handle parser = yajl_alloc(&callbacks, &memory, &reading);
    if (!parser)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    /* names that are no UTF-8 are kept as they are, as everywhere */
    yajl_config(parser, yajl_dont_validate_strings, 1);
    reading.parser = parser;
    reading.progress = progress;
    reading.size = size;
    enum status status = read_whole(&reading, bytes + mark, size - mark, ret_is_cut);
    yajl_free(parser);
    return status;
}

/* ---- looking at the beginning */

#define LOOK_BYTES 4096u /* of the beginning */
#define LOOK_KEYS  16u

static size_t skip_blanks(const uint8_t *bytes, size_t at, size_t size)
{
    while (at < size && memchr(" \t\r\n", bytes[at], 4))
        at++;
    return at;
}

/* After the string that begins at `at`. */
static size_t skip_string(const uint8_t *bytes, size_t at, size_t size)
{
    for (at++; at < size && bytes[at] != '"'; at++)
        at += bytes[at] == '\\';
    return at < size ? at + 1 : size;
}

/* After the value that begins at `at`, by brackets and strings alone. */
static size_t skip_value(const uint8_t *bytes, size_t at, size_t size)
{
    for (unsigned depth = 0; at < size;) {
        uint8_t c = bytes[at];
        if (c == '"') {
            at = skip_string(bytes, at, size);
            continue;
        }
        if (!depth && (c == ',' || c == '}' || c == ']'))
            return at;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at++;
    }
    return size;
}

static bool is_one_of(const uint8_t *text, size_t size, const char *const *keys)
{
    for (; *keys; keys++)
        if (strlen(*keys) == size && !memcmp(*keys, text, size))
            return true;
    return false;
}

bool json_begins_with_key(const uint8_t *bytes, uint64_t whole, unsigned arrays,
                          const char *const *keys)
{
    size_t size = whole < LOOK_BYTES ? (size_t)whole : LOOK_BYTES;
    size_t at = size >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
    for (unsigned i = 0; i <= arrays; i++) {
        at = skip_blanks(bytes, at, size);
        if (at >= size || bytes[at] != (i < arrays ? '[' : '{'))
            return false;
        at++;
    }
    for (unsigned i = 0; i < LOOK_KEYS; i++) {
        at = skip_blanks(bytes, at, size);
        if (at >= size || bytes[at] != '"')
            return false;
        size_t end = skip_string(bytes, at, size);
        if (end - at >= 2 && is_one_of(bytes + at + 1, end - at - 2, keys))
            return true;
        at = skip_blanks(bytes, end, size);
        if (at >= size || bytes[at] != ':')
            return false;
        at = skip_blanks(bytes, skip_value(bytes, at + 1, size), size);
        if (at >= size || bytes[at] != ',')
            return false;
        at++;
    }
    return false;
}
