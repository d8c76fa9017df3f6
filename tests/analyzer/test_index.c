/* SPDX-License-Identifier: Apache-2.0 */
/* The index: what is written is read back, atomically and in private; what was
 * damaged or made to harm gives an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/index/cache.h"
#include "analyzer/index/index_open.h"
#include "inquest/analyzer/index.h"

static char folder[] = "/tmp/inquest-test-index-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *result = path[next++ % 4];
    snprintf(result, sizeof path[0], "%s/%s", folder, name);
    return result;
}

static unsigned files_in_folder(void)
{
    unsigned count = 0;
    DIR *open_folder = opendir(folder);
    assert_non_null(open_folder);
    for (struct dirent *entry; (entry = readdir(open_folder));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(open_folder);
    return count;
}

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *open_folder = opendir(folder);
    for (struct dirent *entry; open_folder && (entry = readdir(open_folder));)
        unlinkat(dirfd(open_folder), entry->d_name, 0);
    if (open_folder)
        closedir(open_folder);
    return rmdir(folder);
}

static struct index_writer *start(const char *path)
{
    struct index_writer *writer = NULL;
    struct error err = {0};
    assert_int_equal(index_writer_create(path, &writer, &err), STATUS_OK);
    return writer;
}

static struct index *publish(struct index_writer *writer)
{
    struct index *index = NULL;
    struct error err = {0};
    enum status status = index_writer_publish(writer, &index, &err);
    if (status != STATUS_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, STATUS_OK);
    return index;
}

static void write_local(struct index_writer *writer, int64_t frame, const char *name,
                        const char *value)
{
    const struct index_value values[] = {INDEX_INT(frame), INDEX_STR(name),  INDEX_STR("local"),
                                         INDEX_STR("str"), INDEX_STR(value), INDEX_NONE,
                                         INDEX_INT(-1)};
    assert_int_equal(index_writer_row(writer, INDEX_LOCAL, values, 7), STATUS_OK);
}

/* The one value that a query gives, as text in static storage. */
static const char *single(struct index *index, const char *sql)
{
    static char text[1024];
    struct index_rows *rows;
    struct error err = {0};
    if (index_query(index, sql, NULL, 0, &rows, &err) != STATUS_OK)
        fail_msg("%s: %s", sql, err.message);
    assert_true(index_rows_next(rows));
    const char *value = index_rows_text(rows, 0);
    snprintf(text, sizeof text, "%s", value ? value : "NULL");
    assert_false(index_rows_next(rows));
    assert_int_equal(index_rows_finish(rows, &err), STATUS_OK);
    return text;
}

static enum status query_status(struct index *index, const char *sql)
{
    struct index_rows *rows;
    struct error err = {0};
    enum status status = index_query(index, sql, NULL, 0, &rows, &err);
    if (status != STATUS_OK) {
        assert_true(err.message[0]);
        return status;
    }
    while (index_rows_next(rows))
        ;
    return index_rows_finish(rows, &err);
}

/* ---- Writing and reading back. */

static void check_contents(struct index *index)
{
    struct index_rows *rows;
    const struct index_value frame[] = {INDEX_INT(7)};
    assert_string_equal(index_meta(index, "tool"), "inquest test");
    assert_null(index_meta(index, "nothing"));
    assert_int_equal(index_query(index,
                                 "SELECT frame_id, name, value, object_id, address, 1.5, x'00FF' "
                                 "FROM local WHERE frame_id = ?",
                                 frame, 1, &rows, NULL),
                     STATUS_OK);
    assert_int_equal(index_rows_column_count(rows), 7);
    assert_string_equal(index_rows_column_name(rows, 1), "name");
    assert_true(index_rows_next(rows));
    assert_int_equal(index_rows_integer(rows, 0), 7);
    assert_string_equal(index_rows_text(rows, 1), "größe");
    assert_string_equal(index_rows_text(rows, 2), "'x'");
    assert_true(index_rows_is_null(rows, 3));
    assert_null(index_rows_text(rows, 3));
    assert_int_equal(index_rows_kind(rows, 4), INDEX_INTEGER);
    assert_int_equal(index_rows_integer(rows, 4), -1);
    assert_int_equal(index_rows_kind(rows, 5), INDEX_REAL);
    assert_true(index_rows_real(rows, 5) == 1.5);
    assert_string_equal(index_rows_text(rows, 6), "00FF");
    assert_false(index_rows_next(rows));
    assert_false(index_rows_next(rows));
    assert_int_equal(index_rows_finish(rows, NULL), STATUS_OK);
    assert_string_equal(single(index, "SELECT area || ':' || message FROM warning"), "note:cut");
}

