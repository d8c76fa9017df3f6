/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/reports/picture_checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

unsigned occurrences(const char *text, const char *word)
{
    unsigned count = 0;
    while ((text = strstr(text, word))) {
        count++;
        text += strlen(word);
    }
    return count;
}

void assert_shown_not_obeyed(const struct text *svg)
{
    const char *string = text_string(svg);
    assert_int_equal(strlen(string), svg->size);
    assert_null(strchr(string, '\x1b'));
    assert_null(strchr(string, '\xff'));
    assert_null(strstr(string, "\u202e"));
    assert_null(strstr(string, "<img"));
    assert_int_equal(occurrences(string, "</style>"), 1);
    assert_non_null(strstr(string, "\\x1b[31m\\u202e\\xff"));
}
