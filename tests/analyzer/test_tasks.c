/* SPDX-License-Identifier: Apache-2.0 */
/* asyncio tasks made by hand, whole and damaged, in the layout of each version. What
 * real programs look like is compared by tests/live/tasks.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/stacks_fixture.h"

#define STATES "SELECT name, state, waits_for, is_deadlocked FROM task ORDER BY name"

static uint64_t future_type, task_type, coroutine_type;

static void make_types(struct stacks *stacks)
{
    struct objects *objects = &stacks->objects;
    future_type =
        objects_type(objects, "_asyncio.Future", objects->object_type, PYTHON_FIELD_COUNT);
    task_type = objects_type(objects, "_asyncio.Task", future_type, PYTHON_FIELD_COUNT);
    coroutine_type = objects_type(objects, "coroutine", objects->object_type, PYTHON_FIELD_COUNT);
}

static uint64_t make_task(struct stacks *stacks, const char *name, uint64_t waiter)
{
    struct objects *objects = &stacks->objects;
    uint64_t task = objects_new(objects, task_type, (size_t)objects_field(objects, PY_task_size));
    stacks_set(stacks, task, PY_task_name, objects_str(objects, name));
    stacks_set(stacks, task, PY_task_waiter, waiter);
    return task;
}

static uint64_t make_set(struct stacks *stacks, const uint64_t *items, size_t count)
{
    struct objects *objects = &stacks->objects;
    uint64_t set = objects_new(objects, objects->set_type, 256);
    uint64_t entry = objects_field(objects, PY_set_entry_size);
    uint64_t table = fake_python_alloc(&objects->python, (size_t)entry * 16);
    stacks_set(stacks, set, PY_set_fill, count);
    stacks_set(stacks, set, PY_set_used, count);
    stacks_set(stacks, set, PY_set_mask, 15);
    stacks_set(stacks, set, PY_set_table, table);
    for (size_t i = 0; i < count; i++)
        stacks_set(stacks, table + entry * i, PY_set_entry_key, items[i]);
    return set;
}

/* sys.modules has asyncio.tasks, with the tasks, and one that runs (0: none). */
static void publish(struct stacks *stacks, const uint64_t *tasks, size_t count, uint64_t running)
{
    struct fake_python *python = &stacks->objects.python;
    uint64_t current =
        fake_python_dict(python, (const char *[]){running ? "loop" : NULL, NULL}, &running);
    uint64_t values[] = {make_set(stacks, tasks, count), current};
    uint64_t dict =
        fake_python_dict(python, (const char *[]){"_eager_tasks", "_current_tasks", NULL}, values);
    uint64_t module = objects_new(&stacks->objects, stacks->objects.object_type, 128);
    stacks_set(stacks, module, PY_module_dict, dict);
    uint64_t modules = fake_python_dict(python, (const char *[]){"asyncio.tasks", NULL}, &module);
    stacks_set(stacks, python->interp, PY_interp_modules, modules);
}

static void states(struct stacks *stacks)
{
    make_types(stacks);
    uint64_t a = make_task(stacks, "a", 0), b = make_task(stacks, "b", a);
    stacks_set(stacks, a, PY_task_waiter, b);
    uint64_t numbered = make_task(stacks, "x", 0), done = make_task(stacks, "done", 0);
    uint64_t cancelled = make_task(stacks, "gone", 0), running = make_task(stacks, "now", 0);
    uint64_t behind = make_task(stacks, "behind", b), stops = make_task(stacks, "stops", a);
    stacks_set(stacks, numbered, PY_task_name, objects_int(&stacks->objects, 7));
    stacks_set_u32(stacks, done, PY_future_state, 2);
    stacks_set_u32(stacks, cancelled, PY_future_state, 1);
    objects_put_byte(&stacks->objects, stops + objects_field(&stacks->objects, PY_task_must_cancel),
                     (uint8_t)objects_field(&stacks->objects, PY_task_must_cancel_mask));
    const uint64_t all[] = {a, b, numbered, done, cancelled, behind, stops};
    publish(stacks, all, 7, running);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, STATES,
                  "Task-7,pending,-,0;a,waiting,task 'b',1;b,waiting,task 'a',1;"
                  "behind,waiting,task 'b',0;done,done,-,0;gone,cancelled,-,0;now,running,-,0;"
                  "stops,being cancelled,task 'a',0;");
    stacks_expect(stacks,
                  "SELECT a.name, b.name, via FROM task_wait w JOIN task a ON a.id = task_id"
                  " JOIN task b ON b.id = awaits_task_id ORDER BY 1, 2",
                  "a,b,await;b,a,await;behind,b,await;stops,a,await;");
}

