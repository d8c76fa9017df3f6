/* SPDX-License-Identifier: Apache-2.0 */
/* References on their way into chunks. */
#include "analyzer/index/packed_packing.h"
#include "inquest/base/checked_math.h"

/* The rows of a direction one after the other, by a thread: where each has its
 * references, and how far they have been taken. */
struct row_cursor {
    const struct heap_packing *heap;
    enum heap_direction direction;
    uint32_t object;       /* whose row is open */
    uint64_t strong, end;  /* in the rows' arrays */
    size_t more, more_end; /* in the lists beside them */
    uint64_t more_object;  /* whose are those from more_end on; UINT64_MAX: there are none */
};

static uint64_t row_begins(const struct row_cursor *cursor, uint64_t object)
{
    return cursor->direction == HEAP_REFERENCES
               ? heap_references_first(cursor->heap->references, object)
               : reverse_rows_start(&cursor->heap->reverse, object);
}

static size_t more_count(const struct row_cursor *cursor)
{
    return cursor->direction == HEAP_REFERENCES ? cursor->heap->references->more_count
                                                : cursor->heap->reverse.more.count;
}

static uint64_t more_object(const struct row_cursor *cursor, size_t i)
{
    if (i == more_count(cursor))
        return UINT64_MAX;
    return cursor->direction == HEAP_REFERENCES ? cursor->heap->references->more[i].source
                                                : cursor->heap->reverse.more.items[i].target;
}

/* Opens the row of `object`: a later one, the open one or an empty one just before it,
 * of which nothing has been taken. */
static void row_open(struct row_cursor *cursor, uint32_t object)
{
    if (object > cursor->object)
        cursor->more = cursor->more_end;
    cursor->object = object;
    cursor->strong = row_begins(cursor, object);
    cursor->end = row_begins(cursor, (uint64_t)object + 1);
    if (cursor->more == cursor->more_end && object < cursor->more_object)
        return; /* like nearly all */
    while (more_object(cursor, cursor->more) < object)
        cursor->more++;
    cursor->more_end = cursor->more;
    while ((cursor->more_object = more_object(cursor, cursor->more_end)) == object)
        cursor->more_end++;
}

static struct row_cursor row_start(const struct heap_packing *heap, enum heap_direction direction,
                                   uint32_t object)
{
    struct row_cursor cursor = {.heap = heap, .direction = direction};
    size_t low = 0, high = more_count(&cursor);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (more_object(&cursor, middle) < object)
            low = middle + 1;
        else
            high = middle;
    }
    cursor.more = cursor.more_end = low;
    row_open(&cursor, object);
    return cursor;
}

/* References that have not been taken. */
static uint64_t row_left(const struct row_cursor *cursor)
{
    return cursor->end - cursor->strong + (cursor->more_end - cursor->more);
}

/* References before the first that has not been taken, of all rows. */
static uint64_t row_rank(const struct row_cursor *cursor)
{
    return cursor->strong + cursor->more;
}

static bool take_forward(struct row_cursor *cursor, uint32_t count, struct packed_rows_input *rows)
{
    const struct heap_references *references = cursor->heap->references;
    uint32_t labels = cursor->heap->labels->count, *other = rows->other + rows->count;
    uint32_t *extra = rows->extra + rows->count;
    uint32_t strong = (uint32_t)min_u64(cursor->end - cursor->strong, count);
    const uint32_t *target = references->target + cursor->strong;
    bool sound = true;
    for (uint32_t i = 0; i < strong; i++)
        other[i] = target[i] + 1;
    for (uint32_t i = 0; i < strong; i++)
        extra[i] = references->label[cursor->strong + i];
    for (uint32_t i = strong; i < count; i++) {
        const struct heap_more_reference *more = &references->more[cursor->more++];
        other[i] = more->target + 1;
        extra[i] = more->label;
    }
    for (uint32_t i = 0; i < count; i++)
        sound &= extra[i] & HEAP_LABEL_INDEX || extra[i] <= labels;
    cursor->strong += strong;
    rows->count += count;
    return sound;
}

/* By source; of one source those in the row come first. */
static void take_reverse(struct row_cursor *cursor, uint32_t count, struct packed_rows_input *rows)
{
    const struct reverse_rows *reverse = &cursor->heap->reverse;
    uint32_t *other = rows->other + rows->count, *extra = rows->extra + rows->count;
    for (uint32_t i = 0; i < count; i++) {
        struct reverse_part next = {UINT32_MAX, 0};
        if (cursor->strong < cursor->end)
            next = reverse_rows_source(reverse, cursor->strong);
        if (cursor->more < cursor->more_end &&
            (cursor->strong == cursor->end ||
             next.source > reverse->more.items[cursor->more].from.source))
            next = reverse->more.items[cursor->more++].from;
        else
            cursor->strong++;
        other[i] = next.source + 1;
        extra[i] = next.part;
    }
    rows->count += count;
}

/* The same where there is no more beside. */
static void take_plain_reverse(struct row_cursor *cursor, uint32_t count,
                               struct packed_rows_input *rows)
{
    const struct reverse_rows *reverse = &cursor->heap->reverse;
    uint32_t *other = rows->other + rows->count, *extra = rows->extra + rows->count;
    for (uint32_t i = 0; i < count; i++) {
        const struct reverse_part from = reverse_rows_source(reverse, cursor->strong + i);
        other[i] = from.source + 1;
        extra[i] = from.part;
    }
    cursor->strong += count;
    rows->count += count;
}

