/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the standard library's types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/objects_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t new_type(struct objects *objects, const char *name)
{
    return objects_type(objects, name, objects->object_type, PYTHON_FIELD_COUNT);
}

static void set(struct objects *objects, uint64_t addr, enum python_field field, uint64_t word)
{
    fake_python_set(&objects->python, addr, field, word);
}

static uint64_t word_at(struct objects *objects, uint64_t addr)
{
    uint64_t word;
    memcpy(&word, objects->python.bytes + (addr - FAKE_PYTHON_BASE), sizeof word);
    return word;
}

/* A dict's content in an object of another type, with room behind it. */
static uint64_t dict_of_type(struct objects *objects, uint64_t type, const char *const *names,
                             const uint64_t *values)
{
    uint64_t dict = fake_python_dict(&objects->python, names, values);
    uint64_t copy = objects_new(objects, type, 160);
    set(objects, copy, PY_dict_used, word_at(objects, dict + objects_field(objects, PY_dict_used)));
    set(objects, copy, PY_dict_keys, word_at(objects, dict + objects_field(objects, PY_dict_keys)));
    return copy;
}

static uint64_t dict_type(struct objects *objects, const char *name)
{
    return objects_type(objects, name, objects->python.dict_type,
                        PY_constant_tpflags_dict_subclass);
}

/* The key of the n-th entry. */
static uint64_t key_of(struct objects *objects, uint64_t dict, uint64_t index)
{
    uint64_t keys = word_at(objects, dict + objects_field(objects, PY_dict_keys));
    return word_at(objects, keys + objects_field(objects, PY_keys_indices) + 16 +
                                index * objects_field(objects, PY_keys_entry_size) +
                                objects_field(objects, PY_keys_entry_key));
}

static void ordered_dicts(struct objects *objects)
{
    static const char *const names[] = {"a", "b", "c", NULL}, *const none[] = {NULL};
    static const unsigned order[] = {2, 0, 1};
    uint64_t values[] = {objects_int(objects, 1), objects_int(objects, 2), objects_int(objects, 3)};
    uint64_t type = dict_type(objects, "collections.OrderedDict");
    uint64_t dict = dict_of_type(objects, type, names, values);
    uint64_t empty = dict_of_type(objects, type, none, NULL);
    uint64_t node = 0;
    for (size_t i = 3; i-- > 0;) {
        uint64_t next = node;
        node = fake_python_alloc(&objects->python, 32);
        set(objects, node, PY_odictnode_key, key_of(objects, dict, order[i]));
        set(objects, node, PY_odictnode_next, next);
    }
    set(objects, dict, PY_odict_first, node);
    objects_open(objects);
    bool as_pairs = layout_minor(&objects->process.layout) < 12;
    assert_string_equal(objects_repr(objects, dict),
                        as_pairs ? "OrderedDict([('c', 3), ('a', 1), ('b', 2)])"
                                 : "OrderedDict({'c': 3, 'a': 1, 'b': 2})");
    assert_string_equal(objects_repr(objects, empty), "OrderedDict()");
}

static void counters_and_default_dicts(struct objects *objects)
{
    static const char *const names[] = {"a", "b", "c", "d", NULL};
    uint64_t values[] = {objects_int(objects, 1), objects_int(objects, 5), objects_int(objects, 1),
                         objects_int(objects, -3)};
    uint64_t counter_type =
        objects_class(objects, "collections", "Counter", objects->python.dict_type, 0, NULL, NULL);
    uint64_t counter = dict_of_type(objects, counter_type, names, values);
    values[2] = objects->none;
    uint64_t unsorted = dict_of_type(objects, counter_type, names, values);
    uint64_t default_dict =
        dict_of_type(objects, dict_type(objects, "collections.defaultdict"), names, values);
    set(objects, default_dict, PY_defaultdict_factory, objects->list_type);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, counter),
                        "Counter({'b': 5, 'a': 1, 'c': 1, 'd': -3})");
    assert_string_equal(objects_repr(objects, unsorted),
                        "Counter({'a': 1, 'b': 5, 'c': None, 'd': -3})");
    assert_string_equal(objects_repr(objects, default_dict),
                        "defaultdict(<class 'list'>, {'a': 1, 'b': 5, 'c': None, 'd': -3})");
}

static void views(struct objects *objects)
{
    static const char *const names[] = {"a", NULL};
    static const char *const types[] = {"dict_keys", "dict_values", "dict_items", "mappingproxy"};
    uint64_t one = objects_int(objects, 1), views[4];
    uint64_t dict = fake_python_dict(&objects->python, names, &one);
    for (size_t i = 0; i < COUNT(views); i++) {
        views[i] = objects_new(objects, new_type(objects, types[i]), 32);
        fake_python_put(&objects->python, views[i] + 16, dict);
    }
    objects_open(objects);
    assert_string_equal(objects_repr(objects, views[0]), "dict_keys(['a'])");
    assert_string_equal(objects_repr(objects, views[1]), "dict_values([1])");
    assert_string_equal(objects_repr(objects, views[2]), "dict_items([('a', 1)])");
    assert_string_equal(objects_repr(objects, views[3]), "mappingproxy({'a': 1})");
}

