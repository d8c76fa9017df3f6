/* SPDX-License-Identifier: Apache-2.0 */
/* The text of py-spy dump (src/dump.rs, src/coredump.rs), 0.3.6 to 0.4.2:
 *
 *   Process PID: COMMAND LINE
 *   Python vVERSION (EXECUTABLE)
 *   Parent Process PID: COMMAND LINE          with --subprocesses, of a child
 *
 *   Thread TID (idle, active or active+gil): "NAME"
 *       function (file:line)                  innermost first
 *           Arguments:                        with --locals; two colons in 0.3.6
 *               name: value
 *           Locals:
 *               name: value
 *   ---------                                 before each child
 *
 * A dump of a core has "Signal N: FILE" first, and (gil) or nothing for the state.
 * People paste it: colours of a terminal are passed over, and lines around it too. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/profiles/number.h"
#include "formats/profiles/pyspy_dump.h"
#include "formats/profiles/sample_formats.h"

#define LOOK_BYTES     ((size_t)64 << 10)
#define PROGRESS_BYTES ((uint64_t)4 << 20)

struct text_reader {
    struct pyspy_dump dump;
    struct text plain; /* the line without colours */
    struct pyspy_thread thread;
    struct text thread_name;
    int64_t pid;
    uint32_t process; /* its label */
    unsigned process_count;
    bool are_arguments;
    uint64_t line, unknown, first_unknown;
};

/* ---- the parts of lines */

static bool skip_prefix(const char **text, size_t *size, const char *prefix)
{
    size_t length = strlen(prefix);
    if (*size < length || memcmp(*text, prefix, length) != 0)
        return false;
    *text += length;
    *size -= length;
    return true;
}

/* N: REST */
static bool split_numbered(const char *text, size_t size, int64_t *ret_number,
                           const char **ret_rest, size_t *ret_size)
{
    const char *colon = memchr(text, ':', size);
    if (!colon || !number_i64(text, (size_t)(colon - text), ret_number))
        return false;
    *ret_rest = colon + 1;
    *ret_size = size - (size_t)(colon + 1 - text);
    skip_prefix(ret_rest, ret_size, " ");
    return true;
}

/* TID (STATE): "NAME", the last two as they are told. */
static bool split_thread(const char *text, size_t size, struct pyspy_thread *ret_thread)
{
    static const struct {
        const char *text;
        bool is_idle, is_active, holds_gil;
    } states[] = {
        {" (idle)", true, false, false},
        {" (active)", false, true, false},
        {" (active+gil)", false, true, true},
        {" (gil)", false, false, true},
    };
    size_t digits = 0;
    while (digits < size && text[digits] != ' ' && text[digits] != ':')
        digits++;
    struct pyspy_thread thread = {.pid = -1,
                                  .is_pthread = digits > 1 && (text[1] == 'x' || text[1] == 'X')};
    if (!number_id(text, digits, &thread.tid))
        return false;
    text += digits;
    size -= digits;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (skip_prefix(&text, &size, states[i].text)) {
            thread.is_idle = states[i].is_idle;
            thread.is_active = states[i].is_active;
            thread.holds_gil = states[i].holds_gil;
            break;
        }
    }
    if (skip_prefix(&text, &size, ": \"") && size && text[size - 1] == '"') {
        thread.name = text;
        thread.name_size = size - 1;
        size = 0;
    }
    if (size)
        return false;
    *ret_thread = thread;
    return true;
}

static bool is_ruler(const char *text, size_t size)
{
    size_t dashes = 0;
    while (dashes < size && text[dashes] == '-')
        dashes++;
    return dashes == size && size >= 3;
}

/* ---- recognising */

/* The line without its colours (ESC [ … m) and without blanks at its end. */
static bool plain_line(struct text *plain, const char **line, size_t *size)
{
    while (*size && memchr(" \t\r", (*line)[*size - 1], 3))
        --*size;
    if (!memchr(*line, '\x1b', *size))
        return true;
    text_clear(plain);
    for (size_t i = 0; i < *size; i++) {
        if ((*line)[i] == '\x1b' && i + 1 < *size && (*line)[i + 1] == '[') {
            while (i < *size && (*line)[i] != 'm')
                i++;
        } else {
            text_append_char(plain, (*line)[i]);
        }
    }
    *line = text_string(plain);
    *size = plain->size;
    return text_ok(plain);
}

