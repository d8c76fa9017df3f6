/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "reports/commands/exceptions_text.h"
#include "reports/commands/html_report.h"
#include "reports/commands/stacks_words.h"
#include "reports/render/escape.h"
#include "reports/render/table.h"

#define OPEN_FRAMES      3   /* innermost frames of the crashed thread whose locals show at once */
#define MAX_ENTRIES      200 /* lines of one traceback */
#define MAX_EXCEPTIONS   50  /* with their own box, of one thread */
#define SHOWN_TIDS       40
#define GROUP_END_BYTES  512 /* kept for the end tags and the counts of what was cut */
#define MAX_WAIT_BYTES   600
#define MAX_TITLE_BYTES  1000
#define MAX_VALUE_BYTES  6000        /* of one local */
#define MAX_REPORT_BYTES (64u << 10) /* of one exception as Python prints it */

/* Takes back what was appended since `size`. */
static void truncate_text(struct text *text, size_t size)
{
    text->size = size;
    if (text->data)
        text->data[size] = '\0';
}

static bool is_over(const struct html_page *page)
{
    return page->text->size + GROUP_END_BYTES > page->limit;
}

/* At most `limit` bytes of a value; what is left out is said. */
static void bounded(struct html_page *page, const char *string, size_t limit, bool lines)
{
    struct text cut = {.limit = limit};
    text_append(&cut, string);
    if (lines)
        html_lines(page, text_string(&cut));
    else
        html_text(page, text_string(&cut));
    if (cut.cut) {
        text_append(page->text, "… [");
        format_count(page->text, (int64_t)(strlen(string) - cut.size));
        text_append(page->text, " bytes not shown]");
    }
    page->text->failed |= cut.failed;
    text_deinit(&cut);
}

/* ---- Frames. */
static void append_local(struct html_page *page, const struct stack_local *local)
{
    text_append(page->text, "<tr><th scope=\"row\">");
    html_text(page, local->name ? local->name : "?");
    text_append(page->text, local->value ? "</th><td>" : "</th><td class=\"missing\">");
    text_append(page->text, "<span class=\"value\">");
    bounded(page, local->value ? local->value : "unknown", MAX_VALUE_BYTES, false);
    text_append(page->text, "</span></td><td class=\"type\">");
    html_text(page, local->type);
    text_append(page->text, "</td></tr>\n");
}

/* A table of those locals that are noise, or of those that are not, as many as fit.
 * Returns how many were cut. */
static size_t append_table(struct html_page *page, const struct stack_frame *frame, bool noise)
{
    const struct stack_local *locals = page->model->stacks.locals.items + frame->first_local;
    size_t cut = 0;
    text_append(page->text, "<table class=\"locals\"><tbody>\n");
    for (size_t i = 0; i < frame->local_count; i++) {
        size_t size = page->text->size;
        if (local_is_noise(frame, &locals[i]) != noise)
            continue;
        if (!cut)
            append_local(page, &locals[i]);
        if (cut || is_over(page)) {
            truncate_text(page->text, size);
            cut++;
        }
    }
    text_append(page->text, "</tbody></table>");
    return cut;
}

/* What says little is folded away, and comes last, so that it is cut first. */
static void append_locals(struct html_page *page, const struct stack_frame *frame)
{
    const struct stack_local *locals = page->model->stacks.locals.items + frame->first_local;
    size_t noise = 0, cut = 0;
    for (size_t i = 0; i < frame->local_count; i++)
        noise += local_is_noise(frame, &locals[i]);
    if (noise < frame->local_count)
        cut = append_table(page, frame, false);
    if (noise) {
        text_append(page->text, "<details class=\"others\"><summary>");
        format_count(page->text, (int64_t)noise);
        text_append(page->text, " more: modules, functions, classes and __names__</summary>");
        cut += append_table(page, frame, true);
        text_append(page->text, "</details>");
    }
    if (cut)
        text_printf(page->text, "<p class=\"cut\">%zu more local%s cut from this page</p>", cut,
                    cut == 1 ? "" : "s");
    page->cut_locals += cut;
}

static void append_call(struct html_page *page, const struct stack_frame *frame)
{
    text_append(page->text, "<span class=\"call\"><span class=\"function\">");
    html_text(page, frame->function ? frame->function : "?");
    if (frame->owner) {
        text_append(page->text, " <span class=\"owner\">");
        html_text(page, frame->owner);
        text_append(page->text, "</span>");
    }
    text_append(page->text, "</span> <span class=\"place\">");
    html_text(page, frame->file ? frame->file : "?");
    if (frame->line)
        text_printf(page->text, ":%" PRId32, frame->line);
    text_append(page->text, "</span></span>");
}