/* ---- datetime */

static uint64_t with_data(struct objects *objects, uint64_t type, enum python_field field,
                          const void *data, size_t size)
{
    uint64_t addr = objects_new(objects, type, 64);
    objects_put_bytes(objects, addr + objects_field(objects, field), data, size);
    return addr;
}

static uint64_t delta(struct objects *objects, uint64_t type, int32_t days, int32_t seconds,
                      int32_t microseconds)
{
    int32_t data[] = {days, seconds, microseconds};
    return with_data(objects, type, PY_timedelta_days, data, sizeof data);
}

static void dates_and_times(struct objects *objects)
{
    static const uint8_t day[] = {0x07, 0xEA, 1, 2},
                         moment[] = {0x07, 0xEA, 1, 2, 3, 4, 5, 0, 0, 7};
    static const uint8_t minute[] = {0x07, 0xEA, 12, 31, 23, 59, 0, 0, 0, 0};
    static const uint8_t clock[] = {1, 2, 3, 0x0F, 0x42, 0x3F};
    uint64_t date_type = new_type(objects, "datetime.date");
    uint64_t datetime_type =
        objects_type(objects, "datetime.datetime", date_type, PYTHON_FIELD_COUNT);
    uint64_t delta_type = new_type(objects, "datetime.timedelta");
    uint64_t zone_type = new_type(objects, "datetime.timezone");
    uint64_t utc = objects_new(objects, zone_type, 32), zone = objects_new(objects, zone_type, 32);
    fake_python_put(&objects->python, utc + 16, delta(objects, delta_type, 0, 0, 0));
    fake_python_put(&objects->python, zone + 16, delta(objects, delta_type, 0, 3600, 0));
    fake_python_put(&objects->python, zone + 24, objects_str(objects, "CET"));
    uint64_t date = with_data(objects, date_type, PY_date_data, day, sizeof day);
    uint64_t first = with_data(objects, datetime_type, PY_datetime_data, moment, sizeof moment);
    uint64_t second = with_data(objects, datetime_type, PY_datetime_data, minute, sizeof minute);
    objects_put_byte(objects, second + objects_field(objects, PY_datetime_has_tzinfo), 1);
    objects_put_byte(objects, second + objects_field(objects, PY_datetime_fold), 1);
    set(objects, second, PY_datetime_tzinfo, utc);
    uint64_t time =
        with_data(objects, new_type(objects, "datetime.time"), PY_time_data, clock, sizeof clock);
    uint64_t none = delta(objects, delta_type, 0, 0, 0),
             some = delta(objects, delta_type, -1, 0, 7);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, date), "datetime.date(2026, 1, 2)");
    assert_string_equal(objects_repr(objects, first), "datetime.datetime(2026, 1, 2, 3, 4, 5, 7)");
    assert_string_equal(objects_repr(objects, second),
                        "datetime.datetime(2026, 12, 31, 23, 59, fold=1, "
                        "tzinfo=datetime.timezone.utc)");
    assert_string_equal(objects_repr(objects, time), "datetime.time(1, 2, 3, 999999)");
    assert_string_equal(objects_repr(objects, none), "datetime.timedelta(0)");
    assert_string_equal(objects_repr(objects, some), "datetime.timedelta(days=-1, microseconds=7)");
    assert_string_equal(objects_repr(objects, zone),
                        "datetime.timezone(datetime.timedelta(seconds=3600), 'CET')");
}

/* ---- decimal, fractions, uuid */

static uint64_t decimal(struct objects *objects, uint64_t type, uint8_t flags, int64_t exponent,
                        uint64_t digits, const uint64_t *words, size_t count)
{
    uint64_t addr = objects_new(objects, type, 128);
    uint64_t array = fake_python_alloc(&objects->python, 8 * count + 8);
    objects_put_byte(objects, addr + objects_field(objects, PY_decimal_flags), flags);
    set(objects, addr, PY_decimal_exponent, (uint64_t)exponent);
    set(objects, addr, PY_decimal_digits, digits);
    set(objects, addr, PY_decimal_len, count);
    set(objects, addr, PY_decimal_words, array);
    for (size_t i = 0; i < count; i++)
        fake_python_put(&objects->python, array + 8 * i, words[i]);
    return addr;
}

