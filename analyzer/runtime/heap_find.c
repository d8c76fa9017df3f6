/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_find.h"

#include <pthread.h>
#include <stdlib.h>

#include "analyzer/graph/graph.h"
#include "analyzer/objects/type_table.h"
#include "analyzer/runtime/heap_block.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"
#include "inquest/base/progress.h"

#define THREADS           2
#define GENERATIONS       3
#define AHEAD             1024 /* bytes: neighbours in a list are often neighbours in memory */
#define LINK_MASK         (~UINT64_C(3)) /* the collector keeps flags in a link's low bits */
#define MINIMUM_ALIGNMENT 8
#define LEAST_ADDRESS     4096
#define PRE_HEADER_BYTES  16

enum status object_refcount(const struct python_process *process, uint64_t addr,
                            uint64_t *ret_count)
{
    uint64_t word;
    enum status status = object_pointer(process, addr, PY_object_refcnt, &word);
    if (status == STATUS_OK)
        *ret_count = refcount_of_word(layout_minor(&process->layout), word);
    return status;
}

enum status object_head_apart(const struct python_process *process, uint64_t addr,
                              uint64_t *ret_count, uint64_t *ret_type_addr)
{
    enum status status = object_refcount(process, addr, ret_count);
    return status == STATUS_OK ? object_pointer(process, addr, PY_object_type, ret_type_addr)
                               : status;
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
    struct reference_window window = {0};
    uint64_t count, type_addr;
    if (addr % MINIMUM_ALIGNMENT ||
        object_head(process, &window, addr, &count, &type_addr) != STATUS_OK ||
        !is_count(process, count) || type_at(process, type_addr, &type) != STATUS_OK)
        return NULL;
    return type;
}

bool object_may_be_at(const struct python_process *process, uint64_t addr, bool is_surely_one)
{
    struct reference_window window = {0};
    uint64_t count, type_addr, metatype_addr;
    if (addr % MINIMUM_ALIGNMENT ||
        object_head(process, &window, addr, &count, &type_addr) != STATUS_OK ||
        !is_count(process, count))
        return false;
    if (!address_map_get(&process->types->entries, type_addr) &&
        (type_addr % MINIMUM_ALIGNMENT ||
         object_pointer(process, type_addr, PY_object_type, &metatype_addr) != STATUS_OK))
        return false;
    return !(is_surely_one ? pool_has_nothing_at(process, addr) : pool_is_sound_at(process, addr));
}

/* 3.11 has two words in front of an instance that has its dictionary managed;
 * later ones have a flag of their own for them. */
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

/* ---- types by address */

/* What a type's instances need of a block. NULL: no type stands at the address.
 */
struct known_type {
    uint64_t addr;
    const struct python_type *type;
    uint64_t header_bytes; /* before the object's address */
    struct block_need need;
};

#define KNOWN_TYPES   4096 /* by address: a process has some hundreds */
#define OBJECT_BYTES  16   /* reference count and type */
#define HEADERS_BYTES 32   /* at most, before an object */

/* The lists and the pools are looked through at the same time. New types are
 * learned from the lists alone meanwhile; a pool with one that is not known yet
 * waits until they are done. So the types are learned in the same order as by
 * one thread. */
struct find_pass {
    struct python_process *process;
    struct heap_find *find;
    struct progress *progress;
    pthread_mutex_t *learning;
    bool is_learner, has_unknown;
    ARRAY(uint64_t) waiting;   /* pools */
    ARRAY(uint64_t) set_apart; /* immortals on the list of what is frozen */
    struct reference_window window;
    unsigned minor;
    struct known_type known[KNOWN_TYPES];
};

/* NULL for none, or for one that is not known yet. */
static const struct python_type *ask_type(struct find_pass *pass, uint64_t type_addr)
{
    struct python_process *process = pass->process;
    const struct python_type *type = NULL;
    uint64_t metatype_addr;
    pthread_mutex_lock(pass->learning);
    struct type_entry *entry =
        (struct type_entry *)(uintptr_t)address_map_get(&process->types->entries, type_addr);
    if (!entry && pass->is_learner && type_at(process, type_addr, &type) == STATUS_OK)
        entry = (struct type_entry *)(uintptr_t)type;
    if (entry)
        entry->has_objects = true;
    else if (!pass->is_learner && !(type_addr & 7))
        pass->has_unknown =
            object_pointer(process, type_addr, PY_object_type, &metatype_addr) == STATUS_OK;
    pthread_mutex_unlock(pass->learning);
    return entry ? &entry->type : NULL;
}

static void learn_type(struct find_pass *pass, uint64_t type_addr, struct known_type *known)
{
    *known = (struct known_type){.type = ask_type(pass, type_addr)};
    if (!pass->has_unknown)
        known->addr = type_addr;
    if (known->type) {
        known->header_bytes = object_header_bytes(pass->process, known->type);
        known->need = block_need_of(pass->process, known->type);
    }
}

