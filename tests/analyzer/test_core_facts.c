/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/runtime/core_memory.h"
#include "analyzer/runtime/runtime.h"
#include "tests/helpers/core_builder.h"

#define PROGRAM   UINT64_C(0x555500000000)
#define LIBPYTHON UINT64_C(0x7f0000000000)
#define ANONYMOUS UINT64_C(0x7f0000100000)
#define STACK     UINT64_C(0x7fff00000000)
#define TOP       (STACK + 0x10000)

static const uint8_t build_id[4] = {0xab, 0xcd, 3, 4};

/* A dead process's facts as rows of an index. */
struct opened {
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct memory_image *image;
    struct redaction *redaction;
    struct index *index;
};

static void open_facts(struct core_builder *builder, size_t keep, bool redact,
                       struct opened *opened)
{
    struct error err = {0};
    struct index_writer *writer;
    *opened = (struct opened){0};
    core_builder_input(builder, keep, &opened->input);
    core_builder_destroy(builder);
    arena_init(&opened->arena);
    opened->input.modified_ns = 1700000000000000000;
    opened->redaction = redact ? redaction_create() : NULL;
    assert_int_equal(core_dump_parse(&opened->input, &opened->arena, &opened->core, &err),
                     STATUS_OK);
    assert_int_equal(memory_image_create(&opened->core, NULL, &opened->arena, &opened->image, &err),
                     STATUS_OK);
    assert_int_equal(index_writer_create(NULL, &writer, &err), STATUS_OK);
    assert_int_equal(
        collect_core_facts(&opened->core, opened->image, opened->redaction, writer, &err),
        STATUS_OK);
    core_memory_write(&opened->core, writer);
    assert_int_equal(index_writer_publish(writer, &opened->index, &err), STATUS_OK);
}

static void close_facts(struct opened *opened)
{
    index_close(opened->index);
    redaction_destroy(opened->redaction);
    memory_image_destroy(opened->image);
    core_dump_deinit(&opened->core);
    arena_deinit(&opened->arena);
    input_bytes_free(&opened->input);
}

static void assert_meta(struct opened *opened, const char *key, const char *value)
{
    const char *found = index_meta(opened->index, key);
    if (!value) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, value);
}

/* One value of one row; "" for NULL or no row. The text is the arena's. */
static const char *ask(struct opened *opened, const char *sql)
{
    struct index_rows *rows;
    struct error err = {0};
    const char *answer = "";
    assert_int_equal(index_query(opened->index, sql, NULL, 0, &rows, &err), STATUS_OK);
    if (index_rows_next(rows) && index_rows_text(rows, 0))
        answer = arena_strdup(&opened->arena, index_rows_text(rows, 0));
    assert_int_equal(index_rows_finish(rows, &err), STATUS_OK);
    return answer;
}

static struct core_builder *process_core(const struct core_registers *registers)
{
    static const char *const argv[] = {"/opt/shop/python3", "-c", "print('secret')"};
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, PROGRAM, 0x1000, 0x1000, NULL, PF_R);
    core_builder_elf_page(builder, PROGRAM, 0x4000, build_id, sizeof build_id);
    core_builder_segment(builder, PROGRAM + 0x1000, 0x3000, 0, NULL, PF_R | PF_X);
    core_builder_segment(builder, LIBPYTHON, 0x4000, 0x4000, NULL, PF_R | PF_X);
    core_builder_elf_page(builder, LIBPYTHON, 0x4000, build_id, sizeof build_id);
    core_builder_segment(builder, ANONYMOUS, 0x5000, 0x5000, NULL, PF_R | PF_W);
    core_builder_segment(builder, STACK, 0x10000, 0x10000, NULL, PF_R | PF_W);
    core_builder_file(builder, PROGRAM, PROGRAM + 0x1000, 0, "/opt/shop/python3");
    core_builder_file(builder, PROGRAM + 0x1000, PROGRAM + 0x4000, 0x1000, "/opt/shop/python3");
    core_builder_file(builder, LIBPYTHON, LIBPYTHON + 0x4000, 0, "/opt/shop/libpython3.so");
    core_builder_auxv(builder, AT_ENTRY, PROGRAM + 0x1000);
    core_builder_stack(builder, TOP, argv, 3);
    core_builder_process(builder, 77, 1000, "python3", "/opt/shop/python3 -c print('secret')");
    core_builder_thread(builder, 77, registers);
    return builder;
}

