/* SPDX-License-Identifier: Apache-2.0 */
/* Dictionaries in all their forms, and the attributes of instances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/objects_fixture.h"

static bool has(const struct objects *objects, enum python_field field)
{
    return layout_has(&objects->python.layout, field);
}

static uint64_t get(struct objects *objects, uint64_t dict, const char *key)
{
    uint64_t value;
    assert_int_equal(dict_get(&objects->process, dict, key, &value), STATUS_OK);
    return value;
}

/* ---- combined dictionaries */

static void general_keys(struct objects *objects)
{
    static const char *const names[] = {"one", "gone", "two", NULL};
    uint64_t values[] = {objects_int(objects, 1), 0, objects_int(objects, 2)};
    uint64_t dict = fake_python_dict(&objects->python, names, values);
    fake_python_set(&objects->python, dict, PY_dict_used, 2);
    objects_open(objects);
    uint64_t count, key, value;
    struct dict_iterator iterator;
    enum status status;
    assert_int_equal(dict_count(&objects->process, dict, &count), STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(dict_iterate(&objects->process, dict, &iterator), STATUS_OK);
    assert_true(dict_next(&objects->process, &iterator, &key, &value, &status));
    assert_true(str_equals(&objects->process, key, "one"));
    assert_int_equal(value, values[0]);
    assert_true(dict_next(&objects->process, &iterator, &key, &value, &status));
    assert_true(str_equals(&objects->process, key, "two"));
    assert_false(dict_next(&objects->process, &iterator, &key, &value, &status));
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(get(objects, dict, "two"), values[2]);
    assert_int_equal(dict_get(&objects->process, dict, "gone", &value), STATUS_NOT_IN_DUMP);
    assert_string_equal(objects_repr(objects, dict), "{'one': 1, 'two': 2}");
}

/* From 3.11 on, keys that are all str have entries without hashes. */
static uint64_t unicode_keys(struct objects *objects, const char *const *names, size_t count,
                             uint8_t kind)
{
    uint64_t indices = objects_field(objects, PY_keys_indices);
    uint64_t size = objects_field(objects, PY_keys_unicode_entry_size);
    uint64_t keys = fake_python_alloc(&objects->python, indices + 16 + 10 * size);
    objects_put_byte(objects, keys + objects_field(objects, PY_keys_size_or_log2), 4);
    objects_put_byte(objects, keys + objects_field(objects, PY_keys_log2_index_bytes), 4);
    objects_put_byte(objects, keys + objects_field(objects, PY_keys_kind), kind);
    fake_python_set(&objects->python, keys, PY_keys_nentries, count);
    for (size_t i = 0; i < count; i++)
        fake_python_set(&objects->python, keys + indices + 16 + i * size, PY_keys_unicode_entry_key,
                        objects_str(objects, names[i]));
    return keys;
}

static void unicode_entries(struct objects *objects)
{
    static const char *const names[] = {"x", "y"};
    if (!has(objects, PY_keys_kind)) {
        objects_open(objects);
        return;
    }
    uint64_t keys = unicode_keys(objects, names, 2, 1);
    uint64_t entries = keys + objects_field(objects, PY_keys_indices) + 16;
    for (uint64_t i = 0; i < 2; i++)
        fake_python_set(&objects->python,
                        entries + i * objects_field(objects, PY_keys_unicode_entry_size),
                        PY_keys_unicode_entry_value, objects_int(objects, (int64_t)i + 5));
    uint64_t dict = objects_new(objects, objects->python.dict_type, 64);
    fake_python_set(&objects->python, dict, PY_dict_keys, keys);
    fake_python_set(&objects->python, dict, PY_dict_used, 2);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, dict), "{'x': 5, 'y': 6}");
}

