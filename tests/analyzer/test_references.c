/* SPDX-License-Identifier: Apache-2.0 */
/* What objects refer to and their sizes, in the layout of every version, and what
 * damage does. The zoo of tests/live compares all kinds with living processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/objects/references_plan.h"
#include "tests/analyzer/objects_fixture.h"

#define GC_HEAD 16

struct asked {
    struct reference_list list;
    uint64_t size;
    enum status status;
};

static struct asked ask(struct objects *objects, uint64_t addr)
{
    struct asked asked = {0};
    const struct python_type *type;
    assert_int_equal(object_type(&objects->process, addr, &type), STATUS_OK);
    assert_int_equal(references_prepare(&objects->process, type), STATUS_OK);
    asked.status = object_references(&objects->process, type, addr, &asked.list, &asked.size);
    return asked;
}

/* The first reference to `target`, and how many of `kind` there are. */
static const struct reference *find(const struct asked *asked, uint64_t target,
                                    enum reference_kind kind, size_t *ret_count)
{
    const struct reference *found = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < asked->list.references.count; i++) {
        const struct reference *reference = &asked->list.references.items[i];
        if (reference->target_addr != target || reference->kind != kind)
            continue;
        found = found ? found : reference;
        ++*ret_count;
    }
    return found;
}

static const struct reference *must_find(const struct asked *asked, uint64_t target,
                                         enum reference_kind kind, size_t count)
{
    size_t there;
    const struct reference *reference = find(asked, target, kind, &there);
    assert_int_equal(there, count);
    return reference;
}

static void must_be_labelled(const struct reference *reference, const char *name)
{
    assert_non_null(reference);
    assert_int_equal(reference->label, LABEL_FIELD);
    assert_string_equal(reference->name, name);
}

static void forget(struct asked *asked)
{
    reference_list_deinit(&asked->list);
}

/* The type takes part in garbage collection, with instances of `basicsize`. */
static void collect(struct objects *objects, uint64_t type, uint64_t basicsize)
{
    uint64_t flags;
    memcpy(&flags,
           objects->python.bytes + (type - FAKE_PYTHON_BASE) +
               objects_field(objects, PY_type_flags),
           sizeof flags);
    fake_python_set(&objects->python, type, PY_type_flags,
                    flags | objects_field(objects, PY_constant_tpflags_have_gc));
    fake_python_set(&objects->python, type, PY_type_basicsize, basicsize);
    if (type != objects->object_type) /* which visits nothing */
        fake_python_set(&objects->python, type, PY_type_traverse, 0x5000);
}

static uint64_t collected_type(struct objects *objects, const char *name, uint64_t basicsize)
{
    uint64_t type = objects_type(objects, name, objects->object_type, PYTHON_FIELD_COUNT);
    collect(objects, type, basicsize);
    return type;
}

static void put(struct objects *objects, uint64_t addr, uint64_t word)
{
    fake_python_put(&objects->python, addr, word);
}

/* ---- sequences */

static void sequences(struct objects *objects)
{
    uint64_t items[] = {objects->none, objects_str(objects, "x"), objects->none};
    uint64_t header = objects_field(objects, PY_tuple_items);
    collect(objects, objects->list_type, 40);
    collect(objects, objects->tuple_type, header);
    fake_python_set(&objects->python, objects->tuple_type, PY_type_itemsize, 8);
    uint64_t list = objects_list(objects, items, 3), tuple = objects_tuple(objects, items, 3);
    fake_python_set(&objects->python, list, PY_list_allocated, 5);
    objects_open(objects);
    struct asked asked = ask(objects, list);
    assert_int_equal(asked.status, STATUS_OK);
    assert_int_equal(asked.list.references.count, 3);
    assert_int_equal(must_find(&asked, objects->none, REFERENCE_VISITED, 2)->label, LABEL_INDEX);
    assert_int_equal(must_find(&asked, items[1], REFERENCE_VISITED, 1)->index, 1);
    assert_int_equal(asked.size, 40 + 5 * 8 + GC_HEAD);
    forget(&asked);
    asked = ask(objects, tuple);
    assert_int_equal(must_find(&asked, items[1], REFERENCE_VISITED, 1)->index, 1);
    assert_int_equal(asked.size, header + 3 * 8 + GC_HEAD);
    forget(&asked);
}

/* ---- dictionaries */

