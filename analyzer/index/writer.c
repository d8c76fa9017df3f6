/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/index/index_private.h"
#include "inquest/base/cleanup.h"
#include "inquest/base/temporary_file.h"

struct index_writer {
    sqlite3 *db;
    sqlite3_stmt *inserts[INDEX_TABLE_COUNT];
    struct temporary_file file; /* path NULL: in memory */
    struct text scratch;        /* a text made valid */
    struct error error;         /* the first failure; status STATUS_OK: none */
};

/* Keeps the first failure, with the file's name and the system's own reason. */
static enum status writer_fail(struct index_writer *writer, int code)
{
    if (writer->error.status != STATUS_OK)
        return writer->error.status;
    const char *name = writer->file.target ? writer->file.target : "the index in memory";
    enum status status = index_status(code, false);
    int reason = sqlite3_system_errno(writer->db);
    if (status == STATUS_OUTPUT && reason)
        return error_set_errno(&writer->error, status, reason, "%s: cannot be written", name);
    return error_set(&writer->error, status, "%s: %s: %s", name, status_name(status),
                     sqlite3_errmsg(writer->db));
}

sqlite3 *index_writer_db(struct index_writer *writer)
{
    return writer->db;
}

enum status index_writer_fail(struct index_writer *writer, int code, struct error *err)
{
    enum status status = writer_fail(writer, code);
    if (err)
        *err = writer->error;
    return status;
}

static enum status writer_run(struct index_writer *writer, const char *sql)
{
    int code = sqlite3_exec(writer->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : writer_fail(writer, code);
}

static enum status writer_prepare(struct index_writer *writer, enum index_table table)
{
    const struct index_table_columns *columns = index_table_columns(table);
    char sql[1024];
    int size = snprintf(sql, sizeof sql, "INSERT INTO \"%s\" (%s) VALUES (%s)", columns->name,
                        columns->columns, columns->parameters);
    if (size < 0 || (size_t)size >= sizeof sql)
        return writer_fail(writer, SQLITE_TOOBIG);
    int code = sqlite3_prepare_v3(writer->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &writer->inserts[table], NULL);
    return code == SQLITE_OK ? STATUS_OK : writer_fail(writer, code);
}

/* No journal and no syncs: the file is nobody's until it is renamed. */
static enum status writer_start(struct index_writer *writer)
{
    char pragmas[256];
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
             "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;"
             "PRAGMA application_id = %d; PRAGMA user_version = %d; BEGIN;",
             INDEX_APPLICATION_ID, INDEX_SCHEMA_VERSION);
    enum status status = writer_run(writer, pragmas);
    if (status == STATUS_OK)
        status = writer_run(writer, index_schema_sql());
    for (int table = 0; status == STATUS_OK && table < INDEX_TABLE_COUNT; table++)
        status = writer_prepare(writer, (enum index_table)table);
    return status;
}

static enum status writer_open(struct index_writer *writer, const char *path, struct error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code;
    if (path) {
        enum status status = temporary_file_create(path, &writer->file, err);
        if (status != STATUS_OK)
            return status;
        code = index_open_path(writer->file.path, "", flags, &writer->db);
    } else {
        code = sqlite3_open_v2(":memory:", &writer->db, flags, NULL);
    }
    if (code == SQLITE_OK && writer_start(writer) == STATUS_OK)
        return STATUS_OK;
    if (code != SQLITE_OK)
        writer_fail(writer, code);
    if (err)
        *err = writer->error;
    return writer->error.status;
}

enum status index_writer_create(const char *path, struct index_writer **ret_writer,
                                struct error *err)
{
    struct index_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    writer->file = TEMPORARY_FILE_NONE;
    enum status status = writer_open(writer, path, err);
    if (status != STATUS_OK) {
        index_writer_destroy(writer);
        return status;
    }
    *ret_writer = writer;
    return STATUS_OK;
}

static int bind_text(struct index_writer *writer, sqlite3_stmt *insert, int position,
                     const char *string)
{
    size_t size = strlen(string);
    if (text_is_valid(string, size))
        return sqlite3_bind_text64(insert, position, string, size, SQLITE_STATIC, SQLITE_UTF8);
    text_clear(&writer->scratch);
    text_append_valid(&writer->scratch, string, size);
    if (!text_ok(&writer->scratch))
        return SQLITE_NOMEM;
    return sqlite3_bind_text64(insert, position, writer->scratch.data, writer->scratch.size,
                               SQLITE_TRANSIENT, SQLITE_UTF8);
}

