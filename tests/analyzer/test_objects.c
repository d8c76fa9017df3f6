/* SPDX-License-Identifier: Apache-2.0 */
/* The type table: what a type is called, what it is to us, and what is no type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/analyzer/objects_fixture.h"

static const struct python_type *type_of(struct objects *objects, uint64_t addr)
{
    const struct python_type *type;
    assert_int_equal(type_at(&objects->process, addr, &type), STATUS_OK);
    return type;
}

static void static_types(struct objects *objects)
{
    uint64_t deque =
        objects_type(objects, "collections.deque", objects->object_type, PYTHON_FIELD_COUNT);
    objects_open(objects);
    const struct python_type *type = type_of(objects, deque);
    assert_string_equal(type->name, "collections.deque");
    assert_string_equal(type->qualname, "deque");
    assert_string_equal(type->module, "collections");
    assert_int_equal(type->kind, KIND_DEQUE);
    assert_true(type->is_exact_kind);
    assert_false(type->is_heap);
    assert_ptr_equal(type, type_of(objects, deque));
    type = type_of(objects, objects->python.dict_type);
    assert_string_equal(type->name, "dict");
    assert_string_equal(type->module, "builtins");
    assert_int_equal(type->kind, KIND_DICT);
}

static void classes(struct objects *objects)
{
    uint64_t list = objects_class(objects, "shop.models", "make.<locals>.Cart", objects->list_type,
                                  0, NULL, NULL);
    uint64_t deeper = objects_class(objects, "builtins", "Deeper", list, 0, NULL, NULL);
    uint64_t plain = objects_class(objects, "shop", "Plain", objects->object_type, 0, NULL, NULL);
    /* the name of one of C's types, but made by a class statement */
    uint64_t dict_place = layout_has(&objects->python.layout, PY_constant_tpflags_managed_dict)
                              ? objects_field(objects, PY_constant_tpflags_managed_dict)
                              : 0;
    uint64_t posing = objects_class(objects, "collections", "deque", objects->object_type,
                                    dict_place, NULL, NULL);
    fake_python_set(&objects->python, posing, PY_heaptype_slots, objects_tuple(objects, NULL, 0));
    objects_open(objects);
    const struct python_type *type = type_of(objects, list);
    assert_string_equal(type->name, "shop.models.make.<locals>.Cart");
    assert_string_equal(type->qualname, "make.<locals>.Cart");
    assert_string_equal(type->short_name, "Cart");
    assert_int_equal(type->kind, KIND_LIST);
    assert_false(type->is_exact_kind);
    assert_true(type_derives_from(&objects->process, type, "list"));
    assert_true(type_derives_from(&objects->process, type, "shop.models.make.<locals>.Cart"));
    assert_false(type_derives_from(&objects->process, type, "dict"));
    assert_string_equal(type_of(objects, deeper)->name, "Deeper");
    assert_int_equal(type_of(objects, deeper)->kind, KIND_LIST);
    assert_int_equal(type_of(objects, plain)->kind, KIND_UNKNOWN);
    assert_int_equal(type_of(objects, posing)->kind, KIND_UNKNOWN);
}

