/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/analyzer/source_line.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inquest/base/cleanup.h"

#define SOURCE_BYTES_MAX (16 << 20) /* no source that people write is larger */
#define LINE_BYTES_MAX   1000

static FILE *open_source(const char *sysroot, const char *path)
{
    char whole[PATH_MAX];
    struct stat status;
    size_t length = strlen(path);
    int size = snprintf(whole, sizeof whole, "%s%s", sysroot ? sysroot : "", path);
    if (size < 0 || (size_t)size >= sizeof whole || length < 3 ||
        strcmp(path + length - 3, ".py") != 0 || strstr(path, "/../"))
        return NULL;
    int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    bool is_source =
        fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= SOURCE_BYTES_MAX;
    FILE *file = is_source ? fdopen(fd, "r") : NULL;
    if (!file)
        close(fd);
    return file;
}

static bool is_blank(char c)
{
    return strchr(" \t\r\n\f\v", c);
}

bool source_line_append(const char *sysroot, const char *path, int32_t line, struct text *text)
{
    FILE CLEANUP_FCLOSE *file = line > 0 ? open_source(sysroot, path) : NULL;
    char CLEANUP_FREE *buffer = NULL;
    size_t capacity = 0;
    ssize_t size = -1;
    if (!file)
        return false;
    for (int32_t i = 0; i < line; i++) {
        size = getline(&buffer, &capacity, file);
        if (size < 0)
            return false;
    }
    const char *start = buffer, *end = buffer + size;
    while (start < end && (!*start || is_blank(*start)))
        start++;
    while (start < end && (!end[-1] || is_blank(end[-1])))
        end--;
    size_t length = (size_t)(end - start);
    text_append_n(text, start, length < LINE_BYTES_MAX ? length : LINE_BYTES_MAX);
    return length;
}