static void append_frame(struct html_page *page, const struct stack_frame *frame, bool here,
                         bool open)
{
    text_printf(page->text, "<li class=\"frame%s\">", here ? " here" : "");
    if (frame->local_count)
        text_printf(page->text, "<details%s><summary>", open ? " open" : "");
    else
        text_append(page->text, "<div class=\"plain\">");
    append_call(page, frame);
    if (here && page->model->death) {
        text_append(page->text, "<span class=\"died\">");
        bounded(page, page->model->death, MAX_TITLE_BYTES, false);
        text_append(page->text, "</span>");
    }
    if (frame->local_count) {
        text_append(page->text, "</summary>");
        append_locals(page, frame);
        text_append(page->text, "</details>");
    } else {
        text_append(page->text, "</div>");
    }
    text_append(page->text, "</li>\n");
}

static uint64_t frames_of(const struct stack_item *item)
{
    if (item->kind == STACK_FRAME)
        return 1;
    return item->kind == STACK_REPEATED ? item->times * item->cycle : item->times;
}

static void append_gap(struct html_page *page, const struct stack_item *item)
{
    struct text words;
    text_init(&words);
    gap_words(item, &words);
    text_append(page->text, "<li class=\"gap\">");
    html_text(page, text_string(&words));
    text_append(page->text, "</li>\n");
    text_deinit(&words);
}

/* Innermost first, so that what is cut for want of room is far from the crash. */
static void append_stack(struct html_page *page, const struct stack_group *group)
{
    const struct stacks *stacks = &page->model->stacks;
    bool crashed = group_first(stacks, group)->is_crashed;
    uint64_t cut = 0;
    size_t frames = 0;
    text_append(page->text, "<ol class=\"frames\">\n");
    for (size_t i = group->item_count; i-- > 0;) {
        const struct stack_item *item = &stacks->items.items[group->first_item + i];
        size_t size = page->text->size;
        if (cut) {
            cut += frames_of(item);
            continue;
        }
        bool innermost = i + 1 == group->item_count;
        if (item->kind == STACK_FRAME)
            append_frame(page, &stacks->frames.items[item->frame], crashed && innermost,
                         crashed && frames++ < OPEN_FRAMES);
        else
            append_gap(page, item);
        if (is_over(page)) {
            truncate_text(page->text, size);
            cut = frames_of(item);
        }
    }
    if (cut) {
        text_append(page->text, "<li class=\"gap\">");
        format_count(page->text, (int64_t)cut);
        text_append(page->text, " older frames cut from this page</li>\n");
    }
    text_append(page->text, "</ol>\n");
    page->cut_frames += (size_t)cut;
}

/* ---- Exceptions. */
static void append_exception(struct html_page *page, size_t index, bool open)
{
    const struct stacks *stacks = &page->model->stacks;
    const struct stack_exception *exception = &stacks->exceptions.items[index];
    const struct exception_format format = {.max_entries = MAX_ENTRIES};
    bool handled = exception->state && strcmp(exception->state, "handled") == 0;
    struct text words;
    text_init(&words);
    exception_title(exception, &words);
    text_printf(page->text, "<details class=\"exception\"%s><summary><span><small>%s</small>",
                open ? " open" : "",
                handled ? "It was handling this exception" : "Exception in flight");
    bounded(page, text_string(&words), MAX_TITLE_BYTES, true);
    text_append(page->text, "</span></summary><pre>");
    text_clear(&words);
    exception_render(stacks, index, &format, &words);
    bounded(page, text_string(&words), MAX_REPORT_BYTES, true);
    text_append(page->text, "</pre></details>\n");
    page->text->failed |= words.failed;
    text_deinit(&words);
}

static bool is_in_flight(const struct stack_exception *exception)
{
    return exception->state && strcmp(exception->state, "in flight") == 0;
}

/* Those in flight, or all others. */
static void append_exceptions(struct html_page *page, const struct stack_thread *thread,
                              bool in_flight)
{
    size_t shown = 0, cut = 0;
    for (size_t i = 0; i < thread->exception_count; i++) {
        size_t index = thread->first_exception + i, size = page->text->size;
        const struct stack_exception *exception = &page->model->stacks.exceptions.items[index];
        if (exception->parent != SIZE_MAX || is_in_flight(exception) != in_flight)
            continue;
        if (shown < MAX_EXCEPTIONS)
            append_exception(page, index, in_flight);
        if (shown == MAX_EXCEPTIONS || is_over(page)) {
            truncate_text(page->text, size);
            cut++;
        } else {
            shown++;
        }
    }
    if (cut)
        text_printf(page->text, "<p class=\"cut\">%zu more exception%s cut from this page</p>\n",
                    cut, cut == 1 ? "" : "s");
}

/* ---- The thread around them. */
static void badge(struct html_page *page, const char *kind, const char *words)
{
    text_printf(page->text, "<span class=\"badge%s\">", kind);
    bounded(page, words, MAX_WAIT_BYTES, false);
    text_append(page->text, "</span>");
}

