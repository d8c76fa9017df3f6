/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_PLACE_GROUPS_H
#define INQUEST_ANALYZER_FINDINGS_PLACE_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "inquest/base/array.h"
#include "inquest/base/status.h"

/* Siblings of the retained tree by what they have in common. */
struct place {
    uint32_t type, label_class;
    uint32_t object; /* told by itself; 0: with all of its place */
    bool in_namespace;
};

struct place_group {
    struct place place;
    uint64_t value, count;
    uint32_t order;         /* of discovery */
    uint32_t first, filled; /* in members; first UINT32_MAX: too small to be told */
};

struct place_groups {
    ARRAY(struct place_group) groups; /* in order of discovery */
    uint32_t *slots, slot_mask;       /* open addressing: group + 1, 0 empty */
};

/* Ready for the next siblings; false: out of memory, as in place_groups_add. */
bool place_groups_clear(struct place_groups *groups) MUST_CHECK;
void place_groups_deinit(struct place_groups *groups);

/* The group of a place, made where there is none yet; valid until the next one is. */
struct place_group *place_groups_add(struct place_groups *groups, const struct place *place);
/* The group of a place that was added. */
struct place_group *place_groups_find(struct place_groups *groups, const struct place *place);

#endif
