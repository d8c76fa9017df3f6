/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_CODE_H
#define INQUEST_ANALYZER_RUNTIME_CODE_H

#include "analyzer/objects/object.h"
#include "inquest/formats/line_table.h"

enum variable_kind { VARIABLE_ARGUMENT, VARIABLE_LOCAL, VARIABLE_CELL, VARIABLE_FREE };

struct code_variable {
    const char *name;
    enum variable_kind kind;
};

/* What frames need of a code object; read once, kept in a code_table. */
struct code_info {
    uint64_t addr;
    const char *function; /* co_qualname from 3.11, else co_name; "?" where unreadable */
    const char *file;
    int32_t first_line;
    uint32_t flags;                  /* co_flags */
    uint64_t instructions_addr;      /* of the first instruction, 0 where there is none inline */
    uint32_t first_traceable;        /* instructions before it run before the function's body */
    uint32_t frame_words;            /* size of its frame on the data stack, 0 unknown */
    uint32_t stack_words;            /* co_stacksize */
    struct code_variable *variables; /* in the order of localsplus */
    uint32_t variable_count;
    const uint8_t *table; /* line table, NULL where it isn't in the dump */
    uint64_t table_size;
    bool is_module; /* "<module>": its locals are a module's dictionary */
    /* the last position asked for: recursion asks for the same one again */
    int64_t memo_offset;
    struct source_position memo_position;
};

#define CODE_FLAG_OPTIMIZED       0x1u /* locals are in the frame, not in a dict */
#define CODE_FLAG_VARARGS         0x4u
#define CODE_FLAG_VARKEYWORDS     0x8u
#define CODE_FLAG_GENERATOR       0x20u
#define CODE_FLAG_COROUTINE       0x80u
#define CODE_FLAG_ASYNC_GENERATOR 0x200u

struct code_table;
struct code_table *code_table_create(struct python_process *process);
void code_table_destroy(struct code_table *table);

/* CORRUPT where `code_addr` is no code object. The result lives with the table. */
enum status code_at(struct code_table *table, uint64_t code_addr,
                    struct code_info **ret_code) MUST_CHECK;

/* The position of the instruction `offset` bytes in; all -1 where unknown. */
struct source_position code_position(struct code_table *table, struct code_info *code,
                                     int64_t offset);

/* "generator", "coroutine", "async_generator", or NULL for a plain function. */
const char *code_owner_name(const struct code_info *code);

#endif
