/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/memory_image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/core/image.h"
#include "inquest/base/bytes_reader.h"
#include "inquest/base/checked_math.h"
#include "inquest/base/limits.h"

/* ---- Creation. */

static bool joins(const struct extent *before, const struct extent *next)
{
    return before->end == next->start && before->data + (before->end - before->start) == next->data;
}

/* Neighbours in memory that are neighbours in the core become one. */
static bool make_extents(struct memory_image *image)
{
    const struct core_dump *core = image->core;
    image->extents = calloc(core->segments.count + 1, sizeof *image->extents);
    if (!image->extents)
        return false;
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct core_segment *segment = &core->segments.items[i];
        struct extent next = {segment->address, segment->address + segment->stored,
                              core->input->data + segment->offset};
        if (!segment->stored)
            continue;
        if (image->extent_count && joins(&image->extents[image->extent_count - 1], &next))
            image->extents[image->extent_count - 1].end = next.end;
        else
            image->extents[image->extent_count++] = next;
    }
    return true;
}

static bool base_name_begins(const char *path, const char *prefix)
{
    const char *slash = strrchr(path, '/');
    return !strncmp(slash ? slash + 1 : path, prefix, strlen(prefix));
}

static unsigned search_rank(const struct core_dump *core, size_t file)
{
    if (file == core->program_file)
        return 0;
    return base_name_begins(core->files.items[file].path, "libpython") ? 1 : 2;
}

static bool make_search_order(struct memory_image *image)
{
    const struct core_dump *core = image->core;
    image->files = calloc(core->files.count + 1, sizeof *image->files);
    image->search_order = calloc(core->files.count + 1, sizeof *image->search_order);
    if (!image->files || !image->search_order)
        return false;
    for (unsigned rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < core->files.count; i++) {
            if (core->files.items[i].is_program && search_rank(core, i) == rank)
                image->search_order[image->search_count++] = (uint32_t)i;
        }
    }
    return true;
}

