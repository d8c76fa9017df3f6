/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/helpers/fake_python.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA_SIZE   (2u << 20)
#define RUNTIME_AT  (64u << 10)
#define DICT_SLOTS  16u
#define DICT_USABLE 10u

static uint64_t field(const struct fake_python *python, enum python_field name)
{
    return layout_get(&python->layout, name);
}

void fake_python_put(struct fake_python *python, uint64_t address, uint64_t word)
{
    assert_true(address >= FAKE_PYTHON_BASE &&
                address - FAKE_PYTHON_BASE + sizeof(word) <= python->size);
    memcpy(python->bytes + (address - FAKE_PYTHON_BASE), &word, sizeof(word));
}

void fake_python_set(struct fake_python *python, uint64_t address, enum python_field name,
                     uint64_t word)
{
    if (layout_has(&python->layout, name))
        fake_python_put(python, address + field(python, name), word);
}

uint64_t fake_python_alloc(struct fake_python *python, size_t size)
{
    uint64_t address = FAKE_PYTHON_BASE + python->used;
    python->used += (size + 31) / 16 * 16;
    assert_true(python->used <= python->size);
    return address;
}

static void put_byte(struct fake_python *python, uint64_t address, enum python_field name,
                     uint8_t byte)
{
    if (layout_has(&python->layout, name))
        python->bytes[address - FAKE_PYTHON_BASE + field(python, name)] = byte;
}

static uint64_t make_type(struct fake_python *python, enum python_field flag)
{
    uint64_t type = fake_python_alloc(python, field(python, PY_heaptype_size));
    fake_python_set(python, type, PY_object_refcnt, 1);
    fake_python_set(python, type, PY_type_flags,
                    field(python, flag) | field(python, PY_constant_tpflags_ready));
    fake_python_set(python, type, PY_type_basicsize, 64);
    return type;
}

uint64_t fake_python_str(struct fake_python *python, const char *text)
{
    size_t length = strlen(text), header = field(python, PY_unicode_ascii_header_size);
    uint64_t string = fake_python_alloc(python, header + length + 1);
    uint32_t state = 1u << field(python, PY_unicode_kind_shift) |
                     1u << field(python, PY_unicode_compact_shift) |
                     1u << field(python, PY_unicode_ascii_shift);
    if (layout_has(&python->layout, PY_unicode_ready_shift))
        state |= 1u << field(python, PY_unicode_ready_shift);
    fake_python_set(python, string, PY_object_type, python->str_type);
    fake_python_set(python, string, PY_unicode_length, length);
    fake_python_set(python, string, PY_unicode_state, state);
    memcpy(python->bytes + (string - FAKE_PYTHON_BASE) + header, text, length);
    return string;
}

uint64_t fake_python_int(struct fake_python *python, uint32_t value)
{
    uint64_t number = fake_python_alloc(python, 40);
    fake_python_set(python, number, PY_object_type, python->int_type);
    if (layout_has(&python->layout, PY_long_tag))
        fake_python_set(python, number, PY_long_tag, 1 << 3);
    else
        fake_python_set(python, number, PY_var_size, 1);
    fake_python_set(python, number, PY_long_digits, value);
    return number;
}

uint64_t fake_python_dict(struct fake_python *python, const char *const *names,
                          const uint64_t *values)
{
    uint64_t dict = fake_python_alloc(python, 64);
    uint64_t entry_size = field(python, PY_keys_entry_size), count = 0;
    uint64_t indices = field(python, PY_keys_indices);
    uint64_t keys = fake_python_alloc(python, indices + DICT_SLOTS + DICT_USABLE * entry_size);
    memset(python->bytes + (keys - FAKE_PYTHON_BASE) + indices, 0xFF, DICT_SLOTS);
    for (; names[count]; count++) {
        uint64_t entry = keys + indices + DICT_SLOTS + count * entry_size;
        fake_python_set(python, entry, PY_keys_entry_key, fake_python_str(python, names[count]));
        fake_python_set(python, entry, PY_keys_entry_value, values[count]);
        python->bytes[keys - FAKE_PYTHON_BASE + indices + count] = (uint8_t)count;
    }
    fake_python_set(python, keys, PY_keys_refcnt, 1);
    if (layout_has(&python->layout, PY_keys_kind)) {
        put_byte(python, keys, PY_keys_size_or_log2, 4);
        put_byte(python, keys, PY_keys_log2_index_bytes, 4);
        put_byte(python, keys, PY_keys_kind, 0);
    } else {
        fake_python_set(python, keys, PY_keys_size_or_log2, DICT_SLOTS);
    }
    fake_python_set(python, keys, PY_keys_usable, DICT_USABLE - count);
    fake_python_set(python, keys, PY_keys_nentries, count);
    fake_python_set(python, dict, PY_object_type, python->dict_type);
    fake_python_set(python, dict, PY_dict_used, count);
    fake_python_set(python, dict, PY_dict_keys, keys);
    return dict;
}