/* No tp_name in the core: flags tell the kind, modules the name. */
static void absent_names(struct objects *objects)
{
    uint64_t object = objects->object_type;
    uint64_t error = objects_type(objects, NULL, objects->exception_type,
                                  PY_constant_tpflags_exception_subclass);
    uint64_t function = objects_type(objects, NULL, object, PYTHON_FIELD_COUNT);
    uint64_t deque = objects_type(objects, NULL, object, PYTHON_FIELD_COUNT);
    uint64_t thing = objects_type(objects, NULL, object, PYTHON_FIELD_COUNT);
    uint64_t nameless = objects_type(objects, NULL, object, PY_constant_tpflags_list_subclass);
    uint64_t ellipsis = objects_type(objects, NULL, object, PYTHON_FIELD_COUNT);
    uint64_t module_type = objects_type(objects, NULL, object, PYTHON_FIELD_COUNT);
    const struct {
        const char *module, *key;
        uint64_t value;
    } rows[] = {{"sys", "x", error},
                {"builtins", "OSError", error},
                {"builtins", "Ellipsis", objects_new(objects, ellipsis, 16)},
                {"types", "FunctionType", function},
                {"_collections", "deque", deque},
                {"vendor.things", "Thing", thing}};
    const char *modules[9] = {0};
    uint64_t values[9];
    for (size_t i = 0; i < 6; i++) {
        /* the second row of builtins replaces the first, so both go into one */
        const char *const two[] = {"OSError", "Ellipsis", NULL};
        const char *const one[] = {rows[i].key, NULL};
        uint64_t both[] = {rows[1].value, rows[2].value};
        modules[i] = rows[i].module;
        values[i] = objects_new(objects, module_type, objects_field(objects, PY_module_size));
        bool is_builtins = i == 1 || i == 2;
        fake_python_set(&objects->python, values[i], PY_module_dict,
                        fake_python_dict(&objects->python, is_builtins ? two : one,
                                         is_builtins ? both : &rows[i].value));
    }
    fake_python_set(&objects->python, objects->python.interp, PY_interp_modules,
                    fake_python_dict(&objects->python, modules, values));
    objects_open(objects);
    /* "sys" comes first in sys.modules, but builtins is asked first */
    assert_string_equal(type_of(objects, error)->name, "OSError");
    assert_int_equal(type_of(objects, error)->kind, KIND_EXCEPTION);
    assert_string_equal(type_of(objects, function)->name, "function");
    assert_int_equal(type_of(objects, function)->kind, KIND_FUNCTION);
    assert_string_equal(type_of(objects, deque)->name, "collections.deque");
    assert_int_equal(type_of(objects, deque)->kind, KIND_DEQUE);
    assert_string_equal(type_of(objects, thing)->name, "vendor.things.Thing");
    assert_int_equal(type_of(objects, ellipsis)->kind, KIND_ELLIPSIS);
    assert_string_equal(type_of(objects, module_type)->name, "module");
    assert_int_equal(type_of(objects, nameless)->kind, KIND_LIST);
    char words[64];
    snprintf(words, sizeof words, "type at 0x%llx", (unsigned long long)nameless);
    assert_string_equal(type_of(objects, nameless)->name, words);
}

/* sys.modules with these two, each of one entry. */
static void put_modules(struct objects *objects, const char *const names[2],
                        const char *const keys[2], const uint64_t entries[2])
{
    const char *const modules[] = {names[0], names[1], NULL};
    uint64_t module_type = objects_type(objects, NULL, objects->object_type, PYTHON_FIELD_COUNT);
    uint64_t values[2];
    for (size_t i = 0; i < 2; i++) {
        const char *const one[] = {keys[i], NULL};
        values[i] = objects_new(objects, module_type, objects_field(objects, PY_module_size));
        fake_python_set(&objects->python, values[i], PY_module_dict,
                        fake_python_dict(&objects->python, one, &entries[i]));
    }
    fake_python_set(&objects->python, objects->python.interp, PY_interp_modules,
                    fake_python_dict(&objects->python, modules, values));
}

/* No tp_name, and no module has a name for it: size, base and methods tell a type of the
 * interpreter's own. */
static void names_by_contents(struct objects *objects)
{
    static const struct {
        const char *expected;
        uint64_t size;
        const char *names[7];
    } rows[] = {
        {"callable_iterator", 32, {"__iter__", "__next__", "__reduce__", "__doc__"}},
        {"hamt_array_node", 280, {"__hash__", "__getattribute__"}},
        {"managedbuffer", 112, {NULL}},
        {NULL, 32, {"__iter__", "__next__", "__reduce__", "__setstate__"}}, /* a name more */
        {NULL, 32, {"__iter__", "__next__"}},                               /* a name less */
        {NULL, 40, {"__iter__", "__next__", "__reduce__"}},                 /* another size */
    };
    const uint64_t any[] = {objects->object_type, objects->object_type, objects->object_type,
                            objects->object_type};
    uint64_t types[sizeof rows / sizeof *rows], token, missing;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        types[i] = objects_type(objects, NULL, objects->object_type, PY_constant_tpflags_have_gc);
        fake_python_set(&objects->python, types[i], PY_type_basicsize, rows[i].size);
        fake_python_set(&objects->python, types[i], PY_type_dict,
                        fake_python_dict(&objects->python, rows[i].names, any));
    }
    missing = objects_type(objects, NULL, objects->object_type, PYTHON_FIELD_COUNT);
    uint64_t instance = objects_new(objects, missing, 16);
    token = objects_type(objects, NULL, objects->object_type, PYTHON_FIELD_COUNT);
    const char *const of_token[] = {"MISSING", NULL};
    fake_python_set(&objects->python, token, PY_type_dict,
                    fake_python_dict(&objects->python, of_token, &instance));
    const uint64_t entries[] = {objects->object_type, token};
    put_modules(objects, (const char *const[]){"builtins", "_contextvars"},
                (const char *const[]){"object", "Token"}, entries);
    objects_open(objects);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = type_of(objects, types[i])->name;
        if (rows[i].expected)
            assert_string_equal(name, rows[i].expected);
        else
            assert_memory_equal(name, "type at 0x", 10);
    }
    assert_string_equal(type_of(objects, missing)->name, "Token.MISSING");
}

