/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_TEMPORARY_FILE_H
#define INQUEST_BASE_TEMPORARY_FILE_H

#include "inquest/base/error.h"

/* A file that is written beside its target as ".NAME.tmp-PID-XXXXXXXX", mode 0600
 * from its first moment, and renamed over the target when it is whole. One that
 * is not published is removed, by temporary_file_deinit or, when a signal ends
 * the program, by temporary_files_remove. */
struct temporary_file {
    char *path;   /* NULL: nothing to remove */
    char *target; /* a symbolic link is followed: it stays one */
    int fd;       /* -1: closed */
    int slot;     /* in the list of files that a signal removes, -1: none */
};

#define TEMPORARY_FILE_NONE ((struct temporary_file){.fd = -1, .slot = -1})

/* STATUS_OUTPUT where the folder can't be written, or the target is something
 * else than a regular file. */
enum status temporary_file_create(const char *target, struct temporary_file *ret_file,
                                  struct error *err) MUST_CHECK;
/* Closes `fd` and renames; on failure nothing is left under either name that was
 * not there before. */
enum status temporary_file_publish(struct temporary_file *file, struct error *err) MUST_CHECK;
/* Closes, and removes what was not published. */
void temporary_file_deinit(struct temporary_file *file);

/* Removes all that are not published yet. For signal handlers: async-signal-safe. */
void temporary_files_remove(void);

#endif