/* What the user named must be there; what the core names may be missing. */
static enum status check_options(struct memory_image *image, struct error *err)
{
    if (image->sysroot) {
        image->root_fd = open(image->sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (image->root_fd < 0)
            return error_set_errno(err, STATUS_IO, errno, "%s: --sysroot", image->sysroot);
    }
    if (!image->executable)
        return STATUS_OK;
    int fd = open_regular(-1, image->executable);
    if (fd < 0)
        return error_set_errno(err, STATUS_IO, errno, "%s: --exe", image->executable);
    close(fd);
    return STATUS_OK;
}

enum status memory_image_create(struct core_dump *core, const struct memory_options *options,
                                struct arena *arena, struct memory_image **ret_image,
                                struct error *err)
{
    static _Atomic uint64_t generations;
    (void)arena; /* what is made later may be made by several threads: own arena */
    struct memory_image *image = calloc(1, sizeof *image);
    if (!image)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    image->core = core;
    image->root_fd = -1;
    image->generation = ++generations;
    arena_init(&image->arena);
    pthread_mutex_init(&image->lock, NULL);
    if (options) {
        image->executable = options->executable;
        image->sysroot = options->sysroot;
    }
    enum status status = check_options(image, err);
    if (status == STATUS_OK && (!make_extents(image) || !make_search_order(image)))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (status != STATUS_OK) {
        memory_image_destroy(image);
        return status;
    }
    image_check_executable(image);
    *ret_image = image;
    return STATUS_OK;
}

void memory_image_destroy(struct memory_image *image)
{
    if (!image)
        return;
    for (size_t i = 0; image->files && i < image->core->files.count; i++)
        image_file_deinit(&image->files[i]);
    if (image->root_fd >= 0)
        close(image->root_fd);
    free(image->files);
    free(image->search_order);
    free(image->extents);
    arena_deinit(&image->arena);
    pthread_mutex_destroy(&image->lock);
    free(image);
}

const struct core_dump *memory_image_core(const struct memory_image *image)
{
    return image->core;
}

/* ---- Lookup. A thread remembers the pieces that it read last, by address. */

#define CACHE_SLOTS 16
#define CACHE_SHIFT 20

struct cached_piece {
    uint64_t generation;
    struct extent piece;
};
/* The tool has its place in the thread's own memory from the start: no call
 * finds it. */
static __thread struct cached_piece cache[CACHE_SLOTS] __attribute__((tls_model("initial-exec")));

static const struct extent *find_extent(const struct memory_image *image, uint64_t address)
{
    size_t low = 0, high = image->extent_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (image->extents[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < image->extents[low - 1].end ? &image->extents[low - 1] : NULL;
}

static bool find_piece(const struct memory_image *image, uint64_t address, struct extent *ret_piece)
{
    const struct extent *extent = find_extent(image, address);
    if (extent) {
        *ret_piece = *extent;
        return true;
    }
    uint64_t size;
    const uint8_t *bytes = image_file_span(image, address, &size);
    if (!bytes)
        return false;
    *ret_piece = (struct extent){address, address + size, bytes};
    return true;
}

static inline struct cached_piece *slot_of(uint64_t address)
{
    return &cache[address >> CACHE_SHIFT & (CACHE_SLOTS - 1)];
}

/* `size` bytes, where they are in a piece that is remembered; NULL says
 * nothing. What is slower is kept apart, so that most looks cost no more than
 * this. */
static inline const uint8_t *bytes_at_hand(const struct memory_image *image, uint64_t address,
                                           uint64_t size)
{
    const struct cached_piece *slot = slot_of(address);
    if (slot->generation != image->generation || address < slot->piece.start ||
        address >= slot->piece.end || size > slot->piece.end - address)
        return NULL;
    return slot->piece.data + (address - slot->piece.start);
}

__attribute__((noinline)) static const uint8_t *find_span(const struct memory_image *image,
                                                          uint64_t address, uint64_t *ret_size)
{
    struct extent piece;
    if (!find_piece(image, address, &piece))
        return NULL;
    *slot_of(address) = (struct cached_piece){image->generation, piece};
    *ret_size = piece.end - address;
    return piece.data + (address - piece.start);
}

const uint8_t *memory_span(const struct memory_image *image, uint64_t address, uint64_t *ret_size)
{
    const uint8_t *bytes = bytes_at_hand(image, address, 1);
    if (!bytes)
        return find_span(image, address, ret_size);
    *ret_size = slot_of(address)->piece.end - address;
    return bytes;
}

__attribute__((noinline)) static const uint8_t *find_view(const struct memory_image *image,
                                                          uint64_t address, uint64_t size)
{
    uint64_t there;
    const uint8_t *bytes = memory_span(image, address, &there);
    return bytes && size <= there ? bytes : NULL;
}

const uint8_t *memory_view(const struct memory_image *image, uint64_t address, uint64_t size)
{
    const uint8_t *bytes = bytes_at_hand(image, address, size);
    return bytes ? bytes : find_view(image, address, size);
}

/* ---- Reading. */

static bool all_there(const struct memory_image *image, uint64_t address, size_t size)
{
    uint64_t there;
    for (size_t done = 0; done < size; done += (size_t)min_u64(there, size - done)) {
        if (!memory_span(image, address + done, &there))
            return false;
    }
    return true;
}

/* What is in several pieces, or not there. */
static enum status read_pieces(const struct memory_image *image, uint64_t address, void *ret_bytes,
                               size_t size)
{
    if (size > -address || !all_there(image, address, size))
        return size ? STATUS_NOT_IN_DUMP : STATUS_OK;
    for (size_t done = 0; done < size;) {
        uint64_t there = 0;
        const uint8_t *bytes = memory_span(image, address + done, &there);
        size_t part = (size_t)min_u64(there, size - done);
        memcpy((uint8_t *)ret_bytes + done, bytes, part);
        done += part;
    }
    return STATUS_OK;
}

enum status memory_read(const struct memory_image *image, uint64_t address, void *ret_bytes,
                        size_t size)
{
    const uint8_t *bytes = memory_view(image, address, size);
    if (!bytes)
        return read_pieces(image, address, ret_bytes, size);
    memcpy(ret_bytes, bytes, size);
    return STATUS_OK;
}

enum status memory_read_u8(const struct memory_image *image, uint64_t address, uint8_t *ret_value)
{
    return memory_read(image, address, ret_value, 1);
}

enum status memory_read_u16(const struct memory_image *image, uint64_t address, uint16_t *ret_value)
{
    uint8_t bytes[2];
    enum status status = memory_read(image, address, bytes, sizeof bytes);
    if (status == STATUS_OK)
        *ret_value = load_u16(bytes);
    return status;
}

/* ---- Numbers that are not at hand. */

__attribute__((noinline)) static enum status find_u32(const struct memory_image *image,
                                                      uint64_t address, uint32_t *ret_value)
{
    uint8_t bytes[4];
    enum status status = memory_read(image, address, bytes, sizeof bytes);
    if (status == STATUS_OK)
        *ret_value = load_u32(bytes);
    return status;
}

__attribute__((noinline)) static enum status find_u64(const struct memory_image *image,
                                                      uint64_t address, uint64_t *ret_value)
{
    uint8_t bytes[8];
    enum status status = memory_read(image, address, bytes, sizeof bytes);
    if (status == STATUS_OK)
        *ret_value = load_u64(bytes);
    return status;
}

enum status memory_read_u32(const struct memory_image *image, uint64_t address, uint32_t *ret_value)
{
    const uint8_t *bytes = bytes_at_hand(image, address, 4);
    if (!bytes)
        return find_u32(image, address, ret_value);
    *ret_value = load_u32(bytes);
    return STATUS_OK;
}

enum status memory_read_u64(const struct memory_image *image, uint64_t address, uint64_t *ret_value)
{
    const uint8_t *bytes = bytes_at_hand(image, address, 8);
    if (!bytes)
        return find_u64(image, address, ret_value);
    *ret_value = load_u64(bytes);
    return STATUS_OK;
}

enum status memory_read_c_string(const struct memory_image *image, uint64_t address,
                                 struct text *ret_text)
{
    char bytes[LIMIT_C_STRING_BYTES];
    size_t size = 0;
    while (size < sizeof bytes) {
        uint64_t there;
        const uint8_t *span = memory_span(image, address + size, &there);
        if (!span)
            return STATUS_NOT_IN_DUMP;
        size_t part = (size_t)min_u64(there, sizeof bytes - size);
        const uint8_t *end = memchr(span, 0, part);
        if (end)
            part = (size_t)(end - span);
        memcpy(bytes + size, span, part);
        size += part;
        if (end) {
            text_append_bytes(ret_text, bytes, size);
            return text_ok(ret_text) ? STATUS_OK : STATUS_NO_MEMORY;
        }
    }
    text_append_bytes(ret_text, bytes, size);
    return text_ok(ret_text) ? STATUS_OVER_LIMIT : STATUS_NO_MEMORY;
}

bool memory_is_mapped(const struct memory_image *image, uint64_t address)
{
    return core_find_segment(image->core, address);
}

bool memory_is_writable(const struct memory_image *image, uint64_t address)
{
    const struct core_segment *segment = core_find_segment(image->core, address);
    return segment && (segment->flags & PF_W);
}

bool memory_is_writable_all(const struct memory_image *image, uint64_t address, uint64_t size)
{
    const struct core_segment *segment;
    if (!size || (address && size > -address)) /* past the end of all addresses */
        return !size;
    while ((segment = core_find_segment(image->core, address)) && segment->flags & PF_W) {
        uint64_t there = segment->size - (address - segment->address);
        if (size <= there)
            return true;
        address += there;
        size -= there;
    }
    return false;
}
