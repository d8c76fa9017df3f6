/* SPDX-License-Identifier: Apache-2.0 */
/* The tables `object` and `ref` of an index that contradicts itself or is damaged: the
 * same rows or an error; and two indexes of one heap are the same to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/analyzer/virtual_fixture.h"

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
    index_close(virtual_index(&heap, NULL, false));
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
    for (size_t i = 0; i < virtual_shape_count; i++) {
        const char *sql = virtual_shape(i, 200, 240);
        enum status status = virtual_run(index, sql, &got, &err);
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
    assert_int_equal(virtual_run(index, "SELECT count(*) FROM meta", &got, &err), STATUS_OK);
    text_deinit(&got);
    index_close(index);
    return detected;
}

static char **answers_of(struct index *index)
{
    size_t count = virtual_shape_count;
    char **answers = calloc(count, sizeof *answers);
    struct text got;
    text_init(&got);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(virtual_run(index, virtual_shape(i, 200, 240), &got, NULL), STATUS_OK);
        answers[i] = strdup(text_string(&got));
    }
    text_deinit(&got);
    return answers;
}

static void free_answers(char **answers)
{
    for (size_t i = 0; i < virtual_shape_count; i++)
        free(answers[i]);
    free(answers);
}

static void test_damage(void **state)
{
    (void)state;
    struct random_heap heap;
    const char *path = virtual_scratch_path();
    random_heap_make(&heap, 6, 500, RANDOM_HEAP_PLAIN);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        index_close(virtual_index(&heap, path, false));
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
    const char *path = virtual_scratch_path();
    uint64_t random = 99;
    unsigned detected = 0;
    random_heap_make(&heap, 6, 500, RANDOM_HEAP_PLAIN);
    struct index *index = virtual_index(&heap, path, false);
    char **wanted = answers_of(index);
    index_close(index);
    for (int round = 0; round < 20; round++) {
        index_close(virtual_index(&heap, path, false));
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
    const char *path = virtual_scratch_path();
    struct index *index;
    struct error err;
    struct text got;
    text_init(&got);
    random_heap_make(&heap, 6, 500, RANDOM_HEAP_PLAIN);
    index_close(virtual_index(&heap, path, false));
    change(path, "UPDATE object_chunk SET data = zeroblob(300) WHERE id = 129");
    assert_int_equal(index_open(path, &index, &err), STATUS_OK);
    assert_int_equal(virtual_run(index, "SELECT * FROM object", &got, &err), STATUS_CORRUPT);
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
    const char *path = virtual_scratch_path();
    size_t size, again_size;
    random_heap_make(&heap, 11, 60000, RANDOM_HEAP_LONG_ROWS);
    index_close(virtual_index(&heap, path, false));
    char *bytes = file_bytes(path, &size);
    for (int round = 0; round < 3; round++) {
        index_close(virtual_index(&heap, path, false));
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
        cmocka_unit_test(test_contradictions), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_flipped_bits),   cmocka_unit_test(test_message),
        cmocka_unit_test(test_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
