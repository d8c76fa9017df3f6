/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_COMMANDS_PROFILE_HTML_H
#define INQUEST_REPORTS_COMMANDS_PROFILE_HTML_H

#include "inquest/base/error.h"
#include "inquest/formats/profile.h"
#include "reports/commands/gates.h"

/* The page of a recording: summary, hot functions with who calls them and whom they call,
 * a flame graph; of tracemalloc the lines with their text where the file is at hand, but not
 * with --redact: literals stand there. */
enum status profile_render_html(const struct profile *profile, const struct gates *gates,
                                const struct options *options, struct text *text,
                                struct error *err) MUST_CHECK;

#endif
