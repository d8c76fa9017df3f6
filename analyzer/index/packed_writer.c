/* SPDX-License-Identifier: Apache-2.0 */
/* The heap's columns and references into the index: packed, and on request as
 * ordinary rows too. */
#include <pthread.h>

#include "analyzer/index/index_private.h"
#include "analyzer/index/packed_labels.h"
#include "analyzer/index/packed_packing.h"
#include "analyzer/index/packed_plain.h"
#include "analyzer/index/virtual_tables.h"

#define BATCH_LABELS 16384

struct heap_writer {
    struct index_writer *writer;
    struct heap_packing *packing;
    sqlite3_stmt *insert;
    int code; /* SQLite's, of what failed */
};

/* ---- Labels. */

static enum status pack_labels(const void *context, uint64_t batch, struct packed_scratch *scratch,
                               struct packed_batch *ret_batch)
{
    const struct heap_packing *heap = context;
    uint32_t start, end;
    batch_range(batch, BATCH_LABELS, heap->labels->count, &start, &end);
    enum status status = STATUS_OK;
    for (uint32_t label = start + 1; status == STATUS_OK && label <= end;)
        status = packed_labels_append(heap->labels, label, end, ret_batch, scratch->state, &label);
    return status;
}

/* ---- Writing what was packed. */

static enum status write_batch(void *sink, const struct packed_batch *batch)
{
    struct heap_writer *heap = sink;
    size_t start = 0;
    for (size_t i = 0; i < batch->pieces.count; i++) {
        const struct packed_piece *piece = &batch->pieces.items[i];
        sqlite3_bind_int64(heap->insert, 1, piece->id);
        sqlite3_bind_blob64(heap->insert, 2, batch->bytes.items + start, piece->end - start,
                            SQLITE_STATIC);
        sqlite3_step(heap->insert);
        heap->code = sqlite3_reset(heap->insert);
        if (heap->code != SQLITE_OK)
            return STATUS_OUTPUT;
        start = piece->end;
    }
    return STATUS_OK;
}

static enum status run_sql(struct heap_writer *heap, const char *sql)
{
    heap->code = sqlite3_exec(index_writer_db(heap->writer), sql, NULL, NULL, NULL);
    return heap->code == SQLITE_OK ? STATUS_OK : STATUS_OUTPUT;
}

/* Makes the table `name` and fills it: with what is packed, and what `job` packs. */
static enum status write_table(struct heap_writer *heap, const char *name,
                               struct packing_table *table, struct packed_job *job)
{
    sqlite3 *db = index_writer_db(heap->writer);
    char sql[128];
    sqlite3_snprintf(sizeof sql, sql, "CREATE TABLE %s (id INTEGER PRIMARY KEY, data BLOB)", name);
    enum status status = run_sql(heap, sql);
    if (status != STATUS_OK)
        return status;
    sqlite3_snprintf(sizeof sql, sql, "INSERT INTO %s (id, data) VALUES (?, ?)", name);
    heap->code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &heap->insert, NULL);
    job->write = write_batch;
    job->sink = heap;
    status = heap->code == SQLITE_OK ? STATUS_OK : STATUS_OUTPUT;
    for (size_t i = 0; status == STATUS_OK && i < table->blocks.batches.count; i++)
        status = write_batch(heap, &table->blocks.batches.items[i]);
    packed_kept_deinit(&table->blocks);
    if (status == STATUS_OK)
        status = packed_pool_run(job);
    sqlite3_finalize(heap->insert);
    heap->insert = NULL;
    return status;
}

static enum status write_forward(struct heap_writer *heap)
{
    struct heap_packing *packing = heap->packing;
    struct packing_table none = {0};
    struct packed_job objects = packing_job(packing, &packing->object_chunk, pack_objects);
    enum status status = write_table(heap, "object_chunk", &packing->object_chunk, &objects);
    struct packed_job rows = packing_job(packing, &packing->ref_chunk, pack_references);
    if (status == STATUS_OK)
        status = write_table(heap, "ref_chunk", &packing->ref_chunk, &rows);
    struct packed_job labels = {.batches = batch_count(packing->labels->count, BATCH_LABELS),
                                .pack = pack_labels,
                                .context = packing};
    return status == STATUS_OK ? write_table(heap, "ref_label", &none, &labels) : status;
}

static enum status write_reverse(struct heap_writer *heap)
{
    struct packed_job rows =
        packing_job(heap->packing, &heap->packing->ref_reverse, pack_referrers);
    return write_table(heap, "ref_reverse", &heap->packing->ref_reverse, &rows);
}

static void *make_reverse(void *context)
{
    struct heap_packing *packing = context;
    packing->reverse_status =
        reverse_rows_make(packing->objects->count, packing->references, &packing->reverse);
    return NULL;
}

/* The rows by target are sorted on a thread while the others are packed. */
static enum status write_both(struct heap_writer *heap)
{
    struct heap_packing *packing = heap->packing;
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, make_reverse, packing) == 0;
    enum status status = write_forward(heap);
    if (started)
        pthread_join(thread, NULL);
    else
        make_reverse(packing);
    if (packing->reverse_status == STATUS_OK && status == STATUS_OK)
        status = write_reverse(heap);
    else if (status == STATUS_OK)
        status = packing->reverse_status;
    if (packing->reverse_status == STATUS_OK)
        reverse_rows_deinit(&packing->reverse);
    return status;
}

static enum status write_packed(struct heap_writer *heap)
{
    struct heap_packing *packing = heap->packing;
    uint64_t batches = batch_count(packing->objects->count, BATCH_OBJECTS);
    if (packing->ref_reverse.batches < batches || !batches)
        return write_both(heap);
    enum status status = write_forward(heap);
    return status == STATUS_OK ? write_reverse(heap) : status;
}

/* ---- The whole. */

static enum status write_names(struct heap_writer *heap, bool plain)
{
    const struct heap_packing *packing = heap->packing;
    sqlite3 *db = index_writer_db(heap->writer);
    if (plain)
        heap->code = packed_plain_write(db, packing->objects, packing->references, packing->labels);
    else
        heap->code = virtual_tables_register(db);
    if (heap->code != SQLITE_OK)
        return STATUS_OUTPUT;
    return plain ? STATUS_OK : run_sql(heap, VIRTUAL_TABLES_SQL);
}

enum status index_writer_packing(struct index_writer *writer, struct heap_packing *packing,
                                 bool plain, struct error *err)
{
    struct heap_writer heap = {.writer = writer, .packing = packing};
    enum status status = write_packed(&heap);
    if (status == STATUS_OK)
        status = write_names(&heap, plain);
    return heap.code == SQLITE_OK ? packing_fail(status, err)
                                  : index_writer_fail(writer, heap.code, err);
}

enum status index_writer_heap(struct index_writer *writer, const struct heap_objects *objects,
                              const struct heap_references *references,
                              const struct heap_labels *labels, bool plain, struct error *err)
{
    struct heap_packing *packing;
    enum status status = heap_packing_create(objects, references, labels, &packing, err);
    if (status != STATUS_OK)
        return status;
    status = index_writer_packing(writer, packing, plain, err);
    heap_packing_destroy(packing);
    return status;
}
