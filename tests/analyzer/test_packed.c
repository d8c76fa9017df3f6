/* SPDX-License-Identifier: Apache-2.0 */
/* The heap's packed columns: what goes in comes out, through every layer; the bytes
 * are the same each time; what was damaged is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analyzer/index/packed_labels.h"
#include "analyzer/index/packed_objects.h"
#include "analyzer/index/packed_pool.h"
#include "analyzer/index/packed_references.h"
#include "tests/helpers/random_heap.h"

/* ---- Numbers. */

static void test_varints(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0,
                                       1,
                                       127,
                                       128,
                                       16383,
                                       16384,
                                       UINT32_MAX,
                                       UINT64_C(1) << 35,
                                       INT64_MAX,
                                       UINT64_MAX,
                                       UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t bytes[VARINT_BYTES];
        size_t size = (size_t)(varint_put(bytes, numbers[i]) - bytes);
        struct packed_view view = packed_view_make(bytes, size);
        assert_int_equal(varint_get(&view), numbers[i]);
        assert_true(packed_view_done(&view));
        assert_int_equal(zigzag_undo(zigzag(numbers[i])), numbers[i]);
        for (size_t cut = 0; cut < size; cut++) {
            view = packed_view_make(bytes, cut);
            assert_int_equal(varint_get(&view), 0);
            assert_true(view.failed);
        }
    }
    assert_int_equal(zigzag((uint64_t)-1), 1);
    assert_int_equal(zigzag(1), 2);
}

static void test_overlong_varint(void **state)
{
    (void)state;
    uint8_t bytes[12];
    memset(bytes, 0xFF, sizeof bytes);
    bytes[9] = 2; /* bit 64 */
    struct packed_view view = packed_view_make(bytes, 10);
    varint_get(&view);
    assert_true(view.failed);
    memset(bytes, 0x80, sizeof bytes);
    view = packed_view_make(bytes, sizeof bytes);
    varint_get(&view);
    assert_true(view.failed);
}

static void test_view_cut(void **state)
{
    (void)state;
    const uint8_t bytes[4] = {1, 2, 3, 4};
    struct packed_view view = packed_view_make(bytes, 4);
    struct packed_view part = packed_view_cut(&view, 3);
    assert_int_equal(packed_view_left(&part), 3);
    part = packed_view_cut(&view, 2);
    assert_true(part.failed && view.failed);
    view = packed_view_make(bytes, 4);
    part = packed_view_cut(&view, UINT64_MAX);
    assert_true(part.failed && view.failed);
}

/* ---- Blocks. */

static void check_block(const uint8_t *plain, size_t size, bool shrinks)
{
    struct packed_batch batch = {0};
    void *state = malloc(packed_block_state_size());
    assert_int_equal(packed_block_append(&batch, state, 77, plain, size), STATUS_OK);
    assert_int_equal(batch.pieces.count, 1);
    assert_int_equal(batch.pieces.items[0].end, batch.bytes.count);
    assert_int_equal(shrinks, batch.bytes.count < size);
    assert_true(batch.bytes.count <= size + 4 + VARINT_BYTES);
    uint8_t *back;
    size_t back_size;
    struct error err;
    assert_int_equal(
        packed_block_open(77, batch.bytes.items, batch.bytes.count, &back, &back_size, &err),
        STATUS_OK);
    assert_int_equal(back_size, size);
    assert_memory_equal(back, plain, size);
    free(back);
    /* under another id it is another chunk's */
    assert_int_equal(
        packed_block_open(78, batch.bytes.items, batch.bytes.count, &back, &back_size, &err),
        STATUS_CORRUPT);
    packed_batch_deinit(&batch);
    free(state);
}

static void test_blocks(void **state)
{
    (void)state;
    uint8_t plain[5000];
    uint64_t random = 5;
    memset(plain, 'x', sizeof plain);
    check_block(plain, sizeof plain, true);
    check_block(plain, 1, false);
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)random_heap_next(&random);
    check_block(plain, sizeof plain, false);
}

