/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_PLAIN_H
#define INQUEST_ANALYZER_INDEX_PACKED_PLAIN_H

#include <sqlite3.h>

#include "inquest/analyzer/heap_index.h"

/* Writes `object` and `ref` as ordinary tables, for `load --plain`. The packed tables
 * are there as well: reports read nothing else. Returns SQLite's code. */
int packed_plain_write(sqlite3 *db, const struct heap_objects *objects,
                       const struct heap_references *references, const struct heap_labels *labels);

#endif
