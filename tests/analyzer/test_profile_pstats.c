/* SPDX-License-Identifier: Apache-2.0 */
/* Adding up, stripping, sorting and restricting as pstats.Stats does. Whole outputs are
 * laid beside Python's by tests/live/profiles.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/profile/restriction.h"
#include "inquest/analyzer/profile_pstats.h"
#include "profile_fixture.h"

static struct profile recording(double scale)
{
    struct profile profile;
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    profile.format = "pstats";
    profile.unit = "seconds";
    fixture_stat(&profile, "/a/m.py", 1, "main", 1, 1, scale, 4 * scale);
    fixture_stat(&profile, "/a/m.py", 5, "work", 6, 4, 2 * scale, 3 * scale);
    fixture_call(&profile, "/a/m.py", 1, "main", 2, 1, scale, 2 * scale);
    fixture_call(&profile, "/b/m.py", 1, "main", 4, 3, scale, scale);
    fixture_stat(&profile, "/b/m.py", 1, "main", 1, 1, 0, scale);
    fixture_stat(&profile, "~", 0, "<built-in method builtins.len>", 9, 9, scale, scale);
    fixture_call(&profile, "/a/m.py", 5, "work", 9, 9, scale, scale);
    return profile;
}

static struct pstats one(void)
{
    struct profile profile = recording(1);
    struct pstats stats;
    struct error err = {0};
    assert_int_equal(pstats_init(&stats, &profile, &err), STATUS_OK);
    return stats;
}

/* Rows as "name calls/primitive self total [caller calls/primitive self total]; …" */
static const char *stats_text(const struct pstats *stats)
{
    static char buffer[2048];
    size_t used = 0;
    struct text name;
    text_init(&name);
    for (size_t i = 0; i < stats->profile.stats.count; i++) {
        const struct profile_stat *stat = &stats->profile.stats.items[i];
        text_clear(&name);
        pstats_standard_name(&stats->profile, stat->function, &name);
        used += (size_t)snprintf(buffer + used, sizeof buffer - used, "%s %d/%d %g %g",
                                 text_string(&name), (int)stat->calls, (int)stat->primitive_calls,
                                 stat->self, stat->total);
        for (uint32_t j = 0; j < stat->call_count; j++) {
            const struct profile_call *call = &stats->profile.calls.items[stat->first_call + j];
            text_clear(&name);
            pstats_standard_name(&stats->profile, call->caller, &name);
            used += (size_t)snprintf(buffer + used, sizeof buffer - used, " [%s %d/%d %g %g]",
                                     text_string(&name), (int)call->calls,
                                     (int)call->primitive_calls, call->self, call->total);
        }
        used += (size_t)snprintf(buffer + used, sizeof buffer - used, "; ");
    }
    text_deinit(&name);
    return buffer;
}

static void test_sums(void **state)
{
    (void)state;
    struct pstats stats = one();
    assert_int_equal(stats.calls, 17);
    assert_int_equal(stats.primitive_calls, 15);
    assert_true(stats.seconds == 4);
    assert_int_equal(stats.name_width, strlen("{built-in method builtins.len}"));
    pstats_deinit(&stats);
}

static void test_add(void **state)
{
    (void)state;
    struct pstats stats = one();
    struct error err = {0};
    struct profile other = recording(10);
    fixture_stat(&other, "/c/new.py", 3, "new", 1, 1, 1, 1);
    fixture_call(&other, "/a/m.py", 5, "work", 1, 1, 1, 1);
    assert_int_equal(pstats_add(&stats, &other, &err), STATUS_OK);
    profile_deinit(&other);
    assert_string_equal(stats_text(&stats),
                        "/a/m.py:1(main) 2/2 11 44; /a/m.py:5(work) 12/8 22 33 "
                        "[/a/m.py:1(main) 4/2 11 22] [/b/m.py:1(main) 8/6 11 11]; /b/m.py:1(main) "
                        "2/2 0 11; {built-in method builtins.len} 18/18 11 11 [/a/m.py:5(work) "
                        "18/18 11 11]; /c/new.py:3(new) 1/1 1 1 [/a/m.py:5(work) 1/1 1 1]; ");
    assert_int_equal(stats.calls, 35);
    other = recording(1);
    other.is_sampled = true;
    assert_int_equal(pstats_add(&stats, &other, &err), STATUS_UNSUPPORTED);
    profile_deinit(&other);
    pstats_deinit(&stats);
}

