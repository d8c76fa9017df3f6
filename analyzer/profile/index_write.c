/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/amounts.h"
#include "analyzer/profile/profile_index.h"
#include "analyzer/profile/tree.h"
#include "inquest/base/text.h"

struct writing {
    const struct profile *profile;
    struct index_writer *writer;
    struct progress *progress;
    struct call_tree tree;
    uint32_t *item_nodes;  /* where a stack, or of samples each one, ends */
    uint64_t *self_counts; /* by node */
};

const char *profile_kind_name(enum profile_family family)
{
    switch (family) {
    case PROFILE_TRACEMALLOC: return "tracemalloc";
    case PROFILE_PSTATS: return "pstats";
    default: return "pyspy";
    }
}

/* ---- Facts. */

static bool is_own(const char *key)
{
    static const char *const own[] = {"kind",           "format",      "unit",   "is_sampled",
                                      "is_approximate", "schema",      "tool",   "redacted",
                                      "parts",          "fingerprint", "tree",   "total",
                                      "count",          "functions",   "stacks", "files_state"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strcmp(key, own[i]))
            return true;
    return false;
}

static void write_number(struct writing *writing, const char *key, double number)
{
    char text[40];
    if (number == (double)(int64_t)number)
        snprintf(text, sizeof text, "%" PRId64, (int64_t)number);
    else
        snprintf(text, sizeof text, "%.17g", number);
    index_writer_meta(writing->writer, key, text);
}

static void write_size(struct writing *writing, const char *key, uint64_t size)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, size);
    index_writer_meta(writing->writer, key, text);
}

static void write_totals(struct writing *writing)
{
    const struct profile *profile = writing->profile;
    double total = 0, count = 0;
    uint64_t size = 0; /* of a snapshot, exactly */
    for (size_t i = 0; i < profile->traces.count; i++) {
        amounts_add(&size, profile->traces.items[i].size);
        count += (double)profile->traces.items[i].count;
    }
    for (size_t i = 0; i < profile->samples.count; i++) {
        total += profile->samples.items[i].weight;
        count += (double)profile->samples.items[i].count;
    }
    for (size_t i = 0; i < profile->stats.count; i++) {
        total += profile->stats.items[i].self;
        count += (double)profile->stats.items[i].calls;
    }
    if (profile->family == PROFILE_TRACEMALLOC)
        write_size(writing, "total", size);
    else if (total < 9e18 && total > -9e18)
        write_number(writing, "total", total);
    if (count < 9e18 && count > -9e18)
        write_number(writing, "count", count);
    write_number(writing, "functions",
                 (double)(profile->family == PROFILE_PSTATS ? profile->stats.count
                                                            : profile->functions.count));
    if (profile->family != PROFILE_PSTATS)
        write_number(writing, "stacks", (double)profile->stacks.count);
}

static void write_facts(struct writing *writing)
{
    const struct profile *profile = writing->profile;
    index_writer_meta(writing->writer, "kind", profile_kind_name(profile->family));
    index_writer_meta(writing->writer, "format", profile->format);
    index_writer_meta(writing->writer, "unit", profile->unit);
    if (profile->is_sampled)
        index_writer_meta(writing->writer, "is_sampled", "1");
    if (profile->is_approximate)
        index_writer_meta(writing->writer, "is_approximate", "1");
    if (writing->tree.note)
        index_writer_meta(writing->writer, "tree", writing->tree.note);
    write_totals(writing);
    for (size_t i = 0; i < profile->facts.count; i++)
        if (!is_own(profile->facts.items[i].key))
            index_writer_meta(writing->writer, profile->facts.items[i].key,
                              profile->facts.items[i].value);
    for (size_t i = 0; i < profile->warnings.count; i++)
        index_writer_warning(writing->writer, profile->warnings.items[i].area,
                             profile->warnings.items[i].message);
}

/* ---- Functions. */

static bool is_text(const struct profile *profile, uint32_t string)
{
    const struct profile_string *named = &profile->strings.items[string];
    const char *bytes = profile_text(profile, string);
    for (size_t i = 0, length; i < named->size; i += length) {
        uint32_t code_point;
        length = utf8_decode(bytes + i, named->size - i, &code_point);
        if (!length || !code_point)
            return false;
    }
    return true;
}

static struct index_value raw_bytes(const struct profile *profile, uint32_t string)
{
    if (is_text(profile, string))
        return INDEX_NONE;
    return INDEX_BYTES(profile_text(profile, string), profile->strings.items[string].size);
}

