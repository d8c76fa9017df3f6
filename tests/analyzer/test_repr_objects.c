/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that print by their class, and what exceptions say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/objects_fixture.h"

static const char *words(const char *format, uint64_t addr)
{
    static char text[256];
    snprintf(text, sizeof text, format, (unsigned long long)addr);
    return text;
}

/* ---- ordinary objects */

static void attributes(struct objects *objects)
{
    static const char *const names[] = {"sku", "price", "self", NULL};
    uint64_t class =
        objects_class(objects, "shop.models", "Cart", objects->object_type, 0, NULL, NULL);
    uint64_t values[] = {objects_str(objects, "a"), objects_float(objects, 1.5), objects->none};
    uint64_t cart = objects_instance(objects, class, names, values);
    uint64_t bare = objects_new(objects, objects->object_type, 16);
    uint64_t other = objects_class(objects, "shop", "Bare", objects->object_type, 0, NULL, NULL);
    uint64_t empty = objects_new(objects, other, 64);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, cart),
                        words("<shop.models.Cart at 0x%llx sku='a', price=1.5, self=None>", cart));
    assert_string_equal(objects_repr(objects, bare), words("<object at 0x%llx>", bare));
    assert_string_equal(objects_repr(objects, empty), words("<shop.Bare at 0x%llx>", empty));
}

/* list holds the object, the object the list: each is written once */
static void objects_in_a_circle(struct objects *objects)
{
    static const char *const names[] = {"all", NULL};
    uint64_t class = objects_class(objects, "m", "C", objects->object_type, 0, NULL, NULL), array;
    uint64_t list = objects_list(objects, &objects->none, 1);
    uint64_t instance = objects_instance(objects, class, names, &list);
    memcpy(&array,
           objects->python.bytes + (list - FAKE_PYTHON_BASE) +
               objects_field(objects, PY_list_items),
           8);
    fake_python_put(&objects->python, array, instance);
    objects_open(objects);
    char expected[128];
    snprintf(expected, sizeof expected, "<m.C at 0x%llx all=[<m.C at 0x%llx ...>]>",
             (unsigned long long)instance, (unsigned long long)instance);
    assert_string_equal(objects_repr(objects, instance), expected);
}

static void subclasses_of_builtins(struct objects *objects)
{
    static const char *const repr[] = {"__repr__", NULL};
    uint64_t function = objects_function(objects, "__repr__", "shop.py");
    uint64_t plain = objects_class(objects, "m", "Plain", objects->list_type, 0, NULL, NULL);
    uint64_t own = objects_class(objects, "m", "Own", objects->list_type, 0, repr, &function);
    uint64_t below = objects_class(objects, "m", "Below", own, 0, NULL, NULL);
    uint64_t lists[3], types[] = {plain, own, below};
    for (size_t i = 0; i < 3; i++) {
        lists[i] = objects_list(objects, &objects->none, 1);
        fake_python_set(&objects->python, lists[i], PY_object_type, types[i]);
    }
    objects_open(objects);
    assert_string_equal(objects_repr(objects, lists[0]), "[None]");
    assert_string_equal(objects_repr(objects, lists[1]),
                        words("<m.Own at 0x%llx [None]>", lists[1]));
    assert_string_equal(objects_repr(objects, lists[2]),
                        words("<m.Below at 0x%llx [None]>", lists[2]));
}

static void named_tuples(struct objects *objects)
{
    static const char *const names[] = {"_fields", "__repr__", NULL};
    uint64_t fields[] = {objects_str(objects, "x"), objects_str(objects, "y")};
    uint64_t values[] = {objects_tuple(objects, fields, 2),
                         objects_function(objects, "__repr__", "/lib/collections/__init__.py")};
    uint64_t type = objects_class(objects, "m", "Point", objects->tuple_type, 0, names, values);
    uint64_t own_values[] = {values[0], objects_function(objects, "__repr__", "/app/m.py")};
    uint64_t own = objects_class(objects, "m", "Own", objects->tuple_type, 0, names, own_values);
    uint64_t items[] = {objects_int(objects, 1), objects_str(objects, "b")};
    uint64_t point = objects_tuple(objects, items, 2), other = objects_tuple(objects, items, 2);
    fake_python_set(&objects->python, point, PY_object_type, type);
    fake_python_set(&objects->python, other, PY_object_type, own);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, point), "Point(x=1, y='b')");
    assert_string_equal(objects_repr(objects, other), words("<m.Own at 0x%llx (1, 'b')>", other));
}

