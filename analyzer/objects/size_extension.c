/* SPDX-License-Identifier: Apache-2.0 */
/* What __sizeof__ of extension modules' types returns. Offsets within the object:
 *
 * array.array             24 items, 32 how many allocated; 40 pointer to: 4 bytes an item (int)
 * _io.BytesIO             16 a bytes object, which counts where nobody shares it
 * _io.Buffered…           56 pointer to a buffer; 120 its length
 * bytearray               56 from 3.15 on a bytes object
 * _pickle.Pickler         16 pointer to the memo: 16 entries, 24 pointer to them; a bytes
 *                         object at output_at
 * _pickle.Unpickler       24 memo, 32 its length; the line at hand; behind the method read:
 *                         40 encoding, 48 errors, 56 marks, 72 room for them
 * _queue.SimpleQueue      40 pointer to the ring, 48 its length, 3.13 on
 * _struct.Struct          32 pointer to codes of 32 bytes, ended by one that begins with 0
 * decimal.Decimal         24 flags (int), 56 words allocated
 * itertools.product       16 a tuple of pools
 * itertools.combinations  24 pointer to the numbers chosen, 40 how many
 * itertools.permutations  16 a tuple, 32 pointer to the numbers chosen, 48 how many
 * Element                 40 pointer to: 16 children allocated, 24 pointer to them, 32 room
 * ctypes' types           a struct behind the type: see ctypes_parts */
#include "analyzer/objects/references_plan.h"

#define BYTES_IO_BUFFER   16
#define BYTEARRAY_3_15    64 /* bytes; earlier ones had their content in memory of C */
#define BYTEARRAY_BYTES   56
#define COUNT_MAX         (UINT64_C(1) << 32)
#define TEXT_MAX          (1u << 20)
#define DECIMAL_NOT_OURS  0xE0 /* MPD_STATIC_DATA, SHARED_DATA, CONST_DATA */
#define ELEMENT_EXTRA     64
#define FORMAT_CODE       32
#define FORMAT_CODES_MAX  (1u << 20)
#define CTYPES_DICT_EXTRA 144 /* StgDictObject less PyDictObject: counted twice */

uint64_t size_array(struct object_walk *walk)
{
    uint32_t item_size;
    uint64_t description_addr = walk_u64(walk, 40);
    if (memory_read_u32(walk->process->image, description_addr + 4, &item_size) != STATUS_OK) {
        walk_fail(walk, STATUS_NOT_IN_DUMP);
        return walk->plan->basicsize;
    }
    return size_block(walk, walk->plan->basicsize, walk_u64(walk, 24), walk_u64(walk, 32),
                      item_size);
}

/* What sys.getsizeof returns for a bytes object. */
static uint64_t bytes_size(struct object_walk *walk, uint64_t bytes_addr)
{
    int64_t length = 0;
    if (object_size(walk->process, bytes_addr, &length) != STATUS_OK || length < 0)
        walk_fail(walk, STATUS_NOT_IN_DUMP);
    return size_block(walk, layout_get(&walk->process->layout, PY_bytes_data) + 1, bytes_addr,
                      length < 0 ? 0 : (uint64_t)length, 1);
}

uint64_t size_bytes_io(struct object_walk *walk)
{
    uint64_t buffer_addr = walk_u64(walk, BYTES_IO_BUFFER);
    if (!buffer_addr || walk_read(walk, buffer_addr) != 1)
        return walk->plan->basicsize;
    return walk->plan->basicsize + bytes_size(walk, buffer_addr);
}

uint64_t size_buffered(struct object_walk *walk)
{
    uint64_t size = walk->plan->basicsize;
    uint64_t buffer_addr = walk_u64(walk, 56);
    return buffer_addr ? size_block(walk, size, buffer_addr, walk_u64(walk, 120), 1) : size;
}

static uint32_t pickler_output(const struct reference_plan *plan)
{
    return plan->row_basicsize == 144 ? 56 : 64;
}

uint64_t size_pickler(struct object_walk *walk)
{
    uint64_t size = walk->plan->basicsize, memo_addr = walk_u64(walk, 16);
    uint64_t output_addr = walk_u64(walk, pickler_output(walk->plan));
    if (memo_addr)
        size = size_block(walk, size + 32, walk_read(walk, memo_addr + 24),
                          walk_read(walk, memo_addr + 16), 16);
    return output_addr ? size + bytes_size(walk, output_addr) : size;
}

/* With the NUL; 0 where there is none. */
static uint64_t text_size(struct object_walk *walk, uint64_t text_addr)
{
    uint64_t there = 0;
    const uint8_t *text = text_addr ? memory_span(walk->process->image, text_addr, &there) : NULL;
    if (!text_addr)
        return 0;
    for (uint64_t i = 0; text && i < there && i < TEXT_MAX; i++)
        if (!text[i])
            return i + 1;
    walk_fail(walk, STATUS_NOT_IN_DUMP);
    return 0;
}

/* Where the line at hand and the method `read` are moved with the releases; what is
 * behind the latter did not. */
