/* SPDX-License-Identifier: Apache-2.0 */
/* What nearly all of a pstats file consists of, in one go:
 *
 *   function   ) 3 string int string, or a reference to one
 *   numbers    int int float float
 *   stat       function, then ) 5 numbers { calls 0
 *   call       function, then ) 4 numbers, or int
 *
 * where strings and numbers may be references and all but calls may have a number for
 * references. Each step leaves what the reader of single objects would have left; whatever
 * looks different in the least, errors included, is left to that one. */
#include <string.h>

#include "formats/profiles/marshal.h"
#include "inquest/base/bytes_reader.h"

/* More than a function of references and its numbers take, so that one comparison checks them
 * all; a string that is not a reference checks that as much follows it. */
#define RUN_BYTES 64

#define LOOK_BYTES 512
#define FLAG       0x80

static inline bool has_run(const struct marshal *marshal, const uint8_t *at)
{
    return (size_t)(marshal->data + marshal->size - at) >= RUN_BYTES;
}

/* ---- Parts. Each moves *at past itself, or tells that there is something else. */

static inline bool read_reference(const struct marshal *marshal, const uint8_t **at,
                                  struct marshal_value *ret_value)
{
    uint32_t number = load_u32(*at + 1);
    if (**at != 'r' || number >= marshal->references.count)
        return false;
    *ret_value = marshal_referred(marshal, number);
    *at += 5;
    return true;
}

static inline bool read_whole(struct marshal *marshal, const uint8_t **at, int64_t *ret_whole)
{
    uint8_t type = **at;
    struct marshal_value value = {.kind = MARSHAL_INT};
    if ((type & ~FLAG) == 'i') {
        value.whole = (int32_t)load_u32(*at + 1);
        *at += 5;
        if (type & FLAG && !marshal_refer(marshal, value))
            return false;
    } else if (!read_reference(marshal, at, &value) || value.kind != MARSHAL_INT) {
        return false;
    }
    *ret_whole = value.whole;
    return true;
}

static inline bool read_time(struct marshal *marshal, const uint8_t **at, double *ret_time)
{
    uint8_t type = **at;
    struct marshal_value value = {.kind = MARSHAL_FLOAT};
    if ((type & ~FLAG) == 'g') {
        uint64_t bits = load_u64(*at + 1);
        memcpy(&value.number, &bits, sizeof bits);
        *at += 9;
        if (type & FLAG && !marshal_refer(marshal, value))
            return false;
    } else if (!read_reference(marshal, at, &value) || value.kind != MARSHAL_FLOAT) {
        return false;
    }
    *ret_time = value.number;
    return true;
}

static inline bool read_numbers(struct marshal *marshal, const uint8_t **at,
                                struct marshal_numbers *ret_numbers)
{
    return read_whole(marshal, at, &ret_numbers->counts[0]) &&
           read_whole(marshal, at, &ret_numbers->counts[1]) &&
           read_time(marshal, at, &ret_numbers->times[0]) &&
           read_time(marshal, at, &ret_numbers->times[1]);
}

static bool read_string(struct marshal *marshal, const uint8_t **at, uint32_t *ret_string)
{
    uint8_t type = **at;
    struct marshal_value value = {.kind = MARSHAL_STRING};
    const uint8_t *text = *at + 2;
    size_t size = (*at)[1];
    switch (type & ~FLAG) {
    case 'z':
    case 'Z': break;
    case 'a':
    case 'A':
    case 'u':
    case 't':
        size = load_u32(*at + 1);
        text = *at + 5;
        break;
    default:
        if (!read_reference(marshal, at, &value) || value.kind != MARSHAL_STRING)
            return false;
        *ret_string = value.id;
        return true;
    }
    size_t left = (size_t)(marshal->data + marshal->size - text);
    if (left < RUN_BYTES || size > left - RUN_BYTES ||
        profile_add_string(marshal->profile, (const char *)text, size, &value.id) != STATUS_OK)
        return false;
    *at = text + size;
    *ret_string = value.id;
    return !(type & FLAG) || marshal_refer(marshal, value);
}

static bool read_new_function(struct marshal *marshal, const uint8_t **at, uint32_t *ret_function)
{
    uint8_t type = (*at)[0];
    struct marshal_value value = {.kind = MARSHAL_NULL};
    uint32_t reference = (uint32_t)marshal->references.count, file, name;
    int64_t line;
    if ((type & ~FLAG) != ')' || (*at)[1] != 3 || (type & FLAG && !marshal_refer(marshal, value)))
        return false;
    *at += 2;
    if (!read_string(marshal, at, &file) || !read_whole(marshal, at, &line) ||
        line != (int32_t)line || !read_string(marshal, at, &name) ||
        profile_add_function(marshal->profile, name, file, (int32_t)line, ret_function) !=
            STATUS_OK)
        return false;
    value = (struct marshal_value){.kind = MARSHAL_FUNCTION, .id = *ret_function};
    if (type & FLAG)
        marshal_set_reference(marshal, reference, value);
    return true;
}

static inline bool read_function(struct marshal *marshal, const uint8_t **at,
                                 uint32_t *ret_function)
{
    struct marshal_value value;
    if (**at != 'r')
        return read_new_function(marshal, at, ret_function);
    if (!read_reference(marshal, at, &value) || value.kind != MARSHAL_FUNCTION)
        return false;
    *ret_function = value.id;
    return true;
}

/* ---- Calls. */

