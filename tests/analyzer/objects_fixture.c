/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/analyzer/objects_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ABSENT_ADDR UINT64_C(0x560000001000) /* not in the core */
#define ROOM_BEFORE 64

uint64_t objects_field(const struct objects *objects, enum python_field field)
{
    return layout_get(&objects->python.layout, field);
}

static void set(struct objects *objects, uint64_t addr, enum python_field field, uint64_t word)
{
    fake_python_set(&objects->python, addr, field, word);
}

void objects_put_bytes(struct objects *objects, uint64_t address, const void *bytes, size_t size)
{
    memcpy(objects->python.bytes + (address - FAKE_PYTHON_BASE), bytes, size);
}

void objects_put_byte(struct objects *objects, uint64_t address, uint8_t byte)
{
    objects_put_bytes(objects, address, &byte, 1);
}

static uint64_t c_string(struct objects *objects, const char *text)
{
    uint64_t addr = fake_python_alloc(&objects->python, strlen(text) + 1);
    objects_put_bytes(objects, addr, text, strlen(text) + 1);
    return addr;
}

/* ---- types */

/* The type's own address, then its base's bases. */
static uint64_t make_mro(struct objects *objects, uint64_t type)
{
    uint64_t line[16], count = 0;
    for (uint64_t next = type; next && count < 16; count++) {
        line[count] = next;
        memcpy(&next,
               objects->python.bytes + (next - FAKE_PYTHON_BASE) +
                   objects_field(objects, PY_type_base),
               sizeof next);
    }
    return objects_tuple(objects, line, count);
}

static void finish_type(struct objects *objects, uint64_t type, const char *name, uint64_t base)
{
    set(objects, type, PY_type_name, name ? c_string(objects, name) : ABSENT_ADDR);
    set(objects, type, PY_type_base, base);
    set(objects, type, PY_type_mro, make_mro(objects, type));
}

uint64_t objects_type(struct objects *objects, const char *name, uint64_t base,
                      enum python_field flag)
{
    uint64_t type = fake_python_alloc(&objects->python, objects_field(objects, PY_heaptype_size));
    uint64_t flags = objects_field(objects, PY_constant_tpflags_ready);
    if (flag != PYTHON_FIELD_COUNT)
        flags |= objects_field(objects, flag);
    set(objects, type, PY_object_type, objects->python.type_type);
    set(objects, type, PY_type_flags, flags);
    set(objects, type, PY_type_basicsize, 64);
    finish_type(objects, type, name, base);
    return type;
}

static uint64_t word_at(struct objects *objects, uint64_t addr, enum python_field field)
{
    uint64_t word;
    memcpy(&word, objects->python.bytes + (addr - FAKE_PYTHON_BASE) + objects_field(objects, field),
           sizeof word);
    return word;
}

uint64_t objects_class(struct objects *objects, const char *module, const char *qualname,
                       uint64_t base, uint64_t flags, const char *const *names,
                       const uint64_t *values)
{
    const char *dot = strrchr(qualname, '.'), *name = dot ? dot + 1 : qualname;
    const char *all_names[10] = {"__module__"};
    uint64_t all_values[10] = {objects_str(objects, module)};
    for (size_t i = 0; names && names[i]; i++) {
        all_names[i + 1] = names[i];
        all_values[i + 1] = values[i];
    }
    uint64_t class = objects_type(objects, NULL, 0, PYTHON_FIELD_COUNT);
    set(objects, class, PY_type_flags,
        word_at(objects, base, PY_type_flags) | flags |
            objects_field(objects, PY_constant_tpflags_heaptype));
    set(objects, class, PY_type_dict, fake_python_dict(&objects->python, all_names, all_values));
    set(objects, class, PY_heaptype_name, objects_str(objects, name));
    set(objects, class, PY_heaptype_qualname, objects_str(objects, qualname));
    finish_type(objects, class, name, base);
    return class;
}

/* ---- objects */

uint64_t objects_new(struct objects *objects, uint64_t type, size_t size)
{
    uint64_t addr = fake_python_alloc(&objects->python, size + ROOM_BEFORE) + ROOM_BEFORE;
    set(objects, addr, PY_object_refcnt, 1);
    set(objects, addr, PY_object_type, type);
    return addr;
}

