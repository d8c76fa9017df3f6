/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_INDEX_OPEN_H
#define INQUEST_ANALYZER_INDEX_INDEX_OPEN_H

#include <stdint.h>

#include "inquest/analyzer/index.h"

/* For the session: an index that is no plain file, but wrapped or from a pipe.
 * `bytes` stay until release(context), which is called when the index is closed,
 * or at once where it can't be opened. */
enum status index_open_bytes(const char *name, const uint8_t *bytes, uint64_t size,
                             void (*release)(void *context), void *context,
                             struct index **ret_index, struct error *err) MUST_CHECK;

/* Copies an index as it is to `path`, atomically, and opens the copy. */
enum status index_copy(struct index *index, const char *path, struct index **ret_index,
                       struct error *err) MUST_CHECK;

#endif
