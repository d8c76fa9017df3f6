/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_reader.h"

#include <string.h>

#include "inquest/base/partition_point.h"

static const char *const table_names[PACKED_TABLES] = {"object_chunk", "ref_chunk", "ref_reverse",
                                                       "ref_label"};

/* ---- Chunks. */

static void chunk_destroy(struct packed_chunk *chunk)
{
    switch (chunk->table) {
    case PACKED_OBJECT_CHUNK: packed_objects_deinit(&chunk->objects); break;
    case PACKED_REF_LABEL: packed_labels_deinit(&chunk->labels); break;
    default: packed_rows_deinit(&chunk->rows); break;
    }
    free(chunk);
}

void packed_chunk_unpin(struct packed_chunk *chunk)
{
    if (chunk && --chunk->pins == 0)
        chunk_destroy(chunk);
}

static void replace(struct packed_chunk **place, struct packed_chunk *chunk)
{
    chunk->pins++;
    packed_chunk_unpin(*place);
    *place = chunk;
}

static enum status chunk_fill(struct packed_chunk *chunk, uint8_t *plain, size_t size,
                              struct error *err)
{
    int64_t id = chunk->id;
    switch (chunk->table) {
    case PACKED_OBJECT_CHUNK: return packed_objects_open(id, plain, size, &chunk->objects, err);
    case PACKED_REF_LABEL: return packed_labels_open(id, plain, size, &chunk->labels, err);
    case PACKED_REF_CHUNK:
        return packed_rows_open(HEAP_REFERENCES, id, plain, size, &chunk->rows, err);
    default: return packed_rows_open(HEAP_REFERRERS, id, plain, size, &chunk->rows, err);
    }
}

/* Decodes a block; the chunk comes with no pin. */
static enum status chunk_create(enum packed_table table, int64_t id, const uint8_t *block,
                                size_t size, struct packed_chunk **ret_chunk, struct error *err)
{
    struct packed_chunk *chunk = malloc(sizeof *chunk);
    if (!chunk)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    uint8_t *plain;
    size_t plain_size;
    enum status status = packed_block_open(id, block, size, &plain, &plain_size, err);
    chunk->table = table;
    chunk->id = id;
    chunk->pins = 0;
    if (status == STATUS_OK)
        status = chunk_fill(chunk, plain, plain_size, err);
    if (status != STATUS_OK) {
        free(chunk);
        error_prefix(err, "row %lld", (long long)id);
        return status;
    }
    *ret_chunk = chunk;
    return STATUS_OK;
}

/* ---- The reader. */

struct heap_reader *packed_reader_create(sqlite3 *db, const char *schema)
{
    struct heap_reader *reader = calloc(1, sizeof *reader);
    char *copy = strdup(schema);
    if (!reader || !copy) {
        free(reader);
        free(copy);
        return NULL;
    }
    reader->db = db;
    reader->schema = copy;
    return reader;
}

void heap_reader_close(struct heap_reader *reader)
{
    if (!reader)
        return;
    for (int table = 0; table < PACKED_TABLES; table++) {
        for (int seek = 0; seek < PACKED_SEEKS; seek++)
            sqlite3_finalize(reader->seeks[table][seek]);
        for (int slot = 0; slot < PACKED_SLOTS; slot++)
            packed_chunk_unpin(reader->slots[table][slot]);
        packed_chunk_unpin(reader->last[table]);
    }
    free(reader->heads);
    free(reader->schema);
    free(reader);
}

static enum status sql_fail(struct heap_reader *reader, int code, struct error *err)
{
    reader->code = code;
    switch (code & 0xFF) {
    case SQLITE_NOMEM: return error_set(err, STATUS_NO_MEMORY, "out of memory");
    case SQLITE_ERROR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return error_set(err, STATUS_CORRUPT, "%s", sqlite3_errmsg(reader->db));
    default: return error_set(err, STATUS_IO, "%s", sqlite3_errmsg(reader->db));
    }
}

static enum status prepare_sql(struct heap_reader *reader, const char *form, const char *table,
                               sqlite3_stmt **ret_statement, struct error *err)
{
    char *sql = sqlite3_mprintf(form, reader->schema, table);
    if (!sql)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    int code = sqlite3_prepare_v2(reader->db, sql, -1, ret_statement, NULL);
    sqlite3_free(sql);
    return code == SQLITE_OK ? STATUS_OK : sql_fail(reader, code, err);
}

