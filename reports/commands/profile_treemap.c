/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/commands/profile_treemap.h"

#include <string.h>

#include "reports/commands/heap_answer.h"
#include "reports/commands/profile_flame.h"
#include "reports/commands/recordings.h"

#define TEXT_LEAST 0.01 /* of all, for a line of the outline */

/* ---- What is asked for. */

static enum status read_options(const struct options *options,
                                struct place_tree_options *ret_options, struct error *err)
{
    struct place_tree_options chosen = {0};
    const char *by = options->by ? options->by : "function";
    if (options->icicle || options->reverse)
        return error_set(err, STATUS_USAGE,
                         "--treemap is a picture of places, not of stacks: it has no --%s",
                         options->icicle ? "icicle" : "reverse");
    chosen.by_count = !strcmp(by, "count");
    chosen.by_line = !strcmp(by, "line");
    if (!chosen.by_count && !chosen.by_line && strcmp(by, "function") != 0)
        return error_set(err, STATUS_USAGE,
                         "--by takes function, line or count with --treemap, not '%s'", by);
    *ret_options = chosen;
    return STATUS_OK;
}

/* ---- Names. */

static bool is_snapshot(const struct place_tree *tree)
{
    return tree->profile->family == PROFILE_TRACEMALLOC;
}

static const char *path_of(const struct place_tree *tree, const struct place_node *node)
{
    const struct profile *profile = tree->profile;
    return node->function == PROFILE_NO_ID
               ? ""
               : profile_text(profile, profile->functions.items[node->function].file);
}

/* "send", "line 34". A file's only line is that of the file: "adapters.py:34". */
static void append_name(const struct place_node *node, const struct place_node *only_in,
                        struct text *text)
{
    if (only_in)
        text_append(text, only_in->name);
    if (node->name)
        text_printf(text, "%s%s", only_in ? " " : "", node->name);
    else if (node->line > 0)
        text_printf(text, only_in ? ":%d" : "line %d", (int)node->line);
    else if (!only_in)
        text_append(text, "unknown line");
}

/* Of a snapshot: blocks beside bytes, or the other way round. */
static void append_other_amount(const struct place_tree *tree, const struct place_node *node,
                                struct text *text)
{
    if (!is_snapshot(tree))
        return;
    if (!strcmp(tree->unit, "blocks")) {
        format_amount(text, COLUMN_BYTES, NULL, (double)node->size);
    } else {
        format_count(text, (int64_t)node->count);
        text_append(text, node->count == 1 ? " block" : " blocks");
    }
}

/* The whole path, and the other amount. */
static void append_detail(const struct place_tree *tree, const struct place_node *node,
                          struct text *text)
{
    const char *path = path_of(tree, node);
    if (*path && strcmp(path, "~") != 0)
        text_printf(text, node->level == PLACE_LEAF && node->line > 0 ? "%s:%d" : "%s", path,
                    (int)node->line);
    if (is_snapshot(tree))
        text_append(text, text->size ? " · " : "");
    append_other_amount(tree, node, text);
}

/* ---- The picture. */

static const struct place_node *only_file(const struct place_tree *tree, size_t id)
{
    const struct place_node *nodes = tree->nodes.items;
    bool only = nodes[id].level == PLACE_FILE && id + 1 < tree->nodes.count &&
                nodes[id + 1].level == PLACE_LEAF &&
                (id + 2 == tree->nodes.count || nodes[id + 2].level != PLACE_LEAF);
    return only ? &nodes[id] : NULL;
}

/* Without its folders, but of a package's own file with the last one, which names it. */
static const char *base_name(const char *path)
{
    size_t end = strlen(path), start = end;
    for (bool again = true; again && start; again = !strncmp(path + start, "__init__.", 9)) {
        start -= start < end;
        while (start && path[start - 1] != '/' && path[start - 1] != '\\')
            start--;
    }
    return path + start;
}

/* "_io.open" of "<built-in method _io.open>", "list.append" of "<method 'append' of 'list'
 * objects>", else the file without its folders. NULL: out of memory, or none. */
static const char *brief_name(struct arena *arena, const char *name)
{
    static const char function[] = "<built-in method ", method[] = "<method '";
    size_t size = strlen(name);
    if (!strncmp(name, function, strlen(function)) && name[size - 1] == '>')
        return arena_strndup(arena, name + strlen(function), size - strlen(function) - 1);
    if (!strncmp(name, method, strlen(method))) {
        const char *own = name + strlen(method), *of = strstr(own, "' of '");
        if (of)
            return arena_printf(arena, "%.*s.%.*s", (int)strcspn(of + 6, "'"), of + 6,
                                (int)(of - own), own);
    }
    return base_name(name);
}

static bool fill(const struct place_tree *tree, const struct unit_view *view, struct arena *arena,
                 struct treemap *map, struct treemap_node *nodes)
{
    struct text text = {0};
    const char *package = "";
    uint32_t parents[PLACE_LEAF + 1] = {0}; /* of each level, in the picture */
    bool ok = true;
    for (size_t i = 0; ok && i < tree->nodes.count; i++) {
        const struct place_node *node = &tree->nodes.items[i], *file = only_file(tree, i);
        if (node->level == PLACE_PACKAGE)
            package = node->name;
        const struct place_node *shown = file ? &tree->nodes.items[++i] : node;
        struct treemap_node *made = &nodes[map->count];
        *made = (struct treemap_node){.parent = node->level ? parents[node->level - 1] : 0,
                                      .value = node->value * view->factor};
        parents[node->level] = (uint32_t)map->count++;
        if (shown->level == PLACE_LEAF)
            append_name(shown, file, &text);
        else
            text_append(&text, shown->name);
        made->name = text_take(&text, arena);
        append_detail(tree, shown, &text);
        made->detail = text_take(&text, arena);
        made->key = package;
        made->part = shown->level > PLACE_PACKAGE ? path_of(tree, shown) : NULL;
        made->is_number = shown->level == PLACE_LEAF && !shown->name;
        if (made->is_number)
            made->brief = arena_printf(arena, ":%d", (int)shown->line);
        else if (made->name)
            made->brief = brief_name(arena, made->name);
        ok = made->name && made->detail;
    }
    text_deinit(&text);
    return ok;
}

