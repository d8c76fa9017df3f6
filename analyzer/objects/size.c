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

uint64_t size_block(struct object_walk *walk, uint64_t base, uint64_t block_addr, uint64_t count,
                    uint64_t size)
{
    uint64_t total = size_sum(walk, base, count, size);
    if (total - base <= SIZE_BELIEVED ||
        memory_is_writable_all(walk->process->image, block_addr, total - base))
        return total;
    walk_fail(walk, STATUS_CORRUPT);
    return base;
}

/* Of a tuple or bytes object, the heap looks itself: without its memory it is none. */
uint64_t size_default(struct object_walk *walk)
{
    const struct reference_plan *plan = walk->plan;
    if (!plan->itemsize)
        return plan->basicsize;
    uint64_t count = walk_field(walk, PY_var_size);
    if (plan->type->kind == KIND_TUPLE || plan->type->kind == KIND_BYTES)
        return size_sum(walk, plan->basicsize, count, plan->itemsize);
    return size_block(walk, plan->basicsize, walk->addr + plan->basicsize, count, plan->itemsize);
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
    uint64_t base = layout_get(layout, PY_long_digits);
    if (walk->plan->type->kind == KIND_INT) /* see size_default */
        return size_sum(walk, base, digits, walk->plan->itemsize);
    return size_block(walk, base, walk->addr + base, digits, walk->plan->itemsize);
}

/* Text in UTF-8 and, up to 3.11, of wchar_t counts where it is kept apart. */
static uint64_t other_forms(struct object_walk *walk, uint64_t size, uint64_t data_addr,
                            bool is_ascii_compact, bool is_compact, uint64_t length)
{
    uint64_t wide_addr = walk_field(walk, PY_unicode_wstr);
    if (!is_ascii_compact) {
        uint64_t utf8_addr = walk_field(walk, PY_unicode_utf8);
        if (utf8_addr && (is_compact || utf8_addr != data_addr))
            size =
                size_block(walk, size, utf8_addr, walk_field(walk, PY_unicode_utf8_length) + 1, 1);
    }
    if (!wide_addr || wide_addr == data_addr)
        return size;
    uint64_t wide_length = is_ascii_compact ? length : walk_field(walk, PY_unicode_wstr_length);
    return size_block(walk, size, wide_addr, wide_length + 1, 4);
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
    uint64_t size = base;
    if (kind && is_compact)
        size = size_sum(walk, base, length + 1, kind); /* see size_default */
    else if (kind)
        size = size_block(walk, base, data_addr, length + 1, kind);
    return other_forms(walk, size, data_addr, is_compact && is_ascii, is_compact, length);
}

/* From 3.15 on, its bytes are in a bytes object of its own. */
uint64_t size_bytearray(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t room = walk_field(walk, PY_bytearray_alloc), size = walk->plan->basicsize;
    if (room && layout_minor(layout) >= 15)
        size += layout_get(layout, PY_bytes_data) + 1;
    /* ob_bytes, in front of it, is the block's beginning */
    uint64_t block_addr = walk_u64(walk, layout_get(layout, PY_bytearray_start) - 8);
    return size_block(walk, size, block_addr, room, 1);
}

uint64_t size_list(struct object_walk *walk)
{
    return size_block(walk, walk->plan->basicsize, walk_field(walk, PY_list_items),
                      walk_field(walk, PY_list_allocated), 8);
}

/* A small set's table is within it. */
uint64_t size_set(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t table_addr = walk_field(walk, PY_set_table);
    if (table_addr - walk->addr < walk->plan->basicsize)
        return walk->plan->basicsize;
    return size_block(walk, walk->plan->basicsize, table_addr, walk_field(walk, PY_set_mask) + 1,
                      layout_get(layout, PY_set_entry_size));
}

/* ---- dict: keys count where no other dict shares them */

#define USABLE(slots) ((slots)*2 / 3)

