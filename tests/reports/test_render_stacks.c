/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: their order and groups, folded recursion, exceptions in Python's form,
 * and the machine forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "reports/commands/exceptions_text.h"
#include "reports/commands/stacks_model.h"
#include "reports/commands/stacks_words.h"
#include "reports/commands/threads_rows.h"
#include "reports/commands/threads_text.h"
#include "sample.h"

static struct stacks load(struct index *index, struct stacks_options options)
{
    struct stacks stacks;
    struct error err = {0};
    if (stacks_load(index, &options, &stacks, &err))
        fail_msg("%s", err.message);
    return stacks;
}

static void check(const struct text *text, const char *expected)
{
    assert_true(text_ok(text));
    assert_string_equal(text_string(text), expected);
}

static struct index *make_threads(void)
{
    struct sample sample;
    sample_begin(&sample);
    sample_thread(&sample, (struct sample_thread){.id = 1, .is_c = true, .state = "in poll"});
    for (int64_t id = 2; id <= 11; id++) {
        char name[20];
        snprintf(name, sizeof name, "pool-%d", (int)(12 - id));
        sample_thread(&sample,
                      (struct sample_thread){.id = id, .name = name, .state = "waiting on a lock"});
    }
    sample_thread(&sample, (struct sample_thread){.id = 12, .name = "busy", .holds_gil = true});
    sample_thread(&sample, (struct sample_thread){.id = 13, .name = "MainThread", .is_main = true});
    sample_thread(&sample, (struct sample_thread){.id = 14, .name = "bad", .is_crashed = true});
    sample_thread(&sample, (struct sample_thread){
                               .id = 15, .name = "other line", .state = "waiting on a lock"});
    for (int64_t id = 2; id <= 15; id++) {
        int64_t frame = sample_frame(&sample, id, 0, "get", id == 15 ? 8 : 7);
        sample_local(&sample, frame, "self", "Queue", "<Queue>");
        sample_frame(&sample, id, 1, "run", 3);
    }
    return sample_end(&sample);
}

static void test_importance_and_groups(void **state)
{
    (void)state;
    static const int64_t order[] = {14, 12, 13, 2, 15, 1};
    struct index *index = make_threads();
    struct stacks stacks = load(index, (struct stacks_options){0});
    assert_int_equal(stacks.groups.count, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct stack_group *group = &stacks.groups.items[i];
        assert_int_equal(group->member_count, order[i] == 2 ? 10 : 1);
        if (order[i] != 2)
            assert_int_equal(group_first(&stacks, group)->id, order[i]);
    }
    struct text text;
    text_init(&text);
    group_heading(&stacks, &stacks.groups.items[3], &text); /* in natural order */
    check(&text, "10 threads: \"pool-1\", \"pool-2\", \"pool-3\" … \"pool-10\"");
    text_deinit(&text);
    stacks_deinit(&stacks);
    stacks = load(index, (struct stacks_options){.group_limit = 3});
    assert_int_equal(stacks.groups.count, 3);
    assert_int_equal(stacks.threads_not_shown, 12);
    stacks_deinit(&stacks);
    index_close(index);
}

static void test_one_thread(void **state)
{
    (void)state;
    static const char *const wanted[] = {"12", "1012", "0x700c", "28684", "busy"};
    struct index *index = make_threads();
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct stacks stacks = load(index, (struct stacks_options){.thread = wanted[i]});
        assert_int_equal(stacks.threads.count, 1);
        assert_int_equal(stacks.threads.items[0].id, 12);
        assert_int_equal(stacks.threads_filtered, 14);
        assert_int_equal(stacks.locals.count, 1);
        stacks_deinit(&stacks);
    }
    struct stacks stacks;
    struct error err = {0};
    const struct stacks_options none = {.thread = "nobody"};
    assert_int_equal(stacks_load(index, &none, &stacks, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "nobody"));
    index_close(index);
}

/* main, then 50 turns of a cycle, then the innermost frame. */
static struct index *make_recursion(int64_t cycle)
{
    struct sample sample;
    int64_t depth = 0;
    sample_begin(&sample);
    sample_thread(&sample, (struct sample_thread){.id = 1, .name = "x", .is_crashed = true});
    sample_local(&sample, sample_frame(&sample, 1, depth++, "leaf", 1), "n", "int", "0");
    for (int64_t turn = 0; turn < 50; turn++)
        for (int64_t i = cycle; i > 0; i--) {
            char value[20];
            int64_t frame = sample_frame(&sample, 1, depth++, i % 2 ? "odd" : "even", 10 + i);
            snprintf(value, sizeof value, "%d", (int)turn);
            sample_local(&sample, frame, "turn", "int", value);
        }
    sample_frame(&sample, 1, depth, "main", 99);
    return sample_end(&sample);
}

