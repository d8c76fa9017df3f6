/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/profile_html.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/profile_edges.h"
#include "inquest/analyzer/profile_hotspots.h"
#include "inquest/analyzer/source_line.h"
#include "inquest_config.h"
#include "reports/commands/profile_flame.h"
#include "reports/commands/profile_treemap.h"
#include "reports/commands/recordings.h"
#include "reports/render/escape.h"
#include "reports/render/page.h"

#define ROWS          400 /* of hot functions or lines */
#define TABLE_BYTES   (420u << 10)
#define FLAME_BYTES   (900u << 10)
#define TREEMAP_BYTES (400u << 10)
#define SANDWICHES    120 /* functions with callers and callees of their own */
#define SIDES         10  /* rows of each */

struct profile_page {
    const struct profile *profile;
    const char *input;
    struct unit_view view;
    struct text *text;
    struct arena arena;
    struct hotspots hotspots;
    bool with_source; /* source text is a value, which --redact leaves out */
    const struct options *options;
    struct error *err;
};

static void escape(struct profile_page *page, const char *string)
{
    escape_markup(page->text, string ? string : "", ESCAPE_ONE_LINE);
}

static void amount(struct profile_page *page, double value)
{
    struct text words = {0};
    unit_amount(&page->view, value, &words);
    escape(page, text_string(&words));
    text_deinit(&words);
}

static bool is_memory(const struct profile_page *page)
{
    return page->profile->family == PROFILE_TRACEMALLOC;
}

/* ---- Top. */

static void row_name(const struct profile_page *page, const struct hotspot *row, struct text *text)
{
    const char *function = hotspot_function(&page->hotspots, row);
    const char *file = hotspot_file(&page->hotspots, row);
    if (!is_memory(page) && function && *function) {
        text_append(text, function);
        return;
    }
    text_printf(text, "%s:%d", file ? file : "?", (int)hotspot_line(&page->hotspots, row));
}

static void headline(const struct profile_page *page, struct text *text)
{
    struct text whole = {0};
    unit_amount(&page->view, page->hotspots.whole, &whole);
    text_append(text, text_string(&whole));
    text_deinit(&whole);
    if (is_memory(page)) {
        text_append(text, " in ");
        format_count(text, (int64_t)page->hotspots.whole_count);
        text_append(text, " blocks");
    }
    if (!page->hotspots.rows.count)
        return;
    const struct hotspot *top = &page->hotspots.rows.items[0];
    double share = page->hotspots.whole > 0 ? top->self / page->hotspots.whole : 0;
    text_append(text, is_memory(page) ? "; most by " : "; hottest: ");
    row_name(page, top, text);
    text_append(text, ", ");
    format_share(text, share);
    text_append(text, is_memory(page) ? "" : " by itself");
}

static void verdict(struct profile_page *page)
{
    struct text words = {0};
    headline(page, &words);
    text_append(page->text, "<div class=\"verdict alive\"><div class=\"kind\">");
    escape(page, page->profile->format);
    text_append(page->text, "</div><h1>");
    escape(page, text_string(&words));
    text_append(page->text, "</h1>\n<nav class=\"jump\" aria-label=\"Parts of this page\">\n");
    text_append(page->text, "<a href=\"#flame\">Flame graph</a>\n");
    text_append(page->text, is_memory(page) ? "<a href=\"#treemap\">Treemap</a>\n" : "");
    text_append(page->text, "<a href=\"#hot\">Hot places</a>\n");
    text_append(page->text,
                is_memory(page) ? "" : "<a href=\"#sandwich\">Callers and callees</a>\n");
    text_append(page->text, "<a href=\"#facts\">Facts</a></nav></div>\n");
    text_deinit(&words);
}

static void warnings(struct profile_page *page)
{
    if (!page->profile->warnings.count)
        return;
    text_append(page->text, "<section id=\"warnings\"><h2>What could not be read</h2>"
                            "<ul class=\"panel warn warnings\">\n");
    for (size_t i = 0; i < page->profile->warnings.count && i < 100; i++) {
        text_append(page->text, "<li>");
        escape(page, page->profile->warnings.items[i].message);
        text_append(page->text, "</li>\n");
    }
    text_append(page->text, "</ul></section>\n");
}

static void fact(struct profile_page *page, const char *title, const char *value)
{
    text_append(page->text, "<div><dt>");
    escape(page, title);
    text_append(page->text, "</dt><dd>");
    escape(page, value);
    text_append(page->text, "</dd></div>\n");
}

