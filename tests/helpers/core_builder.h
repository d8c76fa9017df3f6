/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_CORE_BUILDER_H
#define TESTS_HELPERS_CORE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/formats/core_dump.h"

/* Builds ELF cores as the kernel writes them, in memory: for what real ones do
 * not show easily. Running out of memory aborts: it is a test helper. */
struct core_builder;

struct core_builder *core_builder_create(void);
void core_builder_destroy(struct core_builder *builder);

/* A PT_LOAD of `size` bytes at `address`, of which `stored` (<= size) are in the
 * core: a copy of `bytes`, or zeros for NULL. Returns the index of the segment. */
size_t core_builder_segment(struct core_builder *builder, uint64_t address, uint64_t size,
                            uint64_t stored, const void *bytes, uint32_t flags);
/* Changes bytes that a segment stores. */
void core_builder_poke(struct core_builder *builder, uint64_t address, const void *bytes,
                       size_t size);
/* Reads them back. */
void core_builder_peek(struct core_builder *builder, uint64_t address, void *ret_bytes,
                       size_t size);
void core_builder_poke_u32(struct core_builder *builder, uint64_t address, uint32_t value);
void core_builder_poke_u64(struct core_builder *builder, uint64_t address, uint64_t value);
void core_builder_poke_string(struct core_builder *builder, uint64_t address, const char *string);

/* The first thread is the crashed one. */
void core_builder_thread(struct core_builder *builder, uint32_t tid,
                         const struct core_registers *registers);
void core_builder_process(struct core_builder *builder, uint32_t pid, uint32_t uid,
                          const char *program, const char *arguments);
void core_builder_fault(struct core_builder *builder, int number, int code, uint64_t address);
void core_builder_sent(struct core_builder *builder, int number, int code, uint32_t pid,
                       uint32_t uid);
void core_builder_auxv(struct core_builder *builder, uint64_t type, uint64_t value);
/* An entry of NT_FILE; `path` as the kernel writes it, " (deleted)" included. */
void core_builder_file(struct core_builder *builder, uint64_t start, uint64_t end,
                       uint64_t file_offset, const char *path);
/* Any other note; `claimed` is the size that it says it has. */
void core_builder_note(struct core_builder *builder, const char *name, uint32_t type,
                       const void *bytes, size_t size, uint32_t claimed);
/* The initial stack of a program with these arguments, written below `top`, the
 * end of a stored segment, with the auxiliary vector given so far and AT_RANDOM,
 * AT_EXECFN added to it. */
void core_builder_stack(struct core_builder *builder, uint64_t top, const char *const *argv,
                        size_t argc);
/* Writes an ELF header with one PT_LOAD of `text_size` bytes, and a build id (NULL:
 * none), at `address`, the start of a stored segment. */
void core_builder_elf_page(struct core_builder *builder, uint64_t address, uint64_t text_size,
                           const uint8_t *build_id, size_t build_id_size);

/* A PT_LOAD more in that page: variables of `size` bytes in memory. */
void core_builder_elf_data(struct core_builder *builder, uint64_t elf_page, uint64_t offset,
                           uint64_t size);

/* Dynamic symbols of the program whose header is at `elf_page`: tables at `at`,
 * within stored bytes, which the header then names. */
struct built_symbol {
    const char *name;
    uint64_t address, size; /* in the process */
};
void core_builder_symbols(struct core_builder *builder, uint64_t elf_page, uint64_t at,
                          const struct built_symbol *symbols, size_t count);

/* How it is written. */
void core_builder_gcore(struct core_builder *builder);    /* notes last, NT_PRPSINFO first */
void core_builder_extended(struct core_builder *builder); /* PN_XNUM, whatever the count */
void core_builder_machine(struct core_builder *builder, uint16_t machine);

/* The core's bytes; free() them. */
uint8_t *core_builder_bytes(struct core_builder *builder, size_t *ret_size);
/* The core as an input, whole or cut to `keep` bytes (0: whole), without a file:
 * input_bytes_free it. */
void core_builder_input(struct core_builder *builder, size_t keep, struct input_file *ret_input);
void input_bytes_free(struct input_file *input);
/* Writes it to a file. */
void core_builder_write(struct core_builder *builder, const char *path);

#endif
