/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_PYSPY_DUMP_H
#define FORMATS_PROFILES_PYSPY_DUMP_H

#include "formats/profiles/recorder.h"

/* What py-spy dump tells, as text or JSON: one stack for each thread, at one moment.
 * A thread is a track with its state; its stack weighs 1; locals are the profile's.
 * The track is called as py-spy's raw form would call it, thread (TID): NAME, with
 * the processes before it where the dump is of several. */
struct pyspy_dump {
    struct profile *profile; /* borrowed */
    struct recorder recorder;
    ARRAY(uint32_t) processes; /* by track: the processes' labels, a string */
    bool has_several_processes;

    /* the thread that is being read: its track is the last one */
    bool is_in_thread;
    ARRAY(uint32_t) frames; /* innermost first */
    struct text text;
};

struct pyspy_thread {
    int64_t pid, tid; /* -1: not told */
    bool is_pthread;  /* tid is a pthread_t: py-spy writes it in hexadecimal digits */
    const char *name; /* NULL: not told */
    size_t name_size;
    bool is_idle, is_active, holds_gil;
    uint32_t process; /* label of the processes, a string; 0: none */
};

void pyspy_dump_init(struct pyspy_dump *dump, struct profile *profile, uint64_t input_size);
void pyspy_dump_deinit(struct pyspy_dump *dump);
/* A thread, then its frames from the innermost on, each with its locals before or
 * after it (`depth` says which, 0 innermost), then its end, which tells the rest. */
enum status pyspy_dump_begin(struct pyspy_dump *dump) MUST_CHECK;
enum status pyspy_dump_frame(struct pyspy_dump *dump, const struct frame_label *parts) MUST_CHECK;
enum status pyspy_dump_local(struct pyspy_dump *dump, uint32_t depth, const char *name,
                             size_t name_size, const char *value, size_t value_size,
                             bool is_argument) MUST_CHECK;
enum status pyspy_dump_end(struct pyspy_dump *dump, const struct pyspy_thread *thread,
                           struct error *err) MUST_CHECK;
enum status pyspy_dump_finish(struct pyspy_dump *dump, struct error *err) MUST_CHECK;

#endif
