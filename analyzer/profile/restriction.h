/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_RESTRICTION_H
#define INQUEST_ANALYZER_PROFILE_RESTRICTION_H

#include <regex.h>
#include <stdbool.h>

#include "inquest/base/error.h"
#include "inquest/base/text.h"

/* What print_stats takes to show less. */
enum restriction_kind { RESTRICTION_COUNT, RESTRICTION_PART, RESTRICTION_PATTERN };

struct restriction {
    enum restriction_kind kind;
    int64_t count;
    double part;
    bool is_valid; /* the pattern is one: pstats shows all where it is not */
    regex_t pattern;
};

/* A whole number, a number from 0 to 1, or Python's regular expression. STATUS_USAGE for
 * an expression that is one in Python and can't be searched for here. */
enum status restriction_parse(const char *text, struct restriction *ret_restriction,
                              struct error *err) MUST_CHECK;
void restriction_deinit(struct restriction *restriction);

/* As Python's repr writes it. */
void restriction_repr(const char *text, const struct restriction *restriction,
                      struct text *ret_repr);

/* Python's regular expression as POSIX's extended one. False where that has no words
 * for it: back references, looking ahead and behind, flags. */
bool regular_expression_translate(const char *pattern, struct text *ret_posix);

#endif
