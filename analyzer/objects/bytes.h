/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_BYTES_H
#define INQUEST_ANALYZER_OBJECTS_BYTES_H

#include "analyzer/objects/fields.h"

/* As bytes_view, of a bytearray. *ret_size is the whole size, of which the view
 * holds at most `limit` bytes. */
enum status bytearray_view(struct python_process *process, uint64_t addr, uint64_t limit,
                           const uint8_t **ret_bytes, uint64_t *ret_size) MUST_CHECK;

#endif
