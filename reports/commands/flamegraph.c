/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "inquest/analyzer/retained_tree.h"
#include "reports/commands/answer.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/outline.h"
#include "reports/commands/postmortem_model.h"
#include "reports/commands/profile_flame.h"
#include "reports/commands/profile_treemap.h"
#include "reports/commands/recordings.h"
#include "reports/commands/retained_words.h"
#include "reports/render/flame.h"

#define LEAST 0.0005 /* of all: about half a pixel */

/* ---- Words for nodes. */

static void append_count(struct text *text, uint64_t count)
{
    format_count(text, count < INT64_MAX ? (int64_t)count : INT64_MAX);
}

static void append_bytes(struct text *text, uint64_t bytes)
{
    format_bytes(text, bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX);
}

static void node_detail(const struct retained_node *node, struct text *text)
{
    if (node->kind != RETAINED_OBJECT && node->kind != RETAINED_GROUP)
        return;
    append_bytes(text, node->self);
    text_append(text, node->count == 1 ? " itself" : " themselves");
    if (*node->path)
        text_printf(text, " · %s", node->path);
    if (node->kind == RETAINED_OBJECT)
        text_printf(text, " · 0x%" PRIx64, node->address);
}

/* ---- SVG. */

static bool fill_nodes(const struct retained_tree *tree, struct arena *arena,
                       struct flame_node *nodes)
{
    struct text text;
    bool ok = true;
    text_init(&text);
    for (size_t i = 0; i < tree->nodes.count && ok; i++) {
        const struct retained_node *node = &tree->nodes.items[i];
        retained_node_name(node, &text);
        nodes[i] = (struct flame_node){.parent = node->parent,
                                       .value = (double)node->value,
                                       .name = text_take(&text, arena),
                                       .key = node->module};
        node_detail(node, &text);
        nodes[i].detail = text_take(&text, arena);
        ok = nodes[i].name && nodes[i].detail;
    }
    text_deinit(&text);
    return ok;
}

static void write_subtitle(struct index *index, const struct retained_tree *tree, struct text *text)
{
    const char *version = index_meta(index, "python_version"), *pid = index_meta(index, "pid");
    const struct retained_node *all = &tree->nodes.items[0];
    append_bytes(text, all->value);
    text_append(text, " in ");
    append_count(text, all->count);
    text_append(text, all->count == 1 ? " object" : " objects");
    if (version)
        text_printf(text, " · Python %s", version);
    if (pid)
        text_printf(text, " · process %s", pid);
    text_append(text, " · a frame is what would be freed with it");
}

