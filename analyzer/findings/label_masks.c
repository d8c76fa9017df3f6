/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/label_masks.h"

#include <stdlib.h>
#include <string.h>

#include "inquest/base/fnv.h"

#define FIRST_SLOTS 1024

static const char *const fixed_texts[MASK_FIRST] = {
    [MASK_NONE] = "", [MASK_ITEM] = "[…]", [MASK_KEY] = "{…}", [MASK_DICT] = ".__dict__"};

uint64_t name_hash(const char *name)
{
    uint64_t hash = fnv64(FNV64_START, name, strlen(name));
    return hash ^ hash >> 29;
}

enum status label_masks_init(struct label_masks *masks, struct label_table *labels)
{
    *masks = (struct label_masks){.labels = labels, .slot_mask = FIRST_SLOTS - 1};
    arena_init(&masks->arena);
    size_t codes = label_code_end(labels);
    masks->of_code[0] = calloc(codes, sizeof *masks->of_code[0]);
    masks->of_code[1] = calloc(codes, sizeof *masks->of_code[1]);
    masks->slots = calloc(FIRST_SLOTS, sizeof *masks->slots);
    if (masks->of_code[0] && masks->of_code[1] && masks->slots)
        return STATUS_OK;
    label_masks_deinit(masks);
    return STATUS_NO_MEMORY;
}

void label_masks_deinit(struct label_masks *masks)
{
    free(masks->of_code[0]);
    free(masks->of_code[1]);
    free(masks->slots);
    array_deinit(&masks->texts);
    array_deinit(&masks->hashes);
    arena_deinit(&masks->arena);
    *masks = (struct label_masks){0};
}

static uint32_t *find_slot(struct label_masks *masks, const char *text, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & masks->slot_mask;
    for (; masks->slots[slot]; slot = (slot + 1) & masks->slot_mask) {
        uint32_t known = masks->slots[slot] - MASK_FIRST;
        if (masks->hashes.items[known] == hash && !strcmp(masks->texts.items[known], text))
            break;
    }
    return &masks->slots[slot];
}

static bool grow(struct label_masks *masks)
{
    uint32_t mask = masks->slot_mask * 2 + 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    free(masks->slots);
    masks->slots = slots;
    masks->slot_mask = mask;
    for (size_t i = 0; i < masks->texts.count; i++)
        *find_slot(masks, masks->texts.items[i], masks->hashes.items[i]) = (uint32_t)i + MASK_FIRST;
    return true;
}

static uint32_t mask_of_text(struct label_masks *masks, const char *text)
{
    uint64_t hash = name_hash(text);
    if (masks->texts.count * 2 > masks->slot_mask && !grow(masks)) {
        masks->failed = true;
        return MASK_NONE;
    }
    uint32_t *slot = find_slot(masks, text, hash);
    if (*slot)
        return *slot;
    const char *copy = arena_strdup(&masks->arena, text);
    if (!copy || !array_reserve(&masks->hashes, 1) || !array_push(&masks->texts, copy)) {
        masks->failed = true;
        return MASK_NONE;
    }
    masks->hashes.items[masks->hashes.count++] = hash;
    *slot = (uint32_t)masks->texts.count - 1 + MASK_FIRST;
    return *slot;
}

static uint32_t classify(struct label_masks *masks, uint32_t code, uint8_t kind)
{
    struct text text;
    uint32_t mask;
    text_init(&text);
    if (kind == LABEL_KEY)
        label_attribute_text(masks->labels, code, &text);
    else
        label_text(masks->labels, code, &text);
    const char *words = text_string(&text);
    if (!text_ok(&text)) {
        masks->failed = true;
        mask = MASK_NONE;
    } else if (!*words) {
        mask = MASK_NONE;
    } else if (*words == '[') {
        mask = MASK_ITEM; /* a key that is no attribute's name */
    } else {
        mask = strcmp(words, fixed_texts[MASK_DICT]) ? mask_of_text(masks, words) : MASK_DICT;
    }
    text_deinit(&text);
    return mask;
}

uint32_t label_mask(struct label_masks *masks, uint32_t code, bool in_namespace)
{
    if (code & HEAP_LABEL_INDEX)
        return MASK_ITEM;
    uint8_t kind = label_kind(masks->labels, code);
    if (kind == LABEL_NONE)
        return MASK_NONE;
    if (kind == LABEL_KEY_ITSELF)
        return MASK_KEY;
    if (kind == LABEL_KEY && !in_namespace)
        return MASK_ITEM;
    uint32_t *known = &masks->of_code[in_namespace][code];
    if (!*known)
        *known = classify(masks, code, kind) + 1;
    return *known - 1;
}

const char *label_mask_text(const struct label_masks *masks, uint32_t mask)
{
    return mask < MASK_FIRST ? fixed_texts[mask] : masks->texts.items[mask - MASK_FIRST];
}

uint64_t label_mask_hash(const struct label_masks *masks, uint32_t mask)
{
    return mask < MASK_FIRST ? mask : masks->hashes.items[mask - MASK_FIRST];
}

bool label_mask_is_globals(const struct label_masks *masks, uint32_t mask)
{
    static const char *const names[] = {"__globals__", "__builtins__", "f_globals", "f_builtins"};
    const char *text = label_mask_text(masks, mask);
    text += *text == '.';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(text, names[i]))
            return true;
    return false;
}
