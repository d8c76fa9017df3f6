/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_CACHE_H
#define INQUEST_ANALYZER_INDEX_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/base/error.h"

/* What an index in the cache depends on, beside this program itself. */
struct cache_key {
    const char *fingerprint; /* of the dump */
    const char *sysroot;     /* NULL: none given */
    const char *executable;  /* NULL: none given */
    bool redact;
    bool heap; /* with the object graph */
};

/* Where the index for `key` is or would be: $XDG_CACHE_HOME/inquest or
 * ~/.cache/inquest, made with mode 0700 where it is missing. The caller frees
 * the path. STATUS_OUTPUT says why there is no cache. */
enum status cache_path(const struct cache_key *key, char **ret_path, struct error *err) MUST_CHECK;

/* A number for the state (device, inode, size, mtime) of the file that the dead
 * process knew as `path`, 0 for one that is not there. Summed over all files that
 * an index was made with, it tells whether they are still the same. */
uint64_t cache_file_state(const char *sysroot, const char *path);

#endif
