/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict, and the forms of the one model behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/commands/postmortem_render.h"
#include "reports/render/page.h"
#include "sample.h"

#define HOSTILE "</script><img src=x onerror=alert(1)>\x1b[31m\u202e`|*@all"

static void test_program(void **state)
{
    (void)state;
    static const struct {
        const char *command, *executable, *program;
    } cases[] = {
        {"python3 shop/worker.py --queue orders", NULL, "shop/worker.py"},
        {"/usr/bin/python3.11 -X dev -W error -u app.py", NULL, "app.py"},
        {"python -m shop.worker x", NULL, "python -m shop.worker"},
        {"python -c import os; os.abort()", NULL, "python -c …"},
        {"python3", "/usr/bin/python3.11", "python3"},
        {"/usr/bin/uwsgi --ini x.ini", NULL, "uwsgi"},
        {"python3 <str 12 #3> <str 4 #1>", NULL, "<str 12 #3>"},
        {NULL, "/usr/sbin/nginx", "nginx"},
        {"", NULL, "an unknown program"},
        {"   ", "", "an unknown program"},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(verdict_program(&arena, cases[i].command, cases[i].executable),
                            cases[i].program);
    arena_deinit(&arena);
}

static void test_shell_word(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_string_equal(shell_word(&arena, "core.4242"), "core.4242");
    assert_string_equal(shell_word(&arena, "a core"), "'a core'");
    assert_string_equal(shell_word(&arena, "it's;$(x)"), "'it'\\''s;$(x)'");
    assert_string_equal(shell_word(&arena, "-o"), "./'-o'");
    assert_string_equal(shell_word(&arena, ""), "''");
    arena_deinit(&arena);
}

struct verdict_case {
    const char *signal, *number, *sentence, *abort_message, *made_by, *verdict;
};

static struct postmortem build(struct index *index)
{
    struct postmortem model;
    struct error err = {0};
    const struct postmortem_options options = {.input = "core"};
    if (postmortem_build(index, &options, &model, &err))
        fail_msg("%s", err.message);
    return model;
}

static void test_verdict(void **state)
{
    (void)state;
    static const struct verdict_case cases[] = {
        {"SIGSEGV", "11", "SIGSEGV: read of address 0x10, not mapped", NULL, "kernel",
         "app.py (Python 3.12.1, pid 7) died of SIGSEGV: read of address 0x10, not mapped"},
        {"SIGABRT", "6", "SIGABRT: sent by itself", "Fatal Python error: oops\nmore", "kernel",
         "app.py (Python 3.12.1, pid 7) was aborted: Fatal Python error: oops"},
        {"SIGABRT", "6", "SIGABRT: sent by itself", NULL, "kernel",
         "app.py (Python 3.12.1, pid 7) was aborted: SIGABRT: sent by itself"},
        {"SIGQUIT", "3", "SIGQUIT: sent by process 1", NULL, "kernel",
         "app.py (Python 3.12.1, pid 7) was killed by SIGQUIT: sent by process 1"},
        {"SIGXCPU", "24", "SIGXCPU", NULL, "kernel",
         "app.py (Python 3.12.1, pid 7) was killed by SIGXCPU"},
        {NULL, "0", NULL, NULL, "gcore",
         "app.py (Python 3.12.1, pid 7) was alive: the core was taken by gcore"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample sample;
        sample_begin(&sample);
        sample_meta(&sample, "command", "python3 app.py");
        sample_meta(&sample, "python_version", "3.12.1");
        sample_meta(&sample, "pid", "7");
        sample_meta(&sample, "signal_number", cases[i].number);
        sample_meta(&sample, "made_by", cases[i].made_by);
        if (cases[i].signal)
            sample_meta(&sample, "signal", cases[i].signal);
        if (cases[i].sentence)
            sample_meta(&sample, "signal_text", cases[i].sentence);
        if (cases[i].abort_message)
            sample_meta(&sample, "abort_message", cases[i].abort_message);
        struct index *index = sample_end(&sample);
        struct postmortem model = build(index);
        assert_string_equal(model.verdict, cases[i].verdict);
        postmortem_deinit(&model);
        index_close(index);
    }
}

/* A redacted command does not tell the script; the frames do. */
static void test_redacted_program(void **state)
{
    (void)state;
    struct sample sample;
    sample_begin(&sample);
    sample_meta(&sample, "command", "python3 <str 5 #1>");
    sample_meta(&sample, "redacted", "1");
    sample_thread(&sample, (struct sample_thread){.id = 1, .is_main = true});
    sample_frame(&sample, 1, 0, "<module>", 3);
    struct index *index = sample_end(&sample);
    struct postmortem model = build(index);
    assert_string_equal(model.program, "/srv/x.py");
    postmortem_deinit(&model);
    index_close(index);
}

/* What is only reserved is no part of the shares. */
static void test_memory(void **state)
{
    (void)state;
    static const struct {
        const char *region;
        int64_t bytes;
    } regions[] = {{"reserved, no access", 1 << 30}, {"heap", 3 << 20}, {"stacks", 1 << 20}};
    struct sample sample;
    struct text text;
    sample_begin(&sample);
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        const struct index_value row[] = {INDEX_STR(regions[i].region), INDEX_INT(regions[i].bytes),
                                          INDEX_NONE};
        index_writer_row(sample.writer, INDEX_MEMORY, row, 3);
    }
    struct index *index = sample_end(&sample);
    struct postmortem model = build(index);
    text_init(&text);
    postmortem_render_text(&model, 80, false, &text);
    assert_non_null(strstr(text_string(&text), "Memory: 4.0 MiB mapped, and 1.0 GiB only reserved\n"
                                               "  region                  size   share  detail\n"
                                               "  heap                 3.0 MiB  75.0 %\n"
                                               "  stacks               1.0 MiB  25.0 %\n"
                                               "  reserved, no access  1.0 GiB\n"));
    text_deinit(&text);
    postmortem_deinit(&model);
    index_close(index);
}

/* Text that tries to break out, in every column, as often as asked. */
static struct index *make_hostile(int64_t threads, int64_t frames)
{
    struct sample sample;
    sample_begin(&sample);
    sample_meta(&sample, "signal", "SIGSEGV");
    sample_meta(&sample, "signal_text", HOSTILE);
    sample_meta(&sample, "command", HOSTILE);
    for (int64_t id = 1; id <= threads; id++) {
        sample_thread(&sample, (struct sample_thread){.id = id,
                                                      .name = HOSTILE,
                                                      .state = HOSTILE,
                                                      .waits_for = HOSTILE,
                                                      .is_crashed = id == 1});
        for (int64_t depth = 0; depth < frames; depth++) {
            int64_t frame = sample_frame(&sample, id, depth, HOSTILE, id * frames + depth);
            sample_local(&sample, frame, HOSTILE, HOSTILE, HOSTILE);
        }
        sample_exception(&sample, id, 0, NULL, HOSTILE, HOSTILE);
    }
    index_writer_warning(sample.writer, HOSTILE, HOSTILE);
    return sample_end(&sample);
}

static void check_no_controls(const struct text *text)
{
    assert_true(text_ok(text));
    assert_int_equal(strlen(text_string(text)), text->size);
    assert_null(strchr(text_string(text), '\x1b'));
    assert_null(strstr(text_string(text), "\u202e"));
}

static void test_forms_of_hostile_text(void **state)
{
    (void)state;
    struct index *index = make_hostile(3, 4);
    struct postmortem model = build(index);
    struct text text;
    text_init(&text);
    postmortem_render_text(&model, 80, false, &text);
    check_no_controls(&text);
    assert_non_null(strstr(text_string(&text), "\\x1b[31m\\u202e"));
    text_clear(&text);
    threads_render_text(&model, 80, false, true, &text);
    check_no_controls(&text);
    text_clear(&text);
    postmortem_render_markdown(&model, &text);
    check_no_controls(&text);
    text_clear(&text);
    postmortem_render_html(&model, &text);
    check_no_controls(&text);
    assert_null(strstr(text_string(&text), "<img"));
    unsigned scripts = 0; /* the page's own, and no other */
    for (const char *at = text_string(&text); (at = strstr(at, "</script>")); at++)
        scripts++;
    assert_int_equal(scripts, 2);
    text_deinit(&text);
    postmortem_deinit(&model);
    index_close(index);
}

static void test_bounds(void **state)
{
    (void)state;
    struct index *index = make_hostile(300, 60);
    struct postmortem model = build(index);
    struct text text;
    text_init(&text);
    postmortem_render_markdown(&model, &text);
    assert_in_range(text.size, MARKDOWN_LIMIT / 2, MARKDOWN_LIMIT);
    assert_non_null(strstr(text_string(&text), "more threads left out here"));
    assert_int_equal(strncmp(text_string(&text) + text.size - 2, "\n\n", 2), 0);
    text_clear(&text);
    threads_render_markdown(&model, &text);
    assert_in_range(text.size, MARKDOWN_LIMIT / 2, MARKDOWN_LIMIT);
    text_clear(&text);
    postmortem_render_html(&model, &text);
    assert_in_range(text.size, PAGE_LIMIT / 2, PAGE_LIMIT);
    assert_non_null(strstr(text_string(&text), "Cut to keep this page below 2 MiB"));
    assert_string_equal(text_string(&text) + text.size - 8, "</html>\n");
    text_deinit(&text);
    postmortem_deinit(&model);
    index_close(index);
}

/* Nothing is known: everything is still answered. */
static void test_empty_index(void **state)
{
    (void)state;
    struct sample sample;
    sample_begin(&sample);
    struct index *index = sample_end(&sample);
    struct postmortem model = build(index);
    struct text text;
    text_init(&text);
    assert_non_null(strstr(model.verdict, "an unknown program (no Python that can be read) was "
                                          "alive"));
    postmortem_render_text(&model, 80, true, &text);
    postmortem_render_markdown(&model, &text);
    postmortem_render_html(&model, &text);
    assert_true(text_ok(&text));
    text_deinit(&text);
    postmortem_deinit(&model);
    index_close(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program), cmocka_unit_test(test_shell_word),
        cmocka_unit_test(test_verdict), cmocka_unit_test(test_forms_of_hostile_text),
        cmocka_unit_test(test_bounds),  cmocka_unit_test(test_empty_index),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_redacted_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