static void general_keys(struct objects *objects)
{
    static const char *const names[] = {"one", "gone", "two", NULL};
    uint64_t values[] = {objects->none, 0, objects_str(objects, "x")};
    uint64_t dict = fake_python_dict(&objects->python, names, values);
    collect(objects, objects->python.dict_type, 48);
    objects_open(objects);
    struct asked asked = ask(objects, dict);
    assert_int_equal(asked.status, STATUS_OK);
    assert_int_equal(asked.list.references.count, 4); /* the deleted entry has none */
    const struct reference *value = must_find(&asked, values[2], REFERENCE_VISITED, 1);
    assert_int_equal(value->label, LABEL_KEY);
    assert_true(str_equals(&objects->process, value->name_addr, "two"));
    assert_int_equal(must_find(&asked, value->name_addr, REFERENCE_VISITED, 1)->label,
                     LABEL_KEY_ITSELF);
    assert_int_equal(asked.size, 48 + objects_field(objects, PY_keys_indices) + 16 +
                                     10 * objects_field(objects, PY_keys_entry_size) + GC_HEAD);
    forget(&asked);
}

/* tp_traverse does not visit keys that are all str. */
static void unicode_keys(struct objects *objects)
{
    static const char *const names[] = {NULL};
    uint64_t dict = fake_python_dict(&objects->python, names, NULL);
    uint64_t key = objects_str(objects, "key"), value = objects_str(objects, "value");
    collect(objects, objects->python.dict_type, 48);
    if (!layout_has(&objects->python.layout, PY_keys_kind)) {
        objects_open(objects);
        return;
    }
    uint64_t indices = objects_field(objects, PY_keys_indices);
    uint64_t keys = fake_python_alloc(&objects->python, indices + 8 + 64);
    objects_put_byte(objects, keys + objects_field(objects, PY_keys_size_or_log2), 3);
    objects_put_byte(objects, keys + objects_field(objects, PY_keys_log2_index_bytes), 3);
    objects_put_byte(objects, keys + objects_field(objects, PY_keys_kind), 1);
    fake_python_set(&objects->python, keys, PY_keys_nentries, 1);
    put(objects, keys + indices + 8 + objects_field(objects, PY_keys_unicode_entry_key), key);
    put(objects, keys + indices + 8 + objects_field(objects, PY_keys_unicode_entry_value), value);
    fake_python_set(&objects->python, dict, PY_dict_keys, keys);
    objects_open(objects);
    struct asked asked = ask(objects, dict);
    assert_int_equal(asked.list.references.count, 2);
    assert_int_equal(must_find(&asked, value, REFERENCE_VISITED, 1)->name_addr, key);
    must_find(&asked, key, REFERENCE_HIDDEN, 1);
    assert_int_equal(asked.size, 48 + GC_HEAD); /* keys that others share, too, do not count */
    forget(&asked);
}

/* ---- rows of words */

static void row_of_words(struct objects *objects)
{
    uint64_t type = collected_type(objects, "slice", 40);
    uint64_t slice = objects_new(objects, type, 40);
    put(objects, slice + 16, objects->none);
    put(objects, slice + 32, objects->list_type);
    uint64_t range_type = objects_type(objects, "range", objects->object_type, PYTHON_FIELD_COUNT);
    fake_python_set(&objects->python, range_type, PY_type_basicsize, 48);
    uint64_t range = objects_new(objects, range_type, 48);
    put(objects, range + 24, objects->none);
    objects_open(objects);
    struct asked asked = ask(objects, slice);
    assert_int_equal(asked.list.references.count, 2);
    must_be_labelled(must_find(&asked, objects->none, REFERENCE_VISITED, 1), ".start");
    must_be_labelled(must_find(&asked, objects->list_type, REFERENCE_VISITED, 1), ".step");
    assert_int_equal(asked.size, 40 + GC_HEAD);
    forget(&asked);
    asked = ask(objects, range); /* takes no part in collection, but owns it */
    must_be_labelled(must_find(&asked, objects->none, REFERENCE_HIDDEN, 1), ".stop");
    assert_int_equal(asked.size, 48);
    forget(&asked);
}

static void weak_references(struct objects *objects)
{
    uint64_t type = collected_type(objects, "weakref.ReferenceType", 64);
    uint64_t weak = objects_new(objects, type, 64);
    put(objects, weak + 16, objects->none);
    put(objects, weak + 24, objects->list_type);
    put(objects, weak + 40, objects->bytes_type); /* the next one in a list: no reference */
    objects_open(objects);
    struct asked asked = ask(objects, weak);
    assert_int_equal(asked.list.references.count, 2);
    const struct reference *referent = must_find(&asked, objects->none, REFERENCE_WEAK, 1);
    assert_memory_equal(referent->name, "weak", 4);
    must_be_labelled(must_find(&asked, objects->list_type, REFERENCE_VISITED, 1), ".__callback__");
    forget(&asked);
}