static inline const struct known_type *know_type(struct find_pass *pass, uint64_t type_addr)
{
    uint64_t hash = (type_addr >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 52;
    struct known_type *known = &pass->known[hash % KNOWN_TYPES];
    if (known->addr != type_addr)
        learn_type(pass, type_addr, known);
    return known;
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

/* As object_alive_at, of one of many. */
static bool is_alive(struct find_pass *pass, uint64_t addr, uint64_t *ret_count)
{
    uint64_t type_addr;
    return addr % MINIMUM_ALIGNMENT == 0 &&
           object_head(pass->process, &pass->window, addr, ret_count, &type_addr) == STATUS_OK &&
           is_count(pass->process, *ret_count) && know_type(pass, type_addr)->type;
}

static enum status read_link(struct find_pass *pass, uint64_t addr, uint64_t *ret_link)
{
    const uint8_t *bytes =
        reference_window_view(&pass->window, pass->process->image, addr, 8, true);
    if (!bytes)
        return memory_read_u64(pass->process->image, addr, ret_link);
    if (pass->window.end - addr > AHEAD)
        __builtin_prefetch(bytes + AHEAD);
    *ret_link = load_u64(bytes);
    return STATUS_OK;
}

/* Whether a header refers back to the one that led to it: then it is one,
 * whatever became of its object. While a collection runs, other things stand
 * there. */
static bool is_linked(struct find_pass *pass, uint64_t link, uint64_t before)
{
    uint64_t back;
    return read_link(pass, link + 8, &back) == STATUS_OK && (back & LINK_MASK) == before;
}

/* A ring of headers around `head_addr`, each in front of its object. */
static enum status walk_ring(struct find_pass *pass, uint64_t head_addr, unsigned list)
{
    struct heap_find *find = pass->find;
    uint64_t link, before = head_addr,
                   header_bytes = layout_get(&pass->process->layout, PY_gc_head_size);
    enum status status = read_link(pass, head_addr, &link);
    while (status == STATUS_OK && (link &= LINK_MASK) != head_addr && link) {
        uint64_t addr = link + header_bytes, count;
        bool is_object = is_alive(pass, addr, &count);
        if (is_object ? !heap_map_add(find->tracked, addr) : !is_linked(pass, link, before)) {
            find->note = "a list of the garbage collector is damaged: it was "
                         "followed up to there";
            return STATUS_OK;
        }
        if (is_object) {
            find->generation_count[list]++;
            if (list == GENERATIONS && count == UINT64_MAX && !array_push(&pass->set_apart, addr))
                return STATUS_NO_MEMORY;
        } else {
            find->note = "a list of the garbage collector has damaged objects: they "
                         "are left out";
        }
        before = link;
        status = read_link(pass, link, &link);
    }
    if (status != STATUS_OK)
        find->note = "a list of the garbage collector runs into memory that the core lacks";
    return STATUS_OK;
}

static enum status walk_generations(struct find_pass *pass)
{
    const struct python_layout *layout = &pass->process->layout;
    uint64_t gc_addr = gc_address(pass->process);
    enum status status = STATUS_OK;
    if (!gc_addr || !layout_has(layout, PY_gc_generations))
        return STATUS_OK;
    for (unsigned i = 0; i < GENERATIONS && status == STATUS_OK; i++)
        status = walk_ring(pass,
                           gc_addr + layout_get(layout, PY_gc_generations) +
                               i * layout_get(layout, PY_gc_generation_size),
                           i);
    if (status == STATUS_OK && layout_has(layout, PY_gc_permanent))
        status = walk_ring(pass, gc_addr + layout_get(layout, PY_gc_permanent), GENERATIONS);
    return status;
}

/* ---- pools */

/* Whether an object stands `offset` bytes into a block: right behind the
 * headers that its type calls for, and not longer than the block. */
static bool is_object(struct find_pass *pass, const uint8_t *block, uint64_t block_size,
                      uint64_t offset)
{
    uint64_t count = refcount_of_word(pass->minor, load_u64(block + offset));
    uint64_t type_addr = load_u64(block + offset + 8);
    if (!is_count(pass->process, count) || type_addr % MINIMUM_ALIGNMENT ||
        type_addr < LEAST_ADDRESS)
        return false;
    const struct known_type *known = know_type(pass, type_addr);
    return known->type && known->header_bytes == offset &&
           block_holds(pass->process, &known->need, block + offset, block_size - offset);
}

/* Where in its block the object is; the block's size: nowhere. */
static inline uint64_t find_in_block(struct find_pass *pass, const uint8_t *block,
                                     uint64_t block_size)
{
    for (uint64_t header = 0;
         header <= HEADERS_BYTES && header + OBJECT_BYTES <= block_size && !pass->has_unknown;
         header += 16)
        if (is_object(pass, block, block_size, header))
            return header;
    return block_size;
}

static enum status find_in_pool(void *context, const struct pool *pool)
{
    struct find_pass *pass = context;
    struct heap_stretch places;
    uint32_t objects = 0;
    bool is_whole =
        heap_map_stretch(pass->find->objects, pool->addr, pool_size(pass->process), &places);
    pass->has_unknown = false;
    for (uint32_t block = 0; block < pool->block_count; block++) {
        if (!(pool->live[block / 64] >> (block & 63) & 1))
            continue;
        uint64_t offset = POOL_HEADER_BYTES + (uint64_t)block * pool->block_size;
        uint64_t header = find_in_block(pass, pool->bytes + offset, pool->block_size);
        if (header < pool->block_size) {
            objects++;
            if (is_whole)
                heap_stretch_set(&places, (uint32_t)(offset + header) / 8);
            else
                heap_map_add(pass->find->objects, pool->addr + offset + header);
        }
        if (pass->has_unknown)
            return array_push(&pass->waiting, pool->addr) ? STATUS_OK : STATUS_NO_MEMORY;
    }
    pass->find->object_blocks += objects;
    pass->find->other_blocks += pool->live_count - objects;
    pass->find->other_bytes += (uint64_t)(pool->live_count - objects) * pool->block_size;
    progress_update(pass->progress, "finding objects", "blocks",
                    pass->find->object_blocks + pass->find->other_blocks, 0);
    return STATUS_OK;
}

/* Those that a type was missing for. */
static enum status find_in_waiting(struct find_pass *pass)
{
    uint64_t live[POOL_LIVE_WORDS];
    struct pool pool;
    enum status status = STATUS_OK;
    pass->is_learner = true;
    for (size_t i = 0; i < pass->waiting.count && status == STATUS_OK; i++) {
        pool_read(pass->process, pass->waiting.items[i], live, &pool);
        status = find_in_pool(pass, &pool);
    }
    return status;
}

static enum status visit_lists(void *context, struct error *err)
{
    enum status status = walk_generations(context);
    return status == STATUS_OK ? STATUS_OK : error_set(err, status, "%s", status_name(status));
}

static enum status visit_pools(void *context, struct error *err)
{
    struct find_pass *pass = context;
    enum status status = pools_visit(pass->process, find_in_pool, pass, &pass->find->pools);
    return status == STATUS_OK ? STATUS_OK : error_set(err, status, "%s", status_name(status));
}

static uint64_t count_words(const struct core_dump *core)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < core->segments.count; i++)
        if (core->segments.items[i].flags & 2)
            bytes += core->segments.items[i].stored;
    return bytes / 8 + 1;
}

