/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/analyzer/virtual_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

const char *virtual_scratch_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/inquest-test-virtual-%d", (int)getpid());
    return path;
}

struct index *virtual_index(const struct random_heap *heap, const char *path, bool plain)
{
    struct index_writer *writer;
    struct index *index;
    struct error err = {0};
    assert_int_equal(index_writer_create(path, &writer, &err), STATUS_OK);
    enum status status =
        index_writer_heap(writer, &heap->objects, &heap->references, &heap->labels, plain, &err);
    if (status != STATUS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(index_writer_publish(writer, &index, &err), STATUS_OK);
    return index;
}

enum status virtual_run(struct index *index, const char *sql, struct text *rows_text,
                        struct error *err)
{
    struct index_rows *rows;
    text_clear(rows_text);
    enum status status = index_query(index, sql, NULL, 0, &rows, err);
    if (status != STATUS_OK)
        return status;
    while (index_rows_next(rows)) {
        for (int i = 0; i < index_rows_column_count(rows); i++) {
            const char *text = index_rows_text(rows, i);
            text_append(rows_text, text ? text : "NULL");
            text_append_char(rows_text, '|');
        }
        text_append_char(rows_text, '\n');
    }
    return index_rows_finish(rows, err);
}

/* %1 and %2 stand for ids. */
static const char *const shapes[] = {
    "SELECT rowid, * FROM object ORDER BY id",
    "SELECT rowid, * FROM object ORDER BY id DESC",
    "SELECT * FROM object ORDER BY rowid DESC LIMIT 5 OFFSET 3",
    "SELECT * FROM object ORDER BY address DESC LIMIT 5",
    "SELECT * FROM object ORDER BY type_id, id",
    "SELECT * FROM object WHERE id = %1",
    "SELECT * FROM object WHERE rowid = %1",
    "SELECT * FROM object WHERE id = '%1'",
    "SELECT * FROM object WHERE id = %1.0",
    "SELECT * FROM object WHERE id = %1.5",
    "SELECT * FROM object WHERE id = 'x'",
    "SELECT * FROM object WHERE id = x'31'",
    "SELECT * FROM object WHERE id = NULL",
    "SELECT * FROM object WHERE id = 0",
    "SELECT * FROM object WHERE id = -1",
    "SELECT * FROM object WHERE id = 4294967297 + %1",
    "SELECT * FROM object WHERE id = 9223372036854775807",
    "SELECT count(*) FROM object WHERE id < 'x'",
    "SELECT count(*) FROM object WHERE id > 'x'",
    "SELECT count(*) FROM object WHERE id < 1e300",
    "SELECT count(*) FROM object WHERE id > 1e300",
    "SELECT count(*) FROM object WHERE id >= -1e300",
    "SELECT count(*) FROM object WHERE id = 1e300",
    "SELECT count(*) FROM object WHERE id > 9223372036854775807",
    "SELECT count(*) FROM object WHERE id < -9223372036854775807 - 1",
    "SELECT count(*) FROM object WHERE id < NULL",
    "SELECT id FROM object WHERE id > 3.5 AND id < 6.5 ORDER BY id",
    "SELECT id FROM object WHERE id >= 3.5 AND id <= 6.5 ORDER BY id DESC",
    "SELECT id, size FROM object WHERE id BETWEEN %1 AND %2 ORDER BY id",
    "SELECT id, size FROM object WHERE id > %1 AND id < %2 ORDER BY id DESC",
    "SELECT id FROM object WHERE id >= %1 AND id <= %2 AND id <> %1 + 1 ORDER BY id",
    "SELECT id FROM object WHERE id IN (3, 1, %1, %2, 3, 100000000) ORDER BY id",
    "SELECT id FROM object WHERE id IN (3, 1, %1, %2) ORDER BY id DESC",
    "SELECT id FROM object WHERE id = 1 OR id = %1 OR address = 7 ORDER BY id",
    "SELECT id FROM object WHERE address = (SELECT address FROM object WHERE id = %1)",
    "SELECT id FROM object WHERE address = (SELECT address FROM object WHERE id = %1) + 1",
    "SELECT id FROM object WHERE address = 0",
    "SELECT id FROM object WHERE address = -1",
    "SELECT count(*), min(id), max(id) FROM object WHERE address >= 0",
    "SELECT count(*), min(id), max(id) FROM object WHERE address < 0",
    "SELECT count(*), min(id), max(id) FROM object WHERE address < 70000",
    "SELECT count(*), min(id), max(id) FROM object WHERE address > 70000",
    "SELECT count(*), min(id), max(id) FROM object WHERE address > -9223372036854775807",
    "SELECT count(*), min(id), max(id) FROM object WHERE address <= 9223372036854775807",
    "SELECT count(*), min(id), max(id) FROM object WHERE address BETWEEN -5 AND 70000",
    "SELECT o.id FROM object p JOIN object o ON o.address > p.address - 500"
    " AND o.address <= p.address WHERE p.id = %2 ORDER BY 1",
    "SELECT count(*), sum(size % 1000) FROM object WHERE type_id = 2",
    "SELECT id FROM object WHERE type_id = 2 AND id > %1 ORDER BY id DESC",
    "SELECT count(*) FROM object WHERE type_id = '2'",
    "SELECT count(*) FROM object WHERE type_id = 'x'",
    "SELECT count(*) FROM object WHERE type_id = -2",
    "SELECT count(*) FROM object WHERE type_id IN (1, 2, 99)",
    "SELECT type_id, count(*), sum(size % 1000), sum(retained % 1000) FROM object"
    " GROUP BY type_id ORDER BY type_id",
    "SELECT is_tracked, is_reachable, count(*) FROM object GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT count(*), count(dominator_id), min(refcount), max(refcount) FROM object",
    "SELECT d.id, count(*) FROM object o JOIN object d ON d.id = o.dominator_id"
    " GROUP BY d.id ORDER BY d.id",

    "SELECT rowid, * FROM ref ORDER BY rowid",
    "SELECT * FROM ref ORDER BY source_id, rowid",
    "SELECT * FROM ref ORDER BY source_id DESC, rowid",
    "SELECT rowid, * FROM ref ORDER BY target_id, source_id, rowid",
    "SELECT rowid, * FROM ref ORDER BY target_id DESC, rowid DESC LIMIT 50",
    "SELECT target_id, count(*) FROM ref GROUP BY target_id ORDER BY target_id",
    "SELECT source_id, count(*), count(label) FROM ref GROUP BY source_id ORDER BY source_id",
    "SELECT DISTINCT target_id FROM ref ORDER BY target_id",
    "SELECT label, count(*) FROM ref GROUP BY label ORDER BY label",
    "SELECT rowid, * FROM ref WHERE source_id = %1 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id = 4 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id = %1 ORDER BY source_id DESC, rowid",
    "SELECT rowid, * FROM ref WHERE source_id = '%1' ORDER BY rowid DESC",
    "SELECT rowid, * FROM ref WHERE target_id = %1 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE target_id = 6 ORDER BY source_id, rowid",
    "SELECT rowid, * FROM ref WHERE target_id = 8 ORDER BY rowid",
    "SELECT source_id FROM ref WHERE target_id = 8 ORDER BY source_id",
    "SELECT count(*) FROM ref WHERE target_id = 0",
    "SELECT count(*) FROM ref WHERE source_id = -1",
    "SELECT count(*) FROM ref WHERE source_id = 1e10",
    "SELECT count(*) FROM ref WHERE source_id = 'x'",
    "SELECT count(*) FROM ref WHERE target_id = 99999999999",
    "SELECT count(*) FROM ref WHERE source_id = 1e300 AND target_id = 1",
    "SELECT count(*) FROM ref WHERE source_id = NULL AND target_id = 1",
    "SELECT rowid, * FROM ref WHERE source_id = 4 AND target_id = 8 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id = 4 AND target_id = 6 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id = %1 AND target_id = 6 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id = 4 AND target_id = %1 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id IN (1, 4, %1, %2, 4) ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE target_id IN (1, 8, %1, %2) ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id IN (4, %1) AND target_id IN (8, %2) ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id = %1 OR target_id = %2 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id = 4 OR target_id = 8 ORDER BY rowid",
    "SELECT rowid, * FROM ref WHERE source_id BETWEEN %1 AND %2 ORDER BY source_id, rowid",
    "SELECT rowid, * FROM ref WHERE target_id > %1 AND target_id < %2 ORDER BY target_id, rowid",
    "SELECT rowid, * FROM ref WHERE source_id > %1 AND target_id < %1 ORDER BY rowid",
    "SELECT count(*) FROM ref WHERE source_id > target_id",
    "SELECT * FROM ref WHERE label LIKE 'weak%' ORDER BY rowid LIMIT 20",
    "SELECT count(*) FROM ref WHERE label IS NULL",
    "SELECT * FROM ref WHERE rowid = %1",
    "SELECT * FROM ref LIMIT 3 OFFSET %1",

    "SELECT count(*), sum(o.size % 1000) FROM ref r JOIN object o ON o.id = r.target_id",
    "SELECT count(*), sum(length(r.label)) FROM object o JOIN ref r ON r.target_id = o.id",
    "SELECT o.id, r.source_id, r.label FROM object o JOIN ref r ON r.target_id = o.id"
    " WHERE o.type_id = 3 ORDER BY o.id, r.rowid LIMIT 500",
    "SELECT o.id, count(r.source_id) FROM object o LEFT JOIN ref r ON r.source_id = o.id"
    " WHERE o.id < 500 GROUP BY o.id ORDER BY o.id",
    "SELECT a.source_id, a.target_id FROM ref a JOIN ref b"
    " ON b.source_id = a.target_id AND b.target_id = a.source_id ORDER BY 1, 2",
    "SELECT count(*) FROM ref a JOIN ref b ON b.source_id = a.target_id WHERE a.source_id = %1",
    "SELECT id FROM object o WHERE NOT EXISTS (SELECT 1 FROM ref WHERE target_id = o.id)"
    " ORDER BY id",
    "SELECT id, (SELECT count(*) FROM ref WHERE target_id = o.id) FROM object o"
    " ORDER BY 2 DESC, id LIMIT 10",
    "WITH RECURSIVE seen(id) AS (SELECT %1 UNION SELECT r.target_id FROM seen s"
    " JOIN ref r ON r.source_id = s.id) SELECT count(*), min(id), max(id) FROM seen",
    "WITH RECURSIVE held(id) AS (SELECT 8 UNION SELECT r.source_id FROM held h"
    " JOIN ref r ON r.target_id = h.id) SELECT count(*), min(id), max(id) FROM held",
};

const size_t virtual_shape_count = sizeof shapes / sizeof *shapes;

const char *virtual_shape(size_t number, unsigned one, unsigned two)
{
    static char sql[1024];
    char *end = sql;
    for (const char *c = shapes[number]; *c; c++) {
        if (*c == '%' && (c[1] == '1' || c[1] == '2'))
            end += sprintf(end, "%u", *++c == '1' ? one : two);
        else
            *end++ = *c;
    }
    *end = '\0';
    return sql;
}