static void append_subtitle(const struct place_tree *tree, const struct unit_view *view,
                            struct text *text)
{
    const struct place_node *all = &tree->nodes.items[0];
    unit_amount(view, all->value, text);
    if (is_snapshot(tree)) {
        text_append(text, " (");
        append_other_amount(tree, all, text);
        text_append(text, ")");
    }
    text_printf(text, " by package, file and %s · areas in one box are in proportion · %s",
                is_snapshot(tree) ? "line" : "function", tree->profile->format);
    if (tree->profile->is_approximate)
        text_append(text, " · read off a picture's pixels");
}

enum status profile_treemap_picture(const struct place_tree *tree, const char *input,
                                    struct arena *arena, struct treemap *ret_map, struct error *err)
{
    struct unit_view view = unit_view(tree->unit);
    struct text text = {0};
    struct treemap_node *nodes = arena_alloc(arena, tree->nodes.count * sizeof *nodes);
    struct treemap map = {.unit = view.kind, .unit_name = view.name, .nodes = nodes};
    bool ok = nodes && fill(tree, &view, arena, &map, nodes);
    const char *slash = strrchr(input, '/');
    text_printf(&text, "%s: %s", slash ? slash + 1 : input,
                is_snapshot(tree) ? "memory that Python allocated, by where"
                                  : "what functions took themselves, by where");
    map.title = text_take(&text, arena);
    append_subtitle(tree, &view, &text);
    map.subtitle = text_take(&text, arena);
    text_append(&text, "Each area is as large, within the box that it is in, as what its package, "
                       "file, line or function has.");
    map.description = text_take(&text, arena);
    text_deinit(&text);
    if (!ok || !map.title || !map.subtitle || !map.description)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    *ret_map = map;
    return STATUS_OK;
}

static enum status write_svg(struct command_run *run, const struct place_tree *tree,
                             struct error *err)
{
    struct arena arena;
    struct treemap map;
    struct text name = {0};
    arena_init(&arena);
    recordings_append_name(run->options, &name);
    enum status status = profile_treemap_picture(tree, text_string(&name), &arena, &map, err);
    if (status == STATUS_OK)
        treemap_render(&map, output_text(run->answer));
    text_deinit(&name);
    arena_deinit(&arena);
    return status;
}

/* ---- Text and JSON. */

static void write_outline(struct command_run *run, const struct place_tree *tree)
{
    struct unit_view view = unit_view(tree->unit);
    struct text name = {0};
    double all = tree->nodes.items[0].value;
    for (size_t i = 0; i < tree->nodes.count; i++) {
        const struct place_node *node = &tree->nodes.items[i];
        if (i && node->value < TEXT_LEAST * all)
            continue;
        text_clear(&name);
        if (node->level == PLACE_LEAF)
            append_name(node, NULL, &name);
        else
            text_append(&name, node->name);
        profile_outline_line(run, &view, node->value, all, node->level, text_string(&name));
    }
    text_deinit(&name);
}

static void write_node(const struct place_tree *tree, size_t id, struct json_writer *json)
{
    static const char *const levels[] = {"all", "package", "file", "line"};
    const struct place_node *node = &tree->nodes.items[id];
    const char *path = path_of(tree, node);
    bool is_function = node->level == PLACE_LEAF && node->name;
    json_begin_object(json);
    json_member_integer(json, "id", (int64_t)id);
    json_member_integer_if(json, "parent", id > 0, node->parent);
    json_member_string(json, "level", is_function ? "function" : levels[node->level]);
    json_member_string(json, "name", node->name);
    json_member_string(json, "file", *path ? path : NULL);
    json_member_integer_if(json, "line", node->line > 0, node->line);
    json_member_amount(json, "value", node->value);
    if (is_snapshot(tree))
        json_member_integer(json, "size", node->size < INT64_MAX ? (int64_t)node->size : INT64_MAX);
    json_member_integer(json, "count", (int64_t)node->count);
    json_end_object(json);
}

static enum status write_json(struct command_run *run, const struct place_tree *tree,
                              struct error *err)
{
    struct json_writer json;
    recordings_begin_json(run, "flamegraph", tree->profile, &json);
    json_member_string(&json, "unit", tree->unit);
    json_key(&json, "rows");
    json_begin_array(&json);
    for (size_t i = 0; i < tree->nodes.count; i++)
        write_node(tree, i, &json);
    json_end_array(&json);
    json_end_object(&json);
    return json_finish(&json) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

enum status profile_treemap(struct command_run *run, const struct profile *profile,
                            struct error *err)
{
    struct place_tree_options options;
    struct place_tree tree;
    enum status status = read_options(run->options, &options, err);
    if (status == STATUS_OK)
        status = place_tree_build(profile, &options, &tree, err);
    if (status != STATUS_OK)
        return status;
    if (run->format == FORMAT_SVG)
        status = write_svg(run, &tree, err);
    else if (run->format == FORMAT_JSON)
        status = write_json(run, &tree, err);
    else
        write_outline(run, &tree);
    place_tree_deinit(&tree);
    return status;
}
