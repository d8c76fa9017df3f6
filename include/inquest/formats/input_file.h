/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_INPUT_FILE_H
#define INQUEST_FORMATS_INPUT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/base/error.h"
#include "inquest/base/progress.h"

enum input_wrapper { INPUT_PLAIN, INPUT_GZIP, INPUT_LZ4, INPUT_ZSTD };

/* A dump's plain bytes, mapped read-only. A wrapped input, or one that can't be
 * mapped (a pipe), is unwrapped once, sparsely, into an unlinked temporary file.
 * The file is opened read-only and never written. */
struct input_file {
    const char *name;    /* as the user wrote it; "-" is standard input */
    const uint8_t *data; /* the plain bytes; never NULL */
    uint64_t size;       /* of the plain bytes */
    enum input_wrapper wrapper;
    bool cut_short;       /* the wrapper's stream ended early: `data` is what came out */
    uint64_t stored_size; /* of the file as stored, 0 for a pipe */
    int64_t modified_ns;  /* mtime since the epoch, 0 for a pipe */
    char fingerprint[33]; /* hex: size, mtime, inode and sampled content of the stored
                              file; of a pipe, size and samples of the plain bytes */
    int fd;               /* of the plain bytes */
    bool is_mapped;       /* `data` is a mapping of it, as input_file_open leaves it */
};

/* Opens, recognises the wrapper by content, unwraps and maps. A directory, an
 * unreadable or empty file and a damaged wrapper are errors that say what to do. */
enum status input_file_open(const char *name, struct progress *progress,
                            struct input_file *ret_file, struct error *err) MUST_CHECK;
void input_file_close(struct input_file *file);

/* For who reads from start to end: the bytes from `from` up to `to` are not needed soon. They
 * stay readable, and take no memory until they are read again. */
void input_file_forget(const struct input_file *file, uint64_t from, uint64_t to);

/* The fingerprint alone, without unwrapping: what finds an index in the cache. */
enum status input_file_fingerprint(const char *name, char ret_fingerprint[33],
                                   struct error *err) MUST_CHECK;

const char *input_wrapper_name(enum input_wrapper wrapper);

/* What the plain bytes are, told from their content alone. */
enum input_kind { INPUT_UNKNOWN, INPUT_CORE, INPUT_INDEX, INPUT_PROFILE };
enum input_kind input_file_kind(const struct input_file *file);

/* The kind by the first bytes of a regular file, unwrapped as far as that takes:
 * INPUT_CORE, INPUT_INDEX, or INPUT_UNKNOWN for anything else and for pipes. */
enum input_kind input_file_peek(const char *name);

#endif