/* A dataclasses.Field as far as its class keeps it: here in a dictionary. */
static uint64_t make_field(struct objects *objects, uint64_t class, uint64_t kind, bool is_shown)
{
    static const char *const names[] = {"repr", "_field_type", NULL};
    uint64_t shown = objects_int(objects, is_shown);
    fake_python_set(&objects->python, shown, PY_object_type, objects->bool_type);
    uint64_t values[] = {shown, kind};
    return objects_instance(objects, class, names, values);
}

static void dataclasses(struct objects *objects)
{
    static const char *const name[] = {"name", NULL};
    static const char *const fields_names[] = {"sku", "secret", "qty", "total", "missing", NULL};
    static const char *const names[] = {"__dataclass_fields__", "__repr__", "qty", NULL};
    static const char *const attribute[] = {"sku", NULL};
    uint64_t object = objects->object_type;
    uint64_t field_class = objects_class(objects, "dataclasses", "Field", object, 0, NULL, NULL);
    uint64_t kind_class =
        objects_class(objects, "dataclasses", "_FIELD_BASE", object, 0, NULL, NULL);
    uint64_t kind_names[] = {objects_str(objects, "_FIELD"),
                             objects_str(objects, "_FIELD_CLASSVAR")};
    uint64_t ordinary = objects_instance(objects, kind_class, name, &kind_names[0]);
    uint64_t class_var = objects_instance(objects, kind_class, name, &kind_names[1]);
    uint64_t fields[] = {make_field(objects, field_class, ordinary, true),
                         make_field(objects, field_class, ordinary, false),
                         make_field(objects, field_class, ordinary, true),
                         make_field(objects, field_class, class_var, true),
                         make_field(objects, field_class, ordinary, true)};
    uint64_t values[] = {fake_python_dict(&objects->python, fields_names, fields),
                         objects_function(objects, "wrapper", "/lib/python3/dataclasses.py"),
                         objects_int(objects, 1)};
    uint64_t type = objects_class(objects, "shop", "f.<locals>.Item", object, 0, names, values);
    uint64_t sku = objects_str(objects, "a");
    uint64_t item = objects_instance(objects, type, attribute, &sku);
    values[1] = objects_function(objects, "__repr__", "/app/shop.py");
    uint64_t own_type = objects_class(objects, "shop", "Own", object, 0, names, values);
    uint64_t own = objects_instance(objects, own_type, attribute, &sku);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, item),
                        "f.<locals>.Item(sku='a', qty=1, missing=<not set>)");
    assert_string_equal(objects_repr(objects, own), words("<shop.Own at 0x%llx sku='a'>", own));
}

static void enumerations(struct objects *objects)
{
    static const char *const repr[] = {"__repr__", NULL};
    static const char *const names[] = {"_value_", "_name_", NULL};
    uint64_t function = objects_function(objects, "__repr__", "/lib/enum.py");
    uint64_t global = objects_function(objects, "global_flag_repr", "/lib/enum.py");
    uint64_t base =
        objects_class(objects, "enum", "Enum", objects->object_type, 0, repr, &function);
    uint64_t flag = objects_class(objects, "enum", "Flag", base, 0, repr, &function);
    uint64_t color = objects_class(objects, "m", "Color", base, 0, NULL, NULL);
    uint64_t perm = objects_class(objects, "m", "Perm", flag, 0, NULL, NULL);
    uint64_t option = objects_class(objects, "lib.re", "Option", flag, 0, repr, &global);
    uint64_t red[] = {objects_int(objects, 1), objects_str(objects, "RED")};
    uint64_t none[] = {objects_int(objects, 0), objects->none};
    uint64_t both[] = {objects_int(objects, 3), objects_str(objects, "I|M")};
    uint64_t member = objects_instance(objects, color, names, red);
    uint64_t nameless = objects_instance(objects, perm, names, none);
    uint64_t options = objects_instance(objects, option, names, both);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, member), "<Color.RED: 1>");
    bool old = layout_minor(&objects->process.layout) <= 10;
    assert_string_equal(objects_repr(objects, nameless), old ? "<Perm.0: 0>" : "<Perm: 0>");
    assert_string_equal(objects_repr(objects, options), "re.I|re.M");
}