static void facts_are_rows(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder =
        process_core(&(struct core_registers){.ip = 0x10, .sp = STACK + 0x1000});
    core_builder_fault(builder, SIGSEGV, SEGV_MAPERR, 0x10);
    open_facts(builder, 0, false, &opened);
    assert_meta(&opened, "kind", "core");
    assert_meta(&opened, "format", "ELF core, x86-64");
    assert_meta(&opened, "arch", "x86_64");
    assert_meta(&opened, "source", "test.core");
    assert_meta(&opened, "source_mtime", "2023-11-14T22:13:20Z");
    assert_meta(&opened, "pid", "77");
    assert_meta(&opened, "ppid", "1");
    assert_meta(&opened, "uid", "1000");
    assert_meta(&opened, "command", "/opt/shop/python3 -c print('secret')");
    assert_meta(&opened, "executable", "/opt/shop/python3");
    assert_meta(&opened, "signal", "SIGSEGV");
    assert_meta(&opened, "signal_number", "11");
    assert_meta(&opened, "signal_code", "1");
    assert_meta(&opened, "fault_address", "0x10");
    assert_meta(&opened, "signal_text", "SIGSEGV: execution of address 0x10, not mapped");
    assert_meta(&opened, "thread_count", "1");
    assert_meta(&opened, "made_by", "kernel");
    assert_meta(&opened, "abort_message", NULL);
    close_facts(&opened);
}

static void living_process_has_no_signal(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = process_core(&(struct core_registers){0});
    core_builder_gcore(builder);
    open_facts(builder, 0, false, &opened);
    assert_meta(&opened, "made_by", "gcore");
    assert_meta(&opened, "signal", NULL);
    assert_meta(&opened, "signal_number", "0");
    assert_meta(&opened, "signal_text", NULL);
    close_facts(&opened);
}

static void memory_adds_up(void **state)
{
    (void)state;
    struct opened opened;
    open_facts(process_core(&(struct core_registers){.sp = STACK}), 0, false, &opened);
    assert_string_equal(ask(&opened, "SELECT sum(bytes) FROM memory"), "118784"); /* 0x1d000 */
    assert_string_equal(
        ask(&opened,
            "SELECT bytes || ': ' || detail FROM memory WHERE region LIKE '%program: code%'"),
        "16384: 2 mappings, 12.0 KiB not in the core");
    assert_string_equal(ask(&opened, "SELECT bytes FROM memory WHERE region LIKE 'main thread%'"),
                        "65536");
    close_facts(&opened);
}

static void files_are_rows_and_absent_ones_a_warning(void **state)
{
    (void)state;
    struct opened opened;
    open_facts(process_core(&(struct core_registers){.sp = STACK}), 0, false, &opened);
    assert_string_equal(ask(&opened, "SELECT count(*) FROM mapped_file"), "2");
    assert_string_equal(ask(&opened, "SELECT build_id || ' ' || source FROM mapped_file"),
                        "abcd0304 absent");
    const char *warning = ask(&opened, "SELECT message FROM warning WHERE area = 'file'");
    assert_non_null(strstr(warning, "2 of 2 programs and libraries are not at hand"));
    assert_non_null(strstr(warning, "python3, libpython3.so"));
    close_facts(&opened);
}

static void cut_core_is_a_warning(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = process_core(&(struct core_registers){.sp = STACK});
    size_t size;
    free(core_builder_bytes(builder, &size));
    open_facts(builder, size - 0x2000, false, &opened);
    opened.input.cut_short = true;
    assert_non_null(strstr(ask(&opened, "SELECT message FROM warning WHERE area = 'core'"),
                           "8,192 bytes of memory"));
    assert_meta(&opened, "command", "/opt/shop/python3 -c print('secret')"); /* from the note */
    close_facts(&opened);
}

static void redaction_hides_arguments(void **state)
{
    (void)state;
    struct opened opened;
    open_facts(process_core(&(struct core_registers){.sp = STACK}), 0, true, &opened);
    const char *command = index_meta(opened.index, "command");
    assert_memory_equal(command, "/opt/shop/python3 <str 2", 24);
    assert_null(strstr(command, "secret"));
    close_facts(&opened);
}

/* ---- Abort messages. */

static void abort_core(struct core_builder *builder)
{
    core_builder_sent(builder, SIGABRT, SI_TKILL, 77, 1000);
}

/* glibc's message without its symbol: a page that begins with its own size. */
static void assertion_is_found_without_symbols(void **state)
{
    (void)state;
    for (int redact = 0; redact < 2; redact++) {
        struct opened opened;
        struct core_builder *builder = process_core(&(struct core_registers){.sp = STACK});
        abort_core(builder);
        core_builder_poke_u32(builder, ANONYMOUS + 0x1000, 0x1000); /* not this one */
        core_builder_poke_string(builder, ANONYMOUS + 0x1004, "just some text");
        core_builder_poke_u32(builder, ANONYMOUS + 0x3000, 0x1000);
        core_builder_poke_string(builder, ANONYMOUS + 0x3004,
                                 "shop: till.c:7: sell: Assertion `price > 0' failed.\n");
        open_facts(builder, 0, redact, &opened);
        assert_meta(&opened, "abort_source", "assert()");
        if (redact)
            assert_memory_equal(index_meta(opened.index, "abort_message"), "<str 51 #", 9);
        else
            assert_meta(&opened, "abort_message",
                        "shop: till.c:7: sell: Assertion `price > 0' failed.");
        close_facts(&opened);
    }
}

