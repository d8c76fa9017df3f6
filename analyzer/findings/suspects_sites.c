/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_sites.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/runtime/allocation_sites.h"

#define SUSPECTS_TOLD 100u /* candidates come after the suspects */
#define PARTS_TOLD    5u
#define LEAST_SHARE   0.005

struct attribution {
    const struct suspects *suspects;
    struct allocation_sites traced;
    uint64_t *objects, *seen; /* bitmaps: of the suspect; blocks counted already */
    size_t object_words, seen_words;
    struct allocation_site *sums; /* parallel to traced.sites */
};

static void count_block(struct attribution *work, uint64_t addr)
{
    const struct allocation_block *block = addr ? allocation_site_of(&work->traced, addr) : NULL;
    if (!block)
        return;
    size_t index = (size_t)(block - work->traced.blocks.items);
    if (work->seen[index >> 6] >> (index & 63) & 1)
        return;
    work->seen[index >> 6] |= UINT64_C(1) << (index & 63);
    work->sums[block->site].bytes += block->size;
    work->sums[block->site].count++;
}

/* An object's own block, and that of the table which it keeps apart. */
static void count_object(struct attribution *work, uint32_t object)
{
    static const struct {
        enum object_kind kind;
        enum python_field field;
    } tables[] = {
        {KIND_LIST, PY_list_items},        {KIND_DICT, PY_dict_keys},
        {KIND_ORDERED_DICT, PY_dict_keys}, {KIND_DEFAULT_DICT, PY_dict_keys},
        {KIND_COUNTER, PY_dict_keys},      {KIND_SET, PY_set_table},
        {KIND_FROZENSET, PY_set_table},    {KIND_BYTEARRAY, PY_bytearray_start},
    };
    const struct heap *heap = work->suspects->findings->heap;
    const struct python_type *type = heap_type(heap, object);
    uint64_t addr = heap_address(heap, object), table_addr;
    count_block(work, addr);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i].kind == type->kind &&
            object_pointer(heap->process, addr, tables[i].field, &table_addr) == STATUS_OK)
            count_block(work, table_addr);
}

static void clear(struct attribution *work)
{
    memset(work->objects, 0, work->object_words * sizeof *work->objects);
    memset(work->seen, 0, work->seen_words * sizeof *work->seen);
    for (size_t i = 0; i < work->traced.sites.count; i++) {
        work->sums[i] = work->traced.sites.items[i];
        work->sums[i].bytes = work->sums[i].count = 0;
    }
}

static const struct allocation_site *largest_below(const struct attribution *work,
                                                   const struct allocation_site *above)
{
    const struct allocation_site *best = NULL;
    for (size_t i = 0; i < work->traced.sites.count; i++) {
        const struct allocation_site *site = &work->sums[i];
        bool is_below =
            !above || site->bytes < above->bytes || (site->bytes == above->bytes && site > above);
        if (site->count && is_below && (!best || site->bytes > best->bytes))
            best = site;
    }
    return best;
}

static enum status write_parts(struct attribution *work, const struct suspect *suspect,
                               int64_t rank)
{
    const struct allocation_site *site = NULL;
    struct text title = {0};
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < PARTS_TOLD && status == STATUS_OK; i++) {
        site = largest_below(work, site);
        if (!site)
            break;
        text_clear(&title);
        text_printf(&title, "%s:%u", site->file, site->line);
        double share = suspect->retained ? (double)site->bytes / (double)suspect->retained : 0.0;
        if (share < LEAST_SHARE)
            break;
        const struct index_value row[] = {
            INDEX_INT(rank),
            INDEX_STR("allocated at"),
            INDEX_INT(i + 1),
            INDEX_STR(text_string(&title)),
            INDEX_NONE,
            INDEX_INT(site->count),
            INDEX_INT(site->bytes),
            INDEX_FLOAT(share < 1.0 ? share : 1.0),
        };
        status = text_ok(&title)
                     ? index_writer_row(work->suspects->findings->writer, INDEX_SUSPECT_PART, row,
                                        sizeof row / sizeof *row)
                     : STATUS_NO_MEMORY;
    }
    text_deinit(&title);
    return status;
}

static enum status attribute(struct attribution *work, const struct suspect *suspect, int64_t rank)
{
    clear(work);
    enum status status = suspect_mark(work->suspects, suspect, work->objects);
    for (size_t word = 0; word < work->object_words && status == STATUS_OK; word++)
        for (uint64_t bits = work->objects[word]; bits; bits &= bits - 1)
            count_object(work, (uint32_t)(word * 64 + (size_t)__builtin_ctzll(bits)));
    if (status == STATUS_OK)
        status = allocation_sites_rows(work->sums, work->traced.sites.count, rank,
                                       work->suspects->findings->writer);
    return status == STATUS_OK ? write_parts(work, suspect, rank) : status;
}

enum status suspect_sites_write(const struct suspects *suspects)
{
    struct attribution work = {.suspects = suspects};
    const struct heap *heap = suspects->findings->heap;
    if (!suspects->items.count)
        return STATUS_OK;
    enum status status = allocation_sites_read(heap->process, true, &work.traced);
    if (status == STATUS_OK && work.traced.blocks.count) {
        work.object_words = (size_t)heap->count / 64 + 1;
        work.seen_words = work.traced.blocks.count / 64 + 1;
        work.objects = calloc(work.object_words, sizeof *work.objects);
        work.seen = calloc(work.seen_words, sizeof *work.seen);
        work.sums = calloc(work.traced.sites.count + 1, sizeof *work.sums);
        if (!work.objects || !work.seen || !work.sums)
            status = STATUS_NO_MEMORY;
        for (size_t i = 0; i < suspects->items.count && i < SUSPECTS_TOLD && status == STATUS_OK;
             i++)
            status = attribute(&work, &suspects->items.items[i], (int64_t)i + 1);
    }
    free(work.objects);
    free(work.seen);
    free(work.sums);
    allocation_sites_deinit(&work.traced);
    return status;
}
