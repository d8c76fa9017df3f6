/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the members of cycles: role, finalizer, weak references that call
 * back.
 *
 * OFFSET (layout)      SIZE  MEANING
 * type_finalize        8     tp_finalize: slot_tp_finalize of a class with __del__
 * type_del             8     tp_del: the finalizer that keeps a cycle from collection
 * weakref_callback     8     what is called when the referent goes, NULL for nothing
 * gen_frame            8     up to 3.10: the generator's frame, NULL once it ended
 * frame_lasti          4     up to 3.10: -1 until it began
 * frame_iblock         4     up to 3.10: open blocks: try, with, for (3.8: loops none)
 * gen_state            1     3.11 on: state
 * gen_iframe           -     3.11 on: the frame itself
 * code_exceptiontable  8     3.11 on: a bytes of entries: start, length, target, depth,
 *                            in groups of 6 bits, most significant first; 0x80 begins an
 *                            entry, 0x40 says that another group follows
 *                            (Objects/exception_handling_notes.txt, InternalDocs) */
#include <stdlib.h>
#include <string.h>

#include "analyzer/findings/cycles_pass.h"
#include "analyzer/graph/memory.h"
#include "analyzer/objects/fields.h"

/* ---- types */

static enum cycle_role role_of(const struct python_type *type)
{
    switch (type->kind) {
    case KIND_TYPE:
    case KIND_MODULE: return ROLE_TYPE;
    case KIND_FUNCTION:
    case KIND_BUILTIN:
    case KIND_CODE:
    case KIND_MAPPING_PROXY: return ROLE_CODE;
    case KIND_DICT:
    case KIND_LIST:
    case KIND_TUPLE:
    case KIND_SET:
    case KIND_FROZENSET:
    case KIND_CELL: return type->is_exact_kind ? ROLE_CONTAINER : ROLE_INSTANCE;
    default: break;
    }
    static const char *const descriptors[] = {
        "getset_descriptor",
        "member_descriptor",
        "method_descriptor",
        "wrapper_descriptor",
        "classmethod_descriptor",
        "classmethod",
        "staticmethod",
        "property",
        "method",
    };
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
        if (!strcmp(type->name, descriptors[i]))
            return ROLE_CODE;
    return ROLE_INSTANCE;
}

static enum cycle_finalizer finalizer_of(const struct python_process *process,
                                         const struct python_type *type)
{
    uint64_t finalize, legacy;
    switch (type->kind) {
    case KIND_GENERATOR:
    case KIND_COROUTINE:
    case KIND_ASYNC_GENERATOR: return FINALIZER_GENERATOR;
    default: break;
    }
    if (field_u64(process, type->addr, PY_type_finalize, &finalize) == STATUS_OK && finalize)
        return FINALIZER_ALWAYS;
    if (field_u64(process, type->addr, PY_type_del, &legacy) == STATUS_OK && legacy)
        return FINALIZER_ALWAYS;
    return FINALIZER_NONE;
}

/* ---- weak references */

static enum status find_callbacks(struct cycle_pass *pass)
{
    const struct heap *heap = pass->heap;
    uint64_t callback;
    pass->has_callback = calloc((size_t)heap->count / 64 + 1, sizeof(uint64_t));
    if (!pass->has_callback)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < heap->weak.count; i++) {
        const struct weak_reference *weak = &heap->weak.items[i];
        if (heap_type(heap, weak->source)->kind == KIND_WEAKREF &&
            field_u64(heap->process, heap_address(heap, weak->source), PY_weakref_callback,
                      &callback) == STATUS_OK &&
            callback)
            pass->has_callback[weak->target >> 6] |= UINT64_C(1) << (weak->target & 63);
    }
    return STATUS_OK;
}

enum status cycle_pass_init(struct cycle_pass *pass, const struct findings *findings)
{
    const struct heap *heap = findings->heap;
    size_t types = heap->types.count + 1;
    *pass = (struct cycle_pass){.findings = findings, .heap = heap};
    enum status status = label_masks_init(&pass->masks, heap->labels);
    pass->type_hash = calloc(types, sizeof *pass->type_hash);
    pass->role = calloc(types, sizeof *pass->role);
    pass->finalizer = calloc(types, sizeof *pass->finalizer);
    if (status == STATUS_OK && (!pass->type_hash || !pass->role || !pass->finalizer))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status =
            graph_alloc_zeroed(heap->count, sizeof *pass->node_of, (void **)&pass->node_of, NULL);
    for (size_t i = 0; i < heap->types.count && status == STATUS_OK; i++) {
        const struct python_type *type = heap->types.items[i];
        pass->type_hash[i] = name_hash(type->name);
        pass->role[i] = (uint8_t)role_of(type);
        pass->finalizer[i] = (uint8_t)finalizer_of(heap->process, type);
    }
    if (status == STATUS_OK)
        status = find_callbacks(pass);
    if (status != STATUS_OK)
        cycle_pass_deinit(pass);
    return status;
}

