/* SPDX-License-Identifier: Apache-2.0 */
/* Names for people, made of a recording's functions and files. */
#include <string.h>

#include "analyzer/profile/import_path.h"
#include "inquest/analyzer/profile_tree.h"

/* Folders below which paths are import paths. */
static const char *const anchors[] = {"site-packages", "dist-packages", "lib-dynload"};

/* "lib/python3.11/", "lib/pypy3.9/" and Windows' "Lib/" */
static size_t after_library(const char *path, size_t size)
{
    size_t start = 0, found = 0;
    for (size_t i = 0; i < size; i++) {
        if (!path_is_separator(path[i]))
            continue;
        bool python = i - start > 6 && !memcmp(path + start, "python", 6) &&
                      path[start + 6] >= '2' && path[start + 6] <= '9';
        bool windows = i - start == 3 && !memcmp(path + start, "Lib", 3) && path[i] == '\\';
        if (python || windows)
            found = i + 1;
        start = i + 1;
    }
    return found;
}

/* The part of a path that Python would import by. */
static size_t import_start(const char *path, size_t size)
{
    for (size_t i = 0; i < sizeof anchors / sizeof *anchors; i++) {
        size_t found = path_after_folder(path, size, anchors[i]);
        if (found)
            return found;
    }
    size_t found = after_library(path, size);
    if (found)
        return found;
    if (!path_is_absolute(path, size))
        return 0;
    size_t last = 0, before = 0; /* where the last two parts begin */
    for (size_t i = 0; i < size; i++) {
        if (path_is_separator(path[i])) {
            before = last;
            last = i + 1;
        }
    }
    return before;
}

static bool ends_with(const char *text, size_t size, const char *ending)
{
    size_t length = strlen(ending);
    return size > length && !memcmp(text + size - length, ending, length);
}

static void append_dotted(struct text *name, const char *path, size_t size)
{
    static const char *const endings[] = {".py", ".pyc", ".pyx", ".so", ".pyd"};
    size_t start = import_start(path, size);
    path += start;
    size -= start;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (ends_with(path, size, endings[i])) {
            size -= strlen(endings[i]);
            break;
        }
    }
    if (ends_with(path, size, "/__init__") || ends_with(path, size, "\\__init__"))
        size -= strlen("/__init__");
    while (size && (path_is_separator(*path) || *path == '.')) {
        path++;
        size--;
    }
    for (size_t i = 0; i < size; i++)
        text_append_char(name, path_is_separator(path[i]) ? '.' : path[i]);
}

/* "<built-in method builtins.len>": builtins; "<method 'append' of 'list' objects>": list */
static void append_builtin(struct text *name, const char *function)
{
    static const char built_in[] = "<built-in method ";
    const char *of = strstr(function, "' of '"), *dot = strrchr(function, '.');
    size_t prefix = strlen(built_in);
    if (!strncmp(function, built_in, prefix) && dot && dot > function + prefix)
        text_append_n(name, function + prefix, (size_t)(dot - function) - prefix);
    else if (of)
        text_append_n(name, of + 6, strcspn(of + 6, "'"));
    else
        text_append(name, "builtins");
}

void profile_module_name(const struct profile *profile, uint32_t function, struct text *ret_name)
{
    static const char frozen[] = "<frozen ";
    const struct profile_function *named = &profile->functions.items[function];
    const struct profile_string *file = &profile->strings.items[named->file];
    const char *path = profile_text(profile, named->file);
    if (file->size == 1 && *path == '~')
        append_builtin(ret_name, profile_text(profile, named->name));
    else if (!strncmp(path, frozen, strlen(frozen)))
        text_append_n(ret_name, path + strlen(frozen), strcspn(path + strlen(frozen), ">"));
    else if (*path == '<')
        text_append_n(ret_name, path, file->size);
    else
        append_dotted(ret_name, path, file->size);
}

static void append_file_name(const struct profile *profile, uint32_t file, struct text *name)
{
    const struct profile_string *string = &profile->strings.items[file];
    const char *path = profile_text(profile, file);
    size_t start = path_after_folders(path, string->size ? string->size - 1u : 0);
    text_append_n(name, path + start, string->size - start);
}

void profile_track_name(const struct profile *profile, uint32_t track, struct text *name)
{
    if (track >= profile->tracks.count)
        return;
    const struct profile_track *named = &profile->tracks.items[track];
    if (profile->strings.items[named->name].size)
        text_append(name, profile_text(profile, named->name));
    else if (named->tid >= 0)
        text_printf(name, "thread %lld", (long long)named->tid);
    else if (named->pid >= 0)
        text_printf(name, "process %lld", (long long)named->pid);
    else
        text_append(name, "all threads");
}

void call_tree_node_name(const struct call_tree *tree, uint32_t id, struct text *ret_name)
{
    const struct profile *profile = tree->profile;
    const struct call_node *node = &tree->nodes.items[id];
    if (node->kind == CALL_NODE_ROOT) {
        text_append(ret_name, "all");
        return;
    }
    if (node->kind == CALL_NODE_TRACK) {
        profile_track_name(profile, node->function, ret_name);
        return;
    }
    const struct profile_function *function = &profile->functions.items[node->function];
    if (profile->strings.items[function->name].size) {
        text_append(ret_name, profile_text(profile, function->name));
    } else {
        append_file_name(profile, function->file, ret_name);
        if (node->line > 0)
            text_printf(ret_name, ":%d", node->line);
    }
    if (node->kind == CALL_NODE_RECURSION)
        text_append(ret_name, " (recursion)");
}