static inline bool read_call(struct marshal *marshal, const uint8_t **at,
                             struct profile_call *ret_call)
{
    struct marshal_numbers numbers = {0};
    uint32_t caller;
    if (!read_function(marshal, at, &caller))
        return false;
    bool is_count = **at != ')';
    if (is_count) {
        if (!read_whole(marshal, at, &numbers.counts[0]))
            return false;
    } else {
        if ((*at)[1] != 4)
            return false;
        *at += 2;
        if (!read_numbers(marshal, at, &numbers))
            return false;
    }
    *ret_call = (struct profile_call){.caller = caller,
                                      .callee = PROFILE_NO_ID,
                                      .calls = numbers.counts[0],
                                      .primitive_calls = numbers.counts[1],
                                      .self = numbers.times[0],
                                      .total = numbers.times[1],
                                      .is_count = is_count};
    return true;
}

/* From the type byte of an object to the next one's, in a string but for its bytes. */
static const uint8_t sizes[128] = {
    ['i'] = 5, ['g'] = 9, ['r'] = 5, ['z'] = 2, ['Z'] = 2, ['a'] = 5, ['A'] = 5,
    ['u'] = 5, ['t'] = 5, [')'] = 2, ['('] = 5, ['{'] = 1, ['0'] = 1,
};

/* References come in no order: asks for what those further on name, so that it is at hand
 * then. Goes by sizes alone: that it may be wrong costs nothing but time. */
static inline void look_ahead(struct marshal *marshal)
{
    size_t end = marshal->position + LOOK_BYTES;
    if (end + 16 > marshal->size)
        return;
    if (marshal->looked < marshal->position)
        marshal->looked = marshal->position;
    while (marshal->looked < end) {
        const uint8_t *at = marshal->data + marshal->looked;
        uint8_t type = *at & ~FLAG, size = sizes[type];
        if (type == 'r') {
            uint32_t reference = load_u32(at + 1);
            if (reference < marshal->references.count)
                __builtin_prefetch(&marshal->references.items[reference]);
        }
        marshal->looked += size ? size : LOOK_BYTES;
        if (size == 2 && type != ')')
            marshal->looked += at[1];
    }
}

static enum status run_calls(struct marshal *marshal, struct marshal_frame *frame)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        const uint8_t *start = marshal->data + marshal->position, *at = start;
        size_t references = marshal->references.count;
        struct profile_call call;
        if (!has_run(marshal, at) || !read_call(marshal, &at, &call)) {
            marshal->references.count = references;
            return STATUS_OK;
        }
        marshal->offset = marshal->position;
        frame->done++;
        status = pstats_add_call(marshal, frame, &call);
        marshal->position += (size_t)(at - start);
        look_ahead(marshal);
        marshal_tell(marshal);
    }
    return status;
}

/* ---- Stats. */

static size_t offset_of(const struct marshal *marshal, const uint8_t *at)
{
    return (size_t)(at - marshal->data);
}

static bool run_key(struct marshal *marshal, struct marshal_frame *root)
{
    const uint8_t *at = marshal->data + marshal->position;
    size_t references = marshal->references.count;
    struct marshal_value *key = &root->items[0];
    if (!has_run(marshal, at) || !read_function(marshal, &at, &key->id)) {
        marshal->references.count = references;
        return false;
    }
    key->kind = MARSHAL_FUNCTION;
    root->has_key = true;
    marshal->position = offset_of(marshal, at);
    return true;
}

/* A stat's numbers, in its frame. */
static bool run_numbers(struct marshal *marshal, struct marshal_frame *stat)
{
    const uint8_t *at = marshal->data + marshal->position;
    size_t references = marshal->references.count;
    struct marshal_numbers numbers;
    if (!read_numbers(marshal, &at, &numbers)) {
        marshal->references.count = references;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        stat->items[i] = (struct marshal_value){.kind = MARSHAL_INT, .whole = numbers.counts[i]};
        stat->items[2 + i] =
            (struct marshal_value){.kind = MARSHAL_FLOAT, .number = numbers.times[i]};
    }
    stat->done = 4;
    marshal->position = offset_of(marshal, at);
    return true;
}

/* From the key of a stat to where its calls begin, or as far as it goes. */
static enum status run_head(struct marshal *marshal, struct marshal_frame *root)
{
    if (!run_key(marshal, root))
        return STATUS_OK;
    const uint8_t *at = marshal->data + marshal->position;
    if (!has_run(marshal, at) || (at[0] & ~FLAG) != ')' || at[1] != 5)
        return STATUS_OK;
    enum status status = marshal_open_frame(marshal, CONTAINER_TUPLE, 5, at[0] & FLAG);
    marshal->position += 2;
    if (status != STATUS_OK || !run_numbers(marshal, &marshal->frames[marshal->depth - 1]))
        return status;
    at = marshal->data + marshal->position;
    if ((*at & ~FLAG) != '{')
        return STATUS_OK;
    marshal->position++;
    return marshal_open_frame(marshal, CONTAINER_CALLERS, 0, *at & FLAG);
}

enum status marshal_run_fast(struct marshal *marshal)
{
    struct marshal_frame *frame = &marshal->frames[marshal->depth - 1];
    enum status status = STATUS_OK;
    if (frame->container == CONTAINER_ROOT && !frame->has_key) {
        status = run_head(marshal, frame);
        frame = &marshal->frames[marshal->depth - 1];
    }
    if (status == STATUS_OK && frame->container == CONTAINER_CALLERS && !frame->has_key)
        status = run_calls(marshal, frame);
    return status;
}
