/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_FAKE_CORE_H
#define TESTS_HELPERS_FAKE_CORE_H

#include "inquest/formats/memory_image.h"

/* A small ELF core in memory: segments with their bytes, and files mapped over
 * them. The caller's bytes are copied. */
struct fake_segment {
    uint64_t address, size;
    uint64_t stored; /* of them, in the core */
    uint32_t flags;  /* PF_R | PF_W | PF_X */
    const void *bytes;
};

struct fake_mapping {
    uint64_t start, end;
    const char *path;
};

struct fake_core {
    struct arena arena;
    struct input_file input;
    struct core_dump core;
    struct memory_image *image;
};

/* Asserts that the core can be read. */
void fake_core_open(struct fake_core *fake, const struct fake_segment *segments,
                    size_t segment_count, const struct fake_mapping *mappings,
                    size_t mapping_count);
void fake_core_close(struct fake_core *fake);

#endif
