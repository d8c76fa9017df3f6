/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_INPUT_SPARSE_FILE_H
#define INQUEST_FORMATS_INPUT_SPARSE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"

/* Blocks of zeros are holes, in pieces of this size. */
#define SPARSE_BLOCK_BYTES ((size_t)4096)

/* A file without a name, written once from its start: in $TMPDIR, else
 * /var/tmp, else /tmp, else in memory. */
struct sparse_file {
    int fd;
    uint64_t size;     /* written so far, holes included; a multiple of the block but at the end */
    uint64_t stored;   /* of it, bytes that are no holes */
    uint64_t checked;  /* `stored` when the file system's room was last looked at */
    char folder[4096]; /* where it is, for messages */
};

enum status sparse_file_create(struct sparse_file *ret_file, struct error *err) MUST_CHECK;
/* `size` is a multiple of SPARSE_BLOCK_BYTES, but for the last call. */
enum status sparse_file_append(struct sparse_file *file, const uint8_t *bytes, size_t size,
                               struct error *err) MUST_CHECK;
/* Gives the file its full size where it ends in a hole. */
enum status sparse_file_finish(struct sparse_file *file, struct error *err) MUST_CHECK;
void sparse_file_close(struct sparse_file *file);

#endif
