/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_PROFILE_HTML_H
#define INQUEST_REPORTS_COMMANDS_PROFILE_HTML_H

#include "inquest/base/error.h"
#include "inquest/formats/profile.h"
#include "reports/commands/gates.h"

/* The page of a recording: summary, hot functions with who calls them and whom they call,
 * a flame graph; of tracemalloc the lines with their text where the file is at hand, but not
 * with --redact: literals stand there. */
enum status profile_render_html(const struct profile *profile, const char *input,
                                const struct gates *gates, const struct options *options,
                                struct text *text, struct error *err) MUST_CHECK;

/* source_lines.c: one line of a file's text, without what is around it; false where the
 * file is not at hand. Files are kept open for the next line. */
struct source_lines;
struct source_lines *source_lines_create(const char *sysroot);
void source_lines_destroy(struct source_lines *lines);
bool source_line(struct source_lines *lines, const char *file, int32_t line, struct text *text);

#endif
