/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_CLI_MESSAGES_H
#define INQUEST_REPORTS_CLI_MESSAGES_H

#include <stdbool.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/status.h"

/* One line on standard error, "inquest: …"; control characters are shown. */
void message_print(const char *format, ...) PRINTF_LIKE(1, 2);

/* The index's warnings, "inquest: INPUT: …": the first few of them, or `all`. */
void warnings_print(struct index *index, const char *input, bool all);

#endif