static void write_contents(struct index_writer *writer)
{
    assert_int_equal(index_writer_meta(writer, "tool", "inquest test"), STATUS_OK);
    assert_int_equal(index_writer_warning(writer, "note", "cut"), STATUS_OK);
    write_local(writer, 7, "größe", "'x'");
    write_local(writer, 8, "other", NULL);
}

static void test_file_round_trip(void **state)
{
    (void)state;
    struct index_writer *writer = start(path_of("a.index"));
    write_contents(writer);
    assert_int_equal(access(path_of("a.index"), F_OK), -1); /* not yet */
    assert_int_equal(files_in_folder(), 1);
    struct index *index = publish(writer);
    assert_int_equal(files_in_folder(), 1);
    check_contents(index);
    index_close(index);
    assert_int_equal(index_open(path_of("a.index"), &index, NULL), STATUS_OK);
    check_contents(index);
    index_close(index);
}

static void test_memory_round_trip(void **state)
{
    (void)state;
    struct index_writer *writer = start(NULL);
    write_contents(writer);
    struct index *index = publish(writer);
    check_contents(index);
    index_close(index);
    assert_int_equal(files_in_folder(), 0);
}

static void test_identity(void **state)
{
    (void)state;
    index_close(publish(start(path_of("a.index"))));
    FILE *file = fopen(path_of("a.index"), "rb");
    unsigned char head[100];
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    fclose(file);
    assert_memory_equal(head + 68, "INQS", 4);
    assert_memory_equal(head + 60, "\0\0\0\2", 4);
}

