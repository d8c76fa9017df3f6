/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_labels.h"

#include <stdlib.h>
#include <string.h>

struct label {
    uint64_t value; /* address of a str or a key; of a static text for fields */
    uint8_t kind;   /* reference_label */
    bool is_weak;
};

struct label_table {
    struct python_process *process;
    ARRAY(struct label) labels; /* code - 1 */
    uint32_t *slots;            /* open addressing: code, 0 empty */
    size_t slot_mask;
};

/* Keys longer than this are cut in a label; the object itself has the whole. */
static const struct repr_limits label_limits = {
    .depth = 2, .items = 4, .string_size = 60, .total_size = 120};

struct label_table *label_table_create(struct python_process *process)
{
    struct label_table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->process = process;
    table->slot_mask = 4095;
    table->slots = calloc(table->slot_mask + 1, sizeof *table->slots);
    if (!table->slots) {
        free(table);
        return NULL;
    }
    return table;
}

void label_table_destroy(struct label_table *table)
{
    if (!table)
        return;
    array_deinit(&table->labels);
    free(table->slots);
    free(table);
}

static size_t find_slot(const struct label_table *table, const struct label *wanted)
{
    uint64_t hash =
        (wanted->value ^ ((uint64_t)wanted->kind << 60 | (uint64_t)wanted->is_weak << 59)) *
        UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (size_t)(hash >> 24) & table->slot_mask;
    for (; table->slots[slot]; slot = (slot + 1) & table->slot_mask) {
        const struct label *label = &table->labels.items[table->slots[slot] - 1];
        if (label->value == wanted->value && label->kind == wanted->kind &&
            label->is_weak == wanted->is_weak)
            break;
    }
    return slot;
}

static bool grow(struct label_table *table)
{
    size_t mask = table->slot_mask * 2 + 1;
    uint32_t *slots = calloc(mask + 1, sizeof *slots);
    if (!slots)
        return false;
    free(table->slots);
    table->slots = slots;
    table->slot_mask = mask;
    for (size_t i = 0; i < table->labels.count; i++)
        table->slots[find_slot(table, &table->labels.items[i])] = (uint32_t)(i + 1);
    return true;
}

uint32_t label_code(struct label_table *table, const struct reference *reference)
{
    struct label label = {.kind = reference->label, .is_weak = reference->kind == REFERENCE_WEAK};
    switch ((enum reference_label)reference->label) {
    case LABEL_NONE:
        if (!label.is_weak)
            return 0;
        break;
    case LABEL_INDEX:
        if (!label.is_weak)
            return reference->index < HEAP_LABEL_INDEX
                       ? HEAP_LABEL_INDEX | (uint32_t)reference->index
                       : 0;
        break;
    case LABEL_KEY_ITSELF: break;
    case LABEL_FIELD:
        if (!reference->name && !label.is_weak)
            return 0;
        label.value = (uintptr_t)reference->name;
        break;
    case LABEL_ATTRIBUTE:
    case LABEL_KEY:
    case LABEL_VARIABLE: label.value = reference->name_addr; break;
    }
    if ((table->labels.count + 1) * 2 > table->slot_mask && !grow(table))
        return 0;
    size_t slot = find_slot(table, &label);
    if (!table->slots[slot]) {
        if (table->labels.count >= HEAP_LABEL_INDEX - 2 || !array_push(&table->labels, label))
            return 0;
        table->slots[slot] = (uint32_t)table->labels.count;
    }
    return table->slots[slot];
}

static void append_name(struct label_table *table, const char *before, uint64_t name_addr,
                        struct text *text)
{
    text_append(text, before);
    if (str_read(table->process, name_addr, 200, text) != STATUS_OK)
        text_append(text, "?");
}

static void append_key(struct label_table *table, uint64_t key_addr, struct text *text)
{
    text_append(text, "[");
    object_repr(table->process, key_addr, &label_limits, text);
    text_append(text, "]");
}

void label_text(struct label_table *table, uint32_t code, struct text *text)
{
    if (!code)
        return;
    if (code & HEAP_LABEL_INDEX) {
        text_printf(text, "[%u]", code & ~HEAP_LABEL_INDEX);
        return;
    }
    if (code > table->labels.count)
        return;
    const struct label *label = &table->labels.items[code - 1];
    if (label->is_weak)
        text_append(text, "weak");
    switch ((enum reference_label)label->kind) {
    case LABEL_NONE:
    case LABEL_INDEX: break;
    case LABEL_FIELD: {
        const char *name = label->value ? (const char *)(uintptr_t)label->value : "";
        if (label->is_weak && strncmp(name, "weak", 4) == 0)
            name += 4; /* said already */
        else if (label->is_weak)
            text_append(text, " ");
        text_append(text, name);
        break;
    }
    case LABEL_ATTRIBUTE:
        append_name(table, label->is_weak ? " ." : ".", label->value, text);
        break;
    case LABEL_VARIABLE: append_name(table, "", label->value, text); break;
    case LABEL_KEY: append_key(table, label->value, text); break;
    case LABEL_KEY_ITSELF: text_append(text, label->is_weak ? " key" : "key"); break;
    }
}

uint8_t label_kind(const struct label_table *table, uint32_t code)
{
    if (code & HEAP_LABEL_INDEX)
        return LABEL_INDEX;
    if (!code || code > table->labels.count || table->labels.items[code - 1].is_weak)
        return LABEL_NONE;
    return table->labels.items[code - 1].kind;
}

uint32_t label_code_end(const struct label_table *table)
{
    return (uint32_t)table->labels.count + 1;
}

void label_attribute_text(struct label_table *table, uint32_t code, struct text *text)
{
    size_t before = text->size;
    if (label_kind(table, code) == LABEL_KEY) {
        text_append(text, ".");
        if (str_read(table->process, table->labels.items[code - 1].value, 200, text) == STATUS_OK)
            return;
        text->size = before;
    }
    label_text(table, code, text);
}

enum status label_texts(struct label_table *table, struct text *text, uint64_t **ret_offsets,
                        struct heap_labels *ret_labels)
{
    uint64_t *offsets = calloc(table->labels.count + 1, sizeof *offsets);
    if (!offsets)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < table->labels.count; i++) {
        label_text(table, (uint32_t)(i + 1), text);
        offsets[i + 1] = text->size;
    }
    if (!text_ok(text)) {
        free(offsets);
        return STATUS_NO_MEMORY;
    }
    *ret_offsets = offsets;
    *ret_labels = (struct heap_labels){
        .count = (uint32_t)table->labels.count, .offset = offsets, .text = text_string(text)};
    return STATUS_OK;
}