static bool is_thread_line(const char *line, size_t size)
{
    struct pyspy_thread thread;
    return skip_prefix(&line, &size, "Thread ") && split_thread(line, size, &thread);
}

/* A thread, and after it a frame. */
bool pyspy_text_recognise(const uint8_t *bytes, uint64_t size)
{
    const char *text = (const char *)bytes;
    size_t look = size < LOOK_BYTES ? (size_t)size : LOOK_BYTES;
    struct text plain;
    bool is_after_thread = false, is_dump = false;
    if (memchr(text, '\0', look))
        return false;
    text_init(&plain);
    for (size_t at = 0; at < look && !is_dump;) {
        const char *line = text + at, *end = memchr(line, '\n', look - at);
        size_t length = end ? (size_t)(end - line) : look - at;
        at += length + 1;
        if (!plain_line(&plain, &line, &length))
            break;
        is_dump = is_after_thread && length > 4 && !memcmp(line, "    ", 4) &&
                  frame_label_is_spy(line + 4, length - 4);
        is_after_thread = is_thread_line(line, length);
    }
    text_deinit(&plain);
    return is_dump;
}

/* ---- reading */

static enum status end_thread(struct text_reader *reader, struct error *err)
{
    if (!reader->dump.is_in_thread)
        return STATUS_OK;
    reader->thread.name = reader->thread.name ? text_string(&reader->thread_name) : NULL;
    return pyspy_dump_end(&reader->dump, &reader->thread, err);
}

static enum status begin_thread(struct text_reader *reader, const struct pyspy_thread *thread,
                                struct error *err)
{
    enum status status = end_thread(reader, err);
    if (status != STATUS_OK)
        return status;
    reader->thread = *thread;
    reader->thread.pid = reader->pid;
    reader->thread.process = reader->process;
    text_clear(&reader->thread_name);
    if (thread->name)
        text_append_n(&reader->thread_name, thread->name, thread->name_size);
    status = text_ok(&reader->thread_name) ? pyspy_dump_begin(&reader->dump) : STATUS_NO_MEMORY;
    return recorder_failed(err, status);
}

/* Each Python that is dumped; its facts are the recording's where it is the first. */
static enum status begin_process(struct text_reader *reader, const char *text, size_t size,
                                 struct error *err)
{
    struct pyspy_dump *dump = &reader->dump;
    int64_t pid;
    const char *command;
    size_t command_size;
    enum status status = end_thread(reader, err);
    if (status != STATUS_OK || !split_numbered(text, size, &pid, &command, &command_size))
        return status;
    reader->pid = pid;
    dump->has_several_processes = reader->process_count++ > 0;
    text_clear(&dump->text);
    text_append_n(&dump->text, command, command_size);
    if (reader->process_count == 1 && text_ok(&dump->text)) {
        char digits[24];
        snprintf(digits, sizeof digits, "%" PRId64, pid);
        status = profile_add_fact(dump->profile, "pid", digits);
        if (status == STATUS_OK)
            status = profile_add_fact(dump->profile, "command", text_string(&dump->text));
    }
    text_clear(&dump->text);
    text_printf(&dump->text, "process %" PRId64 ":\"", pid);
    text_append_n(&dump->text, command, command_size);
    text_append_char(&dump->text, '"');
    if (status == STATUS_OK)
        status = text_ok(&dump->text) ? profile_add_string(dump->profile, text_string(&dump->text),
                                                           dump->text.size, &reader->process)
                                      : STATUS_NO_MEMORY;
    return recorder_failed(err, status);
}

static enum status take_python(struct text_reader *reader, const char *text, size_t size)
{
    struct profile *profile = reader->dump.profile;
    if (reader->process_count > 1)
        return STATUS_OK;
    char version[64];
    const char *blank = memchr(text, ' ', size);
    size_t length = blank ? (size_t)(blank - text) : size;
    snprintf(version, sizeof version, "%.*s", (int)(length < 63 ? length : 63), text);
    enum status status = profile_add_fact(profile, "python_version", version);
    if (status != STATUS_OK || !blank || blank[1] != '(' || text[size - 1] != ')')
        return status;
    struct text *path = &reader->dump.text;
    text_clear(path);
    text_append_n(path, blank + 2, (size_t)(text + size - 1 - (blank + 2)));
    return text_ok(path) ? profile_add_fact(profile, "executable", text_string(path))
                         : STATUS_NO_MEMORY;
}

