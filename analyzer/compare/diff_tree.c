/* SPDX-License-Identifier: Apache-2.0 */
/* One tree of both recordings. pstats holds no stacks: each side's estimated tree is taken
 * apart into the ways to its nodes first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/compare/diff_calls.h"
#include "analyzer/profile/tree.h"

#define MOST_PATHS 50 /* rows of the table */
#define PATH_STEPS 24 /* of a path, the innermost ones */

/* ---- Stacks of both with the weights of each. */

struct weighed_stacks {
    struct profile stacks; /* over the names of pair->both */
    double *weights[2];    /* by stack */
    bool owns_stacks;
};

static void weighed_deinit(struct weighed_stacks *weighed)
{
    if (weighed->owns_stacks)
        profile_deinit(&weighed->stacks);
    free(weighed->weights[0]);
    free(weighed->weights[1]);
}

static bool weighed_allocate(struct weighed_stacks *weighed, size_t count)
{
    weighed->weights[0] = calloc(count + 1, sizeof(double));
    weighed->weights[1] = calloc(count + 1, sizeof(double));
    return weighed->weights[0] && weighed->weights[1];
}

static bool weigh(const struct profile_compare *compare, struct weighed_stacks *weighed)
{
    if (!weighed_allocate(weighed, compare->pair->both.stacks.count))
        return false;
    for (size_t side = 0; side < 2; side++) {
        const struct profile *profile = &compare->pair->sides[side];
        for (size_t i = 0; i < profile->samples.count; i++)
            weighed->weights[side][profile->samples.items[i].stack] +=
                profile->samples.items[i].weight;
        for (size_t i = 0; i < profile->traces.count; i++)
            weighed->weights[side][profile->traces.items[i].stack] +=
                (double)profile->traces.items[i].size;
    }
    weighed->stacks = compare->pair->both; /* borrowed */
    return true;
}

/* A profile of its own whose functions have the numbers of `both`. */
static enum status copy_functions(const struct profile *both, struct profile *ret_copy)
{
    enum status status = STATUS_OK;
    profile_init(ret_copy);
    for (uint32_t i = 0; i < both->functions.count && status == STATUS_OK; i++) {
        const struct profile_function *function = &both->functions.items[i];
        const struct profile_string *name = &both->strings.items[function->name];
        const struct profile_string *file = &both->strings.items[function->file];
        uint32_t name_id, file_id, id;
        status = profile_add_string(ret_copy, both->bytes + name->offset, name->size, &name_id);
        if (status == STATUS_OK)
            status = profile_add_string(ret_copy, both->bytes + file->offset, file->size, &file_id);
        if (status == STATUS_OK)
            status = profile_add_function(ret_copy, name_id, file_id, function->line, &id);
        if (status == STATUS_OK && id != i)
            status = STATUS_CORRUPT; /* both->functions are distinct */
    }
    return status;
}

struct path {
    ARRAY(uint32_t) frames;
};

/* The ways to the nodes of one side's tree, whose weights go to `sums`. */
static enum status add_tree(const struct call_tree *tree, struct profile *stacks, size_t side,
                            struct weighed_stacks *weighed, size_t *capacity, struct path *path)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 1; i < tree->nodes.count && status == STATUS_OK; i++) {
        uint32_t id;
        if (tree->nodes.items[i].self <= 0)
            continue;
        path->frames.count = 0;
        for (uint32_t node = i; node && status == STATUS_OK;
             node = tree->nodes.items[node].parent) {
            uint32_t frame;
            status = profile_add_frame(stacks, tree->nodes.items[node].function, 0, &frame);
            if (status == STATUS_OK && !array_push(&path->frames, frame))
                status = STATUS_NO_MEMORY;
        }
        for (size_t a = 0, b = path->frames.count; a + 1 < b; a++) {
            uint32_t frame = path->frames.items[a];
            path->frames.items[a] = path->frames.items[--b];
            path->frames.items[b] = frame;
        }
        if (status == STATUS_OK)
            status =
                profile_add_stack(stacks, path->frames.items, (uint32_t)path->frames.count, &id);
        while (status == STATUS_OK && id >= *capacity) {
            size_t grown = *capacity ? 2 * *capacity : 1024;
            for (size_t k = 0; k < 2 && status == STATUS_OK; k++) {
                double *weights = realloc(weighed->weights[k], grown * sizeof *weights);
                if (weights) {
                    memset(weights + *capacity, 0, (grown - *capacity) * sizeof *weights);
                    weighed->weights[k] = weights;
                } else {
                    status = STATUS_NO_MEMORY;
                }
            }
            *capacity = grown;
        }
        if (status == STATUS_OK)
            weighed->weights[side][id] += tree->nodes.items[i].self;
    }
    return status;
}

