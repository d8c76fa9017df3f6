/* SPDX-License-Identifier: Apache-2.0 */
/* What is packed before there is time to write it. */
#include "analyzer/index/packed_packing.h"

#include <stdlib.h>

_Static_assert(BATCH_OBJECTS % PACKED_OBJECTS == 0, "a batch holds whole chunks");

enum status pack_objects(const void *context, uint64_t batch, struct packed_scratch *scratch,
                         struct packed_batch *ret_batch)
{
    const struct heap_packing *heap = context;
    uint32_t start, end;
    enum status status = STATUS_OK;
    batch_range(batch, BATCH_OBJECTS, heap->objects->count, &start, &end);
    for (uint64_t i = start; status == STATUS_OK && i < end; i += PACKED_OBJECTS) {
        size_t size = packed_objects_encode(heap->objects, (uint32_t)i, &scratch->objects);
        if (!packed_objects_sound(heap->objects, (uint32_t)i, &scratch->objects))
            return STATUS_USAGE;
        status = packed_block_append(ret_batch, scratch->state, (int64_t)i + 1,
                                     scratch->objects.plain, size);
    }
    return status;
}

struct packed_job packing_job(const struct heap_packing *packing, const struct packing_table *table,
                              packer pack)
{
    return (struct packed_job){
        .first = table->batches,
        .batches = batch_count(packing->objects->count, BATCH_OBJECTS),
        .pack = pack,
        .context = packing,
    };
}

static enum status keep_batch(void *sink, const struct packed_batch *batch)
{
    return packed_kept_add(sink, batch);
}

static bool rows_are_sound(const struct heap_objects *objects,
                           const struct heap_references *references)
{
    bool sound = heap_references_first(references, 0) == 0 &&
                 heap_references_first(references, objects->count) == references->count;
    for (uint32_t i = 0; sound && i < objects->count; i++)
        sound = heap_references_first(references, i) <=
                heap_references_first(references, (uint64_t)i + 1);
    return sound;
}

enum status packing_fail(enum status status, struct error *err)
{
    if (status == STATUS_USAGE)
        return error_set(err, status, "the heap's columns contradict each other");
    if (status == STATUS_OVER_LIMIT)
        return error_set(err, status, "the heap has too many references, or too long a label");
    return status == STATUS_OK ? status : error_set(err, status, "out of memory");
}

enum status heap_packing_create(const struct heap_objects *objects,
                                const struct heap_references *references,
                                const struct heap_labels *labels, struct heap_packing **ret_packing,
                                struct error *err)
{
    if (!rows_are_sound(objects, references))
        return packing_fail(STATUS_USAGE, err);
    struct heap_packing *packing = calloc(1, sizeof *packing);
    if (!packing)
        return packing_fail(STATUS_NO_MEMORY, err);
    packing->objects = objects;
    packing->references = references;
    packing->labels = labels;
    *ret_packing = packing;
    return STATUS_OK;
}

void heap_packing_destroy(struct heap_packing *packing)
{
    if (!packing)
        return;
    packed_kept_deinit(&packing->object_chunk.blocks);
    packed_kept_deinit(&packing->ref_chunk.blocks);
    packed_kept_deinit(&packing->ref_reverse.blocks);
    free(packing);
}

enum status heap_packing_referrers(struct heap_packing *packing, struct error *err)
{
    struct packing_table *table = &packing->ref_reverse;
    struct packed_job job = packing_job(packing, table, pack_referrers);
    job.write = keep_batch;
    job.sink = &table->blocks;
    enum status status =
        reverse_rows_make(packing->objects->count, packing->references, &packing->reverse);
    if (status != STATUS_OK)
        return packing_fail(status, err);
    status = packed_pool_run(&job);
    reverse_rows_deinit(&packing->reverse);
    table->batches = job.batches;
    return packing_fail(status, err);
}

enum status heap_packing_ahead(struct heap_packing *packing, const atomic_bool *stop,
                               struct error *err)
{
    struct packed_job objects = packing_job(packing, &packing->object_chunk, pack_objects);
    objects.write = keep_batch;
    objects.sink = &packing->object_chunk.blocks;
    enum status status = packed_pool_run_alone(&objects, stop, &packing->object_chunk.batches);
    struct packed_job rows = packing_job(packing, &packing->ref_chunk, pack_references);
    rows.write = keep_batch;
    rows.sink = &packing->ref_chunk.blocks;
    if (status == STATUS_OK)
        status = packed_pool_run_alone(&rows, stop, &packing->ref_chunk.batches);
    return packing_fail(status, err);
}
