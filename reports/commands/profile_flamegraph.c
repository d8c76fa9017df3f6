/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "reports/commands/heap_answer.h"
#include "reports/commands/profile_flame.h"
#include "reports/render/escape.h"

#define TEXT_LEAST  0.01 /* of all, for a line of the outline */
#define TEXT_INDENT 2

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

static void write_outline(struct command_run *run, const struct call_tree *tree)
{
    struct text *text = output_text(run->answer), name = {0}, escaped = {0};
    struct unit_view view = unit_view(tree->unit);
    double all = tree->nodes.items[0].total;
    size_t width = answer_width(run);
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
        if (i && node->total < TEXT_LEAST * all)
            continue;
        text_clear(&escaped);
        format_share(&escaped, all > 0 ? node->total / all : 0);
        text_printf(text, "%7s  ", text_string(&escaped));
        text_clear(&escaped);
        unit_amount(&view, node->total, &escaped);
        text_printf(text, "%14s  %*s", text_string(&escaped),
                    (int)(depth < 40 ? depth * TEXT_INDENT : 80), "");
        text_clear(&name);
        call_tree_node_name(tree, i, &name);
        text_clear(&escaped);
        escape_terminal(&escaped, text_string(&name), ESCAPE_ONE_LINE);
        size_t used = 25 + (depth < 40 ? depth * TEXT_INDENT : 80);
        append_fitted(text, text_string(&escaped),
                      !width              ? SIZE_MAX
                      : width > used + 20 ? width - used
                                          : 20,
                      false);
        text_append_char(text, '\n');
    }
    array_deinit(&depths);
    text_deinit(&name);
    text_deinit(&escaped);
}

static void write_number(struct json_writer *json, const char *key, double value)
{
    json_key(json, key);
    if (value >= 0 && value < 9e15 && value == (double)(int64_t)value)
        json_integer(json, (int64_t)value);
    else
        json_real(json, value);
}

static void write_node(const struct call_tree *tree, uint32_t i, struct json_writer *json)
{
    const struct call_node *node = &tree->nodes.items[i];
    const struct profile *profile = tree->profile;
    struct text name = {0};
    call_tree_node_name(tree, i, &name);
    json_begin_object(json);
    json_member_integer(json, "id", i);
    json_key(json, "parent");
    if (i)
        json_integer(json, node->parent);
    else
        json_null(json);
    json_member_string(json, "name", text_string(&name));
    bool is_function = node->kind == CALL_NODE_FUNCTION || node->kind == CALL_NODE_RECURSION;
    json_member_string(
        json, "file",
        is_function ? profile_text(profile, profile->functions.items[node->function].file) : NULL);
    json_key(json, "line");
    int32_t line =
        is_function && node->line <= 0 ? profile->functions.items[node->function].line : node->line;
    if (is_function && line > 0)
        json_integer(json, line);
    else
        json_null(json);
    write_number(json, "value", node->total);
    write_number(json, "self", node->self);
    json_member_integer(json, "count", (int64_t)node->count);
    json_end_object(json);
    json->failed |= name.failed;
    text_deinit(&name);
}

static enum status write_json(struct command_run *run, const struct call_tree *tree,
                              struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(run->answer));
    json_begin_object(&json);
    json_member_string(&json, "schema", "inquest/flamegraph/1");
    json_member_string(&json, "input", run->options->operands[0]);
    json_key(&json, "warnings");
    json_begin_array(&json);
    for (size_t i = 0; i < tree->profile->warnings.count; i++)
        json_string(&json, tree->profile->warnings.items[i].message);
    json_end_array(&json);
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
    arena_init(&arena);
    enum status status = profile_flame_graph(tree, run->options->operands[0], run->options->icicle,
                                             &arena, &graph, err);
    if (status == STATUS_OK)
        flame_render(&graph, output_text(run->answer));
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
        options.least = TEXT_LEAST;
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
