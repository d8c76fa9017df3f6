/* SPDX-License-Identifier: Apache-2.0 */
/* What pages of comparisons are made of: tables, change colours, gates, gnuplot's charts and
 * source lines. Names are hostile throughout. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "inquest/analyzer/source_line.h"
#include "reports/commands/gates.h"
#include "reports/render/flame_change.h"
#include "reports/render/gnuplot.h"
#include "reports/render/table.h"

#define HOSTILE "</td><script>alert(1)</script>\"'&\x1b[31m\xff|`\n# x"

static bool holds(const struct text *text, const char *words)
{
    return strstr(text_string(text), words) != NULL;
}

/* No raw control character, and none of the markup that the name holds. */
static void check_tame(const struct text *text)
{
    assert_true(text_ok(text));
    assert_false(holds(text, "<script>alert"));
    assert_false(holds(text, "\x1b"));
    assert_false(holds(text, "\xff"));
}

/* ---- table_html */

static void test_table(void **state)
{
    (void)state;
    static const struct column columns[] = {
        {"change", "Change", COLUMN_BYTES | COLUMN_SIGNED},
        {"name", HOSTILE, COLUMN_CODE},
        {"at", NULL, COLUMN_ADDRESS},
    };
    struct table table;
    struct text text = {0};
    table_init(&table, columns, 3);
    table_integer(&table, -2048);
    table_string(&table, HOSTILE);
    table_integer(&table, 0x7f001000);
    table_null(&table);
    table_null(&table);
    table_null(&table);
    assert_int_equal(table_render_html(&table, 1 << 20, &text), 2);
    check_tame(&text);
    assert_true(holds(&text, "<th scope=\"col\" class=\"number\">Change</th>"));
    assert_true(holds(&text, "data-value=\"-2048\""));
    assert_true(holds(&text, "class=\"path\""));
    assert_true(holds(&text, "&lt;script&gt;"));
    text_clear(&text);
    for (int i = 0; i < 100; i++) {
        table_integer(&table, i);
        table_string(&table, "name");
        table_null(&table);
    }
    size_t shown = table_render_html(&table, 2000, &text);
    assert_true(shown > 2 && shown < 60);
    assert_true(text.size < 2300);
    size_t length = strlen(text_string(&text));
    assert_string_equal(text_string(&text) + length - strlen("</tbody></table></div>\n"),
                        "</tbody></table></div>\n");
    text_deinit(&text);
    table_deinit(&table);
}

/* ---- flame_change */

static void test_classes(void **state)
{
    (void)state;
    assert_string_equal(flame_change_class(0, 0), "z");
    assert_string_equal(flame_change_class(1000, 1004), "z");
    assert_string_equal(flame_change_class(0, 1), "g6");
    assert_string_equal(flame_change_class(1, 0), "s6");
    assert_string_equal(flame_change_class(100, 110), "g1");
    assert_string_equal(flame_change_class(110, 100), "s1");
    assert_string_equal(flame_change_class(100, 200), "g4");
    assert_string_equal(flame_change_class(200, 100), "s4");
    assert_string_equal(flame_change_class(NAN, 1), "z");
    assert_int_equal(flame_change_presence(&(struct flame_change){0, 1, 0, 0}), FLAME_NEW);
    assert_int_equal(flame_change_presence(&(struct flame_change){1, 0, 0, 0}), FLAME_GONE);
    assert_int_equal(flame_change_presence(&(struct flame_change){1, 1, 0, 0}), FLAME_BOTH);
}

static void test_picture(void **state)
{
    (void)state;
    static const struct flame_node nodes[] = {
        {0, 100, "all", "", ""},
        {0, 60, "born", HOSTILE, ""},
        {0, 40, HOSTILE, "", ""},
    };
    static const struct flame_change changes[] = {{40, 60, 0, 0}, {0, 60, 0, 60}, {40, 0, 40, 0}};
    const struct flame_graph graph = {.title = "NEW compared to OLD",
                                      .subtitle = HOSTILE,
                                      .unit = COLUMN_COUNT,
                                      .unit_name = "samples",
                                      .nodes = nodes,
                                      .count = 3,
                                      .changes = changes};
    struct text text = {0};
    flame_render(&graph, &text);
    check_tame(&text);
    assert_true(holds(&text, "NEW compared to OLD"));
    assert_true(holds(&text, "new or nearly"));    /* the legend */
    assert_true(holds(&text, "stroke-dasharray")); /* of what is new or gone */
    assert_true(holds(&text, "40 samples → 60 samples (+20 samples, +50.0 %)"));
    assert_true(holds(&text, "0 samples → 60 samples (+60 samples)"));
    assert_true(holds(&text, "40 samples → 0 samples (−40 samples, −100.0 %)"));
    text_clear(&text);
    flame_amount(&graph, 1e300, &text);
    flame_amount(&(struct flame_graph){.unit = COLUMN_BYTES}, -1e300, &text);
    assert_true(text_ok(&text));
    text_deinit(&text);
}

/* ---- gates */

