/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inquest_config.h"

#define ARENA_BLOCK_BYTES ((size_t)1 << 16)
#define ARENA_ALIGNMENT   16

struct arena_block {
    struct arena_block *next;
    _Alignas(ARENA_ALIGNMENT) unsigned char bytes[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_deinit(struct arena *arena)
{
    if (!arena)
        return;
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena_init(arena);
}

static bool arena_grow(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return false;
    size_t capacity = size > ARENA_BLOCK_BYTES || INQUEST_ARENA_MALLOC ? size : ARENA_BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof *block + capacity);
    if (!block)
        return false;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
    arena->capacity = capacity;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = size;
    if (!INQUEST_ARENA_MALLOC) {
        if (size > SIZE_MAX / 2)
            return NULL;
        rounded = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    }
    bool fits = arena->blocks && rounded <= arena->capacity - arena->used;
    if ((INQUEST_ARENA_MALLOC || !fits) && !arena_grow(arena, rounded))
        return NULL;
    void *result = arena->blocks->bytes + arena->used;
    arena->used += rounded;
    arena->total += size;
    return result;
}

char *arena_strndup(struct arena *arena, const char *text, size_t size)
{
    if (size == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(arena, size + 1);
    if (copy && size)
        memcpy(copy, text, size);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *result = size < 0 ? NULL : arena_alloc(arena, (size_t)size + 1);
    if (result)
        vsnprintf(result, (size_t)size + 1, format, again);
    va_end(again);
    return result;
}
