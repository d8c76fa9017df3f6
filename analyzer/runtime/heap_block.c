/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_block.h"

#include "inquest/base/bytes_reader.h"

#define OBJECT_BYTES 16 /* reference count and type */

/* A compact str is smaller than the struct of one that is not. */
static struct block_need need_of_str(const struct python_layout *layout)
{
    uint64_t header = layout_get(layout, PY_unicode_ascii_header_size);
    return (struct block_need){.least_bytes = header,
                               .items_from = header,
                               .item_bytes = 1,
                               .count_offset = (uint32_t)layout_get(layout, PY_unicode_length),
                               .is_str = true};
}

struct block_need block_need_of(const struct python_process *process,
                                const struct python_type *type)
{
    const struct python_layout *layout = &process->layout;
    if (type->kind == KIND_STR && type->is_exact_kind)
        return need_of_str(layout);
    struct block_need need = {
        .least_bytes = type->basicsize < OBJECT_BYTES ? UINT64_MAX : (uint64_t)type->basicsize};
    if (type->itemsize <= 0)
        return need;
    need.item_bytes = (uint64_t)type->itemsize;
    need.count_offset = (uint32_t)layout_get(layout, PY_var_size);
    if (type->kind == KIND_INT) {
        need.is_int = true;
        need.items_from = layout_get(layout, PY_long_digits);
        if (layout_has(layout, PY_long_tag))
            need.count_offset = (uint32_t)layout_get(layout, PY_long_tag);
    } else if (type->kind == KIND_TUPLE || type->kind == KIND_BYTES) {
        need.items_from = (uint64_t)type->basicsize;
    }
    return need;
}

static uint64_t count_of(const struct python_layout *layout, const struct block_need *need,
                         uint64_t word)
{
    if (!need->is_int)
        return word;
    if (layout_has(layout, PY_long_tag))
        return word >> 3;
    return (int64_t)word < 0 ? -word : word;
}

/* Text that is not compact stands elsewhere. */
static bool has_items(const struct python_layout *layout, const struct block_need *need,
                      const uint8_t *bytes)
{
    return !need->is_str || (load_u32(bytes + layout_get(layout, PY_unicode_state)) >>
                                 layout_get(layout, PY_unicode_compact_shift) &
                             1);
}

bool block_holds_items(const struct python_process *process, const struct block_need *need,
                       const uint8_t *bytes, uint64_t room)
{
    const struct python_layout *layout = &process->layout;
    if (need->items_from > room || need->count_offset + 8 > room || !has_items(layout, need, bytes))
        return true;
    uint64_t count = count_of(layout, need, load_u64(bytes + need->count_offset));
    return count <= (room - need->items_from) / need->item_bytes;
}
