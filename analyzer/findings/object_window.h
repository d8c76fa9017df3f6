/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_OBJECT_WINDOW_H
#define INQUEST_ANALYZER_FINDINGS_OBJECT_WINDOW_H

#include "analyzer/objects/object.h"
#include "analyzer/runtime/heap_graph.h"

/* For passes that look at values in order of address: asks for the bytes of those that
 * come soon. A pass waits for them most of its time otherwise. */
#define OBJECTS_AHEAD 16
#define LINE_BYTES    64

struct object_window {
    const struct heap *heap;
    const uint8_t *wanted; /* by index of type: 0 where the pass looks at none of its bytes */
    const uint8_t *bytes;  /* of the piece of the dump that the last one was in */
    uint64_t start, size;  /* its address; bytes from there on */
};

/* While the pass is at `object`. */
static inline void object_prefetch(struct object_window *window, uint32_t object)
{
    const struct heap *heap = window->heap;
    if (heap->count - object <= OBJECTS_AHEAD ||
        !window->wanted[heap->type[object + OBJECTS_AHEAD]])
        return;
    uint64_t addr = heap_address(heap, object + OBJECTS_AHEAD);
    if (addr - window->start >= window->size) {
        window->start = addr;
        window->bytes = memory_span(heap->process->image, addr, &window->size);
        if (!window->bytes)
            window->size = 0;
    }
    if (addr - window->start < window->size) {
        const uint8_t *bytes = window->bytes + (addr - window->start);
        __builtin_prefetch(bytes);
        __builtin_prefetch(bytes + LINE_BYTES);
    }
}

#endif
