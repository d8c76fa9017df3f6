/* SPDX-License-Identifier: Apache-2.0 */
/* The signal in words (Linux signal(7), sigaction(2), asm-generic/siginfo.h). */
#include <elf.h>
#include <signal.h>

#include "formats/core/instruction.h"
#include "inquest/base/text.h"
#include "inquest/formats/memory_image.h"

#define OPERAND_BYTES_MAX    64u /* the widest access of one instruction */
#define STACK_OVERFLOW_REACH (UINT64_C(64) << 10)
#define CANONICAL_END        (UINT64_C(1) << 47)

static const char *const signal_names[] = {
    [SIGHUP] = "SIGHUP",       [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT",
    [SIGILL] = "SIGILL",       [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
    [SIGBUS] = "SIGBUS",       [SIGFPE] = "SIGFPE",   [SIGKILL] = "SIGKILL",
    [SIGUSR1] = "SIGUSR1",     [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
    [SIGPIPE] = "SIGPIPE",     [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
    [SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD", [SIGCONT] = "SIGCONT",
    [SIGSTOP] = "SIGSTOP",     [SIGTSTP] = "SIGTSTP", [SIGTTIN] = "SIGTTIN",
    [SIGTTOU] = "SIGTTOU",     [SIGURG] = "SIGURG",   [SIGXCPU] = "SIGXCPU",
    [SIGXFSZ] = "SIGXFSZ",     [SIGPROF] = "SIGPROF", [SIGVTALRM] = "SIGVTALRM",
    [SIGWINCH] = "SIGWINCH",   [SIGPOLL] = "SIGPOLL", [SIGPWR] = "SIGPWR",
    [SIGSYS] = "SIGSYS",
};
#define NAMED_SIGNALS ((int)(sizeof signal_names / sizeof *signal_names))

const char *core_signal_name(struct arena *arena, int number)
{
    if (number > 0 && number < NAMED_SIGNALS && signal_names[number])
        return signal_names[number];
    const char *name = arena_printf(arena, "signal %d", number);
    return name ? name : "signal";
}

/* si_code of the faults that have a plain meaning. To add one: a row. */
struct code_meaning {
    int signal, code;
    const char *meaning;
};
static const struct code_meaning code_meanings[] = {
    {SIGFPE, FPE_INTDIV, "integer division by zero"},
    {SIGFPE, FPE_INTOVF, "integer overflow"},
    {SIGFPE, FPE_FLTDIV, "floating-point division by zero"},
    {SIGFPE, FPE_FLTOVF, "floating-point overflow"},
    {SIGFPE, FPE_FLTUND, "floating-point underflow"},
    {SIGFPE, FPE_FLTRES, "inexact floating-point result"},
    {SIGFPE, FPE_FLTINV, "invalid floating-point operation"},
    {SIGFPE, FPE_FLTSUB, "subscript out of range"},
    {SIGILL, ILL_ILLOPC, "illegal opcode"},
    {SIGILL, ILL_ILLOPN, "illegal operand"},
    {SIGILL, ILL_ILLADR, "illegal addressing mode"},
    {SIGILL, ILL_ILLTRP, "illegal trap"},
    {SIGILL, ILL_PRVOPC, "privileged opcode"},
    {SIGILL, ILL_PRVREG, "privileged register"},
    {SIGILL, ILL_COPROC, "coprocessor error"},
    {SIGILL, ILL_BADSTK, "internal stack error"},
    {SIGTRAP, TRAP_BRKPT, "breakpoint"},
    {SIGTRAP, TRAP_TRACE, "trace trap"},
};

/* si_code of SIGSEGV and SIGBUS: what was wrong with the address. */
static const struct code_meaning address_meanings[] = {
    {SIGSEGV, SEGV_MAPERR, "not mapped"},
    {SIGSEGV, SEGV_ACCERR, "mapped without that permission"},
    {SIGSEGV, SEGV_BNDERR, "outside of its bounds"},
    {SIGSEGV, SEGV_PKUERR, "protected by a memory key"},
    {SIGBUS, BUS_ADRALN, "not aligned"},
    {SIGBUS, BUS_ADRERR, "past the end of the file mapped there, or its disk or memory is full"},
    {SIGBUS, BUS_OBJERR, "a hardware error"},
    {SIGBUS, BUS_MCEERR_AR, "memory that the machine found broken"},
    {SIGBUS, BUS_MCEERR_AO, "memory that the machine found broken"},
};

static const char *find_meaning(const struct code_meaning *table, size_t count,
                                const struct core_signal *signal)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].signal == signal->number && table[i].code == signal->code)
            return table[i].meaning;
    }
    return NULL;
}
#define FIND_MEANING(table, signal) find_meaning(table, sizeof(table) / sizeof *(table), signal)

/* ---- Faults. */

static const struct core_registers *crashed_registers(const struct core_dump *core)
{
    return core->threads.count ? &core->threads.items[0].registers : NULL;
}

/* The operand of the crashed instruction, where its code is at hand. */
static bool find_operand(const struct core_dump *core, const struct memory_image *image,
                         struct memory_operand *ret_operand)
{
    const struct core_registers *registers = crashed_registers(core);
    if (!registers || core->arch != CORE_X86_64)
        return false;
    uint64_t size = 0;
    const uint8_t *code = image ? memory_span(image, registers->ip, &size)
                                : core_stored_bytes(core, registers->ip, &size);
    return code && instruction_operand(code, size < 16 ? (size_t)size : 16, registers, ret_operand);
}

static const char *access_word(enum access access)
{
    switch (access) {
    case ACCESS_READ: return "read of";
    case ACCESS_WRITE: return "write to";
    case ACCESS_UPDATE: return "update of";
    case ACCESS_UNKNOWN: break;
    }
    return "access to";
}

static enum access direction(const struct core_dump *core, const struct memory_image *image,
                             uint64_t address)
{
    struct memory_operand operand;
    if (find_operand(core, image, &operand) && address - operand.address < OPERAND_BYTES_MAX)
        return operand.access;
    return ACCESS_UNKNOWN;
}

static void append_permissions(const struct core_segment *segment, struct text *text)
{
    text_printf(text, " (%c%c%c)", segment->flags & PF_R ? 'r' : '-',
                segment->flags & PF_W ? 'w' : '-', segment->flags & PF_X ? 'x' : '-');
}

/* Below a stack, near the stack pointer: it grew past its end. */
static bool is_stack_overflow(const struct core_dump *core, uint64_t address)
{
    const struct core_registers *registers = crashed_registers(core);
    if (!registers || registers->sp - address + STACK_OVERFLOW_REACH > 2 * STACK_OVERFLOW_REACH)
        return false;
    const struct core_segment *here = core_find_segment(core, address);
    if (here && (here->flags & PF_W))
        return false;
    for (uint64_t up = 0; up <= 2 * STACK_OVERFLOW_REACH; up += 4096) {
        const struct core_segment *above = core_find_segment(core, address + up);
        if (above && (above->flags & PF_W))
            return above->mapping == CORE_NO_INDEX && above->region != CORE_REGION_HEAP;
    }
    return false;
}

static void append_fault(const struct core_dump *core, const struct memory_image *image,
                         struct text *text)
{
    const struct core_signal *signal = &core->signal;
    const struct core_registers *registers = crashed_registers(core);
    const char *meaning = FIND_MEANING(address_meanings, signal);
    const char *word = registers && registers->ip == signal->address
                           ? "execution of"
                           : access_word(direction(core, image, signal->address));
    text_printf(text, "%s address 0x%llx", word, (unsigned long long)signal->address);
    if (!meaning) {
        text_printf(text, ", code %d", signal->code);
        return;
    }
    text_printf(text, ", %s", meaning);
    const struct core_segment *segment = core_find_segment(core, signal->address);
    if (signal->number == SIGSEGV && signal->code == SEGV_ACCERR && segment && !segment->is_implied)
        append_permissions(segment, text);
    if (signal->number == SIGSEGV && is_stack_overflow(core, signal->address))
        text_append(text, ": a stack overflow");
}

/* A general protection fault: the kernel has no address to tell. */
static void append_kernel_fault(const struct core_dump *core, const struct memory_image *image,
                                struct text *text)
{
    struct memory_operand operand;
    if (find_operand(core, image, &operand) && operand.address >= CANONICAL_END &&
        operand.address < -CANONICAL_END)
        text_printf(text, "%s address 0x%llx, not canonical", access_word(operand.access),
                    (unsigned long long)operand.address);
    else
        text_append(text, "access to an address that was not recorded: not canonical, or not "
                          "aligned as the instruction needs");
}

/* ---- Signals that somebody sent. */

static void append_sender(const struct core_dump *core, struct text *text)
{
    const struct core_signal *signal = &core->signal;
    if (core->pid && signal->sender_pid == core->pid)
        text_append(text, signal->number == SIGABRT ? "sent by itself (abort)" : "sent by itself");
    else
        text_printf(text, "sent by pid %u, uid %u", signal->sender_pid, signal->sender_uid);
    if (signal->code == SI_QUEUE)
        text_append(text, " (sigqueue)");
}

static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS;
}

