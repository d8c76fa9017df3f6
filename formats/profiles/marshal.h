/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_MARSHAL_H
#define FORMATS_PROFILES_MARSHAL_H

#include "inquest/formats/profile.h"

/* Reads one marshalled object, without recursion. Values that pstats has no use for
 * are checked and dropped; the shapes it has are folded as they close. */

enum marshal_kind {
    MARSHAL_NULL,     /* no object: what ends a dict */
    MARSHAL_OTHER,    /* of no use here: None, bytes, lists, sets, other tuples and dicts … */
    MARSHAL_INT,      /* `whole` */
    MARSHAL_FLOAT,    /* `number`: also an int past 64 bits */
    MARSHAL_STRING,   /* `id`, of the profile */
    MARSHAL_CODE,     /* `id`: the string that its repr would be, without the address */
    MARSHAL_SAMPLED,  /* the tuple ('__sampled__',) */
    MARSHAL_FUNCTION, /* `id`, of the profile: a tuple (str, int, str or code) */
    MARSHAL_CALL,     /* a tuple of four numbers; `id` in `calls` */
    MARSHAL_CALLERS,  /* a dict of functions; `id` in `callers` */
    MARSHAL_STAT,     /* a tuple of four numbers and callers; `id` in `stats` */
};

struct marshal_value {
    enum marshal_kind kind;
    union {
        int64_t whole;
        double number;
        uint32_t id;
    };
};

/* Numbers of a function or of a call, as the file orders them: cc, nc, tt, ct in the
 * one, nc, cc, tt, ct in the other. */
struct marshal_numbers {
    int64_t counts[2];
    double times[2];
};

/* What a reference can name, in half the bytes of a value: `id` is the value's, a small
 * int's bits, or the place in `wide`. */
struct marshal_reference {
    uint16_t kind; /* enum marshal_kind */
    bool is_wide;
    uint32_t id;
};

struct marshal_callers {
    uint64_t first; /* of profile.calls; their callee is set when a stat takes them */
    uint32_t count;
    bool is_taken;
};

struct marshal_stat {
    struct marshal_numbers numbers;
    uint32_t callers;
};

/* The parts of a marshalled code object: numbers without a type byte, objects, the
 * first line, objects again. */
struct code_layout {
    unsigned numbers, objects, more_objects;
    unsigned file, name; /* which of the objects */
};

/* A number for each function; 0 at first. */
struct marshal_map {
    uint32_t *items;
    size_t count, capacity;
};

#define MARSHAL_KEPT 5 /* of a tuple's items: no shape that is folded has more */

enum marshal_container {
    CONTAINER_TUPLE,
    CONTAINER_SEQUENCE, /* items are dropped */
    CONTAINER_DICT,     /* items are dropped */
    CONTAINER_CALLERS,
    CONTAINER_ROOT,
    CONTAINER_CODE,
};

/* An object whose parts are being read. */
struct marshal_frame {
    enum marshal_container container;
    uint32_t count, done; /* parts: in all (dicts end by themselves), read */
    uint32_t reference;   /* its place in `references`, or PROFILE_NO_ID */
    bool has_key;
    struct marshal_value items[MARSHAL_KEPT]; /* a dict: 0 is the key; code: file, name */
    int32_t line;                             /* of code */
    struct marshal_callers callers;
};

struct marshal {
    const struct input_file *input;
    const uint8_t *data; /* the input's */
    size_t size, position;
    size_t offset; /* of the type byte being read */
    size_t looked; /* up to where the fast way looked ahead */
    size_t told;   /* up to where marshal_tell told and forgot */
    struct profile *profile;
    struct progress *progress;
    struct error *err;
    const struct code_layout *layout;
    bool has_code;
    struct marshal_frame *frames;
    size_t frames_capacity;
    uint32_t depth; /* of frames */
    ARRAY(struct marshal_reference) references;
    ARRAY(struct marshal_value) wide; /* floats and large ints among them */
    /* The last one, and those that a reference can name again. */
    ARRAY(struct marshal_numbers) calls;
    ARRAY(struct marshal_callers) callers;
    ARRAY(struct marshal_stat) stats;
    ARRAY(uint64_t) has_stat;   /* a bit for each function */
    struct marshal_map call_of; /* its last place in profile.calls + 1 */
    unsigned code_keys;         /* code objects met in the place of a name */
};

/* ---- marshal.c */

enum status marshal_run(struct marshal *marshal) MUST_CHECK;
/* How far it is, now and then; what was read takes no memory from then on. */
void marshal_tell(struct marshal *marshal);
/* What is read next are the object's parts; `flagged` gives it the next number. */
enum status marshal_open_frame(struct marshal *marshal, enum marshal_container container,
                               uint32_t count, bool flagged) MUST_CHECK;
enum status marshal_fail(struct marshal *marshal, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* ---- marshal_reference.c */

/* Gives the value the next number; false: out of memory. */
bool marshal_refer(struct marshal *marshal, struct marshal_value value) MUST_CHECK;
void marshal_set_reference(struct marshal *marshal, uint32_t number, struct marshal_value value);

static inline struct marshal_value marshal_referred(const struct marshal *marshal, uint32_t number)
{
    struct marshal_reference reference = marshal->references.items[number];
    if (reference.is_wide)
        return marshal->wide.items[reference.id];
    struct marshal_value value = {.kind = (enum marshal_kind)reference.kind};
    if (reference.kind == MARSHAL_INT)
        value.whole = (int32_t)reference.id;
    else
        value.id = reference.id;
    return value;
}

/* ---- marshal_fast.c: the commonest runs of objects in one go. */

enum status marshal_run_fast(struct marshal *marshal) MUST_CHECK;

/* ---- marshal_scalar.c: objects without parts. */

/* *ret_known says whether `type` is one of them. */
enum status marshal_read_scalar(struct marshal *marshal, uint8_t type,
                                struct marshal_value *ret_value, bool *ret_known) MUST_CHECK;
enum status marshal_read_i32(struct marshal *marshal, int32_t *ret_number) MUST_CHECK;

/* ---- pstats.c: what closed objects mean. */

enum status pstats_close_tuple(struct marshal *marshal, const struct marshal_frame *frame,
                               struct marshal_value *ret_value) MUST_CHECK;
enum status pstats_close_code(struct marshal *marshal, const struct marshal_frame *frame,
                              struct marshal_value *ret_value) MUST_CHECK;
enum status pstats_close_callers(struct marshal *marshal, const struct marshal_frame *frame,
                                 struct marshal_value *ret_value) MUST_CHECK;
/* The frame is that of a dict of callers. */
enum status pstats_add_call(struct marshal *marshal, struct marshal_frame *frame,
                            const struct profile_call *call) MUST_CHECK;
/* A pair of the dict that is the file, or of one of callers. */
enum status pstats_add_pair(struct marshal *marshal, struct marshal_frame *frame,
                            struct marshal_value key, struct marshal_value value) MUST_CHECK;

#endif
