/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_find.h"

#include "inquest/base/bytes_reader.h"
#include "inquest/base/limits.h"
#include "inquest/base/progress.h"

#define GENERATIONS       3
#define LINK_MASK         (~UINT64_C(7)) /* the collector keeps flags in a link's low bits */
#define MINIMUM_ALIGNMENT 8

/* Above this no count is real: what stands there is a pointer or text. */
#define LARGEST_REFCOUNT (UINT64_C(1) << 40)

enum status object_refcount(const struct python_process *process, uint64_t addr,
                            uint64_t *ret_count)
{
    uint64_t word;
    enum status status = object_pointer(process, addr, PY_object_refcnt, &word);
    if (status != STATUS_OK)
        return status;
    unsigned minor = layout_minor(&process->layout);
    if (minor >= 14) { /* 32 bits of count, flags above; immortal from 3 << 30 on */
        word &= UINT32_MAX;
        *ret_count = word >= UINT32_C(0xC0000000) ? UINT64_MAX : word;
    } else if (minor >= 12) {
        *ret_count = (word & UINT32_MAX) == UINT32_MAX ? UINT64_MAX : word;
    } else {
        *ret_count = word;
    }
    return STATUS_OK;
}

const struct python_type *object_alive_at(struct python_process *process, uint64_t addr)
{
    const struct python_type *type;
    uint64_t count;
    if (addr % MINIMUM_ALIGNMENT || object_refcount(process, addr, &count) != STATUS_OK || !count ||
        (count > LARGEST_REFCOUNT && count != UINT64_MAX) ||
        object_type(process, addr, &type) != STATUS_OK)
        return NULL;
    return type;
}

uint64_t object_header_bytes(const struct python_process *process, const struct python_type *type)
{
    const struct python_layout *layout = &process->layout;
    uint64_t bytes = 0;
    if (!(type->flags & layout_get(layout, PY_constant_tpflags_have_gc)))
        return 0;
    bytes = layout_get(layout, PY_gc_head_size);
    if (layout_has(layout, PY_constant_tpflags_preheader) &&
        type->flags & layout_get(layout, PY_constant_tpflags_preheader))
        bytes += 16;
    return bytes;
}

/* ---- the collector's lists */

static uint64_t gc_address(const struct python_process *process)
{
    if (layout_has(&process->layout, PY_interp_gc))
        return process->interp_addr + layout_get(&process->layout, PY_interp_gc);
    if (layout_has(&process->layout, PY_runtime_gc))
        return process->runtime_addr + layout_get(&process->layout, PY_runtime_gc);
    return 0;
}

/* A ring of headers around `head_addr`, each in front of its object. */
static enum status walk_ring(struct python_process *process, uint64_t head_addr,
                             struct heap_find *find)
{
    uint64_t link, header_bytes = layout_get(&process->layout, PY_gc_head_size);
    enum status status = memory_read_u64(process->image, head_addr, &link);
    while (status == STATUS_OK && (link &= LINK_MASK) != head_addr && link) {
        uint64_t addr = link + header_bytes;
        if (!object_alive_at(process, addr) || !heap_map_add(find->tracked, addr)) {
            find->note = "a list of the garbage collector is damaged: it was followed up to there";
            return STATUS_OK;
        }
        heap_map_add(find->objects, addr);
        find->tracked_count++;
        status = memory_read_u64(process->image, link, &link);
    }
    if (status != STATUS_OK)
        find->note = "a list of the garbage collector runs into memory that the core lacks";
    return STATUS_OK;
}

static enum status walk_generations(struct python_process *process, struct heap_find *find)
{
    const struct python_layout *layout = &process->layout;
    uint64_t gc_addr = gc_address(process);
    enum status status = STATUS_OK;
    if (!gc_addr || !layout_has(layout, PY_gc_generations))
        return STATUS_OK;
    for (unsigned i = 0; i < GENERATIONS && status == STATUS_OK; i++)
        status = walk_ring(process,
                           gc_addr + layout_get(layout, PY_gc_generations) +
                               i * layout_get(layout, PY_gc_generation_size),
                           find);
    if (status == STATUS_OK && layout_has(layout, PY_gc_permanent))
        status = walk_ring(process, gc_addr + layout_get(layout, PY_gc_permanent), find);
    return status;
}

/* ---- pools */

struct pool_pass {
    struct python_process *process;
    struct heap_find *find;
    struct progress *progress;
};

/* An object begins its block, or follows the headers that its type calls for. */
static bool add_block_object(struct pool_pass *pass, uint64_t block_addr, uint32_t block_size)
{
    struct python_process *process = pass->process;
    for (uint64_t offset = 0; offset <= 32 && offset + 16 <= block_size; offset += 16) {
        const struct python_type *type = object_alive_at(process, block_addr + offset);
        if (!type || object_header_bytes(process, type) != offset || type->basicsize < 16 ||
            (uint64_t)type->basicsize > block_size - offset)
            continue;
        heap_map_add(pass->find->objects, block_addr + offset);
        return true;
    }
    return false;
}

static enum status find_in_pool(void *context, const struct pool *pool)
{
    struct pool_pass *pass = context;
    for (uint32_t block = 0; block < pool->block_count; block++) {
        if (!(pool->live[block / 64] >> (block & 63) & 1))
            continue;
        uint64_t addr = pool->addr + POOL_HEADER_BYTES + (uint64_t)block * pool->block_size;
        if (add_block_object(pass, addr, pool->block_size)) {
            pass->find->object_blocks++;
        } else {
            pass->find->other_blocks++;
            pass->find->other_bytes += pool->block_size;
        }
    }
    progress_update(pass->progress, "finding objects", "blocks",
                    pass->find->object_blocks + pass->find->other_blocks, 0);
    return STATUS_OK;
}

enum status heap_find_objects(struct python_process *process, struct progress *progress,
                              struct heap_find *ret_find)
{
    struct heap_find find = {0};
    struct pool_pass pass = {process, &find, progress};
    enum status status = heap_map_create(process->image, &find.objects);
    if (status == STATUS_OK)
        status = heap_map_create(process->image, &find.tracked);
    if (status == STATUS_OK)
        status = walk_generations(process, &find);
    if (status == STATUS_OK)
        status = pools_visit(process, find_in_pool, &pass, &find.pools);
    if (status == STATUS_OK)
        *ret_find = find;
    else
        heap_find_deinit(&find);
    return status;
}

void heap_find_deinit(struct heap_find *find)
{
    if (!find)
        return;
    heap_map_destroy(find->objects);
    heap_map_destroy(find->tracked);
    *find = (struct heap_find){0};
}