static void what_is_no_type(struct objects *objects)
{
    const struct python_type *type;
    uint64_t str = objects_str(objects, "text");
    uint64_t impostor = fake_python_alloc(&objects->python, 1024);
    uint64_t ring[2] = {fake_python_alloc(&objects->python, 1024),
                        fake_python_alloc(&objects->python, 1024)};
    fake_python_set(&objects->python, impostor, PY_object_type, impostor);
    fake_python_set(&objects->python, impostor, PY_type_flags,
                    objects_field(objects, PY_constant_tpflags_type_subclass));
    fake_python_set(&objects->python, ring[0], PY_object_type, ring[1]);
    fake_python_set(&objects->python, ring[1], PY_object_type, ring[0]);
    uint64_t of_nowhere = objects_new(objects, UINT64_C(0x123456789000), 32);
    objects_open(objects);
    struct python_process *process = &objects->process;
    assert_int_equal(type_at(process, 0, &type), STATUS_NOT_IN_DUMP);
    assert_int_equal(type_at(process, UINT64_MAX, &type), STATUS_CORRUPT);
    assert_int_equal(type_at(process, objects->object_type + 1, &type), STATUS_CORRUPT);
    assert_int_equal(type_at(process, str, &type), STATUS_CORRUPT);
    assert_int_equal(type_at(process, impostor, &type), STATUS_CORRUPT);
    assert_int_equal(type_at(process, ring[0], &type), STATUS_CORRUPT);
    assert_int_equal(object_type(process, of_nowhere, &type), STATUS_NOT_IN_DUMP);
}

static void circular_bases(struct objects *objects)
{
    uint64_t first = objects_class(objects, "m", "First", objects->object_type, 0, NULL, NULL);
    uint64_t second = objects_class(objects, "m", "Second", first, 0, NULL, NULL);
    uint64_t own = objects_class(objects, "m", "Own", objects->list_type, 0, NULL, NULL);
    uint64_t base_offset = objects_field(objects, PY_type_base);
    fake_python_put(&objects->python, first + base_offset, second);
    fake_python_put(&objects->python, own + base_offset, own);
    uint64_t instance = objects_new(objects, second, 64);
    objects_open(objects);
    assert_string_equal(type_of(objects, second)->name, "m.Second");
    assert_string_equal(type_of(objects, first)->name, "m.First");
    assert_int_equal(type_of(objects, own)->kind, KIND_LIST); /* by its flags */
    assert_non_null(objects_repr(objects, instance));
}

static void a_table_needs_dicts(void **state)
{
    (void)state;
    struct objects objects;
    struct error err = {0};
    objects_make(&objects, python_layouts[0]);
    uint64_t str = objects_str(&objects, "no dict");
    fake_python_set(&objects.python, objects.python.interp, PY_interp_modules, str);
    fake_python_set(&objects.python, objects.python.interp, PY_interp_sysdict, 0);
    fake_python_set(&objects.python, objects.python.interp, PY_interp_builtins, 24);
    fake_python_open(&objects.python, NULL, &objects.core);
    arena_init(&objects.arena);
    objects.process = (struct python_process){.image = objects.core.image,
                                              .layout = objects.python.layout,
                                              .interp_addr = objects.python.interp,
                                              .arena = &objects.arena};
    assert_int_equal(type_table_create(&objects.process, &err), STATUS_CORRUPT);
    assert_null(objects.process.types);
    assert_true(err.message[0] != '\0');
    objects_close(&objects);
}

#define EACH_VERSION(name)                                                                         \
    static void name##_in_each_version(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH_VERSION(static_types)
EACH_VERSION(classes)
EACH_VERSION(absent_names)
EACH_VERSION(names_by_contents)
EACH_VERSION(what_is_no_type)
EACH_VERSION(circular_bases)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_types_in_each_version),
        cmocka_unit_test(classes_in_each_version),
        cmocka_unit_test(absent_names_in_each_version),
        cmocka_unit_test(names_by_contents_in_each_version),
        cmocka_unit_test(what_is_no_type_in_each_version),
        cmocka_unit_test(circular_bases_in_each_version),
        cmocka_unit_test(a_table_needs_dicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
