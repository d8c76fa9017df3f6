/* SPDX-License-Identifier: Apache-2.0 */
/* Long lists whose items are all of type int, or all float: an array of 8 bytes an item
 * would not need the objects. Those that only the list holds would go. */
#include <stdlib.h>

#include "analyzer/findings/waste_pass.h"

#define WORD_DIGITS_BYTES 36 /* sys.getsizeof of an int of more than 60 bits, less of 90 */

static bool fits_word(const struct heap *heap, uint32_t object)
{
    int64_t value;
    uint64_t size = heap_size(heap, object);
    return size < WORD_DIGITS_BYTES ||
           (size == WORD_DIGITS_BYTES &&
            int_read(heap->process, heap_address(heap, object), &value) == STATUS_OK);
}

/* All items of one type, that of the first; false for others. */
static bool is_numbers(const struct heap *heap, uint64_t first, uint64_t end)
{
    const uint32_t *items = heap->references.targets;
    const struct python_type *type = heap_type(heap, items[first]);
    if ((type->kind != KIND_INT && type->kind != KIND_FLOAT) || !type->is_exact_kind)
        return false;
    for (uint64_t i = first; i < end; i++)
        if (heap->type[items[i]] != heap->type[items[first]] ||
            (type->kind == KIND_INT && !fits_word(heap, items[i])))
            return false;
    return true;
}

static int compare_objects(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Each once, whatever its places in the list. */
static bool add_numbers(struct waste_pass *pass, uint32_t list, uint64_t first, uint64_t end)
{
    const struct heap *heap = pass->heap;
    const uint32_t *idom = pass->findings->facts->dominators.idom;
    uint32_t *held = malloc((end - first) * sizeof *held), count = 0, distinct = 0;
    uint64_t bytes = 0;
    if (!held)
        return false;
    for (uint64_t i = first; i < end; i++)
        if (idom[heap->references.targets[i]] == list)
            held[count++] = heap->references.targets[i];
    qsort(held, count, sizeof *held, compare_objects);
    for (uint32_t i = 0; i < count; i++) {
        if (i && held[i] == held[i - 1])
            continue;
        bytes += heap_size(heap, held[i]);
        distinct++;
    }
    free(held);
    struct waste_place place = {
        .kind = WASTE_BOXED, .example = list, .count = distinct, .bytes = bytes, .most = bytes};
    if (!bytes)
        return true;
    return holder_of(&pass->holders, list, &place.holder) && array_push(&pass->places, place);
}

bool waste_of_numbers(struct waste_pass *pass, uint32_t object)
{
    const struct heap *heap = pass->heap;
    uint64_t first = graph_first(&heap->references, object),
             end = graph_end(&heap->references, object);
    while (first < end && !(heap->label[first] & HEAP_LABEL_INDEX))
        first++;
    while (end > first && !(heap->label[end - 1] & HEAP_LABEL_INDEX))
        end--;
    if (end - first < BOXED_LEAST || !is_numbers(heap, first, end))
        return true;
    return add_numbers(pass, object, first, end);
}
