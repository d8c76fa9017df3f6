/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/restriction.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Regular expressions: only whether there is a match matters, so greed and groups
 * are left out. */

/* Classes, for the inside of brackets. */
static const char *class_of(char letter)
{
    switch (letter) {
    case 'd': return "0-9";
    case 'w': return "[:alnum:]_";
    case 's': return "[:space:]";
    default: return NULL;
    }
}

/* A character that a backslash makes an ordinary one, or names. */
static bool translate_escape(char letter, struct text *posix)
{
    const char *class = class_of(letter), *inverse = class_of((char)(letter | 0x20));
    if (class) {
        text_printf(posix, "[%s]", class);
    } else if (letter >= 'A' && letter <= 'Z' && inverse) {
        text_printf(posix, "[^%s]", inverse);
    } else if (letter == 'b' || letter == 'B') {
        text_printf(posix, "\\%c", letter);
    } else if (letter == 'A') {
        text_append_char(posix, '^');
    } else if (letter == 'Z') {
        text_append_char(posix, '$');
    } else if (letter == 't') {
        text_append_char(posix, '\t');
    } else if (letter == 'n') {
        text_append_char(posix, '\n');
    } else if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || !letter) {
        return false;
    } else if (strchr("^.[]$()|*+?{}\\", letter)) {
        text_printf(posix, "\\%c", letter);
    } else {
        text_append_char(posix, letter);
    }
    return true;
}

/* From behind '[' to behind ']': POSIX knows no backslash there, wants a bracket that is
 * meant first and a hyphen that is meant last. NULL: it does not end, or has no words. */
