/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_SPEEDSCOPE_H
#define FORMATS_PROFILES_SPEEDSCOPE_H

#include "formats/profiles/stack_tree.h"

/* Numbers that no frame of a file has. */
#define SPEEDSCOPE_MISSING (UINT32_MAX - 2)
#define SPEEDSCOPE_CUT     (UINT32_MAX - 1) /* stands for deeper frames */

struct speedscope_event {
    char type; /* 'O', 'C'; NUL: neither */
    uint32_t frame;
    double at; /* NAN: not told */
};

struct speedscope_span {
    uint32_t node, frame;
};

/* A file while it is read. speedscope.c takes the document apart, speedscope_build.c
 * makes a profile of it. */
struct speedscope {
    struct profile *profile; /* borrowed */
    struct recorder recorder;
    ARRAY(uint32_t) frames; /* the recorder's, by the file's numbers */
    struct profile scratch; /* stacks of the file's frame numbers, and their samples */
    struct stack_tree tree; /* of events */
    struct text exporter, title;
    const char *file_unit; /* of the first profile with rows; NULL: none yet */

    /* the frame that is being read */
    struct text frame_name, frame_file;
    int32_t frame_line;

    /* the profile that is being read */
    bool is_in_profile;
    struct text name, unit;
    double end; /* NAN: not told */
    uint32_t track, root;
    ARRAY(uint32_t) sample; /* frame numbers */
    ARRAY(uint32_t) stacks; /* of the samples; PROFILE_NO_ID: it is none */
    ARRAY(double) weights;  /* NAN: it is none */
    ARRAY(struct speedscope_span) open;
    struct speedscope_event event;
    double last_at; /* NAN before the first event */
    uint64_t events;

    /* what is left out, of all profiles */
    uint64_t unmatched, bad_weights, negative, bad_events, backwards, unclosed, crossed, unopened;
    uint64_t other_units;
};

void speedscope_init(struct speedscope *file, struct profile *profile, uint64_t input_size);
void speedscope_deinit(struct speedscope *file);
enum status speedscope_begin_profile(struct speedscope *file) MUST_CHECK;
/* Takes file->event. */
enum status speedscope_event(struct speedscope *file) MUST_CHECK;
enum status speedscope_end_profile(struct speedscope *file) MUST_CHECK;
/* All is read: the frames' numbers become frames, and what was left out is told. */
enum status speedscope_finish(struct speedscope *file, struct error *err) MUST_CHECK;

#endif
