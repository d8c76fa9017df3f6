/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_PICKLE_VALUE_H
#define FORMATS_PROFILES_PICKLE_VALUE_H

#include <stdint.h>

#include "inquest/base/array.h"

/* A value is its kind in the upper 4 bits and a payload, mostly an index, in the
 * lower 28. Kind 0 is no value: what the memo holds where nothing was put. */
enum pickle_kind {
    PICKLE_NOTHING,
    PICKLE_INT,    /* the payload itself */
    PICKLE_LONG,   /* in `numbers`, as int64_t */
    PICKLE_ULONG,  /* in `numbers`: 2^63 and more */
    PICKLE_STRING, /* of the profile */
    PICKLE_FRAME,  /* of the profile: a tuple (str, int) */
    PICKLE_STACK,  /* of the profile: a tuple of frames, newest first */
    PICKLE_TRACE,  /* in `traces`: (domain, size, stack) or with total_nframe */
    PICKLE_LIST,   /* in `lists`; or a tuple of traces */
    PICKLE_DICT,   /* in `dicts` */
    PICKLE_OBJECT, /* in `objects` */
    PICKLE_CLASS,  /* enum pickle_class */
    PICKLE_PLAIN,  /* enum pickle_plain: data that says nothing about traces */
};

#define PICKLE_PAYLOAD_BITS 28
#define PICKLE_PAYLOAD_MAX  ((UINT32_C(1) << PICKLE_PAYLOAD_BITS) - 1)

typedef ARRAY(uint32_t) pickle_values;

static inline uint32_t pickle_value(enum pickle_kind kind, uint32_t payload)
{
    return (uint32_t)kind << PICKLE_PAYLOAD_BITS | payload;
}

static inline enum pickle_kind pickle_kind_of(uint32_t value)
{
    return (enum pickle_kind)(value >> PICKLE_PAYLOAD_BITS);
}

static inline uint32_t pickle_payload(uint32_t value)
{
    return value & PICKLE_PAYLOAD_MAX;
}

#endif
