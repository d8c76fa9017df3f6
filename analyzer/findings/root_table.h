/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_ROOT_TABLE_H
#define INQUEST_ANALYZER_FINDINGS_ROOT_TABLE_H

#include "inquest/analyzer/index.h"
#include "inquest/base/arena.h"
#include "inquest/base/array.h"

/* The index's roots, one for each object that is any: the first of its rows, which
 * explains it best. */
struct root_row {
    uint32_t object_id;
    uint64_t order;           /* by kind, then of its row: the lower of two explains better */
    const char *kind, *label; /* in the arena; never NULL */
};

struct root_table {
    ARRAY(struct root_row) items; /* by object_id */
    struct arena arena;
};

enum status root_table_load(struct index *index, struct root_table *ret_table,
                            struct error *err) MUST_CHECK;
void root_table_deinit(struct root_table *table);
/* NULL: the object is no root. */
const struct root_row *root_table_find(const struct root_table *table, uint32_t object_id);

#endif
