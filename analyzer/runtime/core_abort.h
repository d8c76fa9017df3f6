/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_CORE_ABORT_H
#define INQUEST_ANALYZER_RUNTIME_CORE_ABORT_H

#include "analyzer/objects/object.h"

/* What asked for an abort, and its words. Each function appends the message and
 * returns true only where it is sure; `redaction` NULL: values are shown. */

/* ---- core_abort.c: what glibc leaves behind for debuggers: failed assertions and
 * its own checks of the heap. *ret_source: "assert()" or "glibc". */
bool abort_message_of_libc(const struct memory_image *image, struct redaction *redaction,
                           struct text *text, const char **ret_source);

/* ---- core_fatal.c: "Fatal Python error: FUNCTION: MESSAGE", as Python printed it. */
bool abort_message_of_python(const struct memory_image *image, struct redaction *redaction,
                             struct text *text);

#endif
