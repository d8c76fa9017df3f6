/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens for values that must not be shown. A value is known by a hash of all of
 * it, so that a table of a few bytes a value tells equal ones. */
#include "analyzer/objects/redaction.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/objects/object.h"

/* Of a larger value its two ends and samples in between are hashed: equal values
 * still get equal tokens, and no dump can make us hash it for hours. */
#define WHOLE_MAX   ((size_t)1 << 20)
#define END_SIZE    ((size_t)1 << 18)
#define SAMPLES     128
#define SAMPLE_SIZE ((size_t)1 << 12)
/* Values past these get tokens without a number. */
#define VALUES_MAX (UINT64_C(1) << 22)

struct redaction {
    struct redaction_slot {
        uint64_t hash[2];
        uint64_t number; /* 0: free */
    } * slots;
    size_t capacity; /* 0 or a power of two */
    uint64_t count;
};

struct redaction *redaction_create(void)
{
    return calloc(1, sizeof(struct redaction));
}

void redaction_destroy(struct redaction *redaction)
{
    if (!redaction)
        return;
    free(redaction->slots);
    free(redaction);
}

static void hash_piece(struct siphash *hash, const struct redaction_piece *piece)
{
    const uint8_t *data = piece->bytes;
    siphash_add(hash, &piece->size, sizeof piece->size);
    if (piece->size <= WHOLE_MAX) {
        siphash_add(hash, data, piece->size);
        return;
    }
    siphash_add(hash, data, END_SIZE);
    for (size_t i = 1; i < SAMPLES; i++)
        siphash_add(hash, data + piece->size / SAMPLES * i, SAMPLE_SIZE);
    siphash_add(hash, data + piece->size - END_SIZE, END_SIZE);
}

static void hash_value(const char *kind, uint64_t length, const struct redaction_piece *pieces,
                       size_t count, uint64_t ret_hash[2])
{
    struct siphash hash;
    siphash_init(&hash);
    siphash_add(&hash, kind, strlen(kind) + 1);
    siphash_add(&hash, &length, sizeof length);
    for (size_t i = 0; i < count; i++)
        hash_piece(&hash, &pieces[i]);
    siphash_finish(&hash, ret_hash);
}

static struct redaction_slot *find_slot(struct redaction_slot *slots, size_t capacity,
                                        const uint64_t hash[2])
{
    size_t slot = (size_t)hash[0] & (capacity - 1);
    while (slots[slot].number && (slots[slot].hash[0] != hash[0] || slots[slot].hash[1] != hash[1]))
        slot = (slot + 1) & (capacity - 1);
    return &slots[slot];
}

static bool redaction_grow(struct redaction *redaction)
{
    size_t capacity = redaction->capacity ? redaction->capacity * 2 : 1024;
    struct redaction_slot *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < redaction->capacity; i++)
        if (redaction->slots[i].number)
            *find_slot(slots, capacity, redaction->slots[i].hash) = redaction->slots[i];
    free(redaction->slots);
    redaction->slots = slots;
    redaction->capacity = capacity;
    return true;
}

/* 0: there are too many values, or memory is out. */
static uint64_t number_of(struct redaction *redaction, const uint64_t hash[2])
{
    struct redaction_slot *slot = NULL;
    if (redaction->capacity) {
        slot = find_slot(redaction->slots, redaction->capacity, hash);
        if (slot->number || redaction->count >= VALUES_MAX)
            return slot->number;
    }
    if (redaction->count >= redaction->capacity / 2) {
        if (!redaction_grow(redaction))
            return 0;
        slot = find_slot(redaction->slots, redaction->capacity, hash);
    }
    *slot = (struct redaction_slot){{hash[0], hash[1]}, ++redaction->count};
    return slot->number;
}

void redaction_token_of(struct redaction *redaction, const char *kind, uint64_t length,
                        const struct redaction_piece *pieces, size_t count, struct text *text)
{
    uint64_t hash[2];
    hash_value(kind, length, pieces, count, hash);
    uint64_t number = number_of(redaction, hash);
    text_printf(text, "<%s", kind);
    if (length != REDACTION_NO_LENGTH)
        text_printf(text, " %" PRIu64, length);
    if (number)
        text_printf(text, " #%" PRIu64, number);
    text_append_char(text, '>');
}

void redaction_token(struct redaction *redaction, const char *kind, uint64_t length,
                     const void *bytes, size_t size, struct text *text)
{
    struct redaction_piece piece = {bytes, size};
    redaction_token_of(redaction, kind, length, &piece, 1, text);
}
