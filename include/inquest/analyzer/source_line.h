/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_SOURCE_LINE_H
#define INQUEST_ANALYZER_SOURCE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/base/text.h"

/* Appends the text of a line of a Python source file, without the blanks around it, where
 * the file is at hand: a regular one below `sysroot` (NULL: as it is), whose name ends in
 * .py, for a recording may name any file. False, and nothing appended, where there is no
 * such line. */
bool source_line_append(const char *sysroot, const char *path, int32_t line, struct text *text);

#endif
