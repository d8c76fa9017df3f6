/* SPDX-License-Identifier: Apache-2.0 */
/* The index: what is written is read back, atomically and in private; a query only reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/index/cache.h"
#include "analyzer/index/index_open.h"
#include "tests/analyzer/index_fixture.h"

static unsigned files_in_folder(void)
{
    unsigned count = 0;
    DIR *open_folder = opendir(index_folder);
    assert_non_null(open_folder);
    for (struct dirent *entry; (entry = readdir(open_folder));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(open_folder);
    return count;
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
    assert_string_equal(index_single(index, "SELECT area || ':' || message FROM warning"),
                        "note:cut");
}

static void test_file_round_trip(void **state)
{
    (void)state;
    struct index_writer *writer = index_start(index_path("a.index"));
    index_write_contents(writer);
    assert_int_equal(access(index_path("a.index"), F_OK), -1); /* not yet */
    assert_int_equal(files_in_folder(), 1);
    struct index *index = index_publish(writer);
    assert_int_equal(files_in_folder(), 1);
    check_contents(index);
    index_close(index);
    assert_int_equal(index_open(index_path("a.index"), &index, NULL), STATUS_OK);
    check_contents(index);
    index_close(index);
}

static void test_memory_round_trip(void **state)
{
    (void)state;
    struct index_writer *writer = index_start(NULL);
    index_write_contents(writer);
    struct index *index = index_publish(writer);
    check_contents(index);
    index_close(index);
    assert_int_equal(files_in_folder(), 0);
}

static void test_identity(void **state)
{
    (void)state;
    index_close(index_publish(index_start(index_path("a.index"))));
    FILE *file = fopen(index_path("a.index"), "rb");
    unsigned char head[100];
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    fclose(file);
    assert_memory_equal(head + 68, "INQS", 4);
    assert_memory_equal(head + 60, "\0\0\0\4", 4);
}

