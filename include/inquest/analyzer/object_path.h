/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECT_PATH_H
#define INQUEST_ANALYZER_OBJECT_PATH_H

#include "inquest/analyzer/heap_reader.h"
#include "inquest/analyzer/index.h"
#include "inquest/base/text.h"

/* The ways from roots to objects, written as Python would:
 * shop.cache.SESSIONS['u17'].basket[3]. */

/* Appends the shortest way to an object; nothing where no root leads to it. A way of
 * more than a few dozen steps begins with "…". */
enum status object_path_find(struct index *index, struct heap_reader *reader, uint32_t id,
                             struct text *path, struct error *err) MUST_CHECK;

/* The object that a path leads to; keys may be in double quotes. *ret_count: how many
 * objects have this path, of which it is the one that explains best (all keys of one dict
 * are "….<key>"). STATUS_NOT_IN_DUMP, and how far it leads, where there is none. */
enum status object_path_resolve(struct index *index, struct heap_reader *reader, const char *path,
                                uint32_t *ret_id, uint32_t *ret_count,
                                struct error *err) MUST_CHECK;

#endif