/* Each single bit, in a compressed block and in one that is not: never other bytes. */
static void test_flipped_bits(void **state)
{
    (void)state;
    uint8_t plain[200];
    uint64_t random = 5;
    for (int compressed = 0; compressed < 2; compressed++) {
        size_t same = 0;
        struct packed_batch batch = {0};
        void *lz4 = malloc(packed_block_state_size());
        for (size_t i = 0; i < sizeof plain; i++)
            plain[i] = (uint8_t)(compressed ? i / 9 : random_heap_next(&random));
        assert_int_equal(packed_block_append(&batch, lz4, 1, plain, sizeof plain), STATUS_OK);
        for (size_t bit = 0; bit < 8 * batch.bytes.count; bit++) {
            uint8_t *back;
            size_t size;
            struct error err;
            batch.bytes.items[bit / 8] ^= (uint8_t)(1 << bit % 8);
            enum status status =
                packed_block_open(1, batch.bytes.items, batch.bytes.count, &back, &size, &err);
            if (status == STATUS_OK) { /* another way to say the same */
                assert_int_equal(size, sizeof plain);
                assert_memory_equal(back, plain, size);
                free(back);
                same++;
            } else {
                assert_int_equal(status, STATUS_CORRUPT);
            }
            batch.bytes.items[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_true(same < (compressed ? 40 : 1));
        for (size_t size = 0; size < batch.bytes.count; size++) {
            uint8_t *back, *exact = malloc(size + 1);
            size_t back_size;
            memcpy(exact, batch.bytes.items, size);
            assert_int_equal(packed_block_open(1, exact, size, &back, &back_size, NULL),
                             STATUS_CORRUPT);
            free(exact);
        }
        packed_batch_deinit(&batch);
        free(lz4);
    }
}

/* ---- Chunks of objects. */

static uint8_t *copy_of(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

static void check_objects(const struct heap_objects *objects, const struct packed_objects *chunk)
{
    for (uint32_t i = 0; i < chunk->count; i++) {
        uint32_t index = chunk->first - 1 + i, dominator = objects->dominator[index];
        assert_int_equal(chunk->value[PACKED_ADDRESS][i], objects->address[index]);
        assert_int_equal(chunk->value[PACKED_KIND][i],
                         (uint64_t)objects->type[index] << 2 | objects->flags[index]);
        assert_int_equal(chunk->value[PACKED_SIZE][i], objects->size[index]);
        assert_int_equal(chunk->value[PACKED_REFCOUNT][i], objects->refcount[index]);
        assert_int_equal(chunk->value[PACKED_RETAINED][i], objects->retained[index]);
        assert_int_equal(chunk->value[PACKED_DOMINATOR][i],
                         dominator == HEAP_NO_OBJECT ? 0 : dominator + 1);
    }
}

static void test_object_chunks(void **state)
{
    (void)state;
    struct packed_objects_scratch *scratch = malloc(sizeof *scratch);
    struct packed_objects *chunk = malloc(sizeof *chunk);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct random_heap heap;
        uint32_t count = seed == 1 ? 1 : (uint32_t)seed * 100;
        random_heap_make(&heap, seed, count, seed % 2 ? RANDOM_HEAP_HIGH : RANDOM_HEAP_PLAIN);
        for (uint32_t i = 0; i < count; i += PACKED_OBJECTS) {
            struct error err;
            size_t size = packed_objects_encode(&heap.objects, i, scratch);
            assert_true(size <= sizeof scratch->plain);
            assert_int_equal(
                packed_objects_open(i + 1, copy_of(scratch->plain, size), size, chunk, &err),
                STATUS_OK);
            assert_int_equal(chunk->first, i + 1);
            for (int column = PACKED_OBJECT_COLUMNS; column--;)
                assert_int_equal(
                    packed_objects_need(chunk, (enum packed_object_column)column, &err), STATUS_OK);
            check_objects(&heap.objects, chunk);
            packed_objects_deinit(chunk);
        }
        random_heap_deinit(&heap);
    }
    free(chunk);
    free(scratch);
}

/* The widest numbers there are fit into the room there is. */
static void test_widest_objects(void **state)
{
    (void)state;
    enum { COUNT = PACKED_OBJECTS };
    uint64_t address[COUNT], wide[COUNT], odd[COUNT];
    uint32_t type[COUNT], dominator[COUNT];
    uint8_t flags[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        address[i] = (UINT64_MAX / COUNT) * i + i % 2;
        wide[i] = UINT64_MAX;
        odd[i] = i % 2 ? INT64_MAX : 0;
        type[i] = UINT32_MAX;
        dominator[i] = i % 2 ? HEAP_NO_OBJECT - 1 : HEAP_NO_OBJECT;
        flags[i] = 3;
    }
    const struct heap_objects objects = {.count = COUNT,
                                         .address = address,
                                         .type = type,
                                         .size = wide,
                                         .refcount = wide,
                                         .retained = odd,
                                         .dominator = dominator,
                                         .flags = flags};
    struct packed_objects_scratch *scratch = malloc(sizeof *scratch);
    struct packed_objects *chunk = malloc(sizeof *chunk);
    size_t size = packed_objects_encode(&objects, 0, scratch);
    assert_true(size <= sizeof scratch->plain);
    assert_int_equal(packed_objects_open(1, copy_of(scratch->plain, size), size, chunk, NULL),
                     STATUS_OK);
    for (int column = 0; column < PACKED_OBJECT_COLUMNS; column++)
        assert_int_equal(packed_objects_need(chunk, (enum packed_object_column)column, NULL),
                         STATUS_OK);
    check_objects(&objects, chunk);
    packed_objects_deinit(chunk);
    free(chunk);
    free(scratch);
}

/* ---- Chunks of references. */

static void check_rows(const struct packed_rows_input *input, uint32_t part)
{
    struct packed_rows chunk;
    struct error err;
    struct packed_rows_input *copy = malloc(sizeof *copy);
    *copy = *input;
    size_t size = packed_rows_encode(copy);
    assert_true(size <= sizeof copy->plain);
    assert_int_equal(packed_rows_open(input->direction, packed_row_key(input->first, part),
                                      copy_of(copy->plain, size), size, &chunk, &err),
                     STATUS_OK);
    assert_int_equal(chunk.first, input->first);
    assert_int_equal(chunk.part, part);
    assert_int_equal(chunk.rows, input->rows);
    assert_int_equal(chunk.rank, input->rank);
    assert_int_equal(chunk.count, input->count);
    for (uint32_t row = 0; row < chunk.rows; row += row % 3 + 1) {
        assert_int_equal(packed_rows_need(&chunk, row, &err), STATUS_OK);
    }
    for (uint32_t position = 0; position < chunk.count; position += position % 5 + 1)
        assert_int_equal(packed_rows_need_extra(&chunk, position, &err), STATUS_OK);
    assert_int_equal(packed_rows_need(&chunk, chunk.rows - 1, &err), STATUS_OK);
    assert_int_equal(packed_rows_need_extra(&chunk, chunk.count - 1, &err), STATUS_OK);
    assert_memory_equal(chunk.other, input->other, input->count * sizeof *input->other);
    assert_memory_equal(chunk.extra, input->extra, input->count * sizeof *input->extra);
    if (input->direction == HEAP_REFERRERS)
        assert_int_equal(chunk.carry, input->carry);
    packed_rows_deinit(&chunk);
    free(copy);
}

/* Ids and labels at the ends of what 32 bits hold. */
static void test_reference_limits(void **state)
{
    (void)state;
    static const uint32_t ids[] = {1, UINT32_MAX, 1, UINT32_MAX - 1, UINT32_MAX, UINT32_MAX, 2};
    static const uint32_t labels[] = {
        HEAP_LABEL_INDEX | 0x7FFFFFFF, 0x7FFFFFFF, HEAP_LABEL_INDEX, 1, 0,
        HEAP_LABEL_INDEX | 0x7FFFFFFE, 0x7FFFFFFE};
    struct packed_rows_input *input = calloc(1, sizeof *input);
    for (uint32_t first = 1; first; first = first == 1 ? UINT32_MAX - 1 : 0) {
        input->direction = HEAP_REFERENCES;
        input->first = first;
        input->rows = 2;
        input->rank = INT64_MAX - 1000;
        input->degree[0] = 5;
        input->degree[1] = 2;
        input->count = 7;
        memcpy(input->other, ids, sizeof ids);
        memcpy(input->extra, labels, sizeof labels);
        check_rows(input, 0);
        input->direction = HEAP_REFERRERS;
        for (uint32_t i = 0; i < 7; i++)
            input->extra[i] = i % 3 ? (UINT32_MAX >> 1) : 0;
        check_rows(input, 0);
    }
    free(input);
}

/* The widest chunk there can be, and a part of a row of 2^42 references. */
static void test_full_chunks(void **state)
{
    (void)state;
    struct packed_rows_input *input = calloc(1, sizeof *input);
    uint64_t random = 9;
    input->first = 1000;
    input->rows = PACKED_ROWS;
    for (uint32_t i = 0; i < PACKED_ENOUGH - 1; i++)
        input->degree[i] = 1;
    input->degree[PACKED_ROWS - 1] = PACKED_PART;
    input->count = PACKED_PART + PACKED_ENOUGH - 1;
    for (uint32_t i = 0; i < input->count; i++) {
        input->other[i] = i % 2 ? UINT32_MAX - (uint32_t)random_heap_next(&random) % 99 : 1 + i;
        input->extra[i] = 0x7FFFFFFF - i % 7 * 0x10000000;
    }
    check_rows(input, 0);
    input->direction = HEAP_REFERRERS;
    check_rows(input, 0);
    input->rows = 1;
    input->degree[0] = UINT64_C(1) << 42;
    input->count = PACKED_PART;
    input->carry = PACKED_PART;
    check_rows(input, 0);
    check_rows(input, (1u << 30) - 1);
    free(input);
}

/* ---- Chunks of labels. */

static void test_label_chunks(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 3, 1, RANDOM_HEAP_PLAIN);
    const struct heap_labels *labels = &heap.labels;
    void *lz4 = malloc(packed_block_state_size());
    uint32_t next;
    for (uint32_t label = 1; label <= labels->count; label = next) {
        struct packed_batch batch = {0};
        struct packed_labels chunk;
        struct error err;
        uint8_t *plain;
        size_t size;
        assert_int_equal(packed_labels_append(labels, label, labels->count, &batch, lz4, &next),
                         STATUS_OK);
        assert_int_equal(
            packed_block_open(label, batch.bytes.items, batch.bytes.count, &plain, &size, &err),
            STATUS_OK);
        assert_int_equal(packed_labels_open(label, plain, size, &chunk, &err), STATUS_OK);
        assert_int_equal(chunk.first, label);
        assert_int_equal(chunk.count, next - label);
        for (uint32_t i = 0; i < chunk.count; i++) {
            uint64_t start = labels->offset[label + i - 1], end = labels->offset[label + i];
            uint32_t own = i ? chunk.end[i - 1] : 0;
            assert_int_equal(chunk.end[i] - own, end - start);
            assert_memory_equal(chunk.text + own, labels->text + start, end - start);
        }
        packed_labels_deinit(&chunk);
        packed_batch_deinit(&batch);
    }
    free(lz4);
    random_heap_deinit(&heap);
}

static void test_odd_labels(void **state)
{
    (void)state;
    static const uint64_t offsets[] = {0, 0, 1, 1, 3};
    const struct heap_labels labels = {.count = 4, .offset = offsets, .text = "aab"};
    struct packed_batch batch = {0};
    void *lz4 = malloc(packed_block_state_size());
    uint8_t *plain;
    size_t size;
    uint32_t next;
    struct packed_labels chunk;
    assert_int_equal(packed_labels_append(&labels, 1, 4, &batch, lz4, &next), STATUS_OK);
    assert_int_equal(next, 5);
    assert_int_equal(
        packed_block_open(1, batch.bytes.items, batch.bytes.count, &plain, &size, NULL), STATUS_OK);
    assert_int_equal(packed_labels_open(1, plain, size, &chunk, NULL), STATUS_OK);
    const uint32_t ends[] = {0, 1, 1, 3};
    assert_memory_equal(chunk.end, ends, sizeof ends);
    assert_memory_equal(chunk.text, "aab", 3);
    packed_labels_deinit(&chunk);
    packed_batch_deinit(&batch);
    free(lz4);
}

/* ---- Damage behind a right checksum: whatever bytes, an answer or STATUS_CORRUPT. */

static void try_all(uint8_t *bytes, size_t size)
{
    struct packed_rows rows;
    struct packed_labels labels;
    struct packed_objects *objects = malloc(sizeof *objects);
    for (int direction = 0; direction < 2; direction++) {
        if (packed_rows_open((enum heap_direction)direction, packed_row_key(9, 0),
                             copy_of(bytes, size), size, &rows, NULL) != STATUS_OK)
            continue;
        enum status status = packed_rows_need(&rows, rows.rows - 1, NULL);
        assert_true(status == STATUS_OK || status == STATUS_CORRUPT);
        status = packed_rows_need_extra(&rows, rows.count - 1, NULL);
        assert_true(status == STATUS_OK || status == STATUS_CORRUPT);
        packed_rows_deinit(&rows);
    }
    if (packed_labels_open(1, copy_of(bytes, size), size, &labels, NULL) == STATUS_OK)
        packed_labels_deinit(&labels);
    if (packed_objects_open(129, copy_of(bytes, size), size, objects, NULL) == STATUS_OK) {
        for (int i = 0; i < PACKED_OBJECT_COLUMNS; i++) {
            enum status status = packed_objects_need(objects, (enum packed_object_column)i, NULL);
            assert_true(status == STATUS_OK || status == STATUS_CORRUPT);
        }
        packed_objects_deinit(objects);
    }
    free(objects);
}

static void test_damaged_chunks(void **state)
{
    (void)state;
    struct random_heap heap;
    random_heap_make(&heap, 4, 300, RANDOM_HEAP_PLAIN);
    struct packed_objects_scratch *scratch = malloc(sizeof *scratch);
    struct packed_rows_input *input = calloc(1, sizeof *input);
    uint64_t random = 77;
    input->first = 9;
    input->rows = 3;
    input->degree[0] = input->degree[2] = 4;
    input->count = 8;
    for (uint32_t i = 0; i < 8; i++)
        input->other[i] = 1 + i / 4;
    size_t rows_size = packed_rows_encode(input);
    size_t objects_size = packed_objects_encode(&heap.objects, 128, scratch);
    for (int round = 0; round < 20000; round++) {
        bool rows = round % 4;
        size_t size = rows ? rows_size : objects_size;
        uint8_t *bytes = copy_of(rows ? input->plain : scratch->plain, size);
        for (uint64_t changes = 1 + random_heap_next(&random) % 3; changes; changes--)
            bytes[random_heap_next(&random) % size] = (uint8_t)(random_heap_next(&random) >> 40);
        if (round % 5 == 0)
            size = random_heap_next(&random) % size;
        try_all(bytes, size);
        free(bytes);
    }
    free(input);
    free(scratch);
    random_heap_deinit(&heap);
}

/* ---- The pool. */

enum { POOL_BATCHES = 1000 };

struct pool_check {
    uint64_t written, fails_at;
};

static enum status pack_number(const void *context, uint64_t batch, struct packed_scratch *scratch,
                               struct packed_batch *ret_batch)
{
    const struct pool_check *check = context;
    uint8_t bytes[100];
    memset(bytes, (int)batch, sizeof bytes);
    assert_int_equal(ret_batch->pieces.count, 0);
    if (batch >= check->fails_at)
        return batch == check->fails_at ? STATUS_OVER_LIMIT : STATUS_USAGE;
    for (uint64_t spin = batch * 7919 % 5000; spin; spin--)
        bytes[spin % 10]++;
    return packed_block_append(ret_batch, scratch->state, (int64_t)batch, bytes, sizeof bytes);
}

static enum status write_number(void *sink, const struct packed_batch *batch)
{
    struct pool_check *check = sink;
    assert_int_equal(batch->pieces.count, 1);
    assert_int_equal(batch->pieces.items[0].id, check->written);
    check->written++;
    return STATUS_OK;
}

static void test_pool_order(void **state)
{
    (void)state;
    static const uint64_t counts[] = {0, 1, 2, 3, POOL_BATCHES};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct pool_check check = {.fails_at = UINT64_MAX};
        const struct packed_job job = {.batches = counts[i],
                                       .pack = pack_number,
                                       .context = &check,
                                       .write = write_number,
                                       .sink = &check};
        assert_int_equal(packed_pool_run(&job), STATUS_OK);
        assert_int_equal(check.written, counts[i]);
    }
}

static void test_pool_failure(void **state)
{
    (void)state;
    struct pool_check check = {.fails_at = 500};
    const struct packed_job job = {.batches = POOL_BATCHES,
                                   .pack = pack_number,
                                   .context = &check,
                                   .write = write_number,
                                   .sink = &check};
    assert_int_equal(packed_pool_run(&job), STATUS_OVER_LIMIT);
    assert_int_equal(check.written, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varints),        cmocka_unit_test(test_overlong_varint),
        cmocka_unit_test(test_view_cut),       cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_flipped_bits),   cmocka_unit_test(test_object_chunks),
        cmocka_unit_test(test_widest_objects), cmocka_unit_test(test_reference_limits),
        cmocka_unit_test(test_full_chunks),    cmocka_unit_test(test_label_chunks),
        cmocka_unit_test(test_odd_labels),     cmocka_unit_test(test_damaged_chunks),
        cmocka_unit_test(test_pool_order),     cmocka_unit_test(test_pool_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
