/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_PROFILE_H
#define INQUEST_FORMATS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/error.h"
#include "inquest/base/progress.h"
#include "inquest/formats/input_file.h"

/* What a recording says, whatever its format, as flat arrays that refer to each
 * other by index. The parsers fill it through the functions below; nothing here
 * knows a question. A tree is made of it in analyzer/profile/. */

enum profile_family { PROFILE_NONE, PROFILE_TRACEMALLOC, PROFILE_PSTATS, PROFILE_SAMPLES };

/* ARRAY has a type of its own at each use; these are named to be passed. */
#define PROFILE_NO_ID UINT32_MAX

/* A text of the recording: UTF-8 in which lone surrogates may stand (three bytes
 * each, as Python's "surrogatepass" writes them), so that comparing bytes orders
 * as Python orders. Other bytes that are no UTF-8 are kept as they were. */
struct profile_string {
    uint64_t offset; /* into profile.bytes; NUL follows */
    uint32_t size;
    uint32_t hash;
};

/* A function as the recording names it. Equal ones are one. */
struct profile_function {
    uint32_t name, file; /* strings; 0, the empty one, where unknown */
    int32_t line;        /* of its first line; 0 where unknown (samples: lines are the frames') */
};

/* A place in a stack. Equal ones are one. */
struct profile_frame {
    uint32_t function;
    int32_t line; /* executing; 0 where unknown */
};

/* A way from the outermost frame to the innermost. Equal ones are one. */
struct profile_stack {
    uint64_t first; /* into profile.stack_frames, outermost first */
    uint32_t depth;
    uint32_t hash;
};

/* PROFILE_TRACEMALLOC: blocks that one stack allocated in one domain. */
struct profile_trace {
    uint32_t stack, domain;
    uint64_t size;  /* bytes, of all blocks */
    uint64_t count; /* blocks */
};

/* PROFILE_SAMPLES: how much one stack was seen in one track. */
struct profile_sample {
    uint32_t stack, track;
    double weight;  /* in the profile's unit */
    uint64_t count; /* samples where the format tells them, otherwise rows merged here */
};

/* PROFILE_SAMPLES: a process or thread that was recorded. Its name is the file's: where
 * that writes processes and threads as the outermost frames, those labels as they
 * stand there, joined by ';' (stacks begin below them). */
struct profile_track {
    uint32_t name;                      /* string */
    int64_t pid, tid;                   /* -1 where not told */
    bool is_idle, is_active, holds_gil; /* of py-spy dump */
};

/* PROFILE_PSTATS: a function's own numbers, in the file's order. */
struct profile_stat {
    uint32_t function;
    uint32_t call_count;            /* callers, side by side in the file's order: */
    uint64_t first_call;            /* into profile.calls */
    int64_t calls, primitive_calls; /* pstats' nc and cc */
    double self, total;             /* tt and ct, seconds */
};

struct profile_call {
    uint32_t caller, callee; /* functions; a caller may have no stat of its own */
    int64_t calls, primitive_calls;
    double self, total;
    bool is_count; /* the file holds a number of calls alone (module profile): `calls` */
};

/* py-spy dump: a variable of a stack's frame. */
struct profile_local {
    uint32_t track, depth; /* 0 innermost */
    uint32_t name, value;  /* strings */
    bool is_argument;
};

struct profile_fact {
    const char *key, *value; /* as in the index's meta */
};

struct profile_warning {
    const char *area, *message;
};

struct profile_index; /* the hash tables that make equal things one */

struct profile {
    enum profile_family family;
    const char *format;  /* "tracemalloc pickle", "pstats", "py-spy raw", "speedscope", … */
    const char *unit;    /* of weights: "bytes", "samples", "seconds", "microseconds", … */
    bool is_sampled;     /* pstats of a sampling profiler (3.15) */
    bool is_approximate; /* weights are read off a picture's pixels */
    struct arena arena;  /* facts, warnings, and what parsers keep */
    char *bytes;         /* of the strings */
    uint64_t bytes_size, bytes_capacity;
    ARRAY(struct profile_string) strings; /* 0 is the empty one */
    ARRAY(struct profile_function) functions;
    ARRAY(struct profile_frame) frames;
    ARRAY(uint32_t) stack_frames; /* frames */
    ARRAY(struct profile_stack) stacks;
    ARRAY(struct profile_trace) traces;
    ARRAY(struct profile_sample) samples;
    ARRAY(struct profile_track) tracks;
    ARRAY(struct profile_stat) stats;
    ARRAY(struct profile_call) calls;
    ARRAY(struct profile_local) locals;
    ARRAY(struct profile_fact) facts;
    ARRAY(struct profile_warning) warnings;
    struct profile_index *index; /* until profile_seal */
};

/* ---- formats/profiles/open.c */

/* Recognises the content and parses it whole. STATUS_UNSUPPORTED where it is no
 * recording; errors and warnings name what is wrong and where. */
enum status profile_parse(const struct input_file *input, struct progress *progress,
                          struct profile *ret_profile, struct error *err) MUST_CHECK;

/* The family that the content looks like, from its first bytes; PROFILE_NONE: none. */
enum profile_family profile_recognise(const uint8_t *bytes, uint64_t size);

/* ---- formats/profiles/profile.c: building. All fail with STATUS_NO_MEMORY or
 * STATUS_OVER_LIMIT alone. */
void profile_init(struct profile *profile);
void profile_deinit(struct profile *profile);
enum status profile_add_string(struct profile *profile, const char *bytes, size_t size,
                               uint32_t *ret_string) MUST_CHECK;
enum status profile_add_function(struct profile *profile, uint32_t name, uint32_t file,
                                 int32_t line, uint32_t *ret_function) MUST_CHECK;
enum status profile_add_frame(struct profile *profile, uint32_t function, int32_t line,
                              uint32_t *ret_frame) MUST_CHECK;
/* `frames` outermost first; depth 0 is the empty stack. */
enum status profile_add_stack(struct profile *profile, const uint32_t *frames, uint32_t depth,
                              uint32_t *ret_stack) MUST_CHECK;
/* The same in two steps, for those who have something else to do between them: the first asks
 * for the memory that the second waits for. */
uint32_t profile_hash_stack(const struct profile *profile, const uint32_t *frames, uint32_t depth);
enum status profile_add_hashed_stack(struct profile *profile, const uint32_t *frames,
                                     uint32_t depth, uint32_t hash, uint32_t *ret_stack) MUST_CHECK;
/* Adds to what the stack has already. */
enum status profile_add_trace(struct profile *profile, uint32_t stack, uint32_t domain,
                              uint64_t size, uint64_t count) MUST_CHECK;
/* As profile_add_trace for each, sooner done: a few dozen at a time. */
enum status profile_add_traces(struct profile *profile, const struct profile_trace *traces,
                               size_t count) MUST_CHECK;
enum status profile_add_sample(struct profile *profile, uint32_t stack, uint32_t track,
                               double weight, uint64_t count) MUST_CHECK;
enum status profile_add_fact(struct profile *profile, const char *key,
                             const char *value) MUST_CHECK;
enum status profile_add_warning(struct profile *profile, const char *area, const char *format, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;
/* Building is over: the hash tables go. */
void profile_seal(struct profile *profile);

/* A string's bytes, NUL-terminated. Valid until another is added. */
static inline const char *profile_text(const struct profile *profile, uint32_t string)
{
    return profile->bytes + profile->strings.items[string].offset;
}

#endif
