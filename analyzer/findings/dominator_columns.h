/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_DOMINATOR_COLUMNS_H
#define INQUEST_ANALYZER_FINDINGS_DOMINATOR_COLUMNS_H

#include "inquest/analyzer/heap_reader.h"

/* The dominator tree of an index in memory, by object id; 0 stands above all that
 * nothing dominates. 24 bytes an object, and 28 while it is read. */
struct dominator_columns {
    uint32_t count;     /* ids are 1..count */
    uint32_t *type;     /* type ids */
    uint64_t *retained; /* bytes */
    uint32_t *label;    /* of the reference from the dominator, 0: it has none; of those
                           that nothing dominates whether they are reachable */
    uint32_t *first;    /* children of i: order[first[i]] to order[first[i + 1]] */
    uint32_t *order;    /* ascending within one parent */
};

enum status dominator_columns_read(struct heap_reader *reader,
                                   struct dominator_columns *ret_columns,
                                   struct error *err) MUST_CHECK;
void dominator_columns_deinit(struct dominator_columns *columns);

#endif
