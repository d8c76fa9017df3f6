/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_KINDS_H
#define INQUEST_ANALYZER_OBJECTS_KINDS_H

#include "analyzer/objects/type_table.h"

/* The kind of a type that has a row of its own, KIND_UNKNOWN for one that has
 * none. `entry` has all but its kind. */
enum object_kind kind_by_name(const struct python_process *process, const struct type_entry *entry);
/* The kind that tp_flags tell, KIND_UNKNOWN where they tell none. */
enum object_kind kind_by_flags(const struct python_layout *layout, uint64_t flags);

static inline bool kind_is_dict(enum object_kind kind)
{
    return kind == KIND_DICT || kind == KIND_ORDERED_DICT || kind == KIND_DEFAULT_DICT ||
           kind == KIND_COUNTER;
}

#endif
