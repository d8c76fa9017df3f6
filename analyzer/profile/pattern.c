/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/pattern.h"

#include <string.h>

#include "inquest/base/text.h"

#define ESCAPED_BYTE 0xDC00u /* surrogateescape: U+DC80 to U+DCFF */

uint32_t pattern_next_character(const char *bytes, size_t size, size_t *position)
{
    const uint8_t *b = (const uint8_t *)bytes + *position;
    size_t left = size - *position;
    uint32_t character;
    if (*b < 0x80) {
        *position += 1;
        return *b;
    }
    size_t length = utf8_decode(bytes + *position, left, &character);
    if (length) {
        *position += length;
        return character;
    }
    /* a surrogate on its own, as Python's surrogatepass writes it */
    if (left >= 3 && b[0] == 0xED && (b[1] & 0xE0) == 0xA0 && (b[2] & 0xC0) == 0x80) {
        *position += 3;
        return 0xD000u | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
    }
    *position += 1;
    return ESCAPED_BYTE | *b;
}

/* ---- Compiling. */

/* The code points of a pattern, as Python sees it. */
struct characters {
    ARRAY(uint32_t) text;
};

static bool add_range(struct pattern *pattern, struct pattern_part *set, uint32_t first,
                      uint32_t last)
{
    struct pattern_range range = {first, last};
    if (!set->range_count)
        set->character = (uint32_t)pattern->ranges.count;
    set->range_count++;
    return array_push(&pattern->ranges, range);
}

/* A hyphen between two characters makes a range; one at an end stands for itself, and
 * so does the one after a range's end. A range that runs backwards is nothing, and the
 * characters at its ends go with it. */
static bool compile_set(struct pattern *pattern, struct pattern_part *set, const uint32_t *text,
                        size_t size)
{
    size_t i = 0;
    while (i < size) {
        if (i + 2 < size && text[i + 1] == '-') {
            if (text[i] <= text[i + 2] && !add_range(pattern, set, text[i], text[i + 2]))
                return false;
            i += 3;
        } else if (!add_range(pattern, set, text[i], text[i])) {
            return false;
        } else {
            i++;
        }
    }
    return true;
}

/* Where the set ends that begins after text[start - 1], '['; 0: it does not end, and
 * the bracket stands for itself. */
static size_t set_end(const uint32_t *text, size_t size, size_t start)
{
    size_t i = start;
    if (i < size && text[i] == '!')
        i++;
    if (i < size && text[i] == ']')
        i++;
    while (i < size && text[i] != ']')
        i++;
    return i < size ? i : 0;
}

static bool compile(struct pattern *pattern, const uint32_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        struct pattern_part part = {.kind = PATTERN_CHARACTER, .character = text[i]};
        size_t end = text[i] == '[' ? set_end(text, size, i + 1) : 0;
        if (text[i] == '*') {
            part.kind = PATTERN_STAR;
        } else if (text[i] == '?') {
            part.kind = PATTERN_ANY;
        } else if (end) {
            part = (struct pattern_part){.kind = PATTERN_SET, .is_negated = text[i + 1] == '!'};
            size_t start = i + 1 + part.is_negated;
            if (!compile_set(pattern, &part, text + start, end - start))
                return false;
            i = end;
        }
        if (!array_push(&pattern->parts, part))
            return false;
    }
    return true;
}

enum status pattern_compile(const char *text, size_t size, struct pattern *ret_pattern)
{
    struct pattern pattern = {0};
    struct characters characters = {0};
    bool ok = true;
    for (size_t position = 0; ok && position < size;) {
        uint32_t character = pattern_next_character(text, size, &position);
        ok = array_push(&characters.text, character);
    }
    ok = ok && compile(&pattern, characters.text.items, characters.text.count);
    array_deinit(&characters.text);
    if (ok)
        *ret_pattern = pattern;
    else
        pattern_deinit(&pattern);
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

void pattern_deinit(struct pattern *pattern)
{
    array_deinit(&pattern->parts);
    array_deinit(&pattern->ranges);
}

/* ---- Matching. */

static bool part_matches(const struct pattern *pattern, const struct pattern_part *part,
                         uint32_t character)
{
    if (part->kind == PATTERN_CHARACTER)
        return part->character == character;
    if (part->kind == PATTERN_ANY)
        return true;
    for (uint32_t i = 0; i < part->range_count; i++) {
        const struct pattern_range *range = &pattern->ranges.items[part->character + i];
        if (character >= range->first && character <= range->last)
            return !part->is_negated;
    }
    return part->is_negated;
}

/* Only the last star needs to take more: what came before it has matched already. */
bool pattern_matches(const struct pattern *pattern, const char *name, size_t size)
{
    size_t part = 0, position = 0, star = SIZE_MAX, after_star = 0;
    while (position < size) {
        const struct pattern_part *next =
            part < pattern->parts.count ? &pattern->parts.items[part] : NULL;
        if (next && next->kind == PATTERN_STAR) {
            star = part++;
            after_star = position;
            continue;
        }
        size_t moved = position;
        if (next && part_matches(pattern, next, pattern_next_character(name, size, &moved))) {
            part++;
            position = moved;
            continue;
        }
        if (star == SIZE_MAX)
            return false;
        pattern_next_character(name, size, &after_star);
        position = after_star;
        part = star + 1;
    }
    while (part < pattern->parts.count && pattern->parts.items[part].kind == PATTERN_STAR)
        part++;
    return part == pattern->parts.count;
}
