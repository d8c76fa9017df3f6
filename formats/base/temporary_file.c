/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/base/temporary_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS      8
#define NAME_BYTES 200 /* of the target's name: leaves room for what is put around it */
#define ATTEMPTS   100

/* What a signal handler must find without asking malloc. */
static struct {
    _Atomic int state; /* 0 free, 1 being filled, 2 holds a path */
    char path[PATH_MAX];
} slots[SLOTS];

static int slot_take(const char *path)
{
    size_t size = strlen(path) + 1;
    if (size > sizeof slots[0].path)
        return -1;
    for (int i = 0; i < SLOTS; i++) {
        int expected = 0;
        if (!atomic_compare_exchange_strong(&slots[i].state, &expected, 1))
            continue;
        memcpy(slots[i].path, path, size);
        atomic_store(&slots[i].state, 2);
        return i;
    }
    return -1;
}

static void slot_release(int slot)
{
    if (slot >= 0)
        atomic_store(&slots[slot].state, 0);
}

void temporary_files_remove(void)
{
    for (int i = 0; i < SLOTS; i++) {
        if (atomic_load(&slots[i].state) == 2)
            unlink(slots[i].path);
    }
}

static enum status resolve_target(const char *target, char **ret_resolved, struct error *err)
{
    struct stat status;
    char *resolved = NULL;
    if (!*target)
        return error_set(err, STATUS_OUTPUT, "the output's name is empty");
    if (stat(target, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return error_set(err, STATUS_OUTPUT, "%s: is a folder; name a file", target);
        if (!S_ISREG(status.st_mode))
            return error_set(err, STATUS_OUTPUT, "%s: is not a regular file", target);
        resolved = realpath(target, NULL);
    }
    if (!resolved)
        resolved = strdup(target);
    if (!resolved)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    *ret_resolved = resolved;
    return STATUS_OK;
}

static char *temporary_name(const char *target, unsigned attempt)
{
    const char *slash = strrchr(target, '/');
    size_t folder = slash ? (size_t)(slash - target) + 1 : 0;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = attempt; /* no entropy yet, early at boot */
    char *name;
    if (asprintf(&name, "%.*s.%.*s.tmp-%ld-%08x", (int)folder, target, NAME_BYTES, target + folder,
                 (long)getpid(), (unsigned)random) < 0)
        return NULL;
    return name;
}

/* Registered before it exists: a signal in between then removes nothing, while
 * the other order could leave a file behind. */
static enum status create_beside(struct temporary_file *file, struct error *err)
{
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        file->path = temporary_name(file->target, attempt);
        if (!file->path)
            return error_set(err, STATUS_NO_MEMORY, "out of memory");
        file->slot = slot_take(file->path);
        file->fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file->fd >= 0)
            return STATUS_OK;
        int reason = errno;
        slot_release(file->slot);
        free(file->path);
        file->path = NULL;
        if (reason != EEXIST)
            return error_set_errno(err, STATUS_OUTPUT, reason, "%s: cannot be written",
                                   file->target);
    }
    return error_set(err, STATUS_OUTPUT, "%s: no free name for a temporary file beside it",
                     file->target);
}

enum status temporary_file_create(const char *target, struct temporary_file *ret_file,
                                  struct error *err)
{
    struct temporary_file file = TEMPORARY_FILE_NONE;
    enum status status = resolve_target(target, &file.target, err);
    if (status == STATUS_OK)
        status = create_beside(&file, err);
    if (status != STATUS_OK) {
        free(file.target);
        return status;
    }
    *ret_file = file;
    return STATUS_OK;
}

enum status temporary_file_publish(struct temporary_file *file, struct error *err)
{
    enum status status = STATUS_OK;
    if (file->fd >= 0 && close(file->fd) != 0 && errno != EINTR)
        status = error_set_errno(err, STATUS_OUTPUT, errno, "%s: cannot be written", file->target);
    file->fd = -1;
    if (status == STATUS_OK && rename(file->path, file->target) != 0)
        status =
            error_set_errno(err, STATUS_OUTPUT, errno, "%s: cannot be put in place", file->target);
    if (status == STATUS_OK) {
        free(file->path);
        file->path = NULL;
    }
    temporary_file_deinit(file);
    return status;
}

void temporary_file_deinit(struct temporary_file *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->path)
        unlink(file->path);
    slot_release(file->slot);
    free(file->path);
    free(file->target);
    *file = TEMPORARY_FILE_NONE;
}
