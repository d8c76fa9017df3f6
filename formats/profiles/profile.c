/* SPDX-License-Identifier: Apache-2.0 */
/* Building a struct profile: equal strings, functions, frames, stacks, and the rows
 * of one stack are made one by hash tables with open addressing. A slot holds
 * the hash in its upper half and the id + 1 in its lower one; 0 is an empty slot.
 * Hashes are keyed with a random number, for names in a file can be chosen so
 * that they collide; ids come in the order of adding and do not depend on it. */
#include "inquest/formats/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "inquest/base/checked_math.h"
#include "inquest/base/huge_pages.h"

#define TABLE_FIRST_SLOTS 64
#define ID_LIMIT          (UINT32_MAX - 1) /* the largest id is PROFILE_NO_ID - 2 */

struct id_table {
    uint64_t *slots;
    size_t capacity, count; /* capacity is a power of two, or 0 */
};

struct first_rows {
    ARRAY(uint32_t) ids; /* by stack: the id + 1, or 0 */
};

struct profile_index {
    uint64_t key;
    struct id_table strings, functions, frames, stacks;
    /* Most stacks have one domain or one track: the first row of each stack is found by it, */
    struct first_rows first_traces, first_samples;
    struct id_table traces, samples; /* and here are the others */
};

/* ---- hashing */

__extension__ typedef unsigned __int128 wide;

/* Both halves of the 128-bit product: each bit of the arguments reaches each of the result. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define MIX_A UINT64_C(0xa0761d6478bd642f)
#define MIX_B UINT64_C(0xe7037ed1a0b428db)

static inline uint32_t hash_two(const struct profile_index *index, uint64_t a, uint64_t b)
{
    uint64_t hash = mix(a ^ MIX_A ^ index->key, b ^ MIX_B);
    return (uint32_t)(mix(hash, MIX_A ^ index->key) >> 16);
}

static uint32_t hash_bytes(const struct profile_index *index, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t hash = index->key ^ mix(size ^ MIX_A, MIX_B);
    for (; size >= 16; bytes += 16, size -= 16) {
        uint64_t words[2];
        memcpy(words, bytes, 16);
        hash = mix(words[0] ^ MIX_A ^ index->key, words[1] ^ hash);
    }
    uint64_t tail[2] = {0, 0};
    if (size)
        memcpy(tail, bytes, size);
    hash = mix(tail[0] ^ MIX_A ^ index->key, tail[1] ^ hash);
    return (uint32_t)(mix(hash, MIX_B ^ index->key) >> 16);
}

/* ---- tables */

