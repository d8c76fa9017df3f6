/* SPDX-License-Identifier: Apache-2.0 */
/* speedscope's own file format: frames once, and for each process or thread its stacks
 * as lists of numbers with a weight each. */
#include <string.h>

#include "inquest_config.h"
#include "reports/commands/export_stacks.h"
#include "reports/commands/recordings.h"
#include "reports/render/json.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

static const char *unit_name(const char *unit)
{
    static const char *const known[] = {"nanoseconds", "microseconds", "milliseconds", "seconds",
                                        "bytes"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i], unit))
            return unit;
    return "none";
}

static void write_number(struct json_writer *json, double value)
{
    if (value == (double)(int64_t)value)
        json_integer(json, (int64_t)value);
    else
        json_real(json, value);
}

/* The nodes of a track, or of all. */
struct part {
    uint32_t first, end;
    uint32_t name_node;
};

static void write_samples(struct export_stacks *stacks, const struct part *part,
                          struct json_writer *json)
{
    json_key(json, "samples");
    json_begin_array(json);
    for (uint32_t i = part->first; i < part->end && !json->failed; i++) {
        if (!export_stack_at(stacks, i))
            continue;
        json_begin_array(json);
        for (uint32_t j = 0; j < stacks->depth; j++)
            json_integer(json, stacks->place_of[stacks->path[j]]);
        json_end_array(json);
        output_drain(stacks->run->answer);
    }
    json_end_array(json);
}

static void write_weights(struct export_stacks *stacks, const struct part *part,
                          struct json_writer *json)
{
    json_key(json, "weights");
    json_begin_array(json);
    for (uint32_t i = part->first; i < part->end; i++) {
        if (export_stack_at(stacks, i))
            write_number(json, stacks->tree.nodes.items[i].self);
        output_drain(stacks->run->answer);
    }
    json_end_array(json);
}

static void write_profile(struct export_stacks *stacks, const struct part *part,
                          struct json_writer *json)
{
    const struct call_tree *tree = &stacks->tree;
    struct text name;
    text_init(&name);
    if (part->name_node)
        call_tree_node_name(tree, part->name_node, &name);
    else
        text_append(&name, tree->profile->format);
    if (tree->note)
        text_printf(&name, ", %s", tree->note);
    json_begin_object(json);
    json_member_string(json, "type", "sampled");
    json_member_string(json, "name", text_string(&name));
    json_member_string(json, "unit", unit_name(tree->profile->unit));
    json_member_integer(json, "startValue", 0);
    json_key(json, "endValue");
    write_number(json, tree->nodes.items[part->name_node].total);
    write_samples(stacks, part, json);
    write_weights(stacks, part, json);
    json_end_object(json);
    json->failed |= name.failed;
    text_deinit(&name);
}

static void write_profiles(struct export_stacks *stacks, struct json_writer *json)
{
    const struct call_tree *tree = &stacks->tree;
    uint32_t first = call_tree_first_child(tree, 0);
    bool of_tracks = first && tree->nodes.items[first].kind == CALL_NODE_TRACK;
    json_key(json, "profiles");
    json_begin_array(json);
    for (uint32_t i = first; of_tracks && i; i = call_tree_next_sibling(tree, i)) {
        const struct part part = {i, tree->nodes.items[i].end, i};
        write_profile(stacks, &part, json);
    }
    if (!of_tracks) {
        const struct part part = {1, (uint32_t)tree->nodes.count, 0};
        write_profile(stacks, &part, json);
    }
    json_end_array(json);
}

static void write_frame(const struct profile *profile, const struct call_node *node,
                        struct json_writer *json)
{
    const struct profile_function *function = &profile->functions.items[node->function];
    int32_t line = node->line ? node->line : function->line;
    const char *name = profile_text(profile, function->name);
    const char *file = profile_text(profile, function->file);
    struct text place;
    text_init(&place);
    if (!*name) /* a snapshot's places have no other name */
        text_printf(&place, "%s:%d", file, line);
    json_begin_object(json);
    json_member_string(json, "name", *name ? name : text_string(&place));
    if (*file)
        json_member_string(json, "file", file);
    if (line)
        json_member_integer(json, "line", line);
    json_end_object(json);
    json->failed |= place.failed;
    text_deinit(&place);
}

static void write_frames(struct export_stacks *stacks, struct json_writer *json)
{
    const struct call_tree *tree = &stacks->tree;
    json_key(json, "shared");
    json_begin_object(json);
    json_key(json, "frames");
    json_begin_array(json);
    for (uint32_t i = 0; i < stacks->place_count; i++) {
        write_frame(tree->profile, &tree->nodes.items[stacks->place_nodes[i]], json);
        output_drain(stacks->run->answer);
    }
    json_end_array(json);
    json_end_object(json);
}

enum status export_speedscope(struct export_stacks *stacks, struct error *err)
{
    struct json_writer json;
    json_init(&json, output_text(stacks->run->answer));
    json_begin_object(&json);
    json_member_string(&json, "$schema", SCHEMA);
    json_member_string(&json, "exporter", "inquest@" INQUEST_VERSION);
    struct text name = {0};
    recordings_append_name(stacks->run->options, &name);
    json_member_string(&json, "name", text_string(&name));
    text_deinit(&name);
    write_profiles(stacks, &json);
    write_frames(stacks, &json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}
