/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a comparison: verdict, gates, ranked tables, a differential flame graph, and
 * where both inputs come from. */
#include "inquest_config.h"
#include "reports/commands/diff_render.h"
#include "reports/render/escape.h"
#include "reports/render/page.h"

#define TABLE_ROWS  500
#define TABLE_BYTES (220u << 10)
#define FLAME_BYTES (900u << 10)

static void escape(struct text *text, const char *string)
{
    escape_markup(text, string ? string : "", ESCAPE_ONE_LINE);
}

static bool any_tripped(const struct gates *gates)
{
    for (size_t i = 0; i < gates->outcomes.count; i++)
        if (gates->outcomes.items[i].result.is_tripped)
            return true;
    return false;
}

static void verdict(const struct diff_answer *answer, struct text *text)
{
    const struct diff *diff = answer->diff;
    bool tripped = any_tripped(answer->gates);
    text_printf(text, "<div class=\"verdict %s\"><div class=\"kind\">%s</div><h1>",
                tripped ? "crashed" : "aborted",
                tripped ? "A gate tripped" : "NEW compared to OLD");
    escape(text, diff->verdict);
    text_append(text, "</h1>\n");
    if (diff->rule) {
        text_append(text, "<p class=\"where\">Matched: ");
        escape(text, diff->rule);
        text_append(text, "</p>\n");
    }
    text_append(text, "</div>\n");
}

static void side(const struct diff_answer *answer, size_t which, struct text *text)
{
    const struct diff_side *side = &answer->sides[which];
    text_printf(text, "<section><h2>%s <span class=\"count mono\">", which ? "NEW" : "OLD");
    escape(text, side->input);
    text_append(text, "</span></h2><dl class=\"facts\">\n");
    for (size_t i = 0; i < side->facts.count; i++) {
        text_append(text, "<div><dt>");
        escape(text, side->facts.items[i].title);
        text_append(text, "</dt><dd>");
        escape(text, side->facts.items[i].value);
        text_append(text, "</dd></div>\n");
    }
    text_append(text, "</dl></section>\n");
}

static void warnings(const struct diff *diff, struct text *text)
{
    if (!diff->warnings.count)
        return;
    text_append(text,
                "<section id=\"warnings\"><h2>Beware</h2><ul class=\"panel warn warnings\">\n");
    for (size_t i = 0; i < diff->warnings.count; i++) {
        text_append(text, "<li>");
        escape(text, diff->warnings.items[i]);
        text_append(text, "</li>\n");
    }
    text_append(text, "</ul></section>\n");
}

static void table_section(const struct diff_answer *answer, const struct diff_table *source,
                          struct text *text)
{
    struct column columns[DIFF_COLUMNS];
    struct table table;
    size_t hidden = diff_people_table(answer, source, TABLE_ROWS, columns, &table);
    size_t rows = table_row_count(&table);
    if (rows) {
        text_printf(text, "<section id=\"%s\"><h2>%s</h2><div class=\"panel memory\">\n",
                    source->name, source->title);
        hidden += rows - table_render_html(&table, TABLE_BYTES, text);
        if (hidden) {
            text_append(text, "<p class=\"aside\">");
            format_count(text, (int64_t)hidden);
            text_append(text, " more rows are cut from this page.</p>\n");
        }
        if (source->note) {
            text_append(text, "<p class=\"aside\">");
            escape(text, source->note);
            text_append(text, "</p>\n");
        }
        text_append(text, "</div></section>\n");
    }
    table_deinit(&table);
}

static void flame_section(const struct diff_answer *answer, struct text *text)
{
    struct text picture = {0};
    if (!answer->flame)
        return;
    flame_render_inline(answer->flame, &picture);
    text_append(text, "<section id=\"flame\"><h2>What changed, by path</h2>"
                      "<div class=\"panel picture\">\n");
    if (picture.size <= FLAME_BYTES)
        text_append_n(text, text_string(&picture), picture.size);
    else
        text_append(text, "<p class=\"aside\">The picture is too large for this page; write it "
                          "with -o diff.svg.</p>\n");
    text_append(text, "</div></section>\n");
    text->failed |= picture.failed;
    text_deinit(&picture);
}

void diff_render_html(const struct diff_answer *answer, struct text *text)
{
    const struct diff *diff = answer->diff;
    const struct page_shell shell = {
        .title = diff->verdict,
        .kind = "comparison",
        .search_label = "Search rows",
        .styles = {&asset_flame_page_css},
        .scripts = {&asset_flame_js},
    };
    page_begin(&shell, text);
    verdict(answer, text);
    gates_html(answer->gates, text);
    warnings(diff, text);
    flame_section(answer, text);
    for (size_t i = 0; i < diff->tables.count; i++)
        table_section(answer, diff_table_for_people(diff, i), text);
    side(answer, 0, text);
    side(answer, 1, text);
    page_end(&shell,
             "<p>Made by inquest " INQUEST_VERSION ". Text from the inputs is shown as it was and "
             "never interpreted.</p>\n",
             text);
}
