/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_PYTHON_LAYOUT_H
#define INQUEST_FORMATS_PYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inquest/base/error.h"
#include "inquest/formats/memory_image.h"

/* Where CPython's fields are, by version. PYTHON_FIELDS lists them once, as
 * X(our name); formats/cpython/generate_layout.c says, for each, the C
 * expression that computes it in each version's headers. Kinds of number:
 * offsets in bytes; `..._size` are sizeof in bytes; `..._shift`, `..._mask` and
 * `constant_...` are plain numbers.
 * To add a field: a line here, a line in the generator, run ./dev layouts. */
#include "inquest/formats/python_fields.h"

enum python_field {
#define X(name) PY_##name,
    PYTHON_FIELDS
#undef X
        PYTHON_FIELD_COUNT
};

struct python_layout {
    uint32_t version_hex; /* as sys.hexversion of the headers it was made from */
    const char *name;     /* "3.11", or "3.13 (debug offsets)" */
    /* The number plus one, so that a field nobody filled in reads as absent. */
    uint64_t plus_one[PYTHON_FIELD_COUNT];
};

static inline bool layout_has(const struct python_layout *layout, enum python_field field)
{
    return layout->plus_one[field] != 0;
}

/* The offset, size or constant; only where layout_has. */
static inline uint64_t layout_get(const struct python_layout *layout, enum python_field field)
{
    return layout->plus_one[field] - 1;
}

/* (major << 8 | minor), comparable: layout_minor(l) >= 11 */
static inline unsigned layout_minor(const struct python_layout *layout)
{
    return layout->version_hex >> 16 & 0xFF;
}

/* The committed tables, oldest first; one per known minor version (or more,
 * where patch releases moved fields). */
extern const struct python_layout *const python_layouts[];
extern const size_t python_layout_count;
/* "3.8 to 3.15", for messages. */
const char *python_layouts_known(void);

/* "interp_gc", for messages. */
const char *python_field_name(enum python_field field);

/* The newest table of this major.minor that is not newer than `version_hex` (the
 * oldest where all are; the newest where only major.minor are given, the rest 0);
 * NULL where the version is unknown. */
const struct python_layout *python_layout_for_version(uint32_t version_hex);

/* Reads _Py_DebugOffsets at `runtime_addr` and overlays what it says over the
 * table of its version (ret_layout->version_hex is the dump's own). STATUS_CORRUPT
 * where the cookie is missing or a field is out of bounds; STATUS_UNSUPPORTED for
 * an unknown version or a free-threaded build. */
enum status python_layout_from_debug_offsets(const struct memory_image *image,
                                             uint64_t runtime_addr,
                                             struct python_layout *ret_layout,
                                             struct error *err) MUST_CHECK;

/* Where _PyRuntime may be, best guess first. */
struct runtime_candidate {
    uint64_t runtime_addr;
    const char *how; /* "symbol _PyRuntime", ".PyRuntime section", "debug cookie", "scan" */
    bool has_cookie; /* _Py_DebugOffsets start there */
};

/* Symbol, section and cookie candidates: cheap. Returns how many were put into
 * `ret_candidates` (at most `capacity`). */
size_t runtime_candidates_find(const struct memory_image *image,
                               struct runtime_candidate *ret_candidates, size_t capacity);

/* For a core without its binaries: looks through the written data of the main
 * program and of libpython for a runtime of `layout`; calls `accept` on each
 * address that passes the cheap test (interpreters.main == interpreters.head,
 * plausible pointers) until it returns true. */
bool runtime_scan(const struct memory_image *image, const struct python_layout *layout,
                  bool (*accept)(void *context, uint64_t runtime_addr), void *context);

#endif