static void test_recursion(void **state)
{
    (void)state;
    for (int64_t cycle = 1; cycle <= 10; cycle++) {
        struct index *index = make_recursion(cycle);
        struct stacks stacks = load(index, (struct stacks_options){0});
        const struct stack_group *group = &stacks.groups.items[0];
        const struct stack_item *gap = &stacks.items.items[1 + cycle];
        assert_int_equal(stacks.frames.count, 50 * cycle + 2);
        assert_int_equal(group->item_count, 2 + 2 * cycle + 1); /* main, turn, gap, turn, leaf */
        assert_int_equal(gap->kind, STACK_REPEATED);
        assert_int_equal(gap->cycle, cycle);
        assert_int_equal(gap->times, 48);
        /* the outermost turn and the innermost are the ones that stay, with their locals */
        const struct stack_frame *outer = &stacks.frames.items[stacks.items.items[1].frame];
        const struct stack_frame *inner =
            &stacks.frames.items[stacks.items.items[group->item_count - 2].frame];
        assert_string_equal(stacks.locals.items[outer->first_local].value, "49");
        assert_string_equal(stacks.locals.items[inner->first_local].value, "0");
        stacks_deinit(&stacks);
        index_close(index);
    }
}

static void test_recursion_text(void **state)
{
    (void)state;
    struct index *index = make_recursion(2);
    struct stacks stacks = load(index, (struct stacks_options){0});
    const struct stack_format format = {
        .width = 60, .max_locals = 9, .death = "SIGSEGV: read of address 0x10"};
    struct text text;
    text_init(&text);
    group_render(&stacks, &stacks.groups.items[0], &format, &text);
    check(&text, "Thread 1 \"x\" (tid 1001): crashed\n"
                 "Traceback (most recent call last):\n"
                 "  File \"/srv/x.py\", line 99, in main\n"
                 "  File \"/srv/x.py\", line 11, in odd\n"
                 "      turn = 49\n"
                 "  File \"/srv/x.py\", line 12, in even\n"
                 "      turn = 49\n"
                 "  [the same 2 frames 48 more times]\n"
                 "  File \"/srv/x.py\", line 11, in odd\n"
                 "      turn = 0\n"
                 "  File \"/srv/x.py\", line 12, in even\n"
                 "      turn = 0\n"
                 "  File \"/srv/x.py\", line 1, in leaf\n"
                 "      n = 0\n"
                 "    ^ here: SIGSEGV: read of address 0x10\n");
    text_deinit(&text);
    stacks_deinit(&stacks);
    index_close(index);
}

static void test_middle_is_omitted(void **state)
{
    (void)state;
    struct sample sample;
    sample_begin(&sample);
    sample_thread(&sample, (struct sample_thread){.id = 1});
    for (int64_t i = 0; i < 1000; i++)
        sample_frame(&sample, 1, i, "f", i + 1);
    struct index *index = sample_end(&sample);
    struct stacks stacks =
        load(index, (struct stacks_options){.outer_frames = 10, .inner_frames = 20});
    assert_int_equal(stacks.items.count, 31);
    assert_int_equal(stacks.items.items[10].kind, STACK_OMITTED);
    assert_int_equal(stacks.items.items[10].times, 970);
    assert_int_equal(stacks.frames.items[stacks.items.items[0].frame].line, 1000);
    assert_int_equal(stacks.frames.items[stacks.items.items[30].frame].line, 1);
    stacks_deinit(&stacks);
    index_close(index);
}

/* ---- Exceptions, against what CPython 3.11 printed of the same ones. */

