/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that the core leaves to the mapped files: pages that the process could
 * not have changed. Stored bytes always win, and so does what the core claims but
 * has lost: a dumped page may differ from the file. */
#include <elf.h>

#include "formats/core/image.h"
#include "inquest/base/checked_math.h"

#define PAGE_MASK    (~UINT64_C(0xFFF))
#define SEGMENTS_MAX 256u

/* A loaded, never writable part of the file around `file_offset`, page by page as
 * the kernel maps it. */
static bool find_constant_part(const struct image_file *file, uint64_t file_offset,
                               uint64_t file_address, uint64_t *ret_left)
{
    struct elf_segment segment;
    for (uint32_t i = 0; i < SEGMENTS_MAX && elf_view_segment(&file->view, i, &segment); i++) {
        uint64_t lead = segment.offset & ~PAGE_MASK, first = segment.offset - lead, size, pages;
        if (segment.type != PT_LOAD || (segment.flags & PF_W) ||
            !checked_add_u64(segment.stored, lead, &size) ||
            !checked_add_u64(size, ~PAGE_MASK, &pages))
            continue;
        pages &= PAGE_MASK;
        if (file_offset >= first && file_offset - first < pages &&
            file_address - (segment.address - lead) == file_offset - first) {
            *ret_left = pages - (file_offset - first);
            return true;
        }
    }
    return false;
}

const uint8_t *image_file_span(const struct memory_image *image, uint64_t address,
                               uint64_t *ret_size)
{
    const struct core_dump *core = image->core;
    const struct core_segment *segment = core_find_segment(core, address);
    const struct core_mapping *mapping =
        segment && segment->mapping != CORE_NO_INDEX ? core_find_mapping(core, address) : NULL;
    if (!mapping || (segment->flags & PF_W) || address - segment->address < segment->claimed)
        return NULL;
    const struct image_file *file = image_file_at_hand(image, mapping->file);
    uint64_t offset, left;
    if (!file || !checked_add_u64(mapping->file_offset, address - mapping->start, &offset) ||
        offset >= file->view.size || !find_constant_part(file, offset, address - file->bias, &left))
        return NULL;
    left = min_u64(left, file->view.size - offset);
    left = min_u64(left, mapping->end - address);
    *ret_size = min_u64(left, segment->size - (address - segment->address));
    return file->view.data + offset;
}
