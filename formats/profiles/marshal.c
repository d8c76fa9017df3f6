/* SPDX-License-Identifier: Apache-2.0 */
/* Marshalled objects that have parts, on a stack of our own.
 *
 *   TYPE   AFTER IT                    MEANING
 *   ( )    u32 n; u8 n; n objects      tuple
 *   [ < >  u32 n, n objects            list, set, frozenset
 *   :      3 objects                   slice (3.14)
 *   { }    pairs of objects, then 0    dict, frozendict (3.15)
 *   c      see the layouts             code
 *
 * A type byte with 0x80 set gives the object the next number for references; one with
 * parts has it before they have theirs. Source: CPython, Python/marshal.c. */
#include "formats/profiles/marshal.h"

#include <stdarg.h>
#include <stdio.h>

#include "inquest/base/limits.h"

#define TYPE_FLAGGED 0x80
#define TELL_BYTES   ((size_t)1 << 20)

enum status marshal_fail(struct marshal *marshal, enum status status, const char *format, ...)
{
    char text[sizeof marshal->err->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(marshal->err, status, "offset %zu: %s", marshal->offset, text);
}

static enum status fail_memory(struct marshal *marshal)
{
    return marshal_fail(marshal, STATUS_NO_MEMORY, "%s", status_name(STATUS_NO_MEMORY));
}

/* ---- containers */

enum status marshal_open_frame(struct marshal *marshal, enum marshal_container container,
                               uint32_t count, bool flagged)
{
    if (marshal->depth == LIMIT_MARSHAL_DEPTH)
        return marshal_fail(marshal, STATUS_OVER_LIMIT,
                            "objects nested deeper than %u, which no profile has",
                            LIMIT_MARSHAL_DEPTH);
    if (!array_reserve_raw((void **)&marshal->frames, &marshal->frames_capacity, marshal->depth, 1,
                           sizeof *marshal->frames))
        return fail_memory(marshal);
    struct marshal_frame *frame = &marshal->frames[marshal->depth++];
    frame->container = container;
    frame->count = count;
    frame->done = 0;
    frame->reference = PROFILE_NO_ID;
    frame->has_key = false;
    if (container == CONTAINER_CALLERS)
        frame->callers = (struct marshal_callers){.first = marshal->profile->calls.count};
    if (!flagged)
        return STATUS_OK;
    struct marshal_value pending = {.kind = MARSHAL_NULL};
    frame->reference = (uint32_t)marshal->references.count;
    return marshal_refer(marshal, pending) ? STATUS_OK : fail_memory(marshal);
}

/* The dict that is the file, the dicts of callers in its values, and all others. */
static enum marshal_container dict_container(const struct marshal *marshal)
{
    if (!marshal->depth)
        return CONTAINER_ROOT;
    bool is_in_stat = marshal->depth == 2 && marshal->frames[1].container == CONTAINER_TUPLE &&
                      marshal->frames[0].container == CONTAINER_ROOT && marshal->frames[0].has_key;
    return is_in_stat ? CONTAINER_CALLERS : CONTAINER_DICT;
}

static enum status skip_code_numbers(struct marshal *marshal)
{
    int32_t number;
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < marshal->layout->numbers && status == STATUS_OK; i++)
        status = marshal_read_i32(marshal, &number);
    return status;
}

static enum status open_code(struct marshal *marshal, bool flagged)
{
    const struct code_layout *layout = marshal->layout;
    marshal->has_code = true;
    enum status status = marshal_open_frame(marshal, CONTAINER_CODE,
                                            layout->objects + layout->more_objects, flagged);
    return status == STATUS_OK ? skip_code_numbers(marshal) : status;
}

static enum status open_counted(struct marshal *marshal, uint8_t type, bool flagged)
{
    enum marshal_container container =
        type == '(' || type == ')' ? CONTAINER_TUPLE : CONTAINER_SEQUENCE;
    int32_t count = 3;
    enum status status = STATUS_OK;
    if (type == ')') {
        if (marshal->position == marshal->size)
            return marshal_fail(marshal, STATUS_CORRUPT,
                                "the file ends in a tuple: it is cut short; write the profile "
                                "again");
        count = marshal->data[marshal->position++];
    } else if (type != ':') {
        status = marshal_read_i32(marshal, &count);
    }
    if (status != STATUS_OK)
        return status;
    if (count < 0 || (uint32_t)count > marshal->size - marshal->position)
        return marshal_fail(marshal, STATUS_CORRUPT, "%d objects in %zu bytes: the file is damaged",
                            count, marshal->size - marshal->position);
    return marshal_open_frame(marshal, container, (uint32_t)count, flagged);
}

/* Opens what has parts. */
static enum status open_container(struct marshal *marshal, uint8_t type, bool flagged)
{
    switch (type) {
    case '(':
    case ')':
    case '[':
    case '<':
    case '>':
    case ':': return open_counted(marshal, type, flagged);
    case '{': return marshal_open_frame(marshal, dict_container(marshal), 0, flagged);
    case '}': return marshal_open_frame(marshal, CONTAINER_DICT, 0, flagged);
    case 'c': return open_code(marshal, flagged);
    case 'R':
        return marshal_fail(marshal, STATUS_UNSUPPORTED,
                            "written by Python 2, whose profiles inquest does not read");
    default:
        return marshal_fail(marshal, STATUS_CORRUPT,
                            "0x%02x is no type of marshal: the file is damaged", type);
    }
}

