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

/* ---- The ways to the nodes of estimated trees, as stacks. */

struct estimate {
    struct profile stacks;   /* over the functions of pair->both */
    struct profile sides[2]; /* borrow those, and have samples of their own */
};

static void estimate_deinit(struct estimate *estimate)
{
    array_deinit(&estimate->sides[0].samples);
    array_deinit(&estimate->sides[1].samples);
    profile_deinit(&estimate->stacks);
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

/* The frames from the outermost one to the node's own. */
static enum status find_path(const struct call_tree *tree, uint32_t node, struct profile *stacks,
                             struct path *path)
{
    enum status status = STATUS_OK;
    path->frames.count = 0;
    for (; node && status == STATUS_OK; node = tree->nodes.items[node].parent) {
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
    return status;
}

static enum status add_tree(const struct call_tree *tree, struct profile *stacks,
                            struct profile *side)
{
    struct path path = {0};
    enum status status = STATUS_OK;
    for (uint32_t i = 1; i < tree->nodes.count && status == STATUS_OK; i++) {
        struct profile_sample sample = {.weight = tree->nodes.items[i].self, .count = 1};
        if (sample.weight <= 0)
            continue;
        status = find_path(tree, i, stacks, &path);
        if (status == STATUS_OK)
            status = profile_add_stack(stacks, path.frames.items, (uint32_t)path.frames.count,
                                       &sample.stack);
        if (status == STATUS_OK && !array_push(&side->samples, sample))
            status = STATUS_NO_MEMORY;
    }
    array_deinit(&path.frames);
    return status;
}

static enum status estimate_make(const struct profile_pair *pair, struct estimate *estimate,
                                 struct error *err)
{
    enum status status = copy_functions(&pair->both, &estimate->stacks);
    for (size_t side = 0; side < 2 && status == STATUS_OK; side++) {
        const struct call_tree_options options = {.reverse = false};
        struct call_tree tree;
        status = call_tree_build(&pair->sides[side], &options, &tree, err);
        if (status != STATUS_OK)
            break;
        status = add_tree(&tree, &estimate->stacks, &estimate->sides[side]);
        call_tree_deinit(&tree);
    }
    for (size_t side = 0; side < 2; side++) {
        struct profile view = estimate->stacks;
        memcpy(&view.samples, &estimate->sides[side].samples, sizeof view.samples);
        estimate->sides[side] = view;
    }
    return status;
}

/* ---- The tree. */

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

/* Takes the tree apart. */
static bool take_nodes(struct call_pair_tree *pair, struct profile_diff *diff)
{
    const struct call_tree *tree = &pair->tree;
    const struct call_rest none = {0};
    if (!array_reserve(&diff->nodes, tree->nodes.count))
        return false;
    for (size_t i = 0; i < tree->nodes.count; i++) {
        const struct call_node *node = &tree->nodes.items[i];
        const struct call_shares *shares = &pair->shares.items[i];
        const struct call_rest *rest = tree->rests.count ? &tree->rests.items[i] : &none;
        diff->nodes.items[diff->nodes.count++] = (struct diff_node){.parent = node->parent,
                                                                    .function = node->function,
                                                                    .line = node->line,
                                                                    .old_self = shares->self[0],
                                                                    .new_self = shares->self[1],
                                                                    .old_total = rest->sides[0],
                                                                    .new_total = rest->sides[1],
                                                                    .width = rest->value};
    }
    memcpy(&diff->rests, &tree->rests, sizeof diff->rests);
    memset(&pair->tree.rests, 0, sizeof pair->tree.rests);
    add_up(diff);
    return true;
}

static enum status make_nodes(const struct profile_compare *compare,
                              const struct profile *estimated, struct profile_diff *diff)
{
    struct profile_pair *pair = compare->pair;
    const struct diff_profile_options *options = compare->options;
    struct call_side sides[2];
    for (size_t side = 0; side < 2; side++)
        sides[side] = estimated ? (struct call_side){&estimated[side], NULL, 1}
                      : pair->has_stacks
                          ? (struct call_side){&pair->sides[side], NULL, 1}
                          : (struct call_side){compare->originals[side], pair->frames[side],
                                               pair->factors[side]};
    struct call_pair_tree tree;
    enum status status =
        call_tree_of_pair(estimated ? &estimated[0] : &pair->both, sides, compare->reverse,
                          options->picture_only ? options->least : 0, &tree);
    if (status != STATUS_OK)
        return status;
    if (!take_nodes(&tree, diff))
        status = STATUS_NO_MEMORY;
    const struct diff_node *all = diff->nodes.items;
    for (size_t side = 0; side < 2 && status == STATUS_OK && !pair->has_stacks; side++) {
        double total = side ? all->new_total : all->old_total;
        pair->matched[side] = total > 0 ? tree.shared[side] / total : 0;
    }
    call_pair_tree_deinit(&tree);
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
    struct estimate estimate = {0};
    bool estimated = compare->originals[0]->family == PROFILE_PSTATS ||
                     compare->originals[1]->family == PROFILE_PSTATS;
    enum status status = estimated ? estimate_make(compare->pair, &estimate, err) : STATUS_OK;
    if (status == STATUS_OK)
        status = make_nodes(compare, estimated ? estimate.sides : NULL, diff);
    if (status == STATUS_OK && !compare->reverse && !estimated && !compare->options->picture_only &&
        compare->originals[1]->family == PROFILE_SAMPLES)
        status = add_paths(compare, diff);
    estimate_deinit(&estimate);
    return status == STATUS_NO_MEMORY ? error_set(err, status, "out of memory") : status;
}
