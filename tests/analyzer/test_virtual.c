/* SPDX-License-Identifier: Apache-2.0 */
/* The tables `object` and `ref`: the virtual ones give the rows that ordinary ones
 * give, whatever the query; the reader gives what was written; a damaged index gives
 * the same or an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/index/index_private.h"
#include "inquest/analyzer/heap_reader.h"
#include "inquest/analyzer/index.h"
#include "inquest/base/text.h"
#include "tests/helpers/random_heap.h"

static const char *scratch_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/inquest-test-virtual-%d", (int)getpid());
    return path;
}

static struct index *make_index(const struct random_heap *heap, const char *path, bool plain)
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

/* All rows as one text; how it ended. */
static enum status run(struct index *index, const char *sql, struct text *rows_text,
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

/* ---- The same rows as ordinary tables. Those without an order have one row, or ask
 * for one; %1 and %2 stand for ids. */

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

static const char *with_ids(const char *shape, unsigned one, unsigned two)
{
    static char sql[1024];
    char *end = sql;
    for (const char *c = shape; *c; c++) {
        if (*c == '%' && (c[1] == '1' || c[1] == '2'))
            end += sprintf(end, "%u", *++c == '1' ? one : two);
        else
            *end++ = *c;
    }
    *end = '\0';
    return sql;
}

static void compare(const struct random_heap *heap, unsigned one, unsigned two)
{
    struct index *packed = make_index(heap, NULL, false), *plain = make_index(heap, NULL, true);
    struct text got, wanted;
    text_init(&got);
    text_init(&wanted);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const char *sql = with_ids(shapes[i], one, two);
        struct error err = {0};
        if (run(plain, sql, &wanted, &err) != STATUS_OK || run(packed, sql, &got, &err))
            fail_msg("%s: %s", sql, err.message);
        if (strcmp(text_string(&got), text_string(&wanted)) != 0)
            fail_msg("%s:\n%.2000s\n-- instead of --\n%.2000s", sql, text_string(&got),
                     text_string(&wanted));
    }
    text_deinit(&got);
    text_deinit(&wanted);
    index_close(packed);
    index_close(plain);
}

static void test_same_rows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct random_heap heap;
        uint32_t objects = (uint32_t)(seed * seed * 37 + 20);
        random_heap_make(&heap, seed, objects, seed % 2 ? RANDOM_HEAP_HIGH : RANDOM_HEAP_PLAIN);
        compare(&heap, objects / 3, objects / 3 + 40);
        random_heap_deinit(&heap);
    }
}

static void test_same_rows_long(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 7, 700, RANDOM_HEAP_LONG_ROWS);
    compare(&heap, 4, 700);
    random_heap_deinit(&heap);
}

static void test_empty_heap(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 1, 0, RANDOM_HEAP_PLAIN);
    heap.labels.count = 0;
    compare(&heap, 1, 2);
    random_heap_deinit(&heap);
}

static void test_one_object(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 2, 1, RANDOM_HEAP_PLAIN);
    compare(&heap, 1, 2);
    random_heap_deinit(&heap);
}

/* ---- Plans: what is walked by which constraint, and what is not sorted. */

struct plan {
    const char *sql, *wanted, *unwanted;
};

