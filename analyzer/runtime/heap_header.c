/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector keeps in front of an object (Include/internal/pycore_gc.h).
 *
 * OFFSET SIZE MEANING
 *      0    8 next: 0 while the object is on no list; flags in the low bits
 *      8    8 prev: of an object on no list at most its flags; while the collector runs,
 *             a count of references */
#include "analyzer/objects/fields.h"
#include "analyzer/runtime/heap_block.h"
#include "analyzer/runtime/heap_find.h"

#define FLAGS UINT64_C(3)

static bool is_collecting(const struct python_process *process)
{
    const struct python_layout *layout = &process->layout;
    uint32_t collecting;
    uint64_t gc_addr = layout_has(layout, PY_interp_gc)
                           ? process->interp_addr + layout_get(layout, PY_interp_gc)
                       : layout_has(layout, PY_runtime_gc)
                           ? process->runtime_addr + layout_get(layout, PY_runtime_gc)
                           : 0;
    return gc_addr && layout_has(layout, PY_gc_collecting) &&
           field_u32(process, gc_addr, PY_gc_collecting, &collecting) == STATUS_OK && collecting;
}

bool object_header_agrees(const struct python_process *process, uint64_t addr,
                          const struct python_type *type)
{
    const struct python_layout *layout = &process->layout;
    uint64_t next, prev, back, head = addr - layout_or(layout, PY_gc_head_size, 0);
    /* a static type has none */
    if (!(type->flags & layout_get(layout, PY_constant_tpflags_have_gc)) ||
        type->kind == KIND_TYPE || head == addr)
        return true;
    if (pointer_at(process, head, &next) != STATUS_OK ||
        pointer_at(process, head + 8, &prev) != STATUS_OK)
        return false;
    if (!(next & ~FLAGS))
        return prev <= FLAGS || is_collecting(process);
    if (pointer_at(process, (next & ~FLAGS) + 8, &back) == STATUS_OK && (back & ~FLAGS) == head)
        return true;
    return is_collecting(process);
}

/* A bytearray's bytes are elsewhere, all of them in one piece. */
static bool has_content(const struct python_process *process, uint64_t addr)
{
    uint64_t bytes, start_addr, room;
    if (object_pointer(process, addr, PY_bytearray_alloc, &bytes) != STATUS_OK ||
        object_pointer(process, addr, PY_bytearray_start, &start_addr) != STATUS_OK)
        return false;
    return !bytes || (memory_span(process->image, start_addr, &room) && bytes <= room);
}

bool object_fits_memory(const struct python_process *process, uint64_t addr,
                        const struct python_type *type)
{
    struct block_need need = block_need_of(process, type);
    struct dict_iterator iterator;
    uint64_t room;
    const uint8_t *bytes = memory_span(process->image, addr, &room);
    if (type->itemsize > 0 && !need.is_int && !need.is_str && type->kind != KIND_TYPE)
        need.items_from = need.least_bytes;
    if (bytes && !block_holds(process, &need, bytes, room))
        return false;
    if (type->kind == KIND_BYTEARRAY && !has_content(process, addr))
        return false;
    return type->kind != KIND_DICT || dict_iterate_raw(process, addr, &iterator) != STATUS_CORRUPT;
}
