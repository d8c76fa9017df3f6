/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_OBJECT_H
#define INQUEST_ANALYZER_OBJECTS_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/arena.h"
#include "inquest/base/text.h"
#include "inquest/formats/memory_image.h"
#include "inquest/formats/python_layout.h"

/* One interpreter of the dead process, as all rooms of the analyzer see it. */
struct python_process {
    const struct memory_image *image;
    struct python_layout layout; /* of the dump's own version */
    uint64_t runtime_addr, interp_addr;
    const char *how;             /* how the runtime was found, in words */
    const char *warning;         /* what discovery leaves out, NULL: nothing */
    struct arena *arena;         /* the session's */
    struct type_table *types;    /* analyzer/objects/type_table.c */
    struct redaction *redaction; /* NULL: values are shown */
    uint64_t most_references;    /* to one object: the words of all memory; 0: not known yet */
};

/* What a type's instances are to us: one row of the kind table (kinds.c). A
 * subclass has the kind of its nearest base that has one. */
enum object_kind {
    KIND_UNKNOWN, /* no kind of ours: an ordinary object */
    KIND_TYPE,
    KIND_NONE,
    KIND_BOOL,
    KIND_INT,
    KIND_FLOAT,
    KIND_COMPLEX,
    KIND_STR,
    KIND_BYTES,
    KIND_BYTEARRAY,
    KIND_TUPLE,
    KIND_LIST,
    KIND_DICT,
    KIND_SET,
    KIND_FROZENSET,
    KIND_DEQUE,
    KIND_ELLIPSIS,
    KIND_NOT_IMPLEMENTED,
    KIND_RANGE,
    KIND_SLICE,
    KIND_CELL,
    KIND_FUNCTION,
    KIND_METHOD,
    KIND_BUILTIN,
    KIND_CODE,
    KIND_FRAME,
    KIND_TRACEBACK,
    KIND_GENERATOR,
    KIND_COROUTINE,
    KIND_ASYNC_GENERATOR,
    KIND_MODULE,
    KIND_EXCEPTION,
    KIND_MAPPING_PROXY,
    KIND_WEAKREF,
    KIND_LOCK,
    KIND_RLOCK,
    KIND_ORDERED_DICT,
    KIND_DEFAULT_DICT,
    KIND_COUNTER,
    KIND_DATETIME,
    KIND_DECIMAL,
    KIND_DATE,
    KIND_TIME,
    KIND_TIMEDELTA,
    KIND_TIMEZONE,
    KIND_FRACTION,
    KIND_UUID,
    KIND_NAMESPACE,
    KIND_PARTIAL,
    KIND_DICT_KEYS,
    KIND_DICT_VALUES,
    KIND_DICT_ITEMS,
    KIND_MEMORYVIEW,
    KIND_COUNT,
};

struct python_type {
    uint64_t addr;
    const char *name;       /* "module.qualname", builtins bare; "type at 0x…" when unknown */
    const char *qualname;   /* "qualname" alone, for reprs of functions and enums */
    const char *short_name; /* __name__ alone: "C" of "f.<locals>.C" */
    const char *module;     /* "builtins", "shop.models", …; NULL when unknown */
    enum object_kind kind;
    uint64_t flags;
    int64_t basicsize, itemsize, dictoffset;
    uint64_t base_addr;
    bool is_heap, is_exact_kind; /* is_exact_kind: the kind's own type, no subclass */
};

/* ---- type_table.c: all of a type that we need, read once and kept. */
enum status type_table_create(struct python_process *process, struct error *err) MUST_CHECK;
void type_table_destroy(struct type_table *types);
/* STATUS_CORRUPT where `type_addr` fails the self-check (its metatype chain must
 * reach the type that is its own type). The result lives as long as the table. */
enum status type_at(struct python_process *process, uint64_t type_addr,
                    const struct python_type **ret_type) MUST_CHECK;
/* The type of the object at `addr`. */
enum status object_type(struct python_process *process, uint64_t addr,
                        const struct python_type **ret_type) MUST_CHECK;
/* Whether `type` is, or derives from, the named type ("enum.Enum"); by the mro. */
bool type_derives_from(struct python_process *process, const struct python_type *type,
                       const char *name);

/* ---- field access; NOT_IN_DUMP or CORRUPT as the image says. */
enum status object_pointer(const struct python_process *process, uint64_t addr,
                           enum python_field field, uint64_t *ret_pointer) MUST_CHECK;
enum status object_size(const struct python_process *process, uint64_t addr,
                        int64_t *ret_ob_size) MUST_CHECK;

/* ---- str.c: the text of a str as UTF-8 (lone surrogates as "\udc80"), at most
 * `max_characters` (0: all, within LIMIT_NAME_BYTES callers pass that). */
enum status str_read(struct python_process *process, uint64_t addr, uint64_t max_characters,
                     struct text *ret_text) MUST_CHECK;
