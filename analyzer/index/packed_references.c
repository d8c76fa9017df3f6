/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_references.h"

#include <string.h>

#include "inquest/analyzer/heap_index.h"

enum other_token { OTHER_SAME, OTHER_AS_FAR, OTHER_TOKENS };

/* The row before this one, the last of its length, whose place it takes. */
static struct packed_row row_before(struct packed_row history[PACKED_SHAPES],
                                    const struct packed_row *row)
{
    unsigned shape = row->size < PACKED_SHAPES ? row->size : PACKED_SHAPES - 1;
    struct packed_row before = history[shape];
    history[shape] = *row;
    return before;
}

/* ---- Writing. */

static uint8_t *encode_row(uint8_t *at, const struct packed_row *row,
                           const struct packed_row *before)
{
    uint32_t last = row->object;
    for (uint32_t i = 0; i < row->size; i++) {
        uint32_t other = row->others[i];
        if (i < before->size && other == before->others[i])
            *at++ = OTHER_SAME;
        else if (i < before->size && other - row->object == before->others[i] - before->object)
            *at++ = OTHER_AS_FAR;
        else
            at = varint_put(at, OTHER_TOKENS + zigzag((uint64_t)other - last));
        last = other;
    }
    return at;
}

static uint32_t row_size(uint64_t degree, uint32_t left)
{
    return degree < left ? (uint32_t)degree : left;
}

/* Nearly always they are short ones alone. */
static uint8_t *encode_degrees(const struct packed_rows_input *input, uint8_t *at)
{
    uint32_t rows = input->rows;
    uint64_t any = 0;
    for (uint32_t i = 0; i < rows; i++)
        any |= input->degree[i];
    if (any >= 0x80) {
        for (uint32_t i = 0; i < rows; i++)
            at = varint_put(at, input->degree[i]);
        return at;
    }
    for (uint32_t i = 0; i < rows; i++)
        at[i] = (uint8_t)input->degree[i];
    return at + rows;
}

static uint8_t *encode_others(const struct packed_rows_input *input, uint8_t *at)
{
    struct packed_row history[PACKED_SHAPES] = {{0}};
    /* not read again after each byte that is written */
    uint32_t start = 0, rows = input->rows, count = input->count, first = input->first;
    for (uint32_t i = 0; i < rows; i++) {
        const struct packed_row row = {.object = first + i,
                                       .size = row_size(input->degree[i], count - start),
                                       .others = input->other + start};
        if (!row.size)
            continue;
        const struct packed_row before = row_before(history, &row);
        at = encode_row(at, &row, &before);
        start += row.size;
    }
    return at;
}

static uint8_t *encode_label(uint8_t *at, uint32_t label, uint32_t expected[2])
{
    if (!label) {
        *at++ = 0;
        return at;
    }
    bool is_index = label & HEAP_LABEL_INDEX;
    uint32_t number = label & ~HEAP_LABEL_INDEX;
    uint64_t step = zigzag((uint64_t)number - expected[is_index]);
    expected[is_index] = number + 1;
    return varint_put(at, (step << 1 | is_index) + 1);
}

static uint8_t *encode_labels(const struct packed_rows_input *input, uint8_t *at)
{
    uint32_t position = 0, rows = input->rows, count = input->count;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t size = row_size(input->degree[i], count - position);
        uint32_t expected[2] = {1, 0};
        for (uint32_t end = position + size; position < end; position++)
            at = encode_label(at, input->extra[position], expected);
    }
    return at;
}

static uint8_t *encode_parts(const struct packed_rows_input *input, uint8_t *at)
{
    uint32_t passed = 0, count = input->count, any = 0;
    at = varint_put(at, input->carry);
    for (uint32_t i = 0; i < count; i++)
        any |= input->extra[i];
    for (uint32_t i = 0; i < count && any; i++) {
        if (!input->extra[i]) {
            passed++;
            continue;
        }
        at = varint_put(varint_put(at, passed), input->extra[i]);
        passed = 0;
    }
    return at;
}

