/* SPDX-License-Identifier: Apache-2.0 */
/* The heap's columns and references into the index: packed, and on request as
 * ordinary rows too. */
#include <pthread.h>

#include "analyzer/index/index_private.h"
#include "analyzer/index/packed_labels.h"
#include "analyzer/index/packed_plain.h"
#include "analyzer/index/packed_pool.h"
#include "analyzer/index/packed_reverse.h"
#include "analyzer/index/virtual_tables.h"
#include "inquest/analyzer/heap_index.h"

#define BATCH_OBJECTS 16384 /* a multiple of PACKED_OBJECTS */
#define BATCH_LABELS  16384

_Static_assert(BATCH_OBJECTS % PACKED_OBJECTS == 0, "a batch holds whole chunks");

struct heap_writer {
    struct index_writer *writer;
    sqlite3_stmt *insert;
    const struct heap_objects *objects;
    const struct heap_references *references;
    const struct heap_labels *labels;
    struct reverse_rows reverse;
    enum status reverse_status;
    int code; /* SQLite's, of what failed */
};

/* The array indexes or numbers that a batch has. */
static void batch_range(uint64_t batch, uint32_t batch_size, uint32_t count, uint32_t *ret_start,
                        uint32_t *ret_end)
{
    uint64_t start = batch * batch_size, end = start + batch_size;
    *ret_start = (uint32_t)start;
    *ret_end = end < count ? (uint32_t)end : count;
}

static uint64_t batch_count(uint32_t count, uint32_t batch_size)
{
    return ((uint64_t)count + batch_size - 1) / batch_size;
}

/* ---- Objects. */

static bool object_is_sound(const struct heap_objects *objects, uint32_t i)
{
    bool ordered = !i || objects->address[i - 1] < objects->address[i];
    uint32_t dominator = objects->dominator[i];
    return ordered &&
           (dominator == HEAP_NO_OBJECT || (dominator < objects->count && dominator != i));
}

static enum status pack_objects(const void *context, uint64_t batch, struct packed_scratch *scratch,
                                struct packed_batch *ret_batch)
{
    const struct heap_writer *heap = context;
    uint32_t start, end;
    enum status status = STATUS_OK;
    batch_range(batch, BATCH_OBJECTS, heap->objects->count, &start, &end);
    for (uint32_t i = start; i < end; i++) {
        if (!object_is_sound(heap->objects, i))
            return STATUS_USAGE;
    }
    for (uint64_t i = start; status == STATUS_OK && i < end; i += PACKED_OBJECTS) {
        size_t size = packed_objects_encode(heap->objects, (uint32_t)i, &scratch->objects);
        status = packed_block_append(ret_batch, scratch->state, (int64_t)i + 1,
                                     scratch->objects.plain, size);
    }
    return status;
}

/* ---- References. */

struct row_source {
    const struct heap_writer *heap;
    enum heap_direction direction;
    const uint64_t *first;
};

static bool append_forward(const struct heap_writer *heap, uint64_t position,
                           struct packed_rows_input *rows)
{
    uint32_t label = heap->references->label[position];
    rows->other[rows->count] = heap->references->target[position] + 1;
    rows->extra[rows->count++] = label;
    return label & HEAP_LABEL_INDEX || label <= heap->labels->count;
}

static void append_reverse(const struct heap_writer *heap, uint64_t position,
                           struct packed_rows_input *rows)
{
    struct reverse_part part = reverse_rows_source(&heap->reverse, position);
    rows->other[rows->count] = part.source + 1;
    rows->extra[rows->count++] = part.part;
}

static bool append(const struct row_source *source, uint64_t start, uint64_t end,
                   struct packed_rows_input *rows)
{
    bool sound = true;
    if (source->direction == HEAP_REFERRERS) {
        for (uint64_t i = start; i < end; i++)
            append_reverse(source->heap, i, rows);
    } else {
        for (uint64_t i = start; i < end; i++)
            sound &= append_forward(source->heap, i, rows);
    }
    return sound;
}

