/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "reports/commands/outline.h"
#include "reports/commands/profile_flame.h"
#include "reports/commands/recordings.h"

#define DEEPEST 40 /* that a name in the outline is indented */

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status tree_options(const struct options *options,
                                struct call_tree_options *ret_options, struct error *err)
{
    struct call_tree_options chosen = {.reverse = options->reverse};
    const char *by = options->by ? options->by : "function";
    if (!strcmp(by, "count"))
        chosen.by_count = true;
    else if (!strcmp(by, "line"))
        chosen.by_line = true;
    else if (!strcmp(by, "thread"))
        chosen.by_track = true;
    else if (strcmp(by, "function") != 0)
        return error_set(err, STATUS_USAGE,
                         "--by takes function, line, thread or count here, not '%s'", by);
    *ret_options = chosen;
    return STATUS_OK;
}

void profile_outline_line(struct command_run *run, const struct unit_view *view, double value,
                          double all, size_t depth, const char *name)
{
    struct text amount = {0};
    unit_amount(view, value, &amount);
    outline_line(run, all > 0 ? value / all : 0, text_string(&amount), 14,
                 depth < DEEPEST ? depth : DEEPEST, name);
    text_deinit(&amount);
}

static void write_outline(struct command_run *run, const struct call_tree *tree)
{
    struct text *text = output_text(run->answer), name = {0};
    struct unit_view view = unit_view(tree->unit);
    double all = tree->nodes.items[0].total;
    ARRAY(uint32_t) depths = {0};
    if (tree->note)
        text_printf(text, "The tree is %s.\n", tree->note);
    for (uint32_t i = 0; i < tree->nodes.count; i++) {
        const struct call_node *node = &tree->nodes.items[i];
        uint32_t depth = i ? depths.items[node->parent] + 1 : 0;
        if (!array_push(&depths, depth)) {
            text->failed = true;
            break;
        }
        if (i && node->total < OUTLINE_LEAST * all)
            continue;
        text_clear(&name);
        call_tree_node_name(tree, i, &name);
        profile_outline_line(run, &view, node->total, all, depth, text_string(&name));
    }
    array_deinit(&depths);
    text_deinit(&name);
}

static void write_node(const struct call_tree *tree, uint32_t i, struct json_writer *json)
{
    const struct call_node *node = &tree->nodes.items[i];
    const struct profile *profile = tree->profile;
    struct text name = {0};
    call_tree_node_name(tree, i, &name);
    json_begin_object(json);
    json_member_integer(json, "id", i);
    json_member_integer_if(json, "parent", i > 0, node->parent);
    json_member_string(json, "name", text_string(&name));
    bool is_function = node->kind == CALL_NODE_FUNCTION || node->kind == CALL_NODE_RECURSION;
    json_member_string(
        json, "file",
        is_function ? profile_text(profile, profile->functions.items[node->function].file) : NULL);
    int32_t line =
        is_function && node->line <= 0 ? profile->functions.items[node->function].line : node->line;
    json_member_integer_if(json, "line", is_function && line > 0, line);
    json_member_amount(json, "value", node->total);
    json_member_amount(json, "self", node->self);
    json_member_integer(json, "count", (int64_t)node->count);
    json_end_object(json);
    json->failed |= name.failed;
    text_deinit(&name);
}

static enum status write_json(struct command_run *run, const struct call_tree *tree,
                              struct error *err)
{
    struct json_writer json;
    recordings_begin_json(run, "flamegraph", tree->profile, &json);
    json_member_string(&json, "unit", tree->unit);
    json_member_string(&json, "note", tree->note);
    json_key(&json, "rows");
    json_begin_array(&json);
    for (uint32_t i = 0; i < tree->nodes.count; i++)
        write_node(tree, i, &json);
    json_end_array(&json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : no_memory(err);
}

static enum status write_svg(struct command_run *run, const struct call_tree *tree,
                             struct error *err)
{
    struct arena arena;
    struct flame_graph graph;
    struct text name = {0};
    arena_init(&arena);
    recordings_append_name(run->options, &name);
    enum status status =
        profile_flame_graph(tree, text_string(&name), run->options->icicle, &arena, &graph, err);
    if (status == STATUS_OK)
        flame_render(&graph, output_text(run->answer));
    text_deinit(&name);
    arena_deinit(&arena);
    return status;
}

enum status profile_flamegraph(struct command_run *run, const struct profile *profile,
                               struct error *err)
{
    struct call_tree_options options;
    struct call_tree tree;
    enum status status = tree_options(run->options, &options, err);
    if (run->format == FORMAT_SVG)
        options.least = PROFILE_FLAME_LEAST;
    else if (run->format == FORMAT_TEXT)
        options.least = OUTLINE_LEAST;
    if (status == STATUS_OK)
        status = call_tree_build(profile, &options, &tree, err);
    if (status != STATUS_OK)
        return status;
    if (run->format == FORMAT_SVG)
        status = write_svg(run, &tree, err);
    else if (run->format == FORMAT_JSON)
        status = write_json(run, &tree, err);
    else
        write_outline(run, &tree);
    call_tree_deinit(&tree);
    return status;
}