static void group_of_python(struct sample *sample)
{
    int64_t top = sample_exception(sample, 1, 0, NULL, "RuntimeError", "multi\nline");
    sample_entry(sample, top, 0, "<module>", 18);
    int64_t outer =
        sample_exception(sample, 1, top, "context", "ExceptionGroup", "outer (3 sub-exceptions)");
    sample_entry(sample, outer, 0, "<module>", 16);
    int64_t one = sample_exception(sample, 1, outer, "group", "ValueError", "bad 1");
    sample_entry(sample, one, 0, "leaf", 3);
    sample_entry(sample, one, 1, "catch", 5);
    int64_t inner =
        sample_exception(sample, 1, outer, "group", "ExceptionGroup", "inner (2 sub-exceptions)");
    int64_t two = sample_exception(sample, 1, inner, "group", "ValueError", "bad 2");
    sample_entry(sample, two, 0, "leaf", 3);
    sample_entry(sample, two, 1, "catch", 5);
    sample_exception(sample, 1, inner, "group", "FileNotFoundError", "[Errno 2] x");
    int64_t three = sample_exception(sample, 1, outer, "group", "KeyError", "'k'");
    sample_entry(sample, three, 0, "caused", 9);
    sample_entry(sample, three, 1, "catch", 5);
    int64_t cause = sample_exception(sample, 1, three, "cause", "ValueError", "bad 7");
    sample_entry(sample, cause, 0, "leaf", 3);
    sample_entry(sample, cause, 1, "caused", 8);
}

static void check_exception(void (*make)(struct sample *sample), size_t max_entries,
                            const char *expected)
{
    struct sample sample;
    sample_begin(&sample);
    sample_thread(&sample, (struct sample_thread){.id = 1});
    make(&sample);
    struct index *index = sample_end(&sample);
    struct stacks stacks = load(index, (struct stacks_options){0});
    const struct exception_format format = {.max_entries = max_entries};
    struct text text;
    text_init(&text);
    exception_render(&stacks, 0, &format, &text);
    check(&text, expected);
    text_deinit(&text);
    stacks_deinit(&stacks);
    index_close(index);
}

static void test_exception_group(void **state)
{
    (void)state;
    check_exception(group_of_python, 0,
                    "  + Exception Group Traceback (most recent call last):\n"
                    "  |   File \"/srv/x.py\", line 16, in <module>\n"
                    "  | ExceptionGroup: outer (3 sub-exceptions)\n"
                    "  +-+---------------- 1 ----------------\n"
                    "    | Traceback (most recent call last):\n"
                    "    |   File \"/srv/x.py\", line 5, in catch\n"
                    "    |   File \"/srv/x.py\", line 3, in leaf\n"
                    "    | ValueError: bad 1\n"
                    "    +---------------- 2 ----------------\n"
                    "    | ExceptionGroup: inner (2 sub-exceptions)\n"
                    "    +-+---------------- 1 ----------------\n"
                    "      | Traceback (most recent call last):\n"
                    "      |   File \"/srv/x.py\", line 5, in catch\n"
                    "      |   File \"/srv/x.py\", line 3, in leaf\n"
                    "      | ValueError: bad 2\n"
                    "      +---------------- 2 ----------------\n"
                    "      | FileNotFoundError: [Errno 2] x\n"
                    "      +------------------------------------\n"
                    "    +---------------- 3 ----------------\n"
                    "    | Traceback (most recent call last):\n"
                    "    |   File \"/srv/x.py\", line 8, in caused\n"
                    "    |   File \"/srv/x.py\", line 3, in leaf\n"
                    "    | ValueError: bad 7\n"
                    "    | \n"
                    "    | The above exception was the direct cause of the following exception:\n"
                    "    | \n"
                    "    | Traceback (most recent call last):\n"
                    "    |   File \"/srv/x.py\", line 5, in catch\n"
                    "    |   File \"/srv/x.py\", line 9, in caused\n"
                    "    | KeyError: 'k'\n"
                    "    +------------------------------------\n"
                    "\n"
                    "During handling of the above exception, another exception occurred:\n"
                    "\n"
                    "Traceback (most recent call last):\n"
                    "  File \"/srv/x.py\", line 18, in <module>\n"
                    "RuntimeError: multi\n"
                    "line\n");
}

static void eleven_entries(struct sample *sample)
{
    int64_t id = sample_exception(sample, 1, 0, NULL, "__main__.Bad", NULL);
    sample_entry(sample, id, 0, "f", 4);
    for (int64_t i = 1; i <= 10; i++)
        sample_entry(sample, id, i, "f", 3);
    sample_entry(sample, id, 11, "<module>", 5);
}

static void many_members(struct sample *sample)
{
    int64_t group = sample_exception(sample, 1, 0, NULL, "ExceptionGroup", "many");
    for (int i = 0; i < 18; i++)
        sample_exception(sample, 1, group, "group", "E", NULL);
}

