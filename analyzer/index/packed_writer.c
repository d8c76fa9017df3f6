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

static enum status pack_objects(const void *context, uint64_t batch, struct packed_scratch *scratch,
                                struct packed_batch *ret_batch)
{
    const struct heap_writer *heap = context;
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

/* ---- References. */

/* The rows of a direction one after the other, by a thread: where each has its
 * references, and how far they have been taken. */
struct row_cursor {
    const struct heap_writer *heap;
    enum heap_direction direction;
    uint32_t object;       /* whose row is open */
    uint64_t strong, end;  /* in the rows' arrays */
    size_t more, more_end; /* in the lists beside them */
    uint64_t more_object;  /* whose are those from more_end on; UINT64_MAX: there are none */
};

static uint64_t row_begins(const struct row_cursor *cursor, uint64_t object)
{
    return cursor->direction == HEAP_REFERENCES
               ? cursor->heap->references->first[object]
               : reverse_rows_start(&cursor->heap->reverse, object);
}

static size_t more_count(const struct row_cursor *cursor)
{
    return cursor->direction == HEAP_REFERENCES ? cursor->heap->references->more_count
                                                : cursor->heap->reverse.more.count;
}

static uint64_t more_object(const struct row_cursor *cursor, size_t i)
{
    if (i == more_count(cursor))
        return UINT64_MAX;
    return cursor->direction == HEAP_REFERENCES ? cursor->heap->references->more[i].source
                                                : cursor->heap->reverse.more.items[i].target;
}

/* Opens the row of `object`: a later one, the open one or an empty one just before it,
 * of which nothing has been taken. */
static void row_open(struct row_cursor *cursor, uint32_t object)
{
    if (object > cursor->object)
        cursor->more = cursor->more_end;
    cursor->object = object;
    cursor->strong = row_begins(cursor, object);
    cursor->end = row_begins(cursor, (uint64_t)object + 1);
    if (cursor->more == cursor->more_end && object < cursor->more_object)
        return; /* like nearly all */
    while (more_object(cursor, cursor->more) < object)
        cursor->more++;
    cursor->more_end = cursor->more;
    while ((cursor->more_object = more_object(cursor, cursor->more_end)) == object)
        cursor->more_end++;
}

static struct row_cursor row_start(const struct heap_writer *heap, enum heap_direction direction,
                                   uint32_t object)
{
    struct row_cursor cursor = {.heap = heap, .direction = direction};
    size_t low = 0, high = more_count(&cursor);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (more_object(&cursor, middle) < object)
            low = middle + 1;
        else
            high = middle;
    }
    cursor.more = cursor.more_end = low;
    row_open(&cursor, object);
    return cursor;
}

/* References that have not been taken. */
static uint64_t row_left(const struct row_cursor *cursor)
{
    return cursor->end - cursor->strong + (cursor->more_end - cursor->more);
}

/* References before the first that has not been taken, of all rows. */
static uint64_t row_rank(const struct row_cursor *cursor)
{
    return cursor->strong + cursor->more;
}

static bool take_forward(struct row_cursor *cursor, uint32_t count, struct packed_rows_input *rows)
{
    const struct heap_references *references = cursor->heap->references;
    uint32_t labels = cursor->heap->labels->count;
    bool sound = true;
    for (; count && cursor->strong < cursor->end; count--, cursor->strong++) {
        uint32_t label = references->label[cursor->strong];
        rows->other[rows->count] = references->target[cursor->strong] + 1;
        rows->extra[rows->count++] = label;
        sound &= label & HEAP_LABEL_INDEX || label <= labels;
    }
    for (; count; count--, cursor->more++) {
        const struct heap_more_reference *more = &references->more[cursor->more];
        rows->other[rows->count] = more->target + 1;
        rows->extra[rows->count++] = more->label;
        sound &= more->label & HEAP_LABEL_INDEX || more->label <= labels;
    }
    return sound;
}

/* By source; of one source those in the row come first. */
static void take_reverse(struct row_cursor *cursor, uint32_t count, struct packed_rows_input *rows)
{
    const struct reverse_rows *reverse = &cursor->heap->reverse;
    for (; count; count--) {
        struct reverse_part next = {UINT32_MAX, 0};
        if (cursor->strong < cursor->end)
            next = reverse_rows_source(reverse, cursor->strong);
        if (cursor->more < cursor->more_end &&
            (cursor->strong == cursor->end ||
             next.source > reverse->more.items[cursor->more].from.source))
            next = reverse->more.items[cursor->more++].from;
        else
            cursor->strong++;
        rows->other[rows->count] = next.source + 1;
        rows->extra[rows->count++] = next.part;
    }
}

static bool row_take(struct row_cursor *cursor, uint64_t count, struct packed_rows_input *rows)
{
    if (cursor->direction == HEAP_REFERENCES)
        return take_forward(cursor, (uint32_t)count, rows);
    take_reverse(cursor, (uint32_t)count, rows);
    return true;
}

