/* SPDX-License-Identifier: Apache-2.0 */
/* The form of CPython's traceback module: what people know how to read. */
#include "reports/commands/exceptions_text.h"

#include <inttypes.h>
#include <string.h>

#include "reports/render/escape.h"
#include "reports/render/terminal.h"

/* CPython's own bounds */
#define MAX_GROUP_DEPTH 10
#define MAX_GROUP_WIDTH 15
#define SHOWN_REPEATS   3

struct printer {
    const struct stacks *stacks;
    const struct exception_format *format;
    struct text *text;
    size_t first, end; /* the thread's exceptions */
    unsigned depth;    /* of groups around the line */
    bool need_close;   /* a group's closing line is still to come */
};

static void print_chain(struct printer *printer, size_t exception);

static void indent(struct printer *printer)
{
    for (unsigned i = 0; i < printer->depth; i++)
        text_append(printer->text, "  ");
}

static void begin_line(struct printer *printer, char margin)
{
    indent(printer);
    if (printer->depth) {
        text_append_char(printer->text, margin);
        text_append_char(printer->text, ' ');
    }
}

static void print_line(struct printer *printer, const char *line)
{
    begin_line(printer, '|');
    text_append(printer->text, line);
    text_append_char(printer->text, '\n');
}

/* Text from the dump, of one or more lines, each behind the margin. */
static void print_lines(struct printer *printer, const char *string, bool alarm)
{
    struct text escaped;
    text_init(&escaped);
    escape_terminal(&escaped, string, ESCAPE_KEEP_LINES);
    char *line = escaped.data;
    while (line) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        begin_line(printer, '|');
        if (alarm)
            style_begin(printer->text, printer->format->color, STYLE_ALARM);
        text_append(printer->text, line);
        if (alarm)
            style_end(printer->text, printer->format->color);
        text_append_char(printer->text, '\n');
        line = end ? end + 1 : NULL;
    }
    printer->text->failed |= escaped.failed;
    text_deinit(&escaped);
}

/* ---- Tracebacks. */
static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_entry(const struct traceback_entry *a, const struct traceback_entry *b)
{
    return a->line == b->line && same_text(a->file, b->file) && same_text(a->function, b->function);
}

static void print_entry(struct printer *printer, const struct traceback_entry *entry)
{
    begin_line(printer, '|');
    text_append(printer->text, "  File \"");
    escape_terminal(printer->text, entry->file ? entry->file : "?", ESCAPE_ONE_LINE);
    if (entry->line)
        text_printf(printer->text, "\", line %" PRId32 ", in ", entry->line);
    else
        text_append(printer->text, "\", line ?, in ");
    escape_terminal(printer->text, entry->function ? entry->function : "?", ESCAPE_ONE_LINE);
    text_append_char(printer->text, '\n');
}

/* A traceback is printed in lines: an entry, or "[Previous line repeated …]". Where
 * there are more than the format allows, those in the middle are left out; the
 * innermost say more than the outermost. */
struct traceback_lines {
    size_t total, shown_first, shown_last; /* total 0: they are being counted */
    size_t line, hidden_entries;
};

static void print_count(struct printer *printer, const char *before, size_t count,
                        const char *after)
{
    begin_line(printer, '|');
    style_printf(printer->text, printer->format->color, STYLE_FAINT, "  [%s%zu %s]", before, count,
                 after);
    text_append_char(printer->text, '\n');
}

static bool line_is_shown(struct printer *printer, struct traceback_lines *lines, size_t entries)
{
    size_t line = lines->line++;
    if (!lines->total)
        return false;
    if (line >= lines->shown_first && line < lines->total - lines->shown_last) {
        lines->hidden_entries += entries;
        return false;
    }
    if (lines->hidden_entries)
        print_count(printer, "", lines->hidden_entries, "entries not shown");
    lines->hidden_entries = 0;
    return true;
}

static void print_lines_of(struct printer *printer, const struct stack_exception *exception,
                           struct traceback_lines *lines)
{
    size_t left = exception->entry_count; /* entries[left - 1] is the outermost of them */
    if (!left)
        return;
    const struct traceback_entry *entries = printer->stacks->entries.items + exception->first_entry;
    while (left) {
        size_t run = 1;
        while (run < left && same_entry(&entries[left - 1], &entries[left - 1 - run]))
            run++;
        for (size_t i = 0; i < run && i < SHOWN_REPEATS; i++)
            if (line_is_shown(printer, lines, 1))
                print_entry(printer, &entries[left - 1]);
        size_t more = run > SHOWN_REPEATS ? run - SHOWN_REPEATS : 0;
        if (more && line_is_shown(printer, lines, more))
            print_count(printer, "Previous line repeated ", more,
                        more == 1 ? "more time" : "more times");
        left -= run;
    }
}

static void print_traceback(struct printer *printer, const struct stack_exception *exception)
{
    size_t max = printer->format->max_entries;
    struct traceback_lines lines = {0};
    print_lines_of(printer, exception, &lines);
    struct traceback_lines shown = {.total = lines.line, .shown_first = lines.line};
    if (max && lines.line > max) {
        shown.shown_first = max / 3;
        shown.shown_last = max - max / 3;
    }
    print_lines_of(printer, exception, &shown);
}

/* ---- One exception. */
void exception_title(const struct stack_exception *exception, struct text *text)
{
    const char *type = exception->type ? exception->type : "an exception of unknown type";
    if (strncmp(type, "__main__.", 9) == 0)
        type += 9;
    else if (strncmp(type, "builtins.", 9) == 0)
        type += 9;
    text_append(text, type);
    if (exception->message && *exception->message) {
        text_append(text, ": ");
        text_append(text, exception->message);
    }
}

