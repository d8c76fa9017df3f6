/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/heap_labels.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/fnv.h"

struct label {
    uint64_t value; /* address of a str or a key; of a static text for fields */
    uint8_t kind;   /* reference_label */
    bool is_weak;
};

/* A label's code where it is looked up, with what tells it from others. A static text is
 * looked up by its address first, which is quick, then by a hash of its content: equal
 * texts are one label, wherever the compiler put them. */
struct label_slot {
    uint64_t value;
    uint32_t form, code; /* code 0: empty */
};
#define FORM_OF_CONTENT (UINT32_C(1) << 31)

struct label_table {
    struct python_process *process;
    ARRAY(struct label) labels; /* code - 1 */
    struct label_slot *slots;   /* open addressing */
    size_t slot_mask, slots_used;
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

static uint32_t form_of(uint8_t kind, bool is_weak)
{
    return (uint32_t)kind << 1 | is_weak;
}

static inline struct label_slot *find_slot(const struct label_table *table, uint64_t value,
                                           uint32_t form)
{
    uint64_t hash = (value ^ (uint64_t)form << 59) * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = (size_t)(hash >> 24);; i++) {
        struct label_slot *slot = &table->slots[i & table->slot_mask];
        if (!slot->code || (slot->value == value && slot->form == form))
            return slot;
    }
}

static void fill_slot(struct label_table *table, uint64_t value, uint32_t form, uint32_t code)
{
    struct label_slot *slot = find_slot(table, value, form);
    table->slots_used += !slot->code;
    *slot = (struct label_slot){value, form, code};
}

static uint64_t hash_text(const char *text)
{
    return fnv64(FNV64_START, text, strlen(text));
}

static const char *field_text(uint64_t value, uint32_t form)
{
    return form >> 1 == LABEL_FIELD && value ? (const char *)(uintptr_t)value : NULL;
}

static void fill_slots(struct label_table *table, uint32_t code)
{
    const struct label *label = &table->labels.items[code - 1];
    uint32_t form = form_of(label->kind, label->is_weak);
    const char *text = field_text(label->value, form);
    fill_slot(table, label->value, form, code);
    if (text)
        fill_slot(table, hash_text(text), form | FORM_OF_CONTENT, code);
}

static bool grow(struct label_table *table)
{
    size_t mask = table->slot_mask * 2 + 1;
    struct label_slot *slots = calloc(mask + 1, sizeof *slots);
    if (!slots)
        return false;
    free(table->slots);
    table->slots = slots;
    table->slot_mask = mask;
    table->slots_used = 0;
    for (size_t i = 0; i < table->labels.count; i++)
        fill_slots(table, (uint32_t)(i + 1));
    return true;
}

/* The code of an equal text that is elsewhere, 0 for none. */
static uint32_t find_equal(const struct label_table *table, uint64_t value, uint32_t form)
{
    const char *text = field_text(value, form);
    uint32_t code = text ? find_slot(table, hash_text(text), form | FORM_OF_CONTENT)->code : 0;
    return code && strcmp(text, field_text(table->labels.items[code - 1].value, form)) == 0 ? code
                                                                                            : 0;
}

/* 0 where there is no room for it. */
__attribute__((noinline)) static uint32_t add_label(struct label_table *table, uint64_t value,
                                                    uint32_t form)
{
    const struct label label = {value, (uint8_t)(form >> 1), form & 1};
    if ((table->slots_used + 2) * 2 > table->slot_mask && !grow(table))
        return 0;
    uint32_t code = find_equal(table, value, form);
    if (code) {
        fill_slot(table, value, form, code);
        return code;
    }
    if (table->labels.count >= HEAP_LABEL_INDEX - 2 || !array_push(&table->labels, label))
        return 0;
    fill_slots(table, (uint32_t)table->labels.count);
    return (uint32_t)table->labels.count;
}

static inline uint32_t code_of(struct label_table *table, uint64_t value, uint32_t form)
{
    uint32_t code = find_slot(table, value, form)->code;
    return code ? code : add_label(table, value, form);
}

uint32_t label_code(struct label_table *table, const struct reference *reference)
{
    bool is_weak = reference->kind == REFERENCE_WEAK;
    uint64_t value = 0;
    switch ((enum reference_label)reference->label) {
    case LABEL_NONE:
        if (!is_weak)
            return 0;
        break;
    case LABEL_INDEX:
        if (!is_weak)
            return reference->index < HEAP_LABEL_INDEX
                       ? HEAP_LABEL_INDEX | (uint32_t)reference->index
                       : 0;
        break;
    case LABEL_KEY_ITSELF: break;
    case LABEL_FIELD:
        if (!reference->name && !is_weak)
            return 0;
        value = (uintptr_t)reference->name;
        break;
    case LABEL_ATTRIBUTE:
    case LABEL_KEY:
    case LABEL_VARIABLE: value = reference->name_addr; break;
    }
    return code_of(table, value, form_of(reference->label, is_weak));
}

enum status label_table_join(struct label_table *table, const struct label_table *other,
                             uint32_t **ret_codes)
{
    uint32_t *codes = malloc((other->labels.count + 1) * sizeof *codes);
    if (!codes)
        return STATUS_NO_MEMORY;
    codes[0] = 0;
    for (size_t i = 0; i < other->labels.count; i++)
        codes[i + 1] =
            code_of(table, other->labels.items[i].value,
                    form_of(other->labels.items[i].kind, other->labels.items[i].is_weak));
    *ret_codes = codes;
    return STATUS_OK;
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
