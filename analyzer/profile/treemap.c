/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of hotspots by line or function, put below their files and these below their
 * packages, and sorted all at once. */
#include "inquest/analyzer/profile_treemap.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/treemap_package.h"
#include "inquest/analyzer/profile_hotspots.h"

#define NO_STACK "(no stack)" /* the leaf of what was recorded without any frame */

struct amount {
    double value;
    uint64_t size, count;
};

struct package {
    const char *name;
    struct amount amount;
};

struct file {
    uint32_t path; /* a string of the recording */
    const char *name, *package_name;
    uint32_t package;
    struct amount amount;
};

struct leaf {
    uint32_t file; /* into files, from 0 on */
    uint32_t function;
    int32_t line;
    const char *name; /* as in struct place_node */
    struct amount amount;
};

struct builder {
    struct place_tree *tree;
    const struct profile *profile;
    struct place_tree_options options;
    struct hotspots hotspots;
    struct package *packages;
    struct file *files;
    struct leaf *leaves;
    size_t package_count, file_count, leaf_count;
};

static void builder_deinit(struct builder *builder)
{
    hotspots_deinit(&builder->hotspots);
    free(builder->packages);
    free(builder->files);
    free(builder->leaves);
}

static void add(struct amount *sum, const struct amount *part)
{
    sum->value += part->value;
    sum->count += part->count;
    if (__builtin_add_overflow(sum->size, part->size, &sum->size))
        sum->size = UINT64_MAX;
}

/* ---- Leaves. */

static struct amount amount_of(const struct builder *builder, double self, uint64_t size,
                               uint64_t count)
{
    bool by_count = builder->options.by_count;
    return (struct amount){by_count ? (double)count : self, size, count};
}

static void add_leaf(struct builder *builder, const struct hotspot *row)
{
    const struct profile *profile = builder->profile;
    bool is_frame = builder->hotspots.by == HOTSPOT_LINE && profile->family != PROFILE_PSTATS;
    struct leaf leaf = {.function = is_frame ? profile->frames.items[row->key].function : row->key};
    leaf.amount = amount_of(builder, row->self, row->self_size, row->self_count);
    const struct profile_function *function = &profile->functions.items[leaf.function];
    leaf.line = is_frame ? profile->frames.items[row->key].line : function->line;
    if (profile->strings.items[function->name].size)
        leaf.name = profile_text(profile, function->name);
    leaf.file = function->file; /* its string, until files have numbers */
    builder->leaves[builder->leaf_count++] = leaf;
}

/* What the recording holds of no frame at all. */
static void add_rest(struct builder *builder)
{
    struct hotspots *hotspots = &builder->hotspots;
    struct amount sum = {0};
    for (size_t i = 0; i < hotspots->rows.count; i++) {
        const struct hotspot *row = &hotspots->rows.items[i];
        struct amount part = {row->self, row->self_size, row->self_count};
        add(&sum, &part);
    }
    if (sum.count >= hotspots->whole_count)
        return;
    struct leaf rest = {.function = PROFILE_NO_ID, .name = NO_STACK};
    rest.amount = amount_of(builder, hotspots->whole > sum.value ? hotspots->whole - sum.value : 0,
                            hotspots->whole_size - sum.size, hotspots->whole_count - sum.count);
    builder->leaves[builder->leaf_count++] = rest;
}

static enum status find_leaves(struct builder *builder, struct error *err)
{
    bool lines = builder->options.by_line || builder->profile->family == PROFILE_TRACEMALLOC;
    const struct hotspot_options options = {.by = lines ? HOTSPOT_LINE : HOTSPOT_FUNCTION,
                                            .total = HOTSPOT_INNERMOST,
                                            .sort = HOTSPOT_UNSORTED};
    enum status status = hotspots_build(builder->profile, &options, &builder->hotspots, err);
    if (status != STATUS_OK)
        return status;
    builder->leaves = malloc((builder->hotspots.rows.count + 1) * sizeof *builder->leaves);
    if (!builder->leaves)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < builder->hotspots.rows.count; i++)
        if (builder->hotspots.rows.items[i].self > 0 || builder->hotspots.rows.items[i].self_count)
            add_leaf(builder, &builder->hotspots.rows.items[i]);
    add_rest(builder);
    return STATUS_OK;
}