static const struct plan plans[] = {
    {"SELECT * FROM object WHERE id = 5", "INDEX 0:i=", NULL},
    {"SELECT * FROM object WHERE rowid = 5", "INDEX 0:i=", NULL},
    {"SELECT * FROM object WHERE id > 5 AND id <= 9", "INDEX 0:i>il", NULL},
    {"SELECT * FROM object WHERE address = 5", "INDEX 0:a=", NULL},
    {"SELECT * FROM object WHERE address >= 5 AND address < 90", "INDEX 0:aga<", NULL},
    {"SELECT * FROM object WHERE type_id = 5", "INDEX 0:t=", NULL},
    {"SELECT * FROM object WHERE type_id IN (5, 6, 7)", "INDEX 0:|", "t="},
    {"SELECT * FROM object ORDER BY id", "INDEX 0:", "B-TREE"},
    {"SELECT * FROM object ORDER BY id DESC LIMIT 1", "INDEX 1:", "B-TREE"},
    {"SELECT * FROM object WHERE id IN (5, 3)", "INDEX 0:i=", NULL},
    {"SELECT * FROM object ORDER BY address", "TEMP B-TREE", NULL},
    {"SELECT * FROM ref WHERE source_id = 5", "INDEX 0:s=", NULL},
    {"SELECT * FROM ref WHERE target_id = 5", "INDEX 1:t=", NULL},
    {"SELECT * FROM ref WHERE target_id IN (5, 6)", "INDEX 1:t=", NULL},
    {"SELECT * FROM ref WHERE source_id = 5 AND target_id = 6", "INDEX 2:s=t=", NULL},
    {"SELECT * FROM ref WHERE source_id > 5 ORDER BY source_id", "INDEX 0:s>", "B-TREE"},
    {"SELECT * FROM ref ORDER BY rowid", "INDEX 0:", "B-TREE"},
    {"SELECT * FROM ref ORDER BY source_id, rowid", "INDEX 0:", "B-TREE"},
    {"SELECT * FROM ref WHERE source_id = 5 ORDER BY rowid", "INDEX 0:s=", "B-TREE"},
    {"SELECT * FROM ref ORDER BY source_id DESC", "B-TREE", NULL},
    {"SELECT * FROM ref WHERE target_id = 5 ORDER BY source_id", "INDEX 1:t=", "B-TREE"},
    {"SELECT target_id, count(*) FROM ref GROUP BY target_id", "INDEX 1:", "B-TREE"},
    {"SELECT source_id, count(*) FROM ref GROUP BY source_id", "INDEX 0:", "B-TREE"},
    /* few objects first, then their referrers; never all references for each */
    {"SELECT * FROM ref r JOIN object o ON o.id = r.target_id WHERE o.type_id = 3",
     "SCAN o VIRTUAL TABLE INDEX 0:t=|SCAN r VIRTUAL TABLE INDEX 1:t=|", NULL},
    {"SELECT * FROM object o JOIN ref r ON r.source_id = o.id JOIN object t ON t.id = r.target_id"
     " WHERE o.id = 5",
     "SCAN o VIRTUAL TABLE INDEX 0:i=|SCAN r VIRTUAL TABLE INDEX 0:s=|"
     "SCAN t VIRTUAL TABLE INDEX 0:i=|",
     NULL},
    {"SELECT * FROM ref r JOIN object o ON o.id = r.target_id", "=|", NULL},
    {"SELECT * FROM meta m JOIN object o ON o.id = m.value", "SCAN o VIRTUAL TABLE INDEX 0:i=|",
     NULL},
};

static void test_plans(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 12, 5000, RANDOM_HEAP_PLAIN);
    struct index *index = make_index(&heap, NULL, false);
    sqlite3_set_authorizer(index->db, NULL, NULL); /* EXPLAIN is not for users */
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        char sql[512], details[2048] = "";
        sqlite3_stmt *rows;
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", plans[i].sql);
        assert_int_equal(sqlite3_prepare_v2(index->db, sql, -1, &rows, NULL), SQLITE_OK);
        while (sqlite3_step(rows) == SQLITE_ROW) {
            strcat(details, (const char *)sqlite3_column_text(rows, 3));
            strcat(details, "|");
        }
        sqlite3_finalize(rows);
        if (!strstr(details, plans[i].wanted) ||
            (plans[i].unwanted && strstr(details, plans[i].unwanted)))
            fail_msg("%s: %s", plans[i].sql, details);
    }
    index_close(index);
    random_heap_deinit(&heap);
}

/* ---- The reader. */

static void check_label(struct heap_reader *reader, const struct heap_labels *labels,
                        uint32_t label)
{
    const char *text;
    size_t size;
    char index[16];
    assert_int_equal(heap_reader_label(reader, label, &text, &size, NULL), STATUS_OK);
    if (!label) {
        assert_null(text);
    } else if (label & HEAP_LABEL_INDEX) {
        snprintf(index, sizeof index, "[%u]", label & ~HEAP_LABEL_INDEX);
        assert_int_equal(size, strlen(index));
        assert_memory_equal(text, index, size);
    } else {
        uint64_t start = labels->offset[label - 1];
        assert_int_equal(size, labels->offset[label] - start);
        assert_memory_equal(text, labels->text + start, size);
    }
}

