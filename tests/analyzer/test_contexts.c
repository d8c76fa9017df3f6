/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of context variables, whole and damaged, in the layout of each version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/runtime/contexts.h"
#include "tests/analyzer/objects_fixture.h"

static uint64_t bitmap_type, array_type, context_type, tree_type;

static void set(struct objects *objects, uint64_t addr, enum python_field field, uint64_t word)
{
    fake_python_set(&objects->python, addr, field, word);
}

static void make_types(struct objects *objects)
{
    bitmap_type =
        objects_type(objects, "hamt_bitmap_node", objects->object_type, PYTHON_FIELD_COUNT);
    set(objects, bitmap_type, PY_type_basicsize, objects_field(objects, PY_hamt_items));
    set(objects, bitmap_type, PY_type_itemsize, 8);
    array_type = objects_type(objects, "hamt_array_node", objects->object_type, PYTHON_FIELD_COUNT);
    set(objects, array_type, PY_type_basicsize, objects_field(objects, PY_hamt_array_size));
    tree_type = objects_type(objects, "hamt", objects->object_type, PYTHON_FIELD_COUNT);
    context_type = objects_type(objects, "Context", objects->object_type, PYTHON_FIELD_COUNT);
}

static uint64_t pairs(struct objects *objects, const uint64_t *words, size_t count)
{
    uint64_t items = objects_field(objects, PY_hamt_items);
    uint64_t node = objects_new(objects, bitmap_type, (size_t)items + 8 * count);
    set(objects, node, PY_var_size, count);
    for (size_t i = 0; i < count; i++)
        fake_python_put(&objects->python, node + items + 8 * i, words[i]);
    return node;
}

static uint64_t array_node(struct objects *objects, unsigned at, uint64_t child)
{
    uint64_t node =
        objects_new(objects, array_type, (size_t)objects_field(objects, PY_hamt_array_size));
    fake_python_put(&objects->python,
                    node + objects_field(objects, PY_hamt_array_children) + 8 * (uint64_t)at,
                    child);
    return node;
}

static uint64_t context_of(struct objects *objects, uint64_t root, uint64_t count)
{
    uint64_t tree = objects_new(objects, tree_type, 40);
    uint64_t context = objects_new(objects, context_type, 48);
    set(objects, tree, PY_hamt_root, root);
    set(objects, tree, PY_hamt_count, count);
    set(objects, context, PY_context_variables, tree);
    return context;
}

struct found {
    uint64_t sum;
    size_t count;
};

static enum status add(void *context, uint64_t variable_addr, uint64_t value_addr)
{
    struct found *found = context;
    found->sum += variable_addr * 3 + value_addr;
    found->count++;
    return STATUS_OK;
}

static void expect(struct objects *objects, uint64_t context, enum status status, size_t count,
                   uint64_t sum)
{
    struct found found = {0};
    assert_int_equal(context_variables(&objects->process, context, add, &found), status);
    assert_int_equal(found.count, count);
    if (sum)
        assert_int_equal(found.sum, sum);
}

static void whole(struct objects *objects)
{
    make_types(objects);
    uint64_t inner = pairs(objects, (uint64_t[]){0x10, 0x20}, 2);
    uint64_t deep = array_node(objects, 31, inner);
    uint64_t root = pairs(objects, (uint64_t[]){0x30, 0x40, 0, deep, 0x50, 0x60}, 6);
    uint64_t context = context_of(objects, root, 3);
    uint64_t empty = context_of(objects, pairs(objects, NULL, 0), 0);
    objects_open(objects);
    expect(objects, context, STATUS_OK, 3, 3 * (0x10 + 0x30 + 0x50) + 0x20 + 0x40 + 0x60);
    expect(objects, empty, STATUS_OK, 0, 0);
}

static void damaged(struct objects *objects)
{
    make_types(objects);
    uint64_t absent = FAKE_PYTHON_BASE + objects->python.size + 4096;
    uint64_t circle = array_node(objects, 0, 0);
    fake_python_put(&objects->python, circle + objects_field(objects, PY_hamt_array_children),
                    circle);
    uint64_t huge = pairs(objects, (uint64_t[]){0x10, 0x20}, 2);
    uint64_t node = pairs(objects, (uint64_t[]){0x10, 0x20, 0, absent}, 4);
    uint64_t odd = pairs(objects, (uint64_t[]){0x10, 0x20, 0x30}, 3);
    uint64_t more = pairs(objects, (uint64_t[]){0x10, 0x20, 0x30, 0x40}, 4);
    uint64_t wrong = objects_int(objects, 7);
    set(objects, huge, PY_var_size, UINT64_C(1) << 40);
    uint64_t contexts[] = {
        context_of(objects, circle, 1), context_of(objects, huge, 1),
        context_of(objects, node, 2),   context_of(objects, odd, 2),
        context_of(objects, more, 1),   context_of(objects, more, 9),
        context_of(objects, wrong, 1),  context_of(objects, absent, 1),
    };
    static const size_t counts[] = {0, 0, 1, 0, 1, 2, 0, 0};
    objects_open(objects);
    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++)
        expect(objects, contexts[i], STATUS_CORRUPT, counts[i], 0);
    expect(objects, absent, STATUS_NOT_IN_DUMP, 0, 0);
}

static void span(struct objects *objects)
{
    uint64_t class = objects_class(objects, "opentelemetry.trace.span", "SpanContext",
                                   objects->tuple_type, 0, NULL, NULL);
    uint32_t trace[] = {5, 0, 0, 1u << 20}, no_trace[] = {1, 2, 3, 4, 1u << 20};
    uint64_t span_id = objects_int(objects, 0x1234);
    uint64_t numbers[] = {objects_big_int(objects, trace, 4, false), span_id};
    uint64_t too_large[] = {objects_big_int(objects, no_trace, 5, false), span_id};
    uint64_t value = objects_tuple(objects, numbers, 2);
    uint64_t large = objects_tuple(objects, too_large, 2);
    uint64_t plain = objects_tuple(objects, numbers, 2);
    set(objects, value, PY_object_type, class);
    set(objects, large, PY_object_type, class);
    uint64_t held = fake_python_dict(&objects->python, (const char *[]){"span", NULL}, &value);
    objects_open(objects);
    struct text text = {0};
    context_span_ids(&objects->process, held, &text);
    /* 2**110 + 5 */
    assert_string_equal(text_string(&text),
                        "trace_id=00004000000000000000000000000005 span_id=0000000000001234 ");
    text_clear(&text);
    context_span_ids(&objects->process, large, &text);
    context_span_ids(&objects->process, plain, &text);
    assert_string_equal(text_string(&text), "");
    text_deinit(&text);
}

static void trees_are_read(void **state)
{
    (void)state;
    objects_each_version(whole);
}

static void damage_is_told(void **state)
{
    (void)state;
    objects_each_version(damaged);
}

static void spans_are_found(void **state)
{
    (void)state;
    objects_each_version(span);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_read),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(spans_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