static void write_functions(struct writing *writing)
{
    const struct profile *profile = writing->profile;
    for (size_t i = 0; i < profile->functions.count; i++) {
        const struct profile_function *function = &profile->functions.items[i];
        const struct index_value row[] = {INDEX_INT(i + 1),
                                          INDEX_STR(profile_text(profile, function->name)),
                                          INDEX_STR(profile_text(profile, function->file)),
                                          INDEX_INT(function->line),
                                          raw_bytes(profile, function->name),
                                          raw_bytes(profile, function->file)};
        if (index_writer_row(writing->writer, INDEX_FUNCTION, row, 6) != STATUS_OK)
            return;
    }
}

static void write_tracks(struct writing *writing)
{
    const struct profile *profile = writing->profile;
    for (size_t i = 0; i < profile->tracks.count; i++) {
        const struct profile_track *track = &profile->tracks.items[i];
        const char *state = track->is_idle     ? "idle"
                            : track->holds_gil ? "active+gil"
                            : track->is_active ? "active"
                                               : NULL;
        const struct index_value row[] = {INDEX_INT(i + 1),
                                          INDEX_STR(profile_text(profile, track->name)),
                                          INDEX_INT_IF(track->pid >= 0, track->pid),
                                          INDEX_INT_IF(track->tid >= 0, track->tid),
                                          INDEX_STR(profile->unit),
                                          INDEX_STR(state)};
        index_writer_row(writing->writer, INDEX_SAMPLE_TRACK, row, 6);
    }
}

/* ---- Trees. */

/* The id in the table: nodes of the root and of tracks are no rows. 0: none. */
static uint32_t row_id(const struct call_tree *tree, uint32_t node)
{
    enum call_node_kind kind = tree->nodes.items[node].kind;
    return kind == CALL_NODE_FUNCTION || kind == CALL_NODE_RECURSION ? node : 0;
}

/* Sums of a snapshot are whole numbers, unless they are past all sense. */
static struct index_value amount(const struct writing *writing, double value)
{
    bool is_whole = writing->profile->family == PROFILE_TRACEMALLOC && value < 9e18;
    return is_whole ? INDEX_INT(value) : INDEX_FLOAT(value);
}

static void write_node(struct writing *writing, uint32_t id, uint32_t track)
{
    const struct call_tree *tree = &writing->tree;
    const struct call_node *node = &tree->nodes.items[id];
    uint32_t parent = row_id(tree, node->parent);
    bool is_place = row_id(tree, id);
    bool has_self_count = writing->self_counts;
    const struct index_value row[] = {
        INDEX_INT(id),
        INDEX_INT_IF(parent, parent),
        INDEX_INT_IF(is_place, node->function + INT64_C(1)),
        INDEX_INT_IF(is_place && node->line, node->line),
        amount(writing, node->self),
        amount(writing, node->total),
        INDEX_INT(node->count),
        INDEX_INT_IF(track, track),
        INDEX_INT_IF(has_self_count, has_self_count ? writing->self_counts[id] : 0)};
    index_writer_row(writing->writer, INDEX_NODE, row, 9);
}

/* A track's own node has a row where something was seen with no stack at all: one
 * without a function. */
static void write_nodes(struct writing *writing)
{
    const struct call_tree *tree = &writing->tree;
    uint32_t track = 0, track_end = 0;
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        const struct call_node *node = &tree->nodes.items[i];
        if (node->kind == CALL_NODE_TRACK) {
            track = node->function + 1;
            track_end = node->end;
        }
        bool counted = writing->self_counts && writing->self_counts[i];
        if (row_id(tree, i) || counted || node->self > 0)
            write_node(writing, i, i < track_end ? track : 0);
        if (i % 65536 == 0)
            progress_update(writing->progress, "writing the tree", "nodes", i, tree->nodes.count);
    }
}

static enum status make_tree(struct writing *writing, struct error *err)
{
    const struct profile *profile = writing->profile;
    const struct call_tree_options options = {0};
    if (profile->family == PROFILE_PSTATS)
        return call_tree_build(profile, &options, &writing->tree, err);
    bool by_track = profile->samples.count;
    size_t items = by_track ? profile->samples.count : profile->stacks.count;
    writing->item_nodes = calloc(items + 1, sizeof *writing->item_nodes);
    enum status status = STATUS_NO_MEMORY;
    if (writing->item_nodes)
        status = call_tree_of_stacks(profile, by_track, &writing->tree, writing->item_nodes);
    if (status == STATUS_OK)
        writing->self_counts = calloc(writing->tree.nodes.count, sizeof *writing->self_counts);
    if (status != STATUS_OK || !writing->self_counts)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < profile->samples.count; i++)
        writing->self_counts[writing->item_nodes[i]] += profile->samples.items[i].count;
    for (size_t i = 0; i < profile->traces.count; i++)
        writing->self_counts[writing->item_nodes[profile->traces.items[i].stack]] +=
            profile->traces.items[i].count;
    return STATUS_OK;
}

