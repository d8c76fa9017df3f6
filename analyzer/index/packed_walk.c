/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over references, and their labels. */
#include <stdio.h>
#include <string.h>

#include "analyzer/index/packed_reader.h"

static bool has_part(const struct packed_chunk *chunk, uint32_t id, uint32_t part)
{
    return chunk && chunk->rows.part == part && id >= chunk->rows.first &&
           id - chunk->rows.first < chunk->rows.rows;
}

static bool covers(const struct packed_chunk *chunk, uint32_t id)
{
    return has_part(chunk, id, 0);
}

/* The chunk that has the row of `id` or, where that is part of none, any chunk
 * before it; NULL: none. */
static enum status seek_row(struct heap_reader *reader, enum heap_direction direction, uint32_t id,
                            struct packed_chunk **ret_chunk, struct error *err)
{
    enum packed_table table = packed_table_of(direction);
    struct packed_chunk *last = reader->last[table];
    if (covers(last, id)) {
        last->pins++;
        *ret_chunk = last;
        return STATUS_OK;
    }
    return packed_reader_seek(reader, table, PACKED_SEEK_AT, packed_row_key(id, 0), ret_chunk, err);
}

enum status heap_reader_degree(struct heap_reader *reader, enum heap_direction direction,
                               uint32_t id, uint64_t *ret_degree, struct error *err)
{
    struct packed_chunk *chunk = NULL;
    enum status status = seek_row(reader, direction, id, &chunk, err);
    if (status != STATUS_OK)
        return status;
    uint64_t degree = 0;
    if (covers(chunk, id)) {
        const struct packed_rows *rows = &chunk->rows;
        const uint32_t *start = rows->start + (id - rows->first);
        degree = rows->degree ? rows->degree : start[1] - start[0];
    }
    packed_chunk_unpin(chunk);
    *ret_degree = degree;
    return STATUS_OK;
}

/* ---- Walking. */

static void walk_end(struct heap_walk *walk, enum status status)
{
    packed_chunk_unpin(walk->chunk);
    packed_chunk_unpin(walk->source);
    walk->chunk = walk->source = NULL;
    walk->status = status;
}

/* Goes to a row of the walk's chunk, or ends where that is past the last one. */
static void enter_row(struct heap_walk *walk, uint32_t row)
{
    const struct packed_rows *rows = &walk->chunk->rows;
    if (rows->first > walk->last || row > walk->last - rows->first) {
        walk_end(walk, STATUS_OK);
        return;
    }
    enum status status = packed_rows_need(&walk->chunk->rows, row, &walk->error);
    if (status != STATUS_OK) {
        walk_end(walk, status);
        return;
    }
    walk->row = row;
    walk->position = rows->start[row];
    walk->row_end = rows->start[row + 1];
}

/* The first chunk behind a table id, which goes on where the one before it ends. */
static void enter_next_chunk(struct heap_walk *walk, int64_t behind)
{
    struct packed_chunk *chunk, *before = walk->chunk;
    uint64_t rank = before ? before->rows.rank + before->rows.count : 0;
    enum status status = packed_reader_seek(walk->reader, packed_table_of(walk->direction),
                                            PACKED_SEEK_ABOVE, behind, &chunk, &walk->error);
    if (status == STATUS_OK && chunk && chunk->rows.rank != rank) {
        status = error_set(&walk->error, STATUS_CORRUPT,
                           "references are missing before those of object %u", chunk->rows.first);
        packed_chunk_unpin(chunk);
    }
    if (status != STATUS_OK || !chunk) {
        walk_end(walk, status);
        return;
    }
    packed_chunk_unpin(before);
    walk->chunk = chunk;
    enter_row(walk, 0);
}

void heap_walk_start(struct heap_reader *reader, enum heap_direction direction, uint32_t first,
                     uint32_t last, struct heap_walk *ret_walk)
{
    struct packed_chunk *chunk = NULL;
    memset(ret_walk, 0, sizeof *ret_walk);
    ret_walk->reader = reader;
    ret_walk->direction = direction;
    ret_walk->last = last;
    if (first > last)
        return;
    ret_walk->status = seek_row(reader, direction, first, &chunk, &ret_walk->error);
    if (ret_walk->status != STATUS_OK)
        return;
    ret_walk->chunk = chunk;
    if (covers(chunk, first))
        enter_row(ret_walk, first - chunk->rows.first);
    else if (first < last)
        enter_next_chunk(ret_walk, packed_row_key(first, 0));
    else
        walk_end(ret_walk, STATUS_OK);
}

static struct heap_edge edge_at(const struct heap_walk *walk)
{
    const struct packed_rows *rows = &walk->chunk->rows;
    uint32_t own = rows->first + walk->row, other = rows->other[walk->position];
    if (walk->direction == HEAP_REFERENCES)
        return (struct heap_edge){.source_id = own, .target_id = other};
    return (struct heap_edge){.source_id = other, .target_id = own};
}

/* Keeps count of references that only their order tells apart. */
static void count_repeated(struct heap_walk *walk)
{
    const struct packed_rows *rows = &walk->chunk->rows;
    uint32_t i = walk->position;
    if (i == rows->start[walk->row])
        walk->repeated = rows->part ? rows->carry : 0;
    else if (rows->other[i] == rows->other[i - 1] && rows->extra[i] == rows->extra[i - 1])
        walk->repeated++;
    else
        walk->repeated = 0;
}

