/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/allocation_sites.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/objects/fields.h"
#include "inquest/base/limits.h"
#include "inquest/base/partition_point.h"

#define ROWS_MAX 5000u

/* From a traceback, or from a file and a line, to its site: an open hash table. */
struct site_slot {
    uint64_t addr;
    uint32_t line, site; /* site plus one; 0: free */
};
struct site_map {
    struct site_slot *slots;
    size_t capacity, used;
};

struct reading {
    struct python_process *process;
    struct allocation_sites *out;
    struct site_map by_traceback, by_line;
    bool with_blocks;
    uint64_t unreadable;
    enum status status;
};

static size_t first_slot(const struct site_map *map, uint64_t addr, uint32_t line)
{
    uint64_t hash = (addr ^ (uint64_t)line << 40) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 20) & (map->capacity - 1);
}

static struct site_slot *find_slot(const struct site_map *map, uint64_t addr, uint32_t line)
{
    size_t slot = first_slot(map, addr, line);
    while (map->slots[slot].site &&
           (map->slots[slot].addr != addr || map->slots[slot].line != line))
        slot = (slot + 1) & (map->capacity - 1);
    return &map->slots[slot];
}

static bool grow(struct site_map *map)
{
    struct site_map grown = {.capacity = map->capacity ? map->capacity * 2 : 1024,
                             .used = map->used};
    if (map->used * 2 < map->capacity)
        return true;
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].site)
            *find_slot(&grown, map->slots[i].addr, map->slots[i].line) = map->slots[i];
    free(map->slots);
    *map = grown;
    return true;
}

static const char *read_file_name(struct python_process *process, uint64_t addr)
{
    struct text text = {.limit = LIMIT_NAME_BYTES};
    const char *name = NULL;
    if (!layout_has(&process->layout, PY_constant_trace_file_is_text))
        return str_name(process, addr, &name) == STATUS_OK ? name : "?";
    if (memory_read_c_string(process->image, addr, &text) == STATUS_OK && text_ok(&text))
        name = arena_strdup(process->arena, text_string(&text));
    text_deinit(&text);
    return name ? name : "?";
}

/* The site of a line; a new one where it is met for the first time. */
static bool site_of_line(struct reading *reading, uint64_t file_addr, uint32_t line,
                         uint32_t *ret_site)
{
    struct allocation_sites *out = reading->out;
    if (!grow(&reading->by_line))
        return false;
    struct site_slot *slot = find_slot(&reading->by_line, file_addr, line);
    if (!slot->site) {
        struct allocation_site site = {.line = line, .file_addr = file_addr};
        site.file = read_file_name(reading->process, file_addr);
        if (!array_push(&out->sites, site))
            return false;
        *slot = (struct site_slot){file_addr, line, (uint32_t)out->sites.count};
        reading->by_line.used++;
    }
    *ret_site = slot->site - 1;
    return true;
}

static bool site_of_traceback(struct reading *reading, uint64_t traceback_addr, uint32_t *ret_site)
{
    uint64_t file_addr;
    uint32_t line;
    if (!grow(&reading->by_traceback)) {
        reading->status = STATUS_NO_MEMORY;
        return false;
    }
    struct site_slot *slot = find_slot(&reading->by_traceback, traceback_addr, 0);
    if (!slot->site) {
        if (!traceback_newest(reading->process, traceback_addr, &file_addr, &line)) {
            reading->unreadable++;
            return false;
        }
        if (!site_of_line(reading, file_addr, line, ret_site)) {
            reading->status = STATUS_NO_MEMORY;
            return false;
        }
        *slot = (struct site_slot){traceback_addr, 0, *ret_site + 1};
        reading->by_traceback.used++;
    }
    *ret_site = slot->site - 1;
    return true;
}

static bool visit_trace(void *context, uint64_t key, uint64_t value)
{
    struct reading *reading = context;
    struct allocation_sites *out = reading->out;
    uint64_t size, traceback_addr;
    uint32_t site;
    if (!trace_read(reading->process, value, &size, &traceback_addr)) {
        reading->unreadable++;
        return true;
    }
    if (!site_of_traceback(reading, traceback_addr, &site))
        return reading->status == STATUS_OK;
    out->sites.items[site].bytes += size;
    out->sites.items[site].count++;
    out->bytes += size;
    out->count++;
    struct allocation_block block = {key, size, site};
    if (reading->with_blocks && !array_push(&out->blocks, block))
        reading->status = STATUS_NO_MEMORY;
    return reading->status == STATUS_OK;
}

static void read_table(struct reading *reading, uint64_t addr)
{
    struct hash_table table;
    if (!hash_table_read(reading->process, addr, &table) ||
        hash_table_visit(reading->process, &table, visit_trace, reading) != STATUS_OK)
        reading->unreadable++;
}