static void write_traces(struct writing *writing)
{
    const struct profile *profile = writing->profile;
    for (size_t i = 0; i < profile->traces.count; i++) {
        const struct profile_trace *trace = &profile->traces.items[i];
        uint32_t node = writing->item_nodes[trace->stack];
        const struct index_value row[] = {INDEX_INT_IF(node, node), INDEX_INT(trace->domain),
                                          INDEX_INT(trace->size), INDEX_INT(trace->count)};
        if (index_writer_row(writing->writer, INDEX_TRACE, row, 4) != STATUS_OK)
            return;
    }
}

/* A dump has one stack for each thread: the variable's frame is so many nodes above the
 * one where it ends. */
static void write_local(struct writing *writing, const struct profile_local *local, uint32_t node)
{
    const struct profile *profile = writing->profile;
    const struct call_tree *tree = &writing->tree;
    for (uint32_t up = 0; node && up < local->depth; up++)
        node = tree->nodes.items[node].parent;
    bool is_place = node && row_id(tree, node);
    const struct index_value row[] = {INDEX_INT_IF(is_place, node),
                                      INDEX_STR(profile_text(profile, local->name)),
                                      INDEX_STR(local->is_argument ? "argument" : "local"),
                                      INDEX_NONE,
                                      local->value ? INDEX_STR(profile_text(profile, local->value))
                                                   : INDEX_NONE,
                                      INDEX_NONE,
                                      INDEX_NONE};
    index_writer_row(writing->writer, INDEX_LOCAL, row, 7);
}

static enum status write_locals(struct writing *writing)
{
    const struct profile *profile = writing->profile;
    uint32_t *ends = calloc(profile->tracks.count + 1, sizeof *ends); /* nodes, by track */
    if (!ends)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < profile->samples.count; i++)
        ends[profile->samples.items[i].track] = writing->item_nodes[i];
    for (size_t i = 0; i < profile->locals.count; i++)
        write_local(writing, &profile->locals.items[i], ends[profile->locals.items[i].track]);
    free(ends);
    return STATUS_OK;
}

/* ---- pstats. */

static void write_stats(struct writing *writing)
{
    const struct profile *profile = writing->profile;
    for (size_t i = 0; i < profile->stats.count; i++) {
        const struct profile_stat *stat = &profile->stats.items[i];
        const struct index_value row[] = {INDEX_INT(stat->function + INT64_C(1)),
                                          INDEX_INT(stat->calls), INDEX_INT(stat->primitive_calls),
                                          INDEX_FLOAT(stat->self), INDEX_FLOAT(stat->total)};
        if (index_writer_row(writing->writer, INDEX_STAT, row, 5) != STATUS_OK)
            return;
    }
    for (size_t i = 0; i < profile->calls.count; i++) {
        const struct profile_call *call = &profile->calls.items[i];
        const struct index_value row[] = {INDEX_INT(call->caller + INT64_C(1)),
                                          INDEX_INT(call->callee + INT64_C(1)),
                                          INDEX_INT(call->calls),
                                          INDEX_INT(call->primitive_calls),
                                          INDEX_FLOAT(call->self),
                                          INDEX_FLOAT(call->total),
                                          INDEX_INT(call->is_count)};
        if (index_writer_row(writing->writer, INDEX_CALL, row, 7) != STATUS_OK)
            return;
    }
}

enum status profile_index_write(const struct profile *profile, struct index_writer *writer,
                                struct progress *progress, struct error *err)
{
    struct writing writing = {.profile = profile, .writer = writer, .progress = progress};
    enum status status = make_tree(&writing, err);
    if (status == STATUS_OK) {
        write_facts(&writing);
        write_functions(&writing);
        write_tracks(&writing);
        write_nodes(&writing);
        write_stats(&writing);
        write_traces(&writing);
        status = write_locals(&writing);
    }
    call_tree_deinit(&writing.tree);
    free(writing.item_nodes);
    free(writing.self_counts);
    return status;
}