static void make_objects(struct fake_python *python)
{
    static const char *const none[] = {NULL};
    static const char *const sys[] = {"platform", "hexversion", "version", NULL};
    python->type_type = make_type(python, PY_constant_tpflags_type_subclass);
    python->dict_type = make_type(python, PY_constant_tpflags_dict_subclass);
    python->str_type = make_type(python, PY_constant_tpflags_unicode_subclass);
    python->int_type = make_type(python, PY_constant_tpflags_long_subclass);
    fake_python_set(python, python->type_type, PY_object_type, python->type_type);
    fake_python_set(python, python->dict_type, PY_object_type, python->type_type);
    fake_python_set(python, python->str_type, PY_object_type, python->type_type);
    fake_python_set(python, python->int_type, PY_object_type, python->type_type);
    uint64_t values[] = {fake_python_str(python, "linux"),
                         fake_python_int(python, python->layout.version_hex),
                         fake_python_str(python, "3.99.1rc2 (main, today) [a compiler]")};
    python->sysdict = fake_python_dict(python, sys, values);
    python->modules = fake_python_dict(python, none, NULL);
    python->builtins = fake_python_dict(python, none, NULL);
}

void fake_python_make(struct fake_python *python, const struct python_layout *layout)
{
    *python = (struct fake_python){.layout = *layout, .size = DATA_SIZE};
    python->bytes = calloc(1, DATA_SIZE);
    assert_non_null(python->bytes);
    python->runtime = FAKE_PYTHON_BASE + RUNTIME_AT;
    python->used = RUNTIME_AT + field(python, PY_runtime_size) + 64;
    python->used -= python->used % 16;
    python->interp = fake_python_alloc(python, field(python, PY_interp_size));
    python->thread = fake_python_alloc(python, field(python, PY_thread_size));
    make_objects(python);
    fake_python_set(python, python->runtime, PY_runtime_interpreters_head, python->interp);
    fake_python_set(python, python->runtime, PY_runtime_interpreters_main, python->interp);
    fake_python_set(python, python->interp, PY_interp_threads_head, python->thread);
    fake_python_set(python, python->interp, PY_interp_modules, python->modules);
    fake_python_set(python, python->interp, PY_interp_sysdict, python->sysdict);
    fake_python_set(python, python->interp, PY_interp_builtins, python->builtins);
    fake_python_set(python, python->thread, PY_thread_interp, python->interp);
}

void fake_python_free(struct fake_python *python)
{
    free(python->bytes);
    python->bytes = NULL;
}

struct debug_row {
    enum python_field field;
    uint16_t position;
    enum python_field of, from;
};

#define NOT_RELATIVE PYTHON_FIELD_COUNT

static const struct debug_row rows_3_13[] = {
#include "formats/cpython/layouts/debug_offsets_3_13.inc"
};
static const struct debug_row rows_3_14[] = {
#include "formats/cpython/layouts/debug_offsets_3_14.inc"
};
static const struct debug_row rows_3_15[] = {
#include "formats/cpython/layouts/debug_offsets_3_15.inc"
};

static const struct debug_row *debug_rows(const struct fake_python *python, size_t *ret_count)
{
    switch (layout_minor(&python->layout)) {
    case 13: *ret_count = sizeof(rows_3_13) / sizeof(rows_3_13[0]); return rows_3_13;
    case 14: *ret_count = sizeof(rows_3_14) / sizeof(rows_3_14[0]); return rows_3_14;
    case 15: *ret_count = sizeof(rows_3_15) / sizeof(rows_3_15[0]); return rows_3_15;
    default: *ret_count = 0; return NULL;
    }
}

uint64_t fake_python_debug_position(const struct fake_python *python, enum python_field name)
{
    size_t count;
    const struct debug_row *rows = debug_rows(python, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].field == name)
            return python->runtime + rows[i].position;
    }
    fail_msg("no row for %s", python_field_name(name));
    return 0;
}

void fake_python_debug_offsets(struct fake_python *python)
{
    size_t count;
    const struct debug_row *rows = debug_rows(python, &count);
    assert_true(count > 0);
    memcpy(python->bytes + (python->runtime - FAKE_PYTHON_BASE), "xdebugpy", 8);
    fake_python_put(python, python->runtime + 8, python->layout.version_hex);
    fake_python_put(python, python->runtime + 16, 0);
    for (size_t i = 0; i < count; i++) {
        uint64_t base = rows[i].from == NOT_RELATIVE ? 0 : field(python, rows[i].from);
        fake_python_put(python, python->runtime + rows[i].position,
                        base + field(python, rows[i].field));
    }
}

void fake_python_open(const struct fake_python *python, const char *path, struct fake_core *fake)
{
    struct fake_segment segment = {FAKE_PYTHON_BASE, python->size + python->unstored, python->size,
                                   PF_R | PF_W, python->bytes};
    struct fake_mapping mapping = {FAKE_PYTHON_BASE, FAKE_PYTHON_BASE + python->size, path};
    fake_core_open(fake, &segment, 1, &mapping, path ? 1 : 0);
}
