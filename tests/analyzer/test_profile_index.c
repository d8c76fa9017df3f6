/* SPDX-License-Identifier: Apache-2.0 */
/* A recording goes into an index and comes back as the same; a damaged index is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/profile/profile_index.h"
#include "inquest/analyzer/profile_tree.h"
#include "profile_fixture.h"

static struct index *written(const struct profile *profile)
{
    struct index_writer *writer;
    struct index *index;
    struct error err = {0};
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    assert_int_equal(profile_index_write(profile, writer, NULL, &err), STATUS_OK);
    assert_int_equal(index_writer_publish(writer, &index, &err), STATUS_OK);
    return index;
}

static struct profile copy_of(const struct profile *profile)
{
    struct profile copy;
    struct error err = {0};
    struct index *index = written(profile);
    assert_true(profile_index_is(index));
    if (profile_index_read(index, &copy, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    index_close(index);
    assert_int_equal(copy.family, profile->family);
    assert_string_equal(copy.unit, profile->unit);
    assert_string_equal(copy.format, profile->format);
    return copy;
}

static void assert_same_tree(const struct profile *a, const struct profile *b, bool by_track)
{
    const struct call_tree_options options = {.by_line = true, .by_track = by_track};
    struct call_tree first, second;
    struct error err = {0};
    struct text left, right;
    text_init(&left);
    text_init(&right);
    assert_int_equal(call_tree_build(a, &options, &first, &err), STATUS_OK);
    assert_int_equal(call_tree_build(b, &options, &second, &err), STATUS_OK);
    assert_int_equal(first.nodes.count, second.nodes.count);
    for (uint32_t i = 0; i < first.nodes.count; i++) {
        const struct call_node *one = &first.nodes.items[i], *other = &second.nodes.items[i];
        text_clear(&left);
        text_clear(&right);
        call_tree_node_name(&first, i, &left);
        call_tree_node_name(&second, i, &right);
        assert_string_equal(text_string(&left), text_string(&right));
        assert_int_equal(one->parent, other->parent);
        assert_int_equal(one->line, other->line);
        assert_true(one->self == other->self && one->total == other->total);
        assert_int_equal(one->count, other->count);
    }
    text_deinit(&left);
    text_deinit(&right);
    call_tree_deinit(&first);
    call_tree_deinit(&second);
}

static struct profile samples(void)
{
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_SAMPLES;
    profile.format = "py-spy dump";
    profile.unit = "seconds";
    profile.is_approximate = true;
    uint32_t first = fixture_track(&profile, "main", 7, 11);
    uint32_t second = fixture_track(&profile, "", -1, -1);
    profile.tracks.items[first].is_active = profile.tracks.items[first].holds_gil = true;
    profile.tracks.items[second].is_idle = true;
    uint32_t deep = fixture_stack(&profile, "a.py", "main:1;work:2;leaf:3");
    uint32_t flat = fixture_stack(&profile, "a.py", "main:1"),
             empty = fixture_stack(&profile, "", "");
    assert_int_equal(profile_add_sample(&profile, deep, first, 0.1, 3), STATUS_OK);
    assert_int_equal(profile_add_sample(&profile, flat, second, 0, 1), STATUS_OK);
    assert_int_equal(profile_add_sample(&profile, empty, second, 0.25, 2), STATUS_OK);
    struct profile_local local = {.track = first,
                                  .depth = 1,
                                  .name = fixture_string(&profile, "order"),
                                  .value = fixture_string(&profile, "[1, 2]"),
                                  .is_argument = true};
    assert_true(array_push(&profile.locals, local));
    assert_int_equal(profile_add_fact(&profile, "recorder", "by hand"), STATUS_OK);
    assert_int_equal(profile_add_warning(&profile, "folded", "line %d is none", 3), STATUS_OK);
    return profile;
}

static void test_samples_come_back(void **state)
{
    (void)state;
    struct profile profile = samples(), copy = copy_of(&profile);
    assert_same_tree(&profile, &copy, true);
    assert_same_tree(&profile, &copy, false);
    assert_int_equal(copy.samples.count, 3);
    assert_true(copy.is_approximate);
    assert_int_equal(copy.tracks.items[0].pid, 7);
    assert_int_equal(copy.tracks.items[1].tid, -1);
    assert_true(copy.tracks.items[0].holds_gil && copy.tracks.items[0].is_active);
    assert_true(copy.tracks.items[1].is_idle && !copy.tracks.items[1].is_active);
    assert_int_equal(copy.locals.count, 1);
    assert_int_equal(copy.locals.items[0].depth, 1);
    assert_true(copy.locals.items[0].is_argument);
    assert_string_equal(profile_text(&copy, copy.locals.items[0].value), "[1, 2]");
    assert_int_equal(copy.warnings.count, 1);
    assert_string_equal(copy.warnings.items[0].message, "line 3 is none");
    bool found = false;
    for (size_t i = 0; i < copy.facts.count; i++)
        found |= !strcmp(copy.facts.items[i].key, "recorder") &&
                 !strcmp(copy.facts.items[i].value, "by hand");
    assert_true(found);
    profile_deinit(&profile);
    profile_deinit(&copy);
}

/* Names that are no text stay as they are, byte by byte. */
static void test_allocations_come_back(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_TRACEMALLOC;
    profile.format = "tracemalloc pickle";
    profile.unit = "bytes";
    static const char *const stacks[] = {"a.py:1;b\xed\xb3\xa9.py:2", "a.py:1;b\\udce9.py:2",
                                         "a.py:1", "\xff\xfe:9"};
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t stack = fixture_stack(&profile, NULL, stacks[i]);
        assert_int_equal(profile_add_trace(&profile, stack, i * 1000000007u, i, 1), STATUS_OK);
        assert_int_equal(
            profile_add_trace(&profile, stack, 5, (UINT64_C(1) << 60) + i, i + UINT64_C(2)),
            STATUS_OK);
    }
    struct profile copy = copy_of(&profile);
    assert_same_tree(&profile, &copy, false);
    assert_int_equal(copy.traces.count, profile.traces.count);
    for (size_t i = 0; i < copy.traces.count; i++) {
        const struct profile_trace *one = &profile.traces.items[i], *other = &copy.traces.items[i];
        assert_int_equal(one->domain, other->domain);
        assert_true(one->size == other->size && one->count == other->count);
        const struct profile_stack *left = &profile.stacks.items[one->stack];
        const struct profile_stack *right = &copy.stacks.items[other->stack];
        assert_int_equal(left->depth, right->depth);
        for (uint32_t j = 0; j < left->depth; j++) {
            const struct profile_frame *a =
                &profile.frames.items[profile.stack_frames.items[left->first + j]];
            const struct profile_frame *b =
                &copy.frames.items[copy.stack_frames.items[right->first + j]];
            assert_string_equal(profile_text(&profile, profile.functions.items[a->function].file),
                                profile_text(&copy, copy.functions.items[b->function].file));
            assert_int_equal(a->line, b->line);
        }
    }
    profile_deinit(&profile);
    profile_deinit(&copy);
}

