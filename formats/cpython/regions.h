/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMATS_CPYTHON_REGIONS_H
#define FORMATS_CPYTHON_REGIONS_H

#include "inquest/formats/memory_image.h"

/* Written data where _PyRuntime can be: segments that the process could write and
 * that the core holds, narrowest choice first. */
enum region_choice {
    REGIONS_OF_PYTHON,      /* of the main program, libpython* and python*, with their bss */
    REGIONS_OF_OTHER_FILES, /* of the other mapped files, with their bss */
    REGIONS_UNNAMED,        /* every writable segment but huge ones: for a core without names */
};

/* Borrowed bytes of one region. Stops where it returns true. */
typedef bool (*region_visitor)(void *context, uint64_t address, const uint8_t *bytes,
                               uint64_t size);
bool regions_visit(const struct memory_image *image, enum region_choice choice,
                   region_visitor visit, void *context);

/* Whether some mapped file has a name that begins with libpython or python. */
bool regions_have_python_names(const struct core_dump *core);

#endif
