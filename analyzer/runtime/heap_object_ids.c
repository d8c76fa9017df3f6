/* SPDX-License-Identifier: Apache-2.0 */
/* Which objects of the heap the rows of the stacks tell of. A frame of 3.8 to 3.10 is an
 * object; from 3.11 on it is C memory, and has an object only where somebody asked for one. */
#include "analyzer/objects/fields.h"
#include "analyzer/runtime/heap_facts.h"

static uint32_t object_at(const void *context, uint64_t addr)
{
    const struct heap *heap = context;
    uint32_t object;
    return heap_map_id(heap->find.objects, addr, &object) ? object + 1 : 0;
}

static uint32_t frame_object_at(const void *context, uint64_t addr)
{
    const struct heap *heap = context;
    uint64_t object_addr = addr;
    if (layout_has(&heap->process->layout, PY_iframe_object) &&
        object_pointer(heap->process, addr, PY_iframe_object, &object_addr) != STATUS_OK)
        return 0;
    return object_at(context, object_addr);
}

enum status heap_object_ids_write(const struct heap *heap, struct index_writer *writer,
                                  struct error *err)
{
    static const struct {
        enum index_table table;
        index_object_id find;
    } tables[] = {
        {INDEX_LOCAL, object_at},       {INDEX_EXCEPTION, object_at},
        {INDEX_TASK, object_at},        {INDEX_CONTEXT_VARIABLE, object_at},
        {INDEX_FRAME, frame_object_at}, {INDEX_TASK_FRAME, frame_object_at},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && status == STATUS_OK; i++)
        status = index_writer_object_ids(writer, tables[i].table, tables[i].find, heap, err);
    return status;
}