static void decimals(struct objects *objects)
{
    static const struct {
        uint8_t flags;
        int64_t exponent;
        uint64_t words[2];
        uint64_t digits;
        const char *text;
    } rows[] = {
        {0, 0, {0}, 1, "0"},
        {1, -1, {15}, 2, "-1.5"},
        {0, 5, {1}, 1, "1E+5"},
        {0, -6, {1}, 1, "0.000001"},
        {0, -7, {1}, 1, "1E-7"},
        {1, -22, {123}, 3, "-1.23E-20"},
        {0, -2, {10000}, 5, "100.00"},
        {0, -8, {0}, 1, "0E-8"},
        {0, 0, {5, 12}, 21, "120000000000000000005"},
        {0, 0, {UINT64_C(9999999999999999999), 1}, 20, "19999999999999999999"},
        {2, 0, {0}, 0, "Infinity"},
        {3, 0, {0}, 0, "-Infinity"},
        {4, 0, {0}, 0, "NaN"},
        {4, 0, {123}, 3, "NaN123"},
        {8, 0, {0}, 0, "sNaN"},
    };
    uint64_t type = new_type(objects, "decimal.Decimal"), addrs[COUNT(rows)];
    for (size_t i = 0; i < COUNT(rows); i++)
        addrs[i] = decimal(objects, type, rows[i].flags, rows[i].exponent, rows[i].digits,
                           rows[i].words, rows[i].words[1] ? 2 : 1);
    static const uint64_t many[300];
    uint64_t large = decimal(objects, type, 0, 0, 5700, many, 300);
    uint64_t lying = decimal(objects, type, 0, 0, UINT64_C(1) << 60, many, 1);
    objects_open(objects);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[64];
        snprintf(text, sizeof text, "Decimal('%s')", rows[i].text);
        assert_string_equal(objects_repr(objects, addrs[i]), text);
    }
    assert_string_equal(objects_repr(objects, large), "<decimal.Decimal of 5,700 digits>");
    assert_non_null(strstr(objects_repr(objects, lying), "damaged>"));
}

static void fractions_and_uuids(struct objects *objects)
{
    static const char *const parts[] = {"_numerator", "_denominator", NULL};
    static const char *const number[] = {"int", NULL};
    static const uint32_t digits[] = {0x0DDEEFF, 0x3BBC, 0x2AA, 0, 0xFF};
    uint64_t object = objects->object_type;
    uint64_t fraction_type = objects_class(objects, "fractions", "Fraction", object, 0, NULL, NULL);
    uint64_t uuid_type = objects_class(objects, "uuid", "UUID", object, 0, NULL, NULL);
    uint64_t values[] = {objects_int(objects, -3), objects_int(objects, 4)};
    uint64_t fraction = objects_instance(objects, fraction_type, parts, values);
    uint64_t value = objects_big_int(objects, digits, 5, false);
    uint64_t uuid = objects_instance(objects, uuid_type, number, &value);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, fraction), "Fraction(-3, 4)");
    /* 0xFF << 120 | 0x2AA << 60 | 0x3BBC << 30 | 0xDDEEFF */
    assert_string_equal(objects_repr(objects, uuid),
                        "UUID('ff000000-0000-002a-a000-0eef00ddeeff')");
}

/* ---- the rest */

static void partials(struct objects *objects)
{
    static const char *const names[] = {"key", NULL};
    uint64_t partial = objects_new(objects, new_type(objects, "functools.partial"), 96);
    uint64_t two = objects_int(objects, 2);
    set(objects, partial, PY_partial_function, objects->list_type);
    set(objects, partial, PY_partial_args, objects_tuple(objects, &objects->none, 1));
    set(objects, partial, PY_partial_keywords, fake_python_dict(&objects->python, names, &two));
    objects_open(objects);
    assert_string_equal(objects_repr(objects, partial),
                        "functools.partial(<class 'list'>, None, key=2)");
}

static void namespaces(struct objects *objects)
{
    static const char *const names[] = {"b", "a", NULL};
    uint64_t values[] = {objects_int(objects, 1), objects->none};
    uint64_t type = new_type(objects, "types.SimpleNamespace");
    uint64_t namespace = objects_instance(objects, type, names, values);
    objects_open(objects);
    bool is_sorted = layout_minor(&objects->process.layout) <= 8;
    assert_string_equal(objects_repr(objects, namespace),
                        is_sorted ? "namespace(a=None, b=1)" : "namespace(b=1, a=None)");
}

