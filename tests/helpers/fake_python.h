/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_FAKE_PYTHON_H
#define TESTS_HELPERS_FAKE_PYTHON_H

#include "inquest/formats/python_layout.h"
#include "tests/helpers/fake_core.h"

/* The written data of a process that runs one version of CPython, as far as
 * discovery looks at it, made from a layout. A test spoils it, opens it, and asks. */
#define FAKE_PYTHON_BASE UINT64_C(0x7f1200000000)

struct fake_python {
    struct python_layout layout;
    uint8_t *bytes;
    size_t size, used;
    size_t unstored; /* bytes behind them that the process had, but the core has not */
    uint64_t runtime, interp, thread;
    uint64_t type_type, dict_type, str_type, int_type;
    uint64_t modules, sysdict, builtins;
};

/* All there: a runtime 64 KiB into its data, a main interpreter with a thread, sys
 * with hexversion (the layout's) and version. */
void fake_python_make(struct fake_python *python, const struct python_layout *layout);
void fake_python_free(struct fake_python *python);

void fake_python_put(struct fake_python *python, uint64_t address, uint64_t word);
/* A field of the thing at `address`. */
void fake_python_set(struct fake_python *python, uint64_t address, enum python_field field,
                     uint64_t word);
uint64_t fake_python_alloc(struct fake_python *python, size_t size);
uint64_t fake_python_str(struct fake_python *python, const char *text);
uint64_t fake_python_int(struct fake_python *python, uint32_t value);
/* A dict of pairs: key's text, value's address; ends with NULL. */
uint64_t fake_python_dict(struct fake_python *python, const char *const *keys,
                          const uint64_t *values);
/* Puts _Py_DebugOffsets with the layout's numbers at the runtime's start. */
void fake_python_debug_offsets(struct fake_python *python);
/* Where in them the number for `name` stands: an address. */
uint64_t fake_python_debug_position(const struct fake_python *python, enum python_field name);

/* As a core whose data belongs to the file `path`; NULL: to none. */
void fake_python_open(const struct fake_python *python, const char *path, struct fake_core *fake);

#endif
