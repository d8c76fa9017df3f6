/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/label_classes.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/analyzer/heap_index.h"
#include "inquest/base/fnv.h"

#define UNKNOWN UINT32_MAX
/* What of_code says of items: that they are, and their own class once it was asked for. */
#define IS_ITEM     0x80000000u
#define FIRST_SLOTS 1024

static uint32_t hash_text(const char *text, size_t size)
{
    uint64_t hash = fnv64(FNV64_START, text, size);
    return (uint32_t)(hash >> 32 ^ hash);
}

static uint32_t *find_slot(struct label_classes *classes, const char *text, size_t size)
{
    uint32_t slot = hash_text(text, size) & classes->slot_mask;
    for (; classes->slots[slot]; slot = (slot + 1) & classes->slot_mask) {
        const char *known = classes->texts.items[classes->slots[slot] - LABEL_CLASS_FIRST];
        if (strncmp(known, text, size) == 0 && !known[size])
            break;
    }
    return &classes->slots[slot];
}

static bool grow(struct label_classes *classes)
{
    uint32_t mask = classes->slot_mask * 2 + 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    free(classes->slots);
    classes->slots = slots;
    classes->slot_mask = mask;
    for (size_t i = 0; i < classes->texts.count; i++) {
        const char *text = classes->texts.items[i];
        *find_slot(classes, text, strlen(text)) = (uint32_t)i + LABEL_CLASS_FIRST;
    }
    return true;
}

static enum status add_text(struct label_classes *classes, const char *text, size_t size,
                            uint32_t *ret_class, struct error *err)
{
    size_t length = strnlen(text, size);
    if (classes->texts.count * 2 > classes->slot_mask && !grow(classes))
        return error_set(err, STATUS_NO_MEMORY, "labels: out of memory");
    uint32_t *slot = find_slot(classes, text, length);
    if (!*slot) {
        const char *copy = arena_strndup(&classes->arena, text, length);
        if (!copy || !array_push(&classes->texts, copy))
            return error_set(err, STATUS_NO_MEMORY, "labels: out of memory");
        *slot = (uint32_t)classes->texts.count - 1 + LABEL_CLASS_FIRST;
    }
    *ret_class = *slot;
    return STATUS_OK;
}

static bool remember(struct label_classes *classes, uint32_t label, uint32_t value)
{
    if (label >= classes->of_code.count) {
        size_t extra = label + (size_t)1 - classes->of_code.count;
        if (!array_reserve(&classes->of_code, extra))
            return false;
        memset(classes->of_code.items + classes->of_code.count, 0xFF,
               extra * sizeof *classes->of_code.items);
        classes->of_code.count += extra;
    }
    classes->of_code.items[label] = value;
    return true;
}

/* The text says what it is; items get a class of their own only where one is asked for. */
static enum status classify(struct label_classes *classes, uint32_t label, bool exact,
                            uint32_t *ret_value, struct error *err)
{
    const char *text;
    size_t size;
    uint32_t value = LABEL_CLASS_NONE;
    enum status status = heap_reader_label(classes->reader, label, &text, &size, err);
    if (status != STATUS_OK)
        return status;
    bool item = text && size && *text == '[';
    if (!text || !size || (size >= 4 && memcmp(text, "weak", 4) == 0))
        value = LABEL_CLASS_NONE;
    else if (size == 9 && memcmp(text, ".__dict__", 9) == 0)
        value = LABEL_CLASS_DICT;
    else if (!item || exact)
        status = add_text(classes, text, size, &value, err);
    if (status == STATUS_OK && item)
        value |= IS_ITEM;
    if (status == STATUS_OK && !remember(classes, label, value))
        status = error_set(err, STATUS_NO_MEMORY, "labels: out of memory");
    *ret_value = value;
    return status;
}

enum status label_class(struct label_classes *classes, uint32_t label, bool exact,
                        uint32_t *ret_class, struct error *err)
{
    uint32_t value = UNKNOWN;
    if (!label || label & HEAP_LABEL_INDEX) {
        *ret_class = label ? LABEL_CLASS_ITEM : LABEL_CLASS_NONE;
        return STATUS_OK;
    }
    if (label < classes->of_code.count)
        value = classes->of_code.items[label];
    if (value == UNKNOWN || (exact && value == IS_ITEM)) {
        enum status status = classify(classes, label, exact, &value, err);
        if (status != STATUS_OK)
            return status;
    }
    *ret_class = value & IS_ITEM && !exact ? LABEL_CLASS_ITEM : value & ~IS_ITEM;
    return STATUS_OK;
}

const char *label_class_text(const struct label_classes *classes, uint32_t label_class)
{
    switch (label_class) {
    case LABEL_CLASS_NONE: return NULL;
    case LABEL_CLASS_ITEM: return "[…]";
    case LABEL_CLASS_DICT: return ".__dict__";
    default: return classes->texts.items[label_class - LABEL_CLASS_FIRST];
    }
}

enum status label_classes_init(struct label_classes *classes, struct heap_reader *reader,
                               struct error *err)
{
    *classes = (struct label_classes){.reader = reader, .slot_mask = FIRST_SLOTS - 1};
    arena_init(&classes->arena);
    classes->slots = calloc(FIRST_SLOTS, sizeof *classes->slots);
    return classes->slots ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "labels: out of memory");
}

void label_classes_deinit(struct label_classes *classes)
{
    array_deinit(&classes->of_code);
    array_deinit(&classes->texts);
    free(classes->slots);
    arena_deinit(&classes->arena);
}
