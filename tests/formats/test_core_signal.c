/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "inquest/formats/core_dump.h"
#include "tests/helpers/core_builder.h"

#define CODE   UINT64_C(0x400000)
#define RODATA UINT64_C(0x500000)
#define STACK  UINT64_C(0x7ff000000000)

/* A death: what the instruction was, what the registers held, what the kernel said. */
struct death {
    int number, code;
    uint64_t address;
    struct core_registers registers;
    const char *instruction; /* hex */
    const char *sentence;
};

static void decode_hex(const char *hex, uint8_t bytes[16])
{
    memset(bytes, 0x90, 16);
    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
}

static void assert_sentence(struct core_builder *builder, const char *sentence)
{
    struct input_file input;
    struct arena arena;
    struct core_dump core;
    struct error err = {0};
    core_builder_input(builder, 0, &input);
    core_builder_destroy(builder);
    arena_init(&arena);
    assert_int_equal(core_dump_parse(&input, &arena, &core, &err), STATUS_OK);
    assert_string_equal(core_signal_sentence(&core, NULL, &arena), sentence);
    core_dump_deinit(&core);
    arena_deinit(&arena);
    input_bytes_free(&input);
}

static struct core_builder *process(const struct core_registers *registers)
{
    struct core_builder *builder = core_builder_create();
    core_builder_segment(builder, CODE, 0x1000, 0x1000, NULL, PF_R | PF_X);
    core_builder_segment(builder, RODATA, 0x1000, 0x1000, NULL, PF_R);
    core_builder_segment(builder, STACK, 0x10000, 0x10000, NULL, PF_R | PF_W);
    core_builder_process(builder, 10, 0, "p", "p");
    core_builder_thread(builder, 10, registers);
    return builder;
}

static void assert_death(const struct death *death)
{
    uint8_t code[16];
    struct core_registers registers = death->registers;
    if (!registers.ip)
        registers.ip = CODE;
    struct core_builder *builder = process(&registers);
    decode_hex(death->instruction, code);
    core_builder_poke(builder, CODE, code, sizeof code);
    core_builder_fault(builder, death->number, death->code, death->address);
    assert_sentence(builder, death->sentence);
}

