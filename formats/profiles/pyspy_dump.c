/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/profiles/pyspy_dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void pyspy_dump_init(struct pyspy_dump *dump, struct profile *profile, uint64_t input_size)
{
    *dump = (struct pyspy_dump){.profile = profile};
    recorder_init(&dump->recorder, profile, LABEL_SPY, input_size);
    text_init(&dump->text);
    profile->family = PROFILE_SAMPLES;
    profile->format = "py-spy dump";
    profile->unit = "threads";
}

void pyspy_dump_deinit(struct pyspy_dump *dump)
{
    recorder_deinit(&dump->recorder);
    array_deinit(&dump->processes);
    array_deinit(&dump->frames);
    text_deinit(&dump->text);
}

enum status pyspy_dump_begin(struct pyspy_dump *dump)
{
    uint32_t track;
    dump->frames.count = 0;
    dump->is_in_thread = true;
    if (!array_push(&dump->processes, 0))
        return STATUS_NO_MEMORY;
    return recorder_track(&dump->recorder, "", 0, -1, -1, &track);
}

enum status pyspy_dump_frame(struct pyspy_dump *dump, const struct frame_label *parts)
{
    uint32_t frame;
    enum status status = recorder_frame(&dump->recorder, parts, &frame);
    if (status == STATUS_OK && !array_push(&dump->frames, frame))
        status = STATUS_NO_MEMORY;
    return status;
}

enum status pyspy_dump_local(struct pyspy_dump *dump, uint32_t depth, const char *name,
                             size_t name_size, const char *value, size_t value_size,
                             bool is_argument)
{
    struct profile *profile = dump->profile;
    struct profile_local local = {
        .track = (uint32_t)profile->tracks.count - 1, .depth = depth, .is_argument = is_argument};
    enum status status = profile_add_string(profile, name, name_size, &local.name);
    if (status == STATUS_OK)
        status = profile_add_string(profile, value, value_size, &local.value);
    if (status == STATUS_OK && !array_push(&profile->locals, local))
        status = STATUS_NO_MEMORY;
    return status;
}

/* The frames as a stack: outermost first, and no deeper than is recorded. */
static enum status turn_stack(struct pyspy_dump *dump)
{
    uint32_t *frames = dump->frames.items, spare;
    size_t count = dump->frames.count;
    for (size_t i = 0; i < count / 2; i++) {
        spare = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = spare;
    }
    if (count <= STACK_DEPTH_LIMIT)
        return STATUS_OK;
    dump->frames.count = STACK_DEPTH_LIMIT;
    return recorder_left_out(&dump->recorder, &frames[STACK_DEPTH_LIMIT - 1]);
}

static enum status thread_label(struct pyspy_dump *dump, const struct pyspy_thread *thread,
                                uint32_t *ret_name)
{
    text_clear(&dump->text);
    if (thread->is_pthread)
        text_printf(&dump->text, "thread (0x%" PRIX64 ")", (uint64_t)thread->tid);
    else
        text_printf(&dump->text, "thread (%" PRId64 ")", thread->tid);
    if (thread->name) {
        text_append(&dump->text, ": ");
        text_append_n(&dump->text, thread->name, thread->name_size);
    }
    if (!text_ok(&dump->text))
        return STATUS_NO_MEMORY;
    return profile_add_string(dump->profile, text_string(&dump->text), dump->text.size, ret_name);
}

enum status pyspy_dump_end(struct pyspy_dump *dump, const struct pyspy_thread *thread,
                           struct error *err)
{
    struct profile *profile = dump->profile;
    uint32_t track = (uint32_t)profile->tracks.count - 1, name;
    enum status status = thread_label(dump, thread, &name);
    if (status == STATUS_OK)
        status = turn_stack(dump);
    if (status != STATUS_OK)
        return recorder_failed(err, status);
    profile->tracks.items[track] = (struct profile_track){.name = name,
                                                          .pid = thread->pid,
                                                          .tid = thread->tid,
                                                          .is_idle = thread->is_idle,
                                                          .is_active = thread->is_active,
                                                          .holds_gil = thread->holds_gil};
    dump->processes.items[track] = thread->process;
    dump->is_in_thread = false;
    return recorder_add(&dump->recorder, track, dump->frames.items, (uint32_t)dump->frames.count, 1,
                        1, err);
}

static enum status name_processes(struct pyspy_dump *dump)
{
    struct profile *profile = dump->profile;
    for (size_t i = 0; i < dump->processes.count; i++) {
        uint32_t process = dump->processes.items[i], *name = &profile->tracks.items[i].name;
        if (!process)
            continue;
        text_clear(&dump->text);
        text_append_n(&dump->text, profile_text(profile, process),
                      profile->strings.items[process].size);
        text_append_char(&dump->text, ';');
        text_append_n(&dump->text, profile_text(profile, *name),
                      profile->strings.items[*name].size);
        enum status status = text_ok(&dump->text) ? STATUS_OK : STATUS_NO_MEMORY;
        if (status == STATUS_OK)
            status = profile_add_string(profile, text_string(&dump->text), dump->text.size, name);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status pyspy_dump_finish(struct pyspy_dump *dump, struct error *err)
{
    if (!dump->profile->tracks.count)
        return error_set(err, STATUS_CORRUPT, "a py-spy dump without any threads");
    enum status status = dump->has_several_processes ? name_processes(dump) : STATUS_OK;
    return status == STATUS_OK ? recorder_finish(&dump->recorder, err)
                               : recorder_failed(err, status);
}