static enum status write_svg(struct command_run *run, struct index *index,
                             const struct retained_tree *tree, struct error *err)
{
    struct arena arena;
    struct text text;
    arena_init(&arena);
    text_init(&text);
    struct flame_node *nodes = arena_alloc(&arena, tree->nodes.count * sizeof *nodes);
    bool ok = nodes && fill_nodes(tree, &arena, nodes);
    const char *program =
        verdict_program(&arena, index_meta(index, "command"), index_meta(index, "executable"));
    text_printf(&text, "%s: retained memory", program ? program : "?");
    struct flame_graph graph = {
        .title = text_take(&text, &arena),
        .description = "Python objects by what keeps them alive: each frame is as wide as the "
                       "memory that would be freed with the objects that it names, and stands "
                       "next to the frame of what keeps them.",
        .unit = COLUMN_BYTES,
        .icicle = run->options->icicle,
        .nodes = nodes,
        .count = tree->nodes.count};
    write_subtitle(index, tree, &text);
    graph.subtitle = text_take(&text, &arena);
    ok = ok && program && graph.title && graph.subtitle;
    if (ok)
        flame_render(&graph, output_text(run->answer));
    text_deinit(&text);
    arena_deinit(&arena);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- An outline, as text and as JSON. */

static void write_outline(struct command_run *run, const struct retained_tree *tree)
{
    struct text name = {0}, amount = {0};
    double all = tree->nodes.items[0].value ? (double)tree->nodes.items[0].value : 1;
    ARRAY(uint32_t) depths = {0};
    for (size_t i = 0; i < tree->nodes.count; i++) {
        const struct retained_node *node = &tree->nodes.items[i];
        uint32_t depth = i ? depths.items[node->parent] + 1 : 0;
        if (!array_push(&depths, depth)) {
            output_text(run->answer)->failed = true;
            break;
        }
        if (i && (double)node->value < OUTLINE_LEAST * all)
            continue;
        text_clear(&name);
        text_clear(&amount);
        retained_node_name(node, &name);
        append_bytes(&amount, node->value);
        outline_line(run, (double)node->value / all, text_string(&amount), 10, depth,
                     text_string(&name));
    }
    array_deinit(&depths);
    text_deinit(&name);
    text_deinit(&amount);
}

static void write_node(const struct retained_node *node, size_t id, struct json_writer *json)
{
    struct text name;
    text_init(&name);
    retained_node_name(node, &name);
    json_begin_object(json);
    json_member_integer(json, "id", (int64_t)id);
    json_key(json, "parent");
    if (id)
        json_integer(json, node->parent);
    else
        json_null(json);
    json_member_string(json, "name", text_string(&name));
    json_member_string(json, "path", *node->path ? node->path : NULL);
    json_member_string(json, "type", *node->type ? node->type : NULL);
    json_key(json, "address");
    if (node->kind == RETAINED_OBJECT)
        json_address(json, node->address);
    else
        json_null(json);
    json_member_integer(json, "count", (int64_t)node->count);
    json_member_integer(json, "value", (int64_t)node->value);
    json_member_integer(json, "self", (int64_t)node->self);
    json_end_object(json);
    json->failed |= name.failed;
    text_deinit(&name);
}

static enum status write_json(struct command_run *run, struct index *index,
                              const struct retained_tree *tree, struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(run->answer));
    enum status status =
        answer_begin_json(&json, "flamegraph", run->options->operands[0], index, err);
    if (status != STATUS_OK)
        return status;
    json_member_string(&json, "unit", "bytes");
    json_key(&json, "rows");
    json_begin_array(&json);
    for (size_t i = 0; i < tree->nodes.count; i++)
        write_node(&tree->nodes.items[i], i, &json);
    json_end_array(&json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status core_flamegraph(struct command_run *run, struct index *index, struct error *err)
{
    const struct retained_options options = {.least = LEAST};
    struct retained_tree tree;
    if (run->options->treemap)
        return error_set(err, STATUS_USAGE,
                         "%s: --treemap is for recordings; a core's memory is drawn by who holds "
                         "it",
                         run->options->operands[0]);
    if (run->options->reverse || run->options->by)
        return error_set(err, STATUS_USAGE,
                         "--reverse and --by are for recordings; a core's memory has one order");
    enum status status = name_input(run, retained_tree_build(index, &options, &tree, err), err);
    if (status != STATUS_OK)
        return status;
    if (run->format == FORMAT_SVG)
        status = write_svg(run, index, &tree, err);
    else if (run->format == FORMAT_JSON)
        status = write_json(run, index, &tree, err);
    else
        write_outline(run, &tree);
    retained_tree_deinit(&tree);
    return status;
}

enum status command_flamegraph(struct command_run *run, struct error *err)
{
    struct profile profile = {0};
    struct index *index;
    bool is_recording;
    enum status status = command_open_either(run, 0, &is_recording, &profile, &index, err);
    if (status != STATUS_OK)
        return status;
    if (is_recording)
        status = recordings_add_up(run, &profile, err);
    else
        status = recordings_refuse_cores(run, err);
    if (status == STATUS_OK)
        status = !is_recording           ? core_flamegraph(run, index, err)
                 : run->options->treemap ? profile_treemap(run, &profile, err)
                                         : profile_flamegraph(run, &profile, err);
    profile_deinit(&profile);
    return status;
}
