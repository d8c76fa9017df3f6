/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_find.h"

#include <stdlib.h>

#include "inquest/base/bytes_reader.h"
#include "inquest/base/limits.h"
#include "inquest/base/progress.h"

#define GENERATIONS       3
#define LINK_MASK         (~UINT64_C(3)) /* the collector keeps flags in a link's low bits */
#define MINIMUM_ALIGNMENT 8
#define LEAST_ADDRESS     4096
#define PRE_HEADER_BYTES  16

/* Above this no count is real: what stands there is a pointer or text. */
#define LARGEST_REFCOUNT (UINT64_C(1) << 40)

/* 3.11's static objects begin at 999,999,999 and are counted up and down from there. */
#define STATIC_REFCOUNT_3_11 UINT64_C(500000000)

static uint64_t count_of_word(unsigned minor, uint64_t word)
{
    if (minor >= 14) { /* 32 bits of count, flags above; immortal from 3 << 30 on */
        word &= UINT32_MAX;
        return word >= UINT32_C(0xC0000000) ? UINT64_MAX : word;
    }
    if (minor >= 12)
        return (word & UINT32_MAX) == UINT32_MAX ? UINT64_MAX : word;
    if (minor == 11 && word >= STATIC_REFCOUNT_3_11 && word <= LARGEST_REFCOUNT)
        return UINT64_MAX;
    return word;
}

enum status object_refcount(const struct python_process *process, uint64_t addr,
                            uint64_t *ret_count)
{
    uint64_t word;
    enum status status = object_pointer(process, addr, PY_object_refcnt, &word);
    if (status == STATUS_OK)
        *ret_count = count_of_word(layout_minor(&process->layout), word);
    return status;
}

/* No object has more references than memory has words. */
static bool is_count(const struct python_process *process, uint64_t count)
{
    uint64_t most = process->most_references ? process->most_references : LARGEST_REFCOUNT;
    return count && (count <= most || count == UINT64_MAX);
}

const struct python_type *object_alive_at(struct python_process *process, uint64_t addr)
{
    const struct python_type *type;
    uint64_t count;
    if (addr % MINIMUM_ALIGNMENT || object_refcount(process, addr, &count) != STATUS_OK ||
        !is_count(process, count) || object_type(process, addr, &type) != STATUS_OK)
        return NULL;
    return type;
}

/* 3.11 has two words in front of an instance that has its dictionary managed; later
 * ones have a flag of their own for them. */
static enum python_field pre_header_flag(const struct python_layout *layout)
{
    return layout_has(layout, PY_constant_tpflags_preheader) ? PY_constant_tpflags_preheader
                                                             : PY_constant_tpflags_managed_dict;
}

uint64_t object_header_bytes(const struct python_process *process, const struct python_type *type)
{
    const struct python_layout *layout = &process->layout;
    enum python_field flag = pre_header_flag(layout);
    uint64_t bytes = 0;
    if (type->flags & layout_get(layout, PY_constant_tpflags_have_gc))
        bytes += layout_get(layout, PY_gc_head_size);
    if (layout_has(layout, flag) && type->flags & layout_get(layout, flag))
        bytes += PRE_HEADER_BYTES;
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

/* What a type's instances need of a block. NULL: no type stands at the address. */
struct known_type {
    uint64_t addr;
    const struct python_type *type;
    uint64_t header_bytes, least_bytes; /* before and from the object's address */
};

#define KNOWN_TYPES   4096 /* by address: a process has some hundreds */
#define OBJECT_BYTES  16   /* reference count and type */
#define HEADERS_BYTES 32   /* at most, before an object */

struct pool_pass {
    struct python_process *process;
    struct heap_find *find;
    struct progress *progress;
    unsigned minor;
    struct known_type known[KNOWN_TYPES];
};

/* A compact str is smaller than the struct of one that is not. */
static uint64_t least_bytes(const struct python_process *process, const struct python_type *type)
{
    if (type->kind == KIND_STR && type->is_exact_kind)
        return layout_get(&process->layout, PY_unicode_ascii_header_size);
    return type->basicsize < OBJECT_BYTES ? UINT64_MAX : (uint64_t)type->basicsize;
}

static const struct known_type *know_type(struct pool_pass *pass, uint64_t type_addr)
{
    uint64_t hash = (type_addr >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 52;
    struct known_type *known = &pass->known[hash % KNOWN_TYPES];
    if (known->addr == type_addr)
        return known;
    *known = (struct known_type){.addr = type_addr};
    if (type_at(pass->process, type_addr, &known->type) != STATUS_OK) {
        known->type = NULL;
        return known;
    }
    known->header_bytes = object_header_bytes(pass->process, known->type);
    known->least_bytes = least_bytes(pass->process, known->type);
    return known;
}

/* Whether an object stands `offset` bytes into a block: right behind the headers
 * that its type calls for, and not longer than the block. */
static bool is_object(struct pool_pass *pass, const uint8_t *block, uint64_t block_size,
                      uint64_t offset)
{
    uint64_t count = count_of_word(pass->minor, load_u64(block + offset));
    uint64_t type_addr = load_u64(block + offset + 8);
    if (!is_count(pass->process, count) || type_addr % MINIMUM_ALIGNMENT ||
        type_addr < LEAST_ADDRESS)
        return false;
    const struct known_type *known = know_type(pass, type_addr);
    return known->type && known->header_bytes == offset &&
           known->least_bytes <= block_size - offset;
}

static bool add_block_object(struct pool_pass *pass, const struct pool *pool, uint64_t offset)
{
    const uint8_t *block = pool->bytes + offset;
    for (uint64_t header = 0; header <= HEADERS_BYTES && header + OBJECT_BYTES <= pool->block_size;
         header += 16) {
        if (is_object(pass, block, pool->block_size, header)) {
            heap_map_add(pass->find->objects, pool->addr + offset + header);
            return true;
        }
    }
    return false;
}

static enum status find_in_pool(void *context, const struct pool *pool)
{
    struct pool_pass *pass = context;
    for (uint32_t block = 0; block < pool->block_count; block++) {
        if (!(pool->live[block / 64] >> (block & 63) & 1))
            continue;
        if (add_block_object(pass, pool, POOL_HEADER_BYTES + block * pool->block_size)) {
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

static uint64_t count_words(const struct core_dump *core)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < core->segments.count; i++)
        if (core->segments.items[i].flags & 2)
            bytes += core->segments.items[i].stored;
    return bytes / 8 + 1;
}

enum status heap_find_objects(struct python_process *process, struct progress *progress,
                              struct heap_find *ret_find)
{
    process->most_references = count_words(memory_image_core(process->image));
    struct heap_find find = {0};
    struct pool_pass *pass = calloc(1, sizeof *pass);
    if (!pass)
        return STATUS_NO_MEMORY;
    pass->process = process;
    pass->find = &find;
    pass->progress = progress;
    pass->minor = layout_minor(&process->layout);
    enum status status = heap_map_create(process->image, &find.objects);
    if (status == STATUS_OK)
        status = heap_map_create(process->image, &find.tracked);
    if (status == STATUS_OK)
        status = walk_generations(process, &find);
    if (status == STATUS_OK)
        status = pools_visit(process, find_in_pool, pass, &find.pools);
    free(pass);
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
