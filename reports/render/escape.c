/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/render/escape.h"

#include <stdlib.h>
#include <string.h>

/* What a place does to ASCII: printable characters with a replacement here get
 * it, all others pass; controls are shown, unless the place has its own form. */
struct place {
    const char *replacement[128];
    bool json; /* controls as JSON's own escapes */
    bool raw;  /* bytes that are no UTF-8 pass */
};

static const struct place terminal_place = {0};

static const struct place terminal_lines_place = {.replacement = {['\n'] = "\n"}};

static const struct place json_place = {
    .replacement =
        {['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"},
    .json = true,
};

static const struct place collapsed_place = {.replacement = {[';'] = ":"}, .raw = true};
static const struct place collapsed_frames_place = {.raw = true};

static const struct place csv_place = {.replacement = {['"'] = "\"\"", ['\n'] = "\n"}};

/* "@name" would call a person; the empty comment keeps it apart. A pipe as an
 * entity can't end a table's cell, not even after a backslash. */
static const struct place markdown_place = {.replacement = {['\\'] = "\\\\",
                                                            ['`'] = "\\`",
                                                            ['*'] = "\\*",
                                                            ['_'] = "\\_",
                                                            ['['] = "\\[",
                                                            [']'] = "\\]",
                                                            ['<'] = "&lt;",
                                                            ['>'] = "&gt;",
                                                            ['&'] = "&amp;",
                                                            ['#'] = "\\#",
                                                            ['~'] = "\\~",
                                                            ['!'] = "\\!",
                                                            ['$'] = "\\$",
                                                            ['|'] = "&#124;",
                                                            ['@'] = "@<!-- -->"}};

/* As markdown_place, within <code>, where a comment would be in the way. */
static const struct place markdown_code_element_place = {.replacement = {['\\'] = "&#92;",
                                                                         ['`'] = "&#96;",
                                                                         ['*'] = "&#42;",
                                                                         ['_'] = "&#95;",
                                                                         ['['] = "&#91;",
                                                                         [']'] = "&#93;",
                                                                         ['<'] = "&lt;",
                                                                         ['>'] = "&gt;",
                                                                         ['&'] = "&amp;",
                                                                         ['~'] = "&#126;",
                                                                         ['!'] = "&#33;",
                                                                         ['$'] = "&#36;",
                                                                         [':'] = "&#58;",
                                                                         ['|'] = "&#124;"}};

#define MARKUP_REPLACEMENTS                                                                        \
    ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"
static const struct place markup_place = {.replacement = {MARKUP_REPLACEMENTS}};
static const struct place markup_lines_place = {
    .replacement = {MARKUP_REPLACEMENTS, ['\n'] = "\n"}};

/* What moves the text around it, or is not seen at all: Unicode's format
 * characters (Cf), separators, fillers, tags, C1 controls and noncharacters. */
static bool is_steering(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x80, 0x9F},       {0xAD, 0xAD},       {0x600, 0x605},     {0x61C, 0x61C},
        {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},
        {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180E, 0x180E},   {0x200B, 0x200F},
        {0x2028, 0x202E},   {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFDD0, 0xFDEF},
        {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0x110BD, 0x110BD},
        {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
        {0xE0000, 0xE0FFF},
    };
    if ((c & 0xFFFE) == 0xFFFE)
        return true;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges && ranges[i].first <= c; i++)
        if (c <= ranges[i].last)
            return true;
    return false;
}

static void show_code_point(struct text *text, const struct place *place, uint32_t c)
{
    if (place->json && c > 0xFFFF)
        text_printf(text, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (c >> 10)),
                    (unsigned)(0xDC00 | (c & 0x3FF)));
    else if (place->json || (c > 0xFF && c <= 0xFFFF))
        text_printf(text, "\\u%04x", (unsigned)c);
    else if (c > 0xFFFF)
        text_printf(text, "\\U%08x", (unsigned)c);
    else
        text_printf(text, "\\x%02x", (unsigned)c);
}

