/* SPDX-License-Identifier: Apache-2.0 */
/* The loadable extension `inquest_sqlite`: the virtual tables for any SQLite program.
 * SQLite finds the entry point by the file's name. */
#include "analyzer/index/virtual_tables.h"

SQLITE_EXTENSION_INIT1

__attribute__((visibility("default"))) int
sqlite3_inquestsqlite_init(sqlite3 *db, char **ret_message, const sqlite3_api_routines *api);

int sqlite3_inquestsqlite_init(sqlite3 *db, char **ret_message, const sqlite3_api_routines *api)
{
    SQLITE_EXTENSION_INIT2(api)
    int code = virtual_tables_register(db);
    if (code != SQLITE_OK)
        *ret_message = sqlite3_mprintf("inquest_sqlite needs SQLite 3.26 or newer");
    return code;
}
