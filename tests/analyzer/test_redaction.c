/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens for values: equal for equal ones, numbered as met, and nothing else shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/objects_fixture.h"

static const char *token(struct redaction *redaction, const char *kind, uint64_t length,
                         const void *bytes, size_t size)
{
    static char text[64];
    struct text token;
    text_init(&token);
    redaction_token(redaction, kind, length, bytes, size, &token);
    snprintf(text, sizeof text, "%s", text_string(&token));
    text_deinit(&token);
    return text;
}

static void equal_values_get_equal_tokens(void **state)
{
    (void)state;
    struct redaction *redaction = redaction_create();
    assert_non_null(redaction);
    assert_string_equal(token(redaction, "str", 3, "abc", 3), "<str 3 #1>");
    assert_string_equal(token(redaction, "str", 3, "abd", 3), "<str 3 #2>");
    assert_string_equal(token(redaction, "bytes", 3, "abc", 3), "<bytes 3 #3>");
    assert_string_equal(token(redaction, "str", 1, "abc", 3), "<str 1 #4>");
    assert_string_equal(token(redaction, "float", REDACTION_NO_LENGTH, "12345678", 8),
                        "<float #5>");
    assert_string_equal(token(redaction, "str", 3, "abc", 3), "<str 3 #1>");
    assert_string_equal(token(redaction, "str", 0, "", 0), "<str 0 #6>");
    redaction_destroy(redaction);
    redaction_destroy(NULL);
}

static void many_values(void **state)
{
    (void)state;
    struct redaction *redaction = redaction_create();
    char expected[64];
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 5000; i++) {
            snprintf(expected, sizeof expected, "<int 4 #%u>", i + 1);
            assert_string_equal(token(redaction, "int", 4, &i, sizeof i), expected);
        }
    }
    redaction_destroy(redaction);
}

/* Of a large value the ends and samples count; sizes near the bound are whole. */
static void large_values(void **state)
{
    (void)state;
    struct redaction *redaction = redaction_create();
    const size_t sizes[] = {(1 << 20) - 1, 1 << 20, (1 << 20) + 1, (1 << 22) + 5};
    uint8_t *value = calloc(1, (1 << 22) + 5);
    assert_non_null(value);
    for (size_t i = 0; i < 4; i++) {
        char first[64];
        snprintf(first, sizeof first, "%s", token(redaction, "str", 9, value, sizes[i]));
        assert_string_equal(token(redaction, "str", 9, value, sizes[i]), first);
        value[sizes[i] - 1] = 1;
        assert_string_not_equal(token(redaction, "str", 9, value, sizes[i]), first);
        value[sizes[i] - 1] = 0;
    }
    value[500000] = 1;
    assert_string_equal(token(redaction, "str", 9, value, sizes[1]), "<str 9 #9>");
    free(value);
    redaction_destroy(redaction);
}

static void redact(struct objects *objects)
{
    objects_open(objects);
    objects->process.redaction = redaction_create();
    assert_non_null(objects->process.redaction);
}

static void values_are_not_shown(struct objects *objects)
{
    static const char *const names[] = {"secret key", "other", NULL};
    static const char *const attribute[] = {"password", NULL};
    uint64_t secret = objects_str(objects, "hunter2"), again = objects_str(objects, "hunter2");
    uint64_t bytes = objects_bytes(objects, "hunter2", 7), plus = objects_int(objects, 4242);
    uint64_t minus = objects_int(objects, -4242), number = objects_float(objects, 2.5);
    uint64_t yes = objects_int(objects, 1);
    fake_python_set(&objects->python, yes, PY_object_type, objects->bool_type);
    uint64_t items[] = {secret, again, bytes, plus, minus, number, yes, objects->none};
    uint64_t list = objects_list(objects, items, 8);
    uint64_t values[] = {secret, plus};
    uint64_t dict = fake_python_dict(&objects->python, names, values);
    uint64_t class = objects_class(objects, "shop", "User", objects->object_type, 0, NULL, NULL);
    uint64_t user = objects_instance(objects, class, attribute, &secret);
    uint64_t error = objects_exception(objects, objects->exception_type, &secret, 1);
    redact(objects);
    assert_string_equal(objects_repr(objects, list),
                        "[<str 7 #1>, <str 7 #1>, <bytes 7 #2>, <int 4 #3>, <int 4 #4>, "
                        "<float #5>, True, None]");
    assert_string_equal(objects_repr(objects, dict),
                        "{<str 10 #6>: <str 7 #1>, <str 5 #7>: <int 4 #3>}");
    char expected[96];
    snprintf(expected, sizeof expected, "<shop.User at 0x%llx password=<str 7 #1>>",
             (unsigned long long)user);
    assert_string_equal(objects_repr(objects, user), expected);
    assert_string_equal(objects_repr(objects, error), "BaseException(<str 7 #1>)");
    assert_string_equal(objects_message(objects, error), "<str 7 #1>");
    text_clear(&objects->text);
    str_display(&objects->process, secret, &objects->text);
    assert_string_equal(text_string(&objects->text), "<str 7 #1>");
}

