/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "reports/commands/html_report.h"
#include "reports/commands/postmortem_render.h"
#include "reports/render/table.h"

#define COLORS       8 /* .m0 to .m7 in report.css; the last is for all that follows */
#define BAR_WIDTH    1000.0
#define MAX_REGIONS  60
#define MAX_FILES    1500
#define MAX_WARNINGS 200
#define TABLE_BYTES  (160u << 10) /* of one table */

/* Whether a row that grew the text from `size` stays: within the table's bounds. */
static bool keep_row(struct html_page *page, size_t start, size_t size)
{
    if (page->text->size - start <= TABLE_BYTES)
        return true;
    page->text->size = size;
    page->text->data[size] = '\0';
    return false;
}

static void cut_note(struct html_page *page, size_t total, size_t shown, const char *what)
{
    if (shown == total)
        return;
    page->cut_rows += total - shown;
    text_append(page->text, "<p class=\"aside\">");
    format_count(page->text, (int64_t)(total - shown));
    text_printf(page->text, " more %s cut from this page.</p>\n", what);
}

/* ---- Memory. */
/* The largest regions by their colours; the last colour is all the others'. */
static void memory_bar(struct html_page *page)
{
    const struct postmortem *model = page->model;
    double at = 0;
    text_append(page->text, "<svg class=\"stack-bar\" viewBox=\"0 0 1000 32\" role=\"img\""
                            " preserveAspectRatio=\"none\" aria-label=\"Shares of memory\">\n");
    for (size_t i = 0; i < model->memory.count && i < COLORS; i++) {
        const struct memory_region *region = &model->memory.items[i];
        bool rest = i + 1 == COLORS && i + 1 < model->memory.count;
        double width = rest ? BAR_WIDTH - at : region->share * BAR_WIDTH;
        if (width <= 0 || (region->is_reserved && !rest))
            continue;
        text_printf(page->text,
                    "<rect class=\"m%zu\" x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"32\">"
                    "<title>",
                    i, at, width);
        html_text(page, rest ? "the rest" : region->region ? region->region : "?");
        text_append(page->text, "</title></rect>\n");
        at += width;
    }
    text_append(page->text, "</svg>\n");
}

static void memory_row(struct html_page *page, size_t i)
{
    const struct memory_region *region = &page->model->memory.items[i];
    text_append(page->text, "<tr><td>");
    if (!region->is_reserved)
        text_printf(page->text,
                    "<svg class=\"swatch m%zu\" viewBox=\"0 0 10 10\" aria-hidden=\"true\">"
                    "<rect width=\"10\" height=\"10\" rx=\"2\"/></svg>",
                    i < COLORS ? i : COLORS - 1);
    html_text(page, region->region ? region->region : "?");
    text_printf(page->text, "</td><td class=\"number\" data-value=\"%" PRId64 "\">", region->bytes);
    format_bytes(page->text, region->bytes);
    text_printf(page->text, "</td><td class=\"number\" data-value=\"%.9g\">", region->share);
    if (!region->is_reserved)
        format_share(page->text, region->share);
    text_append(page->text, "</td><td>");
    html_text(page, region->detail);
    text_append(page->text, "</td></tr>\n");
}

void html_memory(struct html_page *page)
{
    const struct postmortem *model = page->model;
    size_t shown = 0, start = page->text->size;
    if (!model->memory.count)
        return;
    text_append(page->text, "<section id=\"memory\"><h2>Memory <span class=\"count\">");
    memory_words(model, page->text);
    text_append(page->text, "</span></h2><div class=\"panel memory\">\n");
    memory_bar(page);
    text_append(page->text, "<div class=\"scroll\"><table class=\"grid sortable\"><thead><tr>"
                            "<th scope=\"col\">Region</th><th scope=\"col\" class=\"number\">Size"
                            "</th><th scope=\"col\" class=\"number\">Share</th>"
                            "<th scope=\"col\">Detail</th></tr></thead><tbody>\n");
    while (shown < model->memory.count && shown < MAX_REGIONS) {
        size_t size = page->text->size;
        memory_row(page, shown);
        if (!keep_row(page, start, size))
            break;
        shown++;
    }
    text_append(page->text, "</tbody></table></div>\n");
    cut_note(page, model->memory.count, shown, "regions");
    text_append(page->text, "</div></section>\n");
}

/* ---- Mapped files. */
static void file_row(struct html_page *page, const struct mapped_file *file)
{
    text_append(page->text, "<tr><td class=\"path\">");
    html_text(page, file->path ? file->path : "?");
    text_append(page->text, "</td><td>");
    html_text(page, file->source);
    text_printf(page->text, "</td><td class=\"hex\">0x%" PRIx64 "</td><td class=\"hex\">",
                file->start);
    html_text(page, file->build_id);
    text_append(page->text, "</td></tr>\n");
}

void html_files(struct html_page *page)
{
    const struct postmortem *model = page->model;
    size_t shown = 0, start = page->text->size;
    if (!model->files.count)
        return;
    text_append(page->text, "<section id=\"files\"><details class=\"panel more\"><summary>"
                            "<span>Mapped files <span class=\"aside\">");
    format_count(page->text, (int64_t)model->files.count);
    text_append(page->text, "</span></span></summary><div class=\"scroll\">"
                            "<table class=\"grid sortable\"><thead><tr><th scope=\"col\">File</th>"
                            "<th scope=\"col\">On this machine</th><th scope=\"col\">Address</th>"
                            "<th scope=\"col\">Build id</th></tr></thead><tbody>\n");
    while (shown < model->files.count && shown < MAX_FILES) {
        size_t size = page->text->size;
        file_row(page, &model->files.items[shown]);
        if (!keep_row(page, start, size))
            break;
        shown++;
    }
    text_append(page->text, "</tbody></table></div>\n");
    cut_note(page, model->files.count, shown, "files");
    text_append(page->text, "</details></section>\n");
}

/* ---- Warnings, commands. */
void html_warnings(struct html_page *page)
{
    const struct postmortem *model = page->model;
    size_t shown = 0, start = page->text->size;
    if (!model->warnings.count)
        return;
    text_append(page->text, "<section id=\"warnings\"><h2>What could not be read <span "
                            "class=\"count\">");
    format_count(page->text, (int64_t)model->warnings.count);
    text_append(page->text, "</span></h2><ul class=\"panel warn warnings\">\n");
    while (shown < model->warnings.count && shown < MAX_WARNINGS) {
        size_t size = page->text->size;
        text_append(page->text, "<li><b>");
        html_text(page, model->warnings.items[shown].area);
        text_append(page->text, "</b> ");
        html_text(page, model->warnings.items[shown].message);
        text_append(page->text, "</li>\n");
        if (!keep_row(page, start, size))
            break;
        shown++;
    }
    text_append(page->text, "</ul>\n");
    cut_note(page, model->warnings.count, shown, "warnings");
    text_append(page->text, "</section>\n");
}

void html_next(struct html_page *page)
{
    const struct postmortem *model = page->model;
    if (!model->next.count)
        return;
    text_append(page->text, "<section id=\"next\"><h2>To go on</h2><ul class=\"commands\">\n");
    for (size_t i = 0; i < model->next.count; i++) {
        text_append(page->text, "<li><span class=\"aside\">");
        html_text(page, model->next.items[i].reason);
        text_append(page->text, "</span><code>");
        html_text(page, model->next.items[i].command);
        text_append(page->text, "</code></li>\n");
    }
    text_append(page->text, "</ul></section>\n");
}