static void replace_ascii(struct text *text, const struct place *place, unsigned char c)
{
    static const char *const shown[128] = {['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
    if (place->replacement[c])
        text_append(text, place->replacement[c]);
    else if (shown[c])
        text_append(text, shown[c]);
    else
        show_code_point(text, place, c);
}

/* The one walk that all places share: runs of harmless bytes are copied whole. */
static void escape_n(struct text *text, const struct place *place, const char *string, size_t size)
{
    size_t run = 0, at = 0;
    while (at < size) {
        unsigned char c = (unsigned char)string[at];
        uint32_t code_point = c;
        size_t length = 1;
        if (c < 0x80) {
            if (c >= 0x20 && c != 0x7F && !place->replacement[c]) {
                at++;
                continue;
            }
        } else {
            length = utf8_decode(string + at, size - at, &code_point);
            if (length && !is_steering(code_point)) {
                at += length;
                continue;
            }
        }
        text_append_n(text, string + run, at - run);
        if (c < 0x80)
            replace_ascii(text, place, c);
        else if (length)
            show_code_point(text, place, code_point);
        else if (place->raw)
            text_append_char(text, (char)c);
        else
            text_printf(text, place->json ? "\\\\x%02x" : "\\x%02x", c);
        at += length ? length : 1;
        run = at;
    }
    text_append_n(text, string + run, at - run);
}

static void escape(struct text *text, const struct place *place, const char *string)
{
    if (string)
        escape_n(text, place, string, strlen(string));
}

void escape_terminal(struct text *text, const char *string, enum escape_lines lines)
{
    escape(text, lines == ESCAPE_KEEP_LINES ? &terminal_lines_place : &terminal_place, string);
}

void escape_json(struct text *text, const char *string)
{
    escape(text, &json_place, string);
}

void escape_markup(struct text *text, const char *string, enum escape_lines lines)
{
    escape(text, lines == ESCAPE_KEEP_LINES ? &markup_lines_place : &markup_place, string);
}

void escape_collapsed(struct text *text, const char *string, bool is_one_frame)
{
    escape(text, is_one_frame ? &collapsed_place : &collapsed_frames_place, string);
}

static bool is_number(const char *string)
{
    char *end;
    if (strpbrk(string, "xXnN")) /* strtod also takes hexadecimal, inf and nan */
        return false;
    strtod(string, &end);
    return end != string && !*end;
}

void escape_csv(struct text *text, const char *string)
{
    if (!string || !*string)
        return;
    bool formula = strchr("=+-@", *string) && !is_number(string);
    bool quoted = strpbrk(string, ",\"\n;") || *string == ' ' || string[strlen(string) - 1] == ' ';
    if (quoted)
        text_append_char(text, '"');
    if (formula)
        text_append_char(text, '\'');
    escape(text, &csv_place, string);
    if (quoted)
        text_append_char(text, '"');
}

/* What only the start of a line gives a meaning to: lists, underlines, code. */
static size_t escape_markdown_start(struct text *text, const char *string)
{
    size_t digits = strspn(string, "0123456789");
    if (strchr("+-=", *string)) {
        text_append_char(text, '\\');
        text_append_char(text, *string);
        return 1;
    }
    if (*string == ' ') {
        text_append(text, "&#32;");
        return 1;
    }
    if (digits && (string[digits] == '.' || string[digits] == ')')) {
        text_append_n(text, string, digits);
        text_append_char(text, '\\');
        text_append_char(text, string[digits]);
        return digits + 1;
    }
    return 0;
}

void escape_markdown(struct text *text, const char *string)
{
    if (!string || !*string)
        return;
    escape(text, &markdown_place, string + escape_markdown_start(text, string));
}

static size_t longest_backquote_run(const char *string)
{
    size_t longest = 0;
    while ((string = strchr(string, '`'))) {
        size_t run = strspn(string, "`");
        if (run > longest)
            longest = run;
        string += run;
    }
    return longest;
}

static void append_backquotes(struct text *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_append_char(text, '`');
}

void escape_markdown_code(struct text *text, const char *string, bool in_table)
{
    if (!string || !*string)
        return;
    if (in_table && strchr(string, '|')) {
        text_append(text, "<code>");
        escape(text, &markdown_code_element_place, string);
        text_append(text, "</code>");
        return;
    }
    size_t fence = longest_backquote_run(string) + 1;
    size_t size = strlen(string);
    /* One space on both sides is taken off again by Markdown. */
    bool pad = string[0] == '`' || string[size - 1] == '`' ||
               (string[0] == ' ' && string[size - 1] == ' ' && strspn(string, " ") < size);
    append_backquotes(text, fence);
    text_append(text, pad ? " " : "");
    escape(text, &terminal_place, string);
    text_append(text, pad ? " " : "");
    append_backquotes(text, fence);
}

void markdown_fence(struct text *text, const char *string, const char *language)
{
    size_t run = longest_backquote_run(string);
    size_t fence = run >= 3 ? run + 1 : 3;
    size_t size = strlen(string);
    append_backquotes(text, fence);
    text_printf(text, "%s\n", language);
    text_append_n(text, string, size);
    if (size && string[size - 1] != '\n')
        text_append_char(text, '\n');
    append_backquotes(text, fence);
    text_append_char(text, '\n');
}
