/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of source lines, for people: the files are those of this machine, or below a sysroot,
 * and may be newer than what was recorded. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/commands/profile_html.h"

#define MOST_BYTES ((size_t)4 << 20) /* of one file */
#define LINE_BYTES 200               /* of a line's text */

struct source_lines {
    const char *sysroot;
    char *name;  /* of the file at hand */
    char *bytes; /* NULL: it could not be read */
    size_t size;
};

struct source_lines *source_lines_create(const char *sysroot)
{
    struct source_lines *lines = calloc(1, sizeof *lines);
    if (lines)
        lines->sysroot = sysroot;
    return lines;
}

void source_lines_destroy(struct source_lines *lines)
{
    if (!lines)
        return;
    free(lines->name);
    free(lines->bytes);
    free(lines);
}

/* A regular .py file of this machine; nothing else is ever opened for a name that a
 * recording holds. */
static char *read_file(const char *sysroot, const char *name, size_t *ret_size)
{
    size_t length = strlen(name);
    char path[4096], *bytes = NULL;
    struct stat status;
    if (length < 4 || strcmp(name + length - 3, ".py") != 0 || *name != '/' ||
        strstr(name, "/../") ||
        snprintf(path, sizeof path, "%s%s", sysroot ? sysroot : "", name) >= (int)sizeof path ||
        stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return NULL;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
        (size_t)status.st_size <= MOST_BYTES)
        bytes = malloc((size_t)status.st_size + 1);
    ssize_t got = bytes ? read(file, bytes, (size_t)status.st_size) : -1;
    close(file);
    if (got < 0) {
        free(bytes);
        return NULL;
    }
    *ret_size = (size_t)got;
    return bytes;
}

static void open_file(struct source_lines *lines, const char *name)
{
    if (lines->name && !strcmp(lines->name, name))
        return;
    free(lines->name);
    free(lines->bytes);
    lines->name = strdup(name);
    lines->size = 0;
    lines->bytes = lines->name ? read_file(lines->sysroot, name, &lines->size) : NULL;
}

bool source_line(struct source_lines *lines, const char *file, int32_t line, struct text *text)
{
    if (!lines || !file || line <= 0)
        return false;
    open_file(lines, file);
    if (!lines->bytes)
        return false;
    const char *at = lines->bytes, *end = lines->bytes + lines->size;
    for (; line > 1 && at; line--) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    if (!at || at >= end)
        return false;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t size = (size_t)((stop ? stop : end) - at);
    text_append_bytes(text, at, size < LINE_BYTES ? size : LINE_BYTES);
    return true;
}
