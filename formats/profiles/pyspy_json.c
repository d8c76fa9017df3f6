/* SPDX-License-Identifier: Apache-2.0 */
/* py-spy dump --json (src/dump.rs, src/stack_trace.rs):
 *
 *   [{"pid", "thread_id": pthread, "thread_name" or null, "os_thread_id" or null,
 *     "active", "owns_gil",
 *     "frames": [{"name", "filename", "module", "short_filename", "line",
 *                 "locals": [{"name", "addr", "arg", "repr" or null}, …] or null}, …],
 *     "process_info": {"pid", "command_line", "parent": the same or null} or null}, …]
 *
 * frames innermost first. */
#include <inttypes.h>
#include <string.h>

#include "formats/profiles/json.h"
#include "formats/profiles/number.h"
#include "formats/profiles/pyspy_dump.h"
#include "formats/profiles/sample_formats.h"

#define PROCESSES_MAX 16u

enum place {
    ROOT,
    THREAD,
    PID,
    PTHREAD,
    THREAD_NAME,
    OS_THREAD,
    ACTIVE,
    GIL,
    FRAMES,
    FRAME,
    FUNCTION,
    FILENAME,
    LINE,
    LOCALS,
    LOCAL,
    LOCAL_NAME,
    ARGUMENT,
    VALUE,
    PROCESS,
    PROCESS_PID,
    COMMAND,
};

static const struct json_rule rules[] = {
    {ROOT, NULL, THREAD},
    {THREAD, "pid", PID},
    {THREAD, "thread_id", PTHREAD},
    {THREAD, "thread_name", THREAD_NAME},
    {THREAD, "os_thread_id", OS_THREAD},
    {THREAD, "active", ACTIVE},
    {THREAD, "owns_gil", GIL},
    {THREAD, "frames", FRAMES},
    {THREAD, "process_info", PROCESS},
    {FRAMES, NULL, FRAME},
    {FRAME, "name", FUNCTION},
    {FRAME, "filename", FILENAME},
    {FRAME, "line", LINE},
    {FRAME, "locals", LOCALS},
    {LOCALS, NULL, LOCAL},
    {LOCAL, "name", LOCAL_NAME},
    {LOCAL, "arg", ARGUMENT},
    {LOCAL, "repr", VALUE},
    {PROCESS, "pid", PROCESS_PID},
    {PROCESS, "command_line", COMMAND},
    {PROCESS, "parent", PROCESS},
};

struct json_dump {
    struct pyspy_dump dump;
    struct pyspy_thread thread;
    int64_t pthread, os_thread;
    bool has_name;
    struct text name;

    struct text function, file, local, value;
    int32_t line;
    bool is_argument;
    uint64_t bad_frames;

    struct {
        int64_t pid;
        uint32_t command;
    } processes[PROCESSES_MAX]; /* of the thread, children first */
    unsigned process_count, process_depth;
};

bool pyspy_json_recognise(const uint8_t *bytes, uint64_t size)
{
    static const char *const keys[] = {"thread_id", "os_thread_id", "owns_gil", NULL};
    return json_begins_with_key(bytes, size, 1, keys);
}

static void keep_text(struct text *text, const struct json_value *value)
{
    text_clear(text);
    if (value->kind == JSON_STRING)
        text_append_n(text, value->text, value->size);
}

static int64_t read_number(const struct json_value *value)
{
    int64_t number;
    return value->kind == JSON_NUMBER && number_i64(value->text, value->size, &number) ? number
                                                                                       : -1;
}

/* ---- processes */

/* process PID:"COMMAND LINE", parents first, joined by ';'. */
static enum status process_label(struct json_dump *json, uint32_t *ret_label)
{
    struct profile *profile = json->dump.profile;
    struct text *label = &json->dump.text;
    text_clear(label);
    for (unsigned i = json->process_count; i-- > 0;) {
        uint32_t command = json->processes[i].command;
        text_printf(label, "process %" PRId64 ":\"", json->processes[i].pid);
        text_append_n(label, profile_text(profile, command), profile->strings.items[command].size);
        text_append(label, i ? "\";" : "\"");
    }
    if (!text_ok(label))
        return STATUS_NO_MEMORY;
    return profile_add_string(profile, text_string(label), label->size, ret_label);
}

static enum status take_process(struct json_dump *json, const struct json_value *value)
{
    if (value->place == PROCESS) {
        if (value->kind == JSON_OBJECT && json->process_depth < PROCESSES_MAX) {
            json->processes[json->process_depth++].pid = -1;
            json->processes[json->process_depth - 1].command = 0;
            json->process_count = json->process_depth;
        } else if (value->kind == JSON_OBJECT_END && json->process_depth) {
            json->process_depth--;
        }
        return STATUS_OK;
    }
    if (!json->process_depth)
        return STATUS_OK;
    if (value->place == PROCESS_PID) {
        json->processes[json->process_depth - 1].pid = read_number(value);
        return STATUS_OK;
    }
    if (value->kind != JSON_STRING)
        return STATUS_OK;
    return profile_add_string(json->dump.profile, value->text, value->size,
                              &json->processes[json->process_depth - 1].command);
}

/* ---- threads */

static enum status begin_thread(struct json_dump *json)
{
    json->thread = (struct pyspy_thread){.pid = -1, .tid = -1};
    json->pthread = json->os_thread = -1;
    json->has_name = false;
    json->process_count = json->process_depth = 0;
    return pyspy_dump_begin(&json->dump);
}