static void check_references(struct heap_reader *reader, const struct random_heap *heap,
                             uint32_t index)
{
    const struct heap_references *references = &heap->references;
    struct heap_walk walk;
    struct heap_edge edge;
    uint64_t position = references->first[index], degree, number;
    uint32_t label;
    assert_int_equal(heap_reader_degree(reader, HEAP_REFERENCES, index + 1, &degree, NULL),
                     STATUS_OK);
    assert_int_equal(degree, references->first[index + 1] - position);
    heap_walk_start(reader, HEAP_REFERENCES, index + 1, index + 1, &walk);
    for (; heap_walk_next(&walk, &edge); position++) {
        assert_int_equal(edge.source_id, index + 1);
        assert_int_equal(edge.target_id, references->target[position] + 1);
        assert_int_equal(heap_walk_label(&walk, &number, &label, NULL), STATUS_OK);
        assert_int_equal(number, position + 1);
        assert_int_equal(label, references->label[position]);
        check_label(reader, &heap->labels, label);
    }
    assert_int_equal(heap_walk_finish(&walk, NULL), STATUS_OK);
    assert_int_equal(position, references->first[index + 1]);
}

static void check_object(struct heap_reader *reader, const struct heap_objects *objects,
                         uint32_t index)
{
    struct heap_object_row row;
    uint32_t dominator = objects->dominator[index], id;
    assert_int_equal(heap_reader_object(reader, index + 1, &row, NULL), STATUS_OK);
    assert_int_equal(row.id, index + 1);
    assert_int_equal(row.address, objects->address[index]);
    assert_int_equal(row.type_id, objects->type[index]);
    assert_int_equal(row.size, objects->size[index]);
    assert_int_equal(row.refcount, objects->refcount[index]);
    assert_int_equal(row.retained, objects->retained[index]);
    assert_int_equal(row.dominator_id, dominator == HEAP_NO_OBJECT ? 0 : dominator + 1);
    assert_int_equal(row.flags, objects->flags[index]);
    for (int step = -1; step <= 1; step++) {
        assert_int_equal(heap_reader_find(reader, row.address + (uint64_t)step, &id, NULL),
                         STATUS_OK);
        assert_int_equal(id, index + (step >= 0));
    }
}

/* All referrers in one walk over all objects: by target, then as they are written. */
static void check_referrers(struct heap_reader *reader, const struct random_heap *heap)
{
    const struct heap_references *references = &heap->references;
    uint8_t *seen = calloc(references->count + 1, 1);
    struct heap_walk walk;
    struct heap_edge edge, last = {0, 0};
    uint64_t count = 0, number, last_number = 0;
    uint32_t label;
    heap_walk_start(reader, HEAP_REFERRERS, 1, heap->objects.count, &walk);
    for (; heap_walk_next(&walk, &edge); count++) {
        assert_int_equal(heap_walk_label(&walk, &number, &label, NULL), STATUS_OK);
        assert_int_equal(references->target[number - 1] + 1, edge.target_id);
        assert_true(number > references->first[edge.source_id - 1]);
        assert_true(number <= references->first[edge.source_id]);
        assert_int_equal(label, references->label[number - 1]);
        assert_true(edge.target_id > last.target_id || number > last_number);
        assert_false(seen[number]);
        seen[number] = 1;
        last = edge;
        last_number = number;
    }
    assert_int_equal(heap_walk_finish(&walk, NULL), STATUS_OK);
    assert_int_equal(count, references->count);
    free(seen);
}

static void check_reader(const struct random_heap *heap, bool plain)
{
    struct index *index = make_index(heap, NULL, plain);
    struct heap_reader *reader;
    struct heap_object_row row;
    uint32_t objects, id;
    uint64_t references, degrees = 0, degree;
    assert_int_equal(heap_reader_open(index, &reader, NULL), STATUS_OK);
    assert_int_equal(heap_reader_counts(reader, &objects, &references, NULL), STATUS_OK);
    assert_int_equal(objects, heap->objects.count);
    assert_int_equal(references, heap->references.count);
    for (uint32_t i = 0; i < objects; i++) {
        uint32_t mixed = (uint32_t)((uint64_t)i * 7919 % objects);
        check_object(reader, &heap->objects, mixed);
        check_references(reader, heap, mixed);
        assert_int_equal(heap_reader_degree(reader, HEAP_REFERRERS, i + 1, &degree, NULL),
                         STATUS_OK);
        degrees += degree;
    }
    assert_int_equal(degrees, references);
    check_referrers(reader, heap);
    assert_int_equal(heap_reader_object(reader, 0, &row, NULL), STATUS_USAGE);
    assert_int_equal(heap_reader_object(reader, objects + 1, &row, NULL), STATUS_USAGE);
    assert_int_equal(heap_reader_find(reader, 0, &id, NULL), STATUS_OK);
    assert_int_equal(id, 0);
    assert_int_equal(heap_reader_find(reader, UINT64_MAX, &id, NULL), STATUS_OK);
    assert_int_equal(id, objects);
    heap_reader_close(reader);
    index_close(index);
}

