/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/suspects_finder.h"

const char *const suspect_kind_names[SUSPECT_KIND_COUNT] = {
    [SUSPECT_SINGLE] = "single",       [SUSPECT_GROUP] = "group",
    [SUSPECT_EXTENSION] = "extension", [SUSPECT_GARBAGE] = "garbage",
    [SUSPECT_INTERNED] = "interned",
};

static void sum_bytes(const struct findings *findings, struct suspects *suspects)
{
    for (uint32_t object = 0; object < findings->heap->count; object++) {
        if (graph_bit(findings->facts->reached, object))
            suspects->reachable_bytes += heap_size(findings->heap, object);
    }
}

static double share_of(const struct suspects *suspects, const struct suspect *suspect)
{
    uint64_t whole = suspects->reachable_bytes;
    return whole ? (double)suspect->retained / (double)whole : 0;
}

/* Of the first `count`, which are single ones and know their parents. */
static enum status apply_rules(struct suspects *suspects)
{
    size_t count = suspects->items.count;
    struct suspect_candidate *candidates = calloc(count + 1, sizeof *candidates);
    if (!candidates)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct suspect *suspect = &suspects->items.items[i];
        suspect->share = share_of(suspects, suspect);
        candidates[i] = (struct suspect_candidate){.share = suspect->share,
                                                   .retained = suspect->retained,
                                                   .parent = suspect->parent,
                                                   .is_structure = suspect->is_structure};
    }
    suspect_rules_apply(candidates, count, SUSPECT_DEFAULT_SHARE, SUSPECT_DEFAULT_BYTES);
    for (size_t i = 0; i < count; i++)
        suspects->items.items[i].is_alarm = candidates[i].is_alarm;
    free(candidates);
    return STATUS_OK;
}

/* ---- A library's own tables. */

static bool begins_in(const char *module, const char *package, size_t size)
{
    return module && strncmp(module, package, size) == 0 &&
           (module[size] == '\0' || module[size] == '.');
}

/* Queues, handlers, tracebacks and the like hold what the program gave them. */
static bool may_be_table(const char *holder)
{
    static const char *const begins[] = {
        "module-level", "class attribute", "closure cell", "lru_cache",
        "item of a",    "attribute of",    "interned",     NULL};
    for (const char *const *begin = begins; *begin; begin++)
        if (strncmp(holder, *begin, strlen(*begin)) == 0)
            return true;
    return false;
}

/* Whether it is small, a library's module or class holds it, and it holds nothing but the
 * language's own objects and that library's. */
static enum status is_library_table(struct finder *finder, const struct suspect *suspect,
                                    bool *ret_table)
{
    uint32_t object = suspect->object;
    const struct findings *findings = finder_paths(finder, object);
    const struct graph_paths *paths = &findings->facts->paths;
    *ret_table = false;
    for (unsigned steps = 0; steps < 64 && paths->parent[object] < GRAPH_NONE; steps++)
        object = paths->parent[object];
    uint32_t entry = graph_paths_root(paths, object);
    if (entry == GRAPH_NONE || suspect->retained >= SUSPECT_LIBRARY_BYTES ||
        !may_be_table(suspect->holder))
        return STATUS_OK;
    const struct heap_root *root = &findings->roots->roots.items[entry];
    *ret_table = root->kind == ROOT_INTERNED; /* every process has one */
    if ((root->kind != ROOT_MODULE && root->kind != ROOT_TYPE && root->kind != ROOT_BUILTINS) ||
        module_origin(&finder->modules, root->label) == MODULE_PROGRAM)
        return STATUS_OK;
    enum status status = finder_sums_within(finder, &suspect->object, 1);
    uint64_t foreign = 0;
    for (size_t i = 0; i < finder->sums.count; i++) {
        const char *module = finder->heap->types.items[finder->sums.items[i].type]->module;
        if (module_origin(&finder->modules, module) != MODULE_STANDARD &&
            !begins_in(module, root->label, strcspn(root->label, ".")))
            foreign += finder->sums.items[i].bytes;
    }
    *ret_table = foreign < suspect->retained / 20;
    return status;
}

