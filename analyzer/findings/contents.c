/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/contents.h"

#include <stdlib.h>

#include "analyzer/findings/object_window.h"
#include "analyzer/findings/value_hash.h"
#include "analyzer/graph/memory.h"
#include "analyzer/objects/containers.h"
#include "analyzer/objects/fields.h"
#include "inquest/base/checked_math.h"

#define CHUNK_OBJECTS 65536 /* of one row */
#define HASHED_BYTES  64    /* of a value, beside its length */
#define REFERENCES    4     /* of an object: the first ones */
#define HEADER_BYTES  16    /* refcount and type */

/* How a type's values are read. */
enum value { VALUE_NONE, VALUE_STR, VALUE_BYTES, VALUE_NUMBER };

struct contents {
    const struct heap *heap;
    uint64_t *values; /* by object: 0: no value */
    uint8_t *read;    /* by index of type: enum value */
    uint8_t *stable;  /* likewise: references that an object keeps, from the first on */
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t hash_bytes(const uint8_t *bytes, uint64_t size)
{
    uint64_t hash = mix(0, size);
    uint64_t left = size < HASHED_BYTES ? size : HASHED_BYTES;
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
        view_at(process, view.data_addr, size < HASHED_BYTES ? size : HASHED_BYTES);
    return bytes ? hash_bytes(bytes, size) | 1 : 0;
}

static uint64_t hash_of_bytes(struct python_process *process, uint64_t addr)
{
    const uint8_t *bytes;
    uint64_t size;
    return bytes_view(process, addr, HASHED_BYTES, &bytes, &size) == STATUS_OK
               ? hash_bytes(bytes, size) | 1
               : 0;
}

static uint64_t hash_number(const struct heap *heap, uint32_t object, uint64_t addr)
{
    uint64_t size = heap_size(heap, object);
    size = size > HEADER_BYTES ? size - HEADER_BYTES : 0;
    size = size < HASHED_BYTES ? size : HASHED_BYTES;
    const uint8_t *bytes = view_at(heap->process, addr + HEADER_BYTES, size);
    return bytes ? hash_bytes(bytes, size) | 1 : 0;
}

/* The bytes that are the value alone: no cached hash, no cached UTF-8. 0: not a value. */
static uint64_t hash_value(const struct contents *contents, uint32_t object)
{
    const struct heap *heap = contents->heap;
    enum value value = contents->read[heap->type[object]];
    if (value == VALUE_NONE)
        return 0;
    uint64_t addr = heap_address(heap, object);
    switch (value) {
    case VALUE_STR: return hash_str(heap->process, addr);
    case VALUE_BYTES: return hash_of_bytes(heap->process, addr);
    default: return hash_number(heap, object, addr);
    }
}

/* A list that grows keeps its first item, a dict its first key. */
static uint8_t stable_references(enum object_kind kind)
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

static uint32_t hash_object(const struct contents *contents, uint32_t object)
{
    const struct heap *heap = contents->heap;
    uint64_t hash = contents->values[object];
    if (hash == 0) {
        const struct graph *references = &heap->references;
        uint64_t edge = graph_first(references, object);
        uint64_t end = graph_end(references, object);
        end = min_u64(end, edge + contents->stable[heap->type[object]]);
        for (; edge < end; edge++) {
            uint32_t target = references->targets[edge];
            hash = mix(hash, heap_address(heap, target));
            hash = mix(hash, contents->values[target]);
        }
    }
    uint32_t folded = (uint32_t)(hash ^ hash >> 32);
    return hash && !folded ? 1 : folded;
}

static enum status write_rows(const struct contents *contents, struct index_writer *writer)
{
    const struct heap *heap = contents->heap;
    uint32_t *hashes = malloc(CHUNK_OBJECTS * sizeof *hashes);
    enum status status = hashes ? STATUS_OK : STATUS_NO_MEMORY;
    for (uint32_t first = 0; first < heap->count && status == STATUS_OK;) {
        uint32_t count = heap->count - first < CHUNK_OBJECTS ? heap->count - first : CHUNK_OBJECTS;
        for (uint32_t i = 0; i < count; i++)
            hashes[i] = hash_object(contents, first + i);
        const struct index_value row[] = {
            INDEX_INT(first + UINT64_C(1)),
            INDEX_BYTES(hashes, count * sizeof *hashes),
        };
        status = index_writer_row(writer, INDEX_CONTENT, row, sizeof row / sizeof *row);
        first += count;
    }
    free(hashes);
    return status;
}

static enum value value_of(enum object_kind kind)
{
    switch (kind) {
    case KIND_STR: return VALUE_STR;
    case KIND_BYTES: return VALUE_BYTES;
    case KIND_INT:
    case KIND_BOOL:
    case KIND_FLOAT:
    case KIND_COMPLEX: return VALUE_NUMBER;
    default: return VALUE_NONE;
    }
}

static enum status prepare(const struct heap *heap, struct contents *contents)
{
    size_t types = heap->types.count + 1;
    *contents =
        (struct contents){.heap = heap, .read = calloc(types, 1), .stable = calloc(types, 1)};
    if (!contents->read || !contents->stable)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < heap->types.count; i++) {
        contents->read[i] = (uint8_t)value_of(heap->types.items[i]->kind);
        contents->stable[i] = stable_references(heap->types.items[i]->kind);
    }
    return graph_alloc(heap->count, sizeof *contents->values, (void **)&contents->values, NULL);
}

/* Values in order of address first: those that refer to them then need not look at them
 * in the core. */
enum status contents_write(const struct findings *findings, struct error *err)
{
    const struct heap *heap = findings->heap;
    struct contents contents;
    if (heap->process->redaction)
        return STATUS_OK;
    enum status status = prepare(heap, &contents);
    struct object_window window = {.heap = heap, .wanted = contents.read};
    for (uint32_t object = 0; object < heap->count && status == STATUS_OK; object++) {
        object_prefetch(&window, object);
        contents.values[object] = hash_value(&contents, object);
    }
    if (status == STATUS_OK)
        status = write_rows(&contents, findings->writer);
    graph_free(contents.values);
    free(contents.read);
    free(contents.stable);
    return status == STATUS_NO_MEMORY ? error_set(err, status, "out of memory") : status;
}
