/* SPDX-License-Identifier: Apache-2.0 */
/* Which functions of two recordings are the same: by name and file, then by first line,
 * and those that moved within their file in the order in which they stand there. */
#include "analyzer/compare/function_match.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/profile_tree.h"
#include "inquest/base/arena.h"

struct named {
    const char *name, *file;
    int32_t line;
    uint32_t function;
};

static int compare_names(const struct named *a, const struct named *b)
{
    int order = strcmp(a->file, b->file);
    return order ? order : strcmp(a->name, b->name);
}

static int compare_named(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    int order = compare_names(a, b);
    if (order)
        return order;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->function > b->function) - (a->function < b->function);
}

static struct named *collect(const struct profile *profile, enum match_rule rule,
                             struct arena *arena)
{
    struct named *list = malloc((profile->functions.count + 1) * sizeof *list);
    struct text module = {0};
    uint32_t file = PROFILE_NO_ID;
    const char *path = "";
    for (uint32_t i = 0; list && i < profile->functions.count; i++) {
        const struct profile_function *function = &profile->functions.items[i];
        const char *own = profile_text(profile, function->file);
        bool builtin = own[0] == '~' && !own[1]; /* its module depends on its name */
        if (rule == MATCH_EXACT || builtin) {
            path = own;
            file = PROFILE_NO_ID;
        } else if (function->file != file) {
            text_clear(&module);
            profile_module_name(profile, i, &module);
            path = text_ok(&module) ? arena_strdup(arena, text_string(&module)) : NULL;
            file = function->file;
        }
        if (!path) {
            free(list);
            list = NULL;
            break;
        }
        list[i] = (struct named){profile_text(profile, function->name), path, function->line, i};
    }
    text_deinit(&module);
    if (list && profile->functions.count)
        qsort(list, profile->functions.count, sizeof *list, compare_named);
    return list;
}

/* Pairs the functions of one name and file. */
static void match_group(const struct named *old_group, size_t old_count,
                        const struct named *new_group, size_t new_count, bool by_order,
                        uint32_t *old_of)
{
    for (size_t i = 0, j = 0; i < old_count && j < new_count;) {
        if (old_group[i].line == new_group[j].line)
            old_of[new_group[j++].function] = old_group[i++].function;
        else if (old_group[i].line < new_group[j].line)
            i++;
        else
            j++;
    }
    if (!by_order)
        return;
    for (size_t i = 0, j = 0; j < new_count; j++) {
        if (old_of[new_group[j].function] != PROFILE_NO_ID)
            continue;
        bool taken = true;
        for (; i < old_count && taken; i++) {
            taken = false;
            for (size_t k = 0; k < new_count && !taken; k++)
                taken = old_of[new_group[k].function] == old_group[i].function;
            if (!taken)
                old_of[new_group[j].function] = old_group[i].function;
        }
    }
}

/* Beyond so many functions of one name and file (lambdas of generated code) they are only
 * paired by line: pairing in order looks at each pair. */
#define MOST_OF_A_NAME 256

static size_t group_size(const struct named *list, size_t count, size_t at)
{
    size_t end = at;
    while (end < count && compare_names(&list[at], &list[end]) == 0)
        end++;
    return end - at;
}

bool function_match(const struct profile *old_profile, const struct profile *new_profile,
                    enum match_rule rule, uint32_t *old_of)
{
    struct arena arena;
    arena_init(&arena);
    size_t old_count = old_profile->functions.count, new_count = new_profile->functions.count;
    struct named *old_list = collect(old_profile, rule, &arena);
    struct named *new_list = collect(new_profile, rule, &arena);
    bool ok = old_list && new_list;
    memset(old_of, 0xFF, new_count * sizeof *old_of);
    for (size_t i = 0, j = 0; ok && i < old_count && j < new_count;) {
        int order = compare_names(&old_list[i], &new_list[j]);
        size_t old_size = order <= 0 ? group_size(old_list, old_count, i) : 0;
        size_t new_size = order >= 0 ? group_size(new_list, new_count, j) : 0;
        if (order == 0)
            match_group(old_list + i, old_size, new_list + j, new_size,
                        rule == MATCH_FUNCTION && old_size + new_size <= MOST_OF_A_NAME, old_of);
        i += old_size;
        j += new_size;
    }
    free(old_list);
    free(new_list);
    arena_deinit(&arena);
    return ok;
}
