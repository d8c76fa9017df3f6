/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a byte that chooses the table, a varint each for row id and size, and
 * the plain bytes of a chunk; they become an index whose checksums are right, which
 * is then read through the virtual tables and through the reader. The whole input is
 * also taken for one block. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/index/virtual_tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_RECORDS 32
#define LONG_PLAIN   (1u << 16)

static const char *const tables[PACKED_TABLES] = {"object_chunk", "ref_chunk", "ref_reverse",
                                                  "ref_label"};

static const char *const queries[] = {
    "SELECT * FROM object ORDER BY id LIMIT 300",
    "SELECT * FROM object ORDER BY id DESC LIMIT 300",
    "SELECT * FROM object WHERE address > 100000 LIMIT 10",
    "SELECT * FROM object WHERE type_id = 2 LIMIT 10",
    "SELECT rowid, * FROM ref LIMIT 300",
    "SELECT rowid, * FROM ref WHERE target_id > 0 ORDER BY target_id LIMIT 300",
    "SELECT rowid, * FROM ref WHERE source_id = 3 AND target_id = 5 LIMIT 300",
    "SELECT target_id, count(*) FROM ref GROUP BY target_id LIMIT 300",
    "SELECT o.*, r.* FROM ref r JOIN object o ON o.id = r.source_id LIMIT 300",
};

static void insert(sqlite3 *db, unsigned table, int64_t id, const uint8_t *plain, size_t size,
                   void *state)
{
    struct packed_batch batch = {0};
    sqlite3_stmt *statement;
    char sql[80];
    sqlite3_snprintf(sizeof sql, sql, "INSERT OR REPLACE INTO %s VALUES (?, ?)", tables[table]);
    if (packed_block_append(&batch, state, id, plain, size) != STATUS_OK ||
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        abort();
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_blob64(statement, 2, batch.bytes.items, batch.bytes.count, SQLITE_STATIC);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
    packed_batch_deinit(&batch);
}

static void fill(sqlite3 *db, const uint8_t *data, size_t size)
{
    struct packed_view view = packed_view_make(data, size);
    void *state = malloc(packed_block_state_size());
    if (!state)
        abort();
    for (int i = 0; i < MOST_RECORDS && !view.failed && packed_view_left(&view); i++) {
        unsigned table = *view.at++ % PACKED_TABLES;
        int64_t id = (int64_t)varint_get(&view);
        struct packed_view plain = packed_view_cut(&view, varint_get(&view));
        size_t plain_size = packed_view_left(&plain);
        if (!plain.failed && plain_size < LONG_PLAIN)
            insert(db, table, id, plain.at, plain_size, state);
    }
    free(state);
}

/* Any end is fine but another code than the one for damage. */
static void run(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        abort();
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            (void)sqlite3_column_text(statement, i);
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE && (code & 0xFF) != SQLITE_CORRUPT)
        abort();
}

static void read_all(struct heap_reader *reader)
{
    struct heap_object_row row;
    struct heap_walk walk;
    struct heap_edge edge;
    struct error err;
    uint32_t id = 0, label;
    uint64_t degree, number;
    (void)!heap_reader_find(reader, 0x20000, &id, &err);
    for (id = 0; id < 40; id++) {
        (void)!heap_reader_object(reader, id, &row, &err);
        (void)!heap_reader_degree(reader, HEAP_REFERRERS, id, &degree, &err);
        heap_walk_start(reader, HEAP_REFERRERS, id, id, &walk);
        for (int i = 0; i < 100 && heap_walk_next(&walk, &edge); i++) {
            if (edge.target_id != id)
                abort();
            (void)!heap_walk_label(&walk, &number, &label, &err);
        }
        heap_walk_finish(&walk, &err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *plain;
    size_t plain_size;
    if (packed_block_open(1, data, size, &plain, &plain_size, NULL) == STATUS_OK)
        free(plain);
    sqlite3 *db;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK || virtual_tables_register(db) != SQLITE_OK)
        abort();
    for (int i = 0; i < PACKED_TABLES; i++) {
        char sql[80];
        sqlite3_snprintf(sizeof sql, sql, "CREATE TABLE %s (id INTEGER PRIMARY KEY, data BLOB)",
                         tables[i]);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            abort();
    }
    fill(db, data, size);
    if (sqlite3_exec(db, VIRTUAL_TABLES_SQL, NULL, NULL, NULL) != SQLITE_OK)
        abort();
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        run(db, queries[i]);
    struct heap_reader *reader = packed_reader_create(db, "main");
    if (!reader)
        abort();
    read_all(reader);
    heap_reader_close(reader);
    if (sqlite3_close(db) != SQLITE_OK)
        abort();
    return 0;
}
