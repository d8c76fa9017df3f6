/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a post-mortem: the verdict, facts, threads, memory, files. */
#include <inttypes.h>
#include <string.h>

#include "inquest_config.h"
#include "reports/commands/html_report.h"
#include "reports/commands/postmortem_parts.h"
#include "reports/commands/postmortem_render.h"
#include "reports/commands/stacks_words.h"
#include "reports/render/escape.h"
#include "reports/render/page.h"
#include "reports/render/table.h"

#define END_BYTES     (24u << 10) /* kept for the footer, the scripts and the end tags */
#define MAX_DEADLOCKS 50
#define GROUP_BYTES   (192u << 10) /* of one thread; the crashed one gets half the page */

void html_text(struct html_page *page, const char *string)
{
    escape_markup(page->text, string, ESCAPE_ONE_LINE);
}

void html_lines(struct html_page *page, const char *string)
{
    escape_markup(page->text, string, ESCAPE_KEEP_LINES);
}

static const char *const keys[] = {
    "<kbd>j</kbd> <kbd>k</kbd>",
    "next and previous thread or frame",
    "<kbd>Enter</kbd>",
    "open or close it",
    "<kbd>e</kbd> <kbd>c</kbd>",
    "expand and collapse all",
    "<kbd>o</kbd>",
    "newest or oldest call first",
    NULL,
};

static struct page_shell shell_of(const struct postmortem *model)
{
    return (struct page_shell){
        .title = model->verdict,
        .kind = "postmortem",
        .tools = "<select id=\"sort\" aria-label=\"Order of threads\">"
                 "<option value=\"importance\">By importance</option><option value=\"name\">By name"
                 "</option><option value=\"number\">By number</option><option value=\"frames\">"
                 "By depth</option></select>"
                 "<button type=\"button\" id=\"order\">Newest call first</button>"
                 "<button type=\"button\" id=\"expand\">Expand all</button>"
                 "<button type=\"button\" id=\"collapse\">Collapse all</button>",
        .search_label = "Search threads, frames, values and files",
        .scripts = {&asset_threads_js},
        .keys = keys,
    };
}

static void jump(struct html_page *page, bool there, const char *target, const char *words)
{
    if (there)
        text_printf(page->text, "<a href=\"#%s\">%s</a>\n", target, words);
}

static void verdict(struct html_page *page)
{
    static const struct {
        const char *style, *words;
    } kinds[] = {[VERDICT_CRASHED] = {"crashed", "Crashed"},
                 [VERDICT_ABORTED] = {"aborted", "Aborted"},
                 [VERDICT_KILLED] = {"killed", "Killed by a signal"},
                 [VERDICT_ALIVE] = {"alive", "Alive"}};
    const struct postmortem *model = page->model;
    text_printf(page->text, "<div class=\"verdict %s\"><div class=\"kind\">%s</div><h1>",
                kinds[model->kind].style, kinds[model->kind].words);
    html_text(page, model->verdict);
    text_append(page->text, "</h1>\n");
    if (model->where) {
        text_append(page->text, "<p class=\"where\">");
        html_text(page, model->where);
        text_append(page->text, "</p>\n");
    }
    text_append(page->text, "<nav class=\"jump\" aria-label=\"Parts of this page\">\n");
    jump(page, model->crashed, "crashed", "Crashed thread");
    jump(page, model->stacks.groups.count > (model->crashed ? 1 : 0), "others",
         model->crashed ? "Other threads" : "Threads");
    jump(page, model->parts && model->parts->sentences.count, "holds", "What fills the memory");
    jump(page, model->memory.count, "memory", "Memory");
    jump(page, model->files.count, "files", "Mapped files");
    jump(page, model->warnings.count, "warnings", "What could not be read");
    jump(page, model->next.count, "next", "To go on");
    text_append(page->text, "</nav></div>\n");
}

static void facts(struct html_page *page)
{
    const struct postmortem *model = page->model;
    text_append(page->text, "<dl class=\"facts\">\n");
    for (size_t i = 0; i < model->facts.count; i++) {
        const struct fact *fact = &model->facts.items[i];
        text_printf(page->text, "<div%s><dt>%s</dt><dd>",
                    strlen(fact->value) > 90 ? " class=\"broad\"" : "", fact->title);
        html_text(page, fact->value);
        text_append(page->text, "</dd></div>\n");
    }
    text_append(page->text, "</dl>\n");
}

static void deadlocks(struct html_page *page)
{
    const struct deadlocks *found = &page->model->deadlocks;
    if (!found->sentences.count)
        return;
    text_append(page->text, "<section id=\"deadlocks\"><h2>Deadlocks</h2>"
                            "<ul class=\"panel warn warnings\">\n");
    for (size_t i = 0; i < found->sentences.count && i < MAX_DEADLOCKS; i++) {
        text_append(page->text, "<li>");
        html_text(page, found->sentences.items[i]);
        text_append(page->text, "</li>\n");
    }
    text_append(page->text, "</ul></section>\n");
}

