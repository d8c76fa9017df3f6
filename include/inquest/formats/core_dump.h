/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_CORE_DUMP_H
#define INQUEST_FORMATS_CORE_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/error.h"
#include "inquest/formats/input_file.h"

enum core_arch { CORE_X86_64, CORE_AARCH64 };

/* What a part of the process's memory was for. */
enum core_region {
    CORE_REGION_PROGRAM_TEXT, /* the main program's code and constants */
    CORE_REGION_PROGRAM_DATA, /* its written data and .bss */
    CORE_REGION_LIBRARY_TEXT,
    CORE_REGION_LIBRARY_DATA,
    CORE_REGION_MAPPED_FILES, /* files that are no programs */
    CORE_REGION_HEAP,         /* what brk() gave */
    CORE_REGION_MAIN_STACK,
    CORE_REGION_THREAD_STACK,
    CORE_REGION_ANONYMOUS,
    CORE_REGION_RESERVED, /* address space without any access: guards, reserves */
    CORE_REGION_KERNEL,   /* vdso, vvar, vsyscall */
    CORE_REGION_COUNT
};
/* "main program's code", ... */
const char *core_region_name(enum core_region region);

#define CORE_NO_INDEX UINT32_MAX

/* One PT_LOAD. Bytes past `stored` are in the file that backs the mapping, or
 * were filtered, or were cut off with the end of the core. */
struct core_segment {
    uint64_t address, size; /* in the dead process */
    uint64_t offset;        /* in the core */
    uint64_t stored;        /* bytes really there: p_filesz less what was cut off */
    uint64_t claimed;       /* p_filesz */
    uint32_t flags;         /* PF_R | PF_W | PF_X */
    uint32_t mapping;       /* index into core_dump.mappings, CORE_NO_INDEX: anonymous */
    enum core_region region;
    bool is_implied; /* no PT_LOAD but an NT_FILE entry told of it, as in gcore's cores */
    bool is_blank;   /* zeros were stored in place of what could not be read; now nothing is */
};

/* One entry of NT_FILE. */
struct core_mapping {
    uint64_t start, end;
    uint64_t file_offset; /* bytes */
    const char *path;     /* with " (deleted)" taken off */
    uint32_t file;        /* index into core_dump.files */
    bool deleted;
};

/* One file of NT_FILE, all its mappings together. Paths are as the kernel gave
 * them: any bytes but NUL. `files` is in order of `start`. */
struct core_file {
    const char *path;
    uint64_t start, end; /* lowest and highest mapped address */
    uint64_t bias;       /* load bias: run-time address less ELF p_vaddr; 0 when unknown */
    bool is_elf;         /* its ELF header is in the core */
    bool is_program;     /* is_elf, or mapped executable: a program or library */
    bool deleted;
    uint64_t header;   /* where its ELF header is mapped, for is_elf */
    uint64_t data_end; /* of the pages of its variables, .bss among them; 0: not known */
    uint8_t build_id[64];
    size_t build_id_size; /* 0: none in the core */
};

struct core_registers { /* x86-64 user_regs_struct, the ones we use */
    uint64_t ip, sp, bp, ax, bx, cx, dx, si, di;
    uint64_t r[8]; /* r8 to r15 */
    uint64_t original_ax;
    uint64_t thread_pointer; /* fs_base: pthread_self() */
};

struct core_thread { /* NT_PRSTATUS */
    uint32_t tid;
    int signal; /* pr_cursig */
    struct core_registers registers;
};

struct core_signal {
    int number; /* 0: none, as in a core taken from a living process */
    int code;
    bool has_info;                   /* an NT_SIGINFO was there */
    uint64_t address;                /* si_addr, for faults */
    uint32_t sender_pid, sender_uid; /* for kill() and friends */
};

struct core_warning {
    const char *area;    /* "core", "segment", "note", "file", "memory" */
    const char *message; /* what can't be read, and what that leaves out */
};

/* A parsed core. Strings and arrays live in the arena given to core_dump_parse;
 * segments are sorted by address and don't overlap; threads are in the core's
 * order, so the first is the one that the kernel dumped for (the crashed one). */
struct core_dump {
    const struct input_file *input;
    enum core_arch arch;
    uint32_t pid, parent_pid, uid, gid;
    const char *program;    /* pr_fname: at most 15 bytes */
    const char *arguments;  /* pr_psargs: at most 79 bytes, or all of it from the stack */
    const char **argv;      /* each argument, where the stack told; else NULL */
    size_t argv_count;      /* 0 where only `arguments` is known */
    const char *executable; /* path of the main program, NULL when unknown */
    uint32_t program_file;  /* the main program in `files`, CORE_NO_INDEX when unknown */
    bool made_by_gcore;
    struct core_signal signal;
    ARRAY(struct core_segment) segments;
    ARRAY(struct core_mapping) mappings;
    ARRAY(struct core_file) files;
    ARRAY(struct core_thread) threads;
    ARRAY(struct core_warning) warnings;
    uint64_t entry, program_headers, vdso,
        page_size;           /* AT_ENTRY AT_PHDR AT_SYSINFO_EHDR AT_PAGESZ */
    uint64_t exec_name_addr; /* AT_EXECFN */
    uint64_t random_addr;    /* AT_RANDOM */
};

/* Parses an ELF core. A damaged or truncated one gives what is left and
 * warnings; an error only where nothing useful is left (STATUS_CORRUPT), or the
 * machine is another (STATUS_UNSUPPORTED). `input` must outlive the core. */
enum status core_dump_parse(const struct input_file *input, struct arena *arena,
                            struct core_dump *ret_core, struct error *err) MUST_CHECK;
void core_dump_deinit(struct core_dump *core);

/* "SIGSEGV"; "signal 70" for one without a name. Static or arena storage. */
const char *core_signal_name(struct arena *arena, int number);
/* One sentence: "SIGSEGV: read of address 0x10, not mapped". The direction is
 * told from the instruction only where that is sure; `image` holds the code, NULL
 * where there is none at hand. */
struct memory_image;
const char *core_signal_sentence(const struct core_dump *core, const struct memory_image *image,
                                 struct arena *arena);

/* The segment that holds `address`, NULL where nothing was mapped. */
const struct core_segment *core_find_segment(const struct core_dump *core, uint64_t address);
/* The mapping that holds `address`, NULL where none does. */
const struct core_mapping *core_find_mapping(const struct core_dump *core, uint64_t address);
/* The bytes stored for `address`, as many as the segment has: *ret_size; NULL for none. */
const uint8_t *core_stored_bytes(const struct core_dump *core, uint64_t address,
                                 uint64_t *ret_size);

#endif
