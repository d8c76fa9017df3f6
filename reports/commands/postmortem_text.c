/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "reports/commands/exceptions_text.h"
#include "reports/commands/postmortem_parts.h"
#include "reports/commands/postmortem_render.h"
#include "reports/commands/stacks_words.h"
#include "reports/commands/threads_text.h"
#include "reports/render/escape.h"
#include "reports/render/table.h"
#include "reports/render/terminal.h"

#define SUMMARY_ITEMS     6  /* innermost frames of the crashed thread */
#define SUMMARY_LOCALS    6  /* of each of them */
#define SUMMARY_GROUPS    10 /* of other threads, a line or two each */
#define SUMMARY_REGIONS   8
#define SUMMARY_DEADLOCKS 8
#define SUMMARY_WARNINGS  8
#define THREADS_LOCALS    40 /* of one frame in `threads` */

struct printer {
    const struct postmortem *model;
    size_t width;
    bool color;
    struct text *text;
};

static void heading(struct printer *printer, const char *words)
{
    text_append_char(printer->text, '\n');
    style_printf(printer->text, printer->color, STYLE_HEADING, "%s\n", words);
}

static void faint(struct printer *printer, const char *format, size_t count)
{
    text_append(printer->text, "  ");
    style_printf(printer->text, printer->color, STYLE_FAINT, format, count);
    text_append_char(printer->text, '\n');
}

static void verdict(struct printer *printer)
{
    bool alarm = printer->model->kind != VERDICT_ALIVE;
    style_begin(printer->text, printer->color, alarm ? STYLE_ALARM : STYLE_HEADING);
    escape_terminal(printer->text, printer->model->verdict, ESCAPE_ONE_LINE);
    style_end(printer->text, printer->color);
    text_append_char(printer->text, '\n');
    if (printer->model->where) {
        escape_terminal(printer->text, printer->model->where, ESCAPE_ONE_LINE);
        text_append_char(printer->text, '\n');
    }
}

/* The thread that the reader wants first: the crashed one, else the most important. */
static const struct stack_group *main_group(const struct postmortem *model)
{
    if (model->crashed || !model->stacks.groups.count)
        return model->crashed;
    return &model->stacks.groups.items[0];
}

static void main_thread(struct printer *printer)
{
    const struct stack_group *group = main_group(printer->model);
    struct stack_format format = {.color = printer->color,
                                  .width = printer->width,
                                  .max_locals = SUMMARY_LOCALS,
                                  .max_items = SUMMARY_ITEMS,
                                  .death = printer->model->death};
    if (!group)
        return;
    text_append_char(printer->text, '\n');
    group_render(&printer->model->stacks, group, &format, printer->text);
}

static void deadlocks(struct printer *printer)
{
    const struct deadlocks *found = &printer->model->deadlocks;
    if (!found->sentences.count)
        return;
    heading(printer, found->sentences.count == 1 ? "Deadlock" : "Deadlocks");
    for (size_t i = 0; i < found->sentences.count && i < SUMMARY_DEADLOCKS; i++) {
        text_append(printer->text, "  ");
        escape_terminal(printer->text, found->sentences.items[i], ESCAPE_ONE_LINE);
        text_append_char(printer->text, '\n');
    }
    if (found->sentences.count > SUMMARY_DEADLOCKS)
        faint(printer, "[%zu more]", found->sentences.count - SUMMARY_DEADLOCKS);
}

/* Exceptions of other threads: their title only. */
static void exception_line(struct printer *printer, const struct stack_thread *thread)
{
    struct text title;
    if (!thread->exception_count)
        return;
    text_init(&title);
    exception_title(&printer->model->stacks.exceptions.items[thread->first_exception], &title);
    text_append(printer->text, "      with ");
    struct text escaped;
    text_init(&escaped);
    escape_terminal(&escaped, text_string(&title), ESCAPE_ONE_LINE);
    append_fitted(printer->text, text_string(&escaped), printer->width - 11, false);
    text_append_char(printer->text, '\n');
    text_deinit(&escaped);
    text_deinit(&title);
}

static void other_group(struct printer *printer, const struct stack_group *group)
{
    const struct stacks *stacks = &printer->model->stacks;
    const struct stack_thread *first = group_first(stacks, group);
    struct stack_format format = {.color = false};
    text_append(printer->text, "  ");
    group_title(stacks, group, &format, printer->text);
    if (first->frame_count) {
        const struct stack_frame *frame = &stacks->frames.items[first->first_frame];
        text_append(printer->text, "    ");
        frame_line(frame, &format, false, printer->text);
    }
    exception_line(printer, first);
}

static void other_threads(struct printer *printer)
{
    const struct stacks *stacks = &printer->model->stacks;
    const struct stack_group *shown_above = main_group(printer->model);
    size_t shown = 0, hidden = stacks->threads_not_shown;
    for (size_t i = 0; i < stacks->groups.count; i++) {
        const struct stack_group *group = &stacks->groups.items[i];
        if (group == shown_above)
            continue;
        if (shown == SUMMARY_GROUPS) {
            hidden += group->member_count;
            continue;
        }
        if (!shown++)
            heading(printer, "Other threads");
        other_group(printer, group);
    }
    if (hidden)
        faint(printer, "[%zu more]", hidden);
}

