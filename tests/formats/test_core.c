/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inquest/base/bytes_reader.h"
#include "inquest/formats/core_dump.h"
#include "tests/helpers/core_builder.h"

#define PROGRAM   UINT64_C(0x555500000000)
#define HEAP      UINT64_C(0x555500100000)
#define LIBRARY   UINT64_C(0x7f0000000000)
#define ANONYMOUS UINT64_C(0x7f0000100000)
#define STACK     UINT64_C(0x7fff00000000)
#define VDSO      UINT64_C(0x7fff00100000)

#define LONG_NAME                                                                                  \
    "shop.server with a name so long that the kernel's note of eighty bytes has no room for all "  \
    "of it"

static const uint8_t build_id[20] = {0xab, 0xcd, 3, 4, 5};

struct opened {
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct error err;
    enum status status;
};

static void open_core(struct core_builder *builder, size_t keep, struct opened *ret_opened)
{
    *ret_opened = (struct opened){0};
    core_builder_input(builder, keep, &ret_opened->input);
    core_builder_destroy(builder);
    arena_init(&ret_opened->arena);
    ret_opened->status = core_dump_parse(&ret_opened->input, &ret_opened->arena, &ret_opened->core,
                                         &ret_opened->err);
}

static void close_core(struct opened *opened)
{
    if (opened->status == STATUS_OK)
        core_dump_deinit(&opened->core);
    arena_deinit(&opened->arena);
    input_bytes_free(&opened->input);
}

static const char *find_warning(const struct opened *opened, const char *words)
{
    for (size_t i = 0; i < opened->core.warnings.count; i++) {
        if (strstr(opened->core.warnings.items[i].message, words))
            return opened->core.warnings.items[i].message;
    }
    return NULL;
}

static void assert_no_warnings(const struct opened *opened)
{
    for (size_t i = 0; i < opened->core.warnings.count; i++)
        print_error("%s\n", opened->core.warnings.items[i].message);
    assert_int_equal(opened->core.warnings.count, 0);
}

/* A process with one of everything, as the kernel would dump it. */
static struct core_builder *ordinary_core(void)
{
    static const char *const argv[] = {"/opt/shop/bin/python3", "-m", LONG_NAME, "--port=80"};
    struct core_builder *builder = core_builder_create();
    struct core_registers registers = {.ip = LIBRARY + 0x1234, .sp = STACK + 0x8000};
    core_builder_segment(builder, PROGRAM, 0x1000, 0x1000, NULL, PF_R);
    core_builder_elf_page(builder, PROGRAM, 0x5000, build_id, sizeof build_id);
    core_builder_segment(builder, PROGRAM + 0x1000, 0x4000, 0, NULL, PF_R | PF_X);
    core_builder_segment(builder, PROGRAM + 0x5000, 0x1000, 0x1000, NULL, PF_R | PF_W);
    core_builder_segment(builder, PROGRAM + 0x6000, 0x2000, 0x2000, NULL, PF_R | PF_W);
    core_builder_segment(builder, HEAP, 0x10000, 0x10000, NULL, PF_R | PF_W);
    core_builder_segment(builder, LIBRARY, 0x4000, 0x1000, NULL, PF_R | PF_X);
    core_builder_elf_page(builder, LIBRARY, 0x4000, NULL, 0);
    core_builder_segment(builder, ANONYMOUS, 0x3000, 0x3000, NULL, PF_R | PF_W);
    core_builder_segment(builder, ANONYMOUS + 0x3000, 0x1000, 0, NULL, 0);
    core_builder_segment(builder, STACK, 0x10000, 0x10000, NULL, PF_R | PF_W);
    core_builder_segment(builder, VDSO - 0x4000, 0x4000, 0, NULL, PF_R);
    core_builder_segment(builder, VDSO, 0x1000, 0x1000, NULL, PF_R | PF_X);
    core_builder_file(builder, PROGRAM, PROGRAM + 0x1000, 0, "/opt/shop/bin/python3");
    core_builder_file(builder, PROGRAM + 0x1000, PROGRAM + 0x5000, 0x1000, "/opt/shop/bin/python3");
    core_builder_file(builder, PROGRAM + 0x5000, PROGRAM + 0x6000, 0x5000, "/opt/shop/bin/python3");
    core_builder_file(builder, LIBRARY, LIBRARY + 0x4000, 0, "/lib/libshop.so (deleted)");
    core_builder_auxv(builder, AT_SYSINFO_EHDR, VDSO);
    core_builder_auxv(builder, AT_PAGESZ, 4096);
    core_builder_auxv(builder, AT_ENTRY, PROGRAM + 0x1040);
    core_builder_stack(builder, STACK + 0x10000, argv, 4);
    core_builder_process(builder, 4242, 1000, "python3",
                         "/opt/shop/bin/python3 -m shop.server with a name so long that the "
                         "kernel's note");
    core_builder_thread(builder, 4242, &registers);
    registers.sp = ANONYMOUS + 0x2000;
    core_builder_thread(builder, 4243, &registers);
    core_builder_poke_u64(builder, ANONYMOUS + 0x2ff8, LIBRARY + 0x1234);
    core_builder_fault(builder, SIGSEGV, SEGV_MAPERR, 0x10);
    return builder;
}

