/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_JSON_H
#define INQUEST_REPORTS_RENDER_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/base/text.h"

#define JSON_MAX_DEPTH 64

/* Writes one JSON document into a text, as it comes. The writer keeps the commas
 * and checks the nesting: a value without its key, an end that matches no begin
 * or a depth past JSON_MAX_DEPTH sets `failed`, and json_finish says so. What has
 * been written may be taken out of `text` (drained) between any two calls. */
struct json_writer {
    struct text *text;
    unsigned depth;
    bool failed;
    struct {
        bool is_array, has_items;
        bool has_key; /* of an object: a key waits for its value */
    } levels[JSON_MAX_DEPTH];
    bool has_document;
};

void json_init(struct json_writer *json, struct text *text);

void json_begin_object(struct json_writer *json);
void json_end_object(struct json_writer *json);
void json_begin_array(struct json_writer *json);
void json_end_array(struct json_writer *json);
void json_key(struct json_writer *json, const char *key);

void json_null(struct json_writer *json);
void json_bool(struct json_writer *json, bool value);
void json_integer(struct json_writer *json, int64_t value);
void json_real(struct json_writer *json, double value); /* shortest that reads back; NaN: null */
void json_string(struct json_writer *json, const char *value); /* NULL: null */
void json_address(struct json_writer *json, uint64_t address); /* "0x…" */

/* A key and its value at once. */
void json_member_string(struct json_writer *json, const char *key, const char *value);
void json_member_integer(struct json_writer *json, const char *key, int64_t value);
void json_member_integer_if(struct json_writer *json, const char *key, bool is_known,
                            int64_t value); /* else null */
/* Without a fraction where the value has none. */
void json_amount(struct json_writer *json, double value);
void json_member_amount(struct json_writer *json, const char *key, double value);
void json_member_bool(struct json_writer *json, const char *key, bool value);
void json_member_null(struct json_writer *json, const char *key);
void json_member_address(struct json_writer *json, const char *key, uint64_t address);

/* Ends the document with a newline. False: it was not one whole document, or
 * memory ran out. */
bool json_finish(struct json_writer *json) MUST_CHECK;

#endif
