/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/stacks_words.h"

#include <inttypes.h>
#include <string.h>

#include "reports/render/table.h"

#define SHOWN_NAMES 4

static void add(struct text *text, size_t start, const char *words)
{
    if (text->size > start)
        text_append(text, ", ");
    text_append(text, words);
}

void thread_words(const struct stack_thread *thread, struct text *text)
{
    size_t start = text->size;
    if (thread->is_crashed)
        add(text, start, "crashed");
    if (thread->is_main)
        add(text, start, "main");
    if (thread->holds_gil)
        add(text, start, "holds the GIL");
    if (thread->collecting)
        add(text, start, "collecting garbage");
    if (!thread->is_python)
        add(text, start, "not running Python");
    if (thread->is_deadlocked)
        add(text, start, "deadlocked");
    bool said = thread->is_crashed && thread->state && strcmp(thread->state, "crashed") == 0;
    if (thread->state && *thread->state && !said)
        add(text, start, thread->state);
    if (thread->waits_for && *thread->waits_for) {
        if (!thread->state || !*thread->state)
            add(text, start, "waiting");
        text_printf(text, ": %s", thread->waits_for);
    }
}

void group_words(const struct stacks *stacks, const struct stack_group *group, struct text *text)
{
    struct stack_thread shared = *group_first(stacks, group);
    for (size_t i = 1; i < group->member_count && shared.waits_for; i++) {
        size_t thread = stacks->members.items[group->first_member + i];
        const char *waits_for = stacks->threads.items[thread].waits_for;
        if (!waits_for || strcmp(waits_for, shared.waits_for) != 0)
            shared.waits_for = NULL;
    }
    thread_words(&shared, text);
}

void thread_heading(const struct stack_thread *thread, struct text *text)
{
    text_printf(text, "%s %" PRId64, thread->is_python ? "Thread" : "C thread", thread->id);
    if (thread->name && *thread->name)
        text_printf(text, " \"%s\"", thread->name);
    if (thread->os_tid)
        text_printf(text, " (tid %" PRId64 ")", thread->os_tid);
}

/* Members are shown by name, those without one by number. */
static void append_member(const struct stacks *stacks, const struct stack_group *group,
                          size_t member, struct text *text)
{
    const struct stack_thread *thread =
        &stacks->threads.items[stacks->members.items[group->first_member + member]];
    if (thread->name && *thread->name)
        text_printf(text, "\"%s\"", thread->name);
    else
        text_printf(text, "%" PRId64, thread->id);
}

void group_heading(const struct stacks *stacks, const struct stack_group *group, struct text *text)
{
    const struct stack_thread *first = group_first(stacks, group);
    if (group->member_count == 1) {
        thread_heading(first, text);
        return;
    }
    format_count(text, (int64_t)group->member_count);
    text_append(text, first->is_python ? " threads: " : " C threads: ");
    size_t shown = group->member_count <= SHOWN_NAMES ? group->member_count : SHOWN_NAMES - 1;
    for (size_t i = 0; i < shown; i++) {
        text_append(text, i ? ", " : "");
        append_member(stacks, group, i, text);
    }
    if (shown < group->member_count) {
        text_append(text, " … ");
        append_member(stacks, group, group->member_count - 1, text);
    }
}

void gap_words(const struct stack_item *item, struct text *text)
{
    if (item->kind == STACK_REPEATED && item->cycle == 1)
        text_append(text, "[the same frame ");
    else if (item->kind == STACK_REPEATED)
        text_printf(text, "[the same %" PRIu32 " frames ", item->cycle);
    else
        text_append_char(text, '[');
    format_count(text, (int64_t)item->times);
    if (item->kind == STACK_REPEATED)
        text_append(text, item->times == 1 ? " more time]" : " more times]");
    else
        text_append(text, item->times == 1 ? " frame not shown]" : " frames not shown]");
}

void group_tids(const struct stacks *stacks, const struct stack_group *group, size_t max,
                struct text *text)
{
    size_t shown = !max || group->member_count <= max ? group->member_count : max;
    for (size_t i = 0; i < shown; i++) {
        size_t thread = stacks->members.items[group->first_member + i];
        text_printf(text, "%s%" PRId64, i ? ", " : "", stacks->threads.items[thread].os_tid);
    }
    if (shown < group->member_count) {
        text_append(text, " and ");
        format_count(text, (int64_t)(group->member_count - shown));
        text_append(text, " more");
    }
}

static bool is_one_of(const char *string, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(string, *words) == 0)
            return true;
    return false;
}

bool local_is_noise(const struct stack_frame *frame, const struct stack_local *local)
{
    static const char *const types[] = {
        "module",      "function",      "type",          "builtin_function_or_method",
        "abc.ABCMeta", "enum.EnumMeta", "enum.EnumType", NULL};
    if (!frame->function || !local->name || strcmp(frame->function, "<module>") != 0)
        return false;
    size_t size = strlen(local->name);
    if (size > 4 && memcmp(local->name, "__", 2) == 0 &&
        memcmp(local->name + size - 2, "__", 2) == 0)
        return true;
    return local->type && is_one_of(local->type, types);
}
