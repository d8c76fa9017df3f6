/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the label of a frame.
 *
 *   py-spy (src/flamegraph.rs, src/dump.rs; nothing is escaped):
 *     name (file:line)   name (file) with --nolineno or of a library   name
 *     process PID:"COMMAND LINE"   thread (TID)   thread (TID): NAME
 *   austin, text form:      file:name:line   P<pid>   T<tid>   T<interpreter>:<tid>
 *   CPython 3.15 profiling.sampling (stack_collector.py):   file:name:line   tid:<tid>
 *
 * TID is decimal, or 0x and hexadecimal digits where only the pthread is known. */
#include "formats/profiles/frame_label.h"

#include <string.h>

#include "formats/profiles/number.h"

#define COMMAND_BYTES ((size_t)4 << 20) /* longer command lines are not looked through */

static bool has_prefix(const char *text, size_t size, const char *prefix)
{
    size_t length = strlen(prefix);
    return size >= length && !memcmp(text, prefix, length);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A line's number; what is negative stands for none, as for frames without code. */
static bool read_line(const char *text, size_t size, int32_t *ret_line)
{
    int64_t value;
    if (!number_i64(text, size, &value) || value > INT32_MAX || value < INT32_MIN)
        return false;
    *ret_line = value < 0 ? 0 : (int32_t)value;
    return true;
}

/* ---- name (file:line) */

/* Where the parenthesis is that the last one closes, with a blank before it: paths
 * and C++ names hold pairs of their own. Where pairs don't match, the first one
 * after a blank, for Python's names have none. SIZE_MAX: none. */
static size_t find_file(const char *label, size_t size)
{
    size_t depth = 1, first = SIZE_MAX;
    if (size < 4 || label[size - 1] != ')')
        return SIZE_MAX;
    const char *opens = memchr(label, '(', size), *closes = memchr(label, ')', size);
    for (size_t i = size - 1; i-- > 1;) {
        if (label[i] == ')') {
            depth++;
        } else if (label[i] == '(') {
            depth -= depth > 0;
            if (label[i - 1] != ' ')
                continue;
            /* a name with an open parenthesis and none closed is no name */
            if (!depth && (opens == label + i || closes < label + i))
                return i;
            first = i;
        }
    }
    return first;
}

bool frame_label_is_spy(const char *label, size_t size)
{
    return find_file(label, size) != SIZE_MAX;
}

static struct frame_label split_spy(const char *label, size_t size)
{
    struct frame_label parts = {.name = label, .name_size = size};
    size_t open = find_file(label, size);
    if (open == SIZE_MAX)
        return parts;
    parts.name_size = open - 1;
    parts.file = label + open + 1;
    parts.file_size = size - 1 - (open + 1);
    const char *colon = memrchr(parts.file, ':', parts.file_size);
    if (colon && read_line(colon + 1, (size_t)(label + size - 1 - (colon + 1)), &parts.line))
        parts.file_size = (size_t)(colon - parts.file);
    return parts;
}

/* ---- file:name:line */

static struct frame_label split_colons(const char *label, size_t size)
{
    struct frame_label parts = {.name = label, .name_size = size};
    const char *last = memrchr(label, ':', size);
    const char *first = last ? memrchr(label, ':', (size_t)(last - label)) : NULL;
    if (!first || first == label ||
        !read_line(last + 1, (size_t)(label + size - (last + 1)), &parts.line))
        return parts;
    parts.file = label;
    parts.file_size = (size_t)(first - label);
    parts.name = first + 1;
    parts.name_size = (size_t)(last - (first + 1));
    return parts;
}

struct frame_label frame_label_split(enum label_style style, const char *label, size_t size)
{
    switch (style) {
    case LABEL_SPY: return split_spy(label, size);
    case LABEL_COLONS: return split_colons(label, size);
    case LABEL_PLAIN: break;
    }
    return (struct frame_label){.name = label, .name_size = size};
}

/* ---- processes and threads */

static enum label_mark mark_spy(const char *label, size_t size, int64_t *ret_id)
{
    if (has_prefix(label, size, "process ")) {
        const char *colon = memchr(label, ':', size);
        size_t after = colon ? (size_t)(label + size - colon) : 0;
        if (after < 2 || colon[1] != '"' ||
            !number_i64(label + 8, (size_t)(colon - label) - 8, ret_id))
            return LABEL_FRAME;
        return after > 2 && label[size - 1] == '"' ? LABEL_PROCESS : LABEL_PROCESS_PART;
    }
    if (!has_prefix(label, size, "thread ("))
        return LABEL_FRAME;
    const char *close = memchr(label, ')', size);
    if (!close || (close + 1 < label + size && close[1] != ':'))
        return LABEL_FRAME;
    return number_id(label + 8, (size_t)(close - label) - 8, ret_id) ? LABEL_THREAD : LABEL_FRAME;
}

static enum label_mark mark_colons(const char *label, size_t size, int64_t *ret_id)
{
    if (has_prefix(label, size, "tid:"))
        return number_id(label + 4, size - 4, ret_id) ? LABEL_THREAD : LABEL_FRAME;
    if (size < 2 || !is_digit(label[1]))
        return LABEL_FRAME;
    if (label[0] == 'P')
        return number_id(label + 1, size - 1, ret_id) ? LABEL_PROCESS : LABEL_FRAME;
    if (label[0] != 'T')
        return LABEL_FRAME;
    const char *colon = memchr(label, ':', size);
    const char *id = colon ? colon + 1 : label + 1;
    return number_id(id, (size_t)(label + size - id), ret_id) ? LABEL_THREAD : LABEL_FRAME;
}

enum label_mark frame_label_mark(enum label_style style, const char *label, size_t size,
                                 int64_t *ret_id)
{
    switch (style) {
    case LABEL_SPY: return mark_spy(label, size, ret_id);
    case LABEL_COLONS: return mark_colons(label, size, ret_id);
    case LABEL_PLAIN: break;
    }
    return LABEL_FRAME;
}

/* Whether what follows a process label looks as it should: another label. */
static bool follows_process(const char *text, size_t size)
{
    int64_t id;
    const char *semicolon = memchr(text, ';', size);
    size_t first = semicolon ? (size_t)(semicolon - text) : size;
    if (has_prefix(text, size, "process ") && size > 8 && is_digit(text[8]))
        return true;
    return mark_spy(text, first, &id) == LABEL_THREAD || frame_label_is_spy(text, first);
}

size_t frame_label_process_size(const char *text, size_t size)
{
    size_t found = SIZE_MAX, scanned = size < COMMAND_BYTES ? size : COMMAND_BYTES;
    for (size_t at = 0; at < scanned;) {
        const char *end = memmem(text + at, scanned - at, "\";", 2);
        if (!end)
            break;
        at = (size_t)(end - text) + 2;
        if (found == SIZE_MAX)
            found = at - 1;
        if (follows_process(text + at, size - at))
            return at - 1;
    }
    if (size && text[size - 1] == '"')
        return size;
    if (found != SIZE_MAX)
        return found;
    const char *semicolon = memchr(text, ';', size);
    return semicolon ? (size_t)(semicolon - text) : size;
}

bool frame_label_profile_name(const char *name, size_t size, int64_t *ret_pid, int64_t *ret_tid)
{
    *ret_pid = *ret_tid = -1;
    int64_t pid = -1, tid;
    if (has_prefix(name, size, "Process ")) {
        const char *blank = memchr(name + 8, ' ', size - 8);
        if (!blank || !number_i64(name + 8, (size_t)(blank - (name + 8)), &pid))
            return false;
        size -= (size_t)(blank + 1 - name);
        name = blank + 1;
    }
    if (!has_prefix(name, size, "Thread "))
        return false;
    const char *blank = memchr(name + 7, ' ', size - 7);
    size_t digits = blank ? (size_t)(blank - (name + 7)) : size - 7;
    if (!number_id(name + 7, digits, &tid))
        return false;
    *ret_pid = pid;
    *ret_tid = tid;
    return true;
}
