/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_COMPARE_OBJECT_MATCH_H
#define INQUEST_ANALYZER_COMPARE_OBJECT_MATCH_H

#include "inquest/analyzer/heap_reader.h"
#include "inquest/analyzer/index.h"

/* Which objects of two dumps of one process are the same. Objects of CPython don't move,
 * but memory is used again, so an address and a type alone pair one new object in five
 * with a dead one. What tells them apart is the content that stays (table content), and
 * where that has changed, whether the same object holds it by the same name. */

enum object_identity {
    OBJECT_NEW, /* there was another one at its address, or none */
    OBJECT_SAME,
    OBJECT_UNCERTAIN, /* same address and type; its content says neither yes nor no */
};

/* One dump's objects by id - 1. */
struct object_columns {
    uint32_t count;
    uint64_t *address, *retained;
    uint32_t *size, *type, *dominator, *content; /* sizes stop at UINT32_MAX */
    uint8_t *reachable;
    bool has_content;
};

struct object_match {
    struct object_columns old_side, new_side;
    uint32_t *old_of;  /* of each NEW object: its id in OLD, 0 */
    uint8_t *identity; /* of each NEW object */
    uint32_t same, uncertain, fresh, gone;
};

/* Types are the same by name and address. */
enum status object_match_make(struct index *old_index, struct index *new_index,
                              struct heap_reader *old_reader, struct heap_reader *new_reader,
                              struct object_match *ret_match, struct error *err) MUST_CHECK;
void object_match_deinit(struct object_match *match);

#endif
