/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inquest/formats/python_layout.h"

/* What every walker relies on, and from which to which minor version it exists. */
static const struct expectation {
    enum python_field field;
    unsigned first, last;
} expectations[] = {
    {PY_object_type, 8, 15},
    {PY_interp_threads_head, 8, 15},
    {PY_interp_static_types, 12, 15},
    {PY_runtime_interpreters_main, 8, 15},
    {PY_runtime_gil, 8, 11},
    {PY_interp_ceval_gil, 12, 15},
    {PY_runtime_gc, 8, 8},
    {PY_interp_gc, 9, 15},
    {PY_thread_frame, 8, 10},
    {PY_thread_cframe, 11, 12},
    {PY_thread_current_frame, 13, 15},
    {PY_thread_curexc_value, 8, 11},
    {PY_thread_current_exception, 12, 15},
    {PY_thread_native_id, 11, 15},
    {PY_frame_localsplus, 8, 10},
    {PY_frame_stacktop, 8, 9},
    {PY_frame_stackdepth, 10, 10},
    {PY_iframe_localsplus, 11, 15},
    {PY_iframe_stacktop, 11, 13},
    {PY_iframe_stackpointer, 14, 15},
    {PY_constant_stackref_tag_mask, 14, 15},
    {PY_code_lnotab, 8, 9},
    {PY_code_linetable, 10, 15},
    {PY_code_qualname, 11, 15},
    {PY_code_varnames, 8, 10},
    {PY_code_localsplusnames, 11, 15},
    {PY_keys_kind, 11, 15},
    {PY_values_size_before, 11, 12},
    {PY_values_capacity, 13, 15},
    {PY_managed_dict_before_object, 11, 15},
    {PY_managed_values_before_object, 11, 12},
    {PY_constant_managed_values_tag, 12, 12},
    {PY_unicode_ready_shift, 8, 11},
    {PY_long_tag, 12, 15},
    {PY_excinfo_type, 8, 10},
    {PY_group_exceptions, 11, 15},
    {PY_constant_tpflags_inline_values, 13, 15},
    {PY_type_finalize, 8, 15},
    {PY_frame_iblock, 8, 10},
    {PY_gc_debug, 8, 15},
    {PY_gc_stats, 8, 14},
    {PY_gc_stats_pointer, 15, 15},
    {PY_gcstats_old_index, 15, 15},
};

static void each_version_has_its_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < python_layout_count; i++) {
        const struct python_layout *layout = python_layouts[i];
        unsigned minor = layout_minor(layout);
        for (size_t j = 0; j < sizeof(expectations) / sizeof(expectations[0]); j++) {
            const struct expectation *expected = &expectations[j];
            bool should = minor >= expected->first && minor <= expected->last;
            if (layout_has(layout, expected->field) != should)
                fail_msg("%s should be %s in %s", python_field_name(expected->field),
                         should ? "there" : "absent", layout->name);
        }
    }
}

static void every_field_is_in_some_version(void **state)
{
    (void)state;
    for (unsigned field = 0; field < PYTHON_FIELD_COUNT; field++) {
        bool somewhere = false;
        for (size_t i = 0; i < python_layout_count; i++)
            somewhere |= layout_has(python_layouts[i], (enum python_field)field);
        if (!somewhere)
            fail_msg("%s is in no table", python_field_name((enum python_field)field));
    }
}

/* Facts of the ABI that no generator run can have got wrong unnoticed. */
static void known_numbers(void **state)
{
    (void)state;
    const struct python_layout *oldest = python_layout_for_version(0x03080000);
    const struct python_layout *newest = python_layout_for_version(0x030f0000);
    assert_int_equal(layout_get(oldest, PY_object_refcnt), 0);
    assert_int_equal(layout_get(oldest, PY_object_type), 8);
    assert_int_equal(layout_get(oldest, PY_tuple_items), 24);
    assert_int_equal(layout_get(newest, PY_tuple_items), 32);
    assert_int_equal(layout_get(oldest, PY_unicode_kind_mask), 7);
    assert_int_equal(layout_get(oldest, PY_unicode_ascii_header_size), 48);
    assert_int_equal(layout_get(newest, PY_unicode_ascii_header_size), 40);
    assert_int_equal(layout_get(newest, PY_constant_tpflags_type_subclass), 1u << 31);
    const struct python_layout *eleven = python_layout_for_version(0x030b0000);
    assert_int_equal(layout_get(eleven, PY_constant_gen_suspended), 255);
    assert_int_equal(layout_get(eleven, PY_constant_gen_created), 254);
}

static void tables_are_in_order(void **state)
{
    (void)state;
    char known[64];
    snprintf(known, sizeof(known), "%s to %s", python_layouts[0]->name,
             python_layouts[python_layout_count - 1]->name);
    assert_string_equal(python_layouts_known(), known);
    for (size_t i = 1; i < python_layout_count; i++)
        assert_true(python_layouts[i - 1]->version_hex < python_layouts[i]->version_hex);
}

static void the_table_of_a_version(void **state)
{
    (void)state;
    assert_null(python_layout_for_version(0x03070000));
    assert_null(python_layout_for_version(0x03100000));
    assert_null(python_layout_for_version(0x020d0000));
    for (unsigned minor = 8; minor <= 15; minor++)
        assert_int_equal(layout_minor(python_layout_for_version(0x03000000 | minor << 16)), minor);
    /* 3.13 has a table for its first release and one for later ones. */
    const struct python_layout *first = python_layout_for_version(0x030d00f0);
    const struct python_layout *later = python_layout_for_version(0x030d05f0);
    assert_ptr_not_equal(first, later);
    assert_ptr_equal(python_layout_for_version(0x030d0000), later);
    assert_ptr_equal(python_layout_for_version(0x030d09f0), later);
    assert_ptr_equal(python_layout_for_version(0x030d00a1), first);
    assert_ptr_equal(python_layout_for_version(0x030d02f0), first);
}

static void fields_have_names(void **state)
{
    (void)state;
    assert_string_equal(python_field_name(PY_object_refcnt), "object_refcnt");
    assert_string_equal(python_field_name(PY_interp_gc), "interp_gc");
    assert_string_equal(python_field_name(PYTHON_FIELD_COUNT), "unknown field");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_has_its_fields),
        cmocka_unit_test(every_field_is_in_some_version),
        cmocka_unit_test(known_numbers),
        cmocka_unit_test(tables_are_in_order),
        cmocka_unit_test(the_table_of_a_version),
        cmocka_unit_test(fields_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
