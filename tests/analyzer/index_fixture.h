/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ANALYZER_INDEX_FIXTURE_H
#define TESTS_ANALYZER_INDEX_FIXTURE_H

#include "inquest/analyzer/index.h"

/* Index files in a folder that lasts as long as a test. Failures fail the test. */
extern char index_folder[];
int index_folder_make(void **state);
int index_folder_remove(void **state);
#define TEST_IN_FOLDER(function)                                                                   \
    cmocka_unit_test_setup_teardown(function, index_folder_make, index_folder_remove)

/* Of a file in it; valid for the next three calls. */
const char *index_path(const char *name);
unsigned char *index_read_file(const char *path, size_t *ret_size); /* the caller's to free */
void index_write_file(const char *path, const unsigned char *bytes, size_t size);

struct index_writer *index_start(const char *path);
struct index *index_publish(struct index_writer *writer);
void index_write_local(struct index_writer *writer, int64_t frame, const char *name,
                       const char *value);
/* A meta row, a warning and two locals, of frames 7 and 8. */
void index_write_contents(struct index_writer *writer);
/* A file with those and `rows` locals more. */
void index_make(const char *path, int rows);
/* The one value that a query gives, as text in static storage. */
const char *index_single(struct index *index, const char *sql);

#endif
