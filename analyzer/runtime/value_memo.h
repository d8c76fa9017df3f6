/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_VALUE_MEMO_H
#define INQUEST_ANALYZER_RUNTIME_VALUE_MEMO_H

#include "analyzer/objects/object.h"

/* What was last written for some of the objects seen. A thousand threads wait on
 * one lock, and a recursion hands the same arguments down a hundred thousand
 * times: a core doesn't change, so neither does an object's text. */
#define VALUE_MEMO_SLOTS 128

struct value_memo_entry {
    uint64_t addr;         /* 0: nothing yet */
    const char *type_name; /* lives as long as the process; "?" where unreadable */
    struct text text;      /* under repr_limits_default */
};

struct value_memo {
    struct value_memo_entry entries[VALUE_MEMO_SLOTS];
};

/* The object's type and text, valid until the next call. Never NULL. */
const struct value_memo_entry *value_memo_get(struct value_memo *memo,
                                              struct python_process *process, uint64_t addr);
void value_memo_deinit(struct value_memo *memo);

#endif