size_t packed_rows_encode(struct packed_rows_input *input)
{
    uint8_t degrees[PACKED_ROWS * VARINT_BYTES];
    size_t degrees_size = (size_t)(encode_degrees(input, degrees) - degrees);
    size_t others_size = (size_t)(encode_others(input, input->others) - input->others);
    uint8_t *at = input->plain;
    at = varint_put(at, input->rows);
    at = varint_put(at, input->rank);
    at = varint_put(at, degrees_size);
    at = varint_put(at, others_size);
    memcpy(at, degrees, degrees_size);
    at += degrees_size;
    memcpy(at, input->others, others_size);
    at += others_size;
    at = input->direction == HEAP_REFERENCES ? encode_labels(input, at) : encode_parts(input, at);
    return (size_t)(at - input->plain);
}

/* ---- Reading. */

static enum status corrupt(const struct packed_rows *chunk, const char *what, struct error *err)
{
    return error_set(err, STATUS_CORRUPT, "references %s %u on, part %u: %s",
                     chunk->direction == HEAP_REFERENCES ? "from" : "to", chunk->first, chunk->part,
                     what);
}

/* Fills `start`, whose memory follows from how many rows there are. */
static bool decode_degrees(struct packed_rows *chunk, struct packed_view view, uint64_t most)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < chunk->rows; i++) {
        uint64_t degree = varint_get(&view);
        chunk->start[i] = (uint32_t)count;
        if (degree > PACKED_PART || chunk->part) {
            uint64_t passed = (uint64_t)chunk->part * PACKED_PART;
            if (chunk->rows != 1 || degree <= passed || degree <= PACKED_PART)
                return false;
            chunk->degree = degree;
            degree = degree - passed < PACKED_PART ? degree - passed : PACKED_PART;
        }
        count += degree;
        if (count > most)
            return false;
    }
    chunk->start[chunk->rows] = chunk->count = (uint32_t)count;
    return count && packed_view_done(&view);
}

static void decode_row(struct packed_view *view, uint32_t *others, const struct packed_row *row,
                       const struct packed_row *before)
{
    uint64_t last = row->object;
    for (uint32_t i = 0; i < row->size; i++) {
        uint64_t token = varint_get(view);
        if (token >= OTHER_TOKENS)
            last += zigzag_undo(token - OTHER_TOKENS);
        else if (i >= before->size)
            last = 0;
        else if (token == OTHER_SAME)
            last = before->others[i];
        else
            last = (uint32_t)(before->others[i] - before->object + row->object);
        view->failed |= last - 1 >= UINT32_MAX;
        others[i] = (uint32_t)last;
    }
}

enum status packed_rows_need(struct packed_rows *chunk, uint32_t row, struct error *err)
{
    if (row < chunk->others_ready)
        return STATUS_OK;
    struct packed_view view = chunk->others;
    for (uint32_t i = chunk->others_ready; i <= row; i++) {
        uint32_t *others = chunk->other + chunk->start[i];
        const struct packed_row decoded = {.object = chunk->first + i,
                                           .size = chunk->start[i + 1] - chunk->start[i],
                                           .others = others};
        if (!decoded.size)
            continue;
        const struct packed_row before = row_before(chunk->history, &decoded);
        decode_row(&view, others, &decoded, &before);
    }
    if (view.failed || (row + 1 == chunk->rows && !packed_view_done(&view)))
        return corrupt(chunk, "damaged", err);
    chunk->others = view;
    chunk->others_ready = row + 1;
    return STATUS_OK;
}

/* One piece for all three arrays: what fits into the bytes bounds it. */
static bool allocate(struct packed_rows *chunk, uint64_t most)
{
    size_t starts = (size_t)chunk->rows + 1;
    chunk->start = malloc((starts + 2 * (size_t)most) * sizeof *chunk->start);
    if (!chunk->start)
        return false;
    chunk->other = chunk->start + starts;
    chunk->extra = chunk->other + most;
    return true;
}

