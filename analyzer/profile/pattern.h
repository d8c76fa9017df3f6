/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_PROFILE_PATTERN_H
#define INQUEST_ANALYZER_PROFILE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/array.h"
#include "inquest/base/status.h"

/* Python's fnmatch: `*` and `?` stand for any characters, slashes among them, `[a-z]`
 * and `[!a-z]` for one of a set. There is no way to quote. Characters are code points;
 * bytes that are no UTF-8 are what Python's surrogateescape makes of them. */

enum pattern_kind { PATTERN_STAR, PATTERN_ANY, PATTERN_CHARACTER, PATTERN_SET };

struct pattern_range {
    uint32_t first, last;
};

struct pattern_part {
    enum pattern_kind kind;
    bool is_negated;    /* of a set */
    uint32_t character; /* of a set: its first range */
    uint32_t range_count;
};

struct pattern {
    ARRAY(struct pattern_part) parts;
    ARRAY(struct pattern_range) ranges;
};

enum status pattern_compile(const char *text, size_t size, struct pattern *ret_pattern) MUST_CHECK;
void pattern_deinit(struct pattern *pattern);
/* Whether all of the name matches. */
bool pattern_matches(const struct pattern *pattern, const char *name, size_t size);

/* The code point at bytes[*position], which moves past it. */
uint32_t pattern_next_character(const char *bytes, size_t size, size_t *position);

#endif