static void functions_and_classes(struct objects *objects)
{
    uint64_t method_type =
        objects_type(objects, "method", objects->object_type, PYTHON_FIELD_COUNT);
    uint64_t function = objects_function(objects, "Cart.total", "/app/shop.py");
    uint64_t method = objects_new(objects, method_type, 64), code;
    fake_python_set(&objects->python, method, PY_method_function, function);
    fake_python_set(&objects->python, method, PY_method_self, objects->none);
    memcpy(&code,
           objects->python.bytes + (function - FAKE_PYTHON_BASE) +
               objects_field(objects, PY_function_code),
           8);
    objects_put_byte(objects, code + objects_field(objects, PY_code_firstlineno), 7);
    uint64_t class = objects_class(objects, "shop", "Cart", objects->object_type, 0, NULL, NULL);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, function),
                        words("<function Cart.total at 0x%llx>", function));
    assert_string_equal(objects_repr(objects, method), "<bound method Cart.total of None>");
    assert_string_equal(
        objects_repr(objects, code),
        words("<code object Cart.total at 0x%llx, file \"/app/shop.py\", line 7>", code));
    assert_string_equal(objects_repr(objects, class), "<class 'shop.Cart'>");
    assert_string_equal(objects_repr(objects, objects->list_type), "<class 'list'>");
}

/* Names of C functions are often missing; their module knows them. */
static void builtin_functions(struct objects *objects)
{
    static const char *const names[] = {"__name__", "work", NULL};
    uint64_t object = objects->object_type;
    uint64_t type = objects_type(objects, "builtin_function_or_method", object, PYTHON_FIELD_COUNT);
    uint64_t module_type = objects_type(objects, "module", object, PYTHON_FIELD_COUNT);
    uint64_t module = objects_new(objects, module_type, objects_field(objects, PY_module_size));
    uint64_t def = fake_python_alloc(&objects->python, 64);
    fake_python_set(&objects->python, def, PY_methoddef_name, 0x1000);
    uint64_t function = objects_new(objects, type, 64), method = objects_new(objects, type, 64);
    fake_python_set(&objects->python, function, PY_cfunction_def, def);
    fake_python_set(&objects->python, function, PY_cfunction_self, module);
    fake_python_set(&objects->python, method, PY_cfunction_def, def);
    fake_python_set(&objects->python, method, PY_cfunction_self, objects->none);
    uint64_t values[] = {objects_str(objects, "vendor"), function};
    fake_python_set(&objects->python, module, PY_module_dict,
                    fake_python_dict(&objects->python, names, values));
    objects_open(objects);
    assert_string_equal(objects_repr(objects, function), "<built-in function work>");
    assert_string_equal(objects_repr(objects, method),
                        words("<built-in method of NoneType object at 0x%llx>", objects->none));
    assert_string_equal(objects_repr(objects, module), "<module 'vendor'>");
}

static uint64_t make_module(struct objects *objects, uint64_t type, const char *const *names,
                            const uint64_t *values)
{
    uint64_t module = objects_new(objects, type, objects_field(objects, PY_module_size));
    fake_python_set(&objects->python, module, PY_module_dict,
                    fake_python_dict(&objects->python, names, values));
    return module;
}