void memory_words(const struct postmortem *model, struct text *text)
{
    format_bytes(text, model->memory_total);
    text_append(text, " mapped");
    if (!model->memory_reserved)
        return;
    text_append(text, ", and ");
    format_bytes(text, model->memory_reserved);
    text_append(text, " only reserved");
}

static void memory(struct printer *printer)
{
    static const struct column columns[] = {{"  region", NULL, COLUMN_PLAIN},
                                            {"bytes", "size", COLUMN_BYTES},
                                            {"share", NULL, COLUMN_SHARE},
                                            {"detail", NULL, COLUMN_PLAIN}};
    const struct postmortem *model = printer->model;
    struct table table;
    struct text words;
    if (!model->memory.count)
        return;
    table_init(&table, columns, sizeof columns / sizeof *columns);
    text_init(&words);
    for (size_t i = 0; i < model->memory.count && i < SUMMARY_REGIONS; i++) {
        const struct memory_region *region = &model->memory.items[i];
        text_clear(&words);
        text_printf(&words, "  %s", region->region ? region->region : "?");
        table_string(&table, text_string(&words));
        table_integer(&table, region->bytes);
        if (region->is_reserved)
            table_null(&table);
        else
            table_real(&table, region->share);
        table_string(&table, region->detail);
    }
    text_clear(&words);
    text_append(&words, "Memory: ");
    memory_words(model, &words);
    heading(printer, text_string(&words));
    table_render_text(&table, printer->width, printer->text);
    if (model->memory.count > SUMMARY_REGIONS)
        faint(printer, "[%zu more]", model->memory.count - SUMMARY_REGIONS);
    text_deinit(&words);
    table_deinit(&table);
}

static void warnings(struct printer *printer)
{
    const struct postmortem *model = printer->model;
    if (!model->warnings.count)
        return;
    heading(printer, "What could not be read");
    for (size_t i = 0; i < model->warnings.count && i < SUMMARY_WARNINGS; i++) {
        const struct model_warning *warning = &model->warnings.items[i];
        text_append(printer->text, "  ");
        escape_terminal(printer->text, warning->area, ESCAPE_ONE_LINE);
        text_append(printer->text, ": ");
        escape_terminal(printer->text, warning->message, ESCAPE_ONE_LINE);
        text_append_char(printer->text, '\n');
    }
    if (model->warnings.count > SUMMARY_WARNINGS)
        faint(printer, "[%zu more]", model->warnings.count - SUMMARY_WARNINGS);
}

static void next_steps(struct printer *printer)
{
    const struct postmortem *model = printer->model;
    heading(printer, "Next");
    for (size_t i = 0; i < model->next.count; i++) {
        text_append(printer->text, "  ");
        escape_terminal(printer->text, model->next.items[i].command, ESCAPE_ONE_LINE);
        text_append(printer->text, "  ");
        style_printf(printer->text, printer->color, STYLE_FAINT, "# %s",
                     model->next.items[i].reason);
        text_append_char(printer->text, '\n');
    }
}

void postmortem_text_stacks(const struct postmortem *model, size_t width, bool color,
                            struct text *text)
{
    struct printer printer = {model, width, color, text};
    verdict(&printer);
    main_thread(&printer);
    deadlocks(&printer);
    other_threads(&printer);
}

void postmortem_text_rest(const struct postmortem *model, size_t width, bool color,
                          struct text *text)
{
    struct printer printer = {model, width, color, text};
    if (model->parts)
        parts_text(model->parts, width, text);
    memory(&printer);
    warnings(&printer);
    next_steps(&printer);
}

void postmortem_render_text(const struct postmortem *model, size_t width, bool color,
                            struct text *text)
{
    postmortem_text_stacks(model, width, color, text);
    postmortem_text_rest(model, width, color, text);
}

void threads_render_text(const struct postmortem *model, size_t width, bool color, bool verbose,
                         struct text *text)
{
    struct printer printer = {model, width, color, text};
    struct stack_format format = {.color = color,
                                  .width = verbose ? 0 : width,
                                  .max_locals = verbose ? 0 : THREADS_LOCALS,
                                  .death = model->death,
                                  .more = "--verbose shows them"};
    verdict(&printer);
    deadlocks(&printer);
    for (size_t i = 0; i < model->stacks.groups.count; i++) {
        text_append_char(text, '\n');
        group_render(&model->stacks, &model->stacks.groups.items[i], &format, text);
    }
    if (model->stacks.threads_not_shown) {
        text_append_char(text, '\n');
        style_printf(text, color, STYLE_FAINT, "[%zu more threads: --limit 0 shows them]",
                     model->stacks.threads_not_shown);
        text_append_char(text, '\n');
    }
}