/* Instances of what a class statement makes have its type, a dictionary and slots. */
static void instances(struct objects *objects)
{
    static const char *const none[] = {NULL};
    collect(objects, objects->object_type, 16);
    uint64_t class = objects_class(objects, "shop", "Cart", objects->object_type, 0, NULL, NULL);
    fake_python_set(&objects->python, class, PY_type_basicsize, 88);
    uint64_t instance = objects_instance(objects, class, none, NULL);
    uint64_t member = fake_python_alloc(&objects->python, 96);
    put(objects, member + objects_field(objects, PY_memberdef_name), objects->python.runtime);
    put(objects, member + objects_field(objects, PY_memberdef_offset), 16);
    objects_put_byte(objects, member + objects_field(objects, PY_memberdef_type), 16);
    fake_python_set(&objects->python, class, PY_type_members, member);
    fake_python_set(&objects->python, class, PY_var_size, 1);
    put(objects, instance + 16, objects->none);
    objects_open(objects);
    struct asked asked = ask(objects, instance);
    assert_int_equal(asked.status, STATUS_OK);
    assert_int_equal(asked.list.references.count, 3);
    must_be_labelled(must_find(&asked, class, REFERENCE_VISITED, 1), ".__class__");
    must_find(&asked, objects->none, REFERENCE_VISITED, 1);
    bool has_dict = false;
    for (size_t i = 0; i < asked.list.references.count; i++)
        has_dict |= asked.list.references.items[i].label == LABEL_FIELD &&
                    strcmp(asked.list.references.items[i].name, ".__dict__") == 0;
    assert_true(has_dict);
    forget(&asked);
}

/* A row is believed for its own basicsize alone; others are looked at word by word. */
static void unknown_types(struct objects *objects)
{
    uint64_t type = collected_type(objects, "slice", 56);
    uint64_t object = objects_new(objects, type, 64);
    put(objects, object + 16, objects->none);
    put(objects, object + 24, 12345);
    put(objects, object + 32, objects->none + 4); /* not aligned */
    put(objects, object + 40, objects->python.bytes ? objects->python.runtime : 0);
    put(objects, object + 56, objects->none); /* behind the object */
    objects_open(objects);
    struct asked asked = ask(objects, object);
    assert_int_equal(asked.status, STATUS_OK);
    assert_int_equal(asked.list.references.count, 1);
    must_find(&asked, objects->none, REFERENCE_INFERRED, 1);
    assert_int_equal(asked.size, 56 + GC_HEAD);
    forget(&asked);
}

/* ---- generators and the tags of their stacks */

static void generators(struct objects *objects)
{
    const struct python_layout *layout = &objects->python.layout;
    if (!layout_has(layout, PY_gen_iframe)) {
        objects_open(objects);
        return;
    }
    uint64_t basicsize = layout_minor(layout) == 11 || layout_minor(layout) > 13 ? 152 : 144;
    uint64_t type = collected_type(objects, "generator", basicsize);
    uint64_t generator = objects_new(objects, type, 400);
    uint64_t code = objects_new(objects, objects->code_type, objects_field(objects, PY_code_size));
    uint64_t name = objects_str(objects, "cart"), held = objects_str(objects, "held");
    uint64_t counted = objects_str(objects, "counted");
    uint64_t frame = generator + objects_field(objects, PY_gen_iframe);
    uint64_t slots = frame + objects_field(objects, PY_iframe_localsplus);
    bool is_tagged = layout_has(layout, PY_constant_stackref_tag_mask);
    fake_python_set(&objects->python, code, PY_code_localsplusnames,
                    objects_tuple(objects, &name, 1));
    fake_python_set(&objects->python, held, PY_object_refcnt, 1);
    put(objects, generator + objects_field(objects, PY_gen_state),
        objects_field(objects, PY_constant_gen_suspended) & 0xFF);
    put(objects, frame + objects_field(objects, PY_iframe_code), code);
    put(objects, slots, held);
    put(objects, slots + 8, is_tagged ? held | 1 : 0);
    put(objects, slots + 16, is_tagged ? 7 : 0); /* a number */
    put(objects, slots + 24, counted);
    put(objects, slots + 32, objects->none); /* past the top */
    if (layout_has(layout, PY_iframe_stackpointer)) {
        put(objects, frame + objects_field(objects, PY_iframe_stackpointer), slots + 32);
    } else {
        uint32_t top = 4;
        objects_put_bytes(objects, frame + objects_field(objects, PY_iframe_stacktop), &top, 4);
    }
    objects_open(objects);
    struct asked asked = ask(objects, generator);
    const struct reference *local = must_find(&asked, held, REFERENCE_VISITED, 1);
    assert_int_equal(local->label, LABEL_VARIABLE);
    assert_int_equal(local->name_addr, name);
    must_be_labelled(must_find(&asked, counted, REFERENCE_VISITED, 1), ".<stack>");
    must_find(&asked, held, REFERENCE_WEAK, is_tagged ? 1 : 0);
    must_find(&asked, code, REFERENCE_VISITED, 1);
    must_find(&asked, objects->none, REFERENCE_VISITED, 0);
    forget(&asked);
}

