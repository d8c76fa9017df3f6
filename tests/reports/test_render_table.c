/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "reports/render/table.h"

static const struct column columns[] = {
    {"type", "Type", COLUMN_PLAIN},
    {"count", NULL, COLUMN_COUNT},
    {"bytes", "Size", COLUMN_BYTES},
    {"address", NULL, COLUMN_ADDRESS},
};

static void fill(struct table *table)
{
    table_init(table, columns, 4);
    table_string(table, "shop.Order");
    table_integer(table, 1234567);
    table_integer(table, 1536);
    table_integer(table, 0x7f00);
    table_string(table, "漢字|\x1b");
    table_integer(table, -5);
    table_null(table);
    table_null(table);
}

static void check(const struct text *text, const char *expected)
{
    assert_true(text_ok(text));
    assert_string_equal(text_string(text), expected);
}

static void test_forms(void **state)
{
    (void)state;
    struct table table;
    struct text text;
    struct json_writer json;
    fill(&table);
    assert_int_equal(table_row_count(&table), 2);
    text_init(&text);
    table_render_text(&table, 0, &text);
    check(&text, "Type            count     Size  address\n"
                 "shop.Order  1,234,567  1.5 KiB   0x7f00\n"
                 "漢字|\\x1b          -5\n");
    text_clear(&text);
    table_render_csv(&table, &text);
    check(&text, "type,count,bytes,address\r\nshop.Order,1234567,1536,0x7f00\r\n"
                 "漢字|\\x1b,-5,,\r\n");
    text_clear(&text);
    table_render_markdown(&table, &text);
    check(&text, "| Type | count | Size | address |\n| --- | ---: | ---: | ---: |\n"
                 "| `shop.Order` | 1,234,567 | 1.5 KiB | 0x7f00 |\n"
                 "| <code>漢字&#124;\\x1b</code> | -5 |  |  |\n");
    text_clear(&text);
    json_init(&json, &text);
    table_render_json(&table, &json);
    assert_true(json_finish(&json));
    check(&text, "[{\"type\":\"shop.Order\",\"count\":1234567,\"bytes\":1536,"
                 "\"address\":\"0x7f00\"},{\"type\":\"漢字|\\u001b\",\"count\":-5,"
                 "\"bytes\":null,\"address\":null}]\n");
    text_deinit(&text);
    table_deinit(&table);
}

/* The widest text gives way; numbers never do. */
static void test_bounded_width(void **state)
{
    (void)state;
    static const struct column three[] = {
        {"a", NULL, COLUMN_PLAIN}, {"b", NULL, COLUMN_PLAIN}, {"n", NULL, COLUMN_COUNT}};
    struct table table;
    struct text text;
    table_init(&table, three, 3);
    table_string(&table, "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"); /* 40 columns */
    table_string(&table, "a value of thirty characters..");
    table_integer(&table, 1000000);
    text_init(&text);
    table_render_text(&table, 50, &text);
    for (const char *line = text_string(&text); *line; line = strchr(line, '\n') + 1) {
        char copy[200] = {0};
        memcpy(copy, line, (size_t)(strchr(line, '\n') - line));
        assert_true(display_width(copy) <= 50);
    }
    assert_non_null(strstr(text_string(&text), "…"));
    assert_non_null(strstr(text_string(&text), "1,000,000"));
    text_clear(&text);
    table_render_text(&table, 1, &text); /* narrower than can be: no hang, no crash */
    assert_true(text_ok(&text));
    text_deinit(&text);
    table_deinit(&table);
}

static void test_empty(void **state)
{
    (void)state;
    struct table table;
    struct text text;
    text_init(&text);
    table_init(&table, columns, 2);
    table_render_text(&table, 80, &text);
    check(&text, "Type  count\n");
    table_deinit(&table);
    text_clear(&text);
    table_init(&table, columns, 0);
    table_render_text(&table, 80, &text);
    check(&text, "");
    table_deinit(&table);
    text_deinit(&text);
}

static void test_widths(void **state)
{
    (void)state;
    struct text text;
    assert_int_equal(display_width("abc"), 3);
    assert_int_equal(display_width("é"), 1);
    assert_int_equal(display_width("e\u0301"), 1); /* a combining accent */
    assert_int_equal(display_width("漢字"), 4);
    assert_int_equal(display_width("🐍"), 2);
    assert_int_equal(display_width("한"), 2);
    text_init(&text);
    append_fitted(&text, "漢字漢", 5, true);
    check(&text, "漢字…");
    text_clear(&text);
    append_fitted(&text, "漢字漢", 4, true); /* half a character can't be shown */
    check(&text, "漢… ");
    text_clear(&text);
    append_fitted(&text, "ab", 4, true);
    check(&text, "ab  ");
    text_clear(&text);
    append_fitted(&text, "abcd", 4, false);
    check(&text, "abcd");
    text_deinit(&text);
}

static void check_bytes(int64_t bytes, const char *expected)
{
    struct text text;
    text_init(&text);
    format_bytes(&text, bytes);
    check(&text, expected);
    text_deinit(&text);
}

static void check_seconds(double seconds, const char *expected)
{
    struct text text;
    text_init(&text);
    format_seconds(&text, seconds);
    check(&text, expected);
    text_deinit(&text);
}

static void test_numbers(void **state)
{
    (void)state;
    struct text text;
    check_bytes(0, "0 B");
    check_bytes(1023, "1023 B");
    check_bytes(1024, "1.0 KiB");
    check_bytes(1048575, "1.0 MiB"); /* not 1,024.0 KiB */
    check_bytes(-1536, "-1.5 KiB");
    check_bytes(INT64_MAX, "8,388,608.0 TiB");
    check_bytes(INT64_MIN, "-8,388,608.0 TiB");
    check_seconds(0, "0 s");
    check_seconds(0.0000123, "12.3 µs");
    check_seconds(0.5, "500 ms");
    check_seconds(1.234, "1.23 s");
    check_seconds(59.99, "1 min 00 s");
    check_seconds(7384, "2 h 03 min");
    check_seconds(NAN, "unknown");
    text_init(&text);
    format_count(&text, INT64_MIN);
    check(&text, "-9,223,372,036,854,775,808");
    text_clear(&text);
    format_share(&text, 0.1234);
    format_share(&text, 0.0001);
    format_share(&text, 0);
    check(&text, "12.3 %<0.1 %0.0 %");
    text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_bounded_width),
        cmocka_unit_test(test_empty),   cmocka_unit_test(test_widths),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
