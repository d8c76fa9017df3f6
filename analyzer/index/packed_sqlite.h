/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_INDEX_PACKED_SQLITE_H
#define INQUEST_ANALYZER_INDEX_PACKED_SQLITE_H

/* SQLite for the files that are in the tool and in the loadable extension as well.
 * The extension is a guest in a program that has a SQLite of its own: it calls that
 * one, through the table of functions that extension.c is given. */
#ifndef INQUEST_EXTENSION
#define SQLITE_CORE 1
#endif
#include <sqlite3ext.h>
#ifdef INQUEST_EXTENSION
extern const sqlite3_api_routines *sqlite3_api;
#endif

#endif
