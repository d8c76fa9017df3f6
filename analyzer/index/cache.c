/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/cleanup.h"
#include "inquest/base/fnv.h"
#include "inquest/base/text.h"
#include "inquest_config.h"

static uint64_t hash_state(uint64_t hash, const struct stat *status)
{
    const uint64_t state[] = {(uint64_t)status->st_dev, (uint64_t)status->st_ino,
                              (uint64_t)status->st_size, (uint64_t)status->st_mtim.tv_sec,
                              (uint64_t)status->st_mtim.tv_nsec};
    return fnv64(hash, state, sizeof state);
}

uint64_t cache_file_state(const char *sysroot, const char *path)
{
    char whole[PATH_MAX];
    struct stat status;
    int size = snprintf(whole, sizeof whole, "%s%s", sysroot ? sysroot : "", path);
    if (size < 0 || (size_t)size >= sizeof whole || stat(whole, &status) != 0)
        return 0;
    return hash_state(fnv64(FNV64_START, path, strlen(path)), &status);
}

/* NULL and "" differ; a relative path means another file in another folder. */
static uint64_t hash_path(uint64_t hash, const char *path)
{
    char *absolute = path ? realpath(path, NULL) : NULL;
    const char *name = absolute ? absolute : path;
    hash = name ? fnv64(hash, name, strlen(name) + 1) : fnv64(hash, "\xFF", 1);
    free(absolute);
    return hash;
}

/* This very build: another one may find more in the same dump. */
static uint64_t hash_program(uint64_t hash)
{
    struct stat status;
    hash = fnv64(hash, INQUEST_VERSION, sizeof INQUEST_VERSION);
    return stat("/proc/self/exe", &status) == 0 ? hash_state(hash, &status) : hash;
}

static enum status folder_text(struct text *folder, struct error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/')
        text_printf(folder, "%s/inquest", cache);
    else if (home && *home == '/')
        text_printf(folder, "%s/.cache/inquest", home);
    else
        return error_set(err, STATUS_OUTPUT, "neither XDG_CACHE_HOME nor HOME names a folder");
    return text_ok(folder) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

/* Makes the folder and those above it. */
static enum status make_folders(char *path, struct error *err)
{
    for (char *slash = path + 1;; slash++) {
        slash = strchrnul(slash, '/');
        char kept = *slash;
        *slash = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        if (!made)
            error_set_errno(err, STATUS_OUTPUT, errno, "%s", path);
        *slash = kept;
        if (!made)
            return STATUS_OUTPUT;
        if (!kept)
            return STATUS_OK;
    }
}

/* Only a folder that is ours alone: what lies in it is trusted, and holds secrets. */
static enum status claim_folder(const char *path, struct error *err)
{
    struct stat status;
    int CLEANUP_CLOSE fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_set_errno(err, STATUS_OUTPUT, errno, "%s", path);
    if (status.st_uid != geteuid())
        return error_set(err, STATUS_OUTPUT, "%s belongs to another user", path);
    if (status.st_mode & 077 && fchmod(fd, 0700) != 0)
        return error_set_errno(err, STATUS_OUTPUT, errno, "%s", path);
    return STATUS_OK;
}

enum status cache_path(const struct cache_key *key, char **ret_path, struct error *err)
{
    struct text path;
    text_init(&path);
    enum status status = folder_text(&path, err);
    if (status == STATUS_OK)
        status = make_folders(path.data, err);
    if (status == STATUS_OK)
        status = claim_folder(path.data, err);
    uint64_t hash = hash_path(hash_path(hash_program(FNV64_START), key->sysroot), key->executable);
    text_printf(&path, "/%s-%d%s%s-%016llx.index", key->fingerprint, INDEX_SCHEMA_VERSION,
                key->heap ? "-heap" : "", key->redact ? "-redacted" : "", (unsigned long long)hash);
    if (status == STATUS_OK && !text_ok(&path))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (status == STATUS_OK)
        *ret_path = path.data;
    else
        text_deinit(&path);
    return status;
}
