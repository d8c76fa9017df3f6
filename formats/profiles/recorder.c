/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/profiles/recorder.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define LEFT_OUT      "<deeper frames left out>"
#define PROCESS_PARTS 32                   /* that a command line falls into at its ';' */
#define FREE_STACK    ((uint64_t)16 << 20) /* frames that any input may come to */

void recorder_init(struct recorder *recorder, struct profile *profile, enum label_style style,
                   uint64_t input_size)
{
    *recorder = (struct recorder){.profile = profile,
                                  .style = style,
                                  .frame_limit = FREE_STACK + input_size / 2,
                                  .unnamed = PROFILE_NO_ID,
                                  .left_out = PROFILE_NO_ID};
    recorder->last.count = 0;
    id_map_init(&recorder->tracks);
    id_map_init(&recorder->mark_ids);
    text_init(&recorder->label);
}

void recorder_deinit(struct recorder *recorder)
{
    array_deinit(&recorder->marks);
    array_deinit(&recorder->track_marks);
    id_map_deinit(&recorder->tracks);
    id_map_deinit(&recorder->mark_ids);
    array_deinit(&recorder->path);
    text_deinit(&recorder->label);
}

enum status recorder_failed(struct error *err, enum status status)
{
    if (status == STATUS_NO_MEMORY)
        return error_set(err, status, "out of memory");
    if (status == STATUS_OVER_LIMIT && err && err->status != status)
        return error_set(err, status, "more different names or stacks than can be numbered");
    return status;
}

enum status recorder_too_large(const struct recorder *recorder, struct error *err)
{
    return error_set(err, STATUS_OVER_LIMIT,
                     "the stacks come to more than %" PRIu64
                     " frames, far more than a file of this size should hold",
                     recorder->frame_limit);
}

/* ---- frames */

static enum status add_mark(struct recorder *recorder, const struct frame_label *parts,
                            enum label_mark kind, uint32_t *ret_frame)
{
    struct recorder_mark mark = {.mark = kind};
    enum status status =
        profile_add_string(recorder->profile, parts->name, parts->name_size, &mark.label);
    if (status != STATUS_OK)
        return status;
    uint32_t id = id_map_find(&recorder->mark_ids, mark.label);
    if (id == PROFILE_NO_ID) {
        id = (uint32_t)recorder->marks.count;
        if (id >= RECORDER_MARK / 2)
            return STATUS_OVER_LIMIT;
        if (!array_push(&recorder->marks, mark) || !id_map_put(&recorder->mark_ids, mark.label, id))
            return STATUS_NO_MEMORY;
    }
    *ret_frame = RECORDER_MARK | id;
    return STATUS_OK;
}

static enum status add_frame(struct recorder *recorder, const struct frame_label *parts,
                             enum label_mark mark, uint32_t *ret_frame)
{
    struct profile *profile = recorder->profile;
    uint32_t name, file, function, frame;
    if (mark != LABEL_FRAME)
        return add_mark(recorder, parts, mark, ret_frame);
    enum status status = profile_add_string(profile, parts->name, parts->name_size, &name);
    if (status == STATUS_OK)
        status = profile_add_string(profile, parts->file_size ? parts->file : "", parts->file_size,
                                    &file);
    if (status == STATUS_OK)
        status = profile_add_function(profile, name, file, 0, &function);
    if (status == STATUS_OK)
        status = profile_add_frame(profile, function, parts->line, &frame);
    if (status == STATUS_OK && frame >= RECORDER_MARK)
        status = STATUS_OVER_LIMIT;
    if (status == STATUS_OK)
        *ret_frame = frame;
    return status;
}

static enum label_mark mark_of(const struct recorder *recorder, uint32_t frame)
{
    return frame & RECORDER_MARK ? recorder->marks.items[frame & ~RECORDER_MARK].mark : LABEL_FRAME;
}