/* In a damaged index a view may stand in a table's place, over this very reader's
 * virtual table: neither could ever be closed. */
static enum status check_is_table(struct heap_reader *reader, const char *table, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status =
        prepare_sql(reader, "SELECT 1 FROM \"%w\".sqlite_master WHERE name = '%s' AND rootpage > 0",
                    table, &statement, err);
    bool found = status == STATUS_OK && sqlite3_step(statement) == SQLITE_ROW;
    int code = sqlite3_finalize(statement);
    if (status == STATUS_OK && code != SQLITE_OK)
        return sql_fail(reader, code, err);
    if (status == STATUS_OK && !found)
        return error_set(err, STATUS_CORRUPT, "there is no such table");
    return status;
}

static enum status prepare(struct heap_reader *reader, enum packed_table table,
                           enum packed_seek seek, struct error *err)
{
    static const char *const forms[PACKED_SEEKS] = {
        "SELECT id, data FROM \"%w\".%s WHERE id <= ? ORDER BY id DESC LIMIT 1",
        "SELECT id, data FROM \"%w\".%s WHERE id > ? ORDER BY id LIMIT 1"};
    const char *name = table_names[table];
    enum status status = check_is_table(reader, name, err);
    if (status == STATUS_OK)
        status = prepare_sql(reader, forms[seek], name, &reader->seeks[table][seek], err);
    return status;
}

static struct packed_chunk **slot_of(struct heap_reader *reader, enum packed_table table,
                                     int64_t id)
{
    uint64_t hash = (uint64_t)id * UINT64_C(0x9E3779B97F4A7C15) >> (64 - PACKED_SLOTS_LOG);
    return &reader->slots[table][hash];
}

/* The chunk in the row that the statement is at, from its slot or decoded. */
static enum status read_row(struct heap_reader *reader, enum packed_table table,
                            sqlite3_stmt *statement, struct packed_chunk **ret_chunk,
                            struct error *err)
{
    int64_t id = sqlite3_column_int64(statement, 0);
    struct packed_chunk **slot = slot_of(reader, table, id);
    if (*slot && (*slot)->id == id) {
        *ret_chunk = *slot;
        return STATUS_OK;
    }
    if (sqlite3_column_type(statement, 1) != SQLITE_BLOB)
        return error_set(err, STATUS_CORRUPT, "row %lld: not a blob", (long long)id);
    const uint8_t *block = sqlite3_column_blob(statement, 1);
    int size = sqlite3_column_bytes(statement, 1);
    if (!block && size)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    enum status status = chunk_create(table, id, block, (size_t)size, ret_chunk, err);
    if (status == STATUS_OK)
        replace(slot, *ret_chunk);
    return status;
}

static bool is_sought(enum packed_seek seek, int64_t id, int64_t found)
{
    return seek == PACKED_SEEK_AT ? found <= id : found > id;
}

static enum status run_seek(struct heap_reader *reader, enum packed_table table,
                            enum packed_seek seek, int64_t id, struct packed_chunk **ret_chunk,
                            struct error *err)
{
    enum status status = STATUS_OK;
    if (!reader->seeks[table][seek])
        status = prepare(reader, table, seek, err);
    if (status != STATUS_OK)
        return status;
    sqlite3_stmt *statement = reader->seeks[table][seek];
    struct packed_chunk *chunk = NULL;
    sqlite3_bind_int64(statement, 1, id);
    if (sqlite3_step(statement) == SQLITE_ROW)
        status = read_row(reader, table, statement, &chunk, err);
    int code = sqlite3_reset(statement);
    if (code != SQLITE_OK)
        return sql_fail(reader, code, err);
    if (chunk && !is_sought(seek, id, chunk->id))
        return error_set(err, STATUS_CORRUPT, "its rows are out of order");
    if (chunk) {
        chunk->pins++;
        replace(&reader->last[table], chunk);
    }
    if (status == STATUS_OK)
        *ret_chunk = chunk;
    return status;
}

