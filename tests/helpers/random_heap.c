/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/helpers/random_heap.h"

#include <stdio.h>
#include <stdlib.h>

#include "inquest/base/array.h"

#define LABELS   1000
#define LONG_ROW 10000

struct maker {
    uint64_t state;
    uint32_t objects;
    enum random_heap_shape shape;
    ARRAY(uint32_t) targets, labels;
    ARRAY(char) text;
};

uint64_t random_heap_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static uint32_t below(struct maker *maker, uint32_t limit)
{
    return (uint32_t)((random_heap_next(&maker->state) >> 32) * limit >> 32);
}

static void *checked(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* A number of any magnitude. */
static uint64_t wide(struct maker *maker)
{
    return random_heap_next(&maker->state) >> below(maker, 64);
}

/* ---- Objects. */

static uint64_t *make_addresses(struct maker *maker)
{
    uint64_t *address = checked(malloc((maker->objects + 1) * sizeof *address));
    uint64_t next = 0x10000 + 8 * below(maker, 100);
    for (uint32_t i = 0; i < maker->objects; i++) {
        if ((maker->shape & RANDOM_HEAP_HIGH) && i == maker->objects - maker->objects / 4)
            next = (UINT64_C(1) << 63) + 16;
        address[i] = next;
        /* pools of one size, with jumps between them */
        next += below(maker, 50) ? 48 : below(maker, 3) ? 4 + below(maker, 4000) : 1u << 30;
    }
    return address;
}

static uint64_t *make_numbers(struct maker *maker, uint64_t usual)
{
    uint64_t *numbers = checked(malloc((maker->objects + 1) * sizeof *numbers));
    for (uint32_t i = 0; i < maker->objects; i++)
        numbers[i] = below(maker, 4) ? usual : wide(maker);
    return numbers;
}

static void make_objects(struct maker *maker, struct heap_objects *objects)
{
    uint32_t count = maker->objects;
    uint32_t *type = checked(malloc((count + 1) * sizeof *type));
    uint32_t *dominator = checked(malloc((count + 1) * sizeof *dominator));
    uint8_t *flags = checked(malloc(count + 1));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t near = i > 20 ? i - below(maker, 20) - 1 : HEAP_NO_OBJECT;
        type[i] = below(maker, 10) ? below(maker, 5) + 1 : (uint32_t)wide(maker);
        flags[i] = (uint8_t)below(maker, 4);
        dominator[i] = below(maker, 3) == 0 ? HEAP_NO_OBJECT
                       : below(maker, 2)    ? near
                                            : below(maker, count);
        if (dominator[i] == i)
            dominator[i] = HEAP_NO_OBJECT;
    }
    *objects = (struct heap_objects){.count = count,
                                     .address = make_addresses(maker),
                                     .type = type,
                                     .size = make_numbers(maker, 56),
                                     .refcount = make_numbers(maker, UINT32_MAX),
                                     .retained = make_numbers(maker, 56),
                                     .dominator = dominator,
                                     .flags = flags};
}

/* ---- References. */

static uint32_t some_label(struct maker *maker)
{
    switch (below(maker, 4)) {
    case 0: return 0;
    case 1: return HEAP_LABEL_INDEX | ((uint32_t)wide(maker) & ~HEAP_LABEL_INDEX);
    default: return 1 + below(maker, LABELS);
    }
}

static void add(struct maker *maker, uint32_t target, uint32_t label)
{
    if (!array_push(&maker->targets, target) || !array_push(&maker->labels, label))
        abort();
}

/* Runs of one target, then of neighbours, then of any. */
static void add_long_row(struct maker *maker)
{
    for (uint32_t i = 0; i < LONG_ROW; i++) {
        uint32_t target = i < 4200   ? 7 % maker->objects
                          : i < 8000 ? i % maker->objects
                                     : below(maker, maker->objects);
        add(maker, target, i < 9000 ? HEAP_LABEL_INDEX | i : some_label(maker));
    }
}

static void add_row(struct maker *maker, uint32_t source)
{
    if (maker->shape & RANDOM_HEAP_LONG_ROWS && (source == 3 || source == maker->objects - 1)) {
        add_long_row(maker);
        return;
    }
    bool alike = source % 300 < 100; /* instances of one class, one behind the other */
    uint32_t degree = alike ? 3 : below(maker, 2) ? 0 : below(maker, below(maker, 40) ? 6 : 400);
    for (uint32_t i = 0; i < degree; i++) {
        uint32_t target = alike && i == 0   ? 1
                          : alike && i == 1 ? source + 100
                                            : below(maker, maker->objects);
        add(maker, target % maker->objects, alike ? i + 1 : some_label(maker));
        if (!below(maker, 20)) /* twice the same */
            add(maker, target % maker->objects, some_label(maker));
    }
    if (maker->shape & RANDOM_HEAP_LONG_ROWS && source % 2)
        add(maker, 5 % maker->objects, some_label(maker));
}

static void make_references(struct maker *maker, struct heap_references *references)
{
    uint64_t *first = checked(malloc((maker->objects + 1) * sizeof *first));
    for (uint32_t i = 0; i < maker->objects; i++) {
        first[i] = maker->targets.count;
        add_row(maker, i);
    }
    first[maker->objects] = maker->targets.count;
    *references = (struct heap_references){.count = maker->targets.count,
                                           .first = first,
                                           .target = maker->targets.items,
                                           .label = maker->labels.items};
}

static void make_labels(struct maker *maker, struct heap_labels *labels)
{
    static const char *const forms[] = {".attribute_%u", "['key-%u']", "weak referent %u",
                                        ".\u00e9\u4e16%u", "%u"};
    uint64_t *offset = checked(malloc((LABELS + 1) * sizeof *offset));
    for (uint32_t i = 0; i < LABELS; i++) {
        char text[64];
        offset[i] = maker->text.count;
        int size = snprintf(text, sizeof text, forms[i % 5], i / 7);
        for (int repeat = i % 100 == 99 ? 500 : 1; repeat; repeat--) {
            for (int k = 0; k < size; k++) {
                if (!array_push(&maker->text, text[k]))
                    abort();
            }
        }
    }
    offset[LABELS] = maker->text.count;
    *labels = (struct heap_labels){.count = LABELS, .offset = offset, .text = maker->text.items};
}

void random_heap_make(struct random_heap *heap, uint64_t seed, uint32_t objects,
                      enum random_heap_shape shape)
{
    struct maker maker = {.state = seed * 2 + 1, .objects = objects, .shape = shape};
    make_objects(&maker, &heap->objects);
    make_references(&maker, &heap->references);
    make_labels(&maker, &heap->labels);
}

static void release(const void *memory)
{
    free((void *)(uintptr_t)memory);
}

void random_heap_deinit(struct random_heap *heap)
{
    release(heap->objects.address);
    release(heap->objects.type);
    release(heap->objects.size);
    release(heap->objects.refcount);
    release(heap->objects.retained);
    release(heap->objects.dominator);
    release(heap->objects.flags);
    release(heap->references.first);
    release(heap->references.target);
    release(heap->references.label);
    release(heap->labels.offset);
    release(heap->labels.text);
}