static void start_chunk(const struct row_cursor *cursor, struct packed_rows_input *rows)
{
    rows->direction = cursor->direction;
    rows->first = cursor->object + 1;
    rows->rows = 0;
    rows->rank = row_rank(cursor);
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

/* What a long row's chunks so far end with, and how often without a break. */
struct row_tail {
    uint32_t other, extra, run; /* run 0: nothing yet */
};

/* Sets how many before the first of a chunk are of its source and part. */
static void count_carry(struct row_tail *tail, struct packed_rows_input *rows)
{
    uint32_t last = rows->count - 1, run = 1;
    bool goes_on = tail->other == rows->other[0] && tail->extra == rows->extra[0];
    rows->carry = goes_on ? tail->run : 0;
    while (run <= last && rows->other[last - run] == rows->other[last] &&
           rows->extra[last - run] == rows->extra[last])
        run++;
    if (run > last)
        run += rows->carry;
    *tail = (struct row_tail){rows->other[last], rows->extra[last], run};
}

static enum status pack_long_row(struct row_cursor *cursor, struct packed_scratch *scratch,
                                 struct packed_batch *batch)
{
    struct packed_rows_input *rows = &scratch->rows;
    uint64_t degree = row_left(cursor), left;
    struct row_tail tail = {0};
    enum status status = STATUS_OK;
    for (uint32_t part = 0; status == STATUS_OK && (left = row_left(cursor)) > 0; part++) {
        start_chunk(cursor, rows);
        rows->degree[rows->rows++] = degree;
        if (!row_take(cursor, left < PACKED_PART ? left : PACKED_PART, rows))
            return STATUS_USAGE;
        if (cursor->direction == HEAP_REFERRERS)
            count_carry(&tail, rows);
        status = end_chunk(scratch, part, batch);
    }
    return status;
}

/* Rows from the open one on, which has references, as many as a chunk takes; empty ones
 * at its end are left to the next. */
static enum status pack_rows(struct row_cursor *cursor, uint32_t end,
                             struct packed_scratch *scratch, struct packed_batch *batch)
{
    struct packed_rows_input *rows = &scratch->rows;
    uint32_t filled = 0, object = cursor->object;
    start_chunk(cursor, rows);
    for (;;) {
        uint64_t degree = row_left(cursor);
        if (degree > PACKED_PART)
            break;
        if (!row_take(cursor, degree, rows))
            return STATUS_USAGE;
        rows->degree[rows->rows++] = degree;
        if (degree)
            filled = rows->rows;
        if (++object == end || rows->rows == PACKED_ROWS || rows->count >= PACKED_ENOUGH)
            break;
        row_open(cursor, object);
    }
    rows->rows = filled;
    return end_chunk(scratch, 0, batch);
}

static enum status pack_direction(const struct heap_writer *heap, enum heap_direction direction,
                                  uint64_t batch, struct packed_scratch *scratch,
                                  struct packed_batch *ret_batch)
{
    enum status status = STATUS_OK;
    uint32_t object, end;
    batch_range(batch, BATCH_OBJECTS, heap->objects->count, &object, &end);
    struct row_cursor cursor = row_start(heap, direction, object);
    while (status == STATUS_OK && object < end) {
        if (cursor.object != object)
            row_open(&cursor, object);
        uint64_t degree = row_left(&cursor);
        if (degree > PACKED_PART) {
            status = pack_long_row(&cursor, scratch, ret_batch);
            object++;
        } else if (!degree) {
            object++;
        } else {
            status = pack_rows(&cursor, end, scratch, ret_batch);
            object += scratch->rows.rows;
        }
    }
    return status;
}

static enum status pack_references(const void *context, uint64_t batch,
                                   struct packed_scratch *scratch, struct packed_batch *ret_batch)
{
    return pack_direction(context, HEAP_REFERENCES, batch, scratch, ret_batch);
}

static enum status pack_referrers(const void *context, uint64_t batch,
                                  struct packed_scratch *scratch, struct packed_batch *ret_batch)
{
    return pack_direction(context, HEAP_REFERRERS, batch, scratch, ret_batch);
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
    struct packed_job rows = {.batches = batches, .pack = pack_references, .context = heap};
    if (status == STATUS_OK)
        status = write_table(heap, "ref_chunk", &rows);
    struct packed_job labels = {.batches = batch_count(heap->labels->count, BATCH_LABELS),
                                .pack = pack_labels,
                                .context = heap};
    return status == STATUS_OK ? write_table(heap, "ref_label", &labels) : status;
}

static enum status write_reverse(struct heap_writer *heap)
{
    struct packed_job rows = {.batches = batch_count(heap->objects->count, BATCH_OBJECTS),
                              .pack = pack_referrers,
                              .context = heap};
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
