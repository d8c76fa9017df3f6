/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of objects and references: it gives what was written. */
#include "inquest/analyzer/heap_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/index/index_private.h"
#include "tests/analyzer/virtual_fixture.h"

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
    struct index *index = virtual_index(heap, NULL, plain);
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
    const char *path = virtual_scratch_path();
    random_heap_make(&heap, 8, 5000, RANDOM_HEAP_PLAIN);
    struct index *index = virtual_index(&heap, path, false);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_reader_without_heap),
        cmocka_unit_test(test_reader_is_unbounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
