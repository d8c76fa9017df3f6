/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_BLOCK_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_BLOCK_H

#include "analyzer/objects/object.h"

/* What an object of a type needs of the block of memory that it stands in. */
struct block_need {
    uint64_t least_bytes; /* of every instance, headers in front left out; UINT64_MAX: none fits */
    uint64_t items_from;  /* where its items begin, 0: the object has none of its own */
    uint64_t item_bytes;
    uint32_t count_offset; /* of the word that says how many */
    bool is_int, is_str;   /* how that word is to be read */
};

struct block_need block_need_of(const struct python_process *process,
                                const struct python_type *type);

/* Of one that has items. */
bool block_holds_items(const struct python_process *process, const struct block_need *need,
                       const uint8_t *bytes, uint64_t room);

/* Whether the object fits into `room` bytes, which are at `bytes`. An object that
 * claims more items than its block can hold is something else. */
static inline bool block_holds(const struct python_process *process, const struct block_need *need,
                               const uint8_t *bytes, uint64_t room)
{
    return need->least_bytes <= room &&
           (!need->items_from || block_holds_items(process, need, bytes, room));
}

#endif
