/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_ARENA_H
#define INQUEST_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "inquest/base/status.h"

/* Memory that is freed as a whole: a session's facts, or a pass's scratch.
 * With -Darena_malloc=true each allocation is a malloc of its own, so that the
 * sanitizers see overruns. Pointers stay valid until arena_deinit. */
struct arena {
    struct arena_block *blocks;
    size_t used, capacity; /* of the newest block, in bytes */
    size_t total;          /* bytes handed out */
};

void arena_init(struct arena *arena);
void arena_deinit(struct arena *arena);

/* 16-byte aligned, zeroed; NULL when memory is out. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;
/* A NUL-terminated copy; NULL when memory is out. */
char *arena_strndup(struct arena *arena, const char *text, size_t size) MUST_CHECK;
char *arena_strdup(struct arena *arena, const char *text) MUST_CHECK;
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

#endif
