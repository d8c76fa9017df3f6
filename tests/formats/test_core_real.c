/* SPDX-License-Identifier: Apache-2.0 */
/* A core that this machine's kernel writes of tests/formats/dying.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inquest/formats/memory_image.h"

#define LONG_ARGUMENT                                                                              \
    "an argument so long that the kernel's note of eighty bytes can't hold all of it, whatever "   \
    "it does"

static char folder[256];

struct opened {
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct memory_image *image;
};

/* Why no core can be had here, NULL where one can. */
static const char *no_cores(void)
{
    static char pattern[256];
    struct rlimit limit;
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "r");
    if (!file || !fgets(pattern, sizeof pattern, file))
        return "core_pattern can't be read";
    fclose(file);
    pattern[strcspn(pattern, "\n")] = '\0';
    if (pattern[0] == '|' || strchr(pattern, '/') || strncmp(pattern, "core", 4) != 0)
        return "core_pattern is not a plain file name";
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max < 8 << 20)
        return "the hard limit of the core size is too small";
    return NULL;
}

static pid_t die(const char *way)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit;
        getrlimit(RLIMIT_CORE, &limit);
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_CORE, &limit) != 0 || chdir(folder) != 0 ||
            !freopen("/dev/null", "w", stderr))
            _exit(1);
        execl(DYING_PROGRAM, DYING_PROGRAM, way, LONG_ARGUMENT, (char *)NULL);
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WCOREDUMP(status));
    return child;
}

static void open_core(struct opened *opened)
{
    struct error err = {0};
    char path[600] = "";
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (!strncmp(entry->d_name, "core", 4))
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    }
    closedir(entries);
    arena_init(&opened->arena);
    assert_int_equal(input_file_open(path, NULL, &opened->input, &err), STATUS_OK);
    assert_int_equal(input_file_kind(&opened->input), INPUT_CORE);
    assert_int_equal(core_dump_parse(&opened->input, &opened->arena, &opened->core, &err),
                     STATUS_OK);
    assert_int_equal(memory_image_create(&opened->core, NULL, &opened->arena, &opened->image, &err),
                     STATUS_OK);
    assert_int_equal(unlink(path), 0);
}

static void close_core(struct opened *opened)
{
    memory_image_destroy(opened->image);
    core_dump_deinit(&opened->core);
    arena_deinit(&opened->arena);
    input_file_close(&opened->input);
}

static void skip_without_cores(void)
{
    const char *reason = no_cores();
    if (reason) {
        print_message("skipped: %s\n", reason);
        skip();
    }
}

static void aborting_program_is_read(void **state)
{
    (void)state;
    struct opened opened;
    skip_without_cores();
    pid_t pid = die("assert");
    open_core(&opened);
    assert_int_equal(opened.core.pid, pid);
    assert_int_equal(opened.core.parent_pid, getpid());
    assert_int_equal(opened.core.uid, getuid());
    assert_int_equal(opened.core.threads.count, 2);
    assert_string_equal(core_signal_sentence(&opened.core, opened.image, &opened.arena),
                        "SIGABRT: sent by itself (abort)");
    assert_int_equal(opened.core.argv_count, 3);
    assert_string_equal(opened.core.argv[2], LONG_ARGUMENT);
    assert_string_equal(opened.core.program, "dying");
    for (size_t i = 0; i < opened.core.warnings.count; i++)
        assert_string_not_equal(opened.core.warnings.items[i].area, "note");
    close_core(&opened);
}

/* Symbols by name, written data in the core, constants in the file. */
static void symbols_lead_to_memory(void **state)
{
    (void)state;
    struct opened opened;
    struct text text;
    uint64_t address, size, value;
    skip_without_cores();
    die("assert");
    open_core(&opened);
    assert_int_equal(memory_find_symbol(opened.image, "dying", "dying_witness", &address, &size),
                     STATUS_OK);
    assert_int_equal(size, 16);
    assert_int_equal(memory_read_u64(opened.image, address, &value), STATUS_OK);
    assert_int_equal(value, 0x1122334455667788);
    assert_int_equal(memory_read_u64(opened.image, address + 8, &value), STATUS_OK);
    assert_int_equal(memory_find_symbol(opened.image, NULL, "dying_constant", &address, &size),
                     STATUS_OK);
    assert_int_equal(address, value);
    text_init(&text);
    assert_int_equal(memory_read_c_string(opened.image, address, &text), STATUS_OK);
    assert_string_equal(text_string(&text), "a constant that only the file has");
    text_deinit(&text);
    assert_int_equal(memory_find_symbol(opened.image, "libc", "malloc", &address, &size),
                     STATUS_OK);
    assert_true(memory_is_mapped(opened.image, address));
    assert_int_equal(memory_find_symbol(opened.image, NULL, "no_such_symbol", &address, &size),
                     STATUS_NOT_IN_DUMP);
    assert_int_equal(memory_find_section(opened.image, ".rodata", &address, &size), STATUS_OK);
    assert_true(value >= address && value - address < size);
    close_core(&opened);
}

static void write_to_nowhere_is_told(void **state)
{
    (void)state;
    struct opened opened;
    skip_without_cores();
    die("write");
    open_core(&opened);
    assert_string_equal(core_signal_sentence(&opened.core, opened.image, &opened.arena),
                        "SIGSEGV: write to address 0x18, not mapped");
    close_core(&opened);
}

/* The regions add up to what the program headers say, the stack is the stack. */
static void regions_are_right(void **state)
{
    (void)state;
    struct opened opened;
    unsigned seen[CORE_REGION_COUNT] = {0};
    skip_without_cores();
    die("assert");
    open_core(&opened);
    for (size_t i = 0; i < opened.core.segments.count; i++) {
        assert_false(opened.core.segments.items[i].is_implied);
        seen[opened.core.segments.items[i].region]++;
    }
    assert_true(seen[CORE_REGION_PROGRAM_TEXT] >= 2);
    assert_true(seen[CORE_REGION_PROGRAM_DATA] >= 1);
    assert_true(seen[CORE_REGION_LIBRARY_TEXT] >= 4);
    assert_int_equal(seen[CORE_REGION_MAIN_STACK], 1);
    assert_int_equal(seen[CORE_REGION_THREAD_STACK], 1);
    assert_int_equal(seen[CORE_REGION_HEAP], 1);
    assert_true(seen[CORE_REGION_KERNEL] >= 1);
    close_core(&opened);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/inquest-test-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aborting_program_is_read),
        cmocka_unit_test(symbols_lead_to_memory),
        cmocka_unit_test(write_to_nowhere_is_told),
        cmocka_unit_test(regions_are_right),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
