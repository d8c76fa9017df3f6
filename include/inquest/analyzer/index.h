/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_H
#define INQUEST_ANALYZER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"

#define INDEX_APPLICATION_ID 0x494e5153
#define INDEX_SCHEMA_VERSION 4

/* ---- Writing. Rows go to a temporary file beside the target (or to memory),
 * in one transaction; only index_writer_publish makes them an index. */
struct index_writer;

enum index_table {
    INDEX_META,
    INDEX_WARNING,
    INDEX_THREAD,
    INDEX_FRAME,
    INDEX_LOCAL,
    INDEX_EXCEPTION,
    INDEX_TRACEBACK,
    INDEX_MEMORY,
    INDEX_MAPPED_FILE,
    INDEX_TYPE,
    INDEX_ROOT,
    INDEX_LARGEST,
    INDEX_SHARED_SIZE,
    INDEX_SUSPECT,
    INDEX_SUSPECT_CANDIDATE,
    INDEX_SUSPECT_PART,
    INDEX_ALLOCATION_SITE,
    INDEX_CYCLE,
    INDEX_CYCLE_MEMBER,
    INDEX_CYCLE_EDGE,
    INDEX_COLLECTOR,
    INDEX_COLLECTOR_STATE,
    INDEX_WASTE,
    INDEX_TASK,
    INDEX_TASK_WAIT,
    INDEX_TASK_FRAME,
    INDEX_CONTEXT_VARIABLE,
    INDEX_FUNCTION,
    INDEX_NODE,
    INDEX_CALL,
    INDEX_STAT,
    INDEX_TRACE,
    INDEX_SAMPLE_TRACK,
    INDEX_CONTENT,
    INDEX_TABLE_COUNT
};

enum index_value_kind { INDEX_NULL, INDEX_INTEGER, INDEX_REAL, INDEX_TEXT, INDEX_BLOB };
struct index_value {
    enum index_value_kind kind;
    int64_t integer;
    double real;
    const char *text; /* UTF-8; NULL is written as NULL. Of a blob: `integer` bytes */
};

#define INDEX_INT(value)   ((struct index_value){.kind = INDEX_INTEGER, .integer = (int64_t)(value)})
#define INDEX_STR(string)  ((struct index_value){.kind = INDEX_TEXT, .text = (string)})
#define INDEX_FLOAT(value) ((struct index_value){.kind = INDEX_REAL, .real = (value)})
#define INDEX_BYTES(bytes, size)                                                                   \
    ((struct index_value){.kind = INDEX_BLOB, .text = (const char *)(bytes), .integer = (size)})
#define INDEX_NONE ((struct index_value){.kind = INDEX_NULL})
#define INDEX_INT_IF(condition, value)                                                             \
    ((struct index_value){.kind = (condition) ? INDEX_INTEGER : INDEX_NULL,                        \
                          .integer = (int64_t)(value)})

/* path NULL: in memory. The file is created with mode 0600. */
enum status index_writer_create(const char *path, struct index_writer **ret_writer,
                                struct error *err) MUST_CHECK;
/* One row; `values` has the table's columns in the schema's order. The first
 * failure is kept and returned by index_writer_publish too. */
enum status index_writer_row(struct index_writer *writer, enum index_table table,
                             const struct index_value *values, size_t count);
enum status index_writer_meta(struct index_writer *writer, const char *key, const char *value);
enum status index_writer_warning(struct index_writer *writer, const char *area,
                                 const char *message);

/* The id of the object that the row's `address` tells of, 0 for none. */
typedef uint32_t (*index_object_id)(const void *context, uint64_t address);
/* Writes the object_id of all rows of a table that are there already: those of the stacks are
 * written before anybody knows the heap. */
enum status index_writer_object_ids(struct index_writer *writer, enum index_table table,
                                    index_object_id find, const void *context,
                                    struct error *err) MUST_CHECK;

/* ---- Reading. */
struct index;

/* Commits, renames into place and opens the result; the writer is gone either way. */
enum status index_writer_publish(struct index_writer *writer, struct index **ret_index,
                                 struct error *err) MUST_CHECK;
/* Drops everything written. */
void index_writer_destroy(struct index_writer *writer);

/* STATUS_UNSUPPORTED for another schema version, STATUS_CORRUPT for no index. */
enum status index_open(const char *path, struct index **ret_index, struct error *err) MUST_CHECK;
/* What its messages call it from now on: a user knows the dump, not where its index is kept. */
void index_set_name(struct index *index, const char *name);
void index_close(struct index *index);

/* Lets a query run for as long as it likes, for statements that a user wrote.
 * Otherwise one ends as STATUS_CORRUPT where it takes far more steps than an
 * index of this size can need: that is how a damaged one would hang. */
void index_unbound(struct index *index);

/* A meta value, owned by the index until it is closed; NULL where there is none. */
const char *index_meta(struct index *index, const char *key);

struct index_rows;

/* Runs one read-only statement. `parameters` (count may be 0) are bound in order. */
enum status index_query(struct index *index, const char *sql, const struct index_value *parameters,
                        size_t count, struct index_rows **ret_rows, struct error *err) MUST_CHECK;
/* True while there is a row. An error ends the rows: ask index_rows_finish. */
bool index_rows_next(struct index_rows *rows);
int index_rows_column_count(const struct index_rows *rows);
const char *index_rows_column_name(const struct index_rows *rows, int column);
enum index_value_kind index_rows_kind(const struct index_rows *rows, int column);
bool index_rows_is_null(const struct index_rows *rows, int column);
int64_t index_rows_integer(const struct index_rows *rows, int column);
double index_rows_real(const struct index_rows *rows, int column);
/* Valid until the next row; NULL for NULL. A blob is given as upper-case hex. */
const char *index_rows_text(const struct index_rows *rows, int column);
/* A blob's bytes, valid until the next row; NULL for what is none. */
const void *index_rows_blob(const struct index_rows *rows, int column, size_t *ret_size);
/* Closes, and tells how the query ended. NULL rows are fine (STATUS_OK). */
enum status index_rows_finish(struct index_rows *rows, struct error *err);

#endif
