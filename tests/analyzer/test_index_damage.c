/* SPDX-License-Identifier: Apache-2.0 */
/* An index that was damaged or made to harm, or is none, gives an error. */
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

#include "analyzer/index/index_open.h"
#include "tests/analyzer/index_fixture.h"

/* ---- Damaged and foreign files. */

static void test_foreign_files(void **state)
{
    (void)state;
    struct index *index;
    struct error err = {0};
    FILE *file = fopen(index_path("text"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database", file);
    fclose(file);
    assert_int_equal(index_open(index_path("text"), &index, &err), STATUS_CORRUPT);
    assert_int_equal(index_open(index_path("missing"), &index, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(index_open(index_folder, &index, &err), STATUS_IO);
    assert_int_equal(truncate(index_path("text"), 0), 0);
    assert_int_equal(index_open(index_path("text"), &index, &err), STATUS_CORRUPT);
}

/* Puts four bytes into the file's header. */
static void patch(const char *path, long offset, const char *bytes)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, 4, file), 4);
    fclose(file);
}

static void test_other_identities(void **state)
{
    (void)state;
    struct index *index;
    struct error err = {0};
    index_make(index_path("a.index"), 0);
    patch(index_path("a.index"), 60, "\0\0\0\x63");
    assert_int_equal(index_open(index_path("a.index"), &index, &err), STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.message, "99"));
    patch(index_path("a.index"), 68, "GPKG");
    assert_int_equal(index_open(index_path("a.index"), &index, &err), STATUS_CORRUPT);
}

/* Reads all of an index that may be damaged; any status will do. */
static void read_everything(const char *path)
{
    static const char *const statements[] = {
        "SELECT * FROM warning",
        "SELECT * FROM thread",
        "SELECT * FROM local ORDER BY frame_id DESC",
        "SELECT count(*), sum(address) FROM local JOIN meta",
    };
    struct index *index;
    struct error err = {0};
    if (index_open(path, &index, &err) != STATUS_OK)
        return;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        struct index_rows *rows;
        if (index_query(index, statements[i], NULL, 0, &rows, &err) != STATUS_OK)
            continue;
        while (index_rows_next(rows)) {
            for (int column = 0; column < index_rows_column_count(rows); column++)
                index_rows_text(rows, column);
        }
        index_rows_finish(rows, &err);
    }
    index_close(index);
}

static void test_damage_is_survived(void **state)
{
    (void)state;
    index_make(index_path("a.index"), 300);
    size_t size;
    unsigned char *bytes = index_read_file(index_path("a.index"), &size);
    uint32_t random = 12345;
    for (int round = 0; round < 150; round++) {
        unsigned char *damaged = malloc(size);
        assert_non_null(damaged);
        memcpy(damaged, bytes, size);
        for (int i = 0; i < 8; i++) {
            random = random * 1664525 + 1013904223;
            damaged[random % size] ^= (unsigned char)(random >> 24);
        }
        index_write_file(index_path("b.index"), damaged, round % 3 ? size : random % size);
        free(damaged);
        read_everything(index_path("b.index"));
    }
    free(bytes);
}

/* A tree whose pages all name the same child again and again costs the product of
 * its levels: the count of steps ends it. Page layout as in SQLite's file format. */
static void put_u16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

static void make_interior(unsigned char *page, unsigned page_size, unsigned child)
{
    enum { CELLS = 400 };
    memset(page, 0, page_size);
    page[0] = 5; /* interior page of a table */
    put_u16(page + 3, CELLS);
    put_u16(page + 5, page_size - CELLS * 5);
    put_u16(page + 10, child);
    for (unsigned i = 0; i < CELLS; i++) {
        unsigned at = page_size - CELLS * 5 + i * 5;
        put_u16(page + 12 + 2 * i, at);
        put_u16(page + at + 2, child);
        page[at + 4] = 1;
    }
}

