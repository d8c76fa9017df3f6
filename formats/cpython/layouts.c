/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest/formats/python_layout.h"

/* The committed tables, made by generate.py from each version's headers.
 * To add one: its .inc below, a line in python_layouts, and the words of
 * python_layouts_known. A patch release that moved fields gets a table of its own,
 * before the newer one of its minor version. */
static const struct python_layout layout_3_8 =
#include "formats/cpython/layouts/cpython_3_8.inc"
    ;
static const struct python_layout layout_3_9 =
#include "formats/cpython/layouts/cpython_3_9.inc"
    ;
static const struct python_layout layout_3_10 =
#include "formats/cpython/layouts/cpython_3_10.inc"
    ;
static const struct python_layout layout_3_11 =
#include "formats/cpython/layouts/cpython_3_11.inc"
    ;
static const struct python_layout layout_3_12 =
#include "formats/cpython/layouts/cpython_3_12.inc"
    ;
static const struct python_layout layout_3_13_0 =
#include "formats/cpython/layouts/cpython_3_13_0.inc"
    ;
static const struct python_layout layout_3_13 =
#include "formats/cpython/layouts/cpython_3_13.inc"
    ;
static const struct python_layout layout_3_14 =
#include "formats/cpython/layouts/cpython_3_14.inc"
    ;
static const struct python_layout layout_3_15 =
#include "formats/cpython/layouts/cpython_3_15.inc"
    ;

const struct python_layout *const python_layouts[] = {
    &layout_3_8,    &layout_3_9,  &layout_3_10, &layout_3_11, &layout_3_12,
    &layout_3_13_0, &layout_3_13, &layout_3_14, &layout_3_15,
};
const size_t python_layout_count = sizeof(python_layouts) / sizeof(python_layouts[0]);

const char *python_layouts_known(void)
{
    return "3.8 to 3.15";
}

const char *python_field_name(enum python_field field)
{
    static const char *const names[PYTHON_FIELD_COUNT] = {
#define X(name) [PY_##name] = #name,
        PYTHON_FIELDS
#undef X
    };
    return field < PYTHON_FIELD_COUNT ? names[field] : "unknown field";
}

const struct python_layout *python_layout_for_version(uint32_t version_hex)
{
    const struct python_layout *found = NULL;
    bool any_patch = (version_hex & 0xFFFF) == 0;
    for (size_t i = 0; i < python_layout_count; i++) {
        const struct python_layout *layout = python_layouts[i];
        if (layout->version_hex >> 16 != version_hex >> 16)
            continue;
        /* A release older than all tables of its minor gets the oldest of them. */
        if (!found || any_patch || layout->version_hex <= version_hex)
            found = layout;
    }
    return found;
}
