/* SPDX-License-Identifier: Apache-2.0 */
/* What __sizeof__ of the builtin types returns; sys.getsizeof adds the header of
 * the garbage collector, which is the plan's affair. */
#include "analyzer/objects/references_plan.h"
#include "inquest/base/checked_math.h"

#define SIZE_MAX_BYTES (UINT64_C(1) << 47)

uint64_t size_sum(struct object_walk *walk, uint64_t base, uint64_t count, uint64_t size)
{
    uint64_t total;
    if (checked_mul_add_u64(count, size, base, &total) && total <= SIZE_MAX_BYTES)
        return total;
    walk_fail(walk, STATUS_CORRUPT);
    return base;
}

uint64_t size_default(struct object_walk *walk)
{
    const struct reference_plan *plan = walk->plan;
    if (!plan->itemsize)
        return plan->basicsize;
    return size_sum(walk, plan->basicsize, walk_field(walk, PY_var_size), plan->itemsize);
}

/* From 3.11 on, a zero has room for a digit. */
uint64_t size_int(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t digits;
    if (layout_has(layout, PY_long_tag)) {
        digits = walk_field(walk, PY_long_tag) >> 3;
    } else {
        int64_t signed_digits = (int64_t)walk_field(walk, PY_var_size);
        digits = signed_digits < 0 ? -(uint64_t)signed_digits : (uint64_t)signed_digits;
    }
    if (!digits && layout_minor(layout) >= 11)
        digits = 1;
    return size_sum(walk, layout_get(layout, PY_long_digits), digits, walk->plan->itemsize);
}

/* Text in UTF-8 and, up to 3.11, of wchar_t counts where it is kept apart. */
static uint64_t other_forms(struct object_walk *walk, uint64_t data_addr, bool is_ascii_compact,
                            bool is_compact, uint64_t length)
{
    uint64_t size = 0;
    uint64_t wide_addr = walk_field(walk, PY_unicode_wstr);
    if (!is_ascii_compact) {
        uint64_t utf8_addr = walk_field(walk, PY_unicode_utf8);
        if (utf8_addr && (is_compact || utf8_addr != data_addr))
            size += walk_field(walk, PY_unicode_utf8_length) + 1;
    }
    if (!wide_addr || wide_addr == data_addr)
        return size;
    uint64_t wide_length = is_ascii_compact ? length : walk_field(walk, PY_unicode_wstr_length);
    return size + 4 * (wide_length + 1);
}

uint64_t size_str(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint32_t state = walk_u32(walk, layout_get(layout, PY_unicode_state));
    uint64_t length = walk_field(walk, PY_unicode_length), base, data_addr;
    uint64_t kind = state >> layout_get(layout, PY_unicode_kind_shift) &
                    layout_get(layout, PY_unicode_kind_mask);
    bool is_compact = state >> layout_get(layout, PY_unicode_compact_shift) & 1;
    bool is_ascii = state >> layout_get(layout, PY_unicode_ascii_shift) & 1;
    if (is_compact) {
        base = layout_get(layout,
                          is_ascii ? PY_unicode_ascii_header_size : PY_unicode_compact_header_size);
        data_addr = walk->addr + base;
    } else {
        base = layout_get(layout, PY_unicode_size);
        data_addr = walk_field(walk, PY_unicode_data_any);
    }
    if (!is_compact && !data_addr)
        kind = 0;
    uint64_t size = kind ? size_sum(walk, base, length + 1, kind) : base;
    uint64_t more = other_forms(walk, data_addr, is_compact && is_ascii, is_compact, length);
    return more <= SIZE_MAX_BYTES ? size + more : size;
}

/* From 3.15 on, its bytes are in a bytes object of its own. */
uint64_t size_bytearray(struct object_walk *walk)
{
    uint64_t room = walk_field(walk, PY_bytearray_alloc), size = walk->plan->basicsize;
    if (room && layout_minor(&walk->process->layout) >= 15)
        size += layout_get(&walk->process->layout, PY_bytes_data) + 1;
    return size_sum(walk, size, room, 1);
}

uint64_t size_list(struct object_walk *walk)
{
    return size_sum(walk, walk->plan->basicsize, walk_field(walk, PY_list_allocated), 8);
}

/* A small set's table is within it. */
uint64_t size_set(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t table_addr = walk_field(walk, PY_set_table);
    if (table_addr - walk->addr < walk->plan->basicsize)
        return walk->plan->basicsize;
    return size_sum(walk, walk->plan->basicsize, walk_field(walk, PY_set_mask) + 1,
                    layout_get(layout, PY_set_entry_size));
}

/* ---- dict: keys count where no other dict shares them */

#define USABLE(slots) ((slots)*2 / 3)