static void test_reader(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 127, 128, 129, 256, 257, 1000, 6000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct random_heap heap;
        enum random_heap_shape shape = i % 2 ? RANDOM_HEAP_HIGH : RANDOM_HEAP_LONG_ROWS;
        random_heap_make(&heap, i + 50, sizes[i], sizes[i] < 1000 ? RANDOM_HEAP_PLAIN : shape);
        check_reader(&heap, i == 3);
        random_heap_deinit(&heap);
    }
}

static void test_reader_without_heap(void **state)
{
    (void)state;
    struct index_writer *writer;
    struct index *index;
    struct heap_reader *reader;
    struct error err;
    assert_int_equal(index_writer_create(NULL, &writer, NULL), STATUS_OK);
    assert_int_equal(index_writer_publish(writer, &index, NULL), STATUS_OK);
    assert_int_equal(heap_reader_open(index, &reader, &err), STATUS_NOT_IN_DUMP);
    index_close(index);
}

/* Look-ups, however many, do not use up the steps that a query may take. */
static void test_reader_is_unbounded(void **state)
{
    (void)state;
    struct random_heap heap;
    const char *path = scratch_path();
    random_heap_make(&heap, 8, 5000, RANDOM_HEAP_PLAIN);
    struct index *index = make_index(&heap, path, false);
    struct heap_reader *reader;
    uint64_t degree;
    assert_int_equal(heap_reader_open(index, &reader, NULL), STATUS_OK);
    index->steps_left = 2;
    for (uint32_t i = 0; i < 20000; i++)
        assert_int_equal(
            heap_reader_degree(reader, HEAP_REFERRERS, i * 977 % 5000 + 1, &degree, NULL),
            STATUS_OK);
    assert_int_equal(index->steps_left, 2);
    heap_reader_close(reader);
    index_close(index);
    unlink(path);
    random_heap_deinit(&heap);
}

/* ---- Contradictory columns are refused. */

static void check_refused(const struct random_heap *heap)
{
    struct index_writer *writer;
    struct error err;
    assert_int_equal(index_writer_create(NULL, &writer, NULL), STATUS_OK);
    assert_int_equal(
        index_writer_heap(writer, &heap->objects, &heap->references, &heap->labels, false, &err),
        STATUS_USAGE);
    index_writer_destroy(writer);
}

static void test_contradictions(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 5, 400, RANDOM_HEAP_PLAIN);
    uint32_t *target = (uint32_t *)(uintptr_t)heap.references.target;
    uint32_t *label = (uint32_t *)(uintptr_t)heap.references.label;
    uint32_t *dominator = (uint32_t *)(uintptr_t)heap.objects.dominator;
    uint64_t *address = (uint64_t *)(uintptr_t)heap.objects.address;
    uint64_t *first = (uint64_t *)(uintptr_t)heap.references.first;
    uint32_t kept = target[7];
    target[7] = 400;
    check_refused(&heap);
    target[7] = kept;
    kept = label[9];
    label[9] = heap.labels.count + 1;
    check_refused(&heap);
    label[9] = kept;
    kept = dominator[3];
    dominator[3] = 3;
    check_refused(&heap);
    dominator[3] = 400;
    check_refused(&heap);
    dominator[3] = kept;
    address[50]++;
    uint64_t last = address[49];
    address[49] = address[50];
    check_refused(&heap);
    address[49] = last;
    first[10] += 1000000;
    check_refused(&heap);
    first[10] -= 1000000;
    heap.references.count++;
    check_refused(&heap);
    heap.references.count--;
    index_close(make_index(&heap, NULL, false));
    random_heap_deinit(&heap);
}

