/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks as text. The lines of frames are Python's own, so that editors and
 * terminals that link `File "x", line n` link these too. */
#include "reports/commands/threads_text.h"

#include <inttypes.h>
#include <string.h>

#include "reports/commands/exceptions_text.h"
#include "reports/commands/stacks_words.h"
#include "reports/render/escape.h"
#include "reports/render/table.h"
#include "reports/render/terminal.h"

#define MAX_NAME_COLUMN       24
#define LOCAL_INDENT          6
#define MAX_TRACEBACK_ENTRIES 120
#define SHOWN_TIDS            12

void frame_line(const struct stack_frame *frame, const struct stack_format *format, bool alarm,
                struct text *text)
{
    text_append(text, "  ");
    if (alarm)
        style_begin(text, format->color, STYLE_ALARM);
    if (frame->is_native) {
        text_append(text, "C    ");
        escape_terminal(text, frame->function ? frame->function : "?", ESCAPE_ONE_LINE);
        text_append(text, " in ");
        escape_terminal(text, frame->file ? frame->file : "?", ESCAPE_ONE_LINE);
    } else {
        text_append(text, "File \"");
        escape_terminal(text, frame->file ? frame->file : "?", ESCAPE_ONE_LINE);
        if (frame->line)
            text_printf(text, "\", line %" PRId32 ", in ", frame->line);
        else
            text_append(text, "\", line ?, in ");
        escape_terminal(text, frame->function ? frame->function : "?", ESCAPE_ONE_LINE);
    }
    if (alarm)
        style_end(text, format->color);
    if (frame->owner) {
        style_begin(text, format->color, STYLE_FAINT);
        text_append(text, "  # ");
        escape_terminal(text, frame->owner, ESCAPE_ONE_LINE);
        style_end(text, format->color);
    }
    text_append_char(text, '\n');
}

/* ---- Locals. */
static void faint_line(const struct stack_format *format, size_t indent, const char *words,
                       struct text *text)
{
    for (size_t i = 0; i < indent; i++)
        text_append_char(text, ' ');
    style_begin(text, format->color, STYLE_FAINT);
    escape_terminal(text, words, ESCAPE_ONE_LINE);
    style_end(text, format->color);
    text_append_char(text, '\n');
}

static void local_line(const struct stack_local *local, size_t name_width,
                       const struct stack_format *format, struct text *text)
{
    struct text escaped;
    text_init(&escaped);
    escape_terminal(&escaped, local->name ? local->name : "?", ESCAPE_ONE_LINE);
    text_printf(text, "%*s", LOCAL_INDENT, "");
    style_begin(text, format->color, STYLE_NAME);
    text_append(text, text_string(&escaped));
    style_end(text, format->color);
    size_t used = display_width(text_string(&escaped));
    for (; used < name_width; used++)
        text_append_char(text, ' ');
    text_append(text, " = ");
    used += LOCAL_INDENT + 3;
    text_clear(&escaped);
    escape_terminal(&escaped, local->value ? local->value : "<unknown>", ESCAPE_ONE_LINE);
    size_t left = format->width > used + 20 ? format->width - used : 20;
    append_fitted(text, text_string(&escaped), format->width ? left : SIZE_MAX, false);
    text_append_char(text, '\n');
    text->failed |= escaped.failed;
    text_deinit(&escaped);
}

static size_t name_column(const struct stack_local *locals, const struct stack_frame *frame,
                          const struct stack_format *format)
{
    size_t widest = 0, shown = 0;
    for (size_t i = 0; i < frame->local_count; i++) {
        if (format->max_locals && (local_is_noise(frame, &locals[i]) || !locals[i].name))
            continue;
        size_t width = locals[i].name ? display_width(locals[i].name) : 1;
        if (width > widest && width <= MAX_NAME_COLUMN)
            widest = width;
        if (format->max_locals && ++shown == format->max_locals)
            break;
    }
    return widest;
}

void locals_render(const struct stacks *stacks, const struct stack_frame *frame,
                   const struct stack_format *format, struct text *text)
{
    if (!frame->local_count)
        return;
    const struct stack_local *locals = stacks->locals.items + frame->first_local;
    size_t width = name_column(locals, frame, format), shown = 0, hidden = 0;
    for (size_t i = 0; i < frame->local_count; i++) {
        if (format->max_locals &&
            (shown == format->max_locals || local_is_noise(frame, &locals[i]))) {
            hidden++;
            continue;
        }
        local_line(&locals[i], width, format, text);
        shown++;
    }
    if (hidden) {
        struct text words;
        text_init(&words);
        text_printf(&words, "[%zu more local%s%s%s]", hidden, hidden == 1 ? "" : "s",
                    format->more ? ": " : "", format->more ? format->more : "");
        faint_line(format, LOCAL_INDENT, text_string(&words), text);
        text_deinit(&words);
    }
}

void context_render(const struct stacks *stacks, const struct stack_thread *thread,
                    const struct stack_format *format, struct text *text)
{
    size_t shown = thread->variable_count;
    if (format->no_locals || !shown)
        return;
    if (format->max_locals && shown > format->max_locals)
        shown = format->max_locals;
    faint_line(format, 2, "context variables:", text);
    for (size_t i = 0; i < shown; i++)
        local_line(&stacks->variables.items[thread->first_variable + i], 0, format, text);
    if (shown < thread->variable_count) {
        struct text words;
        text_init(&words);
        text_printf(&words, "[%zu more]", thread->variable_count - shown);
        faint_line(format, LOCAL_INDENT, text_string(&words), text);
        text_deinit(&words);
    }
}