static void test_mode_is_private_from_the_start(void **state)
{
    (void)state;
    mode_t old = umask(0);
    struct index_writer *writer = start(path_of("a.index"));
    DIR *open_folder = opendir(folder);
    struct stat file;
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        if (entry->d_name[0] != '.' || !strstr(entry->d_name, "a.index"))
            continue;
        assert_non_null(strstr(entry->d_name, ".a.index.tmp-"));
        assert_int_equal(fstatat(dirfd(open_folder), entry->d_name, &file, 0), 0);
        assert_int_equal(file.st_mode & 07777, 0600);
    }
    closedir(open_folder);
    index_close(publish(writer));
    assert_int_equal(stat(path_of("a.index"), &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    umask(old);
}

static void test_replaces_and_follows_links(void **state)
{
    (void)state;
    index_close(publish(start(path_of("a.index"))));
    assert_int_equal(symlink("a.index", path_of("link")), 0);
    struct index_writer *writer = start(path_of("link"));
    write_contents(writer);
    index_close(publish(writer));
    struct stat link;
    assert_int_equal(lstat(path_of("link"), &link), 0);
    assert_true(S_ISLNK(link.st_mode));
    struct index *index;
    assert_int_equal(index_open(path_of("a.index"), &index, NULL), STATUS_OK);
    check_contents(index);
    index_close(index);
    assert_int_equal(files_in_folder(), 2);
}

static void test_destroy_leaves_nothing(void **state)
{
    (void)state;
    struct index_writer *writer = start(path_of("a.index"));
    write_contents(writer);
    index_writer_destroy(writer);
    index_writer_destroy(NULL);
    assert_int_equal(files_in_folder(), 0);
}

static void test_unwritable_targets(void **state)
{
    (void)state;
    struct index_writer *writer;
    struct error err = {0};
    assert_int_equal(index_writer_create(path_of("no/such/a"), &writer, &err), STATUS_OUTPUT);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(index_writer_create(folder, &writer, &err), STATUS_OUTPUT);
    assert_non_null(strstr(err.message, "is a folder"));
    assert_int_equal(index_writer_create("/dev/null", &writer, &err), STATUS_OUTPUT);
    assert_int_equal(index_writer_create("", &writer, &err), STATUS_OUTPUT);
    assert_int_equal(files_in_folder(), 0);
}

/* The size limit stands in for a full disk. */
static void test_full_disk_leaves_nothing(void **state)
{
    (void)state;
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 200000, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    struct index_writer *writer = start(path_of("a.index"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char value[1000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < 5000; i++)
        index_writer_warning(writer, "disk", value);
    struct index *index;
    struct error err = {0};
    assert_int_equal(index_writer_publish(writer, &index, &err), STATUS_OUTPUT);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_non_null(strstr(err.message, "a.index"));
    assert_int_equal(files_in_folder(), 0);
}

static void test_wrong_row_fails_the_whole(void **state)
{
    (void)state;
    struct index_writer *writer = start(NULL);
    const struct index_value values[] = {INDEX_INT(1)};
    struct index *index;
    assert_int_equal(index_writer_row(writer, INDEX_THREAD, values, 1), STATUS_USAGE);
    assert_int_equal(index_writer_meta(writer, "a", "b"), STATUS_USAGE);
    assert_int_equal(index_writer_publish(writer, &index, NULL), STATUS_USAGE);
}

static void test_text_becomes_valid(void **state)
{
    (void)state;
    struct index_writer *writer = start(NULL);
    write_local(writer, 1, "a\xFF", "surrogate \xED\xA0\x80, cut \xE2\x82");
    write_local(writer, 2, "eight bytes and then \xC3\xA9", "\xF0\x9F\x90\x8D");
    struct index *index = publish(writer);
    assert_string_equal(single(index, "SELECT name FROM local WHERE frame_id = 1"),
                        "a\xEF\xBF\xBD");
    assert_string_equal(single(index, "SELECT value FROM local WHERE frame_id = 1"),
                        "surrogate \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD, cut "
                        "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_string_equal(single(index, "SELECT name || value FROM local WHERE frame_id = 2"),
                        "eight bytes and then \xC3\xA9\xF0\x9F\x90\x8D");
    /* what another program may have put into an index */
    assert_string_equal(single(index, "SELECT CAST(x'61FF62' AS TEXT)"), "a\xEF\xBF\xBD"
                                                                         "b");
    assert_string_equal(single(index, "SELECT CAST(x'61006200' AS TEXT)"), "a\xEF\xBF\xBD"
                                                                           "b\xEF\xBF\xBD");
    index_close(index);
}

static void test_strange_file_names(void **state)
{
    (void)state;
    static const char *const names[] = {":memory:", "file:x", "a?b=c#d%41&e", "sp ace\n", "é"};
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct index_writer *writer = start(names[i]);
        write_contents(writer);
        struct index *index = publish(writer);
        check_contents(index);
        index_close(index);
        assert_int_equal(access(names[i], F_OK), 0);
        assert_int_equal(files_in_folder(), i + 1);
    }
    assert_int_equal(chdir(here), 0);
}

static void test_copy(void **state)
{
    (void)state;
    struct index_writer *writer = start(NULL);
    write_contents(writer);
    struct index *index = publish(writer), *copy;
    assert_int_equal(index_copy(index, path_of("b.index"), &copy, NULL), STATUS_OK);
    index_close(index);
    check_contents(copy);
    index_close(copy);
    assert_int_equal(files_in_folder(), 1);
}

/* ---- What a query may do. */

static void test_queries_only_read(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "DELETE FROM local",
        "UPDATE local SET name = 'x'",
        "UPDATE sqlite_master SET name = 'x'",
        "INSERT INTO meta VALUES ('a', 'b')",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "VACUUM",
        "VACUUM INTO '/tmp/inquest-copy'",
        "PRAGMA writable_schema = ON",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = WAL",
        "BEGIN",
        "COMMIT",
        "REINDEX",
        "ANALYZE",
        "SELECT load_extension('x')",
        "SELECT 1; SELECT 2",
        "SELECT 1; nonsense",
        "",
        " -- nothing",
        "SELEC",
        "SELECT * FROM no_such_table",
        "SELECT \"no_such_column\" FROM meta",
        "WITH x AS (SELECT 1) DELETE FROM meta",
    };
    static const char *const allowed[] = {
        "SELECT count(*) FROM local",
        "SELECT 1; -- that was all",
        "SELECT 1 ; ; /* yes */ ",
        "WITH RECURSIVE n(x) AS (VALUES (1) UNION SELECT x + 1 FROM n WHERE x < 9) SELECT x FROM n",
        "EXPLAIN QUERY PLAN SELECT * FROM local",
        "PRAGMA table_info(local)",
        "SELECT name FROM pragma_table_info('frame')",
        "SELECT sql FROM sqlite_schema",
        "VALUES (1, 2)",
        "SELECT json_object('a', 1)",
        "SELECT value FROM json_each('[1, 2]')",
    };
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        struct index_writer *writer = start(in_memory ? NULL : path_of("a.index"));
        write_contents(writer);
        struct index *index = publish(writer);
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
            if (query_status(index, refused[i]) != STATUS_USAGE)
                fail_msg("not refused: %s", refused[i]);
        }
        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
            if (query_status(index, allowed[i]) != STATUS_OK)
                fail_msg("refused: %s", allowed[i]);
        }
        check_contents(index);
        index_close(index);
    }
}