uint64_t size_of_keys(struct object_walk *walk, const uint8_t *keys)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t base = layout_get(layout, PY_keys_indices);
    if (!layout_has(layout, PY_keys_kind)) {
        uint64_t slots = load_u64(keys + layout_get(layout, PY_keys_size_or_log2));
        uint64_t width = slots <= 0xFF ? 1 : slots <= 0xFFFF ? 2 : slots <= 0xFFFFFFFF ? 4 : 8;
        slots = min_u64(slots, SIZE_MAX_BYTES);
        return size_sum(walk, base + min_u64(slots * width, SIZE_MAX_BYTES), USABLE(slots),
                        layout_get(layout, PY_keys_entry_size));
    }
    bool is_general = keys[layout_get(layout, PY_keys_kind)] == 0;
    uint8_t log2_slots = keys[layout_get(layout, PY_keys_size_or_log2)];
    uint8_t log2_bytes = keys[layout_get(layout, PY_keys_log2_index_bytes)];
    if (log2_slots > 40 || log2_bytes > 44) {
        walk_fail(walk, STATUS_CORRUPT);
        return base;
    }
    return size_sum(
        walk, base + (UINT64_C(1) << log2_bytes), USABLE(UINT64_C(1) << log2_slots),
        layout_get(layout, is_general ? PY_keys_entry_size : PY_keys_unicode_entry_size));
}

/* Values of a split dict: as many as its keys have room for. */
static uint64_t value_count(struct object_walk *walk, const uint8_t *keys)
{
    const struct python_layout *layout = &walk->process->layout;
    if (!layout_has(layout, PY_keys_kind))
        return USABLE(load_u64(keys + layout_get(layout, PY_keys_size_or_log2)));
    return load_u64(keys + layout_get(layout, PY_keys_nentries)) +
           load_u64(keys + layout_get(layout, PY_keys_usable));
}

uint64_t size_dict(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t size = walk->plan->basicsize;
    const uint8_t *keys =
        walk_view(walk, walk_field(walk, PY_dict_keys), layout_get(layout, PY_keys_indices));
    if (!keys)
        return size;
    if (walk_field(walk, PY_dict_values))
        size = size_sum(walk, size, value_count(walk, keys), 8);
    if (load_u64(keys + layout_get(layout, PY_keys_refcnt)) == 1)
        size += size_of_keys(walk, keys);
    return size;
}

/* PyODictObject: the table of nodes at 64, its length at 72; a node is 32 bytes. */
uint64_t size_ordered_dict(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t size = size_sum(walk, size_dict(walk), walk_u64(walk, 72), 8);
    if (!walk_u64(walk, layout_get(layout, PY_odict_first)))
        return size;
    return size_sum(walk, size, walk_field(walk, PY_dict_used), 32);
}

/* ---- others */

uint64_t size_deque(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t length = layout_get(layout, PY_deque_block_length);
    uint64_t used = walk_field(walk, PY_deque_left_index) + walk_field(walk, PY_var_size);
    return size_sum(walk, walk->plan->basicsize, used / length + (used % length != 0),
                    layout_get(layout, PY_deque_block_right) + 8);
}

static uint64_t cached_keys_size(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t keys_addr = walk_field(walk, PY_heaptype_cached_keys);
    const uint8_t *keys =
        keys_addr ? walk_view(walk, keys_addr, layout_get(layout, PY_keys_indices)) : NULL;
    return keys ? size_of_keys(walk, keys) : 0;
}

/* A static type takes no part in garbage collection; up to 3.12, sys.getsizeof adds
 * the header that it does not have. */
uint64_t size_type(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t heap = layout_or(layout, PY_constant_tpflags_heaptype, 0);
    if (walk_field(walk, PY_type_flags) & heap)
        return layout_get(layout, PY_heaptype_size) + cached_keys_size(walk);
    uint64_t size = layout_get(layout, PY_type_size);
    bool has_header = layout_minor(layout) == 11 || layout_minor(layout) == 12;
    return has_header ? size : size - walk->plan->header_size;
}

/* Up to 3.10: cells of arguments, and the cache of names that were looked up. */
static uint64_t old_code_parts(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t size = 0, items_addr, count;
    uint64_t cells_addr = walk_field(walk, PY_code_cellvars);
    uint64_t bytes_addr = walk_field(walk, PY_code_code);
    int64_t code_bytes;
    if (walk_field(walk, PY_code_cell2arg) && cells_addr &&
        tuple_items_raw(walk->process, cells_addr, &items_addr, &count) == STATUS_OK)
        size = size_sum(walk, size, count, 8);
    if (!walk_field(walk, PY_code_opcache))
        return size;
    if (object_size(walk->process, bytes_addr, &code_bytes) == STATUS_OK && code_bytes > 0)
        size = size_sum(walk, size, (uint64_t)code_bytes / 2, 1);
    uint8_t entries = 0;
    if (field_u8(walk->process, walk->addr, PY_code_opcache_count, &entries) != STATUS_OK)
        walk_fail(walk, STATUS_NOT_IN_DUMP);
    return size + entries * layout_get(layout, PY_code_opcache_size);
}

uint64_t size_code(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t size = size_default(walk), extra_addr = walk_field(walk, PY_code_extra);
    if (layout_has(layout, PY_code_code))
        size += old_code_parts(walk);
    else
        size = (size + 7) & ~UINT64_C(7);
    if (extra_addr)
        size = size_sum(walk, size + 8, walk_read(walk, extra_addr), 8);
    return size;
}