static uint32_t name_of(const struct recorder *recorder, uint32_t frame)
{
    const struct profile *profile = recorder->profile;
    return frame & RECORDER_MARK
               ? recorder->marks.items[frame & ~RECORDER_MARK].label
               : profile->functions.items[profile->frames.items[frame].function].name;
}

enum status recorder_label(struct recorder *recorder, const char *label, size_t size,
                           uint32_t *ret_frame)
{
    int64_t id;
    enum label_mark mark = frame_label_mark(recorder->style, label, size, &id);
    struct frame_label parts =
        frame_label_split(mark == LABEL_FRAME ? recorder->style : LABEL_PLAIN, label, size);
    return add_frame(recorder, &parts, mark, ret_frame);
}

enum status recorder_frame(struct recorder *recorder, const struct frame_label *parts,
                           uint32_t *ret_frame)
{
    int64_t id;
    enum label_mark mark =
        parts->file_size || parts->line
            ? LABEL_FRAME
            : frame_label_mark(recorder->style, parts->name, parts->name_size, &id);
    return add_frame(recorder, parts, mark, ret_frame);
}

enum status recorder_left_out(struct recorder *recorder, uint32_t *ret_frame)
{
    struct frame_label parts = {.name = LEFT_OUT, .name_size = strlen(LEFT_OUT)};
    enum status status = add_frame(recorder, &parts, LABEL_FRAME, &recorder->left_out);
    if (status == STATUS_OK)
        *ret_frame = recorder->left_out;
    return status;
}

/* ---- tracks */

enum status recorder_track(struct recorder *recorder, const char *name, size_t size, int64_t pid,
                           int64_t tid, uint32_t *ret_track)
{
    struct profile *profile = recorder->profile;
    struct profile_track track = {.pid = pid, .tid = tid};
    enum status status = profile_add_string(profile, name, size, &track.name);
    if (status != STATUS_OK)
        return status;
    if (profile->tracks.count >= PROFILE_NO_ID - 1)
        return STATUS_OVER_LIMIT;
    if (!array_push(&recorder->track_marks, PROFILE_NO_ID) || !array_push(&profile->tracks, track))
        return STATUS_NO_MEMORY;
    *ret_track = (uint32_t)profile->tracks.count - 1;
    return STATUS_OK;
}

/* The frame's label as it stood in the file. */
static void append_label(struct recorder *recorder, uint32_t id)
{
    const struct profile *profile = recorder->profile;
    struct text *label = &recorder->label;
    uint32_t name = name_of(recorder, id);
    text_append_n(label, profile_text(profile, name), profile->strings.items[name].size);
    if (id & RECORDER_MARK)
        return;
    const struct profile_frame *frame = &profile->frames.items[id];
    uint32_t file = profile->functions.items[frame->function].file;
    if (!file && !frame->line)
        return;
    text_append(label, " (");
    text_append_n(label, profile_text(profile, file), profile->strings.items[file].size);
    if (frame->line)
        text_printf(label, ":%d", frame->line);
    text_append_char(label, ')');
}