/* What does not tell a value stays: functions, files, classes, members. */
static void names_are_shown(struct objects *objects)
{
    static const char *const repr[] = {"__repr__", NULL};
    static const char *const names[] = {"_value_", "_name_", NULL};
    uint64_t function = objects_function(objects, "__repr__", "/lib/enum.py");
    uint64_t base =
        objects_class(objects, "enum", "Enum", objects->object_type, 0, repr, &function);
    uint64_t color = objects_class(objects, "m", "Color", base, 0, NULL, NULL);
    uint64_t values[] = {objects_int(objects, 12), objects_str(objects, "RED")};
    uint64_t red = objects_instance(objects, color, names, values);
    uint64_t work = objects_function(objects, "work", "/app/shop.py");
    redact(objects);
    assert_string_equal(objects_repr(objects, red), "<Color.RED: <int 2 #1>>");
    assert_string_equal(objects_repr(objects, color), "<class 'm.Color'>");
    assert_non_null(strstr(objects_repr(objects, work), "<function work at 0x"));
}

/* A message is made of tokens and the words of Python itself. */
static void messages(struct objects *objects)
{
    uint64_t os_error = objects_type(objects, "OSError", objects->exception_type,
                                     PY_constant_tpflags_exception_subclass);
    uint64_t decode_error = objects_type(objects, "UnicodeDecodeError", objects->exception_type,
                                         PY_constant_tpflags_exception_subclass);
    uint64_t open = objects_exception(objects, os_error, NULL, 0);
    fake_python_set(&objects->python, open, PY_oserror_errno, objects_int(objects, 2));
    fake_python_set(&objects->python, open, PY_oserror_strerror, objects_str(objects, "none"));
    fake_python_set(&objects->python, open, PY_oserror_filename, objects_str(objects, "/home/me"));
    uint64_t decode = objects_exception(objects, decode_error, NULL, 0);
    uint64_t word = objects_str(objects, "utf-8");
    fake_python_set(&objects->python, decode, PY_unicodeerror_encoding, word);
    fake_python_set(&objects->python, decode, PY_unicodeerror_reason, word);
    fake_python_set(&objects->python, decode, PY_unicodeerror_object,
                    objects_bytes(objects, "\xff", 1));
    fake_python_set(&objects->python, decode, PY_unicodeerror_start, 0);
    fake_python_set(&objects->python, decode, PY_unicodeerror_end, 1);
    redact(objects);
    assert_string_equal(objects_message(objects, open),
                        "[Errno <int 1 #1>] <str 4 #2>: <str 8 #3>");
    assert_string_equal(objects_message(objects, decode),
                        "'<str 5 #4>' codec can't decode byte <bytes 1 #5> in position 0: "
                        "<str 5 #4>");
}

#define EACH_VERSION(name)                                                                         \
    static void name##_in_each_version(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH_VERSION(values_are_not_shown)
EACH_VERSION(names_are_shown)
EACH_VERSION(messages)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_get_equal_tokens),
        cmocka_unit_test(many_values),
        cmocka_unit_test(large_values),
        cmocka_unit_test(values_are_not_shown_in_each_version),
        cmocka_unit_test(names_are_shown_in_each_version),
        cmocka_unit_test(messages_in_each_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
