/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the table `memory`, largest concern first: objects, pools, malloc, and
 * then the rest by region. */
#include "analyzer/runtime/heap_memory_rows.h"

#include <inttypes.h>
#include <string.h>

#include "inquest/base/text.h"

#define NAMED_BUFFERS 5
#define NAMED_TYPES   5

const char *const memory_part_names[MEMORY_PART_COUNT] = {
    [MEMORY_OBJECTS] = "objects, reachable",
    [MEMORY_BUFFERS] = "buffers of objects",
    [MEMORY_BIG] = "big objects and buffers",
    [MEMORY_GARBAGE] = "objects, unreachable",
    [MEMORY_POOLS_C] = "pools: in use by C code",
    [MEMORY_POOLS_FREE] = "pools: free blocks",
    [MEMORY_POOLS_HEADERS] = "pools: headers and slack",
    [MEMORY_POOLS_EMPTY] = "pools: empty, arena slack",
    [MEMORY_MALLOC_C] = "malloc: in use by C code",
    [MEMORY_MALLOC_FREE] = "malloc: free",
    [MEMORY_MALLOC_OWN] = "malloc: own structures",
    [MEMORY_FRAMES] = "stacks of Python frames",
};

struct rows {
    const struct memory_count *count;
    struct index_writer *writer;
    struct text detail;
    uint64_t total;
    enum status status;
};

/* Writes what `detail` has, and empties it. */
static void write_row(struct rows *rows, enum memory_part part, uint64_t bytes)
{
    const struct index_value row[] = {INDEX_STR(memory_part_names[part]), INDEX_INT(bytes),
                                      INDEX_STR(text_string(&rows->detail))};
    rows->total += bytes;
    if (bytes && rows->status == STATUS_OK)
        rows->status = index_writer_row(rows->writer, INDEX_MEMORY, row, 3);
    text_clear(&rows->detail);
}

/* "1,234 objects" */
static void add_count(struct rows *rows, uint64_t count, const char *noun)
{
    text_append_count(&rows->detail, count);
    text_printf(&rows->detail, " %s%s", noun, count == 1 ? "" : "s");
}

/* "1.5 KiB kept for reuse" */
static void add_size(struct rows *rows, uint64_t bytes, const char *what)
{
    text_append_size(&rows->detail, bytes);
    text_append(&rows->detail, what);
}

/* ---- objects */

static void name_big(struct rows *rows, const struct big_piece *big)
{
    const struct heap *heap = rows->count->heap;
    bool is_reachable = graph_bit(rows->count->reached, big->object);
    text_printf(&rows->detail, "%s at 0x%" PRIx64 ": ",
                heap->types.items[heap->type[big->object]]->name, heap_address(heap, big->object));
    add_size(rows, big->size, big->data == HEAP_NO_OBJECT ? "" : " of its own data");
    text_append(&rows->detail, is_reachable ? "" : " (unreachable)");
}

static void write_big(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    unsigned named = 0;
    text_append_count(&rows->detail, count->big_total.count);
    text_append(&rows->detail, " of ");
    add_size(rows, BIG_BYTES, " or more; ");
    for (size_t i = 0; i < count->big.count && named < NAMED_BUFFERS; i++) {
        if (count->big.items[i].object == HEAP_NO_OBJECT)
            continue;
        text_append(&rows->detail, named++ ? ", " : "");
        name_big(rows, &count->big.items[i]);
    }
    if (count->big_total.count > named)
        text_append(&rows->detail, ", …");
    write_row(rows, MEMORY_BIG, count->big_total.bytes);
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
        text_printf(&rows->detail, "%s%s ", named ? ", " : "",
                    count->heap->types.items[best]->name);
        add_size(rows, limit, "");
    }
    write_row(rows, MEMORY_BUFFERS, total);
}

