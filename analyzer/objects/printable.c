/* SPDX-License-Identifier: Apache-2.0 */
/* str.isprintable() of one character: Unicode grows, so it depends on the version.
 * A Python newer than the table is taken for the newest in it. */
#include "analyzer/objects/repr.h"

#include "inquest/base/partition_point.h"

static const struct {
    uint32_t first, last;
    unsigned until; /* the last minor version that denies them */
} unprintable[] = {
#include "analyzer/objects/printable_table.inc"
};

bool code_point_is_printable(uint32_t code_point, unsigned minor)
{
    size_t low;
    PARTITION_POINT(low, sizeof unprintable / sizeof *unprintable,
                    code_point > unprintable[low].last);
    return low == sizeof unprintable / sizeof *unprintable || code_point < unprintable[low].first ||
           minor > unprintable[low].until;
}