#define FATAL_FUNC (LIBPYTHON + 0x3000)
#define CALLER     (LIBPYTHON + 0x3100)
#define NAME       (LIBPYTHON + 0x3200)
#define MESSAGE    (LIBPYTHON + 0x3300)

/* lea rsi, [rip+...]; lea rdi, [rip+...]; call _Py_FatalErrorFunc */
static uint64_t write_call(struct core_builder *builder)
{
    static const uint8_t lea_rsi[] = {0x48, 0x8D, 0x35}, lea_rdi[] = {0x48, 0x8D, 0x3D};
    core_builder_poke(builder, CALLER, lea_rsi, 3);
    core_builder_poke_u32(builder, CALLER + 3, (uint32_t)(MESSAGE - (CALLER + 7)));
    core_builder_poke(builder, CALLER + 7, lea_rdi, 3);
    core_builder_poke_u32(builder, CALLER + 10, (uint32_t)(NAME - (CALLER + 14)));
    core_builder_poke(builder, CALLER + 14, "\xE8", 1);
    core_builder_poke_u32(builder, CALLER + 15, (uint32_t)(FATAL_FUNC - (CALLER + 19)));
    return CALLER + 19;
}

static struct core_builder *fatal_core(bool is_called)
{
    static const struct built_symbol symbols[] = {{"PyList_New", LIBPYTHON + 0x3500, 16},
                                                  {"_Py_FatalErrorFunc", FATAL_FUNC, 0x40}};
    struct core_builder *builder = process_core(&(struct core_registers){.sp = STACK + 0x1000});
    core_builder_symbols(builder, LIBPYTHON, LIBPYTHON + 0x1000, symbols, 2);
    core_builder_poke_string(builder, NAME, "shop_sell");
    core_builder_poke_string(builder, MESSAGE, "the till is empty");
    core_builder_poke_u64(builder, STACK + 0x1100, is_called ? FATAL_FUNC + 0x40 : 0);
    core_builder_poke_u64(builder, STACK + 0x1120, write_call(builder));
    abort_core(builder);
    return builder;
}

static void fatal_error_is_read_from_the_call(void **state)
{
    (void)state;
    struct opened opened;
    open_facts(fatal_core(true), 0, false, &opened);
    assert_meta(&opened, "abort_source", "Py_FatalError");
    assert_meta(&opened, "abort_message", "Fatal Python error: shop_sell: the till is empty");
    close_facts(&opened);
    open_facts(fatal_core(true), 0, true, &opened);
    assert_memory_equal(index_meta(opened.index, "abort_message"),
                        "Fatal Python error: shop_sell: <str 17 #", 40);
    close_facts(&opened);
}

static void fatal_error_that_nobody_called_is_not_told(void **state)
{
    (void)state;
    struct opened opened;
    open_facts(fatal_core(false), 0, false, &opened);
    assert_meta(&opened, "abort_message", NULL);
    close_facts(&opened);
}

/* A message made at run time is told where one text alone is kept on the stack. */
static void fatal_error_with_two_texts_is_not_guessed(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = fatal_core(true);
    core_builder_poke_u64(builder, STACK + 0x1120, 0); /* no call in sight */
    core_builder_poke_string(builder, ANONYMOUS, "made at run time");
    core_builder_poke_u64(builder, STACK + 0x1080, ANONYMOUS);
    core_builder_poke_u64(builder, STACK + 0x1088, NAME);
    open_facts(builder, 0, false, &opened);
    assert_meta(&opened, "abort_message", NULL);
    close_facts(&opened);
    builder = fatal_core(true);
    core_builder_poke_u64(builder, STACK + 0x1120, 0);
    core_builder_poke_string(builder, ANONYMOUS, "made at run time");
    core_builder_poke_u64(builder, STACK + 0x1080, ANONYMOUS);
    open_facts(builder, 0, false, &opened);
    assert_meta(&opened, "abort_message", "Fatal Python error: made at run time");
    close_facts(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_rows),
        cmocka_unit_test(living_process_has_no_signal),
        cmocka_unit_test(memory_adds_up),
        cmocka_unit_test(files_are_rows_and_absent_ones_a_warning),
        cmocka_unit_test(cut_core_is_a_warning),
        cmocka_unit_test(redaction_hides_arguments),
        cmocka_unit_test(assertion_is_found_without_symbols),
        cmocka_unit_test(fatal_error_is_read_from_the_call),
        cmocka_unit_test(fatal_error_that_nobody_called_is_not_told),
        cmocka_unit_test(fatal_error_with_two_texts_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