static void facts(struct profile_page *page)
{
    text_append(page->text, "<section id=\"facts\"><h2>Facts</h2><dl class=\"facts\">\n");
    for (size_t i = 0; i < page->options->operand_count && i < 60; i++)
        fact(page, i ? "Added to it" : "Input", page->options->operands[i]);
    fact(page, "Format", page->profile->format);
    fact(page, "Unit", page->profile->unit);
    for (size_t i = 0; i < page->profile->facts.count && i < 60; i++)
        fact(page, page->profile->facts.items[i].key, page->profile->facts.items[i].value);
    text_append(page->text, "</dl></section>\n");
}

/* ---- The flame graph. */

static enum status flame(struct profile_page *page)
{
    const struct call_tree_options options = {.by_line = is_memory(page),
                                              .least = PROFILE_FLAME_LEAST};
    struct call_tree tree;
    struct flame_graph graph;
    struct text picture = {0};
    enum status status = call_tree_build(page->profile, &options, &tree, page->err);
    if (status != STATUS_OK)
        return status;
    status = profile_flame_graph(&tree, page->input, true, &page->arena, &graph, page->err);
    if (status == STATUS_OK) {
        flame_render_inline(&graph, &picture);
        text_append(page->text, "<section id=\"flame\"><h2>Flame graph <span class=\"count\">");
        escape(page, tree.note ? tree.note : "");
        text_append(page->text, "</span></h2><div class=\"panel picture\">\n");
        if (picture.size <= FLAME_BYTES)
            text_append_n(page->text, text_string(&picture), picture.size);
        else
            text_append(page->text, "<p class=\"aside\">The picture is too large for this page: "
                                    "inquest flamegraph writes it to a file of its own.</p>");
        text_append(page->text, "</div></section>\n");
    }
    text_deinit(&picture);
    call_tree_deinit(&tree);
    return status;
}

/* ---- The treemap, of memory. */

static enum status treemap(struct profile_page *page)
{
    const struct place_tree_options options = {.by_line = true};
    struct place_tree tree;
    struct treemap map;
    enum status status = place_tree_build(page->profile, &options, &tree, page->err);
    if (status != STATUS_OK)
        return status;
    status = profile_treemap_picture(&tree, page->input, &page->arena, &map, page->err);
    if (status == STATUS_OK) {
        text_append(page->text,
                    "<section id=\"treemap\"><h2>Treemap <span class=\"count\">package, "
                    "file, line</span></h2><div class=\"panel picture\">\n");
        treemap_render_inline(&map, TREEMAP_BYTES, page->text);
        text_append(page->text, "</div></section>\n");
    }
    place_tree_deinit(&tree);
    return status;
}

/* ---- Hot places. A function that has a sandwich is a link to it. */

static void number_cell(struct profile_page *page, double value, bool is_amount)
{
    text_printf(page->text, "<td class=\"number\" data-value=\"%.17g\">", value);
    if (is_amount)
        amount(page, value);
    else
        format_count(page->text, (int64_t)value);
    text_append(page->text, "</td>");
}

static void share_cell(struct profile_page *page, double value)
{
    double share = page->hotspots.whole > 0 ? value / page->hotspots.whole : 0;
    text_printf(page->text, "<td class=\"number\" data-value=\"%.9g\">", share);
    struct text words = {0};
    format_share(&words, share);
    escape(page, text_string(&words));
    text_deinit(&words);
    text_append(page->text, "</td>");
}

static void source_cell(struct profile_page *page, const struct hotspot *row)
{
    struct text line = {0};
    text_append(page->text, "<td class=\"path\">");
    if (page->with_source &&
        source_line_append(page->options->sysroot, hotspot_file(&page->hotspots, row),
                           hotspot_line(&page->hotspots, row), &line))
        escape(page, text_string(&line));
    text_append(page->text, "</td>");
    text_deinit(&line);
}

static void memory_row(struct profile_page *page, const struct hotspot *row)
{
    struct text name = {0};
    row_name(page, row, &name);
    number_cell(page, row->self, true);
    share_cell(page, row->self);
    number_cell(page, (double)row->self_count, false);
    text_append(page->text, "<td class=\"path\">");
    escape(page, text_string(&name));
    text_append(page->text, "</td>");
    source_cell(page, row);
    text_deinit(&name);
}