static void append_cause(const struct core_dump *core, const struct memory_image *image,
                         struct text *text)
{
    const struct core_signal *signal = &core->signal;
    const char *meaning = FIND_MEANING(code_meanings, signal);
    if (signal->code == SI_USER || signal->code == SI_TKILL || signal->code == SI_QUEUE)
        append_sender(core, text);
    else if (signal->code == SI_KERNEL && is_fault(signal->number) && !signal->address)
        append_kernel_fault(core, image, text);
    else if (signal->code == SI_KERNEL && signal->number != SIGTRAP)
        text_append(text, "sent by the kernel");
    else if (signal->code == SI_KERNEL)
        text_append(text, "breakpoint instruction");
    else if (is_fault(signal->number))
        append_fault(core, image, text);
    else if (signal->number == SIGSYS && signal->code == 1 && crashed_registers(core))
        text_printf(text, "system call %llu is forbidden (seccomp)",
                    (unsigned long long)crashed_registers(core)->original_ax);
    else if (meaning)
        text_printf(text, "%s at 0x%llx", meaning, (unsigned long long)signal->address);
    else if (signal->code == SI_TIMER)
        text_append(text, "a timer expired");
    else
        text_printf(text, "code %d", signal->code);
}

const char *core_signal_sentence(const struct core_dump *core, const struct memory_image *image,
                                 struct arena *arena)
{
    if (!core->signal.number)
        return core->threads.count ? "no signal: the core was taken from a living process"
                                   : "no signal is known: the core's notes are missing";
    const char *name = core_signal_name(arena, core->signal.number);
    if (!core->signal.has_info)
        return name;
    struct text text;
    text_init(&text);
    text_printf(&text, "%s: ", name);
    append_cause(core, image, &text);
    const char *sentence = text_ok(&text) ? arena_strdup(arena, text_string(&text)) : NULL;
    text_deinit(&text);
    return sentence ? sentence : name;
}