/* ---- Stacks. */
static void gap_line(const struct stack_item *item, const struct stack_format *format,
                     struct text *text)
{
    struct text words;
    text_init(&words);
    gap_words(item, &words);
    faint_line(format, 2, text_string(&words), text);
    text_deinit(&words);
}

static void death_line(const struct stack_format *format, struct text *text)
{
    text_append(text, "    ");
    style_begin(text, format->color, STYLE_ALARM);
    text_append(text, "^ here: ");
    escape_terminal(text, format->death, ESCAPE_ONE_LINE);
    style_end(text, format->color);
    text_append_char(text, '\n');
}

/* The outer items that are left out, and how many frames they stand for. */
static size_t skipped_items(const struct stacks *stacks, const struct stack_group *group,
                            const struct stack_format *format, uint64_t *ret_frames)
{
    size_t skipped = 0;
    *ret_frames = 0;
    if (format->max_items && group->item_count > format->max_items + 1)
        skipped = group->item_count - format->max_items;
    for (size_t i = 0; i < skipped; i++) {
        const struct stack_item *item = &stacks->items.items[group->first_item + i];
        *ret_frames += item->kind == STACK_REPEATED  ? item->times * item->cycle
                       : item->kind == STACK_OMITTED ? item->times
                                                     : 1;
    }
    return skipped;
}

void stack_render(const struct stacks *stacks, const struct stack_group *group,
                  const struct stack_format *format, struct text *text)
{
    const struct stack_thread *thread = group_first(stacks, group);
    struct stack_item outer = {.kind = STACK_OMITTED};
    size_t skipped = skipped_items(stacks, group, format, &outer.times);
    if (group->item_count)
        text_append(text, "Traceback (most recent call last):\n");
    if (skipped)
        gap_line(&outer, format, text);
    for (size_t i = skipped; i < group->item_count; i++) {
        const struct stack_item *item = &stacks->items.items[group->first_item + i];
        if (item->kind != STACK_FRAME) {
            gap_line(item, format, text);
            continue;
        }
        const struct stack_frame *frame = &stacks->frames.items[item->frame];
        bool last = thread->is_crashed && i + 1 == group->item_count;
        frame_line(frame, format, last, text);
        if (!format->no_locals && (group->member_count == 1 || !format->max_locals))
            locals_render(stacks, frame, format, text);
        if (last && format->death)
            death_line(format, text);
    }
    if (thread->stack_note && *thread->stack_note) {
        struct text words;
        text_init(&words);
        text_printf(&words, "[%s]", thread->stack_note);
        faint_line(format, 2, text_string(&words), text);
        text_deinit(&words);
    }
}

void group_exceptions(const struct stacks *stacks, const struct stack_group *group,
                      const struct stack_format *format, struct text *text)
{
    const struct stack_thread *thread = group_first(stacks, group);
    struct exception_format exception_format = {
        .color = format->color, .max_entries = format->max_locals ? MAX_TRACEBACK_ENTRIES : 0};
    for (size_t i = 0; i < thread->exception_count; i++) {
        size_t index = thread->first_exception + i;
        const struct stack_exception *exception = &stacks->exceptions.items[index];
        if (exception->parent != SIZE_MAX)
            continue;
        bool handled = exception->state && strcmp(exception->state, "handled") == 0;
        style_printf(text, format->color, STYLE_HEADING, "%s\n",
                     handled ? "It was handling this exception:" : "Exception in flight:");
        exception_render(stacks, index, &exception_format, text);
    }
}

void group_title(const struct stacks *stacks, const struct stack_group *group,
                 const struct stack_format *format, struct text *text)
{
    bool alarm = group_first(stacks, group)->is_crashed;
    struct text words;
    text_init(&words);
    group_heading(stacks, group, &words);
    style_begin(text, format->color, alarm ? STYLE_ALARM : STYLE_HEADING);
    escape_terminal(text, text_string(&words), ESCAPE_ONE_LINE);
    style_end(text, format->color);
    text_clear(&words);
    group_words(stacks, group, &words);
    if (words.size) {
        text_append(text, ": ");
        escape_terminal(text, text_string(&words), ESCAPE_ONE_LINE);
    }
    text_append_char(text, '\n');
    text->failed |= words.failed;
    text_deinit(&words);
}

static void tids_line(const struct stacks *stacks, const struct stack_group *group,
                      const struct stack_format *format, struct text *text)
{
    struct text words;
    text_init(&words);
    text_append(&words, "tids ");
    group_tids(stacks, group, format->max_locals ? SHOWN_TIDS : 0, &words);
    if (group_first(stacks, group)->frame_count)
        text_append(&words, format->max_locals ? "; all with this stack"
                                               : "; the locals are the first one's");
    faint_line(format, 2, text_string(&words), text);
    text_deinit(&words);
}

void group_render(const struct stacks *stacks, const struct stack_group *group,
                  const struct stack_format *format, struct text *text)
{
    group_title(stacks, group, format, text);
    if (group->member_count > 1)
        tids_line(stacks, group, format, text);
    if (group->member_count == 1)
        context_render(stacks, group_first(stacks, group), format, text);
    stack_render(stacks, group, format, text);
    group_exceptions(stacks, group, format, text);
}