/* Up to 3.10 the index table's entries grow with the count of slots. */
static void wide_index_table(struct objects *objects)
{
    uint64_t indices = objects_field(objects, PY_keys_indices);
    uint64_t keys = fake_python_alloc(&objects->python, indices + 2 * 512 + 24);
    if (has(objects, PY_keys_log2_index_bytes)) {
        objects_put_byte(objects, keys + objects_field(objects, PY_keys_size_or_log2), 9);
        objects_put_byte(objects, keys + objects_field(objects, PY_keys_log2_index_bytes), 10);
    } else {
        fake_python_set(&objects->python, keys, PY_keys_size_or_log2, 512);
    }
    fake_python_set(&objects->python, keys, PY_keys_nentries, 1);
    uint64_t entry = keys + indices + 1024;
    fake_python_set(&objects->python, entry, PY_keys_entry_key, objects_int(objects, 3));
    fake_python_set(&objects->python, entry, PY_keys_entry_value, objects_str(objects, "v"));
    uint64_t dict = objects_new(objects, objects->python.dict_type, 64);
    fake_python_set(&objects->python, dict, PY_dict_keys, keys);
    fake_python_set(&objects->python, dict, PY_dict_used, 1);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, dict), "{3: 'v'}");
}

/* ---- attributes */

struct seen {
    struct objects *objects;
    char words[256];
};

static bool see(void *context, const struct attribute *attribute)
{
    struct seen *seen = context;
    const char *name = attribute->name;
    int64_t value;
    if (!name)
        assert_int_equal(str_name(&seen->objects->process, attribute->name_addr, &name), STATUS_OK);
    assert_int_equal(int_read(&seen->objects->process, attribute->value_addr, &value), STATUS_OK);
    size_t used = strlen(seen->words);
    snprintf(seen->words + used, sizeof seen->words - used, "%s=%d ", name, (int)value);
    return true;
}

static void assert_attributes(struct objects *objects, uint64_t addr, const char *words)
{
    struct seen seen = {.objects = objects};
    assert_int_equal(instance_attributes(&objects->process, addr, see, &seen), STATUS_OK);
    assert_string_equal(seen.words, words);
}

static void own_dictionary(struct objects *objects)
{
    static const char *const names[] = {"b", "a", NULL};
    uint64_t class = objects_class(objects, "m", "C", objects->object_type, 0, NULL, NULL);
    uint64_t values[] = {objects_int(objects, 1), objects_int(objects, 2)}, value;
    uint64_t instance = objects_instance(objects, class, names, values);
    objects_open(objects);
    assert_attributes(objects, instance, "b=1 a=2 ");
    assert_int_equal(instance_attribute(&objects->process, instance, "a", &value), STATUS_OK);
    assert_int_equal(value, values[1]);
    assert_int_equal(instance_attribute(&objects->process, instance, "c", &value),
                     STATUS_NOT_IN_DUMP);
}

/* Puts three values, the second unset, inserted as the third and then the first. */
static uint64_t put_values(struct objects *objects, uint64_t header)
{
    uint64_t array =
        header + (has(objects, PY_values_array) ? objects_field(objects, PY_values_array) : 0);
    fake_python_put(&objects->python, array, objects_int(objects, 10));
    fake_python_put(&objects->python, array + 16, objects_int(objects, 30));
    if (has(objects, PY_values_order_before)) {
        objects_put_byte(objects, array - objects_field(objects, PY_values_size_before), 2);
        objects_put_byte(objects, array - objects_field(objects, PY_values_order_before), 2);
        objects_put_byte(objects, array - objects_field(objects, PY_values_order_before) - 1, 0);
    } else if (has(objects, PY_values_capacity)) {
        objects_put_byte(objects, header + objects_field(objects, PY_values_capacity), 3);
        objects_put_byte(objects, header + objects_field(objects, PY_values_size), 2);
        objects_put_byte(objects, header + objects_field(objects, PY_values_valid), 1);
        objects_put_byte(objects, array + 24, 2);
        objects_put_byte(objects, array + 25, 0);
    }
    return header;
}

static uint64_t shared_keys(struct objects *objects)
{
    static const char *const names[] = {"first", "second", "third"};
    if (has(objects, PY_keys_kind))
        return unicode_keys(objects, names, 3, 2);
    static const char *const list[] = {"first", "second", "third", NULL};
    static const uint64_t none[3];
    uint64_t dict = fake_python_dict(&objects->python, list, none), keys;
    memcpy(&keys,
           objects->python.bytes + (dict - FAKE_PYTHON_BASE) + objects_field(objects, PY_dict_keys),
           sizeof keys);
    return keys;
}

