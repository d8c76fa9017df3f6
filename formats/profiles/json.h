/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_JSON_H
#define FORMATS_PROFILES_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"
#include "inquest/base/progress.h"

/* Reads JSON as a stream of values, each with the place where it stands. A format
 * is a table of places: which key of which place leads to which. Values elsewhere
 * are passed over, however deep they nest. Nothing of the text is kept. */

#define JSON_ROOT       0u   /* the place of the outermost value */
#define JSON_ELSEWHERE  255u /* no place of the table */
#define JSON_PLACES_MAX 64u

struct json_rule {
    uint8_t place;
    const char *key; /* NULL: each element of an array, at the outermost level too */
    uint8_t leads_to;
};

enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_STRING,
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
};

struct json_value {
    uint8_t place;
    enum json_kind kind;
    bool truth;
    const char *text; /* of a string (UTF-8, escapes undone) or number (as written): borrowed */
    size_t size;
};

struct json_reader {
    const struct json_rule *rules;
    size_t rule_count;
    /* Takes the values at the places of the table, in order. Anything but
     * STATUS_OK ends the reading and is its result. */
    enum status (*take)(void *context, const struct json_value *value, struct error *err);
    void *context;
    const char *stage; /* for progress */
};

/* STATUS_CORRUPT, with the offset, where it is no JSON. *ret_is_cut tells then whether
 * it is JSON up to its end, only cut short. */
enum status json_read(const struct json_reader *reader, const uint8_t *bytes, uint64_t size,
                      struct progress *progress, bool *ret_is_cut, struct error *err) MUST_CHECK;

/* Whether the bytes begin as an object (within `arrays` arrays) whose first few keys
 * include one of `keys`, which ends with NULL. Looks at the beginning only. */
bool json_begins_with_key(const uint8_t *bytes, uint64_t size, unsigned arrays,
                          const char *const *keys);

#endif
