/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_FRAMES_H
#define INQUEST_ANALYZER_RUNTIME_FRAMES_H

#include "analyzer/runtime/code.h"
#include "inquest/base/array.h"

/* One Python frame of a thread. */
struct frame_fact {
    uint64_t addr;          /* PyFrameObject to 3.10, _PyInterpreterFrame from 3.11 */
    struct code_info *code; /* NULL where the code object can't be read */
    int64_t offset;         /* of the instruction in bytes, negative before the first */
};

struct frame_list {
    ARRAY(struct frame_fact) frames; /* innermost first */
    const char *note; /* why frames may be missing, NULL where the chain ended as it should */
    uint64_t walked;  /* links of all walks into this list so far, for LIMIT_FRAMES */
};

/* Walks the frames of the thread state at `state_addr` into `list`, which is
 * emptied first. Where a link lies in memory that the core lacks (the C stack,
 * from 3.11 on), it goes on along the interpreter's data stack. Only running out
 * of memory is an error; damage ends the walk with a note. */
enum status frames_walk(struct code_table *codes, struct python_process *process,
                        uint64_t state_addr, struct frame_list *list) MUST_CHECK;
void frame_list_deinit(struct frame_list *list);

/* The frame at `addr` by itself, as a generator that is suspended has it. */
enum status frame_read(struct code_table *codes, struct python_process *process, uint64_t addr,
                       struct frame_fact *ret_frame) MUST_CHECK;

/* The code of a Python-visible frame object (a traceback's tb_frame). */
enum status frame_object_code(struct code_table *codes, struct python_process *process,
                              uint64_t frame_object_addr, struct code_info **ret_code) MUST_CHECK;

/* The object in a frame's slot: takes 3.14's reference tags off; 0: none. */
uint64_t frame_untag(const struct python_process *process, uint64_t word);

/* Calls `visit` for each bound variable: first those of the frame itself, then
 * the entries of its locals dictionary (class and module bodies). Cells are
 * looked through: the value is what they hold. */
typedef void (*local_visitor)(void *context, const char *name, enum variable_kind kind,
                              uint64_t value_addr);
void frame_locals(struct python_process *process, const struct frame_fact *frame,
                  local_visitor visit, void *context);

/* The words of a frame's locals and evaluation stack: where to look for an
 * object that a C function was called on. Returns how many, 0 where unreadable. */
uint32_t frame_slots(const struct python_process *process, const struct frame_fact *frame,
                     uint64_t *ret_slots_addr);

#endif
