/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_READER_H
#define INQUEST_ANALYZER_INDEX_PACKED_READER_H

#include "analyzer/index/packed_labels.h"
#include "analyzer/index/packed_objects.h"
#include "analyzer/index/packed_references.h"
#include "analyzer/index/packed_sqlite.h"
#include "inquest/analyzer/heap_reader.h"

/* Chunks out of their tables, decoded, the last few kept. */

enum packed_table {
    PACKED_OBJECT_CHUNK,
    PACKED_REF_CHUNK,
    PACKED_REF_REVERSE,
    PACKED_REF_LABEL,
    PACKED_TABLES
};

struct packed_chunk {
    enum packed_table table;
    int64_t id;
    unsigned pins; /* freed with the last */
    union {
        struct packed_objects objects;
        struct packed_rows rows;
        struct packed_labels labels;
    };
};

enum packed_seek {
    PACKED_SEEK_AT,    /* the last one up to the id */
    PACKED_SEEK_ABOVE, /* the first one behind the id */
    PACKED_SEEKS
};

#define PACKED_SLOTS_LOG 6
#define PACKED_SLOTS     (1 << PACKED_SLOTS_LOG)

#define PACKED_HEADS (1u << 16) /* of the first 16 steps of a search: 8 million objects */

struct heap_reader {
    sqlite3 *db;
    char *schema; /* of the tables, "main" */
    sqlite3_stmt *seeks[PACKED_TABLES][PACKED_SEEKS];
    struct packed_chunk *slots[PACKED_TABLES][PACKED_SLOTS]; /* pinned */
    struct packed_chunk *last[PACKED_TABLES];                /* pinned */
    bool reading; /* a damaged index may define its tables by themselves */
    int code;     /* SQLite's, of the last failure that was its own; else SQLITE_OK */
    bool counted;
    uint32_t objects;
    uint64_t references;
    uint64_t *heads;     /* PACKED_HEADS; first addresses of chunks of objects, 0: not read */
    int64_t *steps_left; /* of the index; NULL: not counted. What is read here is bounded */
    char label[16];      /* "[%u]" */
};

/* Reads nothing yet. NULL: out of memory. */
struct heap_reader *packed_reader_create(sqlite3 *db, const char *schema) MUST_CHECK;

/* Finds a chunk by its table id and pins it; NULL: there is none. */
enum status packed_reader_seek(struct heap_reader *reader, enum packed_table table,
                               enum packed_seek seek, int64_t id, struct packed_chunk **ret_chunk,
                               struct error *err) MUST_CHECK;
/* The chunk that has this object, 1..N, pinned. */
enum status packed_reader_objects(struct heap_reader *reader, uint32_t id,
                                  struct packed_chunk **ret_chunk, struct error *err) MUST_CHECK;
void packed_chunk_unpin(struct packed_chunk *chunk);

static inline enum packed_table packed_table_of(enum heap_direction direction)
{
    return direction == HEAP_REFERENCES ? PACKED_REF_CHUNK : PACKED_REF_REVERSE;
}

#endif
