/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/python_layout.h"

#include <string.h>

#include "formats/cpython/regions.h"

#define COOKIE "xdebugpy"

struct candidates {
    const struct memory_image *image;
    struct runtime_candidate *items;
    size_t count, capacity;
    size_t step; /* the cookie's alignment */
};

/* Returns whether there is no room left. */
static bool add(struct candidates *candidates, uint64_t address, const char *how)
{
    for (size_t i = 0; i < candidates->count; i++) {
        if (candidates->items[i].runtime_addr == address)
            return false;
    }
    if (candidates->count == candidates->capacity)
        return true;
    uint8_t cookie[8];
    bool has_cookie =
        memory_read(candidates->image, address, cookie, sizeof(cookie)) == STATUS_OK &&
        memcmp(cookie, COOKIE, sizeof(cookie)) == 0;
    candidates->items[candidates->count++] =
        (struct runtime_candidate){.runtime_addr = address, .how = how, .has_cookie = has_cookie};
    return candidates->count == candidates->capacity;
}

/* A process can map a libpython beside a program with its own interpreter, so
 * each kind of file is asked for its own. */
static void add_symbols(struct candidates *candidates)
{
    static const char *const prefixes[] = {"libpython", "python", NULL};
    uint64_t address = 0, size = 0;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (!prefixes[i] && candidates->count > 0)
            break; /* all files at hand is the slow way */
        if (memory_find_symbol(candidates->image, prefixes[i], "_PyRuntime", &address, &size) ==
            STATUS_OK)
            add(candidates, address, "symbol _PyRuntime");
    }
    if (candidates->count == 0 &&
        memory_find_section(candidates->image, ".PyRuntime", &address, &size) == STATUS_OK)
        add(candidates, address, ".PyRuntime section");
}

static bool find_cookie(void *context, uint64_t address, const uint8_t *bytes, uint64_t size)
{
    struct candidates *candidates = context;
    uint64_t cookie;
    memcpy(&cookie, COOKIE, sizeof(cookie));
    for (uint64_t i = 0; i + sizeof(cookie) <= size; i += candidates->step) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        if (word == cookie && add(candidates, address + i, "debug cookie"))
            return true;
    }
    return false;
}

size_t runtime_candidates_find(const struct memory_image *image,
                               struct runtime_candidate *ret_candidates, size_t capacity)
{
    struct candidates candidates = {.image = image, .items = ret_candidates, .capacity = capacity};
    if (capacity == 0)
        return 0;
    add_symbols(&candidates);
    if (candidates.count > 0)
        return candidates.count;
    const struct core_dump *core = memory_image_core(image);
    /* The linker aligns the struct to 8 at least; another one may not. */
    for (candidates.step = 8; candidates.step >= 4 && candidates.count == 0; candidates.step /= 2) {
        if (core->files.count == 0)
            regions_visit(image, REGIONS_UNNAMED, find_cookie, &candidates);
        else
            regions_visit(image, REGIONS_OF_PYTHON, find_cookie, &candidates);
        if (candidates.count == 0 && !regions_have_python_names(core))
            regions_visit(image, REGIONS_OF_OTHER_FILES, find_cookie, &candidates);
    }
    return candidates.count;
}
