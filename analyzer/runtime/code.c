/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/code.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/array.h"
#include "inquest/base/limits.h"

/* bits of co_localspluskinds (Include/internal/pycore_code.h, 3.11 to 3.15) */
#define FAST_CELL 0x40
#define FAST_FREE 0x80

struct code_table {
    struct python_process *process;
    enum line_table_form form;
    struct code_info **slots; /* open addressing by address */
    size_t slot_count, used;
};

struct code_table *code_table_create(struct python_process *process)
{
    struct code_table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->process = process;
    table->form = line_table_form_of(layout_minor(&process->layout));
    return table;
}

void code_table_destroy(struct code_table *table)
{
    if (!table)
        return;
    free(table->slots);
    free(table);
}

static size_t slot_of(const struct code_table *table, uint64_t addr)
{
    size_t slot = (size_t)((addr >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32);
    for (slot &= table->slot_count - 1; table->slots[slot] && table->slots[slot]->addr != addr;)
        slot = (slot + 1) & (table->slot_count - 1);
    return slot;
}

static bool table_grow(struct code_table *table)
{
    struct code_info **old = table->slots;
    size_t old_count = table->slot_count, grown = old_count ? old_count * 2 : 256;
    struct code_info **slots = calloc(grown, sizeof(struct code_info *));
    if (!slots)
        return false;
    table->slots = slots;
    table->slot_count = grown;
    for (size_t i = 0; i < old_count; i++)
        if (old[i])
            table->slots[slot_of(table, old[i]->addr)] = old[i];
    free(old);
    return true;
}

static uint32_t read_count(const struct python_process *process, uint64_t addr,
                           enum python_field field)
{
    uint32_t value;
    if (!layout_has(&process->layout, field) ||
        memory_read_u32(process->image, addr + layout_get(&process->layout, field), &value) !=
            STATUS_OK ||
        value > INT32_MAX)
        return 0;
    return value;
}

static const char *read_name(struct python_process *process, uint64_t addr, enum python_field field)
{
    uint64_t name_addr;
    const char *name;
    if (!layout_has(&process->layout, field) ||
        object_pointer(process, addr, field, &name_addr) != STATUS_OK ||
        str_name(process, name_addr, &name) != STATUS_OK)
        return NULL;
    return name;
}

/* Appends the names of one tuple of str as variables. */
static void add_variables(struct python_process *process, uint64_t addr, enum python_field field,
                          enum variable_kind kind, struct code_info *code, uint32_t capacity)
{
    uint64_t tuple_addr, items_addr, count;
    if (!layout_has(&process->layout, field) ||
        object_pointer(process, addr, field, &tuple_addr) != STATUS_OK ||
        tuple_items(process, tuple_addr, &items_addr, &count) != STATUS_OK)
        return;
    for (uint64_t i = 0; i < count && code->variable_count < capacity; i++) {
        uint64_t name_addr;
        struct code_variable *variable = &code->variables[code->variable_count++];
        *variable = (struct code_variable){"?", kind};
        if (memory_read_u64(process->image, items_addr + 8 * i, &name_addr) == STATUS_OK &&
            str_name(process, name_addr, &variable->name) != STATUS_OK)
            variable->name = "?";
    }
}

static uint64_t names_count(struct python_process *process, uint64_t addr, enum python_field field)
{
    uint64_t tuple_addr, items_addr, count;
    if (!layout_has(&process->layout, field) ||
        object_pointer(process, addr, field, &tuple_addr) != STATUS_OK ||
        tuple_items(process, tuple_addr, &items_addr, &count) != STATUS_OK)
        return 0;
    return count;
}

static uint32_t argument_count(const struct python_process *process, const struct code_info *code)
{
    return read_count(process, code->addr, PY_code_argcount) +
           read_count(process, code->addr, PY_code_kwonlyargcount) +
           (code->flags & CODE_FLAG_VARARGS ? 1 : 0) +
           (code->flags & CODE_FLAG_VARKEYWORDS ? 1 : 0);
}

/* From 3.11 on one tuple has all names, and a bytes object their kinds. */
static void mark_kinds(struct python_process *process, struct code_info *code)
{
    uint64_t kinds_addr, size;
    const uint8_t *kinds;
    if (!layout_has(&process->layout, PY_code_localspluskinds) ||
        object_pointer(process, code->addr, PY_code_localspluskinds, &kinds_addr) != STATUS_OK ||
        bytes_view(process, kinds_addr, code->variable_count, &kinds, &size) != STATUS_OK)
        return;
    for (uint32_t i = 0; i < code->variable_count && i < size; i++) {
        if (kinds[i] & FAST_FREE)
            code->variables[i].kind = VARIABLE_FREE;
        else if (kinds[i] & FAST_CELL)
            code->variables[i].kind = VARIABLE_CELL;
    }
}

static enum status read_variables(struct python_process *process, struct code_info *code)
{
    static const enum python_field fields[] = {PY_code_localsplusnames, PY_code_varnames,
                                               PY_code_cellvars, PY_code_freevars};
    static const enum variable_kind kinds[] = {VARIABLE_LOCAL, VARIABLE_LOCAL, VARIABLE_CELL,
                                               VARIABLE_FREE};
    uint64_t total = 0;
    for (size_t i = 0; i < 4; i++)
        total += names_count(process, code->addr, fields[i]);
    if (total > LIMIT_LOCALS_PER_FRAME)
        return STATUS_OVER_LIMIT;
    code->variables = arena_alloc(process->arena, (size_t)total * sizeof *code->variables);
    if (!code->variables)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < 4; i++)
        add_variables(process, code->addr, fields[i], kinds[i], code, (uint32_t)total);
    uint32_t arguments = argument_count(process, code);
    for (uint32_t i = 0; i < arguments && i < code->variable_count; i++)
        if (code->variables[i].kind == VARIABLE_LOCAL)
            code->variables[i].kind = VARIABLE_ARGUMENT;
    mark_kinds(process, code);
    return STATUS_OK;
}

