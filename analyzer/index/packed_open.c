/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/index_private.h"
#include "analyzer/index/packed_reader.h"

enum status heap_reader_open(struct index *index, struct heap_reader **ret_reader,
                             struct error *err)
{
    if (sqlite3_table_column_metadata(index->db, "main", "object_chunk", "data", NULL, NULL, NULL,
                                      NULL, NULL) != SQLITE_OK)
        return error_set(
            err, STATUS_NOT_IN_DUMP,
            "%s: has no heap: no Python could be read in the core; inquest info tells why",
            index->name);
    struct heap_reader *reader = packed_reader_create(index->db, "main");
    if (!reader)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    reader->steps_left = &index->steps_left;
    enum status status = heap_reader_counts(reader, NULL, NULL, err);
    if (status == STATUS_OK) {
        *ret_reader = reader;
        return STATUS_OK;
    }
    heap_reader_close(reader);
    return error_prefix(err, "%s: a damaged index", index->name);
}
