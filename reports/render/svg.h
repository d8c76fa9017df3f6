/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_SVG_H
#define INQUEST_REPORTS_RENDER_SVG_H

#include <stddef.h>

#include "inquest/base/text.h"

/* What all pictures write. */

/* ' x="12.5"', with a leading space. Four decimals: enough to zoom in to one thousandth. */
void svg_write_attribute(struct text *text, const char *name, double value);
/* Text of a dump, on one line, cut to so many columns. NULL is "". */
void svg_write_text(struct text *text, const char *string, size_t columns);
/* The columns that it takes, at most `most`. */
size_t svg_columns(const char *string, size_t most);

#endif