static const char *translate_set(const char *c, struct text *posix)
{
    bool bracket = false, hyphen = false, caret = false;
    struct text members;
    text_init(&members);
    bool negated = *c == '^';
    c += negated;
    const char *start = c;
    for (; *c && (*c != ']' || c == start); c++) {
        char letter = *c;
        bool escaped = letter == '\\';
        if (escaped && !(letter = *++c))
            break;
        if (escaped && class_of(letter))
            text_append(&members, class_of(letter));
        else if (letter == ']')
            bracket = true;
        else if (letter == '^')
            caret = true;
        else if (letter == '-' && (escaped || c == start || c[1] == ']'))
            hyphen = true;
        else if (escaped && ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z'))
            break;
        else
            text_append_char(&members, letter);
    }
    bool whole = *c == ']' && text_ok(&members);
    if (whole && caret && !negated && !bracket && !hyphen && !members.size)
        text_append(posix, "\\^");
    else if (whole)
        text_printf(posix, "[%s%s%s%s%s]", negated ? "^" : "", bracket ? "]" : "",
                    text_string(&members), caret ? "^" : "", hyphen ? "-" : "");
    text_deinit(&members);
    return whole ? c + 1 : NULL;
}

/* "(?:" is a group; "(?P<name>" too. Others have no words here. */
static const char *translate_group(const char *c, struct text *posix)
{
    text_append_char(posix, '(');
    if (*c != '?')
        return c;
    if (c[1] == ':')
        return c + 2;
    const char *end = c[1] == 'P' && c[2] == '<' ? strchr(c, '>') : NULL;
    return end ? end + 1 : NULL;
}

/* Whether "{2,3}" begins here; otherwise Python takes the brace as itself. */
static bool is_repeat(const char *c)
{
    size_t size = strspn(c, "0123456789,");
    return size && c[size] == '}' && strspn(c, "0123456789") > 0;
}

bool regular_expression_translate(const char *pattern, struct text *ret_posix)
{
    const char *c = pattern;
    while (c && *c) {
        char letter = *c++;
        if (letter == '\\') {
            if (!translate_escape(*c, ret_posix))
                return false;
            c++;
        } else if (letter == '[') {
            c = translate_set(c, ret_posix);
        } else if (letter == '(') {
            c = translate_group(c, ret_posix);
        } else if (letter == '{' && !is_repeat(c)) {
            text_append(ret_posix, "\\{");
        } else if (letter == '}' || letter == '{') {
            text_append_char(ret_posix, letter);
        } else {
            text_append_char(ret_posix, letter);
            /* "*?" is "*" that takes little: the same for a search */
            if (strchr("*+?", letter) && *c == '?')
                c++;
        }
        if (letter == '}' && c && *c == '?')
            c++;
    }
    return c;
}

/* ---- Restrictions. */

/* "(" alone is no pattern in Python either; a back reference is one. */
static bool looks_valid(const char *pattern)
{
    int open = 0;
    for (const char *c = pattern; *c; c++) {
        if (*c == '\\') {
            if (!*++c)
                return false;
        } else if (*c == '[') {
            const char *end = strchr(c + (c[1] == '^' ? 2 : 1) + 1, ']');
            if (!c[1] || !end)
                return false;
            c = end;
        } else if (*c == '(') {
            open++;
        } else if (*c == ')' && --open < 0) {
            return false;
        } else if (strchr("*+?", *c) && (c == pattern || c[-1] == '(' || c[-1] == '|') &&
                   !(c != pattern && c[-1] == '(' && *c == '?')) {
            return false;
        }
    }
    return !open;
}

static enum status compile(const char *text, struct restriction *restriction, struct error *err)
{
    struct text posix;
    text_init(&posix);
    if (!looks_valid(text)) {
        text_deinit(&posix);
        return STATUS_OK;
    }
    bool known = regular_expression_translate(text, &posix);
    restriction->is_valid =
        known && text_ok(&posix) &&
        regcomp(&restriction->pattern, text_string(&posix), REG_EXTENDED | REG_NOSUB) == 0;
    text_deinit(&posix);
    if (!restriction->is_valid)
        return error_set(err, STATUS_USAGE,
                         "the pattern '%s' asks for more than can be searched for here (no back "
                         "references, looking ahead or behind, or flags)",
                         text);
    return STATUS_OK;
}

enum status restriction_parse(const char *text, struct restriction *ret_restriction,
                              struct error *err)
{
    struct restriction restriction = {.kind = RESTRICTION_PATTERN};
    char *end;
    errno = 0;
    restriction.count = strtoll(text, &end, 10);
    if (end != text && !*end && !errno) {
        restriction.kind = RESTRICTION_COUNT;
        *ret_restriction = restriction;
        return STATUS_OK;
    }
    bool numeric = text[strspn(text, "0123456789.eE+-")] == '\0' && strpbrk(text, "0123456789");
    restriction.part = strtod(text, &end);
    if (numeric && end != text && !*end) {
        if (!(restriction.part >= 0 && restriction.part <= 1))
            return error_set(err, STATUS_USAGE, "a part of the rows is from 0 to 1, not %s", text);
        restriction.kind = RESTRICTION_PART;
        *ret_restriction = restriction;
        return STATUS_OK;
    }
    enum status status = compile(text, &restriction, err);
    if (status == STATUS_OK)
        *ret_restriction = restriction;
    return status;
}

void restriction_deinit(struct restriction *restriction)
{
    if (restriction->kind == RESTRICTION_PATTERN && restriction->is_valid)
        regfree(&restriction->pattern);
}

/* The quotes that need no backslash, where there are such. */
static void append_string_repr(const char *string, struct text *text)
{
    char quote = strchr(string, '\'') && !strchr(string, '"') ? '"' : '\'';
    text_append_char(text, quote);
    for (const char *c = string; *c; c++) {
        if (*c == quote || *c == '\\')
            text_append_char(text, '\\');
        if (*c == '\n')
            text_append(text, "\\n");
        else if (*c == '\t')
            text_append(text, "\\t");
        else
            text_append_char(text, *c);
    }
    text_append_char(text, quote);
}

void restriction_repr(const char *string, const struct restriction *restriction,
                      struct text *ret_repr)
{
    char number[40];
    if (restriction->kind == RESTRICTION_PATTERN) {
        append_string_repr(string, ret_repr);
        return;
    }
    if (restriction->kind == RESTRICTION_COUNT) {
        text_printf(ret_repr, "%lld", (long long)restriction->count);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, restriction->part);
        if (strtod(number, NULL) == restriction->part)
            break;
    }
    text_append(ret_repr, number);
    if (!strpbrk(number, ".e"))
        text_append(ret_repr, ".0");
}