static enum status visit_all(struct find_pass *lists, struct find_pass *pools)
{
    const struct graph_task tasks[] = {{visit_lists, lists}, {visit_pools, pools}};
    struct error err = {0};
    enum status status = graph_run(tasks, 2, THREADS, &err);
    return status == STATUS_OK ? find_in_waiting(pools) : status;
}

/* 3.12's collector moves immortals to the frozen list where 3.13's untracks them: nobody
 * froze them, and gc.get_objects() has neither. */
static void untrack(struct heap_map *tracked, struct find_pass *lists)
{
    for (size_t i = 0; i < lists->set_apart.count; i++)
        heap_map_remove(tracked, lists->set_apart.items[i]);
    array_deinit(&lists->set_apart);
}

enum status heap_find_objects(struct python_process *process, struct progress *progress,
                              struct heap_find *ret_find)
{
    struct heap_find find = {0};
    pthread_mutex_t learning = PTHREAD_MUTEX_INITIALIZER;
    struct find_pass *passes = calloc(2, sizeof *passes);
    if (!passes)
        return STATUS_NO_MEMORY;
    process->most_references = count_words(memory_image_core(process->image));
    for (unsigned i = 0; i < 2; i++) {
        passes[i].process = process;
        passes[i].find = &find;
        passes[i].progress = progress;
        passes[i].learning = &learning;
        passes[i].minor = layout_minor(&process->layout);
    }
    passes[0].is_learner = true;
    enum status status = heap_map_create(process->image, &find.objects);
    if (status == STATUS_OK)
        status = heap_map_create(process->image, &find.tracked);
    if (status == STATUS_OK)
        status = visit_all(&passes[0], &passes[1]);
    if (status == STATUS_OK)
        heap_map_join(find.objects, find.tracked);
    untrack(find.tracked, &passes[0]);
    array_deinit(&passes[1].waiting);
    free(passes);
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