static enum status open_columns(struct packed_rows *chunk, struct packed_view *view,
                                struct error *err)
{
    uint64_t rows = varint_get(view), rank = varint_get(view), degrees_size = varint_get(view),
             others_size = varint_get(view);
    struct packed_view degrees = packed_view_cut(view, degrees_size);
    chunk->others = packed_view_cut(view, others_size);
    if (view->failed || chunk->key < 0 || !chunk->first || !rows || rows > degrees_size ||
        rows - 1 > UINT32_MAX - chunk->first || rank > INT64_MAX - others_size)
        return corrupt(chunk, "the head makes no sense", err);
    chunk->rows = (uint32_t)rows;
    chunk->rank = rank;
    chunk->extras = *view;
    if (!allocate(chunk, others_size))
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (!decode_degrees(chunk, degrees, others_size))
        return corrupt(chunk, "damaged", err);
    return STATUS_OK;
}

enum status packed_rows_open(enum heap_direction direction, int64_t key, uint8_t *plain,
                             size_t size, struct packed_rows *ret_chunk, struct error *err)
{
    struct packed_view view = packed_view_make(plain, size);
    *ret_chunk = (struct packed_rows){
        .direction = direction,
        .key = key,
        .first = (uint32_t)((uint64_t)key >> PACKED_PART_BITS),
        .part = (uint32_t)key & ((1u << PACKED_PART_BITS) - 1),
        .plain = plain,
    };
    enum status status = open_columns(ret_chunk, &view, err);
    if (status != STATUS_OK)
        packed_rows_deinit(ret_chunk);
    return status;
}

void packed_rows_deinit(struct packed_rows *chunk)
{
    free(chunk->plain);
    free(chunk->start);
    chunk->plain = NULL;
    chunk->start = NULL;
}

static uint32_t decode_label(struct packed_view *view, uint32_t expected[2])
{
    uint64_t token = varint_get(view);
    if (!token)
        return 0;
    bool is_index = (token - 1) & 1;
    uint64_t number = expected[is_index] + zigzag_undo((token - 1) >> 1);
    view->failed |= number >= HEAP_LABEL_INDEX || (!is_index && !number);
    expected[is_index] = (uint32_t)number + 1;
    return (uint32_t)number | (is_index ? HEAP_LABEL_INDEX : 0);
}

static void decode_labels(struct packed_rows *chunk, uint32_t position, struct packed_view *view)
{
    uint32_t row = chunk->label_row, expected[2] = {chunk->expected[0], chunk->expected[1]};
    for (uint32_t i = chunk->extras_ready; i <= position; i++) {
        while (i == chunk->start[row]) { /* it may be an empty one's end */
            row++;
            expected[0] = 1;
            expected[1] = 0;
        }
        chunk->extra[i] = decode_label(view, expected);
    }
    chunk->label_row = row;
    memcpy(chunk->expected, expected, sizeof expected);
    chunk->extras_ready = position + 1;
}

/* All at once: mostly there are none. */
static void decode_parts(struct packed_rows *chunk, struct packed_view *view)
{
    uint64_t carry = varint_get(view), next = 0;
    memset(chunk->extra, 0, chunk->count * sizeof *chunk->extra);
    chunk->carry = (uint32_t)carry;
    view->failed |= carry > PACKED_PART;
    while (!view->failed && packed_view_left(view)) {
        uint64_t passed = varint_get(view), part = varint_get(view);
        if (passed >= chunk->count - next || part >> PACKED_PART_BITS) {
            view->failed = true;
            break;
        }
        next += passed;
        chunk->extra[next++] = (uint32_t)part;
    }
    chunk->extras_ready = chunk->count;
}

enum status packed_rows_need_extra(struct packed_rows *chunk, uint32_t position, struct error *err)
{
    if (position < chunk->extras_ready)
        return STATUS_OK;
    struct packed_view view = chunk->extras;
    if (chunk->direction == HEAP_REFERENCES)
        decode_labels(chunk, position, &view);
    else
        decode_parts(chunk, &view);
    if (view.failed || (chunk->extras_ready == chunk->count && !packed_view_done(&view))) {
        chunk->extras_ready = 0;
        return corrupt(chunk, "damaged labels", err);
    }
    chunk->extras = view;
    return STATUS_OK;
}
