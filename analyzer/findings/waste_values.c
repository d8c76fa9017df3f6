/* SPDX-License-Identifier: Apache-2.0 */
/* Values are hashed and compared where they lie in the core, never copied.
 *
 * OFFSET (layout)        SIZE  MEANING
 * float_value            8     of a float; complex_value: 16 of a complex
 * (object_size)          -     of an int: length and digits, to its end */
#include <string.h>

#include "analyzer/findings/value_hash.h"
#include "analyzer/findings/waste_pass.h"
#include "analyzer/objects/fields.h"
#include "inquest/base/checked_math.h"

#define NESTED_DEPTH 2   /* tuples within tuples whose values are looked at */
#define NESTED_ITEMS 8   /* of such a one */
#define ITEM_BYTES   128 /* of an item's value, at each end: its hash may cost no more */

struct value_bytes {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t tag; /* what else makes the value: length, kind of characters */
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b | 1);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(const struct waste_values *values, uint64_t hash, const uint8_t *bytes,
                           uint64_t size)
{
    for (; size >= 8; bytes += 8, size -= 8)
        hash = mix(hash ^ load_u64(bytes), values->seed[1]);
    return mix(hash ^ value_tail(bytes, size), values->seed[1] + size);
}

/* ---- the bytes of a value */

static bool bytes_of_str(const struct python_process *process, uint64_t addr,
                         struct value_bytes *ret_value)
{
    const struct python_layout *layout = &process->layout;
    uint64_t there, header = layout_get(layout, PY_unicode_compact_header_size), data_addr;
    const uint8_t *object = memory_span(process->image, addr, &there);
    if (!object || there < layout_get(layout, PY_unicode_ascii_header_size))
        return false;
    uint64_t length = load_u64(object + layout_get(layout, PY_unicode_length));
    uint32_t state = load_u32(object + layout_get(layout, PY_unicode_state));
    uint64_t kind = state >> layout_get(layout, PY_unicode_kind_shift) &
                    layout_get(layout, PY_unicode_kind_mask);
    bool is_ascii = state >> layout_get(layout, PY_unicode_ascii_shift) & 1;
    if ((kind != 1 && kind != 2 && kind != 4) || length > UINT64_MAX / 16)
        return false;
    ret_value->size = length * kind;
    ret_value->tag = length << 3 | kind;
    if (!(state >> layout_get(layout, PY_unicode_compact_shift) & 1)) {
        if (field_u64(process, addr, PY_unicode_data_any, &data_addr) != STATUS_OK)
            return false;
        ret_value->bytes = view_at(process, data_addr, ret_value->size);
        return ret_value->bytes != NULL;
    }
    if (is_ascii)
        header = layout_get(layout, PY_unicode_ascii_header_size);
    if (header <= there && ret_value->size <= there - header)
        ret_value->bytes = object + header;
    else
        ret_value->bytes = view_at(process, addr + header, ret_value->size);
    return ret_value->bytes != NULL;
}

static bool bytes_of_bytes(const struct python_process *process, uint64_t addr,
                           struct value_bytes *ret_value)
{
    uint64_t there, header = layout_get(&process->layout, PY_bytes_data);
    const uint8_t *object = memory_span(process->image, addr, &there);
    if (!object || there < header)
        return false;
    ret_value->size = ret_value->tag = load_u64(object + layout_get(&process->layout, PY_var_size));
    ret_value->bytes = ret_value->size <= there - header
                           ? object + header
                           : view_at(process, addr + header, ret_value->size);
    return ret_value->bytes != NULL;
}

/* False also for what has no value apart from itself. */
static bool bytes_of_value(const struct waste_values *values, uint32_t object,
                           struct value_bytes *ret_value)
{
    const struct python_process *process = values->heap->process;
    const struct python_layout *layout = &process->layout;
    const struct python_type *type = heap_type(values->heap, object);
    uint64_t addr = heap_address(values->heap, object), size = heap_size(values->heap, object);
    uint64_t header = layout_get(layout, PY_object_size);
    if (!type->is_exact_kind)
        return false;
    *ret_value = (struct value_bytes){.tag = type->kind};
    switch (type->kind) {
    case KIND_STR: return bytes_of_str(process, addr, ret_value);
    case KIND_BYTES: return bytes_of_bytes(process, addr, ret_value);
    case KIND_FLOAT:
        ret_value->size = 8;
        ret_value->bytes = view_at(process, addr + layout_get(layout, PY_float_value), 8);
        break;
    case KIND_COMPLEX:
        ret_value->size = 16;
        ret_value->bytes = view_at(process, addr + layout_get(layout, PY_complex_value), 16);
        break;
    case KIND_INT:
        if (size < header)
            return false;
        ret_value->size = size - header;
        ret_value->bytes = view_at(process, addr + header, ret_value->size);
        break;
    default: return false;
    }
    return ret_value->bytes != NULL;
}