static bool row_take(struct row_cursor *cursor, uint64_t count, struct packed_rows_input *rows)
{
    if (cursor->direction == HEAP_REFERENCES)
        return take_forward(cursor, (uint32_t)count, rows);
    if (cursor->more == cursor->more_end)
        take_plain_reverse(cursor, (uint32_t)count, rows);
    else
        take_reverse(cursor, (uint32_t)count, rows);
    return true;
}

static void start_chunk(const struct row_cursor *cursor, struct packed_rows_input *rows)
{
    rows->direction = cursor->direction;
    rows->first = cursor->object + 1;
    rows->rows = 0;
    rows->rank = row_rank(cursor);
    rows->count = 0;
    rows->carry = 0;
}

static enum status end_chunk(struct packed_scratch *scratch, uint32_t part,
                             struct packed_batch *batch)
{
    struct packed_rows_input *rows = &scratch->rows;
    size_t size = packed_rows_encode(rows);
    return packed_block_append(batch, scratch->state, packed_row_key(rows->first, part),
                               rows->plain, size);
}

/* What a long row's chunks so far end with, and how often without a break. */
struct row_tail {
    uint32_t other, extra, run; /* run 0: nothing yet */
};

/* Sets how many before the first of a chunk are of its source and part. */
static void count_carry(struct row_tail *tail, struct packed_rows_input *rows)
{
    uint32_t last = rows->count - 1, run = 1;
    bool goes_on = tail->other == rows->other[0] && tail->extra == rows->extra[0];
    rows->carry = goes_on ? tail->run : 0;
    while (run <= last && rows->other[last - run] == rows->other[last] &&
           rows->extra[last - run] == rows->extra[last])
        run++;
    if (run > last)
        run += rows->carry;
    *tail = (struct row_tail){rows->other[last], rows->extra[last], run};
}

static enum status pack_long_row(struct row_cursor *cursor, struct packed_scratch *scratch,
                                 struct packed_batch *batch)
{
    struct packed_rows_input *rows = &scratch->rows;
    uint64_t degree = row_left(cursor), left;
    struct row_tail tail = {0};
    enum status status = STATUS_OK;
    for (uint32_t part = 0; status == STATUS_OK && (left = row_left(cursor)) > 0; part++) {
        start_chunk(cursor, rows);
        rows->degree[rows->rows++] = degree;
        if (!row_take(cursor, left < PACKED_PART ? left : PACKED_PART, rows))
            return STATUS_USAGE;
        if (cursor->direction == HEAP_REFERRERS)
            count_carry(&tail, rows);
        status = end_chunk(scratch, part, batch);
    }
    return status;
}

/* Nearly all rows have nothing beside them, as the open one: those that follow it, with
 * which it makes one stretch, as many as a chunk takes. */
static void open_stretch(struct row_cursor *cursor, uint32_t end, struct packed_rows_input *rows)
{
    uint64_t start = cursor->strong, next = start, most = start + PACKED_ENOUGH - rows->count;
    uint32_t object = cursor->object, count = rows->rows;
    end = (uint32_t)min_u64(end, cursor->more_object);
    do {
        uint64_t begin = next;
        next = row_begins(cursor, (uint64_t)object + 1);
        if (next - begin > PACKED_PART) {
            next = begin;
            break;
        }
        rows->degree[count++] = next - begin;
        object++;
    } while (object < end && count < PACKED_ROWS && next < most);
    rows->rows = count;
    cursor->object = object - 1;
    cursor->end = next;
}

/* Rows from the open one on, which has references, as many as a chunk takes; empty ones
 * at its end are left to the next. */
static enum status pack_rows(struct row_cursor *cursor, uint32_t end,
                             struct packed_scratch *scratch, struct packed_batch *batch)
{
    struct packed_rows_input *rows = &scratch->rows;
    start_chunk(cursor, rows);
    for (;;) {
        uint64_t degree = row_left(cursor);
        if (degree > PACKED_PART)
            break;
        if (cursor->more == cursor->more_end)
            open_stretch(cursor, end, rows);
        else
            rows->degree[rows->rows++] = degree;
        if (!row_take(cursor, row_left(cursor), rows))
            return STATUS_USAGE;
        if (cursor->object + 1 == end || rows->rows == PACKED_ROWS || rows->count >= PACKED_ENOUGH)
            break;
        row_open(cursor, cursor->object + 1);
    }
    while (!rows->degree[rows->rows - 1])
        rows->rows--;
    return end_chunk(scratch, 0, batch);
}

static enum status pack_direction(const struct heap_packing *heap, enum heap_direction direction,
                                  uint64_t batch, struct packed_scratch *scratch,
                                  struct packed_batch *ret_batch)
{
    enum status status = STATUS_OK;
    uint32_t object, end;
    batch_range(batch, BATCH_OBJECTS, heap->objects->count, &object, &end);
    struct row_cursor cursor = row_start(heap, direction, object);
    while (status == STATUS_OK && object < end) {
        if (cursor.object != object)
            row_open(&cursor, object);
        uint64_t degree = row_left(&cursor);
        if (degree > PACKED_PART) {
            status = pack_long_row(&cursor, scratch, ret_batch);
            object++;
        } else if (!degree) {
            object++;
        } else {
            status = pack_rows(&cursor, end, scratch, ret_batch);
            object += scratch->rows.rows;
        }
    }
    return status;
}

enum status pack_references(const void *context, uint64_t batch, struct packed_scratch *scratch,
                            struct packed_batch *ret_batch)
{
    return pack_direction(context, HEAP_REFERENCES, batch, scratch, ret_batch);
}

enum status pack_referrers(const void *context, uint64_t batch, struct packed_scratch *scratch,
                           struct packed_batch *ret_batch)
{
    return pack_direction(context, HEAP_REFERRERS, batch, scratch, ret_batch);
}