/* Counts that are no profiler's: an error, not a number that is wrong. */
static void test_sums_that_do_not_fit(void **state)
{
    (void)state;
    const int64_t half = INT64_C(1) << 62;
    struct error err = {0};
    for (int which = 0; which < 4; which++) {
        struct profile profile = recording(1), other = recording(1);
        struct pstats stats;
        if (which == 0) {
            profile.stats.items[0].calls = profile.stats.items[1].calls = half;
            assert_int_equal(pstats_init(&stats, &profile, &err), STATUS_OVER_LIMIT);
        } else {
            profile.stats.items[0].calls = which == 1 ? half : 1;
            profile.stats.items[0].primitive_calls = which == 2 ? half : 1;
            profile.calls.items[0].calls = which == 3 ? half : 1;
            other.stats.items[0].calls = profile.stats.items[0].calls;
            other.stats.items[0].primitive_calls = profile.stats.items[0].primitive_calls;
            other.calls.items[0].calls = profile.calls.items[0].calls;
            assert_int_equal(pstats_init(&stats, &profile, &err), STATUS_OK);
            assert_int_equal(pstats_add(&stats, &other, &err), STATUS_OVER_LIMIT);
        }
        assert_non_null(strstr(err.message, "more than can be counted"));
        profile_deinit(&other);
        pstats_deinit(&stats);
    }
}

/* Two functions become one; of two callers that do, the last one's numbers are kept. */
static void test_strip_dirs(void **state)
{
    (void)state;
    struct pstats stats = one();
    struct error err = {0};
    assert_int_equal(pstats_strip_dirs(&stats, &err), STATUS_OK);
    assert_string_equal(stats_text(&stats),
                        "m.py:1(main) 2/2 1 5; m.py:5(work) 6/4 2 3 [m.py:1(main) 4/3 1 1]; "
                        "{built-in method builtins.len} 9/9 1 1 [m.py:5(work) 9/9 1 1]; ");
    pstats_deinit(&stats);
}

static const char *sorted(const struct pstats *stats, const char *sort)
{
    static char message[256];
    struct pstats_list list;
    struct error err = {0};
    if (pstats_choose(stats, sort, false, NULL, 0, &list, &err) != STATUS_OK)
        return NULL;
    snprintf(message, sizeof message, "%s", text_string(&list.message));
    pstats_list_deinit(&list);
    return message;
}

/* As Stats.get_sort_arg_defs of Python has them. */
static void test_abbreviations(void **state)
{
    static const char *const none[] = {"c", "cum", "n", "t", "", "x", "callss", "calls,", "3"};
    static const struct {
        const char *word, *words;
    } known[] = {
        {"ca", "call count"},        {"calls", "call count"},     {"cu", "cumulative time"},
        {"cumt", "cumulative time"}, {"cumu", "cumulative time"}, {"f", "file name"},
        {"l", "line number"},        {"m", "file name"},          {"na", "function name"},
        {"nc", "call count"},        {"nf", "name/file/line"},    {"p", "primitive call count"},
        {"s", "standard name"},      {"ti", "internal time"},     {"to", "internal time"},
        {"-1", "standard name"},     {"0", "call count"},         {"1", "internal time"},
        {"2", "cumulative time"},    {"self", "internal time"},   {"samples", "sample count"},
    };
    (void)state;
    struct pstats stats = one();
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(sorted(&stats, none[i]));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *message = sorted(&stats, known[i].word);
        assert_non_null(message);
        if (!strstr(message, known[i].words))
            fail_msg("%s: %s", known[i].word, message);
    }
    assert_string_equal(sorted(&stats, "calls,name"), "   Ordered by: call count, function name\n");
    assert_string_equal(sorted(&stats, NULL), "   Random listing order was used\n");
    pstats_deinit(&stats);
}

