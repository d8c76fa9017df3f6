/* SPDX-License-Identifier: Apache-2.0 */
/* The notes of a core (Linux include/uapi/linux/elfcore.h, fs/binfmt_elf.c,
 * include/uapi/asm-generic/siginfo.h), 64-bit machines.
 *
 *   NT_PRSTATUS, one a thread   OFFSET SIZE MEANING
 *                                   12    2 signal that the thread was dumped for
 *                                   32    4 thread id
 *                                  112    8 each: the registers, in the machine's order
 *   NT_PRPSINFO                     16    4 uid      20 4 gid
 *                                   24    4 pid      28 4 parent's pid
 *                                   40   16 file name of the program
 *                                   56   80 arguments, NULs as spaces
 *   NT_SIGINFO                       0    4 signal    8 4 code
 *                                   16    8 address (faults), or
 *                                   16    4 sender's pid, 20 4 its uid
 *   NT_AUXV                          0   16 each: type, value
 *   NT_FILE                          0    8 count     8 8 page size
 *                                   16   24 each: start, end, offset in pages;
 *                                        then as many NUL-terminated paths */
#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "formats/core/core_parts.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"

#define REGISTERS_AT   112
#define ARGUMENTS_AT   56
#define ARGUMENTS_SIZE 80
#define PROGRAM_AT     40
#define PROGRAM_SIZE   16
#define DELETED        " (deleted)"

#ifndef NT_ARM_TLS
#define NT_ARM_TLS 0x401
#endif

/* What the notes lacked, counted, to be said once. */
struct note_faults {
    uint32_t ranges_lost; /* PT_NOTEs that are not, or not all, there */
    uint32_t cut, too_short, bad_mappings;
    bool threads_over_limit, mappings_over_limit;
};

struct note_walk {
    struct core_parse *parse;
    struct note_faults faults;
    bool process_came_first; /* NT_PRPSINFO before the first NT_PRSTATUS: gdb's order */
    bool has_gdb_note, has_files;
};

/* ---- Threads. */

static void read_x86_64_registers(const uint8_t *bytes, struct core_registers *ret)
{
    /* user_regs_struct: r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax
     * ip cs flags sp ss fs_base gs_base ds es fs gs */
    static const unsigned char place_of_r8_up[8] = {9, 8, 7, 6, 3, 2, 1, 0};
    for (size_t i = 0; i < 8; i++)
        ret->r[i] = load_u64(bytes + 8 * place_of_r8_up[i]);
    ret->bp = load_u64(bytes + 8 * 4);
    ret->bx = load_u64(bytes + 8 * 5);
    ret->ax = load_u64(bytes + 8 * 10);
    ret->cx = load_u64(bytes + 8 * 11);
    ret->dx = load_u64(bytes + 8 * 12);
    ret->si = load_u64(bytes + 8 * 13);
    ret->di = load_u64(bytes + 8 * 14);
    ret->original_ax = load_u64(bytes + 8 * 15);
    ret->ip = load_u64(bytes + 8 * 16);
    ret->sp = load_u64(bytes + 8 * 19);
    ret->thread_pointer = load_u64(bytes + 8 * 21);
}

static void read_aarch64_registers(const uint8_t *bytes, struct core_registers *ret)
{
    /* user_pt_regs: x0 to x30, sp, pc, pstate; the names of x86-64 hold what is
     * passed and used alike */
    ret->ax = load_u64(bytes);
    ret->bp = load_u64(bytes + 8 * 29);
    ret->sp = load_u64(bytes + 8 * 31);
    ret->ip = load_u64(bytes + 8 * 32);
    ret->original_ax = load_u64(bytes + 8 * 8);
}

static enum status add_thread(struct note_walk *walk, const struct elf_note *note,
                              struct error *err)
{
    struct core_dump *core = walk->parse->core;
    bool is_x86 = core->arch == CORE_X86_64;
    size_t needed = REGISTERS_AT + 8 * (is_x86 ? 27 : 34);
    if (note->size < needed) {
        walk->faults.too_short++;
        return STATUS_OK;
    }
    if (core->threads.count == LIMIT_THREADS) {
        walk->faults.threads_over_limit = true;
        return STATUS_OK;
    }
    struct core_thread thread = {.tid = load_u32(note->data + 32),
                                 .signal = (int16_t)load_u16(note->data + 12)};
    (is_x86 ? read_x86_64_registers : read_aarch64_registers)(note->data + REGISTERS_AT,
                                                              &thread.registers);
    if (!array_push(&core->threads, thread))
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the threads");
    return STATUS_OK;
}

static void read_thread_pointer(struct core_dump *core, const struct elf_note *note)
{
    if (core->arch == CORE_AARCH64 && core->threads.count && note->size >= 8)
        core->threads.items[core->threads.count - 1].registers.thread_pointer =
            load_u64(note->data);
}

/* ---- The process. */

