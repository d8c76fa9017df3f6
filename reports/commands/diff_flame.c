/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/diff_flame.h"

#include "reports/commands/profile_flame.h"
#include "reports/commands/retained_words.h"

static bool name_node(const struct profile_diff *diff, size_t i, struct arena *arena,
                      struct text *text, struct flame_node *node)
{
    const struct profile *names = profile_diff_names(diff);
    const struct diff_node *from = &diff->nodes.items[i];
    if (i == 0) {
        node->name = "all";
        node->detail = node->key = "";
        return true;
    }
    const struct profile_function *function = &names->functions.items[from->function];
    const char *name = profile_text(names, function->name);
    if (*name)
        text_append(text, name);
    else
        profile_place(names, from->function, from->line, text);
    node->name = text_take(text, arena);
    if (*name)
        profile_place(names, from->function, from->line, text);
    node->detail = text_take(text, arena);
    node->key = "";
    return node->name && node->detail;
}

static struct unit_view view_of(const struct profile_diff *diff)
{
    if (diff->diff.total.unit == DIFF_SHARE)
        return (struct unit_view){COLUMN_SHARE, 1, NULL};
    return unit_view(diff->unit);
}

static bool fill(const struct profile_diff *diff, double factor, struct arena *arena,
                 struct flame_node *nodes, struct flame_change *changes)
{
    struct text text = {0};
    bool ok = true;
    double least = diff->nodes.items[0].width * DIFF_FLAME_LEAST;
    for (size_t i = 0; i < diff->nodes.count && ok; i++) {
        const struct diff_node *from = &diff->nodes.items[i];
        nodes[i] = (struct flame_node){.parent = from->parent, .value = from->width * factor};
        changes[i] = (struct flame_change){from->old_total * factor, from->new_total * factor,
                                           from->old_self * factor, from->new_self * factor};
        if (from->width >= least)
            ok = name_node(diff, i, arena, &text, &nodes[i]);
    }
    text_deinit(&text);
    return ok;
}

enum status diff_flame_graph(const struct profile_diff *diff, bool icicle, bool reverse,
                             struct arena *arena, struct flame_graph *ret_graph, struct error *err)
{
    struct unit_view view = view_of(diff);
    size_t count = diff->nodes.count;
    struct flame_node *nodes = arena_alloc(arena, count * sizeof *nodes);
    struct flame_change *changes = arena_alloc(arena, count * sizeof *changes);
    const struct flame_rest *rests;
    struct text text = {0};
    if (!nodes || !changes || !fill(diff, view.factor, arena, nodes, changes) ||
        !flame_rests(diff->rests.items, diff->rests.count, view.factor, arena, &rests))
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    struct flame_graph graph = {.title = "NEW compared to OLD",
                                .unit = view.kind,
                                .unit_name = view.name,
                                .icicle = icicle,
                                .nodes = nodes,
                                .count = count,
                                .changes = changes,
                                .rests = rests};
    unit_amount(&view, diff->nodes.items[0].old_total, &text);
    text_append(&text, " → ");
    unit_amount(&view, diff->nodes.items[0].new_total, &text);
    text_append(&text, " · red grew, blue shrank");
    text_append(&text, reverse  ? " · innermost function first, then its callers"
                       : icicle ? " · callers on top, what they call below them"
                                : " · callers below, what they call on top of them");
    text_printf(&text, " · %s", diff->diff.rule);
    graph.subtitle = text_take(&text, arena);
    graph.description =
        "One tree of both recordings. A frame is as wide as the larger of OLD and NEW of all that "
        "is above it. Its colour says how it changed with all above it, the stripe at its foot how "
        "it changed by itself. What is new or gone has a dashed edge.";
    text_deinit(&text);
    if (!graph.subtitle)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    *ret_graph = graph;
    return STATUS_OK;
}

/* ---- Cores. */

#define RETAINED_LEAST 0.0005 /* of all: about half a pixel */

static bool name_pair(const struct retained_pair *pair, const struct retained_pair_node *from,
                      struct arena *arena, struct text *text, struct flame_node *node,
                      struct flame_change *change)
{
    const struct retained_node *before =
        from->old_node == RETAINED_NO_NODE ? NULL : &pair->trees[0].nodes.items[from->old_node];
    const struct retained_node *after =
        from->new_node == RETAINED_NO_NODE ? NULL : &pair->trees[1].nodes.items[from->new_node];
    const struct retained_node *one = after ? after : before;
    retained_node_name(one, text);
    *node = (struct flame_node){.parent = from->parent,
                                .value = from->width,
                                .name = text_take(text, arena),
                                .detail = arena_strdup(arena, one->path),
                                .key = ""};
    *change = (struct flame_change){
        .old_total = before ? (double)before->value : 0,
        .new_total = after ? (double)after->value : 0,
        .old_self = before ? (double)before->self : 0,
        .new_self = after ? (double)after->self : 0,
    };
    return node->name && node->detail;
}

enum status diff_retained_graph(struct index *old_index, struct index *new_index, bool icicle,
                                struct arena *arena, struct flame_graph *ret_graph,
                                struct error *err)
{
    const struct retained_options options = {.least = RETAINED_LEAST};
    struct retained_pair pair;
    struct text text = {0};
    enum status status = retained_pair_build(old_index, new_index, &options, &pair, err);
    if (status != STATUS_OK)
        return status;
    size_t count = pair.nodes.count;
    struct flame_node *nodes = arena_alloc(arena, count * sizeof *nodes);
    struct flame_change *changes = arena_alloc(arena, count * sizeof *changes);
    bool ok = nodes && changes;
    for (size_t i = 0; ok && i < count; i++)
        ok = name_pair(&pair, &pair.nodes.items[i], arena, &text, &nodes[i], &changes[i]);
    if (ok) {
        format_bytes(&text, (int64_t)changes[0].old_total);
        text_append(&text, " → ");
        format_bytes(&text, (int64_t)changes[0].new_total);
        text_append(&text, " of Python objects · red grew, blue shrank · a frame is what would be "
                           "freed with it");
        *ret_graph = (struct flame_graph){
            .title = "NEW compared to OLD: retained memory",
            .subtitle = text_take(&text, arena),
            .description = "Python objects of both dumps by what keeps them alive. A frame is as "
                           "wide as the larger of OLD and NEW of all that it keeps.",
            .unit = COLUMN_BYTES,
            .icicle = icicle,
            .nodes = nodes,
            .count = count,
            .changes = changes};
        ok = ret_graph->subtitle != NULL;
    }
    text_deinit(&text);
    retained_pair_deinit(&pair);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
