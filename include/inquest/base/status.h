/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_STATUS_H
#define INQUEST_BASE_STATUS_H

/* What became of an operation. The kinds stay distinct on the whole way up,
 * because a user acts differently on each of them. */
enum status {
    STATUS_OK = 0,
    STATUS_NOT_IN_DUMP, /* the dump does not hold these bytes: an answer, not a fault */
    STATUS_CORRUPT,     /* the bytes contradict their format or each other */
    STATUS_UNSUPPORTED, /* well-formed, but of a kind we do not read */
    STATUS_OVER_LIMIT,  /* a bound of limits.h was met */
    STATUS_IO,          /* the operating system could not read */
    STATUS_OUTPUT,      /* the answer could not be written */
    STATUS_NO_MEMORY,
    STATUS_USAGE, /* the caller, in the end the command line, asked wrongly */
};

#define MUST_CHECK                       __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first) __attribute__((format(printf, format_index, first)))

/* One lower-case word or two for each status, for messages. Static storage. */
const char *status_name(enum status status);

#endif