static enum status estimate(const struct profile_compare *compare, struct weighed_stacks *weighed,
                            struct error *err)
{
    size_t capacity = 0;
    struct path path = {0};
    weighed->owns_stacks = true;
    enum status status = copy_functions(&compare->pair->both, &weighed->stacks);
    for (size_t side = 0; side < 2 && status == STATUS_OK; side++) {
        const struct call_tree_options options = {.reverse = false};
        struct call_tree tree;
        status = call_tree_build(&compare->pair->sides[side], &options, &tree, err);
        if (status != STATUS_OK)
            break;
        status = add_tree(&tree, &weighed->stacks, side, weighed, &capacity, &path);
        call_tree_deinit(&tree);
    }
    array_deinit(&path.frames);
    if (status == STATUS_OK && !weighed->weights[0] && !weighed_allocate(weighed, 1))
        status = STATUS_NO_MEMORY;
    return status;
}

/* The innermost frame first. */
static enum status reverse(const struct profile *both, struct weighed_stacks *weighed)
{
    struct weighed_stacks turned = {.owns_stacks = true};
    struct path path = {0};
    const struct profile *from = &weighed->stacks;
    enum status status = copy_functions(both, &turned.stacks);
    if (status == STATUS_OK && !weighed_allocate(&turned, from->stacks.count))
        status = STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < from->frames.count && status == STATUS_OK; i++) {
        uint32_t id;
        status = profile_add_frame(&turned.stacks, from->frames.items[i].function,
                                   from->frames.items[i].line, &id);
    }
    for (uint32_t i = 0; i < from->stacks.count && status == STATUS_OK; i++) {
        const struct profile_stack *stack = &from->stacks.items[i];
        uint32_t id;
        path.frames.count = 0;
        if (!array_reserve(&path.frames, stack->depth + 1)) {
            status = STATUS_NO_MEMORY;
            break;
        }
        for (uint32_t j = 0; j < stack->depth; j++)
            path.frames.items[j] = from->stack_frames.items[stack->first + stack->depth - 1 - j];
        status = profile_add_stack(&turned.stacks, path.frames.items, stack->depth, &id);
        for (size_t side = 0; side < 2 && status == STATUS_OK; side++)
            turned.weights[side][id] += weighed->weights[side][i];
    }
    array_deinit(&path.frames);
    weighed_deinit(weighed);
    *weighed = turned;
    return status;
}

/* ---- The tree. */

/* The stacks as a recording in which each counts as much as in the one that has more. */
static bool weigh_both(const struct weighed_stacks *weighed, struct profile *ret_view)
{
    struct profile view = weighed->stacks; /* borrows all but the samples */
    view.family = PROFILE_SAMPLES;
    memset(&view.samples, 0, sizeof view.samples);
    memset(&view.traces, 0, sizeof view.traces);
    bool ok = true;
    for (uint32_t i = 0; i < view.stacks.count && ok; i++) {
        struct profile_sample sample = {
            .stack = i, .weight = fmax(weighed->weights[0][i], weighed->weights[1][i]), .count = 1};
        ok = !(sample.weight > 0) || array_push(&view.samples, sample);
    }
    *ret_view = view;
    return ok;
}

static void add_up(struct profile_diff *diff)
{
    for (size_t i = diff->nodes.count; i-- > 0;) {
        struct diff_node *node = &diff->nodes.items[i];
        node->old_total += node->old_self;
        node->new_total += node->new_self;
        node->width += fmax(node->old_self, node->new_self);
        if (!i)
            break;
        struct diff_node *parent = &diff->nodes.items[node->parent];
        parent->old_total += node->old_total;
        parent->new_total += node->new_total;
        parent->width += node->width;
    }
}

