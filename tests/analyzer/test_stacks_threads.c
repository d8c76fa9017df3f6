/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged lists of threads, and what a thread waits for, from made-up registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/analyzer/stacks_fixture.h"

#define THREADS "SELECT count(*), count(DISTINCT state_address) FROM thread WHERE is_python"
#define STATES  "SELECT state, waits_for FROM thread"

static uint64_t threads[3];

static void make_threads(struct stacks *stacks)
{
    threads[2] = stacks->objects.python.thread;
    threads[1] = stacks_thread(stacks);
    threads[0] = stacks_thread(stacks);
}

static void expect_warning(struct stacks *stacks, const char *words)
{
    const char *found = stacks_query(stacks, "SELECT message FROM warning WHERE area = 'thread'");
    if (!strstr(found, words))
        fail_msg("3.%u: \"%s\" is not in \"%s\"", stacks_minor(stacks), words, found);
}

static void whole(struct stacks *stacks)
{
    make_threads(stacks);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, THREADS, "3,3;");
    stacks_expect(stacks, "SELECT * FROM warning", "");
}

static void a_whole_list(void **state)
{
    (void)state;
    stacks_each_version(whole);
}

static size_t loop_last, loop_back_to;

static void looped(struct stacks *stacks)
{
    char expected[16];
    make_threads(stacks);
    stacks_set(stacks, threads[loop_last], PY_thread_next, threads[loop_back_to]);
    stacks_open(stacks);
    stacks_collect(stacks);
    snprintf(expected, sizeof expected, "%zu,%zu;", loop_last + 1, loop_last + 1);
    stacks_expect(stacks, THREADS, expected);
    expect_warning(stacks, "it runs in a circle");
}

static void a_loop_shows_each_thread_once(void **state)
{
    (void)state;
    for (loop_last = 0; loop_last < 3; loop_last++)
        for (loop_back_to = 0; loop_back_to <= loop_last; loop_back_to++)
            stacks_each_version(looped);
}

static void cut(struct stacks *stacks)
{
    make_threads(stacks);
    stacks_set(stacks, threads[1], PY_thread_next, stacks_absent(stacks));
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, THREADS, "2,2;");
    expect_warning(stacks, "is cut");
    /* the kernel's thread is there, if without its state */
    stacks_expect(stacks, "SELECT count(*) FROM thread WHERE os_tid = 77", "1;");
}

static void a_list_cut_short(void **state)
{
    (void)state;
    stacks_each_version(cut);
}

/* What does not point back to the interpreter is no state of its threads. */
static void stranger(struct stacks *stacks)
{
    make_threads(stacks);
    stacks_set(stacks, threads[1], PY_thread_interp, threads[0]);
    stacks_open(stacks);
    stacks_collect(stacks);
    stacks_expect(stacks, THREADS, "1,1;");
    expect_warning(stacks, "it leads to what is no thread");
}

static void a_list_that_leads_away(void **state)
{
    (void)state;
    stacks_each_version(stranger);
}

/* ---- what it waits for */

#define SYSCALL_READ     0u
#define SYSCALL_SELECT   23u
#define SYSCALL_FUTEX    202u
#define SYSCALL_PSELECT6 270u
#define FUTEX_WAIT       128u /* private */

static struct core_registers *registers_of(struct stacks *stacks)
{
    return &stacks->objects.core.core.threads.items[0].registers;
}

static void in_system_calls(struct stacks *stacks)
{
    static const struct {
        uint64_t number, first_argument;
        const char *row;
    } calls[] = {
        {UINT64_MAX, 0, "running,-;"},
        {SYSCALL_READ, 5, "in read,-;"},
        {SYSCALL_SELECT, 0, "sleeping,-;"},
        {SYSCALL_SELECT, 4, "in select,-;"},
        {SYSCALL_PSELECT6, 0, "sleeping,-;"},
        {SYSCALL_FUTEX, 64, "waiting,-;"},
        {9999, 0, "running,-;"},
    };
    stacks_open(stacks);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        *registers_of(stacks) = (struct core_registers){
            .original_ax = calls[i].number, .di = calls[i].first_argument, .si = FUTEX_WAIT};
        index_close(stacks->index);
        stacks_collect(stacks);
        stacks_expect(stacks, "SELECT state, waits_for FROM thread WHERE os_tid = 77 LIMIT 1",
                      calls[i].row);
    }
}