uint64_t size_unpickler(struct object_walk *walk)
{
    static const struct {
        uint16_t basicsize, line, read;
    } rows[] = {{272, 152, 184}, {264, 144, 176}, {296, 152, 200}, {304, 160, 208}};
    uint64_t size = walk->plan->basicsize, read = 0, line = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].basicsize == walk->plan->row_basicsize) {
            read = rows[i].read;
            line = rows[i].line;
        }
    }
    uint64_t memo_addr = walk_u64(walk, 24), marks_addr = walk_u64(walk, read + 56);
    if (memo_addr)
        size = size_block(walk, size, memo_addr, walk_u64(walk, 32), 8);
    if (marks_addr)
        size = size_block(walk, size, marks_addr, walk_u64(walk, read + 72), 8);
    size += text_size(walk, walk_u64(walk, line));
    size += text_size(walk, walk_u64(walk, read + 40));
    return size + text_size(walk, walk_u64(walk, read + 48));
}

uint64_t size_simple_queue(struct object_walk *walk)
{
    return size_block(walk, walk->plan->basicsize, walk_u64(walk, 40), walk_u64(walk, 48), 8);
}

uint64_t size_struct(struct object_walk *walk)
{
    uint64_t size = walk->plan->basicsize + FORMAT_CODE, code_addr = walk_u64(walk, 32);
    for (unsigned i = 0; code_addr && i < FORMAT_CODES_MAX; i++) {
        if (!walk_read(walk, code_addr + FORMAT_CODE * i))
            return size;
        size += FORMAT_CODE;
    }
    return size;
}

uint64_t size_decimal(struct object_walk *walk)
{
    const struct python_layout *layout = &walk->process->layout;
    uint64_t size = walk->plan->basicsize;
    if (walk_u32(walk, layout_get(layout, PY_decimal_flags)) & DECIMAL_NOT_OURS)
        return size;
    return size_block(walk, size, walk_field(walk, PY_decimal_words),
                      walk_u64(walk, layout_get(layout, PY_decimal_len) + 8), 8);
}

/* A bytearray from 3.15 on and a BytesIO are their bytes objects' only holders. */
uint32_t object_part_offset(struct python_process *process, const struct python_type *type)
{
    const struct reference_plan *plan = reference_plan_of(process, type);
    if (!plan)
        return 0;
    if (plan->size == size_bytes_io)
        return BYTES_IO_BUFFER;
    if (plan->size == size_pickler)
        return pickler_output(plan);
    return plan->size == size_bytearray && plan->row_basicsize == BYTEARRAY_3_15 ? BYTEARRAY_BYTES
                                                                                 : 0;
}

/* A number for each item of the tuple at 16. */
static uint64_t size_by_pool(struct object_walk *walk)
{
    uint64_t tuple_addr = walk_u64(walk, 16);
    int64_t length;
    if (!tuple_addr || object_size(walk->process, tuple_addr, &length) != STATUS_OK || length < 0)
        return walk->plan->basicsize;
    return size_block(walk, walk->plan->basicsize, tuple_addr, (uint64_t)length, 8);
}

uint64_t size_product(struct object_walk *walk)
{
    return size_by_pool(walk);
}

uint64_t size_combinations(struct object_walk *walk)
{
    return size_block(walk, walk->plan->basicsize, walk_u64(walk, 24), walk_u64(walk, 40), 8);
}

uint64_t size_permutations(struct object_walk *walk)
{
    return size_block(walk, size_by_pool(walk), walk_u64(walk, 32), walk_u64(walk, 48), 8);
}

uint64_t size_element(struct object_walk *walk)
{
    uint64_t size = walk->plan->basicsize, extra_addr = walk_u64(walk, 40);
    const uint8_t *extra = extra_addr ? walk_view(walk, extra_addr, ELEMENT_EXTRA) : NULL;
    if (!extra)
        return size;
    size += ELEMENT_EXTRA;
    if (load_u64(extra + 24) == extra_addr + 32)
        return size;
    return size_block(walk, size, load_u64(extra + 24), load_u64(extra + 16), 8);
}

/* ---- ctypes: what the interface of a C type takes beside it. */

struct ctypes_offsets {
    uint16_t length, elements, format, dimensions;
};

static uint64_t ctypes_parts(struct object_walk *walk, uint64_t size,
                             const struct ctypes_offsets *offsets)
{
    size += text_size(walk, walk_u64(walk, offsets->format));
    uint64_t elements_addr = walk_u64(walk, offsets->elements);
    if (elements_addr)
        size = size_block(walk, size + 8, elements_addr, walk_u64(walk, offsets->length), 8);
    return size_block(walk, size, walk_u64(walk, offsets->dimensions + 8),
                      walk_u32(walk, offsets->dimensions), 8);
}

/* 3.13 on: StgInfo follows the type. */
uint64_t size_ctypes_type(struct object_walk *walk)
{
    static const struct ctypes_offsets old = {952, 976, 1064, 1072}, new = {968, 992, 1088, 1096};
    return ctypes_parts(walk, size_default(walk), walk->plan->row_basicsize == 1088 ? &old : &new);
}

/* Up to 3.12: StgDict is the type's dictionary. */
uint64_t size_ctypes_dict(struct object_walk *walk)
{
    static const struct ctypes_offsets offsets = {64, 88, 168, 176};
    return ctypes_parts(walk, size_dict(walk) + CTYPES_DICT_EXTRA, &offsets);
}