static bool table_grow(struct id_table *table)
{
    size_t capacity = table->capacity ? table->capacity * 2 : TABLE_FIRST_SLOTS;
    uint64_t *slots = huge_pages_alloc(capacity * sizeof *slots);
    if (!slots)
        return false;
    memset(slots, 0, capacity * sizeof *slots);
    for (size_t i = 0; i < table->capacity; i++) {
        if (!table->slots[i])
            continue;
        size_t position = (table->slots[i] >> 32) & (capacity - 1);
        while (slots[position])
            position = (position + 1) & (capacity - 1);
        slots[position] = table->slots[i];
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return true;
}

/* Room for one more, at a load of at most two thirds. */
static inline bool table_reserve(struct id_table *table)
{
    return table->count + 1 <= table->capacity / 3 * 2 || table_grow(table);
}

/* The next id of that hash from *position on, or PROFILE_NO_ID, with *position at
 * the free slot. Begin with *position = hash. */
static inline uint32_t table_candidate(const struct id_table *table, uint32_t hash,
                                       size_t *position)
{
    size_t i = *position & (table->capacity - 1);
    for (; table->slots[i]; i = (i + 1) & (table->capacity - 1)) {
        if (table->slots[i] >> 32 == hash) {
            *position = i + 1;
            return (uint32_t)table->slots[i] - 1;
        }
    }
    *position = i;
    return PROFILE_NO_ID;
}

static inline void table_put(struct id_table *table, size_t position, uint32_t hash, uint32_t id)
{
    table->slots[position] = (uint64_t)hash << 32 | (id + 1);
    table->count++;
}

/* ---- the profile */

void profile_init(struct profile *profile)
{
    *profile = (struct profile){0};
    arena_init(&profile->arena);
    profile->index = calloc(1, sizeof *profile->index);
    if (!profile->index)
        return;
    if (getrandom(&profile->index->key, sizeof profile->index->key, GRND_NONBLOCK) < 0)
        profile->index->key = (uintptr_t)profile->index * MIX_B;
    /* what fails here fails again, and is told, when something is added */
    uint32_t empty;
    (void)!profile_add_string(profile, "", 0, &empty);
}

void profile_seal(struct profile *profile)
{
    if (!profile || !profile->index)
        return;
    free(profile->index->strings.slots);
    free(profile->index->functions.slots);
    free(profile->index->frames.slots);
    free(profile->index->stacks.slots);
    free(profile->index->traces.slots);
    free(profile->index->samples.slots);
    array_deinit(&profile->index->first_traces.ids);
    array_deinit(&profile->index->first_samples.ids);
    free(profile->index);
    profile->index = NULL;
}

void profile_deinit(struct profile *profile)
{
    if (!profile)
        return;
    profile_seal(profile);
    free(profile->bytes);
    array_deinit(&profile->strings);
    array_deinit(&profile->functions);
    array_deinit(&profile->frames);
    array_deinit(&profile->stack_frames);
    array_deinit(&profile->stacks);
    array_deinit(&profile->traces);
    array_deinit(&profile->samples);
    array_deinit(&profile->tracks);
    array_deinit(&profile->stats);
    array_deinit(&profile->calls);
    array_deinit(&profile->locals);
    array_deinit(&profile->facts);
    array_deinit(&profile->warnings);
    arena_deinit(&profile->arena);
    *profile = (struct profile){0};
}

/* Appends the bytes and a NUL; `text` may lie in profile->bytes itself. */
static bool append_bytes(struct profile *profile, const char *text, size_t size)
{
    uint64_t needed = profile->bytes_size + size + 1;
    bool is_own =
        profile->bytes && text >= profile->bytes && text < profile->bytes + profile->bytes_size;
    size_t own_offset = is_own ? (size_t)(text - profile->bytes) : 0;
    if (needed > profile->bytes_capacity) {
        uint64_t grown = max_u64(needed, profile->bytes_capacity + profile->bytes_capacity / 2);
        char *moved = realloc(profile->bytes, grown);
        if (!moved)
            return false;
        profile->bytes = moved;
        profile->bytes_capacity = grown;
    }
    if (size)
        memcpy(profile->bytes + profile->bytes_size, is_own ? profile->bytes + own_offset : text,
               size);
    profile->bytes[profile->bytes_size + size] = '\0';
    profile->bytes_size = needed;
    return true;
}

/* What every addition to a table needs first. */
static enum status prepare(const struct profile *profile, struct id_table *table, size_t count)
{
    if (!profile->index)
        return STATUS_NO_MEMORY;
    if (count >= ID_LIMIT)
        return STATUS_OVER_LIMIT;
    return table_reserve(table) ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status profile_add_string(struct profile *profile, const char *bytes, size_t size,
                               uint32_t *ret_string)
{
    struct id_table *table = profile->index ? &profile->index->strings : NULL;
    enum status status = prepare(profile, table, profile->strings.count);
    if (status != STATUS_OK)
        return status;
    if (size >= UINT32_MAX)
        return STATUS_OVER_LIMIT;
    uint32_t hash = hash_bytes(profile->index, bytes, size), id;
    size_t position = hash;
    while ((id = table_candidate(table, hash, &position)) != PROFILE_NO_ID) {
        const struct profile_string *string = &profile->strings.items[id];
        if (string->size == size &&
            (!size || !memcmp(profile->bytes + string->offset, bytes, size))) {
            *ret_string = id;
            return STATUS_OK;
        }
    }
    struct profile_string string = {profile->bytes_size, (uint32_t)size, hash};
    if (!array_reserve(&profile->strings, 1) || !append_bytes(profile, bytes, size))
        return STATUS_NO_MEMORY;
    id = (uint32_t)profile->strings.count;
    profile->strings.items[profile->strings.count++] = string;
    table_put(table, position, hash, id);
    *ret_string = id;
    return STATUS_OK;
}

enum status profile_add_function(struct profile *profile, uint32_t name, uint32_t file,
                                 int32_t line, uint32_t *ret_function)
{
    struct id_table *table = profile->index ? &profile->index->functions : NULL;
    enum status status = prepare(profile, table, profile->functions.count);
    if (status != STATUS_OK)
        return status;
    uint32_t hash = hash_two(profile->index, (uint64_t)name << 32 | file, (uint32_t)line), id;
    size_t position = hash;
    while ((id = table_candidate(table, hash, &position)) != PROFILE_NO_ID) {
        const struct profile_function *function = &profile->functions.items[id];
        if (function->name == name && function->file == file && function->line == line) {
            *ret_function = id;
            return STATUS_OK;
        }
    }
    struct profile_function function = {name, file, line};
    id = (uint32_t)profile->functions.count;
    if (!array_push(&profile->functions, function))
        return STATUS_NO_MEMORY;
    table_put(table, position, hash, id);
    *ret_function = id;
    return STATUS_OK;
}

enum status profile_add_frame(struct profile *profile, uint32_t function, int32_t line,
                              uint32_t *ret_frame)
{
    struct id_table *table = profile->index ? &profile->index->frames : NULL;
    enum status status = prepare(profile, table, profile->frames.count);
    if (status != STATUS_OK)
        return status;
    uint32_t hash = hash_two(profile->index, function, (uint32_t)line), id;
    size_t position = hash;
    while ((id = table_candidate(table, hash, &position)) != PROFILE_NO_ID) {
        const struct profile_frame *frame = &profile->frames.items[id];
        if (frame->function == function && frame->line == line) {
            *ret_frame = id;
            return STATUS_OK;
        }
    }
    struct profile_frame frame = {function, line};
    id = (uint32_t)profile->frames.count;
    if (!array_push(&profile->frames, frame))
        return STATUS_NO_MEMORY;
    table_put(table, position, hash, id);
    *ret_frame = id;
    return STATUS_OK;
}

uint32_t profile_hash_stack(const struct profile *profile, const uint32_t *frames, uint32_t depth)
{
    if (!profile->index)
        return 0;
    const struct id_table *table = &profile->index->stacks;
    uint32_t hash = depth ? hash_bytes(profile->index, frames, depth * sizeof *frames) : 0;
    if (table->capacity)
        __builtin_prefetch(&table->slots[hash & (table->capacity - 1)], 1);
    return hash;
}

enum status profile_add_hashed_stack(struct profile *profile, const uint32_t *frames,
                                     uint32_t depth, uint32_t hash, uint32_t *ret_stack)
{
    struct id_table *table = profile->index ? &profile->index->stacks : NULL;
    enum status status = prepare(profile, table, profile->stacks.count);
    if (status != STATUS_OK)
        return status;
    size_t bytes = depth * sizeof *frames, position = hash;
    uint32_t id;
    while ((id = table_candidate(table, hash, &position)) != PROFILE_NO_ID) {
        const struct profile_stack *stack = &profile->stacks.items[id];
        if (stack->depth == depth &&
            (!depth || !memcmp(profile->stack_frames.items + stack->first, frames, bytes))) {
            *ret_stack = id;
            return STATUS_OK;
        }
    }
    struct profile_stack stack = {profile->stack_frames.count, depth, hash};
    if (!array_reserve(&profile->stacks, 1) || !array_reserve(&profile->stack_frames, depth))
        return STATUS_NO_MEMORY;
    if (depth)
        memcpy(profile->stack_frames.items + profile->stack_frames.count, frames, bytes);
    profile->stack_frames.count += depth;
    id = (uint32_t)profile->stacks.count;
    profile->stacks.items[profile->stacks.count++] = stack;
    table_put(table, position, hash, id);
    *ret_stack = id;
    return STATUS_OK;
}

enum status profile_add_stack(struct profile *profile, const uint32_t *frames, uint32_t depth,
                              uint32_t *ret_stack)
{
    uint32_t hash = profile_hash_stack(profile, frames, depth);
    return profile_add_hashed_stack(profile, frames, depth, hash, ret_stack);
}

static enum status add_to_trace(struct profile_trace *trace, uint64_t size, uint64_t count)
{
    uint64_t size_sum, count_sum;
    if (!checked_add_u64(trace->size, size, &size_sum) ||
        !checked_add_u64(trace->count, count, &count_sum))
        return STATUS_OVER_LIMIT;
    trace->size = size_sum;
    trace->count = count_sum;
    return STATUS_OK;
}

/* Room for all stacks there are. */
static inline bool first_rows_reserve(struct first_rows *first, const struct profile *profile,
                                      uint32_t stack)
{
    if (stack < first->ids.count)
        return true;
    size_t wanted = max_u64(profile->stacks.count, (uint64_t)stack + 1);
    size_t added = wanted - first->ids.count;
    if (!array_reserve(&first->ids, added))
        return false;
    memset(first->ids.items + first->ids.count, 0, added * sizeof(uint32_t));
    first->ids.count = wanted;
    return true;
}

enum status profile_add_trace(struct profile *profile, uint32_t stack, uint32_t domain,
                              uint64_t size, uint64_t count)
{
    struct profile_trace trace = {stack, domain, size, count};
    if (!profile->index || !first_rows_reserve(&profile->index->first_traces, profile, stack))
        return STATUS_NO_MEMORY;
    uint32_t *first = &profile->index->first_traces.ids.items[stack], id;
    if (!*first) {
        if (profile->traces.count >= ID_LIMIT)
            return STATUS_OVER_LIMIT;
        if (!array_push(&profile->traces, trace))
            return STATUS_NO_MEMORY;
        *first = (uint32_t)profile->traces.count;
        return STATUS_OK;
    }
    if (profile->traces.items[*first - 1].domain == domain)
        return add_to_trace(&profile->traces.items[*first - 1], size, count);
    struct id_table *table = &profile->index->traces;
    enum status status = prepare(profile, table, profile->traces.count);
    if (status != STATUS_OK)
        return status;
    uint32_t hash = hash_two(profile->index, stack, domain);
    size_t position = hash;
    while ((id = table_candidate(table, hash, &position)) != PROFILE_NO_ID) {
        struct profile_trace *other = &profile->traces.items[id];
        if (other->stack == stack && other->domain == domain)
            return add_to_trace(other, size, count);
    }
    id = (uint32_t)profile->traces.count;
    if (!array_push(&profile->traces, trace))
        return STATUS_NO_MEMORY;
    table_put(table, position, hash, id);
    return STATUS_OK;
}

/* The stacks come in no order, so what each needs is fetched before any is added. */
enum status profile_add_traces(struct profile *profile, const struct profile_trace *traces,
                               size_t count)
{
    if (!profile->index)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (!first_rows_reserve(&profile->index->first_traces, profile, traces[i].stack))
            return STATUS_NO_MEMORY;
    const uint32_t *first = profile->index->first_traces.ids.items;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&first[traces[i].stack], 1);
    for (size_t i = 0; i < count; i++)
        if (first[traces[i].stack])
            __builtin_prefetch(&profile->traces.items[first[traces[i].stack] - 1], 1);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = profile_add_trace(profile, traces[i].stack, traces[i].domain, traces[i].size,
                                   traces[i].count);
    return status;
}

static enum status add_to_sample(struct profile_sample *sample, double weight, uint64_t count)
{
    if (!checked_add_u64(sample->count, count, &sample->count))
        return STATUS_OVER_LIMIT;
    sample->weight += weight;
    return STATUS_OK;
}

enum status profile_add_sample(struct profile *profile, uint32_t stack, uint32_t track,
                               double weight, uint64_t count)
{
    struct profile_sample sample = {stack, track, weight, count};
    if (!profile->index || !first_rows_reserve(&profile->index->first_samples, profile, stack))
        return STATUS_NO_MEMORY;
    uint32_t *first = &profile->index->first_samples.ids.items[stack], id;
    if (!*first) {
        if (profile->samples.count >= ID_LIMIT)
            return STATUS_OVER_LIMIT;
        if (!array_push(&profile->samples, sample))
            return STATUS_NO_MEMORY;
        *first = (uint32_t)profile->samples.count;
        return STATUS_OK;
    }
    if (profile->samples.items[*first - 1].track == track)
        return add_to_sample(&profile->samples.items[*first - 1], weight, count);
    struct id_table *table = &profile->index->samples;
    enum status status = prepare(profile, table, profile->samples.count);
    if (status != STATUS_OK)
        return status;
    uint32_t hash = hash_two(profile->index, stack, track);
    size_t position = hash;
    while ((id = table_candidate(table, hash, &position)) != PROFILE_NO_ID) {
        struct profile_sample *other = &profile->samples.items[id];
        if (other->stack == stack && other->track == track)
            return add_to_sample(other, weight, count);
    }
    id = (uint32_t)profile->samples.count;
    if (!array_push(&profile->samples, sample))
        return STATUS_NO_MEMORY;
    table_put(table, position, hash, id);
    return STATUS_OK;
}

enum status profile_add_fact(struct profile *profile, const char *key, const char *value)
{
    struct profile_fact fact = {arena_strdup(&profile->arena, key),
                                arena_strdup(&profile->arena, value)};
    return fact.key && fact.value && array_push(&profile->facts, fact) ? STATUS_OK
                                                                       : STATUS_NO_MEMORY;
}

enum status profile_add_warning(struct profile *profile, const char *area, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct profile_warning warning = {arena_strdup(&profile->arena, area),
                                      arena_strdup(&profile->arena, size < 0 ? format : message)};
    return warning.area && warning.message && array_push(&profile->warnings, warning)
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}
