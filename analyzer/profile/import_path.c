/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile/import_path.h"

#include <string.h>

size_t path_after_folder(const char *path, size_t size, const char *name)
{
    size_t length = strlen(name), found = 0;
    for (size_t i = 0; i + length < size; i++) {
        bool starts = i == 0 || path_is_separator(path[i - 1]);
        if (starts && path_is_separator(path[i + length]) && !memcmp(path + i, name, length))
            found = i + length + 1;
    }
    return found;
}

size_t path_after_folders(const char *path, size_t size)
{
    while (size && !path_is_separator(path[size - 1]))
        size--;
    return size;
}