static void process_is_told(void **state)
{
    (void)state;
    struct opened opened;
    open_core(ordinary_core(), 0, &opened);
    const struct core_dump *core = &opened.core;
    assert_int_equal(opened.status, STATUS_OK);
    assert_no_warnings(&opened);
    assert_int_equal(core->arch, CORE_X86_64);
    assert_int_equal(core->pid, 4242);
    assert_int_equal(core->parent_pid, 1);
    assert_int_equal(core->uid, 1000);
    assert_string_equal(core->program, "python3");
    assert_string_equal(core->executable, "/opt/shop/bin/python3");
    assert_int_equal(core->threads.count, 2);
    assert_int_equal(core->threads.items[1].tid, 4243);
    assert_int_equal(core->threads.items[0].registers.ip, LIBRARY + 0x1234);
    assert_int_equal(core->signal.number, SIGSEGV);
    assert_int_equal(core->signal.address, 0x10);
    assert_false(core->made_by_gcore);
    close_core(&opened);
}

static void whole_command_line_comes_from_the_stack(void **state)
{
    (void)state;
    struct opened opened;
    open_core(ordinary_core(), 0, &opened);
    assert_int_equal(opened.core.argv_count, 4);
    assert_string_equal(opened.core.argv[3], "--port=80");
    assert_string_equal(opened.core.arguments, "/opt/shop/bin/python3 -m " LONG_NAME " --port=80");
    close_core(&opened);
}

static void rewritten_arguments_stay_as_the_note_has_them(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = ordinary_core();
    core_builder_process(builder, 4242, 1000, "python3", "shop: worker 3 ");
    open_core(builder, 0, &opened);
    assert_string_equal(opened.core.arguments, "shop: worker 3");
    assert_int_equal(opened.core.argv_count, 0);
    close_core(&opened);
}

static void files_have_build_id_and_bias(void **state)
{
    (void)state;
    struct opened opened;
    open_core(ordinary_core(), 0, &opened);
    const struct core_dump *core = &opened.core;
    assert_int_equal(core->files.count, 2);
    const struct core_file *program = &core->files.items[0], *library = &core->files.items[1];
    assert_int_equal(core->program_file, 0);
    assert_true(program->is_elf);
    assert_int_equal(program->bias, PROGRAM);
    assert_int_equal(program->start, PROGRAM);
    assert_int_equal(program->end, PROGRAM + 0x6000);
    assert_int_equal(program->build_id_size, sizeof build_id);
    assert_memory_equal(program->build_id, build_id, sizeof build_id);
    assert_string_equal(library->path, "/lib/libshop.so");
    assert_true(library->deleted && library->is_elf);
    assert_int_equal(library->build_id_size, 0);
    close_core(&opened);
}

static void segments_know_what_they_were_for(void **state)
{
    (void)state;
    static const enum core_region wanted[] = {
        CORE_REGION_PROGRAM_TEXT, CORE_REGION_PROGRAM_TEXT, CORE_REGION_PROGRAM_DATA,
        CORE_REGION_PROGRAM_DATA, CORE_REGION_HEAP,         CORE_REGION_LIBRARY_TEXT,
        CORE_REGION_THREAD_STACK, CORE_REGION_RESERVED,     CORE_REGION_MAIN_STACK,
        CORE_REGION_KERNEL,       CORE_REGION_KERNEL};
    struct opened opened;
    open_core(ordinary_core(), 0, &opened);
    assert_int_equal(opened.core.segments.count, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < opened.core.segments.count; i++)
        assert_int_equal(opened.core.segments.items[i].region, wanted[i]);
    close_core(&opened);
}