static void start_chunk(const struct row_source *source, uint32_t object, uint64_t position,
                        struct packed_rows_input *rows)
{
    rows->direction = source->direction;
    rows->first = object + 1;
    rows->rows = 0;
    rows->rank = position;
    rows->count = 0;
    rows->carry = 0;
}

static enum status end_chunk(struct packed_scratch *scratch, uint32_t part,
                             struct packed_batch *batch)
{
    struct packed_rows_input *rows = &scratch->rows;
    size_t size = packed_rows_encode(rows);
    return packed_block_append(batch, scratch->state, packed_row_key(rows->first, part),
                               rows->plain, size);
}

/* How many references before `position`, back to `start`, are of its source and part. */
static uint32_t count_carry(const struct reverse_rows *reverse, uint64_t start, uint64_t position)
{
    uint64_t i = position;
    while (i > start && reverse->source[i - 1] == reverse->source[position])
        i--;
    return (uint32_t)(position - i);
}

static enum status pack_long_row(const struct row_source *source, uint32_t object,
                                 struct packed_scratch *scratch, struct packed_batch *batch)
{
    uint64_t start = source->first[object], end = source->first[(uint64_t)object + 1];
    struct packed_rows_input *rows = &scratch->rows;
    enum status status = STATUS_OK;
    uint32_t part = 0;
    for (uint64_t i = start; status == STATUS_OK && i < end; i += PACKED_PART, part++) {
        start_chunk(source, object, i, rows);
        rows->degree[rows->rows++] = end - start;
        if (!append(source, i, end - i < PACKED_PART ? end : i + PACKED_PART, rows))
            return STATUS_USAGE;
        if (source->direction == HEAP_REFERRERS)
            rows->carry = count_carry(&source->heap->reverse, start, i);
        status = end_chunk(scratch, part, batch);
    }
    return status;
}

/* Rows from `object`, which has one, as many as a chunk takes; empty ones at its
 * end are left to the next. */
static enum status pack_rows(const struct row_source *source, uint32_t object, uint32_t end,
                             struct packed_scratch *scratch, struct packed_batch *batch)
{
    struct packed_rows_input *rows = &scratch->rows;
    uint32_t filled = 0;
    start_chunk(source, object, source->first[object], rows);
    while (object < end && rows->rows < PACKED_ROWS && rows->count < PACKED_ENOUGH) {
        uint64_t start = source->first[object], stop = source->first[(uint64_t)object + 1];
        if (stop - start > PACKED_PART)
            break;
        if (!append(source, start, stop, rows))
            return STATUS_USAGE;
        rows->degree[rows->rows++] = stop - start;
        if (stop > start)
            filled = rows->rows;
        object++;
    }
    rows->rows = filled;
    return end_chunk(scratch, 0, batch);
}

static enum status pack_references(const void *context, uint64_t batch,
                                   struct packed_scratch *scratch, struct packed_batch *ret_batch)
{
    const struct row_source *source = context;
    enum status status = STATUS_OK;
    uint32_t object, end;
    batch_range(batch, BATCH_OBJECTS, source->heap->objects->count, &object, &end);
    while (status == STATUS_OK && object < end) {
        uint64_t degree = source->first[(uint64_t)object + 1] - source->first[object];
        if (degree > PACKED_PART)
            status = pack_long_row(source, object++, scratch, ret_batch);
        else if (!degree)
            object++;
        else {
            status = pack_rows(source, object, end, scratch, ret_batch);
            object += scratch->rows.rows;
        }
    }
    return status;
}

/* ---- Labels. */

static enum status pack_labels(const void *context, uint64_t batch, struct packed_scratch *scratch,
                               struct packed_batch *ret_batch)
{
    const struct heap_writer *heap = context;
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

/* Makes the table `name` and fills it. */
static enum status write_table(struct heap_writer *heap, const char *name, struct packed_job *job)
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
    status = heap->code == SQLITE_OK ? packed_pool_run(job) : STATUS_OUTPUT;
    sqlite3_finalize(heap->insert);
    heap->insert = NULL;
    return status;
}

