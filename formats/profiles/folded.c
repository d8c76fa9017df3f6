/* SPDX-License-Identifier: Apache-2.0 */
/* Folded stacks: a line for each stack, outermost frame first.
 *
 *   label;label;label NUMBER
 *
 * Nothing is escaped. Written by py-spy record -f raw (src/flamegraph.rs; NUMBER is
 * samples), the stackcollapse scripts of FlameGraph, austin (lines "# key: value"
 * first; NUMBER is microseconds, bytes in memory mode, or time,idle,bytes in full
 * mode) and CPython 3.15's profiling.sampling --collapsed (stack_collector.py).
 * frame_label.c has the labels; recorder.h says what becomes of processes and threads.
 *
 * Most lines begin as the line before does, so the frames of that beginning are kept. */
#include "formats/profiles/folded.h"

#include <inttypes.h>
#include <stdio.h>

#include "formats/profiles/label_cache.h"
#include "formats/profiles/number.h"
#include "formats/profiles/recorder.h"
#include "formats/profiles/sample_formats.h"

#define PROGRESS_BYTES ((uint64_t)4 << 20)
#define WHOLE_LIMIT    (UINT64_C(1) << 53) /* more samples than that are none */
#define PROCESS_LIMIT  64u                 /* processes, parents first, of one line */

struct left_out {
    uint64_t count, first_line;
};

struct folded_reader {
    struct recorder recorder;
    struct folded_kind kind;
    struct label_cache cache;
    const char *stack; /* of the line before, */
    size_t stack_size;
    uint32_t *frames; /* its frames, */
    size_t *ends;     /* and where the label of each ends in it */
    uint32_t depth;
    uint64_t line, good;
    struct left_out unreadable, negative;
};

static void note(struct left_out *left_out, uint64_t line)
{
    if (!left_out->count++)
        left_out->first_line = line;
}

static inline size_t common_size(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t size = a_size < b_size ? a_size : b_size, i = 0;
    for (; size - i >= 8; i += 8) {
        uint64_t difference = load_u64(a + i) ^ load_u64(b + i);
        if (difference)
            return i + (size_t)(__builtin_ctzll(difference) >> 3);
    }
    while (i < size && a[i] == b[i])
        i++;
    return i;
}

/* ---- a stack */

static inline enum status find_frame(struct folded_reader *reader, const char *label, size_t size,
                                     uint32_t *ret_frame)
{
    if (size >= UINT32_MAX)
        return STATUS_OVER_LIMIT;
    uint32_t hash = label_hash(label, size);
    struct label_slot *slot;
    if (label_cache_find(&reader->cache, label, size, hash, &slot)) {
        *ret_frame = slot->frame;
        return STATUS_OK;
    }
    enum status status = recorder_label(&reader->recorder, label, size, ret_frame);
    if (status == STATUS_OK)
        *slot = (struct label_slot){label, (uint32_t)size, hash, *ret_frame};
    return status;
}

static inline size_t label_size(const struct folded_reader *reader, const char *text, size_t size)
{
    if (reader->kind.style == LABEL_SPY && reader->depth < PROCESS_LIMIT && size > 10 &&
        !memcmp(text, "process ", 8))
        return frame_label_process_size(text, size);
    const char *semicolon = memchr(text, ';', size);
    return semicolon ? (size_t)(semicolon - text) : size;
}

static inline void keep_common(struct folded_reader *reader, const char *stack, size_t size)
{
    size_t common = common_size(reader->stack, reader->stack_size, stack, size);
    uint32_t kept = 0;
    while (kept < reader->depth && reader->ends[kept] < common && stack[reader->ends[kept]] == ';')
        kept++;
    reader->depth = kept;
    reader->stack = stack;
    reader->stack_size = size;
}

static enum status read_stack(struct folded_reader *reader, const char *stack, size_t size)
{
    keep_common(reader, stack, size);
    for (size_t at = reader->depth ? reader->ends[reader->depth - 1] + 1 : 0; at < size;) {
        size_t length = label_size(reader, stack + at, size - at);
        if (length) {
            uint32_t *frame = &reader->frames[reader->depth];
            bool is_last = reader->depth + 1 == STACK_DEPTH_LIMIT;
            enum status status = is_last ? recorder_left_out(&reader->recorder, frame)
                                         : find_frame(reader, stack + at, length, frame);
            if (status != STATUS_OK)
                return status;
            reader->ends[reader->depth++] = is_last ? size : at + length;
            if (is_last)
                break;
        }
        at += length + 1;
    }
    return STATUS_OK;
}

/* ---- a line */

static inline bool read_weight(const struct folded_reader *reader, struct folded_line *line,
                               double *ret_weight, uint64_t *ret_count)
{
    if (reader->kind.is_full) {
        const char *comma = memchr(line->number, ',', line->number_size);
        if (comma)
            line->number_size = (size_t)(comma - line->number);
    }
    uint64_t whole;
    bool is_samples = reader->kind.unit[0] == 's';
    if (number_u64(line->number, line->number_size, &whole)) {
        if (whole > WHOLE_LIMIT)
            return false;
        *ret_weight = (double)whole;
        *ret_count = is_samples ? whole : 1;
        return true;
    }
    *ret_count = 1;
    return number_double(line->number, line->number_size, ret_weight) &&
           (!is_samples || *ret_weight <= (double)WHOLE_LIMIT);
}

