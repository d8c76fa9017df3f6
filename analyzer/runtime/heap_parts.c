/* SPDX-License-Identifier: Apache-2.0 */
/* sys.getsizeof of a bytearray (from 3.15 on), an io.BytesIO or a Pickler counts the bytes
 * object that it keeps its content in, which is an object of the heap too. In sums each
 * byte counts once, and that is with the bytes object. */
#include <stdlib.h>

#include "analyzer/objects/references.h"
#include "analyzer/runtime/heap_build.h"
#include "inquest/base/partition_point.h"

static enum status take_part(struct heap *heap, uint32_t object, uint32_t offset)
{
    uint64_t part_addr, size = heap_size(heap, object);
    uint32_t held;
    if (memory_read_u64(heap->process->image, heap_address(heap, object) + offset, &part_addr) !=
            STATUS_OK ||
        !heap_map_id(heap->find.objects, part_addr, &held) || heap_refcount(heap, held) != 1)
        return STATUS_OK; /* what others hold as well was not counted */
    const struct heap_wide part = {object, heap_size(heap, held)};
    if (part.value >= size)
        return STATUS_OK;
    heap_column_lower(&heap->sizes, object, size - part.value);
    return array_push(&heap->parts, part) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Of each type the offset of the word that leads to the part. */
static enum status find_offsets(const struct heap *heap, uint32_t *offsets, bool *ret_any)
{
    for (size_t i = 0; i < heap->types.count; i++) {
        if (references_prepare(heap->process, heap->types.items[i]) != STATUS_OK)
            return STATUS_NO_MEMORY;
        offsets[i] = object_part_offset(heap->process, heap->types.items[i]);
        *ret_any |= offsets[i] != 0;
    }
    return STATUS_OK;
}

enum status heap_parts_find(struct heap *heap)
{
    uint32_t *offsets = calloc(heap->types.count + 1, sizeof *offsets);
    bool any = false;
    enum status status = offsets ? find_offsets(heap, offsets, &any) : STATUS_NO_MEMORY;
    for (uint32_t object = 0; any && object < heap->count && status == STATUS_OK; object++)
        if (offsets[heap->type[object]])
            status = take_part(heap, object, offsets[heap->type[object]]);
    free(offsets);
    return status;
}

uint64_t heap_getsizeof(const struct heap *heap, uint32_t object)
{
    const struct heap_wide *parts = heap->parts.items;
    size_t at;
    PARTITION_POINT(at, heap->parts.count, parts[at].object < object);
    bool has_part = at < heap->parts.count && parts[at].object == object;
    return heap_size(heap, object) + (has_part ? parts[at].value : 0);
}
