/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_GZIP_WRITER_H
#define INQUEST_FORMATS_GZIP_WRITER_H

#include <stddef.h>

#include "inquest/base/error.h"
#include "inquest/base/text.h"

/* Appends the bytes as one gzip member (RFC 1952) without a name or a time, so that the
 * same bytes give the same file. */
enum status gzip_append(struct text *text, const void *bytes, size_t size,
                        struct error *err) MUST_CHECK;

#endif