static void modules(struct objects *objects)
{
    static const char *const spec_names[] = {"name", "origin", "_set_fileattr", NULL};
    static const char *const names[] = {"__name__", "__spec__", "__file__", NULL};
    static const char *const loaded[] = {"__name__", "__loader__", NULL};
    uint64_t object = objects->object_type;
    uint64_t type = objects_type(objects, "module", object, PYTHON_FIELD_COUNT);
    uint64_t spec_class = objects_class(objects, "importlib", "ModuleSpec", object, 0, NULL, NULL);
    uint64_t builtin =
        objects_class(objects, "importlib", "BuiltinImporter", object, 0, NULL, NULL);
    uint64_t yes = objects_int(objects, 1), no = objects_int(objects, 0);
    fake_python_set(&objects->python, yes, PY_object_type, objects->bool_type);
    fake_python_set(&objects->python, no, PY_object_type, objects->bool_type);
    uint64_t shop = objects_str(objects, "shop"), file = objects_str(objects, "/srv/shop.py");
    uint64_t located[] = {shop, file, yes},
             built_in[] = {shop, objects_str(objects, "built-in"), no};
    uint64_t first[] = {shop, objects_instance(objects, spec_class, spec_names, located), file};
    uint64_t second[] = {shop, objects_instance(objects, spec_class, spec_names, built_in), file};
    uint64_t third[] = {shop, objects->none, file}, fourth[] = {shop, builtin};
    uint64_t addrs[] = {
        make_module(objects, type, names, first), make_module(objects, type, names, second),
        make_module(objects, type, names, third), make_module(objects, type, loaded, fourth)};
    objects_open(objects);
    assert_string_equal(objects_repr(objects, addrs[0]), "<module 'shop' from '/srv/shop.py'>");
    assert_string_equal(objects_repr(objects, addrs[1]), "<module 'shop' (built-in)>");
    assert_string_equal(objects_repr(objects, addrs[2]), "<module 'shop' from '/srv/shop.py'>");
    bool by_loader = layout_minor(&objects->process.layout) <= 11;
    assert_string_equal(objects_repr(objects, addrs[3]),
                        by_loader ? "<module 'shop' (built-in)>"
                                  : "<module 'shop' (<class 'importlib.BuiltinImporter'>)>");
}

/* ---- exceptions */

static uint64_t builtin_error(struct objects *objects, const char *name)
{
    return objects_type(objects, name, objects->exception_type,
                        PY_constant_tpflags_exception_subclass);
}

static void assert_says(struct objects *objects, uint64_t exception, const char *repr,
                        const char *message)
{
    assert_string_equal(objects_repr(objects, exception), repr);
    assert_string_equal(objects_message(objects, exception), message);
}

static void messages_of_arguments(struct objects *objects)
{
    uint64_t value_error = builtin_error(objects, "ValueError");
    uint64_t key_error = builtin_error(objects, "KeyError");
    uint64_t own = objects_class(objects, "shop", "OutOfStock", value_error, 0, NULL, NULL);
    uint64_t args[] = {objects_str(objects, "it's"), objects_int(objects, 2)};
    uint64_t none = objects_exception(objects, value_error, NULL, 0);
    uint64_t one = objects_exception(objects, value_error, args, 1);
    uint64_t two = objects_exception(objects, own, args, 2);
    uint64_t number = objects_exception(objects, own, args + 1, 1);
    uint64_t key = objects_exception(objects, key_error, args, 1);
    uint64_t keys = objects_exception(objects, key_error, args, 2);
    uint64_t nested = objects_exception(objects, value_error, &key, 1);
    objects_open(objects);
    assert_says(objects, none, "ValueError()", "");
    assert_says(objects, one, "ValueError(\"it's\")", "it's");
    assert_says(objects, two, "OutOfStock(\"it's\", 2)", "(\"it's\", 2)");
    assert_says(objects, number, "OutOfStock(2)", "2");
    assert_says(objects, key, "KeyError(\"it's\")", "\"it's\"");
    assert_says(objects, keys, "KeyError(\"it's\", 2)", "(\"it's\", 2)");
    assert_says(objects, nested, "ValueError(KeyError(\"it's\"))", "\"it's\"");
    assert_string_equal(objects_message(objects, objects->none),
                        words("<exception at 0x%llx damaged>", objects->none));
}

/* Only Python could run a class's own __str__: the arguments are shown. */
static void message_of_a_class_with_str(struct objects *objects)
{
    static const char *const names[] = {"__str__", NULL};
    uint64_t function = objects_function(objects, "__str__", "shop.py");
    uint64_t key_error = builtin_error(objects, "KeyError");
    uint64_t own = objects_class(objects, "m", "Own", key_error, 0, names, &function);
    uint64_t arg = objects_str(objects, "a");
    uint64_t error = objects_exception(objects, own, &arg, 1);
    objects_open(objects);
    assert_string_equal(objects_message(objects, error), "a");
}

