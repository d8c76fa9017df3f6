/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_LOCK_HOLDERS_H
#define INQUEST_ANALYZER_RUNTIME_LOCK_HOLDERS_H

#include "analyzer/runtime/frames.h"

/* Who is inside of a `with` of what: locks of threading and asyncio don't know who
 * holds them, but a `with` statement keeps the lock's exit method on its frame's
 * evaluation stack. */
struct held_object {
    uint64_t addr; /* of the context manager, and of the lock inside of a Condition */
    size_t holder; /* the caller's number of a task or thread */
    size_t count;  /* of its `with` statements */
};
struct held_objects {
    ARRAY(struct held_object) items; /* ascending by addr, holder, once sorted */
};

/* Adds what the stack of one frame of `holder` holds the exit method of. A frame
 * that does not say how much of its stack is in use may hold what it left; all of
 * it is looked at where `any_word`, nothing otherwise. */
enum status held_objects_add(struct held_objects *held, struct python_process *process,
                             const struct frame_fact *frame, size_t holder,
                             bool any_word) MUST_CHECK;
void held_objects_sort(struct held_objects *held);
/* The first of those that hold an object, and how many they are; NULL: none. Sorted. */
const struct held_object *held_objects_find(const struct held_objects *held, uint64_t addr,
                                            size_t *ret_count);
void held_objects_deinit(struct held_objects *held);

/* The words of a frame's evaluation stack that are in use; false where the frame
 * does not say, as while it runs. */
bool frame_live_stack(const struct python_process *process, const struct frame_fact *frame,
                      uint64_t *ret_begin_addr, uint64_t *ret_end_addr);

#endif
