/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/frames.h"

#include "inquest/base/limits.h"

uint32_t frame_slots(const struct python_process *process, const struct frame_fact *frame,
                     uint64_t *ret_slots_addr)
{
    enum python_field field = layout_has(&process->layout, PY_frame_localsplus)
                                  ? PY_frame_localsplus
                                  : PY_iframe_localsplus;
    if (!frame->code)
        return 0;
    *ret_slots_addr = frame->addr + layout_get(&process->layout, field);
    return frame->code->variable_count + frame->code->stack_words;
}

/* The content of a cell; anything else is itself (an argument whose cell has not
 * been made yet, a variable of a comprehension). */
static uint64_t look_through_cell(struct python_process *process, uint64_t value_addr)
{
    const struct python_type *type;
    uint64_t contents_addr;
    if (object_type(process, value_addr, &type) != STATUS_OK || type->kind != KIND_CELL)
        return value_addr;
    if (object_pointer(process, value_addr, PY_cell_contents, &contents_addr) != STATUS_OK)
        return 0;
    return contents_addr;
}

static void visit_slots(struct python_process *process, const struct frame_fact *frame,
                        local_visitor visit, void *context)
{
    uint64_t slots_addr;
    if (!frame_slots(process, frame, &slots_addr))
        return;
    for (uint32_t i = 0; i < frame->code->variable_count; i++) {
        const struct code_variable *variable = &frame->code->variables[i];
        uint64_t word;
        if (memory_read_u64(process->image, slots_addr + 8 * (uint64_t)i, &word) != STATUS_OK)
            return;
        uint64_t value_addr = frame_untag(process, word);
        if (value_addr && (variable->kind == VARIABLE_CELL || variable->kind == VARIABLE_FREE))
            value_addr = look_through_cell(process, value_addr);
        if (value_addr)
            visit(context, variable->name, variable->kind, value_addr);
    }
}

/* Class bodies, modules and exec'ed code keep their variables in a dictionary. */
static void visit_dictionary(struct python_process *process, const struct frame_fact *frame,
                             local_visitor visit, void *context)
{
    enum python_field field =
        layout_has(&process->layout, PY_frame_locals) ? PY_frame_locals : PY_iframe_locals;
    uint64_t dict_addr, key_addr, value_addr;
    struct dict_iterator iterator;
    enum status status;
    if (object_pointer(process, frame->addr, field, &dict_addr) != STATUS_OK || !dict_addr ||
        dict_iterate(process, dict_addr, &iterator) != STATUS_OK)
        return;
    for (unsigned count = 0; count < LIMIT_LOCALS_PER_FRAME &&
                             dict_next(process, &iterator, &key_addr, &value_addr, &status);
         count++) {
        const char *name;
        if (str_name(process, key_addr, &name) == STATUS_OK)
            visit(context, name, VARIABLE_LOCAL, value_addr);
    }
}

void frame_locals(struct python_process *process, const struct frame_fact *frame,
                  local_visitor visit, void *context)
{
    if (!frame->code)
        return;
    visit_slots(process, frame, visit, context);
    if (!(frame->code->flags & CODE_FLAG_OPTIMIZED))
        visit_dictionary(process, frame, visit, context);
}