/* ---- Files and packages. */

static int compare_ids(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_paths(const void *left, const void *right)
{
    const struct leaf *a = left, *b = right;
    return compare_ids(a->file, b->file);
}

static int compare_package_names(const void *left, const void *right)
{
    const struct file *a = left, *b = right;
    int order = strcmp(a->package_name, b->package_name);
    return order ? order : compare_ids(a->path, b->path);
}

/* Each path once, in the order of the leaves, which is by path now. */
static bool find_files(struct builder *builder)
{
    builder->files = calloc(builder->leaf_count + 1, sizeof *builder->files);
    builder->packages = calloc(builder->leaf_count + 1, sizeof *builder->packages);
    if (!builder->files || !builder->packages)
        return false;
    qsort(builder->leaves, builder->leaf_count, sizeof *builder->leaves, compare_paths);
    for (size_t i = 0; i < builder->leaf_count; i++)
        if (!i || builder->leaves[i].file != builder->leaves[i - 1].file)
            builder->files[builder->file_count++].path = builder->leaves[i].file;
    return true;
}

static bool name_files(struct builder *builder)
{
    const struct profile *profile = builder->profile;
    struct arena *arena = &builder->tree->arena;
    struct package_rule rule = {0};
    struct package_place place;
    for (size_t i = 0; i < builder->file_count; i++) {
        uint32_t path = builder->files[i].path;
        package_rule_see(&rule, profile_text(profile, path), profile->strings.items[path].size);
    }
    for (size_t i = 0; i < builder->file_count; i++) {
        struct file *file = &builder->files[i];
        package_rule_apply(&rule, profile_text(profile, file->path),
                           profile->strings.items[file->path].size, &place);
        file->name = arena_strndup(arena, place.file, place.file_size);
        file->package_name = arena_strndup(arena, place.package, place.package_size);
        if (!file->name || !file->package_name)
            return false;
    }
    return true;
}

/* Leaves are in the order of their paths' ids, files in that of their packages. */
static bool number_files(struct builder *builder)
{
    uint32_t *number = malloc((builder->profile->strings.count + 1) * sizeof *number);
    if (!number)
        return false;
    qsort(builder->files, builder->file_count, sizeof *builder->files, compare_package_names);
    for (uint32_t i = 0; i < builder->file_count; i++) {
        struct file *file = &builder->files[i];
        if (!i || strcmp(file->package_name, file[-1].package_name) != 0)
            builder->packages[builder->package_count++].name = file->package_name;
        file->package = (uint32_t)builder->package_count - 1;
        number[file->path] = i;
    }
    for (size_t i = 0; i < builder->leaf_count; i++) {
        struct leaf *leaf = &builder->leaves[i];
        leaf->file = number[leaf->file];
        add(&builder->files[leaf->file].amount, &leaf->amount);
    }
    for (size_t i = 0; i < builder->file_count; i++)
        add(&builder->packages[builder->files[i].package].amount, &builder->files[i].amount);
    free(number);
    return true;
}

/* ---- The order of the tree. */

static int compare_amounts(const struct amount *a, const struct amount *b)
{
    if (a->value < b->value || a->value > b->value)
        return a->value < b->value ? 1 : -1;
    return 0;
}

static int compare_names(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_leaves(const void *left, const void *right, void *context)
{
    const struct leaf *a = left, *b = right;
    const struct builder *builder = context;
    const struct file *file_a = &builder->files[a->file], *file_b = &builder->files[b->file];
    int order = 0;
    if (file_a->package != file_b->package) {
        order = compare_amounts(&builder->packages[file_a->package].amount,
                                &builder->packages[file_b->package].amount);
        return order ? order : compare_ids(file_a->package, file_b->package);
    }
    if (file_a != file_b) {
        order = compare_amounts(&file_a->amount, &file_b->amount);
        order = order ? order
                      : strcmp(profile_text(builder->profile, file_a->path),
                               profile_text(builder->profile, file_b->path));
        return order ? order : compare_ids(a->file, b->file);
    }
    order = compare_amounts(&a->amount, &b->amount);
    if (!order)
        order = (a->line > b->line) - (a->line < b->line);
    if (!order)
        order = compare_names(a->name, b->name);
    return order ? order : compare_ids(a->function, b->function);
}

static bool push(struct builder *builder, struct place_node node, const struct amount *amount,
                 uint32_t *ret_id)
{
    node.value = amount->value;
    node.size = amount->size;
    node.count = amount->count;
    *ret_id = (uint32_t)builder->tree->nodes.count;
    return array_push(&builder->tree->nodes, node);
}

static bool write_tree(struct builder *builder)
{
    struct amount whole = {0};
    uint32_t package = 0, file = 0, leaf_id;
    const struct file *last = NULL;
    for (size_t i = 0; i < builder->package_count; i++)
        add(&whole, &builder->packages[i].amount);
    bool ok = push(
        builder, (struct place_node){.level = PLACE_ALL, .name = "all", .function = PROFILE_NO_ID},
        &whole, &leaf_id);
    for (size_t i = 0; ok && i < builder->leaf_count; i++) {
        const struct leaf *leaf = &builder->leaves[i];
        const struct file *own = &builder->files[leaf->file];
        struct place_node node = {
            .level = PLACE_PACKAGE, .name = own->package_name, .function = PROFILE_NO_ID};
        if (!last || own->package != last->package)
            ok = push(builder, node, &builder->packages[own->package].amount, &package);
        node = (struct place_node){
            .parent = package, .level = PLACE_FILE, .name = own->name, .function = leaf->function};
        if (ok && own != last)
            ok = push(builder, node, &own->amount, &file);
        node = (struct place_node){.parent = file,
                                   .level = PLACE_LEAF,
                                   .name = leaf->name,
                                   .function = leaf->function,
                                   .line = leaf->line};
        ok = ok && push(builder, node, &leaf->amount, &leaf_id);
        last = own;
    }
    return ok;
}

static const char *unit_of(const struct profile *profile, bool by_count)
{
    if (!by_count)
        return profile->unit;
    switch (profile->family) {
    case PROFILE_TRACEMALLOC: return "blocks";
    case PROFILE_PSTATS: return profile->is_sampled ? "samples" : "calls";
    default: return "samples";
    }
}

enum status place_tree_build(const struct profile *profile,
                             const struct place_tree_options *options, struct place_tree *ret_tree,
                             struct error *err)
{
    struct place_tree tree = {.profile = profile, .unit = unit_of(profile, options->by_count)};
    struct builder builder = {.tree = &tree, .profile = profile, .options = *options};
    arena_init(&tree.arena);
    enum status status = find_leaves(&builder, err);
    if (status == STATUS_OK) {
        bool ok = find_files(&builder) && name_files(&builder) && number_files(&builder);
        if (ok)
            qsort_r(builder.leaves, builder.leaf_count, sizeof *builder.leaves, compare_leaves,
                    &builder);
        if (!ok || !write_tree(&builder))
            status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    builder_deinit(&builder);
    if (status == STATUS_OK)
        *ret_tree = tree;
    else
        place_tree_deinit(&tree);
    return status;
}

void place_tree_deinit(struct place_tree *tree)
{
    if (!tree)
        return;
    array_deinit(&tree->nodes);
    arena_deinit(&tree->arena);
}
