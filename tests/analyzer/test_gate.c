/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inquest/analyzer/gate.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static struct gate parsed(const char *text)
{
    struct gate gate;
    struct error err = {0};
    if (gate_parse(text, &arena, &gate, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return gate;
}

static void test_forms(void **state)
{
    (void)state;
    struct gate gate = parsed("total.self > 20%");
    assert_string_equal(gate.metric->name, "total");
    assert_int_equal(gate.field, FIELD_SELF);
    assert_int_equal(gate.comparison, GATE_ABOVE);
    assert_int_equal(gate.kind, GATE_PERCENT);
    assert_true(gate.value == 20);

    gate = parsed("retained(shop.models.Session)>10MB");
    assert_string_equal(gate.metric->name, "retained");
    assert_string_equal(gate.argument, "shop.models.Session");
    assert_int_equal(gate.kind, GATE_VALUE);
    assert_true(gate.value == 10e6);

    gate = parsed(" function( <listcomp> ).calls <= 1.5 ");
    assert_string_equal(gate.argument, "<listcomp>");
    assert_int_equal(gate.field, FIELD_CALLS);
    assert_int_equal(gate.comparison, GATE_AT_MOST);
    assert_true(gate.value == 1.5);

    gate = parsed("function(f (x)) >= +250ms");
    assert_string_equal(gate.argument, "f (x)");
    assert_int_equal(gate.field, FIELD_TOTAL);
    assert_int_equal(gate.kind, GATE_CHANGE);
    assert_true(fabs(gate.value - .25) < 1e-12);

    gate = parsed("garbage_cycles > 0");
    assert_null(gate.argument);
    assert_int_equal(gate.metric->families, METRIC_CORE);

    gate = parsed("growth(instances(dict)) > 5%/h");
    assert_true(gate.is_growth && gate.per_hour);
    assert_string_equal(gate.argument, "dict");
    gate = parsed("growth(shop.models.Session) > 2 MiB/h");
    assert_string_equal(gate.row, "shop.models.Session");
    assert_true(gate.value == 2097152);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } mistakes[] = {
        {"total.self", "METRIC > VALUE"},
        {"total.self > much", "no number"},
        {"total.self > inf", "no number"},
        {"total.self > 5 parsecs", "no unit"},
        {"totl.self > 5", "did you mean 'total'"},
        {"instances > 5", "of which one"},
        {"function > 5", "of which one"},
        {"objects(dict) > 5", "nothing in parentheses"},
        {"total.shallow > 5", "no '.shallow'"},
        {"total.self > 5%/h", "growth"},
        {"growth() > 5%/h", "growth(METRIC)"},
        {"> 5", "no metric"},
        {"growth(funtcion(f)) > 5%/h", "mean 'function'"},
        {"waste(duplicate str) > 5", "'duplicate string', 'duplicate bytes'"},
        {"tasks(blocked) > 5", "'pending', 'running', 'waiting', 'being cancelled'"},
        {"memory(arenas) > 5", "'malloc: free'"},
        {"memory(arenas) > 5", "'kernel pages (vdso, vvar, vsyscall)'"},
        {"growth(memory(arenas)) > 5%/h", "no memory(arenas)"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct gate gate;
        struct error err = {0};
        assert_int_equal(gate_parse(mistakes[i].text, &arena, &gate, &err), STATUS_USAGE);
        if (!strstr(err.message, mistakes[i].words))
            fail_msg("%s: %s", mistakes[i].text, err.message);
    }
}

/* A source whose numbers are given. */
static enum status given(void *context, const struct gate *gate, double *ret_value,
                         double *ret_whole, struct error *err)
{
    (void)gate;
    (void)err;
    *ret_value = *(double *)context;
    *ret_whole = 200;
    return STATUS_OK;
}

static struct gate_result measured(const char *text, double old_value, double new_value)
{
    struct metric_source old_source = {METRIC_CORE, "a", &old_value, given};
    struct metric_source new_source = {METRIC_CORE, "b", &new_value, given};
    struct gate gate = parsed(text);
    struct gate_result result;
    struct error err = {0};
    bool pair = !isnan(old_value);
    if (gate_evaluate(&gate, pair ? &old_source : NULL, &new_source, &result, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return result;
}

static void test_values(void **state)
{
    (void)state;
    assert_true(measured("objects > 10", 5, 11).is_tripped);
    assert_false(measured("objects > 11", 5, 11).is_tripped);
    assert_true(measured("objects >= 11", 5, 11).is_tripped);
    assert_true(measured("objects < 12", 5, 11).is_tripped);
    assert_true(measured("objects > 20%", 100, 121).is_tripped);
    assert_false(measured("objects > 20%", 100, 120).is_tripped);
    assert_true(measured("objects > +5", 100, 106).is_tripped);
    assert_false(measured("objects > +6", 100, 106).is_tripped);
    assert_true(isinf(measured("objects > 20%", 0, 1).measured));
    assert_true(measured("objects > 20%", 0, 1).is_tripped);
    assert_false(measured("objects > 20%", 0, 0).is_tripped);
    struct gate_result share = measured("objects > 5%", NAN, 11);
    assert_true(fabs(share.measured - 5.5) < 1e-9);
    assert_true(share.is_tripped);
    assert_false(share.has_old);
}

static void test_wrong_inputs(void **state)
{
    (void)state;
    double value = 1;
    struct metric_source core = {METRIC_CORE, "core", &value, given};
    struct gate_result result;
    struct error err = {0};
    struct gate gate = parsed("function(f) > 5");
    assert_int_equal(gate_evaluate(&gate, NULL, &core, &result, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "core holds no function"));
    gate = parsed("objects > +5");
    assert_int_equal(gate_evaluate(&gate, NULL, &core, &result, &err), STATUS_USAGE);
    gate = parsed("growth(objects) > 5%/h");
    assert_int_equal(gate_evaluate(&gate, NULL, &core, &result, &err), STATUS_USAGE);
}

static struct index *empty_index(const char *python_version)
{
    struct index_writer *writer;
    struct index *index;
    struct error err = {0};
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    if (python_version)
        assert_int_equal(index_writer_meta(writer, "python_version", python_version), STATUS_OK);
    assert_int_equal(index_writer_publish(writer, &index, &err), STATUS_OK);
    return index;
}

/* Every statement runs on an empty index and answers 0. */
static void test_statements(void **state)
{
    (void)state;
    struct error err = {0};
    struct index *index = empty_index("3.12.1");
    struct metric_source source = metric_source_core(index, "empty");
    for (const struct metric *metric = metric_table; metric->name; metric++) {
        if (!metric->sql)
            continue;
        struct gate gate = {.text = metric->name, .metric = metric, .argument = "x"};
        double value = 1, whole = 1;
        if (source.value(source.context, &gate, &value, &whole, &err) != STATUS_OK)
            fail_msg("%s: %s", metric->name, err.message);
        assert_true(value == 0);
    }
    index_close(index);
}

/* What is not known is not 0. */
static void test_without_python(void **state)
{
    (void)state;
    struct error err = {0};
    struct gate_result result;
    struct index *index = empty_index(NULL);
    struct metric_source source = metric_source_core(index, "a.core");
    struct gate gate = parsed("heap > 1KB");
    assert_int_equal(gate_evaluate(&gate, NULL, &source, &result, &err), STATUS_NOT_IN_DUMP);
    assert_non_null(strstr(err.message, "a.core: --fail-if 'heap > 1KB': no Python"));
    assert_int_equal(gate_evaluate(&gate, &source, &source, &result, &err), STATUS_NOT_IN_DUMP);
    gate = parsed("warnings > 0");
    assert_int_equal(gate_evaluate(&gate, NULL, &source, &result, &err), STATUS_OK);
    index_close(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_inputs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_python, set_up, tear_down),
        cmocka_unit_test(test_statements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
