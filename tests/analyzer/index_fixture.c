/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/analyzer/index_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char index_folder[] = "/tmp/inquest-test-index-XXXXXX";

const char *index_path(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *result = path[next++ % 4];
    snprintf(result, sizeof path[0], "%s/%s", index_folder, name);
    return result;
}

int index_folder_make(void **state)
{
    (void)state;
    memcpy(index_folder + strlen(index_folder) - 6, "XXXXXX", 6);
    return mkdtemp(index_folder) ? 0 : -1;
}

int index_folder_remove(void **state)
{
    (void)state;
    DIR *open_folder = opendir(index_folder);
    for (struct dirent *entry; open_folder && (entry = readdir(open_folder));)
        unlinkat(dirfd(open_folder), entry->d_name, 0);
    if (open_folder)
        closedir(open_folder);
    return rmdir(index_folder);
}

struct index_writer *index_start(const char *path)
{
    struct index_writer *writer = NULL;
    struct error err = {0};
    assert_int_equal(index_writer_create(path, &writer, &err), STATUS_OK);
    return writer;
}

struct index *index_publish(struct index_writer *writer)
{
    struct index *index = NULL;
    struct error err = {0};
    enum status status = index_writer_publish(writer, &index, &err);
    if (status != STATUS_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, STATUS_OK);
    return index;
}

void index_write_local(struct index_writer *writer, int64_t frame, const char *name,
                       const char *value)
{
    const struct index_value values[] = {INDEX_INT(frame), INDEX_STR(name),  INDEX_STR("local"),
                                         INDEX_STR("str"), INDEX_STR(value), INDEX_NONE,
                                         INDEX_INT(-1)};
    assert_int_equal(index_writer_row(writer, INDEX_LOCAL, values, 7), STATUS_OK);
}

const char *index_single(struct index *index, const char *sql)
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

void index_write_contents(struct index_writer *writer)
{
    assert_int_equal(index_writer_meta(writer, "tool", "inquest test"), STATUS_OK);
    assert_int_equal(index_writer_warning(writer, "note", "cut"), STATUS_OK);
    index_write_local(writer, 7, "größe", "'x'");
    index_write_local(writer, 8, "other", NULL);
}

void index_make(const char *path, int rows)
{
    struct index_writer *writer = index_start(path);
    index_write_contents(writer);
    for (int i = 0; i < rows; i++)
        index_write_local(writer, 100 + i, "name", "some value that fills a page or two");
    index_close(index_publish(writer));
}

unsigned char *index_read_file(const char *path, size_t *ret_size)
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

void index_write_file(const char *path, const unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}
