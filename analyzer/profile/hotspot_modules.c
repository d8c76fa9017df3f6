/* SPDX-License-Identifier: Apache-2.0 */
/* What a row is about, in words. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/profile/hotspot_parts.h"
#include "inquest/analyzer/profile_tree.h"

/* A function, and its module's name, on the way to one number for equal names. */
struct named {
    const char *name;
    uint32_t function;
};

static int compare_names(const void *a, const void *b)
{
    const struct named *first = a, *second = b;
    int order = strcmp(first->name, second->name);
    return order ? order
                 : (first->function > second->function) - (first->function < second->function);
}

static bool name_functions(struct hotspots *hotspots, struct named *named)
{
    const struct profile *profile = hotspots->profile;
    struct text name;
    bool ok = true;
    text_init(&name);
    for (uint32_t i = 0; ok && i < profile->functions.count; i++) {
        text_clear(&name);
        profile_module_name(profile, i, &name);
        named[i].function = i;
        named[i].name = arena_strdup(&hotspots->arena, text_string(&name));
        ok = named[i].name && text_ok(&name);
    }
    text_deinit(&name);
    return ok;
}

enum status hotspot_modules(struct hotspots *hotspots, uint32_t **ret_modules)
{
    size_t count = hotspots->profile->functions.count;
    struct named *named = calloc(count + 1, sizeof *named);
    uint32_t *modules = calloc(count + 1, sizeof *modules);
    bool ok = named && modules && name_functions(hotspots, named);
    if (ok)
        qsort(named, count, sizeof *named, compare_names);
    for (size_t i = 0; ok && i < count; i++) {
        if (!i || strcmp(named[i].name, named[i - 1].name) != 0)
            ok = array_push(&hotspots->modules, named[i].name);
        modules[named[i].function] = (uint32_t)hotspots->modules.count - 1;
    }
    free(named);
    if (ok)
        *ret_modules = modules;
    else
        free(modules);
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

static const struct profile_function *function_of(const struct hotspots *hotspots,
                                                  const struct hotspot *row)
{
    const struct profile *profile = hotspots->profile;
    if (hotspots->by == HOTSPOT_LINE && profile->family != PROFILE_PSTATS)
        return &profile->functions.items[profile->frames.items[row->key].function];
    if (hotspots->by == HOTSPOT_LINE || hotspots->by == HOTSPOT_FUNCTION)
        return &profile->functions.items[row->key];
    return NULL;
}

const char *hotspot_function(const struct hotspots *hotspots, const struct hotspot *row)
{
    const struct profile_function *function = function_of(hotspots, row);
    if (!function || hotspots->profile->family == PROFILE_TRACEMALLOC)
        return NULL;
    return profile_text(hotspots->profile, function->name);
}

const char *hotspot_file(const struct hotspots *hotspots, const struct hotspot *row)
{
    const struct profile_function *function = function_of(hotspots, row);
    if (function)
        return profile_text(hotspots->profile, function->file);
    return hotspots->by == HOTSPOT_FILE ? profile_text(hotspots->profile, row->key) : NULL;
}

int32_t hotspot_line(const struct hotspots *hotspots, const struct hotspot *row)
{
    const struct profile_function *function = function_of(hotspots, row);
    if (!function)
        return 0;
    if (hotspots->by == HOTSPOT_LINE && hotspots->profile->family != PROFILE_PSTATS)
        return hotspots->profile->frames.items[row->key].line;
    return function->line;
}

const char *hotspot_module(const struct hotspots *hotspots, const struct hotspot *row)
{
    return hotspots->by == HOTSPOT_MODULE ? hotspots->modules.items[row->key] : NULL;
}