static void test_failures_while_running(void **state)
{
    (void)state;
    struct index *index = publish(start(NULL));
    assert_int_equal(query_status(index, "SELECT abs(-9223372036854775807 - 1)"), STATUS_USAGE);
    assert_int_equal(query_status(index, "SELECT zeroblob(1000000000)"), STATUS_OVER_LIMIT);
    assert_int_equal(index_rows_finish(NULL, NULL), STATUS_OK);
    index_close(index);
}

/* ---- Damaged and foreign files. */

static void make_index(const char *path, int rows)
{
    struct index_writer *writer = start(path);
    write_contents(writer);
    for (int i = 0; i < rows; i++)
        write_local(writer, 100 + i, "name", "some value that fills a page or two");
    index_close(publish(writer));
}

static void test_foreign_files(void **state)
{
    (void)state;
    struct index *index;
    struct error err = {0};
    FILE *file = fopen(path_of("text"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database", file);
    fclose(file);
    assert_int_equal(index_open(path_of("text"), &index, &err), STATUS_CORRUPT);
    assert_int_equal(index_open(path_of("missing"), &index, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(index_open(folder, &index, &err), STATUS_IO);
    assert_int_equal(truncate(path_of("text"), 0), 0);
    assert_int_equal(index_open(path_of("text"), &index, &err), STATUS_CORRUPT);
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
    make_index(path_of("a.index"), 0);
    patch(path_of("a.index"), 60, "\0\0\0\x63");
    assert_int_equal(index_open(path_of("a.index"), &index, &err), STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.message, "99"));
    patch(path_of("a.index"), 68, "GPKG");
    assert_int_equal(index_open(path_of("a.index"), &index, &err), STATUS_CORRUPT);
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

static unsigned char *read_file(const char *path, size_t *ret_size)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    unsigned char *bytes = malloc((size_t)status.st_size);
    assert_non_null(bytes);
    *ret_size = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void test_damage_is_survived(void **state)
{
    (void)state;
    make_index(path_of("a.index"), 300);
    size_t size;
    unsigned char *bytes = read_file(path_of("a.index"), &size);
    uint32_t random = 12345;
    for (int round = 0; round < 150; round++) {
        unsigned char *damaged = malloc(size);
        assert_non_null(damaged);
        memcpy(damaged, bytes, size);
        for (int i = 0; i < 8; i++) {
            random = random * 1664525 + 1013904223;
            damaged[random % size] ^= (unsigned char)(random >> 24);
        }
        write_file(path_of("b.index"), damaged, round % 3 ? size : random % size);
        free(damaged);
        read_everything(path_of("b.index"));
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
    make_index(path_of("a.index"), 3000);
    struct index *index;
    assert_int_equal(index_open(path_of("a.index"), &index, NULL), STATUS_OK);
    unsigned root =
        (unsigned)atoi(single(index, "SELECT rootpage FROM sqlite_schema WHERE name = 'local'"));
    index_close(index);
    size_t size;
    unsigned char *bytes = read_file(path_of("a.index"), &size);
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
    write_file(path_of("b.index"), larger, size + LEVELS * PAGE);
    free(larger);
    assert_int_equal(index_open(path_of("b.index"), &index, NULL), STATUS_OK);
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
    make_index(path_of("a.index"), 0);
    change(path_of("a.index"), "ALTER TABLE traceback RENAME COLUMN line TO lines");
    assert_int_equal(index_open(path_of("a.index"), &index, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.message, "traceback"));
    make_index(path_of("a.index"), 0);
    change(path_of("a.index"), "DROP TABLE memory");
    assert_int_equal(index_open(path_of("a.index"), &index, &err), STATUS_CORRUPT);
    make_index(path_of("a.index"), 0);
    change(path_of("a.index"), "ALTER TABLE memory ADD COLUMN more TEXT; CREATE TABLE extra (a)");
    assert_int_equal(index_open(path_of("a.index"), &index, &err), STATUS_OK);
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
    make_index(path_of("a.index"), 10);
    size_t size;
    unsigned char *bytes = read_file(path_of("a.index"), &size);
    struct index *index;
    releases = 0;
    assert_int_equal(index_open_bytes("-", bytes, size, count_release, bytes, &index, NULL),
                     STATUS_OK);
    assert_string_equal(single(index, "SELECT count(*) FROM local"), "12");
    assert_int_equal(releases, 0);
    index_close(index);
    assert_int_equal(releases, 1);
    bytes = calloc(1, 5000);
    struct error err = {0};
    assert_int_equal(index_open_bytes("-", bytes, 5000, count_release, bytes, &index, &err),
                     STATUS_CORRUPT);
    assert_int_equal(releases, 2);
}

/* ---- The cache's paths. */

static void test_cache_paths(void **state)
{
    (void)state;
    struct cache_key key = {.fingerprint = "0123"};
    char *plain, *redacted, *other, *again;
    struct stat made;
    assert_int_equal(setenv("XDG_CACHE_HOME", path_of("deep"), 1), 0);
    assert_int_equal(cache_path(&key, &plain, NULL), STATUS_OK);
    assert_int_equal(stat(path_of("deep/inquest"), &made), 0);
    assert_int_equal(made.st_mode & 07777, 0700);
    assert_int_equal(chmod(path_of("deep/inquest"), 0755), 0);
    assert_int_equal(cache_path(&key, &again, NULL), STATUS_OK);
    assert_string_equal(plain, again);
    assert_int_equal(stat(path_of("deep/inquest"), &made), 0);
    assert_int_equal(made.st_mode & 07777, 0700);
    key.redact = true;
    assert_int_equal(cache_path(&key, &redacted, NULL), STATUS_OK);
    assert_string_not_equal(plain, redacted);
    key.redact = false;
    key.executable = "/bin/true";
    assert_int_equal(cache_path(&key, &other, NULL), STATUS_OK);
    assert_string_not_equal(plain, other);
    free(plain);
    free(redacted);
    free(other);
    free(again);
    assert_int_equal(rmdir(path_of("deep/inquest")), 0);
    assert_int_equal(rmdir(path_of("deep")), 0);
    struct error err = {0};
    assert_int_equal(setenv("XDG_CACHE_HOME", "/dev/null", 1), 0);
    assert_int_equal(cache_path(&key, &plain, &err), STATUS_OUTPUT);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_int_equal(cache_path(&key, &plain, &err), STATUS_OUTPUT);
}

static void test_file_state(void **state)
{
    (void)state;
    write_file(path_of("a"), (const unsigned char *)"x", 1);
    uint64_t before = cache_file_state(NULL, path_of("a"));
    assert_int_not_equal(before, 0);
    assert_int_equal(cache_file_state(NULL, path_of("a")), before);
    assert_int_not_equal(cache_file_state(folder, "/a"), 0);
    assert_int_equal(cache_file_state(NULL, path_of("b")), 0);
    write_file(path_of("a"), (const unsigned char *)"xy", 2);
    assert_int_not_equal(cache_file_state(NULL, path_of("a")), before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file_round_trip),
        TEST(test_memory_round_trip),
        TEST(test_identity),
        TEST(test_mode_is_private_from_the_start),
        TEST(test_replaces_and_follows_links),
        TEST(test_destroy_leaves_nothing),
        TEST(test_unwritable_targets),
        TEST(test_full_disk_leaves_nothing),
        TEST(test_wrong_row_fails_the_whole),
        TEST(test_text_becomes_valid),
        TEST(test_strange_file_names),
        TEST(test_copy),
        TEST(test_queries_only_read),
        TEST(test_failures_while_running),
        TEST(test_foreign_files),
        TEST(test_other_identities),
        TEST(test_damage_is_survived),
        TEST(test_endless_tree_ends),
        TEST(test_missing_parts),
        TEST(test_index_in_bytes),
        TEST(test_cache_paths),
        TEST(test_file_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