static uint64_t size_of_keys(struct object_walk *walk, uint64_t keys_addr, const uint8_t *keys)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t base = layout_get(layout, PY_keys_indices);
    if (!layout_has(layout, PY_keys_kind)) {
        uint64_t slots = load_u64(keys + layout_get(layout, PY_keys_size_or_log2));
        uint64_t width = slots <= 0xFF ? 1 : slots <= 0xFFFF ? 2 : slots <= 0xFFFFFFFF ? 4 : 8;
        slots = min_u64(slots, SIZE_MAX_BYTES);
        base = size_block(walk, base, keys_addr, slots, width);
        return size_block(walk, base, keys_addr + base, USABLE(slots),
                          layout_get(layout, PY_keys_entry_size));
    }
    bool is_general = keys[layout_get(layout, PY_keys_kind)] == 0;
    uint8_t log2_slots = keys[layout_get(layout, PY_keys_size_or_log2)];
    uint8_t log2_bytes = keys[layout_get(layout, PY_keys_log2_index_bytes)];
    if (log2_slots > 40 || log2_bytes > 44) {
        walk_fail(walk, STATUS_CORRUPT);
        return base;
    }
    base = size_block(walk, base, keys_addr, UINT64_C(1) << log2_bytes, 1);
    return size_block(
        walk, base, keys_addr + base, USABLE(UINT64_C(1) << log2_slots),
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
    uint64_t size = walk->plan->basicsize, keys_addr = walk_field(walk, PY_dict_keys);
    uint64_t values_addr = walk_field(walk, PY_dict_values);
    const uint8_t *keys = walk_view(walk, keys_addr, layout_get(layout, PY_keys_indices));
    if (!keys)
        return size;
    if (values_addr)
        size = size_block(walk, size, values_addr, value_count(walk, keys), 8);
    if (load_u64(keys + layout_get(layout, PY_keys_refcnt)) == 1)
        size += size_of_keys(walk, keys_addr, keys);
    return size;
}

/* PyODictObject: the table of nodes at 64, its length at 72; a node is 32 bytes. */
uint64_t size_ordered_dict(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    struct dict_entries entries;
    uint64_t used = walk_field(walk, PY_dict_used);
    uint64_t size = size_block(walk, size_dict(walk), walk_u64(walk, 64), walk_u64(walk, 72), 8);
    if (!walk_u64(walk, layout_get(layout, PY_odict_first)) || walk->status != STATUS_OK)
        return size;
    if (dict_entries_read(walk->process, walk_field(walk, PY_dict_keys), &entries) == STATUS_OK &&
        used <= entries.count)
        return size_sum(walk, size, used, 32);
    walk_fail(walk, STATUS_CORRUPT);
    return size;
}

/* ---- others */

uint64_t size_deque(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t length = layout_get(layout, PY_deque_block_length);
    uint64_t used = walk_field(walk, PY_deque_left_index) + walk_field(walk, PY_var_size);
    if (walk->status != STATUS_OK) /* blocks are missing */
        return walk->plan->basicsize;
    return size_sum(walk, walk->plan->basicsize, used / length + (used % length != 0),
                    layout_get(layout, PY_deque_block_right) + 8);
}

static uint64_t cached_keys_size(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t keys_addr = walk_field(walk, PY_heaptype_cached_keys);
    const uint8_t *keys =
        keys_addr ? walk_view(walk, keys_addr, layout_get(layout, PY_keys_indices)) : NULL;
    return keys ? size_of_keys(walk, keys_addr, keys) : 0;
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
        size = size_block(walk, size, items_addr, count, 8);
    if (!walk_field(walk, PY_code_opcache))
        return size;
    if (object_size(walk->process, bytes_addr, &code_bytes) == STATUS_OK && code_bytes > 0)
        size = size_block(walk, size, bytes_addr, (uint64_t)code_bytes / 2, 1);
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
        size = size_block(walk, size + 8, extra_addr, walk_read(walk, extra_addr), 8);
    return size;
}