static void test_pstats_come_back(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    profile.format = "pstats";
    profile.unit = "seconds";
    profile.is_sampled = true;
    fixture_stat(&profile, "m.py", 9, "late", 3, 2, 0.1, 1e-9);
    fixture_call(&profile, "m.py", 1, "main", 2, 2, 0.05, 1.0 / 3);
    fixture_call(&profile, "x.py", 4, "outer", 1, 0, 0, 0);
    profile.calls.items[1].is_count = true;
    fixture_stat(&profile, "m.py", 1, "main", 1, 1, 0, 7);
    fixture_stat(&profile, "m.py", 2, "alone", 1, 1, 1, 1);
    fixture_call(&profile, "m.py", 9, "late", 5, 5, 1, 1);
    struct profile copy = copy_of(&profile);
    assert_true(copy.is_sampled);
    assert_int_equal(copy.stats.count, 3);
    assert_int_equal(copy.calls.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct profile_stat *one = &profile.stats.items[i], *other = &copy.stats.items[i];
        assert_string_equal(profile_text(&profile, profile.functions.items[one->function].name),
                            profile_text(&copy, copy.functions.items[other->function].name));
        assert_int_equal(one->calls, other->calls);
        assert_int_equal(one->primitive_calls, other->primitive_calls);
        assert_true(one->self == other->self && one->total == other->total);
        assert_int_equal(one->first_call, other->first_call);
        assert_int_equal(one->call_count, other->call_count);
        const struct profile_call *a = &profile.calls.items[i], *b = &copy.calls.items[i];
        assert_int_equal(a->calls, b->calls);
        assert_true(a->total == b->total && a->is_count == b->is_count);
    }
    profile_deinit(&profile);
    profile_deinit(&copy);
}