/* A line within a thread; false: it is of another kind. */
static bool take_indented(struct text_reader *reader, const char *line, size_t size,
                          enum status *ret_status)
{
    struct pyspy_dump *dump = &reader->dump;
    if (!dump->is_in_thread || !skip_prefix(&line, &size, "    ") || !size)
        return false;
    if (*line != ' ') {
        struct frame_label parts = frame_label_split(LABEL_SPY, line, size);
        if (size > 3 && !memcmp(line + size - 3, " ()", 3)) /* a file that is empty */
            parts = (struct frame_label){.name = line, .name_size = size - 3};
        *ret_status = pyspy_dump_frame(dump, &parts);
        return true;
    }
    if (!dump->frames.count || !skip_prefix(&line, &size, "    ") || !size)
        return false;
    if (*line != ' ') {
        reader->are_arguments = skip_prefix(&line, &size, "Arguments:");
        return (reader->are_arguments || skip_prefix(&line, &size, "Locals:")) && size <= 1;
    }
    const char *colon = skip_prefix(&line, &size, "    ") ? memchr(line, ':', size) : NULL;
    if (!colon)
        return false;
    const char *value = colon + 1;
    size_t value_size = (size_t)(line + size - value);
    skip_prefix(&value, &value_size, " ");
    *ret_status =
        pyspy_dump_local(dump, (uint32_t)dump->frames.count - 1, line, (size_t)(colon - line),
                         value, value_size, reader->are_arguments);
    return true;
}

static enum status take_line(struct text_reader *reader, const char *line, size_t size,
                             struct error *err)
{
    struct pyspy_thread thread;
    const char *rest = line;
    size_t rest_size = size;
    enum status status = STATUS_OK;
    if (!size || is_ruler(line, size) || skip_prefix(&rest, &rest_size, "Parent Process ") ||
        skip_prefix(&rest, &rest_size, "Signal "))
        return STATUS_OK;
    if (skip_prefix(&rest, &rest_size, "Process "))
        return begin_process(reader, rest, rest_size, err);
    if (skip_prefix(&rest, &rest_size, "Python v"))
        return recorder_failed(err, take_python(reader, rest, rest_size));
    if (skip_prefix(&rest, &rest_size, "Thread ") && split_thread(rest, rest_size, &thread))
        return begin_thread(reader, &thread, err);
    if (take_indented(reader, line, size, &status))
        return recorder_failed(err, status);
    if (!reader->unknown++)
        reader->first_unknown = reader->line;
    return STATUS_OK;
}

static enum status take_lines(struct text_reader *reader, const char *text, size_t size,
                              struct progress *progress, struct error *err)
{
    uint64_t told = 0;
    for (size_t at = size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0; at < size;) {
        const char *line = text + at, *end = memchr(line, '\n', size - at);
        size_t length = end ? (size_t)(end - line) : size - at;
        at += length + 1;
        reader->line++;
        if (!plain_line(&reader->plain, &line, &length))
            return recorder_failed(err, STATUS_NO_MEMORY);
        enum status status = take_line(reader, line, length, err);
        if (status != STATUS_OK)
            return error_prefix(err, "line %" PRIu64, reader->line), status;
        if (at - told >= PROGRESS_BYTES) {
            told = at;
            progress_update(progress, "reading threads", "bytes", told, size);
        }
    }
    return end_thread(reader, err);
}

enum status pyspy_text_parse(const struct input_file *input, struct progress *progress,
                             struct profile *profile, struct error *err)
{
    struct text_reader reader = {.pid = -1};
    pyspy_dump_init(&reader.dump, profile, input->size);
    enum status status = take_lines(&reader, (const char *)input->data, input->size, progress, err);
    if (status == STATUS_OK && reader.unknown)
        status = recorder_failed(
            err, profile_add_warning(profile, "samples",
                                     "%" PRIu64 " lines are no part of a py-spy dump (the first "
                                     "is line %" PRIu64 "): they are left out",
                                     reader.unknown, reader.first_unknown));
    if (status == STATUS_OK)
        status = pyspy_dump_finish(&reader.dump, err);
    pyspy_dump_deinit(&reader.dump);
    text_deinit(&reader.plain);
    text_deinit(&reader.thread_name);
    return status;
}
