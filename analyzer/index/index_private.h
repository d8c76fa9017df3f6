/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_INDEX_PRIVATE_H
#define INQUEST_ANALYZER_INDEX_INDEX_PRIVATE_H

#include <sqlite3.h>

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"
#include "inquest/base/text.h"

/* What the files of this folder share. */

struct index_table_columns {
    const char *name;
    int count;
    const char *columns;    /* "\"id\", \"os_tid\", …" */
    const char *parameters; /* "?, ?, …" */
};

/* ---- schema.c */
const char *index_schema_sql(void);
const struct index_table_columns *index_table_columns(enum index_table table);

/* ---- index.c */
struct index_meta_row {
    const char *key, *value;
};

struct index {
    sqlite3 *db;
    char *name;         /* for messages */
    struct arena arena; /* of meta */
    ARRAY(struct index_meta_row) meta;
    int64_t steps_left; /* in units of INDEX_STEPS_PER_CHECK; counts down while bounded */
    bool unbounded;
    void (*release)(void *context); /* of the bytes under an index in memory */
    void *context;
};

/* Makes an index of an open database: hardens the connection, checks the schema
 * and reads meta. Takes `db`, also on failure. */
enum status index_adopt(sqlite3 *db, const char *name, struct index **ret_index,
                        struct error *err) MUST_CHECK;

/* Opens `path` by a URI that means this very file, whatever its name looks like.
 * `query` is the URI's, "immutable=1". *ret_db may be set on failure, as SQLite does. */
int index_open_path(const char *path, const char *query, int flags, sqlite3 **ret_db);

/* What SQLite's result code means for a user. `reading`: of an index; else of writing one. */
enum status index_status(int code, bool reading);

/* Starts the count of steps that a damaged index may cost anew. */
void index_steps_reset(struct index *index);

/* ---- writer.c, for the heap's own tables. */
sqlite3 *index_writer_db(struct index_writer *writer);
/* Keeps the failure that SQLite's `code` tells of, and says it. */
enum status index_writer_fail(struct index_writer *writer, int code, struct error *err);

/* ---- valid_text.c: whether `text` is UTF-8 without NULs in its `size` bytes. */
bool text_is_valid(const char *text, size_t size);
/* Appends `bytes` with U+FFFD for what is not UTF-8 and for NULs. */
void text_append_valid(struct text *text, const char *bytes, size_t size);

#endif