static void crashed_thread(struct html_page *page)
{
    const struct postmortem *model = page->model;
    if (!model->crashed)
        return;
    text_append(page->text, "<section id=\"crashed\"><h2>The thread that crashed</h2>\n");
    size_t limit = page->limit;
    page->limit = page->text->size + (limit - page->text->size) / 2;
    html_group(page, model->crashed, 0, true);
    page->limit = limit;
    text_append(page->text, "</section>\n");
}

static void other_threads(struct html_page *page)
{
    const struct stacks *stacks = &page->model->stacks;
    size_t limit = page->limit, count = stacks->threads.count;
    bool cut = false;
    if (page->model->crashed)
        count--;
    if (!count)
        return;
    text_printf(page->text, "<section id=\"others\"><h2>%s <span class=\"count\">",
                page->model->crashed ? "Other threads" : "Threads");
    format_count(page->text, (int64_t)count);
    text_append(page->text, "</span></h2><div id=\"threads\">\n");
    for (size_t i = 0; i < stacks->groups.count; i++) {
        const struct stack_group *group = &stacks->groups.items[i];
        if (group == page->model->crashed)
            continue;
        page->limit = page->text->size + GROUP_BYTES;
        if (page->limit > limit)
            page->limit = limit;
        if (cut) /* in order of importance: none after one that did not fit */
            page->cut_threads += group->member_count;
        else
            cut = !html_group(page, group, i, !page->model->crashed && i == 0);
    }
    page->limit = limit;
    page->cut_threads += stacks->threads_not_shown;
    text_append(page->text, "</div>\n");
    if (page->cut_threads) {
        text_append(page->text, "<p class=\"aside\">");
        format_count(page->text, (int64_t)page->cut_threads);
        text_printf(page->text, " more thread%s cut from this page.</p>\n",
                    page->cut_threads == 1 ? "" : "s");
    }
    text_append(page->text, "</section>\n");
}

static void cut_count(struct html_page *page, size_t count, const char *what)
{
    if (!count)
        return;
    text_append_char(page->text, ' ');
    format_count(page->text, (int64_t)count);
    text_printf(page->text, " %s%s.", what, count == 1 ? "" : "s");
}

/* Paragraphs, into page->text. */
static void footer(struct html_page *page)
{
    const struct postmortem *model = page->model;
    const char *fingerprint = postmortem_meta(model, "fingerprint");
    const char *redacted = postmortem_meta(model, "redacted");
    text_append(page->text, "<p>Made by inquest " INQUEST_VERSION " from ");
    html_text(page, model->input);
    if (fingerprint) {
        text_append(page->text, ", fingerprint <span class=\"mono\">");
        html_text(page, fingerprint);
        text_append(page->text, "</span>");
    }
    text_append(page->text, ". ");
    if (redacted && strcmp(redacted, "1") == 0)
        text_append(page->text, "Redacted: it shows no value of a string, bytes or number. ");
    text_append(page->text, "Text from the dead process is shown as it was and never interpreted: "
                            "control characters are written as \\x1b.</p>\n");
    if (page->cut_threads || page->cut_frames || page->cut_locals || page->cut_rows) {
        text_append(page->text, "<p>Cut to keep this page below 2 MiB:");
        cut_count(page, page->cut_threads, "thread");
        cut_count(page, page->cut_frames, "frame");
        cut_count(page, page->cut_locals, "local");
        cut_count(page, page->cut_rows, "row");
        text_append(page->text, " The commands above show them.</p>\n");
    }
}

/* What stands after the threads is written first, so that they get the room that
 * is left. */
void postmortem_render_html(const struct postmortem *model, struct text *text)
{
    struct text tail;
    text_init(&tail);
    struct html_page after = {.model = model, .text = &tail};
    if (model->parts)
        parts_html(model->parts, &tail);
    html_memory(&after);
    html_warnings(&after);
    html_next(&after);
    html_files(&after);
    struct html_page page = {.model = model, .text = text, .cut_rows = after.cut_rows};
    const struct page_shell shell = shell_of(model);
    page.limit = PAGE_LIMIT - tail.size - END_BYTES;
    page_begin(&shell, text);
    verdict(&page);
    facts(&page);
    deadlocks(&page);
    crashed_thread(&page);
    other_threads(&page);
    text_append_n(text, text_string(&tail), tail.size);
    text_clear(&tail);
    page.text = &tail;
    footer(&page);
    page_end(&shell, text_string(&tail), text);
    text->failed |= tail.failed;
    text_deinit(&tail);
}