static void test_orders(void **state)
{
    static const struct {
        const char *sort;
        uint32_t rows[4];
    } cases[] = {
        {"calls", {3, 1, 0, 2}},   {"cumulative", {0, 1, 2, 3}}, {"time", {1, 0, 3, 2}},
        {"name", {3, 0, 2, 1}},    {"filename", {0, 1, 2, 3}},   {"line", {3, 0, 2, 1}},
        {"stdname", {0, 1, 2, 3}}, {"nfl", {3, 0, 2, 1}},        {"time,name", {1, 3, 0, 2}},
    };
    (void)state;
    struct pstats stats = one();
    struct pstats_list list;
    struct error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(pstats_choose(&stats, cases[i].sort, false, NULL, 0, &list, &err),
                         STATUS_OK);
        for (size_t row = 0; row < 4; row++)
            if (list.rows.items[row] != cases[i].rows[row])
                fail_msg("%s: row %zu is %u", cases[i].sort, row, list.rows.items[row]);
        pstats_list_deinit(&list);
    }
    assert_int_equal(pstats_choose(&stats, "calls", true, NULL, 0, &list, &err), STATUS_OK);
    assert_int_equal(list.rows.items[0], 2);
    pstats_list_deinit(&list);
    pstats_deinit(&stats);
}

/* More rows than are compared one by one; ties, zeros of both signs, and what is no number. */
static void test_many_rows(void **state)
{
    enum { ROWS = 500 };
    static const double times[] = {0.0, -0.0, 1.5, -1.5, 1e-300, INFINITY, -INFINITY, 2.5};
    (void)state;
    struct profile profile;
    struct pstats stats;
    struct pstats_list list;
    struct error err = {0};
    profile_init(&profile);
    profile.family = PROFILE_PSTATS;
    for (int i = 0; i < ROWS; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i * 7 % 11);
        double time = i == 3 ? (double)NAN : times[i * 5 % 8];
        fixture_stat(&profile, "m.py", i % 2 ? i : -i, name, i % 4 - 2, i, time, time);
    }
    assert_int_equal(pstats_init(&stats, &profile, &err), STATUS_OK);
    const struct profile_stat *rows = stats.profile.stats.items;
    assert_int_equal(pstats_choose(&stats, "calls,time", false, NULL, 0, &list, &err), STATUS_OK);
    assert_int_equal(list.rows.count, ROWS);
    for (size_t i = 1; i < ROWS; i++) {
        uint32_t a = list.rows.items[i - 1], b = list.rows.items[i];
        assert_true(rows[a].calls >= rows[b].calls);
        if (rows[a].calls != rows[b].calls)
            continue;
        assert_true(rows[a].self >= rows[b].self || b == 3);
        assert_true(rows[a].self > rows[b].self || a < b || b == 3);
    }
    pstats_list_deinit(&list);
    assert_int_equal(pstats_choose(&stats, "stdname", false, NULL, 0, &list, &err), STATUS_OK);
    struct text before, name;
    text_init(&before);
    text_init(&name);
    for (size_t i = 0; i < ROWS; i++) {
        text_clear(&name);
        pstats_standard_name(&stats.profile, rows[list.rows.items[i]].function, &name);
        assert_true(strcmp(text_string(&before), text_string(&name)) < 0);
        text_clear(&before);
        text_append(&before, text_string(&name));
    }
    text_deinit(&before);
    text_deinit(&name);
    pstats_list_deinit(&list);
    pstats_deinit(&stats);
}