/* The labels of the frames, joined, in recorder->label; their numbers where told. */
static enum status join_marks(struct recorder *recorder, const uint32_t *frames, uint32_t count,
                              int64_t *pid, int64_t *tid)
{
    text_clear(&recorder->label);
    for (uint32_t i = 0; i < count; i++) {
        size_t begin = recorder->label.size;
        enum label_mark mark = mark_of(recorder, frames[i]);
        append_label(recorder, frames[i]);
        if (!text_ok(&recorder->label))
            return STATUS_NO_MEMORY;
        if (mark != LABEL_FRAME)
            (void)frame_label_mark(recorder->style, text_string(&recorder->label) + begin,
                                   recorder->label.size - begin, mark == LABEL_THREAD ? tid : pid);
        if (i + 1 < count)
            text_append_char(&recorder->label, ';');
    }
    return text_ok(&recorder->label) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* The first labels seen in a base track become its own. A profile's name that tells
 * the thread, where they do not, stays behind them. */
static enum status name_base(struct recorder *recorder, uint32_t base, uint32_t marks,
                             bool has_thread, int64_t pid, int64_t tid)
{
    struct profile *profile = recorder->profile;
    uint32_t old = profile->tracks.items[base].name, name = marks;
    if (!has_thread && profile->strings.items[old].size) {
        text_append_char(&recorder->label, ';');
        text_append_n(&recorder->label, profile_text(profile, old),
                      profile->strings.items[old].size);
        if (!text_ok(&recorder->label))
            return STATUS_NO_MEMORY;
        enum status status =
            profile_add_string(profile, text_string(&recorder->label), recorder->label.size, &name);
        if (status != STATUS_OK)
            return status;
    }
    struct profile_track *track = &profile->tracks.items[base];
    track->name = name;
    track->pid = pid;
    track->tid = tid;
    recorder->track_marks.items[base] = marks;
    return STATUS_OK;
}

static enum status find_track(struct recorder *recorder, uint32_t base, const uint32_t *frames,
                              uint32_t count, uint32_t *ret_track)
{
    const struct profile *profile = recorder->profile;
    bool has_base = base != PROFILE_NO_ID;
    int64_t pid = has_base ? profile->tracks.items[base].pid : -1;
    int64_t tid = has_base ? profile->tracks.items[base].tid : -1;
    uint32_t marks;
    enum status status = join_marks(recorder, frames, count, &pid, &tid);
    if (status == STATUS_OK)
        status = profile_add_string(recorder->profile, text_string(&recorder->label),
                                    recorder->label.size, &marks);
    if (status != STATUS_OK)
        return status;
    if (has_base && recorder->track_marks.items[base] == PROFILE_NO_ID)
        status = name_base(recorder, base, marks,
                           mark_of(recorder, frames[count - 1]) == LABEL_THREAD, pid, tid);
    if (status != STATUS_OK)
        return status;
    if (has_base && recorder->track_marks.items[base] == marks) {
        *ret_track = base;
        return STATUS_OK;
    }
    uint64_t key = (uint64_t)base << 32 | marks;
    uint32_t track = id_map_find(&recorder->tracks, key);
    if (track == PROFILE_NO_ID) {
        status = recorder_track(recorder, text_string(&recorder->label), recorder->label.size, pid,
                                tid, &track);
        if (status == STATUS_OK && !id_map_put(&recorder->tracks, key, track))
            status = STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        *ret_track = track;
    return status;
}

/* The track of a stack whose first `count` frames are marks. */
static enum status track_of(struct recorder *recorder, uint32_t base, const uint32_t *frames,
                            uint32_t count, uint32_t *ret_track)
{
    size_t bytes = count * sizeof *frames;
    if (!count && base == PROFILE_NO_ID && recorder->unnamed == PROFILE_NO_ID) {
        enum status status = recorder_track(recorder, "", 0, -1, -1, &recorder->unnamed);
        if (status != STATUS_OK)
            return status;
    }
    if (!count) {
        *ret_track = base == PROFILE_NO_ID ? recorder->unnamed : base;
        return STATUS_OK;
    }
    if (count == recorder->last.count && base == recorder->last.base &&
        !memcmp(recorder->last.frames, frames, bytes)) {
        *ret_track = recorder->last.track;
        return STATUS_OK;
    }
    enum status status = find_track(recorder, base, frames, count, ret_track);
    if (status == STATUS_OK && bytes <= sizeof recorder->last.frames) {
        recorder->last.base = base;
        recorder->last.track = *ret_track;
        recorder->last.count = count;
        memcpy(recorder->last.frames, frames, bytes);
    }
    return status;
}

/* ---- weights */

/* How many frames, from the first on, say the processes. */
static uint32_t count_processes(const struct recorder *recorder, const uint32_t *frames,
                                uint32_t depth)
{
    const struct profile *profile = recorder->profile;
    for (uint32_t at = 0;;) {
        enum label_mark mark = at < depth ? mark_of(recorder, frames[at]) : LABEL_FRAME;
        uint32_t next = at + 1;
        if (mark != LABEL_PROCESS && mark != LABEL_PROCESS_PART)
            return at;
        for (bool is_whole = mark == LABEL_PROCESS; !is_whole; next++) {
            if (next == depth || next - at > PROCESS_PARTS)
                return at;
            const struct profile_string *name =
                &profile->strings.items[name_of(recorder, frames[next])];
            is_whole = name->size && profile->bytes[name->offset + name->size - 1] == '"';
        }
        at = next;
    }
}

static inline bool has_marks(const uint32_t *frames, uint32_t depth)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < depth; i++)
        all |= frames[i];
    return all & RECORDER_MARK;
}

