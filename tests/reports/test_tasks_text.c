/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of tasks, from an index made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reports/commands/tasks_model.h"
#include "tests/reports/sample.h"

#define ROW(sample, table, ...)                                                                    \
    do {                                                                                           \
        const struct index_value row_values[] = {__VA_ARGS__};                                     \
        assert_int_equal(index_writer_row((sample)->writer, table, row_values,                     \
                                          sizeof row_values / sizeof *row_values),                 \
                         STATUS_OK);                                                               \
    } while (0)

static void add_task(struct sample *sample, int64_t id, const char *name, const char *state,
                     const char *waits_for, bool deadlocked)
{
    ROW(sample, INDEX_TASK, INDEX_INT(id), INDEX_NONE, INDEX_STR(name), INDEX_STR(state),
        INDEX_STR("work"), INDEX_INT(1), INDEX_INT(0x1000 + id), INDEX_INT(0x99),
        INDEX_STR(waits_for), INDEX_INT(deadlocked), INDEX_NONE);
    ROW(sample, INDEX_TASK_FRAME, INDEX_INT(id), INDEX_INT(id), INDEX_INT(0), INDEX_STR("python"),
        INDEX_STR("work"), INDEX_STR("/srv/x.py"), INDEX_INT(10), INDEX_NONE, INDEX_NONE,
        INDEX_NONE, INDEX_NONE, INDEX_INT(1), INDEX_NONE, INDEX_STR("coroutine"));
}

static void add_edge(struct sample *sample, int64_t from, int64_t to, const char *via)
{
    ROW(sample, INDEX_TASK_WAIT, INDEX_INT(from), INDEX_INT(to), INDEX_STR(via));
}

static void render(struct sample *sample, struct tasks_format format, struct text *text)
{
    struct index *index = sample_end(sample);
    struct tasks_model model;
    assert_int_equal(tasks_model_load(index, &model, NULL), STATUS_OK);
    tasks_render_text(&model, &format, text);
    assert_true(text_ok(text));
    tasks_model_deinit(&model);
    index_close(index);
}

static void begin(struct sample *sample)
{
    sample_begin(sample);
    sample_thread(sample, (struct sample_thread){.id = 1, .name = "MainThread", .is_main = true});
}

static void tree(void **state)
{
    struct sample sample;
    struct text text = {0};
    (void)state;
    begin(&sample);
    add_task(&sample, 1, "leaf", "waiting", "asyncio.sleep(3)", false);
    add_task(&sample, 2, "root", "waiting", "asyncio.gather(): task 'leaf'", false);
    add_task(&sample, 3, "left", "waiting", "task 'right'", true);
    add_task(&sample, 4, "right", "waiting", "task 'left'", true);
    add_edge(&sample, 2, 1, "gather");
    add_edge(&sample, 3, 4, "await");
    add_edge(&sample, 4, 3, "await");
    ROW(&sample, INDEX_CONTEXT_VARIABLE, INDEX_NONE, INDEX_INT(1), INDEX_STR("request"),
        INDEX_STR("str"), INDEX_STR("'r-1'"), INDEX_NONE, INDEX_NONE);
    render(&sample, (struct tasks_format){0}, &text);
    assert_string_equal(text_string(&text),
                        "4 asyncio tasks on 1 event loop: 4 waiting; 2 deadlocked\n"
                        "Deadlock: 'left' waits for task 'right'; 'right' waits for task 'left'\n\n"
                        "'left' work(): deadlocked, waiting: task 'right'\n"
                        "  File \"/srv/x.py\", line 10, in work\n"
                        "    await 'right' work(): deadlocked, waiting: task 'left'\n"
                        "      File \"/srv/x.py\", line 10, in work\n"
                        "        await 'left' work(): deadlocked, waiting, shown above\n"
                        "'root' work(): waiting: asyncio.gather(): task 'leaf'\n"
                        "  File \"/srv/x.py\", line 10, in work\n"
                        "    gather 'leaf' work(): waiting: asyncio.sleep(3)\n"
                        "      request = 'r-1'\n"
                        "      File \"/srv/x.py\", line 10, in work\n");
    text_deinit(&text);
}

