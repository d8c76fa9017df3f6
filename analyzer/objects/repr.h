/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_REPR_H
#define INQUEST_ANALYZER_OBJECTS_REPR_H

#include <inttypes.h>
#include <stdio.h>

#include "analyzer/objects/class_shape.h"
#include "analyzer/objects/containers.h"
#include "analyzer/objects/int.h"
#include "analyzer/objects/kinds.h"

#define REPR_DEPTH_MAX   64
#define REPR_NESTING_MAX 128
#define ADDRESS          "0x%" PRIx64

/* One value being written. */
struct repr {
    struct python_process *process;
    struct repr_limits limits; /* with 0 resolved to the largest number */
    struct text *text;
    unsigned nesting; /* of values within values, whether containers or not */
    unsigned depth;
    uint64_t active[REPR_DEPTH_MAX]; /* what contains us; 0 for what Python does not guard */
};

/* A form: writes the object at `addr`, whose type is `type`. */
typedef void (*repr_function)(struct repr *repr, const struct python_type *type, uint64_t addr);

/* ---- repr.c */
void repr_value(struct repr *repr, uint64_t addr);
/* As its kind prints, whatever its class says. */
void repr_as_kind(struct repr *repr, const struct python_type *type, uint64_t addr);
/* The value that a field points to; says so where the field can't be read. */
void repr_field(struct repr *repr, uint64_t addr, enum python_field field);
/* The name or text that a field points to, as it is and never redacted; "?" for none. */
void repr_field_name(struct repr *repr, uint64_t addr, enum python_field field);
/* "<str at 0x… not in the core>" */
void repr_unreadable(struct repr *repr, const char *what, uint64_t addr, enum status status);
/* Whether an array of `count` words can be what it claims: its end was mapped. */
bool repr_array_is_sane(struct repr *repr, uint64_t items_addr, uint64_t count);

/* Goes into a container. False where it was written in place: `recursion` inside
 * itself (NULL: Python does not look), "…" too deep. */
bool repr_enter(struct repr *repr, uint64_t addr, const char *recursion) MUST_CHECK;
void repr_leave(struct repr *repr);
/* What repr_enter asks and does, for those that write something else instead: NULL,
 * or what stands for the content. */
const char *repr_closed(const struct repr *repr, uint64_t addr);
void repr_push(struct repr *repr, uint64_t addr);

/* Between items: writes ", " but before the first, and at the bound "… 980 more";
 * false where the container is to end. `total` UINT64_MAX: not known. */
bool repr_next_item(struct repr *repr, uint64_t index, uint64_t total);
/* After items: says why they ended early, if they did. */
void repr_items_end(struct repr *repr, enum status status);

/* The token of a value, where values are not to be shown. */
static inline bool repr_is_redacted(const struct repr *repr)
{
    return repr->process->redaction != NULL;
}
void repr_token(struct repr *repr, const char *kind, uint64_t length, const void *bytes,
                size_t size);

/* ---- repr_text.c */
/* A str as Python quotes it, never redacted, at most `max_characters`. */
enum status str_append_quoted(struct python_process *process, uint64_t addr,
                              uint64_t max_characters, struct text *text) MUST_CHECK;
/* printable.c: str.isprintable() of one character in CPython 3.`minor`. */
bool code_point_is_printable(uint32_t code_point, unsigned minor);
void repr_str(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_bytes(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_bytearray(struct repr *repr, const struct python_type *type, uint64_t addr);

/* ---- repr_number.c */
void repr_bool(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_int(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_float(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_complex(struct repr *repr, const struct python_type *type, uint64_t addr);
/* Whether a number of that many decimal digits is to be written out. */
bool repr_shows_digits(const struct repr *repr, uint64_t digits);

/* ---- repr_sequence.c */
void repr_tuple(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_list(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_set(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_deque(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_range(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_slice(struct repr *repr, const struct python_type *type, uint64_t addr);

/* ---- repr_dict.c */
void repr_dict(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_default_dict(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_mapping_proxy(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_dict_view(struct repr *repr, const struct python_type *type, uint64_t addr);
/* ---- repr_ordered_dict.c, repr_counter.c */
void repr_ordered_dict(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_counter(struct repr *repr, const struct python_type *type, uint64_t addr);

/* ---- repr_callable.c, repr_code.c */
void repr_function_object(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_method(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_builtin(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_partial(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_code(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_frame(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_generator(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_cell(struct repr *repr, const struct python_type *type, uint64_t addr);

/* ---- repr_class.c, repr_module.c */
void repr_class(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_module(struct repr *repr, const struct python_type *type, uint64_t addr);

/* ---- repr_object.c, repr_record.c, repr_enum.c, repr_exception.c */
void repr_object(struct repr *repr, const struct python_type *type, uint64_t addr);
/* "<shop.MyList at 0x… [1, 2]>": a builtin value in a class that prints otherwise. */
void repr_overridden(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_namespace(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_dataclass(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_named_items(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_enum(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_exception(struct repr *repr, const struct python_type *type, uint64_t addr);

/* ---- repr_datetime.c, repr_decimal.c, repr_stdlib.c */
void repr_date(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_datetime(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_time(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_timedelta(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_timezone(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_decimal(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_fraction(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_uuid(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_weakref(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_lock(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_rlock(struct repr *repr, const struct python_type *type, uint64_t addr);
void repr_memoryview(struct repr *repr, const struct python_type *type, uint64_t addr);

#endif
