/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions in flight and being handled: chains that loop, those of 3.8 to 3.11 that
 * are no instances yet, and tracebacks that are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/stacks_fixture.h"

#define EXCEPTIONS "SELECT relation, type, message, state FROM exception ORDER BY position"
#define ENTRIES    "SELECT function, line FROM traceback ORDER BY exception_id, depth"
#define WARNINGS   "SELECT message FROM warning WHERE area = 'traceback'"

static uint64_t exception(struct stacks *stacks, const char *message)
{
    struct objects *objects = &stacks->objects;
    uint64_t argument = objects_str(objects, message);
    return objects_exception(objects, objects->exception_type, &argument, 1);
}

/* Raised and not yet caught. */
static void raise(struct stacks *stacks, uint64_t addr)
{
    uint64_t thread = stacks->objects.python.thread;
    if (stacks_has(stacks, PY_thread_current_exception)) {
        stacks_set(stacks, thread, PY_thread_current_exception, addr);
        return;
    }
    stacks_set(stacks, thread, PY_thread_curexc_type, stacks->objects.exception_type);
    stacks_set(stacks, thread, PY_thread_curexc_value, addr);
}

static uint64_t handle(struct stacks *stacks, uint64_t addr)
{
    uint64_t item = fake_python_alloc(&stacks->objects.python, 64);
    stacks_set(stacks, item, PY_excinfo_value, addr);
    stacks_set(stacks, stacks->objects.python.thread, PY_thread_exc_info, item);
    return item;
}

static void chained(struct stacks *stacks)
{
    uint64_t outer = exception(stacks, "outer"), inner = exception(stacks, "inner");
    stacks_set(stacks, outer, PY_exception_context, inner);
    raise(stacks, outer);
    handle(stacks, exception(stacks, "older"));
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, EXCEPTIONS,
                  "-,BaseException,outer,in flight;context,BaseException,inner,-;"
                  "-,BaseException,older,handled;");
}

static void a_chain(void **state)
{
    (void)state;
    stacks_each_version(chained);
}

/* Contexts that come back to themselves, to the first, and by way of causes. */
static void chain_loops(struct stacks *stacks)
{
    uint64_t items[3] = {exception(stacks, "a"), exception(stacks, "b"), exception(stacks, "c")};
    stacks_set(stacks, items[0], PY_exception_context, items[1]);
    stacks_set(stacks, items[1], PY_exception_cause, items[2]);
    stacks_set(stacks, items[1], PY_exception_context, items[1]);
    stacks_set(stacks, items[2], PY_exception_context, items[0]);
    raise(stacks, items[0]);
    handle(stacks, items[2]);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, EXCEPTIONS,
                  "-,BaseException,a,in flight;context,BaseException,b,-;cause,BaseException,c,-;");
}

static void a_chain_that_loops(void **state)
{
    (void)state;
    stacks_each_version(chain_loops);
}

/* The stack of handlers is a loop of empty ones. */
static void handler_loops(struct stacks *stacks)
{
    uint64_t item = handle(stacks, 0);
    stacks_set(stacks, item, PY_excinfo_previous, item);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, EXCEPTIONS, "");
}

static void handlers_that_loop(void **state)
{
    (void)state;
    stacks_each_version(handler_loops);
}

/* A group that has itself for a member. */
static void group_loops(struct stacks *stacks)
{
    struct objects *objects = &stacks->objects;
    if (!stacks_has(stacks, PY_group_exceptions))
        return;
    uint64_t type = objects_type(objects, "BaseExceptionGroup", objects->exception_type,
                                 PY_constant_tpflags_exception_subclass);
    uint64_t arguments[2] = {objects_str(objects, "both"), objects->none};
    uint64_t group = objects_exception(objects, type, arguments, 2);
    uint64_t members[3] = {group, exception(stacks, "member"), stacks_absent(stacks)};
    stacks_set(stacks, group, PY_group_message, arguments[0]);
    stacks_set(stacks, group, PY_group_exceptions, objects_tuple(objects, members, 3));
    raise(stacks, group);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, "SELECT relation, type FROM exception ORDER BY position LIMIT 2",
                  "-,BaseExceptionGroup;group,BaseException;");
    stacks_expect(stacks, "SELECT count(DISTINCT address) = count(*) FROM exception", "1;");
}