/* What the instruction did tells what it did to memory. */
static const struct death faults[] = {
    /* mov rax, [rax+0x10] */
    {SIGSEGV,
     SEGV_MAPERR,
     0x10,
     {.ax = 0},
     "488b4010",
     "SIGSEGV: read of address 0x10, not mapped"},
    /* mov [rbx+r12*8-8], ecx */
    {SIGSEGV,
     SEGV_MAPERR,
     0x108,
     {.bx = 0x10, .r[4] = 0x20},
     "42894ce3f8",
     "SIGSEGV: write to address 0x108, not mapped"},
    /* sub qword [rdi], 1: Py_DECREF */
    {SIGSEGV, SEGV_MAPERR, 0, {.di = 0}, "48832f01", "SIGSEGV: update of address 0x0, not mapped"},
    /* cmp dword [rip+0x100], 5 */
    {SIGSEGV,
     SEGV_MAPERR,
     CODE + 0x107,
     {.ax = 0},
     "833d0001000005",
     "SIGSEGV: read of address 0x400107, not mapped"},
    /* mov rax, fs:[0xfffffffffffffff8] */
    {SIGSEGV,
     SEGV_MAPERR,
     0x6ff8,
     {.thread_pointer = 0x7000},
     "64488b0425f8ffffff",
     "SIGSEGV: read of address 0x6ff8, not mapped"},
    /* movups [rsi], xmm0, at its last bytes */
    {SIGSEGV,
     SEGV_MAPERR,
     0x2008,
     {.si = 0x2000},
     "0f1106",
     "SIGSEGV: write to address 0x2008, not mapped"},
    /* mov byte [r13], 1, to constants */
    {SIGSEGV,
     SEGV_ACCERR,
     RODATA + 3,
     {.r[5] = RODATA + 3},
     "41c6450001",
     "SIGSEGV: write to address 0x500003, mapped without that permission (r--)"},
    /* the registers do not lead to the address: nothing is claimed */
    {SIGSEGV,
     SEGV_MAPERR,
     0x9999,
     {.ax = 0},
     "488b4010",
     "SIGSEGV: access to address 0x9999, not mapped"},
    /* rep movsb: no single operand */
    {SIGSEGV,
     SEGV_MAPERR,
     0x10,
     {.si = 0x10},
     "f3a4",
     "SIGSEGV: access to address 0x10, not mapped"},
    {SIGSEGV,
     SEGV_MAPERR,
     0x20,
     {.ip = 0x20},
     "90",
     "SIGSEGV: execution of address 0x20, not mapped"},
    /* push rbp, past the end of the stack */
    {SIGSEGV,
     SEGV_MAPERR,
     STACK - 8,
     {.sp = STACK},
     "55",
     "SIGSEGV: write to address 0x7feffffffff8, not mapped: a stack overflow"},
    /* mov rax, [rdi] */
    {SIGSEGV,
     SI_KERNEL,
     0,
     {.di = 0xdead000000000000},
     "488b07",
     "SIGSEGV: read of address 0xdead000000000000, not canonical"},
    {SIGSEGV,
     SI_KERNEL,
     0,
     {.di = 0},
     "f4",
     "SIGSEGV: access to an address that was not recorded: not canonical, or not aligned as "
     "the instruction needs"},
    {SIGBUS,
     BUS_ADRERR,
     0x3000,
     {.di = 0x3000},
     "8a07",
     "SIGBUS: read of address 0x3000, past the end of the file mapped there, or its disk or "
     "memory is full"},
    {SIGFPE, FPE_INTDIV, CODE, {.ax = 0}, "f7f9", "SIGFPE: integer division by zero at 0x400000"},
    {SIGILL, ILL_ILLOPN, CODE, {.ax = 0}, "0f0b", "SIGILL: illegal operand at 0x400000"},
    {SIGSYS, 1, CODE, {.original_ax = 59}, "0f05", "SIGSYS: system call 59 is forbidden (seccomp)"},
    {SIGTRAP, SI_KERNEL, 0, {.ax = 0}, "cc", "SIGTRAP: breakpoint instruction"},
};

static void faults_tell_their_direction_where_it_is_sure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        assert_death(&faults[i]);
}

/* An instruction cut off by the end of what is stored says nothing. */
static void cut_instructions_are_not_guessed(void **state)
{
    (void)state;
    struct core_registers registers = {.ip = CODE + 0xFFE};
    struct core_builder *builder = process(&registers);
    core_builder_poke(builder, CODE + 0xFFE, "\x48\x8b", 2);
    core_builder_fault(builder, SIGSEGV, SEGV_MAPERR, 0x10);
    assert_sentence(builder, "SIGSEGV: access to address 0x10, not mapped");
}

static void senders_are_named(void **state)
{
    (void)state;
    static const struct {
        int number, code;
        uint32_t pid, uid;
        const char *sentence;
    } sent[] = {
        {SIGABRT, SI_TKILL, 10, 0, "SIGABRT: sent by itself (abort)"},
        {SIGQUIT, SI_USER, 10, 0, "SIGQUIT: sent by itself"},
        {SIGTERM, SI_USER, 12, 0, "SIGTERM: sent by pid 12, uid 0"},
        {SIGTERM, SI_QUEUE, 12, 1000, "SIGTERM: sent by pid 12, uid 1000 (sigqueue)"},
        {SIGXCPU, SI_KERNEL, 0, 0, "SIGXCPU: sent by the kernel"},
        {40, SI_USER, 12, 0, "signal 40: sent by pid 12, uid 0"},
    };
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        struct core_builder *builder = process(&(struct core_registers){.ip = CODE});
        core_builder_sent(builder, sent[i].number, sent[i].code, sent[i].pid, sent[i].uid);
        assert_sentence(builder, sent[i].sentence);
    }
}

static void no_signal_is_said(void **state)
{
    (void)state;
    assert_sentence(process(&(struct core_registers){.ip = CODE}),
                    "no signal: the core was taken from a living process");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_tell_their_direction_where_it_is_sure),
        cmocka_unit_test(cut_instructions_are_not_guessed),
        cmocka_unit_test(senders_are_named),
        cmocka_unit_test(no_signal_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
