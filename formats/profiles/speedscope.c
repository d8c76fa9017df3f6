/* SPDX-License-Identifier: Apache-2.0 */
/* speedscope's files (jlfwong/speedscope, src/lib/file-format-spec.ts), as py-spy
 * 0.3.6 to 0.4.2 (src/speedscope.rs), speedscope itself and others write them:
 *
 *   {"shared": {"frames": [{"name", "file"?, "line"?, "col"?}, …]},
 *    "profiles": [
 *      {"type": "sampled", "name", "unit", "startValue", "endValue",
 *       "samples": [[frame, … outermost first], …], "weights": [number, …]},
 *      {"type": "evented", …, "events": [{"type": "O" or "C", "frame", "at"}, …]}],
 *    "exporter", "name", …}
 *
 * in any order: py-spy writes the frames last. So stacks are kept by the file's frame
 * numbers until the end: those of samples as they are, those of events as a tree.
 * Each profile is a track. py-spy 0.3.6 writes unit "none", weights of 1, and an
 * endValue that is wrong; endValue closes open events alone, and is not believed else. */
#include "formats/profiles/speedscope.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "formats/profiles/json.h"
#include "formats/profiles/number.h"
#include "formats/profiles/sample_formats.h"

enum place {
    ROOT,
    EXPORTER,
    TITLE,
    SHARED,
    FRAMES,
    FRAME,
    FRAME_NAME,
    FRAME_FILE,
    FRAME_LINE,
    PROFILES,
    PROFILE,
    NAME,
    UNIT,
    END,
    SAMPLES,
    SAMPLE,
    SAMPLE_FRAME,
    WEIGHTS,
    WEIGHT,
    EVENTS,
    EVENT,
    EVENT_TYPE,
    EVENT_FRAME,
    EVENT_AT,
};

static const struct json_rule rules[] = {
    {SAMPLE, NULL, SAMPLE_FRAME}, /* what is most comes first */
    {SAMPLES, NULL, SAMPLE},       {WEIGHTS, NULL, WEIGHT},       {EVENTS, NULL, EVENT},
    {EVENT, "type", EVENT_TYPE},   {EVENT, "frame", EVENT_FRAME}, {EVENT, "at", EVENT_AT},
    {FRAMES, NULL, FRAME},         {FRAME, "name", FRAME_NAME},   {FRAME, "file", FRAME_FILE},
    {FRAME, "line", FRAME_LINE},   {PROFILES, NULL, PROFILE},     {PROFILE, "name", NAME},
    {PROFILE, "unit", UNIT},       {PROFILE, "endValue", END},    {PROFILE, "samples", SAMPLES},
    {PROFILE, "weights", WEIGHTS}, {PROFILE, "events", EVENTS},   {SHARED, "frames", FRAMES},
    {ROOT, "shared", SHARED},      {ROOT, "profiles", PROFILES},  {ROOT, "exporter", EXPORTER},
    {ROOT, "name", TITLE},
};

bool speedscope_recognise(const uint8_t *bytes, uint64_t size)
{
    static const char *const keys[] = {"shared", "profiles", "activeProfileIndex", NULL};
    static const char *const schema[] = {"$schema", NULL};
    if (json_begins_with_key(bytes, size, 0, keys))
        return true;
    size_t look = size < 1024 ? (size_t)size : 1024;
    return json_begins_with_key(bytes, size, 0, schema) && memmem(bytes, look, "speedscope", 10);
}

/* ---- values */

static bool is_text(const struct json_value *value, const char *text)
{
    return value->kind == JSON_STRING && value->size == strlen(text) &&
           !memcmp(value->text, text, value->size);
}

static void keep_text(struct text *text, const struct json_value *value)
{
    text_clear(text);
    if (value->kind == JSON_STRING)
        text_append_n(text, value->text, value->size);
}

/* NAN: it is no number. */
static double read_number(const struct json_value *value)
{
    double number;
    return value->kind == JSON_NUMBER && number_double(value->text, value->size, &number) ? number
                                                                                          : NAN;
}

/* A frame's number in the file; SPEEDSCOPE_MISSING: it is none. */
static uint32_t read_index(const struct json_value *value)
{
    uint64_t index;
    if (value->kind == JSON_NUMBER && number_u64(value->text, value->size, &index))
        return index < SPEEDSCOPE_MISSING ? (uint32_t)index : SPEEDSCOPE_MISSING;
    double number = read_number(value);
    return number >= 0 && number < SPEEDSCOPE_MISSING && floor(number) == number
               ? (uint32_t)number
               : SPEEDSCOPE_MISSING;
}

/* ---- frames */

static enum status end_frame(struct speedscope *file)
{
    struct frame_label parts = {.name = text_string(&file->frame_name),
                                .name_size = file->frame_name.size,
                                .file = text_string(&file->frame_file),
                                .file_size = file->frame_file.size,
                                .line = file->frame_line};
    uint32_t frame;
    if (!text_ok(&file->frame_name) || !text_ok(&file->frame_file))
        return STATUS_NO_MEMORY;
    enum status status = recorder_frame(&file->recorder, &parts, &frame);
    if (status == STATUS_OK && !array_push(&file->frames, frame))
        status = STATUS_NO_MEMORY;
    return status;
}

