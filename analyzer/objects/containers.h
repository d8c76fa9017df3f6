/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_OBJECTS_CONTAINERS_H
#define INQUEST_ANALYZER_OBJECTS_CONTAINERS_H

#include "analyzer/objects/fields.h"

/* ---- set.c: items in the order of the table, which is that of iteration. */
struct set_iterator {
    uint64_t table_addr, slots, used; /* used: items */
    uint64_t next, seen;
};
enum status set_iterate(struct python_process *process, uint64_t addr,
                        struct set_iterator *ret_iterator) MUST_CHECK;
/* False at the end; a damaged table ends it with *ret_status set. */
bool set_next(struct python_process *process, struct set_iterator *iterator, uint64_t *ret_item,
              enum status *ret_status);

/* ---- deque.c: items from the left. */
struct deque_iterator {
    uint64_t block_addr, index, count, next;
    int64_t maxlen; /* -1: none */
};
enum status deque_iterate(struct python_process *process, uint64_t addr,
                          struct deque_iterator *ret_iterator) MUST_CHECK;
bool deque_next(struct python_process *process, struct deque_iterator *iterator, uint64_t *ret_item,
                enum status *ret_status);

#endif
