/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_INPUT_FINGERPRINT_H
#define INQUEST_FORMATS_INPUT_FINGERPRINT_H

#include <stdint.h>
#include <sys/stat.h>

#include "inquest/base/error.h"

/* Tells one stored file, in one state, from others: 32 hex digits over its size,
 * mtime, device, inode, first and last 64 KiB, and 16 samples of 4 KiB between.
 * It finds an index again; it is no proof against someone who forges a file. */
enum status fingerprint_file(int fd, const struct stat *status_of_file, char ret_fingerprint[33],
                             struct error *err) MUST_CHECK;
/* Of bytes that came through a pipe. */
void fingerprint_bytes(const uint8_t *bytes, uint64_t size, char ret_fingerprint[33]);

#endif