uint64_t objects_instance(struct objects *objects, uint64_t class, const char *const *names,
                          const uint64_t *values)
{
    uint64_t dict = fake_python_dict(&objects->python, names, values);
    uint64_t instance = objects_new(objects, class, 96);
    if (layout_has(&objects->python.layout, PY_constant_tpflags_managed_dict)) {
        set(objects, class, PY_type_flags,
            word_at(objects, class, PY_type_flags) |
                objects_field(objects, PY_constant_tpflags_managed_dict));
        fake_python_put(&objects->python,
                        instance - objects_field(objects, PY_managed_dict_before_object), dict);
    } else {
        set(objects, class, PY_type_dictoffset, 80);
        fake_python_put(&objects->python, instance + 80, dict);
    }
    return instance;
}

uint64_t objects_str(struct objects *objects, const char *ascii)
{
    return fake_python_str(&objects->python, ascii);
}

uint64_t objects_wide_str(struct objects *objects, unsigned kind, const uint32_t *code_points,
                          size_t count)
{
    uint64_t header = objects_field(objects, PY_unicode_compact_header_size);
    uint64_t str = objects_new(objects, objects->python.str_type, header + 4 * count + 4);
    uint32_t state = kind << objects_field(objects, PY_unicode_kind_shift) |
                     1u << objects_field(objects, PY_unicode_compact_shift);
    set(objects, str, PY_unicode_length, count);
    objects_put_bytes(objects, str + objects_field(objects, PY_unicode_state), &state,
                      sizeof state);
    for (size_t i = 0; i < count; i++)
        objects_put_bytes(objects, str + header + i * kind, &code_points[i], kind);
    return str;
}

uint64_t objects_big_int(struct objects *objects, const uint32_t *digits, size_t count,
                         bool is_negative)
{
    uint64_t number = objects_new(objects, objects->python.int_type, 32 + 4 * count);
    if (layout_has(&objects->python.layout, PY_long_tag))
        set(objects, number, PY_long_tag, count << 3 | (is_negative ? 2 : count ? 0 : 1));
    else
        set(objects, number, PY_var_size, is_negative ? -(uint64_t)count : count);
    for (size_t i = 0; i < count; i++)
        objects_put_bytes(objects, number + objects_field(objects, PY_long_digits) + 4 * i,
                          &digits[i], 4);
    return number;
}

uint64_t objects_int(struct objects *objects, int64_t value)
{
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    uint32_t digits[3];
    size_t count = 0;
    for (; rest; rest >>= 30)
        digits[count++] = (uint32_t)(rest & 0x3FFFFFFF);
    return objects_big_int(objects, digits, count, value < 0);
}

uint64_t objects_float(struct objects *objects, double value)
{
    uint64_t number = objects_new(objects, objects->float_type, 32);
    objects_put_bytes(objects, number + objects_field(objects, PY_float_value), &value,
                      sizeof value);
    return number;
}

uint64_t objects_bytes(struct objects *objects, const char *bytes, size_t size)
{
    uint64_t header = objects_field(objects, PY_bytes_data);
    uint64_t addr = objects_new(objects, objects->bytes_type, header + size + 1);
    set(objects, addr, PY_var_size, size);
    objects_put_bytes(objects, addr + header, bytes, size);
    return addr;
}

uint64_t objects_tuple(struct objects *objects, const uint64_t *items, size_t count)
{
    uint64_t header = objects_field(objects, PY_tuple_items);
    uint64_t tuple = objects_new(objects, objects->tuple_type, header + 8 * count);
    set(objects, tuple, PY_var_size, count);
    if (count)
        objects_put_bytes(objects, tuple + header, items, 8 * count);
    return tuple;
}

uint64_t objects_list(struct objects *objects, const uint64_t *items, size_t count)
{
    uint64_t list = objects_new(objects, objects->list_type, 64);
    uint64_t array = fake_python_alloc(&objects->python, 8 * count + 8);
    set(objects, list, PY_var_size, count);
    set(objects, list, PY_list_items, array);
    if (count)
        objects_put_bytes(objects, array, items, 8 * count);
    return list;
}

uint64_t objects_exception(struct objects *objects, uint64_t type, const uint64_t *args,
                           size_t count)
{
    uint64_t exception = objects_new(objects, type, 160);
    set(objects, exception, PY_exception_args, objects_tuple(objects, args, count));
    return exception;
}