static void split_dictionary(struct objects *objects)
{
    uint64_t dict = objects_new(objects, objects->python.dict_type, 64);
    uint64_t header = fake_python_alloc(&objects->python, 128) + 32;
    fake_python_set(&objects->python, dict, PY_dict_used, 2);
    fake_python_set(&objects->python, dict, PY_dict_keys, shared_keys(objects));
    fake_python_set(&objects->python, dict, PY_dict_values, put_values(objects, header));
    bool has_order = has(objects, PY_keys_kind);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, dict),
                        has_order ? "{'third': 30, 'first': 10}" : "{'first': 10, 'third': 30}");
}

/* An instance without a dict of its own: from 3.11 on. */
static void values_of_an_instance(struct objects *objects)
{
    if (!has(objects, PY_constant_tpflags_managed_dict)) {
        objects_open(objects);
        return;
    }
    uint64_t flags = objects_field(objects, PY_constant_tpflags_managed_dict);
    if (has(objects, PY_constant_tpflags_inline_values))
        flags |= objects_field(objects, PY_constant_tpflags_inline_values);
    uint64_t class = objects_class(objects, "m", "C", objects->object_type, flags, NULL, NULL);
    fake_python_set(&objects->python, class, PY_heaptype_cached_keys, shared_keys(objects));
    fake_python_set(&objects->python, class, PY_type_basicsize, 16);
    uint64_t instance = objects_new(objects, class, 128), header;
    if (has(objects, PY_constant_tpflags_inline_values)) {
        put_values(objects, instance + 16);
    } else {
        header = put_values(objects, fake_python_alloc(&objects->python, 128) + 32);
        uint64_t tag = has(objects, PY_constant_managed_values_tag) ? 1 : 0;
        fake_python_put(&objects->python,
                        instance - objects_field(objects, PY_managed_values_before_object),
                        header - tag);
    }
    uint64_t bare = objects_new(objects, class, 128), value;
    objects_open(objects);
    assert_attributes(objects, instance, "third=30 first=10 ");
    assert_int_equal(instance_attribute(&objects->process, instance, "second", &value),
                     STATUS_NOT_IN_DUMP);
    assert_attributes(objects, bare, "");
}

static uint64_t c_string(struct objects *objects, const char *text)
{
    uint64_t addr = fake_python_alloc(&objects->python, 32);
    objects_put_bytes(objects, addr, text, strlen(text) + 1);
    return addr;
}

static uint64_t slots_class(struct objects *objects, const char *qualname, uint64_t base,
                            const char *const *sorted, const char *const *written, size_t count,
                            uint64_t offset)
{
    uint64_t names[4], tuple_names[4], size = objects_field(objects, PY_memberdef_size);
    uint64_t members = fake_python_alloc(&objects->python, (count + 1) * size);
    for (size_t i = 0; i < count; i++) {
        uint64_t member = members + i * size;
        names[i] = objects_str(objects, written[i]);
        tuple_names[i] = objects_str(objects, sorted[i]);
        fake_python_set(&objects->python, member, PY_memberdef_offset, offset + 8 * i);
        fake_python_set(&objects->python, member, PY_memberdef_type, 16);
        fake_python_set(&objects->python, member, PY_memberdef_name, c_string(objects, sorted[i]));
    }
    const char *const keys[] = {"__slots__", NULL};
    uint64_t written_slots = objects_tuple(objects, names, count);
    uint64_t class = objects_class(objects, "m", qualname, base, 0, keys, &written_slots);
    fake_python_set(&objects->python, class, PY_type_members, members);
    fake_python_set(&objects->python, class, PY_heaptype_slots,
                    objects_tuple(objects, tuple_names, count));
    return class;
}

/* The type object has the members sorted and mangled; they come as written. */
static void slots(struct objects *objects)
{
    static const char *const sorted[] = {"_Outer__own", "a", "z"};
    static const char *const written[] = {"z", "__own", "a"};
    static const char *const more[] = {"m"};
    uint64_t base = slots_class(objects, "_Outer", objects->object_type, sorted, written, 3, 16);
    uint64_t class = slots_class(objects, "Derived", base, more, more, 1, 40);
    uint64_t instance = objects_new(objects, class, 64), value;
    fake_python_put(&objects->python, instance + 16, objects_int(objects, 1));
    fake_python_put(&objects->python, instance + 32, objects_int(objects, 3));
    fake_python_put(&objects->python, instance + 40, objects_int(objects, 4));
    objects_open(objects);
    assert_attributes(objects, instance, "z=3 _Outer__own=1 m=4 ");
    assert_int_equal(instance_attribute(&objects->process, instance, "a", &value),
                     STATUS_NOT_IN_DUMP);
    assert_int_equal(instance_attribute(&objects->process, instance, "m", &value), STATUS_OK);
}