bool heap_walk_next(struct heap_walk *walk, struct heap_edge *ret_edge)
{
    while (walk->chunk && walk->position == walk->row_end) {
        if (walk->row + 1 < walk->chunk->rows.rows)
            enter_row(walk, walk->row + 1);
        else
            enter_next_chunk(walk, walk->chunk->id);
    }
    if (!walk->chunk)
        return false;
    if (walk->direction == HEAP_REFERRERS) {
        enum status status =
            packed_rows_need_extra(&walk->chunk->rows, walk->position, &walk->error);
        if (status != STATUS_OK) {
            walk_end(walk, status);
            return false;
        }
        count_repeated(walk);
    }
    *ret_edge = edge_at(walk);
    walk->position++;
    return true;
}

enum status heap_walk_finish(struct heap_walk *walk, struct error *err)
{
    enum status status = walk->status;
    walk_end(walk, status);
    if (status != STATUS_OK && err)
        *err = walk->error;
    return status;
}

/* ---- Labels. */

/* A reference in a chunk of ref_chunk. */
struct place {
    struct packed_chunk *chunk;
    uint32_t row, position;
};

/* The chunk that has the source's row, or that part of it; kept for the next one. */
static enum status find_row(struct heap_walk *walk, uint32_t source, uint32_t part,
                            struct place *ret_place, struct error *err)
{
    struct packed_chunk *chunk = walk->source;
    if (!has_part(chunk, source, part)) {
        enum status status = packed_reader_seek(walk->reader, PACKED_REF_CHUNK, PACKED_SEEK_AT,
                                                packed_row_key(source, part), &chunk, err);
        if (status != STATUS_OK)
            return status;
        packed_chunk_unpin(walk->source);
        walk->source = chunk;
    }
    if (!has_part(chunk, source, part))
        return error_set(err, STATUS_CORRUPT, "ref_chunk: the references of %u are missing",
                         source);
    *ret_place = (struct place){.chunk = chunk, .row = source - chunk->rows.first};
    return packed_rows_need(&chunk->rows, ret_place->row, err);
}

/* Where the reference is that a walk over referrers gave last. */
static enum status find_source(struct heap_walk *walk, struct place *ret_place, struct error *err)
{
    const struct packed_rows *rows = &walk->chunk->rows;
    uint32_t source = rows->other[walk->position - 1], part = rows->extra[walk->position - 1];
    uint32_t target = rows->first + walk->row, repeated = walk->repeated;
    enum status status = find_row(walk, source, part, ret_place, err);
    if (status != STATUS_OK)
        return status;
    rows = &ret_place->chunk->rows;
    for (uint32_t i = rows->start[ret_place->row]; i < rows->start[ret_place->row + 1]; i++) {
        if (rows->other[i] == target && !repeated--) {
            ret_place->position = i;
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_CORRUPT, "ref_reverse: object %u does not refer to %u", source,
                     target);
}

enum status heap_walk_label(struct heap_walk *walk, uint64_t *ret_number, uint32_t *ret_label,
                            struct error *err)
{
    struct place place = {.chunk = walk->chunk, .row = walk->row, .position = walk->position - 1};
    enum status status = STATUS_OK;
    if (walk->direction == HEAP_REFERRERS)
        status = find_source(walk, &place, err);
    if (status == STATUS_OK)
        status = packed_rows_need_extra(&place.chunk->rows, place.position, err);
    if (status != STATUS_OK)
        return status;
    *ret_number = place.chunk->rows.rank + place.position + 1;
    *ret_label = place.chunk->rows.extra[place.position];
    return STATUS_OK;
}

static enum status find_text(struct heap_reader *reader, uint32_t label, const char **ret_text,
                             size_t *ret_size, struct error *err)
{
    struct packed_chunk *chunk = reader->last[PACKED_REF_LABEL];
    if (!chunk || label < chunk->labels.first ||
        label - chunk->labels.first >= chunk->labels.count) {
        enum status status =
            packed_reader_seek(reader, PACKED_REF_LABEL, PACKED_SEEK_AT, label, &chunk, err);
        if (status != STATUS_OK)
            return status;
        packed_chunk_unpin(chunk); /* it stays the last one */
    }
    if (!chunk || label - chunk->labels.first >= chunk->labels.count)
        return error_set(err, STATUS_CORRUPT, "ref_label: text %u is missing", label);
    uint32_t i = label - chunk->labels.first, start = i ? chunk->labels.end[i - 1] : 0;
    *ret_text = chunk->labels.text + start;
    *ret_size = chunk->labels.end[i] - start;
    return STATUS_OK;
}

enum status heap_reader_label(struct heap_reader *reader, uint32_t label, const char **ret_text,
                              size_t *ret_size, struct error *err)
{
    if (label && !(label & HEAP_LABEL_INDEX))
        return find_text(reader, label, ret_text, ret_size, err);
    *ret_text = label ? reader->label : NULL;
    *ret_size = 0;
    if (label)
        *ret_size = (size_t)snprintf(reader->label, sizeof reader->label, "[%u]",
                                     label & ~HEAP_LABEL_INDEX);
    return STATUS_OK;
}
