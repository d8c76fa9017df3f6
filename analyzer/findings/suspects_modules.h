/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_MODULES_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_MODULES_H

#include "analyzer/findings/findings.h"
#include "inquest/base/array.h"

/* Where a module comes from: what a library keeps is seldom the program's leak. */
enum module_origin {
    MODULE_PROGRAM,     /* the program's own, or not known */
    MODULE_THIRD_PARTY, /* installed: below site-packages or dist-packages */
    MODULE_STANDARD,    /* beside os.py, or built in */
};

struct module_row {
    const char *name; /* in the process's arena */
    enum module_origin origin;
};

struct module_table {
    ARRAY(struct module_row) items; /* by name */
};

enum status module_table_load(const struct findings *findings,
                              struct module_table *ret_table) MUST_CHECK;
void module_table_deinit(struct module_table *table);

/* Of a module or of the package that it is in; NULL and "builtins" are standard. */
enum module_origin module_origin(const struct module_table *table, const char *name);

#endif