static void many_lines(struct sample *sample)
{
    int64_t id = sample_exception(sample, 1, 0, NULL, "E", "");
    for (int64_t i = 0; i < 100; i++)
        sample_entry(sample, id, i, "f", 100 - i);
}

static void test_exception_bounds(void **state)
{
    (void)state;
    check_exception(eleven_entries, 0,
                    "Traceback (most recent call last):\n"
                    "  File \"/srv/x.py\", line 5, in <module>\n"
                    "  File \"/srv/x.py\", line 3, in f\n"
                    "  File \"/srv/x.py\", line 3, in f\n"
                    "  File \"/srv/x.py\", line 3, in f\n"
                    "  [Previous line repeated 7 more times]\n"
                    "  File \"/srv/x.py\", line 4, in f\n"
                    "Bad\n");
    check_exception(many_lines, 3,
                    "Traceback (most recent call last):\n"
                    "  File \"/srv/x.py\", line 1, in f\n"
                    "  [97 entries not shown]\n"
                    "  File \"/srv/x.py\", line 99, in f\n"
                    "  File \"/srv/x.py\", line 100, in f\n"
                    "E\n");
    struct sample sample;
    sample_begin(&sample);
    sample_thread(&sample, (struct sample_thread){.id = 1});
    many_members(&sample);
    struct index *index = sample_end(&sample);
    struct stacks stacks = load(index, (struct stacks_options){0});
    struct text text;
    text_init(&text);
    exception_render(&stacks, 0, &(struct exception_format){0}, &text);
    assert_non_null(strstr(text_string(&text), "    +---------------- 15 ----------------\n"
                                               "    | E\n"
                                               "    +---------------- ... ----------------\n"
                                               "    | and 3 more exceptions\n"
                                               "    +------------------------------------\n"));
    text_deinit(&text);
    stacks_deinit(&stacks);
    index_close(index);
}

/* An index made by hand can say that two exceptions are each other's cause. */
static void test_circle_of_causes(void **state)
{
    (void)state;
    struct sample sample;
    sample_begin(&sample);
    sample_thread(&sample, (struct sample_thread){.id = 1});
    sample_exception(&sample, 1, 2, "cause", "A", NULL);
    sample_exception(&sample, 1, 1, "cause", "B", NULL);
    sample_exception(&sample, 1, 3, "context", "Itself", NULL);
    struct index *index = sample_end(&sample);
    struct stacks stacks = load(index, (struct stacks_options){0});
    assert_int_equal(stacks.exceptions.items[0].parent, SIZE_MAX);
    assert_int_equal(stacks.exceptions.items[1].parent, 0);
    assert_int_equal(stacks.exceptions.items[2].parent, SIZE_MAX);
    stacks_deinit(&stacks);
    index_close(index);
}

/* ---- Machine forms. */

static void write_json(struct index *index, struct rows_options options, struct text *text)
{
    struct json_writer json;
    struct error err;
    text_clear(text);
    json_init(&json, text);
    json_begin_object(&json);
    assert_int_equal(threads_write_json(index, &options, &json, NULL, &err), STATUS_OK);
    json_end_object(&json);
    assert_true(json_finish(&json));
}

static void write_scrambled(struct sample *sample, bool in_order)
{
    int64_t inner, outer;
    if (in_order) {
        inner = sample_frame(sample, 1, 0, "inner", 1);
        outer = sample_frame(sample, 1, 1, "outer", 2);
        sample_local(sample, inner, "a", "int", "1");
        sample_local(sample, inner, "b", "int", "2");
        sample_local(sample, outer, "c", "int", "3");
    } else {
        sample_frame(sample, 7, 0, "of no thread", 1);
        outer = sample_frame(sample, 1, 1, "outer", 2);
        inner = sample_frame(sample, 1, 0, "inner", 1);
        sample_local(sample, 99, "of no frame", "int", "0");
        sample_local(sample, outer, "c", "int", "3");
        sample_local(sample, inner, "a", "int", "1");
        sample_local(sample, inner, "b", "int", "2");
    }
}