/* What looks like a process or thread below a frame is a frame. */
static enum status make_frames(struct recorder *recorder, const uint32_t **frames, uint32_t depth)
{
    const struct profile *profile = recorder->profile;
    recorder->path.count = 0;
    if (!array_reserve(&recorder->path, depth))
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < depth; i++) {
        uint32_t frame = (*frames)[i];
        if (frame & RECORDER_MARK) {
            uint32_t name = name_of(recorder, frame);
            text_clear(&recorder->label); /* a copy: the profile's own texts move */
            text_append_n(&recorder->label, profile_text(profile, name),
                          profile->strings.items[name].size);
            struct frame_label parts = {.name = text_string(&recorder->label),
                                        .name_size = recorder->label.size};
            enum status status = text_ok(&recorder->label)
                                     ? add_frame(recorder, &parts, LABEL_FRAME, &frame)
                                     : STATUS_NO_MEMORY;
            if (status != STATUS_OK)
                return status;
        }
        recorder->path.items[recorder->path.count++] = frame;
    }
    *frames = recorder->path.items;
    return STATUS_OK;
}

enum status recorder_add(struct recorder *recorder, uint32_t base, const uint32_t *frames,
                         uint32_t depth, double weight, uint64_t count, struct error *err)
{
    struct profile *profile = recorder->profile;
    uint32_t marks = count_processes(recorder, frames, depth), track = 0, stack = 0;
    if (marks < depth && mark_of(recorder, frames[marks]) == LABEL_THREAD)
        marks++;
    if (profile->stack_frames.count + depth > recorder->frame_limit)
        return recorder_too_large(recorder, err);
    enum status status = track_of(recorder, base, frames, marks, &track);
    if (marks) /* no frames may be no array */
        frames += marks;
    depth -= marks;
    if (status == STATUS_OK && has_marks(frames, depth))
        status = make_frames(recorder, &frames, depth);
    if (status == STATUS_OK)
        status = profile_add_stack(profile, frames, depth, &stack);
    if (status == STATUS_OK)
        status = profile_add_sample(profile, stack, track, weight, count);
    return recorder_failed(err, status);
}

enum status recorder_finish(struct recorder *recorder, struct error *err)
{
    const struct profile *profile = recorder->profile;
    for (size_t i = 0; i < profile->samples.count; i++)
        if (!isfinite(profile->samples.items[i].weight))
            return error_set(err, STATUS_CORRUPT,
                             "the weights of one stack add up to more than a number can hold");
    if (recorder->left_out == PROFILE_NO_ID)
        return STATUS_OK;
    uint64_t cut = 0;
    for (size_t i = 0; i < profile->stacks.count; i++) {
        const struct profile_stack *stack = &profile->stacks.items[i];
        cut += stack->depth &&
               profile->stack_frames.items[stack->first + stack->depth - 1] == recorder->left_out;
    }
    enum status status =
        profile_add_warning(recorder->profile, "samples",
                            "%" PRIu64 " stacks are deeper than %u frames: the deeper frames "
                            "are left out and stand as " LEFT_OUT,
                            cut, STACK_DEPTH_LIMIT);
    return recorder_failed(err, status);
}
