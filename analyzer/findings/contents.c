/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/contents.h"

#include <stdlib.h>

#include "analyzer/findings/object_window.h"
#include "analyzer/findings/value_hash.h"
#include "analyzer/graph/memory.h"
#include "analyzer/objects/containers.h"
#include "analyzer/objects/fields.h"

#define CHUNK_OBJECTS 65536 /* of one row */
#define VALUE_BYTES   64    /* of a value, beside its length */
#define REFERENCES    4     /* of an object: the first ones */
#define HEADER_BYTES  16    /* refcount and type */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t hash_bytes(const uint8_t *bytes, uint64_t size)
{
    uint64_t hash = mix(0, size);
    uint64_t left = size < VALUE_BYTES ? size : VALUE_BYTES;
    for (; left >= 8; bytes += 8, left -= 8)
        hash = mix(hash, load_u64(bytes));
    return left ? mix(hash, value_tail(bytes, left)) : hash;
}

static uint64_t hash_str(const struct python_process *process, uint64_t addr)
{
    struct str_view view;
    if (str_view_raw(process, addr, &view) != STATUS_OK)
        return 0;
    uint64_t size = view.length * view.kind;
    const uint8_t *bytes =
        view_at(process, view.data_addr, size < VALUE_BYTES ? size : VALUE_BYTES);
    return bytes ? hash_bytes(bytes, size) | 1 : 0;
}

/* The bytes that are the value alone: no cached hash, no cached UTF-8. 0: not a value. */
static uint64_t hash_value(const struct heap *heap, uint32_t object)
{
    struct python_process *process = heap->process;
    uint64_t addr = heap_address(heap, object), size = 0;
    const uint8_t *bytes = NULL;
    switch (heap_type(heap, object)->kind) {
    case KIND_STR: return hash_str(process, addr);
    case KIND_BYTES:
        if (bytes_view(process, addr, VALUE_BYTES, &bytes, &size) != STATUS_OK)
            return 0;
        break;
    case KIND_INT:
    case KIND_BOOL:
    case KIND_FLOAT:
    case KIND_COMPLEX:
        size = heap_size(heap, object);
        size = size > HEADER_BYTES ? size - HEADER_BYTES : 0;
        size = size < VALUE_BYTES ? size : VALUE_BYTES;
        bytes = view_at(process, addr + HEADER_BYTES, size);
        break;
    default: return 0;
    }
    return bytes ? hash_bytes(bytes, size) | 1 : 0;
}

/* A list that grows keeps its first item, a dict its first key. */
static unsigned stable_references(enum object_kind kind)
{
    switch (kind) {
    case KIND_LIST:
    case KIND_DICT:
    case KIND_ORDERED_DICT:
    case KIND_DEFAULT_DICT:
    case KIND_COUNTER:
    case KIND_DEQUE:
    case KIND_BYTEARRAY: return 1;
    case KIND_SET:
    case KIND_FRAME:
    case KIND_GENERATOR:
    case KIND_COROUTINE: return 0;
    default: return REFERENCES;
    }
}

static uint32_t hash_object(const struct heap *heap, const uint64_t *values, uint32_t object)
{
    uint64_t hash = values[object];
    if (hash == 0) {
        const struct graph *references = &heap->references;
        uint64_t edge = references->first[object];
        uint64_t end = references->first[object + UINT64_C(1)];
        unsigned count = stable_references(heap_type(heap, object)->kind);
        for (; edge < end && count > 0; edge++, count--) {
            uint32_t target = references->targets[edge];
            hash = mix(hash, heap_address(heap, target));
            hash = mix(hash, values[target]);
        }
    }
    uint32_t folded = (uint32_t)(hash ^ hash >> 32);
    return hash && !folded ? 1 : folded;
}

static enum status write_rows(const struct findings *findings, const uint64_t *values)
{
    const struct heap *heap = findings->heap;
    uint32_t *hashes = malloc(CHUNK_OBJECTS * sizeof *hashes);
    enum status status = hashes ? STATUS_OK : STATUS_NO_MEMORY;
    for (uint32_t first = 0; first < heap->count && status == STATUS_OK;) {
        uint32_t count = heap->count - first < CHUNK_OBJECTS ? heap->count - first : CHUNK_OBJECTS;
        for (uint32_t i = 0; i < count; i++)
            hashes[i] = hash_object(heap, values, first + i);
        const struct index_value row[] = {
            INDEX_INT(first + UINT64_C(1)),
            INDEX_BYTES(hashes, count * sizeof *hashes),
        };
        status = index_writer_row(findings->writer, INDEX_CONTENT, row, sizeof row / sizeof *row);
        first += count;
    }
    free(hashes);
    return status;
}

/* Values in order of address first: those that refer to them then need not look at them
 * in the core. */
enum status contents_write(const struct findings *findings, struct error *err)
{
    const struct heap *heap = findings->heap;
    uint64_t *values;
    if (heap->process->redaction)
        return STATUS_OK;
    enum status status = graph_alloc(heap->count, sizeof *values, (void **)&values, err);
    if (status != STATUS_OK)
        return status;
    struct object_window window = {.heap = heap};
    for (uint32_t object = 0; object < heap->count; object++) {
        object_prefetch(&window, object);
        values[object] = hash_value(heap, object);
    }
    status = write_rows(findings, values);
    graph_free(values);
    return status == STATUS_NO_MEMORY ? error_set(err, status, "out of memory") : status;
}