static void messages_of_os_errors(struct objects *objects)
{
    uint64_t type = builtin_error(objects, "OSError");
    uint64_t not_found =
        objects_type(objects, "FileNotFoundError", type, PY_constant_tpflags_exception_subclass);
    uint64_t args[] = {objects_int(objects, 2), objects_str(objects, "No such file or directory")};
    uint64_t error = objects_exception(objects, not_found, args, 2);
    uint64_t with_file = objects_exception(objects, not_found, args, 2);
    uint64_t with_two = objects_exception(objects, not_found, args, 2);
    uint64_t plain = objects_exception(objects, type, args + 1, 1);
    const uint64_t all[] = {error, with_file, with_two};
    for (size_t i = 0; i < 3; i++) {
        fake_python_set(&objects->python, all[i], PY_oserror_errno, args[0]);
        fake_python_set(&objects->python, all[i], PY_oserror_strerror, args[1]);
        if (i > 0)
            fake_python_set(&objects->python, all[i], PY_oserror_filename,
                            objects_str(objects, "/etc/shop"));
    }
    fake_python_set(&objects->python, with_two, PY_oserror_filename2, objects_str(objects, "new"));
    objects_open(objects);
    assert_string_equal(objects_message(objects, error), "[Errno 2] No such file or directory");
    assert_string_equal(objects_message(objects, with_file),
                        "[Errno 2] No such file or directory: '/etc/shop'");
    assert_string_equal(objects_message(objects, with_two),
                        "[Errno 2] No such file or directory: '/etc/shop' -> 'new'");
    assert_string_equal(objects_message(objects, plain), "No such file or directory");
}

static void messages_of_other_errors(struct objects *objects)
{
    uint64_t syntax = objects_exception(objects, builtin_error(objects, "SyntaxError"), NULL, 0);
    fake_python_set(&objects->python, syntax, PY_syntaxerror_message, objects_str(objects, "bad"));
    fake_python_set(&objects->python, syntax, PY_syntaxerror_filename,
                    objects_str(objects, "dir/file.py"));
    fake_python_set(&objects->python, syntax, PY_syntaxerror_lineno, objects_int(objects, 12));
    uint64_t import = objects_exception(objects, builtin_error(objects, "ImportError"), NULL, 0);
    fake_python_set(&objects->python, import, PY_importerror_message,
                    objects_str(objects, "No module named 'x'"));
    uint64_t group_type = builtin_error(objects, "BaseExceptionGroup");
    uint64_t members[] = {objects->none, objects->none};
    uint64_t group = objects_exception(objects, group_type, NULL, 0);
    bool has_groups = layout_has(&objects->python.layout, PY_group_message);
    fake_python_set(&objects->python, group, PY_group_message, objects_str(objects, "many"));
    fake_python_set(&objects->python, group, PY_group_exceptions,
                    objects_tuple(objects, members, 2));
    objects_open(objects);
    assert_string_equal(objects_message(objects, syntax), "bad (file.py, line 12)");
    assert_string_equal(objects_message(objects, import), "No module named 'x'");
    if (has_groups)
        assert_string_equal(objects_message(objects, group), "many (2 sub-exceptions)");
}

static uint64_t unicode_error(struct objects *objects, const char *name, uint64_t object,
                              uint64_t start, uint64_t end)
{
    uint64_t error = objects_exception(objects, builtin_error(objects, name), NULL, 0);
    fake_python_set(&objects->python, error, PY_unicodeerror_encoding,
                    objects_str(objects, "ascii"));
    fake_python_set(&objects->python, error, PY_unicodeerror_reason, objects_str(objects, "why"));
    fake_python_set(&objects->python, error, PY_unicodeerror_object, object);
    fake_python_set(&objects->python, error, PY_unicodeerror_start, start);
    fake_python_set(&objects->python, error, PY_unicodeerror_end, end);
    return error;
}

