/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_labels.h"

#include <string.h>

struct label_view {
    const char *text;
    size_t size;
};

/* ---- Writing. */

static struct label_view label_at(const struct heap_labels *labels, uint32_t label)
{
    uint64_t start = labels->offset[label - 1], end = labels->offset[label];
    return (struct label_view){.text = labels->text + start, .size = (size_t)(end - start)};
}

static size_t shared_prefix(struct label_view a, struct label_view b)
{
    size_t most = a.size < b.size ? a.size : b.size, i = 0;
    while (i < most && a.text[i] == b.text[i])
        i++;
    return i;
}

/* How many texts the chunk takes, and the bytes they have in all. */
static uint32_t choose_count(const struct heap_labels *labels, uint32_t label, uint32_t last,
                             size_t *ret_bytes)
{
    uint32_t count = 0;
    size_t bytes = 0;
    while (count < PACKED_LABELS && count <= last - label && bytes < PACKED_LABEL_BYTES)
        bytes += label_at(labels, label + count++).size;
    *ret_bytes = bytes;
    return count;
}

static size_t encode(const struct heap_labels *labels, uint32_t label, uint32_t count,
                     uint8_t *plain)
{
    struct label_view own[PACKED_LABELS], last = {NULL, 0};
    uint8_t *at = varint_put(plain, count);
    for (uint32_t i = 0; i < count; i++) {
        struct label_view text = label_at(labels, label + i);
        size_t shared = shared_prefix(last, text);
        own[i] = (struct label_view){.text = text.text + shared, .size = text.size - shared};
        at = varint_put(varint_put(at, shared), own[i].size);
        last = text;
    }
    for (uint32_t i = 0; i < count; i++) {
        memcpy(at, own[i].text, own[i].size);
        at += own[i].size;
    }
    return (size_t)(at - plain);
}

enum status packed_labels_append(const struct heap_labels *labels, uint32_t label, uint32_t last,
                                 struct packed_batch *batch, void *state, uint32_t *ret_next)
{
    size_t bytes;
    uint32_t count = choose_count(labels, label, last, &bytes);
    uint8_t *plain = malloc((2 * (size_t)count + 1) * VARINT_BYTES + bytes);
    if (!plain)
        return STATUS_NO_MEMORY;
    size_t size = encode(labels, label, count, plain);
    enum status status = packed_block_append(batch, state, label, plain, size);
    free(plain);
    if (status == STATUS_OK)
        *ret_next = label + count;
    return status;
}

/* ---- Reading. */

/* The bytes of all texts together, from the table of their sizes. */
static bool expanded_size(struct packed_view sizes, uint32_t count, size_t *ret_size)
{
    uint64_t all = 0, last = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t shared = varint_get(&sizes), own = varint_get(&sizes);
        if (sizes.failed || shared > last || own > PACKED_PLAIN_LIMIT)
            return false;
        last = shared + own;
        all += last;
        if (all > PACKED_PLAIN_LIMIT)
            return false;
    }
    *ret_size = (size_t)all;
    return true;
}

static bool expand(struct packed_labels *chunk, struct packed_view *view)
{
    struct packed_view sizes = *view;
    uint32_t end = 0, last = 0;
    for (uint32_t i = 0; i < chunk->count; i++) {
        varint_get(view);
        varint_get(view);
    }
    for (uint32_t i = 0; i < chunk->count; i++) {
        uint32_t shared = (uint32_t)varint_get(&sizes), size = (uint32_t)varint_get(&sizes);
        struct packed_view own = packed_view_cut(view, size);
        if (own.failed)
            return false;
        memcpy(chunk->text + end, chunk->text + last, shared);
        memcpy(chunk->text + end + shared, own.at, size);
        last = end;
        end += shared + size;
        chunk->end[i] = end;
    }
    return packed_view_done(view);
}

static enum status corrupt(int64_t id, struct error *err)
{
    return error_set(err, STATUS_CORRUPT, "labels from %lld on: damaged", (long long)id);
}

static enum status open_texts(int64_t id, struct packed_view *view, struct packed_labels *chunk,
                              struct error *err)
{
    uint64_t count = varint_get(view);
    size_t size;
    if (id <= 0 || id >= HEAP_LABEL_INDEX || !count || count > PACKED_LABELS ||
        (uint64_t)id + count > HEAP_LABEL_INDEX || !expanded_size(*view, (uint32_t)count, &size))
        return corrupt(id, err);
    chunk->first = (uint32_t)id;
    chunk->count = (uint32_t)count;
    chunk->end = malloc((size_t)count * sizeof *chunk->end);
    chunk->text = malloc(size + 1);
    if (!chunk->end || !chunk->text)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    return expand(chunk, view) ? STATUS_OK : corrupt(id, err);
}

enum status packed_labels_open(int64_t id, uint8_t *plain, size_t size,
                               struct packed_labels *ret_chunk, struct error *err)
{
    struct packed_view view = packed_view_make(plain, size);
    *ret_chunk = (struct packed_labels){0};
    enum status status = open_texts(id, &view, ret_chunk, err);
    if (status != STATUS_OK)
        packed_labels_deinit(ret_chunk);
    free(plain);
    return status;
}

void packed_labels_deinit(struct packed_labels *chunk)
{
    free(chunk->end);
    free(chunk->text);
    *chunk = (struct packed_labels){0};
}
