/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_VIRTUAL_TABLES_H
#define INQUEST_ANALYZER_INDEX_VIRTUAL_TABLES_H

#include "analyzer/index/packed_reader.h"

/* `object` and `ref` for SQL, over the packed chunks beside them. They stand in the
 * index's own schema, so that every program sees that they are there, and one that
 * has an index attached reads that index's; a program that does not know the
 * modules opens the file and reads all other tables. */
#define VIRTUAL_TABLES_SQL                                                                         \
    "CREATE VIRTUAL TABLE object USING inquest_object;"                                            \
    "CREATE VIRTUAL TABLE ref USING inquest_ref"

/* Makes the modules known to a connection. Returns SQLite's code. */
int virtual_tables_register(sqlite3 *db);
/* Has a schema's file mapped, unless the connection has a mind of its own: chunks are
 * wanted from all over it, and reading each page would cost as much as the chunk. */
void virtual_tables_map(sqlite3 *db, const char *schema);

/* ---- What the two have in common. */

struct virtual_table {
    sqlite3_vtab base; /* first: SQLite's part */
    struct heap_reader *reader;
};

/* xConnect's work: declares the table and gives it a reader of argv's schema. */
int virtual_table_connect(sqlite3 *db, const char *declaration, const char *const *argv,
                          sqlite3_vtab **ret_table, char **ret_message);
int virtual_table_disconnect(sqlite3_vtab *table);
/* Hands a failure to SQLite, words and code. */
int virtual_table_fail(sqlite3_vtab *table, const struct error *error);

/* Whole numbers that a comparison leaves; low > high: none. */
struct virtual_range {
    int64_t low, high;
};

/* A letter for a comparison, as plans have it; 0: not one that a range can say. */
char virtual_operator_letter(int op);
/* Narrows by a comparison's letter and a value of any type. What no range can say it
 * leaves alone: SQLite compares again. */
void virtual_range_narrow(struct virtual_range *range, char letter, sqlite3_value *value);

extern const sqlite3_module virtual_object_module, virtual_ref_module;

#endif
