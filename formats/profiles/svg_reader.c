/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/profiles/svg_reader.h"

#include <string.h>

static bool begins(const struct svg_reader *reader, const char *prefix)
{
    size_t length = strlen(prefix);
    return (size_t)(reader->end - reader->at) >= length && !memcmp(reader->at, prefix, length);
}

static void skip_past(struct svg_reader *reader, const char *what)
{
    size_t length = strlen(what);
    const char *found = memmem(reader->at, (size_t)(reader->end - reader->at), what, length);
    reader->at = found ? found + length : reader->end;
}

/* Past what begins with "<!" or "<?"; false: it is a tag. */
static bool skip_other(struct svg_reader *reader)
{
    if (begins(reader, "<!--"))
        skip_past(reader, "-->");
    else if (begins(reader, "<![CDATA["))
        skip_past(reader, "]]>");
    else if (begins(reader, "<?"))
        skip_past(reader, "?>");
    else if (begins(reader, "<!"))
        skip_past(reader, ">");
    else
        return false;
    return true;
}

/* The '>' that ends the tag: not one within quotes. NULL: the text ends before. */
static const char *find_tag_end(const char *at, const char *end)
{
    while (at < end) {
        if (*at == '>')
            return at;
        if (*at == '"' || *at == '\'') {
            const char *close = memchr(at + 1, *at, (size_t)(end - (at + 1)));
            if (!close)
                return NULL;
            at = close;
        }
        at++;
    }
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool svg_next_tag(struct svg_reader *reader, struct svg_tag *ret_tag)
{
    struct svg_tag tag = {.text = reader->at};
    for (;;) {
        const char *open = memchr(reader->at, '<', (size_t)(reader->end - reader->at));
        if (!open)
            return false;
        tag.text_size = (size_t)(open - tag.text);
        reader->at = open;
        if (!skip_other(reader))
            break;
        tag.text = reader->at;
    }
    tag.is_end = begins(reader, "</");
    tag.name = reader->at + 1 + tag.is_end;
    const char *close = find_tag_end(reader->at + 1, reader->end);
    if (!close || tag.name > close) {
        reader->at = reader->end;
        return false;
    }
    const char *end = tag.name;
    while (end < close && !is_blank(*end) && *end != '/')
        end++;
    tag.name_size = (size_t)(end - tag.name);
    tag.attributes = end;
    tag.attributes_size = (size_t)(close - end);
    reader->at = close + 1;
    *ret_tag = tag;
    return true;
}

bool svg_tag_is(const struct svg_tag *tag, const char *name)
{
    return tag->name_size == strlen(name) && !memcmp(tag->name, name, tag->name_size);
}

bool svg_attribute(const struct svg_tag *tag, const char *name, const char **ret_value,
                   size_t *ret_size)
{
    const char *at = tag->attributes, *end = at + tag->attributes_size;
    size_t length = strlen(name);
    while (at < end) {
        while (at < end && (is_blank(*at) || *at == '/'))
            at++;
        const char *begin = at;
        while (at < end && *at != '=' && !is_blank(*at))
            at++;
        size_t size = (size_t)(at - begin);
        while (at < end && is_blank(*at))
            at++;
        if (at == end || *at != '=')
            continue; /* a name without a value */
        at++;
        while (at < end && is_blank(*at))
            at++;
        const char *close = at < end && (*at == '"' || *at == '\'')
                                ? memchr(at + 1, *at, (size_t)(end - (at + 1)))
                                : NULL;
        if (!close)
            return false;
        if (size == length && !memcmp(begin, name, length)) {
            *ret_value = at + 1;
            *ret_size = (size_t)(close - (at + 1));
            return true;
        }
        at = close + 1;
    }
    return false;
}

/* &#NN; and &#xNN; without their first and last character. */
static bool read_reference(const char *text, size_t size, uint32_t *ret_code_point)
{
    bool is_hexadecimal = size > 1 && text[1] == 'x';
    uint32_t value = 0;
    for (size_t i = 1 + is_hexadecimal; i < size; i++) {
        char c = text[i], lower = (char)(c | 0x20);
        uint32_t digit = c >= '0' && c <= '9'           ? (uint32_t)(c - '0')
                         : lower >= 'a' && lower <= 'f' ? (uint32_t)(lower - 'a' + 10)
                                                        : 16;
        if (digit >= (is_hexadecimal ? 16 : 10) || value > 0x110000)
            return false;
        value = value * (is_hexadecimal ? 16 : 10) + digit;
    }
    *ret_code_point = value;
    return size > 1u + is_hexadecimal && value <= 0x10FFFF && value;
}

/* The entity that begins at '&': its length, having appended what it stands for; 0: none. */
static size_t append_entity(struct text *text, const char *bytes, size_t size)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    const char *semicolon = memchr(bytes, ';', size < 12 ? size : 12);
    if (!semicolon)
        return 0;
    size_t length = (size_t)(semicolon - (bytes + 1));
    uint32_t code_point;
    if (length && bytes[1] == '#' && read_reference(bytes + 1, length, &code_point)) {
        text_append_code_point(text, code_point);
        return length + 2;
    }
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        if (strlen(entities[i].name) == length && !memcmp(entities[i].name, bytes + 1, length)) {
            text_append_char(text, entities[i].c);
            return length + 2;
        }
    }
    return 0;
}

void svg_append_text(struct text *text, const char *bytes, size_t size)
{
    while (size) {
        const char *ampersand = memchr(bytes, '&', size);
        size_t plain = ampersand ? (size_t)(ampersand - bytes) : size;
        text_append_n(text, bytes, plain);
        bytes += plain;
        size -= plain;
        if (!size)
            break;
        size_t length = append_entity(text, bytes, size);
        if (!length) {
            text_append_char(text, '&');
            length = 1;
        }
        bytes += length;
        size -= length;
    }
}
