/* SPDX-License-Identifier: Apache-2.0 */
/* An index that somebody else made or damaged: opened and read to the end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/index/index_open.h"
#include "inquest/analyzer/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct index *index, const char *sql)
{
    struct index_rows *rows;
    struct error err;
    if (index_query(index, sql, NULL, 0, &rows, &err) != STATUS_OK)
        return;
    while (index_rows_next(rows)) {
        for (int column = 0; column < index_rows_column_count(rows); column++) {
            const char *text = index_rows_text(rows, column);
            index_rows_integer(rows, column);
            index_rows_real(rows, column);
            if (text && strlen(text) > SIZE_MAX / 2)
                abort();
        }
    }
    index_rows_finish(rows, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const statements[] = {
        "SELECT * FROM meta",
        "SELECT * FROM warning",
        "SELECT * FROM thread ORDER BY id",
        "SELECT * FROM frame ORDER BY thread_id, depth",
        "SELECT * FROM local ORDER BY frame_id, rowid",
        "SELECT * FROM exception JOIN traceback ON exception.id = exception_id",
        "SELECT * FROM mapped_file",
        "SELECT region, sum(bytes) FROM memory GROUP BY region",
    };
    uint8_t *copy = malloc(size ? size : 1);
    struct index *index;
    struct error err;
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    if (index_open_bytes("input", copy, size, free, copy, &index, &err) != STATUS_OK)
        return 0;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        read_all(index, statements[i]);
    index_close(index);
    return 0;
}
