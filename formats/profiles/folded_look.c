/* SPDX-License-Identifier: Apache-2.0 */
/* Which folded stacks they are, told from the first lines. */
#include "formats/profiles/folded.h"

#include <string.h>

#include "formats/profiles/number.h"
#include "formats/profiles/sample_formats.h"

#define LOOK_BYTES ((size_t)64 << 10)
#define LOOK_LINES 256

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool folded_line_split(const char *line, size_t size, struct folded_line *ret_line)
{
    const char *end = line + size;
    while (end > line && is_blank(end[-1]))
        end--;
    const char *number = end;
    while (number > line && !is_blank(number[-1]))
        number--;
    const char *stack_end = number;
    while (stack_end > line && is_blank(stack_end[-1]))
        stack_end--;
    if (stack_end == line)
        return false;
    *ret_line =
        (struct folded_line){line, number, (size_t)(stack_end - line), (size_t)(end - number)};
    return true;
}

bool folded_fact(const char *line, size_t size, struct folded_line *ret_key_and_value)
{
    if (size < 2 || line[0] != '#' || line[1] != ' ')
        return false;
    const char *key = line + 2, *colon = memchr(key, ':', size - 2);
    if (!colon || colon == key || memchr(key, ' ', (size_t)(colon - key)))
        return false;
    const char *value = colon + 1, *end = line + size;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    *ret_key_and_value =
        (struct folded_line){key, value, (size_t)(colon - key), (size_t)(end - value)};
    return true;
}

/* What was counted over the first lines. */
struct look {
    unsigned good, bad, spy, austin, sampling, structured, two_numbers;
    bool has_austin_facts, is_full, is_memory;
};

/* time,idle,memory or one number */
static bool is_number(const char *text, size_t size, bool *ret_is_full)
{
    double value;
    const char *comma = memchr(text, ',', size);
    if (!comma)
        return number_double(text, size, &value);
    *ret_is_full = true;
    const char *second = memchr(comma + 1, ',', (size_t)(text + size - (comma + 1)));
    return second && number_double(text, (size_t)(comma - text), &value) &&
           number_double(second + 1, (size_t)(text + size - (second + 1)), &value);
}

static void look_at_labels(struct look *look, const char *stack, size_t size)
{
    int64_t id;
    for (const char *label = stack, *end = stack + size; label < end;) {
        const char *semicolon = memchr(label, ';', (size_t)(end - label));
        size_t length = (size_t)((semicolon ? semicolon : end) - label);
        if (frame_label_is_spy(label, length) ||
            frame_label_mark(LABEL_SPY, label, length, &id) != LABEL_FRAME) {
            look->spy++;
            return;
        }
        label += length + 1;
    }
}

static void look_at_line(struct look *look, const char *line, size_t size)
{
    struct folded_line parts, rest;
    double value;
    int64_t id;
    if (size && line[0] == '#') {
        look->has_austin_facts |= folded_fact(line, size, &parts) && parts.stack_size == 6 &&
                                  !memcmp(parts.stack, "austin", 6);
        if (folded_fact(line, size, &parts) && parts.stack_size == 4 &&
            !memcmp(parts.stack, "mode", 4))
            look->is_memory = parts.number_size == 6 && !memcmp(parts.number, "memory", 6);
        return;
    }
    if (!size || (size == 1 && line[0] == '\r'))
        return;
    bool is_full = false;
    if (!folded_line_split(line, size, &parts) ||
        !is_number(parts.number, parts.number_size, &is_full)) {
        look->bad++;
        return;
    }
    look->good++;
    look->is_full |= is_full;
    const char *semicolon = memchr(parts.stack, ';', parts.stack_size);
    size_t first = semicolon ? (size_t)(semicolon - parts.stack) : parts.stack_size;
    if (frame_label_mark(LABEL_COLONS, parts.stack, first, &id) != LABEL_FRAME) {
        look->sampling += parts.stack[0] == 't';
        look->austin += parts.stack[0] == 'P';
    }
    look->structured += semicolon != NULL;
    look->two_numbers += folded_line_split(parts.stack, parts.stack_size, &rest) &&
                         number_double(rest.number, rest.number_size, &value);
    look_at_labels(look, parts.stack, parts.stack_size);
}

static struct look look_at(const char *text, size_t size)
{
    struct look look = {0};
    size_t at = size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0;
    for (unsigned lines = 0; at < size && lines < LOOK_LINES && at < LOOK_BYTES; lines++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;
        look_at_line(&look, text + at, length);
        at += length + 1;
    }
    return look;
}

bool folded_recognise(const uint8_t *bytes, uint64_t size)
{
    if (memchr(bytes, '\0', size < 4096 ? size : 4096))
        return false;
    struct look look = look_at((const char *)bytes, size);
    if (!look.good || look.bad * 9 > look.good)
        return false;
    return look.has_austin_facts || look.structured || look.spy;
}

struct folded_kind folded_look(const char *text, size_t size)
{
    struct look look = look_at(text, size);
    if (look.has_austin_facts || look.austin * 2 > look.good)
        return (struct folded_kind){.format = "austin",
                                    .unit = look.is_memory ? "bytes" : "microseconds",
                                    .style = LABEL_COLONS,
                                    .is_austin = true,
                                    .is_full = look.is_full};
    if (look.sampling * 2 > look.good)
        return (struct folded_kind){
            .format = "profiling.sampling collapsed", .unit = "samples", .style = LABEL_COLONS};
    if (look.spy)
        return (struct folded_kind){.format = "py-spy raw", .unit = "samples", .style = LABEL_SPY};
    return (struct folded_kind){.format = "folded stacks",
                                .unit = "samples",
                                .style = LABEL_PLAIN,
                                .is_different = look.two_numbers == look.good};
}
