/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_PICKLE_H
#define FORMATS_PROFILES_PICKLE_H

#include "formats/profiles/pickle_memo.h"
#include "inquest/formats/profile.h"

/* The machine that a pickle is a program for, without what makes pickles
 * dangerous: it builds plain data and instances of tracemalloc's classes, and
 * calls nothing. Tuples that have the shape of tracemalloc's go into the profile
 * as they are built, so a million of them are a number each. */

enum pickle_plain {
    PLAIN_NONE,
    PLAIN_BOOL,
    PLAIN_NUMBER, /* a float, or an int past 64 bits */
    PLAIN_BYTES,
    PLAIN_TUPLE,
    PLAIN_EMPTY_TUPLE,
    PLAIN_SET,
};

enum pickle_class { CLASS_SNAPSHOT, CLASS_TRACES, CLASS_OTHER };

struct pickle_trace {
    uint32_t stack; /* a value, of PICKLE_STACK; or pickle_later: its place in the memo */
    uint32_t domain;
    uint64_t size;
};

/* For a trace's stack: what is in the memo at that place, which stays as it is. Looking there
 * at once is a cache miss for most of a million traces; doing it for all in the end is not. */
static inline uint32_t pickle_later(uint32_t index)
{
    return pickle_value(PICKLE_NOTHING, index);
}

/* The first `traces` items are the pickle's first traces, in order; then the values. */
struct pickle_list {
    size_t traces;
    pickle_values values;
};

/* A stack that was read but not looked up. Its frames come newest first and are to be the
 * other way round, so they fill the room from its end. */
#define PICKLE_FRAMES_MAX 1024

struct pickle_new_stack {
    uint32_t frames[PICKLE_FRAMES_MAX];
    size_t depth;  /* 0: it is something else */
    size_t end;    /* in the file, behind what was read of it */
    uint32_t hash; /* of the profile */
    size_t kept;   /* its place in memo.values */
};

/* Keys and values in turn. Those whose key is no string are dropped. */
struct pickle_dict {
    pickle_values pairs;
};

struct pickle_object {
    uint32_t class;
    uint32_t state; /* a value: its dict, or nothing */
};

struct pickle {
    const struct input_file *input;
    const uint8_t *data;
    size_t size, position;
    size_t offset;    /* of the opcode being run */
    size_t forgotten; /* the input's bytes before are not looked at again */
    unsigned version; /* what PROTO told */
    struct profile *profile;
    struct progress *progress;
    struct error *err;
    pickle_values stack;
    size_t floor; /* the newest mark: what is below may not be popped */
    ARRAY(size_t) marks;
    struct pickle_memo memo;
    bool needs_full_memo; /* why it failed: it is to be run again with one */
    ARRAY(uint64_t) numbers;
    ARRAY(struct pickle_trace) traces;
    ARRAY(struct pickle_list) lists;
    ARRAY(struct pickle_dict) dicts;
    ARRAY(struct pickle_object) objects;
    unsigned cache_bits; /* these are of pickle_fast.c */
    uint64_t *frame_cache;
    struct pickle_new_stack new_stacks[2];
    unsigned newest;              /* of the two: the one being read; the other was, and may wait */
    pickle_values file_functions; /* by string: the function of that file + 1, or 0 */
};

/* ---- pickle.c */

void pickle_init(struct pickle *pickle, const struct input_file *input, bool is_thin,
                 struct profile *profile, struct progress *progress, struct error *err);
void pickle_deinit(struct pickle *pickle);
/* Runs to STOP; the value is what the file holds. */
enum status pickle_run(struct pickle *pickle, uint32_t *ret_value) MUST_CHECK;
/* Fills the error: "offset 12: " and the text. */
enum status pickle_fail(struct pickle *pickle, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The words for a failure that came without any (memory, limits). */
enum status pickle_fail_plainly(struct pickle *pickle, enum status status);

/* ---- pickle_stack.c: the stack, the marks, the memo. */

enum status pickle_push(struct pickle *pickle, uint32_t value) MUST_CHECK;
/* Pushes a value whose payload may be out of range. */
enum status pickle_push_id(struct pickle *pickle, enum pickle_kind kind, size_t id) MUST_CHECK;
/* `negative` says that `number` is a negative int64_t. */
enum status pickle_push_number(struct pickle *pickle, uint64_t number, bool negative) MUST_CHECK;
enum status pickle_pop(struct pickle *pickle, uint32_t *ret_value) MUST_CHECK;
/* The `count` topmost, oldest first. They stay where they are. */
enum status pickle_top(struct pickle *pickle, size_t count, uint32_t **ret_values) MUST_CHECK;
enum status pickle_mark(struct pickle *pickle) MUST_CHECK;
/* Takes the newest mark away: the number of values above it. */
enum status pickle_unmark(struct pickle *pickle, size_t *ret_count) MUST_CHECK;
/* Both fail with needs_full_memo and no words where a thin memo will not do. */
enum status pickle_memo_put(struct pickle *pickle, uint64_t index, uint32_t value) MUST_CHECK;
enum status pickle_memo_get(struct pickle *pickle, uint64_t index) MUST_CHECK;

/* ---- pickle_build.c: what opcodes make of the values on the stack. */

/* The tuple (file, line) as a value; nothing is pushed, and failures have no words yet. */
enum status pickle_build_frame(struct pickle *pickle, uint32_t file, int32_t line,
                               uint32_t *ret_value) MUST_CHECK;
/* A tuple of the `count` topmost, in their place. */
enum status pickle_build_tuple(struct pickle *pickle, size_t count) MUST_CHECK;
enum status pickle_new_list(struct pickle *pickle) MUST_CHECK;
enum status pickle_new_dict(struct pickle *pickle) MUST_CHECK;
/* The `count` topmost go into the list, or as pairs into the dict, below them. */
enum status pickle_append(struct pickle *pickle, size_t count) MUST_CHECK;
enum status pickle_set_items(struct pickle *pickle, size_t count) MUST_CHECK;
/* tracemalloc's classes; any other name is the error. */
enum status pickle_find_class(struct pickle *pickle, const char *module, size_t module_size,
                              const char *name, size_t name_size) MUST_CHECK;
/* NEWOBJ and NEWOBJ_EX, whose arguments are the `count` topmost. */
enum status pickle_new_object(struct pickle *pickle, size_t count) MUST_CHECK;
enum status pickle_set_state(struct pickle *pickle) MUST_CHECK;

/* ---- pickle_fast.c: the commonest runs of opcodes in one go. */

enum status pickle_run_fast(struct pickle *pickle) MUST_CHECK;

#endif