/* ---- Damage. */

static void change(const char *path, const char *sql)
{
    sqlite3 *db;
    char *message = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

struct damage {
    const char *sql;
    bool detected; /* by some query, not only survived */
};

static const struct damage damages[] = {
    {"UPDATE object_chunk SET data = substr(data, 1, length(data) - 1) WHERE id = 129", true},
    {"UPDATE object_chunk SET data = x'' WHERE id = 129", true},
    {"UPDATE object_chunk SET data = NULL WHERE id = 129", true},
    {"UPDATE object_chunk SET data = 'text' WHERE id = 129", true},
    {"UPDATE object_chunk SET data = 12 WHERE id = 129", true},
    {"UPDATE object_chunk SET data = zeroblob(300) WHERE id = 129", true},
    {"UPDATE object_chunk SET data = (SELECT data FROM object_chunk WHERE id = 1)", true},
    {"UPDATE object_chunk SET id = 130 WHERE id = 129", true},
    {"UPDATE object_chunk SET id = -5 WHERE id = 129", true},
    {"DELETE FROM object_chunk WHERE id = 129", true},
    {"UPDATE object_chunk SET id = 9223372036854775807 WHERE id = 1", true},
    {"DROP TABLE object_chunk", true},
    {"DROP TABLE object_chunk; CREATE VIEW object_chunk AS SELECT id, address AS data FROM object",
     true},
    {"DROP TABLE ref_chunk; CREATE VIEW ref_chunk AS SELECT source_id AS id, label AS data FROM"
     " ref",
     true},
    {"DROP TABLE ref_reverse; CREATE VIEW ref_reverse AS SELECT r.source_id AS id, o.id AS data"
     " FROM ref r JOIN object o ON r.target_id = o.id",
     true},
    {"UPDATE ref_chunk SET data = substr(data, 1, length(data) - 3)"
     " WHERE id = (SELECT max(id) FROM ref_chunk)",
     true},
    {"UPDATE ref_chunk SET id = id + 1 WHERE id = (SELECT id FROM ref_chunk LIMIT 1 OFFSET 2)",
     true},
    {"DELETE FROM ref_chunk WHERE id = (SELECT id FROM ref_chunk LIMIT 1 OFFSET 2)", true},
    {"DELETE FROM ref_chunk", true},
    {"UPDATE ref_reverse SET data = zeroblob(9)"
     " WHERE id = (SELECT id FROM ref_reverse LIMIT 1 OFFSET 1)",
     true},
    {"DELETE FROM ref_reverse WHERE id = (SELECT id FROM ref_reverse LIMIT 1 OFFSET 1)", true},
    {"DELETE FROM ref_label WHERE id = 1", true},
    {"UPDATE ref_label SET data = x'010203' WHERE id = 1", true},
    {"ALTER TABLE ref_label RENAME COLUMN data TO other", true},
    {"UPDATE ref_label SET id = id + 70000 * 70000", true},
};

/* Each query gives what it gave before, or says that the index is damaged. */
static unsigned check_damaged(const char *path, char *const *wanted, const char *what)
{
    struct index *index;
    struct error err;
    struct text got;
    unsigned detected = 0;
    text_init(&got);
    assert_int_equal(index_open(path, &index, &err), STATUS_OK);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const char *sql = with_ids(shapes[i], 200, 240);
        enum status status = run(index, sql, &got, &err);
        if (status == STATUS_OK) {
            if (wanted && strcmp(text_string(&got), wanted[i]) != 0)
                fail_msg("%s: %s: other rows", what, sql);
            continue;
        }
        if (status != STATUS_CORRUPT)
            fail_msg("%s: %s: %s", what, sql, err.message);
        detected++;
    }
    /* the rest is as good as before */
    assert_int_equal(run(index, "SELECT count(*) FROM meta", &got, &err), STATUS_OK);
    text_deinit(&got);
    index_close(index);
    return detected;
}

static char **answers_of(struct index *index)
{
    size_t count = sizeof shapes / sizeof *shapes;
    char **answers = calloc(count, sizeof *answers);
    struct text got;
    text_init(&got);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(run(index, with_ids(shapes[i], 200, 240), &got, NULL), STATUS_OK);
        answers[i] = strdup(text_string(&got));
    }
    text_deinit(&got);
    return answers;
}