static void append_badges(struct html_page *page, const struct stack_thread *thread)
{
    bool said = thread->is_crashed && thread->state && strcmp(thread->state, "crashed") == 0;
    text_append(page->text, "<span class=\"badges\">");
    if (thread->is_crashed)
        badge(page, " alarm", "crashed");
    if (thread->exception_count)
        badge(page, " note", "exception");
    if (thread->is_main)
        badge(page, "", "main");
    if (thread->holds_gil)
        badge(page, " note", "holds the GIL");
    if (thread->collecting)
        badge(page, " note", "collecting garbage");
    if (!thread->is_python)
        badge(page, "", "not running Python");
    if (thread->state && *thread->state && !said)
        badge(page, "", thread->state);
    text_append(page->text, "</span>");
}

static void append_name(struct html_page *page, const struct stack_group *group)
{
    const struct stack_thread *first = group_first(&page->model->stacks, group);
    struct text words;
    text_init(&words);
    if (group->member_count > 1) {
        group_heading(&page->model->stacks, group, &words);
    } else if (first->name && *first->name) {
        text_append(&words, first->name);
    } else {
        text_printf(&words, "%s %" PRId64, first->is_python ? "Thread" : "C thread", first->id);
    }
    text_append(page->text, "<span class=\"name\">");
    bounded(page, text_string(&words), MAX_TITLE_BYTES, false);
    text_append(page->text, "</span> ");
    if (group->member_count == 1) {
        text_printf(page->text, "<span class=\"aside\">thread %" PRId64, first->id);
        if (first->os_tid)
            text_printf(page->text, ", tid %" PRId64, first->os_tid);
        text_append(page->text, "</span>");
    }
    page->text->failed |= words.failed;
    text_deinit(&words);
}

static void append_peek(struct html_page *page, const struct stack_thread *thread)
{
    if (!thread->frame_count)
        return;
    const struct stack_frame *frame = &page->model->stacks.frames.items[thread->first_frame];
    text_append(page->text, "<span class=\"peek\">in <span class=\"mono\">");
    html_text(page, frame->function ? frame->function : "?");
    text_append(page->text, "</span>, <span class=\"mono\">");
    html_text(page, frame->file ? frame->file : "?");
    if (frame->line)
        text_printf(page->text, ":%" PRId32, frame->line);
    text_append(page->text, "</span></span>");
}

/* What stands between the heading and the stack. */
static void append_notes(struct html_page *page, const struct stack_group *group)
{
    const struct stacks *stacks = &page->model->stacks;
    const struct stack_thread *first = group_first(stacks, group);
    struct text words;
    text_init(&words);
    if (group->member_count > 1) {
        text_append(&words, "Native ids ");
        group_tids(stacks, group, SHOWN_TIDS, &words);
        if (first->frame_count)
            text_append(&words, ". All have this stack; the locals are the first one's.");
    } else if (first->waits_for) {
        text_printf(&words, "Waits for: %s", first->waits_for);
    }
    if (words.size) {
        text_append(page->text, "<p class=\"aside\">");
        bounded(page, text_string(&words), MAX_TITLE_BYTES, false);
        text_append(page->text, "</p>\n");
    }
    if (!first->frame_count)
        text_append(page->text, first->is_python
                                    ? "<p class=\"aside\">No frame of it could be read.</p>\n"
                                    : "<p class=\"aside\">It ran no Python.</p>\n");
    page->text->failed |= words.failed;
    text_deinit(&words);
}

static void append_thread(struct html_page *page, const struct stack_group *group, size_t rank,
                          bool open)
{
    const struct stack_thread *first = group_first(&page->model->stacks, group);
    text_printf(page->text,
                "<details class=\"thread%s\" id=\"thread-%" PRId64 "\" data-rank=\"%zu\""
                " data-id=\"%" PRId64 "\" data-frames=\"%zu\" data-name=\"",
                first->is_crashed ? " crashed" : "", first->id, rank, first->id,
                first->frame_count);
    bounded(page, first->name ? first->name : "", MAX_WAIT_BYTES, false);
    text_printf(page->text, "\"%s><summary><span>", open ? " open" : "");
    append_name(page, group);
    append_badges(page, first);
    append_peek(page, first);
    text_append(page->text, "</span></summary>\n<div class=\"inside\">\n");
    append_notes(page, group);
}

bool html_group(struct html_page *page, const struct stack_group *group, size_t rank, bool open)
{
    const struct stack_thread *first = group_first(&page->model->stacks, group);
    size_t size = page->text->size;
    append_thread(page, group, rank, open);
    if (is_over(page)) {
        truncate_text(page->text, size);
        page->cut_threads += group->member_count;
        return false;
    }
    append_exceptions(page, first, true);
    if (group->item_count)
        append_stack(page, group);
    if (first->stack_note && *first->stack_note) {
        text_append(page->text, "<p class=\"cut\">");
        bounded(page, first->stack_note, MAX_WAIT_BYTES, false);
        text_append(page->text, "</p>\n");
    }
    append_exceptions(page, first, false);
    text_append(page->text, "</div></details>\n");
    return true;
}