static void read_process(struct note_walk *walk, const struct elf_note *note)
{
    struct core_parse *parse = walk->parse;
    struct core_dump *core = parse->core;
    if (parse->has_process_note)
        return;
    if (note->size < ARGUMENTS_AT + ARGUMENTS_SIZE) {
        walk->faults.too_short++;
        return;
    }
    parse->has_process_note = true;
    walk->process_came_first = !core->threads.count;
    core->uid = load_u32(note->data + 16);
    core->gid = load_u32(note->data + 20);
    core->pid = load_u32(note->data + 24);
    core->parent_pid = load_u32(note->data + 28);
    const char *program = (const char *)note->data + PROGRAM_AT;
    const char *arguments = (const char *)note->data + ARGUMENTS_AT;
    size_t size = strnlen(arguments, ARGUMENTS_SIZE);
    while (size && arguments[size - 1] == ' ')
        size--;
    program = core_text(parse, program, strnlen(program, PROGRAM_SIZE));
    arguments = core_text(parse, arguments, size);
    core->program = program ? program : "";
    core->arguments = arguments ? arguments : "";
}

static void read_signal(struct note_walk *walk, const struct elf_note *note)
{
    struct core_signal *signal = &walk->parse->core->signal;
    /* the first one belongs to the thread that was dumped first: the crashed one */
    if (signal->has_info)
        return;
    if (note->size < 24) {
        walk->faults.too_short++;
        return;
    }
    *signal = (struct core_signal){.number = (int)load_u32(note->data),
                                   .code = (int)load_u32(note->data + 8),
                                   .has_info = true,
                                   .address = load_u64(note->data + 16),
                                   .sender_pid = load_u32(note->data + 16),
                                   .sender_uid = load_u32(note->data + 20)};
}

static void read_auxv(struct core_parse *parse, const struct elf_note *note)
{
    struct core_dump *core = parse->core;
    if (parse->auxv)
        return;
    parse->auxv = note->data;
    parse->auxv_size = note->size / 16 * 16;
    for (size_t i = 0; i < parse->auxv_size; i += 16) {
        uint64_t value = load_u64(note->data + i + 8);
        switch (load_u64(note->data + i)) {
        case AT_NULL: parse->auxv_size = i + 16; return;
        case AT_ENTRY: core->entry = value; break;
        case AT_PHDR: core->program_headers = value; break;
        case AT_SYSINFO_EHDR: core->vdso = value; break;
        case AT_PAGESZ: core->page_size = value; break;
        case AT_EXECFN: core->exec_name_addr = value; break;
        case AT_RANDOM: core->random_addr = value; break;
        }
    }
}

/* ---- Mapped files. */

/* The kernel's mark of a file that has no name any more. */
static void take_deleted_off(struct core_parse *parse, struct core_mapping *mapping)
{
    size_t size = strlen(mapping->path), mark = strlen(DELETED);
    if (size <= mark || strcmp(mapping->path + size - mark, DELETED) != 0)
        return;
    mapping->deleted = true;
    mapping->path = arena_strndup(parse->arena, mapping->path, size - mark);
    if (!mapping->path) {
        parse->out_of_memory = true;
        mapping->path = "";
    }
}

static enum status add_mapping(struct note_walk *walk, struct bytes_reader *entries,
                               struct bytes_reader *names, uint64_t page_size, struct error *err)
{
    struct core_mapping mapping = {.path = NULL};
    uint64_t pages;
    if (bytes_read_u64(entries, &mapping.start) != STATUS_OK ||
        bytes_read_u64(entries, &mapping.end) != STATUS_OK ||
        bytes_read_u64(entries, &pages) != STATUS_OK ||
        bytes_read_string(names, &mapping.path) != STATUS_OK)
        return STATUS_CORRUPT;
    if (mapping.start >= mapping.end || !checked_mul_u64(pages, page_size, &mapping.file_offset)) {
        walk->faults.bad_mappings++;
        return STATUS_OK;
    }
    take_deleted_off(walk->parse, &mapping);
    if (!array_push(&walk->parse->core->mappings, mapping))
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the mapped files");
    return STATUS_OK;
}

