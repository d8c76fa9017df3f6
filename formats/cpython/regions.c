/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/cpython/regions.h"

#include <elf.h>
#include <string.h>

#include "inquest/base/partition_point.h"

/* An arena or a stack of this size is no program's data. */
#define HUGE_SEGMENT (UINT64_C(64) << 20)

static bool has_python_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    return strncmp(base, "libpython", 9) == 0 || strncmp(base, "python", 6) == 0;
}

bool regions_have_python_names(const struct core_dump *core)
{
    for (size_t i = 0; i < core->files.count; i++) {
        if (has_python_name(core->files.items[i].path))
            return true;
    }
    return false;
}

static bool is_chosen(const struct core_dump *core, const struct core_file *file,
                      enum region_choice choice)
{
    bool is_python = has_python_name(file->path) ||
                     (core->executable && strcmp(file->path, core->executable) == 0);
    return is_python == (choice == REGIONS_OF_PYTHON);
}

/* The first segment that ends past `address`. */
static size_t segment_from(const struct core_dump *core, uint64_t address)
{
    size_t low;
    PARTITION_POINT(low, core->segments.count,
                    core->segments.items[low].address + core->segments.items[low].size <= address);
    return low;
}

static bool visit_segment(const struct memory_image *image, const struct core_segment *segment,
                          region_visitor visit, void *context)
{
    if (!(segment->flags & PF_W) || segment->stored == 0)
        return false;
    const uint8_t *bytes = memory_view(image, segment->address, segment->stored);
    return bytes && visit(context, segment->address, bytes, segment->stored);
}

bool regions_visit(const struct memory_image *image, enum region_choice choice,
                   region_visitor visit, void *context)
{
    const struct core_dump *core = memory_image_core(image);
    if (choice == REGIONS_UNNAMED) {
        for (size_t i = 0; i < core->segments.count; i++) {
            const struct core_segment *segment = &core->segments.items[i];
            if (segment->size <= HUGE_SEGMENT && visit_segment(image, segment, visit, context))
                return true;
        }
        return false;
    }
    for (size_t f = 0; f < core->files.count; f++) {
        const struct core_file *file = &core->files.items[f];
        if (!is_chosen(core, file, choice))
            continue;
        /* The segment that begins where the file ends is its bss. */
        for (size_t i = segment_from(core, file->start);
             i < core->segments.count && core->segments.items[i].address <= file->end; i++) {
            if (visit_segment(image, &core->segments.items[i], visit, context))
                return true;
        }
    }
    return false;
}
