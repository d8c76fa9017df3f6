/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/input/sparse_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Room that is left to the others on the file system, and how often it is checked. */
#define RESERVED_BYTES   ((uint64_t)16 << 20)
#define ROOM_CHECK_BYTES ((uint64_t)32 << 20)
#define ROOM_FIRST_CHECK ((uint64_t)1 << 20)

static int open_unlinked(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char name[4200];
    int size = snprintf(name, sizeof name, "%s/inquest-XXXXXX", folder);
    if (size < 0 || (size_t)size >= sizeof name)
        return -1;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

enum status sparse_file_create(struct sparse_file *ret_file, struct error *err)
{
    const char *folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    struct sparse_file file = {.fd = -1};
    for (size_t i = 0; i < sizeof folders / sizeof *folders && file.fd < 0; i++) {
        if (!folders[i] || folders[i][0] != '/' || strlen(folders[i]) >= sizeof file.folder)
            continue;
        file.fd = open_unlinked(folders[i]);
        if (file.fd >= 0)
            strcpy(file.folder, folders[i]);
    }
    if (file.fd < 0) {
        file.fd = memfd_create("inquest", MFD_CLOEXEC);
        strcpy(file.folder, "memory");
    }
    if (file.fd < 0)
        return error_set_errno(err, STATUS_IO, errno,
                               "no temporary file to unwrap into: set TMPDIR to a writable folder");
    *ret_file = file;
    return STATUS_OK;
}

static enum status no_room(const struct sparse_file *file, struct error *err)
{
    return error_set(err, STATUS_IO,
                     "no room in %s for the unwrapped bytes (%llu written): set TMPDIR to a "
                     "folder with more room",
                     file->folder, (unsigned long long)file->stored);
}

/* A full /tmp is everybody's trouble: stop while there is still some room. */
static enum status check_room(struct sparse_file *file, struct error *err)
{
    uint64_t step = file->checked ? ROOM_CHECK_BYTES : ROOM_FIRST_CHECK;
    if (file->stored - file->checked < step)
        return STATUS_OK;
    file->checked = file->stored;
    struct statvfs room;
    if (fstatvfs(file->fd, &room) != 0 || !room.f_blocks)
        return STATUS_OK; /* a file system that can't tell */
    uint64_t left;
    if (__builtin_mul_overflow((uint64_t)room.f_bavail, (uint64_t)room.f_frsize, &left))
        return STATUS_OK;
    return left < RESERVED_BYTES ? no_room(file, err) : STATUS_OK;
}

static enum status write_at(struct sparse_file *file, const uint8_t *bytes, size_t size,
                            uint64_t position, struct error *err)
{
    while (size) {
        ssize_t written = pwrite(file->fd, bytes, size, (off_t)position);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && (errno == ENOSPC || errno == EDQUOT))
            return no_room(file, err);
        if (written <= 0)
            return error_set_errno(err, STATUS_IO, errno, "the temporary file in %s", file->folder);
        bytes += written;
        size -= (size_t)written;
        position += (uint64_t)written;
        file->stored += (uint64_t)written;
    }
    return STATUS_OK;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return !size || (!bytes[0] && !memcmp(bytes, bytes + 1, size - 1));
}

static size_t block_at(size_t position, size_t size)
{
    return size - position < SPARSE_BLOCK_BYTES ? size - position : SPARSE_BLOCK_BYTES;
}

enum status sparse_file_append(struct sparse_file *file, const uint8_t *bytes, size_t size,
                               struct error *err)
{
    for (size_t position = 0; position < size;) {
        size_t start = position;
        while (position < size && !all_zero(bytes + position, block_at(position, size)))
            position += block_at(position, size);
        enum status status =
            write_at(file, bytes + start, position - start, file->size + start, err);
        if (status != STATUS_OK)
            return status;
        while (position < size && all_zero(bytes + position, block_at(position, size)))
            position += block_at(position, size);
    }
    file->size += size;
    return check_room(file, err);
}

enum status sparse_file_finish(struct sparse_file *file, struct error *err)
{
    if (ftruncate(file->fd, (off_t)file->size) != 0)
        return error_set_errno(err, STATUS_IO, errno, "the temporary file in %s", file->folder);
    return STATUS_OK;
}

void sparse_file_close(struct sparse_file *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
