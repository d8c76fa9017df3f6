/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_PROFILES_RECORDER_H
#define FORMATS_PROFILES_RECORDER_H

#include "formats/profiles/frame_label.h"
#include "formats/profiles/id_map.h"
#include "inquest/base/array.h"
#include "inquest/base/text.h"
#include "inquest/formats/profile.h"

/* Deeper stacks are cut to the outermost frames and one that says so. py-spy itself
 * gives up at 4096. */
#define STACK_DEPTH_LIMIT 65536u

/* What all formats of samples share: how frames and weights get into a profile.
 *
 * Tracks. py-spy, austin and profiling.sampling write the process and the thread as
 * the outermost frames of each stack. Here they are no frames: each (processes,
 * thread) is a track with its numbers, stacks begin below, and the track's name is
 * the labels as the file has them, joined by ';', so that an export puts them back
 * by writing the name before the stack. Stacks without such frames are in the base
 * track that the parser names (a speedscope profile), or in one without a name. */
struct recorder_mark {
    uint32_t label; /* string */
    enum label_mark mark;
};

/* A recorder's frame is one of the profile's, or with this bit one of its marks: the
 * label of a process or thread, which is no function unless it stands within a stack. */
#define RECORDER_MARK (UINT32_C(1) << 31)

struct recorder {
    struct profile *profile; /* borrowed */
    enum label_style style;
    uint64_t frame_limit; /* of all stacks together */
    ARRAY(struct recorder_mark) marks;
    struct id_map mark_ids;      /* by label */
    ARRAY(uint32_t) track_marks; /* by track: its labels, a string; PROFILE_NO_ID: none yet */
    struct id_map tracks;        /* by base track and labels */
    uint32_t unnamed;            /* the track without a name, once there is one */
    uint32_t left_out;           /* the frame that stands for those that were cut */
    struct {                     /* the last answer */
        uint32_t base, track, count, frames[4];
    } last;
    struct text label;
    ARRAY(uint32_t) path; /* a stack in which marks became frames */
};

/* `input_size` bounds how much memory the stacks may come to. */
void recorder_init(struct recorder *recorder, struct profile *profile, enum label_style style,
                   uint64_t input_size);
void recorder_deinit(struct recorder *recorder);

/* A frame from its label, taken apart as the style says. */
enum status recorder_label(struct recorder *recorder, const char *label, size_t size,
                           uint32_t *ret_frame) MUST_CHECK;
/* A frame whose parts the format tells. */
enum status recorder_frame(struct recorder *recorder, const struct frame_label *parts,
                           uint32_t *ret_frame) MUST_CHECK;
/* The frame that ends a stack that was cut. */
enum status recorder_left_out(struct recorder *recorder, uint32_t *ret_frame) MUST_CHECK;

/* A new track; several may have one name. */
enum status recorder_track(struct recorder *recorder, const char *name, size_t size, int64_t pid,
                           int64_t tid, uint32_t *ret_track) MUST_CHECK;

/* Adds to a stack, outermost frame first, of at most STACK_DEPTH_LIMIT frames, in the
 * track that it names itself, or in `base` (PROFILE_NO_ID: the one without a name). */
enum status recorder_add(struct recorder *recorder, uint32_t base, const uint32_t *frames,
                         uint32_t depth, double weight, uint64_t count,
                         struct error *err) MUST_CHECK;

/* Checks the sums, and warns of stacks that were cut. */
enum status recorder_finish(struct recorder *recorder, struct error *err) MUST_CHECK;

/* STATUS_OVER_LIMIT: the stacks pass recorder->frame_limit. */
enum status recorder_too_large(const struct recorder *recorder, struct error *err);

/* Words for what the functions of profile.h fail with; other errors have theirs. */
enum status recorder_failed(struct error *err, enum status status);

#endif
