/* SPDX-License-Identifier: Apache-2.0 */
/* glibc's last words (glibc sysdeps/posix/libc_fatal.c, assert/assert.c), written
 * to pages of their own, to which the variable __abort_msg points:
 *
 *   OFFSET SIZE MEANING
 *        0    4 size of the mapping, a multiple of the page size
 *        4      the text, NUL-terminated, mostly with a newline at its end */
#include "analyzer/runtime/core_abort.h"

#include <elf.h>
#include <string.h>

#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"

#define PAGE_BYTES     4096u
#define MESSAGE_BYTES  (1u << 20) /* of the mapping, at most */
#define SMALL_SEGMENT  ((uint64_t)256 << 10)
#define PAGES_SEARCHED 4096u

/* How glibc's own messages begin, for cores without the symbol. */
static const char *const beginnings[] = {
    "*** ",       "malloc",       "free(): ",     "realloc(): ",        "calloc",     "double free",
    "corrupted ", "munmap_chunk", "mremap_chunk", "unlink_chunk",       "unaligned ", "sysmalloc",
    "invalid ",   "tcache",       "Fatal glibc",  "The futex facility", "chunk_",     "_int_malloc",
    "_int_free",  "memalign",
};

/* The text at `address`, without its last newline; NULL where it is no text. */
static const char *message_at(const struct memory_image *image, uint64_t address, size_t *ret_size)
{
    uint64_t there;
    const uint8_t *bytes = memory_span(image, address, &there);
    if (!bytes || there <= 8)
        return NULL;
    uint32_t size = load_u32(bytes);
    if (size < PAGE_BYTES || size % PAGE_BYTES || size > MESSAGE_BYTES || size > there)
        return NULL;
    const char *text = (const char *)bytes + 4;
    size_t length = strnlen(text, size - 4);
    while (length && text[length - 1] == '\n')
        length--;
    if (!length || length >= size - 5)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ' && text[i] != '\n' && text[i] != '\t')
            return NULL;
    }
    *ret_size = length;
    return text;
}

static bool is_assertion(const char *text, size_t size)
{
    return memmem(text, size, "Assertion `", 11) || memmem(text, size, "Assertion '", 11);
}

static bool looks_like_libc(const char *text, size_t size)
{
    if (is_assertion(text, size))
        return true;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        size_t length = strlen(beginnings[i]);
        if (size >= length && !memcmp(text, beginnings[i], length))
            return true;
    }
    return false;
}

static const char *find_by_symbol(const struct memory_image *image, bool *ret_is_known,
                                  size_t *ret_size)
{
    uint64_t variable, size, address;
    *ret_is_known =
        (memory_find_symbol(image, "libc.", "__abort_msg", &variable, &size) == STATUS_OK ||
         memory_find_symbol(image, "libc-", "__abort_msg", &variable, &size) == STATUS_OK) &&
        memory_read_u64(image, variable, &address) == STATUS_OK;
    return *ret_is_known && address ? message_at(image, address, ret_size) : NULL;
}

/* Without the symbol: at the start of an anonymous mapping, or in a small one, for
 * the kernel joins new mappings to their neighbours. */
static const char *find_by_search(const struct memory_image *image, size_t *ret_size)
{
    const struct core_dump *core = memory_image_core(image);
    unsigned pages = 0;
    for (size_t i = 0; i < core->segments.count && pages < PAGES_SEARCHED; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        if (segment->region != CORE_REGION_ANONYMOUS || !(segment->flags & PF_W))
            continue;
        uint64_t end = segment->stored <= SMALL_SEGMENT ? segment->stored : PAGE_BYTES;
        for (uint64_t at = 0; at < end && pages < PAGES_SEARCHED; at += PAGE_BYTES, pages++) {
            const char *text = message_at(image, segment->address + at, ret_size);
            if (text && looks_like_libc(text, *ret_size))
                return text;
        }
    }
    return NULL;
}

bool abort_message_of_libc(const struct memory_image *image, struct redaction *redaction,
                           struct text *text, const char **ret_source)
{
    size_t size = 0;
    bool symbol_known;
    const char *message = find_by_symbol(image, &symbol_known, &size);
    if (!message && !symbol_known)
        message = find_by_search(image, &size);
    if (!message)
        return false;
    *ret_source = is_assertion(message, size) ? "assert()" : "glibc";
    if (redaction)
        redaction_token(redaction, "str", size, message, size, text);
    else
        text_append_bytes(text, message, min_u64(size, LIMIT_C_STRING_BYTES));
    return true;
}