static void test_endless_tree_ends(void **state)
{
    (void)state;
    enum { PAGE = 4096, LEVELS = 8 };
    index_make(index_path("a.index"), 3000);
    struct index *index;
    assert_int_equal(index_open(index_path("a.index"), &index, NULL), STATUS_OK);
    unsigned root = (unsigned)atoi(
        index_single(index, "SELECT rootpage FROM sqlite_schema WHERE name = 'local'"));
    index_close(index);
    size_t size;
    unsigned char *bytes = index_read_file(index_path("a.index"), &size);
    unsigned char *larger = realloc(bytes, size + LEVELS * PAGE);
    assert_non_null(larger);
    unsigned pages = (unsigned)(size / PAGE);
    unsigned char *leaf = larger + size + (LEVELS - 1) * PAGE;
    make_interior(larger + (root - 1) * PAGE, PAGE, pages + 1);
    for (unsigned i = 1; i < LEVELS; i++)
        make_interior(larger + size + (i - 1) * PAGE, PAGE, pages + i + 1);
    memset(leaf, 0, PAGE);
    leaf[0] = 13;
    put_u16(leaf + 3, 1);
    put_u16(leaf + 5, PAGE - 10);
    put_u16(leaf + 8, PAGE - 10);
    memcpy(leaf + PAGE - 10, "\x08\x01\x08\x00\x00\x00\x00\x00\x00\x00", 10);
    put_u16(larger + 30, pages + LEVELS);
    index_write_file(index_path("b.index"), larger, size + LEVELS * PAGE);
    free(larger);
    assert_int_equal(index_open(index_path("b.index"), &index, NULL), STATUS_OK);
    struct index_rows *rows;
    struct error err = {0};
    assert_int_equal(index_query(index, "SELECT frame_id FROM local", NULL, 0, &rows, &err),
                     STATUS_OK);
    uint64_t count = 0;
    while (index_rows_next(rows))
        count++;
    assert_int_equal(index_rows_finish(rows, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.message, "would not end"));
    assert_true(count > 1000);
    index_close(index);
}

/* Changes an index as another program could. */
static void change(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_missing_parts(void **state)
{
    (void)state;
    struct index *index;
    struct error err = {0};
    index_make(index_path("a.index"), 0);
    change(index_path("a.index"), "ALTER TABLE traceback RENAME COLUMN line TO lines");
    assert_int_equal(index_open(index_path("a.index"), &index, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.message, "traceback"));
    index_make(index_path("a.index"), 0);
    change(index_path("a.index"), "DROP TABLE memory");
    assert_int_equal(index_open(index_path("a.index"), &index, &err), STATUS_CORRUPT);
    index_make(index_path("a.index"), 0);
    change(index_path("a.index"),
           "ALTER TABLE memory ADD COLUMN more TEXT; CREATE TABLE extra (a)");
    assert_int_equal(index_open(index_path("a.index"), &index, &err), STATUS_OK);
    index_close(index);
}

static unsigned releases;
static void count_release(void *context)
{
    free(context);
    releases++;
}

static void test_index_in_bytes(void **state)
{
    (void)state;
    index_make(index_path("a.index"), 10);
    size_t size;
    unsigned char *bytes = index_read_file(index_path("a.index"), &size);
    struct index *index;
    releases = 0;
    assert_int_equal(index_open_bytes("-", bytes, size, count_release, bytes, &index, NULL),
                     STATUS_OK);
    assert_string_equal(index_single(index, "SELECT count(*) FROM local"), "12");
    assert_int_equal(releases, 0);
    index_close(index);
    assert_int_equal(releases, 1);
    bytes = calloc(1, 5000);
    struct error err = {0};
    assert_int_equal(index_open_bytes("-", bytes, 5000, count_release, bytes, &index, &err),
                     STATUS_CORRUPT);
    assert_int_equal(releases, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_FOLDER(test_foreign_files),      TEST_IN_FOLDER(test_other_identities),
        TEST_IN_FOLDER(test_damage_is_survived), TEST_IN_FOLDER(test_endless_tree_ends),
        TEST_IN_FOLDER(test_missing_parts),      TEST_IN_FOLDER(test_index_in_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
