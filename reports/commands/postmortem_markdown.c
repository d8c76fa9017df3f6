/* SPDX-License-Identifier: Apache-2.0 */
/* Markdown that fits into one comment of an issue tracker: stacks as code blocks,
 * long lists folded into <details>, what does not fit counted at the end. */
#include <inttypes.h>
#include <string.h>

#include "reports/commands/postmortem_parts.h"
#include "reports/commands/postmortem_render.h"
#include "reports/commands/stacks_words.h"
#include "reports/commands/threads_text.h"
#include "reports/render/escape.h"
#include "reports/render/table.h"

#define DEADLOCKS_SHOWN 8
#define TAIL_RESERVE    6000u /* bytes kept for what follows the threads */
#define VALUE_WIDTH     160   /* columns of a line of a local */
#define MAX_REGIONS     12
#define MAX_WARNINGS    20

struct printer {
    const struct postmortem *model;
    struct text *text;
    size_t limit; /* of text->size for threads */
};

static void fact_rows(struct printer *printer)
{
    const struct postmortem *model = printer->model;
    text_append(printer->text, "| | |\n| --- | --- |\n");
    for (size_t i = 0; i < model->facts.count; i++) {
        text_printf(printer->text, "| %s | ", model->facts.items[i].title);
        escape_markdown_code(printer->text, model->facts.items[i].value, true);
        text_append(printer->text, " |\n");
    }
}

static void head(struct printer *printer)
{
    text_append(printer->text, "## ");
    escape_markdown(printer->text, printer->model->verdict);
    text_append(printer->text, "\n\n");
    if (printer->model->where) {
        text_append(printer->text, "Where: ");
        escape_markdown(printer->text, printer->model->where);
        text_append(printer->text, "\n\n");
    }
}

/* One group under its own heading, in as much detail as the room allows. False
 * where there is no room even for the least. */
static bool group_section(struct printer *printer, const struct stack_group *group)
{
    static const struct stack_format attempts[] = {
        {.width = VALUE_WIDTH, .max_locals = 30},
        {.width = VALUE_WIDTH / 2, .max_locals = 8, .max_items = 60},
        {.no_locals = true, .max_locals = 1, .max_items = 60},
        {.no_locals = true, .max_locals = 1, .max_items = 12},
    };
    struct text stack, section;
    bool fits = false;
    text_init(&stack);
    text_init(&section);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts && !fits; i++) {
        struct stack_format format = attempts[i];
        format.death = printer->model->death;
        text_clear(&stack);
        text_clear(&section);
        group_title(&printer->model->stacks, group, &format, &stack);
        stack.data[stack.size - 1] = '\0'; /* its newline */
        text_append(&section, "### ");
        escape_markdown(&section, text_string(&stack));
        text_append(&section, "\n\n");
        text_clear(&stack);
        if (group->member_count == 1)
            context_render(&printer->model->stacks, group_first(&printer->model->stacks, group),
                           &format, &stack);
        stack_render(&printer->model->stacks, group, &format, &stack);
        group_exceptions(&printer->model->stacks, group, &format, &stack);
        if (stack.size)
            markdown_fence(&section, text_string(&stack), "pytb");
        text_append(&section, stack.size ? "\n" : "");
        fits = printer->text->size + section.size <= printer->limit;
    }
    if (fits)
        text_append_n(printer->text, text_string(&section), section.size);
    printer->text->failed |= stack.failed | section.failed;
    text_deinit(&stack);
    text_deinit(&section);
    return fits;
}

static void deadlock_section(struct printer *printer)
{
    const struct deadlocks *found = &printer->model->deadlocks;
    for (size_t i = 0; i < found->sentences.count && i < DEADLOCKS_SHOWN; i++) {
        text_append(printer->text, "**Deadlock:** ");
        escape_markdown(printer->text, found->sentences.items[i]);
        text_append(printer->text, "\n\n");
    }
}