/* ---- damage */

static void lying_counts(struct objects *objects)
{
    uint64_t items[] = {objects->none};
    static const char *const names[] = {"one", NULL};
    collect(objects, objects->list_type, 40);
    collect(objects, objects->python.dict_type, 48);
    uint64_t many = objects_list(objects, items, 1), more = objects_list(objects, items, 1);
    fake_python_set(&objects->python, many, PY_var_size, 1 << 28);
    fake_python_set(&objects->python, more, PY_var_size, UINT64_MAX);
    fake_python_set(&objects->python, more, PY_list_allocated, UINT64_MAX / 4);
    uint64_t dict = fake_python_dict(&objects->python, names, items), keys;
    memcpy(&keys,
           objects->python.bytes + (dict - FAKE_PYTHON_BASE) + objects_field(objects, PY_dict_keys),
           sizeof keys);
    fake_python_set(&objects->python, keys, PY_keys_nentries, 1 << 20);
    objects_open(objects);
    struct asked asked = ask(objects, many);
    assert_int_equal(asked.status, STATUS_NOT_IN_DUMP);
    forget(&asked);
    asked = ask(objects, more);
    assert_int_equal(asked.status, STATUS_CORRUPT);
    assert_int_equal(asked.size, 40 + GC_HEAD);
    forget(&asked);
    asked = ask(objects, dict);
    assert_int_equal(asked.status, STATUS_CORRUPT);
    forget(&asked);
}

static void must_have_size(struct objects *objects, uint64_t addr, uint64_t size, bool is_sound)
{
    struct asked asked = ask(objects, addr);
    assert_int_equal(asked.size, size);
    assert_int_equal(asked.status == STATUS_OK, is_sound);
    forget(&asked);
}

/* A size is no larger than the memory that there was for it, known or not. */
static void lying_sizes(struct objects *objects)
{
    uint64_t room = objects_field(objects, PY_list_allocated), vast = UINT64_C(1) << 30;
    uint64_t lists[3], sets[2], items = fake_python_alloc(&objects->python, 8192);
    objects->python.unstored = 1 << 20; /* the core may lack what the process had */
    collect(objects, objects->list_type, 40);
    collect(objects, objects->set_type, 200);
    for (size_t i = 0; i < 3; i++) {
        lists[i] = objects_new(objects, objects->list_type, 40);
        fake_python_set(&objects->python, lists[i], PY_list_items, items);
        put(objects, lists[i] + room, i == 0 ? 1024 : i == 1 ? (3u << 20) / 8 : vast);
    }
    fake_python_set(&objects->python, lists[1], PY_list_items,
                    FAKE_PYTHON_BASE + objects->python.size - (2u << 20));
    for (size_t i = 0; i < 2; i++) {
        sets[i] = objects_new(objects, objects->set_type, 200);
        fake_python_set(&objects->python, sets[i], PY_set_table, items);
        fake_python_set(&objects->python, sets[i], PY_set_mask, i ? vast - 1 : 511);
    }
    uint64_t plain = objects_type(objects, "Plain", objects->object_type, PYTHON_FIELD_COUNT);
    fake_python_set(&objects->python, plain, PY_type_basicsize, vast);
    uint64_t instance = objects_new(objects, plain, 16);
    fake_python_set(&objects->python, objects->tuple_type, PY_type_itemsize, vast);
    uint64_t tuple = objects_tuple(objects, lists, 2);
    objects_open(objects);
    must_have_size(objects, lists[0], 40 + GC_HEAD + 8192, true);
    must_have_size(objects, lists[1], 40 + GC_HEAD + (3u << 20), true);
    must_have_size(objects, lists[2], 40 + GC_HEAD, false);
    must_have_size(objects, sets[0], 200 + GC_HEAD + 8192, true);
    must_have_size(objects, sets[1], 200 + GC_HEAD, false);
    must_have_size(objects, instance, 16, false);
    must_have_size(objects, tuple, objects_field(objects, PY_tuple_items) + 16, true);
}