static enum status read_files(struct note_walk *walk, const struct elf_note *note,
                              struct error *err)
{
    struct bytes_reader entries = bytes_reader_make(note->data, note->size), names = entries;
    uint64_t count, page_size, names_at;
    if (walk->has_files)
        return STATUS_OK;
    if (bytes_read_u64(&entries, &count) != STATUS_OK ||
        bytes_read_u64(&entries, &page_size) != STATUS_OK ||
        !checked_mul_add_u64(count, 24, 16, &names_at) || names_at > note->size ||
        bytes_seek(&names, (size_t)names_at) != STATUS_OK) {
        walk->faults.too_short++;
        return STATUS_OK;
    }
    walk->has_files = true;
    walk->faults.mappings_over_limit = count > LIMIT_MAPPED_FILES;
    count = min_u64(count, LIMIT_MAPPED_FILES);
    for (uint64_t i = 0; i < count; i++) {
        enum status status = add_mapping(walk, &entries, &names, page_size, err);
        if (status == STATUS_CORRUPT) {
            walk->faults.bad_mappings += (uint32_t)(count - i);
            return STATUS_OK;
        }
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static int compare_mappings(const void *left, const void *right)
{
    const struct core_mapping *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end;
}

static void sort_mappings(struct core_dump *core)
{
    bool sorted = true;
    for (size_t i = 1; i < core->mappings.count && sorted; i++)
        sorted = compare_mappings(&core->mappings.items[i - 1], &core->mappings.items[i]) <= 0;
    if (!sorted)
        qsort(core->mappings.items, core->mappings.count, sizeof *core->mappings.items,
              compare_mappings);
}

/* ---- The walk. */

static enum status read_note(struct note_walk *walk, const struct elf_note *note, struct error *err)
{
    struct core_parse *parse = walk->parse;
    if (elf_note_is(note, "CORE", NT_PRSTATUS))
        return add_thread(walk, note, err);
    if (elf_note_is(note, "CORE", NT_FILE))
        return read_files(walk, note, err);
    if (elf_note_is(note, "CORE", NT_PRPSINFO))
        read_process(walk, note);
    else if (elf_note_is(note, "CORE", NT_SIGINFO))
        read_signal(walk, note);
    else if (elf_note_is(note, "CORE", NT_AUXV))
        read_auxv(parse, note);
    else if (elf_note_is(note, "LINUX", NT_ARM_TLS))
        read_thread_pointer(parse->core, note);
    else if (note->name_size == 3 && !memcmp(note->name, "GDB", 3))
        walk->has_gdb_note = true;
    return STATUS_OK;
}

/* `budget`: ranges that share bytes must not make the work grow past the file. */
static enum status read_range(struct note_walk *walk, const struct elf_segment *range,
                              uint64_t *budget, struct error *err)
{
    const struct elf_view *elf = &walk->parse->elf;
    uint64_t there = range->offset < elf->size ? elf->size - range->offset : 0;
    uint64_t size = min_u64(range->stored, min_u64(there, *budget));
    if (size < range->stored)
        walk->faults.ranges_lost++;
    if (!size)
        return STATUS_OK;
    *budget -= size;
    struct elf_note_reader reader = {.data = elf->data + range->offset, .size = (size_t)size};
    for (struct elf_note note; elf_note_next(&reader, &note);) {
        enum status status = read_note(walk, &note, err);
        if (status != STATUS_OK)
            return status;
    }
    if (reader.lost)
        walk->faults.cut++;
    return STATUS_OK;
}

static void tell_faults(struct note_walk *walk)
{
    struct core_parse *parse = walk->parse;
    struct core_dump *core = parse->core;
    const struct note_faults *faults = &walk->faults;
    if (faults->ranges_lost || faults->cut)
        core_warn(parse, "note",
                  "the notes are cut short: threads, signal and mapped files may be missing");
    if (faults->too_short)
        core_warn(parse, "note", "notes too short to be what they say: %u; they are left out",
                  faults->too_short);
    if (faults->bad_mappings)
        core_warn(parse, "note", "entries of the list of mapped files that can't be read: %u",
                  faults->bad_mappings);
    if (faults->threads_over_limit)
        core_warn(parse, "note", "more than %u threads: the rest is left out", LIMIT_THREADS);
    if (faults->mappings_over_limit)
        core_warn(parse, "note", "more than %u mapped files: the rest is left out",
                  LIMIT_MAPPED_FILES);
    if (!core->threads.count)
        core_warn(parse, "note", "no thread is in the core: no registers, no native stacks");
    if (!parse->has_process_note)
        core_warn(parse, "note",
                  "no process note is in the core: pid, user and command are "
                  "unknown");
    if (!walk->has_files)
        core_warn(parse, "note",
                  "no list of mapped files is in the core: program and libraries "
                  "are unknown");
}

/* A thread's own signal tells where the note is missing. gdb stops a living
 * process with SIGSTOP to dump it: that is no cause of death. */
static void settle_signal(struct core_dump *core)
{
    int current = core->threads.count ? core->threads.items[0].signal : 0;
    if (!core->signal.has_info)
        core->signal.number = current;
    if (core->made_by_gcore && !current &&
        (core->signal.number == SIGSTOP || core->signal.number == SIGTRAP || !core->signal.number))
        core->signal = (struct core_signal){0};
}

enum status core_read_notes(struct core_parse *parse, struct error *err)
{
    struct note_walk walk = {.parse = parse};
    struct elf_segment header;
    uint64_t budget = parse->elf.size;
    for (uint32_t i = 0;
         i < parse->elf.program_header_count && elf_view_segment(&parse->elf, i, &header); i++) {
        enum status status =
            header.type == PT_NOTE ? read_range(&walk, &header, &budget, err) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
    }
    /* the kernel writes at most one section header, gdb one for each segment */
    parse->core->made_by_gcore =
        walk.has_gdb_note || walk.process_came_first || parse->elf.section_count > 1;
    if (!parse->core->page_size)
        parse->core->page_size = 4096;
    sort_mappings(parse->core);
    settle_signal(parse->core);
    tell_faults(&walk);
    return STATUS_OK;
}