/* Threads, as many as fit; the crashed one is first in the model. */
static void thread_sections(struct printer *printer)
{
    const struct stacks *stacks = &printer->model->stacks;
    size_t hidden = stacks->threads_not_shown;
    for (size_t i = 0; i < stacks->groups.count; i++) {
        if (i == 1)
            text_append(printer->text, "<details><summary>Other threads</summary>\n\n");
        if (!group_section(printer, &stacks->groups.items[i]))
            hidden += stacks->groups.items[i].member_count;
    }
    if (stacks->groups.count > 1)
        text_append(printer->text, "</details>\n\n");
    if (hidden) {
        text_append_char(printer->text, '*');
        format_count(printer->text, (int64_t)hidden);
        text_printf(printer->text, " more thread%s left out here.*\n\n", hidden == 1 ? "" : "s");
    }
}

static void memory_section(struct printer *printer)
{
    static const struct column columns[] = {{"region", "Region", COLUMN_PLAIN},
                                            {"bytes", "Size", COLUMN_BYTES},
                                            {"share", "Share", COLUMN_SHARE},
                                            {"detail", "Detail", COLUMN_PLAIN}};
    const struct postmortem *model = printer->model;
    struct table table;
    if (!model->memory.count)
        return;
    table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < model->memory.count && i < MAX_REGIONS; i++) {
        const struct memory_region *region = &model->memory.items[i];
        table_string(&table, region->region);
        table_integer(&table, region->bytes);
        if (region->is_reserved)
            table_null(&table);
        else
            table_real(&table, region->share);
        table_string(&table, region->detail);
    }
    text_append(printer->text, "### Memory: ");
    memory_words(model, printer->text);
    text_append(printer->text, "\n\n");
    table_render_markdown(&table, printer->text);
    if (model->memory.count > MAX_REGIONS)
        text_printf(printer->text, "\n*%zu more regions left out here.*\n",
                    model->memory.count - MAX_REGIONS);
    text_append_char(printer->text, '\n');
    table_deinit(&table);
}

static void warning_section(struct printer *printer)
{
    const struct postmortem *model = printer->model;
    if (!model->warnings.count)
        return;
    text_append(printer->text, "### What could not be read\n\n");
    for (size_t i = 0; i < model->warnings.count && i < MAX_WARNINGS; i++) {
        text_append(printer->text, "- ");
        escape_markdown(printer->text, model->warnings.items[i].area);
        text_append(printer->text, ": ");
        escape_markdown(printer->text, model->warnings.items[i].message);
        text_append_char(printer->text, '\n');
    }
    if (model->warnings.count > MAX_WARNINGS)
        text_printf(printer->text, "- *%zu more left out here*\n",
                    model->warnings.count - MAX_WARNINGS);
    text_append_char(printer->text, '\n');
}

/* What stands after the threads is written first, so that they get the rest. */
void postmortem_render_markdown(const struct postmortem *model, struct text *text)
{
    struct text tail;
    text_init(&tail);
    tail.limit = MARKDOWN_LIMIT / 2;
    struct printer after = {.model = model, .text = &tail};
    if (model->parts)
        parts_markdown(model->parts, &tail);
    memory_section(&after);
    warning_section(&after);
    struct printer printer = {.model = model, .text = text};
    text->limit = MARKDOWN_LIMIT; /* a last bound, for facts of any length */
    head(&printer);
    printer.limit = MARKDOWN_LIMIT - tail.size - TAIL_RESERVE;
    fact_rows(&printer);
    text_append_char(text, '\n');
    deadlock_section(&printer);
    thread_sections(&printer);
    text_append_n(text, text_string(&tail), tail.size);
    text->failed |= tail.failed;
    text->limit = 0;
    text_deinit(&tail);
}

void threads_render_markdown(const struct postmortem *model, struct text *text)
{
    struct printer printer = {.model = model, .text = text, .limit = MARKDOWN_LIMIT - 1000};
    text->limit = MARKDOWN_LIMIT;
    head(&printer);
    deadlock_section(&printer);
    thread_sections(&printer);
    text->limit = 0;
}