static void write_objects(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    const struct memory_amount *garbage = &count->objects[0], *alive = &count->objects[1];
    add_count(rows, alive->count, "object");
    write_row(rows, MEMORY_OBJECTS, alive->bytes);
    write_buffers(rows);
    write_big(rows);
    add_count(rows, garbage->count, "object");
    if (count->garbage_buffers.count) {
        text_append(&rows->detail, " of ");
        add_size(rows, garbage->bytes, ", ");
        add_size(rows, count->garbage_buffers.bytes, " of buffers");
    }
    write_row(rows, MEMORY_GARBAGE, garbage->bytes + count->garbage_buffers.bytes);
}

/* ---- pools */

static void write_pools(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    const struct memory_amount *kinds = count->kinds;
    uint64_t empty = kinds[PIECE_POOL_EMPTY].bytes, slack = kinds[PIECE_ARENA_SLACK].bytes;
    add_count(rows, count->c_data[1].count, "block");
    text_append(&rows->detail, " that no object was found to own");
    write_row(rows, MEMORY_POOLS_C, count->c_data[1].bytes);
    text_append(&rows->detail, "in ");
    add_count(rows, count->heap->find.pools.pools, "pool");
    write_row(rows, MEMORY_POOLS_FREE, kinds[PIECE_BLOCKS_FREE].bytes);
    write_row(rows, MEMORY_POOLS_HEADERS, kinds[PIECE_POOL_HEADER].bytes);
    add_count(rows, kinds[PIECE_POOL_EMPTY].count, "empty pool");
    text_append(&rows->detail, ", ");
    add_size(rows, slack, " around pools, in ");
    add_count(rows, count->extents.arenas, "arena");
    if (count->extents.lone_pools) {
        text_append(&rows->detail, "; the arenas of ");
        add_count(rows, count->extents.lone_pools, "pool");
        text_append(&rows->detail, " are not known");
    }
    write_row(rows, MEMORY_POOLS_EMPTY, empty + slack);
}

/* ---- malloc */

static void write_malloc(struct rows *rows)
{
    const struct memory_count *count = rows->count;
    const struct memory_amount *kinds = count->kinds, *cached = &kinds[PIECE_CHUNK_CACHED];
    add_count(rows, count->c_data[0].count, "chunk");
    text_append(&rows->detail, " that no object was found to own");
    for (size_t i = 0; i < count->big.count; i++) {
        const struct big_piece *big = &count->big.items[i];
        if (big->object == HEAP_NO_OBJECT) {
            text_append(&rows->detail, ", the largest of ");
            add_size(rows, big->size, "");
            text_printf(&rows->detail, " at 0x%" PRIx64, big->addr);
            break;
        }
    }
    if (count->map.heaps.count && !count->map.lists_read)
        text_append(&rows->detail, "; chunks that threads keep for reuse count as in use: "
                                   "their lists were not found");
    write_row(rows, MEMORY_MALLOC_C, count->c_data[0].bytes);
    add_count(rows, kinds[PIECE_CHUNK_FREE].count, "free chunk");
    text_append(&rows->detail, ", ");
    add_size(rows, cached->bytes, " kept for reuse by threads, ");
    add_size(rows, kinds[PIECE_CHUNK_TOP].bytes, " at the heaps' ends");
    write_row(rows, MEMORY_MALLOC_FREE,
              kinds[PIECE_CHUNK_FREE].bytes + cached->bytes + kinds[PIECE_CHUNK_TOP].bytes);
    add_count(rows, count->map.heaps.count, "heap");
    write_row(rows, MEMORY_MALLOC_OWN, kinds[PIECE_MALLOC_OWN].bytes);
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
    if (objects->count) {
        text_append(&rows->detail, ", ");
        add_size(rows, objects->bytes, " of ");
        add_count(rows, objects->count, "object");
    }
}

static void write_regions(struct rows *rows)
{
    add_count(rows, rows->count->kinds[PIECE_FRAMES].count, "chunk");
    write_row(rows, MEMORY_FRAMES, rows->count->kinds[PIECE_FRAMES].bytes);
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
