/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/index/index_private.h"

struct index_rows {
    struct index *index;
    sqlite3_stmt *statement;
    int code;
    struct error error; /* of the step that failed */
    struct text *texts; /* of each column, where what SQLite gives is not fit */
};

static enum status query_fail(const struct index *index, int code, struct error *err)
{
    enum status status = index_status(code, true);
    if ((code & 0xFF) == SQLITE_INTERRUPT)
        return error_set(err, status, "%s: a damaged index: reading it would not end", index->name);
    if ((code & 0xFF) == SQLITE_AUTH)
        return error_set(err, status, "only statements that read are run, as SELECT: %s",
                         sqlite3_errmsg(index->db));
    if (status == STATUS_USAGE)
        return error_set(err, status, "%s", sqlite3_errmsg(index->db));
    return error_set(err, status, "%s: %s", index->name, sqlite3_errmsg(index->db));
}

/* Whether only blanks, comments and semicolons are left. */
static bool nothing_follows(struct index *index, const char *sql)
{
    while (*sql) {
        sqlite3_stmt *next = NULL;
        const char *tail = sql;
        int code = sqlite3_prepare_v2(index->db, sql, -1, &next, &tail);
        sqlite3_finalize(next);
        if (code != SQLITE_OK || next)
            return false;
        if (tail == sql)
            return true;
        sql = tail;
    }
    return true;
}

static enum status prepare(struct index *index, const char *sql, sqlite3_stmt **ret_statement,
                           struct error *err)
{
    sqlite3_stmt *statement = NULL;
    const char *tail = "";
    int code = sqlite3_prepare_v2(index->db, sql, -1, &statement, &tail);
    enum status status = STATUS_OK;
    if (code != SQLITE_OK)
        status = query_fail(index, code, err);
    else if (!statement)
        status = error_set(err, STATUS_USAGE, "there is no statement to run");
    else if (!sqlite3_stmt_readonly(statement) || !sqlite3_column_count(statement))
        status = error_set(err, STATUS_USAGE, "only statements that read are run, as SELECT");
    else if (!nothing_follows(index, tail))
        status = error_set(err, STATUS_USAGE, "one statement is run at a time");
    if (status != STATUS_OK)
        sqlite3_finalize(statement);
    else
        *ret_statement = statement;
    return status;
}

static int bind(sqlite3_stmt *statement, int position, const struct index_value *value)
{
    switch (value->kind) {
    case INDEX_INTEGER: return sqlite3_bind_int64(statement, position, value->integer);
    case INDEX_REAL: return sqlite3_bind_double(statement, position, value->real);
    case INDEX_TEXT:
        return sqlite3_bind_text(statement, position, value->text, -1, SQLITE_TRANSIENT);
    case INDEX_BLOB:
    case INDEX_NULL: break;
    }
    return sqlite3_bind_null(statement, position);
}

enum status index_query(struct index *index, const char *sql, const struct index_value *parameters,
                        size_t count, struct index_rows **ret_rows, struct error *err)
{
    struct index_rows *rows = calloc(1, sizeof *rows);
    if (!rows)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    rows->index = index;
    index_steps_reset(index);
    enum status status = prepare(index, sql, &rows->statement, err);
    int code = SQLITE_OK;
    for (size_t i = 0; status == STATUS_OK && code == SQLITE_OK && i < count; i++)
        code = bind(rows->statement, (int)i + 1, &parameters[i]);
    if (code != SQLITE_OK)
        status = query_fail(index, code, err);
    if (status == STATUS_OK) {
        rows->texts = calloc((size_t)index_rows_column_count(rows), sizeof *rows->texts);
        if (!rows->texts)
            status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (status != STATUS_OK) {
        index_rows_finish(rows, NULL);
        return status;
    }
    *ret_rows = rows;
    return STATUS_OK;
}

bool index_rows_next(struct index_rows *rows)
{
    if (rows->code != SQLITE_OK && rows->code != SQLITE_ROW)
        return false;
    rows->code = sqlite3_step(rows->statement);
    if (rows->code != SQLITE_ROW && rows->code != SQLITE_DONE)
        query_fail(rows->index, rows->code, &rows->error);
    return rows->code == SQLITE_ROW;
}

int index_rows_column_count(const struct index_rows *rows)
{
    return sqlite3_column_count(rows->statement);
}

const char *index_rows_column_name(const struct index_rows *rows, int column)
{
    const char *name = sqlite3_column_name(rows->statement, column);
    return name ? name : "";
}

enum index_value_kind index_rows_kind(const struct index_rows *rows, int column)
{
    switch (sqlite3_column_type(rows->statement, column)) {
    case SQLITE_INTEGER: return INDEX_INTEGER;
    case SQLITE_FLOAT: return INDEX_REAL;
    case SQLITE_NULL: return INDEX_NULL;
    default: return INDEX_TEXT;
    }
}

bool index_rows_is_null(const struct index_rows *rows, int column)
{
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

int64_t index_rows_integer(const struct index_rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement, column);
}

double index_rows_real(const struct index_rows *rows, int column)
{
    return sqlite3_column_double(rows->statement, column);
}

const void *index_rows_blob(const struct index_rows *rows, int column, size_t *ret_size)
{
    if (sqlite3_column_type(rows->statement, column) != SQLITE_BLOB)
        return NULL;
    const void *bytes = sqlite3_column_blob(rows->statement, column);
    *ret_size = (size_t)sqlite3_column_bytes(rows->statement, column);
    return bytes;
}

static void append_hex(struct text *text, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text_printf(text, "%02X", bytes[i]);
}

/* An index may hold anything; what leaves here is UTF-8 without NULs. */
const char *index_rows_text(const struct index_rows *rows, int column)
{
    int type = sqlite3_column_type(rows->statement, column);
    if (type == SQLITE_NULL)
        return NULL;
    struct text *made = &rows->texts[column];
    text_clear(made);
    if (type == SQLITE_BLOB) {
        const unsigned char *bytes = sqlite3_column_blob(rows->statement, column);
        append_hex(made, bytes, (size_t)sqlite3_column_bytes(rows->statement, column));
        return text_string(made);
    }
    const char *string = (const char *)sqlite3_column_text(rows->statement, column);
    size_t size = (size_t)sqlite3_column_bytes(rows->statement, column);
    if (!string)
        return ""; /* memory ran out: the next step says so */
    if (text_is_valid(string, size))
        return string;
    text_append_valid(made, string, size);
    return text_string(made);
}

enum status index_rows_finish(struct index_rows *rows, struct error *err)
{
    if (!rows)
        return STATUS_OK;
    enum status status = rows->error.status;
    if (err && status != STATUS_OK)
        *err = rows->error;
    int columns = rows->texts ? index_rows_column_count(rows) : 0;
    for (int i = 0; i < columns; i++)
        text_deinit(&rows->texts[i]);
    free(rows->texts);
    sqlite3_finalize(rows->statement);
    free(rows);
    return status;
}