static void states_from_system_calls(void **state)
{
    (void)state;
    stacks_each_version(in_system_calls);
}

/* Waits on a lock that its frame's local variable holds. */
static uint64_t wait_on_lock(struct stacks *stacks)
{
    struct objects *objects = &stacks->objects;
    uint64_t type = objects_type(objects, "_thread.lock", objects->object_type, PYTHON_FIELD_COUNT);
    uint64_t lock = objects_new(objects, type, 64);
    uint64_t code = stacks_code(stacks, "f0"), frame = stacks_frame(stacks, code, 0);
    stacks_set(stacks, frame,
               stacks_minor(stacks) < 11 ? PY_frame_localsplus : PY_iframe_localsplus, lock);
    stacks_running(stacks, objects->python.thread, frame);
    return lock;
}

static void on_a_lock(struct stacks *stacks)
{
    struct fake_python *python = &stacks->objects.python;
    uint64_t lock = wait_on_lock(stacks), semaphore = fake_python_alloc(python, 64);
    char row[128];
    uint64_t place = lock + objects_field(&stacks->objects, PY_lock_lock);
    bool is_mutex = stacks_minor(stacks) >= 14 || !stacks_has(stacks, PY_lock_locked) ||
                    objects_field(&stacks->objects, PY_lock_locked) ==
                        objects_field(&stacks->objects, PY_lock_lock);
    /* a mutex's waiter has the mutex's address before the word that it sleeps on */
    fake_python_put(python, is_mutex ? semaphore : place, is_mutex ? place : semaphore);
    stacks_open(stacks);
    struct core_registers *registers = registers_of(stacks);
    registers->original_ax = SYSCALL_FUTEX;
    registers->di = is_mutex ? semaphore + 8 : semaphore;
    registers->sp = is_mutex ? semaphore - 512 : 0;
    registers->si = FUTEX_WAIT;
    stacks_collect(stacks);
    snprintf(row, sizeof row, "waiting on a lock,lock n <_thread.lock at 0x%llx>;",
             (unsigned long long)lock);
    stacks_expect(stacks, STATES, row);
}

static void a_wait_on_a_lock(void **state)
{
    (void)state;
    stacks_each_version(on_a_lock);
}

static void for_the_gil(struct stacks *stacks)
{
    struct fake_python *python = &stacks->objects.python;
    uint64_t gil = 0;
    if (stacks_has(stacks, PY_runtime_gil)) {
        gil = python->runtime + objects_field(&stacks->objects, PY_runtime_gil);
    } else {
        gil = fake_python_alloc(python, 512);
        stacks_set(stacks, python->interp, PY_interp_ceval_gil, gil);
    }
    stacks_open(stacks);
    registers_of(stacks)->original_ax = SYSCALL_FUTEX;
    registers_of(stacks)->di = gil + objects_field(&stacks->objects, PY_gil_cond);
    registers_of(stacks)->si = FUTEX_WAIT;
    stacks_collect(stacks);
    stacks_expect(stacks, STATES, "waiting for the GIL,-;");
}

static void a_wait_for_the_gil(void **state)
{
    (void)state;
    stacks_each_version(for_the_gil);
}

/* The words that a wait is told from may be missing. */
static void on_nothing_known(struct stacks *stacks)
{
    wait_on_lock(stacks);
    stacks_open(stacks);
    struct core_registers *registers = registers_of(stacks);
    static const uint64_t addresses[] = {0, 8, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < 5; i++) {
        registers->original_ax = SYSCALL_FUTEX;
        registers->si = FUTEX_WAIT;
        registers->di = i < 4 ? addresses[i] : stacks_absent(stacks);
        registers->sp = registers->di - 16;
        index_close(stacks->index);
        stacks_collect(stacks);
        const char *found = stacks_query(stacks, "SELECT state FROM thread");
        if (strcmp(found, "waiting;") != 0)
            fail_msg("3.%u: %s", stacks_minor(stacks), found);
    }
}

static void a_wait_on_nothing_known(void **state)
{
    (void)state;
    stacks_each_version(on_nothing_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_list),
        cmocka_unit_test(a_loop_shows_each_thread_once),
        cmocka_unit_test(a_list_cut_short),
        cmocka_unit_test(a_list_that_leads_away),
        cmocka_unit_test(states_from_system_calls),
        cmocka_unit_test(a_wait_on_a_lock),
        cmocka_unit_test(a_wait_for_the_gil),
        cmocka_unit_test(a_wait_on_nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
