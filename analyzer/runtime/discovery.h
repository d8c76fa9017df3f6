/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_RUNTIME_DISCOVERY_H
#define ANALYZER_RUNTIME_DISCOVERY_H

#include "analyzer/objects/object.h"

/* ---- discovery_names.c: what the names of the mapped files say. */
struct name_facts {
    uint32_t version_hex; /* Py_Version of 3.11 and later, 0: not at hand */
    unsigned minors[8];   /* of 3.x, most trusted first, no duplicates */
    size_t count;
    bool names_python;  /* some file is named so */
    bool free_threaded; /* "python3.13t", "cpython-313t-" */
    bool debug_build;   /* "python3.11d", "cpython-311d-" */
};
void name_facts_read(const struct memory_image *image, struct name_facts *ret_facts);

/* What is known of a guess without looking into it. */
struct guess {
    uint32_t version;    /* 0: unknown; the lower 16 bits 0: the patch release is */
    bool place_is_known; /* by a symbol or a cookie, not by a scan */
};

/* ---- discovery_check.c: proves a guess, process->runtime_addr with
 * process->layout. Fills interp_addr and warning, sets layout.version_hex to the
 * process's own, and creates the type table. On failure `err` says what
 * contradicts the guess, and the table is gone again; STATUS_UNSUPPORTED where the
 * guess is right, but that build is not read. An interpreter that was finalizing,
 * or whose core is cut off, may lack sys, and is taken without it where the version
 * and the place are known otherwise. */
enum status python_check(struct python_process *process, const struct guess *guess,
                         struct error *err) MUST_CHECK;

/* ---- discovery_types.c: finds out whether interp_static_types is where the
 * layout says in this build; moves it, or takes it out of the layout. */
void static_types_calibrate(struct python_process *process, uint64_t type_type_addr,
                            uint64_t dict_type_addr);

#endif