/* gdb has zeros for the whole of a stack of which it could not read one page. */
static void stacks_of_zeros_are_missing(void **state)
{
    (void)state;
    struct opened opened;
    uint64_t size;
    struct core_builder *builder = ordinary_core();
    core_builder_poke_u64(builder, ANONYMOUS + 0x2ff8, 0);
    open_core(builder, 0, &opened);
    assert_non_null(find_warning(&opened, "12,288 bytes are zeros in the core"));
    assert_non_null(find_warning(&opened, "stack of thread 4243"));
    assert_int_equal(opened.core.warnings.count, 1);
    const struct core_segment *segment = core_find_segment(&opened.core, ANONYMOUS);
    assert_int_equal(segment->region, CORE_REGION_THREAD_STACK);
    assert_true(segment->is_blank);
    assert_int_equal(segment->size, 0x3000);
    assert_null(core_stored_bytes(&opened.core, ANONYMOUS + 0x2000, &size));
    close_core(&opened);
}

/* A library at `start`: a page of code, one of data, and 16 KiB behind it. */
static struct core_builder *core_with_library(uint64_t start, uint64_t data_size)
{
    struct core_builder *builder = ordinary_core();
    core_builder_segment(builder, start, 0x1000, 0x1000, NULL, PF_R | PF_X);
    core_builder_elf_page(builder, start, 0x1000, NULL, 0);
    core_builder_elf_data(builder, start, 0x1000, data_size);
    core_builder_segment(builder, start + 0x1000, 0x1000, 0x1000, NULL, PF_R | PF_W);
    core_builder_segment(builder, start + 0x2000, 0x4000, 0x4000, NULL, PF_R | PF_W);
    core_builder_file(builder, start, start + 0x1000, 0, "/lib/libother.so");
    core_builder_file(builder, start + 0x1000, start + 0x2000, 0x1000, "/lib/libother.so");
    core_builder_poke_u64(builder, start + 0x3008, 4711);
    return builder;
}

static void what_is_mapped_behind_variables_is_not_theirs(void **state)
{
    (void)state;
    const uint64_t start = LIBRARY + 0x200000;
    static const struct {
        uint64_t data_size, bss_end;
    } cases[] = {{0x1000, 0x2000}, {0x1001, 0x3000}, {0x2800, 0x4000}, {0x5000, 0x6000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct opened opened;
        uint64_t size;
        open_core(core_with_library(start, cases[i].data_size), 0, &opened);
        assert_no_warnings(&opened);
        for (uint64_t offset = 0x2000; offset < 0x6000; offset += 0x1000) {
            const struct core_segment *segment = core_find_segment(&opened.core, start + offset);
            assert_int_equal(segment->region, offset < cases[i].bss_end ? CORE_REGION_LIBRARY_DATA
                                                                        : CORE_REGION_ANONYMOUS);
        }
        const uint8_t *bytes = core_stored_bytes(&opened.core, start + 0x3008, &size);
        assert_int_equal(load_u64(bytes), 4711);
        close_core(&opened);
    }
}

static void cut_core_says_what_is_missing(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = ordinary_core();
    size_t size;
    free(core_builder_bytes(builder, &size));
    open_core(builder, size - 0x1000 - 0x4000, &opened); /* the vdso and a quarter of the stack */
    assert_int_equal(opened.status, STATUS_OK);
    const char *warning = find_warning(&opened, "cut short");
    assert_non_null(warning);
    assert_non_null(strstr(warning, "20,480 bytes of memory"));
    assert_non_null(strstr(warning, "from 0x7fff0000c000 on"));
    assert_non_null(strstr(warning, "main thread's stack"));
    const struct core_segment *stack = core_find_segment(&opened.core, STACK);
    assert_int_equal(stack->stored, 0xC000);
    assert_int_equal(stack->claimed, 0x10000);
    close_core(&opened);
}

/* Any cut gives what is left, or an error: never a crash, never zeros. */
static void every_cut_is_survived(void **state)
{
    (void)state;
    struct core_builder *builder = ordinary_core();
    size_t size;
    free(core_builder_bytes(builder, &size));
    core_builder_destroy(builder);
    for (size_t keep = 1; keep < size; keep += keep < 6000 ? 7 : 3001) {
        struct opened opened;
        open_core(ordinary_core(), keep, &opened);
        if (opened.status == STATUS_OK)
            assert_true(opened.core.warnings.count > 0);
        else
            assert_memory_equal(opened.err.message, "test.core: ", 11);
        close_core(&opened);
    }
}

static void filtered_stacks_and_heap_are_told(void **state)
{
    (void)state;
    struct opened opened;
    struct core_registers registers = {.sp = STACK + 8};
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, ANONYMOUS, 0x15000, 0, NULL, PF_R | PF_W);
    core_builder_segment(builder, STACK, 0x2000, 0, NULL, PF_R | PF_W);
    core_builder_thread(builder, 7, &registers);
    open_core(builder, 0, &opened);
    assert_int_equal(opened.status, STATUS_OK);
    assert_non_null(find_warning(&opened, "8,192 bytes that every process writes to"));
    assert_non_null(find_warning(&opened, "stack of thread 7"));
    assert_non_null(find_warning(&opened, "86,016 bytes of writable memory"));
    assert_non_null(find_warning(&opened, "no process note"));
    close_core(&opened);
}