static void test_mode_is_private_from_the_start(void **state)
{
    (void)state;
    mode_t old = umask(0);
    struct index_writer *writer = index_start(index_path("a.index"));
    DIR *open_folder = opendir(index_folder);
    struct stat file;
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        if (entry->d_name[0] != '.' || !strstr(entry->d_name, "a.index"))
            continue;
        assert_non_null(strstr(entry->d_name, ".a.index.tmp-"));
        assert_int_equal(fstatat(dirfd(open_folder), entry->d_name, &file, 0), 0);
        assert_int_equal(file.st_mode & 07777, 0600);
    }
    closedir(open_folder);
    index_close(index_publish(writer));
    assert_int_equal(stat(index_path("a.index"), &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    umask(old);
}

static void test_replaces_and_follows_links(void **state)
{
    (void)state;
    index_close(index_publish(index_start(index_path("a.index"))));
    assert_int_equal(symlink("a.index", index_path("link")), 0);
    struct index_writer *writer = index_start(index_path("link"));
    index_write_contents(writer);
    index_close(index_publish(writer));
    struct stat link;
    assert_int_equal(lstat(index_path("link"), &link), 0);
    assert_true(S_ISLNK(link.st_mode));
    struct index *index;
    assert_int_equal(index_open(index_path("a.index"), &index, NULL), STATUS_OK);
    check_contents(index);
    index_close(index);
    assert_int_equal(files_in_folder(), 2);
}

static void test_destroy_leaves_nothing(void **state)
{
    (void)state;
    struct index_writer *writer = index_start(index_path("a.index"));
    index_write_contents(writer);
    index_writer_destroy(writer);
    index_writer_destroy(NULL);
    assert_int_equal(files_in_folder(), 0);
}

static void test_unwritable_targets(void **state)
{
    (void)state;
    struct index_writer *writer;
    struct error err = {0};
    assert_int_equal(index_writer_create(index_path("no/such/a"), &writer, &err), STATUS_OUTPUT);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(index_writer_create(index_folder, &writer, &err), STATUS_OUTPUT);
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
    struct index_writer *writer = index_start(index_path("a.index"));
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
    struct index_writer *writer = index_start(NULL);
    const struct index_value values[] = {INDEX_INT(1)};
    struct index *index;
    assert_int_equal(index_writer_row(writer, INDEX_THREAD, values, 1), STATUS_USAGE);
    assert_int_equal(index_writer_meta(writer, "a", "b"), STATUS_USAGE);
    assert_int_equal(index_writer_publish(writer, &index, NULL), STATUS_USAGE);
}

static void test_text_becomes_valid(void **state)
{
    (void)state;
    struct index_writer *writer = index_start(NULL);
    index_write_local(writer, 1, "a\xFF", "surrogate \xED\xA0\x80, cut \xE2\x82");
    index_write_local(writer, 2, "eight bytes and then \xC3\xA9", "\xF0\x9F\x90\x8D");
    struct index *index = index_publish(writer);
    assert_string_equal(index_single(index, "SELECT name FROM local WHERE frame_id = 1"),
                        "a\xEF\xBF\xBD");
    assert_string_equal(index_single(index, "SELECT value FROM local WHERE frame_id = 1"),
                        "surrogate \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD, cut "
                        "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_string_equal(index_single(index, "SELECT name || value FROM local WHERE frame_id = 2"),
                        "eight bytes and then \xC3\xA9\xF0\x9F\x90\x8D");
    /* what another program may have put into an index */
    assert_string_equal(index_single(index, "SELECT CAST(x'61FF62' AS TEXT)"), "a\xEF\xBF\xBD"
                                                                               "b");
    assert_string_equal(index_single(index, "SELECT CAST(x'61006200' AS TEXT)"), "a\xEF\xBF\xBD"
                                                                                 "b\xEF\xBF\xBD");
    index_close(index);
}

static void test_strange_file_names(void **state)
{
    (void)state;
    static const char *const names[] = {":memory:", "file:x", "a?b=c#d%41&e", "sp ace\n", "é"};
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(index_folder), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct index_writer *writer = index_start(names[i]);
        index_write_contents(writer);
        struct index *index = index_publish(writer);
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
    struct index_writer *writer = index_start(NULL);
    index_write_contents(writer);
    struct index *index = index_publish(writer), *copy;
    assert_int_equal(index_copy(index, index_path("b.index"), &copy, NULL), STATUS_OK);
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
        struct index_writer *writer = index_start(in_memory ? NULL : index_path("a.index"));
        index_write_contents(writer);
        struct index *index = index_publish(writer);
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
    struct index *index = index_publish(index_start(NULL));
    assert_int_equal(query_status(index, "SELECT abs(-9223372036854775807 - 1)"), STATUS_USAGE);
    assert_int_equal(query_status(index, "SELECT zeroblob(1000000000)"), STATUS_OVER_LIMIT);
    assert_int_equal(index_rows_finish(NULL, NULL), STATUS_OK);
    index_close(index);
}

/* ---- The cache's paths. */

static void test_cache_paths(void **state)
{
    (void)state;
    struct cache_key key = {.fingerprint = "0123"};
    char *plain, *redacted, *other, *again;
    struct stat made;
    assert_int_equal(setenv("XDG_CACHE_HOME", index_path("deep"), 1), 0);
    assert_int_equal(cache_path(&key, &plain, NULL), STATUS_OK);
    assert_int_equal(stat(index_path("deep/inquest"), &made), 0);
    assert_int_equal(made.st_mode & 07777, 0700);
    assert_int_equal(chmod(index_path("deep/inquest"), 0755), 0);
    assert_int_equal(cache_path(&key, &again, NULL), STATUS_OK);
    assert_string_equal(plain, again);
    assert_int_equal(stat(index_path("deep/inquest"), &made), 0);
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
    assert_int_equal(rmdir(index_path("deep/inquest")), 0);
    assert_int_equal(rmdir(index_path("deep")), 0);
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
    index_write_file(index_path("a"), (const unsigned char *)"x", 1);
    uint64_t before = cache_file_state(NULL, index_path("a"));
    assert_int_not_equal(before, 0);
    assert_int_equal(cache_file_state(NULL, index_path("a")), before);
    assert_int_not_equal(cache_file_state(index_folder, "/a"), 0);
    assert_int_equal(cache_file_state(NULL, index_path("b")), 0);
    index_write_file(index_path("a"), (const unsigned char *)"xy", 2);
    assert_int_not_equal(cache_file_state(NULL, index_path("a")), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_FOLDER(test_file_round_trip),
        TEST_IN_FOLDER(test_memory_round_trip),
        TEST_IN_FOLDER(test_identity),
        TEST_IN_FOLDER(test_mode_is_private_from_the_start),
        TEST_IN_FOLDER(test_replaces_and_follows_links),
        TEST_IN_FOLDER(test_destroy_leaves_nothing),
        TEST_IN_FOLDER(test_unwritable_targets),
        TEST_IN_FOLDER(test_full_disk_leaves_nothing),
        TEST_IN_FOLDER(test_wrong_row_fails_the_whole),
        TEST_IN_FOLDER(test_text_becomes_valid),
        TEST_IN_FOLDER(test_strange_file_names),
        TEST_IN_FOLDER(test_copy),
        TEST_IN_FOLDER(test_queries_only_read),
        TEST_IN_FOLDER(test_failures_while_running),
        TEST_IN_FOLDER(test_cache_paths),
        TEST_IN_FOLDER(test_file_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
