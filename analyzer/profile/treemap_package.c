/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/treemap_package.h"

#include <string.h>

#include "analyzer/profile/import_path.h"

enum path_kind {
    PATH_NONE,     /* no file, or "<string>" */
    PATH_BUILT_IN, /* pstats' "~" */
    PATH_FROZEN,
    PATH_SITE, /* begins after site-packages */
    PATH_STANDARD,
    PATH_PROGRAM, /* a script in a folder bin, a shared library */
    PATH_OWN,     /* the program's */
    PATH_RELATIVE,
};

static bool starts_with(const char *path, size_t size, const char *start)
{
    return size >= strlen(start) && !memcmp(path, start, strlen(start));
}

static bool is_word(const char *path, size_t size, const char *word)
{
    return size == strlen(word) && !memcmp(path, word, size);
}

/* "python3.11", "python3.13t", "pypy3.9" */
static bool is_library_folder(const char *name, size_t size)
{
    size_t prefix = starts_with(name, size, "python") ? 6 : starts_with(name, size, "pypy") ? 4 : 0;
    return prefix && size > prefix && name[prefix] >= '2' && name[prefix] <= '9';
}

/* "lib" and "lib64", and Windows' "Lib", whose modules lie in it directly. */
static bool is_library_parent(const char *name, size_t size)
{
    return is_word(name, size, "lib") || is_word(name, size, "lib64") || is_word(name, size, "Lib");
}

/* Where the standard library's own paths begin; 0: it is not in one. */
static size_t after_library(const char *path, size_t size)
{
    size_t start = 0, found = 0;
    bool below_lib = false;
    for (size_t i = 0; i < size; i++) {
        if (!path_is_separator(path[i]))
            continue;
        if ((below_lib && is_library_folder(path + start, i - start)) ||
            (path[i] == '\\' && is_word(path + start, i - start, "Lib")))
            found = i + 1;
        below_lib = is_library_parent(path + start, i - start);
        start = i + 1;
    }
    return found;
}

static size_t after_site(const char *path, size_t size)
{
    size_t site = path_after_folder(path, size, "site-packages");
    size_t dist = path_after_folder(path, size, "dist-packages");
    return site > dist ? site : dist;
}

/* "libc.so.6" */
static bool is_shared_library(const char *name, size_t size)
{
    for (size_t i = 1; i + 3 <= size; i++)
        if (!memcmp(name + i, ".so", 3) && (i + 3 == size || name[i + 3] == '.'))
            return true;
    return false;
}

static bool is_program(const char *path, size_t size)
{
    size_t name = path_after_folders(path, size);
    size_t folder = name ? path_after_folders(path, name - 1) : 0;
    return name && (is_word(path + folder, name - 1 - folder, "bin") ||
                    is_word(path + folder, name - 1 - folder, "Scripts") ||
                    is_shared_library(path + name, size - name));
}

/* `ret_start`: where the part begins that names the package. */
static enum path_kind classify(const char *path, size_t size, size_t *ret_start)
{
    *ret_start = 0;
    if (starts_with(path, size, "<frozen "))
        return PATH_FROZEN;
    if (!size || *path == '<')
        return PATH_NONE;
    if (is_word(path, size, "~"))
        return PATH_BUILT_IN;
    *ret_start = after_site(path, size);
    if (*ret_start)
        return PATH_SITE;
    *ret_start = after_library(path, size);
    if (*ret_start)
        return PATH_STANDARD;
    if (is_program(path, size))
        *ret_start = path_after_folders(path, size);
    if (*ret_start)
        return PATH_PROGRAM;
    if (path_is_absolute(path, size))
        return PATH_OWN;
    while (*ret_start < size && (path[*ret_start] == '.' || path_is_separator(path[*ret_start])))
        (*ret_start)++; /* "./", "../" */
    return PATH_RELATIVE;
}

void package_rule_see(struct package_rule *rule, const char *path, size_t size)
{
    size_t start, same = 0;
    if (classify(path, size, &start) != PATH_OWN)
        return;
    size = path_after_folders(path, size);
    if (!rule->shared) {
        *rule = (struct package_rule){path, size};
        return;
    }
    while (same < size && same < rule->shared_size && path[same] == rule->shared[same])
        same++;
    rule->shared_size = path_after_folders(path, same);
}

/* A name of ours. */
static void name_package(struct package_place *place, const char *name)
{
    place->package = name;
    place->package_size = strlen(name);
}

/* The first folder, and the file from there on; where there is none, the module. */
static void split(struct package_place *place)
{
    size_t at = 0;
    while (at < place->file_size && !path_is_separator(place->file[at]))
        at++;
    place->package = place->file;
    if (at < place->file_size) {
        place->package_size = at;
        place->file += at + 1;
        place->file_size -= at + 1;
        return;
    }
    const char *dot = memchr(place->file, '.', place->file_size);
    place->package_size = dot > place->file ? (size_t)(dot - place->file) : place->file_size;
}

/* A file in the last folder that all share belongs to that folder. */
static void split_own(const struct package_rule *rule, const char *path, size_t size,
                      struct package_place *place)
{
    size_t shared = rule->shared_size < size ? rule->shared_size : 0;
    bool deeper = path_after_folders(path, size) > shared;
    place->file = path + shared;
    place->file_size = size - shared;
    if (deeper) {
        split(place);
        return;
    }
    size_t end = shared ? shared - 1 : 0, start = path_after_folders(path, end);
    place->package = end > start ? path + start : path;
    place->package_size = end > start ? end - start : shared;
}

void package_rule_apply(const struct package_rule *rule, const char *path, size_t size,
                        struct package_place *ret_place)
{
    size_t start;
    enum path_kind kind = classify(path, size, &start);
    struct package_place place = {.file = path + start, .file_size = size - start};
    switch (kind) {
    case PATH_FROZEN:
    case PATH_STANDARD: name_package(&place, "stdlib"); break;
    case PATH_BUILT_IN:
        name_package(&place, "(built-in)");
        place.file = "functions in C";
        place.file_size = strlen(place.file);
        break;
    case PATH_NONE:
        name_package(&place, "(no file)");
        if (!size) {
            place.file = "(unknown)";
            place.file_size = strlen(place.file);
        }
        break;
    case PATH_OWN: split_own(rule, path, size, &place); break;
    default: split(&place); break;
    }
    if (!place.package_size)
        name_package(&place, "(unnamed)");
    *ret_place = place;
}