static void overlaps_are_cut_and_told(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, 0x30000, 0x1000, 0x1000, NULL, PF_R);
    core_builder_segment(builder, 0x10000, UINT64_MAX - 5, 0x1000, NULL, PF_R | PF_W);
    core_builder_segment(builder, 0x20000, 0x1000, 0x1000, NULL, PF_R);
    core_builder_segment(builder, 0x20000, 0x2000, 0x100, NULL, PF_R);
    open_core(builder, 0, &opened);
    assert_int_equal(opened.status, STATUS_OK);
    assert_int_equal(opened.core.segments.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(opened.core.segments.items[i].address, 0x10000 * (i + 1));
    assert_int_equal(opened.core.segments.items[0].size, 0x10000);
    assert_int_equal(opened.core.segments.items[1].stored, 0x1000);
    assert_non_null(find_warning(&opened, "segments that overlap others: 2"));
    assert_non_null(find_warning(&opened, "sizes that can't be: 1"));
    close_core(&opened);
}

static void many_segments_have_an_extended_count(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        struct opened opened;
        struct core_builder *builder = core_builder_create();
        size_t size;
        for (uint64_t i = 0; i < 70000; i++)
            core_builder_segment(builder, 0x10000 + i * 0x2000, 0x1000, i % 1000 ? 0 : 8, NULL,
                                 PF_R | PF_W);
        core_builder_thread(builder, 1, &(struct core_registers){0});
        core_builder_extended(builder);
        free(core_builder_bytes(builder, &size));
        open_core(builder, cut ? size - 100 : 0, &opened);
        assert_int_equal(opened.status, STATUS_OK);
        assert_int_equal(opened.core.segments.count, 70000);
        assert_int_equal(find_warning(&opened, "number of segments is at the core's end") != NULL,
                         cut);
        close_core(&opened);
    }
}

static void notes_that_lie_are_left_out(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = ordinary_core();
    core_builder_note(builder, "CORE", NT_PRSTATUS, "short", 5, 5);
    core_builder_note(builder, "CORE", NT_PRSTATUS, "lies", 4, 900);
    open_core(builder, 0, &opened);
    assert_int_equal(opened.status, STATUS_OK);
    assert_int_equal(opened.core.threads.count, 2);
    assert_non_null(find_warning(&opened, "too short to be what they say: 1"));
    assert_non_null(find_warning(&opened, "notes are cut short"));
    close_core(&opened);
}

static void list_of_files_that_lies_is_bounded(void **state)
{
    (void)state;
    struct opened opened;
    /* two entries claimed, one upside down, and one name for both */
    uint64_t table[9] = {2, 4096, 0x5000, 0x4000, 0, 0x6000, 0x7000, 1};
    memcpy(&table[8], "/a\0", 4);
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, 0x6000, 0x1000, 0x1000, NULL, PF_R);
    core_builder_note(builder, "CORE", NT_FILE, table, 8 * 8 + 3, 8 * 8 + 3);
    open_core(builder, 0, &opened);
    assert_int_equal(opened.status, STATUS_OK);
    assert_int_equal(opened.core.mappings.count, 0);
    assert_non_null(find_warning(&opened, "mapped files that can't be read: 2"));
    close_core(&opened);
    table[0] = UINT64_MAX / 20;
    builder = core_builder_create();
    core_builder_segment(builder, 0x6000, 0x1000, 0x1000, NULL, PF_R);
    core_builder_note(builder, "CORE", NT_FILE, table, sizeof table, sizeof table);
    open_core(builder, 0, &opened);
    assert_int_equal(opened.status, STATUS_OK);
    assert_non_null(find_warning(&opened, "too short to be what they say: 1"));
    close_core(&opened);
}