static void free_answers(char **answers)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        free(answers[i]);
    free(answers);
}

static void test_damage(void **state)
{
    (void)state;
    struct random_heap heap;
    const char *path = scratch_path();
    random_heap_make(&heap, 6, 500, RANDOM_HEAP_PLAIN);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        index_close(make_index(&heap, path, false));
        change(path, damages[i].sql);
        unsigned detected = check_damaged(path, NULL, damages[i].sql);
        if (damages[i].detected && !detected)
            fail_msg("%s: nothing noticed", damages[i].sql);
    }
    unlink(path);
    random_heap_deinit(&heap);
}

static void flip(const char *path, const char *table, uint64_t *random)
{
    sqlite3 *db;
    sqlite3_stmt *rows;
    sqlite3_blob *blob;
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT id FROM %s ORDER BY (id * %llu) %% 997 LIMIT 1", table,
             (unsigned long long)(random_heap_next(random) % 1000));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    int64_t id = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    assert_int_equal(sqlite3_blob_open(db, "main", table, "data", id, 1, &blob), SQLITE_OK);
    uint8_t byte;
    int position = (int)(random_heap_next(random) % (uint64_t)sqlite3_blob_bytes(blob));
    assert_int_equal(sqlite3_blob_read(blob, &byte, 1, position), SQLITE_OK);
    byte ^= (uint8_t)(1u << random_heap_next(random) % 8);
    assert_int_equal(sqlite3_blob_write(blob, &byte, 1, position), SQLITE_OK);
    sqlite3_blob_close(blob);
    sqlite3_close(db);
}

/* A flipped bit in a chunk never gives another answer. */
static void test_flipped_bits(void **state)
{
    (void)state;
    static const char *const tables[] = {"object_chunk", "ref_chunk", "ref_reverse", "ref_label"};
    struct random_heap heap;
    const char *path = scratch_path();
    uint64_t random = 99;
    unsigned detected = 0;
    random_heap_make(&heap, 6, 500, RANDOM_HEAP_PLAIN);
    struct index *index = make_index(&heap, path, false);
    char **wanted = answers_of(index);
    index_close(index);
    for (int round = 0; round < 20; round++) {
        index_close(make_index(&heap, path, false));
        flip(path, tables[round % 4], &random);
        detected += check_damaged(path, wanted, tables[round % 4]) != 0;
    }
    assert_true(detected >= 17); /* some ways to compress are as good as others */
    free_answers(wanted);
    unlink(path);
    random_heap_deinit(&heap);
}

/* Words that a user can act on. */
static void test_message(void **state)
{
    (void)state;
    struct random_heap heap;
    const char *path = scratch_path();
    struct index *index;
    struct error err;
    struct text got;
    text_init(&got);
    random_heap_make(&heap, 6, 500, RANDOM_HEAP_PLAIN);
    index_close(make_index(&heap, path, false));
    change(path, "UPDATE object_chunk SET data = zeroblob(300) WHERE id = 129");
    assert_int_equal(index_open(path, &index, &err), STATUS_OK);
    assert_int_equal(run(index, "SELECT * FROM object", &got, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.message, "object_chunk: row 129: "));
    text_deinit(&got);
    index_close(index);
    unlink(path);
    random_heap_deinit(&heap);
}

/* ---- The same bytes. */

static char *file_bytes(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *ret_size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*ret_size);
    assert_int_equal(fread(bytes, 1, *ret_size, file), *ret_size);
    fclose(file);
    return bytes;
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct random_heap heap;
    const char *path = scratch_path();
    size_t size, again_size;
    random_heap_make(&heap, 11, 60000, RANDOM_HEAP_LONG_ROWS);
    index_close(make_index(&heap, path, false));
    char *bytes = file_bytes(path, &size);
    for (int round = 0; round < 3; round++) {
        index_close(make_index(&heap, path, false));
        char *again = file_bytes(path, &again_size);
        assert_int_equal(again_size, size);
        assert_memory_equal(again, bytes, size);
        free(again);
    }
    free(bytes);
    unlink(path);
    random_heap_deinit(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_rows),
        cmocka_unit_test(test_same_rows_long),
        cmocka_unit_test(test_empty_heap),
        cmocka_unit_test(test_one_object),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_reader_without_heap),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_reader_is_unbounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