static void many_alike(void **state)
{
    struct sample sample;
    struct text text = {0};
    (void)state;
    begin(&sample);
    for (int64_t i = 1; i <= 1000; i++)
        add_task(&sample, i, i == 1000 ? "last" : "some", "waiting", "asyncio.sleep(3)", false);
    render(&sample, (struct tasks_format){.limit = 10}, &text);
    assert_string_equal(text_string(&text), "1000 asyncio tasks on 1 event loop: 1000 waiting\n\n"
                                            "'some' work(): waiting: asyncio.sleep(3)\n"
                                            "  File \"/srv/x.py\", line 10, in work\n"
                                            "  [and 999 more like it, 'last' the last]\n");
    text_deinit(&text);
}

/* Of those that one task awaits the alike ones are told once, too. */
static void many_gathered(void **state)
{
    struct sample sample;
    struct text text = {0};
    (void)state;
    begin(&sample);
    add_task(&sample, 1, "root", "waiting", "asyncio.gather()", false);
    for (int64_t i = 2; i <= 500; i++)
        add_task(&sample, i, "child", "waiting", i % 2 ? "odd" : "even", false);
    for (int64_t i = 2; i <= 500; i++)
        add_edge(&sample, 1, i, "gather");
    render(&sample, (struct tasks_format){.limit = 10}, &text);
    assert_string_equal(text_string(&text), "500 asyncio tasks on 1 event loop: 500 waiting\n\n"
                                            "'root' work(): waiting: asyncio.gather()\n"
                                            "  File \"/srv/x.py\", line 10, in work\n"
                                            "    gather 'child' work(): waiting: even\n"
                                            "      File \"/srv/x.py\", line 10, in work\n"
                                            "      [and 249 more like it, 'child' the last]\n"
                                            "    gather 'child' work(): waiting: odd\n"
                                            "      File \"/srv/x.py\", line 10, in work\n"
                                            "      [and 248 more like it, 'child' the last]\n");
    text_deinit(&text);
}

static void limited(void **state)
{
    struct sample sample;
    struct text text = {0};
    (void)state;
    begin(&sample);
    for (int64_t i = 1; i <= 5; i++)
        add_task(&sample, i, "some", "waiting", i % 2 ? "odd" : "even", false);
    render(&sample, (struct tasks_format){.limit = 1, .verbose = true}, &text);
    assert_non_null(strstr(text_string(&text), "[4 more tasks: --limit 0 shows them]"));
    text_deinit(&text);
}

static void hostile(void **state)
{
    struct sample sample;
    struct text text = {0};
    (void)state;
    begin(&sample);
    add_task(&sample, 1, "\x1b[2J\n", "wait\ning", "\xe2\x80\xae", false);
    add_edge(&sample, 1, 99, "gone"); /* to a task that there is not */
    add_edge(&sample, 1, 1, "\x1b");
    render(&sample, (struct tasks_format){0}, &text);
    assert_null(strchr(text_string(&text), '\x1b'));
    assert_null(strstr(text_string(&text), "\xe2\x80\xae"));
    assert_non_null(strstr(text_string(&text), "\\x1b[2J\\n"));
    text_deinit(&text);
}

static void none(void **state)
{
    struct sample sample;
    struct text text = {0};
    (void)state;
    begin(&sample);
    render(&sample, (struct tasks_format){0}, &text);
    assert_string_equal(text_string(&text), "no asyncio tasks\n");
    text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree),    cmocka_unit_test(many_alike), cmocka_unit_test(limited),
        cmocka_unit_test(hostile), cmocka_unit_test(none),       cmocka_unit_test(many_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