static void gcore_leaves_out_mappings_that_the_list_tells(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = core_builder_create();
    core_builder_gcore(builder);
    core_builder_segment(builder, PROGRAM, 0x1000, 0x1000, NULL, PF_R);
    core_builder_segment(builder, PROGRAM + 0x5000, 0x1000, 0x1000, NULL, PF_R | PF_W);
    core_builder_file(builder, PROGRAM, PROGRAM + 0x1000, 0, "/bin/p");
    core_builder_file(builder, PROGRAM + 0x1000, PROGRAM + 0x6000, 0x1000, "/bin/p");
    core_builder_file(builder, LIBRARY, LIBRARY + 0x2000, 0, "/lib/l.so");
    core_builder_process(builder, 9, 0, "p", "p");
    core_builder_thread(builder, 9, &(struct core_registers){0});
    core_builder_sent(builder, SIGSTOP, 0, 0, 0);
    open_core(builder, 0, &opened);
    assert_int_equal(opened.status, STATUS_OK);
    assert_true(opened.core.made_by_gcore);
    assert_int_equal(opened.core.signal.number, 0);
    assert_int_equal(opened.core.segments.count, 4);
    const struct core_segment *text = core_find_segment(&opened.core, PROGRAM + 0x2000);
    assert_true(text && text->is_implied);
    assert_int_equal(text->address, PROGRAM + 0x1000);
    assert_int_equal(text->size, 0x4000);
    assert_int_equal(opened.core.segments.items[3].address, LIBRARY);
    close_core(&opened);
}

static void other_machines_are_told(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = ordinary_core();
    core_builder_machine(builder, EM_PPC64);
    open_core(builder, 0, &opened);
    assert_int_equal(opened.status, STATUS_UNSUPPORTED);
    assert_non_null(strstr(opened.err.message, "x86-64 and aarch64"));
    close_core(&opened);
    builder = core_builder_create();
    core_builder_machine(builder, EM_AARCH64);
    core_builder_segment(builder, STACK, 0x1000, 0x1000, NULL, PF_R | PF_W);
    core_builder_thread(builder, 5, &(struct core_registers){.ip = 0x1234, .sp = STACK});
    open_core(builder, 0, &opened);
    assert_int_equal(opened.status, STATUS_OK);
    assert_int_equal(opened.core.arch, CORE_AARCH64);
    assert_int_equal(opened.core.threads.items[0].registers.ip, 0x1234);
    close_core(&opened);
}

static void nothing_useful_is_an_error(void **state)
{
    (void)state;
    struct opened opened;
    open_core(core_builder_create(), 0, &opened);
    assert_int_equal(opened.status, STATUS_CORRUPT);
    close_core(&opened);
    open_core(ordinary_core(), 63, &opened);
    assert_int_equal(opened.status, STATUS_CORRUPT);
    close_core(&opened);
}

static void names_that_are_no_utf8_are_shown(void **state)
{
    (void)state;
    struct opened opened;
    struct core_builder *builder = ordinary_core();
    core_builder_process(builder, 1, 1, "p\xFFy", "p\xFFy \xC3\xA9");
    open_core(builder, 0, &opened);
    assert_string_equal(opened.core.program, "p\\xffy");
    assert_string_equal(opened.core.arguments, "p\\xffy \xC3\xA9");
    close_core(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_is_told),
        cmocka_unit_test(whole_command_line_comes_from_the_stack),
        cmocka_unit_test(rewritten_arguments_stay_as_the_note_has_them),
        cmocka_unit_test(files_have_build_id_and_bias),
        cmocka_unit_test(segments_know_what_they_were_for),
        cmocka_unit_test(stacks_of_zeros_are_missing),
        cmocka_unit_test(what_is_mapped_behind_variables_is_not_theirs),
        cmocka_unit_test(cut_core_says_what_is_missing),
        cmocka_unit_test(every_cut_is_survived),
        cmocka_unit_test(filtered_stacks_and_heap_are_told),
        cmocka_unit_test(overlaps_are_cut_and_told),
        cmocka_unit_test(many_segments_have_an_extended_count),
        cmocka_unit_test(notes_that_lie_are_left_out),
        cmocka_unit_test(list_of_files_that_lies_is_bounded),
        cmocka_unit_test(gcore_leaves_out_mappings_that_the_list_tells),
        cmocka_unit_test(other_machines_are_told),
        cmocka_unit_test(nothing_useful_is_an_error),
        cmocka_unit_test(names_that_are_no_utf8_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