static enum status drop_library_tables(struct finder *finder)
{
    struct suspects *out = finder->out;
    size_t count = out->items.count, kept = 0;
    int64_t *moved = malloc((count + 1) * sizeof *moved);
    enum status status = moved ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        bool table = false;
        status = is_library_table(finder, &out->items.items[i], &table);
        moved[i] = table ? -1 : (int64_t)kept;
        if (!table)
            out->items.items[kept++] = out->items.items[i];
    }
    if (status == STATUS_OK) {
        out->items.count = kept;
        for (size_t i = 0; i < kept; i++) {
            int64_t *parent = &out->items.items[i].parent;
            *parent = *parent < 0 ? -1 : moved[*parent];
        }
    }
    free(moved);
    return status;
}

/* ---- Order. */

struct ranking {
    const struct suspect *suspect;
    size_t index;
};

static int compare_ranking(const void *left, const void *right)
{
    const struct ranking *a = left, *b = right;
    const struct suspect *x = a->suspect, *y = b->suspect;
    if (x->is_alarm != y->is_alarm)
        return x->is_alarm ? -1 : 1;
    if (x->retained != y->retained)
        return x->retained < y->retained ? 1 : -1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static enum status sort_suspects(struct suspects *suspects)
{
    size_t count = suspects->items.count;
    struct ranking *order = malloc((count + 1) * sizeof *order);
    struct suspect *sorted = malloc((count + 1) * sizeof *sorted);
    int64_t *rank = malloc((count + 1) * sizeof *rank);
    bool ready = order && sorted && rank;
    for (size_t i = 0; ready && i < count; i++)
        order[i] = (struct ranking){&suspects->items.items[i], i};
    if (ready && count)
        qsort(order, count, sizeof *order, compare_ranking);
    for (size_t i = 0; ready && i < count; i++) {
        sorted[i] = *order[i].suspect;
        rank[order[i].index] = (int64_t)i;
    }
    for (size_t i = 0; ready && i < count; i++)
        sorted[i].parent = sorted[i].parent < 0 ? -1 : rank[sorted[i].parent];
    if (ready && count)
        memcpy(suspects->items.items, sorted, count * sizeof *sorted);
    free(order);
    free(sorted);
    free(rank);
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status find_all(struct finder *finder)
{
    struct suspects *out = finder->out;
    enum status status = find_extension_only(finder);
    if (status == STATUS_OK)
        status = find_single_suspects(finder);
    if (status == STATUS_OK)
        status = drop_library_tables(finder);
    if (status == STATUS_OK)
        status = apply_rules(out);
    size_t singles = out->items.count;
    if (status == STATUS_OK)
        status = find_group_suspects(finder);
    if (status == STATUS_OK)
        status = find_unheld_suspects(finder);
    for (size_t i = singles; i < out->items.count && status == STATUS_OK; i++) {
        struct suspect *suspect = &out->items.items[i];
        suspect->share = share_of(out, suspect);
        if (suspect->kind == SUSPECT_GROUP)
            suspect->is_alarm = suspect->share >= SUSPECT_DEFAULT_SHARE &&
                                suspect->retained >= SUSPECT_DEFAULT_BYTES;
    }
    for (size_t i = 0; i < out->items.count && status == STATUS_OK; i++)
        status = describe_suspect(finder, &out->items.items[i]);
    if (status == STATUS_OK)
        status = finder->named.status;
    return status == STATUS_OK ? sort_suspects(out) : status;
}

enum status suspects_find(const struct findings *findings, struct suspects *ret_suspects,
                          struct error *err)
{
    struct suspects *suspects = ret_suspects;
    struct finder finder = {0};
    *suspects = (struct suspects){.findings = findings};
    arena_init(&suspects->arena);
    enum status status = finder_init(&finder, findings, suspects);
    if (status == STATUS_OK)
        status = dominated_tree_build(&findings->facts->dominators, findings->heap->count,
                                      &suspects->tree);
    sum_bytes(findings, suspects);
    if (status == STATUS_OK)
        status = find_all(&finder);
    finder_deinit(&finder);
    if (status == STATUS_OK)
        return STATUS_OK;
    suspects_deinit(suspects);
    return error_set(err, status, "leak suspects: %s", status_name(status));
}

void suspects_deinit(struct suspects *suspects)
{
    for (size_t i = 0; i < suspects->items.count; i++) {
        array_deinit(&suspects->items.items[i].members);
        array_deinit(&suspects->items.items[i].parts);
    }
    array_deinit(&suspects->items);
    dominated_tree_deinit(&suspects->tree);
    arena_deinit(&suspects->arena);
}