enum status packed_reader_seek(struct heap_reader *reader, enum packed_table table,
                               enum packed_seek seek, int64_t id, struct packed_chunk **ret_chunk,
                               struct error *err)
{
    int64_t steps = reader->steps_left ? *reader->steps_left : 0;
    enum status status;
    reader->code = SQLITE_OK;
    if (reader->reading) {
        status = error_set(err, STATUS_CORRUPT, "it is made from itself");
    } else {
        reader->reading = true;
        status = run_seek(reader, table, seek, id, ret_chunk, err);
        reader->reading = false;
    }
    if (reader->steps_left)
        *reader->steps_left = steps;
    if (status != STATUS_OK)
        error_prefix(err, "%s", table_names[table]);
    return status;
}

/* ---- Objects. */

static enum status count(struct heap_reader *reader, struct error *err)
{
    struct packed_chunk *objects, *rows;
    enum status status =
        packed_reader_seek(reader, PACKED_OBJECT_CHUNK, PACKED_SEEK_AT, INT64_MAX, &objects, err);
    if (status != STATUS_OK)
        return status;
    if (objects)
        reader->objects = objects->objects.first + objects->objects.count - 1;
    packed_chunk_unpin(objects);
    status = packed_reader_seek(reader, PACKED_REF_CHUNK, PACKED_SEEK_AT, INT64_MAX, &rows, err);
    if (status != STATUS_OK)
        return status;
    if (rows)
        reader->references = rows->rows.rank + rows->rows.count;
    packed_chunk_unpin(rows);
    reader->counted = true;
    return STATUS_OK;
}

enum status heap_reader_counts(struct heap_reader *reader, uint32_t *ret_objects,
                               uint64_t *ret_references, struct error *err)
{
    enum status status = reader->counted ? STATUS_OK : count(reader, err);
    if (status == STATUS_OK && ret_objects)
        *ret_objects = reader->objects;
    if (status == STATUS_OK && ret_references)
        *ret_references = reader->references;
    return status;
}

enum status packed_reader_objects(struct heap_reader *reader, uint32_t id,
                                  struct packed_chunk **ret_chunk, struct error *err)
{
    int64_t key = (int64_t)id - (id - 1) % PACKED_OBJECTS;
    struct packed_chunk *chunk = *slot_of(reader, PACKED_OBJECT_CHUNK, key);
    enum status status = STATUS_OK;
    if (chunk && chunk->id == key)
        chunk->pins++;
    else
        status = packed_reader_seek(reader, PACKED_OBJECT_CHUNK, PACKED_SEEK_AT, key, &chunk, err);
    if (status != STATUS_OK)
        return status;
    if (!chunk || chunk->id != key || id - chunk->objects.first >= chunk->objects.count) {
        packed_chunk_unpin(chunk);
        return error_set(err, STATUS_CORRUPT, "object_chunk: object %u is missing", id);
    }
    *ret_chunk = chunk;
    return STATUS_OK;
}

enum status heap_reader_object(struct heap_reader *reader, uint32_t id,
                               struct heap_object_row *ret_object, struct error *err)
{
    struct packed_chunk *chunk = NULL;
    uint32_t objects;
    enum status status = heap_reader_counts(reader, &objects, NULL, err);
    if (status == STATUS_OK && (!id || id > objects))
        status = error_set(err, STATUS_USAGE, "there is no object %u", id);
    if (status == STATUS_OK)
        status = packed_reader_objects(reader, id, &chunk, err);
    if (status != STATUS_OK)
        return status;
    struct packed_objects *rows = &chunk->objects;
    for (int i = 0; status == STATUS_OK && i < PACKED_OBJECT_COLUMNS; i++)
        status = packed_objects_need(rows, (enum packed_object_column)i, err);
    uint32_t i = id - rows->first;
    if (status == STATUS_OK)
        *ret_object = (struct heap_object_row){
            .address = rows->value[PACKED_ADDRESS][i],
            .size = rows->value[PACKED_SIZE][i],
            .refcount = rows->value[PACKED_REFCOUNT][i],
            .retained = rows->value[PACKED_RETAINED][i],
            .id = id,
            .type_id = (uint32_t)(rows->value[PACKED_KIND][i] >> 2),
            .dominator_id = (uint32_t)rows->value[PACKED_DOMINATOR][i],
            .flags = rows->value[PACKED_KIND][i] & 3,
        };
    packed_chunk_unpin(chunk);
    return status;
}

/* ---- Finding by address: a binary search over the chunks' first addresses. What its
 * first steps meet is kept: a step is numbered by the way to it, 1, then 2 or 3, then 4
 * to 7, ... What is left lies near together in memory, where objects are about equally
 * dense: chunks are guessed then. */