static void all_states(void **state)
{
    (void)state;
    stacks_each_version(states);
}

/* ---- coroutines */

/* Suspended in an await of `inner`; `function` is at its 4th byte. */
static uint64_t make_coroutine(struct stacks *stacks, const char *function, uint64_t inner)
{
    struct objects *objects = &stacks->objects;
    uint64_t code = stacks_code(stacks, function);
    uint64_t coroutine = objects_new(objects, coroutine_type, 1024);
    static const char yields[] = "HHHHHHHHHHHHHHHH"; /* 72: YIELD_FROM */
    stacks_set_u32(stacks, code, PY_code_flags, 0x81);
    stacks_set(stacks, coroutine, PY_gen_name, objects_str(objects, function));
    stacks_set(stacks, coroutine, PY_gen_qualname, objects_str(objects, function));
    if (!stacks_has(stacks, PY_gen_iframe)) {
        uint64_t frame = stacks_frame(stacks, code, 1);
        uint64_t slots = frame + objects_field(objects, PY_frame_localsplus);
        stacks_set(stacks, coroutine, PY_gen_frame, frame);
        stacks_set(stacks, code, PY_code_code, objects_bytes(objects, yields, 16));
        fake_python_put(&objects->python, slots + 8, inner);
        if (stacks_has(stacks, PY_frame_stacktop))
            stacks_set(stacks, frame, PY_frame_stacktop, slots + 16);
        stacks_set_u32(stacks, frame, PY_frame_stackdepth, 1);
        if (stacks_has(stacks, PY_frame_state))
            objects_put_byte(objects, frame + objects_field(objects, PY_frame_state), 0xff);
        return coroutine;
    }
    uint64_t frame = coroutine + objects_field(objects, PY_gen_iframe);
    uint64_t slots = frame + objects_field(objects, PY_iframe_localsplus);
    uint64_t instruction = code + objects_field(objects, PY_code_adaptive) + 4;
    bool told = stacks_has(stacks, PY_constant_gen_suspended_yield_from);
    stacks_set(stacks, frame, PY_iframe_code, code);
    stacks_set(stacks, frame, PY_iframe_instr, instruction);
    objects_put_byte(objects, frame + objects_field(objects, PY_iframe_owner), 1);
    objects_put_byte(objects, instruction + 3, 3);
    fake_python_put(&objects->python, slots + 8, inner);
    stacks_set_u32(stacks, frame, PY_iframe_stacktop, 2);
    if (stacks_has(stacks, PY_iframe_stackpointer))
        stacks_set(stacks, frame, PY_iframe_stackpointer, slots + 16);
    objects_put_byte(objects, coroutine + objects_field(objects, PY_gen_state),
                     (uint8_t)objects_field(objects, told ? PY_constant_gen_suspended_yield_from
                                                          : PY_constant_gen_suspended));
    return coroutine;
}

/* Where a coroutine has what it awaits. */
static uint64_t awaited_at(struct stacks *stacks, uint64_t coroutine)
{
    struct objects *objects = &stacks->objects;
    uint64_t frame;
    if (stacks_has(stacks, PY_gen_iframe))
        return coroutine + objects_field(objects, PY_gen_iframe) +
               objects_field(objects, PY_iframe_localsplus) + 8;
    memcpy(&frame,
           objects->python.bytes + (coroutine - FAKE_PYTHON_BASE) +
               objects_field(objects, PY_gen_frame),
           8);
    return frame + objects_field(objects, PY_frame_localsplus) + 8;
}

static uint64_t inner, outer;

static void one_task(struct stacks *stacks)
{
    make_types(stacks);
    uint64_t future = objects_new(&stacks->objects, future_type,
                                  (size_t)objects_field(&stacks->objects, PY_future_size));
    inner = make_coroutine(stacks, "inner", future);
    outer = make_coroutine(stacks, "outer", inner);
    uint64_t task = make_task(stacks, "t", future);
    stacks_set(stacks, task, PY_task_coroutine, outer);
    publish(stacks, &task, 1, 0);
}

#define FRAMES "SELECT function, owner FROM task_frame ORDER BY task_id, depth"

