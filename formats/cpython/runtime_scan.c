/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/python_layout.h"

#include <string.h>

#include "formats/cpython/regions.h"
#include "inquest/base/limits.h"

/* _PyRuntime holds the interpreters' list and the main one of them in two words.
 * Where there is one interpreter the words are equal, which is quick to look for
 * and rare; so the first pass takes equal words only, and the second, slower one
 * the processes that have subinterpreters. */
struct scan {
    const struct memory_image *image;
    const struct python_layout *layout;
    uint64_t head, main; /* offsets in _PyRuntime */
    bool only_equal;
    bool (*accept)(void *context, uint64_t runtime_addr);
    void *context;
};

static bool is_pointer(uint64_t word)
{
    return word >= 0x10000 && word % 8 == 0 && word >> 56 == 0;
}

static bool field_pointer(const struct scan *scan, uint64_t address, enum python_field field,
                          uint64_t *ret_pointer)
{
    return layout_has(scan->layout, field) &&
           memory_read_u64(scan->image, address + layout_get(scan->layout, field), ret_pointer) ==
               STATUS_OK;
}

/* The list of interpreters, newest first, ends with the main one. */
static bool list_reaches(const struct scan *scan, uint64_t head, uint64_t main)
{
    uint64_t interp = head;
    for (unsigned i = 0; i < LIMIT_INTERPRETERS && is_pointer(interp); i++) {
        if (interp == main)
            return true;
        if (!field_pointer(scan, interp, PY_interp_next, &interp))
            return false;
    }
    return false;
}

static bool is_runtime(const struct scan *scan, uint64_t head, uint64_t main)
{
    uint64_t id = 0, thread = 0, interp = 0;
    if (!field_pointer(scan, main, PY_interp_id, &id) || id != 0)
        return false;
    if (!field_pointer(scan, main, PY_interp_threads_head, &thread))
        return false;
    if (!field_pointer(scan, thread, PY_thread_interp, &interp) || interp != main)
        return false;
    return list_reaches(scan, head, main);
}

static bool scan_region(void *context, uint64_t address, const uint8_t *bytes, uint64_t size)
{
    struct scan *scan = context;
    uint64_t first = scan->head < scan->main ? scan->head : scan->main;
    uint64_t distance = scan->head + scan->main - 2 * first;
    if (size < distance + 8)
        return false;
    for (uint64_t i = 0; i <= size - distance - 8; i += 8) {
        uint64_t words[2];
        memcpy(&words[0], bytes + i, 8);
        memcpy(&words[1], bytes + i + distance, 8);
        if (!is_pointer(words[0]) || !is_pointer(words[1]))
            continue;
        if ((words[0] == words[1]) != scan->only_equal || address + i < first)
            continue;
        uint64_t head = words[scan->head > scan->main], main = words[scan->head < scan->main];
        if (!memory_is_writable(scan->image, main) || !is_runtime(scan, head, main))
            continue;
        if (scan->accept(scan->context, address + i - first))
            return true;
    }
    return false;
}

bool runtime_scan(const struct memory_image *image, const struct python_layout *layout,
                  bool (*accept)(void *context, uint64_t runtime_addr), void *context)
{
    if (!layout_has(layout, PY_runtime_interpreters_head) ||
        !layout_has(layout, PY_runtime_interpreters_main))
        return false;
    struct scan scan = {.image = image,
                        .layout = layout,
                        .head = layout_get(layout, PY_runtime_interpreters_head),
                        .main = layout_get(layout, PY_runtime_interpreters_main),
                        .accept = accept,
                        .context = context};
    enum region_choice narrowest = REGIONS_OF_PYTHON, widest = REGIONS_OF_OTHER_FILES;
    if (memory_image_core(image)->files.count == 0)
        narrowest = widest = REGIONS_UNNAMED;
    for (enum region_choice choice = narrowest; choice <= widest; choice++) {
        scan.only_equal = true;
        if (regions_visit(image, choice, scan_region, &scan))
            return true;
        scan.only_equal = false;
        if (regions_visit(image, choice, scan_region, &scan))
            return true;
    }
    return false;
}