#define MOST_GUESSES 3 /* before the search goes on by halves */

/* Chunks by number, and addresses that are below and above what is sought. */
struct search {
    uint32_t first, end;
    uint64_t above, below; /* address >= above, address < below */
};

static enum status head_of(struct heap_reader *reader, uint64_t step, uint32_t number,
                           uint64_t *ret_address, struct error *err)
{
    struct packed_chunk *chunk = NULL;
    if (reader->heads[step]) {
        *ret_address = reader->heads[step];
        return STATUS_OK;
    }
    enum status status = packed_reader_objects(reader, number * PACKED_OBJECTS + 1, &chunk, err);
    if (status != STATUS_OK)
        return status;
    *ret_address = reader->heads[step] = chunk->objects.value[PACKED_ADDRESS][0];
    packed_chunk_unpin(chunk);
    return STATUS_OK;
}

/* The steps that are kept. */
static enum status narrow(struct heap_reader *reader, uint64_t address, struct search *search,
                          struct error *err)
{
    uint32_t low = search->first, high = search->end; /* heads below low are <= address */
    for (uint64_t step = 1; low < high && step < PACKED_HEADS;) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t head;
        enum status status = head_of(reader, step, middle, &head, err);
        if (status != STATUS_OK)
            return status;
        bool right = head <= address;
        if (right) {
            low = middle + 1;
            search->above = head;
        } else {
            high = middle;
            search->below = head;
        }
        step = 2 * step + right;
    }
    search->first = low ? low - 1 : 0;
    search->end = low ? high : 0;
    return STATUS_OK;
}

static uint32_t guess(const struct search *search, uint64_t address, unsigned guesses)
{
    uint32_t count = search->end - search->first;
    if (guesses >= MOST_GUESSES)
        return search->first + count / 2;
    double share = (double)(address - search->above) / (double)(search->below - search->above);
    uint32_t number = (uint32_t)(share * (double)count);
    return search->first + (number < count ? number : count - 1);
}

/* The last one up to the address, which is not before the first. */
static uint32_t last_up_to(const struct packed_objects *chunk, uint64_t address)
{
    size_t behind;
    PARTITION_POINT(behind, chunk->count, chunk->value[PACKED_ADDRESS][behind] <= address);
    return chunk->first + (uint32_t)behind - 1;
}

/* Looks into a chunk: the search goes on before it, or behind it, or is over. */
static enum status look_into(struct heap_reader *reader, uint32_t number, uint64_t address,
                             struct search *search, uint32_t *ret_id, struct error *err)
{
    struct packed_chunk *chunk = NULL;
    enum status status = packed_reader_objects(reader, number * PACKED_OBJECTS + 1, &chunk, err);
    if (status != STATUS_OK)
        return status;
    struct packed_objects *objects = &chunk->objects;
    const uint64_t *value = objects->value[PACKED_ADDRESS];
    status = packed_objects_need(objects, PACKED_ADDRESS, err);
    if (status == STATUS_OK && value[0] > address) {
        search->end = number;
        search->below = value[0];
    } else if (status == STATUS_OK) {
        *ret_id = last_up_to(objects, address);
        search->first = number + 1;
        search->above = value[objects->count - 1];
        if (search->above > address)
            search->end = search->first;
    }
    packed_chunk_unpin(chunk);
    return status;
}

enum status heap_reader_find(struct heap_reader *reader, uint64_t address, uint32_t *ret_id,
                             struct error *err)
{
    enum status status = heap_reader_counts(reader, NULL, NULL, err);
    if (status != STATUS_OK)
        return status;
    if (!reader->heads && !(reader->heads = calloc(PACKED_HEADS, sizeof *reader->heads)))
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    struct search search = {.end = reader->objects / PACKED_OBJECTS, .below = UINT64_MAX};
    search.end += reader->objects % PACKED_OBJECTS != 0;
    uint32_t id = 0;
    status = narrow(reader, address, &search, err);
    for (unsigned guesses = 0; status == STATUS_OK && search.first < search.end; guesses++)
        status = look_into(reader, guess(&search, address, guesses), address, &search, &id, err);
    if (status == STATUS_OK)
        *ret_id = id;
    return status;
}