/* ---- tuples: their items are references with an index */

struct tuple_items {
    const uint32_t *targets;
    const uint32_t *labels;
    uint64_t count;
};

/* False where items are missing in the core. */
static bool items_of(const struct heap *heap, uint32_t object, struct tuple_items *ret_items)
{
    const struct graph *references = &heap->references;
    uint64_t first = graph_first(references, object), end = graph_end(references, object);
    int64_t size;
    if (object_size(heap->process, heap_address(heap, object), &size) != STATUS_OK || size < 0)
        return false;
    while (first < end && !(heap->label[first] & HEAP_LABEL_INDEX))
        first++;
    while (end > first && !(heap->label[end - 1] & HEAP_LABEL_INDEX))
        end--;
    *ret_items =
        (struct tuple_items){references->targets + first, heap->label + first, end - first};
    return ret_items->count == (uint64_t)size;
}

static bool is_tuple(const struct heap *heap, uint32_t object)
{
    const struct python_type *type = heap_type(heap, object);
    return type->kind == KIND_TUPLE && type->is_exact_kind;
}

static uint64_t hash_tuple(const struct waste_values *values, uint32_t object,
                           const struct tuple_items *items, unsigned depth);

static uint64_t hash_item(const struct waste_values *values, uint32_t object, unsigned depth)
{
    struct value_bytes value;
    struct tuple_items items;
    if (is_tuple(values->heap, object)) {
        if (depth && items_of(values->heap, object, &items) && items.count <= NESTED_ITEMS)
            return hash_tuple(values, object, &items, depth - 1);
    } else if (bytes_of_value(values, object, &value)) {
        uint64_t end = min_u64(value.size, ITEM_BYTES);
        uint64_t hash = mix(values->seed[0] ^ value.tag, value.size + values->seed[1]);
        hash = hash_bytes(values, hash, value.bytes, end);
        return value.size == end ? hash
                                 : hash_bytes(values, hash, value.bytes + value.size - end, end);
    }
    return mix(values->seed[0] + object, values->seed[1]);
}

static uint64_t hash_tuple(const struct waste_values *values, uint32_t object,
                           const struct tuple_items *items, unsigned depth)
{
    uint64_t hash = mix(values->seed[0] ^ values->heap->type[object], items->count + 1);
    for (uint64_t i = 0; i < items->count; i++)
        hash = mix(hash ^ hash_item(values, items->targets[i], depth), values->seed[1] + i);
    return hash;
}

static bool tuples_equal(const struct waste_values *values, uint32_t left, uint32_t right,
                         unsigned depth);

static bool items_equal(const struct waste_values *values, uint32_t left, uint32_t right,
                        unsigned depth)
{
    struct value_bytes a, b;
    if (left == right)
        return true;
    if (values->heap->type[left] != values->heap->type[right])
        return false;
    if (is_tuple(values->heap, left))
        return depth && tuples_equal(values, left, right, depth - 1);
    return bytes_of_value(values, left, &a) && bytes_of_value(values, right, &b) &&
           a.tag == b.tag && a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
}

/* The outermost may be of any length, those within NESTED_ITEMS at most. */
static bool tuples_equal(const struct waste_values *values, uint32_t left, uint32_t right,
                         unsigned depth)
{
    struct tuple_items a, b;
    if (!items_of(values->heap, left, &a) || !items_of(values->heap, right, &b) ||
        a.count != b.count || (depth < NESTED_DEPTH && a.count > NESTED_ITEMS))
        return false;
    for (uint64_t i = 0; i < a.count; i++)
        if (!items_equal(values, a.targets[i], b.targets[i], depth))
            return false;
    return true;
}

bool value_hash(const struct waste_values *values, uint32_t object, uint64_t *ret_hash)
{
    struct value_bytes value;
    struct tuple_items items;
    if (is_tuple(values->heap, object)) {
        if (!items_of(values->heap, object, &items))
            return false;
        *ret_hash = hash_tuple(values, object, &items, NESTED_DEPTH);
        return true;
    }
    if (!bytes_of_value(values, object, &value))
        return false;
    uint64_t hash = mix(values->seed[0] ^ value.tag, values->heap->type[object] + UINT64_C(1));
    *ret_hash = hash_bytes(values, hash, value.bytes, value.size);
    return true;
}

bool values_equal(const struct waste_values *values, uint32_t left, uint32_t right)
{
    if (values->heap->type[left] != values->heap->type[right])
        return false;
    return is_tuple(values->heap, left) ? tuples_equal(values, left, right, NESTED_DEPTH)
                                        : items_equal(values, left, right, 0);
}