static void a_group_within_itself(void **state)
{
    (void)state;
    stacks_each_version(group_loops);
}

/* Until 3.11 `raise Class` is in flight as a class and any value: none, a str, a
 * tuple of arguments. */
static unsigned raw_value;

static void unnormalised(struct stacks *stacks)
{
    static const char *const rows[] = {
        "-,BaseException,,in flight;",
        "-,BaseException,,in flight;",
        "-,BaseException,just text,in flight;",
        "-,BaseException,('just text', 7),in flight;",
    };
    struct objects *objects = &stacks->objects;
    if (stacks_has(stacks, PY_thread_current_exception))
        return;
    uint64_t parts[] = {objects_str(objects, "just text"), objects_int(objects, 7)};
    uint64_t values[] = {0, objects->none, parts[0], objects_tuple(objects, parts, 2)};
    raise(stacks, values[raw_value]);
    stacks_set(stacks, objects->python.thread, PY_thread_curexc_traceback,
               stacks_traceback(stacks, stacks_code(stacks, "f0"), 12, 0));
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, EXCEPTIONS, rows[raw_value]);
    stacks_expect(stacks, ENTRIES, "f0,12;");
}

static void an_exception_not_yet_made(void **state)
{
    (void)state;
    for (raw_value = 0; raw_value < 4; raw_value++)
        stacks_each_version(unnormalised);
}

/* ---- tracebacks */

static uint64_t entries[4]; /* outermost first: that is how they are linked */

static void make_traceback(struct stacks *stacks)
{
    char name[32];
    uint64_t raised = exception(stacks, "x"), next = 0;
    for (unsigned i = 4; i-- > 0; next = entries[i]) {
        snprintf(name, sizeof name, "f%u", i);
        entries[i] = stacks_traceback(stacks, stacks_code(stacks, name), 10 + i, next);
    }
    stacks_set(stacks, raised, PY_exception_traceback, entries[0]);
    raise(stacks, raised);
}

static void expect_warning(struct stacks *stacks, const char *words)
{
    const char *found = stacks_query(stacks, WARNINGS);
    if (!strstr(found, words))
        fail_msg("3.%u: \"%s\" is not in \"%s\"", stacks_minor(stacks), words, found);
}

static void whole_traceback(struct stacks *stacks)
{
    make_traceback(stacks);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, ENTRIES, "f3,13;f2,12;f1,11;f0,10;");
    stacks_expect(stacks, WARNINGS, "");
}

static void a_traceback(void **state)
{
    (void)state;
    stacks_each_version(whole_traceback);
}

static unsigned loop_back_to;

static void looped_traceback(struct stacks *stacks)
{
    make_traceback(stacks);
    stacks_set(stacks, entries[3], PY_traceback_next, entries[loop_back_to]);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, ENTRIES, "f3,13;f2,12;f1,11;f0,10;");
    expect_warning(stacks, "it runs in a circle");
}

static void a_traceback_that_loops(void **state)
{
    (void)state;
    for (loop_back_to = 0; loop_back_to < 4; loop_back_to++)
        stacks_each_version(looped_traceback);
}

static void cut_traceback(struct stacks *stacks)
{
    make_traceback(stacks);
    stacks_set(stacks, entries[1], PY_traceback_next, stacks_absent(stacks));
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, ENTRIES, "f1,11;f0,10;");
    expect_warning(stacks, "is cut");
}

static void a_traceback_cut_short(void **state)
{
    (void)state;
    stacks_each_version(cut_traceback);
}

static void entry_without_frame(struct stacks *stacks)
{
    make_traceback(stacks);
    stacks_set(stacks, entries[2], PY_traceback_frame, stacks_absent(stacks));
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, ENTRIES, "f3,13;?,12;f1,11;f0,10;");
}

static void an_entry_without_a_frame(void **state)
{
    (void)state;
    stacks_each_version(entry_without_frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain),
        cmocka_unit_test(a_chain_that_loops),
        cmocka_unit_test(handlers_that_loop),
        cmocka_unit_test(a_group_within_itself),
        cmocka_unit_test(an_exception_not_yet_made),
        cmocka_unit_test(a_traceback),
        cmocka_unit_test(a_traceback_that_loops),
        cmocka_unit_test(a_traceback_cut_short),
        cmocka_unit_test(an_entry_without_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
