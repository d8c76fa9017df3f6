/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_plain.h"

#include <stdio.h>

#include "analyzer/index/packed_objects.h"

static const char create_tables[] =
    "CREATE TABLE object (id INTEGER PRIMARY KEY, address INTEGER, type_id INTEGER, size INTEGER,"
    " refcount INTEGER, retained INTEGER, dominator_id INTEGER, is_tracked INTEGER,"
    " is_reachable INTEGER);"
    "CREATE TABLE ref (source_id INTEGER, target_id INTEGER, label TEXT)";

static const char create_indexes[] = "CREATE INDEX object_address ON object (address);"
                                     "CREATE INDEX ref_source ON ref (source_id);"
                                     "CREATE INDEX ref_target ON ref (target_id)";

static void bind_object(sqlite3_stmt *insert, const struct heap_objects *objects, uint32_t i,
                        uint32_t id)
{
    uint32_t dominator = objects->dominator[i];
    sqlite3_bind_int64(insert, 1, id);
    sqlite3_bind_int64(insert, 2, (int64_t)objects->address[i]);
    sqlite3_bind_int64(insert, 3, objects->type[i]);
    sqlite3_bind_int64(insert, 4, (int64_t)objects->size[i]);
    sqlite3_bind_int64(insert, 5, (int64_t)objects->refcount[i]);
    sqlite3_bind_int64(insert, 6, (int64_t)objects->retained[i]);
    if (dominator == HEAP_NO_OBJECT)
        sqlite3_bind_null(insert, 7);
    else
        sqlite3_bind_int64(insert, 7, (int64_t)dominator + 1);
    sqlite3_bind_int(insert, 8, (objects->flags[i] & HEAP_TRACKED) != 0);
    sqlite3_bind_int(insert, 9, (objects->flags[i] & HEAP_REACHABLE) != 0);
}

static int write_objects(sqlite3_stmt *insert, const struct heap_objects *objects)
{
    struct heap_object_block block;
    int code = SQLITE_OK;
    for (uint64_t index = 0; index < objects->count; index += PACKED_OBJECTS) {
        const struct heap_objects part = packed_objects_part(objects, (uint32_t)index, &block);
        for (uint32_t i = 0; code == SQLITE_OK && i < part.count; i++) {
            bind_object(insert, &part, i, (uint32_t)index + i + 1);
            sqlite3_step(insert);
            code = sqlite3_reset(insert);
        }
    }
    return code;
}

static void bind_label(sqlite3_stmt *insert, int position, uint32_t label,
                       const struct heap_labels *labels)
{
    if (!label) {
        sqlite3_bind_null(insert, position);
    } else if (label & HEAP_LABEL_INDEX) {
        char text[16];
        int size = snprintf(text, sizeof text, "[%u]", label & ~HEAP_LABEL_INDEX);
        sqlite3_bind_text(insert, position, text, size, SQLITE_TRANSIENT);
    } else {
        uint64_t start = labels->offset[label - 1], size = labels->offset[label] - start;
        sqlite3_bind_text64(insert, position, labels->text + start, size, SQLITE_STATIC,
                            SQLITE_UTF8);
    }
}

static int write_reference(sqlite3_stmt *insert, uint32_t target, uint32_t label,
                           const struct heap_labels *labels)
{
    sqlite3_bind_int64(insert, 2, (int64_t)target + 1);
    bind_label(insert, 3, label, labels);
    sqlite3_step(insert);
    return sqlite3_reset(insert);
}

/* *more is the first of those that no row before had. */
static int write_row(sqlite3_stmt *insert, uint32_t source,
                     const struct heap_references *references, size_t *more,
                     const struct heap_labels *labels)
{
    int code = SQLITE_OK;
    uint64_t end = heap_references_first(references, (uint64_t)source + 1);
    sqlite3_bind_int64(insert, 1, (int64_t)source + 1);
    for (uint64_t i = heap_references_first(references, source); code == SQLITE_OK && i < end; i++)
        code = write_reference(insert, references->target[i], references->label[i], labels);
    for (; code == SQLITE_OK && *more < references->more_count; ++*more) {
        const struct heap_more_reference *reference = &references->more[*more];
        if (reference->source != source)
            break;
        code = write_reference(insert, reference->target, reference->label, labels);
    }
    return code;
}

int packed_plain_write(sqlite3 *db, const struct heap_objects *objects,
                       const struct heap_references *references, const struct heap_labels *labels)
{
    sqlite3_stmt *object = NULL, *ref = NULL;
    int code = sqlite3_exec(db, create_tables, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db, "INSERT INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", -1,
                                  &object, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db, "INSERT INTO ref VALUES (?, ?, ?)", -1, &ref, NULL);
    if (code == SQLITE_OK)
        code = write_objects(object, objects);
    size_t more = 0;
    for (uint32_t i = 0; code == SQLITE_OK && i < objects->count; i++)
        code = write_row(ref, i, references, &more, labels);
    sqlite3_finalize(object);
    sqlite3_finalize(ref);
    return code == SQLITE_OK ? sqlite3_exec(db, create_indexes, NULL, NULL, NULL) : code;
}