static void chain(struct stacks *stacks)
{
    one_task(stacks);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, FRAMES, "inner,coroutine;outer,coroutine;");
    stacks_expect(stacks, STATES, "t,waiting,a future in inner(),0;");
}

static void chains(void **state)
{
    (void)state;
    stacks_each_version(chain);
}

static void expect_warning(struct stacks *stacks, const char *words)
{
    const char *found = stacks_query(stacks, "SELECT message FROM warning WHERE area = 'task'");
    if (!strstr(found, words))
        fail_msg("3.%u: \"%s\" is not in \"%s\"", stacks_minor(stacks), words, found);
}

static void circle(struct stacks *stacks)
{
    one_task(stacks);
    fake_python_put(&stacks->objects.python, awaited_at(stacks, inner), outer);
    stacks_open(stacks);
    stacks_collect(stacks);
    expect_warning(stacks, "it runs in a circle");
}

static void absent(struct stacks *stacks)
{
    one_task(stacks);
    fake_python_put(&stacks->objects.python, awaited_at(stacks, outer), stacks_absent(stacks));
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, FRAMES, "outer,coroutine;");
    expect_warning(stacks, "can't be read");
}

/* Every field of a task leads nowhere. */
static void all_absent(struct stacks *stacks)
{
    static const enum python_field fields[] = {
        PY_future_loop,  PY_future_callback, PY_future_callbacks, PY_task_name,
        PY_task_context, PY_task_coroutine,  PY_task_waiter};
    make_types(stacks);
    uint64_t task = make_task(stacks, "t", 0);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        stacks_set(stacks, task, fields[i], stacks_absent(stacks));
    publish(stacks, &task, 1, 0);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, "SELECT count(*), state FROM task", "1,waiting;");
    stacks_expect(stacks, "SELECT count(*) FROM warning WHERE area = 'context'", "1;");
}

static void damaged_chains(void **state)
{
    (void)state;
    stacks_each_version(circle);
    stacks_each_version(absent);
    stacks_each_version(all_absent);
}

/* ---- 3.14's lists */

enum { LIST_WHOLE, LIST_LOOPS, LIST_BACK_IS_WRONG, LIST_LEADS_NOWHERE, LIST_OF_OTHERS };
static int list_kind;

static void listed(struct stacks *stacks)
{
    struct objects *objects = &stacks->objects;
    struct fake_python *python = &objects->python;
    uint64_t nodes[3], tasks[3];
    if (!stacks_has(stacks, PY_task_node))
        return;
    make_types(stacks);
    uint64_t head = python->interp + objects_field(objects, PY_interp_tasks_head);
    for (unsigned i = 0; i < 3; i++) {
        char name[] = {(char)('a' + i), '\0'};
        tasks[i] = make_task(stacks, name, 0);
        nodes[i] = tasks[i] + objects_field(objects, PY_task_node);
    }
    for (unsigned i = 0; i < 3; i++) {
        fake_python_put(python, nodes[i], i < 2 ? nodes[i + 1] : head);
        fake_python_put(python, nodes[i] + 8, i ? nodes[i - 1] : head);
    }
    fake_python_put(python, head, nodes[0]);
    fake_python_put(python, head + 8, nodes[2]);
    if (list_kind == LIST_LOOPS)
        fake_python_put(python, nodes[2], nodes[0]);
    else if (list_kind == LIST_BACK_IS_WRONG)
        fake_python_put(python, nodes[2] + 8, nodes[0]);
    else if (list_kind == LIST_LEADS_NOWHERE)
        fake_python_put(python, nodes[1], stacks_absent(stacks));
    else if (list_kind == LIST_OF_OTHERS)
        stacks_set(stacks, tasks[2], PY_object_type, objects->list_type);
    publish(stacks, NULL, 0, 0);
    stacks_open(stacks);
    stacks_collect(stacks);
    const char *all = "a;b;c;", *two = "a;b;";
    stacks_expect(stacks, "SELECT name FROM task ORDER BY name",
                  list_kind == LIST_WHOLE || list_kind == LIST_LOOPS ? all : two);
    if (list_kind != LIST_WHOLE)
        expect_warning(stacks, "list of tasks is damaged");
}

static void lists(void **state)
{
    (void)state;
    for (list_kind = LIST_WHOLE; list_kind <= LIST_OF_OTHERS; list_kind++)
        stacks_each_version(listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_states),
        cmocka_unit_test(chains),
        cmocka_unit_test(damaged_chains),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
