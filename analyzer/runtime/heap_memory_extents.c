/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "analyzer/runtime/heap_memory_parts.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/cycle_guard.h"
#include "inquest/base/limits.h"

#define PAGE_BYTES 4096

struct finder {
    const struct python_process *process;
    struct extent_list *list;
    pool_array pools;
};

/* Cut to what the core has of it; nothing where that is no anonymous written memory. */
static enum status add_extent(struct finder *finder, struct extent extent)
{
    const struct core_segment *segment =
        core_find_segment(memory_image_core(finder->process->image), extent.start);
    if (!segment || segment->mapping != CORE_NO_INDEX || !(segment->flags & 2) ||
        extent.start - segment->address >= segment->stored)
        return STATUS_OK;
    extent.end = min_u64(extent.end, segment->address + segment->stored);
    if (extent.end <= extent.start)
        return STATUS_OK;
    return array_push(&finder->list->extents, extent) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- pymalloc */

static enum status take_pool(void *context, const struct pool *pool)
{
    struct finder *finder = context;
    return array_push(&finder->pools, pool->addr) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status add_arenas(struct finder *finder)
{
    const struct python_process *process = finder->process;
    struct pool_totals totals;
    enum status status = pools_visit(process, take_pool, finder, &totals);
    uint64_t table_addr = status == STATUS_OK ? arena_table_find(process, &finder->pools) : 0;
    uint64_t end = 0;
    for (size_t i = 0; i < finder->pools.count && status == STATUS_OK; i++) {
        uint64_t addr = finder->pools.items[i];
        struct extent extent = {addr, addr + pool_size(process), EXTENT_POOL, 0};
        if (addr < end)
            continue;
        if (table_addr && arena_of_pool(process, table_addr, addr, &extent.start, &extent.end))
            extent.kind = EXTENT_ARENA;
        end = extent.end;
        status = add_extent(finder, extent);
    }
    return status;
}

/* ---- malloc */

static enum status add_heaps(struct finder *finder, const struct malloc_map *map)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < map->heaps.count && status == STATUS_OK; i++) {
        const struct malloc_heap *heap = &map->heaps.items[i];
        uint64_t end = heap->end == heap->size_end ? heap->area_end : heap->end;
        status = add_extent(finder, (struct extent){heap->start, end, EXTENT_MALLOC, i});
    }
    return status;
}

/* ---- stacks of Python frames, 3.11 on */

static enum status add_thread_chunks(struct finder *finder, uint64_t thread_addr)
{
    const struct python_process *process = finder->process;
    struct cycle_guard guard = {0};
    uint64_t addr, size, previous;
    enum status status = STATUS_OK;
    if (object_pointer(process, thread_addr, PY_thread_datastack_chunk, &addr) != STATUS_OK)
        return STATUS_OK;
    while (addr && !(addr % PAGE_BYTES) && status == STATUS_OK && cycle_guard_step(&guard, addr) &&
           object_pointer(process, addr, PY_stackchunk_size, &size) == STATUS_OK &&
           size <= UINT32_MAX &&
           object_pointer(process, addr, PY_stackchunk_previous, &previous) == STATUS_OK) {
        status = add_extent(finder, (struct extent){addr, addr + size, EXTENT_FRAMES, 0});
        addr = previous;
    }
    return status;
}

static enum status add_frames(struct finder *finder)
{
    const struct python_process *process = finder->process;
    const struct python_layout *layout = &process->layout;
    struct cycle_guard guard = {0};
    uint64_t thread_addr;
    enum status status = STATUS_OK;
    if (!layout_has(layout, PY_thread_datastack_chunk) || !layout_has(layout, PY_stackchunk_size) ||
        object_pointer(process, process->interp_addr, PY_interp_threads_head, &thread_addr) !=
            STATUS_OK)
        return STATUS_OK;
    for (unsigned i = 0; thread_addr && i < LIMIT_THREADS && status == STATUS_OK &&
                         cycle_guard_step(&guard, thread_addr);
         i++) {
        status = add_thread_chunks(finder, thread_addr);
        if (object_pointer(process, thread_addr, PY_thread_next, &thread_addr) != STATUS_OK)
            break;
    }
    return status;
}

/* ---- one list */

static int compare_extents(const void *left, const void *right)
{
    const struct extent *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

/* Of two that overlap, which only damage or chance brings about, the kind that proves
 * itself better stays: the earlier in enum extent_kind. */
static void separate(struct extent_list *list)
{
    size_t kept = 0;
    if (list->extents.count)
        qsort(list->extents.items, list->extents.count, sizeof *list->extents.items,
              compare_extents);
    for (size_t i = 0; i < list->extents.count; i++) {
        struct extent extent = list->extents.items[i];
        while (kept && list->extents.items[kept - 1].end > extent.start &&
               extent.kind < list->extents.items[kept - 1].kind)
            kept--;
        if (!kept || list->extents.items[kept - 1].end <= extent.start)
            list->extents.items[kept++] = extent;
    }
    list->extents.count = kept;
    for (size_t i = 0; i < kept; i++) {
        list->arenas += list->extents.items[i].kind == EXTENT_ARENA;
        list->lone_pools += list->extents.items[i].kind == EXTENT_POOL;
    }
}

enum status extents_find(const struct python_process *process, const struct malloc_map *map,
                         struct extent_list *ret_list)
{
    struct extent_list list = {0};
    struct finder finder = {.process = process, .list = &list};
    enum status status = add_heaps(&finder, map);
    if (status == STATUS_OK)
        status = add_frames(&finder);
    if (status == STATUS_OK)
        status = add_arenas(&finder);
    array_deinit(&finder.pools);
    if (status == STATUS_OK) {
        separate(&list);
        *ret_list = list;
    } else {
        array_deinit(&list.extents);
    }
    return status;
}