static enum status read_fact(struct folded_reader *reader, const char *text, size_t size)
{
    struct folded_line fact;
    char key[64], value[512];
    if (!reader->kind.is_austin || !folded_fact(text, size, &fact) ||
        fact.stack_size >= sizeof key || fact.number_size >= sizeof value)
        return STATUS_OK;
    bool is_python = fact.stack_size == 6 && !memcmp(fact.stack, "python", 6);
    snprintf(key, sizeof key, "%.*s", (int)fact.stack_size, fact.stack);
    snprintf(value, sizeof value, "%.*s", (int)fact.number_size, fact.number);
    return profile_add_fact(reader->recorder.profile, is_python ? "python_version" : key, value);
}

static enum status read_line(struct folded_reader *reader, const char *text, size_t size,
                             struct error *err)
{
    struct folded_line line;
    double weight;
    uint64_t count;
    if (size && text[0] == '#')
        return recorder_failed(err, read_fact(reader, text, size));
    if (!size || (size == 1 && text[0] == '\r'))
        return STATUS_OK;
    if (!folded_line_split(text, size, &line) || !read_weight(reader, &line, &weight, &count)) {
        note(&reader->unreadable, reader->line);
        return STATUS_OK;
    }
    if (weight < 0) {
        note(&reader->negative, reader->line);
        return STATUS_OK;
    }
    if (reader->kind.is_different) {
        struct folded_line rest;
        if (folded_line_split(line.stack, line.stack_size, &rest))
            line.stack_size = rest.stack_size;
    }
    reader->good++;
    enum status status = read_stack(reader, line.stack, line.stack_size);
    if (status != STATUS_OK)
        return recorder_failed(err, status);
    return recorder_add(&reader->recorder, PROFILE_NO_ID, reader->frames, reader->depth, weight,
                        count, err);
}

static enum status read_lines(struct folded_reader *reader, const struct input_file *input,
                              struct progress *progress, struct error *err)
{
    const char *text = (const char *)input->data;
    uint64_t told = 0, size = input->size;
    size_t at = size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0;
    while (at < size) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;
        reader->line++;
        enum status status = read_line(reader, text + at, length, err);
        if (status != STATUS_OK)
            return error_prefix(err, "line %" PRIu64, reader->line), status;
        at += length + 1;
        if (at - told >= PROGRESS_BYTES) {
            /* of what was read few labels are looked at again */
            input_file_forget(input, told, at < size ? at : size);
            told = at;
            progress_update(progress, "reading stacks", "bytes", told, size);
        }
    }
    return STATUS_OK;
}

/* ---- the whole */

static enum status warn(const struct folded_reader *reader, const struct left_out *left_out,
                        const char *what)
{
    if (!left_out->count)
        return STATUS_OK;
    return profile_add_warning(reader->recorder.profile, "samples",
                               "%" PRIu64 " lines %s (the first is line %" PRIu64
                               "): they are left out",
                               left_out->count, what, left_out->first_line);
}

static enum status warn_all(struct folded_reader *reader)
{
    struct profile *profile = reader->recorder.profile;
    enum status status = warn(reader, &reader->unreadable, "are no stack and its number");
    if (status == STATUS_OK)
        status = warn(reader, &reader->negative, "have a negative number");
    if (status == STATUS_OK && reader->kind.is_full)
        status = profile_add_warning(profile, "samples",
                                     "austin's full mode: the time is read, the memory and "
                                     "whether a thread was idle are left out");
    if (status == STATUS_OK && reader->kind.is_different)
        status = profile_add_warning(profile, "samples",
                                     "the lines have two numbers, before and after: the second "
                                     "is read");
    return status;
}

static enum status finish(struct folded_reader *reader, struct error *err)
{
    if (!reader->good)
        return error_set(err, STATUS_CORRUPT,
                         "none of its %" PRIu64 " lines is a stack and its number", reader->line);
    enum status status = warn_all(reader);
    return status == STATUS_OK ? recorder_finish(&reader->recorder, err)
                               : recorder_failed(err, status);
}

enum status folded_parse(const struct input_file *input, struct progress *progress,
                         struct profile *profile, struct error *err)
{
    const char *text = (const char *)input->data;
    struct folded_reader reader = {.kind = folded_look(text, input->size)};
    profile->family = PROFILE_SAMPLES;
    profile->format = reader.kind.format;
    profile->unit = reader.kind.unit;
    recorder_init(&reader.recorder, profile, reader.kind.style, input->size);
    reader.frames = malloc(STACK_DEPTH_LIMIT * sizeof *reader.frames);
    reader.ends = malloc(STACK_DEPTH_LIMIT * sizeof *reader.ends);
    enum status status = STATUS_NO_MEMORY;
    if (label_cache_init(&reader.cache, input->size) && reader.frames && reader.ends)
        status = read_lines(&reader, input, progress, err);
    else
        recorder_failed(err, status);
    if (status == STATUS_OK)
        status = finish(&reader, err);
    label_cache_deinit(&reader.cache);
    recorder_deinit(&reader.recorder);
    free(reader.frames);
    free(reader.ends);
    return status;
}
