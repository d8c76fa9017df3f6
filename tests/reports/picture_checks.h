/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_TESTS_REPORTS_PICTURE_CHECKS_H
#define INQUEST_TESTS_REPORTS_PICTURE_CHECKS_H

#include "inquest/base/text.h"

/* How often `word` stands in `text`. */
unsigned occurrences(const char *text, const char *word);

/* Fails where names of "\x1b[31m<U+202E>\xff" and markup are not shown but obeyed in an SVG. */
void assert_shown_not_obeyed(const struct text *svg);

#endif