/* A subclass of tuple keeps its dictionary behind its items. */
static void dictionary_at_the_end(struct objects *objects)
{
    static const char *const names[] = {"k", NULL};
    uint64_t seven = objects_int(objects, 7);
    uint64_t class = objects_class(objects, "m", "T", objects->tuple_type, 0, NULL, NULL);
    uint64_t items = objects_field(objects, PY_tuple_items);
    fake_python_set(&objects->python, class, PY_type_dictoffset, -UINT64_C(8));
    fake_python_set(&objects->python, class, PY_type_basicsize, items + 8);
    fake_python_set(&objects->python, class, PY_type_itemsize, 8);
    uint64_t instance = objects_new(objects, class, items + 24);
    fake_python_set(&objects->python, instance, PY_var_size, 2);
    fake_python_put(&objects->python, instance + items, seven);
    fake_python_put(&objects->python, instance + items + 8, seven);
    fake_python_put(&objects->python, instance + items + 16,
                    fake_python_dict(&objects->python, names, &seven));
    objects_open(objects);
    assert_attributes(objects, instance, "k=7 ");
}

/* ---- damage */

static void lying_sizes(struct objects *objects)
{
    static const char *const names[] = {"a", NULL};
    uint64_t one = objects_int(objects, 1), value;
    uint64_t dicts[3];
    for (size_t i = 0; i < 3; i++)
        dicts[i] = fake_python_dict(&objects->python, names, &one);
    uint64_t keys[3];
    for (size_t i = 0; i < 3; i++)
        memcpy(&keys[i],
               objects->python.bytes + (dicts[i] - FAKE_PYTHON_BASE) +
                   objects_field(objects, PY_dict_keys),
               8);
    fake_python_set(&objects->python, keys[0], PY_keys_nentries, UINT64_C(1) << 60);
    fake_python_set(&objects->python, keys[1], PY_keys_nentries, UINT64_MAX);
    if (has(objects, PY_keys_log2_index_bytes))
        objects_put_byte(objects, keys[2] + objects_field(objects, PY_keys_log2_index_bytes), 63);
    else
        fake_python_set(&objects->python, keys[2], PY_keys_size_or_log2, UINT64_C(1) << 62);
    uint64_t nowhere = objects_new(objects, objects->python.dict_type, 64);
    fake_python_set(&objects->python, nowhere, PY_dict_keys, 0x1000);
    fake_python_set(&objects->python, nowhere, PY_dict_used, 5);
    objects_open(objects);
    struct dict_iterator iterator;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(dict_iterate(&objects->process, dicts[i], &iterator), STATUS_CORRUPT);
    assert_int_equal(dict_iterate(&objects->process, nowhere, &iterator), STATUS_NOT_IN_DUMP);
    assert_int_equal(dict_iterate(&objects->process, one, &iterator), STATUS_CORRUPT);
    assert_int_equal(dict_get(&objects->process, one, "a", &value), STATUS_CORRUPT);
    assert_string_equal(objects_repr(objects, nowhere), "{<not in the core>}");
    assert_string_equal(objects_repr(objects, dicts[0]), "{<damaged>}");
}

#define EACH_VERSION(name)                                                                         \
    static void name##_in_each_version(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH_VERSION(general_keys)
EACH_VERSION(unicode_entries)
EACH_VERSION(wide_index_table)
EACH_VERSION(own_dictionary)
EACH_VERSION(split_dictionary)
EACH_VERSION(values_of_an_instance)
EACH_VERSION(slots)
EACH_VERSION(dictionary_at_the_end)
EACH_VERSION(lying_sizes)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(general_keys_in_each_version),
        cmocka_unit_test(unicode_entries_in_each_version),
        cmocka_unit_test(wide_index_table_in_each_version),
        cmocka_unit_test(own_dictionary_in_each_version),
        cmocka_unit_test(split_dictionary_in_each_version),
        cmocka_unit_test(values_of_an_instance_in_each_version),
        cmocka_unit_test(slots_in_each_version),
        cmocka_unit_test(dictionary_at_the_end_in_each_version),
        cmocka_unit_test(lying_sizes_in_each_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