uint64_t objects_function(struct objects *objects, const char *name, const char *file)
{
    uint64_t code = objects_new(objects, objects->code_type, objects_field(objects, PY_code_size));
    uint64_t function = objects_new(objects, objects->function_type, 192);
    set(objects, code, PY_code_name, objects_str(objects, name));
    set(objects, code, PY_code_filename, objects_str(objects, file));
    set(objects, function, PY_function_code, code);
    set(objects, function, PY_function_name, objects_str(objects, name));
    set(objects, function, PY_function_qualname, objects_str(objects, name));
    return function;
}

/* ---- the process */

void objects_make(struct objects *objects, const struct python_layout *layout)
{
    *objects = (struct objects){0};
    fake_python_make(&objects->python, layout);
    struct fake_python *python = &objects->python;
    /* tuples are in every mro, so their type comes first and its mro later */
    objects->tuple_type = fake_python_alloc(python, objects_field(objects, PY_heaptype_size));
    set(objects, objects->tuple_type, PY_object_type, python->type_type);
    set(objects, objects->tuple_type, PY_type_flags,
        objects_field(objects, PY_constant_tpflags_tuple_subclass));
    objects->object_type = objects_type(objects, "object", 0, PYTHON_FIELD_COUNT);
    uint64_t object = objects->object_type;
    finish_type(objects, objects->tuple_type, "tuple", object);
    finish_type(objects, python->type_type, "type", object);
    finish_type(objects, python->dict_type, "dict", object);
    finish_type(objects, python->str_type, "str", object);
    finish_type(objects, python->int_type, "int", object);
    objects->bool_type =
        objects_type(objects, "bool", python->int_type, PY_constant_tpflags_long_subclass);
    objects->float_type = objects_type(objects, "float", object, PYTHON_FIELD_COUNT);
    objects->complex_type = objects_type(objects, "complex", object, PYTHON_FIELD_COUNT);
    objects->list_type = objects_type(objects, "list", object, PY_constant_tpflags_list_subclass);
    objects->bytes_type =
        objects_type(objects, "bytes", object, PY_constant_tpflags_bytes_subclass);
    objects->bytearray_type = objects_type(objects, "bytearray", object, PYTHON_FIELD_COUNT);
    objects->set_type = objects_type(objects, "set", object, PYTHON_FIELD_COUNT);
    objects->none_type = objects_type(objects, "NoneType", object, PYTHON_FIELD_COUNT);
    objects->exception_type =
        objects_type(objects, "BaseException", object, PY_constant_tpflags_exception_subclass);
    objects->function_type = objects_type(objects, "function", object, PYTHON_FIELD_COUNT);
    objects->code_type = objects_type(objects, "code", object, PYTHON_FIELD_COUNT);
    objects->none = objects_new(objects, objects->none_type, 16);
}

void objects_open(struct objects *objects)
{
    struct error err = {0};
    fake_python_open(&objects->python, NULL, &objects->core);
    arena_init(&objects->arena);
    text_init(&objects->text);
    objects->process = (struct python_process){.image = objects->core.image,
                                               .layout = objects->python.layout,
                                               .runtime_addr = objects->python.runtime,
                                               .interp_addr = objects->python.interp,
                                               .arena = &objects->arena};
    if (type_table_create(&objects->process, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

void objects_close(struct objects *objects)
{
    type_table_destroy(objects->process.types);
    redaction_destroy(objects->process.redaction);
    text_deinit(&objects->text);
    arena_deinit(&objects->arena);
    fake_core_close(&objects->core);
    fake_python_free(&objects->python);
}

void objects_each_version(void (*test)(struct objects *objects))
{
    for (size_t i = 0; i < python_layout_count; i++) {
        struct objects objects;
        objects_make(&objects, python_layouts[i]);
        test(&objects);
        objects_close(&objects);
    }
}

const char *objects_repr(struct objects *objects, uint64_t addr)
{
    text_clear(&objects->text);
    object_repr(&objects->process, addr, &repr_limits_default, &objects->text);
    assert_true(text_ok(&objects->text));
    return text_string(&objects->text);
}

const char *objects_message(struct objects *objects, uint64_t addr)
{
    text_clear(&objects->text);
    exception_message(&objects->process, addr, &objects->text);
    assert_true(text_ok(&objects->text));
    return text_string(&objects->text);
}
