/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/profile_flame.h"

#include <math.h>
#include <string.h>

struct unit_view unit_view(const char *unit)
{
    static const struct {
        const char *unit;
        struct unit_view view;
    } known[] = {
        {"seconds", {COLUMN_SECONDS, 1, NULL}},
        {"milliseconds", {COLUMN_SECONDS, 1e-3, NULL}},
        {"microseconds", {COLUMN_SECONDS, 1e-6, NULL}},
        {"nanoseconds", {COLUMN_SECONDS, 1e-9, NULL}},
        {"bytes", {COLUMN_BYTES, 1, NULL}},
        {"none", {COLUMN_COUNT, 1, NULL}},
    };
    for (size_t i = 0; unit && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].unit, unit))
            return known[i].view;
    return (struct unit_view){COLUMN_COUNT, 1, unit};
}

void profile_place(const struct profile *profile, uint32_t function, int32_t line,
                   struct text *text)
{
    const struct profile_function *place = &profile->functions.items[function];
    const char *file = profile_text(profile, place->file);
    if (!*file)
        return;
    text_append(text, file);
    if (line <= 0)
        line = place->line;
    if (line > 0)
        text_printf(text, ":%d", (int)line);
}

/* Its module, which gives the colour; a file's own name where it is in none. */
static char *node_key(const struct call_tree *tree, const struct call_node *node,
                      struct arena *arena, struct text *text)
{
    if (node->kind == CALL_NODE_FUNCTION || node->kind == CALL_NODE_RECURSION)
        profile_module_name(tree->profile, node->function, text);
    return text_take(text, arena);
}

void unit_amount(const struct unit_view *view, double value, struct text *text)
{
    format_amount(text, view->kind, view->name, value * view->factor);
}

static void write_detail(const struct call_tree *tree, const struct call_node *node,
                         const struct unit_view *view, struct text *text)
{
    if (node->kind == CALL_NODE_FUNCTION || node->kind == CALL_NODE_RECURSION)
        profile_place(tree->profile, node->function, node->line, text);
    if (node->kind == CALL_NODE_RECURSION)
        text_append(text, " · recursion, cut here");
    if (node->self > 0 && node->self < node->total) {
        text_append(text, text->size ? " · " : "");
        unit_amount(view, node->self, text);
        text_append(text, " by itself");
    }
}

static bool fill_nodes(const struct call_tree *tree, const struct unit_view *view,
                       struct arena *arena, struct flame_node *nodes)
{
    struct text text;
    bool ok = true;
    double least = tree->nodes.items[0].total * PROFILE_FLAME_LEAST;
    text_init(&text);
    for (uint32_t i = 0; i < tree->nodes.count && ok; i++) {
        const struct call_node *node = &tree->nodes.items[i];
        nodes[i] = (struct flame_node){.parent = node->parent, .value = node->total * view->factor};
        if (node->total < least)
            continue;
        call_tree_node_name(tree, i, &text);
        nodes[i].name = text_take(&text, arena);
        nodes[i].key = node_key(tree, node, arena, &text);
        write_detail(tree, node, view, &text);
        nodes[i].detail = text_take(&text, arena);
        ok = nodes[i].name && nodes[i].key && nodes[i].detail;
    }
    text_deinit(&text);
    return ok;
}

bool flame_rests(const struct call_rest *rests, size_t count, double factor, struct arena *arena,
                 const struct flame_rest **ret_rests)
{
    struct flame_rest *copies = count ? arena_alloc(arena, count * sizeof *copies) : NULL;
    if (count && !copies)
        return false;
    for (size_t i = 0; i < count; i++)
        copies[i] = (struct flame_rest){rests[i].value * factor, rests[i].nodes, rests[i].branches};
    *ret_rests = copies;
    return true;
}

static const char *subject(const struct profile *profile)
{
    switch (profile->family) {
    case PROFILE_TRACEMALLOC: return "memory that Python allocated, by where";
    case PROFILE_PSTATS: return "time by function";
    default: return "what was running";
    }
}

static void write_subtitle(const struct call_tree *tree, const struct unit_view *view, bool icicle,
                           struct text *text)
{
    unit_amount(view, tree->nodes.items[0].total, text);
    text_append(text, tree->is_reverse ? " · innermost function first, then its callers"
                      : icicle         ? " · callers on top, what they call below them"
                                       : " · callers below, what they call on top of them");
    text_printf(text, " · %s", tree->profile->format);
    if (tree->note)
        text_printf(text, " · %s", tree->note);
    if (tree->profile->is_approximate)
        text_append(text, " · read off a picture's pixels");
}

enum status profile_flame_graph(const struct call_tree *tree, const char *input, bool icicle,
                                struct arena *arena, struct flame_graph *ret_graph,
                                struct error *err)
{
    struct unit_view view = unit_view(tree->unit);
    struct text text;
    text_init(&text);
    struct flame_node *nodes = arena_alloc(arena, tree->nodes.count * sizeof *nodes);
    bool ok = nodes && fill_nodes(tree, &view, arena, nodes);
    const char *slash = strrchr(input, '/');
    text_printf(&text, "%s: %s", slash ? slash + 1 : input, subject(tree->profile));
    struct flame_graph graph = {.title = text_take(&text, arena),
                                .unit = view.kind,
                                .unit_name = view.name,
                                .icicle = icicle,
                                .nodes = nodes,
                                .count = tree->nodes.count};
    ok = ok && flame_rests(tree->rests.items, tree->rests.count, view.factor, arena, &graph.rests);
    write_subtitle(tree, &view, icicle, &text);
    graph.subtitle = text_take(&text, arena);
    text_printf(&text,
                "Each frame is as wide as what was spent in the function that it names and "
                "in all that it called. %s",
                tree->note ? tree->note : "");
    graph.description = text_take(&text, arena);
    ok = ok && graph.title && graph.subtitle && graph.description;
    text_deinit(&text);
    if (!ok)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    *ret_graph = graph;
    return STATUS_OK;
}
