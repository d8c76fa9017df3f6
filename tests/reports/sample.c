/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"

static void row(struct sample *sample, enum index_table table, const struct index_value *values,
                size_t count)
{
    assert_int_equal(index_writer_row(sample->writer, table, values, count), STATUS_OK);
}

#define ROW(sample, table, ...)                                                                    \
    row((sample), (table), (const struct index_value[]){__VA_ARGS__},                              \
        sizeof((const struct index_value[]){__VA_ARGS__}) / sizeof(struct index_value))

void sample_begin(struct sample *sample)
{
    struct error err;
    *sample = (struct sample){0};
    assert_int_equal(index_writer_create(NULL, &sample->writer, &err), STATUS_OK);
}

struct index *sample_end(struct sample *sample)
{
    struct index *index;
    struct error err;
    assert_int_equal(index_writer_publish(sample->writer, &index, &err), STATUS_OK);
    return index;
}

void sample_meta(struct sample *sample, const char *key, const char *value)
{
    assert_int_equal(index_writer_meta(sample->writer, key, value), STATUS_OK);
}

void sample_thread(struct sample *sample, struct sample_thread thread)
{
    ROW(sample, INDEX_THREAD, INDEX_INT(thread.id), INDEX_INT(1000 + thread.id),
        INDEX_STR(thread.name), INDEX_INT(thread.is_main), INDEX_INT(thread.is_crashed),
        INDEX_INT(thread.holds_gil), INDEX_STR(thread.state), INDEX_INT(0x7000 + thread.id),
        INDEX_INT(!thread.is_c), INDEX_INT(0), INDEX_STR(thread.waits_for), INDEX_NONE, INDEX_NONE,
        INDEX_NONE, INDEX_NONE, INDEX_NONE);
}

int64_t sample_frame(struct sample *sample, int64_t thread, int64_t depth, const char *function,
                     int64_t line)
{
    int64_t id = ++sample->frames;
    ROW(sample, INDEX_FRAME, INDEX_INT(id), INDEX_INT(thread), INDEX_INT(depth),
        INDEX_STR("python"), INDEX_STR(function), INDEX_STR("/srv/x.py"), INDEX_INT(line),
        INDEX_NONE, INDEX_NONE, INDEX_NONE, INDEX_NONE, INDEX_INT(0x100), INDEX_NONE, INDEX_NONE);
    return id;
}

void sample_local(struct sample *sample, int64_t frame, const char *name, const char *type,
                  const char *value)
{
    ROW(sample, INDEX_LOCAL, INDEX_INT(frame), INDEX_STR(name), INDEX_STR("local"), INDEX_STR(type),
        INDEX_STR(value), INDEX_NONE, INDEX_INT(0x200));
}

int64_t sample_exception(struct sample *sample, int64_t thread, int64_t parent,
                         const char *relation, const char *type, const char *message)
{
    int64_t id = ++sample->exceptions;
    ROW(sample, INDEX_EXCEPTION, INDEX_INT(id), INDEX_INT(thread), INDEX_INT(id - 1),
        INDEX_STR(relation), INDEX_STR(type), INDEX_STR(message), INDEX_NONE,
        INDEX_INT_IF(parent, parent), INDEX_STR(parent ? NULL : "in flight"), INDEX_NONE,
        INDEX_INT(0x300), INDEX_INT(0));
    return id;
}

void sample_entry(struct sample *sample, int64_t exception, int64_t depth, const char *function,
                  int64_t line)
{
    ROW(sample, INDEX_TRACEBACK, INDEX_INT(exception), INDEX_INT(depth), INDEX_STR(function),
        INDEX_STR("/srv/x.py"), INDEX_INT(line), INDEX_NONE);
}
