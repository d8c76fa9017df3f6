/* SPDX-License-Identifier: Apache-2.0 */
/* What nearly all of a pstats file consists of, done in one go: a caller that was seen
 * before and its four numbers. Whatever looks different in the least, errors
 * included, is left to the reader of single objects. */
#include <string.h>

#include "formats/profiles/marshal.h"
#include "inquest/base/bytes_reader.h"

/* Longer than the longest run, so that one comparison checks all its reads. */
#define RUN_BYTES 64

/* A number, or a reference to one; its length, or 0 where the bytes are something else. A flag
 * gives it the next number for references. */
static inline size_t number(struct marshal *marshal, const uint8_t *bytes,
                            struct marshal_value *ret_value)
{
    uint8_t type = bytes[0] & 0x7F;
    bool is_whole = type == 'i';
    if (bytes[0] == 'r') {
        uint32_t reference = load_u32(bytes + 1);
        if (reference >= marshal->references.count)
            return 0;
        *ret_value = marshal_referred(marshal, reference);
        return 5;
    }
    if (!is_whole && type != 'g')
        return 0;
    ret_value->kind = is_whole ? MARSHAL_INT : MARSHAL_FLOAT;
    if (is_whole) {
        ret_value->whole = (int32_t)load_u32(bytes + 1);
    } else {
        uint64_t bits = load_u64(bytes + 1);
        memcpy(&ret_value->number, &bits, sizeof bits);
    }
    if (bytes[0] != type && !marshal_refer(marshal, *ret_value))
        return 0;
    return is_whole ? 5 : 9;
}

static inline enum status run_call(struct marshal *marshal, struct marshal_frame *frame,
                                   const uint8_t *bytes, size_t *ret_size)
{
    uint32_t reference = load_u32(bytes + 1);
    if (bytes[0] != 'r' || bytes[5] != ')' || bytes[6] != 4 ||
        reference >= marshal->references.count)
        return STATUS_OK;
    struct marshal_value caller = marshal_referred(marshal, reference), items[4];
    size_t at = 7, references = marshal->references.count;
    for (unsigned i = 0; i < 4; i++) {
        size_t part = number(marshal, bytes + at, &items[i]);
        if (!part) {
            marshal->references.count = references;
            return STATUS_OK;
        }
        at += part;
    }
    struct marshal_numbers numbers;
    if (caller.kind != MARSHAL_FUNCTION || !pstats_numbers(items, &numbers)) {
        marshal->references.count = references;
        return STATUS_OK;
    }
    *ret_size = at;
    frame->done++;
    return pstats_add_call(marshal, frame, caller.id, &numbers);
}

/* Calls are mostly of one length, and callers come in no order: asks for what the fourth
 * call from here refers to, if it is where it seems to be. */
static inline void look_ahead(const struct marshal *marshal, size_t size)
{
    size_t ahead = 3 * size;
    if (marshal->size - marshal->position < ahead + 5)
        return;
    const uint8_t *bytes = marshal->data + marshal->position + ahead;
    uint32_t reference = load_u32(bytes + 1);
    if (bytes[0] == 'r' && reference < marshal->references.count)
        __builtin_prefetch(&marshal->references.items[reference]);
}

enum status marshal_run_fast(struct marshal *marshal)
{
    struct marshal_frame *frame = &marshal->frames[marshal->depth - 1];
    enum status status = STATUS_OK;
    if (frame->container != CONTAINER_CALLERS || frame->has_key)
        return status;
    while (status == STATUS_OK && marshal->size - marshal->position >= RUN_BYTES) {
        size_t size = 0;
        marshal->offset = marshal->position;
        status = run_call(marshal, frame, marshal->data + marshal->position, &size);
        if (!size)
            break;
        look_ahead(marshal, size);
        marshal->position += size;
    }
    return status;
}
