/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_IMPORT_PATH_H
#define INQUEST_ANALYZER_PROFILE_IMPORT_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* The parts of a source file's path, of POSIX or Windows. */

static inline bool path_is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* From a root or a drive on. */
static inline bool path_is_absolute(const char *path, size_t size)
{
    return size && (path_is_separator(path[0]) || (size > 2 && path[1] == ':'));
}

/* Where the last folder `name` ends in the path, past its separator; 0: it is not there. */
size_t path_after_folder(const char *path, size_t size, const char *name);

/* Past the last separator; 0: there is none. */
size_t path_after_folders(const char *path, size_t size);

#endif
