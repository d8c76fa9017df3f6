/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_CORE_IMAGE_H
#define INQUEST_FORMATS_CORE_IMAGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "formats/core/elf_view.h"
#include "inquest/formats/memory_image.h"

/* Stored bytes that are contiguous in memory and in the core. */
struct extent {
    uint64_t start, end;
    const uint8_t *data;
};

/* Where a program's dynamic symbols are, in the dead process. */
struct dynamic_table {
    bool is_known;
    uint64_t symbols, strings, strings_size, gnu_hash; /* 0: none */
};

/* A mapped file as it was found, or not, on this machine. Filled once, under the
 * image's lock, by the first who asks. */
struct image_file {
    _Atomic bool is_settled, is_dynamic_settled;
    enum file_source source;
    struct elf_view view; /* of the file; data NULL where it is not used */
    uint64_t bias;
    struct dynamic_table dynamic;
};

struct memory_image {
    struct core_dump *core;
    const char *executable, *sysroot; /* NULL: not given */
    int root_fd;                      /* of the sysroot, -1 without one */
    uint64_t generation;              /* tells images apart in the per-thread caches */
    struct extent *extents;
    size_t extent_count;
    struct image_file *files; /* parallel to core->files */
    uint32_t *search_order;   /* programs and libraries: main program, libpython, the rest */
    size_t search_count;
    struct arena arena; /* of what is made later than memory_image_create */
    pthread_mutex_t lock;
};

/* ---- file_store.c: finds, proves and maps a file on first use. NULL where it is
 * not used. */
const struct image_file *image_file_at_hand(const struct memory_image *image, uint32_t file);
/* Warns where the executable that the user gave can't be placed. */
void image_check_executable(struct memory_image *image);
void image_file_deinit(struct image_file *file);

/* ---- sysroot.c: a regular file, opened read-only; -1 with errno set. Within
 * `root_fd` (-1: none) ".." and links never lead outside of it. */
int open_regular(int root_fd, const char *path);

/* ---- file_span.c: bytes of the mapped file at `address`, where the core does not
 * claim them; NULL where there are none. */
const uint8_t *image_file_span(const struct memory_image *image, uint64_t address,
                               uint64_t *ret_size);

#endif