/* The rows are the same whether the index holds them in our order or not. */
static void test_json_order(void **state)
{
    (void)state;
    struct text texts[2];
    for (int i = 0; i < 2; i++) {
        struct sample sample;
        sample_begin(&sample);
        sample_thread(&sample, (struct sample_thread){.id = 1, .name = "x"});
        sample_thread(&sample, (struct sample_thread){.id = 2});
        write_scrambled(&sample, i == 0);
        struct index *index = sample_end(&sample);
        text_init(&texts[i]);
        write_json(index, (struct rows_options){0}, &texts[i]);
        index_close(index);
    }
    check(&texts[1], text_string(&texts[0]));
    check(&texts[0],
          "{\"rows\":[{\"id\":1,\"os_tid\":1001,\"ident\":\"0x7001\",\"name\":\"x\","
          "\"is_main\":false,\"is_crashed\":false,\"holds_gil\":false,\"is_python\":true,"
          "\"collecting\":false,\"state\":null,\"waits_for\":null,\"waits_for_thread_id\":null,"
          "\"is_deadlocked\":null,\"stack_note\":null,\"context\":[],"
          "\"frames\":[{\"depth\":0,\"kind\":\"python\",\"function\":\"inner\","
          "\"file\":\"/srv/x.py\",\"line\":1,\"column\":null,\"end_line\":null,"
          "\"end_column\":null,\"address\":\"0x100\",\"owner\":null,"
          "\"locals\":[{\"name\":\"a\",\"kind\":\"local\",\"type\":\"int\",\"value\":\"1\","
          "\"address\":\"0x200\"},{\"name\":\"b\",\"kind\":\"local\",\"type\":\"int\","
          "\"value\":\"2\",\"address\":\"0x200\"}]},{\"depth\":1,\"kind\":\"python\","
          "\"function\":\"outer\",\"file\":\"/srv/x.py\",\"line\":2,\"column\":null,"
          "\"end_line\":null,\"end_column\":null,\"address\":\"0x100\",\"owner\":null,"
          "\"locals\":[{\"name\":\"c\",\"kind\":\"local\",\"type\":\"int\","
          "\"value\":\"3\",\"address\":\"0x200\"}]}],\"exceptions\":[]},"
          "{\"id\":2,\"os_tid\":1002,\"ident\":\"0x7002\",\"name\":null,\"is_main\":false,"
          "\"is_crashed\":false,\"holds_gil\":false,\"is_python\":true,\"collecting\":false,"
          "\"state\":null,\"waits_for\":null,\"waits_for_thread_id\":null,"
          "\"is_deadlocked\":null,\"stack_note\":null,\"context\":[],\"frames\":[],"
          "\"exceptions\":[]}]}\n");
    text_deinit(&texts[0]);
    text_deinit(&texts[1]);
}

/* The most important threads, in the index's order. */
static void test_json_limit(void **state)
{
    (void)state;
    struct index *index = make_threads();
    struct text text;
    text_init(&text);
    write_json(index, (struct rows_options){.limit = 2, .no_locals = true}, &text);
    const char *first = strstr(text_string(&text), "\"id\":12,");
    assert_non_null(first);
    assert_non_null(strstr(first, "\"id\":14,"));
    assert_null(strstr(text_string(&text), "\"id\":13,"));
    assert_null(strstr(text_string(&text), "<Queue>"));
    assert_non_null(strstr(text_string(&text), "\"locals\":[]"));
    text_deinit(&text);
    index_close(index);
}

static void test_csv(void **state)
{
    (void)state;
    struct sample sample;
    struct text text;
    struct error err;
    sample_begin(&sample);
    sample_thread(&sample, (struct sample_thread){.id = 1, .name = "=x,y", .is_main = true});
    sample_thread(&sample, (struct sample_thread){.id = 2, .is_c = true});
    sample_frame(&sample, 1, 0, "<lambda>", 5);
    struct index *index = sample_end(&sample);
    text_init(&text);
    assert_int_equal(threads_write_csv(index, &(struct rows_options){0}, &text, NULL, &err),
                     STATUS_OK);
    check(&text, "thread_id,os_tid,thread,is_main,is_crashed,holds_gil,is_python,state,waits_for,"
                 "depth,kind,function,file,line,column,owner,address\r\n"
                 "1,1001,\"'=x,y\",1,0,0,1,,,0,python,<lambda>,/srv/x.py,5,,,0x100\r\n"
                 "2,1002,,0,0,0,0,,,,,,,,,,\r\n");
    text_deinit(&text);
    index_close(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_importance_and_groups),
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_recursion_text),
        cmocka_unit_test(test_middle_is_omitted),
        cmocka_unit_test(test_exception_group),
        cmocka_unit_test(test_exception_bounds),
        cmocka_unit_test(test_circle_of_causes),
        cmocka_unit_test(test_json_order),
        cmocka_unit_test(test_json_limit),
        cmocka_unit_test(test_csv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