/* A deque whose blocks lead back, an OrderedDict whose nodes do. */
static void loops(struct objects *objects)
{
    static const char *const names[] = {"one", NULL};
    uint64_t deque_type =
        collected_type(objects, "collections.deque", objects_field(objects, PY_deque_size));
    uint64_t deque = objects_new(objects, deque_type, 232);
    uint64_t block = fake_python_alloc(&objects->python, 640);
    fake_python_set(&objects->python, deque, PY_var_size, UINT64_C(1) << 31);
    fake_python_set(&objects->python, deque, PY_deque_left_block, block);
    put(objects, block + objects_field(objects, PY_deque_block_data), objects->none);
    put(objects, block + objects_field(objects, PY_deque_block_right), block);
    uint64_t ordered_type =
        objects_type(objects, "collections.OrderedDict", objects->python.dict_type,
                     PY_constant_tpflags_dict_subclass);
    collect(objects, ordered_type, 112);
    uint64_t source = fake_python_dict(&objects->python, names, &objects->none), keys;
    memcpy(&keys,
           objects->python.bytes + (source - FAKE_PYTHON_BASE) +
               objects_field(objects, PY_dict_keys),
           sizeof keys);
    uint64_t ordered = objects_new(objects, ordered_type, 112);
    uint64_t node = fake_python_alloc(&objects->python, 32);
    fake_python_set(&objects->python, ordered, PY_dict_keys, keys);
    fake_python_set(&objects->python, ordered, PY_dict_used, UINT64_MAX);
    fake_python_set(&objects->python, ordered, PY_odict_first, node);
    put(objects, node + objects_field(objects, PY_odictnode_key), objects->none);
    put(objects, node + objects_field(objects, PY_odictnode_next), node);
    objects_open(objects);
    struct asked asked = ask(objects, deque);
    assert_int_equal(asked.status, STATUS_CORRUPT);
    assert_true(asked.list.references.count < 1000);
    forget(&asked);
    asked = ask(objects, ordered);
    assert_int_equal(asked.status, STATUS_CORRUPT);
    assert_true(asked.list.references.count < 1000);
    forget(&asked);
}

/* ---- */

#define EACH_VERSION(name)                                                                         \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        objects_each_version(name);                                                                \
    }
EACH_VERSION(sequences)
EACH_VERSION(general_keys)
EACH_VERSION(unicode_keys)
EACH_VERSION(row_of_words)
EACH_VERSION(weak_references)
EACH_VERSION(instances)
EACH_VERSION(unknown_types)
EACH_VERSION(generators)
EACH_VERSION(lying_counts)
EACH_VERSION(lying_sizes)
EACH_VERSION(loops)

static void test_releases(void **state)
{
    struct python_layout layout = {.version_hex = 0x030d0000};
    (void)state;
    assert_false(release_has(&layout, CHANGE_OWN_DICT_VISITED));
    assert_true(release_has(&layout, CHANGE_PICKLE_MEMO_VISITED));
    layout.version_hex = 0x030d05f0;
    assert_true(release_has(&layout, CHANGE_OWN_DICT_VISITED));
    layout.version_hex = 0x030f02f0;
    assert_true(release_has(&layout, CHANGE_OWN_DICT_VISITED));
    layout.version_hex = 0x030b02f0;
    assert_false(release_has(&layout, CHANGE_PICKLE_MEMO_VISITED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),       cmocka_unit_test(test_general_keys),
        cmocka_unit_test(test_unicode_keys),    cmocka_unit_test(test_row_of_words),
        cmocka_unit_test(test_weak_references), cmocka_unit_test(test_instances),
        cmocka_unit_test(test_unknown_types),   cmocka_unit_test(test_generators),
        cmocka_unit_test(test_lying_counts),    cmocka_unit_test(test_loops),
        cmocka_unit_test(test_releases),        cmocka_unit_test(test_lying_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