static void call_row(struct profile_page *page, const struct hotspot *row, size_t position)
{
    struct text place = {0};
    number_cell(page, row->self, true);
    share_cell(page, row->self);
    number_cell(page, row->total, true);
    share_cell(page, row->total);
    number_cell(page, (double)row->count, false);
    text_append(page->text, "<td class=\"path\">");
    if (position < SANDWICHES)
        text_printf(page->text, "<a href=\"#f%u\">", row->key);
    escape(page, hotspot_function(&page->hotspots, row));
    text_append(page->text, position < SANDWICHES ? "</a></td>" : "</td>");
    profile_place(page->profile, row->key, 0, &place);
    text_append(page->text, "<td class=\"path\">");
    escape(page, text_string(&place));
    text_append(page->text, "</td>");
    text_deinit(&place);
}

static void hot_table(struct profile_page *page)
{
    static const char *const call_heads[] = {"!Self",  "!Share",   "!Total", "!Share",
                                             "!Count", "Function", "Where",  NULL};
    static const char *const memory_heads[] = {"!Size", "!Share", "!Blocks",
                                               "Line",  "Source", NULL};
    const char *const *heads = is_memory(page) ? memory_heads : call_heads;
    size_t start = page->text->size, shown = 0, count = page->hotspots.rows.count;
    text_printf(page->text, "<section id=\"hot\"><h2>%s <span class=\"count\">",
                is_memory(page) ? "Lines that allocated" : "Hot functions");
    format_count(page->text, (int64_t)count);
    text_append(page->text, "</span></h2><div class=\"panel memory\"><div class=\"scroll\">"
                            "<table class=\"grid sortable\"><thead><tr>");
    for (; *heads; heads++)
        text_printf(page->text, "<th scope=\"col\"%s>%s</th>",
                    **heads == '!' ? " class=\"number\"" : "", *heads + (**heads == '!'));
    text_append(page->text, "</tr></thead><tbody>\n");
    for (; shown < count && shown < ROWS && page->text->size - start < TABLE_BYTES; shown++) {
        text_append(page->text, "<tr>");
        if (is_memory(page))
            memory_row(page, &page->hotspots.rows.items[shown]);
        else
            call_row(page, &page->hotspots.rows.items[shown], shown);
        text_append(page->text, "</tr>\n");
    }
    text_append(page->text, "</tbody></table></div>\n");
    if (shown < count) {
        text_append(page->text, "<p class=\"aside\">");
        format_count(page->text, (int64_t)(count - shown));
        text_append(page->text, " more are cut from this page; inquest hotspots --limit 0 lists "
                                "all.</p>\n");
    }
    text_append(page->text, "</div></section>\n");
}

/* ---- Callers and callees. */

static int by_total(const void *left, const void *right)
{
    const struct profile_edge *const *a = left, *const *b = right;
    if ((*a)->totals[0] < (*b)->totals[0] || (*a)->totals[0] > (*b)->totals[0])
        return (*a)->totals[0] < (*b)->totals[0] ? 1 : -1;
    if ((*a)->counts[0] < (*b)->counts[0] || (*a)->counts[0] > (*b)->counts[0])
        return (*a)->counts[0] < (*b)->counts[0] ? 1 : -1;
    return (*a)->caller != (*b)->caller
               ? ((*a)->caller < (*b)->caller ? -1 : 1)
               : ((*a)->callee > (*b)->callee) - ((*a)->callee < (*b)->callee);
}

static void side(struct profile_page *page, const struct profile_edges *edges,
                 const struct profile_edge **found, uint32_t function, bool callers)
{
    size_t count = 0;
    for (size_t i = 0; i < edges->items.count; i++) {
        const struct profile_edge *edge = &edges->items.items[i];
        if ((callers ? edge->callee : edge->caller) == function)
            found[count++] = edge;
    }
    qsort(found, count, sizeof *found, by_total);
    text_printf(page->text, "<div><h3>%s</h3>", callers ? "Called by" : "Calls");
    text_append(page->text, count ? "<table class=\"grid\"><tbody>\n"
                                  : "<p class=\"aside\">none that was recorded</p>");
    for (size_t i = 0; i < count && i < SIDES; i++) {
        uint32_t other = callers ? found[i]->caller : found[i]->callee;
        text_append(page->text, "<tr>");
        number_cell(page, found[i]->totals[0], true);
        number_cell(page, found[i]->counts[0], false);
        text_printf(page->text, "<td class=\"path\"><a href=\"#f%u\">", other);
        escape(page, profile_text(page->profile, page->profile->functions.items[other].name));
        text_append(page->text, "</a></td></tr>\n");
    }
    text_append(page->text, count ? "</tbody></table>" : "");
    if (count > SIDES)
        text_printf(page->text, "<p class=\"aside\">%zu more</p>", count - SIDES);
    text_append(page->text, "</div>\n");
}