static void print_exception_only(struct printer *printer, const struct stack_exception *exception)
{
    struct text title;
    text_init(&title);
    exception_title(exception, &title);
    print_lines(printer, text_string(&title), true);
    const char *notes = exception->notes;
    while (next_note(&notes, &title))
        print_lines(printer, text_string(&title), false);
    printer->text->failed |= title.failed;
    text_deinit(&title);
}

/* The next exception after `from` that belongs to `parent` in that way; printer->end: none. */
static size_t next_child(const struct printer *printer, size_t parent, size_t from,
                         const char *relation)
{
    for (; from < printer->end; from++) {
        const struct stack_exception *child = &printer->stacks->exceptions.items[from];
        if (child->parent == parent && child->relation && strcmp(child->relation, relation) == 0)
            break;
    }
    return from;
}

static void print_member(struct printer *printer, size_t member, size_t number, size_t count)
{
    bool last = number == count || number == MAX_GROUP_WIDTH + 1;
    bool truncated = number > MAX_GROUP_WIDTH;
    if (last)
        printer->need_close = true; /* unless a group within closes for both */
    indent(printer);
    text_append(printer->text, number == 1 ? "+-" : "  ");
    text_append(printer->text, "+---------------- ");
    if (truncated)
        text_append(printer->text, "...");
    else
        text_printf(printer->text, "%zu", number);
    text_append(printer->text, " ----------------\n");
    printer->depth++;
    if (!truncated) {
        print_chain(printer, member);
    } else {
        size_t rest = count - MAX_GROUP_WIDTH;
        begin_line(printer, '|');
        text_printf(printer->text, "and %zu more exception%s\n", rest, rest > 1 ? "s" : "");
    }
    if (last && printer->need_close) {
        indent(printer);
        text_append(printer->text, "+------------------------------------\n");
        printer->need_close = false;
    }
    printer->depth--;
}

static void print_group(struct printer *printer, size_t group, size_t count)
{
    const struct stack_exception *exception = &printer->stacks->exceptions.items[group];
    bool top = printer->depth == 0;
    size_t member = printer->first;
    if (printer->depth > MAX_GROUP_DEPTH) {
        print_line(printer, "... (max_group_depth is 10)");
        return;
    }
    if (top)
        printer->depth = 1;
    if (exception->entry_count) {
        begin_line(printer, top ? '+' : '|');
        text_append(printer->text, "Exception Group Traceback (most recent call last):\n");
        print_traceback(printer, exception);
    }
    print_exception_only(printer, exception);
    printer->need_close = false;
    for (size_t number = 1; number <= count && number <= MAX_GROUP_WIDTH + 1; number++) {
        member = next_child(printer, group, member, "group");
        print_member(printer, member++, number, count);
    }
    if (top)
        printer->depth = 0;
}

static void print_one(struct printer *printer, size_t index)
{
    const struct stack_exception *exception = &printer->stacks->exceptions.items[index];
    size_t members = 0;
    for (size_t i = printer->first; (i = next_child(printer, index, i, "group")) < printer->end;
         i++)
        members++;
    if (members) {
        print_group(printer, index, members);
        return;
    }
    if (exception->entry_count) {
        print_line(printer, "Traceback (most recent call last):");
        print_traceback(printer, exception);
    }
    print_exception_only(printer, exception);
}

/* What Python would print before this exception; printer->end: nothing. */
static size_t find_reason(const struct printer *printer, size_t index, bool *ret_is_cause)
{
    size_t reason = next_child(printer, index, printer->first, "cause");
    *ret_is_cause = reason < printer->end;
    if (!*ret_is_cause && !printer->stacks->exceptions.items[index].is_suppressed)
        reason = next_child(printer, index, printer->first, "context");
    return reason;
}

static void print_chain(struct printer *printer, size_t exception)
{
    struct link {
        size_t exception;
        bool is_cause; /* how the one before it in the array came of this one */
    };
    ARRAY(struct link) chain = {0};
    struct link link = {exception, false};
    /* Parents stand before children, so this ends. */
    while (link.exception < printer->end) {
        if (!array_push(&chain, link)) {
            printer->text->failed = true;
            break;
        }
        link.exception = find_reason(printer, link.exception, &link.is_cause);
    }
    for (size_t i = chain.count; i-- > 0;) {
        print_one(printer, chain.items[i].exception);
        if (!i)
            break;
        print_line(printer, "");
        print_line(printer, chain.items[i].is_cause
                                ? "The above exception was the direct cause of the following "
                                  "exception:"
                                : "During handling of the above exception, another exception "
                                  "occurred:");
        print_line(printer, "");
    }
    array_deinit(&chain);
}

void exception_render(const struct stacks *stacks, size_t exception,
                      const struct exception_format *format, struct text *text)
{
    struct printer printer = {.stacks = stacks, .format = format, .text = text};
    int64_t thread_id = stacks->exceptions.items[exception].thread_id;
    printer.first = printer.end = exception;
    while (printer.first && stacks->exceptions.items[printer.first - 1].thread_id == thread_id)
        printer.first--;
    while (printer.end < stacks->exceptions.count &&
           stacks->exceptions.items[printer.end].thread_id == thread_id)
        printer.end++;
    print_chain(&printer, exception);
}