static int bind_value(struct index_writer *writer, sqlite3_stmt *insert, int position,
                      const struct index_value *value)
{
    switch (value->kind) {
    case INDEX_INTEGER: return sqlite3_bind_int64(insert, position, value->integer);
    case INDEX_REAL: return sqlite3_bind_double(insert, position, value->real);
    case INDEX_BLOB:
        return sqlite3_bind_blob64(insert, position, value->text, (sqlite3_uint64)value->integer,
                                   SQLITE_STATIC);
    case INDEX_TEXT:
        if (value->text)
            return bind_text(writer, insert, position, value->text);
        break;
    case INDEX_NULL: break;
    }
    return sqlite3_bind_null(insert, position);
}

enum status index_writer_row(struct index_writer *writer, enum index_table table,
                             const struct index_value *values, size_t count)
{
    if (writer->error.status != STATUS_OK)
        return writer->error.status;
    const struct index_table_columns *columns = index_table_columns(table);
    if (count != (size_t)columns->count)
        return error_set(&writer->error, STATUS_USAGE, "table %s has %d columns, a row has %zu",
                         columns->name, columns->count, count);
    sqlite3_stmt *insert = writer->inserts[table];
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = bind_value(writer, insert, (int)i + 1, &values[i]);
    if (code == SQLITE_OK) {
        sqlite3_step(insert);
        code = sqlite3_reset(insert);
    }
    return code == SQLITE_OK ? STATUS_OK : writer_fail(writer, code);
}

enum status index_writer_meta(struct index_writer *writer, const char *key, const char *value)
{
    const struct index_value values[] = {INDEX_STR(key), INDEX_STR(value)};
    return index_writer_row(writer, INDEX_META, values, 2);
}

enum status index_writer_warning(struct index_writer *writer, const char *area, const char *message)
{
    const struct index_value values[] = {INDEX_STR(area), INDEX_STR(message)};
    return index_writer_row(writer, INDEX_WARNING, values, 2);
}

/* ---- ids of objects, for rows that are older than these */

struct object_ids {
    index_object_id find;
    const void *context;
};

static void object_id_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct object_ids *ids = sqlite3_user_data(context);
    (void)count;
    uint32_t id = ids->find(ids->context, (uint64_t)sqlite3_value_int64(values[0]));
    if (id)
        sqlite3_result_int64(context, id);
}

enum status index_writer_object_ids(struct index_writer *writer, enum index_table table,
                                    index_object_id find, const void *context, struct error *err)
{
    struct object_ids ids = {find, context};
    char sql[160];
    snprintf(sql, sizeof sql,
             "UPDATE \"%s\" SET object_id = object_id_of(address) WHERE address IS NOT NULL",
             index_table_columns(table)->name);
    int code = sqlite3_create_function_v2(writer->db, "object_id_of", 1, SQLITE_UTF8, &ids,
                                          object_id_of, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(writer->db, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return index_writer_fail(writer, code, err);
    sqlite3_create_function_v2(writer->db, "object_id_of", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL,
                               NULL);
    return STATUS_OK;
}

static void writer_finalize(struct index_writer *writer)
{
    for (int i = 0; i < INDEX_TABLE_COUNT; i++) {
        sqlite3_finalize(writer->inserts[i]);
        writer->inserts[i] = NULL;
    }
}

static enum status publish_file(struct index_writer *writer, struct index **ret_index,
                                struct error *err)
{
    char CLEANUP_FREE *target = strdup(writer->file.target);
    if (!target)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    int code = sqlite3_close(writer->db);
    if (code != SQLITE_OK)
        return error_set(err, STATUS_OUTPUT, "%s: cannot be closed", target);
    writer->db = NULL;
    enum status status = temporary_file_publish(&writer->file, err);
    return status == STATUS_OK ? index_open(target, ret_index, err) : status;
}

enum status index_writer_publish(struct index_writer *writer, struct index **ret_index,
                                 struct error *err)
{
    if (writer->error.status == STATUS_OK)
        writer_run(writer, "COMMIT");
    writer_finalize(writer);
    enum status status = writer->error.status;
    if (status != STATUS_OK) {
        if (err)
            *err = writer->error;
    } else if (writer->file.path) {
        status = publish_file(writer, ret_index, err);
    } else {
        sqlite3 *db = writer->db;
        writer->db = NULL;
        status = index_adopt(db, "the index in memory", ret_index, err);
        if (status == STATUS_OK)
            index_unbound(*ret_index);
    }
    index_writer_destroy(writer);
    return status;
}

void index_writer_destroy(struct index_writer *writer)
{
    if (!writer)
        return;
    writer_finalize(writer);
    sqlite3_close(writer->db);
    temporary_file_deinit(&writer->file);
    text_deinit(&writer->scratch);
    free(writer);
}