static enum status sandwich(struct profile_page *page)
{
    struct profile_edges edges = {0};
    enum status status = profile_edges_add(&edges, page->profile, 0);
    const struct profile_edge **found = malloc((edges.items.count + 1) * sizeof *found);
    if (status != STATUS_OK || !found) {
        profile_edges_deinit(&edges);
        free(found);
        return error_set(page->err, STATUS_NO_MEMORY, "out of memory");
    }
    text_append(page->text,
                "<section id=\"sandwich\"><h2>Callers and callees <span class=\"count\">"
                "choose a function in the table above</span></h2>\n");
    for (size_t i = 0; i < page->hotspots.rows.count && i < SANDWICHES; i++) {
        const struct hotspot *row = &page->hotspots.rows.items[i];
        text_printf(page->text, "<details class=\"panel more\" id=\"f%u\"><summary><span>",
                    row->key);
        escape(page, hotspot_function(&page->hotspots, row));
        text_append(page->text, " <span class=\"aside\">");
        amount(page, row->self);
        text_append(page->text, " by itself, ");
        amount(page, row->total);
        text_append(page->text, " in all</span></span></summary><div class=\"sandwich\">\n");
        side(page, &edges, found, row->key, true);
        side(page, &edges, found, row->key, false);
        text_append(page->text, "</div></details>\n");
    }
    text_append(page->text, "</section>\n");
    profile_edges_deinit(&edges);
    free(found);
    return STATUS_OK;
}

/* ---- All. */

static enum status write_page(struct profile_page *page, const struct gates *gates)
{
    static const char *const keys[] = {"<kbd>/</kbd>", "search rows", NULL};
    struct text title = {0};
    const char *slash = strrchr(page->input, '/');
    text_printf(&title, "%s: ", slash ? slash + 1 : page->input);
    headline(page, &title);
    const struct page_shell shell = {
        .title = text_string(&title),
        .kind = "profile",
        .search_label = "Search functions, files and lines",
        .styles = {&asset_flame_page_css},
        .scripts = {&asset_flame_js, &asset_sandwich_js},
        .keys = keys + 2,
    };
    page_begin(&shell, page->text);
    verdict(page);
    gates_html(gates, page->text);
    enum status status = flame(page);
    if (status == STATUS_OK && is_memory(page))
        status = treemap(page);
    if (status == STATUS_OK)
        hot_table(page);
    if (status == STATUS_OK && !is_memory(page))
        status = sandwich(page);
    warnings(page);
    facts(page);
    page_end(&shell,
             "<p>Made by inquest " INQUEST_VERSION ". Text from the recording is shown as it was "
             "and never interpreted. Source text is this machine's.</p>\n",
             page->text);
    text_deinit(&title);
    return status;
}

enum status profile_render_html(const struct profile *profile, const struct gates *gates,
                                const struct options *given, struct text *text, struct error *err)
{
    struct text name = {0};
    bool memory = profile->family == PROFILE_TRACEMALLOC;
    const struct hotspot_options options = {.by = memory ? HOTSPOT_LINE : HOTSPOT_FUNCTION,
                                            .total = memory ? HOTSPOT_INNERMOST : HOTSPOT_ONCE,
                                            .sort = HOTSPOT_BY_SELF};
    recordings_append_name(given, &name);
    struct profile_page page = {.profile = profile,
                                .input = text_string(&name),
                                .view = unit_view(profile->unit),
                                .text = text,
                                .with_source = !given->redact,
                                .options = given,
                                .err = err};
    arena_init(&page.arena);
    enum status status = hotspots_build(profile, &options, &page.hotspots, err);
    if (status == STATUS_OK) {
        status = write_page(&page, gates);
        hotspots_deinit(&page.hotspots);
    }
    arena_deinit(&page.arena);
    text_deinit(&name);
    return status;
}