void cycle_pass_deinit(struct cycle_pass *pass)
{
    label_masks_deinit(&pass->masks);
    free(pass->type_hash);
    free(pass->role);
    free(pass->finalizer);
    free(pass->has_callback);
    graph_free(pass->node_of);
    *pass = (struct cycle_pass){0};
}

/* ---- suspended generators */

/* Up to 3.10: blocks that are open where it is suspended. */
static bool old_generator_cares(const struct python_process *process, uint64_t addr)
{
    uint64_t frame_addr;
    uint32_t blocks, last;
    if (field_u64(process, addr, PY_gen_frame, &frame_addr) != STATUS_OK || !frame_addr ||
        field_u32(process, frame_addr, PY_frame_lasti, &last) != STATUS_OK ||
        field_u32(process, frame_addr, PY_frame_iblock, &blocks) != STATUS_OK)
        return false;
    return last != UINT32_MAX && blocks > 0 && blocks <= 20;
}

struct exception_entry {
    uint64_t start, end, target; /* code units */
};

static bool read_number(struct bytes_reader *reader, uint64_t *ret_number)
{
    uint8_t byte;
    *ret_number = 0;
    do {
        if (bytes_read_u8(reader, &byte) != STATUS_OK)
            return false;
        *ret_number = (*ret_number << 6 | (byte & 0x3F)) & UINT32_MAX;
    } while (byte & 0x40);
    return true;
}

static bool read_entry(struct bytes_reader *reader, struct exception_entry *ret_entry)
{
    uint64_t length, depth;
    if (!read_number(reader, &ret_entry->start) || !read_number(reader, &length) ||
        !read_number(reader, &ret_entry->target) || !read_number(reader, &depth))
        return false;
    ret_entry->end = ret_entry->start + length;
    return true;
}

/* From 3.12 on the whole body of a generator is within a handler of its own, which
 * the first entry leads to: only another one cares. */
static bool has_handler(const uint8_t *table, uint64_t size, uint64_t unit, bool wraps_body)
{
    struct bytes_reader reader = bytes_reader_make(table, size);
    struct exception_entry entry;
    uint64_t whole = UINT64_MAX;
    for (bool first = true; read_entry(&reader, &entry); first = false) {
        if (first && wraps_body)
            whole = entry.target;
        if (unit >= entry.start && unit < entry.end)
            return entry.target != whole;
    }
    return false;
}

static bool generator_cares(const struct python_process *process, uint64_t addr)
{
    const struct python_layout *layout = &process->layout;
    uint64_t code_addr, instr_addr, table_addr;
    int64_t table_size;
    uint8_t state;
    if (field_u8(process, addr, PY_gen_state, &state) != STATUS_OK ||
        (state != (uint8_t)layout_or(layout, PY_constant_gen_suspended, 256) &&
         state != layout_or(layout, PY_constant_gen_suspended_yield_from, 256)))
        return false;
    uint64_t frame_addr = addr + layout_get(layout, PY_gen_iframe);
    if (field_u64(process, frame_addr, PY_iframe_code, &code_addr) != STATUS_OK ||
        field_u64(process, frame_addr, PY_iframe_instr, &instr_addr) != STATUS_OK)
        return false;
    if (layout_has(layout, PY_constant_stackref_tag_mask))
        code_addr &= ~layout_get(layout, PY_constant_stackref_tag_mask);
    uint64_t first_addr = code_addr + layout_get(layout, PY_code_adaptive);
    if (instr_addr < first_addr ||
        field_u64(process, code_addr, PY_code_exceptiontable, &table_addr) != STATUS_OK ||
        object_size(process, table_addr, &table_size) != STATUS_OK || table_size <= 0 ||
        table_size > (1 << 24))
        return false;
    const uint8_t *table =
        view_at(process, table_addr + layout_get(layout, PY_bytes_data), (uint64_t)table_size);
    unsigned minor = layout_minor(layout);
    uint64_t unit = (instr_addr - first_addr) / 2;
    /* from 3.13 on the frame points behind the yield, at its RESUME */
    if (minor >= 13 && unit)
        unit--;
    return table && has_handler(table, (uint64_t)table_size, unit, minor >= 12);
}

bool cycle_has_finalizer(const struct cycle_pass *pass, uint32_t object)
{
    const struct python_process *process = pass->heap->process;
    uint64_t addr = heap_address(pass->heap, object);
    switch ((enum cycle_finalizer)pass->finalizer[pass->heap->type[object]]) {
    case FINALIZER_NONE: return false;
    case FINALIZER_ALWAYS: return true;
    case FINALIZER_GENERATOR: break;
    }
    return layout_has(&process->layout, PY_gen_iframe) ? generator_cares(process, addr)
                                                       : old_generator_cares(process, addr);
}
