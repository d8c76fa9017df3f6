/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "reports/cli/messages.h"
#include "reports/commands/export_stacks.h"
#include "reports/commands/heap_answer.h"
#include "reports/commands/recordings.h"

bool export_stack_at(struct export_stacks *stacks, uint32_t id)
{
    const struct call_node *nodes = stacks->tree.nodes.items;
    if (!id || (!(nodes[id].self > 0) && !stacks->self_counts[id]))
        return false;
    uint32_t depth = 0;
    stacks->track = PROFILE_NO_ID;
    for (uint32_t up = id; up; up = nodes[up].parent) {
        if (nodes[up].kind == CALL_NODE_TRACK)
            stacks->track = nodes[up].function;
        else
            depth++;
    }
    stacks->depth = depth;
    for (uint32_t up = id; depth; up = nodes[up].parent)
        stacks->path[--depth] = up;
    return true;
}

static void count_own(struct export_stacks *stacks)
{
    const struct call_tree *tree = &stacks->tree;
    for (uint32_t i = 0; i < tree->nodes.count; i++)
        stacks->self_counts[i] = tree->nodes.items[i].count;
    if (tree->profile->family == PROFILE_PSTATS) /* a node's calls are its own */
        return;
    for (uint32_t i = 1; i < tree->nodes.count; i++)
        stacks->self_counts[tree->nodes.items[i].parent] -= tree->nodes.items[i].count;
}

/* Amounts of pstats' nodes are seconds: what has none of its own is no stack. */
static void drop_empty(struct export_stacks *stacks)
{
    const struct call_tree *tree = &stacks->tree;
    for (uint32_t i = 0; tree->profile->family == PROFILE_PSTATS && i < tree->nodes.count; i++)
        if (!(tree->nodes.items[i].self > 0))
            stacks->self_counts[i] = 0;
}

static bool has_several_processes(const struct profile *profile)
{
    for (size_t i = 1; i < profile->tracks.count; i++)
        if (profile->tracks.items[i].pid != profile->tracks.items[0].pid)
            return true;
    return false;
}

/* ---- Places. */

struct place {
    uint32_t function;
    int32_t line;
    uint32_t node;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *first = a, *second = b;
    if (first->function != second->function)
        return first->function < second->function ? -1 : 1;
    return (first->line > second->line) - (first->line < second->line);
}

static bool number_places(struct export_stacks *stacks)
{
    const struct call_tree *tree = &stacks->tree;
    struct place *places = calloc(tree->nodes.count, sizeof *places);
    size_t count = 0;
    stacks->place_of = calloc(tree->nodes.count, sizeof *stacks->place_of);
    stacks->place_nodes = calloc(tree->nodes.count, sizeof *stacks->place_nodes);
    bool ok = places && stacks->place_of && stacks->place_nodes;
    for (uint32_t i = 1; ok && i < tree->nodes.count; i++) {
        const struct call_node *node = &tree->nodes.items[i];
        if (node->kind != CALL_NODE_TRACK)
            places[count++] = (struct place){node->function, node->line, i};
    }
    if (ok && count)
        qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; i++) {
        if (!i || compare_places(&places[i], &places[i - 1]) != 0)
            stacks->place_nodes[stacks->place_count++] = places[i].node;
        stacks->place_of[places[i].node] = stacks->place_count - 1;
    }
    free(places);
    return ok;
}

static enum status write_stacks(struct export_stacks *stacks, struct error *err)
{
    switch (stacks->run->options->target) {
    case EXPORT_SPEEDSCOPE: return export_speedscope(stacks, err);
    case EXPORT_PPROF: return export_pprof(stacks, err);
    default: return export_collapsed(stacks, err);
    }
}

static enum status export_profile(struct command_run *run, const struct profile *profile,
                                  struct error *err)
{
    const struct call_tree_options options = {.by_line = true, .by_track = true};
    struct export_stacks stacks = {.run = run};
    enum status status = call_tree_build(profile, &options, &stacks.tree, err);
    if (status != STATUS_OK)
        return status;
    stacks.several_processes = has_several_processes(profile);
    stacks.self_counts = calloc(stacks.tree.nodes.count, sizeof *stacks.self_counts);
    stacks.path = calloc(stacks.tree.nodes.count, sizeof *stacks.path);
    if (stacks.self_counts && stacks.path && number_places(&stacks)) {
        count_own(&stacks);
        drop_empty(&stacks);
        status = write_stacks(&stacks, err);
        if (status == STATUS_OK && stacks.tree.note && !run->options->quiet)
            message_print("%s: its stacks are %s", run->options->operands[0], stacks.tree.note);
    } else {
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    free(stacks.self_counts);
    free(stacks.path);
    free(stacks.place_of);
    free(stacks.place_nodes);
    call_tree_deinit(&stacks.tree);
    return status;
}

enum status command_export(struct command_run *run, struct error *err)
{
    struct profile profile;
    if (run->options->target == EXPORT_NONE)
        return error_set(err, STATUS_USAGE,
                         "export needs --to FORMAT: collapsed, speedscope or pprof");
    enum status status = command_open_profile(run, 0, &profile, err);
    if (status != STATUS_OK)
        return status;
    status = recordings_add_up(run, &profile, err);
    if (status == STATUS_OK)
        status = name_input(run, export_profile(run, &profile, err), err);
    profile_deinit(&profile);
    return status;
}
