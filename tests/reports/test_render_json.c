/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "reports/render/json.h"

static void test_document(void **state)
{
    (void)state;
    struct text text;
    struct json_writer json;
    text_init(&text);
    json_init(&json, &text);
    json_begin_object(&json);
    json_member_string(&json, "name", "a\"b\x1b");
    json_member_string(&json, "none", NULL);
    json_member_integer(&json, "low", INT64_MIN);
    json_member_integer(&json, "zero", 0);
    json_member_bool(&json, "yes", true);
    json_member_address(&json, "at", UINT64_C(0x7f00deadbeef));
    json_member_address(&json, "nil", 0);
    json_key(&json, "re\"als");
    json_begin_array(&json);
    json_real(&json, 0.1);
    json_real(&json, 1e300);
    json_real(&json, NAN);
    json_real(&json, INFINITY);
    json_begin_array(&json);
    json_end_array(&json);
    json_begin_object(&json);
    json_end_object(&json);
    json_end_array(&json);
    json_end_object(&json);
    assert_true(json_finish(&json));
    assert_string_equal(text_string(&text),
                        "{\"name\":\"a\\\"b\\u001b\",\"none\":null,\"low\":-9223372036854775808,"
                        "\"zero\":0,\"yes\":true,\"at\":\"0x7f00deadbeef\",\"nil\":\"0x0\","
                        "\"re\\\"als\":[0.1,1e+300,null,null,[],{}]}\n");
    text_deinit(&text);
}

/* Strings around the size up to which they are put together at once. */
static void test_long_strings(void **state)
{
    (void)state;
    for (size_t size = 230; size < 260; size++) {
        char string[300];
        struct text text;
        struct json_writer json;
        text_init(&text);
        json_init(&json, &text);
        memset(string, 'x', size);
        string[size] = '\0';
        json_string(&json, string);
        assert_true(json_finish(&json));
        assert_int_equal(text.size, size + 3);
        assert_memory_equal(text.data + 1, string, size);
        assert_string_equal(text.data + size + 1, "\"\n");
        text_deinit(&text);
    }
}

static void begin(struct json_writer *json, struct text *text)
{
    text_deinit(text);
    json_init(json, text);
}

/* Each of these would write something that is no JSON. */
static void test_wrong_nesting(void **state)
{
    (void)state;
    struct text text;
    struct json_writer json;
    text_init(&text);
    begin(&json, &text); /* nothing at all */
    assert_false(json_finish(&json));
    begin(&json, &text); /* not ended */
    json_begin_array(&json);
    assert_false(json_finish(&json));
    begin(&json, &text); /* ended as something else */
    json_begin_array(&json);
    json_end_object(&json);
    assert_false(json_finish(&json));
    begin(&json, &text); /* a value without a key */
    json_begin_object(&json);
    json_null(&json);
    assert_false(json_finish(&json));
    begin(&json, &text); /* a key without a value */
    json_begin_object(&json);
    json_key(&json, "x");
    json_end_object(&json);
    assert_false(json_finish(&json));
    begin(&json, &text); /* two keys */
    json_begin_object(&json);
    json_key(&json, "x");
    json_key(&json, "y");
    assert_false(json_finish(&json));
    begin(&json, &text); /* two documents */
    json_null(&json);
    json_null(&json);
    assert_false(json_finish(&json));
    begin(&json, &text); /* a key in an array */
    json_begin_array(&json);
    json_key(&json, "x");
    assert_false(json_finish(&json));
    begin(&json, &text); /* too deep */
    for (int i = 0; i <= JSON_MAX_DEPTH; i++)
        json_begin_array(&json);
    for (int i = 0; i <= JSON_MAX_DEPTH; i++)
        json_end_array(&json);
    assert_false(json_finish(&json));
    text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_long_strings),
        cmocka_unit_test(test_wrong_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