static enum status take_frame(struct speedscope *file, const struct json_value *value)
{
    double line;
    switch ((enum place)value->place) {
    case FRAME:
        text_clear(&file->frame_name);
        text_clear(&file->frame_file);
        file->frame_line = 0;
        if (value->kind != JSON_OBJECT && value->kind != JSON_ARRAY) /* none, but it is numbered */
            return end_frame(file);
        break;
    case FRAME_NAME: keep_text(&file->frame_name, value); break;
    case FRAME_FILE: keep_text(&file->frame_file, value); break;
    default:
        line = read_number(value);
        file->frame_line = line > 0 && line <= INT32_MAX ? (int32_t)line : 0;
        break;
    }
    return STATUS_OK;
}

/* ---- samples */

static enum status take_sample_frame(struct speedscope *file, const struct json_value *value)
{
    uint32_t index = read_index(value);
    if (file->sample.count == STACK_DEPTH_LIMIT) {
        file->sample.items[STACK_DEPTH_LIMIT - 1] = SPEEDSCOPE_CUT;
        return STATUS_OK;
    }
    return array_push(&file->sample, index) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status end_sample(struct speedscope *file, struct error *err)
{
    uint32_t stack;
    if (file->scratch.stack_frames.count + file->sample.count > file->recorder.frame_limit)
        return recorder_too_large(&file->recorder, err);
    enum status status =
        profile_add_stack(&file->scratch, file->sample.items, (uint32_t)file->sample.count, &stack);
    file->sample.count = 0;
    if (status == STATUS_OK && !array_push(&file->stacks, stack))
        status = STATUS_NO_MEMORY;
    return status;
}

/* ---- the document */

static enum status take_event(struct speedscope *file, const struct json_value *value)
{
    switch ((enum place)value->place) {
    case EVENT:
        if (value->kind == JSON_OBJECT)
            file->event = (struct speedscope_event){.frame = SPEEDSCOPE_MISSING, .at = NAN};
        else if (value->kind == JSON_OBJECT_END)
            return speedscope_event(file);
        else
            file->bad_events++;
        break;
    case EVENT_TYPE:
        file->event.type = is_text(value, "O") ? 'O' : is_text(value, "C") ? 'C' : '\0';
        break;
    case EVENT_FRAME: file->event.frame = read_index(value); break;
    default: file->event.at = read_number(value); break;
    }
    return STATUS_OK;
}

static enum status take_profile(struct speedscope *file, const struct json_value *value,
                                struct error *err)
{
    switch ((enum place)value->place) {
    case PROFILE:
        if (value->kind == JSON_OBJECT)
            return speedscope_begin_profile(file);
        return value->kind == JSON_OBJECT_END ? speedscope_end_profile(file) : STATUS_OK;
    case NAME: keep_text(&file->name, value); break;
    case UNIT: keep_text(&file->unit, value); break;
    case END: file->end = read_number(value); break;
    case SAMPLE:
        if (value->kind == JSON_ARRAY_END)
            return end_sample(file, err);
        if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT_END)
            break;
        return array_push(&file->stacks, PROFILE_NO_ID) ? STATUS_OK : STATUS_NO_MEMORY;
    case WEIGHT:
        return array_push(&file->weights, read_number(value)) ? STATUS_OK : STATUS_NO_MEMORY;
    default: break;
    }
    return STATUS_OK;
}

static enum status take(void *context, const struct json_value *value, struct error *err)
{
    struct speedscope *file = context;
    enum status status = STATUS_OK;
    bool is_end = value->kind == JSON_OBJECT_END || value->kind == JSON_ARRAY_END;
    if (is_end && (value->place == SAMPLE_FRAME || value->place == WEIGHT))
        return STATUS_OK; /* a number was awaited, and its absence noted */
    switch ((enum place)value->place) {
    case SAMPLE_FRAME: status = take_sample_frame(file, value); break;
    case EVENT:
    case EVENT_TYPE:
    case EVENT_FRAME:
    case EVENT_AT: status = take_event(file, value); break;
    case FRAME: status = is_end ? end_frame(file) : take_frame(file, value); break;
    case FRAME_NAME:
    case FRAME_FILE:
    case FRAME_LINE: status = take_frame(file, value); break;
    case EXPORTER: keep_text(&file->exporter, value); break;
    case TITLE: keep_text(&file->title, value); break;
    default: status = take_profile(file, value, err); break;
    }
    return status == STATUS_OK ? status : recorder_failed(err, status);
}

enum status speedscope_parse(const struct input_file *input, struct progress *progress,
                             struct profile *profile, struct error *err)
{
    struct speedscope file;
    bool is_cut;
    profile->family = PROFILE_SAMPLES;
    profile->format = "speedscope";
    profile->unit = "none";
    speedscope_init(&file, profile, input->size);
    struct json_reader reader = {.rules = rules,
                                 .rule_count = sizeof rules / sizeof *rules,
                                 .take = take,
                                 .context = &file,
                                 .stage = "reading samples"};
    enum status status = json_read(&reader, input->data, input->size, progress, &is_cut, err);
    if (is_cut && file.frames.count) {
        status = file.is_in_profile ? speedscope_end_profile(&file) : STATUS_OK;
        if (status == STATUS_OK)
            status = profile_add_warning(profile, "samples",
                                         "the file was cut short: what came before is read");
        status = recorder_failed(err, status);
    }
    if (status == STATUS_OK)
        status = speedscope_finish(&file, err);
    speedscope_deinit(&file);
    return status;
}
