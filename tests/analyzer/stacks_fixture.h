/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ANALYZER_STACKS_FIXTURE_H
#define TESTS_ANALYZER_STACKS_FIXTURE_H

#include "analyzer/runtime/runtime.h"
#include "tests/analyzer/objects_fixture.h"

/* Threads, frames and tracebacks made by hand in the layout of any version, and
 * what collect_stacks() writes of them. */
struct stacks {
    struct objects objects;
    uint64_t frame_type, traceback_type;
    uint64_t chunk, chunk_top; /* of the data stack: where the next frame goes */
    struct index *index;
    struct text rows;
};

/* The one thread has the kernel's first thread's id, from 3.11 on. */
void stacks_each_version(void (*test)(struct stacks *stacks));
unsigned stacks_minor(const struct stacks *stacks);
bool stacks_has(const struct stacks *stacks, enum python_field field);
void stacks_set(struct stacks *stacks, uint64_t addr, enum python_field field, uint64_t word);
void stacks_set_u32(struct stacks *stacks, uint64_t addr, enum python_field field, uint32_t word);
/* An address that the process had, but whose memory the core has not. */
uint64_t stacks_absent(const struct stacks *stacks);

/* A function with one local variable, "n". */
uint64_t stacks_code(struct stacks *stacks, const char *name);
/* Its frame, on the data stack from 3.11 on; n is `number`. Link it afterwards. */
uint64_t stacks_frame(struct stacks *stacks, uint64_t code, int64_t number);
void stacks_link(struct stacks *stacks, uint64_t frame, uint64_t previous);
/* `count` linked frames of functions f0 (innermost), f1, ... with n 0, 1, ... */
void stacks_chain(struct stacks *stacks, uint64_t *ret_frames, size_t count);
/* What the thread state says is running. */
void stacks_running(struct stacks *stacks, uint64_t thread, uint64_t frame);
/* A state more in the interpreter's list, in front. */
uint64_t stacks_thread(struct stacks *stacks);
/* An exception's entry: the frame's function was at `line`. */
uint64_t stacks_traceback(struct stacks *stacks, uint64_t code, uint32_t line, uint64_t next);

/* Opens the process; then the kernel's thread can be changed. */
void stacks_open(struct stacks *stacks);
/* Collects into an index. */
void stacks_collect(struct stacks *stacks);
/* The rows of a query, "a,b;c,d;": valid until the next call. */
const char *stacks_query(struct stacks *stacks, const char *sql);
void stacks_expect(struct stacks *stacks, const char *sql, const char *rows);

#define STACKS_FRAMES                                                                              \
    "SELECT f.function, l.value FROM frame f LEFT JOIN local l ON l.frame_id = f.id "              \
    "ORDER BY f.thread_id, f.depth"

#endif