static bool visit_domain(void *context, uint64_t key, uint64_t value)
{
    struct reading *reading = context;
    (void)key;
    read_table(reading, value);
    return reading->status == STATUS_OK;
}

static int compare_blocks(const void *left, const void *right)
{
    const struct allocation_block *a = left, *b = right;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

enum status allocation_sites_read(struct python_process *process, bool with_blocks,
                                  struct allocation_sites *ret_sites)
{
    struct allocation_sites sites = {0};
    struct reading reading = {.process = process, .out = &sites, .with_blocks = with_blocks};
    struct trace_tables tables;
    struct hash_table domains;
    trace_tables_find(process, &tables);
    sites.is_tracing = tables.is_tracing || tables.traces_addr;
    if (tables.traces_addr)
        read_table(&reading, tables.traces_addr);
    if (tables.domains_addr && reading.status == STATUS_OK &&
        (!hash_table_read(process, tables.domains_addr, &domains) ||
         hash_table_visit(process, &domains, visit_domain, &reading) != STATUS_OK))
        reading.unreadable++;
    if (reading.unreadable || (tables.is_tracing && !tables.traces_addr))
        sites.note = "tracemalloc was running, but not all of its tables can be read: allocation "
                     "sites are missing";
    if (sites.blocks.count)
        qsort(sites.blocks.items, sites.blocks.count, sizeof *sites.blocks.items, compare_blocks);
    free(reading.by_traceback.slots);
    free(reading.by_line.slots);
    if (reading.status == STATUS_OK)
        *ret_sites = sites;
    else
        allocation_sites_deinit(&sites);
    return reading.status;
}

void allocation_sites_deinit(struct allocation_sites *sites)
{
    if (sites) {
        array_deinit(&sites->sites);
        array_deinit(&sites->blocks);
    }
}

const struct allocation_block *allocation_site_of(const struct allocation_sites *sites,
                                                  uint64_t addr)
{
    size_t low;
    PARTITION_POINT(low, sites->blocks.count, sites->blocks.items[low].addr <= addr);
    const struct allocation_block *block = low ? &sites->blocks.items[low - 1] : NULL;
    return block && addr - block->addr < block->size ? block : NULL;
}

/* ---- rows */

static int compare_sites(const void *left, const void *right)
{
    const struct allocation_site *const *a = left, *const *b = right;
    if ((*a)->bytes != (*b)->bytes)
        return (*a)->bytes < (*b)->bytes ? 1 : -1;
    if ((*a)->count != (*b)->count)
        return (*a)->count < (*b)->count ? 1 : -1;
    int order = strcmp((*a)->file, (*b)->file);
    return order ? order : ((*a)->line > (*b)->line) - ((*a)->line < (*b)->line);
}

static enum status write_row(struct index_writer *writer, size_t position,
                             const struct allocation_site *site, int64_t suspect_rank)
{
    const struct index_value row[] = {
        INDEX_INT(position),    INDEX_STR(site->file),  INDEX_INT_IF(site->line, site->line),
        INDEX_INT(site->bytes), INDEX_INT(site->count), INDEX_INT_IF(suspect_rank, suspect_rank),
    };
    return index_writer_row(writer, INDEX_ALLOCATION_SITE, row, sizeof row / sizeof *row);
}

enum status allocation_sites_rows(const struct allocation_site *sites, size_t count,
                                  int64_t suspect_rank, struct index_writer *writer)
{
    const struct allocation_site **order = calloc(count + 1, sizeof(*order));
    struct allocation_site rest = {0};
    size_t used = 0, written;
    enum status status = order ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; i < count && order; i++)
        if (sites[i].count)
            order[used++] = &sites[i];
    if (used)
        qsort(order, used, sizeof *order, compare_sites);
    for (written = 0; written < used && written < ROWS_MAX && status == STATUS_OK; written++)
        status = write_row(writer, written + 1, order[written], suspect_rank);
    for (size_t i = written; i < used; i++) {
        rest.bytes += order[i]->bytes;
        rest.count += order[i]->count;
    }
    if (rest.count && status == STATUS_OK)
        status = write_row(writer, written + 1, &rest, suspect_rank);
    free(order);
    return status;
}

enum status allocation_sites_collect(struct python_process *process, struct index_writer *writer)
{
    struct allocation_sites sites;
    enum status status = allocation_sites_read(process, false, &sites);
    if (status != STATUS_OK)
        return status;
    if (sites.note)
        status = index_writer_warning(writer, "tracemalloc", sites.note);
    if (status == STATUS_OK)
        status = allocation_sites_rows(sites.sites.items, sites.sites.count, 0, writer);
    allocation_sites_deinit(&sites);
    return status;
}