static void references_and_locks(struct objects *objects)
{
    uint64_t reference_type = new_type(objects, "weakref.ReferenceType");
    uint64_t lock_type = new_type(objects, "_thread.lock");
    uint64_t alive = objects_new(objects, reference_type, 64);
    uint64_t dead = objects_new(objects, reference_type, 64);
    uint64_t lock = objects_new(objects, lock_type, 64), text = objects_str(objects, "x");
    set(objects, alive, PY_weakref_object, text);
    set(objects, dead, PY_weakref_object, objects->none);
    set(objects, lock_type, PY_type_basicsize, objects_field(objects, PY_lock_size));
    objects_put_byte(objects, lock + objects_field(objects, PY_lock_locked), 1);
    objects_open(objects);
    char expected[128];
    snprintf(expected, sizeof expected, "<weakref at 0x%llx; to 'str' at 0x%llx>",
             (unsigned long long)alive, (unsigned long long)text);
    assert_string_equal(objects_repr(objects, alive), expected);
    snprintf(expected, sizeof expected, "<weakref at 0x%llx; dead>", (unsigned long long)dead);
    assert_string_equal(objects_repr(objects, dead), expected);
    snprintf(expected, sizeof expected, "<locked _thread.lock object at 0x%llx>",
             (unsigned long long)lock);
    assert_string_equal(objects_repr(objects, lock), expected);
}

static uint64_t struct_sequence(struct objects *objects, uint64_t *ret_dict)
{
    static const char *const names[] = {"n_sequence_fields", "hour", "year", NULL};
    uint64_t member_type = new_type(objects, "member_descriptor"), members[2];
    uint64_t items = objects_field(objects, PY_tuple_items);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t def = fake_python_alloc(&objects->python, 64);
        set(objects, def, PY_memberdef_offset, items + 8 * (1 - i));
        members[i] = objects_new(objects, member_type, 64);
        set(objects, members[i], PY_memberdescr_def, def);
    }
    uint64_t values[] = {objects_int(objects, 2), members[0], members[1]};
    uint64_t type = objects_type(objects, "time.struct_time", objects->tuple_type,
                                 PY_constant_tpflags_tuple_subclass);
    *ret_dict = fake_python_dict(&objects->python, names, values);
    uint64_t pair[] = {objects_int(objects, 2026), objects_int(objects, 23)};
    uint64_t time = objects_tuple(objects, pair, 2);
    set(objects, time, PY_object_type, type);
    return time;
}

static void struct_sequences(struct objects *objects)
{
    uint64_t dict, time = struct_sequence(objects, &dict);
    uint64_t type = word_at(objects, time + objects_field(objects, PY_object_type));
    set(objects, type, PY_type_dict, dict);
    objects_open(objects);
    assert_string_equal(objects_repr(objects, time), "time.struct_time(year=2026, hour=23)");
}

/* From 3.12 on the interpreter keeps the dictionaries of static types. */
static void dictionaries_of_static_types(struct objects *objects)
{
    uint64_t dict, time = struct_sequence(objects, &dict), number = 3;
    uint64_t type = word_at(objects, time + objects_field(objects, PY_object_type));
    bool has_states = layout_has(&objects->python.layout, PY_interp_static_types);
    if (has_states) {
        uint64_t state = objects->python.interp + objects_field(objects, PY_interp_static_types) +
                         (number - 1) * objects_field(objects, PY_interp_static_type_size);
        set(objects, state, PY_interp_static_type_type, type);
        set(objects, state, PY_interp_static_type_dict, dict);
        set(objects, type, PY_type_subclasses, number);
        set(objects, type, PY_type_flags,
            word_at(objects, type + objects_field(objects, PY_type_flags)) |
                objects_field(objects, PY_constant_tpflags_static_builtin));
    }
    objects_open(objects);
    assert_string_equal(objects_repr(objects, time),
                        has_states ? "time.struct_time(year=2026, hour=23)" : "(2026, 23)");
}

#define EACH_VERSION(name)                                                                         \
    static void name##_in_each_version(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH_VERSION(ordered_dicts)
EACH_VERSION(counters_and_default_dicts)
EACH_VERSION(views)
EACH_VERSION(dates_and_times)
EACH_VERSION(decimals)
EACH_VERSION(fractions_and_uuids)
EACH_VERSION(partials)
EACH_VERSION(namespaces)
EACH_VERSION(references_and_locks)
EACH_VERSION(struct_sequences)
EACH_VERSION(dictionaries_of_static_types)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordered_dicts_in_each_version),
        cmocka_unit_test(counters_and_default_dicts_in_each_version),
        cmocka_unit_test(views_in_each_version),
        cmocka_unit_test(dates_and_times_in_each_version),
        cmocka_unit_test(decimals_in_each_version),
        cmocka_unit_test(fractions_and_uuids_in_each_version),
        cmocka_unit_test(partials_in_each_version),
        cmocka_unit_test(namespaces_in_each_version),
        cmocka_unit_test(references_and_locks_in_each_version),
        cmocka_unit_test(struct_sequences_in_each_version),
        cmocka_unit_test(dictionaries_of_static_types_in_each_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