static void messages_of_unicode_errors(struct objects *objects)
{
    static const uint32_t wide[] = {'a', 0x1234};
    uint64_t bytes = objects_bytes(objects, "a\xff", 2),
             str = objects_wide_str(objects, 2, wide, 2);
    uint64_t decode = unicode_error(objects, "UnicodeDecodeError", bytes, 1, 2);
    uint64_t range = unicode_error(objects, "UnicodeDecodeError", bytes, 0, 2);
    uint64_t beyond = unicode_error(objects, "UnicodeDecodeError", bytes, 1000, 1001);
    uint64_t encode = unicode_error(objects, "UnicodeEncodeError", str, 1, 2);
    uint64_t translate = unicode_error(objects, "UnicodeTranslateError", str, 0, 2);
    objects_open(objects);
    assert_string_equal(objects_message(objects, decode),
                        "'ascii' codec can't decode byte 0xff in position 1: why");
    assert_string_equal(objects_message(objects, range),
                        "'ascii' codec can't decode bytes in position 0-1: why");
    assert_string_equal(objects_message(objects, beyond),
                        "'ascii' codec can't decode bytes in position 1000-1000: why");
    assert_string_equal(objects_message(objects, encode),
                        "'ascii' codec can't encode character '\\u1234' in position 1: why");
    assert_string_equal(objects_message(objects, translate),
                        "can't translate characters in position 0-1: why");
}

/* OSErrors whose strerror is themselves, and arguments that are themselves. */
static void errors_in_a_circle(struct objects *objects)
{
    uint64_t type = builtin_error(objects, "OSError");
    uint64_t error = objects_exception(objects, type, NULL, 0);
    fake_python_set(&objects->python, error, PY_oserror_errno, error);
    fake_python_set(&objects->python, error, PY_oserror_strerror, error);
    uint64_t plain = objects_exception(objects, builtin_error(objects, "ValueError"), &error, 1);
    uint64_t args;
    memcpy(&args,
           objects->python.bytes + (plain - FAKE_PYTHON_BASE) +
               objects_field(objects, PY_exception_args),
           8);
    fake_python_put(&objects->python, args + objects_field(objects, PY_tuple_items), plain);
    objects_open(objects);
    assert_non_null(strstr(objects_message(objects, error), "..."));
    assert_string_equal(objects_message(objects, plain), "...");
    assert_non_null(strstr(objects_repr(objects, plain), "ValueError(…"));
}

#define EACH_VERSION(name)                                                                         \
    static void name##_in_each_version(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH_VERSION(attributes)
EACH_VERSION(objects_in_a_circle)
EACH_VERSION(subclasses_of_builtins)
EACH_VERSION(named_tuples)
EACH_VERSION(dataclasses)
EACH_VERSION(enumerations)
EACH_VERSION(functions_and_classes)
EACH_VERSION(builtin_functions)
EACH_VERSION(modules)
EACH_VERSION(messages_of_arguments)
EACH_VERSION(message_of_a_class_with_str)
EACH_VERSION(messages_of_os_errors)
EACH_VERSION(messages_of_other_errors)
EACH_VERSION(messages_of_unicode_errors)
EACH_VERSION(errors_in_a_circle)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_in_each_version),
        cmocka_unit_test(objects_in_a_circle_in_each_version),
        cmocka_unit_test(subclasses_of_builtins_in_each_version),
        cmocka_unit_test(named_tuples_in_each_version),
        cmocka_unit_test(dataclasses_in_each_version),
        cmocka_unit_test(enumerations_in_each_version),
        cmocka_unit_test(functions_and_classes_in_each_version),
        cmocka_unit_test(builtin_functions_in_each_version),
        cmocka_unit_test(modules_in_each_version),
        cmocka_unit_test(messages_of_arguments_in_each_version),
        cmocka_unit_test(message_of_a_class_with_str_in_each_version),
        cmocka_unit_test(messages_of_os_errors_in_each_version),
        cmocka_unit_test(messages_of_other_errors_in_each_version),
        cmocka_unit_test(messages_of_unicode_errors_in_each_version),
        cmocka_unit_test(errors_in_a_circle_in_each_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