/* The width that is counted is that of the name that is written. */
static void test_name_widths(void **state)
{
    static const struct {
        const char *file, *name;
        int32_t line;
    } cases[] = {
        {"a.py", "f", 0},
        {"a.py", "f", 9},
        {"a.py", "f", 10},
        {"a.py", "f", -1},
        {"a.py", "f", -10},
        {"", "", INT32_MAX},
        {"", "", INT32_MIN},
        {"~", "<len>", 0},
        {"~", "<len>", 1},
        {"~", "len", 0},
        {"~", "<", 0},
        {"\xc3\xa9.py", "\xe2\x82\xac", 5},
        {"~", "<\xe2\x82\xac>", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile profile;
        struct pstats stats;
        struct text name;
        struct error err = {0};
        profile_init(&profile);
        profile.family = PROFILE_PSTATS;
        fixture_stat(&profile, cases[i].file, cases[i].line, cases[i].name, 1, 1, 1, 1);
        fixture_call(&profile, "no stat of its own, so its name is not shown", 1, "g", 1, 1, 1, 1);
        assert_int_equal(pstats_init(&stats, &profile, &err), STATUS_OK);
        text_init(&name);
        pstats_standard_name(&stats.profile, stats.profile.stats.items[0].function, &name);
        assert_int_equal(stats.name_width, pstats_width(text_string(&name), name.size));
        text_deinit(&name);
        pstats_deinit(&stats);
    }
}

/* What a profiler calls itself is named first. */
static void test_top_level(void **state)
{
    (void)state;
    struct profile profile = recording(1);
    struct pstats stats;
    struct error err = {0};
    fixture_stat(&profile, "/d.py", 2, "begun", 1, 1, 1, 1);
    fixture_call(&profile, "jprofile", 0, "profiler", 1, 1, 1, 1);
    fixture_call(&profile, "jprofile", 1, "profiler", 1, 1, 1, 1);
    assert_int_equal(pstats_init(&stats, &profile, &err), STATUS_OK);
    assert_int_equal(stats.top_level.count, 1);
    assert_int_equal(stats.top_level.items[0], stats.profile.stats.items[4].function);
    pstats_deinit(&stats);
}

static void test_restrictions(void **state)
{
    static const struct {
        const char *restrictions[2];
        size_t count, left;
        const char *message;
    } cases[] = {
        {{"2"}, 1, 2, "   List reduced from 4 to 2 due to restriction <2>\n"},
        {{"9"}, 1, 4, ""},
        {{"-1"}, 1, 4, ""},
        {{"0.6"}, 1, 2, "   List reduced from 4 to 2 due to restriction <0.6>\n"},
        {{"0.0"}, 1, 0, "   List reduced from 4 to 0 due to restriction <0.0>\n"},
        {{"1.0"}, 1, 4, ""},
        {{"main"}, 1, 2, "   List reduced from 4 to 2 due to restriction <'main'>\n"},
        {{"main", "1"},
         2,
         1,
         "   List reduced from 4 to 2 due to restriction <'main'>\n"
         "   List reduced from 2 to 1 due to restriction <1>\n"},
        {{"1", "len"},
         2,
         0,
         "   List reduced from 4 to 1 due to restriction <1>\n"
         "   List reduced from 1 to 0 due to restriction <'len'>\n"},
        {{"\\(m"}, 1, 2, "   List reduced from 4 to 2 due to restriction <'\\\\(m'>\n"},
        {{"it's|wo"}, 1, 1, "   List reduced from 4 to 1 due to restriction <\"it's|wo\">\n"},
        {{"("}, 1, 4, "   <Invalid regular expression '('>\n"},
        {{"*a"}, 1, 4, "   <Invalid regular expression '*a'>\n"},
    };
    (void)state;
    struct pstats stats = one();
    struct error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pstats_list list;
        assert_int_equal(
            pstats_choose(&stats, NULL, false, cases[i].restrictions, cases[i].count, &list, &err),
            STATUS_OK);
        assert_int_equal(list.rows.count, cases[i].left);
        assert_string_equal(text_string(&list.message) +
                                strlen("   Random listing order was used\n"),
                            cases[i].message);
        pstats_list_deinit(&list);
    }
    struct pstats_list list;
    const char *ahead = "a(?=b)", *part = "1.5";
    assert_int_equal(pstats_choose(&stats, NULL, false, &ahead, 1, &list, &err), STATUS_USAGE);
    assert_int_equal(pstats_choose(&stats, NULL, false, &part, 1, &list, &err), STATUS_USAGE);
    pstats_deinit(&stats);
}