static enum status make_nodes(const struct weighed_stacks *weighed, struct profile_diff *diff)
{
    size_t stacks = weighed->stacks.stacks.count;
    uint32_t *node_of = malloc((stacks + 1) * sizeof *node_of);
    struct call_tree tree = {0};
    struct profile view;
    enum status status = weigh_both(weighed, &view) && node_of ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        memset(node_of, 0xFF, stacks * sizeof *node_of);
        status = call_tree_of_stacks(&view, false, &tree, node_of);
    }
    if (status == STATUS_OK && !array_reserve(&diff->nodes, tree.nodes.count + 1))
        status = STATUS_NO_MEMORY;
    for (uint32_t i = 0; status == STATUS_OK && i < tree.nodes.count; i++) {
        const struct call_node *node = &tree.nodes.items[i];
        diff->nodes.items[diff->nodes.count++] =
            (struct diff_node){node->parent, node->function, node->line, 0, 0, 0, 0, 0};
    }
    for (uint32_t i = 0; status == STATUS_OK && i < stacks; i++) {
        if (node_of[i] == PROFILE_NO_ID)
            continue;
        diff->nodes.items[node_of[i]].old_self += weighed->weights[0][i];
        diff->nodes.items[node_of[i]].new_self += weighed->weights[1][i];
    }
    add_up(diff);
    call_tree_deinit(&tree);
    array_deinit(&view.samples);
    free(node_of);
    return status;
}

/* ---- The paths that changed most by themselves. */

struct ranked {
    double change;
    uint32_t node;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->change < b->change || a->change > b->change)
        return a->change < b->change ? 1 : -1;
    return (a->node > b->node) - (a->node < b->node);
}

/* "… > serve > checksum", cut at its outer end. */
static char *path_text(const struct profile_compare *compare, const struct profile_diff *diff,
                       uint32_t node)
{
    const struct profile *names = &compare->pair->both;
    uint32_t steps[PATH_STEPS];
    size_t count = 0;
    for (; node && count < PATH_STEPS; node = diff->nodes.items[node].parent)
        steps[count++] = node;
    struct text text = {0};
    text_append(&text, node ? "… > " : "");
    while (count-- > 0) {
        const struct diff_node *step = &diff->nodes.items[steps[count]];
        text_append(&text, profile_text(names, names->functions.items[step->function].name));
        if (step->line > 0)
            text_printf(&text, ":%d", (int)step->line);
        text_append(&text, count ? " > " : "");
    }
    char *copy = text_ok(&text) ? arena_strdup(&compare->diff->arena, text_string(&text)) : NULL;
    text_deinit(&text);
    return copy;
}

static enum status add_paths(const struct profile_compare *compare, const struct profile_diff *diff)
{
    struct diff_table *table =
        diff_add_table(compare->diff, "paths", "Paths, by change of what they took by themselves");
    struct ranked kept[2 * MOST_PATHS];
    size_t count = 0;
    if (!table)
        return STATUS_NO_MEMORY;
    table->keys[0] = "path";
    table->measures[0] = compare->measures[0];
    table->measures[1] = compare->measures[1];
    for (uint32_t i = 1; i < diff->nodes.count; i++) {
        const struct diff_node *node = &diff->nodes.items[i];
        double change = fabs(node->new_self - node->old_self);
        if (!(change > 0))
            continue;
        kept[count++] = (struct ranked){change, i};
        if (count == 2 * MOST_PATHS) {
            qsort(kept, count, sizeof *kept, compare_ranked);
            count = MOST_PATHS;
        }
    }
    qsort(kept, count, sizeof *kept, compare_ranked);
    for (size_t i = 0; i < count && i < MOST_PATHS; i++) {
        const struct diff_node *node = &diff->nodes.items[kept[i].node];
        struct diff_row row = {
            .stack = DIFF_NO_STACK,
            .keys = {path_text(compare, diff, kept[i].node)},
            .old_values = {node->old_self, node->old_total},
            .new_values = {node->new_self, node->new_total},
            .presence = node->old_total == 0   ? DIFF_NEW
                        : node->new_total == 0 ? DIFF_GONE
                                               : DIFF_BOTH,
            .rank = kept[i].change,
        };
        if (!row.keys[0] || !array_push(&table->rows, row))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status diff_profile_tree(const struct profile_compare *compare, struct profile_diff *diff,
                              struct error *err)
{
    struct weighed_stacks weighed = {0};
    bool estimated = compare->pair->sides[0].family == PROFILE_PSTATS ||
                     compare->pair->sides[1].family == PROFILE_PSTATS;
    enum status status = estimated                  ? estimate(compare, &weighed, err)
                         : weigh(compare, &weighed) ? STATUS_OK
                                                    : STATUS_NO_MEMORY;
    if (status == STATUS_OK && compare->reverse)
        status = reverse(&compare->pair->both, &weighed);
    if (status == STATUS_OK)
        status = make_nodes(&weighed, diff);
    if (status == STATUS_OK && !compare->reverse && !estimated && !compare->options->picture_only &&
        compare->pair->sides[1].family == PROFILE_SAMPLES)
        status = add_paths(compare, diff);
    weighed_deinit(&weighed);
    return status == STATUS_NO_MEMORY ? error_set(err, status, "out of memory") : status;
}
