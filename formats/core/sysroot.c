/* SPDX-License-Identifier: Apache-2.0 */
/* Opens files that a dead process named. The names are hostile: only regular files
 * are opened, and within a sysroot nothing leads out of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "formats/core/image.h"
#include "inquest/base/cleanup.h"

#define LINKS_MAX 40
#define DEPTH_MAX 256

static int open_in_root(int root_fd, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
}

/* ---- The same by hand, for kernels before 5.6 and sandboxes without openat2. */

struct walk {
    int folders[DEPTH_MAX]; /* O_PATH descriptors; the root is the first */
    unsigned depth;
    unsigned links;
    char rest[PATH_MAX]; /* what is still to be walked */
    int result;          /* O_PATH descriptor of the last component */
};

static void walk_up(struct walk *walk)
{
    if (walk->depth > 1)
        close(walk->folders[--walk->depth]);
}

/* Puts a link's target before the rest of the way. */
static bool follow_link(struct walk *walk, int link_fd)
{
    char target[PATH_MAX];
    ssize_t size = readlinkat(link_fd, "", target, sizeof target - 1);
    size_t rest = strlen(walk->rest);
    if (size <= 0 || ++walk->links > LINKS_MAX || (size_t)size + rest + 2 > sizeof walk->rest) {
        errno = ELOOP;
        return false;
    }
    memmove(walk->rest + size + 1, walk->rest, rest + 1);
    memcpy(walk->rest, target, (size_t)size);
    walk->rest[size] = '/';
    while (target[0] == '/' && walk->depth > 1)
        walk_up(walk);
    return true;
}

/* Takes one component off the rest; false: nothing is left. */
static bool next_component(struct walk *walk, char name[NAME_MAX + 1], bool *ret_is_last)
{
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t size = strcspn(start, "/");
    if (!size || size > NAME_MAX)
        return false;
    memcpy(name, start, size);
    name[size] = '\0';
    const char *after = start + size;
    *ret_is_last = after[strspn(after, "/")] == '\0';
    memmove(walk->rest, after, strlen(after) + 1);
    return true;
}

static bool enter(struct walk *walk, const char *name, bool is_last)
{
    struct stat status;
    int fd = openat(walk->folders[walk->depth - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && S_ISLNK(status.st_mode)) {
        bool fine = follow_link(walk, fd);
        close(fd);
        return fine;
    }
    if (is_last) {
        walk->result = fd;
    } else if (walk->depth < DEPTH_MAX) {
        walk->folders[walk->depth++] = fd;
    } else {
        close(fd);
        errno = ENAMETOOLONG;
        return false;
    }
    return true;
}

static bool walk_path(struct walk *walk)
{
    char name[NAME_MAX + 1];
    bool is_last;
    while (walk->result < 0) {
        if (!next_component(walk, name, &is_last)) {
            errno = ENOENT;
            return false;
        }
        if (!strcmp(name, "..")) {
            walk_up(walk);
        } else if (strcmp(name, ".") != 0 && !enter(walk, name, is_last)) {
            return false;
        }
    }
    return true;
}

/* An O_PATH descriptor, found without openat2. */
static int walk_in_root(int root_fd, const char *path)
{
    struct walk walk = {.folders = {root_fd}, .depth = 1, .result = -1};
    if (strlen(path) >= sizeof walk.rest) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(walk.rest, path);
    bool fine = walk_path(&walk);
    int error = errno;
    while (walk.depth > 1)
        walk_up(&walk);
    errno = error;
    return fine ? walk.result : -1;
}

/* ---- Opening. */

static int locate(int root_fd, const char *path)
{
    if (root_fd < 0)
        return open(path, O_PATH | O_CLOEXEC);
    int fd = open_in_root(root_fd, path, O_PATH);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = walk_in_root(root_fd, path);
    return fd;
}

/* From O_PATH to readable, without going by the name again. */
static int reopen(int path_fd)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", path_fd);
    return open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

int open_regular(int root_fd, const char *path)
{
    CLEANUP_CLOSE int path_fd = locate(root_fd, path);
    struct stat status;
    if (path_fd < 0 || fstat(path_fd, &status) != 0)
        return -1;
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    int fd = reopen(path_fd);
    if (fd < 0 && errno == ENOENT && root_fd < 0) /* no /proc here */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd;
}