static bool finds(const char *pattern, const char *text)
{
    struct restriction restriction;
    struct error err = {0};
    assert_int_equal(restriction_parse(pattern, &restriction, &err), STATUS_OK);
    assert_int_equal(restriction.kind, RESTRICTION_PATTERN);
    bool found = restriction.is_valid && regexec(&restriction.pattern, text, 0, NULL, 0) == 0;
    restriction_deinit(&restriction);
    return found;
}

static void test_regular_expressions(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool found;
    } cases[] = {
        {"py:\\d+\\(e", "m.py:12(end)", true},
        {"py:\\d+\\(e", "m.py:x(end)", false},
        {"\\D", "12", false},
        {"\\bmain\\b", "m.py:1(main)", true},
        {"\\bmai\\b", "m.py:1(main)", false},
        {"^a\\.py", "a.py:1(x)", true},
        {"^a\\.py", "axpy:1(x)", false},
        {"\\A~|len}\\Z", "{built-in method builtins.len}", true},
        {"(?:foo|ba[rz])+", "xbaz", true},
        {"(?P<n>foo)x", "foox", true},
        {"a{2,3}b", "aab", true},
        {"a{2,3}b", "ab", false},
        {"{built-in", "{built-in method x}", true},
        {"len}", "{built-in method builtins.len}", true},
        {"a.*?b", "a--b", true},
        {"[^\\s\\d]x", " x", false},
        {"[^\\s\\d]x", "ax", true},
        {"[]a]z", "]z", true},
        {"[a\\]]z", "]z", true},
        {"[a\\-c]z", "bz", false},
        {"[\\w.]+-", "a.b-", true},
        {"a\\/b", "a/b", true},
        {"<listcomp>", "m.py:1(<listcomp>)", true},
        {"x$", "ax", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (finds(cases[i].pattern, cases[i].text) != cases[i].found)
            fail_msg("'%s' in '%s'", cases[i].pattern, cases[i].text);
}

static void test_edges_are_in_order(void **state)
{
    (void)state;
    struct pstats stats = one();
    struct pstats_edges edges;
    struct error err = {0};
    assert_int_equal(pstats_edges_init(&edges, &stats, true, &err), STATUS_OK);
    uint32_t work = stats.profile.stats.items[1].function;
    assert_int_equal(edges.first[work + 1] - edges.first[work], 2);
    const struct profile_call *first = &stats.profile.calls.items[edges.calls[edges.first[work]]];
    assert_string_equal(
        profile_text(&stats.profile, stats.profile.functions.items[first->caller].file), "/a/m.py");
    pstats_edges_deinit(&edges);
    assert_int_equal(pstats_edges_init(&edges, &stats, false, &err), STATUS_OK);
    assert_int_equal(edges.first[work + 1] - edges.first[work], 1);
    pstats_edges_deinit(&edges);
    pstats_deinit(&stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_sums_that_do_not_fit),
        cmocka_unit_test(test_strip_dirs),
        cmocka_unit_test(test_abbreviations),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_name_widths),
        cmocka_unit_test(test_top_level),
        cmocka_unit_test(test_restrictions),
        cmocka_unit_test(test_regular_expressions),
        cmocka_unit_test(test_edges_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