/* ---- their parts */

static enum status deliver_to_dict(struct marshal *marshal, struct marshal_frame *frame,
                                   struct marshal_value value)
{
    if (!frame->has_key) {
        frame->items[0] = value;
        frame->has_key = true;
        return STATUS_OK;
    }
    frame->has_key = false;
    frame->done++;
    if (frame->container == CONTAINER_DICT)
        return STATUS_OK;
    return pstats_add_pair(marshal, frame, frame->items[0], value);
}

static enum status deliver_to_code(struct marshal *marshal, struct marshal_frame *frame,
                                   struct marshal_value value)
{
    const struct code_layout *layout = marshal->layout;
    if (frame->done == layout->file)
        frame->items[0] = value;
    if (frame->done == layout->name)
        frame->items[1] = value;
    if (++frame->done == layout->objects)
        return marshal_read_i32(marshal, &frame->line);
    return STATUS_OK;
}

static enum status deliver(struct marshal *marshal, struct marshal_value value)
{
    struct marshal_frame *frame = &marshal->frames[marshal->depth - 1];
    if (value.kind == MARSHAL_NULL)
        return marshal_fail(marshal, STATUS_CORRUPT,
                            "no object where one should be: the file is damaged");
    switch (frame->container) {
    case CONTAINER_TUPLE:
        if (frame->done < MARSHAL_KEPT)
            frame->items[frame->done] = value;
        frame->done++;
        return STATUS_OK;
    case CONTAINER_SEQUENCE: frame->done++; return STATUS_OK;
    case CONTAINER_CODE: return deliver_to_code(marshal, frame, value);
    default: return deliver_to_dict(marshal, frame, value);
    }
}

static bool is_dict(const struct marshal_frame *frame)
{
    return frame->container != CONTAINER_TUPLE && frame->container != CONTAINER_SEQUENCE &&
           frame->container != CONTAINER_CODE;
}

/* Takes the innermost frame away; its object is the value. */
static enum status close_frame(struct marshal *marshal, struct marshal_value *ret_value)
{
    const struct marshal_frame *frame = &marshal->frames[marshal->depth - 1];
    enum status status = STATUS_OK;
    *ret_value = (struct marshal_value){.kind = MARSHAL_OTHER};
    switch (frame->container) {
    case CONTAINER_TUPLE: status = pstats_close_tuple(marshal, frame, ret_value); break;
    case CONTAINER_CODE: status = pstats_close_code(marshal, frame, ret_value); break;
    case CONTAINER_CALLERS: status = pstats_close_callers(marshal, frame, ret_value); break;
    default: break;
    }
    if (status == STATUS_OK && frame->reference != PROFILE_NO_ID)
        marshal_set_reference(marshal, frame->reference, *ret_value);
    marshal->depth--;
    return status;
}

/* The object is whole: gives it to the one that it is part of, and so on outwards. */
static enum status finish(struct marshal *marshal, struct marshal_value value)
{
    enum status status = STATUS_OK;
    while (marshal->depth && status == STATUS_OK) {
        struct marshal_frame *frame = &marshal->frames[marshal->depth - 1];
        bool ends_dict = value.kind == MARSHAL_NULL && is_dict(frame) && !frame->has_key;
        if (!ends_dict)
            status = deliver(marshal, value);
        if (!ends_dict && (is_dict(frame) || frame->done < frame->count))
            return status;
        if (status == STATUS_OK)
            status = close_frame(marshal, &value);
    }
    return status;
}

/* ---- the file */

static bool is_numbered(uint8_t type)
{
    return type != 'r' && type != '0' && type != 'N' && type != 'T' && type != 'F' && type != 'S' &&
           type != '.';
}

static enum status read_object(struct marshal *marshal)
{
    marshal->offset = marshal->position;
    if (marshal->position == marshal->size)
        return marshal_fail(marshal, STATUS_CORRUPT,
                            "the file ends before the profile does: it is cut short; write the "
                            "profile again");
    uint8_t byte = marshal->data[marshal->position++], type = byte & (TYPE_FLAGGED - 1);
    struct marshal_value value;
    bool is_scalar;
    enum status status = marshal_read_scalar(marshal, type, &value, &is_scalar);
    if (status != STATUS_OK)
        return status;
    if (!is_scalar) {
        status = open_container(marshal, type, byte & TYPE_FLAGGED);
        if (status != STATUS_OK)
            return status;
        const struct marshal_frame *frame = &marshal->frames[marshal->depth - 1];
        if (is_dict(frame) || frame->count)
            return status;
        status = close_frame(marshal, &value);
    } else if (byte & TYPE_FLAGGED && is_numbered(type) && !marshal_refer(marshal, value)) {
        return fail_memory(marshal);
    }
    return status == STATUS_OK ? finish(marshal, value) : status;
}

void marshal_tell(struct marshal *marshal)
{
    if (marshal->position - marshal->told < TELL_BYTES)
        return;
    progress_update(marshal->progress, "profile", "bytes", marshal->position, marshal->size);
    input_file_forget(marshal->input, marshal->told, marshal->position);
    marshal->told = marshal->position;
}

enum status marshal_run(struct marshal *marshal)
{
    enum status status = STATUS_OK;
    do {
        status = read_object(marshal);
        marshal_tell(marshal);
        if (status == STATUS_OK && marshal->depth)
            status = marshal_run_fast(marshal);
    } while (status == STATUS_OK && marshal->depth);
    return status;
}
