/* SPDX-License-Identifier: Apache-2.0 */
/* Text from a dump, in every place it can go to: nothing in it is interpreted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/render/escape.h"

static void one_line(struct text *text, const char *string)
{
    escape_terminal(text, string, ESCAPE_ONE_LINE);
}

static void many_lines(struct text *text, const char *string)
{
    escape_terminal(text, string, ESCAPE_KEEP_LINES);
}

static void markup(struct text *text, const char *string)
{
    escape_markup(text, string, ESCAPE_ONE_LINE);
}

static void code(struct text *text, const char *string)
{
    escape_markdown_code(text, string, false);
}

static void code_in_table(struct text *text, const char *string)
{
    escape_markdown_code(text, string, true);
}

static void fence(struct text *text, const char *string)
{
    markdown_fence(text, string, "py");
}

static void collapsed(struct text *text, const char *string)
{
    escape_collapsed(text, string, true);
}

static void collapsed_frames(struct text *text, const char *string)
{
    escape_collapsed(text, string, false);
}

typedef void (*escape_function)(struct text *text, const char *string);

static void check(escape_function function, const char *string, const char *expected)
{
    struct text text;
    text_init(&text);
    function(&text, string);
    assert_true(text_ok(&text));
    assert_string_equal(text_string(&text), expected);
    text_deinit(&text);
}

static void test_terminal(void **state)
{
    (void)state;
    check(one_line, NULL, "");
    check(one_line, "plain ünï 漢字 🐍", "plain ünï 漢字 🐍");
    check(one_line, "\x1b[31m\a\x7f", "\\x1b[31m\\x07\\x7f");
    check(one_line, "a\nb\tc\rd", "a\\nb\\tc\\rd");
    check(many_lines, "a\nb\tc\rd", "a\nb\\tc\\rd");
    check(one_line,
          "\xc2\x9b"
          "31m",
          "\\x9b31m"); /* CSI of C1 */
    check(one_line, "\u202e\u2066\u200f\ufeff\u2028", "\\u202e\\u2066\\u200f\\ufeff\\u2028");
    check(one_line, "\U000e0041\ufffe", "\\U000e0041\\ufffe");
    check(one_line, "a\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80", /* invalid, surrogate, too large */
          "a\\xff\\xc3(\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80");
    check(one_line, "cut \xe6\xbc", "cut \\xe6\\xbc");
}

/* What is no UTF-8 is read back as it was; what would steer a terminal does not pass. */
static void test_collapsed(void **state)
{
    (void)state;
    check(collapsed, "/srv/\xff\xfe/a;b.py", "/srv/\xff\xfe/a:b.py");
    check(collapsed, "\x1b[1m\n\u202e\xed\xb3\xbf", "\\x1b[1m\\n\\u202e\xed\xb3\xbf");
    check(collapsed_frames, "process 1;\xff", "process 1;\xff");
}

static void test_json(void **state)
{
    (void)state;
    check(escape_json, "\"\\/\n\r\t\x01\x7f", "\\\"\\\\/\\n\\r\\t\\u0001\\u007f");
    check(escape_json, "\u2028\u202e\U000e0041", "\\u2028\\u202e\\udb40\\udc41");
    check(escape_json, "x\xff", "x\\\\xff");
}

static void test_csv(void **state)
{
    (void)state;
    check(escape_csv, NULL, "");
    check(escape_csv, "plain", "plain");
    check(escape_csv, "a,b", "\"a,b\"");
    check(escape_csv, "say \"x\"", "\"say \"\"x\"\"\"");
    check(escape_csv, "two\nlines", "\"two\nlines\"");
    check(escape_csv, " x", "\" x\"");
    check(escape_csv, "=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
    check(escape_csv, "+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0");
    check(escape_csv, "@SUM", "'@SUM");
    check(escape_csv, "-1.5e3", "-1.5e3");
    check(escape_csv, "-1+1", "'-1+1");
    check(escape_csv, "\t=1", "\\t=1");
}

static void test_markdown(void **state)
{
    (void)state;
    check(escape_markdown, "*_`[x](y)<b>&#|~!$\\", /* nothing of it means anything */
          "\\*\\_\\`\\[x\\](y)&lt;b&gt;&amp;\\#&#124;\\~\\!\\$\\\\");
    check(escape_markdown, "@someone", "@<!-- -->someone");
    check(escape_markdown, "- item", "\\- item");
    check(escape_markdown, "12. item", "12\\. item");
    check(escape_markdown, "    code", "&#32;   code");
    check(escape_markdown, "a\nb", "a\\nb");
    check(code, "x | y", "`x | y`");
    check(code, "``` tick", "```` ``` tick ````");
    check(code, "`", "`` ` ``");
    check(code, "", "");
    check(code_in_table, "plain", "`plain`");
    check(code_in_table, "a\\|b*", "<code>a&#92;&#124;b&#42;</code>");
    check(fence, "x", "```py\nx\n```\n");
    check(fence, "a\n````\n", "`````py\na\n````\n`````\n");
}

static void test_markup(void **state)
{
    (void)state;
    check(markup, "<a href=\"x\" id='y'>&", "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
    check(markup, "a\nb\x1b\ufffe", "a\\nb\\x1b\\ufffe");
}

/* Whatever the bytes: the result is valid UTF-8 without controls, and text that was
 * cut anywhere is read within its bounds (the sanitizers watch). */
static void test_any_bytes(void **state)
{
    (void)state;
    static const escape_function functions[] = {
        one_line, escape_json, escape_csv, escape_markdown, code, markup, code_in_table};
    unsigned seed = 7;
    for (int round = 0; round < 4000; round++) {
        size_t size = (size_t)(rand_r(&seed) % 24);
        char *bytes = malloc(size + 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)(rand_r(&seed) % 255 + 1);
        bytes[size] = '\0';
        for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
            struct text text;
            text_init(&text);
            functions[f](&text, bytes);
            for (size_t at = 0; at < text.size;) {
                uint32_t c = 0;
                size_t length = utf8_decode(text.data + at, text.size - at, &c);
                assert_int_not_equal(length, 0);
                assert_true((c >= 0x20 || (c == '\n' && functions[f] == escape_csv)) &&
                            (c < 0x7F || c > 0x9F));
                at += length;
            }
            text_deinit(&text);
        }
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terminal),  cmocka_unit_test(test_json),
        cmocka_unit_test(test_csv),       cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_markup),    cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_collapsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