static enum status end_thread(struct json_dump *json, struct error *err)
{
    struct pyspy_thread *thread = &json->thread;
    thread->is_pthread = json->os_thread < 0 && json->pthread >= 0;
    thread->tid = thread->is_pthread ? json->pthread : json->os_thread;
    thread->name = json->has_name ? text_string(&json->name) : NULL;
    thread->name_size = json->has_name ? json->name.size : 0;
    if (!text_ok(&json->name))
        return recorder_failed(err, STATUS_NO_MEMORY);
    if (json->process_count) {
        json->dump.has_several_processes = true;
        enum status status = process_label(json, &thread->process);
        if (status != STATUS_OK)
            return recorder_failed(err, status);
    }
    return pyspy_dump_end(&json->dump, thread, err);
}

static enum status take_thread(struct json_dump *json, const struct json_value *value,
                               struct error *err)
{
    switch ((enum place)value->place) {
    case THREAD:
        if (value->kind == JSON_OBJECT)
            return recorder_failed(err, begin_thread(json));
        return value->kind == JSON_OBJECT_END ? end_thread(json, err) : STATUS_OK;
    case PID: json->thread.pid = read_number(value); break;
    case PTHREAD: json->pthread = read_number(value); break;
    case OS_THREAD: json->os_thread = read_number(value); break;
    case THREAD_NAME:
        json->has_name = value->kind == JSON_STRING;
        keep_text(&json->name, value);
        break;
    case ACTIVE:
        json->thread.is_active = value->kind == JSON_BOOLEAN && value->truth;
        json->thread.is_idle = value->kind == JSON_BOOLEAN && !value->truth;
        break;
    case GIL: json->thread.holds_gil = value->kind == JSON_BOOLEAN && value->truth; break;
    default: break;
    }
    return STATUS_OK;
}

/* ---- frames and locals */

static enum status end_frame(struct json_dump *json)
{
    struct frame_label parts = {.name = text_string(&json->function),
                                .name_size = json->function.size,
                                .file = text_string(&json->file),
                                .file_size = json->file.size,
                                .line = json->line};
    if (!text_ok(&json->function) || !text_ok(&json->file))
        return STATUS_NO_MEMORY;
    return pyspy_dump_frame(&json->dump, &parts);
}

static enum status end_local(struct json_dump *json)
{
    if (!text_ok(&json->local) || !text_ok(&json->value))
        return STATUS_NO_MEMORY;
    return pyspy_dump_local(&json->dump, (uint32_t)json->dump.frames.count,
                            text_string(&json->local), json->local.size, text_string(&json->value),
                            json->value.size, json->is_argument);
}

static enum status take_frame(struct json_dump *json, const struct json_value *value)
{
    int64_t line;
    switch ((enum place)value->place) {
    case FRAME:
        if (value->kind == JSON_OBJECT_END)
            return end_frame(json);
        json->bad_frames += value->kind != JSON_OBJECT && value->kind != JSON_ARRAY_END;
        text_clear(&json->function);
        text_clear(&json->file);
        json->line = 0;
        break;
    case FUNCTION: keep_text(&json->function, value); break;
    case FILENAME: keep_text(&json->file, value); break;
    case LINE:
        line = read_number(value);
        json->line = line > 0 && line <= INT32_MAX ? (int32_t)line : 0;
        break;
    case LOCAL:
        if (value->kind == JSON_OBJECT_END)
            return end_local(json);
        text_clear(&json->local);
        text_clear(&json->value);
        text_append(&json->value, "?"); /* as the text form writes a value that wasn't read */
        json->is_argument = false;
        break;
    case LOCAL_NAME: keep_text(&json->local, value); break;
    case VALUE:
        if (value->kind == JSON_STRING)
            keep_text(&json->value, value);
        break;
    case ARGUMENT: json->is_argument = value->kind == JSON_BOOLEAN && value->truth; break;
    default: break;
    }
    return STATUS_OK;
}

static enum status take(void *context, const struct json_value *value, struct error *err)
{
    struct json_dump *json = context;
    if (value->place >= PROCESS)
        return recorder_failed(err, take_process(json, value));
    if (value->place >= FRAME)
        return recorder_failed(err, take_frame(json, value));
    return take_thread(json, value, err);
}

static enum status finish(struct json_dump *json, struct error *err)
{
    enum status status = STATUS_OK;
    if (json->bad_frames)
        status =
            profile_add_warning(json->dump.profile, "samples",
                                "%" PRIu64 " frames are no objects: left out", json->bad_frames);
    return status == STATUS_OK ? pyspy_dump_finish(&json->dump, err) : recorder_failed(err, status);
}

enum status pyspy_json_parse(const struct input_file *input, struct progress *progress,
                             struct profile *profile, struct error *err)
{
    struct json_dump json = {0};
    bool is_cut;
    pyspy_dump_init(&json.dump, profile, input->size);
    struct json_reader reader = {.rules = rules,
                                 .rule_count = sizeof rules / sizeof *rules,
                                 .take = take,
                                 .context = &json,
                                 .stage = "reading threads"};
    enum status status = json_read(&reader, input->data, input->size, progress, &is_cut, err);
    if (is_cut && profile->tracks.count) {
        /* a thread that is cut short has lost its outermost frames: they come last */
        status = json.dump.is_in_thread ? end_thread(&json, err) : STATUS_OK;
        if (status == STATUS_OK)
            status = recorder_failed(
                err, profile_add_warning(profile, "samples",
                                         "the file was cut short: what came before is read, and "
                                         "the last thread's outer frames may be missing"));
    }
    if (status == STATUS_OK)
        status = finish(&json, err);
    pyspy_dump_deinit(&json.dump);
    text_deinit(&json.name);
    text_deinit(&json.function);
    text_deinit(&json.file);
    text_deinit(&json.local);
    text_deinit(&json.value);
    return status;
}
