/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the table `memory`, largest concern first: objects, pools, malloc, and
 * then the rest by region. */
#include "analyzer/runtime/heap_memory_rows.h"

#include <inttypes.h>
#include <string.h>

#include "inquest/base/text.h"

#define NAMED_BUFFERS 5
#define NAMED_TYPES   5

struct rows {
    const struct memory_count *count;
    struct index_writer *writer;
    struct text detail;
    uint64_t total;
    enum status status;
};

/* Writes what `detail` has, and empties it. */
static void write_row(struct rows *rows, const char *region, uint64_t bytes)
{
    const struct index_value row[] = {INDEX_STR(region), INDEX_INT(bytes),
                                      INDEX_STR(text_string(&rows->detail))};
    rows->total += bytes;
    if (bytes && rows->status == STATUS_OK)
        rows->status = index_writer_row(rows->writer, INDEX_MEMORY, row, 3);
    text_clear(&rows->detail);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* ---- objects */

static void name_big(struct rows *rows, const struct big_piece *big)
{
    const struct heap *heap = rows->count->heap;
    bool is_reachable = graph_bit(rows->count->reached, big->object);
    text_printf(&rows->detail, "%s at 0x%" PRIx64 ": %" PRIu64 "%s%s",
                heap->types.items[heap->type[big->object]]->name, heap_address(heap, big->object),
                big->size, big->data == HEAP_NO_OBJECT ? "" : " of its own data",
                is_reachable ? "" : " (unreachable)");
}

static void write_big(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    unsigned named = 0;
    text_printf(&rows->detail, "%" PRIu64 " of %u bytes or more; ", count->big_total.count,
                BIG_BYTES);
    for (size_t i = 0; i < count->big.count && named < NAMED_BUFFERS; i++) {
        if (count->big.items[i].object == HEAP_NO_OBJECT)
            continue;
        text_append(&rows->detail, named++ ? ", " : "");
        name_big(rows, &count->big.items[i]);
    }
    if (count->big_total.count > named)
        text_append(&rows->detail, ", …");
    write_row(rows, "big objects and buffers", count->big_total.bytes);
}

/* The types with most, largest first; equal ones by their place in the table. */
static void write_buffers(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    uint64_t total = 0, limit = UINT64_MAX;
    size_t types = count->heap->types.count, last = 0;
    for (size_t i = 0; i < types; i++)
        total += count->buffers_of[i].bytes;
    for (unsigned named = 0; named < NAMED_TYPES; named++) {
        size_t best = types;
        for (size_t i = 0; i < types; i++) {
            uint64_t bytes = count->buffers_of[i].bytes;
            bool is_next = bytes < limit || (bytes == limit && i > last);
            if (is_next && bytes && (best == types || bytes > count->buffers_of[best].bytes))
                best = i;
        }
        if (best == types)
            break;
        limit = count->buffers_of[best].bytes;
        last = best;
        text_printf(&rows->detail, "%s%s %" PRIu64, named ? ", " : "",
                    count->heap->types.items[best]->name, limit);
    }
    write_row(rows, "buffers of objects", total);
}

static void write_objects(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    const struct memory_amount *garbage = &count->objects[0], *alive = &count->objects[1];
    text_printf(&rows->detail, "%" PRIu64 " object%s", alive->count, plural(alive->count));
    write_row(rows, "objects, reachable", alive->bytes);
    write_buffers(rows);
    write_big(rows);
    text_printf(&rows->detail, "%" PRIu64 " object%s", garbage->count, plural(garbage->count));
    if (count->garbage_buffers.count)
        text_printf(&rows->detail, " of %" PRIu64 " bytes, %" PRIu64 " bytes of buffers",
                    garbage->bytes, count->garbage_buffers.bytes);
    write_row(rows, "objects, unreachable", garbage->bytes + count->garbage_buffers.bytes);
}

/* ---- pools */

static void write_pools(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    const struct memory_amount *kinds = count->kinds;
    uint64_t empty = kinds[PIECE_POOL_EMPTY].bytes, slack = kinds[PIECE_ARENA_SLACK].bytes;
    text_printf(&rows->detail, "%" PRIu64 " block%s that no object was found to own",
                count->c_data[1].count, plural(count->c_data[1].count));
    write_row(rows, "pools: in use by C code", count->c_data[1].bytes);
    text_printf(&rows->detail, "in %" PRIu64 " pool%s", count->heap->find.pools.pools,
                plural(count->heap->find.pools.pools));
    write_row(rows, "pools: free blocks", kinds[PIECE_BLOCKS_FREE].bytes);
    write_row(rows, "pools: headers and slack", kinds[PIECE_POOL_HEADER].bytes);
    text_printf(&rows->detail,
                "%" PRIu64 " empty pool%s, %" PRIu64 " bytes around pools, in %" PRIu64 " arenas",
                kinds[PIECE_POOL_EMPTY].count, plural(kinds[PIECE_POOL_EMPTY].count), slack,
                count->extents.arenas);
    if (count->extents.lone_pools)
        text_printf(&rows->detail, "; the arenas of %" PRIu64 " pools are not known",
                    count->extents.lone_pools);
    write_row(rows, "pools: empty, arena slack", empty + slack);
}

/* ---- malloc */

static void write_malloc(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    const struct memory_amount *kinds = count->kinds, *cached = &kinds[PIECE_CHUNK_CACHED];
    text_printf(&rows->detail, "%" PRIu64 " chunk%s that no object was found to own",
                count->c_data[0].count, plural(count->c_data[0].count));
    for (size_t i = 0; i < count->big.count; i++) {
        const struct big_piece *big = &count->big.items[i];
        if (big->object == HEAP_NO_OBJECT) {
            text_printf(&rows->detail, ", the largest of %" PRIu64 " bytes at 0x%" PRIx64,
                        big->size, big->addr);
            break;
        }
    }
    if (count->map.heaps.count && !count->map.lists_read)
        text_append(&rows->detail, "; chunks that threads keep for reuse count as in use: "
                                   "their lists were not found");
    write_row(rows, "malloc: in use by C code", count->c_data[0].bytes);
    text_printf(&rows->detail,
                "%" PRIu64 " free chunk%s, %" PRIu64 " bytes kept for reuse by "
                "threads, %" PRIu64 " bytes at the heaps' ends",
                kinds[PIECE_CHUNK_FREE].count, plural(kinds[PIECE_CHUNK_FREE].count), cached->bytes,
                kinds[PIECE_CHUNK_TOP].bytes);
    write_row(rows, "malloc: free",
              kinds[PIECE_CHUNK_FREE].bytes + cached->bytes + kinds[PIECE_CHUNK_TOP].bytes);
    text_printf(&rows->detail, "%zu heap%s", count->map.heaps.count,
                plural(count->map.heaps.count));
    write_row(rows, "malloc: own structures", kinds[PIECE_MALLOC_OWN].bytes);
}

/* ---- the rest */

/* A library that brings another malloc, by its name. */
static const char *other_allocator(const struct core_dump *core)
{
    static const char *const names[] = {"jemalloc", "tcmalloc", "mimalloc", "musl"};
    for (size_t i = 0; i < core->files.count; i++) {
        const char *slash = strrchr(core->files.items[i].path, '/');
        for (size_t name = 0; slash && name < sizeof names / sizeof *names; name++) {
            if (strstr(slash, names[name]))
                return names[name];
        }
    }
    return NULL;
}

static void describe_unknown(struct rows *rows, enum core_region region)
{
    const struct memory_count *count = rows->count;
    const char *other = other_allocator(count->core);
    bool is_heap = region == CORE_REGION_HEAP || region == CORE_REGION_ANONYMOUS;
    const struct memory_amount *objects = &count->static_objects[region];
    if (is_heap && (other || !count->map.heaps.count))
        text_printf(&rows->detail, ", of an allocator that is not known%s%s", other ? ": " : "",
                    other ? other : "");
    else if (is_heap)
        text_append(&rows->detail, ", of unknown use");
    if (objects->count)
        text_printf(&rows->detail, ", %" PRIu64 " bytes of %" PRIu64 " objects", objects->bytes,
                    objects->count);
}

static void write_regions(struct rows *rows)
{
    text_printf(&rows->detail, "%" PRIu64 " chunk%s", rows->count->kinds[PIECE_FRAMES].count,
                plural(rows->count->kinds[PIECE_FRAMES].count));
    write_row(rows, "stacks of Python frames", rows->count->kinds[PIECE_FRAMES].bytes);
    for (int i = 0; i < CORE_REGION_COUNT && rows->status == STATUS_OK; i++) {
        const struct region_sum *sum = &rows->count->regions[i];
        if (!sum->bytes)
            continue;
        describe_unknown(rows, (enum core_region)i);
        rows->status =
            core_memory_row(rows->writer, (enum core_region)i, sum, text_string(&rows->detail));
        rows->total += sum->bytes;
        text_clear(&rows->detail);
    }
}

/* ---- what is wrong */

static void check_total(struct rows *rows)
{
    const struct core_dump *core = rows->count->core;
    uint64_t mapped = 0;
    for (size_t i = 0; i < core->segments.count; i++)
        mapped += core->segments.items[i].size;
    if (mapped == rows->total)
        return;
    text_printf(&rows->detail,
                "the table memory accounts for %" PRIu64 " bytes, but %" PRIu64 " are mapped",
                rows->total, mapped);
    index_writer_warning(rows->writer, "memory", text_string(&rows->detail));
    text_clear(&rows->detail);
}

static void write_warnings(struct rows *rows)
{
    const struct malloc_map *map = &rows->count->map;
    if (map->damaged_addr) {
        text_printf(&rows->detail,
                    "malloc's heap can't be followed past the chunk at 0x%" PRIx64
                    ", whose size contradicts its neighbours (a buffer that is overrun does "
                    "this): what follows is counted as of unknown use",
                    map->damaged_addr);
        index_writer_warning(rows->writer, "memory", text_string(&rows->detail));
        text_clear(&rows->detail);
    }
    if (map->lists_damaged) {
        text_printf(&rows->detail,
                    "%" PRIu64 " of malloc's lists of free chunks are damaged: "
                    "what they don't reach counts as in use",
                    map->lists_damaged);
        index_writer_warning(rows->writer, "memory", text_string(&rows->detail));
        text_clear(&rows->detail);
    }
}

enum status memory_rows_write(const struct memory_count *count, struct index_writer *writer)
{
    struct rows rows = {.count = count, .writer = writer};
    write_objects(&rows);
    write_pools(&rows);
    write_malloc(&rows);
    write_regions(&rows);
    check_total(&rows);
    write_warnings(&rows);
    if (rows.status == STATUS_OK && !text_ok(&rows.detail))
        rows.status = STATUS_NO_MEMORY;
    text_deinit(&rows.detail);
    return rows.status;
}