/* Exactly equal to an ASCII string; false on any failure. */
bool str_equals(struct python_process *process, uint64_t addr, const char *ascii);
/* A name in the session's arena; fallback "?" style text is the caller's affair. */
enum status str_name(struct python_process *process, uint64_t addr,
                     const char **ret_name) MUST_CHECK;

/* ---- bytes.c: a view of a bytes object's content. */
enum status bytes_view(struct python_process *process, uint64_t addr, uint64_t limit,
                       const uint8_t **ret_bytes, uint64_t *ret_size) MUST_CHECK;

/* ---- int.c: a small int; STATUS_OVER_LIMIT where it needs more than 63 bits. */
enum status int_read(struct python_process *process, uint64_t addr, int64_t *ret_value) MUST_CHECK;

/* ---- sequences: tuple.c, list.c. */
enum status tuple_items(struct python_process *process, uint64_t addr, uint64_t *ret_items_addr,
                        uint64_t *ret_count) MUST_CHECK;
enum status list_items(struct python_process *process, uint64_t addr, uint64_t *ret_items_addr,
                       uint64_t *ret_count) MUST_CHECK;

/* ---- dict.c: entries in insertion order, all forms: combined, split, unicode
 * and general keys, deleted entries skipped. Bounded by the dict's own sizes,
 * which are checked against the memory at hand. */
struct dict_iterator {
    uint64_t keys_addr, entries_addr, values_addr; /* values_addr 0: combined */
    uint64_t count, next;                          /* entries */
    uint64_t entry_size, key_offset, value_offset;
    uint64_t order_addr, order_count; /* insertion order of split values, 0: by index */
    bool order_descends;              /* the order bytes lie downwards from order_addr */
    const uint8_t *entries;           /* the entries at hand; NULL: read one by one */
};
enum status dict_iterate(struct python_process *process, uint64_t dict_addr,
                         struct dict_iterator *ret_iterator) MUST_CHECK;
/* False at the end; a damaged entry ends it with *ret_status set. */
bool dict_next(struct python_process *process, struct dict_iterator *iterator, uint64_t *ret_key,
               uint64_t *ret_value, enum status *ret_status);
enum status dict_count(struct python_process *process, uint64_t dict_addr,
                       uint64_t *ret_used) MUST_CHECK;
/* Linear search by an ASCII string key; STATUS_NOT_IN_DUMP where there is none. */
enum status dict_get(struct python_process *process, uint64_t dict_addr, const char *key,
                     uint64_t *ret_value) MUST_CHECK;

/* ---- instance.c: an instance's own attributes: __dict__ in all its forms
 * (materialised, managed, inline values, split), then __slots__ of each class. */
struct attribute {
    uint64_t name_addr; /* a str object, 0 where only `name` is known */
    const char *name;   /* in the session's arena, NULL where only name_addr is known */
    uint64_t value_addr;
};
typedef bool (*attribute_visitor)(void *context, const struct attribute *attribute);
/* Stops early where the visitor returns false. */
enum status instance_attributes(struct python_process *process, uint64_t addr,
                                attribute_visitor visit, void *context) MUST_CHECK;
/* One attribute of the instance itself; STATUS_NOT_IN_DUMP where there is none. */
enum status instance_attribute(struct python_process *process, uint64_t addr, const char *name,
                               uint64_t *ret_value) MUST_CHECK;

/* ---- repr.c: the value as Python's repr would print it. */
struct repr_limits {    /* 0: no bound, but for depth, which is at most 64 */
    unsigned depth;     /* of containers within containers; deeper ones are "…" */
    unsigned items;     /* of one container; "… 980 more" follows */
    size_t string_size; /* characters of one str or bytes; "… 10,000 characters" follows */
    size_t total_size;  /* bytes of the whole text; "…" follows. An int or Decimal that
                           would take half of it, or over 4,300 digits, shows its size */
};
extern const struct repr_limits repr_limits_default;
/* Appends the value. Never fails: what can't be read is said in place
 * ("<shop.Cart at 0x… not in the core>"). Redacts where the process says so. */
void object_repr(struct python_process *process, uint64_t addr, const struct repr_limits *limits,
                 struct text *text);
/* str(exception): what a traceback prints after "Type: ". Redacts. */
void exception_message(struct python_process *process, uint64_t addr, struct text *text);
/* A str's own text for people (thread names, notes), redacted where asked. */
void str_display(struct python_process *process, uint64_t addr, struct text *text);

/* ---- redaction.c: equal values get equal tokens, "<str 12 #3>", numbered in
 * the order in which they are first met, so that a core gives the same bytes
 * each time and no token can be turned back. */
struct redaction *redaction_create(void);
void redaction_destroy(struct redaction *redaction);
/* Appends the token of a value: `kind` "str", `length` in its own unit, or none. */
#define REDACTION_NO_LENGTH UINT64_MAX
void redaction_token(struct redaction *redaction, const char *kind, uint64_t length,
                     const void *bytes, size_t size, struct text *text);

#endif
