/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_ERROR_H
#define INQUEST_BASE_ERROR_H

#include "inquest/base/status.h"

/* Owned by the caller, filled where a failure is noticed, prefixed on the way
 * up: "a.core: segment 2: note 3 claims 900 bytes, 12 left". The message is
 * cut, never overrun. Functions accept NULL where the caller wants no words. */
struct error {
    enum status status;
    char message[1024];
};

/* Fills `err` and returns `status`, so that a function can end with it. */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* As error_set, with strerror(errno_value) appended after ": ". */
enum status error_set_errno(struct error *err, enum status status, int errno_value,
                            const char *format, ...) PRINTF_LIKE(4, 5);

/* Puts "text: " before the message; returns err->status (STATUS_OK for NULL). */
enum status error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
