/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inquest/base/temporary_file.h"

#define DRAIN_BYTES ((size_t)64 << 10)

struct output {
    struct text text;
    const char *name; /* as the user wrote it */
    int fd;
    bool owns_fd;               /* a device or a named pipe, written in place */
    struct temporary_file file; /* path NULL: not a regular file */
    struct error error;         /* the first failure */
};

/* What has no content to replace is written in place: /dev/stdout, a named pipe. */
static bool is_special(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static enum status open_target(struct output *output, const char *path, struct error *err)
{
    if (!path) {
        output->name = "standard output";
        output->fd = STDOUT_FILENO;
        return STATUS_OK;
    }
    output->name = path;
    if (!is_special(path)) {
        enum status status = temporary_file_create(path, &output->file, err);
        output->fd = output->file.fd;
        return status;
    }
    output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    output->owns_fd = output->fd >= 0;
    if (output->fd < 0)
        return error_set_errno(err, STATUS_OUTPUT, errno, "%s: cannot be written", path);
    return STATUS_OK;
}

enum status output_open(const char *path, struct output **ret_output, struct error *err)
{
    struct output *output = calloc(1, sizeof *output);
    if (!output)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    output->file = TEMPORARY_FILE_NONE;
    text_init(&output->text);
    enum status status = open_target(output, path, err);
    if (status != STATUS_OK) {
        output_destroy(output);
        return status;
    }
    *ret_output = output;
    return STATUS_OK;
}

struct text *output_text(struct output *output)
{
    return &output->text;
}

static enum status output_fail(struct output *output, int reason)
{
    if (reason == EPIPE) /* whoever read it has seen enough */
        return error_set(&output->error, STATUS_OUTPUT, "%s", "");
    return error_set_errno(&output->error, STATUS_OUTPUT, reason, "%s: cannot be written",
                           output->name);
}

enum status output_flush(struct output *output)
{
    const char *bytes = text_string(&output->text);
    size_t left = output->text.size;
    if (!text_ok(&output->text))
        error_set(&output->error, STATUS_NO_MEMORY, "out of memory");
    while (left && output->error.status == STATUS_OK) {
        ssize_t written = write(output->fd, bytes, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return output_fail(output, errno);
        bytes += written;
        left -= (size_t)written;
    }
    text_clear(&output->text);
    return output->error.status;
}

enum status output_drain(struct output *output)
{
    if (text_ok(&output->text) && output->text.size < DRAIN_BYTES)
        return output->error.status;
    return output_flush(output);
}

enum status output_commit(struct output *output, struct error *err)
{
    enum status status = output_flush(output);
    if (status == STATUS_OK && output->owns_fd) {
        output->owns_fd = false;
        if (close(output->fd) != 0)
            status = output_fail(output, errno);
    }
    if (status == STATUS_OK && output->file.path)
        status = temporary_file_publish(&output->file, &output->error);
    if (status != STATUS_OK && err)
        *err = output->error;
    output_destroy(output);
    return status;
}

void output_destroy(struct output *output)
{
    if (!output)
        return;
    if (output->owns_fd)
        close(output->fd);
    temporary_file_deinit(&output->file);
    text_deinit(&output->text);
    free(output);
}
