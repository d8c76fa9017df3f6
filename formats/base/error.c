/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *status_name(enum status status)
{
    switch (status) {
    case STATUS_OK: return "ok";
    case STATUS_NOT_IN_DUMP: return "not in the dump";
    case STATUS_CORRUPT: return "damaged";
    case STATUS_UNSUPPORTED: return "not supported";
    case STATUS_OVER_LIMIT: return "over a limit";
    case STATUS_IO: return "not readable";
    case STATUS_OUTPUT: return "not writable";
    case STATUS_NO_MEMORY: return "out of memory";
    case STATUS_USAGE: return "wrong usage";
    }
    return "unknown";
}

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    if (!err)
        return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    err->status = status;
    return status;
}

enum status error_set_errno(struct error *err, enum status status, int errno_value,
                            const char *format, ...)
{
    if (!err)
        return status;
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    if (used >= 0 && (size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s",
                 strerror(errno_value));
    err->status = status;
    return status;
}

enum status error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return STATUS_OK;
    char prefix[sizeof err->message], old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    size_t used = strnlen(prefix, sizeof prefix - 3), left = sizeof err->message - used - 2;
    size_t kept = strnlen(old, left - 1);
    memcpy(err->message, prefix, used);
    memcpy(err->message + used, ": ", 2);
    memcpy(err->message + used + 2, old, kept);
    err->message[used + 2 + kept] = '\0';
    return err->status;
}
