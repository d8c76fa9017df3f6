/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/index/index_private.h"

#include "analyzer/index/index_schema.h" /* made from schema.sql at build time */

const char *index_schema_sql(void)
{
    return index_schema;
}

const struct index_table_columns *index_table_columns(enum index_table table)
{
    return &index_tables[table];
}
