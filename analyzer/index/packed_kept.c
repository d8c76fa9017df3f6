/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/packed_kept.h"

#include <string.h>

#include "analyzer/graph/memory.h"
#include "inquest/base/checked_math.h"

#define BATCH_BYTES ((size_t)2 << 20)

void packed_kept_deinit(struct packed_kept *kept)
{
    for (size_t i = 0; i < kept->batches.count; i++) {
        graph_free(kept->batches.items[i].bytes.items);
        array_deinit(&kept->batches.items[i].pieces);
    }
    array_deinit(&kept->batches);
}

/* The last batch, or a new one where that has no room for `size` bytes; NULL: no memory. */
static struct packed_batch *make_room(struct packed_kept *kept, size_t size)
{
    size_t count = kept->batches.count;
    struct packed_batch batch = {0}, *last = count ? &kept->batches.items[count - 1] : NULL;
    if (last && last->bytes.capacity - last->bytes.count >= size)
        return last;
    batch.bytes.capacity = max_u64(size, BATCH_BYTES);
    if (!array_reserve(&kept->batches, 1) ||
        graph_alloc(batch.bytes.capacity, 1, (void **)&batch.bytes.items, NULL) != STATUS_OK)
        return NULL;
    kept->batches.items[kept->batches.count++] = batch;
    return &kept->batches.items[count];
}

enum status packed_kept_add(struct packed_kept *kept, const struct packed_batch *batch)
{
    struct packed_batch *into = make_room(kept, batch->bytes.count);
    if (!into || !array_reserve(&into->pieces, batch->pieces.count))
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < batch->pieces.count; i++) {
        struct packed_piece piece = batch->pieces.items[i];
        piece.end += into->bytes.count;
        into->pieces.items[into->pieces.count++] = piece;
    }
    if (batch->bytes.count)
        memcpy(into->bytes.items + into->bytes.count, batch->bytes.items, batch->bytes.count);
    into->bytes.count += batch->bytes.count;
    return STATUS_OK;
}