static void test_gates(void **state)
{
    (void)state;
    struct gates gates = {0};
    struct error err = {0};
    arena_init(&gates.arena);
    struct gate_outcome outcome = {0};
    assert_int_equal(gate_parse("function(" HOSTILE ") > 20%", &gates.arena, &outcome.gate, &err),
                     STATUS_OK);
    outcome.result = (struct gate_result){true, true, 2, 3, 50};
    assert_true(array_push(&gates.outcomes, outcome));
    outcome.result = (struct gate_result){false, true, 0, 3, INFINITY};
    assert_true(array_push(&gates.outcomes, outcome));
    struct text text = {0};
    gates_text(&gates, &text);
    assert_false(holds(&text, "\x1b"));
    assert_true(holds(&text, "+50.0 %"));
    size_t lines = 0;
    for (const char *at = text_string(&text); *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 2);
    text_clear(&text);
    gates_markdown(&gates, &text);
    assert_false(holds(&text, "\n#"));
    assert_false(holds(&text, "\x1b"));
    assert_true(holds(&text, "- ❌ "));
    assert_true(holds(&text, "- ✅ "));
    text_clear(&text);
    gates_html(&gates, &text);
    check_tame(&text);
    assert_true(holds(&text, "<li class=\"failed\">"));
    text_clear(&text);
    gates_junit(&gates, "diff", &text);
    check_tame(&text);
    assert_true(holds(&text, "tests=\"2\" failures=\"1\""));
    text_clear(&text);
    struct json_writer json;
    json_init(&json, &text);
    json_begin_object(&json);
    gates_json(&gates, &json);
    json_end_object(&json);
    assert_true(json_finish(&json));
    assert_false(holds(&text, "\x1b"));
    assert_false(holds(&text, "inf")); /* JSON has no infinity */
    text_deinit(&text);
    gates_deinit(&gates);
}

/* ---- gnuplot */

static bool draw(const char *name, struct text *text)
{
    static const double times[] = {0, 1, 2}, values[] = {1, 4, NAN};
    const struct chart_series series[] = {{name, values}, {"", values}};
    const struct chart chart = {name, name, times, 3, series, 2};
    return gnuplot_chart(&chart, text);
}

static void test_gnuplot(void **state)
{
    (void)state;
    char folder[] = "/tmp/inquest-gnuplot-XXXXXX", *path = strdup(getenv("PATH"));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    static const char *const names[] = {
        "'\n; system('touch owned')",
        "\\'; system('touch owned') #",
        "`touch owned`",
        "\"; system(\"touch owned\"); \"",
        "a very long name \xe2\x82\xac of which the end is kept, whatever stands before; '`\\",
        "{/=40 x}_{y}^z",
        HOSTILE,
    };
    struct text text = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        text_clear(&text);
        if (draw(names[i], &text))
            check_tame(&text);
        else
            assert_int_equal(text.size, 0);
        assert_int_not_equal(access("owned", F_OK), 0);
    }
    assert_int_equal(setenv("PATH", folder, 1), 0); /* nothing is there */
    text_clear(&text);
    assert_false(draw("x", &text));
    assert_int_equal(text.size, 0);
    FILE *fake = fopen("gnuplot", "w"); /* it ends at once, and says nothing */
    assert_non_null(fake);
    assert_true(fputs("#!/bin/sh\nexit 0\n", fake) >= 0);
    assert_int_equal(fclose(fake), 0);
    assert_int_equal(chmod("gnuplot", 0700), 0);
    assert_false(draw("x", &text));
    assert_int_equal(text.size, 0);
    setenv("PATH", path, 1);
    free(path);
    unlink("gnuplot");
    text_deinit(&text);
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

/* ---- source lines */

static bool line_of(const char *sysroot, const char *file, int32_t line, struct text *text)
{
    text_clear(text);
    return source_line_append(sysroot, file, line, text);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_source_lines(void **state)
{
    (void)state;
    char folder[] = "/tmp/inquest-source-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.py", folder);
    write_file(path, "first\n\t second = 2\n\nlast");
    struct text text = {0};
    assert_true(line_of(NULL, path, 2, &text));
    assert_string_equal(text_string(&text), "second = 2");
    assert_true(line_of(folder, "/a.py", 4, &text));
    assert_string_equal(text_string(&text), "last");
    assert_false(line_of(folder, "/a.py", 3, &text)); /* it is empty */
    assert_false(line_of(folder, "/a.py", 5, &text));
    assert_false(line_of(folder, "/a.py", INT32_MAX, &text));
    assert_false(line_of(folder, "/a.py", 0, &text));
    assert_false(line_of(folder, "/a.py", -1, &text));
    assert_false(line_of(folder, "a.py", 1, &text));
    assert_false(line_of(folder, "/x/../a.py", 1, &text));
    assert_false(line_of(folder, "/../a.py", 1, &text));
    assert_false(line_of(folder, "", 1, &text));
    assert_false(line_of(folder, ".py", 1, &text));
    unlink(path);

    snprintf(path, sizeof path, "%s/secret", folder);
    write_file(path, "secret\n");
    assert_false(line_of(NULL, path, 1, &text));
    unlink(path);
    snprintf(path, sizeof path, "%s/pipe.py", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(20); /* who opens it waits for ever */
    assert_false(line_of(NULL, path, 1, &text));
    alarm(0);
    unlink(path);
    snprintf(path, sizeof path, "%s/folder.py", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(line_of(NULL, path, 1, &text));
    rmdir(path);
    rmdir(folder);
    text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),   cmocka_unit_test(test_classes),
        cmocka_unit_test(test_picture), cmocka_unit_test(test_gates),
        cmocka_unit_test(test_gnuplot), cmocka_unit_test(test_source_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