static enum status write_forward(struct heap_writer *heap)
{
    uint64_t batches = batch_count(heap->objects->count, BATCH_OBJECTS);
    struct packed_job objects = {.batches = batches, .pack = pack_objects, .context = heap};
    enum status status = write_table(heap, "object_chunk", &objects);
    const struct row_source forward = {heap, HEAP_REFERENCES, heap->references->first};
    struct packed_job rows = {.batches = batches, .pack = pack_references, .context = &forward};
    if (status == STATUS_OK)
        status = write_table(heap, "ref_chunk", &rows);
    struct packed_job labels = {.batches = batch_count(heap->labels->count, BATCH_LABELS),
                                .pack = pack_labels,
                                .context = heap};
    return status == STATUS_OK ? write_table(heap, "ref_label", &labels) : status;
}

static enum status write_reverse(struct heap_writer *heap)
{
    const struct row_source reverse = {heap, HEAP_REFERRERS, heap->reverse.first};
    struct packed_job rows = {.batches = batch_count(heap->objects->count, BATCH_OBJECTS),
                              .pack = pack_references,
                              .context = &reverse};
    return write_table(heap, "ref_reverse", &rows);
}

static void *make_reverse(void *context)
{
    struct heap_writer *heap = context;
    heap->reverse_status =
        reverse_rows_make(heap->objects->count, heap->references, &heap->reverse);
    return NULL;
}

/* The rows by target are sorted on a thread while the others are packed. */
static enum status write_packed(struct heap_writer *heap)
{
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, make_reverse, heap) == 0;
    enum status status = write_forward(heap);
    if (started)
        pthread_join(thread, NULL);
    else
        make_reverse(heap);
    if (heap->reverse_status == STATUS_OK && status == STATUS_OK)
        status = write_reverse(heap);
    else if (status == STATUS_OK)
        status = heap->reverse_status;
    if (heap->reverse_status == STATUS_OK)
        reverse_rows_deinit(&heap->reverse);
    return status;
}

/* ---- The whole. */

static bool rows_are_sound(const struct heap_objects *objects,
                           const struct heap_references *references)
{
    const uint64_t *first = references->first;
    bool sound = first[0] == 0 && first[objects->count] == references->count;
    for (uint32_t i = 0; sound && i < objects->count; i++)
        sound = first[i] <= first[(uint64_t)i + 1];
    return sound;
}

static enum status write_names(struct heap_writer *heap, bool plain)
{
    sqlite3 *db = index_writer_db(heap->writer);
    if (plain)
        heap->code = packed_plain_write(db, heap->objects, heap->references, heap->labels);
    else
        heap->code = virtual_tables_register(db);
    if (heap->code != SQLITE_OK)
        return STATUS_OUTPUT;
    return plain ? STATUS_OK : run_sql(heap, VIRTUAL_TABLES_SQL);
}

enum status index_writer_heap(struct index_writer *writer, const struct heap_objects *objects,
                              const struct heap_references *references,
                              const struct heap_labels *labels, bool plain, struct error *err)
{
    struct heap_writer heap = {
        .writer = writer, .objects = objects, .references = references, .labels = labels};
    enum status status = STATUS_USAGE;
    if (rows_are_sound(objects, references))
        status = write_packed(&heap);
    if (status == STATUS_OK)
        status = write_names(&heap, plain);
    if (heap.code != SQLITE_OK)
        return index_writer_fail(writer, heap.code, err);
    if (status == STATUS_USAGE)
        return error_set(err, status, "the heap's columns contradict each other");
    if (status == STATUS_OVER_LIMIT)
        return error_set(err, status, "the heap has too many references, or too long a label");
    return status == STATUS_OK ? status : error_set(err, status, "out of memory");
}
