/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_DATA_STACK_H
#define INQUEST_ANALYZER_RUNTIME_DATA_STACK_H

#include "analyzer/runtime/code.h"
#include "inquest/base/array.h"

/* From 3.11 on a thread's frames lie one behind the other in chunks of its own,
 * apart from those of generators. Their links run through the C stack, which a
 * core that was cut short lacks; this finds them without the links. */
struct data_stack {
    ARRAY(uint64_t) addrs; /* of _PyInterpreterFrames, innermost first */
};

/* Best effort: what can't be read is left out. */
void data_stack_read(struct code_table *codes, struct python_process *process, uint64_t state_addr,
                     struct data_stack *ret_stack);
void data_stack_deinit(struct data_stack *stack);

#endif