/* ---- Damage: rows that don't fit together. */

static enum status read_bad(const struct index_value *function, const struct index_value *node,
                            const struct index_value *trace)
{
    struct index_writer *writer;
    struct index *index;
    struct profile copy;
    struct error err = {0};
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    index_writer_meta(writer, "kind", trace ? "tracemalloc" : "pyspy");
    const struct index_value track[] = {INDEX_INT(1), INDEX_STR("t"),       INDEX_NONE,
                                        INDEX_NONE,   INDEX_STR("seconds"), INDEX_NONE};
    index_writer_row(writer, INDEX_SAMPLE_TRACK, track, 6);
    index_writer_row(writer, INDEX_FUNCTION, function, 6);
    index_writer_row(writer, INDEX_NODE, node, 9);
    if (trace)
        index_writer_row(writer, INDEX_TRACE, trace, 4);
    assert_int_equal(index_writer_publish(writer, &index, &err), STATUS_OK);
    enum status status = profile_index_read(index, &copy, &err);
    index_close(index);
    if (status == STATUS_OK)
        profile_deinit(&copy);
    else
        assert_true(err.message[0]);
    return status;
}

#define FUNCTION_ROW(id)                                                                           \
    (const struct index_value[])                                                                   \
    {                                                                                              \
        INDEX_INT(id), INDEX_STR("f"), INDEX_STR("a.py"), INDEX_INT(0), INDEX_NONE, INDEX_NONE     \
    }
#define NODE_ROW(id, parent, function, track)                                                      \
    (const struct index_value[])                                                                   \
    {                                                                                              \
        INDEX_INT(id), parent, function, INDEX_INT(1), INDEX_FLOAT(1), INDEX_FLOAT(1),             \
            INDEX_INT(1), track, INDEX_INT(1)                                                      \
    }
#define TRACE_ROW(node, domain, size)                                                              \
    (const struct index_value[])                                                                   \
    {                                                                                              \
        node, INDEX_INT(domain), INDEX_INT(size), INDEX_INT(1)                                     \
    }

static void test_damage_is_said(void **state)
{
    (void)state;
    const struct index_value one = INDEX_INT(1), none = INDEX_NONE, two = INDEX_INT(2);
    const struct index_value far = INDEX_INT(INT64_MAX), before = INDEX_INT(-1);
    assert_int_equal(read_bad(FUNCTION_ROW(1), NODE_ROW(1, none, one, one), NULL), STATUS_OK);
    assert_int_equal(read_bad(FUNCTION_ROW(2), NODE_ROW(1, none, one, one), NULL), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), NODE_ROW(1, one, one, one), NULL), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), NODE_ROW(1, far, one, one), NULL), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), NODE_ROW(1, none, two, one), NULL), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), NODE_ROW(1, none, one, two), NULL), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), NODE_ROW(INT64_MAX, none, one, one), NULL),
                     STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), NODE_ROW(0, none, one, one), NULL), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), NODE_ROW(-5, none, one, one), NULL), STATUS_CORRUPT);
    const struct index_value *node = NODE_ROW(1, none, one, none);
    assert_int_equal(read_bad(FUNCTION_ROW(1), node, TRACE_ROW(one, 0, 5)), STATUS_OK);
    assert_int_equal(read_bad(FUNCTION_ROW(1), node, TRACE_ROW(two, 0, 5)), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), node, TRACE_ROW(before, 0, 5)), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), node, TRACE_ROW(one, -1, 5)), STATUS_CORRUPT);
    assert_int_equal(read_bad(FUNCTION_ROW(1), node, TRACE_ROW(one, 0, -5)), STATUS_CORRUPT);
}

static void test_other_indexes_are_refused(void **state)
{
    (void)state;
    struct index_writer *writer;
    struct index *index;
    struct profile copy;
    struct error err = {0};
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    index_writer_meta(writer, "kind", "core");
    assert_int_equal(index_writer_publish(writer, &index, &err), STATUS_OK);
    assert_false(profile_index_is(index));
    assert_int_equal(profile_index_read(index, &copy, &err), STATUS_UNSUPPORTED);
    index_close(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_come_back),
        cmocka_unit_test(test_allocations_come_back),
        cmocka_unit_test(test_pstats_come_back),
        cmocka_unit_test(test_damage_is_said),
        cmocka_unit_test(test_other_indexes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