static void read_line_table(struct code_table *table, struct code_info *code)
{
    enum python_field field = table->form == LINE_TABLE_LNOTAB ? PY_code_lnotab : PY_code_linetable;
    uint64_t bytes_addr;
    if (object_pointer(table->process, code->addr, field, &bytes_addr) != STATUS_OK ||
        bytes_view(table->process, bytes_addr, LIMIT_LINE_TABLE_BYTES, &code->table,
                   &code->table_size) != STATUS_OK)
        code->table = NULL;
}

static enum status code_read(struct code_table *table, uint64_t addr, struct code_info **ret_code)
{
    struct python_process *process = table->process;
    const struct python_type *type;
    enum status status = object_type(process, addr, &type);
    if (status != STATUS_OK)
        return status;
    if (type->kind != KIND_CODE)
        return STATUS_CORRUPT;
    struct code_info *code = arena_alloc(process->arena, sizeof *code);
    if (!code)
        return STATUS_NO_MEMORY;
    *code = (struct code_info){.addr = addr, .memo_offset = INT64_MIN};
    code->function = read_name(process, addr, PY_code_qualname);
    if (!code->function)
        code->function = read_name(process, addr, PY_code_name);
    code->is_module = code->function && strcmp(code->function, "<module>") == 0;
    code->file = read_name(process, addr, PY_code_filename);
    if (!code->function)
        code->function = "?";
    if (!code->file)
        code->file = "?";
    code->first_line = (int32_t)read_count(process, addr, PY_code_firstlineno);
    code->flags = read_count(process, addr, PY_code_flags);
    code->first_traceable = read_count(process, addr, PY_code_firsttraceable);
    code->frame_words = read_count(process, addr, PY_code_framesize);
    code->stack_words = read_count(process, addr, PY_code_stacksize);
    if (layout_has(&process->layout, PY_code_adaptive))
        code->instructions_addr = addr + layout_get(&process->layout, PY_code_adaptive);
    read_line_table(table, code);
    status = read_variables(process, code);
    if (status == STATUS_OK)
        *ret_code = code;
    return status;
}

enum status code_at(struct code_table *table, uint64_t code_addr, struct code_info **ret_code)
{
    if (table->used * 2 >= table->slot_count && !table_grow(table))
        return STATUS_NO_MEMORY;
    size_t slot = slot_of(table, code_addr);
    if (!table->slots[slot]) {
        struct code_info *code;
        enum status status = code_read(table, code_addr, &code);
        if (status != STATUS_OK)
            return status;
        table->slots[slot] = code;
        table->used++;
    }
    *ret_code = table->slots[slot];
    return STATUS_OK;
}

struct source_position code_position(struct code_table *table, struct code_info *code,
                                     int64_t offset)
{
    if (code->memo_offset != offset) {
        struct source_position position = {-1, -1, -1, -1};
        if (code->table && line_table_find(table->form, code->table, code->table_size,
                                           code->first_line, offset, &position) != STATUS_OK)
            position = (struct source_position){-1, -1, -1, -1};
        code->memo_position = position;
        code->memo_offset = offset;
    }
    return code->memo_position;
}

const char *code_owner_name(const struct code_info *code)
{
    return code->flags & CODE_FLAG_GENERATOR         ? "generator"
           : code->flags & CODE_FLAG_COROUTINE       ? "coroutine"
           : code->flags & CODE_FLAG_ASYNC_GENERATOR ? "async_generator"
                                                     : NULL;
}
